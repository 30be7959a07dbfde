//! Questions that only the journal answers: the ledger does not keep what is past.
//!
//! The bank checks who asks and hands the question to its driver ([`crate::Output::Search`]), which looks the records
//! up in its store, beside everything else, and sends what [`answer`] makes of them.

use crate::decide::no_account;
use crate::lines::movements;
use crate::record::{Event, Record};
use crate::store::{Store, StoreError};
use proto::message::bank::{
    BankCommand, BankMessage, DealReceipt, Ending, Entry, MAX_ENTRIES, Order, ReceiptQuery, ReceiptReply,
    Statement, StatementQuery,
};
use proto::message::market::RefusedRequest;
use proto::{CommandId, KeyPair, Peer, PublicKey, Refusal, RefusalCode, Signed};

/// A question about the past of the asker's own account or contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Who asks: it is told about its own account and contracts only.
    pub from: Peer,
    /// What.
    pub query: Query,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// The movements of the asker's account.
    Statement(StatementQuery),
    /// The receipt of a contract of the asker.
    Receipt(ReceiptQuery),
}

/// The answer to `search` from the records in `store`, which are of the bank with `keys`. A statement has the lines of
/// the asker's own account, at most [`MAX_ENTRIES`] of them. A receipt goes to the contract's buyer, seller, market
/// owner and arbiter, and to nobody else.
pub fn answer(search: &Search, store: &mut dyn Store, keys: &KeyPair) -> BankMessage {
    let asker = search.from.key;
    let (request, answer) = match search.query {
        Query::Statement(query) => {
            let statement = statement(asker, query, store, keys.public());
            (query.request, statement.map(|statement| BankMessage::Statement(Box::new(statement))))
        }
        Query::Receipt(query) => {
            let reply = receipt(asker, query.contract, store, keys).map(|receipt| {
                BankMessage::Receipt(Box::new(ReceiptReply { request: query.request, receipt }))
            });
            (query.request, reply)
        }
    };
    answer.unwrap_or_else(|refusal| BankMessage::Refused(RefusedRequest { request, refusal }))
}

fn statement(
    asker: PublicKey,
    query: StatementQuery,
    store: &mut dyn Store,
    bank: PublicKey,
) -> Result<Statement, Refusal> {
    let StatementQuery { request, before, limit } = query;
    let limit = usize::try_from(limit.clamp(1, MAX_ENTRIES)).unwrap_or(1);
    // One more than is shown tells whether there is more.
    let mut records = store.of_account(asker, before, limit + 1).map_err(|error| unreadable(&error))?;
    if records.is_empty() && before == u64::MAX {
        return Err(no_account(asker));
    }
    let is_complete = records.len() <= limit;
    records.truncate(limit);
    let own = |record: &Record| -> Option<Entry> {
        movements(record, bank).into_iter().find(|line| line.account == asker).map(|line| line.entry)
    };
    Ok(Statement { request, entries: records.iter().filter_map(own).collect(), is_complete })
}

fn receipt(
    asker: PublicKey,
    contract: CommandId,
    store: &mut dyn Store,
    keys: &KeyPair,
) -> Result<Signed<DealReceipt>, Refusal> {
    let records = store.of_contract(contract).map_err(|error| unreadable(&error))?;
    let deal = Deal::of(&records).ok_or_else(|| {
        let hint = "`bank statement` shows the contracts of the account";
        Refusal::new(RefusalCode::NoHold, format!("there is no contract {contract}"), hint)
    })?;
    if !deal.parties().any(|party| party == asker) {
        let message = format!("contract {contract} is none of {asker}");
        let hint = "only its buyer, its seller, its market owner and its arbiter have its receipt";
        return Err(Refusal::new(RefusalCode::NotYours, message, hint));
    }
    let Some((record, ending, papers)) = deal.closed else {
        let message = format!("contract {contract} has not ended: {}", deal.state);
        let hint = "its receipt is there when it has ended";
        return Err(Refusal { is_retryable: true, ..Refusal::new(RefusalCode::WrongState, message, hint) });
    };
    let Record { sequence, time, chain, .. } = *record;
    let receipt = DealReceipt {
        bank: keys.public(),
        ending: *ending,
        sequence,
        time,
        chain,
        placed: deal.placed.clone(),
        papers: papers.cloned(),
        claim: deal.claim.cloned(),
    };
    Ok(Signed::new(receipt, keys))
}

/// A contract as its records tell it.
struct Deal<'a> {
    placed: &'a Signed<BankCommand>,
    seller: PublicKey,
    arbiter: Option<PublicKey>,
    claim: Option<&'a Signed<BankCommand>>,
    closed: Option<(&'a Record, &'a Ending, Option<&'a Signed<BankCommand>>)>,
    /// What happened last, in words.
    state: &'static str,
}

impl<'a> Deal<'a> {
    /// From all records of one contract, in order.
    fn of(records: &'a [Record]) -> Option<Self> {
        let (first, later) = records.split_first()?;
        let Event::HoldPlaced { command: placed, .. } = &first.event else { return None };
        let Order::PlaceHold(order) = &placed.body.order else { return None };
        let mut deal = Deal {
            placed,
            seller: order.seller,
            arbiter: None,
            claim: None,
            closed: None,
            state: "the money is set aside, and nothing was claimed",
        };
        later.iter().for_each(|record| deal.go_on(record));
        Some(deal)
    }

    fn go_on(&mut self, record: &'a Record) {
        match &record.event {
            Event::HoldAccepted { .. } => self.state = "the seller has put its bond up",
            Event::HoldClaimed { command, .. } => {
                self.claim = Some(command);
                self.state = "the seller has claimed the price, and the buyer may still object";
            }
            Event::HoldDisputed { .. } => self.state = "the buyer has objected",
            Event::ArbiterNamed { arbiter, .. } => {
                self.arbiter = Some(*arbiter);
                self.state = "an arbiter executes it again";
            }
            Event::HoldClosed { command, ending } => {
                self.closed = Some((record, ending, command.as_deref()));
            }
            _ => {}
        }
    }

    /// Whom the contract concerns, as far as is known yet.
    fn parties(&self) -> impl Iterator<Item = PublicKey> + use<> {
        let claimed = self.claim.and_then(|claim| match &claim.body.order {
            Order::Claim(claim) => Some(claim.ticket.body.owner.key),
            _ => None,
        });
        let ending = self.closed.map(|(_, ending, _)| ending);
        let (owner, arbiter) =
            ending.map_or((claimed, self.arbiter), |ending| (ending.owner.or(claimed), ending.arbiter));
        [Some(self.placed.signer), Some(self.seller), owner, arbiter, self.arbiter].into_iter().flatten()
    }
}

fn unreadable(error: &StoreError) -> Refusal {
    let message = format!("the bank cannot look into its journal: {error}");
    Refusal::new(RefusalCode::Busy, message, "ask again later; nothing is lost")
}

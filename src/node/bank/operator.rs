//! The operator's word: orders signed with the bank's own key that go the way of all orders, and what the bank tells its
//! operator.

use super::Driver;
use crate::cli::exit;
use crate::control::{
    AdmissionView, Failure, InvitationView, Operator, OrderedView, Reply, Request, ServingView, TotalsView,
};
use crate::node::control::{Call, Question};
use bank::client;
use jiff::Timestamp;
use proto::message::bank::{
    BankMessage, BankOutcome, BankReply, BankRequest, Freeze, Grant, Invitation, MAX_MEMO, Order,
};
use proto::wire::Wire as _;
use proto::{CommandId, Money, Peer, PublicKey, RefusalCode, Signed, Span};
use std::path::Path;

/// The longest life of an invitation, in seconds: a year.
const LONGEST_INVITATION: f64 = 31_536_000.0;

/// An order of the operator that has no answer yet.
pub(super) struct Ordered {
    view: OrderedView,
    question: Question,
}

impl Driver {
    /// Answers the operator, at once or when its order is durable.
    pub(super) fn answer_call(&mut self, call: Call) {
        let Call { request, question } = call;
        let Request::Operator(operator) = request else {
            let failure = Failure::new("not_a_node", "a bank runs here, and no node", exit::USAGE);
            return question.answer(Reply::Error(failure));
        };
        let answered = match operator {
            Operator::Totals => Ok(Reply::Totals(Box::new(self.totals()))),
            Operator::Invite { account, seconds } => self.invite(&account, seconds),
            Operator::Promote => Err(Failure::new("not_a_standby", "this is the bank already", exit::USAGE)),
            Operator::Grant { account, credits, reason } => match grant(&account, &credits, reason) {
                Ok((to, order)) => return self.order(("granted", to, Some(credits)), order, question),
                Err(failure) => Err(failure),
            },
            Operator::Freeze { account, reason } => match freeze(&account, true, reason) {
                Ok((to, order)) => return self.order(("frozen", to, None), order, question),
                Err(failure) => Err(failure),
            },
            Operator::Unfreeze { account, reason } => match freeze(&account, false, reason) {
                Ok((to, order)) => return self.order(("freed", to, None), order, question),
                Err(failure) => Err(failure),
            },
        };
        question.answer(answered.unwrap_or_else(Reply::Error));
    }

    /// Signs an order and gives it to the bank like everybody's.
    fn order(
        &mut self,
        (done, account, credits): (&str, PublicKey, Option<String>),
        order: Order,
        question: Question,
    ) {
        let Ok([id, _]) = super::super::random::bytes().map(halves) else {
            let failure = Failure::new("random", "the system gives no random numbers", exit::FAILED);
            return question.answer(Reply::Error(failure));
        };
        let id = CommandId(id);
        let command = client::command(&self.keys, self.keys.public(), id, order);
        let message = BankMessage::Request(Box::new(BankRequest { command }));
        let view = OrderedView {
            done: done.into(),
            account: account.to_hex(),
            credits,
            record: 0,
            id: id.to_string(),
        };
        self.ordered.insert(id, Ordered { view, question });
        if let Some(away) = self.refuse_if_closed(&message) {
            return self.deliver_own(away);
        }
        let from = self.own();
        self.bank.handle(bank::Input::Receive { from, message }, self.clock.now());
    }

    /// The bank as its own customer.
    fn own(&self) -> Peer {
        Peer::new(self.net.address(), 0, self.keys.public())
    }

    /// Hands the answer to an order of the operator over.
    pub(super) fn deliver_own(&mut self, message: BankMessage) {
        let BankMessage::Reply(reply) = message else { return };
        let BankReply { command, outcome } = *reply;
        let Some(Ordered { view, question }) = self.ordered.remove(&command) else { return };
        question.answer(match outcome {
            BankOutcome::Recorded(receipt) => {
                Reply::Ordered(Box::new(OrderedView { record: receipt.sequence, ..view }))
            }
            BankOutcome::Refused(refusal) => Reply::Error(Failure::refused(&refusal)),
            other => Reply::Error(Failure::new("bad_reply", format!("an unfitting answer: {other:?}"), 1)),
        });
    }

    fn invite(&self, account: &str, seconds: f64) -> Result<Reply, Failure> {
        let account = key(account)?;
        if !(1.0..=LONGEST_INVITATION).contains(&seconds) {
            let message =
                format!("an invitation is good for 1 to {LONGEST_INVITATION} seconds, not {seconds}");
            return Err(Failure::new("malformed", message, exit::USAGE));
        }
        let micros = std::time::Duration::from_secs_f64(seconds).as_micros();
        let expires = self.clock.now().after(Span(u64::try_from(micros).unwrap_or(u64::MAX)));
        let bank = self.keys.public();
        let invitation = Signed::new(Invitation { bank, account, expires }, &self.keys);
        let until = i64::try_from(expires.0).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        Ok(Reply::Invited(Box::new(InvitationView {
            account: account.to_hex(),
            expires: until.map_or_else(String::new, |until| until.to_string()),
            invitation: proto::id::hex(&invitation.encode()),
        })))
    }

    fn totals(&self) -> TotalsView {
        let totals = self.bank.totals();
        let escrow = self.bank.escrow();
        let now = self.clock.now();
        TotalsView {
            accounts: totals.accounts,
            frozen: self.frozen(),
            issued: totals.issued.to_string(),
            available: totals.available.to_string(),
            held: totals.held.to_string(),
            escrow: escrow.amount.to_string(),
            open_holds: totals.open_holds,
            disputes: escrow.disputes,
            first_end: escrow.first_end.map(|end| end.since(now).as_secs_f64()),
            records: totals.records,
            head: self.bank.head().to_hex(),
            bytes_on_disk: size_of(&self.home),
            waiting: self.intake.count(),
            serving: self.serving(),
        }
    }

    fn frozen(&self) -> Vec<String> {
        let accounts = self.bank.accounts().map(|balance| balance.account);
        accounts.filter(|account| self.bank.is_frozen(*account)).map(|account| account.to_hex()).collect()
    }

    /// What the bank guarantees now.
    pub(super) fn serving(&self) -> ServingView {
        let (standby, rules) = (*self.standby.borrow(), &self.rules);
        ServingView {
            address: self.net.address().to_string(),
            key: self.keys.public().to_hex(),
            home: self.home.display().to_string(),
            store: self.place.words(),
            epoch: self.epoch,
            standby: self.mode.name().into(),
            standbys: standby.count,
            behind: self.tail.durable().saturating_sub(standby.durable),
            orders_per_second: Some(self.orders_per_second).filter(|orders| *orders > 0),
            admission: AdmissionView::of(rules),
            bond_percent: rules.bond_percent,
            dispute: rules.dispute.as_secs_f64(),
            issued: self.bank.totals().issued.to_string(),
        }
    }

    /// The refusal of an order that must not be decided now, as its answer.
    pub(super) fn refuse_if_closed(&self, message: &BankMessage) -> Option<BankMessage> {
        if !matches!(message, BankMessage::Request(_)) {
            return None;
        }
        let why = self.gate.closed(*self.standby.borrow(), std::time::Instant::now())?;
        let hint = "try again when a standby follows; nothing was done";
        let refusal = proto::Refusal::new(RefusalCode::Busy, why, hint);
        super::intake::answer(self.own(), message, refusal).map(|(_, answer)| answer)
    }
}

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    halves.iter_mut().flatten().zip(bytes).for_each(|(to, from)| *to = from);
    halves
}

fn key(text: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_hex(text).ok_or_else(|| {
        Failure::new("malformed", format!("`{text}` is no account"), exit::USAGE)
            .hint("an account is a public key of 64 hexadecimal digits: `compup2p status` shows it")
    })
}

fn checked(reason: String) -> Result<String, Failure> {
    if reason.len() <= MAX_MEMO {
        return Ok(reason);
    }
    let message = format!("the reason has {} bytes, a record keeps {MAX_MEMO}", reason.len());
    Err(Failure::new("malformed", message, exit::USAGE))
}

fn grant(account: &str, credits: &str, reason: String) -> Result<(PublicKey, Order), Failure> {
    let to = key(account)?;
    let amount: Money = credits.parse().map_err(|_| {
        let message = format!("`{credits}` are no credits: expected a number with at most six decimals");
        Failure::new("malformed", message, exit::USAGE)
    })?;
    Ok((to, Order::Grant(Grant { to, amount, reason: checked(reason)? })))
}

fn freeze(account: &str, is_frozen: bool, reason: String) -> Result<(PublicKey, Order), Failure> {
    let account = key(account)?;
    Ok((account, Order::Freeze(Freeze { account, is_frozen, reason: checked(reason)? })))
}

/// The bytes of all files in a directory. What cannot be looked at counts for nothing.
fn size_of(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

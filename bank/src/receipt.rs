//! Receipts of contracts, checked by anybody, without the bank and without a network.
//!
//! A receipt carries the papers that its parties signed. What follows from them is computed here once more, from the
//! text of the rules and not by the ledger's code; what does not follow from them is said as well.

use crate::hold::Hold;
use crate::settlement::{check_claim, check_release, check_settle};
use proto::message::bank::{
    BankCommand, Claim, DealReceipt, Ending, How, Judge, Order, PlaceHold, ReleaseHold, Settle, Shares,
};
use proto::message::market::Ticket;
use proto::rules::PricingRule;
use proto::{Cycles, Money, PublicKey, Rate, Refusal, RefusalCode, Signed};

/// The most that a penalty gives the buyer beside its own money, as a part of the hold: a tenth
/// (`docs/bank/deals.md`, who can lose what).
const COMPENSATION: u64 = 10;

/// What a receipt shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What follows from signatures and arithmetic, a sentence each.
    pub proven: Vec<String>,
    /// What has to be believed of somebody, a sentence each.
    pub unproven: Vec<String>,
}

/// Checks every signature of `receipt`, that its papers fit each other, and that the amounts follow from them; if `bank`
/// is given, that it is of this bank.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(receipt: &Signed<DealReceipt>, bank: Option<PublicKey>) -> Result<Verified, Refusal> {
    let body = &receipt.body;
    if let Some(bank) = bank.filter(|bank| *bank != body.bank) {
        return Err(wrong(RefusalCode::NotYours, format!("it is of the bank {}, not of {bank}", body.bank)));
    }
    if !receipt.is_genuine_by(body.bank) {
        return Err(wrong(RefusalCode::NotYours, format!("it is not signed by the bank {}", body.bank)));
    }
    let mut told = Verified::default();
    let Ending { hold, how, .. } = body.ending;
    let (bank_key, sequence) = (body.bank, body.sequence);
    told.proven.push(format!(
        "the bank {bank_key:#} says that contract {hold:#} was {} in record {sequence}",
        how.name()
    ));
    if bank.is_none() {
        told.unproven.push(format!("that {bank_key:#} is your network's bank: name its key with --bank"));
    }
    let order = placed(body)?;
    told.proven.push(format!(
        "the buyer {} ordered that {} credits be set aside for the seller {}",
        body.ending.buyer, order.amount, body.ending.seller
    ));
    let Ending { buyer, seller, .. } = body.ending;
    let PlaceHold { ticket, amount, .. } = order;
    let hold = Hold { id: hold, buyer, seller, ticket, amount, expires: body.time };
    let deal = papers(body, &hold, &mut told)?;
    amounts(&body.ending, order.amount, deal, &mut told)?;
    told.unproven.push(
        "that this record stands in the journal that others see: compare its chain with an export of it"
            .into(),
    );
    Ok(told)
}

/// What is paid for.
#[derive(Clone, Copy)]
struct Work<'a> {
    ticket: &'a Ticket,
    cycles: Cycles,
}

/// The buyer's order, if it is genuine and the one of this contract.
fn placed(receipt: &DealReceipt) -> Result<PlaceHold, Refusal> {
    let (placed, ending) = (&receipt.placed, &receipt.ending);
    let Order::PlaceHold(order) = placed.body.order else {
        return Err(mismatch("the order that set the money aside is another one"));
    };
    genuine(placed, receipt.bank, "the order that set the money aside")?;
    if placed.signer != ending.buyer {
        return Err(mismatch("the order that set the money aside is not the buyer's"));
    }
    if placed.body.id != ending.hold {
        return Err(mismatch("the order that set the money aside is of another contract"));
    }
    if order.seller != ending.seller {
        return Err(mismatch("the money was set aside for another seller"));
    }
    Ok(order)
}

/// Whether the papers are those that an end of this kind has; and what they say is to be paid, if anything is.
fn papers<'a>(
    receipt: &'a DealReceipt,
    hold: &Hold,
    told: &mut Verified,
) -> Result<Option<Work<'a>>, Refusal> {
    let (ending, closing) = (&receipt.ending, receipt.papers.as_ref());
    if let Some(command) = closing {
        genuine(command, receipt.bank, "the order that ended it")?;
    }
    let order = closing.map(|command| (command.signer, &command.body.order));
    match (ending.how, order) {
        (How::Settled, Some((signer, Order::Settle(settle)))) => {
            is_party(ending, signer)?;
            settled(hold, settle, told).map(Some)
        }
        (How::Released, Some((signer, Order::ReleaseHold(order)))) => {
            released(hold, signer, order, ending, told).map(|()| None)
        }
        (How::Expired, None) => {
            told.unproven.push("that its time was over without a valid claim: this the bank says".into());
            Ok(None)
        }
        (How::NoShow, None) => {
            told.unproven
                .push("that the seller had put a bond up and delivered nothing: the bank says so".into());
            Ok(None)
        }
        (How::Lapsed, None) => {
            let (claim, work) = claimed(receipt, hold, told)?;
            if claim.taken.is_none() {
                return Err(mismatch("the buyer's word that it took the outputs is missing"));
            }
            told.proven.push("the buyer took the outputs".into());
            told.unproven.push("that the buyer raised no objection in time: this the bank says".into());
            Ok(Some(work))
        }
        (How::Undecided, None) => {
            let (_, work) = claimed(receipt, hold, told)?;
            told.unproven.push("that the buyer objected and no arbiter answered: the bank says so".into());
            Ok(Some(work))
        }
        (How::Upheld | How::Overturned, Some((signer, Order::Judge(judge)))) => {
            let (claim, work) = claimed(receipt, hold, told)?;
            judged(ending, signer, judge, claim, told)?;
            Ok((ending.how == How::Upheld).then_some(work))
        }
        (how, _) => Err(mismatch(format!("its papers are not those of a contract that was {}", how.name()))),
    }
}

fn settled<'a>(hold: &Hold, settle: &'a Settle, told: &mut Verified) -> Result<Work<'a>, Refusal> {
    if settle.hold != hold.id {
        return Err(mismatch("the order that ended it is of another contract"));
    }
    check_settle(hold, settle)?;
    let work = Work { ticket: &settle.ticket.body, cycles: settle.report.body.cycles };
    told.ticket(work.ticket);
    told.report(work.cycles, &settle.report.body.outcome);
    told.proven.push("the buyer accepted this report".into());
    Ok(work)
}

fn released(
    hold: &Hold,
    signer: PublicKey,
    order: &ReleaseHold,
    ending: &Ending,
    told: &mut Verified,
) -> Result<(), Refusal> {
    if order.hold != hold.id {
        return Err(mismatch("the order that ended it is of another contract"));
    }
    is_party(ending, signer)?;
    if signer == hold.seller {
        told.proven.push("the seller itself gave the money back".into());
        return Ok(());
    }
    check_release(hold, order)?;
    if order.declined.is_some() {
        told.proven.push("the seller declined the offer".into());
    }
    if let Some(report) = &order.report {
        told.report(report.body.cycles, &report.body.outcome);
    }
    Ok(())
}

/// The seller's claim, if it is genuine and its papers fit.
fn claimed<'a>(
    receipt: &'a DealReceipt,
    hold: &Hold,
    told: &mut Verified,
) -> Result<(&'a Claim, Work<'a>), Refusal> {
    let command = receipt.claim.as_ref().ok_or_else(|| mismatch("the seller's claim is missing"))?;
    genuine(command, receipt.bank, "the claim")?;
    let Order::Claim(claim) = &command.body.order else {
        return Err(mismatch("what should be the seller's claim is another order"));
    };
    if command.signer != hold.seller || claim.hold != hold.id {
        return Err(mismatch("the claim is not the seller's, or of another contract"));
    }
    check_claim(hold, claim)?;
    let work = Work { ticket: &claim.ticket.body, cycles: claim.report.body.cycles };
    told.ticket(work.ticket);
    told.report(work.cycles, &claim.report.body.outcome);
    Ok((claim, work))
}

fn judged(
    ending: &Ending,
    signer: PublicKey,
    judge: &Judge,
    claim: &Claim,
    told: &mut Verified,
) -> Result<(), Refusal> {
    let finding = &judge.finding;
    if ending.arbiter != Some(signer) || !finding.is_genuine_by(signer) {
        return Err(wrong(
            RefusalCode::NotYours,
            format!("the finding is not signed by the arbiter {signer}"),
        ));
    }
    let is_about_it = judge.hold == ending.hold && finding.body.contract == ending.hold;
    if !is_about_it || finding.body.report != claim.report.hash() {
        return Err(mismatch("the finding is about another report"));
    }
    let (found, reported) = (&finding.body, &claim.report.body);
    let same = (&found.outcome, found.cycles, &found.outputs, found.stdout, found.stderr)
        == (&reported.outcome, reported.cycles, &reported.outputs, reported.stdout, reported.stderr);
    let is_upheld = ending.how == How::Upheld;
    let cannot_fetch = matches!(found.outcome, proto::message::service::Outcome::NotFetched(_));
    if is_upheld != (same || cannot_fetch) {
        return Err(mismatch(format!("by the arbiter's finding it cannot have been {}", ending.how.name())));
    }
    let came = if same { "the same" } else { "something else" };
    told.proven.push(format!("the arbiter {signer} signed that its execution came to {came}"));
    told.unproven
        .push("that the arbiter was drawn by lot, and did execute it: this the bank and it say".into());
    Ok(())
}

/// Whether the amounts are those that follow from the hold, the kind of its end and the papers.
fn amounts(
    ending: &Ending,
    amount: Money,
    work: Option<Work<'_>>,
    told: &mut Verified,
) -> Result<(), Refusal> {
    let shares = ending.shares;
    let expected = expected(ending, amount, work)
        .ok_or_else(|| mismatch("more was held or given back than the papers allow"))?;
    if !shares.is_balanced() {
        return Err(mismatch("what was given out is not what was held"));
    }
    if shares != expected {
        return Err(mismatch(format!(
            "it says {}; by its papers it has to be {}",
            listed(&shares),
            listed(&expected)
        )));
    }
    if let Some(Work { ticket, .. }) = work
        && ending.owner != Some(ticket.owner.key)
    {
        return Err(mismatch("the market owner is not the one of the ticket"));
    }
    told.proven.push(format!("the amounts follow from this: {}", listed(&shares)));
    if shares.buyer_held != amount || shares.seller_held != Money::ZERO {
        told.unproven.push("how much deposit and bond were put up: this the bank says".into());
    }
    if ending.arbiter.is_some() && matches!(ending.how, How::Settled | How::Released) {
        told.unproven
            .push("that an arbiter was at work when it ended, and is paid for it: the bank says so".into());
    }
    Ok(())
}

/// Who has to get what. The rules: `docs/bank/deals.md`, DESIGN §5.4, 6 and 7, and `reference/ledger.md` §3. What was held
/// beside the hold itself is as the receipt says. Whoever gives in while an arbiter works pays the arbiter: a buyer that
/// settles, a seller that releases.
fn expected(ending: &Ending, amount: Money, work: Option<Work<'_>>) -> Option<Shares> {
    let Shares { buyer_held, seller_held: put_up, .. } = ending.shares;
    let deposit = buyer_held.checked_sub(amount)?;
    let back = Shares { buyer_held, seller_held: put_up, ..Shares::default() };
    let most = Money(amount.0 / COMPENSATION);
    // What the arbiter gets comes from the seller as far as what it has put up goes, and beyond that from the buyer.
    let by_seller = deposit.min(put_up);
    let left = put_up.checked_sub(by_seller)?;
    let buyer_left = buyer_held.checked_sub(deposit.checked_sub(by_seller)?)?;
    let is_at_work = ending.arbiter.is_some();
    Some(match (ending.how, work) {
        (How::Released, _) if is_at_work => {
            Shares { buyer: buyer_left, seller: left, arbiter: deposit, ..back }
        }
        (How::Released | How::Expired, _) => Shares { buyer: buyer_held, seller: put_up, ..back },
        (How::NoShow, _) => {
            let compensation = Money(put_up.0 / 2).min(most);
            let buyer = buyer_held.checked_add(compensation)?;
            Shares { buyer, pool: put_up.checked_sub(compensation)?, ..back }
        }
        (How::Overturned, _) => {
            let compensation = left.min(most);
            let buyer = buyer_left.checked_add(compensation)?;
            Shares { buyer, arbiter: deposit, pool: left.checked_sub(compensation)?, ..back }
        }
        (how, Some(Work { ticket, cycles })) => {
            let fee = ticket.fee.min(amount);
            let after_fee = amount.checked_sub(fee)?;
            let pay = ticket.clearing.cost(cycles).min(after_fee);
            let after_pay = after_fee.checked_sub(pay)?;
            let share = ticket.owner_rate.cost(cycles).min(after_pay);
            let rest = after_pay.checked_sub(share)?;
            let is_buyers = how == How::Upheld || (how == How::Settled && is_at_work);
            let arbiter = if is_buyers { deposit } else { Money::ZERO };
            let buyer = rest.checked_add(deposit)?.checked_sub(arbiter)?;
            let (seller, owner) = (pay.checked_add(put_up)?, fee.checked_add(share)?);
            Shares { buyer, seller, owner, arbiter, ..back }
        }
        (_, None) => return None,
    })
}

impl Verified {
    fn ticket(&mut self, ticket: &Ticket) {
        let (owner, clearing, rule) = (ticket.owner.key, ticket.clearing, ticket.rule.name());
        self.proven.push(format!(
            "the market owner {owner} signed the ticket: {clearing} credits/Gc by the {rule} rule, {} credits for itself",
            ticket.fee
        ));
        let follows = match ticket.rule {
            PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg | PricingRule::FirstPrice => {
                self.proven.push("its price follows from its listings, which their sellers signed".into());
                "that the market owner left no cheaper listing out: this it says"
            }
            PricingRule::Posted | PricingRule::MaxMin => {
                "that its price is the one of the network's constants: the bank has checked it"
            }
        };
        self.unproven.push(follows.into());
        if ticket.owner_rate != Rate(0) {
            self.proven.push(format!("beside it the owner gets {} credits/Gc", ticket.owner_rate));
        }
    }

    fn report(&mut self, cycles: Cycles, outcome: &proto::message::service::Outcome) {
        self.proven.push(format!("the seller reported {} Gc, and that the work {outcome}", giga(cycles)));
        if outcome.is_payable() {
            self.unproven.push("that cycles and outputs are right: an execution of the same tells".into());
        }
    }
}

/// Cycles in Gc, to the last of them.
fn giga(cycles: Cycles) -> String {
    let text = format!("{}.{:09}", cycles.0 / 1_000_000_000, cycles.0 % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn listed(shares: &Shares) -> String {
    let Shares { buyer, seller, owner, arbiter, pool, .. } = shares;
    let extra = |money: &Money, to: &str| {
        if *money == Money::ZERO { String::new() } else { format!(", {money} to {to}") }
    };
    format!(
        "{seller} to the seller, {owner} to the market owner, {buyer} back to the buyer{}{}",
        extra(arbiter, "the arbiter"),
        extra(pool, "the bank's pool")
    )
}

fn genuine(command: &Signed<BankCommand>, bank: PublicKey, what: &str) -> Result<(), Refusal> {
    if !command.is_genuine() {
        return Err(wrong(RefusalCode::NotYours, format!("{what} is not signed by {}", command.signer)));
    }
    if command.body.bank != bank {
        return Err(mismatch(format!("{what} is meant for the bank {}", command.body.bank)));
    }
    Ok(())
}

fn is_party(ending: &Ending, signer: PublicKey) -> Result<(), Refusal> {
    if signer == ending.buyer || signer == ending.seller {
        return Ok(());
    }
    Err(wrong(RefusalCode::NotYours, format!("{signer} ended it, who is neither its buyer nor its seller")))
}

fn mismatch(message: impl Into<String>) -> Refusal {
    wrong(RefusalCode::Mismatch, message)
}

fn wrong(code: RefusalCode, message: impl Into<String>) -> Refusal {
    Refusal::new(code, message, "somebody has changed it, or it was made by a program that errs")
}

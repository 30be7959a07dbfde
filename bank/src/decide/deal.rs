//! From the orders of a deal to their events: release, settlement, bond, claim, dispute, judgement.

use super::{Counter, may_spend};
use crate::deal::{Claimed, Deal, Deed, MAX_OPEN_DISPUTES, Price};
use crate::hold::Hold;
use crate::ledger::{Ledger, claimed};
use crate::memory::{Answer, End, Executed, Remembered};
use crate::record::Event;
use crate::settlement::{
    self, Ruling, check_claim, check_dispute, check_judge, check_release, check_settle, check_terms,
};
use proto::message::bank::{
    AcceptHold, BankCommand, Claim, Dispute, Ending, Judge, ReleaseHold, Settle, Shares,
};
use proto::{CommandId, Money, PublicKey, Refusal, RefusalCode, Rules, Signed};

/// How a hold ends by the buyer's proof, or on the seller's word.
pub(super) fn release(ledger: &Ledger, signer: PublicKey, order: &ReleaseHold) -> Result<Ending, Refusal> {
    let deal = open_deal(ledger, order.hold)?;
    is_party(&deal.hold, signer)?;
    if signer == deal.hold.buyer {
        check_release(&deal.hold, order)?;
    }
    Ok(settlement::released(deal))
}

/// How a hold ends by the buyer's acceptance.
pub(super) fn settle(
    ledger: &Ledger,
    signer: PublicKey,
    order: &Settle,
    rules: &Rules,
) -> Result<Ending, Refusal> {
    let deal = open_deal(ledger, order.hold)?;
    is_party(&deal.hold, signer)?;
    check_settle(&deal.hold, order)?;
    check_terms(&order.ticket.body, rules)?;
    is_claimed_work(deal, signer, order)?;
    Ok(settlement::settled(deal, &Price::of(&order.ticket.body), order.report.body.cycles))
}

/// What happens when a seller puts its bond up.
pub(super) fn accept(
    at: &Counter<'_>,
    command: &Signed<BankCommand>,
    order: &AcceptHold,
) -> Result<Event, Refusal> {
    let deal = open_deal(at.ledger, order.hold)?;
    is_seller(&deal.hold, command.signer)?;
    let percent = at.rules.bond_percent;
    if percent == 0 {
        return Err(wrong_state(
            "the network's rules ask for no bond".into(),
            "accept the offer without one",
        ));
    }
    is_legal(deal, Deed::Accept, "")?;
    let bond = settlement::bond(deal.hold.amount, percent);
    can_afford(at.ledger, command.signer, bond, "the bond")?;
    Ok(Event::HoldAccepted { command: Box::new(command.clone()), bond })
}

/// What happens when a seller claims its pay.
pub(super) fn claim(
    at: &Counter<'_>,
    command: &Signed<BankCommand>,
    order: &Claim,
) -> Result<Event, Refusal> {
    let deal = open_deal(at.ledger, order.hold)?;
    is_seller(&deal.hold, command.signer)?;
    check_claim(&deal.hold, order)?;
    check_terms(&order.ticket.body, at.rules)?;
    let until = at.time.after(at.rules.dispute.max(settlement::MIN_ANSWER));
    let claim = claimed(order, until);
    let deed = if claim.is_taken { Deed::Claim } else { Deed::Deliver };
    is_legal(deal, deed, "wait until the buyer's time to object is over")?;
    let until = if claim.is_taken { until } else { deal.hold.expires };
    Ok(Event::HoldClaimed { command: Box::new(command.clone()), until })
}

/// What happens when a buyer objects.
pub(super) fn dispute(
    at: &Counter<'_>,
    command: &Signed<BankCommand>,
    order: &Dispute,
) -> Result<Event, Refusal> {
    let deal = open_deal(at.ledger, order.hold)?;
    is_party(&deal.hold, command.signer)?;
    if command.signer != deal.hold.buyer {
        let message = format!("only the buyer may object, and {} is the seller", command.signer);
        return Err(Refusal::new(RefusalCode::NotYours, message, ""));
    }
    let claim = disputable(deal)?;
    check_dispute(deal, order)?;
    may_spend(at.ledger, command.signer)?;
    let open = at.ledger.holds.tally(command.signer).disputes;
    if open >= MAX_OPEN_DISPUTES {
        let message = format!("the account has {open} open disputes, and may have {MAX_OPEN_DISPUTES}");
        return Err(Refusal::new(RefusalCode::Busy, message, "wait until some are decided"));
    }
    let deposit = settlement::deposit(deal, claim);
    can_afford(at.ledger, command.signer, deposit, "the second execution")?;
    let available = at.ledger.accounts.find(deal.hold.seller).map_or(0, |account| account.available);
    let stake = settlement::stake(deal, deposit, Money(available));
    Ok(Event::HoldDisputed { command: Box::new(command.clone()), deposit, stake })
}

/// How a disputed hold ends by the arbiter's finding.
pub(super) fn judge(ledger: &Ledger, signer: PublicKey, order: &Judge) -> Result<Ending, Refusal> {
    let deal = open_deal(ledger, order.hold)?;
    match (check_judge(deal, signer, order)?, deal.claim()) {
        (Ruling::Upheld, Some(claim)) => Ok(settlement::upheld(deal, claim)),
        (Ruling::Overturned, _) | (Ruling::Upheld, None) => Ok(settlement::overturned(deal)),
    }
}

/// Whether `signer` is one of the two that a hold concerns.
pub(crate) fn is_party(hold: &Hold, signer: PublicKey) -> Result<(), Refusal> {
    if signer == hold.buyer || signer == hold.seller {
        return Ok(());
    }
    let message = format!("hold {} is neither bought nor sold by {signer}", hold.id);
    Err(Refusal::new(RefusalCode::NotYours, message, ""))
}

/// Whether `signer` is the one that is to be paid from a hold.
pub(crate) fn is_seller(hold: &Hold, signer: PublicKey) -> Result<(), Refusal> {
    is_party(hold, signer)?;
    if signer == hold.seller {
        return Ok(());
    }
    let message = format!("only the seller may do that, and {signer} is the buyer");
    Err(Refusal::new(RefusalCode::NotYours, message, ""))
}

/// Whether the buyer settles what the seller claims: it cannot fall back on a cheaper report.
pub(crate) fn is_claimed_work(deal: &Deal, signer: PublicKey, order: &Settle) -> Result<(), Refusal> {
    match deal.claim() {
        Some(claim) if signer == deal.hold.buyer && order.report.hash() != claim.report => {
            let message = "the report is not the one that the seller claims by";
            Err(Refusal::new(RefusalCode::Mismatch, message, "settle the claimed report, or object to it"))
        }
        _ => Ok(()),
    }
}

/// The claim that the buyer may object to.
pub(crate) fn disputable(deal: &Deal) -> Result<&Claimed, Refusal> {
    is_legal(deal, Deed::Dispute, "only a claim that silence would pay is objected to")?;
    deal.claim().ok_or_else(|| wrong_state(format!("contract {} is not claimed", deal.hold.id), ""))
}

/// Whether the table allows `deed` now.
fn is_legal(deal: &Deal, deed: Deed, hint: &str) -> Result<(), Refusal> {
    let state = deal.stage.state();
    if state.allows(deed) {
        return Ok(());
    }
    Err(wrong_state(format!("contract {} is {}", deal.hold.id, state.name()), hint))
}

fn open_deal(ledger: &Ledger, id: CommandId) -> Result<&Deal, Refusal> {
    if let Some(deal) = ledger.holds.find(id) {
        return Ok(deal);
    }
    let Some(Remembered { executed: Executed { answer: Answer::Ended(end), .. }, .. }) =
        ledger.memory.find(id)
    else {
        return Err(Refusal::new(RefusalCode::NoHold, format!("there is no hold {id}"), ""));
    };
    let End { how: ending, shares: Shares { seller, owner, buyer, .. }, .. } = **end;
    let how = ending.name();
    let (code, message) = if ending.is_paid() {
        let ends = format!("{seller} to the seller, {owner} to the market owner, {buyer} back");
        (RefusalCode::HoldClosed, format!("hold {id} was {how}: {ends}"))
    } else {
        (RefusalCode::HoldReturned, format!("hold {id} was {how}: {buyer} back to the buyer"))
    };
    Err(Refusal::new(code, message, ""))
}

fn can_afford(ledger: &Ledger, account: PublicKey, amount: Money, what: &str) -> Result<(), Refusal> {
    let found = may_spend(ledger, account)?;
    let (available, held) = (Money(found.available), Money(found.held));
    if available >= amount {
        return Ok(());
    }
    let message =
        format!("the account has {available} credits available, {what} takes {amount}; {held} are held");
    let hint = "what is held comes back when its sub-tasks end";
    Err(Refusal::new(RefusalCode::NotEnoughMoney, message, hint))
}

fn wrong_state(message: String, hint: &str) -> Refusal {
    Refusal::new(RefusalCode::WrongState, message, hint)
}

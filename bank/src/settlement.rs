//! What the papers of a settlement or a release have to say, and who gets how much.
//!
//! The bank does not know the market: it holds the ticket against its own listings and not against other
//! offers that the owner may have had.

mod price;

pub(crate) use price::check_terms;

use crate::hold::Hold;
use proto::message::bank::{Claim, Ending, How, ReleaseHold, Settle, Shares};
use proto::message::market::Ticket;
use proto::message::service::Report;
use proto::{CommandId, Cycles, Money, PublicKey, Refusal, RefusalCode, Signed};

/// How `hold` is shared out for `cycles`: first the fee, then the metered cycles at the clearing price, then the same
/// cycles at the owner's rate, as far as the hold goes; the rest goes back. Each of the two costs is rounded down once,
/// in favour of the buyer ([`proto::Rate::cost`]).
pub(crate) fn settled(hold: &Hold, ticket: &Ticket, cycles: Cycles) -> Ending {
    let amount = hold.amount;
    let fee = ticket.fee.min(amount);
    let after_fee = Money(amount.0 - fee.0);
    let seller = ticket.clearing.cost(cycles).min(after_fee);
    let after_seller = Money(after_fee.0 - seller.0);
    let share = ticket.owner_rate.cost(cycles).min(after_seller);
    let (owner, buyer) = (Money(fee.0 + share.0), Money(after_seller.0 - share.0));
    let shares = Shares { buyer_held: amount, seller, owner, buyer, ..Shares::default() };
    Ending { owner: Some(ticket.owner.key), ..ending(hold, How::Settled, shares) }
}

/// `hold` goes back to its buyer on the seller's word.
pub(crate) fn released(hold: &Hold) -> Ending {
    given_back(hold, How::Released)
}

/// `hold` goes back to its buyer because its time is over.
pub(crate) fn expired(hold: &Hold) -> Ending {
    given_back(hold, How::Expired)
}

fn given_back(hold: &Hold, how: How) -> Ending {
    ending(hold, how, Shares { buyer_held: hold.amount, buyer: hold.amount, ..Shares::default() })
}

const fn ending(hold: &Hold, how: How, shares: Shares) -> Ending {
    Ending { hold: hold.id, how, buyer: hold.buyer, seller: hold.seller, owner: None, arbiter: None, shares }
}

/// Whether the papers allow to pay `hold` out. The network's fee and rule are not looked at here, because they may
/// have been others when the journal was written.
pub(crate) fn check_settle(hold: &Hold, settle: &Settle) -> Result<(), Refusal> {
    check_ticket(hold, &settle.ticket)?;
    check_report(hold.id, hold.seller, &settle.report)?;
    let outcome = &settle.report.body.outcome;
    if !outcome.is_payable() {
        return Err(mismatch(
            format!("the report says that the work {outcome}; only success is paid"),
            "release the hold with this report",
        ));
    }
    let verdict = &settle.verdict;
    genuine(verdict.is_genuine_by(hold.buyer), "verdict", "buyer", hold.buyer)?;
    names_hold("verdict", verdict.body.contract, hold.id)?;
    if verdict.body.report != settle.report.hash() {
        return Err(mismatch("the verdict is about another report", ""));
    }
    if !verdict.body.is_accepted {
        return Err(mismatch("the verdict does not accept the work", ""));
    }
    Ok(())
}

/// Whether the papers show that the seller has delivered, and whether the buyer has taken it. As with a settlement, the
/// network's fee and rule are not looked at here.
pub(crate) fn check_claim(hold: &Hold, claim: &Claim) -> Result<(), Refusal> {
    check_ticket(hold, &claim.ticket)?;
    check_report(hold.id, hold.seller, &claim.report)?;
    let outcome = &claim.report.body.outcome;
    if !outcome.is_payable() {
        return Err(mismatch(format!("the report says that the work {outcome}; only success is paid"), ""));
    }
    let Some(taken) = &claim.taken else { return Ok(()) };
    genuine(taken.is_genuine_by(hold.buyer), "word that the outputs were taken", "buyer", hold.buyer)?;
    names_hold("word that the outputs were taken", taken.body.contract, hold.id)?;
    if taken.body.report != claim.report.hash() {
        return Err(mismatch("the outputs were taken of another report", ""));
    }
    Ok(())
}

/// Whether the papers allow the buyer to take `hold` back: each that is given has to fit, and at least one
/// has to be given.
pub(crate) fn check_release(hold: &Hold, release: &ReleaseHold) -> Result<(), Refusal> {
    if release.declined.is_none() && release.report.is_none() {
        return Err(Refusal::new(
            RefusalCode::Malformed,
            "the buyer gets a hold back only on the seller's word, and none was given",
            "add the declined offer or the failed report, or wait until the hold expires",
        ));
    }
    if let Some(declined) = &release.declined {
        genuine(declined.is_genuine_by(hold.seller), "declined offer", "seller", hold.seller)?;
        names_hold("declined offer", declined.body.contract, hold.id)?;
    }
    if let Some(report) = &release.report {
        check_report(hold.id, hold.seller, report)?;
        if report.body.outcome.is_payable() {
            return Err(mismatch(
                format!("the report says that the work {}", report.body.outcome),
                "settle the hold with this report",
            ));
        }
    }
    Ok(())
}

fn check_ticket(hold: &Hold, ticket: &Signed<Ticket>) -> Result<(), Refusal> {
    let body = &ticket.body;
    if ticket.hash() != hold.ticket {
        return Err(mismatch(format!("the ticket is not the one that hold {} was placed for", hold.id), ""));
    }
    genuine(ticket.is_genuine_by(body.owner.key), "ticket", "market owner", body.owner.key)?;
    if body.buyer != hold.buyer {
        return Err(mismatch(
            format!("the ticket is of buyer {}, the hold of {}", body.buyer, hold.buyer),
            "",
        ));
    }
    let seller = body.winner.body.seller.key;
    if seller != hold.seller {
        return Err(mismatch(format!("the ticket names seller {seller}, the hold {}", hold.seller), ""));
    }
    genuine(body.winner.is_genuine_by(seller), "winning listing", "seller", seller)?;
    if let Some(listing) = &body.runner_up {
        let other = listing.body.seller.key;
        genuine(listing.is_genuine_by(other), "runner-up's listing", "seller", other)?;
    }
    price::check_price(body)
}

fn check_report(hold: CommandId, seller: PublicKey, report: &Signed<Report>) -> Result<(), Refusal> {
    genuine(report.is_genuine_by(seller), "report", "seller", seller)?;
    names_hold("report", report.body.contract, hold)
}

fn genuine(is_genuine: bool, paper: &str, role: &str, key: PublicKey) -> Result<(), Refusal> {
    if is_genuine {
        return Ok(());
    }
    let message = format!("the {paper} is not signed by the {role} {key}");
    Err(Refusal::new(RefusalCode::NotYours, message, ""))
}

fn names_hold(paper: &str, contract: CommandId, hold: CommandId) -> Result<(), Refusal> {
    if contract == hold {
        return Ok(());
    }
    Err(mismatch(format!("the {paper} is about contract {contract}, not about hold {hold}"), ""))
}

fn mismatch(message: impl Into<String>, hint: &str) -> Refusal {
    Refusal::new(RefusalCode::Mismatch, message, hint)
}

//! What the papers of a settlement or a release have to say, and who gets how much.
//!
//! The bank does not know the market: it holds the ticket against its own listings and not against other
//! offers that the owner may have had.

mod dispute;
mod price;
mod shares;

pub use dispute::MAX_DISPUTED_OFFER;
pub(crate) use dispute::{Ruling, check_claim, check_dispute, check_judge, ruling};
pub(crate) use price::check_terms;
pub use shares::{COMPENSATION_PERCENT, bond};
pub(crate) use shares::{
    MIN_ANSWER, deposit, expired, lapsed, no_show, overturned, released, settled, stake, undecided, upheld,
};

use crate::hold::Hold;
use proto::message::bank::{ReleaseHold, Settle};
use proto::message::market::Ticket;
use proto::message::service::Report;
use proto::{CommandId, PublicKey, Refusal, RefusalCode, Signed};

/// Whether the papers allow to pay `hold` out. The network's fee and rule are not looked at here, because they may
/// have been others when the journal was written.
pub(crate) fn check_settle(hold: &Hold, settle: &Settle) -> Result<(), Refusal> {
    check_ticket(hold, &settle.ticket)?;
    check_payable(hold, &settle.report)?;
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

fn check_payable(hold: &Hold, report: &Signed<Report>) -> Result<(), Refusal> {
    check_report(hold.id, hold.seller, report)?;
    let outcome = &report.body.outcome;
    if outcome.is_payable() {
        return Ok(());
    }
    Err(mismatch(
        format!("the report says that the work {outcome}; only success is paid"),
        "release the hold with this report",
    ))
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

//! What the papers of a claim, a dispute and a judgement have to say.

use super::{check_payable, check_ticket, genuine, mismatch, names_hold};
use crate::deal::{Deal, Disputed, digest};
use crate::hold::Hold;
use proto::message::bank::{Claim, Dispute, Finding, Judge, MAX_MEMO};
use proto::message::service::{MAX_REPEATS, Outcome};
use proto::wire::Wire;
use proto::{Cycles, Hash, PublicKey, Refusal, RefusalCode};

/// The longest signed offer that the bank keeps while a dispute is open, in bytes: some thousand input files.
pub const MAX_DISPUTED_OFFER: usize = 256 << 10;

/// Who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// The seller.
    Upheld,
    /// The buyer.
    Overturned,
}

/// Whether the papers show that the seller has delivered, and whether the buyer has taken it. As with a settlement, the
/// network's fee and rule are not looked at here.
pub(crate) fn check_claim(hold: &Hold, claim: &Claim) -> Result<(), Refusal> {
    check_ticket(hold, &claim.ticket)?;
    check_payable(hold, &claim.report)?;
    let Some(taken) = &claim.taken else { return Ok(()) };
    genuine(taken.is_genuine_by(hold.buyer), "word that the outputs were taken", "buyer", hold.buyer)?;
    names_hold("word that the outputs were taken", taken.body.contract, hold.id)?;
    if taken.body.report != claim.report.hash() {
        return Err(mismatch("the outputs were taken of another report", ""));
    }
    Ok(())
}

/// Whether the papers of an objection to `deal` fit: the offer has to be the one that the claimed report is about.
pub(crate) fn check_dispute(deal: &Deal, dispute: &Dispute) -> Result<(), Refusal> {
    let (hold, offer) = (&deal.hold, &dispute.offer);
    if dispute.reason.len() > MAX_MEMO {
        let message = format!("the reason has {} bytes, {MAX_MEMO} are kept", dispute.reason.len());
        return Err(Refusal::new(RefusalCode::Malformed, message, "say it in fewer words"));
    }
    let Some(claim) = deal.claim() else {
        return Err(Refusal::new(RefusalCode::WrongState, "nothing is claimed that could be wrong", ""));
    };
    if offer.hash() != claim.offer {
        return Err(mismatch("the offer is not the one that the claimed report is about", ""));
    }
    genuine(offer.is_genuine_by(hold.buyer), "offer", "buyer", hold.buyer)?;
    names_hold("offer", offer.body.contract, hold.id)?;
    let size = offer.encode().len();
    if size > MAX_DISPUTED_OFFER {
        let message =
            format!("the offer has {size} bytes, the bank keeps {MAX_DISPUTED_OFFER} for an arbiter");
        return Err(Refusal::new(
            RefusalCode::Malformed,
            message,
            "pack the inputs of a sub-task into fewer files",
        ));
    }
    Ok(())
}

/// Whether the papers of a judgement fit, and what they decide.
pub(crate) fn check_judge(deal: &Deal, signer: PublicKey, judge: &Judge) -> Result<Ruling, Refusal> {
    let Some(dispute) = deal.dispute() else {
        return Err(Refusal::new(RefusalCode::WrongState, "nothing is disputed that could be decided", ""));
    };
    let ruling = ruling(dispute, signer, &judge.finding.body)?;
    genuine(judge.finding.is_genuine_by(signer), "finding", "arbiter", signer)?;
    Ok(ruling)
}

/// Whether what a seller claims is what was found, or the beginning of it: one that stops before it has executed all
/// repeats of a job is paid for those that it has.
fn is_part(claimed: Hash, finding: &Finding) -> bool {
    if finding.more.len() > MAX_REPEATS {
        return false;
    }
    let mut part = finding.clone();
    loop {
        if digest(&part) == claimed {
            return true;
        }
        let Some(last) = part.more.pop() else { return false };
        part.cycles = Cycles(part.cycles.0.saturating_sub(last.cycles.0));
    }
}

/// What the finding of `signer` decides.
///
/// The same outcome, cycles, outputs and streams uphold the claim, of all runs or of the first ones. So does an arbiter that cannot fetch the work: the
/// buyer has to supply it. Any other end of a deterministic program overturns it. What only says something of the
/// arbiter's machine or patience is no finding.
pub(crate) fn ruling(dispute: &Disputed, signer: PublicKey, finding: &Finding) -> Result<Ruling, Refusal> {
    let contract = dispute.offer.body.contract;
    if dispute.named.last() != Some(&signer) {
        let message = format!("{signer} is not the arbiter of contract {contract}");
        return Err(Refusal::new(RefusalCode::NotYours, message, ""));
    }
    names_hold("finding", finding.contract, contract)?;
    if finding.report != dispute.claim.report {
        return Err(mismatch("the finding is about another report", ""));
    }
    match &finding.outcome {
        Outcome::NotFetched(_) => Ok(Ruling::Upheld),
        Outcome::WallLimit(_) | Outcome::Cancelled | Outcome::Abandoned(_) | Outcome::Migrated(_) => {
            let message = format!("that the work {} decides nothing", finding.outcome);
            let hint = "an arbiter that cannot finish says nothing; another one is asked";
            Err(mismatch(message, hint))
        }
        _ if is_part(dispute.claim.finding, finding) => Ok(Ruling::Upheld),
        _ => Ok(Ruling::Overturned),
    }
}

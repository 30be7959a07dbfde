//! What happens to a hold between its placing and its end: bond, claim, dispute, judgement.

#[cfg(test)]
mod mutants;
mod table;

pub use table::{Deed, Mover, Next, Row, State, TABLE, Until};

use crate::hold::Hold;
use crate::settlement;
use crate::standing::Conduct;
use proto::message::bank::{ClaimReceipt, Ending, Finding};
use proto::message::market::Ticket;
use proto::message::service::{Offer, Report};
use proto::wire::Wire;
use proto::{Cycles, Hash, Money, PublicKey, Rate, Signed, Span, Time};

/// How many arbiters are asked one after the other.
pub const MAX_ARBITERS: usize = 3;
/// How long the bank looks for a first arbiter when there is none: three times as long as nodes take to enter again.
pub const ARBITER_WAIT: Span = Span::secs(30);
/// How long nothing ends by its time after an outage of the bank: nodes enter every ten seconds and send again what was not
/// answered, so that each of them has several tries to do what the outage kept it from.
pub const OUTAGE_GRACE: Span = Span::secs(60);
/// An outage counts as one when the last record is so old at the first input after a start, or when the bank is woken so
/// much later than it wanted: its machine slept, or its clock has leapt. A dispute that is open makes one of every start,
/// because a bank that has just started knows nobody who could be its arbiter.
pub const OUTAGE_AFTER: Span = Span::secs(5);
/// How many disputes of one buyer may be open at once; the bank keeps the offer of each.
pub const MAX_OPEN_DISPUTES: u64 = 32;

/// A hold with all that was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deal {
    /// What the buyer set aside.
    pub(crate) hold: Hold,
    /// What the seller put up when it took the contract; nothing where the rules ask for no bond.
    pub(crate) bond: Money,
    /// How far it has come.
    pub(crate) stage: Stage,
}

/// How far a deal has come. There is a row for each in [`TABLE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The money is set aside.
    Held,
    /// The seller has put its bond up.
    Accepted,
    /// The seller has shown that it delivered.
    Claimed(Box<Claimed>),
    /// The buyer has objected.
    Disputed(Box<Disputed>),
}

/// What a seller claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// What was agreed.
    pub(crate) price: Price,
    /// What was metered, by the seller's word.
    pub(crate) cycles: Cycles,
    /// Hash of the signed report.
    pub(crate) report: Hash,
    /// Hash of the signed offer, by the report.
    pub(crate) offer: Hash,
    /// Hash of the finding of an arbiter that comes to the same ([`same_finding`]).
    pub(crate) finding: Hash,
    /// Whether the buyer has taken the outputs of a success, so that its silence pays.
    pub(crate) is_taken: bool,
    /// Until when it stands: the buyer's time to object, or the end of the hold.
    pub(crate) until: Time,
}

/// What a buyer objects to, and who decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disputed {
    /// What the seller claims.
    pub(crate) claim: Claimed,
    /// What it was asked to do.
    pub(crate) offer: Signed<Offer>,
    /// What the buyer has put up: the arbiter's pay.
    pub(crate) deposit: Money,
    /// What the seller has put up for the same, beside its bond.
    pub(crate) stake: Money,
    /// The chain of the record of the dispute: from it arbiters are drawn.
    pub(crate) seed: Hash,
    /// The arbiters that were named, the one that is asked now last.
    pub(crate) named: Vec<PublicKey>,
    /// Until when that one has to answer; while none is named, until when one has to be found.
    pub(crate) until: Time,
}

/// What of a ticket its payment needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// To the seller, for each Gc.
    pub(crate) clearing: Rate,
    /// The market owner.
    pub(crate) owner: PublicKey,
    /// To the market owner, whatever was metered.
    pub(crate) fee: Money,
    /// To the market owner, for each Gc.
    pub(crate) owner_rate: Rate,
}

impl Deal {
    /// A deal of which nothing is known but the hold.
    pub(crate) const fn placed(hold: Hold) -> Self {
        Self { hold, bond: Money::ZERO, stage: Stage::Held }
    }

    /// When it ends if nobody moves. `now >= deadline` is over.
    pub(crate) fn deadline(&self) -> Time {
        match &self.stage {
            Stage::Held | Stage::Accepted => self.hold.expires,
            Stage::Claimed(claim) => claim.until,
            Stage::Disputed(dispute) => dispute.until,
        }
    }

    /// What the seller claims, disputed or not.
    pub(crate) fn claim(&self) -> Option<&Claimed> {
        match &self.stage {
            Stage::Held | Stage::Accepted => None,
            Stage::Claimed(claim) => Some(claim),
            Stage::Disputed(dispute) => Some(&dispute.claim),
        }
    }

    /// The dispute, if there is one.
    pub(crate) fn dispute(&self) -> Option<&Disputed> {
        match &self.stage {
            Stage::Disputed(dispute) => Some(dispute),
            Stage::Held | Stage::Accepted | Stage::Claimed(_) => None,
        }
    }

    /// The arbiter that is asked now.
    pub(crate) fn arbiter(&self) -> Option<PublicKey> {
        self.dispute()?.named.last().copied()
    }

    /// Who has to be told of it until it moves: the buyer of a claim, the arbiter of a dispute.
    pub(crate) fn awaited(&self) -> Option<PublicKey> {
        match &self.stage {
            Stage::Held | Stage::Accepted => None,
            Stage::Claimed(_) => Some(self.hold.buyer),
            Stage::Disputed(_) => self.arbiter(),
        }
    }

    /// What the buyer has put up to have a second execution.
    pub(crate) fn deposit(&self) -> Money {
        self.dispute().map_or(Money::ZERO, |dispute| dispute.deposit)
    }

    /// What the seller has put up beside its bond.
    pub(crate) fn stake(&self) -> Money {
        self.dispute().map_or(Money::ZERO, |dispute| dispute.stake)
    }

    /// What is held of the buyer, in micro-credits.
    pub(crate) fn held_of_buyer(&self) -> i128 {
        i128::from(self.hold.amount.0) + i128::from(self.deposit().0)
    }

    /// What is held of the seller, in micro-credits.
    pub(crate) fn held_of_seller(&self) -> i128 {
        i128::from(self.bond.0) + i128::from(self.stake().0)
    }
}

impl Stage {
    /// The row of the table.
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Held => State::Held,
            Self::Accepted => State::Accepted,
            Self::Claimed(claim) if claim.is_taken => State::Claimed,
            Self::Claimed(_) => State::Delivered,
            Self::Disputed(dispute) if dispute.named.is_empty() => State::Disputed,
            Self::Disputed(_) => State::Appointed,
        }
    }
}

impl Claimed {
    /// What the bank says of it.
    pub(crate) const fn receipt(&self, hold: &Hold) -> ClaimReceipt {
        ClaimReceipt { hold: hold.id, report: self.report, is_taken: self.is_taken, until: self.until }
    }
}

impl Price {
    /// The price that a ticket states.
    pub(crate) const fn of(ticket: &Ticket) -> Self {
        Self {
            clearing: ticket.clearing,
            owner: ticket.owner.key,
            fee: ticket.fee,
            owner_rate: ticket.owner_rate,
        }
    }
}

/// How a deal ends when its time is over, and how that comes out for its seller.
pub(crate) fn in_silence(deal: &Deal) -> (Ending, Conduct) {
    match &deal.stage {
        Stage::Held => (settlement::expired(deal), Conduct::Silent),
        Stage::Accepted => (settlement::no_show(deal), Conduct::Broken),
        Stage::Claimed(claim) if claim.is_taken => (settlement::lapsed(deal, claim), Conduct::Kept),
        Stage::Claimed(_) => (settlement::expired(deal), Conduct::Blameless),
        Stage::Disputed(dispute) => (settlement::undecided(deal, &dispute.claim), Conduct::Blameless),
    }
}

/// Whether `person` gains nothing by the one or the other end of a dispute, and was not asked before.
pub(crate) fn is_neutral(hold: &Hold, dispute: &Disputed, person: PublicKey) -> bool {
    let interested = [hold.buyer, hold.seller, dispute.claim.price.owner];
    !interested.contains(&person) && !dispute.named.contains(&person)
}

/// The hash of what an arbiter finds that comes to the same as `report`: outcome, cycles, outputs and both streams, of every run.
pub(crate) fn same_finding(report: &Signed<Report>) -> Hash {
    let hash = report.hash();
    let Report { contract, outcome, cycles, outputs, stdout, stderr, more, .. } = report.body.clone();
    digest(&Finding { contract, report: hash, outcome, cycles, outputs, stdout, stderr, more })
}

/// The hash of a finding, for comparison with [`same_finding`].
pub(crate) fn digest(finding: &Finding) -> Hash {
    Hash::of(&finding.encode())
}

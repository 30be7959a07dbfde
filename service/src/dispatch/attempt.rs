//! One attempt at a sub-task, from its ticket on; and what is left of attempts that were given up.

use super::delivery::Fetching;
use super::seller::ASK_FOR;
use crate::contract::STALLED;
use proto::message::bank::ClaimReceipt;
use proto::message::market::Ticket;
use proto::message::service::{Offer, Phase, Progress, Report};
use proto::{ContractId, Cycles, Money, Peer, Signed, Span, Time};

/// A whole in millionths.
const WHOLE: u32 = 1_000_000;

pub(super) struct Attempt {
    /// Ticket, hold and contract have this one id.
    pub(super) contract: ContractId,
    pub(super) ticket: Signed<Ticket>,
    /// Where the seller was heard last: it may have come back at another address.
    pub(super) at: Peer,
    pub(super) offer: Option<Signed<Offer>>,
    pub(super) report: Option<Signed<Report>>,
    /// The seller has the buyer's word that it takes the outputs.
    pub(super) has_taken: bool,
    pub(super) fetching: Fetching,
    /// Fetches begun.
    pub(super) fetches: u32,
    /// The seller claims its price already.
    pub(super) claim: Option<ClaimReceipt>,
    /// It has been paid already, and this is what it has cost.
    pub(super) lost: Option<Money>,
    /// What the report names is in the store.
    pub(super) has_contents: bool,
    pub(super) offered_at: Time,
    pub(super) running_since: Option<Time>,
    pub(super) last_heard: Time,
    /// When the seller last told of progress.
    pub(super) moved_at: Time,
    /// Since when the seller's owner has needed the machine.
    pub(super) suspended_since: Option<Time>,
    /// How long that was before.
    pub(super) suspended_for: Span,
    pub(super) cycles: Cycles,
    /// How long it had run when the seller told of its cycles last, without the time in which it stood still.
    pub(super) ran: Span,
    /// Where the test of the result by a program stands.
    pub(super) test: Test,
    /// How far the program says that it is, in millionths.
    pub(super) done: Option<u32>,
    /// The connection to the seller broke and the offer was sent again to see whether it is still there.
    pub(super) is_doubtful: bool,
    /// What has not begun of its sub-tasks is to come back.
    pub(super) is_recalled: bool,
}

/// Where the test of a result by a program of the user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// There is none, or it has not begun.
    None,
    /// The program runs.
    UnderWay,
    /// The result is right.
    Passed,
}

impl Test {
    /// Whether nothing more is awaited.
    pub(super) const fn is_over(self) -> bool {
        !matches!(self, Self::UnderWay)
    }
}

impl Attempt {
    pub(super) const fn new(ticket: Signed<Ticket>, now: Time) -> Self {
        let (contract, at) = (ticket.body.id, ticket.body.winner.body.seller);
        Self {
            contract,
            ticket,
            at,
            offer: None,
            report: None,
            has_taken: false,
            fetching: Fetching::UnderWay,
            fetches: 0,
            claim: None,
            lost: None,
            has_contents: false,
            offered_at: now,
            running_since: None,
            last_heard: now,
            moved_at: now,
            suspended_since: None,
            suspended_for: Span(0),
            cycles: Cycles(0),
            ran: Span(0),
            test: Test::None,
            done: None,
            is_doubtful: false,
            is_recalled: false,
        }
    }

    pub(super) const fn seller(&self) -> Peer {
        self.at
    }

    /// The seller is at `phase`: what of its time does not count is added up.
    pub(super) fn note(&mut self, phase: Phase, now: Time) {
        match phase {
            Phase::Suspended => self.suspended_since = self.suspended_since.or(Some(now)),
            Phase::Staging | Phase::Running => {
                self.suspended_for = self.suspended(now);
                self.suspended_since = None;
            }
        }
        if phase == Phase::Running {
            self.running_since = self.running_since.or(Some(now));
        }
    }

    /// What the seller says of its progress. The time of one that does not run does not count.
    pub(super) fn hear_progress(&mut self, progress: &Progress, now: Time) {
        let done = progress.done.map(|done| done.min(WHOLE));
        let is_running = progress.phase == Phase::Running && self.running_since.is_some();
        if !is_running || self.cycles < progress.cycles || self.done < done {
            self.moved_at = now;
        }
        if let (true, Some(since)) = (is_running, self.running_since) {
            self.ran = Span(now.since(since).0.saturating_sub(self.suspended(now).0));
        }
        self.cycles = self.cycles.max(progress.cycles);
        self.done = self.done.max(done);
    }

    /// Whether the seller says that it works, and has shown no progress for so long that it is not believed.
    pub(super) fn is_stalled(&self, now: Time) -> bool {
        self.running_since.is_some() && now >= self.moved_at.after(STALLED.times(2))
    }

    /// When the attempt is over whatever the seller says: after the time for staging and the limit on time, in
    /// which it does not count when the owner needed the machine, and at the end of the hold at the latest.
    pub(super) fn over(&self, stage_within: Span, wall: Span, now: Time) -> Time {
        let suspended = self.suspended(now);
        let over = match self.running_since {
            Some(since) => since.after(wall).after(suspended),
            None => self.offered_at.after(stage_within).after(suspended),
        };
        self.offer.as_ref().map_or(over, |offer| over.min(offer.body.hold.body.expires))
    }

    fn suspended(&self, now: Time) -> Span {
        let at_present = self.suspended_since.map_or(Span(0), |since| now.since(since));
        self.suspended_for.plus(at_present)
    }
}

/// A contract that the buyer gave up while its hold may stand: the seller is asked to sign that nothing is
/// owed, until it does or the hold expires by itself.
pub(super) struct Abandoned {
    pub(super) seller: Peer,
    pub(super) until: Time,
    pub(super) tries: u32,
}

impl Abandoned {
    pub(super) const fn new(seller: Peer, now: Time) -> Self {
        Self { seller, until: now.after(ASK_FOR), tries: 0 }
    }
}

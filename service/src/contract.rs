//! The states of a sub-task on the buyer's side, and the one table of legal transitions between them.

use proto::Span;

/// How long a program that runs may do nothing before its seller ends it: much longer than what waits for a disk or sleeps
/// on purpose, and short against a night of a core. The buyer waits twice as long for news of progress.
pub const STALLED: Span = Span::secs(600);

/// Where a sub-task stands. Each state has an owner of the next step and a deadline, so that it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for its turn, or for a seller to become free. Next step: the buyer's, by the patience.
    Waiting,
    /// The market is asked for a seller. Next step: the market's, by its own time-outs.
    Matching,
    /// The bank is asked to set the money aside. Next step: the bank's; asked again until it answers.
    Holding,
    /// The seller has the offer. Next step: the seller's, by the lease.
    Offered,
    /// The seller fetches program and inputs. Next step: the seller's, by the lease.
    Staging,
    /// The seller executes. Next step: the seller's, by the lease and the limit on time.
    Running,
    /// The seller's owner needs the machine, and the sub-task stands still there. Next step: the seller's, by the
    /// lease and the end of the hold.
    Suspended,
    /// The buyer fetches the outputs. Next step: the buyer's, by the driver's time-outs.
    Fetching,
    /// The result of a replica waits for those of the others, or for the program that verifies it. Next step: the
    /// buyer's, by the vote and the end of the hold.
    Voting,
    /// The bank is asked to pay. Next step: the bank's; asked again until it answers.
    Settling,
    /// Ended: outputs are here and the seller is paid.
    Succeeded,
    /// Ended without success, for a named reason; nothing was paid.
    Failed,
    /// Ended by the user; nothing was paid.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 13] = [
        Self::Waiting,
        Self::Matching,
        Self::Holding,
        Self::Offered,
        Self::Staging,
        Self::Running,
        Self::Suspended,
        Self::Fetching,
        Self::Voting,
        Self::Settling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The states that may follow this one.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Waiting => &[Self::Matching, Self::Failed, Self::Cancelled],
            Self::Matching => &[Self::Holding, Self::Waiting, Self::Failed, Self::Cancelled],
            Self::Holding => &[Self::Offered, Self::Waiting, Self::Failed, Self::Cancelled],
            Self::Offered => &[Self::Staging, Self::Waiting, Self::Failed, Self::Cancelled, Self::Fetching],
            Self::Staging => &[
                Self::Running,
                Self::Suspended,
                Self::Fetching,
                Self::Waiting,
                Self::Failed,
                Self::Cancelled,
            ],
            Self::Running => &[Self::Suspended, Self::Fetching, Self::Waiting, Self::Failed, Self::Cancelled],
            Self::Suspended => {
                &[Self::Staging, Self::Running, Self::Fetching, Self::Waiting, Self::Failed, Self::Cancelled]
            }
            Self::Fetching => &[Self::Voting, Self::Settling, Self::Waiting, Self::Failed, Self::Cancelled],
            // Of results that agree by their hashes one is fetched, when it is known that they do.
            Self::Voting => &[Self::Fetching, Self::Settling, Self::Waiting, Self::Failed, Self::Cancelled],
            // A part of the work is paid and handed over: another seller goes on.
            Self::Settling => &[Self::Succeeded, Self::Waiting, Self::Failed],
            Self::Succeeded | Self::Failed | Self::Cancelled => &[],
        }
    }

    /// Whether `next` may follow this state.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.successors().is_empty()
    }

    /// Whether a seller is at work on it, or its result is being fetched and paid.
    #[must_use]
    pub const fn is_with_seller(self) -> bool {
        self.is_sellers_turn() || matches!(self, Self::Fetching | Self::Voting | Self::Settling)
    }

    /// Whether the next step is the seller's.
    #[must_use]
    pub const fn is_sellers_turn(self) -> bool {
        matches!(self, Self::Offered | Self::Staging | Self::Running | Self::Suspended)
    }

    /// Whether a seller has accepted it, and it is not over.
    #[must_use]
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Staging | Self::Running | Self::Suspended | Self::Fetching | Self::Settling)
    }

    /// The word for it in commands and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Matching => "matching",
            Self::Holding => "holding",
            Self::Offered => "offered",
            Self::Staging => "staging",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Fetching => "fetching",
            Self::Voting => "voting",
            Self::Settling => "settling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_is_reached_from_waiting_and_can_reach_an_end() {
        let mut seen = BTreeSet::from([State::Waiting]);
        let mut queue = vec![State::Waiting];
        while let Some(state) = queue.pop() {
            queue.extend(state.successors().iter().filter(|next| seen.insert(**next)));
        }
        assert_eq!(seen, State::ALL.into_iter().collect());
        for state in State::ALL {
            let ends = state.is_final() || state.may_become(State::Failed);
            assert!(ends, "{state:?}");
        }
    }

    #[test]
    fn a_settlement_under_way_is_not_taken_back() {
        assert_eq!(State::Settling.successors(), [State::Succeeded, State::Waiting, State::Failed]);
        assert!(!State::Settling.may_become(State::Cancelled));
    }
}

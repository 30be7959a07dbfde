//! What is simulated.

use super::distance::Distance;
use crate::network::Latency;
use chord::Config;
use proto::Span;

/// A ring, what happens to it, and how much is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Nodes at the start, in a ring that was repaired long ago.
    pub nodes: u32,
    /// Lookups of random keys by random nodes.
    pub lookups: u64,
    /// How many different keys are looked up; none: every lookup has its own.
    pub keys: Option<u32>,
    /// The same seed gives the same run.
    pub seed: u64,
    /// How the nodes work.
    pub config: Config,
    /// How long messages take.
    pub latency: Distance,
    /// How many messages in a thousand are lost.
    pub loss: u32,
    /// Which of the nodes at the start pass on what others look up; none: all do, and nobody counts.
    pub carriers: Option<Vec<bool>>,
    /// How many nodes in a thousand fail at once before the first lookup.
    pub fail: u32,
    /// Mean time between two joins, and between two departures.
    pub churn: Option<Span>,
    /// Whether departures are failures, without a word to anybody.
    pub is_crash: bool,
    /// Mean time between two lookups.
    pub lookup_every: Span,
    /// Churn goes on for so long before the first lookup.
    pub warm_up: Span,
}

/// A period that never comes.
const NEVER: Span = Span(1 << 60);

impl Plan {
    /// Nothing but lookups in a ring that stays as it is: no maintenance, no failures, 50 ms a message (ToN V-B).
    #[must_use]
    pub fn still(nodes: u32, successors: usize) -> Self {
        let mut config = Self::paper(successors);
        for every in
            [&mut config.stabilize_every, &mut config.fix_fingers_every, &mut config.check_predecessor_every]
        {
            *every = NEVER;
        }
        Self {
            nodes,
            lookups: 10_000,
            keys: None,
            seed: 1,
            config,
            latency: Distance::Drawn(Latency::Constant(Span::millis(50))),
            loss: 0,
            carriers: None,
            fail: 0,
            churn: None,
            is_crash: false,
            lookup_every: Span::millis(1),
            warm_up: Span(0),
        }
    }

    /// Joins and orderly departures, each `per_second` times a second in the mean, and one lookup a second (ToN
    /// V-E): 1,000 nodes, messages of 50 ms in the mean, exponentially.
    #[must_use]
    pub fn churning(config: Config, gap: Span) -> Self {
        Self {
            nodes: 1_000,
            config,
            latency: Distance::Drawn(Latency::Exponential { least: Span(0), mean: Span::millis(50) }),
            churn: Some(gap),
            lookup_every: Span::secs(1),
            warm_up: Span::secs(600),
            ..Self::still(1_000, 1)
        }
    }

    /// The settings of the paper (ToN V-A, V-E): half a second of silence is a death, a period of 30 s.
    #[must_use]
    pub fn paper(successors: usize) -> Config {
        let period = Span::secs(30);
        Config {
            successors,
            stabilize_every: period,
            fix_fingers_every: period,
            check_predecessor_every: period,
            request_timeout: Span::millis(500),
            request_tries: 1,
            busy_wait: Span::secs(2),
            confirm: false,
            own_keys: false,
            routing: chord::Routing::PLAIN,
            lookup_timeout: Span::secs(60),
            join_rounds: 8,
            join_backoff: Span::millis(500),
        }
    }
}

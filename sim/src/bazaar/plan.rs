//! What is simulated.

use super::script::Script;
use crate::churn::Churn;
use crate::net::Model;
use crate::network::Latency;
use proto::{Rules, Span};

/// The largest market whose nodes know all members of the ring: the memory for it grows with the square.
const MAX_VIEW: u32 = 1_500;

/// How a host ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is gone without a word, and nobody answers at its address.
    Silent,
    /// Its process is gone; the machine refuses connections.
    Crash,
    /// It hands over what it keeps and leaves.
    Orderly,
}

/// A market, who comes and goes, and how much is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Hosts that are there at a time, in the mean.
    pub nodes: u32,
    /// The same seed gives the same run.
    pub seed: u64,
    /// How long hosts stay, and stay away; none: nobody comes or goes.
    pub churn: Option<Churn>,
    /// How they go.
    pub departure: Departure,
    /// The network between them.
    pub net: Model,
    /// How the ring works.
    pub chord: chord::Config,
    /// The rules of the market.
    pub rules: Rules,
    /// Machines and requests that are given; none: they are drawn as the next two say.
    pub script: Option<Script>,
    /// Mean time between two requests, of all hosts together.
    pub request_every: Span,
    /// Mean length of the work.
    pub work: Span,
    /// Hosts come and go for so long before the first request.
    pub warm_up: Span,
    /// For how long requests are made.
    pub lasting: Span,
    /// Whether every market checks itself after every event.
    pub checks: bool,
}

impl Plan {
    /// A public network as it ships, with messages of 74 ms in the mean and 0.5 % of them lost (reference §6.3), where
    /// hosts stay for an hour in the mean and vanish without a word. Each of them asks for a core for a minute once a
    /// minute, which takes about a quarter of all cores.
    #[must_use]
    pub fn public(nodes: u32) -> Self {
        let mut chord =
            chord::Config { successors: Rules::PUBLIC.successors.into(), ..chord::Config::PUBLIC };
        if nodes > MAX_VIEW {
            chord.routing.view = 0;
        }
        Self {
            nodes,
            seed: 1,
            churn: Some(Churn::P2PSIM),
            departure: Departure::Silent,
            net: Model {
                latency: Latency::Exponential { least: Span::millis(10), mean: Span::millis(64) },
                loss: 5,
                duplication: 1,
            },
            chord,
            rules: Rules::PUBLIC,
            script: None,
            request_every: Span(60_000_000 / u64::from(nodes.max(1))),
            work: Span::secs(60),
            warm_up: Span::secs(300),
            lasting: Span::secs(3_600),
            checks: false,
        }
    }
}

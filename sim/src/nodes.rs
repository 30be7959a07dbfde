//! Complete nodes in any number: rings of tens of thousands with bank, contracts and payments, by a few parameters.
//!
//! The nodes are [`service::Node`]s, every signature is a real one, and the whole of the market's and the bank's
//! traffic is there. In large worlds, from 64 nodes on, the invariants that look at whole nodes are checked from time to
//! time ([`Checks`]), nodes keep the periods of a public network, and the ring has been repaired long ago when the world begins.

use crate::clock::Clocks;
use crate::fault::Scheduled;
use crate::net::Model;
use crate::network::Latency;
use crate::scenario::{Checks, Expectation, Machines, Scenario, Work};
use crate::violation::Violation;
use crate::world::{STAGGER, World};
use crate::{Honest, Report};
use proto::{Bytes, Capacity, Cycles, Money, Rate, Rules, Span};

/// The list of successors of a ring with fewer nodes than this.
const SMALL: (usize, u16) = (16, 3);
/// How often a large world is checked.
const SWEEP: Span = Span::secs(30);
/// From this number of nodes on a world is large: it begins with a whole ring, is checked from time to time, and its nodes
/// keep the periods of a public network.
const LARGE: usize = 64;
/// When the first task is submitted in a large world: by then all have an account, are known to the bank, and list.
const OPENS: Span = Span::secs(20);
/// How long a world may take to come to rest after its last task.
const RESTS: Span = Span::secs(600);
/// The longest execution and the longest search for a seller.
const PATIENCE: Span = Span::secs(3_600);

/// A world of complete nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// Nodes; all of them sell but the buyers. At least two.
    pub nodes: usize,
    /// How many of them buy.
    pub buyers: usize,
    /// Sub-tasks, dealt out to the buyers in turn.
    pub sub_tasks: usize,
    /// Cores of a machine, between two limits.
    pub cores: (u32, u32),
    /// What a core executes, between two limits.
    pub per_core: (Capacity, Capacity),
    /// Cycles of a sub-task, between two limits.
    pub cycles: (Cycles, Cycles),
    /// The network between them.
    pub net: Model,
    /// How far the clocks of the nodes are from the bank's, which is right.
    pub clocks: Clocks,
    /// What goes wrong.
    pub faults: Vec<Scheduled>,
    /// How often all is checked; none: after every event in a small world, every 30 s in a large one.
    pub checks: Option<Checks>,
}

impl Nodes {
    /// A quiet world: machines of 1 to 4 cores of 1 to 2 Gc/s, sub-tasks of 10 to 20 Gc, 10 ms between two nodes.
    #[must_use]
    pub const fn new(nodes: usize, buyers: usize, sub_tasks: usize) -> Self {
        Self {
            nodes,
            buyers,
            sub_tasks,
            cores: (1, 4),
            per_core: (Capacity(1_000), Capacity(2_000)),
            cycles: (Cycles::giga(10), Cycles::giga(20)),
            net: Model { latency: Latency::Constant(Span::millis(10)), loss: 0, duplication: 0 },
            clocks: Clocks::RIGHT,
            faults: Vec::new(),
            checks: None,
        }
    }

    /// The world of `seed`, run to its end; `progress` hears how many sub-tasks of how many have ended.
    ///
    /// # Errors
    /// The first invariant that does not hold, or the first promise that is not kept.
    pub fn run(&self, seed: u64, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Violation> {
        let scenario = self.scenario();
        World::new(&scenario, seed, &mut Honest).run_with(progress)
    }

    /// The same as a scenario.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        let is_large = self.nodes >= LARGE;
        let (small, few) = SMALL;
        let rules = if is_large { Rules { renewal: Span::secs(60), ..Rules::LOCAL } } else { Rules::LOCAL };
        let successors = if self.nodes < small { few } else { rules.successors };
        let mut chord = if is_large { chord::Config::PUBLIC } else { chord::Config::LOCAL };
        if is_large {
            // What every node would know of every other grows with the square of their number.
            (chord.routing.view, chord.routing.cache) = (0, 64);
        }
        let is_quiet = self.faults.is_empty() && self.clocks == Clocks::RIGHT;
        let last = u64::try_from(self.nodes).unwrap_or(u64::MAX).saturating_sub(1);
        let starts = STAGGER.times(last).plus(Span::secs(10));
        Scenario {
            name: "nodes",
            about: "complete nodes, as many as wanted",
            nodes: self.nodes,
            buyers: self.buyers,
            sellers: self.nodes.saturating_sub(self.buyers),
            sub_tasks: self.sub_tasks,
            machines: Machines {
                cores: self.cores,
                per_core: self.per_core,
                ask: (Rate(20_000), Rate(80_000)),
            },
            is_one_machine: false,
            work: Work {
                cycles: self.cycles,
                price: Money::credits(100),
                retries: 3,
                failing: 0,
                wall: PATIENCE,
                patience: PATIENCE,
                votes: None,
                probes: 0,
                waits: 0,
                input: Bytes::mib(4),
            },
            net: self.net.clone(),
            clocks: self.clocks,
            rules: Rules { successors, initial_grant: Money::credits(1_000_000), ..rules },
            chord,
            submit_at: if is_large { OPENS } else { starts },
            submit_every: Span(0),
            is_settled: is_large,
            faults: self.faults.clone(),
            limit: PATIENCE.times(24),
            rest_within: RESTS,
            expectation: if is_quiet { Expectation::AllSucceed } else { Expectation::Named },
            sights: Vec::new(),
            served: None,
            releases_all: false,
            saving: None,
            checks: self.checks.unwrap_or(if is_large { Checks::Every(SWEEP) } else { Checks::Always }),
        }
    }
}

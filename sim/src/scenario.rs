//! Scenarios: worlds as data.

mod bulk;
mod clocks;
mod flow;
mod market;
mod named;
mod saved;
mod series;
mod settle;
mod trust;
mod work;

use crate::clock::Clocks;
use crate::dice::Dice;
use crate::fault::{Fault, Flood, Scheduled};
use crate::net::Model;
use crate::sight::Sight;
use proto::{Bytes, Capacity, Cycles, Money, Rate, RefusalCode, Rules, Span};

pub(crate) use work::submission;

/// A world and what is to happen in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub about: &'static str,
    /// Nodes. The first ones buy; the first of all makes the ring.
    pub nodes: usize,
    /// How many of them buy.
    pub buyers: usize,
    /// How many of them sell, counted from the last one.
    pub sellers: usize,
    /// Sub-tasks, dealt out to the buyers in turn.
    pub sub_tasks: usize,
    /// What the machines are.
    pub machines: Machines,
    /// Whether all nodes are behind one address, as on one machine: then each has the slot of its number. Else each has an
    /// address of its own.
    pub is_one_machine: bool,
    /// What the sub-tasks are.
    pub work: Work,
    /// The network between them.
    pub net: Model,
    /// How far their clocks are from the bank's, which is right.
    pub clocks: Clocks,
    /// The rules of the market and of the bank.
    pub rules: Rules,
    /// The periods of the ring.
    pub chord: chord::Config,
    /// When the buyers submit.
    pub submit_at: Span,
    /// How much later than the one before it each of the buyers submits.
    pub submit_every: Span,
    /// Whether the world begins with a ring that was repaired long ago, instead of one that its nodes join one after the
    /// other.
    pub is_settled: bool,
    /// What goes wrong.
    pub faults: Vec<Scheduled>,
    /// The time by which all sub-tasks have to have ended.
    pub limit: Span,
    /// How long nodes and ring may take after that to come to rest.
    pub rest_within: Span,
    /// What the buyers are promised.
    pub expectation: Expectation,
    /// What is looked for, because it costs too much to look for it always.
    pub sights: Vec<Sight>,
    /// How many sub-tasks have to succeed early.
    pub served: Option<Served>,
    /// Whether no money may be set aside at the end.
    pub releases_all: bool,
    /// How the programs are saved, if they are; then sellers sell room on their disks too.
    pub saving: Option<Saving>,
    /// How often whole nodes, the ring and the ledger are looked at.
    pub checks: Checks,
}

/// How often those invariants are checked that look at a whole node, at the ring or at the ledger, and so take longer in
/// a larger world. What looks at one message, one record or one machine is checked after every event in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// After every event.
    Always,
    /// All of them at once, this often, from the first task on; but not that what is listed is for sale, which takes
    /// time with the square of the world.
    Every(Span),
}

/// How programs are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saving {
    /// How often; none: by cost.
    pub interval: Option<Span>,
    /// Storage nodes that keep a state.
    pub copies: u32,
    /// What is asked for room, per GiB and hour; none: nobody sells any.
    pub ask: Option<Rate>,
}

/// The machines: each figure is drawn between two limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machines {
    /// Cores of a machine.
    pub cores: (u32, u32),
    /// What one of them executes.
    pub per_core: (Capacity, Capacity),
    /// What the owner asks for.
    pub ask: (Rate, Rate),
}

/// The sub-tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Cycles of one, drawn between two limits.
    pub cycles: (Cycles, Cycles),
    /// The most that one may cost.
    pub price: Money,
    /// Attempts after the first.
    pub retries: u32,
    /// Every so many-th program fails by itself with exit status 3; 0 for none.
    pub failing: usize,
    /// The longest execution.
    pub wall: Span,
    /// How long a sub-task may find no seller.
    pub patience: Span,
    /// How often each is executed, if more than once.
    pub votes: Option<Votes>,
    /// How many questions whose answers it knows each buyer asks among its sub-tasks.
    pub probes: u32,
    /// For how many earlier ones of its task each waits, at most: it gets their outputs.
    pub waits: u32,
    /// The largest input of one.
    pub input: Bytes,
}

/// How often a sub-task is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Votes {
    /// At first.
    pub replicas: u32,
    /// How many have to agree.
    pub quorum: u32,
    /// At most.
    pub most: u32,
}

/// How well buyers have to be served, whatever others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// How many sub-tasks in a thousand have to succeed.
    pub per_mille: u16,
    /// Within how long after their submission.
    pub within: Span,
}

/// What has to have become of the sub-tasks. All of them have to have ended in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// All succeed, but those whose programs fail by themselves.
    AllSucceed,
    /// All succeed, and no buyer is ever told that nobody sells what it needs.
    AllPlaced,
    /// Each has a result or a named reason.
    Named,
    /// So many succeed, and the bank refuses the others.
    Refused {
        /// With this code.
        code: RefusalCode,
        /// How many succeed.
        succeed: usize,
    },
}

impl Scenario {
    /// What the machine of this node is in the world of `seed`: its cores, what one of them executes, and what its owner
    /// asks for.
    #[must_use]
    pub fn machine(&self, host: usize, seed: u64) -> (u32, Capacity, Rate) {
        let mut dice = Dice::new(seed, "machine", u64::try_from(host).unwrap_or(u64::MAX));
        let Machines { cores, per_core, ask } = self.machines;
        let cores = dice.between(cores.0.into(), cores.1.into());
        let per_core = Capacity(dice.between(per_core.0.0, per_core.1.0));
        (u32::try_from(cores).unwrap_or(1), per_core, Rate(dice.between(ask.0.0, ask.1.0)))
    }

    /// Whether this node sells.
    #[must_use]
    pub const fn sells(&self, host: usize) -> bool {
        host + self.sellers >= self.nodes
    }

    /// Whether this node is not started with the others.
    #[must_use]
    pub fn joins_late(&self, host: usize) -> bool {
        self.faults.iter().any(|scheduled| scheduled.fault == Fault::Join { host })
    }

    /// Whether nodes only come and go, and messages may be late but are not lost: nothing that is listed is forgotten.
    #[must_use]
    pub fn is_orderly(&self) -> bool {
        let is_orderly = |fault: &Fault| matches!(fault, Fault::Join { .. } | Fault::Leave { .. });
        self.net.loss == 0 && self.faults.iter().all(|scheduled| is_orderly(&scheduled.fault))
    }

    /// The flood that is the fault of this number.
    pub(crate) fn flood(&self, index: usize) -> Option<Flood> {
        match self.faults.get(index).map(|scheduled| &scheduled.fault) {
            Some(Fault::Flood(flood)) => Some(*flood),
            _ => None,
        }
    }

    /// How many sub-tasks this node buys.
    #[must_use]
    pub fn share(&self, host: usize) -> usize {
        if host >= self.buyers {
            return 0;
        }
        let mine = |task: &usize| task.checked_rem(self.buyers) == Some(host);
        (0..self.sub_tasks).filter(mine).count()
    }
}

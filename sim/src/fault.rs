//! What goes wrong, and when: a schedule as data.

use proto::Span;
use service::policy::Work;

/// Something that goes wrong, or is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node ends at once. What it had in memory is gone; its key and its store stay.
    Crash {
        /// Which.
        who: Who,
        /// The machine is gone: nobody answers. Otherwise only the process is, and connections are refused.
        is_silent: bool,
    },
    /// A node ends in the middle of what one input makes it do, when it writes to its journal, and starts again three seconds
    /// later.
    CrashWriting {
        /// Which node.
        host: usize,
        /// With which of its notes, from 1.
        note: u32,
        /// Whether the note is durable already. What stands behind it is not done in any case.
        is_kept: bool,
    },
    /// Every node that has crashed starts again with its key and its store, and with an empty memory.
    RestartAll,
    /// A node starts that was not there before.
    Join {
        /// Which; it is not started with the others.
        host: usize,
    },
    /// A node leaves the network in order and does not come back.
    Leave {
        /// Which.
        who: Who,
    },
    /// These nodes are cut off from the others and from the bank.
    CutOff {
        /// Which.
        hosts: Vec<usize>,
    },
    /// These nodes hear nothing from the others and from the bank, which hear them.
    Deafen {
        /// Which.
        hosts: Vec<usize>,
    },
    /// These nodes are not heard by the others and by the bank, and hear them.
    Mute {
        /// Which.
        hosts: Vec<usize>,
    },
    /// From now on what a machine executes takes so many times as long as its listing says.
    Slow {
        /// Whose machine.
        host: usize,
        /// How many times as long; 1: it is as fast as it says again.
        times: u64,
    },
    /// A node that is down has lost its disk: its journal and its store. Its key is kept elsewhere.
    LoseDisk {
        /// Which.
        host: usize,
    },
    /// All are connected again.
    Heal,
    /// The bank ends at the next moment at which a record is decided and not durable yet, so that records and
    /// their answers are lost, and the last write may be torn. It starts again from its journal.
    KillBank {
        /// For how long it is down.
        down: Span,
    },
    /// The owner of a machine, through its policy, decides on the work of others that is there.
    Decide {
        /// Whose.
        who: Who,
        /// What, until the next decision.
        work: Work,
    },
    /// The owner of a machine denies these buyers from now on.
    Deny {
        /// Whose machine.
        host: usize,
        /// Whom.
        buyers: Vec<usize>,
    },
    /// The owner of a machine shares it, or not any more: what is at work there may end.
    Share {
        /// Whose machine.
        host: usize,
        /// Whether it is shared.
        shares: bool,
    },
    /// A node floods the owner of the market in which the sub-tasks are bought.
    Flood(Flood),
    /// From now on a seller lies.
    Lie {
        /// Which node.
        host: usize,
        /// How.
        lie: Lie,
    },
}

/// Whom a fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// This node.
    Host(usize),
    /// The first node that is no buyer and executes something; as soon as there is one.
    Busy,
    /// The first node that is no buyer and keeps a state for somebody; as soon as there is one.
    Keeper,
    /// The node with the most listings in its books among those that neither buy nor sell; as soon as there is one.
    Owner,
    /// Whoever does this next and is no buyer, at the moment at which it is done. For crashes only.
    Doing(Act),
}

/// What somebody does, for a fault that is aimed at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A market owner has a seller that keeps a slice, and does not know it yet.
    Reserves,
    /// A market owner signs a ticket.
    Signs,
    /// A seller accepts an offer.
    Accepts,
}

/// Messages without end from one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// Which node.
    pub host: usize,
    /// Whether it lists, ever anew and below everybody, what it does not sell. Otherwise it asks for sellers, at any
    /// price and each time for another ticket, which it does not use.
    pub is_listings: bool,
    /// How many messages a second; at least a hundred.
    pub per_second: u64,
    /// For how long.
    pub lasting: Span,
}

/// How a seller lies, or a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It reports so many times the cycles that it metered.
    Cycles {
        /// How many times.
        times: u64,
    },
    /// It names outputs that it does not have.
    Absent,
    /// It delivers other outputs than the program's, and the same as all that lie so: they are in league.
    Wrong,
    /// It delivers outputs of its own, which nobody else delivers.
    Own,
    /// It never finishes, and goes on saying that it works.
    Hang,
    /// It accepts, and says nothing any more.
    Silent,
    /// It never finishes, and what it saves is no state of the program.
    BadStates,
    /// It never finishes, and names states that it does not have.
    NoStates,
    /// It says of every state that it is to go on from that it is none.
    Denies,
    /// It buys, takes the outputs, and never tells seller or bank what it thinks of them.
    Mute,
}

/// A fault with its moment, counted from the start of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// When.
    pub at: Span,
    /// What.
    pub fault: Fault,
}

impl Fault {
    /// This fault at `at`.
    #[must_use]
    pub const fn at(self, at: Span) -> Scheduled {
        Scheduled { at, fault: self }
    }
}

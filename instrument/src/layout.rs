//! What a rewritten module offers its host, and how the host drives it.
//!
//! # The protocol
//!
//! The host links one function of its own beside those of WASI: [`POLL`] of module [`HOST`], of type
//! `(i64) -> i64`. It is handed what [`METER`] reads and answers with the next budget in cycles; a negative
//! answer means "save yourself and return".
//!
//! 1. *Start.* Instantiate; set [`METER`] to the first budget. If [`Layout::start`] holds call [`START`] first,
//!    then the program's own entry (`_start`). Both are resumed alike; which of them ran is for the host to know.
//! 2. *Slice.* The program runs until the meter is below zero and then calls [`POLL`]. What was used of a
//!    budget is the budget minus the meter. The limit on cycles is exceeded as soon as more was used than the
//!    limit says, at a poll or at the end. The host may also end the program there, by a trap.
//! 3. *Suspension at a poll.* [`POLL`] answers with a negative number; the frames write themselves to [`STACK`]
//!    and the entry returns (zeros, if it has results) with [`STATE`] = [`UNWINDING`].
//! 4. *Suspension in a host call.* The host function copies [`METER`] to [`NEXT`], sets [`METER`] to [`PARKED`],
//!    [`STATE`] to [`UNWINDING`], and returns anything. On resumption the same call is made again with the same
//!    arguments, the state then being [`NORMAL`]: do it then (restarted), or answer from what was kept (completed).
//! 5. *What to save.* Bytes 0 to [`TOP`] of [`STACK`], [`TOP`], all of [`Layout::globals`], the memory [`MEMORY`]
//!    (if [`Layout::memory`]), the next budget, and which entry was running. Tables never change (see `Refused`).
//! 6. *Resumption*, in a fresh instance or in the same: write all that back, set [`NEXT`] to the budget to go on
//!    with, [`METER`] to [`PARKED`] and [`STATE`] to [`REWINDING`]; call the entry that was running, with zeros for
//!    its parameters. The frames take themselves up again and the program goes on. After a poll the budget is any that is
//!    not negative; after a host call it is what [`NEXT`] was, which may be below zero.
//! 7. *End.* The entry returns with [`STATE`] = [`NORMAL`], or traps. A program whose recursion is too deep traps
//!    by `unreachable` with [`STATE`] = [`TOO_DEEP`].
//!
//! After a trap the meter reads what it read at the last poll, call or return. That is the same on every
//! machine as long as budgets end at the same cycles; so an executor always gives budgets up to the next
//! multiple of [`SLICE`], and that length belongs to the cost model.

/// Module name of what only a rewritten module imports; also the prefix of every reserved export.
pub const HOST: &str = "compup2p";

/// Import: called when the budget is used up; `(meter: i64) -> i64`, the next budget in cycles, or negative to unwind.
pub const POLL: &str = "poll";

/// Exported global `i64`: cycles that are left of the budget, below zero if more was used.
pub const METER: &str = "compup2p:meter";

/// Exported global `i64`: the budget with which a rewound program goes on.
pub const NEXT: &str = "compup2p:next";

/// Exported global `i32`: [`NORMAL`], [`UNWINDING`], [`REWINDING`] or [`TOO_DEEP`].
pub const STATE: &str = "compup2p:state";

/// Exported global `i32`: bytes of [`STACK`] that hold frames.
pub const TOP: &str = "compup2p:top";

/// Exported memory: the frames of a suspended program.
pub const STACK: &str = "compup2p:stack";

/// Exported memory: the program's linear memory, whatever name it gave it.
pub const MEMORY: &str = "compup2p:memory";

/// Exported function: what the module's start section named.
pub const START: &str = "compup2p:start";

/// [`STATE`]: the program runs, or has ended.
pub const NORMAL: i32 = 0;

/// [`STATE`]: frames are being saved, or are saved.
pub const UNWINDING: i32 = 1;

/// [`STATE`]: frames are being taken up again.
pub const REWINDING: i32 = 2;

/// [`STATE`]: the program has trapped because its frames exceed [`Options::stack`](crate::Options::stack).
pub const TOO_DEEP: i32 = 3;

/// What [`METER`] holds while frames are saved or taken up again: so far below zero that no charge lifts or wraps it.
pub const PARKED: i64 = i64::MIN / 2;

/// Cycles between two polls of an executor: budgets end at multiples of it. Some milliseconds.
pub const SLICE: i64 = 10_000_000;

/// Type of a saved global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float, to be saved by its bits.
    F32,
    /// 64-bit float, to be saved by its bits.
    F64,
    /// 128-bit vector.
    V128,
}

/// A global whose value belongs to a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Name under which it is exported.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// What the rewritten module has beyond what every rewritten module has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The mutable globals to save, in the order of their indices: the program's own and those the pass added.
    pub globals: Vec<Saved>,
    /// Whether there is a linear memory, exported as [`MEMORY`].
    pub memory: bool,
    /// Whether there is a start function, exported as [`START`] and no longer called by instantiation.
    pub start: bool,
    /// Functions of the module that can be suspended.
    pub suspendable: u32,
    /// Places at which they can.
    pub sites: u32,
}

//! What belongs to one running program: its world, its meter and its limits.

use super::control::Watch;
use super::wasi::Wasi;
use instrument::layout;
use proto::{Bytes, Cycles};
use wasmtime::ResourceLimiter;

/// Most memory that 32-bit WebAssembly knows.
const MAX_MEMORY: usize = 1 << 32;
/// Most elements of a table.
const MAX_TABLE: usize = 1_000_000;
/// Cycles between two looks; it belongs to the cost model.
const SLICE: u64 = layout::SLICE.cast_unsigned();

/// The data of the store of one program.
pub(super) struct State {
    pub(super) wasi: Wasi,
    pub(super) watch: Watch,
    pub(super) memory: Memory,
    pub(super) meter: Meter,
    /// Its instance, once there is one.
    pub(super) parts: Option<Parts>,
    /// It was taken up where it was saved, and has not looked at anything since.
    pub(super) is_taken_up: bool,
}

/// What the executor drives an instance by (see `instrument::layout`).
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) meter: wasmtime::Global,
    pub(super) next: wasmtime::Global,
    pub(super) state: wasmtime::Global,
    pub(super) top: wasmtime::Global,
    pub(super) stack: wasmtime::Memory,
    /// Its linear memory, if it has one.
    pub(super) memory: Option<wasmtime::Memory>,
}

/// Cycles that were used, and how far the present budget goes.
///
/// Budgets end at multiples of the slice, counted from the very start of the program, and at its limit: so a program
/// that was saved and goes on elsewhere is looked at after the same cycles as one that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meter {
    /// Used until the present budget began, from the very start.
    used: u64,
    /// Up to where it goes.
    until: u64,
    /// The limit, from the very start.
    limit: u64,
    /// Where this execution began.
    origin: u64,
}

impl Meter {
    /// The meter of a program that has used `origin` cycles elsewhere and may use `limit` here.
    pub(super) fn new(origin: u64, limit: Cycles) -> Self {
        let limit = origin.saturating_add(limit.0);
        let mut meter = Self { used: origin, until: origin, limit, origin };
        meter.refill();
        meter
    }

    /// The same when its budget ended at `until`.
    pub(super) fn resumed(origin: u64, until: u64, limit: Cycles) -> Self {
        let mut meter = Self::new(origin, limit);
        if (origin.saturating_sub(SLICE)..=origin.saturating_add(SLICE)).contains(&until) {
            meter.until = until.min(meter.limit);
        }
        meter
    }

    /// What is left of the budget, as the program's meter shows it; below zero for a program that was saved in a call to
    /// the host after it had used more.
    pub(super) fn budget(&self) -> i64 {
        let signed = |cycles: u64| i64::try_from(cycles).unwrap_or(i64::MAX);
        signed(self.until).saturating_sub(signed(self.used))
    }

    /// The program's meter shows `left` (below zero: more than the budget was used).
    pub(super) fn read(&mut self, left: i64) {
        self.used = self.until.saturating_add_signed(left.saturating_neg()).max(self.used);
    }

    /// A new budget, up to the next end of a slice.
    pub(super) fn refill(&mut self) {
        self.until = (self.used / SLICE + 1).saturating_mul(SLICE).min(self.limit).max(self.used);
    }

    /// Whether more was used than the program may use.
    pub(super) const fn is_over(&self) -> bool {
        self.used > self.limit
    }

    /// From the very start of the program, and where the budget ends.
    pub(super) const fn position(&self) -> (u64, u64) {
        (self.used, self.until)
    }

    /// What was used here, at most the limit.
    pub(super) fn cycles(&self) -> Cycles {
        Cycles(self.used.min(self.limit).saturating_sub(self.origin))
    }
}

/// Holds linear memory to its limit, and remembers that it had to.
#[derive(Debug)]
pub(super) struct Memory {
    limit: Bytes,
    /// Memories that are not the program's own and have not been made yet: that of its frames comes last.
    foreign: Foreign,
    /// The program was denied memory because of its limit.
    pub(super) is_denied: bool,
    /// The host had not as much memory as it promised.
    pub(super) is_short: bool,
}

/// What the next memory to be made is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    /// The program's own, and then that of its frames.
    AfterOwn,
    /// That of its frames.
    Next,
    /// None: what grows now is the program's own.
    Made,
}

impl Memory {
    /// `has_own` is whether the program has a linear memory.
    pub(super) const fn new(limit: Bytes, has_own: bool) -> Self {
        let foreign = if has_own { Foreign::AfterOwn } else { Foreign::Next };
        Self { limit, foreign, is_denied: false, is_short: false }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _: usize, desired: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        match self.foreign {
            Foreign::AfterOwn => self.foreign = Foreign::Next,
            Foreign::Next => {
                self.foreign = Foreign::Made;
                return Ok(true);
            }
            Foreign::Made => {}
        }
        if desired > most.unwrap_or(MAX_MEMORY) {
            return Ok(false); // its own maximum, or that of 32-bit WebAssembly: not our limit
        }
        let fits = u64::try_from(desired).is_ok_and(|desired| desired <= self.limit.0);
        self.is_denied |= !fits;
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.is_short |= !self.is_denied;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_end_at_slices_and_at_the_limit() {
        let mut meter = Meter::new(0, Cycles(SLICE + 5));
        assert_eq!(meter.budget(), layout::SLICE);
        meter.read(-3);
        meter.refill();
        assert_eq!((meter.budget(), meter.position(), meter.is_over()), (2, (SLICE + 3, SLICE + 5), false));
        meter.read(-1);
        assert_eq!((meter.is_over(), meter.cycles()), (true, Cycles(SLICE + 5)));
    }

    #[test]
    fn a_program_that_goes_on_elsewhere_has_the_budget_it_had() {
        let meter = Meter::resumed(SLICE, SLICE, Cycles(100));
        assert_eq!((meter.budget(), meter.cycles()), (0, Cycles(0)));
        let meter = Meter::resumed(7, SLICE, Cycles(u64::MAX));
        assert_eq!(meter.budget(), layout::SLICE - 7);
        // Saved in a call to the host, after it had used two more than its budget.
        assert_eq!(Meter::resumed(7, 5, Cycles(100)).budget(), -2);
        // What no executor would have written.
        assert_eq!(Meter::resumed(2 * SLICE + 7, 0, Cycles(100)).budget(), 100);
    }
}

//! What holds an execution back or ends it, while one program of its contract follows the other.

use crate::exec::Control;
use proto::Cycles;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The handle on all programs of one contract; clones are the same handle.
#[derive(Clone)]
pub(super) struct Reins {
    shared: Arc<Shared>,
}

struct Shared {
    /// The handle on the first program, whose output can be watched.
    first: Control,
    /// The handle on the one that runs.
    current: Mutex<Control>,
    /// The cycles of those that have ended.
    earlier: AtomicU64,
    /// No further one is to begin.
    is_recalled: AtomicBool,
}

impl Reins {
    pub(super) fn new(first: Control) -> Self {
        let current = Mutex::new(first.clone());
        let (earlier, is_recalled) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { first, current, earlier, is_recalled }) }
    }

    /// The handle on the first program.
    pub(super) fn first(&self) -> &Control {
        &self.shared.first
    }

    /// Does something to the program that runs, and so to those that follow it.
    pub(super) fn pull(&self, act: impl FnOnce(&Control)) {
        act(&self.shared.current.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The program that runs is the last one.
    pub(super) fn recall(&self) {
        self.shared.is_recalled.store(true, Ordering::Relaxed);
    }

    /// The handle on the next program, unless it is not to begin; those before it have executed so much.
    pub(super) fn next(&self, earlier: Cycles) -> Option<Control> {
        let mut current = self.shared.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_stopped() || self.shared.is_recalled.load(Ordering::Relaxed) {
            return None;
        }
        *current = current.heir();
        self.shared.earlier.store(earlier.0, Ordering::Relaxed);
        Some(current.clone())
    }

    /// What all of them have executed.
    pub(super) fn cycles(&self) -> Cycles {
        let mut cycles = Cycles(0);
        self.pull(|current| cycles = current.cycles());
        Cycles(cycles.0.saturating_add(self.shared.earlier.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stopped_between_two_programs_does_not_begin_the_second() {
        let reins = Reins::new(Control::default());
        assert!(reins.next(Cycles(3)).is_some_and(|next| !next.is_stopped()));
        assert_eq!(reins.cycles(), Cycles(3));
        reins.pull(Control::stop);
        assert!(reins.next(Cycles(5)).is_none());
        assert!(!reins.first().is_stopped());
    }

    #[test]
    fn what_is_recalled_runs_to_its_end_and_nothing_begins_after_it() {
        let reins = Reins::new(Control::default());
        let second = reins.next(Cycles(3));
        reins.recall();
        assert!(second.is_some_and(|second| !second.is_stopped()));
        assert!(reins.next(Cycles(5)).is_none());
        assert_eq!(reins.cycles(), Cycles(3));
    }
}

//! What the outside may do to a running execution, and see of it.

use super::span_since;
use proto::{Cycles, Span};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// The handle on one execution; make one for each, clones are the same handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_stopped: AtomicBool,
    cycles: AtomicU64,
}

impl Control {
    /// Ends the execution with `Outcome::Cancelled`; one that has not started ends when it does.
    pub(crate) fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    #[must_use]
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::Relaxed)
    }

    /// Cycles metered so far, at most about half a million behind.
    #[must_use]
    pub(crate) fn cycles(&self) -> Cycles {
        Cycles(self.shared.cycles.load(Ordering::Relaxed))
    }

    pub(super) fn publish(&self, cycles: Cycles) {
        self.shared.cycles.store(cycles.0, Ordering::Relaxed);
    }
}

/// Why a program was ended from outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("stopped")]
    Cancelled,
    #[error("over its wall time")]
    Wall,
    #[error("over its disk limit")]
    Disk,
    #[error("over its output limit")]
    Output,
}

/// Looks whether an execution has to end.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) control: Control,
    pub(super) started: Instant,
    pub(super) wall: Span,
}

impl Watch {
    /// Cheap enough for every call from the program to its host (some 30 ns).
    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.control.is_stopped() {
            Err(Stop::Cancelled)
        } else if span_since(self.started) > self.wall {
            Err(Stop::Wall)
        } else {
            Ok(())
        }
    }
}

//! A core of another speed: a program that is done earlier than such a core would be is held back until then.

use super::executor::{Executor, Layer};
use super::{Control, Ended, Execution, span_since};
use proto::message::service::Runtime;
use proto::{Capacity, Span};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An executor on such a core. What it reports is what was metered; only the time is another. The wall limit counts the
/// time that the program has really taken.
pub(crate) struct Emulated {
    executor: Arc<dyn Executor>,
    per_core: Capacity,
}

impl Emulated {
    /// `executor` on a core that executes `per_core`.
    pub(crate) fn new(executor: Arc<dyn Executor>, per_core: Capacity) -> Self {
        Self { executor, per_core }
    }
}

impl Executor for Emulated {
    fn runtime(&self) -> Runtime {
        self.executor.runtime()
    }

    fn layers(&self) -> Vec<Layer> {
        self.executor.layers()
    }

    fn run(&self, execution: &Execution, control: &Control) -> Ended {
        let started = Instant::now();
        let mut ended = self.executor.run(execution, control);
        let needed = self.per_core.span_for(ended.cycles).unwrap_or(Span(0));
        control.wait_until(started + Duration::from_micros(needed.0));
        ended.elapsed = span_since(started);
        ended
    }
}

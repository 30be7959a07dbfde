//! A core of another speed.

use super::super::executor::{Executor, Layer};
use super::super::{Control, Emulated, Ended, Execution};
use super::{Bench, WIDE};
use proto::message::service::{Outcome, Runtime};
use proto::{Capacity, Cycles, Span};
use std::ops::Range;
use std::sync::Arc;

/// Executes so much at once.
struct Quick(Cycles);

impl Executor for Quick {
    fn runtime(&self) -> Runtime {
        Runtime::WebAssembly
    }

    fn layers(&self) -> Vec<Layer> {
        Vec::new()
    }

    fn run(&self, _: &Execution, _: &Control) -> Ended {
        Ended { cycles: self.0, ..Ended::before_start(Outcome::Succeeded) }
    }
}

fn check(cycles: Cycles, is_stopped: bool, expected: Range<Span>) {
    let control = Control::default();
    if is_stopped {
        control.stop();
    }
    let executor = Emulated::new(Arc::new(Quick(cycles)), Capacity(2));
    let ended = executor.run(&Bench::new(b"", &[], WIDE).execution, &control);
    assert_eq!((ended.cycles, &ended.outcome), (cycles, &Outcome::Succeeded));
    assert!(expected.contains(&ended.elapsed), "{:?}", ended.elapsed);
}

#[test]
fn a_program_takes_as_long_as_on_such_a_core_unless_it_is_stopped() {
    check(Cycles(100_000), false, Span::millis(50)..Span::secs(60));
    check(Cycles::giga(1_000), true, Span(0)..Span::secs(60));
}

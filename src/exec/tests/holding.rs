//! Programs that are held back from outside: they come to the same, later.

use super::{Bench, WIDE, engine, example};
use crate::exec::{Control, Ended};
use proto::message::service::{Limits, Outcome};
use proto::{Cycles, Span};
use std::time::{Duration, Instant};

/// A program that prints, writes and computes.
const PROGRAM: &str = "queens/queens.wasm";

fn spin() -> Bench {
    Bench::new(&example("faults/spin.wasm"), &[], Limits { cycles: Cycles(u64::MAX), ..WIDE })
}

/// Waits until the program stands still.
fn standstill(control: &Control) -> Cycles {
    while !control.is_standing() {
        std::thread::yield_now();
    }
    control.cycles()
}

/// Runs `bench` beside `act`.
fn beside(bench: &Bench, control: &Control, act: impl FnOnce()) -> Ended {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| engine().run(&bench.execution, control));
        while control.cycles() < Cycles::mega(5) {
            std::thread::yield_now();
        }
        act();
        run.join().unwrap()
    })
}

#[test]
fn a_program_that_is_paused_stands_still_within_a_second_and_can_be_stopped() {
    let (bench, control) = (spin(), Control::default());
    let ended = beside(&bench, &control, || {
        control.pause();
        let asked = Instant::now();
        let cycles = standstill(&control);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(control.cycles(), cycles);
        control.pace(100);
        while control.cycles() == cycles {
            std::thread::yield_now();
        }
        control.pause();
        standstill(&control);
        control.stop();
    });
    assert_eq!(ended.outcome, Outcome::Cancelled);
}

#[test]
fn a_pause_before_the_start_holds_the_start_and_does_not_count() {
    let wall = Span::secs(2);
    let few = Limits { cycles: Cycles::mega(20), ..WIDE };
    let bench = |limits| Bench::new(&example("faults/spin.wasm"), &[], limits);
    // The module is compiled for the first run, which takes what it takes; here it is to be at hand.
    assert_eq!(bench(few).run().outcome, Outcome::CycleLimit(few.cycles));
    let bench = bench(Limits { wall, ..few });
    let control = Control::default();
    control.pause();
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine().run(&bench.execution, &control));
        standstill(&control);
        // Longer than the program may run.
        std::thread::sleep(Duration::from_millis(2_200));
        assert_eq!(control.cycles(), Cycles(0));
        control.pace(100);
        run.join().unwrap()
    });
    assert_eq!(ended.outcome, Outcome::CycleLimit(few.cycles));
    // It stood still for longer than it may run.
    assert!(ended.elapsed > wall, "{}", ended.elapsed);
}

#[test]
fn a_disturbed_run_comes_to_the_same_as_an_undisturbed_one() {
    let bench = || Bench::new(&example(PROGRAM), &["10", "0"], WIDE);
    let (alone, disturbed, control) = (bench(), bench(), Control::default());
    let expected = alone.run();
    assert_eq!(expected.outcome, Outcome::Succeeded, "{}", String::from_utf8_lossy(&expected.stderr));
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine().run(&disturbed.execution, &control));
        for pace in [30, 100, 70, 10, 100].into_iter().cycle() {
            control.pause();
            std::thread::yield_now();
            control.pace(pace);
            std::thread::yield_now();
            if run.is_finished() {
                break;
            }
        }
        run.join().unwrap()
    });
    let what = |ended: Ended| (ended.outcome, ended.cycles, ended.stdout, ended.stderr);
    assert_eq!(what(ended), what(expected));
}

#[test]
fn a_throttled_program_rests_for_its_share_of_the_time() {
    let limits = Limits { cycles: Cycles::giga(16), ..WIDE };
    let bench = Bench::new(&example("faults/spin.wasm"), &[], limits);
    let control = Control::default();
    control.pace(20);
    let ended = engine().run(&bench.execution, &control);
    assert_eq!(ended.outcome, Outcome::CycleLimit(limits.cycles));
    let (rested, all) =
        (control.rested_so_far().as_secs_f64(), (ended.elapsed.0 - ended.prepared.0) as f64 / 1e6);
    // The last stretch may end before its rest.
    assert!((0.6..0.82).contains(&(rested / all)), "{rested} s of {all} s");
}

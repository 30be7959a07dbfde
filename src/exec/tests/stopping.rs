//! Ends that come from outside.

use super::{Bench, WIDE, check, engine, example, text};
use crate::exec::Control;
use proto::message::service::{Limits, Outcome};
use proto::{Cycles, Span};
use std::time::Instant;

/// Longest time between a stop and the end that a machine busy with other tests may need; alone it takes 0.3 to 4 ms.
const PATIENCE: Span = Span::secs(5);

#[test]
fn a_stop_ends_a_spinning_program() {
    let bench = Bench::new(&example("faults/spin.wasm"), &[], Limits { cycles: Cycles(u64::MAX), ..WIDE });
    let control = Control::default();
    let (ended, reaction) = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine().run(&bench.execution, &control));
        // Running for sure, and its progress to be seen.
        while control.cycles() < Cycles::mega(10) {
            std::thread::yield_now();
        }
        control.stop();
        let stopped = Instant::now();
        (run.join().unwrap(), stopped.elapsed())
    });
    assert_eq!(ended.outcome, Outcome::Cancelled);
    assert!(ended.cycles >= Cycles::mega(10), "{}", ended.cycles);
    assert_eq!(control.cycles(), ended.cycles);
    assert!(u128::from(PATIENCE.0) > reaction.as_micros(), "{reaction:?}");
}

#[test]
fn a_stop_before_the_start_is_a_stop() {
    let bench = Bench::new(&example("faults/spin.wasm"), &[], WIDE);
    let control = Control::default();
    control.stop();
    let ended = engine().run(&bench.execution, &control);
    assert_eq!((ended.outcome, ended.cycles), (Outcome::Cancelled, Cycles(0)));
}

#[test]
fn the_wall_limit_ends_programs_that_compute_and_programs_that_call() {
    let wall = Span::millis(300);
    let limits = Limits { wall, cycles: Cycles(u64::MAX), ..WIDE };
    let yields = r#"(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))"#;
    let calling = text(yields, "(loop $more (drop (call $yield)) (br $more))");
    for program in [example("faults/spin.wasm"), calling] {
        let ended = check(&program, limits, &Outcome::WallLimit(wall));
        assert!(ended.elapsed >= wall && ended.elapsed < wall.plus(PATIENCE), "{}", ended.elapsed);
    }
}

#[test]
fn a_sleep_takes_no_time_and_moves_the_clock() {
    // Sleeps for an hour on the monotonic clock; traps unless the clock moved by an hour and two looks at it.
    let program = wat::parse_str(
        r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func $now (result i64)
            (drop (call $time (i32.const 1) (i64.const 1) (i32.const 256))) (i64.load (i32.const 256)))
        (func (export "_start") (local $before i64)
            (local.set $before (call $now))
            (i32.store (i32.const 16) (i32.const 1)) ;; the monotonic clock
            (i64.store (i32.const 24) (i64.const 3600000000000))
            (if (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 192)) (then unreachable))
            (if (i32.ne (i32.load (i32.const 192)) (i32.const 1)) (then unreachable))
            (if (i64.ne (i64.sub (call $now) (local.get $before)) (i64.const 3600000001000))
                (then unreachable))))"#,
    );
    check(&program.unwrap(), WIDE, &Outcome::Succeeded);
}

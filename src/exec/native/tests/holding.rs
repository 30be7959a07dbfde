//! Programs that are stopped, held back or warned from outside.

use super::{Behind, Bench, WIDE, kinds, leftovers, native, told};
use crate::exec::{Control, Ended, Executor as _};
use proto::message::service::{Limits, Outcome};
use proto::{Cycles, Span};
use std::time::{Duration, Instant};

/// Two processes that count for ever, in files of their own.
const COUNTING: &str = "import os, time\nme = 'a' if os.fork() else 'b'\ni = 0\nwhile True:\n  i += 1\n  \
    open(me, 'w').write(str(i))\n  time.sleep(0.001)";

/// Runs `bench` beside `act`, which begins when its file `a` is there.
fn beside(bench: &Bench, behind: Behind, control: &Control, act: impl FnOnce()) -> Ended {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| native(behind).run(&bench.execution, control));
        while !bench.scratch.path().join("a").exists() && !run.is_finished() {
            std::thread::yield_now();
        }
        act();
        run.join().unwrap()
    })
}

fn counts(bench: &Bench) -> [String; 2] {
    ["a", "b"].map(|name| std::fs::read_to_string(bench.scratch.path().join(name)).unwrap_or_default())
}

#[test]
fn a_stop_ends_the_whole_tree_within_a_second() {
    for behind in kinds() {
        let (bench, control) = (Bench::python(COUNTING, WIDE), Control::default());
        let mut asked = Instant::now();
        let ended = beside(&bench, behind, &control, || {
            asked = Instant::now();
            control.stop();
        });
        assert_eq!(ended.outcome, Outcome::Cancelled, "{}", told(&ended));
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        assert_eq!(leftovers::processes_in(bench.scratch.path()), 0, "{behind:?}");
    }
}

#[test]
fn a_pause_holds_the_whole_tree_and_its_wall_time() {
    for behind in kinds() {
        let wall = Span::secs(8);
        let (bench, control) = (Bench::python(COUNTING, Limits { wall, ..WIDE }), Control::default());
        let ended = beside(&bench, behind, &control, || {
            control.pause();
            while !control.is_standing() {
                std::thread::yield_now();
            }
            let before = counts(&bench);
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(counts(&bench), before);
            control.pace(100);
            while counts(&bench)[0] == before[0] || counts(&bench)[1] == before[1] {
                std::thread::yield_now();
            }
            control.pause();
            while !control.is_standing() {
                std::thread::yield_now();
            }
            control.stop();
        });
        assert_eq!(ended.outcome, Outcome::Cancelled, "{behind:?}: {}", told(&ended));
    }
}

#[test]
fn a_throttled_program_rests_for_its_share_of_the_time() {
    let limits = Limits { cycles: Cycles::mega(400), ..WIDE };
    for behind in kinds() {
        let bench = Bench::shell("while :; do :; done", limits);
        let control = Control::default();
        control.pace(25);
        let ended = native(behind).run(&bench.execution, &control);
        assert_eq!(ended.outcome, Outcome::CycleLimit(limits.cycles), "{}", told(&ended));
        let (rested, all) = (control.rested_so_far().as_secs_f64(), ended.elapsed.as_secs_f64());
        assert!((0.5..0.85).contains(&(rested / all)), "{behind:?}: {rested} s of {all} s");
    }
}

#[test]
fn what_a_program_prints_is_seen_while_it_runs() {
    for behind in kinds() {
        let script = "echo first; echo problem >&2; touch a; while :; do sleep 0.01; done";
        let (bench, control) = (Bench::shell(script, WIDE), Control::default());
        let mut seen = [Vec::new(), Vec::new()];
        let ended = beside(&bench, behind, &control, || {
            let wanted = [b"first\n".to_vec(), b"problem\n".to_vec()];
            while seen != wanted {
                seen = [control.stdout(), control.stderr()].map(|tap| tap.tail(0, 100));
                std::thread::yield_now();
            }
            control.stop();
        });
        assert_eq!(ended.outcome, Outcome::Cancelled, "{behind:?}: {}", told(&ended));
        assert_eq!(control.stderr().tail(0, 100), b"problem\n");
    }
}

#[test]
fn a_wish_that_cannot_be_met_neither_stops_nor_wakes_a_program() {
    for behind in kinds() {
        let (bench, control) = (Bench::python(COUNTING, WIDE), Control::default());
        let ended = beside(&bench, behind, &control, || {
            let mut wished = control.snapshot(None);
            while wished.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                std::thread::yield_now();
            }
            control.suspend();
        });
        assert_eq!(ended.outcome, Outcome::Cancelled, "{behind:?}: {}", told(&ended));
    }
}

#[test]
fn who_is_warned_may_end_in_order() {
    for behind in kinds() {
        for (script, expected) in [
            // It saves its work and ends.
            ("trap 'echo saved > out; exit 0' TERM; touch a; while :; do sleep 0.01; done", "succeeded"),
            // It just dies of it: not its fault.
            (
                "touch a; sleep 1000",
                "was given up by the seller: its seller needed the machine, and it ended when it was told",
            ),
            // It does not mind, until it is stopped.
            ("trap '' TERM; touch a; while :; do sleep 0.01; done", "was cancelled"),
        ] {
            let bench = Bench::shell(script, WIDE);
            let control = Control::default();
            let ended = beside(&bench, behind, &control, || {
                control.warn();
                if expected == "was cancelled" {
                    std::thread::sleep(Duration::from_millis(300));
                    assert!(leftovers::processes_in(bench.scratch.path()) > 0);
                    control.stop();
                }
            });
            assert_eq!(ended.outcome.to_string(), expected, "{behind:?}: {}", told(&ended));
        }
    }
}

#[test]
fn a_program_gives_way_as_the_thread_does_that_waits_for_it() {
    let told = "import os\nprint(os.getpriority(os.PRIO_PROCESS, 0))";
    let own = rustix::process::getpriority_process(None).unwrap();
    for behind in kinds() {
        let lowered = move || {
            crate::exec::nice::lower(13).unwrap();
            super::prints(&Bench::python(told, WIDE), behind, "13\n");
        };
        std::thread::spawn(lowered).join().unwrap();
        super::prints(&Bench::python(told, WIDE), behind, &format!("{own}\n"));
    }
}

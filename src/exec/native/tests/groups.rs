//! Programs in control groups of their own, by the kernel itself, where this process is given one to divide; else, what is
//! said of that.
//!
//! It has to be alone in its group, with these tests alone, since others start processes beside it: with a group `G` that is
//! delegated, `sh -c 'echo $$ > G/cgroup.procs; exec target/debug/deps/compup2p-… exec::native::tests::groups'`.

use super::super::group::Groups;
use super::{Behind, Bench, Native, PER_CORE, WIDE, helper, kinds, told, without_namespaces};
use crate::exec::{Control, Ended, Executor as _, LayerState};
use proto::message::service::{Limits, Outcome};
use proto::{Bytes, Cycles, Span};
use service::policy::{Policy, Sandbox};
use std::path::{Path, PathBuf};

/// Children that burn five milliseconds each, a hundred of them, which nobody waits for.
const UNSEEN: &str = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n\
    for _ in range(100):\n  if os.fork() == 0:\n    while time.process_time() < 0.005: pass\n    os._exit(0)\n  \
    try: os.wait()\n  except ChildProcessError: pass";
/// As many children as may be.
const MANY: &str = "import os, time\ncount = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(1000)\n    \
    count += 1\nexcept OSError: print(count)";
/// Doubles itself without end.
const BOMB: &str = "import os, time\nwhile True:\n  try: os.fork()\n  except OSError: time.sleep(0.01)";
const HOG: &str = "x = []\nwhile True: x.append(bytearray(1 << 20))";
/// Stays until it is stopped, and says when it has begun.
const ENDLESS: &str = "import time\nopen('a', 'w')\ntime.sleep(1000)";

fn run(native: &Native, script: &str, limits: Limits) -> Ended {
    native.run(&Bench::python(script, limits).execution, &Control::default())
}

/// The groups of programs that there are.
fn groups(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).unwrap().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("run-"))
        .map(|e| e.path())
        .collect()
}

/// How many processes are in the group of a program that has started no others.
fn together(native: &Native, base: &Path) -> usize {
    let (control, bench) = (Control::default(), Bench::python(ENDLESS, WIDE));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| native.run(&bench.execution, &control));
        while !bench.scratch.path().join("a").exists() && !run.is_finished() {
            std::thread::yield_now();
        }
        let [group] = groups(base).try_into().expect("one group");
        let count = std::fs::read_to_string(group.join("cgroup.procs")).unwrap().lines().count();
        control.stop();
        assert_eq!(run.join().unwrap().outcome, Outcome::Cancelled);
        count
    })
}

#[test]
fn the_kernel_holds_programs_as_a_whole_where_a_group_is_delegated_and_else_it_is_said_why() {
    let mut native = Native::of_node(helper()).unwrap();
    native.govern(&Policy { share_native: true, sandbox: Sandbox::Best, ..Policy::default() }, PER_CORE);
    let said = native.layers().into_iter().find(|layer| layer.name == "cgroups").unwrap().state;
    assert_eq!(run(&native, "print(1)", WIDE).outcome, Outcome::Succeeded);
    let Some(Groups { place, .. }) = &native.groups else {
        let LayerState::Missing(why) = said else { panic!("there is no group, and it is said to be there") };
        let reasons = ["no control group of version 2", "this machine has control groups of version 1 only"];
        assert!(reasons.iter().any(|reason| why.starts_with(reason)), "{why}");
        eprintln!("only looked at: {why}");
        return;
    };
    assert_eq!(place.is_whole().err(), if let LayerState::Missing(why) = said { Some(why) } else { None });
    let place = place.clone();
    let metered = run(&native, UNSEEN, WIDE);
    assert!((500..1_500).contains(&(metered.cycles.0 / 1_000_000)), "{} {}", metered.cycles, told(&metered));
    let few = run(&native, UNSEEN, Limits { cycles: Cycles::mega(200), ..WIDE });
    assert_eq!(few.outcome, Outcome::CycleLimit(Cycles::mega(200)), "{}", told(&few));
    for behind in kinds() {
        native.walls = match behind {
            Behind::All => native.walls,
            Behind::Bubblewrap => super::Walls { rooms: Err("not in this test".into()), ..native.walls },
            Behind::NoNamespaces => without_namespaces(native.walls),
        };
        let supervisors = if behind == Behind::Bubblewrap { 2 } else { 1 };
        assert_eq!(together(&native, &place.base), supervisors + 1, "{behind:?}");
        if place.has_processes {
            let many = run(&native, MANY, WIDE);
            assert_eq!(String::from_utf8_lossy(&many.stdout), "31\n", "{behind:?}: {}", told(&many));
            let bomb = run(&native, BOMB, Limits { wall: Span::secs(1), ..WIDE });
            assert_eq!(bomb.outcome, Outcome::WallLimit(Span::secs(1)), "{behind:?}: {}", told(&bomb));
        }
        if place.has_memory {
            let memory = Bytes::mib(64);
            let hog = run(&native, HOG, Limits { memory, ..WIDE });
            assert_eq!(hog.outcome, Outcome::MemoryLimit(memory), "{behind:?}: {}", told(&hog));
        }
        assert_eq!(groups(&place.base), Vec::<PathBuf>::new(), "{behind:?}");
    }
}

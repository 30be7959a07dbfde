//! Programs that want more than they may have.

use super::{Bench, WIDE, Walls, check, governed, kinds, left, told};
use crate::exec::Executor as _;
use proto::message::service::{Limits, Outcome};
use proto::{Bytes, Cycles, Span};

#[test]
fn the_wall_limit_ends_programs_that_compute_and_programs_that_sleep() {
    let wall = Span::millis(400);
    for behind in kinds() {
        for script in ["while :; do :; done", "sleep 1000", "sleep 1000 & sleep 1000 & wait"] {
            let ended =
                check(&Bench::shell(script, Limits { wall, ..WIDE }), behind, &Outcome::WallLimit(wall));
            assert!(ended.elapsed < Span::secs(5), "{}", ended.elapsed);
        }
    }
}

#[test]
fn a_program_runs_on_as_many_cores_as_were_bought() {
    let here = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
    for behind in kinds() {
        for cores in [1, 2] {
            let bench = Bench::shell("nproc", Limits { cores, ..WIDE });
            let ended = check(&bench, behind, &Outcome::Succeeded);
            assert_eq!(String::from_utf8(ended.stdout).unwrap(), format!("{}\n", cores.min(here)));
        }
    }
}

#[test]
fn cycles_beyond_the_limit_end_the_program() {
    let cycles = Cycles::mega(300);
    for behind in kinds() {
        for script in ["while :; do :; done", "(while :; do :; done) & (while :; do :; done) & wait"] {
            let ended =
                check(&Bench::shell(script, Limits { cycles, ..WIDE }), behind, &Outcome::CycleLimit(cycles));
            assert_eq!(ended.cycles, cycles);
        }
    }
}

#[test]
fn memory_beyond_the_limit_ends_the_program() {
    let memory = Bytes::mib(64);
    let hogs = [
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        // By children, none of which has too much.
        "import os, time\nfor _ in range(4):\n  if os.fork() == 0:\n    x = bytearray(os.urandom(1 << 20) * 30)\n    time.sleep(1000)\nos.wait()",
        // In files that are only memory.
        "import os, time\nf = os.memfd_create('x')\nwhile True: os.write(f, b'x' * (1 << 20)); time.sleep(0.001)",
    ];
    for behind in kinds() {
        for hog in hogs {
            let ended =
                check(&Bench::python(hog, Limits { memory, ..WIDE }), behind, &Outcome::MemoryLimit(memory));
            assert!(ended.elapsed < Span::secs(30), "{}", ended.elapsed);
        }
    }
}

#[test]
fn memory_that_a_parent_shares_with_its_children_counts_once() {
    let fork = "import os, time\nx = bytearray(100 << 20)\npids = []\nfor _ in range(8):\n  p = os.fork()\n  \
        if p == 0:\n    time.sleep(0.3)\n    os._exit(0)\n  pids.append(p)\nfor p in pids: os.waitpid(p, 0)";
    for behind in kinds() {
        check(&Bench::python(fork, WIDE), behind, &Outcome::Succeeded);
    }
}

#[test]
fn disk_beyond_the_limit_ends_the_program() {
    let disk = Bytes::mib(8);
    let ways = [
        // One file; the shell's `dd` is ended by a signal, or told by an error.
        "dd if=/dev/zero of=big bs=1M count=100 2>/dev/null; sleep 1000",
        // Many.
        "i=0; while :; do i=$((i+1)); dd if=/dev/zero of=f$i bs=1M count=1 2>/dev/null; done",
        // A hole.
        "truncate -s 8388609 hole; sleep 1000",
        // The directory for temporary files.
        "i=0; while :; do i=$((i+1)); dd if=/dev/zero of=$TMPDIR/f$i bs=1M count=1 2>/dev/null; done",
        // A file without a name.
        "exec 3>gone 4>gone2; rm gone gone2; dd if=/dev/zero bs=1M count=7 >&3 2>/dev/null; \
            dd if=/dev/zero bs=1M count=7 >&4 2>/dev/null; sleep 1000",
    ];
    for behind in kinds() {
        for way in ways {
            let ended = check(&Bench::shell(way, Limits { disk, ..WIDE }), behind, &Outcome::DiskLimit(disk));
            assert!(ended.elapsed < Span::secs(30), "{}", ended.elapsed);
        }
    }
}

#[test]
fn directories_without_end_end_the_program_and_are_removed() {
    let deep = "import os\nwhile True:\n  os.mkdir('d' * 200)\n  os.chdir('d' * 200)";
    for behind in kinds() {
        let bench = Bench::python(deep, WIDE);
        check(&bench, behind, &Outcome::DiskLimit(WIDE.disk));
        let (path, base) = (bench.scratch.path().to_path_buf(), bench.base.path().to_path_buf());
        drop((bench.scratch, bench.temporary));
        assert!(!path.exists());
        assert_eq!(left(&base), ["program"]);
    }
}

#[test]
fn output_beyond_the_limit_ends_the_program() {
    let output = Bytes(1_000);
    for behind in kinds() {
        for to in ["1", "2"] {
            let script = format!("while :; do echo a line of no end of lines >&{to}; done");
            let ended = check(
                &Bench::shell(&script, Limits { output, ..WIDE }),
                behind,
                &Outcome::OutputLimit(output),
            );
            assert_eq!(ended.stdout.len().max(ended.stderr.len()), 1_000, "{}", told(&ended));
        }
        let exact = |bytes: u32| Bench::shell(&format!("printf %0{bytes}d 0 >&2"), Limits { output, ..WIDE });
        check(&exact(1_000), behind, &Outcome::Succeeded);
        check(&exact(1_001), behind, &Outcome::OutputLimit(output));
    }
}

#[test]
fn a_fork_bomb_is_ended_and_nothing_of_it_is_left() {
    // One that grows by a process at a time: where root counts for nothing, one that doubles takes the machine with it
    // before it is seen (`docs/known-issues.md`).
    let bomb = "import os, time\n\
        while True:\n  try:\n    if os.fork() == 0: time.sleep(1000)\n  except OSError: time.sleep(0.01)";
    for behind in kinds() {
        let bench = Bench::python(bomb, Limits { wall: Span::secs(3), ..WIDE });
        let ended = bench.run(behind);
        let is_stopped = matches!(&ended.outcome, Outcome::Trapped(why) if why.contains("32 processes"))
            || ended.outcome == Outcome::WallLimit(Span::secs(3));
        assert!(is_stopped && ended.elapsed < Span::secs(10), "{behind:?}: {}", told(&ended));
        assert_eq!(super::leftovers::processes_in(bench.scratch.path()), 0, "{behind:?}");
    }
}

#[test]
fn root_runs_no_native_program_where_nothing_bounds_its_processes() {
    let mut native = governed();
    let why = "this seller runs as root and has no namespaces: nothing bounds a program's processes";
    for (is_root, refusal) in [(true, Some(why.to_owned())), (false, None)] {
        native.walls = Walls { is_root, ..super::without_namespaces(native.walls) };
        assert_eq!(native.refusal(), refusal);
    }
}

#[test]
fn threads_count_as_processes() {
    let threads = "import threading, time\nfor _ in range(40): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\ntime.sleep(1000)";
    for behind in kinds() {
        let ended = Bench::python(threads, WIDE).run(behind);
        // Where the kernel counts, the program is told; else the node sees it.
        assert!(matches!(ended.outcome, Outcome::Trapped(_) | Outcome::Exited(1)), "{}", told(&ended));
    }
}

#[test]
fn a_program_gets_one_core_and_does_not_see_more() {
    for behind in kinds() {
        let bench = Bench::python(
            "import os\nprint(len(os.sched_getaffinity(0)))\ntry: os.sched_setaffinity(0, range(64))\nexcept OSError: print('kept')",
            WIDE,
        );
        super::prints(&bench, behind, "1\nkept\n");
    }
}

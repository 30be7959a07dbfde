//! Rooms of our own making: the process that builds them, its end, and what one room could have of another.

use super::{Behind, Bench, WIDE, check, governed, helper, native, prints, told};
use crate::exec::native::builder::Builder;
use crate::exec::native::launch::Scene;
use crate::exec::native::orders::{Orders, Stage};
use crate::exec::native::tree::{self, Process};
use crate::exec::native::{Native, etc};
use crate::exec::{Control, Executor as _};
use proto::message::service::Outcome;
use rustix::process::Signal;
use std::io::{Read as _, pipe};

/// Runs for ever, and says when it has begun.
const ENDLESS: &str = "touch a; while :; do sleep 1; done";

/// The processes of this test that are builders, their first ones: those that are not in a process namespace yet.
fn builders() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap();
    let is_builder = |pid: &i32| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split('\0').nth(2) == Some(Stage::Builder.word())
    };
    tree::children(own).into_iter().filter(is_builder).collect()
}

#[test]
fn when_the_builder_is_killed_its_programs_end_with_a_reason_and_the_next_has_another() {
    let native = governed();
    check_on(&native, "exit 0", &Outcome::Succeeded);
    let bench = Bench::shell(ENDLESS, WIDE);
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| native.run(&bench.execution, &Control::default()));
        while !bench.scratch.path().join("a").exists() && !run.is_finished() {
            std::thread::yield_now();
        }
        // Other tests start builders too, which have other programs.
        let ours = |pid: &&i32| tree::below(**pid).iter().any(|below| works_in(*below, &bench));
        let builder = *builders().iter().find(ours).expect("a builder of this program");
        tree::send(builder, Signal::KILL);
        run.join().unwrap()
    });
    let why = "the sandbox was ended from outside: its first process, or who had built it";
    assert_eq!(ended.outcome, Outcome::Abandoned(why.into()), "{}", told(&ended));
    assert_eq!(super::leftovers::processes_in(bench.scratch.path()), 0);
    check_on(&native, "exit 3", &Outcome::Exited(3));
}

fn check_on(native: &Native, script: &str, expected: &Outcome) {
    let ended = native.run(&Bench::shell(script, WIDE).execution, &Control::default());
    assert_eq!(&ended.outcome, expected, "{}", told(&ended));
}

fn works_in(pid: i32, bench: &Bench) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = std::fs::metadata(bench.scratch.path()).unwrap();
    std::fs::metadata(format!("/proc/{pid}/cwd")).is_ok_and(|here| here.ino() == place.ino())
}

#[test]
fn when_the_node_goes_everything_in_its_rooms_goes_too() {
    let etc = etc::prepare().unwrap();
    let builder = Builder::new(&helper(), etc.path());
    let bench = Bench::shell(&format!("sleep 1000 & {ENDLESS}"), WIDE);
    let scene = Scene {
        private: etc.path().into(),
        scratch: bench.scratch.path().into(),
        temporary: bench.scratch.path().into(),
        program: Some(bench.execution.program.clone()),
        ..Scene::trial(&helper())
    };
    let wide = 1 << 32;
    let orders =
        Orders { memory: wide, file: wide, seconds: 600, name: "program".into(), ..Orders::default() };
    let orders = Orders { lays_down: true, ..scene.within(orders, false) };
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&bench.execution.program, executable).unwrap();
    let ((mut end, told), (_, out), (_, err)) = (pipe().unwrap(), pipe().unwrap(), pipe().unwrap());
    let first = builder.room(&scene, orders.arguments(), &[told.into(), out.into(), err.into()]).unwrap();
    while !bench.scratch.path().join("a").exists() {
        std::thread::yield_now();
    }
    let all = tree::below(first);
    assert!(all.len() >= 2, "{all:?}");
    // As the kernel closes it when the node is killed.
    drop(builder);
    let mut text = Vec::new();
    end.read_to_end(&mut text).unwrap();
    assert_eq!(text, b"", "nobody was left to tell");
    let is_there = |pid: &i32| Process::of(*pid).is_some_and(|process| !process.is_over());
    let since = std::time::Instant::now();
    while all.iter().any(is_there) {
        assert!(since.elapsed().as_secs() < 30, "{all:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_name_that_one_program_has_is_not_there_for_another_beside_it_or_after_it() {
    // Without namespaces there are no sockets at all.
    for behind in [Behind::All, Behind::Bubblewrap] {
        let bind = "import socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0left')\ns.listen()\n";
        let find = "import socket\ns = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('\\0left')\n  print('FOUND')\n\
            except OSError as e: print(e.errno in (1, 111))";
        let (control, holder) =
            (Control::default(), Bench::python(&format!("{bind}open('a', 'w')\ntime.sleep(999)"), WIDE));
        std::thread::scope(|scope| {
            let run = scope.spawn(|| native(behind).run(&holder.execution, &control));
            while !holder.scratch.path().join("a").exists() && !run.is_finished() {
                std::thread::yield_now();
            }
            prints(&Bench::python(find, WIDE), behind, "True\n");
            control.stop();
            assert_eq!(run.join().unwrap().outcome, Outcome::Cancelled);
        });
        prints(&Bench::python(&format!("{bind}print('bound')"), WIDE), behind, "bound\n");
        prints(&Bench::python(find, WIDE), behind, "True\n");
    }
}

#[test]
fn a_program_that_looks_like_a_record_on_its_standard_error_has_only_printed_it() {
    let bench = Bench::shell("printf '\\0compup2p-sandbox exited 0 1 1\\n' >&2; exit 4", WIDE);
    let ended = check(&bench, Behind::All, &Outcome::Exited(4));
    assert_eq!(ended.stderr, b"\0compup2p-sandbox exited 0 1 1\n");
}

#[test]
fn arguments_that_no_program_can_have_are_its_own_fault_and_the_next_program_is_not_touched() {
    for length in [3 << 20, 5 << 20] {
        let mut bench = Bench::shell("exit 0", WIDE);
        bench.execution.arguments = vec!["x".repeat(length)];
        let ended = bench.run(Behind::All);
        assert!(matches!(ended.outcome, Outcome::NotRunnable(_)), "{length}: {}", ended.outcome);
    }
    check(&Bench::shell("exit 0", WIDE), Behind::All, &Outcome::Succeeded);
}

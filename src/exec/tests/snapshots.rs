//! Programs that are saved, and go on elsewhere as if nothing had happened.

use super::{Bench, WIDE, engine, example, text};
use crate::exec::{Control, Ended, Saved, Snapshot, Whole, check_snapshots};
use proto::message::service::{CheckpointMethod, Limits, Outcome};
use proto::{Bytes, Cycles, Hash};
use std::path::Path;

/// Files by their names.
type Files = Vec<(String, Vec<u8>)>;

/// What of an end does not depend on when it was.
fn what(ended: Ended, files: Files) -> (Outcome, [Vec<u8>; 2], Files) {
    (ended.outcome, [ended.stdout, ended.stderr], files)
}

/// The files at the top of a directory.
fn files(root: &Path) -> Files {
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
    };
    let mut files: Files = entries.filter(|path| path.is_file()).map(read).collect();
    files.sort();
    files
}

/// A bench with the inputs of `check`.
fn bench(program: &[u8], arguments: &[&str]) -> Bench {
    let bench = Bench::new(program, arguments, WIDE);
    for (name, content) in [("input", &b"content"[..]), ("other", b"")] {
        bench.scratch.place(name, &bench.file(name, content)).unwrap();
    }
    bench
}

/// Runs a program undisturbed, and suspended at every look at it, each time in a fresh scratch directory; holds both
/// ends against each other. Gives the number of snapshots.
fn check(program: &[u8], arguments: &[&str]) -> u32 {
    let alone = bench(program, arguments);
    let expected = alone.run();
    let cycles = expected.cycles;
    let expected = what(expected, files(alone.scratch.path()));
    let (mut sum, mut snapshots, mut resume) = (Cycles(0), 0, Vec::new());
    loop {
        let mut bench = bench(program, arguments);
        bench.execution.resume = resume.iter().map(|bytes: &Vec<u8>| bench.file("snapshot", bytes)).collect();
        let control = Control::default();
        control.suspend();
        let mut ended = engine().run(&bench.execution, &control);
        sum = Cycles(sum.0 + ended.cycles.0);
        let Some(Saved::Snapshot(snapshot)) = ended.saved.take() else {
            assert_eq!((what(ended, files(bench.scratch.path())), sum), (expected, cycles));
            return snapshots;
        };
        assert_eq!(snapshot.cycles, sum);
        snapshots += 1;
        resume = vec![snapshot.bytes];
    }
}

#[test]
fn examples_that_are_suspended_at_every_look_come_to_the_same() {
    assert!(check(&example("queens/queens.wasm"), &["8", "3"]) > 5);
    assert!(check(&example("options/options.wasm"), &["7", "1000"]) > 5);
}

/// A program with everything that has a state: memory, globals, frames, descriptors with offsets, a file without a name, a
/// listing, clocks, random numbers and output.
fn everything() -> Vec<u8> {
    wat::parse_str(
        r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (memory (export "memory") 2 10)
        (data (i32.const 0) "input")
        (data (i32.const 8) "fresh")
        (global $turns (mut i32) (i32.const 0))
        (global $sum (mut f64) (f64.const 0.5))
        (func $must (param i32) (if (local.get 0) (then unreachable)))
        ;; Writes $length bytes at $at to $fd.
        (func $put (param $fd i32) (param $at i32) (param $length i32)
            (i32.store (i32.const 100) (local.get $at))
            (i32.store (i32.const 104) (local.get $length))
            (call $must (call $write (local.get $fd) (i32.const 100) (i32.const 1) (i32.const 108))))
        (func $deep (param $left i32) (result i32)
            (if (result i32) (local.get $left)
                (then (i32.add (call $deep (i32.sub (local.get $left) (i32.const 1))) (local.get $left)))
                (else
                    (call $must (call $random (i32.const 200) (i32.const 5)))
                    (i32.load8_u (i32.const 200)))))
        (func (export "_start") (local $kept i64)
            (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 0)
                (i64.const 0x6) (i64.const 0) (i32.const 0) (i32.const 96)))
            (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 5) (i32.const 1)
                (i64.const 0x46) (i64.const 0) (i32.const 0) (i32.const 96)))
            (call $must (call $unlink (i32.const 3) (i32.const 8) (i32.const 5)))
            (drop (memory.grow (i32.const 1)))
            (loop $more
                (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
                (local.set $kept (i64.add (i64.mul (local.get $kept) (i64.const 31))
                    (i64.extend_i32_u (call $deep (i32.const 50)))))
                (global.set $sum (f64.div (f64.add (global.get $sum) (f64.convert_i64_s (local.get $kept))) (f64.const 3)))
                (i64.store (i32.const 140000) (i64.add (i64.load (i32.const 140000)) (local.get $kept)))
                (call $put (i32.const 6) (i32.const 140000) (i32.const 8))
                (call $must (call $time (i32.const 0) (i64.const 1) (i32.const 300)))
                (call $put (i32.const 1) (i32.const 300) (i32.const 8))
                (i32.store (i32.const 100) (i32.const 400))
                (i32.store (i32.const 104) (i32.const 1))
                (call $must (call $read (i32.const 5) (i32.const 100) (i32.const 1) (i32.const 108)))
                (call $put (i32.const 2) (i32.const 400) (i32.const 1))
                (call $must (call $list (i32.const 3) (i32.const 500) (i32.const 40)
                    (i64.extend_i32_u (i32.rem_u (global.get $turns) (i32.const 4))) (i32.const 600)))
                (call $put (i32.const 1) (i32.const 500) (i32.load (i32.const 600)))
                (br_if $more (i32.lt_u (global.get $turns) (i32.const 9))))
            (call $must (call $seek (i32.const 6) (i64.const 0) (i32.const 0) (i32.const 300)))
            (i32.store (i32.const 100) (i32.const 1000))
            (i32.store (i32.const 104) (i32.const 100))
            (call $must (call $read (i32.const 6) (i32.const 100) (i32.const 1) (i32.const 108)))
            (call $put (i32.const 1) (i32.const 1000) (i32.load (i32.const 108)))
            (f64.store (i32.const 300) (global.get $sum))
            (call $put (i32.const 1) (i32.const 300) (i32.const 8))))"#,
    )
    .unwrap()
}

#[test]
fn whatever_has_a_state_is_saved() {
    assert!(check(&everything(), &[]) > 60);
    let ended = bench(&everything(), &[]).run();
    assert_eq!((ended.outcome, ended.stderr), (Outcome::Succeeded, b"contenttt".to_vec()));
}

/// A program that fills 64 pieces of memory and then goes over some of them in 60 turns of some five million cycles each:
/// one piece is written in each turn, one is cleared, and the memory grows. In the end it prints the sum of all.
fn wandering() -> Vec<u8> {
    wat::parse_str(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 4)
        (func (export "_start") (local $turn i32) (local $left i32) (local $at i32) (local $sum i64)
            (loop $fill
                (i64.store (local.get $at) (i64.extend_i32_u (i32.add (local.get $at) (i32.const 1))))
                (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 262144))))
            (loop $more
                (local.set $left (i32.const 1000000))
                (loop $spin (br_if $spin (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
                (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
                (i32.store (i32.rem_u (i32.mul (local.get $turn) (i32.const 28672)) (i32.const 262144)) (local.get $turn))
                (if (i32.eq (local.get $turn) (i32.const 20))
                    (then (memory.fill (i32.const 8192) (i32.const 0) (i32.const 4096))))
                (if (i32.eq (local.get $turn) (i32.const 30))
                    (then (i32.store (i32.shl (memory.grow (i32.const 1)) (i32.const 16)) (i32.const 7))))
                (br_if $more (i32.lt_u (local.get $turn) (i32.const 60))))
            (local.set $at (i32.const 0))
            (loop $add
                (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $at))))
                (br_if $add (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
                    (i32.shl (memory.size) (i32.const 16)))))
            (i64.store (i32.const 8) (local.get $sum))
            (i32.store (i32.const 0) (i32.const 8))
            (i32.store (i32.const 4) (i32.const 8))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#,
    )
    .unwrap()
}

/// Begins a program, or goes on from `files`; has it saved whole and then, a moment later, as a difference to that, and
/// stops it. The end, if it came to one before.
fn saved_twice(bench: &mut Bench, files: &[Vec<u8>]) -> Result<[Snapshot; 2], Box<Ended>> {
    let names = ["first", "second"].into_iter();
    bench.execution.resume = names.zip(files).map(|(name, bytes)| bench.file(name, bytes)).collect();
    let control = Control::default();
    std::thread::scope(|scope| {
        let mut asked = control.snapshot(None);
        let run = scope.spawn(|| engine().run(&bench.execution, &control));
        let mut both = Vec::new();
        while !run.is_finished() {
            let Ok(snapshot) = asked.try_recv() else {
                std::thread::yield_now();
                continue;
            };
            let whole = Whole { hash: snapshot.hash, most: Bytes(u64::MAX) };
            both.push(snapshot);
            if both.len() == 2 {
                control.stop();
                break;
            }
            asked = control.snapshot(Some(whole));
        }
        let ended = run.join().unwrap();
        both.try_into().map_err(|_| Box::new(ended))
    })
}

#[test]
fn a_program_that_goes_on_from_differences_comes_to_the_same() {
    let alone = Bench::new(&wandering(), &[], WIDE).run();
    assert_eq!(alone.outcome, Outcome::Succeeded);
    let (mut files, mut done, mut differences) = (Vec::new(), Cycles(0), 0);
    loop {
        let [whole, next] = match saved_twice(&mut Bench::new(&wandering(), &[], WIDE), &files) {
            Ok(both) => both,
            Err(ended) => {
                assert_eq!((ended.outcome, &ended.stdout), (Outcome::Succeeded, &alone.stdout));
                assert_eq!(done.0 + ended.cycles.0, alone.cycles.0);
                break;
            }
        };
        assert_eq!(whole.base, None);
        done = next.cycles;
        files = match next.base {
            Some(base) => {
                assert_eq!(base, whole.hash);
                assert!(next.bytes.len() < whole.bytes.len());
                differences += 1;
                vec![whole.bytes, next.bytes]
            }
            None => vec![next.bytes],
        };
    }
    assert!(differences > 0);
}

#[test]
fn a_difference_is_of_use_with_its_whole_one_only() {
    let bench = || Bench::new(&wandering(), &[], WIDE);
    // Until it has filled its memory, a difference does not pay.
    let mut files = Vec::new();
    let [whole, difference] = loop {
        let both = saved_twice(&mut bench(), &files).unwrap();
        if both[1].base.is_some() {
            break both;
        }
        files = vec![both[1].bytes.clone()];
    };
    let [other, _] = saved_twice(&mut bench(), &[whole.bytes.clone(), difference.bytes.clone()]).unwrap();
    let why = "it is a difference to another state than was found";
    let [whole, difference, other] = [whole, difference, other].map(|snapshot| snapshot.bytes);
    let program = bench().execution.program_hash;
    for files in
        [vec![&difference], vec![&other, &difference], vec![&whole, &other], vec![&difference, &whole]]
    {
        let files: Vec<Vec<u8>> = files.into_iter().cloned().collect();
        let ended = saved_twice(&mut bench(), &files).unwrap_err();
        assert_eq!(ended.outcome, Outcome::NotResumed(why.into()));
        assert_eq!(check_snapshots(program, &files, WIDE), Err(why.into()));
    }
    assert_eq!(check_snapshots(program, &[whole, difference], WIDE), Ok(()));
}

/// Spins for some 50 million cycles and then says so.
fn spinning() -> Vec<u8> {
    let write =
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;
    text(
        write,
        "(local $left i32) (local.set $left (i32.const 10000000))
        (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (i32.store (i32.const 4) (i32.const 8))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))",
    )
}

#[test]
fn a_snapshot_disturbs_nobody_and_goes_on_elsewhere() {
    let (expected, control) = (Bench::new(&spinning(), &[], WIDE).run(), Control::default());
    let asked = control.snapshot(None);
    let ended = engine().run(&Bench::new(&spinning(), &[], WIDE).execution, &control);
    assert_eq!(
        (&ended.outcome, &ended.stdout, ended.cycles),
        (&Outcome::Succeeded, &expected.stdout, expected.cycles)
    );
    assert_eq!(ended.saved, None);
    let snapshot = asked.blocking_recv().unwrap();
    assert!(snapshot.cycles > Cycles(0) && snapshot.cycles < ended.cycles);

    let mut elsewhere = Bench::new(&spinning(), &[], WIDE);
    elsewhere.execution.resume = vec![elsewhere.file("snapshot", &snapshot.bytes)];
    let rest = elsewhere.run();
    assert_eq!((&rest.outcome, &rest.stdout), (&Outcome::Succeeded, &expected.stdout));
    assert_eq!(rest.cycles.0 + snapshot.cycles.0, expected.cycles.0);
}

#[test]
fn who_asks_too_late_gets_nothing() {
    let control = Control::default();
    let ended = engine().run(&Bench::new(&text("", ""), &[], WIDE).execution, &control);
    let asked = control.snapshot(None);
    drop(control);
    assert_eq!((ended.outcome, asked.blocking_recv().is_err()), (Outcome::Succeeded, true));
}

#[test]
fn a_program_that_stands_still_is_saved_as_it_stands() {
    let bench = Bench::new(&example("faults/spin.wasm"), &[], Limits { cycles: Cycles(u64::MAX), ..WIDE });
    let control = Control::default();
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine().run(&bench.execution, &control));
        while control.cycles() < Cycles::mega(5) {
            std::thread::yield_now();
        }
        control.pause();
        while !control.is_standing() {
            std::thread::yield_now();
        }
        let cycles = control.cycles();
        let snapshots = [(); 2].map(|()| control.snapshot(None).blocking_recv().unwrap());
        assert_eq!(snapshots.map(|snapshot| snapshot.cycles), [cycles; 2]);
        control.suspend();
        run.join().unwrap()
    });
    let Some(Saved::Snapshot(snapshot)) = ended.saved else { panic!("{:?}", ended.outcome) };
    assert_eq!(snapshot.cycles, ended.cycles);
}

#[test]
fn what_is_no_snapshot_of_this_program_is_refused() {
    let control = Control::default();
    control.suspend();
    let Some(Saved::Snapshot(good)) =
        engine().run(&Bench::new(&spinning(), &[], WIDE).execution, &control).saved
    else {
        panic!("not saved")
    };
    let other = text("", "(nop)");
    let mut flipped = good.bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut newer = good.bytes.clone();
    newer[8] = 9;
    let cut = good.bytes[..good.bytes.len() - 1].to_vec();
    for (program, bytes, why) in [
        (&other, good.bytes.clone(), "it is of another program"),
        (&spinning(), flipped, "it does not have the hash that it names"),
        (&spinning(), newer, "it has version 9, here is 2"),
        (&spinning(), cut, "it does not have the hash that it names"),
        (&spinning(), b"PK\x03\x04".repeat(20), "it is no snapshot of a WebAssembly program"),
        (&spinning(), Vec::new(), "it cannot be read to its end: failed to fill whole buffer"),
    ] {
        let mut bench = Bench::new(program, &[], WIDE);
        bench.execution.resume = vec![bench.file("snapshot", &bytes)];
        let ended = bench.run();
        assert_eq!((ended.outcome, ended.cycles), (Outcome::NotResumed(why.into()), Cycles(0)));
        // Who pays for it reads it without the program, and finds the same.
        assert_eq!(check_snapshots(bench.execution.program_hash, &[bytes], WIDE), Err(why.into()));
    }
    let whole = |limits| check_snapshots(Hash::of(&spinning()), std::slice::from_ref(&good.bytes), limits);
    assert_eq!(whole(WIDE), Ok(()));
    let small = Limits { memory: Bytes(65_535), ..WIDE };
    assert_eq!(whole(small), Err("its memory or its files are larger than they may be".into()));
    let mut bench = Bench::new(&spinning(), &[], small);
    bench.execution.resume = vec![bench.file("snapshot", &good.bytes)];
    assert_eq!(bench.run().outcome, Outcome::MemoryLimit(Bytes(65_535)));
}

#[test]
fn a_program_that_saves_itself_ends_with_the_status_agreed_on_and_its_files() {
    let exit = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    let program = text(exit, "(call $exit (i32.const 85))");
    let saving = |files: &[&str]| {
        let files = files.iter().map(ToString::to_string).collect();
        Some(CheckpointMethod::BySelf { exit_code: 85, files })
    };
    for (checkpoint, outcome, saved) in [
        (None, Outcome::Exited(85), None),
        (saving(&[]), Outcome::Exited(85), Some(Saved::Files)),
        (saving(&["state"]), Outcome::Exited(85), Some(Saved::Files)),
        (saving(&["state", "more"]), Outcome::OutputMissing("more".into()), None),
    ] {
        let mut bench = Bench::new(&program, &[], WIDE).outputs(&["result.txt"]);
        bench.scratch.place("state", &bench.file("state", b"")).unwrap();
        bench.execution.checkpoint = checkpoint;
        let ended = bench.run();
        assert_eq!((ended.outcome, ended.saved), (outcome, saved));
    }
}

#[test]
fn the_status_that_means_success_is_the_jobs() {
    for (success, program, outcome) in [
        (3, example("faults/exit3.wasm"), Outcome::Succeeded),
        (3, text("", ""), Outcome::Exited(0)),
        (0, text("", ""), Outcome::Succeeded),
    ] {
        let mut bench = Bench::new(&program, &[], WIDE);
        bench.execution.success = success;
        assert_eq!(bench.run().outcome, outcome);
    }
}

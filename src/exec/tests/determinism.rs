//! The same program does the same everywhere.

use super::{Bench, WIDE, check, example};
use proto::Cycles;
use proto::message::service::Outcome;

/// Runs a program twice, in two directories, and compares all that can be compared.
fn twice(program: &[u8], arguments: &[&str], file: &str) -> (Cycles, String) {
    let [one, other] = [(); 2].map(|()| {
        let bench = Bench::new(program, arguments, WIDE).outputs(&[file]);
        let ended = bench.run();
        let content = std::fs::read_to_string(bench.scratch.path().join(file)).unwrap();
        (ended.outcome, ended.cycles, ended.stdout, ended.stderr, content)
    });
    assert_eq!(one, other);
    assert_eq!(one.0, Outcome::Succeeded);
    (one.1, one.4)
}

#[test]
fn the_same_run_costs_the_same_cycles_and_writes_the_same_bytes() {
    let (cycles, count) = twice(&example("queens/queens.wasm"), &["10", "4"], "count.txt");
    assert_eq!((cycles, count.as_str()), (Cycles(220_861), "10 4 92\n"));
    let (cycles, _) = twice(&example("options/options.wasm"), &["7", "1000"], "result.txt");
    assert_eq!(cycles, Cycles(18_884_567));
}

/// A program that writes `length` bytes of what `calls` left at address 0 to standard output.
fn show(calls: &str, length: u32) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") {calls}
            (i32.store (i32.const 4000) (i32.const 0))
            (i32.store (i32.const 4004) (i32.const {length}))
            (drop (call $write (i32.const 1) (i32.const 4000) (i32.const 1) (i32.const 4008)))))"#
    ))
    .unwrap()
}

#[test]
fn clocks_start_at_the_same_moment_and_move_by_themselves() {
    let calls = "(drop (call $time (i32.const 0) (i64.const 1) (i32.const 0)))
        (drop (call $time (i32.const 1) (i64.const 1) (i32.const 8)))
        (drop (call $time (i32.const 0) (i64.const 1) (i32.const 16)))";
    let ended = check(&show(calls, 24), WIDE, &Outcome::Succeeded);
    let times: Vec<_> =
        ended.stdout.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(times, [1_767_225_600_000_001_000, 2_000, 1_767_225_600_000_003_000]);
}

#[test]
fn random_numbers_are_the_same_stream() {
    let ended =
        check(&show("(drop (call $random (i32.const 0) (i32.const 8)))", 8), WIDE, &Outcome::Succeeded);
    // ChaCha8 with a key and a nonce of zeros: 3e00ef2f 895f40d6 7f5bb8e8 …
    assert_eq!(ended.stdout, [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
}

#[test]
fn a_directory_is_listed_by_names_with_numbers_in_their_order() {
    let listing =
        "(drop (call $list (i32.const 3) (i32.const 0) (i32.const 1000) (i64.const 0) (i32.const 2000)))";
    let bench = Bench::new(&show(listing, 24 * 6 + 15), &[], WIDE);
    for name in ["zoo", "b", "a", "inner/x"] {
        bench.scratch.place(name, &bench.file("source", b"content")).unwrap();
    }
    let ended = bench.run();
    assert_eq!(ended.outcome, Outcome::Succeeded);
    let mut rest = ended.stdout.as_slice();
    let mut entries = Vec::new();
    while rest.len() > 24 {
        let word = |at: usize| u64::from_le_bytes(rest[at..at + 8].try_into().unwrap());
        let length = usize::try_from(word(16) & 0xffff_ffff).unwrap();
        let name = String::from_utf8(rest[24..24 + length].to_vec()).unwrap();
        entries.push((word(0), word(8), rest[20], name));
        rest = &rest[24 + length..];
    }
    let entry = |next, number, kind, name: &str| (next, number, kind, name.to_string());
    assert_eq!(
        entries,
        [
            entry(1, 1, 3, "."),
            entry(2, 1, 3, ".."),
            entry(3, 2, 4, "a"),
            entry(4, 3, 4, "b"),
            entry(5, 4, 3, "inner"),
            entry(6, 5, 4, "zoo"),
        ]
    );
}

#[test]
fn files_have_the_times_of_the_start() {
    let ended =
        check(&show("(drop (call $stat (i32.const 3) (i32.const 0)))", 64), WIDE, &Outcome::Succeeded);
    let words: Vec<_> =
        ended.stdout.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!((words[1], &words[5..]), (1, &[1_767_225_600_000_000_000; 3][..]));
}

#[test]
fn every_program_gets_the_same_variables_and_its_own_over_them() {
    let mut bench = Bench::new(&show("(drop (call $environ (i32.const 2000) (i32.const 0)))", 91), &[], WIDE);
    bench.execution.environment = vec![("TZ".into(), "CET".into()), ("SEED".into(), "7".into())];
    let ended = bench.run();
    assert_eq!(
        String::from_utf8(ended.stdout).unwrap(),
        "COMPUP2P_NCPUS=1\0HOME=/\0LC_ALL=C.UTF-8\0SEED=7\0SOURCE_DATE_EPOCH=1767225600\0TMPDIR=/\0TZ=CET\0"
    );
}

#[test]
fn arguments_and_standard_input_arrive() {
    let bench =
        Bench::new(&show("(drop (call $args (i32.const 2000) (i32.const 0)))", 14), &["one", ""], WIDE);
    assert_eq!(String::from_utf8(bench.run().stdout).unwrap(), "program\0one\0\0\0");

    let read = "(i32.store (i32.const 4000) (i32.const 0)) (i32.store (i32.const 4004) (i32.const 100))
        (drop (call $read (i32.const 0) (i32.const 4000) (i32.const 1) (i32.const 8)))";
    let mut bench = Bench::new(&show(read, 12), &[], WIDE);
    bench.execution.stdin = Some(bench.file("stdin", b"hello"));
    assert_eq!(bench.run().stdout, b"hello\0\0\0\x05\0\0\0");
    bench.execution.stdin = None;
    assert_eq!(bench.run().stdout, [0; 12]);
}

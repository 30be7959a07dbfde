//! Ends at a limit.

use super::{Bench, WIDE, check, example, text};
use proto::message::service::{Limits, Outcome};
use proto::{Bytes, Cycles};

#[test]
fn a_program_gets_exactly_its_cycles() {
    let spin = example("faults/spin.wasm");
    for cycles in [0, 1, 499_999, 500_000, 500_001, 12_345_678].map(Cycles) {
        let ended = check(&spin, Limits { cycles, ..WIDE }, &Outcome::CycleLimit(cycles));
        assert_eq!(ended.cycles, cycles);
    }
}

#[test]
fn the_cycles_of_a_program_are_enough_for_it_and_one_less_is_not() {
    let program = example("queens/queens.wasm");
    let run = |cycles| {
        let ended = Bench::new(&program, &["8", "3"], Limits { cycles, ..WIDE }).run();
        (ended.outcome, ended.cycles)
    };
    let (outcome, needed) = run(WIDE.cycles);
    assert_eq!(outcome, Outcome::Succeeded);
    // Fuel is looked at where a function begins or a loop turns, so a few cycles at the end may pass unchecked.
    assert_eq!(run(Cycles(needed.0 + 1)), (Outcome::Succeeded, needed));
    let short = Cycles(needed.0 - 1_000);
    assert_eq!(run(short), (Outcome::CycleLimit(short), short));
}

#[test]
fn bulk_instructions_cost_what_they_move() {
    let fill = text("", "(memory.fill (i32.const 0) (i32.const 1) (i32.const 60000))");
    let ended = check(&fill, WIDE, &Outcome::Succeeded);
    assert_eq!(ended.cycles, Cycles(7_512));
}

#[test]
fn memory_beyond_the_limit_is_denied_and_blamed() {
    let hog = example("faults/hog.wasm");
    let memory = Bytes::mib(16);
    let ended = check(&hog, Limits { memory, ..WIDE }, &Outcome::MemoryLimit(memory));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("refused after 1"), "{:?}", ended.stdout);

    let large = wat::parse_str("(module (memory 2) (func (export \"_start\")))").unwrap();
    for (memory, expected) in [
        (Bytes(131_072), Outcome::Succeeded),
        (Bytes(131_071), Outcome::MemoryLimit(Bytes(131_071))),
        (Bytes(0), Outcome::MemoryLimit(Bytes(0))),
    ] {
        check(&large, Limits { memory, ..WIDE }, &expected);
    }
}

#[test]
fn memory_is_blamed_only_for_failures_and_only_if_the_limit_was_met() {
    let memory = Bytes(65_536);
    let trap_after = |grow: &str| text("", &format!("(drop (memory.grow (i32.const {grow}))) unreachable"));
    let trapped = Outcome::Trapped("unreachable executed".into());
    check(&trap_after("1"), Limits { memory, ..WIDE }, &Outcome::MemoryLimit(memory));
    check(&trap_after("0"), Limits { memory, ..WIDE }, &trapped);
    check(&trap_after("65536"), Limits { memory, ..WIDE }, &trapped);
    check(&text("", "(drop (memory.grow (i32.const 1)))"), Limits { memory, ..WIDE }, &Outcome::Succeeded);
    let own = wat::parse_str(
        "(module (memory 1 1) (func (export \"_start\") (drop (memory.grow (i32.const 1))) unreachable))",
    );
    check(&own.unwrap(), Limits { memory, ..WIDE }, &trapped);
}

#[test]
fn disk_beyond_the_limit_ends_the_program_at_the_write() {
    let disk = Bytes::mib(3);
    let bench = Bench::new(&example("faults/bigfile.wasm"), &[], Limits { disk, ..WIDE });
    let ended = bench.run();
    assert_eq!(ended.outcome, Outcome::DiskLimit(disk));
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "wrote 1 MiB\nwrote 2 MiB\n");
    let size = bench.scratch.path().join("big.dat").metadata().unwrap().len();
    assert_eq!(size, disk.0);
}

#[test]
fn inputs_count_for_the_disk_limit() {
    let program = example("faults/nofile.wasm");
    for (disk, expected) in [(Bytes(1_000), Outcome::Succeeded), (Bytes(999), Outcome::DiskLimit(Bytes(999)))]
    {
        let bench = Bench::new(&program, &[], Limits { disk, ..WIDE });
        bench.scratch.place("in/put", &bench.file("source", &[1; 1_000])).unwrap();
        assert_eq!(bench.run().outcome, expected);
    }
}

/// Opens `f` (descriptor 5) and leaves the descriptor in `$f`, then does `body`.
fn with_file(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $resize (param i32 i64) (result i32)))
        (memory (export "memory") 2)
        (data (i32.const 0) "f")
        (data (i32.const 16) "\00\00\01\00\00\80\00\00") ;; 32 KiB from the second page
        (global $count (mut i32) (i32.const 0))
        (func $try (result i32)
            (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)
                (i64.const 0x7f) (i64.const 0) (i32.const 0) (i32.const 32)))
        (func $f (result i32) (i32.load (i32.const 32)))
        (func $put (result i32) (call $write (call $f) (i32.const 16) (i32.const 1) (i32.const 36)))
        (func (export "_start") {body}))"#
    ))
    .unwrap()
}

#[test]
fn a_file_without_a_name_still_counts() {
    let disk = Bytes::mib(1);
    let program = with_file(
        "(drop (call $try)) (drop (call $unlink (i32.const 3) (i32.const 0) (i32.const 1)))
        (loop $more (drop (call $put)) (br $more))",
    );
    let ended = check(&program, Limits { disk, cycles: Cycles::mega(1), ..WIDE }, &Outcome::DiskLimit(disk));
    assert_eq!(ended.cycles, Cycles(719));
}

#[test]
fn a_hole_is_no_way_around_the_disk_limit() {
    let disk = Bytes::mib(1);
    for (size, expected) in [(disk.0, Outcome::Succeeded), (disk.0 + 1, Outcome::DiskLimit(disk))] {
        let body = format!("(drop (call $try)) (drop (call $resize (call $f) (i64.const {size})))");
        check(&with_file(&body), Limits { disk, ..WIDE }, &expected);
    }
}

#[test]
fn the_node_keeps_descriptors_for_itself() {
    // Opens until it is refused; traps unless that was 33 (too many open files) after 123 = 128 - 5 files.
    let program = with_file(
        "(local $code i32)
        (loop $more
            (local.set $code (call $try))
            (if (i32.eqz (local.get $code)) (then
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (br $more))))
        (if (i32.ne (local.get $code) (i32.const 33)) (then unreachable))
        (if (i32.ne (global.get $count) (i32.const 123)) (then unreachable))",
    );
    check(&program, WIDE, &Outcome::Succeeded);
}

#[test]
fn output_beyond_the_limit_ends_the_program() {
    let output = Bytes(1_000);
    let ended =
        check(&example("faults/chatter.wasm"), Limits { output, ..WIDE }, &Outcome::OutputLimit(output));
    assert_eq!(ended.stdout.len(), 1_000);
    assert!(ended.stdout.starts_with(b"line 1 of no end of lines\nline 2 of"));
    let say = Limits { output: Bytes(14), ..WIDE };
    check(&example("faults/exit3.wasm"), say, &Outcome::Exited(3));
    let say = Limits { output: Bytes(13), ..WIDE };
    let ended = check(&example("faults/exit3.wasm"), say, &Outcome::OutputLimit(Bytes(13)));
    assert_eq!(ended.stderr, b"about to fail");
}

#[test]
fn directories_are_bounded() {
    // Makes a/, a/a/, a/a/a/ … until it is refused; traps unless that was 51 (no space) after 1,000.
    let program = with_file(
        "(local $code i32) (local $length i32)
        (memory.fill (i32.const 65536) (i32.const 47) (i32.const 8192))
        (loop $more
            (i32.store8 (i32.add (i32.const 65536) (local.get $length)) (i32.const 97))
            (local.set $length (i32.add (local.get $length) (i32.const 2)))
            (local.set $code (call $mkdir (i32.const 3) (i32.const 65536) (local.get $length)))
            (if (i32.eqz (local.get $code)) (then
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (br $more))))
        (if (i32.ne (local.get $code) (i32.const 51)) (then unreachable))
        (if (i32.ne (global.get $count) (i32.const 1000)) (then unreachable))",
    );
    check(&program, WIDE, &Outcome::Succeeded);
}

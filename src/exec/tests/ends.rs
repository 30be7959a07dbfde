//! Ends that are the program's own doing.

use super::{Bench, WIDE, check, example, text};
use proto::message::service::Outcome;
use proto::{Cycles, Hash};

#[test]
fn an_empty_program_succeeds() {
    let ended = check(&text("", ""), WIDE, &Outcome::Succeeded);
    assert_eq!((ended.cycles, ended.stdout, ended.stderr), (Cycles(1), Vec::new(), Vec::new()));
}

#[test]
fn a_program_that_returns_and_one_that_exits_with_zero_both_succeed() {
    let exit = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    for (status, expected) in [
        ("0", Outcome::Succeeded),
        ("3", Outcome::Exited(3)),
        ("126", Outcome::Exited(126)),
        ("255", Outcome::Exited(255)),
        ("-1", Outcome::Exited(-1)),
    ] {
        check(&text(exit, &format!("(call $exit (i32.const {status}))")), WIDE, &expected);
    }
}

#[test]
fn what_a_failing_program_says_is_kept() {
    let ended = check(&example("faults/exit3.wasm"), WIDE, &Outcome::Exited(3));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "about to fail\n");
}

#[test]
fn traps_are_told_in_plain_words() {
    let trapped = |words: &str| Outcome::Trapped(words.into());
    check(&example("faults/trap.wasm"), WIDE, &trapped("unreachable executed"));
    for (body, words) in [
        ("unreachable", "unreachable executed"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divided by zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "integer overflow"),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", "number does not fit into an integer"),
        ("(drop (i32.load (i32.const 65536)))", "memory accessed out of bounds"),
        ("(i64.store (i32.const -4) (i64.const 1))", "memory accessed out of bounds"),
    ] {
        check(&text("", body), WIDE, &trapped(words));
    }
    for (module, words) in [
        ("(module (func $f (export \"_start\") (call $f)))", "call stack exhausted"),
        (
            "(module (table 1 funcref) (func (export \"_start\") (call_indirect (i32.const 0))))",
            "function called through an empty table entry",
        ),
        (
            "(module (table 1 funcref) (func (export \"_start\") (call_indirect (i32.const 7))))",
            "table accessed out of bounds",
        ),
    ] {
        check(&wat::parse_str(module).unwrap(), WIDE, &trapped(words));
    }
}

#[test]
fn what_cannot_be_run_is_told_from_what_fails() {
    let module = |text: &str| wat::parse_str(text).unwrap();
    for (program, why) in [
        (
            b"\x7fELF\x02\x01\x01".to_vec(),
            "the file starts with 7f 45 4c 46 (an ELF program), not with a WebAssembly module",
        ),
        (module("(component)"), "the file is a WebAssembly component, not a core module (WASI preview 1)"),
        (module("(module)"), "it has no `_start` function: not a command module of WASI preview 1"),
        (
            module("(module (func (export \"_start\") (param i32)))"),
            "its `_start` is not a function without parameters and results",
        ),
        (
            module("(module (import \"env\" \"dial\" (func)) (func (export \"_start\")))"),
            "unknown import: `env::dial` has not been defined",
        ),
        (
            module("(module (memory i64 1) (func (export \"_start\")))"),
            "the module uses 64-bit memories or tables, which is not supported here; build it without",
        ),
    ] {
        check(&program, WIDE, &Outcome::NotRunnable(why.into()));
    }
    let mut broken = text("", "");
    broken.truncate(20);
    let Outcome::NotRunnable(why) = Bench::new(&broken, &[], WIDE).run().outcome else { panic!("it ran") };
    assert!(why.contains("unexpected end"), "{why}");
}

#[test]
fn a_program_that_is_not_what_it_was_named_is_not_run() {
    let mut bench = Bench::new(&text("", "(nop)"), &[], WIDE);
    bench.execution.program_hash = Hash([7; 32]);
    let why = "the program does not have the hash it was named by";
    assert_eq!(bench.run().outcome, Outcome::NotFetched(why.into()));
}

#[test]
fn a_declared_output_has_to_be_there() {
    let missing = |name: &str| Outcome::OutputMissing(name.into());
    let bench = Bench::new(&example("faults/nofile.wasm"), &[], WIDE).outputs(&["result.txt"]);
    assert_eq!(bench.run().outcome, missing("result.txt"));

    let bench = Bench::new(&example("faults/slow.wasm"), &["1"], WIDE).outputs(&["sum.txt"]);
    assert_eq!(bench.run().outcome, Outcome::Succeeded);
    let sum = std::fs::read_to_string(bench.scratch.output("sum.txt").unwrap()).unwrap();
    assert!(sum.starts_with("1 "), "{sum}");
}

#[test]
fn a_host_call_without_memory_is_a_trap() {
    let module = r#"(module (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
        (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))))"#;
    let Outcome::Trapped(why) = Bench::new(&wat::parse_str(module).unwrap(), &[], WIDE).run().outcome else {
        panic!("it wrote")
    };
    assert!(why.contains("without having a memory"), "{why}");
}

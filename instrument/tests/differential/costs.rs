//! What things cost, to the cycle.

use crate::machine::{Program, When};
use wasmtime::Val;

/// The cycles of `run`, from its entry to its end.
fn check(text: &str, values: &[Val], cycles: i64) {
    let mut program = Program::new(format!("(module {text})").as_bytes()).call("run", values);
    program.slice = 1 << 40;
    assert_eq!(program.rewritten(When::Never).0.cycles, cycles, "{text}");
    program.slice = 0;
    assert_eq!(program.rewritten(When::Never).0.cycles, cycles, "polled: {text}");
    assert_eq!(program.rewritten(When::Always(u64::MAX)).0.cycles, cycles, "interrupted: {text}");
}

#[test]
fn instructions_cost_what_the_table_says() {
    check("(func (export \"run\"))", &[], 1);
    check("(func (export \"run\") nop block end i32.const 1 drop)", &[], 2);
    check("(func (export \"run\") (result i32) i32.const 1 i32.const 2 i32.add)", &[], 4);
    check("(func (export \"run\") (result i32) i32.const 6 i32.const 2 i32.div_u)", &[], 11);
    check("(func (export \"run\") (result f64) f64.const 6 f64.sqrt)", &[], 10);
    check("(func $f) (func (export \"run\") call $f call $f)", &[], 11);
    check(
        "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f) (func (export \"run\") i32.const 0 call_indirect (type $t))",
        &[],
        11,
    );
    check("(memory 1) (func (export \"run\") i32.const 0 i32.const 1 i32.const 23 memory.fill)", &[], 14);
    check("(memory 1) (func (export \"run\") (result i32) i32.const 0 memory.grow)", &[], 1002);
}

#[test]
fn only_what_is_executed_costs() {
    let conditional = "(func (export \"run\") (param i32) local.get 0 if i32.const 1 i32.const 1 i32.add drop else nop end i32.const 1 drop)";
    check(conditional, &[Val::I32(1)], 1 + 2 + 3 + 1);
    check(conditional, &[Val::I32(0)], 1 + 2 + 1);
    let exit =
        "(func (export \"run\") (param i32) block local.get 0 br_if 0 i32.const 1 drop end i32.const 2 drop)";
    check(exit, &[Val::I32(1)], 1 + 2 + 1);
    check(exit, &[Val::I32(0)], 1 + 2 + 1 + 1);
    let table =
        "(func (export \"run\") (param i32) block block local.get 0 br_table 0 1 end i32.const 1 drop end)";
    check(table, &[Val::I32(0)], 1 + 2 + 1);
    check(table, &[Val::I32(7)], 1 + 2);
}

#[test]
fn a_turn_of_a_loop_costs_one_more_than_its_instructions() {
    let count =
        "(func (export \"run\") (param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)";
    check(count, &[Val::I32(1)], 1 + 6);
    check(count, &[Val::I32(1000)], 1 + 6 * 1000);
}

#[test]
fn what_comes_before_a_trap_is_charged_up_to_the_last_call_poll_or_return() {
    let text = "(func $f) (func (export \"run\") (result i32) call $f i32.const 1 i32.const 0 i32.div_u)";
    check(text, &[], 1 + 4 + 1 + 1 + 8 + 1);
    check("(func (export \"run\") i32.const 1 drop unreachable)", &[], 2);
}

/// How often `run` is interrupted with budgets of so many cycles, each of which begins where the one before was exceeded.
fn interrupted(text: &str, values: &[Val], slice: i64, times: u64) {
    let program = Program::new(format!("(module {text})").as_bytes()).call("run", values);
    assert_eq!(program.rewritten(When::Sliced(slice, u64::MAX)).1, times, "{slice}: {text}");
}

#[test]
fn a_small_loop_stops_at_the_turn_that_exceeds_the_budget() {
    // The entry costs 1, a turn 6.
    let count =
        "(func (export \"run\") (param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)";
    for (slice, times) in [
        (0, 101),
        (5, 100),
        (6, 50),
        (11, 50),
        (12, 33),
        (17, 33),
        (18, 25),
        (23, 25),
        (24, 20),
        (29, 20),
        (30, 16),
        (36, 14),
    ] {
        interrupted(count, &[Val::I32(100)], slice, times);
    }
    // The head of a turn costs 5, its end 5, and what is between them 3 at every second turn.
    let sometimes = "(func (export \"run\") (param i32) (local i32) loop
        local.get 0 i32.const 1 i32.and if i32.const 1 local.set 1 i32.const 7 drop end
        local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)";
    for (slice, times) in [
        (0, 101),
        (9, 99),
        (10, 50),
        (30, 33),
        (38, 25),
        (39, 24),
        (43, 24),
        (44, 24),
        (45, 24),
        (47, 20),
        (60, 16),
    ] {
        interrupted(sometimes, &[Val::I32(100)], slice, times);
    }
}

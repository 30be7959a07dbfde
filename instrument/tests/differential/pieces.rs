//! A small module for each construct: plain, rewritten and interrupted everywhere, it does the same.

use crate::machine::{End, Program, same};
use instrument::Options;
use wasmtime::{V128, Val};

/// Calls `run` of a module, plain, rewritten and interrupted at every poll and host call; `interrupted` is how often
/// that was.
fn check(text: &str, values: &[Val], end: End, interrupted: u64) {
    let program = Program::new(text.as_bytes()).call("run", values);
    let (run, times) = same(&program, u64::MAX);
    assert_eq!((run.end, times), (end, interrupted));
}

fn returned(values: &[u128]) -> End {
    End::Returned(values.to_vec())
}

fn trap(text: &str) -> End {
    End::Trap(text.into())
}

#[test]
fn loops_and_conditionals() {
    let text = "(module (func (export \"run\") (param i32) (result i32) (local i32)
        loop local.get 0 i32.eqz if local.get 1 return end
          local.get 1 local.get 0 i32.add local.set 1 local.get 0 i32.const 1 i32.sub local.set 0 br 0 end unreachable))";
    check(text, &[Val::I32(10)], returned(&[55]), 12);
    let collatz = "(module (func (export \"run\") (param i32) (result i32) (local i32)
        block loop
          local.get 0 i32.const 1 i32.le_u br_if 1
          local.get 0 i32.const 1 i32.and
          if (result i32) local.get 0 i32.const 3 i32.mul i32.const 1 i32.add
          else local.get 0 i32.const 1 i32.shr_u end
          local.set 0 local.get 1 i32.const 1 i32.add local.set 1 br 0 end end local.get 1))";
    check(collatz, &[Val::I32(27)], returned(&[111]), 113);
    let nested = "(module (func $f (param i32) (result i32) (local i32)
          loop local.get 1 i32.const 2 i32.add local.set 1 local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 1)
        (func (export \"run\") (param i32) (result i32) (local i32 i32)
        loop
          local.get 0 local.set 2
          loop
            local.get 1 local.get 2 i32.const 3 i32.rem_u
            if (result i32) local.get 2 call $f else i32.const 7 end
            i32.add local.set 1
            local.get 2 i32.const 1 i32.sub local.tee 2 br_if 0 end
          local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 1))";
    check(nested, &[Val::I32(6)], returned(&[111]), 82);
}

#[test]
fn tables_of_branches_with_and_without_values() {
    let plain = "(module (func $f (param i32) (result i32)
        block block block block local.get 0 br_table 0 2 1 3 end i32.const 10 return end i32.const 20 return end
        i32.const 30 return end i32.const 40)
      (func (export \"run\") (result i32) (local i32 i32)
        loop local.get 1 i32.const 100 i32.mul local.get 0 call $f i32.add local.set 1
          local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_u br_if 0 end local.get 1))";
    check(plain, &[], returned(&[10_302_040]), 5);
    let values = "(module (func $f (param i32) (result i32) (local i32)
        block (result i32)
          block (result i32)
            i32.const 5 i32.const 7 i32.const 11 local.get 0 br_table 0 1 2 1
          end
          loop (param i32) (result i32) i32.const 2 i32.mul local.get 1 i32.const 1 i32.add local.tee 1 i32.const 3 i32.lt_u br_if 0 end
        end i32.const 1 i32.add)
      (func (export \"run\") (result i32 i32 i32 i32) i32.const 0 call $f i32.const 1 call $f i32.const 2 call $f i32.const 9 call $f))";
    check(values, &[], returned(&[89, 12, 11, 12]), 8);
}

#[test]
fn several_values_through_blocks_calls_and_branches() {
    let text = "(module
      (type $two (func (param i32 i64) (result i64 i32)))
      (func $swap (type $two) (local i32) loop local.get 2 i32.const 1 i32.add local.tee 2 i32.const 3 i32.lt_u br_if 0 end
        local.get 1 local.get 0)
      (func (export \"run\") (param i32 i64) (result i64 i32 i32)
        local.get 0 local.get 1
        block (type $two) call $swap local.get 0 br_if 0 drop drop i64.const 1 i32.const 2 end
        loop (param i64 i32) (result i64 i32) local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end
        local.get 0))";
    check(text, &[Val::I32(3), Val::I64(9)], returned(&[9, 3, 0]), 8);
}

#[test]
fn calls_through_tables() {
    let text = "(module (type $t (func (param i32) (result i32))) (table 3 3 funcref) (elem (i32.const 0) $a $b)
      (func $a (type $t) (local i32) loop local.get 1 i32.const 1 i32.add local.tee 1 local.get 0 i32.lt_u br_if 0 end local.get 1)
      (func $b (type $t) local.get 0 i32.const 2 i32.mul)
      (func $c (result i64) i64.const 1)
      (func (export \"run\") (param i32) (result i32) (local i32)
        i32.const 4 local.get 0 call_indirect (type $t)
        local.set 1 local.get 1 i32.const 10 local.get 0 call_indirect (type $t) i32.add))";
    check(text, &[Val::I32(0)], returned(&[14]), 17);
    check(text, &[Val::I32(1)], returned(&[28]), 1);
    check(text, &[Val::I32(2)], trap("wasm trap: uninitialized element"), 1);
    check(text, &[Val::I32(3)], trap("wasm trap: undefined element: out of bounds table access"), 1);
}

#[test]
fn recursion_and_its_end() {
    let fib = "(module (func $fib (export \"run\") (param i32) (result i32)
        local.get 0 i32.const 2 i32.lt_u if (result i32) local.get 0 else
          local.get 0 i32.const 1 i32.sub call $fib local.get 0 i32.const 2 i32.sub call $fib i32.add end))";
    check(fib, &[Val::I32(9)], returned(&[34]), 109);
    let deep = "(module (func $f (export \"run\") (param i32) (result i32)
        local.get 0 i32.eqz if (result i32) i32.const 0 else local.get 0 i32.const 1 i32.sub call $f i32.const 1 i32.add end))";
    let frames = |frames: i32| {
        let options = Options { stack: 8_000, ..Options::default() };
        let program = Program::with(deep.as_bytes(), &options).call("run", &[Val::I32(frames - 1)]);
        let (run, _) = program.rewritten(crate::machine::When::Never);
        let (again, times) = program.rewritten(crate::machine::When::Always(u64::MAX));
        assert_eq!((&run.end, run.cycles), (&again.end, again.cycles));
        (run.end, times)
    };
    // A frame counts 64 bytes and twice what is saved at its entry: the parameter and the site.
    assert_eq!(frames(100), (returned(&[99]), 100));
    assert_eq!(frames(101), (End::TooDeep, 101));
}

#[test]
fn host_calls_are_made_again_with_the_same_arguments() {
    let text = "(module (import \"host\" \"twice\" (func $h (param i32 f64 v128 i64) (result i32 f64 v128 i64))) (memory 1)
      (func (export \"run\") (param i32 f64 i64) (result i64 i32) (local v128)
        local.get 0 local.get 1 local.get 0 i32x4.splat local.get 2 call $h
        local.set 2 local.set 3 local.set 1 local.set 0
        local.get 0 local.get 1 local.get 3 local.get 2 call $h drop drop drop drop
        local.get 2 local.get 1 i64.trunc_f64_s i64.add local.get 3 i32x4.extract_lane 2))";
    check(text, &[Val::I32(5), Val::F64(2.5f64.to_bits()), Val::I64(40)], returned(&[42, 5]), 3);
}

#[test]
fn memory_is_copied_filled_grown_and_initialised() {
    let text = "(module (memory (export \"memory\") 1 3) (data $d \"abcdefgh\") (data (i32.const 16) \"xyz\")
      (func $wait (local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 2 i32.lt_u br_if 0 end)
      (func (export \"run\") (param i32 i32) (result i32 i64 i32)
        i32.const 100 i32.const 0xab i32.const 20 memory.fill call $wait
        i32.const 104 i32.const 0 i32.const 8 memory.init $d call $wait
        i32.const 200 i32.const 100 i32.const 20 memory.copy call $wait
        data.drop $d call $wait
        i32.const 300 local.get 0 local.get 1 memory.init $d
        i32.const 1 memory.grow i32.const 5 memory.grow i32.add
        i32.const 202 i64.load memory.size))";
    check(text, &[Val::I32(0), Val::I32(0)], returned(&[0, 0x6665_6463_6261_abab, 2]), 13);
    check(text, &[Val::I32(0), Val::I32(1)], trap("wasm trap: out of bounds memory access"), 13);
    check(text, &[Val::I32(3), Val::I32(0)], trap("wasm trap: out of bounds memory access"), 13);
}

#[test]
fn globals_of_every_type_and_a_start_function_are_saved() {
    let text = "(module
      (global $a (mut i32) (i32.const 1)) (global $b (mut i64) (i64.const 2)) (global $c (mut f32) (f32.const 3))
      (global $d (mut f64) (f64.const 4)) (global $e (mut v128) (v128.const i32x4 5 6 7 8)) (global $f i32 (i32.const 9))
      (func $init (local i32) loop global.get $a i32.const 1 i32.add global.set $a
        global.get $d f64.const 0.5 f64.mul global.set $d local.get 0 i32.const 1 i32.add local.tee 0 i32.const 3 i32.lt_u br_if 0 end)
      (start $init)
      (func (export \"run\") (result i32 i64 f32 f64 v128) (local i32)
        loop global.get $b i64.const 3 i64.mul global.set $b global.get $c f32.const 1.5 f32.add global.set $c
          global.get $e global.get $e i32x4.add global.set $e
          local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_u br_if 0 end
        global.get $a global.get $b global.get $c global.get $d global.get $e))";
    let lanes = 80u128 | 96 << 32 | 112 << 64 | 128 << 96;
    let program = Program::new(text.as_bytes()).call("run", &[]);
    let (run, times) = same(&program, u64::MAX);
    assert_eq!(run.end, returned(&[4, 162, u128::from(9f32.to_bits()), u128::from(0.5f64.to_bits()), lanes]));
    assert_eq!(times, 9);
}

#[test]
fn vectors_and_references_that_do_not_outlive_a_poll() {
    let vectors = "(module (func (export \"run\") (param v128 i32) (result v128)
        loop local.get 0 v128.const i16x8 1 2 3 4 5 6 7 8 i16x8.add local.set 0
          local.get 1 i32.const 1 i32.sub local.tee 1 br_if 0 end
        local.get 0 local.get 0 i8x16.shuffle 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0))";
    let ones = V128::from(0x0001_0001_0001_0001_0001_0001_0001_0001);
    check(
        vectors,
        &[Val::V128(ones), Val::I32(3)],
        returned(&[0x0400_0700_0a00_0d00_1000_1300_1600_1900]),
        4,
    );
    let references = "(module (table $t 2 funcref) (elem (i32.const 1) $g) (func $g)
      (func (export \"run\") (result i32 i32 i32) (local i32 funcref)
        loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 3 i32.lt_u br_if 0 end
        i32.const 1 table.get $t local.set 1 local.get 1 ref.is_null
        ref.null func ref.func $g i32.const 0 select (result funcref) ref.is_null table.size $t))";
    check(references, &[], returned(&[0, 0, 2]), 4);
}

#[test]
fn traps_come_at_the_same_place() {
    let divide = "(module (func (export \"run\") (param i32) (result i32)
        loop (result i32) i32.const 100 local.get 0 i32.const 1 i32.sub local.tee 0 i32.div_u drop br 0 end))";
    check(divide, &[Val::I32(3)], trap("wasm trap: integer divide by zero"), 4);
    let load = "(module (memory 1) (func (export \"run\") (param i32) (result i32)
        loop (result i32) local.get 0 i32.load drop local.get 0 i32.const 30000 i32.add local.set 0 br 0 end))";
    check(load, &[Val::I32(0)], trap("wasm trap: out of bounds memory access"), 5);
    let convert = "(module (func (export \"run\") (param f64) (result i32) local.get 0 i32.trunc_f64_s))";
    check(convert, &[Val::F64(f64::NAN.to_bits())], trap("wasm trap: invalid conversion to integer"), 0);
    let unreachable = "(module (func (export \"run\") loop unreachable end))";
    check(unreachable, &[], trap("wasm trap: wasm `unreachable` instruction executed"), 2);
}

#[test]
fn a_local_that_changes_while_its_old_value_waits_on_the_stack_does_not_change_that_value() {
    let text =
        "(module (func $f (param i32) (result i32) local.get 0 i32.const 1 i32.add local.set 0 local.get 0)
      (func (export \"run\") (param i32) (result i32) (local i32)
        local.get 0 local.get 0 i32.const 5 local.set 0
        local.get 0 i32.const 6 local.tee 0 local.get 0 call $f i32.mul
        block local.get 0 br_if 0 i32.const 9 local.set 0 end
        local.get 0 local.tee 1 i32.add i32.mul i32.add i32.add))";
    // 1 + (1 + 5 · (6 · 7 + 6))
    check(text, &[Val::I32(1)], returned(&[242]), 0);
    let dead = "(module (func (export \"run\") (param i32) (result i32)
        block (result i32) local.get 0 br 0 i32.add drop unreachable loop br 0 end if nop else nop end i32.const 1 end
        return drop))";
    check(dead, &[Val::I32(8)], returned(&[8]), 1);
}

//! The bits of NaNs: computed ones are canonical wherever they can be seen, all others stay what they are.

use crate::machine::{End, Program, same};
use wasmtime::Val;

const CANONICAL: u64 = 0x7ff8_0000_0000_0000;
const OTHER: u64 = 0xfff4_0000_0000_0123;
const SIGN: u64 = 1 << 63;

/// Calls `run` with two floats; compares with wasmtime's own canonical NaNs and with the bits that are expected.
fn check(body: &str, values: [f64; 2], bits: u64) {
    let text = format!(
        "(module (memory (export \"memory\") 1) (global $g (mut f64) (f64.const 0))
           (func $same (param f64) (result f64) local.get 0)
           (func (export \"run\") (param f64 f64) (result i64) (local f64 i32) {body}))"
    );
    let values = values.map(|value| Val::F64(value.to_bits()));
    let program = Program::new(text.as_bytes()).call("run", &values);
    assert_eq!(same(&program, u64::MAX).0.end, End::Returned(vec![u128::from(bits)]), "{body}");
}

#[test]
fn a_computed_nan_is_canonical_wherever_it_is_seen() {
    let zeros = [0.0, 0.0];
    check("local.get 0 local.get 1 f64.div i64.reinterpret_f64", zeros, CANONICAL);
    check("i32.const 0 local.get 0 local.get 1 f64.div f64.store i32.const 0 i64.load", zeros, CANONICAL);
    check("local.get 0 local.get 1 f64.div call $same i64.reinterpret_f64", zeros, CANONICAL);
    check(
        "local.get 0 local.get 1 f64.div global.set $g global.get $g i64.reinterpret_f64",
        zeros,
        CANONICAL,
    );
    check("local.get 0 local.get 1 f64.div f64.neg i64.reinterpret_f64", zeros, CANONICAL | SIGN);
    check("local.get 0 local.get 1 f64.div f64.neg f64.abs i64.reinterpret_f64", zeros, CANONICAL);
    check(
        "f64.const 1 local.get 0 local.get 1 f64.div f64.copysign i64.reinterpret_f64",
        zeros,
        1f64.to_bits(),
    );
    check(
        "local.get 0 local.get 1 f64.div f64.const -1 f64.copysign i64.reinterpret_f64",
        zeros,
        CANONICAL | SIGN,
    );
    check(
        "local.get 0 local.get 1 f64.div local.get 1 i32.const 1 select i64.reinterpret_f64",
        zeros,
        CANONICAL,
    );
    check("local.get 0 local.get 1 f64.add i64.reinterpret_f64", [f64::from_bits(OTHER), 1.0], CANONICAL);
    check("local.get 0 f64.floor i64.reinterpret_f64", [f64::from_bits(OTHER), 0.0], CANONICAL);
    check(
        "local.get 0 f32.demote_f64 f64.promote_f32 i64.reinterpret_f64",
        [f64::from_bits(OTHER), 0.0],
        CANONICAL,
    );
    check("local.get 0 f64x2.splat local.get 1 f64x2.splat f64x2.div i64x2.extract_lane 1", zeros, CANONICAL);
    check(
        "local.get 0 f32.demote_f64 f32x4.splat f32x4.sqrt i64x2.extract_lane 0",
        [-1.0, 0.0],
        0x7fc0_0000_7fc0_0000,
    );
}

#[test]
fn a_nan_that_goes_round_a_loop_is_canonical_when_it_comes_out() {
    let body = "loop local.get 2 local.get 0 local.get 1 f64.div f64.add local.set 2
        local.get 3 i32.const 1 i32.add local.tee 3 i32.const 3 i32.lt_u br_if 0 end local.get 2 i64.reinterpret_f64";
    check(body, [0.0, 0.0], CANONICAL);
    let later = "loop local.get 2 i64.reinterpret_f64 i64.const 0 i64.eq if local.get 0 local.get 1 f64.div local.set 2 end
        local.get 3 i32.const 1 i32.add local.tee 3 i32.const 3 i32.lt_u br_if 0 end local.get 2 i64.reinterpret_f64";
    check(later, [0.0, 0.0], CANONICAL);
}

#[test]
fn a_nan_that_was_not_computed_keeps_its_bits() {
    let other = [f64::from_bits(OTHER), 0.0];
    check("local.get 0 i64.reinterpret_f64", other, OTHER);
    check("local.get 0 f64.neg i64.reinterpret_f64", other, OTHER ^ SIGN);
    check("local.get 0 call $same global.set $g global.get $g i64.reinterpret_f64", other, OTHER);
    check(
        "i32.const 8 local.get 0 f64.store i32.const 8 f64.load local.tee 2 i64.reinterpret_f64",
        other,
        OTHER,
    );
    check("local.get 0 local.get 1 f64.max drop local.get 0 i64.reinterpret_f64", other, OTHER);
}

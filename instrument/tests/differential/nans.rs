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
           (func $part (param i32 f64) (result f64) (local f64)
             local.get 0 local.get 1 local.get 1 f64.sub f64.store
             local.get 0 local.get 1 local.get 1 f64.sub f64.store offset=8
             i32.const 8 f64.load f64.const 0 f64.add local.set 2
             local.get 0 local.get 1 local.get 1 f64.sub f64.store offset=16 local.get 2)
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

/// Stores the quotient of the parameters, and it once more 8 bytes on, at an address that is a local.
const TWO: &str = "local.get 3 local.get 0 local.get 1 f64.div f64.store
    local.get 3 local.get 0 local.get 1 f64.div f64.store offset=8";

/// Stores it a third time, so that what comes between is before the look.
const THIRD: &str = "local.get 3 local.get 0 local.get 1 f64.div f64.store offset=16";

#[test]
fn floats_that_are_looked_at_together_are_all_canonical() {
    let both = "i32.const 0 i64.load i32.const 8 i64.load i64.and";
    check(&format!("{TWO} {both}"), [0.0, 0.0], CANONICAL);
    let infinities = "i32.const 0 local.get 0 local.get 1 f64.div f64.store
        i32.const 8 local.get 0 f64.neg local.get 1 f64.div f64.store";
    check(&format!("{infinities} {both}"), [1.0, 0.0], f64::INFINITY.to_bits());
    let many: String = (0..20)
        .map(|place| format!("i32.const 0 local.get 0 local.get 1 f64.div f64.store offset={} ", place * 8))
        .collect();
    for place in [0, 7, 8, 15, 16, 19] {
        check(&format!("{many} i32.const {} i64.load", place * 8), [0.0, 0.0], CANONICAL);
        // Only one of them is a NaN.
        let one = many.replace("f64.div", "f64.add");
        let nan = format!("f64.add f64.store offset={} ", place * 8);
        let one = one.replace(&nan, &nan.replace("add", "div"));
        check(&format!("{one} i32.const {} i64.load", place * 8), [0.0, 0.0], CANONICAL);
    }
    let round = "loop local.get 3 local.get 0 local.get 1 f64.div f64.store
        local.get 3 local.get 3 f64.load f64.const 1 f64.add f64.store offset=8
        local.get 3 i32.const 16 i32.add local.tee 3 i32.const 64 i32.lt_u br_if 0 end
        i32.const 48 i64.load i32.const 56 i64.load i64.and";
    check(round, [0.0, 0.0], CANONICAL);
    let single = "i32.const 0 local.get 0 local.get 1 f64.div f32.demote_f64 f32.store
        i32.const 4 local.get 0 local.get 1 f64.div f32.demote_f64 f32.store";
    check(&format!("{single} i32.const 0 i64.load"), [0.0, 0.0], 0x7fc0_0000_7fc0_0000);
}

#[test]
fn a_part_of_a_nan_that_was_not_looked_at_is_never_read() {
    let part = 0x7ff8_0000;
    let read = |load: &str| {
        format!("{TWO} {load} f64.const 0 f64.add local.set 2 {THIRD} local.get 2 i64.reinterpret_f64")
    };
    check(&read("local.get 3 f64.load offset=4"), [0.0, 0.0], part);
    check(&read("i32.const 4 f64.load"), [0.0, 0.0], part);
    check(&read("local.get 3 i32.const 2 i32.shl i32.const 12 i32.or f64.load"), [0.0, 0.0], part);
    check(&read("local.get 3 f32.load offset=4 f64.promote_f32"), [0.0, 0.0], CANONICAL);
    check(&read("local.get 3 i64.load offset=4 f64.reinterpret_i64"), [0.0, 0.0], part);
    check(&read("local.get 3 i32.load16_u offset=6 f64.convert_i32_u"), [0.0, 0.0], 32760f64.to_bits());
    let singles = "local.get 3 local.get 0 local.get 1 f64.div f32.demote_f64 f32.store";
    let over_singles = format!(
        "{singles} {singles} offset=4 i32.const 0 f64.load f64.const 0 f64.add local.set 2 {singles} offset=8
         local.get 2 i64.reinterpret_f64"
    );
    check(&over_singles, [0.0, 0.0], 0x7fc0_0000_7fc0_0000);
    check("i32.const 4 local.get 0 call $part i64.reinterpret_f64", [f64::INFINITY, 0.0], part);
    // The second lies over a half of the first.
    let over = "i32.const 4 local.get 0 local.get 1 f64.div f64.store
        i32.const 0 local.get 0 local.get 1 f64.div f64.store i32.const 4 i64.load";
    check(over, [0.0, 0.0], 0x7ff8_0000_7ff8_0000);
}

#[test]
fn a_nan_that_is_read_between_computed_ones_keeps_its_bits() {
    let other = format!("i32.const 32 i64.const {} i64.store", OTHER.cast_signed());
    // Whether what is read was just stored is known only when the program runs.
    for (offset, bits) in [(32, OTHER), (8, CANONICAL)] {
        let read = format!("{other} {TWO} local.get 3 f64.load offset={offset}");
        let copy =
            format!("local.set 2 {THIRD} local.get 3 local.get 2 f64.store offset=40 i32.const 40 i64.load");
        check(&format!("{read} {copy}"), [0.0, 0.0], bits);
        let chosen =
            format!("f64.const 1 i32.const 1 select local.set 2 {THIRD} local.get 2 i64.reinterpret_f64");
        check(&format!("{read} {chosen}"), [0.0, 0.0], bits);
        let kept =
            format!("local.tee 2 f64.const 1 f64.add drop {THIRD} block end local.get 2 i64.reinterpret_f64");
        check(&format!("{read} {kept}"), [0.0, 0.0], bits);
    }
    // Two are read, and the bits of the later one are wanted first.
    let first = "local.get 3 local.get 0 local.get 1 f64.div f64.store local.get 3 f64.load local.set 2";
    let second =
        "local.get 3 local.get 0 local.get 1 f64.div f64.store offset=8 local.get 3 f64.load offset=8";
    let bits = format!("{first} {second} i64.reinterpret_f64 drop local.get 2 i64.reinterpret_f64");
    check(&bits, [0.0, 0.0], CANONICAL);
    let exchanged = format!(
        "local.get 3 {first} {second} f64.store local.get 3 local.get 2 f64.store offset=8 i32.const 8 i64.load"
    );
    check(&exchanged, [0.0, 0.0], CANONICAL);
    // One that was not computed takes the place of one that was.
    let over = format!("local.get 3 f64.const -nan:0x123 f64.store {THIRD} i32.const 0 i64.load");
    check(&format!("{TWO} {over}"), [0.0, 0.0], 0xfff0_0000_0000_0123);
}

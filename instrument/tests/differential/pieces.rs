//! A small module for each construct: plain, rewritten and interrupted everywhere it does the same.

use crate::machine::{End, Program, same};
use wasmtime::Val;

/// Calls `run` of a module and compares; `interrupted` is how often it must have been possible to interrupt it.
fn check(text: &str, values: &[Val], end: End, interrupted: u64) {
    let program = Program::new(text.as_bytes()).call("run", values);
    let (run, times) = same(&program, u64::MAX);
    assert_eq!((run.end, times), (end, interrupted));
}

fn returned(values: &[u128]) -> End {
    End::Returned(values.to_vec())
}

#[test]
fn a_loop_counts() {
    let text = "(module (func (export \"run\") (param i32) (result i32) (local i32)
        loop local.get 0 i32.eqz if local.get 1 return end
          local.get 1 local.get 0 i32.add local.set 1 local.get 0 i32.const 1 i32.sub local.set 0 br 0 end unreachable))";
    check(text, &[Val::I32(10)], returned(&[55]), 11);
}

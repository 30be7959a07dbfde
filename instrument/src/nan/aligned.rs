//! Which numbers are multiples of the sizes of floats, so that they are addresses of floats that do not overlap.

use crate::flat::Operand;
use wasmparser::Operator;

/// The sizes of floats, in bytes.
pub(super) const SIZES: [u64; 2] = [4, 8];

/// Whether what an instruction computes is a multiple of `size`, if it is known of its operands by `is`.
pub(super) fn is_multiple(
    operator: &Operator<'_>,
    operands: &[Operand],
    size: u64,
    is: impl Fn(Operand) -> bool,
) -> bool {
    use Operator as O;
    let &[first, second] = operands else { return false };
    match operator {
        O::I32Add | O::I32Sub | O::I32Or | O::I32Xor => is(first) && is(second),
        O::I32Mul | O::I32And => is(first) || is(second),
        O::I32Shl => is(first) || second.constant().is_some_and(|by| 1 << (by.cast_unsigned() % 32) >= size),
        _ => false,
    }
}

/// Whether a constant is.
pub(super) fn is_constant_multiple(constant: i32, size: u64) -> bool {
    u64::from(constant.cast_unsigned()).is_multiple_of(size)
}

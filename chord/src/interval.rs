//! Arithmetic of the circle.

use proto::{Range, RingId};

/// The way clockwise from `from` to `to`; zero when they are the same point.
#[must_use]
pub fn distance(from: RingId, to: RingId) -> RingId {
    to.plus(RingId(from.0.map(|byte| !byte))).plus_power(0)
}

/// Whether `b` lies strictly between `a` and `c`, clockwise (Zave, TSE 2017). The arc from a point to itself
/// is the whole circle without that point.
#[must_use]
pub fn between(a: RingId, b: RingId, c: RingId) -> bool {
    if a < c { a < b && b < c } else { a < b || b < c }
}

/// Whether `b` lies in `(a, c]`; `(a, a]` is the whole circle.
#[must_use]
pub fn is_within(a: RingId, b: RingId, c: RingId) -> bool {
    Range { after: a, until: c }.contains(b)
}

/// The exponent of the largest power of two that is not above `length`; none for zero.
#[must_use]
pub fn log2(length: RingId) -> Option<u32> {
    let bit = |(bytes_above, byte): (u32, u8)| 8 * (20 - bytes_above) - 1 - byte.leading_zeros();
    (0..).zip(length.0).find(|(_, byte)| *byte != 0).map(bit)
}

//! Arithmetic of the circle.

use proto::{Range, RingId};

/// The way clockwise from `from` to `to`; zero when they are the same point.
#[must_use]
pub fn distance(from: RingId, to: RingId) -> RingId {
    let ((from_high, from_low), (to_high, to_low)) = (halves(from), halves(to));
    let (low, borrows) = to_low.overflowing_sub(from_low);
    let high = to_high.wrapping_sub(from_high).wrapping_sub(u32::from(borrows));
    let mut way = [0; 20];
    if let Some(place) = way.first_chunk_mut() {
        *place = high.to_be_bytes();
    }
    if let Some(place) = way.last_chunk_mut() {
        *place = low.to_be_bytes();
    }
    RingId(way)
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

/// The first 32 and the last 128 bits.
fn halves(id: RingId) -> (u32, u128) {
    let [a, b, c, d, low @ ..] = id.0;
    (u32::from_be_bytes([a, b, c, d]), u128::from_be_bytes(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(n: u8) -> RingId {
        let mut id = [0; 20];
        id[19] = n;
        RingId(id)
    }

    fn check(a: u8, b: u8, c: u8, expected: bool) {
        assert_eq!(between(at(a), at(b), at(c)), expected, "{a} {b} {c}");
    }

    #[test]
    fn between_is_strict_and_goes_around() {
        for (a, b, c, expected) in [
            (1, 2, 3, true),
            (1, 1, 3, false),
            (1, 3, 3, false),
            (3, 4, 1, true),
            (3, 0, 1, true),
            (3, 2, 1, false),
            (2, 3, 2, true),
            (2, 2, 2, false),
            (2, 2, 3, false),
        ] {
            check(a, b, c, expected);
        }
    }

    #[test]
    fn logarithms_are_those_of_the_powers() {
        assert_eq!(log2(RingId::default()), None);
        for exponent in 0..160 {
            let power = RingId::default().plus_power(exponent);
            assert_eq!(log2(power), Some(exponent));
            assert_eq!(log2(power.plus(at(1))), Some(if exponent == 0 { 1 } else { exponent }));
        }
    }

    fn point() -> impl Strategy<Value = RingId> {
        prop_oneof![any::<[u8; 20]>().prop_map(RingId), (0_u8..8).prop_map(at)]
    }

    proptest! {
        #[test]
        fn a_distance_leads_from_one_point_to_the_other(a in point(), b in point()) {
            prop_assert_eq!(a.plus(distance(a, b)), b);
            prop_assert_eq!(distance(a, b) == RingId::default(), a == b);
        }

        #[test]
        fn between_compares_distances(a in point(), b in point(), c in point()) {
            let expected = b != a && (a == c || (distance(a, b) < distance(a, c)));
            prop_assert_eq!(between(a, b, c), expected);
            prop_assert_eq!(is_within(a, b, c), expected || b == c);
        }

        #[test]
        fn of_three_distinct_points_exactly_one_order_holds(a in point(), b in point(), c in point()) {
            prop_assume!(a != b && b != c && a != c);
            prop_assert_ne!(between(a, b, c), between(a, c, b));
        }
    }
}

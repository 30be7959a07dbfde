//! Arcs of the circle.

use crate::id::RingId;

/// The arc from `after` (exclusive) clockwise to `until` (inclusive); the whole circle when both are equal.
/// A node answers for the arc from its predecessor to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The last point before the arc.
    pub after: RingId,
    /// The last point of the arc.
    pub until: RingId,
}

impl Range {
    /// Whether `point` lies on the arc.
    #[must_use]
    pub fn contains(&self, point: RingId) -> bool {
        if self.after < self.until {
            self.after < point && point <= self.until
        } else {
            self.after < point || point <= self.until
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u8) -> RingId {
        RingId([n; 20])
    }

    fn check(after: u8, until: u8, point: u8, expected: bool) {
        let range = Range { after: at(after), until: at(until) };
        assert_eq!(range.contains(at(point)), expected, "{after}..={until} {point}");
    }

    #[test]
    fn an_arc_excludes_its_start_and_includes_its_end() {
        for (after, until, point, expected) in [
            (1, 3, 2, true),
            (1, 3, 3, true),
            (1, 3, 1, false),
            (1, 3, 4, false),
            (3, 1, 4, true),
            (3, 1, 0, true),
            (3, 1, 1, true),
            (3, 1, 3, false),
            (3, 1, 2, false),
            (2, 2, 2, true),
            (2, 2, 9, true),
            (2, 2, 0, true),
        ] {
            check(after, until, point, expected);
        }
    }
}

//! How many cores are likely to stay idle for the time of a lease.
//!
//! The paper: "each node based on its current and past load estimates the average number of resources that would
//! remain idle in future" (CompuP2P, II), for "some large enough time period" T; the policy's threshold on the load
//! (IV) comes on top of it. The rule here is cautious on all sides. The load is expected to be the greatest of
//!
//! 1. the present one, the mean of the last [`PRESENT`] looks: an owner who comes back is felt within seconds;
//! 2. the recent one, which four fifths of the last minutes did not exceed: a pause of seconds between two busy
//!    minutes is not sold;
//! 3. the coming one: where this hour of the week usually brings a rise within the horizon, the greater of 1 and 2
//!    with that rise, but no more than what is usual then. Only the rise counts, so an owner on holiday loses the
//!    moments before nine o'clock, not the day.
//!
//! A core counts as idle from [`BACKGROUND`] down and as busy from [`HIGH`] up, and stays what it was between
//! them, so that a listing does not change with every breath.

use super::processor::Millicores;

/// Looks whose mean is the present.
pub(crate) const PRESENT: usize = 3;
/// Others may use so much of a core when it begins to count as idle: HTCondor's `BackgroundLoad`, 0.3.
pub(crate) const BACKGROUND: Millicores = Millicores(300);
/// A core that counts as idle is busy again when others use so much of it: HTCondor's `HighLoad`, 0.5.
pub(crate) const HIGH: Millicores = Millicores(500);

/// What usually happens now and within the horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usual {
    /// The usual load of this quarter of an hour of the week, if it is known.
    pub(crate) now: Option<Millicores>,
    /// The highest usual load of those that begin within the horizon, if one is known.
    pub(crate) coming: Option<Millicores>,
}

/// What others are expected to use at most: from the last looks, from the means of the last minutes, and from
/// what is usual. Nothing is known without a look.
#[must_use]
pub(crate) fn expected(present: &[Millicores], recent: &[Millicores], usual: Usual) -> Option<Millicores> {
    let level = mean(present)?.max(quantile(recent).unwrap_or_default());
    let risen = usual.coming.map_or(level, |coming| {
        let rise = coming.0.saturating_sub(usual.now.unwrap_or_default().0);
        coming.min(Millicores(level.0.saturating_add(rise)))
    });
    Some(level.max(risen))
}

/// Whole cores of `cores` that are idle when others use `expected`, `before` being what was said last.
#[must_use]
pub(crate) fn idle_cores(expected: Millicores, cores: u64, before: u32) -> u32 {
    let with = |tolerance: u64| {
        let capacity = cores.saturating_mul(1_000);
        let idle = capacity.saturating_sub(expected.0).saturating_add(tolerance).min(capacity);
        u32::try_from(idle / 1_000).unwrap_or(u32::MAX)
    };
    let (least, most) = (with(BACKGROUND.0), with(HIGH.0 - 1));
    before.clamp(least, most.max(least))
}

/// The mean, rounded down.
pub(super) fn mean(samples: &[Millicores]) -> Option<Millicores> {
    let sum = samples.iter().fold(0_u64, |sum, sample| sum.saturating_add(sample.0));
    sum.checked_div(u64::try_from(samples.len()).ok()?).map(Millicores)
}

/// The smallest sample that four fifths of all do not exceed.
pub(super) fn quantile(samples: &[Millicores]) -> Option<Millicores> {
    let mut sorted = samples.to_vec();
    let index = (sorted.len() * 4).div_ceil(5).checked_sub(1)?;
    (index < sorted.len()).then(|| *sorted.select_nth_unstable(index).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::iter::repeat_n;

    fn loads(samples: &[u64]) -> Vec<Millicores> {
        samples.iter().copied().map(Millicores).collect()
    }

    fn check(present: &[u64], recent: &[u64], usual: (Option<u64>, Option<u64>), expect: Option<u64>) {
        let usual = Usual { now: usual.0.map(Millicores), coming: usual.1.map(Millicores) };
        let found = expected(&loads(present), &loads(recent), usual);
        assert_eq!(found, expect.map(Millicores), "{present:?} {recent:?} {usual:?}");
    }

    #[test]
    fn the_greatest_of_present_recent_and_coming_load_is_expected() {
        const NONE: (Option<u64>, Option<u64>) = (None, None);
        for (present, recent, usual, expect) in [
            (&[][..], &[][..], NONE, None),
            (&[], &[900], NONE, None),
            (&[700], &[], NONE, Some(700)),
            (&[0, 0, 4_000], &[0], NONE, Some(1_333)),
            // Four of five were idle: that one is no reason to hold back; two of five are.
            (&[0], &[4_000, 0, 0, 0, 0], NONE, Some(0)),
            (&[0], &[4_000, 4_000, 0, 0, 0], NONE, Some(4_000)),
            // The owner comes at nine.
            (&[100], &[100], (Some(0), Some(2_000)), Some(2_000)),
            // He came early: what is usual then is expected, not that on top of it.
            (&[1_900], &[1_900], (Some(0), Some(2_000)), Some(2_000)),
            // He is on holiday: at a quarter past nine no rise is usual any more.
            (&[0], &[0], (Some(2_000), Some(2_010)), Some(10)),
            // What usually falls is seen when it has fallen.
            (&[2_000], &[2_000], (Some(2_000), Some(0)), Some(2_000)),
            // More than is usual stays more.
            (&[3_000], &[3_000], (Some(0), Some(2_000)), Some(3_000)),
            // Nothing is known of now.
            (&[100], &[100], (None, Some(1_500)), Some(1_500)),
            (&[100], &[100], (Some(1_500), None), Some(100)),
        ] {
            check(present, recent, usual, expect);
        }
    }

    #[test]
    fn a_pause_in_a_busy_past_is_not_sold() {
        let busy: Vec<_> = repeat_n(3_000, 57).chain(repeat_n(0, 3)).collect();
        check(&[0, 0, 0], &busy, (None, None), Some(3_000));
        let mostly_idle: Vec<_> = repeat_n(3_000, 12).chain(repeat_n(0, 48)).collect();
        check(&[0, 0, 0], &mostly_idle, (None, None), Some(0));
    }

    #[test]
    fn a_core_becomes_idle_at_the_background_load_and_busy_at_the_high_one() {
        for (load, cores, before, idle) in [
            (0, 4, 0, 4),
            (0, 4, 9, 4),
            (300, 4, 0, 4),
            (301, 4, 0, 3),
            (301, 4, 4, 4),
            (499, 4, 4, 4),
            (500, 4, 4, 3),
            (1_300, 4, 0, 3),
            (1_400, 4, 4, 3),
            (1_400, 4, 2, 2),
            (1_500, 4, 4, 2),
            (4_000, 4, 4, 0),
            (9_000, 4, 4, 0),
            (u64::MAX, 4, 4, 0),
            (0, 0, 4, 0),
            (300, 1, 0, 1),
            (1_000, 1, 1, 0),
        ] {
            assert_eq!(
                idle_cores(Millicores(load), cores, before),
                idle,
                "{load} of {cores}, {before} before"
            );
        }
    }

    proptest! {
        #[test]
        fn more_load_never_makes_more_idle_cores(
            present in prop::collection::vec(0_u64..9_000, 1..4),
            recent in prop::collection::vec(0_u64..9_000, 0..70),
            usual: (Option<u16>, Option<u16>),
            more in 0_u64..9_000,
            before in 0_u32..9,
        ) {
            let usual = Usual {
                now: usual.0.map(|load| Millicores(load.into())),
                coming: usual.1.map(|load| Millicores(load.into())),
            };
            let now = expected(&loads(&present), &loads(&recent), usual).unwrap();
            prop_assert!(now >= mean(&loads(&present)).unwrap());
            prop_assert!(now >= quantile(&loads(&recent)).unwrap_or_default());
            let raised: Vec<u64> = present.iter().map(|load| load + more).collect();
            let then = expected(&loads(&raised), &loads(&recent), usual).unwrap();
            prop_assert!(then >= now);
            prop_assert!(idle_cores(then, 8, before) <= idle_cores(now, 8, before));
            // What is called idle is used by others for less than half.
            prop_assert!(u64::from(idle_cores(now, 8, before)) * 1_000 + now.0 < 8_000 + HIGH.0 || idle_cores(now, 8, before) == 0);
        }
    }
}

//! What this buyer has seen of each seller: a local record that needs nobody's word, decides who is believed without a
//! vote where a sub-task asks for that (`Redundancy/@adaptive`), and can be shown to the user.
//!
//! **The rule** is BOINC's adaptive replication (D. P. Anderson, "BOINC: A Platform for Volunteer Computing", Journal of
//! Grid Computing 18, 2020): a seller is believed alone when its last [`ENOUGH`] results or more were those of others or
//! passed a test, and even then one in `n / ENOUGH` of its results is put to the vote, drawn at random, where `n` is how
//! many these were. One wrong result, and the count starts anew. A result that was believed alone proves nothing, and
//! does not count. All figures are halved for every [`HALVED_AFTER`] since they were last changed or halved: machines
//! change hands.

use proto::{PublicKey, Span, Time};
use std::collections::BTreeMap;

/// So many results in a row have to have been right (BOINC's constant).
pub const ENOUGH: u32 = 10;
/// After how long figures count half.
pub(super) const HALVED_AFTER: Span = Span::secs(30 * 24 * 3_600);
/// Sellers that are remembered; beyond it those go of whom nothing was heard for the longest time.
pub(super) const MAX_SELLERS: usize = 4_096;

/// What was seen of a seller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Experience {
    /// Results that were those of others, or passed a test.
    pub agreed: u32,
    /// How many of these came since the last wrong one.
    pub in_row: u32,
    /// Results that were other ones, or failed a test.
    pub wrong: u32,
    /// Attempts that came to nothing: lost, given up, contents that could not be had.
    pub failed: u32,
    /// Replicas that were not there when enough others were.
    pub late: u32,
    /// When this was last changed or halved.
    pub changed: Time,
}

/// Something that was seen of a seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Agreed,
    Wrong,
    Failed,
    Late,
}

/// Whether a result of a seller needs others beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It has not been right often enough since it was last wrong: so often.
    Unknown { in_row: u32 },
    /// It has, and this time it is put to the vote all the same.
    SpotCheck { in_row: u32 },
    /// It is believed.
    Believed { in_row: u32 },
}

/// The sellers of whom something was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    sellers: BTreeMap<PublicKey, Experience>,
    /// Grows with every change.
    pub(super) version: u64,
}

impl Experience {
    /// The figures as they count at `now`.
    #[must_use]
    pub fn at(self, now: Time) -> Self {
        let halvings = now.since(self.changed).0.checked_div(HALVED_AFTER.0).unwrap_or(0);
        if halvings == 0 {
            return self;
        }
        let half =
            |count: u32| u32::try_from(halvings).ok().and_then(|by| count.checked_shr(by)).unwrap_or(0);
        let changed = self.changed.after(HALVED_AFTER.times(halvings));
        Self {
            agreed: half(self.agreed),
            in_row: half(self.in_row),
            wrong: half(self.wrong),
            failed: half(self.failed),
            late: half(self.late),
            changed,
        }
    }

    /// The word on it at `now`, where `draw` is a random number.
    fn trust(self, now: Time, draw: u64) -> Trust {
        let in_row = self.at(now).in_row;
        if in_row < ENOUGH {
            return Trust::Unknown { in_row };
        }
        // One of `in_row / ENOUGH`: of the first that would be believed each.
        let is_checked = draw.checked_rem(u64::from(in_row)).unwrap_or(0) < u64::from(ENOUGH);
        if is_checked { Trust::SpotCheck { in_row } } else { Trust::Believed { in_row } }
    }
}

impl Memory {
    /// Takes over what a former run of the node has seen.
    pub(super) fn recall(&mut self, seller: PublicKey, experience: Experience) {
        self.sellers.entry(seller).or_insert(experience);
        self.forget_oldest();
    }

    /// Everything that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = (PublicKey, Experience)> + '_ {
        self.sellers.iter().map(|(seller, experience)| (*seller, *experience))
    }

    /// Notes something.
    pub(super) fn note(&mut self, seller: PublicKey, seen: Seen, now: Time) {
        let experience =
            self.sellers.entry(seller).or_insert(Experience { changed: now, ..Experience::default() });
        *experience = Experience { changed: now, ..experience.at(now) };
        let count = match seen {
            Seen::Agreed => {
                experience.in_row = experience.in_row.saturating_add(1);
                &mut experience.agreed
            }
            Seen::Wrong => {
                experience.in_row = 0;
                &mut experience.wrong
            }
            Seen::Failed => &mut experience.failed,
            Seen::Late => &mut experience.late,
        };
        *count = count.saturating_add(1);
        self.version += 1;
        self.forget_oldest();
    }

    /// Whether a seller is believed alone this time.
    pub(super) fn trust(&self, seller: PublicKey, now: Time, draw: u64) -> Trust {
        self.sellers.get(&seller).copied().unwrap_or_default().trust(now, draw)
    }

    fn forget_oldest(&mut self) {
        while self.sellers.len() > MAX_SELLERS {
            let oldest = self.sellers.iter().min_by_key(|(_, experience)| experience.changed);
            let Some(oldest) = oldest.map(|(seller, _)| *seller) else { return };
            self.sellers.remove(&oldest);
        }
    }
}

impl Trust {
    /// Why a sub-task is executed as often as it is.
    pub(super) fn why(self, replicas: u32) -> String {
        match self {
            Self::Unknown { in_row } => format!(
                "executed {replicas} times: of the last results of its first seller {in_row} were right in a row, \
                 {ENOUGH} are asked for"
            ),
            Self::SpotCheck { in_row } => format!(
                "executed {replicas} times: its first seller was right {in_row} times in a row, and is checked now \
                 and then"
            ),
            Self::Believed { in_row } => {
                format!("executed once: its seller was right {in_row} times in a row")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::KeyPair;

    fn seller(n: u8) -> PublicKey {
        KeyPair::from_secret([n; 32]).public()
    }

    /// What a seller is after these results, by a draw.
    fn check(seen: &[(Seen, u32)], draw: u64, expected: Trust) {
        let mut memory = Memory::default();
        for (seen, count) in seen {
            (0..*count).for_each(|_| memory.note(seller(1), *seen, Time(5)));
        }
        assert_eq!(memory.trust(seller(1), Time(6), draw), expected, "{seen:?} {draw}");
    }

    #[test]
    fn a_seller_is_believed_after_ten_right_results_in_a_row_and_checked_now_and_then() {
        use Seen::{Agreed, Failed, Late, Wrong};
        check(&[], 99, Trust::Unknown { in_row: 0 });
        check(&[(Agreed, 9)], 99, Trust::Unknown { in_row: 9 });
        check(&[(Agreed, 10)], 99, Trust::SpotCheck { in_row: 10 });
        check(&[(Agreed, 40)], 40, Trust::SpotCheck { in_row: 40 });
        check(&[(Agreed, 40)], 49, Trust::SpotCheck { in_row: 40 });
        check(&[(Agreed, 40)], 50, Trust::Believed { in_row: 40 });
        check(&[(Agreed, 40)], 79, Trust::Believed { in_row: 40 });
        check(&[(Agreed, 40), (Wrong, 1), (Agreed, 3)], 79, Trust::Unknown { in_row: 3 });
        check(&[(Agreed, 40), (Failed, 5), (Late, 5)], 79, Trust::Believed { in_row: 40 });
    }

    #[test]
    fn experience_fades() {
        let experience =
            Experience { agreed: 41, in_row: 20, wrong: 3, failed: 1, late: 0, changed: Time(7) };
        let after = |days: u64| experience.at(Time(7).after(Span::secs(days * 24 * 3_600)));
        assert_eq!(after(29), experience);
        let half = after(31);
        assert_eq!((half.agreed, half.in_row, half.wrong, half.failed), (20, 10, 1, 0));
        assert_eq!((after(60).agreed, after(60).in_row), (10, 5));
        assert_eq!(after(100_000).agreed, 0);
    }

    #[test]
    fn of_too_many_sellers_those_are_forgotten_that_were_silent_for_longest() {
        let mut memory = Memory::default();
        memory.note(seller(1), Seen::Agreed, Time(1));
        let strange = |n: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_le_bytes());
            PublicKey(key)
        };
        for n in 0..MAX_SELLERS {
            memory.recall(strange(n), Experience { changed: Time(9), ..Experience::default() });
        }
        assert_eq!(
            (memory.all().count(), memory.all().any(|(key, _)| key == seller(1))),
            (MAX_SELLERS, false)
        );
    }
}

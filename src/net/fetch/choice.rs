//! Which piece is asked for next: the rarest among those that a source offers, so that those who fetch the same content
//! soon have different pieces to give to each other (Legout et al., "Rarest first and choke algorithms are enough", IMC 2006).

use crate::net::store::Pieces;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long a piece that one source was asked for waits before another one is asked as well.
const ASK_ANOTHER_AFTER: Duration = Duration::from_secs(5);
/// Sources that are asked for the same piece at most.
const MOST_ASKED: u8 = 2;

/// A piece that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) times: u8,
}

/// What is known of all pieces.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) asked: BTreeMap<u32, Asked>,
    /// How many sources offer a piece.
    pub(super) offers: BTreeMap<u32, u32>,
}

impl Table {
    /// The piece to ask a source for that offers `offered`: one that is not here, that nobody was asked for, the rarest;
    /// `roll` decides between equals. If there is none, one that somebody else has let wait.
    pub(super) fn choose(
        &self,
        have: &Pieces,
        offered: &Pieces,
        own: &[u32],
        roll: u64,
        now: Instant,
    ) -> Option<u32> {
        let rarity = |piece: &u32| self.offers.get(piece).copied().unwrap_or(0);
        let lacking = || have.missing().filter(|piece| offered.has(*piece));
        let free = || lacking().filter(|piece| !self.asked.contains_key(piece));
        let Some(rarest) = free().map(|piece| rarity(&piece)).min() else {
            let waits = |piece: &u32| {
                self.asked.get(piece).is_some_and(|asked| {
                    asked.times < MOST_ASKED && now.duration_since(asked.at) >= ASK_ANOTHER_AFTER
                })
            };
            return lacking().find(|piece| waits(piece) && !own.contains(piece));
        };
        let equals = || free().filter(|piece| rarity(piece) == rarest);
        let count = u64::try_from(equals().count()).unwrap_or(1).max(1);
        equals().nth(usize::try_from(roll % count).unwrap_or(0))
    }

    pub(super) fn ask(&mut self, piece: u32, at: Instant) {
        let asked = self.asked.entry(piece).or_insert(Asked { at, times: 0 });
        asked.times = asked.times.saturating_add(1);
        asked.at = at;
    }

    /// A source is not waited for any more.
    pub(super) fn free(&mut self, pieces: &[u32]) {
        for piece in pieces {
            let is_last = self.asked.get_mut(piece).is_some_and(|asked| {
                asked.times = asked.times.saturating_sub(1);
                asked.times == 0
            });
            if is_last {
                self.asked.remove(piece);
            }
        }
    }

    /// A source offers `now` instead of `before`.
    pub(super) fn offer(&mut self, before: &Pieces, now: &Pieces, of: u32) {
        for piece in 0..of {
            match (before.has(piece), now.has(piece)) {
                (false, true) => *self.offers.entry(piece).or_default() += 1,
                (true, false) => {
                    self.offers.entry(piece).and_modify(|count| *count = count.saturating_sub(1));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(of: &[u32]) -> Pieces {
        let mut pieces = Pieces::none(8);
        of.iter().for_each(|piece| pieces.insert(*piece));
        pieces
    }

    /// Two sources offer `first` and `second`; `asked` were asked for so many seconds ago.
    fn check(have: &[u32], first: &[u32], second: &[u32], asked: &[(u32, u64)], rolls: &[Option<u32>]) {
        let start = Instant::now();
        let now = start + Duration::from_secs(100);
        let mut table = Table::default();
        table.offer(&pieces(&[]), &pieces(first), 8);
        table.offer(&pieces(&[]), &pieces(second), 8);
        for (piece, ago) in asked {
            table.ask(*piece, now - Duration::from_secs(*ago));
        }
        for (roll, expected) in (0..).zip(rolls) {
            let chosen = table.choose(&pieces(have), &pieces(first), &[], roll, now);
            assert_eq!(chosen, *expected, "roll {roll}");
        }
    }

    #[test]
    fn the_rarest_piece_is_asked_for_and_equals_are_drawn() {
        check(&[], &[1, 2, 3, 4], &[1, 2], &[], &[Some(3), Some(4), Some(3)]);
        check(&[3], &[1, 2, 3, 4], &[1, 2], &[], &[Some(4), Some(4)]);
        check(&[3], &[1, 2, 3, 4], &[1, 2], &[(4, 1)], &[Some(1), Some(2), Some(1)]);
    }

    #[test]
    fn what_another_source_lets_wait_is_asked_for_once_more() {
        check(&[], &[1, 2], &[2], &[(1, 1), (2, 1)], &[None]);
        check(&[], &[1, 2], &[2], &[(1, 4), (2, 5)], &[Some(2)]);
        check(&[], &[2], &[2], &[(2, 9), (2, 9)], &[None]);
        check(&[2], &[2], &[2], &[], &[None]);
    }
}

//! Buyers that several sellers turn away: the owner asks nobody for them for a while. Otherwise one that asks without
//! end and never comes would keep every seller busy with saying no.

use proto::{PublicKey, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// So many sellers have to say no before an owner believes it; where fewer are listed, all of them. A single liar
/// among many cannot keep a buyer out.
pub(crate) const VOICES: usize = 3;
/// For how long the word of sellers counts.
const BELIEVED_FOR: Span = Span::secs(15);
/// Buyers that are remembered.
const MAX_REMEMBERED: usize = 1_024;

/// Who was turned away, by whom, and until when that counts.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    buyers: BTreeMap<PublicKey, (BTreeSet<PublicKey>, Time)>,
}

impl TurnedAway {
    /// `seller` reserves nothing for `buyer`.
    pub(crate) fn by(&mut self, buyer: PublicKey, seller: PublicKey, now: Time) {
        self.buyers.retain(|_, (_, until)| *until > now);
        if self.buyers.len() >= MAX_REMEMBERED && !self.buyers.contains_key(&buyer) {
            return;
        }
        let (sellers, until) = self.buyers.entry(buyer).or_default();
        *until = now.after(BELIEVED_FOR);
        if sellers.len() < VOICES {
            sellers.insert(seller);
        }
    }

    /// Whether nobody is asked for `buyer` at the moment by an owner with so many `listed` sellers.
    pub(crate) fn is_kept_out(&self, buyer: PublicKey, listed: usize, now: Time) -> bool {
        let needed = listed.clamp(1, VOICES);
        self.buyers.get(&buyer).is_some_and(|(sellers, until)| sellers.len() >= needed && now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_kept_out_by_the_word_of_several_sellers_and_for_a_while() {
        let [buyer, one, two, three] = [1, 2, 3, 4].map(|byte| PublicKey([byte; 32]));
        let mut turned_away = TurnedAway::default();
        for (seller, expected) in [(one, false), (one, false), (two, false), (three, true)] {
            turned_away.by(buyer, seller, Time(10));
            assert_eq!(turned_away.is_kept_out(buyer, 100, Time(11)), expected);
        }
        assert!(!turned_away.is_kept_out(one, 100, Time(11)));
        assert!(!turned_away.is_kept_out(buyer, 100, Time(10).after(BELIEVED_FOR)));
        turned_away.by(one, two, Time(20));
        assert!(turned_away.is_kept_out(one, 1, Time(21)) && !turned_away.is_kept_out(one, 2, Time(21)));
    }
}

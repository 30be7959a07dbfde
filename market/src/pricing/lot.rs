//! What decides between equal asks.
//!
//! A draw is named by an id of 16 random bytes, which the buyer chooses. A seller's lot in it follows from the id and
//! the first four bytes of the seller's key, by two rounds of an invertible mixing of 64 bits (the finalizer of
//! MurmurHash3, whose constants these are). Who can choose what:
//!
//! - A **seller** has its key before the id is drawn. Whatever the key, the lot is equally distributed over all ids,
//!   since each round is invertible; so no key is luckier than another, and none is worth a search. Many keys have many
//!   lots, as they have many asks; that is not for the draw to prevent.
//! - A **market owner** can choose nothing: the id comes from the buyer, who computes the lots of winner and runner-up
//!   again.
//! - A **buyer** can try ids until the seller that it likes wins among those that ask the same. It pays the same for
//!   each of them; and it may name sellers that it does not want anyway.

use proto::{CommandId, Hash, PublicKey};

/// The lot of `seller` in the draw `id`, as a number as long as a hash: the mixed word, then the key's first bytes,
/// which tell equal words apart. The lowest goes first.
#[must_use]
pub fn lot(id: CommandId, seller: PublicKey) -> Hash {
    let drawn = word(id, head(seller)).to_be_bytes();
    let mut lot = [0; 32];
    for (to, from) in lot.iter_mut().zip(drawn.into_iter().chain(seller.0)) {
        *to = from;
    }
    Hash(lot)
}

/// The mixed word for a key that begins with `head`.
#[must_use]
pub fn word(id: CommandId, head: u32) -> u64 {
    let (first, second) = halves(id);
    mixed(mixed(u64::from(head) ^ first) ^ second)
}

/// Where the draw `id` begins among keys, by their first four bytes: where there are too many equal asks to draw among
/// all of them.
#[must_use]
pub fn start(id: CommandId) -> u32 {
    let (first, second) = halves(id);
    u32::try_from(mixed(second ^ mixed(first)) >> u32::BITS).unwrap_or(u32::MAX)
}

/// The first four bytes of a key.
#[must_use]
pub fn head(key: PublicKey) -> u32 {
    key.0.first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
}

fn halves(id: CommandId) -> (u64, u64) {
    let half = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |half| u64::from_be_bytes(*half));
    (half(id.0.first_chunk()), half(id.0.last_chunk()))
}

/// 64 bits mixed so that each bit of the result hangs on each bit given; invertible.
const fn mixed(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> PublicKey {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        PublicKey(key)
    }

    /// How often each of `keys` has the lowest lot in 10,000 draws.
    fn wins(keys: [PublicKey; 4]) -> [u32; 4] {
        let mut wins = [0; 4];
        for n in 0..10_000_u64 {
            let id = Hash::of(&n.to_be_bytes()).0;
            let id = CommandId(id[..16].try_into().unwrap());
            let best = (0..4).min_by_key(|at| lot(id, keys[*at])).unwrap();
            wins[best] += 1;
        }
        wins
    }

    #[test]
    fn neighbouring_far_and_lowest_keys_win_equally_often() {
        for keys in [[0, 1, 2, 3], [0, u32::MAX, 1 << 31, 1], [7, 7 << 8, 7 << 16, 7 << 24]] {
            let wins = wins(keys.map(key));
            // 2,500 each, give or take four standard deviations of 43.
            assert!(wins.iter().all(|wins| (2_327..2_673).contains(wins)), "{wins:?}");
        }
    }

    #[test]
    fn equal_words_are_told_apart_by_the_rest_of_the_key() {
        let (mut low, mut high, id) = (key(9), key(9), CommandId([3; 16]));
        (low.0[4], high.0[4]) = (1, 2);
        assert!(lot(id, low) < lot(id, high));
        assert_eq!(lot(id, low).0[..8], lot(id, high).0[..8]);
    }
}

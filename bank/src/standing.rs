//! What the bank can say of an account as a seller: how many of its contracts were paid, and how many came to nothing
//! through it.
//!
//! It follows from the records alone, so a replayed ledger says the same. It is weak evidence, and meant as such: who
//! pays itself through a second account gets a good word for the owner's fees, and who sets money aside and offers
//! no work gets a bad word for a seller at the price of waiting. So a hold that just expires, of which nobody but the
//! buyer can say whose fault it was, counts against the seller only once until that buyer has paid somebody again.

use crate::hold::Hold;
use crate::snapshot::stored;
use proto::message::market::Standing;
use proto::{PublicKey, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How long the bank stands by its word; a seller asks again in time.
pub const STANDING_TTL: Span = Span::secs(3_600);

/// How a contract came out for its seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// It was paid.
    Kept,
    /// By its own signed word it gave the work up.
    GivenUp,
    /// It broke its word: a second execution came to something else, or nothing came of what it put a bond up for.
    Broken,
    /// Nothing was heard of it until the hold expired.
    Silent,
    /// It came to nothing by no fault of the seller.
    Blameless,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    kept: u64,
    broken: u64,
}

/// The conduct of all sellers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standings {
    by_seller: BTreeMap<PublicKey, Count>,
    /// Buyers whose word has counted against somebody since they last paid.
    accusers: BTreeSet<PublicKey>,
}

stored!(Count { kept, broken });
stored!(Standings { by_seller, accusers });

impl Standings {
    /// Notes how the contract of `hold` came out.
    pub(crate) fn note(&mut self, hold: &Hold, conduct: Conduct) {
        let is_broken = match conduct {
            Conduct::Blameless => return,
            Conduct::Kept => {
                self.accusers.remove(&hold.buyer);
                false
            }
            Conduct::GivenUp | Conduct::Broken => true,
            Conduct::Silent if self.accusers.insert(hold.buyer) => true,
            Conduct::Silent => return,
        };
        let count = self.by_seller.entry(hold.seller).or_default();
        let side = if is_broken { &mut count.broken } else { &mut count.kept };
        *side = side.saturating_add(1);
    }

    /// Whether `account` was ever paid as a seller.
    pub(crate) fn was_paid(&self, account: PublicKey) -> bool {
        self.by_seller.get(&account).is_some_and(|count| count.kept > 0)
    }

    /// What can be said of `account` at `now`.
    pub(crate) fn of(&self, account: PublicKey, now: Time) -> Standing {
        let Count { kept, broken } = self.by_seller.get(&account).copied().unwrap_or_default();
        Standing { account, kept, broken, expires: now.after(STANDING_TTL) }
    }
}

#[cfg(test)]
mod tests {
    use super::Conduct::{Blameless, GivenUp, Kept, Silent};
    use super::*;
    use proto::{CommandId, Hash, Money, Reputation};

    const SELLER: PublicKey = PublicKey([7; 32]);

    fn check(history: &[(u8, Conduct)], kept: u64, broken: u64, reputation: u32) {
        let mut standings = Standings::default();
        for &(buyer, conduct) in history {
            let (id, ticket, expires) = (CommandId([0; 16]), Hash::default(), Time(9));
            let hold =
                Hold { id, buyer: PublicKey([buyer; 32]), seller: SELLER, ticket, amount: Money(1), expires };
            standings.note(&hold, conduct);
        }
        let expires = Time(5).after(STANDING_TTL);
        let standing = standings.of(SELLER, Time(5));
        assert_eq!(standing, Standing { account: SELLER, kept, broken, expires }, "{history:?}");
        assert_eq!(standing.reputation(), Reputation(reputation), "{history:?}");
    }

    #[test]
    fn a_buyer_that_pays_nobody_can_blame_once() {
        check(&[], 0, 0, 500);
        check(&[(1, Kept), (1, Kept), (2, Blameless)], 2, 0, 750);
        check(&[(1, GivenUp), (1, GivenUp)], 0, 2, 250);
        check(&[(1, Silent), (1, Silent), (1, Silent)], 0, 1, 333);
        check(&[(1, Silent), (2, Silent)], 0, 2, 250);
        check(&[(1, Silent), (1, Kept), (1, Silent)], 1, 2, 400);
    }
}

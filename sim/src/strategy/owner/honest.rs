//! Who does what the rule says with the listings as they are.

use super::{Deal, Kind, Owner, Stall, by_the_rule};

/// Who follows the rule.
pub(super) const KIND: Kind = Kind {
    name: "honest",
    about: "the rule, with the listings as they are",
    parameters: Vec::new,
    owner: |_| Box::new(Honest),
};

struct Honest;

impl Owner for Honest {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        by_the_rule(stall)
    }
}

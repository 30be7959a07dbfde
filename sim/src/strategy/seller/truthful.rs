//! The ask is the cost: best in a reverse Vickrey auction whatever the others do (reference §5.1).

use super::{Kind, Place, Seller};
use proto::Rate;

/// Who lists its cost.
pub(super) const KIND: Kind = Kind {
    name: "truthful",
    about: "the ask is the cost",
    parameters: Vec::new,
    seller: |_| Box::new(Truthful),
};

struct Truthful;

impl Seller for Truthful {
    fn report(&self, place: &Place<'_>) -> Rate {
        place.cost
    }
}

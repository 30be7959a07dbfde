//! The bid is the value.

use super::{Buyer, Kind};
use proto::Rate;

/// Who bids its value.
pub(super) const KIND: Kind =
    Kind { name: "truthful", about: "bids its value", parameters: Vec::new, buyer: |_| Box::new(Truthful) };

struct Truthful;

impl Buyer for Truthful {
    fn bids(&self, value: Rate) -> Vec<Rate> {
        vec![value]
    }
}

//! A buyer that finds a price too high comes again when the others have bought, or when time has passed.

use super::{Buyer, Kind};
use crate::experiment::Parameter;
use crate::price::{credits, rate};
use proto::Rate;

const PATIENCE: Parameter = Parameter::real(
    "strategies.patience_share",
    0.5,
    0.0,
    1.0,
    "the part of its value above which a waiting buyer finds a price too high at first",
);

/// Who waits.
pub(super) const KIND: Kind = Kind {
    name: "waiting",
    about: "bids a part of its value, and all of it when it comes again",
    parameters: || vec![PATIENCE],
    buyer: |setting| Box::new(Waiting(setting.real(&PATIENCE))),
};

struct Waiting(f64);

impl Buyer for Waiting {
    fn bids(&self, value: Rate) -> Vec<Rate> {
        vec![rate(credits(value) * self.0), value]
    }
}

//! A buyer that says that work is worth less to it than it is, and keeps to that.

use super::{Buyer, Kind};
use crate::experiment::Parameter;
use crate::price::{credits, rate};
use proto::Rate;

const BID: Parameter =
    Parameter::real("strategies.bid_share", 0.8, 0.0, 1.0, "the part of its value that a shading buyer bids");

/// Who bids less.
pub(super) const KIND: Kind = Kind {
    name: "shading",
    about: "bids a part of its value, whatever comes",
    parameters: || vec![BID],
    buyer: |setting| Box::new(Shading(setting.real(&BID))),
};

struct Shading(f64);

impl Buyer for Shading {
    fn bids(&self, value: Rate) -> Vec<Rate> {
        vec![rate(credits(value) * self.0)]
    }
}

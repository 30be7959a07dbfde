//! Two identities of one machine: the second one lists a multiple of the first one's ask, and never wins by itself
//! (reference §5.3: under the max-min rule it changes only the highest cost, under Vickrey it can only lower the price).

use super::{Kind, Place, Seller};
use crate::experiment::Parameter;
use crate::price::{credits, rate};
use proto::Rate;

const FACTOR: Parameter = Parameter::real(
    "strategies.sybil_factor",
    2.0,
    1.0,
    100.0,
    "how many times the first ask the second identity of a `sybil` seller asks for",
);

/// Who lists twice.
pub(super) const KIND: Kind = Kind {
    name: "sybil",
    about: "the ask is the cost, and a second identity lists a multiple of it",
    parameters: || vec![FACTOR],
    seller: |setting| Box::new(Sybil(setting.real(&FACTOR))),
};

struct Sybil(f64);

impl Seller for Sybil {
    fn report(&self, place: &Place<'_>) -> Rate {
        place.cost
    }

    fn second(&self, _: &Place<'_>, report: Rate) -> Option<Rate> {
        Some(rate(credits(report) * self.0).max(report))
    }
}

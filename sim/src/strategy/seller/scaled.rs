//! The ask is the cost times a factor: over-reporting above 1, under-reporting below (reference §5.7, E1).

use super::{Kind, Place, Seller};
use crate::experiment::Parameter;
use crate::price::{credits, rate};
use proto::Rate;

const FACTOR: Parameter = Parameter::real(
    "strategies.factor",
    1.2,
    0.0,
    100.0,
    "how many times its cost a `scaled` seller asks for",
);

/// Who lists its cost times a factor.
pub(super) const KIND: Kind = Kind {
    name: "scaled",
    about: "the ask is the cost times a factor: over-reporting above 1, under-reporting below",
    parameters: || vec![FACTOR],
    seller: |setting| Box::new(Scaled(setting.real(&FACTOR))),
};

struct Scaled(f64);

impl Seller for Scaled {
    fn report(&self, place: &Place<'_>) -> Rate {
        rate(credits(place.cost) * self.0)
    }
}

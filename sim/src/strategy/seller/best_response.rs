//! The ask that earns the most, of a grid from nothing to the reserve, if the others stay as they are.

use super::{Kind, Place, Seller};
use crate::experiment::Parameter;
use proto::Rate;

const STEPS: Parameter = Parameter::integer(
    "strategies.response_steps",
    50,
    1,
    100_000,
    "asks that a best response is chosen from",
);

/// Who sees the others' listings and answers them.
pub(super) const KIND: Kind = Kind {
    name: "best-response",
    about: "the best of a grid of asks, given those of the others; its cost where none is better",
    parameters: || vec![STEPS],
    seller: |setting| Box::new(BestResponse { steps: setting.count(&STEPS).max(1) }),
};

struct BestResponse {
    steps: u64,
}

impl Seller for BestResponse {
    fn report(&self, place: &Place<'_>) -> Rate {
        let ask = |step: u64| {
            let part = u128::from(place.bid.0) * u128::from(step) / u128::from(self.steps);
            Rate(u64::try_from(part).unwrap_or(u64::MAX))
        };
        let mut best = (place.cost, (place.gain)(place.cost));
        for report in (0..=self.steps).map(ask) {
            let gain = (place.gain)(report);
            if gain > best.1 {
                best = (report, gain);
            }
        }
        best.0
    }
}

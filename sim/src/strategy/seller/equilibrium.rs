//! The report that is best against others who report so too, for costs spread evenly (reference §5.3).
//!
//! Where the winner is paid its own ask (first price, max-min), with n sellers, costs from l to h, and `r` the lower one of h
//! and the reserve, it is `c + ((h − c)ⁿ − (h − r)ⁿ) / (n·(h − c)ⁿ⁻¹)`, which is `c + (h − c)/n` for a reserve of h or more.
//! Who is alone asks for as much as the reserve allows. Under the other rules it is the cost.
//!
//! Under the max-min rule the winner gets a bonus π above its ask. `equilibrium` is the reference's formula, which leaves it
//! out and is exact for a bonus of nothing; `equilibrium-bonus` takes it off the ask: sellers compete for the bonus as for any
//! other payment.

use super::{Kind, Place, Seller};
use crate::price::{credits, rate};
use market::pricing::max_min::{Report, buyer_cost};
use proto::Rate;
use proto::rules::PricingRule;

/// The formula without the bonus.
pub(super) const KIND: Kind = Kind {
    name: "equilibrium",
    about: "c + (h - c)/n where the winner is paid its own ask; the cost elsewhere",
    parameters: Vec::new,
    seller: |_| Box::new(Equilibrium { reckons_with_bonus: false }),
};

/// The formula with the bonus.
pub(super) const WITHOUT_BONUS: Kind = Kind {
    name: "equilibrium-bonus",
    about: "the same less the bonus of the max-min rule",
    parameters: Vec::new,
    seller: |_| Box::new(Equilibrium { reckons_with_bonus: true }),
};

struct Equilibrium {
    reckons_with_bonus: bool,
}

impl Seller for Equilibrium {
    fn report(&self, place: &Place<'_>) -> Rate {
        if !matches!(place.rule, PricingRule::FirstPrice | PricingRule::MaxMin) {
            return place.cost;
        }
        if place.sellers <= 1 {
            return highest_alone(place);
        }
        let price = shaded(place);
        let is_less = self.reckons_with_bonus && place.rule == PricingRule::MaxMin;
        rate(if is_less { (price - credits(place.terms.bonus)).max(0.0) } else { price })
    }
}

/// What the winner has to be paid, in credits per Gc.
fn shaded(place: &Place<'_>) -> f64 {
    let (cost, high) = (credits(place.cost), credits(place.costs.1));
    let count = place.sellers as f64;
    let room = high - cost;
    if room <= 0.0 || place.cost >= place.bid {
        return cost;
    }
    let beyond = (high - credits(place.bid)).max(0.0);
    cost + (room - room * libm::pow(beyond / room, count)) / count
}

/// The highest ask with which seller and owner together cost no more than the reserve; the cost where there is none.
///
/// What they cost rises with the ask once it is `√K/2`, where `K/(4a) + a` is least; an honest owner that sees one seller
/// only has no spread, so that it rises everywhere.
fn highest_alone(place: &Place<'_>) -> Rate {
    if place.rule == PricingRule::FirstPrice {
        return place.bid;
    }
    let fits = |ask: u64| {
        let report = Report { lowest: Rate(ask), highest: Rate(ask) };
        buyer_cost(&place.terms, report).is_ok_and(|cost| cost <= place.bid)
    };
    let (mut low, mut high) = (place.cost.0, place.bid.0);
    if !fits(low) {
        return place.cost;
    }
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Rate(low)
}

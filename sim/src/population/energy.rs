//! What a machine costs its owner: electricity, and the owner's own wish to use it (reference §6.5, whose figures are
//! assumptions).
//!
//! A unit of work is a second on a core of the mean speed of [`hosts`]; a credit is what an hour of it costs at
//! 10 W per core and 0.17 of a currency unit per kWh. So a cost of 1 is usual.

use super::hosts::{Host, Hosts};
use super::{Costs, Kind, draw, hosts};
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

const PRICE: Parameter = Parameter::real(
    "population.price_per_kwh",
    0.17,
    0.001,
    10.0,
    "the median price of a kWh, in currency units",
);
const SPREAD: Parameter =
    Parameter::real("population.price_sigma", 0.45, 0.0, 3.0, "the spread of that price (of its logarithm)");
const NIGHT: Parameter = Parameter::real(
    "population.night_share",
    0.3,
    0.0,
    1.0,
    "the share of hosts that pay half the price, at night",
);
const ALTRUISTS: Parameter = Parameter::real(
    "population.altruist_share",
    0.1,
    0.0,
    1.0,
    "the share of hosts that ask for nothing but the listing",
);
const ACTIVE: Parameter = Parameter::real(
    "population.active_share",
    0.2,
    0.0,
    1.0,
    "the share of hosts whose owners are using them",
);
const LISTING: Parameter = Parameter::real(
    "population.listing_credits",
    0.001,
    0.0,
    1e3,
    "wear, network and listing, in credits per unit",
);

/// Costs from electricity and use.
pub const KIND: Kind = Kind {
    name: "energy",
    about: "costs from the power that machines draw, the price of electricity and the owner's own use",
    source: "reference §6.5 (assumptions) over hosts of Heien, Kondo and Anderson 2011",
    parameters: || vec![hosts::YEARS, PRICE, SPREAD, NIGHT, ALTRUISTS, ACTIVE, LISTING],
    costs: |setting| Box::new(Energy::of(setting)),
};

/// The least and the greatest price of a kWh.
const PRICES: (f64, f64) = (0.03, 0.45);
/// Currency units that are a credit: 10 W for an hour at 0.17 per kWh.
const CREDIT: f64 = 0.01 * 0.17;
/// How much dearer a machine is while its owner uses it: 1 + α, α from 2 to 10.
const OPPORTUNITY: (f64, f64) = (3.0, 11.0);

/// Costs from electricity and use.
#[derive(Clone, Debug)]
pub struct Energy {
    hosts: Hosts,
    price: f64,
    spread: f64,
    night: f64,
    altruists: f64,
    active: f64,
    listing: f64,
}

impl Energy {
    /// As a setting has it.
    #[must_use]
    pub fn of(setting: &Setting) -> Self {
        Self {
            hosts: Hosts::of(setting),
            price: setting.real(&PRICE),
            spread: setting.real(&SPREAD),
            night: setting.real(&NIGHT),
            altruists: setting.real(&ALTRUISTS),
            active: setting.real(&ACTIVE),
            listing: setting.real(&LISTING),
        }
    }
}

impl Costs for Energy {
    fn cost(&self, seller: usize, dice: &mut Dice) -> f64 {
        let host = self.hosts.draw(dice);
        self.cost_on(&host, seller, dice)
    }

    /// `(P_busy − P_idle)/cores · e / speed`, dearer while the owner is there, and the listing; for altruists the listing.
    fn cost_on(&self, host: &Host, _: usize, dice: &mut Dice) -> f64 {
        let watts = extra_watts(dice) / host.cores;
        let price = draw::lognormal(dice, self.price, self.spread).clamp(PRICES.0, PRICES.1);
        let price = if draw::happens(dice, self.night) { price / 2.0 } else { price };
        let is_active = draw::happens(dice, self.active);
        let opportunity = draw::uniform(dice, OPPORTUNITY.0, OPPORTUNITY.1);
        if draw::happens(dice, self.altruists) {
            return self.listing;
        }
        let speed = host.whetstone / self.hosts.mean_speed();
        let energy = watts / 1_000.0 * price / CREDIT / speed;
        self.listing + if is_active { energy * opportunity } else { energy }
    }
}

/// What a busy machine draws more than an idle one, in watts: six in ten are desktops, three laptops, one a small board.
fn extra_watts(dice: &mut Dice) -> f64 {
    let kind = draw::unit(dice);
    if kind < 0.6 {
        draw::uniform(dice, 100.0, 250.0) - draw::uniform(dice, 40.0, 80.0)
    } else if kind < 0.9 {
        draw::uniform(dice, 30.0, 60.0) - draw::uniform(dice, 8.0, 15.0)
    } else {
        6.0 - 2.0
    }
}

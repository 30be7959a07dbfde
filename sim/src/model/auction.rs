//! One auction after another, each with new costs, and one seller that tries other reports (experiments E1, E4, E5 and E6 of
//! reference §5.7).
//!
//! What is priced is priced by the functions of [`market::pricing`]; the closed forms (`auction/closed.rs`) are those of
//! reference §5.1 to §5.3 with the constants and the rounding of the shipping rules.

mod closed;
mod metrics;
#[cfg(test)]
mod tests;

use super::rule::Rule;
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::population::{Costs, Kind as PopulationKind, Populations};
use crate::price::{difference, rate};
use crate::strategy::owner::{Deal, Kind as OwnerKind, Owner, Owners, Stall};
use crate::strategy::seller::{Kind as SellerKind, Place, Seller, Sellers, expected_costs};
use market::pricing::{Ask, lot};
use metrics::Sums;
use proto::Rate;

/// One auction after another.
#[derive(Clone)]
pub struct Auction {
    populations: Populations,
    sellers: Sellers,
    owners: Owners,
}

pub(super) const SELLERS: Parameter =
    Parameter::integer("population.sellers", 5, 1, 10_000, "how many sellers list in each auction");
const AUCTIONS: Parameter = Parameter::integer("work.auctions", 1_000, 1, 100_000_000, "auctions in a run");
const DEVIATIONS: Parameter = Parameter::integer(
    "strategies.deviations",
    16,
    0,
    10_000,
    "other reports that one seller tries in each auction; none: 0",
);
const DEVIATION_LOW: Parameter = Parameter::real(
    "strategies.deviation_low",
    0.5,
    0.0,
    100.0,
    "the smallest of these reports, as a multiple of what its strategy says",
);
const DEVIATION_HIGH: Parameter = Parameter::real(
    "strategies.deviation_high",
    2.0,
    0.0,
    100.0,
    "the largest of these reports, as a multiple of what its strategy says",
);

impl Auction {
    /// With the populations and strategies that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            populations: Populations::standard(),
            sellers: Sellers::standard(),
            owners: Owners::standard(),
        }
    }

    /// The same with one more population.
    #[must_use]
    pub fn with_population(self, kind: PopulationKind) -> Self {
        Self { populations: self.populations.with(kind), ..self }
    }

    /// The same with one more strategy of sellers.
    #[must_use]
    pub fn with_seller(self, kind: SellerKind) -> Self {
        Self { sellers: self.sellers.with(kind), ..self }
    }

    /// The same with one more strategy of market owners.
    #[must_use]
    pub fn with_owner(self, kind: OwnerKind) -> Self {
        Self { owners: self.owners.with(kind), ..self }
    }
}

impl Model for Auction {
    fn name(&self) -> &'static str {
        "auction"
    }

    fn about(&self) -> &'static str {
        "Auctions of one unit by the shipping pricing rules, with costs drawn anew for each, where one seller also tries other reports."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [SELLERS, AUCTIONS, DEVIATIONS, DEVIATION_LOW, DEVIATION_HIGH];
        let all = [Rule::parameters(), self.populations.parameters(), self.sellers.parameters()];
        own.into_iter().chain(all.into_iter().flatten()).chain(self.owners.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        metrics::METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        if setting.real(&DEVIATION_LOW) > setting.real(&DEVIATION_HIGH) {
            return Err(SettingError::new(DEVIATION_LOW.key, "expected at most `strategies.deviation_high`"));
        }
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let mut room = Room {
            rule: Rule::of(setting),
            costs: self.populations.costs(setting),
            seller: self.sellers.seller(setting),
            owner: self.owners.owner(setting),
            expected: expected_costs(setting),
            sellers: usize::try_from(setting.count(&SELLERS)).unwrap_or(1),
            factors: factors(setting),
            dice: Dice::new(seed, "auction", 0),
            paid: Vec::new(),
            asks: Vec::new(),
        };
        let mut sums = Sums::new(room.factors.len());
        for _ in 0..setting.count(&AUCTIONS) {
            room.hold(&mut sums);
        }
        sums.outcome(&room.rule, closed::Closed::of(setting, &room.rule))
    }
}

/// The multiples of its report that a seller tries.
fn factors(setting: &Setting) -> Vec<f64> {
    let (low, high) = (setting.real(&DEVIATION_LOW), setting.real(&DEVIATION_HIGH));
    let count = setting.count(&DEVIATIONS);
    let step = |number| low + (high - low) * number as f64 / count.saturating_sub(1).max(1) as f64;
    (0..count).map(step).collect()
}

/// Where the auctions are held.
struct Room {
    rule: Rule,
    costs: Box<dyn Costs>,
    seller: Box<dyn Seller>,
    owner: Box<dyn Owner>,
    expected: (Rate, Rate),
    sellers: usize,
    factors: Vec<f64>,
    dice: Dice,
    /// What the sellers of this auction have to spend.
    paid: Vec<Rate>,
    /// What is listed: one ask a seller, then those of second identities.
    asks: Vec<Ask<usize>>,
}

/// An auction that took place.
pub(super) struct Held<'a> {
    pub(super) costs: &'a [Rate],
    pub(super) deal: Option<Deal>,
    pub(super) bid: Rate,
}

impl Room {
    fn hold(&mut self, sums: &mut Sums) {
        self.list();
        let deal = self.arrange(&self.asks);
        sums.note(&Held { costs: &self.paid, deal, bid: self.rule.bid });
        if self.factors.is_empty() {
            return;
        }
        let Some(report) = self.asks.first().map(|ask| ask.rate) else { return };
        let truth = self.gain(deal, 0);
        let factors = std::mem::take(&mut self.factors);
        let tried = factors.iter().map(|factor| {
            if let Some(ask) = self.asks.first_mut() {
                ask.rate = rate(crate::price::credits(report) * factor);
            }
            self.gain(self.arrange(&self.asks), 0) - truth
        });
        sums.gap.note(tried);
        self.factors = factors;
    }

    /// New costs, new lots, and what each seller lists.
    fn list(&mut self) {
        let id = super::draw_id(&mut self.dice);
        self.paid.clear();
        self.asks.clear();
        for who in 0..self.sellers {
            let cost = rate(self.costs.cost(who, &mut self.dice));
            self.paid.push(cost);
            self.asks.push(Ask { rate: cost, lot: lot(id, super::key(who)), who });
        }
        for who in 0..self.sellers {
            let Some(cost) = self.paid.get(who).copied() else { continue };
            let gain = |report| {
                let mut asks = self.asks.clone();
                if let Some(ask) = asks.get_mut(who) {
                    ask.rate = report;
                }
                self.gain(self.arrange(&asks), who)
            };
            let place = Place {
                cost,
                sellers: self.sellers as u64,
                rule: self.rule.pricing,
                terms: self.rule.max_min(),
                bid: self.rule.bid,
                costs: self.expected,
                gain: &gain,
            };
            let report = self.seller.report(&place);
            let second = self.seller.second(&place, report);
            if let Some(ask) = self.asks.get_mut(who) {
                ask.rate = report;
            }
            if let Some(rate) = second {
                let who = who.saturating_add(self.sellers);
                self.asks.push(Ask { rate, lot: lot(id, super::key(who)), who });
            }
        }
    }

    fn arrange(&self, asks: &[Ask<usize>]) -> Option<Deal> {
        let Rule { pricing, terms, bid, unit } = &self.rule;
        let stall = Stall { rule: *pricing, terms, asks, bid: *bid, unit: *unit };
        let deal = self.owner.arrange(&stall)?;
        // A second identity is the same machine.
        Some(Deal { winner: deal.winner.checked_rem(self.sellers).unwrap_or(0), ..deal })
    }

    /// What a seller gains by a deal, in credits per Gc.
    fn gain(&self, deal: Option<Deal>, seller: usize) -> f64 {
        let sold = deal.filter(|deal| deal.winner == seller);
        let cost = self.paid.get(seller).copied().unwrap_or_default();
        sold.map_or(0.0, |deal| difference(deal.to_seller, cost))
    }
}

//! All mechanisms on the same buyers and sellers (experiment E11 of reference §5.7): how much of the gains from trade is
//! realised, who gets it, what is left over, and what lies earn.
//!
//! The one-sided rules of the network serve buyers in random order: each comes with its value as the bid, buys one unit of
//! what is left, and the seller leaves. The two-sided ones see everybody. Those that ship are called in [`market::pricing`];
//! others are there to compare with ([`mechanism`]).

pub mod mechanism;
#[cfg(test)]
mod tests;

use super::rule::Rule;
use super::{CREDITS, RATIO, SHARE, binomial, metric, size};
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::measure::{Gap, budget, gini, jain, ratio};
use crate::population::uniform::Uniform;
use crate::population::values::{HIGH as VALUE_HIGH, Kind as ValueKind, Values};
use crate::population::{Costs, Kind as PopulationKind, Populations};
use crate::price::{credits, difference, rate};
use crate::strategy::buyer::{Buyer, Buyers, Kind as BuyerKind};
use mechanism::{Case, Kind as MechanismKind, Mechanism, Mechanisms, Traded};
use proto::{CommandId, Rate};

/// All mechanisms on the same buyers and sellers.
#[derive(Clone)]
pub struct Tournament {
    populations: Populations,
    values: Values,
    mechanisms: Mechanisms,
    buyers: Buyers,
}

const SELLERS: Parameter =
    Parameter::integer("population.sellers", 20, 1, 10_000, "how many sell one unit each");
const BUYERS: Parameter = Parameter::integer(
    "population.buyers",
    0,
    0,
    10_000,
    "how many buy one unit each; as many as sellers: 0",
);
const MARKETS: Parameter =
    Parameter::integer("work.markets", 100, 1, 100_000_000, "markets in a run, each drawn anew");
const DEVIATIONS: Parameter = Parameter::integer(
    "strategies.deviations",
    8,
    0,
    1_000,
    "other reports, from half to twice the truth, that one seller and one buyer try",
);

const METRICS: &[Metric] = &[
    metric(
        "efficiency_share",
        SHARE,
        "gains from trade over the greatest possible ones (W/W*), over all markets",
    ),
    metric(
        "closed_efficiency_share",
        SHARE,
        "the same by summation, for a posted price and even spreads from 0 to 1",
    ),
    metric("anarchy_ratio", RATIO, "the greatest possible gains over those realised"),
    metric("greatest_credits", CREDITS, "the greatest possible gains of a market, in the mean (W*)"),
    metric(
        "closed_greatest_credits",
        CREDITS,
        "the same, n m/(n + m)/(2n+2m+2) times (n + m) for n buyers and m sellers spread over 0 to 1",
    ),
    metric("trades_count", "count", "trades of a market, in the mean"),
    metric("possible_count", "count", "trades that gain, with the best partners, in the mean (k)"),
    metric("buyer_cost_credits", CREDITS, "what a buyer pays for a unit, in the mean over all trades"),
    metric("seller_price_credits", CREDITS, "what a seller gets for a unit, in the mean over all trades"),
    metric("profit_credits", CREDITS, "what a seller gets above its cost, in the mean over all trades"),
    metric("surplus_credits", CREDITS, "what a buyer pays below its value, in the mean over all trades"),
    metric("budget_credits", CREDITS, "what buyers pay and sellers do not get, in the mean over all markets"),
    metric(
        "closed_budget_credits",
        CREDITS,
        "the same by summation, for the VCG double auction and even spreads",
    ),
    metric("deficit_share", SHARE, "what has to be added to a market over the greatest possible gains"),
    metric(
        "closed_deficit_share",
        SHARE,
        "the same: 1/n for the VCG double auction of n buyers and n sellers",
    ),
    metric("seller_gap_credits", CREDITS, "the greatest mean gain of a false report of the first seller"),
    metric("buyer_gap_credits", CREDITS, "the greatest mean gain of a false report of the first buyer"),
    metric("fairness_ratio", RATIO, "Jain's index of the sellers' incomes over all markets"),
    metric("inequality_ratio", RATIO, "the Gini coefficient of the sellers' incomes over all markets"),
    metric("served_share", SHARE, "buyers that get a unit"),
];

impl Tournament {
    /// With the populations that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            populations: Populations::standard(),
            values: Values::standard(),
            mechanisms: Mechanisms::standard(),
            buyers: Buyers::standard(),
        }
    }

    /// The same with one more population of sellers.
    #[must_use]
    pub fn with_population(self, kind: PopulationKind) -> Self {
        Self { populations: self.populations.with(kind), ..self }
    }

    /// The same with one more distribution of values.
    #[must_use]
    pub fn with_values(self, kind: ValueKind) -> Self {
        Self { values: self.values.with(kind), ..self }
    }

    /// The same with one more mechanism.
    #[must_use]
    pub fn with_mechanism(self, kind: MechanismKind) -> Self {
        Self { mechanisms: self.mechanisms.with(kind), ..self }
    }

    /// The same with one more strategy of buyers.
    #[must_use]
    pub fn with_buyer(self, kind: BuyerKind) -> Self {
        Self { buyers: self.buyers.with(kind), ..self }
    }
}

impl Model for Tournament {
    fn name(&self) -> &'static str {
        "tournament"
    }

    fn about(&self) -> &'static str {
        "Buyers and sellers of one unit each under every mechanism: gains realised, money left over, and what lies earn."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [SELLERS, BUYERS, MARKETS, DEVIATIONS];
        // The mechanism and the buyers' values stand for the rule and the reserve of the network.
        let is_other = |parameter: &Parameter| {
            !["rule.pricing", "rule.reserve_credits", "rule.unit_credits"].contains(&parameter.key)
        };
        let rule = Rule::parameters().into_iter().filter(is_other);
        let populations = self.populations.parameters().into_iter();
        let chosen = self.values.parameters().into_iter().chain(self.mechanisms.parameters());
        own.into_iter().chain(rule).chain(populations).chain(chosen).chain(self.buyers.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let costs = self.populations.costs(setting);
        let (mechanism, buyer) = (self.mechanisms.mechanism(setting), self.buyers.buyer(setting));
        let play = Play { mechanism: &*mechanism, buyer: &*buyer };
        let mut dice = Dice::new(seed, "tournament", 0);
        let deviations = setting.count(&DEVIATIONS);
        let mut sums = Sums::new(deviations);
        let sides = (buyers(setting), size(setting.count(&SELLERS)));
        for _ in 0..setting.count(&MARKETS) {
            let market = Market::draw(sides, &*costs, |dice| self.values.value(setting, dice), &mut dice);
            let traded = play.trade(&market.values, &market.costs, &market);
            sums.note(&market, &traded);
            sums.deviate(&market, &play, &traded, deviations);
        }
        let closed = closed(setting);
        sums.outcome(closed)
    }
}

fn buyers(setting: &Setting) -> usize {
    let count = setting.count(&BUYERS);
    size(if count == 0 { setting.count(&SELLERS) } else { count })
}

/// A mechanism, and how buyers bid in it.
struct Play<'a> {
    mechanism: &'a dyn Mechanism,
    buyer: &'a dyn Buyer,
}

impl Play<'_> {
    /// Who trades if buyers bid for these values, and sellers ask for these costs.
    fn trade(&self, values: &[Rate], costs: &[Rate], market: &Market) -> Vec<Traded> {
        let bids: Vec<Vec<Rate>> = values.iter().map(|value| self.buyer.bids(*value)).collect();
        self.mechanism.trade(&Case { bids: &bids, asks: costs, order: &market.order, id: market.id })
    }
}

/// Buyers and sellers, and the order in which buyers come.
struct Market {
    values: Vec<Rate>,
    costs: Vec<Rate>,
    order: Vec<usize>,
    id: CommandId,
}

impl Market {
    fn draw(
        (buyers, sellers): (usize, usize),
        costs: &dyn Costs,
        mut value: impl FnMut(&mut Dice) -> f64,
        dice: &mut Dice,
    ) -> Self {
        let costs = (0..sellers).map(|who| rate(costs.cost(who, dice))).collect();
        let values = (0..buyers).map(|_| rate(value(dice))).collect();
        let mut order: Vec<usize> = (0..buyers).collect();
        for last in (1..buyers).rev() {
            order.swap(last, size(dice.below(last as u64 + 1)));
        }
        Self { values, costs, order, id: super::draw_id(dice) }
    }

    /// The most that could be gained, and by how many trades.
    fn greatest(&self) -> (f64, f64) {
        let (mut values, mut costs) = (self.values.clone(), self.costs.clone());
        values.sort_unstable_by(|one, other| other.cmp(one));
        costs.sort_unstable();
        let gains = values.iter().zip(&costs).take_while(|(value, cost)| value > cost);
        gains.fold((0.0, 0.0), |(sum, count), (value, cost)| (sum + difference(*value, *cost), count + 1.0))
    }

    fn seller_gain(&self, traded: &[Traded]) -> f64 {
        let cost = self.costs.first().copied().unwrap_or_default();
        traded.iter().find(|trade| trade.seller == 0).map_or(0.0, |trade| difference(trade.gets, cost))
    }

    fn buyer_gain(&self, traded: &[Traded]) -> f64 {
        let value = self.values.first().copied().unwrap_or_default();
        traded.iter().find(|trade| trade.buyer == 0).map_or(0.0, |trade| difference(value, trade.pays))
    }
}

struct Sums {
    trace: blake3::Hasher,
    markets: f64,
    buyers: f64,
    trades: f64,
    possible: f64,
    welfare: f64,
    greatest: f64,
    paid: f64,
    got: f64,
    profit: f64,
    surplus: f64,
    incomes: Vec<f64>,
    seller_gap: Gap,
    buyer_gap: Gap,
}

impl Sums {
    fn new(deviations: u64) -> Self {
        Self {
            trace: blake3::Hasher::new(),
            markets: 0.0,
            buyers: 0.0,
            trades: 0.0,
            possible: 0.0,
            welfare: 0.0,
            greatest: 0.0,
            paid: 0.0,
            got: 0.0,
            profit: 0.0,
            surplus: 0.0,
            incomes: Vec::new(),
            seller_gap: Gap::new(size(deviations)),
            buyer_gap: Gap::new(size(deviations)),
        }
    }

    fn note(&mut self, market: &Market, traded: &[Traded]) {
        let (greatest, possible) = market.greatest();
        self.markets += 1.0;
        self.buyers += market.values.len() as f64;
        self.greatest += greatest;
        self.possible += possible;
        self.trades += traded.len() as f64;
        self.incomes.resize(market.costs.len(), 0.0);
        for trade in traded {
            let value = market.values.get(trade.buyer).copied().unwrap_or_default();
            let cost = market.costs.get(trade.seller).copied().unwrap_or_default();
            self.welfare += difference(value, cost);
            self.paid += credits(trade.pays);
            self.got += credits(trade.gets);
            self.profit += difference(trade.gets, cost);
            self.surplus += difference(value, trade.pays);
            if let Some(income) = self.incomes.get_mut(trade.seller) {
                *income += credits(trade.gets);
            }
            for word in [trade.buyer as u64, trade.seller as u64, trade.pays.0, trade.gets.0] {
                self.trace.update(&word.to_le_bytes());
            }
        }
    }

    /// The first seller and the first buyer try other reports, from half to twice the truth.
    fn deviate(&mut self, market: &Market, play: &Play<'_>, truth: &[Traded], count: u64) {
        let factor = |number: u64| 0.5 + 1.5 * number as f64 / count.saturating_sub(1).max(1) as f64;
        let changed = |reports: &[Rate], number: u64| {
            let mut reports = reports.to_vec();
            if let Some(first) = reports.first_mut() {
                *first = rate(credits(*first) * factor(number));
            }
            reports
        };
        let (seller, buyer) = (market.seller_gain(truth), market.buyer_gain(truth));
        self.seller_gap.note((0..count).map(|number| {
            let costs = changed(&market.costs, number);
            market.seller_gain(&play.trade(&market.values, &costs, market)) - seller
        }));
        self.buyer_gap.note((0..count).map(|number| {
            let values = changed(&market.values, number);
            market.buyer_gain(&play.trade(&values, &market.costs, market)) - buyer
        }));
    }

    fn outcome(self, closed: Closed) -> Result<Outcome, RunError> {
        let each_trade = |sum: f64| ratio(sum, self.trades).ok_or(RunError::NoTrade);
        let each_market = |sum: f64| ratio(sum, self.markets).ok_or(RunError::NoTrade);
        let left = budget(self.paid, self.got);
        Ok(Outcome::new(*self.trace.finalize().as_bytes())
            .with_some("efficiency_share", ratio(self.welfare, self.greatest))
            .with_some("closed_efficiency_share", closed.efficiency)
            .with_some("anarchy_ratio", ratio(self.greatest, self.welfare))
            .with("greatest_credits", each_market(self.greatest)?)
            .with_some("closed_greatest_credits", closed.greatest)
            .with("trades_count", each_market(self.trades)?)
            .with("possible_count", each_market(self.possible)?)
            .with("buyer_cost_credits", each_trade(self.paid)?)
            .with("seller_price_credits", each_trade(self.got)?)
            .with("profit_credits", each_trade(self.profit)?)
            .with("surplus_credits", each_trade(self.surplus)?)
            .with("budget_credits", each_market(left)?)
            .with_some("closed_budget_credits", closed.budget)
            .with_some("deficit_share", ratio(-left, self.greatest))
            .with_some("closed_deficit_share", closed.deficit)
            .with_some("seller_gap_credits", self.seller_gap.before())
            .with_some("buyer_gap_credits", self.buyer_gap.before())
            .with_some("fairness_ratio", jain(&self.incomes))
            .with_some("inequality_ratio", gini(&self.incomes))
            .with_some("served_share", ratio(self.trades, self.buyers)))
    }
}

/// The closed forms, where values and costs are spread evenly over 0 to 1.
#[derive(Default)]
struct Closed {
    greatest: Option<f64>,
    budget: Option<f64>,
    deficit: Option<f64>,
    efficiency: Option<f64>,
}

/// Of n + m numbers spread evenly, the j-th lowest is j/(n + m + 1) in the mean, and who among them is a buyer does not hang on
/// their values. The n highest of them have the units in the end: of the buyers, n·n/(n + m) are among them. So k = n·m/(n + m)
/// trades in the mean take place between the mean of the n highest and that of the m lowest, `(n + m)/2/(n + m + 1)` apart; and a
/// clearing price can move by 1/(n + m + 1), which the VCG double auction pays for each trade.
fn closed(setting: &Setting) -> Closed {
    let is_unit = Populations::name(setting) == "uniform"
        && Uniform::of(setting) == Uniform { low: 0.0, high: 1.0 }
        && Values::name(setting) == "uniform"
        && setting.real(&VALUE_HIGH) == 1.0;
    if !is_unit {
        return Closed::default();
    }
    let (buyers, sellers) = (buyers(setting) as u64, setting.count(&SELLERS));
    let (n, m) = (buyers as f64, sellers as f64);
    let trades = n * m / (n + m);
    let greatest = trades * (n + m) / 2.0 / (n + m + 1.0);
    let deficit = trades / (n + m + 1.0);
    let name = Mechanisms::name(setting);
    let is_truthful = Buyers::name(setting) == "truthful";
    let is_vcg = name == "vcg-double" && is_truthful;
    // With a posted price p, as many trade as the smaller side has that accept, each pair gains 1/2 in the mean.
    let posted = credits(Rule::of(setting).terms.posted).min(1.0);
    let fewer = || {
        let pair = |b: u64, s: u64| {
            binomial(buyers, b, 1.0 - posted) * binomial(sellers, s, posted) * b.min(s) as f64
        };
        (0..=buyers).flat_map(|b| (0..=sellers).map(move |s| (b, s))).map(|(b, s)| pair(b, s)).sum::<f64>()
    };
    let is_posted = name == "posted" && is_truthful;
    Closed {
        greatest: Some(greatest),
        budget: is_vcg.then_some(-deficit),
        deficit: is_vcg.then_some(deficit / greatest),
        efficiency: is_posted.then(|| fewer() / 2.0 / greatest),
    }
}

//! What theory says of the auctions: the closed forms of reference §5.1 to §5.3, for costs on a ladder and for costs spread
//! evenly. Where a setting has none, there is none.
//!
//! With w = h − l the width of the spread, n sellers and r = (R − l)/w for the reserve R:
//! the r-th lowest cost is l + w·r/(n + 1) in the mean; a reverse Vickrey auction with a reserve within the spread pays, given a
//! sale, `l + w·(2(1 − (1 − r)ⁿ⁺¹)/(n + 1) − 2r(1 − r)ⁿ)/(1 − (1 − r)ⁿ)`, which also is what sellers in equilibrium are paid
//! under first price (revenue equivalence).

use super::{Rule, SELLERS};
use crate::experiment::{Outcome, Setting};
use crate::population::Populations;
use crate::population::ladder::Ladder;
use crate::population::uniform::Uniform;
use crate::price::{credits, rate};
use crate::strategy::owner::{Owners, bribe_threshold};
use crate::strategy::seller::Sellers;
use proto::rules::PricingRule;

/// The closed forms of one setting, in credits per Gc.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Closed {
    pub(super) price: Option<f64>,
    pub(super) owner_pay: Option<f64>,
    pub(super) report: Option<f64>,
    pub(super) lowest_selected: Option<f64>,
    pub(super) profit: Option<f64>,
    pub(super) gap: Option<f64>,
}

/// How the sellers' asks follow from their costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Truth,
    /// c + (h − c)/n where the winner is paid its own ask.
    Shaded,
    /// The same less the bonus.
    ShadedByBonus,
}

/// What the closed forms depend on.
struct Case<'a> {
    rule: &'a Rule,
    sellers: u64,
    asking: Asking,
    owner: &'a str,
    setting: &'a Setting,
}

impl Closed {
    pub(super) fn of(setting: &Setting, rule: &Rule) -> Self {
        let asking = match Sellers::name(setting) {
            "truthful" | "sybil" => Asking::Truth,
            "equilibrium" => Asking::Shaded,
            "equilibrium-bonus" => Asking::ShadedByBonus,
            _ => return Self::default(),
        };
        let is_own_ask = matches!(rule.pricing, PricingRule::FirstPrice | PricingRule::MaxMin);
        let asking = if is_own_ask { asking } else { Asking::Truth };
        let case =
            Case { rule, sellers: setting.count(&SELLERS), asking, owner: Owners::name(setting), setting };
        match Populations::name(setting) {
            "ladder" if Sellers::name(setting) == "truthful" => case.on_ladder(&Ladder::of(setting)),
            "uniform" if Sellers::name(setting) != "sybil" => case.spread(&Uniform::of(setting)),
            _ => Self::default(),
        }
    }

    pub(super) fn write(self, outcome: Outcome) -> Outcome {
        let cost = self.price.zip(self.owner_pay).map(|(price, owner)| price + owner);
        outcome
            .with_some("closed_price_credits", self.price)
            .with_some("closed_owner_pay_credits", self.owner_pay)
            .with_some("closed_buyer_cost_credits", cost)
            .with_some("closed_report_credits", self.report)
            .with_some("closed_lowest_selected_share", self.lowest_selected)
            .with_some("closed_profit_credits", self.profit)
            .with_some("closed_gap_credits", self.gap)
    }
}

impl Case<'_> {
    /// The place, from one, of the cost that sets the price where losers do; none for the reserve, and what is added.
    fn setter(&self) -> Option<(u64, f64)> {
        match self.owner {
            "honest" | "paper-optimal" => Some((2, 0.0)),
            "bribed" if !self.is_bribe_taken() => Some((2, 0.0)),
            "bribed" => Some((3, 0.0)),
            "shill" => Some((1, credits(self.rule.unit))),
            _ => None,
        }
    }

    /// Whether the second seller's bribe is worth it for the owner.
    fn is_bribe_taken(&self) -> bool {
        let bribe = self.setting.value("strategies.bribe_credits").and_then(crate::experiment::Value::number);
        let bribe = rate(bribe.unwrap_or(0.0));
        if self.owner != "bribed" || self.sellers < 2 {
            return false;
        }
        if self.rule.pricing != PricingRule::MaxMin {
            return bribe.0 > 0;
        }
        let Ladder { lowest, step } = Ladder::of(self.setting);
        let threshold = bribe_threshold(&self.rule.max_min(), rate(lowest), rate(lowest + step));
        threshold.is_some_and(|threshold| bribe > threshold)
    }

    /// Costs on a ladder, true reports: exact.
    fn on_ladder(&self, ladder: &Ladder) -> Closed {
        let cost = |place: u64| ladder.lowest + ladder.step * place.saturating_sub(1) as f64;
        let reserve = credits(self.rule.bid);
        let is_taken = self.is_bribe_taken();
        let winner = cost(if is_taken { 2 } else { 1 });
        let lowest_selected = Some(if is_taken && ladder.step > 0.0 { 0.0 } else { 1.0 });
        let terms = self.rule.max_min();
        let floor = credits(terms.floor);
        match self.rule.pricing {
            PricingRule::MaxMin => {
                let (report, paid_for) = match self.owner {
                    "honest" | "paper-optimal" | "shill" | "bribed" => (winner, winner.max(floor)),
                    "commission" => {
                        let shaved = self.shaved(winner);
                        (shaved, shaved)
                    }
                    _ => return Closed::default(),
                };
                // What an owner that is not at x = 2a gets depends on the highest cost.
                let doubled = self.rule.weight() / (4.0 * paid_for) + credits(terms.fixed);
                let honest = self.spread_pay(winner.max(floor), cost(self.sellers).max(floor));
                let owner_pay = match self.owner {
                    "honest" => honest,
                    _ => doubled,
                };
                let price = paid_for + credits(terms.bonus);
                let report = if self.owner == "paper-optimal" { paid_for } else { report };
                Closed {
                    price: Some(price),
                    owner_pay: Some(owner_pay),
                    report: Some(report),
                    lowest_selected,
                    profit: Some(price - winner),
                    gap: None,
                }
            }
            PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => {
                let price = match self.setter() {
                    Some((place, more)) if place <= self.sellers => (cost(place) + more).min(reserve),
                    _ => reserve,
                };
                Closed {
                    price: Some(price),
                    owner_pay: Some(0.0),
                    report: Some(winner),
                    lowest_selected,
                    profit: Some(price - winner),
                    gap: None,
                }
            }
            PricingRule::FirstPrice | PricingRule::Posted => Closed::default(),
        }
    }

    /// K·(x − a)/x² + δ.
    fn spread_pay(&self, lowest: f64, highest: f64) -> f64 {
        self.rule.weight() * (highest - lowest) / (highest * highest) + credits(self.rule.terms.fixed)
    }

    /// The lowest report that a seller with this cost accepts: one unit above the cost less the bonus.
    fn shaved(&self, cost: f64) -> f64 {
        let unit = credits(self.rule.unit);
        let least = (cost - credits(self.rule.terms.bonus)).max(0.0);
        // Half a micro-credit keeps what is on the lattice there.
        (libm::floor(least / unit + 1e-7) * unit + unit).max(credits(self.rule.terms.floor))
    }

    /// Costs spread evenly, in the mean.
    fn spread(&self, costs: &Uniform) -> Closed {
        let width = costs.high - costs.low;
        let count = self.sellers as f64;
        let reserve = credits(self.rule.bid);
        if width <= 0.0 {
            return Closed::default();
        }
        // What the place-th lowest cost is in the mean; the reserve where there are fewer.
        let placed = |place: f64| costs.low + width * place / (count + 1.0);
        let is_open = reserve >= costs.high;
        let lowest = placed(1.0);
        let is_first = matches!(self.owner, "honest" | "paper-optimal" | "shill" | "commission");
        let (price, owner_pay) = match self.rule.pricing {
            PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => {
                let price = match self.setter() {
                    Some((2, _)) if !is_open => Some(reserved(costs, count, reserve)),
                    Some((place, _)) if place > self.sellers => Some(reserve),
                    Some((place, more)) if is_open => Some(placed(place as f64) + more),
                    None if self.owner == "commission" => Some(reserve),
                    _ => None,
                };
                (price, Some(0.0))
            }
            PricingRule::FirstPrice if self.owner != "commission" && is_first => {
                let price = match self.asking {
                    Asking::Truth => is_open.then_some(lowest),
                    _ if self.sellers == 1 => Some(reserve),
                    _ => Some(reserved(costs, count, reserve)),
                };
                (price, Some(0.0))
            }
            PricingRule::MaxMin => self.max_min(costs),
            PricingRule::Posted => (Some(credits(self.rule.terms.posted)), Some(0.0)),
            PricingRule::FirstPrice => (None, None),
        };
        let is_truthful = self.rule.pricing != PricingRule::MaxMin || credits(self.rule.terms.bonus) < 1e-5;
        let is_best = match self.asking {
            Asking::Truth => !matches!(self.rule.pricing, PricingRule::FirstPrice | PricingRule::MaxMin),
            Asking::Shaded => is_truthful && self.sellers > 1,
            Asking::ShadedByBonus => self.sellers > 1,
        };
        let report = matches!(self.rule.pricing, PricingRule::MaxMin) && self.owner == "honest";
        Closed {
            price,
            owner_pay,
            report: price.filter(|_| report).map(|price| price - credits(self.rule.terms.bonus)),
            lowest_selected: (is_first && self.rule.pricing != PricingRule::Posted && is_open)
                .then_some(1.0)
                .filter(|_| self.owner != "commission" || self.rule.pricing != PricingRule::FirstPrice),
            profit: price
                .filter(|_| is_open && is_first && self.rule.pricing != PricingRule::Posted)
                .map(|price| price - lowest),
            gap: (is_best && self.owner == "honest" && (is_open || self.asking == Asking::Truth))
                .then_some(0.0),
        }
    }

    /// Price and owner's pay under the max-min rule, where the reserve never binds.
    fn max_min(&self, costs: &Uniform) -> (Option<f64>, Option<f64>) {
        let (width, count) = (costs.high - costs.low, self.sellers as f64);
        let (bonus, fixed) = (credits(self.rule.terms.bonus), credits(self.rule.terms.fixed));
        let reserve = credits(self.rule.bid);
        if !matches!(self.owner, "honest" | "paper-optimal") {
            return (None, None);
        }
        if self.sellers == 1 && self.asking != Asking::Truth {
            // Alone it asks for all that the reserve leaves; an honest owner then sees no spread.
            let is_honest = self.owner == "honest";
            return if is_honest { (Some(reserve - fixed), Some(fixed)) } else { (None, None) };
        }
        let least = match self.asking {
            Asking::Truth => costs.low,
            Asking::Shaded => costs.low + width / count,
            Asking::ShadedByBonus => costs.low + width / count - bonus,
        };
        let floor = credits(self.rule.terms.floor);
        let most_pay = self.rule.weight() / (4.0 * least.max(floor)) + fixed;
        if costs.high + bonus + most_pay > reserve || least < floor {
            return (None, None);
        }
        let place = if self.asking == Asking::Truth { 1.0 } else { 2.0 };
        let price = costs.low + width * place / (count + 1.0);
        let price = if self.asking == Asking::ShadedByBonus { price } else { price + bonus };
        let doubled = || {
            self.rule.weight() / 4.0
                * mean_inverse(least, costs.high - (price_offset(self.asking) * bonus), count)
                + fixed
        };
        let pay = match (self.owner, self.asking) {
            ("paper-optimal", Asking::Shaded | Asking::ShadedByBonus) => Some(doubled()),
            _ => None,
        };
        (Some(price), pay)
    }
}

/// How many bonuses are taken off the ask.
const fn price_offset(asking: Asking) -> f64 {
    match asking {
        Asking::ShadedByBonus => 1.0,
        Asking::Truth | Asking::Shaded => 0.0,
    }
}

/// The mean of 1/a for the lowest of `count` asks in equilibrium, which lie evenly between `least` and `most`.
///
/// With s the greatest of n even draws, a = most·(1 − q·s) and q = 1 − least/most, so that the mean is
/// `1/most · Σₖ qᵏ·n/(n + k)`.
fn mean_inverse(least: f64, most: f64, count: f64) -> f64 {
    let part = 1.0 - least / most;
    let (mut sum, mut power, mut number) = (0.0, 1.0, 0.0);
    while power > 1e-16 {
        sum += power * count / (count + number);
        power *= part;
        number += 1.0;
    }
    sum / most
}

/// The mean price of a reverse Vickrey auction with this reserve, given a sale.
fn reserved(costs: &Uniform, count: f64, reserve: f64) -> f64 {
    let width = costs.high - costs.low;
    let within = (reserve - costs.low) / width;
    if within >= 1.0 {
        let second = costs.low + width * 2.0 / (count + 1.0);
        return if count < 2.0 { reserve } else { second };
    }
    let beyond = 1.0 - within;
    let none = libm::pow(beyond, count);
    let paid = 2.0 * (1.0 - none * beyond) / (count + 1.0) - 2.0 * within * none;
    costs.low + width * paid / (1.0 - none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_within_the_spread_has_the_mean_that_is_worked_by_hand() {
        let costs = Uniform { low: 0.0, high: 1.0 };
        let check = |count: f64, reserve: f64, expected: f64| {
            assert!((reserved(&costs, count, reserve) - expected).abs() < 1e-12, "{count} {reserve}");
        };
        // Alone: the reserve, whatever it is.
        check(1.0, 0.3, 0.3);
        check(1.0, 7.0, 7.0);
        check(4.0, 1.0, 0.4);
        check(4.0, 9.0, 0.4);
        // Two sellers and a half: both below it in 1/4 of all cases (the higher one is 1/3 in the mean), one in 1/2.
        check(2.0, 0.5, (0.25 / 3.0 + 0.5 * 0.5) / 0.75);
    }

    #[test]
    fn the_mean_inverse_is_that_of_the_integral() {
        // One draw between 1 and 2: ln 2.
        assert!((mean_inverse(1.0, 2.0, 1.0) - std::f64::consts::LN_2).abs() < 1e-12);
        // The lowest of two: 2·∫(2 − a)/a da = 4 ln 2 − 2.
        assert!((mean_inverse(1.0, 2.0, 2.0) - (4.0 * std::f64::consts::LN_2 - 2.0)).abs() < 1e-12);
    }
}

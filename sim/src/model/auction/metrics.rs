//! What is measured of auctions.

use super::closed::Closed;
use super::{Held, Rule};
use crate::experiment::{Metric, Outcome, RunError};
use crate::measure::{Gap, efficiency, jain, lerner, ratio};
use crate::model::{CREDITS, RATIO, SHARE, metric};
use crate::price::{credits, difference};

/// Everything that is measured.
pub(super) const METRICS: &[Metric] = &[
    metric("price_credits", CREDITS, "what a seller is paid, in the mean over all sales"),
    metric(
        "closed_price_credits",
        CREDITS,
        "the same by reference §5.1 and §5.3, for costs on a ladder or spread evenly",
    ),
    metric("owner_pay_credits", CREDITS, "what the market owner is paid besides its fee, in the mean"),
    metric("closed_owner_pay_credits", CREDITS, "the same by reference §5.3: K/(4a) + delta"),
    metric("buyer_cost_credits", CREDITS, "what a buyer pays to seller and owner, in the mean"),
    metric("closed_buyer_cost_credits", CREDITS, "the same by reference §5.3: K/(4a) + delta + a + bonus"),
    metric(
        "bound_buyer_cost_credits",
        CREDITS,
        "what Lemma 1c promises where costs are 1 or more: lowest cost + 1/4 K + delta + bonus",
    ),
    metric("owner_share", SHARE, "the owner's part of what the buyer pays"),
    metric(
        "report_credits",
        CREDITS,
        "the lowest cost that the owner names, in the mean (MC'_1 of the paper)",
    ),
    metric("closed_report_credits", CREDITS, "the same by reference §5.3"),
    metric("lowest_selected_share", SHARE, "how often the seller with the lowest cost sells (Lemma 1a)"),
    metric(
        "closed_lowest_selected_share",
        SHARE,
        "the same by reference §5.3: 1 unless a bribe exceeds K(c2 - c1)/(4 c1 c2)",
    ),
    metric("lowest_cost_credits", CREDITS, "the lowest cost, in the mean over all sales"),
    metric("profit_credits", CREDITS, "what the winner is paid above its cost, in the mean"),
    metric("closed_profit_credits", CREDITS, "the same by reference §5.1"),
    metric("surplus_credits", CREDITS, "what the buyer keeps of its reserve, in the mean"),
    metric("efficiency_share", SHARE, "gains from trade over the greatest possible ones (W/W*)"),
    metric("anarchy_ratio", RATIO, "the greatest possible gains over those realised (price of anarchy)"),
    metric("lerner_ratio", RATIO, "(price - cost)/price of the winner: its power over the market"),
    metric("fairness_ratio", RATIO, "Jain's index of the sellers' incomes"),
    metric("trade_share", SHARE, "auctions that end with a sale"),
    metric(
        "gap_credits",
        CREDITS,
        "the greatest mean gain of one deviation of the first seller: the gap to truth before the others are known",
    ),
    metric("closed_gap_credits", CREDITS, "zero where theory says that no report is better"),
    metric("gap_afterwards_credits", CREDITS, "the mean of the best deviation of each auction"),
    metric("gap_most_credits", CREDITS, "the greatest gain of a deviation in any auction"),
    metric("gaining_share", SHARE, "auctions in which some deviation gains more than a micro-credit"),
];

/// What auctions come to.
pub(super) struct Sums {
    auctions: f64,
    sales: f64,
    price: f64,
    owner: f64,
    reported: f64,
    lowest: f64,
    profit: f64,
    welfare: f64,
    greatest: f64,
    is_lowest: f64,
    incomes: Vec<f64>,
    pub(super) gap: Gap,
    trace: blake3::Hasher,
}

impl Sums {
    pub(super) fn new(deviations: usize) -> Self {
        Self {
            auctions: 0.0,
            sales: 0.0,
            price: 0.0,
            owner: 0.0,
            reported: 0.0,
            lowest: 0.0,
            profit: 0.0,
            welfare: 0.0,
            greatest: 0.0,
            is_lowest: 0.0,
            incomes: Vec::new(),
            gap: Gap::new(deviations),
            trace: blake3::Hasher::new(),
        }
    }

    /// One more auction.
    pub(super) fn note(&mut self, held: &Held<'_>) {
        self.auctions += 1.0;
        self.incomes.resize(held.costs.len(), 0.0);
        let lowest = held.costs.iter().copied().min().unwrap_or_default();
        self.greatest += difference(held.bid, lowest).max(0.0);
        let Some(deal) = held.deal else {
            self.trace.update(&u64::MAX.to_le_bytes());
            return;
        };
        let cost = held.costs.get(deal.winner).copied().unwrap_or_default();
        self.sales += 1.0;
        self.price += credits(deal.to_seller);
        self.owner += credits(deal.to_owner);
        self.reported += credits(deal.reported);
        self.lowest += credits(lowest);
        self.profit += difference(deal.to_seller, cost);
        self.welfare += difference(held.bid, cost);
        self.is_lowest += if cost == lowest { 1.0 } else { 0.0 };
        if let Some(income) = self.incomes.get_mut(deal.winner) {
            *income += credits(deal.to_seller);
        }
        for word in [deal.winner as u64, deal.to_seller.0, deal.to_owner.0] {
            self.trace.update(&word.to_le_bytes());
        }
    }

    /// The figures.
    ///
    /// # Errors
    /// [`RunError::NoTrade`] where nothing was sold.
    pub(super) fn outcome(self, rule: &Rule, closed: Closed) -> Result<Outcome, RunError> {
        let each = |sum: f64| ratio(sum, self.sales).ok_or(RunError::NoTrade);
        let (price, owner, lowest) = (each(self.price)?, each(self.owner)?, each(self.lowest)?);
        let cost = price + owner;
        let terms = rule.max_min();
        let bound = lowest + rule.weight() / 4.0 + credits(terms.fixed) + credits(terms.bonus);
        let is_max_min = rule.pricing == proto::rules::PricingRule::MaxMin;
        let outcome = Outcome::new(*self.trace.finalize().as_bytes())
            .with("price_credits", price)
            .with("owner_pay_credits", owner)
            .with("buyer_cost_credits", cost)
            .with_some("bound_buyer_cost_credits", is_max_min.then_some(bound))
            .with_some("owner_share", ratio(owner, cost))
            .with("report_credits", each(self.reported)?)
            .with("lowest_selected_share", each(self.is_lowest)?)
            .with("lowest_cost_credits", lowest)
            .with("profit_credits", each(self.profit)?)
            .with("surplus_credits", credits(rule.bid) - cost)
            .with_some("efficiency_share", efficiency(self.welfare, self.greatest))
            .with_some("anarchy_ratio", crate::measure::price_of_anarchy(self.greatest, self.welfare))
            .with_some("lerner_ratio", lerner(price, price - each(self.profit)?))
            .with_some("fairness_ratio", jain(&self.incomes))
            .with_some("trade_share", ratio(self.sales, self.auctions))
            .with_some("gap_credits", self.gap.before())
            .with_some("gap_afterwards_credits", self.gap.afterwards())
            .with_some("gap_most_credits", self.gap.afterwards().map(|_| self.gap.most()))
            .with_some("gaining_share", self.gap.gaining());
        Ok(closed.write(outcome))
    }
}

//! The mechanisms that are compared: all that ship, and two more to compare them with.

use super::{BUYING, KAPPA, MECHANISM, Market, PATIENCE};
use crate::experiment::Setting;
use crate::model::key;
use crate::model::rule::Rule;
use crate::price::{credits, rate};
use crate::strategy::owner::{Stall, by_the_rule};
use market::pricing::double::{Bid, Exchange};
use market::pricing::k_double::{self, Share};
use market::pricing::{Ask, lot, mcafee};
use proto::rules::{PricingRule, PricingTerms};
use proto::{CommandId, Rate};

/// Every mechanism: the network's rules, the double auctions, and the two that do not ship.
pub(super) const NAMES: &[&str] = &[
    "vickrey",
    "first-price",
    "max-min",
    "posted",
    "uniform",
    "vcg",
    "mcafee",
    "trade-reduction",
    "k-double",
    "vcg-double",
    "random",
];

/// A unit that is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traded {
    pub(super) buyer: usize,
    pub(super) seller: usize,
    pub(super) pays: Rate,
    pub(super) gets: Rate,
}

/// A mechanism with its constants.
pub(super) struct Mechanism {
    name: &'static str,
    terms: PricingTerms,
    share: Share,
    /// The part of its value that a waiting buyer pays at first; everything where buyers do not wait.
    patience: f64,
}

impl Mechanism {
    pub(super) fn of(setting: &Setting) -> Option<Self> {
        let name = NAMES.iter().find(|name| **name == setting.text(&MECHANISM))?;
        let kappa = u32::try_from(setting.count(&KAPPA)).ok()?;
        let is_waiting = setting.text(&BUYING) == "waiting";
        Some(Self {
            name,
            terms: Rule::of(setting).terms,
            share: Share::new(kappa, 100)?,
            patience: if is_waiting { setting.real(&PATIENCE) } else { 1.0 },
        })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Who trades if these are the reports.
    pub(super) fn trade(&self, values: &[Rate], costs: &[Rate], market: &Market) -> Vec<Traded> {
        if let Some(rule) = PricingRule::ALL.into_iter().find(|rule| rule.name() == self.name) {
            return self.one_sided(rule, values, costs, market);
        }
        let bids = || {
            values.iter().enumerate().map(|(who, rate)| Bid {
                rate: *rate,
                lot: lot(market.id, key(who)),
                who,
            })
        };
        let asks = || asks(costs, market.id);
        let exchange = match self.name {
            "mcafee" => mcafee::clear(bids(), asks()),
            "trade-reduction" => mcafee::reduced(bids(), asks()),
            "k-double" => k_double::clear(bids(), asks(), self.share),
            "vcg-double" => vcg_double(bids().collect(), asks().collect()),
            _ => return random(values, costs, market),
        };
        exchange.map_or_else(Vec::new, |exchange| {
            let pairs = exchange.buyers.iter().zip(&exchange.sellers);
            let traded = |(buyer, seller): (&usize, &usize)| Traded {
                buyer: *buyer,
                seller: *seller,
                pays: exchange.pays,
                gets: exchange.gets,
            };
            pairs.map(traded).collect()
        })
    }

    /// Buyers one after the other, each at the network's rule among the sellers that are left.
    fn one_sided(&self, rule: PricingRule, values: &[Rate], costs: &[Rate], market: &Market) -> Vec<Traded> {
        let mut left: Vec<Ask<usize>> = asks(costs, market.id).collect();
        let mut traded = Vec::new();
        let mut waiting = Vec::new();
        let come = |buyer: usize, limit: Rate, left: &mut Vec<Ask<usize>>| {
            let bid = values.get(buyer).copied().unwrap_or_default();
            let stall = Stall { rule, terms: &self.terms, asks: left, bid, unit: Rate(1) };
            let deal = by_the_rule(&stall)?;
            let pays = Rate(deal.to_seller.0.saturating_add(deal.to_owner.0));
            if pays > limit {
                return None;
            }
            left.retain(|ask| ask.who != deal.winner);
            Some(Traded { buyer, seller: deal.winner, pays, gets: deal.to_seller })
        };
        for buyer in &market.order {
            let value = values.get(*buyer).copied().unwrap_or_default();
            match come(*buyer, rate(credits(value) * self.patience), &mut left) {
                Some(trade) => traded.push(trade),
                None => waiting.push(*buyer),
            }
        }
        if self.patience < 1.0 {
            traded.extend(waiting.into_iter().filter_map(|buyer| come(buyer, Rate(u64::MAX), &mut left)));
        }
        traded
    }
}

fn asks(costs: &[Rate], id: CommandId) -> impl Iterator<Item = Ask<usize>> {
    costs.iter().enumerate().map(move |(who, rate)| Ask { rate: *rate, lot: lot(id, key(who)), who })
}

/// The double auction of Vickrey, Clarke and Groves, which does not ship because somebody has to pay for it: the k trades
/// that gain; buyers pay `max(c_k, v_k+1)` and sellers get `min(v_k, c_k+1)` (reference §5.5).
fn vcg_double(mut bids: Vec<Bid<usize>>, mut asks: Vec<Ask<usize>>) -> Option<Exchange<usize, usize>> {
    bids.sort_by_key(|bid| (std::cmp::Reverse(bid.rate), bid.lot));
    asks.sort_by_key(|ask| (ask.rate, ask.lot));
    let count = bids.iter().zip(&asks).take_while(|(bid, ask)| bid.rate >= ask.rate).count();
    let (bid, ask) = (bids.get(count.checked_sub(1)?)?.rate, asks.get(count.checked_sub(1)?)?.rate);
    Some(Exchange {
        pays: bids.get(count).map_or(ask, |next| next.rate.max(ask)),
        gets: asks.get(count).map_or(bid, |next| next.rate.min(bid)),
        buyers: bids.iter().take(count).map(|bid| bid.who).collect(),
        sellers: asks.iter().take(count).map(|ask| ask.who).collect(),
    })
}

/// Each buyer meets one seller by chance, and they share what there is to gain.
fn random(values: &[Rate], costs: &[Rate], market: &Market) -> Vec<Traded> {
    let mut sellers: Vec<Ask<usize>> = asks(costs, market.id).collect();
    sellers.sort_by_key(|ask| ask.lot);
    let meet = |(buyer, ask): (&usize, Ask<usize>)| {
        let value = values.get(*buyer).copied().unwrap_or_default();
        let price = Rate(value.0.midpoint(ask.rate.0));
        (value > ask.rate).then_some(Traded { buyer: *buyer, seller: ask.who, pays: price, gets: price })
    };
    market.order.iter().zip(sellers).filter_map(meet).collect()
}

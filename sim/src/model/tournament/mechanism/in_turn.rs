//! The network's own rules: buyers come one after the other, each buys at the rule among the sellers that are left, and its
//! seller leaves. Who has not bought comes again with its next bid when all others have been there.

use super::{Case, Kind, Mechanism, Traded};
use crate::experiment::Setting;
use crate::model::rule::Rule;
use crate::strategy::owner::{Stall, by_the_rule};
use market::pricing::Ask;
use proto::Rate;
use proto::rules::{PricingRule, PricingTerms};

/// Every rule of the network.
pub(super) const ALL: [Kind; 6] = [
    kind("vickrey", |setting| boxed(PricingRule::Vickrey, setting)),
    kind("first-price", |setting| boxed(PricingRule::FirstPrice, setting)),
    kind("max-min", |setting| boxed(PricingRule::MaxMin, setting)),
    kind("posted", |setting| boxed(PricingRule::Posted, setting)),
    kind("uniform", |setting| boxed(PricingRule::Uniform, setting)),
    kind("vcg", |setting| boxed(PricingRule::Vcg, setting)),
];

const fn kind(name: &'static str, mechanism: fn(&Setting) -> Box<dyn Mechanism>) -> Kind {
    let about = "the network's rule of this name, for buyers one after the other";
    Kind { name, about, parameters: Vec::new, mechanism }
}

fn boxed(rule: PricingRule, setting: &Setting) -> Box<dyn Mechanism> {
    Box::new(InTurn { rule, terms: Rule::of(setting).terms })
}

struct InTurn {
    rule: PricingRule,
    terms: PricingTerms,
}

impl Mechanism for InTurn {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let mut left: Vec<Ask<usize>> = case.lots_of_sellers().collect();
        let mut waiting = case.order.to_vec();
        let mut traded = Vec::new();
        let rounds = case.bids.iter().map(Vec::len).max().unwrap_or(0);
        for round in 0..rounds {
            waiting.retain(|buyer| {
                let bid = case.bids.get(*buyer).and_then(|bids| bids.get(round)).copied();
                let trade = bid.and_then(|bid| self.buy(*buyer, bid, &mut left));
                traded.extend(trade);
                trade.is_none()
            });
        }
        traded
    }
}

impl InTurn {
    fn buy(&self, buyer: usize, bid: Rate, left: &mut Vec<Ask<usize>>) -> Option<Traded> {
        let stall = Stall { rule: self.rule, terms: &self.terms, asks: left, bid, unit: Rate(1) };
        let deal = by_the_rule(&stall)?;
        left.retain(|ask| ask.who != deal.winner);
        let pays = Rate(deal.to_seller.0.saturating_add(deal.to_owner.0));
        Some(Traded { buyer, seller: deal.winner, pays, gets: deal.to_seller })
    }
}

//! `price`: a match ticket follows the network's rule. Computed here once more, from the text of the rules.
//!
//! Reverse Vickrey (CompuP2P paper, IV-B1): the lowest ask wins and is paid the next one, at most the bid, and the bid
//! when there is none. Uniform and VCG: so too, and the next one has lost; under the uniform rule it is the same for the
//! whole batch in one market. First price: the lowest ask wins and is paid that ask. Posted price: who asks for no more
//! is paid it. Max-min (IV-B2, Equation 1): the lowest ask `a` is paid `a + π`, and the owner `K(x − a)/x² + δ`, with `x`
//! the dearest ask.

use super::{Breach, Checked};
use proto::message::Message;
use proto::message::market::{MarketMessage, Ticket};
use proto::rules::{PricingRule, PricingTerms};
use proto::{Rate, Rules};
use std::collections::BTreeMap;

/// Checks `message` if it carries tickets.
pub(crate) fn check(message: &Message, rules: &Rules) -> Checked {
    let Message::Market(MarketMessage::Matched(matched)) = message else { return Ok(()) };
    let tickets: Vec<&Ticket> = matched.tickets.iter().map(|ticket| &ticket.body).collect();
    for ticket in &tickets {
        fault(ticket, rules).map_or(Ok(()), |what| {
            let who = format!("ticket {} of market owner {}", ticket.id, ticket.owner);
            Err(Breach::new("price", format!("{who}: {what}")))
        })?;
    }
    batch_fault(&tickets, rules).map_or(Ok(()), |what| Err(Breach::new("price", what)))
}

fn fault(ticket: &Ticket, rules: &Rules) -> Option<String> {
    let winner = &ticket.winner.body;
    let other = ticket.runner_up.as_ref().map(|listing| listing.body.ask);
    let (price, to_owner) = match rules.rule {
        PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => {
            (other.map_or(ticket.bid, |other| other.min(ticket.bid)), Rate(0))
        }
        PricingRule::FirstPrice => (winner.ask, Rate(0)),
        PricingRule::Posted => (rules.pricing.posted, Rate(0)),
        PricingRule::MaxMin => max_min(&rules.pricing, winner.ask, other.unwrap_or(winner.ask)),
    };
    if ticket.clearing != price {
        return Some(format!("its price is {}, by its listings it is {price}", ticket.clearing));
    }
    if ticket.owner_rate != to_owner {
        return Some(format!("its owner gets {} per Gc, by its listings {to_owner}", ticket.owner_rate));
    }
    if winner.ask > price {
        return Some(format!("the winner asks for {}, more than the price of {price}", winner.ask));
    }
    if price.0.saturating_add(to_owner.0) > ticket.bid.0 {
        return Some(format!("it costs {price} and {to_owner}, more than the bid of {}", ticket.bid));
    }
    if ticket.fee != rules.owner_fee {
        return Some(format!("its fee is {}, the network's is {}", ticket.fee, rules.owner_fee));
    }
    let runner_up = ticket.runner_up.as_ref().map(|listing| listing.body.seller.key);
    let (buyer, first) = (Some(ticket.buyer), Some(winner.seller.key));
    // A seller of several slices can lose one and win another, and under the uniform rule that sets the price.
    let is_alone = first == runner_up && rules.rule != PricingRule::Uniform;
    (buyer == first || is_alone || buyer == runner_up).then(|| "buyer and sellers are not three".into())
}

/// What seller and owner get under the max-min rule.
fn max_min(terms: &PricingTerms, lowest: Rate, dearest: Rate) -> (Rate, Rate) {
    let least = terms.floor.0.max(1);
    let (a, x) = (u128::from(lowest.0.max(least)), u128::from(dearest.0.max(least)));
    let variable = u128::from(terms.weight) * x.saturating_sub(a) / (x * x);
    let rate = |sum: u128| Rate(u64::try_from(sum).unwrap_or(u64::MAX));
    (rate(a + u128::from(terms.bonus.0)), rate(variable + u128::from(terms.fixed.0)))
}

/// Under the uniform rule the slices that are sold in one market have one price, and no winner asks for more.
fn batch_fault(tickets: &[&Ticket], rules: &Rules) -> Option<String> {
    let mut prices: BTreeMap<_, Rate> = BTreeMap::new();
    for ticket in tickets.iter().filter(|_| rules.rule == PricingRule::Uniform) {
        let market = ticket.winner.body.market;
        let price = *prices.entry(market).or_insert(ticket.clearing);
        if price != ticket.clearing {
            return Some(format!("one batch is sold in {market} at {price} and at {}", ticket.clearing));
        }
    }
    None
}

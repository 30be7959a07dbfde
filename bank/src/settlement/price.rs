//! The price of a ticket, computed once more from the text of its rule and from its own listings. The bank does not
//! know the market, so this is not the market's code.

use super::mismatch;
use proto::message::market::Ticket;
use proto::rules::{PricingRule, PricingTerms};
use proto::{Rate, Refusal, Rules};

/// What can be said of a ticket's price whatever the network's constants are: seller and owner together get no more than
/// the bid, the seller no less than its ask, and where the listings alone make the price it is theirs.
///
/// Reverse Vickrey (CompuP2P paper, IV-B1): the ask that is named beside the winner's, at most the bid, and the bid when
/// none is. So are the prices of a batch under the uniform and the VCG rule, where that ask is one that lost; which one
/// it had to be shows only in the whole batch, and the buyer has looked. First price: the winner's ask. The posted price
/// and the max-min rule are of the network's constants ([`check_terms`]).
pub(super) fn check_price(ticket: &Ticket) -> Result<(), Refusal> {
    let (ask, bid, clearing) = (ticket.winner.body.ask, ticket.bid, ticket.clearing);
    if clearing.0.checked_add(ticket.owner_rate.0).is_none_or(|total| total > bid.0) {
        let beside = if ticket.owner_rate == Rate(0) {
            String::new()
        } else {
            format!(" with {} for the market owner", ticket.owner_rate)
        };
        return Err(mismatch(format!("the clearing price {clearing}{beside} is above the bid {bid}"), ""));
    }
    if ask > clearing {
        return Err(mismatch(format!("the clearing price {clearing} is below the winner's ask {ask}"), ""));
    }
    let named = || ticket.runner_up.as_ref().map_or(bid, |listing| listing.body.ask.min(bid));
    let price = match ticket.rule {
        PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => named(),
        PricingRule::FirstPrice => ask,
        PricingRule::Posted | PricingRule::MaxMin => clearing,
    };
    if clearing != price {
        return Err(mismatch(format!("the clearing price is {clearing}, by its listings it is {price}"), ""));
    }
    if ticket.rule != PricingRule::MaxMin && ticket.owner_rate != Rate(0) {
        let message = format!("the ticket has {} for the market owner, its rule has none", ticket.owner_rate);
        return Err(mismatch(message, ""));
    }
    Ok(())
}

/// Whether rule, fee and constants are those of the network.
pub(crate) fn check_terms(ticket: &Ticket, rules: &Rules) -> Result<(), Refusal> {
    if ticket.rule != rules.rule {
        return Err(mismatch("the ticket follows another pricing rule than the network", ""));
    }
    let (fee, asked) = (rules.owner_fee, ticket.fee);
    if asked != fee {
        return Err(mismatch(format!("the ticket's owner fee is {asked}, the network's is {fee}"), ""));
    }
    let (clearing, owner_rate) = match ticket.rule {
        PricingRule::Posted => (Some(rules.pricing.posted), Some(Rate(0))),
        PricingRule::MaxMin => {
            let ask = ticket.winner.body.ask;
            let dearest = ticket.runner_up.as_ref().map_or(ask, |listing| listing.body.ask);
            (to_seller(&rules.pricing, ask), to_owner(&rules.pricing, ask, dearest))
        }
        _ => return Ok(()),
    };
    let (Some(clearing), Some(owner_rate)) = (clearing, owner_rate) else {
        return Err(mismatch("the price by the ticket's listings cannot be represented", ""));
    };
    if (ticket.clearing, ticket.owner_rate) != (clearing, owner_rate) {
        let message = format!(
            "the clearing price is {} and {} for the market owner, by the network's rule they are {clearing} and {owner_rate}",
            ticket.clearing, ticket.owner_rate
        );
        return Err(mismatch(message, ""));
    }
    Ok(())
}

/// `a + π` of the paper's IV-B2, where a cost below the floor counts as the floor.
fn to_seller(terms: &PricingTerms, ask: Rate) -> Option<Rate> {
    floored(terms, ask).checked_add(terms.bonus.0).map(Rate)
}

/// `K·(x − a)/x² + δ` of Equation 1, rounded down before δ is added.
fn to_owner(terms: &PricingTerms, ask: Rate, dearest: Rate) -> Option<Rate> {
    let (a, x) = (u128::from(floored(terms, ask)), u128::from(floored(terms, dearest)));
    let product = u128::from(terms.weight).checked_mul(x.checked_sub(a)?)?;
    let variable = u64::try_from(product.checked_div(x.checked_mul(x)?)?).ok()?;
    variable.checked_add(terms.fixed.0).map(Rate)
}

fn floored(terms: &PricingTerms, cost: Rate) -> u64 {
    cost.0.max(terms.floor.0).max(1)
}

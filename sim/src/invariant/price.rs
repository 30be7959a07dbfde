//! `price`: a match ticket follows the network's rule. Computed here once more, from the text of the rule. Reverse
//! Vickrey (CompuP2P paper, IV-B1): the lowest ask wins and is paid the second lowest, at most the bid, and the bid
//! when it was alone. First price: the lowest ask wins and is paid that ask.

use super::{Breach, Checked};
use proto::Rules;
use proto::message::Message;
use proto::message::market::{MarketMessage, Ticket};
use proto::rules::PricingRule;

/// Checks `message` if it carries a ticket.
pub(crate) fn check(message: &Message, rules: &Rules) -> Checked {
    let Message::Market(MarketMessage::Matched(matched)) = message else { return Ok(()) };
    let ticket = &matched.ticket.body;
    fault(ticket, rules).map_or(Ok(()), |what| {
        Err(Breach::new("price", format!("ticket {} of market owner {}: {what}", ticket.id, ticket.owner)))
    })
}

fn fault(ticket: &Ticket, rules: &Rules) -> Option<String> {
    let winner = &ticket.winner.body;
    let second = ticket.runner_up.as_ref().map(|listing| listing.body.ask);
    let price = match rules.rule {
        PricingRule::Vickrey => second.map_or(ticket.bid, |second| second.min(ticket.bid)),
        PricingRule::FirstPrice => winner.ask,
    };
    if ticket.clearing != price {
        return Some(format!("its price is {}, by its listings it is {price}", ticket.clearing));
    }
    if winner.ask > price {
        return Some(format!("the winner asks for {}, more than the price of {price}", winner.ask));
    }
    if ticket.fee != rules.owner_fee {
        return Some(format!("its fee is {}, the network's is {}", ticket.fee, rules.owner_fee));
    }
    let parties =
        [Some(ticket.buyer), Some(winner.seller.key), ticket.runner_up.as_ref().map(|l| l.body.seller.key)];
    let [buyer, first, runner_up] = parties;
    (buyer == first || first == runner_up || buyer == runner_up)
        .then(|| "buyer and sellers are not three".into())
}

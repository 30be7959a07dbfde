//! Whether the tickets of one batch are true together: the batch is computed again from all of them.

use super::TicketFault;
use crate::pricing::batch::{Offer, award};
use crate::pricing::{self, Ask};
use crate::requirement;
use proto::message::market::{Listing, Requirement, Ticket};
use proto::rules::PricingRule;
use proto::{Market, PublicKey, Rules, Signed};
use std::collections::{BTreeMap, BTreeSet};

/// How many slices of the size that `requirement` asks for `listing` offers, as far as its paper tells.
#[must_use]
pub fn slices(listing: &Listing, requirement: &Requirement) -> u32 {
    requirement::slices(listing.offered(), requirement::slice(requirement))
}

/// Whether tickets that answer one request agree with each other. Each of them has to be true by itself
/// ([`super::verify_ticket`]) and the answer to the order ([`super::verify_answer`]).
///
/// In each market the slices are put into the order in which they were sold, every listing that sets a price is taken
/// as offered and not sold, and the batch is priced again: so under the uniform rule all have the same price-setter and
/// no winner asks for more than it, under the VCG rule the setters of a seller are distinct slices that lost, and under
/// the others no slice is priced by a seller that comes behind a later winner. Nothing is sold of a listing, or counted
/// as its losing slice, beyond what it offers.
///
/// # Errors
/// The first contradiction that was found.
pub fn verify_batch(tickets: &[Signed<Ticket>], rules: &Rules) -> Result<(), TicketFault> {
    let ids: BTreeSet<_> = tickets.iter().map(|ticket| ticket.body.id).collect();
    if ids.len() != tickets.len() {
        return Err(TicketFault::Oversold);
    }
    let mut by_market: BTreeMap<Market, Vec<&Ticket>> = BTreeMap::new();
    for ticket in tickets {
        by_market.entry(ticket.body.winner.body.market).or_default().push(&ticket.body);
    }
    by_market.into_values().try_for_each(|sold| verify_market(sold, rules))
}

fn verify_market(mut sold: Vec<&Ticket>, rules: &Rules) -> Result<(), TicketFault> {
    let is_by_lot = rules.rule == PricingRule::Posted;
    sold.sort_by_key(|ticket| {
        let (winner, setter) = (ask_of(ticket, &ticket.winner.body), setter_of(ticket));
        let setter = setter.map(|listing| ask_of(ticket, listing)).map(|ask| (ask.rate, ask.lot));
        // Of one seller's slices the one without a setter, at the bid, comes last.
        ((!is_by_lot).then_some(winner.rate), winner.lot, setter.is_none(), setter)
    });
    let asks: Vec<Ask<PublicKey>> = sold.iter().map(|ticket| ask_of(ticket, &ticket.winner.body)).collect();
    let left = left(&sold);
    verify_amounts(&sold, &left)?;
    let offers: Vec<Offer<PublicKey>> = left.into_iter().map(|(_, offer)| offer).collect();
    let bid = sold.first().map_or_else(Default::default, |ticket| ticket.bid);
    let awards =
        award(rules.rule, &rules.pricing, &asks, &offers, bid).map_err(|_| TicketFault::WrongPrice)?;
    let expected = awards.iter().map(|award| Some(award.setter.map(|ask| ask.who)));
    let named = sold.iter().map(|ticket| Some(setter_of(ticket).map(|listing| listing.seller.key)));
    if expected.eq(named) { Ok(()) } else { Err(TicketFault::WrongBatch) }
}

/// The listings that set prices, in the order of their asks, with how many of their slices have to have lost for that:
/// under the VCG rule as many as one winner is paid by, else one.
fn left<'a>(sold: &[&'a Ticket]) -> Vec<(&'a Listing, Offer<PublicKey>)> {
    let mut left: BTreeMap<_, (&Listing, Offer<PublicKey>)> = BTreeMap::new();
    let mut uses: BTreeMap<_, u32> = BTreeMap::new();
    for ticket in sold {
        let Some(listing) = setter_of(ticket) else { continue };
        let ask = ask_of(ticket, listing);
        let uses = uses.entry((ticket.winner.body.seller.key, ask.who)).or_default();
        *uses = if ticket.rule == PricingRule::Vcg { uses.saturating_add(1) } else { 1 };
        let (_, offer) =
            left.entry((ask.rate, ask.lot, ask.who)).or_insert((listing, Offer { ask, slices: 0 }));
        offer.slices = offer.slices.max(*uses);
    }
    left.into_values().collect()
}

/// Whether no listing has sold, or lost by the rules that price a batch as a whole, more than it offers.
fn verify_amounts(sold: &[&Ticket], left: &[(&Listing, Offer<PublicKey>)]) -> Result<(), TicketFault> {
    let mut used: BTreeMap<(PublicKey, u64), (&Listing, u32)> = BTreeMap::new();
    let Some(requirement) = sold.first().map(|ticket| &ticket.requirement) else { return Ok(()) };
    let is_whole = sold.iter().any(|ticket| matches!(ticket.rule, PricingRule::Uniform | PricingRule::Vcg));
    let lost = left.iter().filter(|_| is_whole).map(|(listing, offer)| (*listing, offer.slices));
    for (listing, slices) in sold.iter().map(|ticket| (&ticket.winner.body, 1)).chain(lost) {
        let (_, sum) = used.entry((listing.seller.key, listing.version)).or_insert((listing, 0));
        *sum = sum.saturating_add(slices);
    }
    let is_too_much = |(listing, sum): &(&Listing, u32)| *sum > slices(listing, requirement);
    if used.values().any(is_too_much) { Err(TicketFault::Oversold) } else { Ok(()) }
}

fn setter_of(ticket: &Ticket) -> Option<&Listing> {
    ticket.runner_up.as_ref().map(|listing| &listing.body)
}

fn ask_of(ticket: &Ticket, listing: &Listing) -> Ask<PublicKey> {
    let who = listing.seller.key;
    Ask { rate: listing.ask, lot: pricing::lot(ticket.draw, who), who }
}

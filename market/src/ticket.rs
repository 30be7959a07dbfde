//! Whether a match ticket is true: everything it claims is computed again from the papers it carries.
//!
//! Buyer, seller and bank use the same functions. What cannot be seen from a ticket is a listing that the
//! owner kept quiet about; that is why the fee is fixed and does not depend on the price (paper, IV-B1).

mod batch;

pub use batch::{slices, verify_batch};

use crate::{pricing, requirement};
use proto::message::market::{Listing, Requirement, Ticket};
use proto::rules::PricingRule;
use proto::{CommandId, PublicKey, Rate, Rules, Signed, Span, Time};

/// For how long a ticket may be used after it was signed.
pub const TICKET_TTL: Span = Span::secs(10);
/// How far the clocks of two nodes may lie apart.
pub const CLOCK_SKEW: Span = Span::secs(5);
/// A listing lives for this many renewals (reference §4.1, soft state).
pub const LIFETIME_RENEWALS: u64 = 3;

/// Why a ticket is not true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TicketFault {
    /// Not signed by the owner it names.
    #[error("the ticket is not signed by the market owner it names")]
    NotByOwner,
    /// A listing that its seller did not sign.
    #[error("a listing in the ticket is not signed by its seller")]
    NotBySeller,
    /// Winner and runner-up are the same seller, or one of them is the buyer.
    #[error("buyer, winner and runner-up have to be three")]
    SameParty,
    /// Another rule than the network's.
    #[error("the ticket follows another pricing rule than the network")]
    WrongRule,
    /// A listing that does not meet the requirement.
    #[error("a listing in the ticket does not meet the requirement")]
    NotFitting,
    /// A listing whose market is not the class of its capacity, or two listings of different markets.
    #[error("the listings do not stand in the market of their capacity, or not in one market")]
    WrongMarket,
    /// The winner asks for more than the runner-up, or lost the draw against it.
    #[error("the runner-up comes before the winner")]
    WrongOrder,
    /// An ask above the bid.
    #[error("an ask in the ticket is above the bid")]
    AboveBid,
    /// A clearing price that does not follow from the asks.
    #[error("the clearing price does not follow from the asks")]
    WrongPrice,
    /// The prices of a batch do not follow from each other: computed from all its tickets, one of them has another
    /// listing that sets its price.
    #[error("the tickets of the batch contradict each other")]
    WrongBatch,
    /// More slices of a listing than it offers, or two tickets of one id.
    #[error("more is sold of a listing than it offers")]
    Oversold,
    /// Lots that come from another id than the first of the batch.
    #[error("the lots were not drawn from the first id of the batch")]
    WrongDraw,
    /// A number of asks that the papers contradict.
    #[error("the number of asks does not agree with the listings in the ticket")]
    WrongCount,
    /// Another fee than the rules state.
    #[error("the owner's fee is not the network's")]
    WrongFee,
    /// A listing that had ended when the ticket was signed.
    #[error("a listing in the ticket had ended when the ticket was signed")]
    StaleListing,
    /// The ticket has ended.
    #[error("the ticket has ended")]
    Expired,
    /// It ends later than any ticket that was signed by now.
    #[error("the ticket ends later than a ticket can")]
    TooLong,
    /// Not the order that was placed: another id, buyer, requirement or bid.
    #[error("the ticket is for another order")]
    OtherOrder,
    /// Signed by another owner than the one that was asked.
    #[error("the ticket comes from another market owner than the one asked")]
    WrongOwner,
    /// The winner is a seller that the buyer does not want.
    #[error("the ticket names a seller that the buyer avoids")]
    Avoided,
    /// The winner is another seller.
    #[error("the ticket names another seller")]
    NotMine,
    /// The seller keeps no slice for this ticket, or a smaller one, or for somebody else.
    #[error("no slice is kept for this ticket")]
    NotReserved,
}

/// What a buyer ordered; a ticket has to be for it.
#[derive(Clone, Copy, Debug)]
pub struct Ordered<'a> {
    /// The ids that the buyer asked with, in the order in which it named them.
    pub tickets: &'a [CommandId],
    /// The buyer.
    pub buyer: PublicKey,
    /// The owner that was asked.
    pub owner: PublicKey,
    /// What is needed.
    pub requirement: &'a Requirement,
    /// The buyer's limit.
    pub bid: Rate,
    /// Sellers the buyer does not want.
    pub avoid: &'a [PublicKey],
}

/// Whether a ticket is true and may be used at `now`. `bank` is whose word on the standing of sellers counts.
///
/// # Errors
/// The first fault that was found.
pub fn verify_ticket(
    ticket: &Signed<Ticket>,
    rules: &Rules,
    bank: Option<PublicKey>,
    now: Time,
) -> Result<(), TicketFault> {
    if ticket.body.expires < now {
        return Err(TicketFault::Expired);
    }
    if ticket.body.expires > now.after(TICKET_TTL).after(CLOCK_SKEW) {
        return Err(TicketFault::TooLong);
    }
    verify_papers(ticket, rules, bank)
}

/// Whether a ticket is true, whenever: signatures, fit, order, price and fee. For a settlement long after.
/// `bank` is whose word on the standing of sellers counts.
///
/// # Errors
/// The first fault that was found.
pub fn verify_papers(
    ticket: &Signed<Ticket>,
    rules: &Rules,
    bank: Option<PublicKey>,
) -> Result<(), TicketFault> {
    let body = &ticket.body;
    verify_terms(body, rules)?;
    verify_listing(body, &body.winner, bank)?;
    if let Some(runner_up) = &body.runner_up {
        verify_listing(body, runner_up, bank)?;
        verify_order(body, runner_up)?;
    }
    if !ticket.is_genuine_by(body.owner.key) {
        return Err(TicketFault::NotByOwner);
    }
    Ok(())
}

/// Whether a ticket is the answer to what was ordered.
///
/// # Errors
/// The first difference that was found.
pub fn verify_answer(ticket: &Ticket, ordered: &Ordered<'_>) -> Result<(), TicketFault> {
    if ticket.owner.key != ordered.owner {
        return Err(TicketFault::WrongOwner);
    }
    if ordered.tickets.first() != Some(&ticket.draw) {
        return Err(TicketFault::WrongDraw);
    }
    let is_ordered = ordered.tickets.contains(&ticket.id)
        && ticket.buyer == ordered.buyer
        && ticket.bid == ordered.bid
        && ticket.requirement == *ordered.requirement;
    if !is_ordered {
        return Err(TicketFault::OtherOrder);
    }
    if ordered.avoid.contains(&ticket.winner.body.seller.key) {
        return Err(TicketFault::Avoided);
    }
    Ok(())
}

fn verify_terms(ticket: &Ticket, rules: &Rules) -> Result<(), TicketFault> {
    if ticket.rule != rules.rule {
        return Err(TicketFault::WrongRule);
    }
    if ticket.fee != rules.owner_fee {
        return Err(TicketFault::WrongFee);
    }
    let setter = ticket.runner_up.as_ref().map(|listing| &listing.body);
    if !is_counted(ticket, setter) {
        return Err(TicketFault::WrongCount);
    }
    let (ask, setters_ask) = (ticket.winner.body.ask, setter.map(|listing| listing.ask));
    if ask > ticket.bid || setters_ask.is_some_and(|ask| ask > ticket.bid) {
        return Err(TicketFault::AboveBid);
    }
    let price = pricing::price(ticket.rule, &rules.pricing, ask, setters_ask, ticket.bid);
    let price = price.map_err(|fault| match fault {
        pricing::Fault::Disordered => TicketFault::WrongOrder,
        pricing::Fault::Overflow => TicketFault::WrongPrice,
    })?;
    // Under a posted price only who asks for no more than it may sell; under the others the order sees to that.
    let is_below = ticket.rule == PricingRule::Posted && ask > price.clearing;
    if (ticket.clearing, ticket.owner_rate) != (price.clearing, price.owner_rate) || is_below {
        return Err(TicketFault::WrongPrice);
    }
    match price.total() {
        Ok(total) if total <= ticket.bid => Ok(()),
        _ => Err(TicketFault::AboveBid),
    }
}

/// Whether the number of asks agrees with the papers. Where the next or the dearest ask sets the price, a ticket
/// without it says that the winner was alone; a posted price is set by nobody.
fn is_counted(ticket: &Ticket, setter: Option<&Listing>) -> bool {
    let is_other = setter.is_some_and(|listing| listing.seller.key != ticket.winner.body.seller.key);
    match (ticket.rule, setter) {
        (PricingRule::Posted, Some(_)) => false,
        (PricingRule::Vickrey | PricingRule::FirstPrice | PricingRule::MaxMin, None) => ticket.asks_seen == 1,
        _ if is_other => ticket.asks_seen >= 2,
        _ => ticket.asks_seen >= 1,
    }
}

fn verify_listing(
    ticket: &Ticket,
    listing: &Signed<Listing>,
    bank: Option<PublicKey>,
) -> Result<(), TicketFault> {
    let body = &listing.body;
    if body.seller.key == ticket.buyer {
        return Err(TicketFault::SameParty);
    }
    let reputation = requirement::reputation(body, bank);
    if !requirement::fits(body, body.offered(), reputation, &ticket.requirement) {
        return Err(TicketFault::NotFitting);
    }
    if body.market != requirement::market_of(body) {
        return Err(TicketFault::WrongMarket);
    }
    if body.expires.after(TICKET_TTL) < ticket.expires {
        return Err(TicketFault::StaleListing);
    }
    if !listing.is_genuine_by(body.seller.key) {
        return Err(TicketFault::NotBySeller);
    }
    Ok(())
}

fn verify_order(ticket: &Ticket, runner_up: &Signed<Listing>) -> Result<(), TicketFault> {
    let (first, second) = (&ticket.winner.body, &runner_up.body);
    if first.market != second.market {
        return Err(TicketFault::WrongMarket);
    }
    if first.seller.key == second.seller.key {
        // The first slice that lost may be the winner's own, and only the uniform rule lets that set the price.
        return if ticket.rule == PricingRule::Uniform { Ok(()) } else { Err(TicketFault::SameParty) };
    }
    let place = |listing: &Listing| (listing.ask, pricing::lot(ticket.draw, listing.seller.key));
    if place(first) > place(second) {
        return Err(TicketFault::WrongOrder);
    }
    Ok(())
}

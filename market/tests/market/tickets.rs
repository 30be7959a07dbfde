//! False tickets: every lie has its fault.

use crate::papers::{BANK, at, key, keys, listing, need, peer, rules, signed, ticket_id};
use market::{Ordered, TicketFault, pricing, verify_answer, verify_papers, verify_ticket};
use proto::message::market::{Listing, Ticket};
use proto::rules::PricingRule;
use proto::{Capacity, Money, Rate, Rules, Signed, Span};

/// Seller 1 asks for 3, seller 2 for 4; buyer 9 bids 10; owner 5.
fn ticket() -> Ticket {
    Ticket {
        id: ticket_id(1),
        buyer: key(9),
        owner: peer(5),
        requirement: need(1, 1_000),
        rule: PricingRule::Vickrey,
        bid: Rate(10),
        clearing: Rate(4),
        fee: rules().owner_fee,
        asks_seen: 2,
        winner: signed(1, listing(1, 1, 1, 1_000, 3)),
        runner_up: Some(signed(2, listing(2, 1, 1, 1_000, 4))),
        owner_rate: Rate(0),
        draw: ticket_id(1),
        expires: at(8),
    }
}

fn check(lie: impl FnOnce(&mut Ticket), expected: Result<(), TicketFault>) {
    let mut body = ticket();
    lie(&mut body);
    assert_eq!(verify_ticket(&Signed::new(body, &keys(5)), &rules(), Some(key(BANK)), at(0)), expected);
}

fn offer(n: u16, ask: u64) -> Signed<Listing> {
    signed(n, listing(n, 1, 1, 1_000, ask))
}

#[test]
fn a_true_ticket_is_accepted() {
    check(|_| {}, Ok(()));
    check(|t| (t.runner_up, t.asks_seen, t.clearing) = (None, 1, Rate(10)), Ok(()));
    check(|t| t.asks_seen = 40, Ok(()));
}

#[test]
fn an_owner_that_bends_the_price_is_caught() {
    let price = Err(TicketFault::WrongPrice);
    check(|t| t.clearing = Rate(3), price);
    check(|t| t.clearing = Rate(5), price);
    check(|t| t.clearing = Rate(10), price);
    check(|t| (t.runner_up, t.asks_seen) = (None, 1), price);
    check(|t| t.bid = Rate(3), Err(TicketFault::AboveBid));
    check(|t| t.winner = offer(1, 11), Err(TicketFault::AboveBid));
    check(|t| t.fee = Money(rules().owner_fee.0 + 1), Err(TicketFault::WrongFee));
    check(|t| t.asks_seen = 1, Err(TicketFault::WrongCount));
    check(|t| (t.runner_up, t.asks_seen, t.clearing) = (None, 2, Rate(10)), Err(TicketFault::WrongCount));
}

#[test]
fn a_first_price_that_is_not_the_winners_ask_is_caught() {
    let first = Rules { rule: PricingRule::FirstPrice, ..rules() };
    for (clearing, expected) in
        [(2, Err(TicketFault::WrongPrice)), (3, Ok(())), (4, Err(TicketFault::WrongPrice))]
    {
        let body = Ticket { rule: PricingRule::FirstPrice, clearing: Rate(clearing), ..ticket() };
        assert_eq!(verify_ticket(&Signed::new(body, &keys(5)), &first, Some(key(BANK)), at(0)), expected);
    }
}

#[test]
fn an_owner_that_bends_the_order_is_caught() {
    check(|t| t.winner = offer(1, 5), Err(TicketFault::WrongOrder));
    let (mut first, mut second) = (1, 2);
    if pricing::lot(ticket_id(1), key(1)) > pricing::lot(ticket_id(1), key(2)) {
        (first, second) = (2, 1);
    }
    let tie = |t: &mut Ticket, winner, runner_up| {
        (t.winner, t.runner_up) = (offer(winner, 4), Some(offer(runner_up, 4)));
    };
    check(|t| tie(t, first, second), Ok(()));
    check(|t| tie(t, second, first), Err(TicketFault::WrongOrder));
    check(|t| t.runner_up = Some(offer(1, 4)), Err(TicketFault::SameParty));
    check(|t| t.runner_up = Some(offer(9, 4)), Err(TicketFault::SameParty));
    check(|t| t.buyer = key(1), Err(TicketFault::SameParty));
}

#[test]
fn an_owner_that_bends_a_listing_is_caught() {
    check(|t| t.winner.body.ask = Rate(2), Err(TicketFault::NotBySeller));
    check(|t| t.winner = signed(2, listing(1, 1, 1, 1_000, 3)), Err(TicketFault::NotBySeller));
    check(|t| t.runner_up = Some(signed(5, listing(2, 1, 1, 1_000, 4))), Err(TicketFault::NotBySeller));
    check(|t| t.winner = signed(1, listing(1, 1, 4, 900, 3)), Err(TicketFault::NotFitting));
    check(|t| t.runner_up = Some(signed(2, listing(2, 1, 4, 1_000, 4))), Err(TicketFault::WrongMarket));
    let elsewhere = Listing { per_core: Capacity(9_000), ..listing(1, 1, 1, 1_000, 3) };
    check(|t| t.winner = signed(1, elsewhere), Err(TicketFault::WrongMarket));
    let ended = Listing { expires: at(0), ..listing(1, 1, 1, 1_000, 3) };
    check(
        |t| (t.winner, t.expires) = (signed(1, ended), at(10).after(Span(1))),
        Err(TicketFault::StaleListing),
    );
}

#[test]
fn a_ticket_has_its_time_and_its_owner() {
    let judge = |ticket: &Signed<Ticket>, secs| verify_ticket(ticket, &rules(), Some(key(BANK)), at(secs));
    let true_one = Signed::new(ticket(), &keys(5));
    assert_eq!(judge(&true_one, 8), Ok(()));
    assert_eq!(judge(&true_one, 9), Err(TicketFault::Expired));
    assert_eq!(verify_papers(&true_one, &rules(), Some(key(BANK))), Ok(()), "the papers stay true");
    let long = Signed::new(Ticket { expires: at(16), ..ticket() }, &keys(5));
    assert_eq!(judge(&long, 0), Err(TicketFault::TooLong));
    assert_eq!(judge(&Signed::new(ticket(), &keys(6)), 0), Err(TicketFault::NotByOwner));
    let altered = Signed { body: Ticket { expires: at(9), ..ticket() }, ..true_one };
    assert_eq!(judge(&altered, 0), Err(TicketFault::NotByOwner));
}

#[test]
fn a_ticket_for_another_order_is_no_answer() {
    let requirement = need(1, 1_000);
    let (mine, others) = ([ticket_id(1)], [ticket_id(2)]);
    let ordered = Ordered {
        tickets: &mine,
        buyer: key(9),
        owner: key(5),
        requirement: &requirement,
        bid: Rate(10),
        avoid: &[],
    };
    let answer = |ordered: &Ordered<'_>| verify_answer(&ticket(), ordered);
    let fewer = need(1, 999);
    let avoid = [key(1)];
    assert_eq!(answer(&ordered), Ok(()));
    assert_eq!(answer(&Ordered { owner: key(6), ..ordered }), Err(TicketFault::WrongOwner));
    assert_eq!(answer(&Ordered { avoid: &avoid, ..ordered }), Err(TicketFault::Avoided));
    assert_eq!(answer(&Ordered { tickets: &others, ..ordered }), Err(TicketFault::WrongDraw));
    for other in [
        Ordered { buyer: key(8), ..ordered },
        Ordered { bid: Rate(9), ..ordered },
        Ordered { requirement: &fewer, ..ordered },
    ] {
        assert_eq!(answer(&other), Err(TicketFault::OtherOrder), "{other:?}");
    }
}

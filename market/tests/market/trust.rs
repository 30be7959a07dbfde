//! Buyers that have slices reserved and do not come: sellers turn them away, and then the owner does.

use crate::papers::{
    at, cores, give, key, keys, list, listing, need, node, peer, rules, sent, supply, tell, ticket_id,
};
use market::{Config, Input, Marketplace, Output, seller};
use proto::message::market::{FindSeller, Listed, Listing, MarketMessage, RefusedRequest, Reserve};
use proto::{Capacity, Commodity, Market, Rate, Refusal, RefusalCode, RequestId, Span, Time};

const OWNER: u16 = 5;

/// Node 1, which sells eight cores (seven are in the same market) and is listed at the owner; the version of its
/// listing.
fn seller() -> (Marketplace, u64) {
    let mut seller =
        Marketplace::new(Config { rules: rules(), bank: None }, peer(1), keys(1), [3; 32], at(0));
    let outputs = give(&mut seller, Input::Supply { supply: Some(supply(8, 1_000, 5)) }, at(0));
    let token = outputs.iter().find_map(|output| match output {
        Output::Lookup { token, .. } => Some(*token),
        _ => None,
    });
    let found = Input::Found { token: token.unwrap(), owner: peer(OWNER) };
    let outputs = give(&mut seller, found, at(0));
    let version = confirm(&mut seller, &sent(&outputs), at(0));
    (seller, version)
}

/// Confirms the listing among `messages`; its version.
fn confirm(seller: &mut Marketplace, messages: &[(u16, MarketMessage)], now: Time) -> u64 {
    let found = messages.iter().find_map(|(_, message)| match message {
        MarketMessage::List(list) => Some((list.request, list.listing.body.version)),
        _ => None,
    });
    let (request, version) = found.unwrap();
    tell(seller, OWNER, MarketMessage::Listed(Listed { request, version }), now);
    version
}

fn reserve(n: u16, version: u64, buyer: u16) -> MarketMessage {
    let (request, ticket, buyer) = (RequestId(u64::from(n)), ticket_id(n), key(buyer));
    MarketMessage::Reserve(Reserve {
        request,
        tickets: vec![ticket],
        commodity: Commodity::Compute,
        version,
        slice: cores(1),
        buyer,
    })
}

/// Whether the seller keeps a slice for `buyer` when it is asked at `now`.
fn keeps(seller: &mut Marketplace, n: u16, version: u64, buyer: u16, now: Time) -> bool {
    let answers = sent(&tell(seller, OWNER, reserve(n, version, buyer), now));
    let is_policy = |refused: &RefusedRequest| refused.refusal.code == RefusalCode::Policy;
    match answers.iter().find(|(_, message)| !matches!(message, MarketMessage::List(_))) {
        Some((OWNER, MarketMessage::Reserved(_))) => true,
        Some((OWNER, MarketMessage::Refused(refused))) if is_policy(refused) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seller_turns_a_buyer_away_that_did_not_come_and_no_other() {
    let (mut seller, version) = seller();
    assert!(keeps(&mut seller, 1, version, 9, at(1)));
    let lapse = at(1).after(seller::RESERVATION_TTL);
    give(&mut seller, Input::Timeout, lapse);
    assert!(!keeps(&mut seller, 2, version, 9, lapse));
    assert!(keeps(&mut seller, 3, version, 8, lapse));
    // Who comes for its slice is trusted.
    give(&mut seller, Input::Take { ticket: ticket_id(3) }, lapse);
    give(&mut seller, Input::Free { ticket: ticket_id(3) }, lapse);
    assert!(keeps(&mut seller, 4, version, 8, lapse));
    assert!(!keeps(&mut seller, 5, version, 9, lapse));
}

/// A later listing of seller `n`.
fn renewed(n: u16, now: Time) -> Listing {
    let expires = now.after(Span::secs(3));
    Listing { version: 2, expires, ..listing(n, 2, 1, 1_000, u64::from(n)) }
}

fn order(n: u16) -> MarketMessage {
    let from = Market::of_capacity(Capacity(1_000));
    let (request, ticket, requirement) = (RequestId(u64::from(n)), ticket_id(n), need(1, 1_000));
    let find =
        FindSeller { request, tickets: vec![ticket], from, requirement, bid: Rate(10), avoid: Vec::new() };
    MarketMessage::FindSeller(Box::new(find))
}

/// What buyer 99 hears when every seller that is asked turns it away, and who was asked.
fn turn_away(owner: &mut Marketplace, n: u16, now: Time) -> (Vec<u16>, RefusalCode) {
    let mut asked = Vec::new();
    let mut outputs = tell(owner, 99, order(n), now);
    loop {
        match sent(&outputs).as_slice() {
            [(99, MarketMessage::Refused(refused))] => return (asked, refused.refusal.code),
            [(seller, MarketMessage::Reserve(reserve))] => {
                asked.push(*seller);
                let refusal = Refusal::new(RefusalCode::Policy, "", "");
                let refused = MarketMessage::Refused(RefusedRequest { request: reserve.request, refusal });
                outputs = tell(owner, *seller, refused, now);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_owner_believes_three_sellers_keeps_their_listings_and_asks_nobody_for_a_while() {
    let mut owner = node(0);
    for n in 1..=5 {
        tell(&mut owner, n, list(n, 1, listing(n, 1, 1, 1_000, u64::from(n))), at(0));
    }
    assert_eq!(turn_away(&mut owner, 1, at(1)), (vec![1, 2, 3], RefusalCode::Busy));
    assert_eq!(turn_away(&mut owner, 2, at(2)), (vec![], RefusalCode::Busy));
    assert_eq!(owner.listings().count(), 5);
    assert_eq!(owner.matches(), 0);
    // Others are served meanwhile, by the cheapest.
    let asked = sent(&tell(&mut owner, 98, order(3), at(2)));
    assert!(matches!(asked.as_slice(), [(1, MarketMessage::Reserve(_))]), "{asked:?}");
    // After a while sellers are asked again; those in flight for the other buyer have no core left.
    let later = at(1).after(Span::secs(15));
    for n in 2..=5 {
        tell(&mut owner, n, list(n, 2, renewed(n, later)), later);
    }
    assert_eq!(turn_away(&mut owner, 4, later), (vec![2, 3, 4], RefusalCode::Busy));
    assert_eq!(owner.check(), Ok(()));
}

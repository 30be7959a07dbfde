//! How a seller keeps its listing and its slices, message by message.

use crate::papers::{at, give, key, keys, need, peer, rules, sent, supply, tell, ticket_id};
use market::{Config, Input, Marketplace, Output, Supply, placement, seller, ticket};
use proto::Placement;
use proto::message::market::{
    Delist, Listed, Listing, MarketMessage, RefusedRequest, Reserve, Reserved, Unavailable,
};
use proto::{Capacity, Commodity, Market, Range, Rate, Refusal, RefusalCode, RequestId, Time};

const OWNER: u16 = 5;

fn class(class: u32) -> Market {
    Market { class, ..Market::of_capacity(Capacity(0)) }
}

/// Node 1, which sells `supply` and knows nothing of the ring.
fn seller_of(supply: Supply) -> (Marketplace, Vec<Output>) {
    let mut seller =
        Marketplace::new(Config { rules: rules(), bank: None }, peer(1), keys(1), [3; 32], at(0));
    let outputs = give(&mut seller, Input::Supply { supply: Some(supply) }, at(0));
    (seller, outputs)
}

/// Answers the lookup in `outputs` with node `owner`.
fn found(seller: &mut Marketplace, outputs: &[Output], owner: u16, now: Time) -> Vec<Output> {
    let token = outputs.iter().find_map(|output| match output {
        Output::Lookup { token, .. } => Some(*token),
        _ => None,
    });
    give(seller, Input::Found { token: token.unwrap(), owner: peer(owner) }, now)
}

/// The listing in `outputs`, and whom it goes to.
fn listing_in(outputs: &[Output]) -> (u16, RequestId, Listing) {
    let is_list = |(to, message): (u16, MarketMessage)| match message {
        MarketMessage::List(list) => Some((to, list.request, list.listing.body)),
        _ => None,
    };
    sent(outputs).into_iter().find_map(is_list).unwrap()
}

/// Node 1, listed at the owner with `supply`.
fn listed(supply: Supply) -> (Marketplace, Listing) {
    let (mut seller, outputs) = seller_of(supply);
    let outputs = found(&mut seller, &outputs, OWNER, at(0));
    let listing = confirm(&mut seller, &outputs, at(0));
    (seller, listing)
}

fn confirm(seller: &mut Marketplace, outputs: &[Output], now: Time) -> Listing {
    let (to, request, listing) = listing_in(outputs);
    let confirmed = MarketMessage::Listed(Listed { request, version: listing.version });
    assert_eq!(tell(seller, to, confirmed, now), vec![]);
    listing
}

fn reserve(n: u16, version: u64, cores: u32) -> MarketMessage {
    let (request, tickets, buyer) = (RequestId(u64::from(n)), vec![ticket_id(n)], key(9));
    let (commodity, slice) = (Commodity::Compute, crate::papers::cores(cores));
    MarketMessage::Reserve(Reserve { request, tickets, commodity, version, slice, buyer })
}

fn yes(n: u64) -> (u16, MarketMessage) {
    (
        OWNER,
        MarketMessage::Reserved(Reserved {
            request: RequestId(n),
            kept: vec![ticket_id(u16::try_from(n).unwrap())],
        }),
    )
}

fn no(n: u64) -> (u16, MarketMessage) {
    (OWNER, MarketMessage::Unavailable(Unavailable { request: RequestId(n) }))
}

#[test]
fn what_is_idle_is_listed_in_the_market_of_its_class() {
    let (mut seller, outputs) = seller_of(supply(4, 1_000, 5));
    assert!(
        matches!(outputs[..], [Output::Lookup { key, .. }] if key == placement::key(Placement::Single, class(47)))
    );
    assert_eq!(seller.listed().next(), None);
    let outputs = found(&mut seller, &outputs, OWNER, at(0));
    let listing = confirm(&mut seller, &outputs, at(0));
    assert_eq!((listing.market, listing.cores, listing.ask), (class(47), 4, Rate(5)));
    assert_eq!(listing.expires, at(12));
    assert_eq!((seller.listed().next(), seller.free_part().cores), (Some((class(47), Rate(5))), 4));
}

#[test]
fn the_listing_is_renewed_before_a_renewal_has_passed() {
    let (mut seller, first) = listed(supply(4, 1_000, 5));
    let due = seller.poll_timeout().unwrap();
    assert!(at(3) < due && due <= at(4), "{due:?}");
    let (to, _, second) = listing_in(&give(&mut seller, Input::Timeout, due));
    assert_eq!((to, second.market, second.version > first.version), (OWNER, first.market, true));
    assert_eq!(second.expires, due.after(rules().renewal.times(3)));
}

#[test]
fn a_sold_slice_moves_the_remainder_to_its_own_market() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let outputs = tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(1));
    assert_eq!(sent(&outputs), vec![yes(1)]);
    assert_eq!((seller.free_part().cores, seller.listed().next()), (2, None));
    let outputs = found(&mut seller, &outputs, 6, at(1));
    let (to, request, rest) = listing_in(&outputs);
    assert_eq!((to, rest.cores, rest.market), (6, 2, class(43)));
    let confirmed = MarketMessage::Listed(Listed { request, version: rest.version });
    let outputs = sent(&tell(&mut seller, 6, confirmed, at(1)));
    assert_eq!(
        outputs,
        vec![(OWNER, MarketMessage::Delist(Delist { commodity: Commodity::Compute, version: rest.version }))]
    );
    give(&mut seller, Input::Take { ticket: ticket_id(1) }, at(2));
    let outputs = give(&mut seller, Input::Free { ticket: ticket_id(1) }, at(3));
    assert_eq!(seller.free_part().cores, 4);
    assert!(
        matches!(outputs[..], [Output::Lookup { key, .. }] if key == placement::key(Placement::Single, class(47)))
    );
}

#[test]
fn a_reservation_that_is_not_taken_ends_and_one_that_is_taken_stays() {
    for (is_taken, free) in [(false, 4), (true, 2)] {
        let (mut seller, listing) = listed(supply(4, 1_000, 5));
        tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(0));
        if is_taken {
            give(&mut seller, Input::Take { ticket: ticket_id(1) }, at(1));
        }
        give(&mut seller, Input::Timeout, at(0).after(seller::RESERVATION_TTL));
        assert_eq!(seller.free_part().cores, free, "taken: {is_taken}");
    }
}

#[test]
fn the_same_reservation_again_is_the_same_slice_until_a_contract_uses_it() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(0));
    assert_eq!(sent(&tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(1))), vec![yes(1)]);
    assert_eq!(seller.free_part().cores, 2);
    assert_eq!(sent(&tell(&mut seller, OWNER, reserve(1, listing.version, 1), at(1))), vec![no(1)]);
    give(&mut seller, Input::Take { ticket: ticket_id(1) }, at(1));
    assert_eq!(sent(&tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(1))), vec![no(1)]);
}

#[test]
fn a_reservation_that_is_asked_for_again_is_kept_for_its_full_time_from_then() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(0));
    tell(&mut seller, OWNER, reserve(1, listing.version, 2), at(10));
    for (secs, free) in [(15, 2), (24, 2), (25, 4)] {
        give(&mut seller, Input::Timeout, at(secs));
        assert_eq!(seller.free_part().cores, free, "after {secs} s");
    }
}

fn check_reserve(from: u16, ahead: i64, cores: u32, expected: Option<u32>) {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let version = listing.version.saturating_add_signed(ahead);
    let mut outputs = tell(&mut seller, from, reserve(1, version, cores), at(1));
    if matches!(outputs[..], [Output::Lookup { .. }]) {
        outputs = found(&mut seller, &outputs, OWNER, at(1));
    }
    let outputs = sent(&outputs);
    let is_kept = matches!(outputs[0].1, MarketMessage::Reserved(_));
    assert_eq!(is_kept.then(|| seller.free_part().cores), expected, "{from} {ahead} {cores}");
}

#[test]
fn only_what_is_listed_and_free_is_reserved_and_only_for_the_owner() {
    check_reserve(OWNER, 0, 4, Some(0));
    check_reserve(OWNER, 0, 1, Some(3));
    check_reserve(OWNER, 0, 5, None);
    check_reserve(OWNER, 0, 0, None);
    check_reserve(OWNER, 0, u32::MAX, None);
    check_reserve(OWNER, 1, 1, None);
    check_reserve(OWNER, -1, 1, None);
    check_reserve(6, 0, 1, None);
}

fn answer_to(n: u16, request: u64, is_kept: bool) -> (u16, MarketMessage) {
    let request = RequestId(request);
    let kept = vec![ticket_id(1)];
    let (yes, no) = (
        MarketMessage::Reserved(Reserved { request, kept }),
        MarketMessage::Unavailable(Unavailable { request }),
    );
    (n, if is_kept { yes } else { no })
}

/// Owner 6, which this seller did not list with, asks twice for the same slice; the ring names `owner`. Whether the
/// slice is kept, and where the seller lists next.
fn check_stranger(owner: Option<u16>, is_kept: bool, lists_at: u16) {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let asked = tell(&mut seller, 6, reserve(1, listing.version, 4), at(1));
    let [Output::Lookup { token, key: sought }] = asked[..] else { panic!("{asked:?}") };
    assert_eq!(sought, placement::key(Placement::Single, class(47)));
    let ticket = ticket_id(1);
    let again = Reserve {
        commodity: Commodity::Compute,
        request: RequestId(2),
        tickets: vec![ticket],
        version: listing.version,
        slice: crate::papers::cores(4),
        buyer: key(9),
    };
    assert_eq!(tell(&mut seller, 6, MarketMessage::Reserve(again), at(1)), vec![]);
    let input = match owner {
        Some(owner) => Input::Found { token, owner: peer(owner) },
        None => Input::NotFound { token },
    };
    let mut outputs = give(&mut seller, input, at(1));
    assert_eq!(sent(&outputs)[0], answer_to(6, 2, is_kept), "{owner:?}");
    assert_eq!(seller.free_part().cores, if is_kept { 0 } else { 4 });
    if is_kept {
        let lost = Reserve {
            commodity: Commodity::Compute,
            request: RequestId(3),
            tickets: vec![ticket],
            version: listing.version,
            slice: crate::papers::cores(4),
            buyer: key(9),
        };
        let again = sent(&tell(&mut seller, 6, MarketMessage::Reserve(lost), at(1)));
        assert_eq!(again, [answer_to(6, 3, true)], "although nothing is left to list");
    }
    outputs.extend(give(&mut seller, Input::Free { ticket }, at(2)));
    outputs.extend(give(&mut seller, Input::Timeout, at(4)));
    assert_eq!(listing_in(&outputs).0, lists_at, "{owner:?}");
}

#[test]
fn an_owner_that_the_listing_was_handed_to_reserves_if_the_ring_names_it() {
    check_stranger(Some(6), true, 6);
    check_stranger(Some(OWNER), false, OWNER);
    check_stranger(Some(7), false, 7);
    check_stranger(None, false, OWNER);
}

#[test]
fn many_strangers_cost_one_lookup_and_wait_a_bounded_time() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let count = u16::try_from(seller::MAX_STRANGERS).unwrap();
    let lookups: usize =
        (0..count + 3).map(|n| tell(&mut seller, 100 + n, reserve(n, listing.version, 1), at(1)).len()).sum();
    assert_eq!(lookups, 1);
    let until = at(1).after(seller::STRANGER_TIMEOUT);
    assert_eq!(seller.poll_timeout(), Some(until));
    let answers = sent(&give(&mut seller, Input::Timeout, until));
    let expected: Vec<_> = (0..count).map(|n| answer_to(100 + n, n.into(), false)).collect();
    assert_eq!((answers, seller.free_part().cores), (expected, 4));
}

#[test]
fn an_older_version_of_the_same_terms_is_honoured_and_one_of_other_terms_is_not() {
    for (ask, answer) in [(5, yes(2)), (6, no(2))] {
        let (mut seller, listing) = listed(supply(4, 1_000, 5));
        tell(&mut seller, OWNER, reserve(1, listing.version, 1), at(1));
        give(&mut seller, Input::Supply { supply: Some(supply(4, 1_000, ask)) }, at(1));
        let outputs = sent(&tell(&mut seller, OWNER, reserve(2, listing.version, 1), at(1)));
        assert_eq!(outputs[0], answer, "ask {ask}");
    }
}

#[test]
fn a_supply_that_shrinks_below_what_is_sold_sells_nothing_more() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    tell(&mut seller, OWNER, reserve(1, listing.version, 3), at(1));
    give(&mut seller, Input::Take { ticket: ticket_id(1) }, at(1));
    for (cores, free) in [(2, 0), (3, 0), (4, 1), (1, 0)] {
        give(&mut seller, Input::Supply { supply: Some(supply(cores, 1_000, 5)) }, at(1));
        assert_eq!(seller.free_part().cores, free, "{cores} cores");
    }
    give(&mut seller, Input::Supply { supply: None }, at(1));
    give(&mut seller, Input::Free { ticket: ticket_id(1) }, at(1));
    assert_eq!((seller.free_part().cores, seller.poll_timeout()), (0, None));
}

#[test]
fn a_new_price_replaces_the_listing_and_a_new_speed_takes_it_out_before_it_moves() {
    let (mut seller, _) = listed(supply(4, 1_000, 5));
    let outputs = sent(&give(&mut seller, Input::Supply { supply: Some(supply(4, 1_000, 6)) }, at(1)));
    assert!(matches!(&outputs[..], [(OWNER, MarketMessage::List(list))] if list.listing.body.ask == Rate(6)));
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let outputs = give(&mut seller, Input::Supply { supply: Some(supply(4, 2_000, 5)) }, at(1));
    assert_eq!(
        sent(&outputs),
        [(OWNER, MarketMessage::Delist(Delist { commodity: Commodity::Compute, version: listing.version }))]
    );
    assert!(
        matches!(outputs[1], Output::Lookup { key, .. } if key == placement::key(Placement::Single, class(51)))
    );
}

#[test]
fn who_stops_selling_keeps_what_contracts_use_and_nothing_that_is_only_reserved() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    for n in [1, 2] {
        tell(&mut seller, OWNER, reserve(n, listing.version, 1), at(1));
    }
    give(&mut seller, Input::Take { ticket: ticket_id(1) }, at(2));
    give(&mut seller, Input::Supply { supply: None }, at(3));
    let kept = [1, 2].map(|n| seller.slice(&ticket_id(n)).is_some());
    assert_eq!((kept, seller.free_part().cores), ([true, false], 0));
}

#[test]
fn nothing_to_sell_means_no_listing() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let outputs = sent(&give(&mut seller, Input::Supply { supply: None }, at(1)));
    assert_eq!(
        outputs,
        vec![(
            OWNER,
            MarketMessage::Delist(Delist { commodity: Commodity::Compute, version: listing.version })
        )]
    );
    assert_eq!(seller.listed().next(), None);
}

#[test]
fn cores_without_a_measured_speed_are_not_listed() {
    let (mut seller, listing) = listed(supply(4, 1_000, 5));
    let outputs = sent(&give(&mut seller, Input::Supply { supply: Some(supply(4, 0, 5)) }, at(1)));
    let delist = Delist { commodity: Commodity::Compute, version: listing.version };
    assert_eq!(outputs, vec![(OWNER, MarketMessage::Delist(delist))]);
    assert_eq!(seller.check(), Ok(()));
}

#[test]
fn a_seller_without_an_answer_looks_the_owner_up_again_after_growing_pauses() {
    let (mut seller, first) = seller_of(supply(4, 1_000, 5));
    let mut outputs = found(&mut seller, &first, OWNER, at(0));
    let mut pauses = Vec::new();
    let mut now = at(0);
    for _ in 0..3 {
        now = now.after(seller::LIST_TIMEOUT);
        assert_eq!(seller.poll_timeout(), Some(now));
        let (to, _, again) = listing_in(&give(&mut seller, Input::Timeout, now));
        assert_eq!((to, again), (OWNER, listing_in(&outputs).2), "the same listing to the same owner");
        now = now.after(seller::LIST_TIMEOUT);
        assert_eq!(give(&mut seller, Input::Timeout, now), vec![]);
        let again = seller.poll_timeout().unwrap();
        pauses.push(again.since(now));
        now = again;
        outputs = give(&mut seller, Input::Timeout, now);
        outputs = found(&mut seller, &outputs, OWNER, now);
    }
    confirm(&mut seller, &outputs, now);
    let first_pause = seller::FIRST_PAUSE;
    for (pause, longest) in pauses.iter().zip([first_pause, first_pause.times(2), first_pause.times(4)]) {
        assert!(*pause <= longest && pause.0 >= longest.0 / 10 * 9, "{pauses:?}");
    }
}

#[test]
fn a_seller_moves_at_once_when_its_market_falls_to_it_or_away_from_it() {
    let home = placement::key(Placement::Single, class(47));
    let own = Range { after: placement::key(Placement::Single, class(46)), until: home };
    let other = Range { after: home, until: placement::key(Placement::Single, class(46)) };
    let (mut seller, _) = listed(supply(4, 1_000, 5));
    assert_eq!(
        give(&mut seller, Input::RangeChanged { range: other, heir: None, donor: None }, at(1)),
        vec![]
    );
    let outputs = give(&mut seller, Input::RangeChanged { range: own, heir: None, donor: None }, at(1));
    assert!(matches!(outputs[..], [Output::Lookup { key, .. }] if key == home), "{outputs:?}");
    let outputs = sent(&found(&mut seller, &outputs, 1, at(1)));
    assert!(matches!(outputs[..], [(OWNER, MarketMessage::Delist(_))]), "{outputs:?}");
    assert_eq!((seller.listings().count(), seller.listed().next()), (1, Some((class(47), Rate(5)))));
    let outputs = give(&mut seller, Input::RangeChanged { range: other, heir: None, donor: None }, at(1));
    assert!(matches!(outputs[..], [Output::Lookup { key, .. }] if key == home), "{outputs:?}");
    assert_eq!(seller.listings().count(), 0);
}

#[test]
fn an_owner_that_no_longer_answers_for_the_market_is_looked_up_again() {
    let (mut seller, outputs) = seller_of(supply(4, 1_000, 5));
    let outputs = found(&mut seller, &outputs, OWNER, at(0));
    let (_, request, _) = listing_in(&outputs);
    let refusal = Refusal::new(RefusalCode::NotResponsible, "", "");
    let refused = MarketMessage::Refused(RefusedRequest { request, refusal });
    assert_eq!(tell(&mut seller, OWNER, refused, at(0)), vec![]);
    let due = seller.poll_timeout().unwrap();
    let outputs = give(&mut seller, Input::Timeout, due);
    let outputs = found(&mut seller, &outputs, 6, due);
    assert_eq!(listing_in(&outputs).0, 6);
}

#[test]
fn a_seller_accepts_an_offer_only_with_a_true_ticket_for_a_slice_it_keeps() {
    let (mut seller, listing) = listed(supply(1, 1_000, 5));
    let winner = proto::Signed::new(listing.clone(), &keys(1));
    let body = proto::message::market::Ticket {
        id: ticket_id(1),
        buyer: key(9),
        owner: peer(OWNER),
        requirement: need(1, 1_000),
        rule: rules().rule,
        bid: Rate(9),
        clearing: Rate(9),
        fee: rules().owner_fee,
        asks_seen: 1,
        winner,
        runner_up: None,
        owner_rate: proto::Rate(0),
        draw: ticket_id(1),
        expires: at(0).after(ticket::TICKET_TTL),
    };
    let signed = |body: &proto::message::market::Ticket| proto::Signed::new(body.clone(), &keys(OWNER));
    let fault = |fault| Err::<(), _>(fault);
    assert_eq!(seller.verify_offer(&signed(&body), at(1)), fault(market::TicketFault::NotReserved));
    tell(&mut seller, OWNER, reserve(1, listing.version, 1), at(0));
    assert_eq!(seller.verify_offer(&signed(&body), at(1)), Ok(()));
    let mut dear = body.clone();
    dear.clearing = Rate(5);
    assert_eq!(seller.verify_offer(&signed(&dear), at(1)), fault(market::TicketFault::WrongPrice));
    let mut other = body.clone();
    other.buyer = key(8);
    assert_eq!(seller.verify_offer(&signed(&other), at(1)), fault(market::TicketFault::NotReserved));
    other.winner.body.seller = peer(2);
    assert_eq!(seller.verify_offer(&signed(&other), at(1)), fault(market::TicketFault::NotMine));
}

//! Hand-overs, message by message.

use crate::papers::{
    at, give, key, keys, list, listing, need, node, peer, rules, sent, signed, tell, ticket_id, whole_circle,
};
use market::{Config, Input, Marketplace, Output, owner, placement};
use proto::Placement;
use proto::message::market::{
    Delist, FindSeller, HandOver, Handed, HandedOver, Listing, MarketMessage, Reserve, Reserved, Standing,
    Unavailable,
};
use proto::wire::Wire;
use proto::{
    Bundle, Bytes, Capacity, Commodity, Market, Range, Rate, RefusalCode, RequestId, Rules, Signed, Time,
};

const HEIR: u16 = 50;
const DONOR: u16 = 60;
const BUYER: u16 = 99;

fn class(class: u32) -> Market {
    Market { class, ..Market::of_capacity(Capacity(0)) }
}

/// The markets above `after` up to `until`. The tests' listings of one core stand in class 39.
fn arc(after: u32, until: u32) -> Range {
    Range {
        after: placement::key(Placement::Single, class(after)),
        until: placement::key(Placement::Single, class(until)),
    }
}

fn change(range: Range, heir: Option<u16>, donor: Option<u16>) -> Input {
    Input::RangeChanged { range, heir: heir.map(peer), donor: donor.map(peer) }
}

/// An owner of the whole circle with 4-core listings of 250 Mc/s a core by sellers 1, 2, ...
fn owner_of(asks: &[u64]) -> Marketplace {
    let mut owner = node(0);
    for (n, ask) in (1..).zip(asks) {
        tell(&mut owner, n, list(n, 1, offer(n, 1, *ask)), at(0));
    }
    owner
}

fn offer(n: u16, version: u64, ask: u64) -> Listing {
    listing(n, version, 4, 250, ask)
}

fn find(n: u16) -> MarketMessage {
    let (request, tickets, from) = (RequestId(u64::from(n)), vec![ticket_id(n)], class(39));
    let (requirement, bid, avoid) = (need(1, 250), Rate(9), vec![]);
    MarketMessage::FindSeller(Box::new(FindSeller { request, tickets, from, requirement, bid, avoid }))
}

/// The hand-overs in `outputs`: to whom, and what.
fn handed(outputs: &[Output]) -> Vec<(u16, HandOver)> {
    let is_handed = |(to, message)| match message {
        MarketMessage::HandOver(handed) => Some((to, *handed)),
        _ => None,
    };
    sent(outputs).into_iter().filter_map(is_handed).collect()
}

fn confirm(owner: &mut Marketplace, heir: u16, page: &HandOver, now: Time) -> Vec<Output> {
    tell(owner, heir, MarketMessage::HandedOver(HandedOver { request: page.request }), now)
}

fn pass(listings: Vec<Signed<Listing>>, is_last: bool) -> MarketMessage {
    let listings =
        listings.into_iter().map(|listing| Handed { listing, sold: crate::papers::cores(0) }).collect();
    MarketMessage::HandOver(Box::new(HandOver { request: RequestId(5), listings, is_last }))
}

fn refusal(outputs: &[Output]) -> RefusalCode {
    match &sent(outputs)[..] {
        [(_, MarketMessage::Refused(refused))] => refused.refusal.code,
        other => panic!("{other:?}"),
    }
}

/// The seller that is asked in `outputs`, with the number of the question.
fn asked(outputs: &[Output]) -> (u16, RequestId) {
    match sent(outputs)[..] {
        [(seller, MarketMessage::Reserve(Reserve { request, .. }))] => (seller, request),
        _ => panic!("{outputs:?}"),
    }
}

#[test]
fn a_lost_part_is_answered_for_until_the_heir_has_everything() {
    let mut owner = owner_of(&[5, 4]);
    let pages = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    let [(HEIR, first)] = &pages[..] else { panic!("{pages:?}") };
    let mut sellers: Vec<u64> = first.listings.iter().map(|handed| handed.listing.body.ask.0).collect();
    sellers.sort_unstable();
    assert_eq!((sellers, first.is_last), (vec![4, 5], true));
    // A question and a listing that come meanwhile are answered, and the listing follows the others.
    assert_eq!(asked(&tell(&mut owner, BUYER, find(1), at(1))).0, 2);
    let outputs = tell(&mut owner, 3, list(3, 1, offer(3, 1, 3)), at(1));
    let [(HEIR, second)] = &handed(&outputs)[..] else { panic!("{outputs:?}") };
    assert_eq!(
        second.listings,
        [Handed { listing: signed(3, offer(3, 1, 3)), sold: crate::papers::cores(0) }]
    );
    assert_eq!(confirm(&mut owner, HEIR, first, at(1)), vec![]);
    assert_eq!((owner.listings().count(), owner.answers_for(class(39))), (3, true));
    assert_eq!(confirm(&mut owner, 51, second, at(1)), vec![], "somebody else's word counts nothing");
    assert_eq!(owner.listings().count(), 3);
    assert_eq!(confirm(&mut owner, HEIR, second, at(1)), vec![]);
    assert_eq!((owner.listings().count(), owner.kept().count()), (0, 3));
    assert_eq!(refusal(&tell(&mut owner, BUYER, find(2), at(1))), RefusalCode::NotResponsible);
}

#[test]
fn an_heir_with_nothing_to_inherit_is_told_so_at_once() {
    let mut owner = node(0);
    let pages = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    let [(HEIR, page)] = &pages[..] else { panic!("{pages:?}") };
    assert_eq!((page.listings.len(), page.is_last), (0, true));
    assert_eq!(confirm(&mut owner, HEIR, page, at(1)), vec![]);
    assert_eq!(owner.poll_timeout(), None);
}

#[test]
fn what_the_heir_does_not_confirm_is_sent_again_for_a_bounded_time() {
    let mut owner = owner_of(&[5]);
    let first = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    let mut count = 0;
    while owner.listings().count() > 0 {
        let now = owner.poll_timeout().unwrap();
        let again = handed(&give(&mut owner, Input::Timeout, now));
        if owner.listings().count() > 0 {
            count += 1;
            assert_eq!((&again, now), (&first, at(1).after(owner::HAND_OVER_TIMEOUT.times(count))));
        } else {
            assert_eq!((again, now), (vec![], at(1).after(owner::HAND_OVER_WITHIN)));
        }
    }
    assert_eq!(count, 9);
}

#[test]
fn cores_that_are_sold_or_being_sold_are_handed_over_as_such() {
    let mut owner = owner_of(&[5]);
    let (seller, request) = asked(&tell(&mut owner, BUYER, find(1), at(1)));
    tell(&mut owner, seller, MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(1)] }), at(1));
    asked(&tell(&mut owner, BUYER, find(2), at(1)));
    let pages = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    let listings = vec![Handed { listing: signed(1, offer(1, 1, 5)), sold: crate::papers::cores(2) }];
    assert_eq!(pages[0].1.listings, listings);
    // The heir sells what is left, and no more.
    let mut heir = node(HEIR);
    give(&mut heir, Input::Successors { peers: vec![peer(0)] }, at(1));
    tell(&mut heir, 0, MarketMessage::HandOver(Box::new(pages[0].1.clone())), at(1));
    for n in [3, 4] {
        assert_eq!(asked(&tell(&mut heir, BUYER, find(n), at(1))).0, 1);
    }
    let answer = sent(&tell(&mut heir, BUYER, find(5), at(1)));
    assert!(matches!(answer[..], [(BUYER, MarketMessage::NoSeller(_))]), "{answer:?}");
}

#[test]
fn a_match_under_way_ends_where_it_began_and_its_ticket_is_remembered() {
    let mut owner = owner_of(&[5, 4]);
    let (seller, request) = asked(&tell(&mut owner, BUYER, find(1), at(1)));
    let other = asked(&tell(&mut owner, BUYER, find(2), at(1)));
    let pages = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    confirm(&mut owner, HEIR, &pages[0].1, at(1));
    for outputs in [
        tell(
            &mut owner,
            seller,
            MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(1)] }),
            at(1),
        ),
        tell(&mut owner, BUYER, find(1), at(1)),
    ] {
        let [(BUYER, MarketMessage::Matched(matched))] = &sent(&outputs)[..] else { panic!("{outputs:?}") };
        assert_eq!((matched.tickets[0].body.id, matched.tickets[0].body.owner), (ticket_id(1), peer(0)));
    }
    // The next seller is the heir's to find: the buyer is sent there, and not told that there is nobody.
    let request = other.1;
    let outputs = tell(&mut owner, other.0, MarketMessage::Unavailable(Unavailable { request }), at(1));
    assert_eq!(refusal(&outputs), RefusalCode::NotResponsible);
}

/// A newcomer with the whole circle that expects listings from [`DONOR`], and a buyer that waits.
fn newcomer() -> Marketplace {
    let mut node = Marketplace::new(Config { rules: rules(), bank: None }, peer(0), keys(0), [3; 32], at(0));
    give(&mut node, change(whole_circle(), None, Some(DONOR)), at(0));
    assert_eq!(tell(&mut node, BUYER, find(1), at(0)), vec![]);
    assert_eq!(tell(&mut node, BUYER, find(1), at(0)), vec![], "asked again, it waits once");
    assert!(!node.answers_for(class(39)));
    node
}

#[test]
fn a_newcomer_lets_buyers_wait_for_the_last_page_of_its_donor() {
    let mut node = newcomer();
    assert_eq!(sent(&tell(&mut node, DONOR, pass(vec![signed(1, offer(1, 1, 5))], false), at(0))).len(), 1);
    assert_eq!(sent(&tell(&mut node, 7, pass(vec![], true), at(0))).len(), 1, "a stranger ends nothing");
    let outputs = sent(&tell(&mut node, DONOR, pass(vec![signed(2, offer(2, 1, 4))], true), at(0)));
    let confirmed = MarketMessage::HandedOver(HandedOver { request: RequestId(5) });
    assert_eq!(outputs[0], (DONOR, confirmed));
    assert!(matches!(outputs[1..], [(2, MarketMessage::Reserve(_))]), "{outputs:?}");
}

#[test]
fn a_newcomer_waits_for_a_bounded_time_and_not_for_the_dead() {
    let is_none = |outputs: Vec<Output>| match sent(&outputs)[..] {
        [(BUYER, MarketMessage::NoSeller(_))] => true,
        _ => panic!("{outputs:?}"),
    };
    let mut node = newcomer();
    let until = at(0).after(owner::EXPECT_WITHIN);
    assert_eq!(node.poll_timeout(), Some(until));
    assert!(is_none(give(&mut node, Input::Timeout, until)));
    let mut node = newcomer();
    assert!(is_none(give(&mut node, Input::Unreachable { peer: peer(DONOR) }, at(0))));
}

/// Hands `listing` over by `from` to an owner of classes 31 to 50 with a successor [`DONOR`], which knows version 2
/// of seller 1. What it then has in its books and aside.
fn check_handed(from: u16, handed: Signed<Listing>, expected: (usize, usize)) {
    let mut owner = node(0);
    tell(&mut owner, 1, list(1, 1, offer(1, 2, 5)), at(0));
    give(&mut owner, change(arc(30, 50), None, None), at(0));
    give(&mut owner, Input::Successors { peers: vec![peer(DONOR)] }, at(0));
    let outputs = tell(&mut owner, from, pass(vec![handed], false), at(1));
    let confirmed = MarketMessage::HandedOver(HandedOver { request: RequestId(5) });
    assert_eq!(sent(&outputs), [(from, confirmed)]);
    assert_eq!((owner.listings().count(), owner.kept().count()), expected);
}

#[test]
fn an_heir_believes_sellers_and_only_neighbours_bring_what_it_answers_for() {
    let fine = || offer(2, 1, 5);
    let far = || Listing { per_core: Capacity(4), market: class(7), ..fine() };
    check_handed(DONOR, signed(2, fine()), (2, 0));
    check_handed(7, signed(2, fine()), (1, 0));
    check_handed(2, signed(2, fine()), (1, 0));
    check_handed(7, signed(2, Listing { market: market::requirement::market_of(&far()), ..far() }), (1, 1));
    check_handed(DONOR, signed(3, fine()), (1, 0));
    check_handed(DONOR, signed(1, offer(1, 1, 5)), (1, 0));
    check_handed(DONOR, signed(1, offer(1, 3, 5)), (1, 0));
    check_handed(DONOR, signed(2, Listing { expires: at(1), ..fine() }), (1, 0));
    check_handed(DONOR, signed(2, Listing { expires: at(19), ..fine() }), (1, 0));
    check_handed(DONOR, signed(2, Listing { market: class(40), ..fine() }), (1, 0));
    check_handed(DONOR, signed(2, Listing { cores: 0, ..fine() }), (1, 0));
}

#[test]
fn a_page_is_bounded_and_fits_into_forty_kilobytes() {
    let many = |count: usize| vec![signed(2, offer(2, 1, 5)); count];
    let mut owner = node(0);
    let outputs = tell(&mut owner, DONOR, pass(many(owner::MAX_HANDED + 1), true), at(1));
    assert_eq!((refusal(&outputs), owner.listings().count()), (RefusalCode::Malformed, 0));
    let name = "n".repeat(market::requirement::MAX_NAME);
    let platform =
        proto::message::market::Platform { os: name.clone(), arch: name, native: true, ..Default::default() };
    let memory = Bytes(u64::MAX);
    let standing = Standing { account: key(2), kept: u64::MAX, broken: u64::MAX, expires: Time(u64::MAX) };
    let standing = Some(Signed::new(standing, &crate::papers::keys(9)));
    let whole = Bundle { cores: u32::MAX, memory, disk: memory };
    let largest = Listing {
        platform,
        memory,
        disk: memory,
        version: u64::MAX,
        standing,
        whole,
        ..offer(2, 1, u64::MAX)
    };
    let page = pass(vec![signed(2, largest); owner::MAX_HANDED], true);
    assert!(page.encode().len() <= 40_000, "{}", page.encode().len());
}

#[test]
fn a_large_book_goes_over_in_pages_of_which_few_are_under_way() {
    let count = u16::try_from(owner::MAX_HANDED * owner::MAX_PAGES).unwrap() + 1;
    let mut owner = owner_of(&vec![5; count.into()]);
    let pages = handed(&give(&mut owner, change(arc(40, 50), Some(HEIR), None), at(1)));
    let full = |page: &(u16, HandOver)| page.1.listings.len() == owner::MAX_HANDED && !page.1.is_last;
    assert_eq!((pages.len(), pages.iter().all(full)), (owner::MAX_PAGES, true));
    let next = handed(&confirm(&mut owner, HEIR, &pages[0].1, at(1)));
    assert_eq!((next.len(), next[0].1.listings.len(), next[0].1.is_last), (1, 1, false));
    let rest = pages[1..].iter().chain(&next);
    let last: Vec<_> = rest.flat_map(|page| handed(&confirm(&mut owner, HEIR, &page.1, at(1)))).collect();
    assert_eq!((last.len(), last[0].1.listings.len(), last[0].1.is_last), (1, 0, true));
    confirm(&mut owner, HEIR, &last[0].1, at(1));
    assert_eq!(owner.listings().count(), 0);
}

#[test]
fn copies_go_to_the_next_successors_and_are_for_sale_when_the_market_falls_to_them() {
    let config = Config { rules: Rules { replicas: 2, ..rules() }, bank: None };
    let mut owner = Marketplace::new(config, peer(0), keys(0), [3; 32], at(0));
    give(&mut owner, change(whole_circle(), None, None), at(0));
    give(&mut owner, Input::Successors { peers: [HEIR, 51, 52].map(peer).into() }, at(0));
    let outputs = tell(&mut owner, 1, list(1, 1, offer(1, 1, 5)), at(0));
    let copies = handed(&outputs);
    let to: Vec<u16> = copies.iter().map(|(to, _)| *to).collect();
    assert_eq!((to, copies[0].1.is_last), (vec![HEIR, 51], false));
    assert_eq!(
        sent(&tell(&mut owner, 1, list(1, 1, offer(1, 1, 5)), at(0))).len(),
        1,
        "a copy goes out once"
    );
    // The copy is invisible, ends by itself, and is in the book as soon as the market is the keeper's.
    let mut keeper = node(HEIR);
    give(&mut keeper, change(arc(40, 50), None, None), at(0));
    tell(&mut keeper, 0, MarketMessage::HandOver(Box::new(copies[0].1.clone())), at(0));
    assert_eq!((keeper.listings().count(), keeper.kept().count()), (0, 1));
    assert_eq!(refusal(&tell(&mut keeper, BUYER, find(1), at(1))), RefusalCode::NotResponsible);
    give(&mut keeper, change(arc(30, 50), Some(49), None), at(1));
    assert_eq!((keeper.listings().count(), keeper.kept().count()), (1, 0));
    assert_eq!(asked(&tell(&mut keeper, BUYER, find(1), at(1))).0, 1);
    give(&mut keeper, change(arc(40, 50), None, None), at(2));
    assert_eq!(keeper.kept().count(), 1);
    give(&mut keeper, Input::Timeout, at(12));
    assert_eq!(keeper.kept().count(), 0);
}

#[test]
fn what_a_seller_withdraws_is_what_it_listed_there() {
    for (by_seller, version, left) in [(true, 1, 0), (true, 0, 1), (false, 1, 1), (false, 2, 0)] {
        let mut owner = node(0);
        give(&mut owner, Input::Successors { peers: vec![peer(DONOR)] }, at(0));
        let (from, message) = if by_seller {
            (1, list(1, 1, offer(1, 1, 5)))
        } else {
            (DONOR, pass(vec![signed(1, offer(1, 1, 5))], false))
        };
        tell(&mut owner, from, message, at(0));
        tell(&mut owner, 1, MarketMessage::Delist(Delist { commodity: Commodity::Compute, version }), at(0));
        assert_eq!(owner.listings().count(), left, "{by_seller} {version}");
    }
}

#[test]
fn who_leaves_hands_everything_to_the_first_successor_that_lives() {
    let mut owner = owner_of(&[5]);
    give(&mut owner, Input::Successors { peers: [0, HEIR, 51].map(peer).into() }, at(1));
    let first = handed(&give(&mut owner, Input::Leave, at(1)));
    let [(HEIR, _)] = &first[..] else { panic!("{first:?}") };
    assert_eq!(give(&mut owner, Input::Leave, at(1)), vec![], "said twice, it is done once");
    let again = handed(&give(&mut owner, Input::Unreachable { peer: peer(HEIR) }, at(1)));
    let [(51, page)] = &again[..] else { panic!("{again:?}") };
    assert_eq!(page.listings, first[0].1.listings);
    // What is listed until then goes along.
    let more = handed(&tell(&mut owner, 2, list(2, 1, offer(2, 1, 4)), at(1)));
    assert_eq!(
        more[0].1.listings,
        [Handed { listing: signed(2, offer(2, 1, 4)), sold: crate::papers::cores(0) }]
    );
    assert_eq!(confirm(&mut owner, 51, page, at(1)), vec![]);
    let (seller, request) = asked(&tell(&mut owner, BUYER, find(1), at(1)));
    assert_eq!(seller, 2, "a member answers");
    assert_eq!(confirm(&mut owner, 51, &more[0].1, at(1)), vec![], "a match is under way");
    let outputs =
        tell(&mut owner, 2, MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(1)] }), at(1));
    assert!(matches!(outputs[..], [Output::Send { .. }, Output::HandedOver]), "{outputs:?}");
}

#[test]
fn who_leaves_does_not_wait_for_ever() {
    let mut owner = owner_of(&[5]);
    give(&mut owner, Input::Successors { peers: vec![peer(HEIR)] }, at(1));
    let mut outputs = give(&mut owner, Input::Leave, at(1));
    let mut now = at(1);
    while !outputs.contains(&Output::HandedOver) {
        now = owner.poll_timeout().unwrap();
        outputs = give(&mut owner, Input::Timeout, now);
    }
    assert_eq!((now, outputs), (at(1).after(owner::LEAVE_WITHIN), vec![Output::HandedOver]));
}

#[test]
fn who_has_nothing_to_give_or_nobody_to_give_it_to_leaves_at_once() {
    let mut alone = owner_of(&[5]);
    assert_eq!(give(&mut alone, Input::Leave, at(1)), [Output::HandedOver]);
    let mut poor = node(0);
    give(&mut poor, Input::Successors { peers: vec![peer(HEIR)] }, at(1));
    assert_eq!(give(&mut poor, Input::Leave, at(1)), [Output::HandedOver]);
    let mut owner = owner_of(&[5]);
    give(&mut owner, Input::Successors { peers: vec![peer(HEIR)] }, at(1));
    let pages = handed(&give(&mut owner, Input::Leave, at(1)));
    assert_eq!(confirm(&mut owner, HEIR, &pages[0].1, at(1)), [Output::HandedOver]);
}

#[test]
fn the_heir_of_somebody_who_is_gone_gets_what_was_left_with_the_successor() {
    let mut owner = node(0);
    give(&mut owner, change(arc(40, 50), None, None), at(0));
    tell(&mut owner, 7, pass(vec![signed(1, offer(1, 1, 5))], false), at(0));
    assert_eq!(owner.kept().count(), 1);
    let pages = handed(&give(&mut owner, change(arc(39, 50), Some(HEIR), None), at(0)));
    let listings = vec![Handed { listing: signed(1, offer(1, 1, 5)), sold: crate::papers::cores(0) }];
    assert_eq!((pages[0].0, &pages[0].1.listings, pages[0].1.is_last), (HEIR, &listings, true));
    assert_eq!(refusal(&tell(&mut owner, BUYER, find(1), at(0))), RefusalCode::NotResponsible);
    assert_eq!(key(1), pages[0].1.listings[0].listing.signer);
}

#[test]
fn who_leaves_passes_on_what_is_handed_to_it_meanwhile() {
    let mut owner = node(0);
    give(&mut owner, change(arc(40, 50), None, None), at(0));
    give(&mut owner, Input::Successors { peers: vec![peer(HEIR)] }, at(0));
    tell(&mut owner, 1, list(1, 1, listing(1, 1, 4, 1_000, 5)), at(0));
    assert_eq!(handed(&give(&mut owner, Input::Leave, at(1))).len(), 1);
    // Its predecessor leaves too, and does not know that this node does.
    let passed_on = handed(&tell(&mut owner, 7, pass(vec![signed(2, offer(2, 1, 4))], false), at(1)));
    let listings = vec![Handed { listing: signed(2, offer(2, 1, 4)), sold: crate::papers::cores(0) }];
    assert_eq!((passed_on[0].0, &passed_on[0].1.listings), (HEIR, &listings));
}

#[test]
fn a_bounded_number_of_parts_is_handed_over_at_a_time_and_the_oldest_is_given_up() {
    let mut owner = node(0);
    let whole = whole_circle();
    let count = u16::try_from(owner::MAX_GIFTS).unwrap() + 2;
    let mut heirs: Vec<u16> = (100..100 + count).collect();
    heirs.sort_by_key(|n| peer(*n).id());
    for heir in &heirs {
        let range = Range { after: peer(*heir).id(), ..whole };
        give(&mut owner, change(range, Some(*heir), None), at(1));
    }
    let given_up = Range { until: peer(heirs[1]).id(), ..whole };
    let (gone, answered): (Vec<u32>, Vec<u32>) =
        (0..96).partition(|n| given_up.contains(placement::key(Placement::Single, class(*n))));
    assert!(!gone.is_empty() && !answered.is_empty());
    assert!(gone.iter().all(|n| !owner.answers_for(class(*n))), "{gone:?}");
    assert!(answered.iter().all(|n| owner.answers_for(class(*n))), "{answered:?}");
}

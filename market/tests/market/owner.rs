//! How an owner treats listings and buyers, message by message.

use crate::papers::{
    BANK, at, give, key, keys, list, listing, need, node, node_under, peer, rules, sent, signed, tell,
    ticket_id,
};
use market::{Input, Marketplace, TicketFault, owner, placement};
use proto::Placement;
use proto::message::market::{
    Delist, FindSeller, List, Listing, MarketMessage, NoSeller, Requirement, Reserve, Reserved, Standing,
    Ticket, Unavailable,
};
use proto::rules::PricingRule;
use proto::{
    Bytes, Capacity, Commodity, Market, PublicKey, Range, Rate, RefusalCode, Reputation, RequestId, Rules,
    Signed, Span, Time,
};
use std::collections::BTreeSet;

fn order(n: u16, from: u64, requirement: Requirement, bid: u64, avoid: Vec<PublicKey>) -> MarketMessage {
    let from = Market::of_capacity(Capacity(from));
    let (request, tickets) = (RequestId(u64::from(n)), vec![ticket_id(n)]);
    let find = FindSeller { request, tickets, from, requirement, bid: Rate(bid), avoid };
    MarketMessage::FindSeller(Box::new(find))
}

/// An owner with 1-core sellers 1, 2, ... of 1,000 Mc/s that ask for `asks`.
fn owner_of(asks: &[u64]) -> Marketplace {
    owner_under(rules(), asks)
}

/// The same, in a network with these rules.
fn owner_under(rules: Rules, asks: &[u64]) -> Marketplace {
    let mut owner = node_under(rules, 0);
    for (n, ask) in (1..).zip(asks) {
        tell(&mut owner, n, list(n, 1, listing(n, 1, 1, 1_000, *ask)), at(0));
    }
    owner
}

/// Asks for 1 core, lets the sellers in `refusing` say no and the others yes; the last answer to the buyer.
fn buy(
    owner: &mut Marketplace,
    order: MarketMessage,
    refusing: &[u16],
    now: Time,
) -> (Vec<u16>, MarketMessage) {
    let mut asked = Vec::new();
    let mut outputs = tell(owner, 99, order, now);
    loop {
        match sent(&outputs).as_slice() {
            [(99, answer)] => return (asked, answer.clone()),
            [(seller, MarketMessage::Reserve(reserve))] => {
                asked.push(*seller);
                let request = reserve.request;
                let answer = if refusing.contains(seller) {
                    MarketMessage::Unavailable(Unavailable { request })
                } else {
                    MarketMessage::Reserved(Reserved { request, kept: reserve.tickets.clone() })
                };
                outputs = tell(owner, *seller, answer, now);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn ticket_in(answer: MarketMessage) -> Signed<Ticket> {
    match answer {
        MarketMessage::Matched(matched) if matched.tickets.len() == 1 => matched.tickets[0].clone(),
        other => panic!("{other:?}"),
    }
}

fn check_sale(asks: &[u64], refusing: &[u16], bid: u64, asked: &[u16], sale: (u64, u32, Option<u64>)) {
    let mut owner = owner_of(asks);
    let (was_asked, answer) = buy(&mut owner, order(7, 1_000, need(1, 1_000), bid, vec![]), refusing, at(1));
    let ticket = ticket_in(answer).body;
    let runner_up = ticket.runner_up.map(|listing| listing.body.ask.0);
    assert_eq!((was_asked.as_slice(), (ticket.clearing.0, ticket.asks_seen, runner_up)), (asked, sale));
}

#[test]
fn a_match_has_the_price_of_the_runner_up_among_those_that_live() {
    check_sale(&[5, 4, 3], &[], 10, &[3], (4, 3, Some(4)));
    check_sale(&[5, 4, 3], &[3], 10, &[3, 2], (5, 2, Some(5)));
    check_sale(&[5, 4, 3], &[3, 2], 10, &[3, 2, 1], (10, 1, None));
    check_sale(&[5, 4, 3], &[], 3, &[3], (3, 1, None));
    check_sale(&[100, 200, 300], &[], 1_000, &[1], (200, 3, Some(200)));
}

#[test]
fn a_ticket_of_the_owner_is_true() {
    let mut owner = owner_of(&[5, 4, 3]);
    let (_, answer) = buy(&mut owner, order(7, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
    let ticket = ticket_in(answer);
    assert_eq!(market::verify_ticket(&ticket, &rules(), Some(key(BANK)), at(1)), Ok(()));
    assert_eq!((ticket.body.fee, ticket.body.buyer), (rules().owner_fee, key(99)));
    assert_eq!(ticket.body.expires, at(1).after(market::ticket::TICKET_TTL));
}

#[test]
fn a_first_price_network_pays_the_winners_ask() {
    let first = Rules { rule: PricingRule::FirstPrice, ..rules() };
    for (asks, price, runner_up) in [(&[5, 4, 3][..], 3, Some(4)), (&[7], 7, None)] {
        let mut owner = owner_under(first, asks);
        let (_, answer) = buy(&mut owner, order(7, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
        let ticket = ticket_in(answer);
        let ask = ticket.body.runner_up.as_ref().map(|listing| listing.body.ask.0);
        assert_eq!((ticket.body.clearing.0, ask), (price, runner_up));
        assert_eq!(market::verify_ticket(&ticket, &first, Some(key(BANK)), at(1)), Ok(()));
        assert_eq!(
            market::verify_ticket(&ticket, &rules(), Some(key(BANK)), at(1)),
            Err(TicketFault::WrongRule)
        );
    }
}

#[test]
fn the_same_question_has_the_same_answer_and_another_one_is_refused() {
    let mut owner = owner_of(&[5, 4, 3]);
    let (asked, first) = buy(&mut owner, order(7, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
    let (asked_again, again) = buy(&mut owner, order(7, 1_000, need(1, 1_000), 10, vec![]), &[], at(2));
    assert_eq!((asked, asked_again, ticket_in(first)), (vec![3], vec![], ticket_in(again)));
    let other = buy(&mut owner, order(7, 1_000, need(1, 1_000), 11, vec![]), &[], at(2)).1;
    assert_eq!(code_of(&other), RefusalCode::IdReused);
}

#[test]
fn a_question_during_a_match_joins_it() {
    let mut owner = owner_of(&[5]);
    let reserve = tell(&mut owner, 99, order(7, 1_000, need(1, 1_000), 10, vec![]), at(1));
    assert_eq!(tell(&mut owner, 99, order(7, 1_000, need(1, 1_000), 10, vec![]), at(1)), vec![]);
    let [
        (
            1,
            MarketMessage::Reserve(Reserve {
                request,
                commodity: Commodity::Compute,
                slice: proto::Bundle { cores: 1, .. },
                version: 1,
                ..
            }),
        ),
    ] = sent(&reserve)[..]
    else {
        panic!("{reserve:?}")
    };
    let answers = sent(&tell(
        &mut owner,
        1,
        MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(7)] }),
        at(1),
    ));
    assert_eq!(answers.len(), 1);
    let late =
        tell(&mut owner, 1, MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(7)] }), at(1));
    assert_eq!(late, vec![], "an answer counts once");
}

#[test]
fn a_core_that_is_being_sold_is_not_offered_to_the_next_buyer() {
    let mut owner = owner_of(&[5, 4]);
    let first = sent(&tell(&mut owner, 98, order(1, 1_000, need(1, 1_000), 10, vec![]), at(1)));
    let second = sent(&tell(&mut owner, 99, order(2, 1_000, need(1, 1_000), 10, vec![]), at(1)));
    let third = sent(&tell(&mut owner, 99, order(3, 1_000, need(1, 1_000), 10, vec![]), at(1)));
    assert_eq!((first[0].0, second[0].0), (2, 1));
    assert!(matches!(third[..], [(99, MarketMessage::NoSeller(_))]), "{third:?}");
}

#[test]
fn a_core_that_was_sold_is_offered_again_only_by_a_newer_listing() {
    let mut owner = owner_of(&[5]);
    let (asked, _) = buy(&mut owner, order(1, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
    assert_eq!(asked, [1]);
    let (asked, answer) = buy(&mut owner, order(2, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
    assert!(asked.is_empty() && matches!(answer, MarketMessage::NoSeller(_)), "{answer:?}");
    tell(&mut owner, 1, list(1, 2, listing(1, 2, 1, 1_000, 5)), at(1));
    let (asked, _) = buy(&mut owner, order(3, 1_000, need(1, 1_000), 10, vec![]), &[], at(1));
    assert_eq!(asked, [1]);
}

#[test]
fn a_silent_seller_is_asked_twice_and_passed_over() {
    let mut owner = owner_of(&[5, 4]);
    tell(&mut owner, 99, order(7, 1_000, need(1, 1_000), 10, vec![]), at(1));
    let mut now = at(1);
    let mut asked = Vec::new();
    for _ in 0..2 {
        now = now.after(owner::RESERVE_TIMEOUT);
        assert_eq!(owner.poll_timeout(), Some(now));
        asked.extend(sent(&give(&mut owner, Input::Timeout, now)).into_iter().map(|(to, _)| to));
    }
    assert_eq!((asked, owner.listings().count()), (vec![2, 1], 1));
}

#[test]
fn a_seller_that_cannot_be_reached_is_passed_over_at_once() {
    let mut owner = owner_of(&[5, 4]);
    tell(&mut owner, 99, order(7, 1_000, need(1, 1_000), 10, vec![]), at(1));
    let next = sent(&give(&mut owner, Input::Unreachable { peer: peer(2) }, at(1)));
    assert!(matches!(next[..], [(1, MarketMessage::Reserve(_))]), "{next:?}");
    assert_eq!(owner.listings().count(), 1);
}

fn check_shortage(requirement: Requirement, bid: u64, avoid: &[u16], figures: (u32, u32, u32, u64)) {
    let mut owner = owner_of(&[5, 4]);
    tell(&mut owner, 3, list(3, 1, listing(3, 1, 4, 1_000, 8)), at(0));
    let avoid = avoid.iter().map(|n| key(*n)).collect();
    let power = requirement.power.0;
    let (_, answer) = buy(&mut owner, order(7, power, requirement, bid, avoid), &[], at(1));
    let (listings, too_dear, too_small, lowest) = figures;
    let lowest_ask = Rate(lowest);
    let expected = NoSeller { request: RequestId(7), next: None, listings, too_dear, too_small, lowest_ask };
    assert_eq!(answer, MarketMessage::NoSeller(expected));
}

#[test]
fn who_finds_nobody_is_told_why_in_figures() {
    check_shortage(need(1, 1_000), 3, &[], (3, 3, 0, 4));
    check_shortage(need(4, 1_000), 7, &[], (3, 1, 2, 8));
    check_shortage(need(5, 1_000), 99, &[], (3, 0, 3, 0));
    check_shortage(need(1, 4_000), 99, &[], (1, 0, 1, 0));
    check_shortage(need(1, 1_000), 4, &[2], (3, 2, 1, 5));
    check_shortage(Requirement { memory: Bytes::gib(9), ..need(1, 1_000) }, 99, &[], (3, 0, 3, 0));
    check_shortage(Requirement { disk: Bytes::gib(65), ..need(1, 1_000) }, 99, &[], (3, 0, 3, 0));
    check_shortage(Requirement { os: "macos".into(), ..need(1, 1_000) }, 99, &[], (3, 0, 3, 0));
    check_shortage(Requirement { arch: "aarch64".into(), ..need(1, 1_000) }, 99, &[], (3, 0, 3, 0));
}

#[test]
fn nobody_buys_from_itself() {
    let mut owner = owner_of(&[5]);
    let answer = sent(&tell(&mut owner, 1, order(7, 1_000, need(1, 1_000), 9, vec![]), at(1)));
    assert!(
        matches!(answer[..], [(1, MarketMessage::NoSeller(NoSeller { too_small: 1, .. }))]),
        "{answer:?}"
    );
}

#[test]
fn the_first_market_in_which_somebody_fits_sells_even_if_a_higher_one_is_cheaper() {
    let mut owner = owner_of(&[5]);
    tell(&mut owner, 3, list(3, 1, listing(3, 1, 4, 1_000, 2)), at(0));
    let (asked, answer) = buy(&mut owner, order(7, 1_000, need(1, 1_000), 9, vec![]), &[], at(1));
    assert_eq!((asked, ticket_in(answer).body.clearing), (vec![1], Rate(9)));
}

fn code_of(answer: &MarketMessage) -> RefusalCode {
    match answer {
        MarketMessage::Refused(refused) => refused.refusal.code,
        other => panic!("{other:?}"),
    }
}

fn check_listing(by: u16, signer: u16, listing: Listing, expected: Option<RefusalCode>) {
    let mut owner = owner_of(&[5]);
    let message = List { request: RequestId(9), listing: signed(signer, listing) };
    let answer = sent(&tell(&mut owner, by, MarketMessage::List(Box::new(message)), at(1)));
    let code = match &answer[..] {
        [(to, MarketMessage::Listed(_))] if *to == by => None,
        [(_, refused)] => Some(code_of(refused)),
        other => panic!("{other:?}"),
    };
    assert_eq!(code, expected);
}

#[test]
fn only_genuine_and_timely_listings_of_the_sender_in_their_market_are_kept() {
    let fine = || listing(2, 1, 1, 1_000, 5);
    check_listing(2, 2, fine(), None);
    check_listing(1, 1, listing(1, 2, 4, 1_000, 6), None);
    check_listing(1, 1, listing(1, 1, 1, 1_000, 5), None);
    check_listing(1, 1, listing(1, 1, 1, 1_000, 6), Some(RefusalCode::IdReused));
    check_listing(1, 1, listing(1, 0, 1, 1_000, 5), Some(RefusalCode::Mismatch));
    check_listing(2, 3, fine(), Some(RefusalCode::NotYours));
    check_listing(3, 2, fine(), Some(RefusalCode::NotYours));
    check_listing(3, 3, fine(), Some(RefusalCode::NotYours));
    check_listing(2, 2, Listing { cores: 0, ..fine() }, Some(RefusalCode::Malformed));
    check_listing(2, 2, Listing { per_core: Capacity(2_000), ..fine() }, Some(RefusalCode::Malformed));
    check_listing(2, 2, Listing { expires: at(1), ..fine() }, Some(RefusalCode::Expired));
    check_listing(2, 2, Listing { expires: at(19), ..fine() }, Some(RefusalCode::Expired));
    check_listing(2, 2, Listing { expires: at(18), ..fine() }, None);
}

#[test]
fn a_seller_has_one_listing_and_takes_it_out_by_version() {
    let mut owner = owner_of(&[5, 4]);
    tell(&mut owner, 1, list(1, 2, listing(1, 3, 4, 1_000, 6)), at(1));
    let versions = |owner: &Marketplace| {
        let mut versions: Vec<_> = owner.listings().map(|l| (l.ask.0, l.version)).collect();
        versions.sort_unstable();
        versions
    };
    assert_eq!(versions(&owner), [(4, 1), (6, 3)]);
    tell(&mut owner, 1, MarketMessage::Delist(Delist { commodity: Commodity::Compute, version: 2 }), at(1));
    assert_eq!(versions(&owner), [(4, 1), (6, 3)]);
    tell(&mut owner, 1, MarketMessage::Delist(Delist { commodity: Commodity::Compute, version: 3 }), at(1));
    assert_eq!(versions(&owner), [(4, 1)]);
}

#[test]
fn a_listing_that_is_not_renewed_ends() {
    let mut owner = owner_of(&[5]);
    assert_eq!(owner.poll_timeout(), Some(at(12)));
    give(&mut owner, Input::Timeout, Time(at(12).0 - 1));
    assert_eq!(owner.listings().count(), 1);
    give(&mut owner, Input::Timeout, at(12));
    assert_eq!((owner.listings().count(), owner.poll_timeout()), (0, None));
}

#[test]
fn markets_outside_the_arc_are_refused_dropped_and_pointed_to() {
    let class = |class| Market { class, ..Market::of_capacity(Capacity(0)) };
    let mut owner = owner_of(&[5]);
    let arc = |after, until| Range {
        after: placement::key(Placement::Single, class(after)),
        until: placement::key(Placement::Single, class(until)),
    };
    give(&mut owner, Input::RangeChanged { range: arc(38, 41), heir: None, donor: None }, at(1));
    assert_eq!(owner.listings().count(), 1, "class 39 is kept");
    let answer = buy(&mut owner, order(7, 1_000, need(2, 1_000), 9, vec![]), &[], at(1)).1;
    assert!(
        matches!(answer, MarketMessage::NoSeller(NoSeller { next: Some(next), .. }) if next == class(42))
    );
    give(&mut owner, Input::RangeChanged { range: arc(39, 41), heir: None, donor: None }, at(1));
    assert_eq!(owner.listings().count(), 0);
    let answer = buy(&mut owner, order(8, 1_000, need(1, 1_000), 9, vec![]), &[], at(1)).1;
    assert_eq!(code_of(&answer), RefusalCode::NotResponsible);
    check_refused_listing(&mut owner);
    let bogus = Market { class: 96, ..class(0) };
    let find = FindSeller {
        request: RequestId(1),
        tickets: vec![ticket_id(9)],
        from: bogus,
        requirement: need(1, 1),
        bid: Rate(1),
        avoid: vec![],
    };
    let answer = buy(&mut owner, MarketMessage::FindSeller(Box::new(find)), &[], at(1)).1;
    assert_eq!(code_of(&answer), RefusalCode::Malformed);
}

fn check_refused_listing(owner: &mut Marketplace) {
    let answer = sent(&tell(owner, 1, list(1, 2, listing(1, 2, 1, 1_000, 5)), at(1)));
    assert_eq!(code_of(&answer[0].1), RefusalCode::NotResponsible);
}

#[test]
fn an_owner_that_does_not_know_its_arc_refuses() {
    let config = market::Config { rules: rules(), bank: None };
    let mut owner = Marketplace::new(config, peer(0), keys(0), [0; 32], at(0));
    check_refused_listing(&mut owner);
}

#[test]
fn a_buyer_has_a_bounded_number_of_matches_under_way() {
    let mut owner = node(0);
    let cores = u32::try_from(owner::MAX_SLICES_PER_BUYER).unwrap() + 1;
    let offer = Listing { expires: at(0).after(Span::secs(10)), ..listing(1, 1, cores, 1_000, 5) };
    tell(&mut owner, 1, list(1, 1, offer), at(0));
    for n in 0..=u16::try_from(owner::MAX_SLICES_PER_BUYER).unwrap() {
        let answer = sent(&tell(&mut owner, 99, order(n, 1_000, need(1, 1_000), 9, vec![]), at(0)));
        let is_last = usize::from(n) == owner::MAX_SLICES_PER_BUYER;
        match &answer[..] {
            [(1, MarketMessage::Reserve(_))] if !is_last => {}
            [(99, refused)] if is_last => assert_eq!(code_of(refused), RefusalCode::Busy),
            other => panic!("{n}: {other:?}"),
        }
    }
    // Somebody else is served meanwhile.
    let answer = sent(&tell(&mut owner, 98, order(0, 1_000, need(1, 1_000), 9, vec![]), at(0)));
    assert!(matches!(answer[..], [(1, MarketMessage::Reserve(_))]), "{answer:?}");
}

#[test]
fn a_seller_that_floods_is_told_to_wait_and_the_others_are_served_meanwhile() {
    let mut owner = node(0);
    let most = u64::from(owner::MAX_LISTS_PER_SELLER);
    let answer = |owner: &mut Marketplace, n: u16, version: u64, now: Time| {
        let outputs = tell(owner, n, list(n, version, listing(n, version, 1, 1_000, 5)), now);
        let [(_, answer)] = &sent(&outputs)[..] else { panic!("{outputs:?}") };
        matches!(answer, MarketMessage::Listed(_)).then_some(()).ok_or_else(|| code_of(answer))
    };
    for version in 1..=most {
        assert_eq!(answer(&mut owner, 1, version, at(0)), Ok(()));
    }
    for version in most + 1..3 * most {
        assert_eq!(answer(&mut owner, 1, version, Time(999_999)), Err(RefusalCode::Busy));
    }
    assert_eq!(answer(&mut owner, 2, 1, Time(999_999)), Ok(()));
    assert_eq!(owner.listings().map(|listing| listing.version).collect::<BTreeSet<_>>(), [1, most].into());
    let sold = buy(&mut owner, order(7, 1_000, need(1, 1_000), 9, vec![key(1)]), &[], Time(999_999));
    assert_eq!(sold.0, [2]);
    assert_eq!(answer(&mut owner, 1, 3 * most, at(1)), Ok(()), "a second later");
}

/// Whether who asks for `requirement` finds seller 1, whose listing says what `change` makes of it.
fn check_found(requirement: Requirement, change: impl FnOnce(&mut Listing), is_found: bool) {
    let mut owner = node(0);
    let mut offer = listing(1, 1, 1, 1_000, 5);
    change(&mut offer);
    tell(&mut owner, 1, list(1, 1, offer), at(0));
    let from = market::requirement::market(&requirement);
    let find = FindSeller {
        request: RequestId(7),
        tickets: vec![ticket_id(7)],
        from,
        requirement,
        bid: Rate(9),
        avoid: vec![],
    };
    let (_, answer) = buy(&mut owner, MarketMessage::FindSeller(Box::new(find)), &[], at(1));
    assert_eq!(matches!(answer, MarketMessage::Matched(_)), is_found, "{answer:?}");
    if is_found {
        assert_eq!(market::verify_ticket(&ticket_in(answer), &rules(), Some(key(BANK)), at(1)), Ok(()));
    }
}

#[test]
fn who_needs_longer_than_a_seller_allows_goes_elsewhere() {
    let need = |micros| Requirement { run_time: Span(micros), ..need(1, 1_000) };
    for (micros, is_found) in [(0, true), (60_000_000, true), (60_000_001, false)] {
        check_found(need(micros), |_| {}, is_found);
    }
}

#[test]
fn a_reputation_counts_if_the_bank_has_signed_it_and_stands_by_it_as_long_as_the_listing_lasts() {
    let need = |reputation| Requirement { reputation: Reputation(reputation), ..need(1, 1_000) };
    let says = |account: u16, by: u16, secs: u64| {
        let standing = Standing { account: key(account), kept: 98, broken: 0, expires: at(secs) };
        move |listing: &mut Listing| listing.standing = Some(Signed::new(standing, &keys(by)))
    };
    for (reputation, is_found) in [(0, true), (500, true), (501, false)] {
        check_found(need(reputation), |_| {}, is_found);
    }
    // The listing lasts until 12 s.
    check_found(need(990), says(1, BANK, 12), true);
    check_found(need(991), says(1, BANK, 12), false);
    check_found(need(990), says(1, BANK, 11), false);
    check_found(need(990), says(1, 1, 12), false);
    check_found(need(990), says(2, BANK, 12), false);
    let bad = Standing { account: key(1), kept: 0, broken: 1, expires: at(12) };
    check_found(need(334), |l| l.standing = Some(Signed::new(bad.clone(), &keys(BANK))), false);
    check_found(need(333), |l| l.standing = Some(Signed::new(bad.clone(), &keys(BANK))), true);
}

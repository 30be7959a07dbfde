//! How a buyer searches where the markets form a second ring, message by message.

use crate::papers::{at, give, keys, need, peer, rules, sent, tell, ticket_id};
use market::{Config, Input, Marketplace, Output, Shortage, buyer};
use proto::message::market::{FindSeller, MarketMessage, NoSeller};
use proto::{Commodity, Market, Placement, Rate, Rules};

const fn class(class: u32) -> Market {
    Market { commodity: Commodity::Compute, class }
}

/// Node 9, which needs 1,000 Mc/s (class 39), and what it says first.
fn node() -> (Marketplace, Vec<Output>) {
    let rules = Rules { placement: Placement::Processor, ..rules() };
    let mut node = Marketplace::new(Config { rules, bank: None }, peer(9), keys(9), [4; 32], at(0));
    let (ticket, requirement) = (ticket_id(1), need(1, 1_000));
    let buy = Input::Buy { token: 1, tickets: vec![ticket], requirement, bid: Rate(10), avoid: Vec::new() };
    let outputs = give(&mut node, buy, at(0));
    (node, outputs)
}

/// The number of the search for `at_least`.
fn searched(outputs: &[Output], at_least: u32) -> u64 {
    match outputs {
        [Output::LookupMarket { token, at_least: least }] if *least == class(at_least) => *token,
        other => panic!("{other:?}"),
    }
}

fn asked(outputs: &[Output], owner: u16) -> FindSeller {
    match &sent(outputs)[..] {
        [(to, MarketMessage::FindSeller(find))] if *to == owner => (**find).clone(),
        other => panic!("{other:?}"),
    }
}

fn nobody(find: &FindSeller, next: Option<u32>) -> MarketMessage {
    MarketMessage::NoSeller(NoSeller {
        request: find.request,
        next: next.map(class),
        listings: 0,
        too_dear: 0,
        too_small: 0,
        lowest_ask: Rate(0),
    })
}

fn found(token: u64, market: Market, owner: u16) -> Input {
    Input::FoundMarket { token, market, owner: peer(owner) }
}

#[test]
fn a_buyer_asks_the_owner_of_the_market_that_the_second_ring_names_and_goes_on_above_it() {
    let (mut node, outputs) = node();
    let token = searched(&outputs, 39);
    let find = asked(&give(&mut node, found(token, class(57), 5), at(0)), 5);
    assert_eq!(find.from, class(57));
    // Its owner has nobody who fits in 57 and 58, which it answers for as well.
    let outputs = tell(&mut node, 5, nobody(&find, Some(59)), at(0));
    let token = searched(&outputs, 59);
    let outputs = give(&mut node, Input::NoMarket { token }, at(0));
    let expected = Shortage { owners: 1, bid: Rate(10), ..Shortage::default() };
    assert_eq!(outputs, [Output::NotBought { token: 1, tickets: vec![ticket_id(1)], shortage: expected }]);
    assert!(!expected.is_incomplete());
}

#[test]
fn what_was_found_is_remembered_for_a_while() {
    let (mut node, outputs) = node();
    let token = searched(&outputs, 39);
    let find = asked(&give(&mut node, found(token, class(41), 5), at(0)), 5);
    tell(&mut node, 5, nobody(&find, None), at(0));
    let (ticket, requirement) = (ticket_id(2), need(1, 1_000));
    let buy = Input::Buy { token: 2, tickets: vec![ticket], requirement, bid: Rate(10), avoid: Vec::new() };
    let outputs = give(&mut node, buy.clone(), at(0).after(proto::Span(buyer::MEMORY.0 - 1)));
    assert_eq!(asked(&outputs, 5).from, class(41));
    let (mut node, outputs) = self::node();
    let token = searched(&outputs, 39);
    let find = asked(&give(&mut node, found(token, class(41), 5), at(0)), 5);
    tell(&mut node, 5, nobody(&find, None), at(0));
    searched(&give(&mut node, buy, at(0).after(buyer::MEMORY)), 39);
}

/// What is no answer to the question is a search that failed: it is made again after a pause.
fn check_failed(answer: impl FnOnce(u64) -> Input) {
    let (mut node, outputs) = node();
    let token = searched(&outputs, 39);
    assert_eq!(give(&mut node, answer(token), at(0)), []);
    let due = node.poll_timeout().unwrap();
    assert!(due <= at(0).after(buyer::FIRST_PAUSE));
    searched(&give(&mut node, Input::Timeout, due), 39);
}

#[test]
fn a_market_below_the_asked_one_or_of_another_commodity_is_no_answer() {
    check_failed(|token| Input::NotFound { token });
    check_failed(|token| found(token, class(38), 5));
    check_failed(|token| found(token, class(96), 5));
    check_failed(|token| found(token, Market { commodity: Commodity::Disk, class: 40 }, 5));
}

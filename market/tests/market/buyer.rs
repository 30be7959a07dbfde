//! How a buyer asks its way upwards and what it believes, message by message.

use crate::papers::{at, give, key, keys, listing, need, peer, rules, sent, signed, tell, ticket_id};
use market::{Config, Input, Marketplace, Output, Shortage, TicketFault, buyer, placement};
use proto::Placement;
use proto::message::market::{FindSeller, MarketMessage, Matched, NoSeller, RefusedRequest, Ticket};
use proto::{Capacity, Market, PublicKey, Rate, Refusal, RefusalCode, Signed, Time};

const OWNER: u16 = 5;

fn class(class: u32) -> Market {
    Market { class, ..Market::of_capacity(Capacity(0)) }
}

/// Node 9, which buys one core of 1,000 Mc/s (class 39) for at most 10, but not from node 3.
fn buyer() -> (Marketplace, Vec<Output>) {
    let mut node = Marketplace::new(Config { rules: rules(), bank: None }, peer(9), keys(9), [4; 32], at(0));
    let outputs = give(&mut node, buy(1), at(0));
    (node, outputs)
}

fn buy(n: u16) -> Input {
    let (token, tickets) = (u64::from(n), vec![ticket_id(n)]);
    Input::Buy { token, tickets, requirement: need(1, 1_000), bid: Rate(10), avoid: vec![key(3)] }
}

/// Answers the lookup of `class` with node `owner`; the question that goes there.
fn found(node: &mut Marketplace, outputs: &[Output], sought: u32, owner: u16, now: Time) -> FindSeller {
    let [Output::Lookup { token, key }] = outputs else { panic!("{outputs:?}") };
    assert_eq!(*key, placement::key(Placement::Single, class(sought)));
    let outputs = give(node, Input::Found { token: *token, owner: peer(owner) }, now);
    question(&outputs, owner)
}

fn question(outputs: &[Output], owner: u16) -> FindSeller {
    match &sent(outputs)[..] {
        [(to, MarketMessage::FindSeller(find))] if *to == owner => (**find).clone(),
        other => panic!("{other:?}"),
    }
}

/// The true answer of the owner: seller 1 at the price of seller 2.
fn ticket(find: &FindSeller) -> Ticket {
    Ticket {
        id: find.draw(),
        buyer: key(9),
        owner: peer(OWNER),
        requirement: find.requirement.clone(),
        rule: rules().rule,
        bid: find.bid,
        clearing: Rate(4),
        fee: rules().owner_fee,
        asks_seen: 2,
        winner: signed(1, listing(1, 1, 1, 1_000, 3)),
        runner_up: Some(signed(2, listing(2, 1, 1, 1_000, 4))),
        owner_rate: Rate(0),
        draw: find.draw(),
        expires: at(10),
    }
}

fn matched(find: &FindSeller, ticket: Signed<Ticket>) -> MarketMessage {
    MarketMessage::Matched(Box::new(Matched { request: find.request, tickets: vec![ticket], missing: None }))
}

fn nobody(find: &FindSeller, next: Option<Market>) -> MarketMessage {
    let (listings, too_dear, too_small, lowest_ask) = (3, 1, 2, Rate(12));
    MarketMessage::NoSeller(NoSeller {
        request: find.request,
        next,
        listings,
        too_dear,
        too_small,
        lowest_ask,
    })
}

fn refusal(find: &FindSeller, code: RefusalCode) -> MarketMessage {
    MarketMessage::Refused(RefusedRequest { request: find.request, refusal: Refusal::new(code, "", "") })
}

fn not_bought(outputs: &[Output]) -> Shortage {
    match outputs {
        [Output::NotBought { token: 1, tickets, shortage }] if *tickets == [ticket_id(1)] => *shortage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_purchase_asks_the_owner_of_its_class_and_ends_with_the_ticket() {
    let (mut node, outputs) = buyer();
    let find = found(&mut node, &outputs, 39, OWNER, at(0));
    assert_eq!((find.from, find.bid, find.avoid.as_slice()), (class(39), Rate(10), &[key(3)][..]));
    let ticket = Signed::new(ticket(&find), &keys(OWNER));
    assert_eq!(tell(&mut node, 6, matched(&find, ticket.clone()), at(0)), vec![], "from another node");
    let outputs = tell(&mut node, OWNER, matched(&find, ticket.clone()), at(0));
    assert_eq!(outputs, vec![Output::Bought { token: 1, ticket: Box::new(ticket.clone()) }]);
    assert_eq!(tell(&mut node, OWNER, matched(&find, ticket), at(0)), vec![], "a second time");
    assert_eq!((node.purchases(), node.poll_timeout()), ((0, 0), None));
}

fn check_false(lie: impl FnOnce(&mut Ticket), signer: u16, expected: TicketFault) {
    let (mut node, outputs) = buyer();
    let find = found(&mut node, &outputs, 39, OWNER, at(0));
    let mut body = ticket(&find);
    lie(&mut body);
    let answer = matched(&find, Signed::new(body, &keys(signer)));
    let outputs = tell(&mut node, OWNER, answer, at(0));
    let find = found(&mut node, &outputs, 40, 6, at(0));
    let seen = not_bought(&tell(&mut node, 6, nobody(&find, None), at(0)));
    assert_eq!((seen.false_tickets, seen.last_fault), (1, Some(expected)));
    assert!(seen.is_incomplete());
}

#[test]
fn a_false_ticket_counts_as_a_failing_owner() {
    check_false(|t| t.clearing = Rate(3), OWNER, TicketFault::WrongPrice);
    check_false(|t| t.clearing = Rate(10), OWNER, TicketFault::WrongPrice);
    check_false(|t| t.id = ticket_id(2), OWNER, TicketFault::OtherOrder);
    check_false(|t| t.bid = Rate(11), OWNER, TicketFault::OtherOrder);
    check_false(|t| t.owner = peer(6), 6, TicketFault::WrongOwner);
    check_false(|_| {}, 6, TicketFault::NotByOwner);
    check_false(|t| t.winner = signed(3, listing(3, 1, 1, 1_000, 3)), OWNER, TicketFault::Avoided);
    check_false(|t| t.expires = at(16), OWNER, TicketFault::TooLong);
}

fn check_next(said: Option<Market>, sought: Option<u32>) {
    let (mut node, outputs) = buyer();
    let find = found(&mut node, &outputs, 39, OWNER, at(0));
    let outputs = tell(&mut node, OWNER, nobody(&find, said), at(0));
    match sought {
        Some(sought) => assert_eq!(found(&mut node, &outputs, sought, 6, at(0)).from, class(sought)),
        None => {
            let expected = Shortage {
                owners: 1,
                listings: 3,
                too_dear: 1,
                too_small: 2,
                lowest_ask: Some(Rate(12)),
                bid: Rate(10),
                ..Shortage::default()
            };
            assert_eq!(not_bought(&outputs), expected);
        }
    }
}

#[test]
fn an_owner_can_point_only_upwards() {
    check_next(None, None);
    check_next(Some(class(41)), Some(41));
    check_next(Some(class(95)), Some(95));
    check_next(Some(class(39)), Some(40));
    check_next(Some(class(0)), Some(40));
    check_next(Some(class(96)), Some(40));
    check_next(Some(class(u32::MAX)), Some(40));
    check_next(Some(Market { commodity: proto::Commodity::Disk, class: 41 }), Some(40));
}

#[test]
fn a_silent_owner_is_looked_up_again_and_in_the_end_left_behind() {
    let (mut node, mut outputs) = buyer();
    let mut now = at(0);
    for _ in 0..buyer::ASK_TRIES {
        found(&mut node, &outputs, 39, OWNER, now);
        now = now.after(buyer::ASK_TIMEOUT);
        assert_eq!(node.poll_timeout(), Some(now));
        outputs = give(&mut node, Input::Timeout, now);
        if outputs.is_empty() {
            now = node.poll_timeout().unwrap();
            outputs = give(&mut node, Input::Timeout, now);
        }
    }
    let find = found(&mut node, &outputs, 40, 6, now);
    let seen = not_bought(&tell(&mut node, 6, nobody(&find, None), now));
    assert_eq!((seen.unreachable, seen.owners, seen.is_incomplete()), (1, 1, true));
}

fn check_refusal(code: RefusalCode, pauses: bool) {
    let (mut node, outputs) = buyer();
    let find = found(&mut node, &outputs, 39, OWNER, at(0));
    let mut outputs = tell(&mut node, OWNER, refusal(&find, code), at(0));
    assert_eq!(outputs.is_empty(), pauses, "{code:?}");
    let mut now = at(0);
    if pauses {
        now = node.poll_timeout().unwrap();
        outputs = give(&mut node, Input::Timeout, now);
    }
    let again = match code {
        RefusalCode::Busy => question(&outputs, OWNER),
        RefusalCode::NotResponsible => found(&mut node, &outputs, 39, 6, now),
        _ => found(&mut node, &outputs, 40, 6, now),
    };
    assert_eq!(again.tickets, [ticket_id(1)]);
}

#[test]
fn a_refusal_is_waited_out_looked_up_again_or_passed_by_its_code() {
    check_refusal(RefusalCode::Busy, true);
    check_refusal(RefusalCode::NotResponsible, true);
    check_refusal(RefusalCode::Malformed, false);
    check_refusal(RefusalCode::IdReused, false);
}

#[test]
fn a_purchase_in_an_empty_ring_ends_at_its_deadline() {
    let (mut node, _) = buyer();
    let mut ends = Vec::new();
    while let Some(due) = node.poll_timeout() {
        let outputs = give(&mut node, Input::Timeout, due);
        ends.extend(
            outputs.into_iter().filter(|output| matches!(output, Output::NotBought { .. })).map(|o| (due, o)),
        );
    }
    let [(due, Output::NotBought { token: 1, shortage, .. })] = &ends[..] else { panic!("{ends:?}") };
    assert_eq!(*due, at(0).after(buyer::PURCHASE_DEADLINE));
    assert!(shortage.is_out_of_time && shortage.owners == 0);
}

#[test]
fn purchases_of_one_class_share_one_lookup_and_only_so_many_run_at_once() {
    let (mut node, outputs) = buyer();
    let most = u16::try_from(buyer::MAX_PURCHASES).unwrap();
    for n in 2..=most + 10 {
        assert_eq!(give(&mut node, buy(n), at(0)), vec![]);
    }
    assert_eq!(node.purchases(), (buyer::MAX_PURCHASES, 10));
    let [Output::Lookup { token, .. }] = outputs[..] else { panic!("{outputs:?}") };
    let asked = sent(&give(&mut node, Input::Found { token, owner: peer(OWNER) }, at(0)));
    assert_eq!(asked.len(), buyer::MAX_PURCHASES);
    let (_, MarketMessage::FindSeller(first)) = &asked[0] else { panic!("{:?}", asked[0]) };
    let outputs = tell(&mut node, OWNER, nobody(first, None), at(0));
    assert_eq!(
        (node.purchases(), sent(&outputs).len()),
        ((buyer::MAX_PURCHASES, 9), 1),
        "the next one starts"
    );
}

#[test]
fn more_avoided_sellers_than_a_question_may_name_are_cut_off() {
    let (mut node, _) = buyer();
    let avoid: Vec<PublicKey> = (0..300).map(|n: u16| key(n % 7)).collect();
    let (tickets, requirement, bid) = (vec![ticket_id(2)], need(1, 2_000), Rate(1));
    let outputs = give(&mut node, Input::Buy { token: 2, tickets, requirement, bid, avoid }, at(0));
    let find = found(&mut node, &outputs, 43, OWNER, at(0));
    assert_eq!(find.avoid.len(), market::owner::MAX_AVOID);
}

#[test]
fn an_owner_that_cannot_be_reached_is_looked_up_again_at_once() {
    let (mut node, outputs) = buyer();
    found(&mut node, &outputs, 39, OWNER, at(0));
    assert_eq!(give(&mut node, Input::Unreachable { peer: peer(OWNER) }, at(0)), vec![]);
    let due = node.poll_timeout().unwrap();
    assert!(due <= at(0).after(buyer::FIRST_PAUSE));
    let outputs = give(&mut node, Input::Timeout, due);
    assert_eq!(found(&mut node, &outputs, 39, 6, due).from, class(39));
}

/// A purchase of three slices, and the question for them.
fn three() -> (Marketplace, FindSeller) {
    let mut node = Marketplace::new(Config { rules: rules(), bank: None }, peer(9), keys(9), [4; 32], at(0));
    let (tickets, requirement) = ([1, 2, 3].map(ticket_id).to_vec(), need(1, 1_000));
    let buy = Input::Buy { token: 1, tickets: tickets.clone(), requirement, bid: Rate(10), avoid: vec![] };
    let outputs = give(&mut node, buy, at(0));
    let find = found(&mut node, &outputs, 39, OWNER, at(0));
    assert_eq!(find.tickets, tickets);
    (node, find)
}

/// The answer with these tickets of one batch by the owner of class 39, and the way to `next` for the others.
fn some(find: &FindSeller, tickets: Vec<Ticket>, next: Option<Market>) -> MarketMessage {
    let MarketMessage::NoSeller(missing) = nobody(find, next) else { panic!() };
    let tickets = tickets.into_iter().map(|body| Signed::new(body, &keys(OWNER))).collect();
    MarketMessage::Matched(Box::new(Matched { request: find.request, tickets, missing: Some(missing) }))
}

#[test]
fn the_rest_of_a_batch_is_asked_for_where_the_owner_points_to() {
    let (mut node, find) = three();
    let body = Ticket { id: ticket_id(2), ..ticket(&find) };
    let outputs = tell(&mut node, OWNER, some(&find, vec![body.clone()], Some(class(45))), at(0));
    let ticket = Box::new(Signed::new(body, &keys(OWNER)));
    assert_eq!(outputs[0], Output::Bought { token: 1, ticket });
    let rest = found(&mut node, &outputs[1..], 45, 6, at(0));
    assert_eq!((rest.from, rest.tickets.as_slice()), (class(45), &[ticket_id(1), ticket_id(3)][..]));
    match &tell(&mut node, 6, nobody(&rest, None), at(0))[..] {
        [Output::NotBought { token: 1, tickets, shortage }] => {
            assert_eq!((tickets, shortage.owners, shortage.listings), (&rest.tickets, 2, 6));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_with_one_false_ticket_is_dropped_as_a_whole() {
    let (mut node, find) = three();
    let honest = Ticket { id: ticket_id(2), ..ticket(&find) };
    // Of the same slice of one core, once more: each ticket is true by itself.
    let twice = Ticket { id: ticket_id(3), ..ticket(&find) };
    let outputs = tell(&mut node, OWNER, some(&find, vec![honest, twice], Some(class(45))), at(0));
    let next = found(&mut node, &outputs, 40, 6, at(0));
    assert_eq!(next.tickets, find.tickets, "the search goes on in the next market, for all three");
    let empty =
        MarketMessage::Matched(Box::new(Matched { request: next.request, tickets: vec![], missing: None }));
    let outputs = tell(&mut node, 6, empty, at(0));
    assert!(matches!(outputs[..], [Output::Lookup { .. }]), "no tickets are no answer: {outputs:?}");
}

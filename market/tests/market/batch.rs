//! Batches: one question for many equal slices, message by message, under every rule.

use crate::papers::{
    at, key, keys, list, listing, need, node_under, peer, rules, sent, signed, tell, ticket_id,
};
use market::pricing::lot;
use market::{Marketplace, Ordered, TicketFault, owner, verify_answer, verify_batch, verify_ticket};
use proptest::prelude::*;
use proto::message::market::{
    FindSeller, MAX_BATCH, MarketMessage, Matched, Reserve, Reserved, Ticket, Unavailable,
};
use proto::rules::{PricingRule, PricingTerms};
use proto::{Capacity, CommandId, Market, Rate, RefusalCode, RequestId, Rules, Signed};

const BUYER: u16 = 99;

/// Constants that matter among asks of a few micro-credits.
fn under(rule: PricingRule) -> Rules {
    let pricing =
        PricingTerms { posted: Rate(6), weight: 12, bonus: Rate(1), fixed: Rate(1), floor: Rate(1) };
    Rules { rule, pricing, ..rules() }
}

fn ids(first: u16, count: u16) -> Vec<CommandId> {
    (first..first + count).map(ticket_id).collect()
}

/// A question for slices of one core of 250 Mc/s, for at most 10 each.
fn find(tickets: Vec<CommandId>) -> FindSeller {
    let (request, from) = (RequestId(7), Market::of_capacity(Capacity(1_000)));
    FindSeller { request, tickets, from, requirement: need(1, 250), bid: Rate(10), avoid: vec![] }
}

fn ask(find: &FindSeller) -> MarketMessage {
    MarketMessage::FindSeller(Box::new(find.clone()))
}

/// An owner of sellers 1, 2, ... with so many cores and asks, all in the market of 1,000 Mc/s.
fn owner_of(rules: Rules, sellers: &[(u32, u64)]) -> Marketplace {
    let mut owner = node_under(rules, 0);
    for (n, (cores, ask)) in (1..).zip(sellers) {
        tell(&mut owner, n, list(n, 1, listing(n, 1, *cores, 1_000 / u64::from(*cores), *ask)), at(0));
    }
    owner
}

/// Asks, lets each seller keep what `keeps` says of its slices, and returns who was asked for how many and the answer.
fn buy(
    owner: &mut Marketplace,
    find: &FindSeller,
    keeps: impl Fn(u16) -> usize,
) -> (Vec<(u16, usize)>, MarketMessage) {
    let mut asked = Vec::new();
    let mut waiting = sent(&tell(owner, BUYER, ask(find), at(1)));
    loop {
        let (to, message) = waiting.remove(0);
        let Reserve { request, mut tickets, .. } = match message {
            MarketMessage::Reserve(reserve) => reserve,
            answer if to == BUYER && waiting.is_empty() => {
                asked.sort_unstable();
                return (asked, answer);
            }
            other => panic!("{to}: {other:?}"),
        };
        asked.push((to, tickets.len()));
        tickets.truncate(keeps(to));
        let answer = if tickets.is_empty() {
            MarketMessage::Unavailable(Unavailable { request })
        } else {
            MarketMessage::Reserved(Reserved { request, kept: tickets })
        };
        waiting.extend(sent(&tell(owner, to, answer, at(1))));
    }
}

fn matched(answer: MarketMessage) -> Matched {
    match answer {
        MarketMessage::Matched(matched) => *matched,
        other => panic!("{other:?}"),
    }
}

/// Everything that the buyer looks at.
fn judge(rules: &Rules, find: &FindSeller, tickets: &[Signed<Ticket>]) -> Result<(), TicketFault> {
    let ordered = Ordered {
        tickets: &find.tickets,
        buyer: key(BUYER),
        owner: key(0),
        requirement: &find.requirement,
        bid: find.bid,
        avoid: &find.avoid,
    };
    tickets.iter().try_for_each(|ticket| verify_answer(&ticket.body, &ordered))?;
    verify_batch(tickets, rules)?;
    tickets.iter().try_for_each(|ticket| verify_ticket(ticket, rules, None, at(1)))
}

/// Who sells at which price whose ask set it, and what the owner gets, by seller.
type Deal = (u16, u64, Option<u16>, u64);

fn deals(tickets: &[Signed<Ticket>]) -> Vec<Deal> {
    let number = |seller| (0..1_000).find(|n| peer(*n) == seller).unwrap();
    let deal = |ticket: &Signed<Ticket>| {
        let setter = ticket.body.runner_up.as_ref().map(|listing| number(listing.body.seller));
        let Ticket { winner, clearing, owner_rate, .. } = &ticket.body;
        (number(winner.body.seller), clearing.0, setter, owner_rate.0)
    };
    let mut deals: Vec<Deal> = tickets.iter().map(deal).collect();
    deals.sort_unstable();
    deals
}

/// Four slices of: two at 3, one at 5, two at 7, one at 9.
fn check(rule: PricingRule, asked: &[(u16, usize)], expected: &[Deal]) {
    let rules = under(rule);
    let mut owner = owner_of(rules, &[(2, 3), (1, 5), (2, 7), (1, 9)]);
    let find = find(ids(1, 4));
    let (was_asked, answer) = buy(&mut owner, &find, |_| 9);
    let answer = matched(answer);
    assert_eq!((was_asked.as_slice(), deals(&answer.tickets).as_slice()), (asked, expected), "{rule:?}");
    assert_eq!((judge(&rules, &find, &answer.tickets), answer.missing), (Ok(()), None));
    let (again, same) = buy(&mut owner, &find, |_| 0);
    assert_eq!((again, matched(same)), (vec![], answer), "the same question, the same tickets");
}

#[test]
fn each_seller_is_asked_once_for_all_its_slices_and_paid_by_the_rule() {
    let asked = [(1, 2), (2, 1), (3, 1)];
    let vickrey = [(1, 5, Some(2), 0), (1, 5, Some(2), 0), (2, 7, Some(3), 0), (3, 9, Some(4), 0)];
    check(PricingRule::Vickrey, &asked, &vickrey);
    let first = [(1, 3, Some(2), 0), (1, 3, Some(2), 0), (2, 5, Some(3), 0), (3, 7, Some(4), 0)];
    check(PricingRule::FirstPrice, &asked, &first);
    // The first slice that lost is the third seller's second one.
    let uniform = [(1, 7, Some(3), 0), (1, 7, Some(3), 0), (2, 7, Some(3), 0), (3, 7, Some(3), 0)];
    check(PricingRule::Uniform, &asked, &uniform);
    let vcg = [(1, 7, Some(3), 0), (1, 9, Some(4), 0), (2, 7, Some(3), 0), (3, 9, Some(4), 0)];
    check(PricingRule::Vcg, &asked, &vcg);
    // 12·(9 − a)/81 + 1 for the owner.
    let max_min = [(1, 4, Some(4), 1), (1, 4, Some(4), 1), (2, 6, Some(4), 1), (3, 8, Some(4), 1)];
    check(PricingRule::MaxMin, &asked, &max_min);
}

#[test]
fn under_a_posted_price_the_lot_decides_among_those_that_accept_it() {
    let rules = under(PricingRule::Posted);
    let mut owner = owner_of(rules, &[(1, 3), (1, 5), (1, 6), (1, 7)]);
    let find = find(ids(1, 2));
    let (asked, answer) = buy(&mut owner, &find, |_| 9);
    let mut sellers = [1, 2, 3];
    sellers.sort_by_key(|n| lot(ticket_id(1), key(*n)));
    let mut expected = [(sellers[0], 1), (sellers[1], 1)];
    expected.sort_unstable();
    assert_eq!(asked, expected);
    let tickets = matched(answer).tickets;
    assert!(deals(&tickets).iter().all(|deal| (deal.1, deal.2, deal.3) == (6, None, 0)));
    assert_eq!(judge(&rules, &find, &tickets), Ok(()));
}

#[test]
fn sellers_that_fail_are_replaced_and_what_nobody_sells_is_named() {
    let rules = under(PricingRule::Vickrey);
    let mut owner = owner_of(rules, &[(2, 3), (2, 5), (1, 7)]);
    let find = find(ids(1, 4));
    let (asked, answer) = buy(&mut owner, &find, |n| if n == 2 { 1 } else { 9 });
    assert_eq!(asked, [(1, 2), (2, 2), (3, 1)]);
    let answer = matched(answer);
    // What the second seller said it had was not there: its listing is gone, and the third is alone behind the first.
    assert_eq!(deals(&answer.tickets).len(), 4);
    assert_eq!((judge(&rules, &find, &answer.tickets), answer.missing), (Ok(()), None));
    let mut owner = owner_of(rules, &[(2, 3), (1, 12)]);
    let answer = matched(buy(&mut owner, &find, |_| 9).1);
    let missing = answer.missing.unwrap();
    assert_eq!((answer.tickets.len(), missing.next, missing.request), (2, None, RequestId(7)));
    assert_eq!((missing.too_dear, missing.lowest_ask), (1, Rate(12)));
    assert_eq!(deals(&answer.tickets), [(1, 10, None, 0); 2], "alone, at the bid");
}

/// What a buyer that bids 10 hears of sellers with these asks where nobody sells to it.
fn check_shortage(rules: Rules, sellers: &[(u32, u64)], expected: (u32, u32, u64)) {
    let mut owner = owner_of(rules, sellers);
    let (asked, answer) = buy(&mut owner, &find(ids(1, 1)), |_| 9);
    let MarketMessage::NoSeller(none) = answer else { panic!("{answer:?}") };
    assert_eq!((asked, (none.too_dear, none.too_small, none.lowest_ask.0)), (vec![], expected));
}

#[test]
fn a_shortage_tells_what_would_have_to_be_paid() {
    let posted = under(PricingRule::Posted);
    check_shortage(posted, &[(1, 7), (1, 8)], (2, 0, 7));
    let dear = Rules { pricing: PricingTerms { posted: Rate(11), ..posted.pricing }, ..posted };
    check_shortage(dear, &[(1, 7), (1, 8)], (2, 0, 11));
    // The bonus alone is too much; and 12·(10 − 8)/100 is nothing, but the fixed part is one.
    check_shortage(under(PricingRule::MaxMin), &[(1, 10)], (1, 0, 12));
    check_shortage(under(PricingRule::MaxMin), &[(1, 9), (1, 10), (1, 12)], (3, 0, 11));
}

fn check_refused(find: &FindSeller, expected: RefusalCode) {
    let mut owner = owner_of(under(PricingRule::Vickrey), &[(4, 3), (4, 4)]);
    buy(&mut owner, &self::find(ids(1, 2)), |_| 9);
    tell(&mut owner, BUYER, ask(&self::find(ids(3, 2))), at(1));
    match &sent(&tell(&mut owner, BUYER, ask(find), at(1)))[..] {
        [(BUYER, MarketMessage::Refused(refused))] => assert_eq!(refused.refusal.code, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_id_buys_one_slice_and_a_question_has_one_to_a_bounded_number_of_them() {
    // Of 1 and 2 the tickets are signed; for 3 and 4 a seller is being asked.
    check_refused(&find(ids(2, 1)), RefusalCode::IdReused);
    check_refused(&find(ids(1, 3)), RefusalCode::IdReused);
    check_refused(&find(ids(4, 2)), RefusalCode::IdReused);
    check_refused(&find(ids(5, 0)), RefusalCode::Malformed);
    check_refused(&find(vec![ticket_id(5), ticket_id(6), ticket_id(5)]), RefusalCode::Malformed);
    check_refused(&find(ids(5, u16::try_from(MAX_BATCH).unwrap() + 1)), RefusalCode::Malformed);
}

#[test]
fn a_buyer_waits_for_a_bounded_number_of_slices_in_all_its_batches() {
    let mut owner = owner_of(under(PricingRule::Vickrey), &[]);
    tell(&mut owner, 1, list(1, 1, listing(1, 1, 1_300, 1_000, 5)), at(0));
    let batch = u16::try_from(MAX_BATCH).unwrap();
    let room = u16::try_from(owner::MAX_SLICES_PER_BUYER / MAX_BATCH).unwrap();
    for n in 0..=room {
        let outputs = sent(&tell(&mut owner, BUYER, ask(&find(ids(n * batch, batch))), at(1)));
        match &outputs[..] {
            [(1, MarketMessage::Reserve(reserve))] if n < room => {
                assert_eq!(reserve.tickets.len(), MAX_BATCH)
            }
            [(BUYER, MarketMessage::Refused(refused))] if n == room => {
                assert_eq!(refused.refusal.code, RefusalCode::Busy);
            }
            other => panic!("{n}: {other:?}"),
        }
    }
}

/// A true batch of two slices by the first two of sellers at 3, 5, 7 and 9, and what is said when it is bent.
fn check_lie(rule: PricingRule, lie: impl FnOnce(&mut Vec<Ticket>), expected: TicketFault) {
    let rules = under(rule);
    let mut owner = owner_of(rules, &[(1, 3), (1, 5), (1, 7), (1, 9)]);
    let find = find(ids(1, 2));
    let tickets = matched(buy(&mut owner, &find, |_| 9).1).tickets;
    assert_eq!(judge(&rules, &find, &tickets), Ok(()));
    let mut bodies: Vec<Ticket> = tickets.into_iter().map(|ticket| ticket.body).collect();
    lie(&mut bodies);
    let tickets: Vec<Signed<Ticket>> = bodies.into_iter().map(|body| Signed::new(body, &keys(0))).collect();
    assert_eq!(judge(&rules, &find, &tickets), Err(expected), "{rule:?}");
}

fn set_by(ticket: &mut Ticket, n: u16, ask: u64) {
    ticket.runner_up = Some(signed(n, listing(n, 1, 1, 1_000, ask)));
    ticket.clearing = Rate(ask);
}

#[test]
fn an_owner_that_bends_a_batch_is_caught_although_each_ticket_is_true() {
    use PricingRule::{MaxMin, Uniform, Vcg, Vickrey};
    // The first is priced by a seller behind the second winner.
    check_lie(Vickrey, |t| set_by(&mut t[0], 3, 7), TicketFault::WrongBatch);
    check_lie(Uniform, |t| set_by(&mut t[0], 4, 9), TicketFault::WrongBatch);
    check_lie(Uniform, |t| set_by(&mut t[0], 2, 5), TicketFault::Oversold);
    check_lie(Vcg, |t| set_by(&mut t[1], 4, 9), TicketFault::WrongBatch);
    check_lie(Vcg, |t| (t[0].runner_up, t[0].clearing) = (None, Rate(10)), TicketFault::WrongBatch);
    check_lie(MaxMin, |t| t[0].runner_up = t[1].winner.clone().into(), TicketFault::WrongBatch);
    check_lie(Vickrey, |t| t[1].winner = t[0].winner.clone(), TicketFault::Oversold);
    check_lie(Vickrey, |t| t[1].id = t[0].id, TicketFault::Oversold);
    check_lie(Vickrey, |t| t[1].draw = ticket_id(2), TicketFault::WrongDraw);
    check_lie(Vickrey, |t| t[1].id = ticket_id(8), TicketFault::OtherOrder);
    check_lie(Vickrey, |t| t[1].owner_rate = Rate(1), TicketFault::WrongPrice);
    check_lie(MaxMin, |t| t[1].owner_rate = Rate(2), TicketFault::WrongPrice);
}

#[test]
fn a_winners_own_slice_sets_the_price_under_the_uniform_rule_only_and_only_if_it_has_one() {
    let rules = under(PricingRule::Uniform);
    let mut owner = owner_of(rules, &[(4, 3), (1, 9)]);
    let find = find(ids(1, 2));
    let tickets = matched(buy(&mut owner, &find, |_| 9).1).tickets;
    assert_eq!(deals(&tickets), [(1, 3, Some(1), 0); 2]);
    assert_eq!(judge(&rules, &find, &tickets), Ok(()));
    let under_vickrey = Rules { rule: PricingRule::Vickrey, ..rules };
    let same = |ticket: &Signed<Ticket>| {
        Signed::new(Ticket { rule: PricingRule::Vickrey, ..ticket.body.clone() }, &keys(0))
    };
    let false_ones: Vec<Signed<Ticket>> = tickets.iter().map(same).collect();
    let lone = verify_ticket(&false_ones[0], &under_vickrey, None, at(1));
    assert_eq!(lone, Err(TicketFault::SameParty));
    let listed = signed(1, listing(1, 2, 2, 500, 3));
    let sold_out = |ticket: &Signed<Ticket>| {
        let (winner, runner_up) = (listed.clone(), Some(listed.clone()));
        Signed::new(Ticket { winner, runner_up, ..ticket.body.clone() }, &keys(0))
    };
    let false_ones: Vec<Signed<Ticket>> = tickets.iter().map(sold_out).collect();
    assert_eq!(judge(&rules, &find, &false_ones), Err(TicketFault::Oversold));
}

fn some_sellers() -> impl Strategy<Value = Vec<(u32, u64)>> {
    prop::collection::vec((prop::sample::select(&[1_u32, 2, 4][..]), 1_u64..14), 0..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever fails, and whatever the rule is: the tickets are true, and nobody is asked for more than it lists.
    #[test]
    fn the_batches_of_an_honest_owner_are_true(
        rule in prop::sample::select(&PricingRule::ALL[..]),
        sellers in some_sellers(),
        count in 1_u16..14,
        keeps in prop::collection::vec(0_usize..5, 9),
    ) {
        let rules = under(rule);
        let mut owner = owner_of(rules, &sellers);
        let find = find(ids(1, count));
        let (asked, answer) = buy(&mut owner, &find, |n| keeps[usize::from(n) - 1]);
        for (seller, slices) in asked {
            prop_assert!(slices <= sellers[usize::from(seller) - 1].0 as usize);
        }
        if let MarketMessage::Matched(matched) = answer {
            prop_assert_eq!(judge(&rules, &find, &matched.tickets), Ok(()));
            prop_assert_eq!(matched.missing.is_none(), matched.tickets.len() == usize::from(count));
        }
    }
}

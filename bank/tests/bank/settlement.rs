//! Settlements: who gets how much, and which papers are not enough.

use crate::papers::{Deal, listing};
use crate::world::{RULES, World, hold, id, key, keys, peer, refused};
use proto::message::bank::{BankOutcome, Order, Settle, SettledReceipt};
use proto::message::market::Ticket;
use proto::message::service::Outcome;
use proto::rules::{PricingRule, PricingTerms};
use proto::{Cycles, Hash, Money, Rate, RefusalCode, Rules, Signed};

const GRANT: u64 = 43_500_000;

/// Settles one hold of `amount`, and checks the parts and what everybody has then.
fn check(
    name: &str,
    deal: &Deal,
    amount: u64,
    (seller, owner, returned): (u64, u64, u64),
    money: &[(u8, u64)],
) {
    for signer in [deal.buyer, deal.seller] {
        let mut world = World::with_accounts(&[1, 2]);
        world.held(deal.buyer, 4, hold(deal.seller, deal.ticket().hash(), amount, 60));
        let expected = SettledReceipt {
            hold: id(4),
            seller_paid: Money(seller),
            owner_paid: Money(owner),
            returned: Money(returned),
        };
        assert_eq!(world.order(signer, 10, deal.settle(4)), BankOutcome::Settled(expected), "{name}");
        for (who, available) in money {
            assert_eq!(world.money(*who), Some((*available, 0)), "{name}: person {who}");
        }
    }
}

#[test]
fn a_hold_is_shared_out_by_the_metered_cycles() {
    let deal = Deal::default();
    let plain = [(1, GRANT - 4_010_000), (2, GRANT + 4_000_000), (3, 10_000)];
    check("enough", &deal, 5_000_000, (4_000_000, 10_000, 990_000), &plain);
    check("to the last", &deal, 4_010_000, (4_000_000, 10_000, 0), &plain);
    let short = [(1, GRANT - 3_000_000), (2, GRANT + 2_990_000), (3, 10_000)];
    check("the hold is the limit", &deal, 3_000_000, (2_990_000, 10_000, 0), &short);
    let tiny = [(1, GRANT - 9_000), (2, GRANT), (3, 9_000)];
    check("less than the fee", &deal, 9_000, (0, 9_000, 0), &tiny);
    let none = Deal { cycles: Cycles(0), ..Deal::default() };
    check("no cycles", &none, 50_000, (0, 10_000, 40_000), &[(1, GRANT - 10_000), (2, GRANT), (3, 10_000)]);
    let rounded = Deal { cycles: Cycles(1_499), ..Deal::default() };
    check("rounded down", &rounded, 50_000, (2, 10_000, 39_998), &[(2, GRANT + 2)]);
    let endless = Deal { cycles: Cycles(u64::MAX), ..Deal::default() };
    check("no overflow", &endless, GRANT, (GRANT - 10_000, 10_000, 0), &[(1, 0), (2, 2 * GRANT - 10_000)]);
    let alone = Deal { runner_up: None, clearing: 3_000_000, ..Deal::default() };
    check("alone at the bid", &alone, GRANT, (6_000_000, 10_000, GRANT - 6_010_000), &[]);
    let capped = Deal { runner_up: Some(9_000_000), clearing: 3_000_000, ..Deal::default() };
    check("the bid is the limit", &capped, GRANT, (6_000_000, 10_000, GRANT - 6_010_000), &[]);
    let own = [(1, GRANT - 4_000_000), (2, GRANT + 4_000_000)];
    check("owner buys", &Deal { owner: 1, ..Deal::default() }, 5_000_000, (4_000_000, 10_000, 990_000), &own);
    let own = [(1, GRANT - 4_010_000), (2, GRANT + 4_010_000)];
    check(
        "owner sells",
        &Deal { owner: 2, ..Deal::default() },
        5_000_000,
        (4_000_000, 10_000, 990_000),
        &own,
    );
}

#[test]
fn an_owner_without_account_gets_its_grant_when_it_opens_one() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    world.held(1, 4, hold(2, deal.ticket().hash(), 5_000_000, 60));
    assert_eq!(world.money(3), None);
    world.order(1, 10, deal.settle(4));
    assert_eq!(world.money(3), Some((10_000, 0)));
    world.order(3, 11, crate::world::open());
    assert_eq!(world.money(3), Some((GRANT + 10_000, 0)));
    world.order(3, 12, crate::world::open());
    assert_eq!(world.money(3), Some((GRANT + 10_000, 0)));
}

/// A settlement with `ticket` in place of the right one, on a hold for it.
fn with_ticket(ticket: Signed<Ticket>) -> (Hash, Settle) {
    (ticket.hash(), Settle { ticket, ..Deal::default().papers(4) })
}

fn wrong_tickets() -> Vec<((Hash, Settle), RefusalCode, String)> {
    let deal = Deal::default();
    let owned = |body: Ticket| with_ticket(Signed::new(body, &keys(3)));
    let priced = |deal: Deal| with_ticket(deal.ticket());
    let (mismatch, not_yours) = (RefusalCode::Mismatch, RefusalCode::NotYours);
    let forged_winner = Signed { signature: proto::Signature([1; 64]), ..deal.ticket_body().winner };
    let forged_runner_up = Signed::new(listing(4, 2_000_000), &keys(3));
    vec![
        (
            (Hash([5; 32]), deal.papers(4)),
            mismatch,
            "the ticket is not the one that hold 00000004 was placed for".into(),
        ),
        (
            with_ticket(Signed::new(deal.ticket_body(), &keys(2))),
            not_yours,
            format!("the ticket is not signed by the market owner {}", key(3)),
        ),
        (
            owned(Ticket { buyer: key(5), ..deal.ticket_body() }),
            mismatch,
            format!("the ticket is of buyer {}, the hold of {}", key(5), key(1)),
        ),
        (
            priced(Deal { seller: 5, ..Deal::default() }),
            mismatch,
            format!("the ticket names seller {}, the hold {}", key(5), key(2)),
        ),
        (
            owned(Ticket { winner: forged_winner, ..deal.ticket_body() }),
            not_yours,
            format!("the winning listing is not signed by the seller {}", key(2)),
        ),
        (
            owned(Ticket { runner_up: Some(forged_runner_up), ..deal.ticket_body() }),
            not_yours,
            format!("the runner-up's listing is not signed by the seller {}", peer(4).key),
        ),
        (
            priced(Deal { bid: 1_900_000, ..Deal::default() }),
            mismatch,
            "the clearing price 2 is above the bid 1.9".into(),
        ),
        (
            priced(Deal { ask: 2_000_001, ..Deal::default() }),
            mismatch,
            "the clearing price 2 is below the winner's ask 2.000001".into(),
        ),
        (
            priced(Deal { runner_up: Some(1_500_000), ..Deal::default() }),
            mismatch,
            "the clearing price is 2, by its listings it is 1.5".into(),
        ),
        (
            priced(Deal { runner_up: None, ..Deal::default() }),
            mismatch,
            "the clearing price is 2, by its listings it is 3".into(),
        ),
        (
            priced(Deal { fee: Money(9_999), ..Deal::default() }),
            mismatch,
            "the ticket's owner fee is 0.009999, the network's is 0.01".into(),
        ),
        (
            priced(Deal { fee: Money(10_001), ..Deal::default() }),
            mismatch,
            "the ticket's owner fee is 0.010001, the network's is 0.01".into(),
        ),
    ]
}

fn wrong_words() -> Vec<((Hash, Settle), RefusalCode, String)> {
    let deal = Deal::default();
    let (mismatch, not_yours) = (RefusalCode::Mismatch, RefusalCode::NotYours);
    let ticket = deal.ticket().hash();
    let failed = Deal { outcome: Outcome::OutputMissing("a.txt".into()), ..Deal::default() };
    let rejecting = Deal { is_accepted: false, ..Deal::default() };
    let other_work = Deal { cycles: Cycles(1), ..Deal::default() };
    vec![
        (
            Settle { report: Deal { seller: 5, ..Deal::default() }.report(4), ..deal.papers(4) },
            not_yours,
            format!("the report is not signed by the seller {}", key(2)),
        ),
        (
            Settle { report: deal.report(5), ..deal.papers(4) },
            mismatch,
            "the report is about contract 00000005, not about hold 00000004".into(),
        ),
        (
            failed.papers(4),
            mismatch,
            "the report says that the work did not leave its declared output `a.txt`; only success is paid"
                .into(),
        ),
        (
            Settle { verdict: Deal { buyer: 2, ..Deal::default() }.verdict(4), ..deal.papers(4) },
            not_yours,
            format!("the verdict is not signed by the buyer {}", key(1)),
        ),
        (
            Settle { verdict: deal.verdict(5), ..deal.papers(4) },
            mismatch,
            "the verdict is about contract 00000005, not about hold 00000004".into(),
        ),
        (
            Settle { report: other_work.report(4), ..deal.papers(4) },
            mismatch,
            "the verdict is about another report".into(),
        ),
        (rejecting.papers(4), mismatch, "the verdict does not accept the work".into()),
    ]
    .into_iter()
    .map(|(papers, code, message)| ((ticket, papers), code, message))
    .collect()
}

#[test]
fn papers_that_do_not_fit_pay_nobody() {
    for ((ticket, papers), code, message) in wrong_tickets().into_iter().chain(wrong_words()) {
        let mut world = World::with_accounts(&[1, 2, 5]);
        world.held(1, 4, hold(2, ticket, 5_000_000, 60));
        let order = Order::Settle(Box::new(papers));
        for (number, signer) in [(10, 1), (11, 2)] {
            assert_eq!(refused(world.order(signer, number, order.clone())), (code, message.clone()));
        }
        let stranger = format!("hold 00000004 is neither bought nor sold by {}", key(5));
        assert_eq!(refused(world.order(5, 12, order)), (RefusalCode::NotYours, stranger));
        assert_eq!(world.money(1), Some((GRANT - 5_000_000, 5_000_000)), "{message}");
        assert_eq!(world.journal.len(), 4, "{message}");
    }
}

/// Settles one deal of `rule` at `clearing` in a network of the rule `network`.
fn settled(network: PricingRule, rule: PricingRule, clearing: u64) -> BankOutcome {
    let mut world = World::under(Rules { rule: network, ..RULES });
    for who in [1, 2] {
        world.order(who, 9_000 + u32::from(who), crate::world::open());
    }
    let deal = Deal { rule, clearing, ..Deal::default() };
    world.held(1, 4, hold(2, deal.ticket().hash(), 5_000_000, 60));
    world.order(2, 10, deal.settle(4))
}

#[test]
fn a_first_price_network_pays_the_winners_ask_and_no_network_another_rules_ticket() {
    use PricingRule::{FirstPrice, Vickrey};
    let (seller_paid, owner_paid, returned) = (Money(2_000_000), Money(10_000), Money(2_990_000));
    let receipt = SettledReceipt { hold: id(4), seller_paid, owner_paid, returned };
    assert_eq!(settled(FirstPrice, FirstPrice, 1_000_000), BankOutcome::Settled(receipt));
    let wrong = [
        (FirstPrice, FirstPrice, 2_000_000, "the clearing price is 2, by its listings it is 1"),
        (Vickrey, Vickrey, 1_000_000, "the clearing price is 1, by its listings it is 2"),
        (Vickrey, FirstPrice, 1_000_000, "the ticket follows another pricing rule than the network"),
        (FirstPrice, Vickrey, 2_000_000, "the ticket follows another pricing rule than the network"),
    ];
    for (network, rule, clearing, message) in wrong {
        assert_eq!(refused(settled(network, rule, clearing)), (RefusalCode::Mismatch, message.to_owned()));
    }
}

/// Constants of a small network: 1.5 credits for a posted price; K = 8·10¹², π = 1, δ = 2 and a floor of 3.
const TERMS: PricingTerms = PricingTerms {
    posted: Rate(1_500_000),
    weight: 8_000_000_000_000,
    bonus: Rate(1),
    fixed: Rate(2),
    floor: Rate(3),
};

/// Settles `deal`, of two Gc, in a network of its rule: what seller and owner are paid, or why not.
fn check_rule(deal: Deal, expected: Result<(u64, u64), &str>) {
    let mut world = World::under(Rules { rule: deal.rule, pricing: TERMS, ..RULES });
    for who in [1, 2] {
        world.order(who, 9_000 + u32::from(who), crate::world::open());
    }
    world.held(1, 4, hold(2, deal.ticket().hash(), 7_000_000, 60));
    match (world.order(2, 10, deal.settle(4)), expected) {
        (BankOutcome::Settled(receipt), Ok(paid)) => {
            assert_eq!((receipt.seller_paid.0, receipt.owner_paid.0), paid, "{deal:?}");
            assert_eq!(receipt.returned.0, 7_000_000 - paid.0 - paid.1, "{deal:?}");
        }
        (outcome, Err(words)) => assert_eq!(refused(outcome), (RefusalCode::Mismatch, words.to_owned())),
        (outcome, _) => panic!("{deal:?}: {outcome:?}"),
    }
}

#[test]
fn every_rule_pays_by_the_listings_and_the_networks_constants() {
    use PricingRule::{MaxMin, Posted, Uniform, Vcg};
    let deal = |rule, clearing, runner_up, owner_rate| Deal {
        rule,
        clearing,
        runner_up,
        owner_rate,
        ..Deal::default()
    };
    for rule in [Uniform, Vcg] {
        check_rule(deal(rule, 2_000_000, Some(2_000_000), 0), Ok((4_000_000, 10_000)));
        check_rule(deal(rule, 3_000_000, None, 0), Ok((6_000_000, 10_000)));
        let wrong = "the clearing price is 3, by its listings it is 2";
        check_rule(deal(rule, 3_000_000, Some(2_000_000), 0), Err(wrong));
        let wrong = "the ticket has 0.000001 for the market owner, its rule has none";
        check_rule(deal(rule, 2_000_000, Some(2_000_000), 1), Err(wrong));
    }
    check_rule(deal(Posted, 1_500_000, None, 0), Ok((3_000_000, 10_000)));
    let wrong =
        "the clearing price is 2 and 0 for the market owner, by the network's rule they are 1.5 and 0";
    check_rule(deal(Posted, 2_000_000, None, 0), Err(wrong));
    let low = Deal { ask: 1_500_001, ..deal(Posted, 1_500_000, None, 0) };
    check_rule(low, Err("the clearing price 1.5 is below the winner's ask 1.500001"));
    // 8·(2 − 1)/2² = 2 credits for each Gc, and δ; the winner's ask and π.
    let wrong = "the clearing price is 1.000001 and 1.999999 for the market owner, by the network's rule they are \
                 1.000001 and 2.000002";
    check_rule(deal(MaxMin, 1_000_001, Some(2_000_000), 1_999_999), Err(wrong));
    let above = "the clearing price 1.000001 with 2.000002 for the market owner is above the bid 3";
    check_rule(deal(MaxMin, 1_000_001, Some(2_000_000), 2_000_002), Err(above));
    let dear = Deal { bid: 4_000_000, ..deal(MaxMin, 1_000_001, Some(2_000_000), 2_000_002) };
    check_rule(dear.clone(), Ok((2_000_002, 4_010_004)));
    // What the hold does not hold is the owner's loss.
    check_rule(Deal { cycles: Cycles::giga(3), ..dear }, Ok((3_000_003, 3_999_997)));
    check_rule(deal(MaxMin, 1_000_001, None, 2), Ok((2_000_002, 10_004)));
    let wrong = "the clearing price is 1 and 0.000002 for the market owner, by the network's rule they are 1.000001 and \
                 0.000002";
    check_rule(deal(MaxMin, 1_000_000, None, 2), Err(wrong));
}

#[test]
fn one_deal_settles_one_hold() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    for number in [4, 5] {
        world.held(1, number, hold(2, deal.ticket().hash(), 5_000_000, 60));
    }
    world.order(2, 10, deal.settle(4));
    let papers = Settle { hold: id(5), ..deal.papers(4) };
    let outcome = world.order(2, 11, Order::Settle(Box::new(papers)));
    let message = "the report is about contract 00000004, not about hold 00000005".to_owned();
    assert_eq!(refused(outcome), (RefusalCode::Mismatch, message));
}

//! Every one-sided pricing rule on whole nodes: batches that are bought, run and paid under faults, with all invariants;
//! and for each rule the bug that the price invariant notices.

use proto::message::Message;
use proto::message::market::{MarketMessage, Matched, Ticket};
use proto::rules::{PricingRule, Rules};
use proto::{Cycles, Money, Rate, Signed, Span};
use service::Output;
use sim::{Expectation, Model, Mutant, Report, Scenario, Site, Work, run, run_with};
use std::collections::BTreeMap;

/// Sixty equal sub-tasks of two buyers on eight machines; two in a hundred messages are lost, two doubled.
fn batches(rule: PricingRule) -> Scenario {
    let calm = Scenario::named("calm").unwrap();
    Scenario {
        buyers: 2,
        sub_tasks: 60,
        work: Work { cycles: (Cycles::giga(4), Cycles::giga(4)), failing: 0, ..calm.work },
        rules: Rules { rule, ..calm.rules },
        net: Model { loss: 20, duplication: 20, ..calm.net },
        expectation: Expectation::AllSucceed,
        ..calm
    }
}

fn check(rule: PricingRule, seed: u64) -> Report {
    let report = run(&batches(rule), seed).unwrap_or_else(|violation| panic!("{rule:?}: {violation}"));
    assert_eq!(report.verdicts, BTreeMap::from([("succeeded", 60)]), "{rule:?}: {report}");
    // The fee of each contract, and under the max-min rule a part of the work besides.
    let fees = 60 * Rules::LOCAL.owner_fee.0;
    let is_right = if rule == PricingRule::MaxMin { report.fees.0 > fees } else { report.fees.0 == fees };
    assert!(is_right, "{rule:?}: {report}");
    report
}

#[test]
fn every_rule_carries_a_network() {
    for rule in PricingRule::ALL {
        for seed in 1..=2 {
            check(rule, seed);
        }
    }
}

#[test]
fn a_posted_price_is_what_everybody_pays() {
    let report = check(PricingRule::Posted, 3);
    let each = Rules::LOCAL.pricing.posted.cost(Cycles::giga(4));
    assert_eq!(report.spent, Money(60 * each.0 + report.fees.0), "{report}");
}

/// Owners whose tickets say something else.
struct Owners<F>(F);

impl<F: FnMut(&mut Ticket)> Mutant for Owners<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        let Output::Send { to, message: Message::Market(MarketMessage::Matched(matched)) } = output else {
            return vec![output];
        };
        let mut resign = |ticket: &Signed<Ticket>| {
            let mut body = ticket.body.clone();
            (self.0)(&mut body);
            Signed::new(body, site.keys)
        };
        let tickets = matched.tickets.iter().map(&mut resign).collect();
        let matched = Matched { tickets, ..*matched };
        vec![Output::Send { to, message: Message::Market(MarketMessage::Matched(Box::new(matched))) }]
    }
}

fn check_mutant(rule: PricingRule, lie: impl FnMut(&mut Ticket), words: &str) {
    check_mutant_with(1, rule, lie, words);
}

/// With another seed.
fn check_mutant_with(seed: u64, rule: PricingRule, lie: impl FnMut(&mut Ticket), words: &str) {
    let violation = run_with(&batches(rule), seed, &mut Owners(lie)).expect_err("a wrong price");
    assert_eq!(violation.invariant, "price", "{rule:?}: {violation}");
    assert!(violation.what.contains(words), "{rule:?}: {violation}");
}

#[test]
fn a_wrong_price_is_noticed_under_every_rule() {
    for rule in PricingRule::ALL {
        check_mutant(rule, |ticket| ticket.clearing = Rate(ticket.clearing.0 + 1), "by its listings it is");
        check_mutant(rule, |ticket| ticket.owner_rate = Rate(ticket.owner_rate.0 + 1), "by its listings");
    }
    let dear = |ticket: &mut Ticket| ticket.fee = Money(ticket.fee.0 + 1);
    check_mutant(PricingRule::Vcg, dear, "the network's is");
}

#[test]
fn two_prices_in_one_batch_are_noticed_under_the_uniform_rule() {
    let mut is_second = false;
    let lie = |ticket: &mut Ticket| {
        if std::mem::replace(&mut is_second, true) {
            // True by itself: the first slice that lost may be the winner's own.
            (ticket.runner_up, ticket.clearing) = (Some(ticket.winner.clone()), ticket.winner.body.ask);
        }
    };
    // Not with every seed a listing has a slice left that could have lost: then the buyer sees it first.
    check_mutant_with(2, PricingRule::Uniform, lie, "one batch is sold");
}

/// Messages of the market: questions of buyers with the answers to them, questions to sellers with theirs, and those
/// about listings.
#[derive(Debug, Default)]
struct Counted {
    finds: u64,
    tickets: u64,
    reserves: u64,
    listings: u64,
}

impl Mutant for Counted {
    fn node(&mut self, _: &Site<'_>, output: Output) -> Vec<Output> {
        if let Output::Send { message: Message::Market(message), .. } = &output {
            match message {
                MarketMessage::List(_) | MarketMessage::Listed(_) | MarketMessage::Delist(_) => {
                    self.listings += 1;
                }
                MarketMessage::Reserve(_) | MarketMessage::Reserved(_) | MarketMessage::Unavailable(_) => {
                    self.reserves += 1;
                }
                MarketMessage::Matched(_) => self.tickets += 1,
                _ => self.finds += 1,
            }
        }
        vec![output]
    }
}

#[test]
fn a_thousand_equal_sub_tasks_cost_few_messages_each() {
    let scenario = Scenario::named("bulk").unwrap();
    let mut counted = Counted::default();
    let report = run_with(&scenario, 1, &mut counted).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{counted:?}\n{report}");
    assert_eq!(report.verdicts, BTreeMap::from([("succeeded", 1_000)]), "{report}");
    let matches = counted.finds + counted.tickets + counted.reserves;
    assert!(matches < 10_000, "{matches} messages for a thousand trades");
    assert!(report.took < Span::secs(200), "{report}");
}

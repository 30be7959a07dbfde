//! Markets whose nodes come and go: requests find a seller that is there.

use proto::Span;
use sim::Model;
use sim::bazaar::{Churned, Departure, Plan, run};
use sim::churn::Churn;

/// Sixty nodes that come and go six times as fast as p2psim's, for ten minutes.
fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        churn: Some(Churn::P2PSIM.with_mean(Span::secs(600))),
        warm_up: Span::secs(120),
        lasting: Span::secs(600),
        checks: true,
        ..Plan::public(60)
    }
}

fn measure(plan: &Plan) -> Churned {
    run(plan, &mut |_, _| {}).unwrap_or_else(|violation| panic!("{violation}"))
}

/// Runs `plan` and expects that so many requests in a thousand end in a contract at the first or second match.
fn check(plan: &Plan, per_mille: u64) -> Churned {
    let measured = measure(plan);
    assert!(measured.requests > 400 && measured.departures > 20, "{measured:?}");
    assert!(measured.within(2) * 1_000 >= measured.requests * per_mille, "{measured:?}");
    assert_eq!(measured.traded() + measured.unserved, measured.requests, "{measured:?}");
    measured
}

#[test]
fn nearly_all_requests_end_in_a_contract_at_the_first_or_second_match() {
    let heavy = Churn::OVERSIM.with_mean(Span::secs(600));
    for (seed, churn, departure) in [
        (1, Churn::P2PSIM.with_mean(Span::secs(600)), Departure::Silent),
        (2, heavy, Departure::Crash),
        (3, heavy, Departure::Orderly),
    ] {
        check(&Plan { churn: Some(churn), departure, ..plan(seed) }, 990);
    }
}

#[test]
fn a_seller_that_is_gone_is_asked_and_not_named() {
    // Listings that are renewed every two minutes stand for up to six after their sellers are gone.
    let mut slow = plan(4);
    slow.rules.renewal = Span::secs(120);
    let measured = check(&slow, 990);
    assert!(measured.dead_questions > 0, "{measured:?}");
    assert!(measured.dead_tickets * 100 <= measured.tickets, "{measured:?}");
}

#[test]
fn where_nobody_comes_or_goes_and_nothing_is_lost_the_first_match_is_a_contract() {
    let quiet = plan(5);
    let quiet = Plan { churn: None, net: Model { loss: 0, duplication: 0, ..quiet.net }, ..quiet };
    let measured = measure(&quiet);
    assert_eq!(measured.contracts, [measured.requests], "{measured:?}");
    assert_eq!((measured.dead_questions, measured.declined, measured.vanished), (0, 0, 0), "{measured:?}");
}

#[test]
fn one_seed_gives_one_run() {
    let plan = Plan { lasting: Span::secs(60), ..plan(6) };
    assert_eq!(measure(&plan), measure(&plan));
    assert_ne!(measure(&plan).trace, measure(&Plan { seed: 7, ..plan }).trace);
}

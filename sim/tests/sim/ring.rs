//! The figures of the Chord papers, by the shipping core, in portions that a test can afford.

use proto::Span;
use sim::Latency;
use sim::ring::{Distance, Measured, Plan, Yardstick, run};

fn measure(plan: &Plan, reps: u64) -> Measured {
    let mut all = Measured::default();
    for seed in 1..=reps {
        all.merge(&run(&Plan { seed, ..plan.clone() }, &mut |_, _| {}));
    }
    all
}

fn check_path(nodes: u32, reps: u64, paper: f64) {
    let mut plan = Plan { lookups: 100 * u64::from(nodes.min(256)), ..Plan::still(nodes, 1) };
    plan.config.confirm = false;
    let all = measure(&plan, reps);
    assert!((all.hops.mean() - paper).abs() < 0.05, "{nodes} nodes: {} hops, {paper}", all.hops.mean());
    assert_eq!((all.failed, all.wrong_owner, all.timeouts.quantile(100)), (0, 0, 0));
}

#[test]
fn paths_are_as_long_as_in_figure_10_of_the_paper() {
    // Smaller rings differ from one to the other by more than the tolerance.
    for (nodes, reps, paper) in [(128, 30, 3.39), (256, 20, 3.88), (1_024, 8, 4.89), (4_096, 3, 5.85)] {
        check_path(nodes, reps, paper);
    }
}

/// ToN Table II: a share of 1,000 nodes fails, nothing is repaired; no lookup fails.
fn check_failures(fail: u32, paper: f64, timeouts: f64) {
    let all = measure(&Plan { lookups: 1_000, fail, ..confirmed(1_000, 20) }, 3);
    assert_eq!((all.failed, all.wrong_owner), (0, 0), "{fail}");
    let (hops, waits) = (all.hops.mean() / paper, all.timeouts.mean() / timeouts);
    assert!((0.955..1.03).contains(&hops), "{fail}: {} hops, {paper}", all.hops.mean());
    // The paper counts time-outs on the path; ours include owners that were found dead (reference §1.5).
    assert!((0.9..1.15).contains(&waits), "{fail}: {} time-outs, {timeouts}", all.timeouts.mean());
}

fn confirmed(nodes: u32, successors: usize) -> Plan {
    let mut plan = Plan::still(nodes, successors);
    plan.config.confirm = true;
    plan
}

#[test]
fn no_lookup_fails_where_up_to_half_of_the_nodes_are_dead() {
    for (fail, paper, timeouts) in [(0, 3.84, 1.0), (200, 4.22, 1.35), (300, 4.44, 2.30), (500, 5.09, 6.24)] {
        if fail == 0 {
            let all = measure(&Plan { lookups: 1_000, ..confirmed(1_000, 20) }, 2);
            assert_eq!((all.failed, all.timeouts.quantile(100)), (0, 0));
            assert!((all.hops.mean() / paper - 1.0).abs() < 0.03, "{}", all.hops.mean());
        } else {
            check_failures(fail, paper, timeouts);
        }
    }
}

#[test]
fn lookups_are_right_while_nodes_come_and_go() {
    // ToN Table III with R = 0.2 a second, for a thousand lookups, with this program's settings.
    let gap = Span::secs(5);
    let plan = Plan { lookups: 1_000, ..Plan::churning(chord::Config::PUBLIC, gap) };
    let all = measure(&plan, 1);
    assert_eq!((all.failed, all.wrong_owner), (0, 0));
    assert!(all.joined > 200 && all.left > 200 && all.nodes > 800 && all.abandoned < 5);
}

#[test]
fn small_rings_are_checked_after_every_event() {
    let config = chord::Config { successors: 4, ..chord::Config::LOCAL };
    let latency = Latency::Uniform { least: Span::millis(1), most: Span::millis(40) };
    let base = Plan::churning(config, Span::millis(1_500));
    let plan = Plan {
        nodes: 32,
        lookups: 500,
        latency: Distance::Drawn(latency),
        lookup_every: Span::millis(200),
        warm_up: Span::secs(0),
        ..base
    };
    let all = measure(&plan, 2);
    // A node that joins while the owner's answer is on its way, or before the owner has heard of it, makes it wrong.
    assert!(
        all.violations == 0 && all.failed == 0 && all.wrong_owner <= 5,
        "{} {}",
        all.failed,
        all.wrong_owner
    );
    // Mail for the dead and deadlines that have moved are events that change nothing.
    assert!(all.invariant_checks * 10 >= all.events * 9 && all.left > 50);
}

#[test]
fn one_plan_gives_one_run() {
    let plan = Plan { lookups: 300, ..Plan::churning(Plan::paper(8), Span::secs(2)) };
    assert_eq!(measure(&plan, 1), measure(&plan, 1));
    let other = run(&Plan { seed: 2, ..plan.clone() }, &mut |_, _| {});
    assert_ne!(other, measure(&plan, 1));
}

#[test]
fn a_node_takes_less_than_six_hundred_bytes() {
    let all = run(&Plan { lookups: 0, ..Plan::still(50_000, 8) }, &mut |_, _| {});
    assert!(all.footprint / all.nodes < 500, "{} bytes", all.footprint / all.nodes);
}

/// What SimGrid and PeerSim count in the same workload, to the message (reference: sim-peer).
fn check_w2(nodes: u32, messages: u64, timers: u64, lookups: u64, completed: u64, hops: f64) {
    let plan = Yardstick { is_checked: true, ..Yardstick::new(nodes) };
    let counts = plan.run(&mut |_, _| {});
    let counted = (counts.messages, counts.timers, counts.lookups, counts.hops.total());
    assert_eq!(counted, (messages, timers, lookups, completed), "{nodes} nodes");
    assert!((counts.hops.mean() - hops).abs() < 0.000_5, "{}", counts.hops.mean());
    assert_eq!((counts.wrong, counts.timeouts), (0, 0));
    for threads in [1, 2, 3] {
        assert_eq!(Yardstick { threads, ..plan }.run(&mut |_, _| {}), counts, "{threads} threads");
    }
    assert_ne!(Yardstick { seed: 2, ..plan }.run(&mut |_, _| {}).trace, counts.trace);
}

#[test]
fn the_plain_protocol_sends_exactly_the_messages_that_others_count() {
    check_w2(100, 58_020, 16_674, 10_000, 10_000, 3.145);
    check_w2(1_000, 750_798, 166_721, 100_000, 99_966, 4.843);
}

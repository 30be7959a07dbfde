//! The figures, with less effort than the command spends on them.

use super::load::{self, Load};
use super::{Comparison, Effort, Figure, Within, churn, failures, path};

const LITTLE: Effort = Effort { seed: 1, reps: 1, lookups: 2_000 };

fn check(rows: &[Comparison]) {
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row.is_met(), "{row:?}");
    }
}

#[test]
fn keys_are_spread_as_in_figure_8() {
    let mut loads = Load { nodes: 10_000, virtual_nodes: 1, keys: 100_000, seed: 1 }.run();
    loads.sort_unstable();
    assert_eq!(loads.iter().map(|load| u64::from(*load)).sum::<u64>(), 100_000);
    assert_eq!(loads[100], 0);
    assert!((45..=51).contains(&loads[9_900]), "{}", loads[9_900]);
}

#[test]
fn virtual_nodes_spread_keys_more_evenly() {
    let p99 = |virtual_nodes| {
        let mut loads = Load { nodes: 1_000, virtual_nodes, keys: 100_000, seed: 1 }.run();
        loads.sort_unstable();
        loads[990]
    };
    // 4.6, 1.88 and 1.59 times the mean of 100 by the arcs; the number of keys on an arc adds its own noise.
    let [one, ten, twenty] = [1, 10, 20].map(p99);
    assert!((400..520).contains(&one), "{one}");
    assert!((180..210).contains(&ten), "{ten}");
    assert!((155..180).contains(&twenty), "{twenty}");
}

#[test]
fn arcs_are_those_of_the_gamma_distribution() {
    for (virtual_nodes, p1, p99) in load::GAMMA {
        let arcs = Load { nodes: 10_000, virtual_nodes, keys: 0, seed: 1 }.arcs();
        assert!((arcs.iter().sum::<f64>() / 10_000.0 - 1.0).abs() < 1e-6);
        // Below the first percentile there are a hundred arcs: the fewer places a node has, the more it varies.
        let share = 0.3 / f64::from(virtual_nodes).min(5.0);
        assert!((arcs[99] - p1).abs() < share * p1, "{virtual_nodes}: {}", arcs[99]);
        assert!((arcs[9_899] - p99).abs() < 0.06 * p99, "{virtual_nodes}: {}", arcs[9_899]);
    }
}

#[test]
fn paths_have_the_length_of_figure_10() {
    for (nodes, expected) in [(512, 4.38), (4_096, 5.85)] {
        let effort = Effort { lookups: 6_000, reps: 2, ..LITTLE };
        let all = path::measure(nodes, effort);
        assert!((all.hops.mean() - expected).abs() < 0.08, "{nodes}: {}", all.hops.mean());
        assert_eq!((all.failed, all.wrong_owner), (0, 0));
        let apart = path::ideal(nodes, effort).distance(&all.hops);
        assert!(apart < 0.04, "{nodes}: {apart}");
    }
}

#[test]
fn no_lookup_fails_when_half_of_the_nodes_have() {
    let all = failures::measure(500, LITTLE);
    assert_eq!((all.hops.total(), all.failed, all.wrong_owner), (2_000, 0, 0));
    assert!((4.8..5.4).contains(&all.hops.mean()), "{}", all.hops.mean());
}

#[test]
fn no_lookup_fails_while_nodes_come_and_go() {
    let all = churn::measure(Figure::ChurnConfirmed, 200, Effort { lookups: 1_000, ..LITTLE });
    assert_eq!((all.failed, all.violations), (0, 0));
    assert!((3.6..4.1).contains(&all.hops.mean()), "{}", all.hops.mean());
    assert!(all.joined > 100 && all.left > 100);
}

#[test]
fn a_value_is_met_when_it_is_near_enough() {
    let row =
        |measured, within| Comparison { case: String::new(), quantity: "", expected: 2.0, measured, within };
    check(&[
        row(2.1, Within::Absolute(0.11)),
        row(1.9, Within::Share(0.06)),
        row(1.0, Within::AtMost),
        row(9.0, Within::Any),
    ]);
    assert!(!row(2.2, Within::Absolute(0.11)).is_met());
    assert!(!row(1.8, Within::Share(0.06)).is_met());
    assert!(!row(2.1, Within::AtMost).is_met());
}

#[test]
fn a_figure_names_every_case_and_reports_its_progress() {
    let mut seen = Vec::new();
    let rows =
        Figure::Failures.run(Effort { lookups: 20, ..LITTLE }, &mut |done, all| seen.push((done, all)));
    assert_eq!(rows.len(), 18);
    assert_eq!(seen, [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]);
    assert_eq!(load::by_virtual_nodes(LITTLE, &mut |_, _| {}).len(), 20);
}

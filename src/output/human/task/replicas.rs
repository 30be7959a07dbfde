//! Whose results were others than the accepted one: the user reads the nodes and their addresses (paper §III-D).

use super::{clean, short};
use crate::control::{DifferenceView, ReplicaView, SubTaskView};
use std::fmt::Write as _;

/// Sub-tasks whose replicas are shown; the rest is in `--json`.
const SHOWN: usize = 20;

/// A line for each result that differs, and for each that it differs from.
pub(super) fn disagreements(sub_tasks: &[SubTaskView]) -> String {
    let disagrees =
        |sub_task: &&SubTaskView| sub_task.replicas.iter().any(|replica| replica.difference.is_some());
    let is_shown = |replica: &&ReplicaView| match replica.probe {
        Some(_) => replica.difference.is_some(),
        None => replica.result.is_some(),
    };
    let disagreeing: Vec<&SubTaskView> = sub_tasks.iter().filter(disagrees).collect();
    let mut text = String::new();
    for sub_task in disagreeing.iter().take(SHOWN) {
        let _ = writeln!(text, "results of {} disagree:", clean(&sub_task.name));
        for replica in sub_task.replicas.iter().filter(is_shown) {
            let _ = writeln!(text, "  {}", clean(&line(replica)));
        }
    }
    if disagreeing.len() > SHOWN {
        let _ =
            writeln!(text, "… and of {} sub-tasks more; `--json` has them all", disagreeing.len() - SHOWN);
    }
    text
}

/// What the vote came to, such as ` (2 of 3 results agreed)`; empty where there was none, as with a copy of what took long.
pub(super) fn votes(replicas: &[ReplicaView]) -> String {
    let agreed = replicas.iter().filter(|replica| replica.vote == "agreed").count();
    let came = replicas.iter().filter(|replica| replica.result.is_some()).count();
    match (came, agreed) {
        (0, _) | (1, 1) => String::new(),
        (_, 0) => format!(" ({came} of {} results are here)", replicas.len()),
        _ => format!(" ({agreed} of {came} results agreed)"),
    }
}

fn line(replica: &ReplicaView) -> String {
    let seller = replica.seller.as_deref().map_or("-", short);
    let address = replica.address.as_deref().unwrap_or("-");
    let said = match &replica.difference {
        Some(DifferenceView { output, place, expected, found }) => {
            let place = if place.is_empty() { String::new() } else { format!(", {place}") };
            format!("`{output}`{place}: {found} instead of {expected}")
        }
        None => format!("result {}", replica.result.as_deref().map_or("-", short)),
    };
    match replica.probe {
        Some(number) => format!("known answer {number}, wrong {seller} at {address}: {said}"),
        None => format!("{} {seller} at {address}: {said}", replica.vote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words for replicas with these votes; a result has come where one does not begin with a dash.
    fn check(given: &[&str], expected: &str) {
        let replica = |vote: &&str| ReplicaView {
            number: 1,
            state: "voting".into(),
            attempts: 1,
            vote: (*vote).into(),
            probe: None,
            why: String::new(),
            seller: None,
            address: None,
            result: (!vote.starts_with('-')).then(|| "ab".repeat(32)),
            difference: None,
            paid: "0".into(),
            fee: "0".into(),
        };
        assert_eq!(votes(&given.iter().map(replica).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_vote_tells_how_many_results_agreed() {
        check(&["-", "-"], "");
        check(&["open", "-", "-"], " (1 of 3 results are here)");
        check(&["agreed", "agreed", "-"], " (2 of 2 results agreed)");
        check(&["agreed", "other", "agreed"], " (2 of 3 results agreed)");
        check(&["agreed", "-"], "");
    }
}

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

/// How the results of the replicas were found, such as ` (2 of 3 agreed)`; empty before any has come.
pub(super) fn votes(replicas: &[ReplicaView]) -> String {
    let agreed = replicas.iter().filter(|replica| replica.vote == "agreed").count();
    let came = replicas.iter().filter(|replica| replica.result.is_some()).count();
    match (came, agreed) {
        (0, _) => String::new(),
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

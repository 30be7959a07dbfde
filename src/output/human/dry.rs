//! What would be bought.

use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, count};
use crate::output::dry::DryRun;
use std::fmt::Write as _;

/// The most names of the longest way that are shown.
const MAX_SHOWN: usize = 6;

/// What would be bought: a line about it, the classes, the longest way.
pub(in crate::output) fn dry_run(run: &DryRun, look: Look) -> String {
    let sub_tasks = count(run.sub_tasks, "sub-task");
    let mut text = format!("{}: {}: {sub_tasks}", clean(&run.file), clean(&run.name));
    if run.executions != u64::try_from(run.sub_tasks).unwrap_or(u64::MAX) {
        let _ = write!(text, ", {} executions", run.executions);
    }
    let budget = run.budget.as_ref().map_or(String::new(), |budget| format!(" of a budget of {budget}"));
    let files = count(run.files, "file");
    let _ =
        writeln!(text, ", at most {} credits{budget}; {files} of {} bytes are sent", run.price, run.bytes);
    text.push_str(&classes(run, look));
    if let Some(seconds) = run.longest_seconds {
        let mut names: Vec<String> = run.longest.iter().take(MAX_SHOWN).map(|name| clean(name)).collect();
        if run.longest.len() > MAX_SHOWN {
            names.push("…".into());
        }
        let steps = run.longest.len();
        let _ = writeln!(
            text,
            "the longest way has {steps} steps and takes {seconds:.1} s at the power asked for: {}",
            names.join(" → ")
        );
    }
    text.push_str("nothing was bought; `compup2p task quote` asks the market what it costs now\n");
    text
}

fn classes(run: &DryRun, look: Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("first of them", left),
        ("sub-tasks", right),
        ("Mc/s", right),
        ("cores", right),
        ("memory", right),
        ("disk", right),
        ("at most", right),
        ("replicas", right),
        ("price each", right),
        ("platform", left),
    ]);
    for class in &run.classes {
        let cells = [
            class.first.clone(),
            class.sub_tasks.to_string(),
            class.power.to_string(),
            class.cores.to_string(),
            proto::Bytes(class.memory).to_string(),
            proto::Bytes(class.disk).to_string(),
            format!("{:.0} s", class.wall),
            class.replicas.to_string(),
            two_decimals(&class.price),
            if class.platform.is_empty() { "any".into() } else { class.platform.clone() },
        ];
        table.row(cells, Colour::Plain);
    }
    table.render(look.width, look.has_colour)
}

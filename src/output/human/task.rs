//! Tasks for people.

mod replicas;

use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, count, short};
use crate::control::{EventView, SaleView, SubTaskView, TaskLine, TaskState, TaskView};
use crate::output::view::Validated;
use std::fmt::Write as _;

/// A task: a line about it, the table of its sub-tasks, the sums, and what went wrong on this machine.
pub(in crate::output) fn task(task: &TaskView, look: Look) -> String {
    let mut text = format!("task {} ({}): {}\n", task.id, clean(&task.name), word(task.state));
    text.push_str(&sub_tasks(&task.sub_tasks, look));
    text.push_str(&replicas::disagreements(&task.sub_tasks));
    text.push_str(&sums(task));
    if let Some(found) = &task.found {
        let _ = writeln!(text, "stopped early: {}", clean(found));
    }
    for problem in &task.problems {
        let word = if look.has_colour { Colour::Red.paint("problem:") } else { "problem:".into() };
        let _ = writeln!(text, "{word} {}", clean(problem));
    }
    text
}

/// A task that has been handed over.
pub(in crate::output) fn submitted(task: &TaskView) -> String {
    let sub_tasks = count(task.sub_tasks.len(), "sub-task");
    format!(
        "task {id} ({}): {sub_tasks} submitted; `compup2p task wait {id}` waits for the end\n",
        clean(&task.name),
        id = task.id
    )
}

/// All tasks.
pub(in crate::output) fn tasks(tasks: &[TaskLine], look: Look) -> String {
    if tasks.is_empty() {
        return "no tasks yet; `compup2p task submit FILE` makes one\n".into();
    }
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("task", right),
        ("name", left),
        ("submitted", left),
        ("sub-tasks", right),
        ("succeeded", right),
        ("time", right),
        ("spent", right),
        ("state", left),
    ]);
    for task in tasks {
        let cells = [
            task.id.to_string(),
            task.name.clone(),
            task.submitted.clone(),
            task.sub_tasks.to_string(),
            task.succeeded.to_string(),
            seconds(Some(task.elapsed)),
            two_decimals(&task.spent),
            word(task.state).into(),
        ];
        table.row(cells, colour(word(task.state)));
    }
    table.render(look.width, look.has_colour)
}

/// The files that were written, one a line.
pub(in crate::output) fn results(task: &TaskView) -> String {
    let files = task.sub_tasks.iter().flat_map(|sub_task| &sub_task.files);
    let mut text = files.fold(String::new(), |mut text, file| {
        let _ = writeln!(text, "{}", clean(file));
        text
    });
    for problem in &task.problems {
        let _ = writeln!(text, "problem: {}", clean(problem));
    }
    text
}

/// A valid task file. Its warnings are not part of the result.
pub(in crate::output) fn validated(file: &Validated) -> String {
    let budget = file.budget.as_ref().map_or(String::new(), |budget| format!(" of a budget of {budget}"));
    let (sub_tasks, files) = (count(file.sub_tasks, "sub-task"), count(file.files, "file"));
    let name = clean(&file.name);
    format!(
        "{}: valid: {name}, {sub_tasks}, {files}, at most {} credits{budget}\n",
        clean(&file.file),
        file.price
    )
}

fn sub_tasks(sub_tasks: &[SubTaskView], look: Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("sub-task", left),
        ("seller", left),
        ("asks seen", right),
        ("price/Gc", right),
        ("Gc", right),
        ("time", right),
        ("paid", right),
        ("fee", right),
        ("verdict", left),
    ]);
    for sub_task in sub_tasks {
        let sale = sub_task.sale.as_ref();
        let cells = [
            sub_task.name.clone(),
            sale.map_or("-", |sale| short(&sale.seller)).into(),
            sale.map_or("-".into(), asks),
            sale.map_or("-".into(), |sale| two_decimals(&sale.clearing)),
            format!("{:.3}", sub_task.gcycles),
            seconds(sub_task.elapsed),
            two_decimals(&sub_task.paid),
            two_decimals(&sub_task.fee),
            verdict(sub_task),
        ];
        table.row(cells, colour(&sub_task.state));
    }
    table.render(look.width, look.has_colour)
}

/// The winner's ask, the next one, and how many there were: `0.15 0.20 (3)`.
fn asks(sale: &SaleView) -> String {
    let second = sale.second_ask.as_deref().map_or("-".into(), two_decimals);
    format!("{} {second} ({})", two_decimals(&sale.ask), sale.asks_seen)
}

/// The state and, if there is more to say than its name, why.
fn verdict(sub_task: &SubTaskView) -> String {
    let SubTaskView { state, why, .. } = sub_task;
    let tries = match &sub_task.replicas[..] {
        [] if sub_task.attempts > 1 => format!(" (attempt {})", sub_task.attempts),
        [] => String::new(),
        replicas => replicas::votes(replicas),
    };
    if why.is_empty() || why == state {
        format!("{state}{}{tries}", progress(sub_task))
    } else if why.starts_with(state.as_str()) || is_final(state) {
        format!("{why}{tries}")
    } else {
        format!("{state}: {why}{tries}")
    }
}

/// How far it is and how long it takes still, as far as that is known.
fn progress(sub_task: &SubTaskView) -> String {
    let far = sub_task.progress.map_or_else(String::new, |progress| format!(" {:.0} %", progress * 100.0));
    let left = sub_task.time_left.map_or_else(String::new, |left| format!(", {left:.0} s left"));
    far + &left
}

/// A sub-task in a line, for whoever watches it.
pub(in crate::output) fn watched(task: &TaskView, sub_task: &SubTaskView) -> String {
    format!("{:>8.1} s  {}: {}\n", task.elapsed, clean(&sub_task.name), clean(&verdict(sub_task)))
}

/// Something that happened, for whoever watches.
pub(in crate::output) fn happened(event: &EventView) -> String {
    let what = event.sub_task.as_deref().unwrap_or("task");
    let kind = event.kind.replace('_', " ");
    format!("{:>8.1} s  {}: {kind}: {}\n", event.at, clean(what), clean(&event.why))
}

fn is_final(state: &str) -> bool {
    matches!(state, "succeeded" | "failed" | "cancelled")
}

fn sums(task: &TaskView) -> String {
    let all = task.sub_tasks.len();
    let mut text = format!("{} of {} succeeded", in_state(task, "succeeded"), count(all, "sub-task"));
    for state in ["failed", "cancelled"] {
        let number = in_state(task, state);
        if number > 0 {
            let _ = write!(text, ", {number} {state}");
        }
    }
    let open = task.sub_tasks.iter().filter(|sub_task| !is_final(&sub_task.state)).count();
    if open > 0 {
        let _ = write!(text, ", {open} not ended");
    }
    let _ = write!(text, "; spent {} credits", task.spent);
    if task.held != "0" {
        let _ = write!(text, ", held {}", task.held);
    }
    let _ = writeln!(text, "; {}", seconds(Some(task.elapsed)));
    text
}

fn in_state(task: &TaskView, state: &str) -> usize {
    task.sub_tasks.iter().filter(|sub_task| sub_task.state == state).count()
}

fn seconds(elapsed: Option<f64>) -> String {
    elapsed.map_or("-".into(), |seconds| format!("{seconds:.2} s"))
}

const fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::Running => "running",
        TaskState::Succeeded => "succeeded",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
        TaskState::Interrupted => "interrupted: the node ended before the task did",
    }
}

fn colour(state: &str) -> Colour {
    match state {
        "succeeded" => Colour::Green,
        "failed" => Colour::Red,
        "cancelled" => Colour::Yellow,
        _ if state.starts_with("interrupted") => Colour::Red,
        _ => Colour::Plain,
    }
}

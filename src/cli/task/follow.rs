//! `compup2p task watch`: a line for every sub-task whenever it comes further.

use super::{one_task, task_of};
use crate::cli::arguments::Global;
use crate::cli::client::{Connection, unexpected};
use crate::cli::node::{ANSWER, home};
use crate::cli::task::within;
use crate::cli::{Done, Limit, ask, block_on, exit};
use crate::control::{Failure, Reply, Request, SubTaskView, TaskView};
use crate::output::Printer;
use std::path::Path;
use std::time::{Duration, Instant};

/// What happens to a sub-task and is no state of it.
const NEWS: [&str; 7] = ["saved", "not_saved", "resumed", "disputed", "not_disputed", "judged", "budget_low"];
/// How often the task is looked at, if nothing else happens.
const LOOK: Duration = Duration::from_secs(1);
/// A line is printed when a sub-task has come so much further, in per cent.
const STEP: f64 = 5.0;

pub(super) fn run(task: String, global: &Global, printer: Printer) -> Done {
    // `last` may be another one before this one has ended.
    let task = one_task(global, &Request::Task { task }, ANSWER)?.id.to_string();
    let home = home(global)?;
    let watched = block_on(within(global.timeout, watch(&home, &task, printer)))??;
    watched.map(|task| exit::of_task(&task)).map_err(Into::into)
}

async fn watch(home: &Path, task: &str, printer: Printer) -> Result<Box<TaskView>, Failure> {
    let mut connection = Connection::open(home).await?;
    connection.send(&Request::Watch { task: task.into() }).await?;
    let mut shown: Vec<Shown> = Vec::new();
    let mut looked = None;
    loop {
        let reply = connection.receive().await?;
        if let Reply::Event(event) = &reply
            && NEWS.contains(&event.kind.as_str())
        {
            printer.happened(event)?;
        }
        match reply {
            Reply::Event(_) if looked.is_some_and(|looked: Instant| looked.elapsed() < LOOK) => {}
            Reply::Event(_) => {
                looked = Some(Instant::now());
                let request = Request::Task { task: task.into() };
                let view = task_of(home, ask(home, &request, Limit::Usual(ANSWER)).await?)?;
                show(&view, &mut shown, printer)?;
            }
            Reply::Task(view) => {
                show(&view, &mut shown, printer)?;
                return Ok(view);
            }
            Reply::Error(failure) => return Err(failure),
            _ => return Err(unexpected(home)),
        }
    }
}

/// What was last printed of a sub-task.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    state: String,
    why: String,
    step: Option<u64>,
}

impl Shown {
    fn of(sub_task: &SubTaskView) -> Self {
        let step = sub_task.progress.map(step);
        Self { state: sub_task.state.clone(), why: sub_task.why.clone(), step }
    }
}

/// The number of whole steps in a progress from 0 to 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 20")]
fn step(progress: f64) -> u64 {
    (progress.clamp(0.0, 1.0) * 100.0 / STEP) as u64
}

/// Prints the sub-tasks of which there is something new.
fn show(task: &TaskView, shown: &mut Vec<Shown>, printer: Printer) -> Result<(), Failure> {
    shown.resize(task.sub_tasks.len(), Shown::default());
    for (before, sub_task) in shown.iter_mut().zip(&task.sub_tasks) {
        let now = Shown::of(sub_task);
        if *before != now {
            printer.watched(task, sub_task)?;
            *before = now;
        }
    }
    Ok(())
}

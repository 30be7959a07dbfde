//! Commands about tasks.

mod dry;
mod explain;
mod file;
mod follow;
mod logs;
mod quote;
mod show;
mod watch;

pub(super) use file::TaskText;
pub(super) use logs::Tap;
pub(super) use watch::{Place, Watch, Watched, within};

use super::arguments::{Global, OneTask, Results, Submit, TaskCommand, TaskFile};
use super::node::{ANSWER, absolute, ask_node, home};
use super::{Done, Limit, ask, block_on, client, exit, local};
use crate::control::{self, Failure, Reply, Request, TaskView};
use crate::output::Printer;
use std::path::Path;
use std::time::Duration;

/// How long a node may take to hash the files of a task and to take it on.
const SUBMIT: Duration = Duration::from_secs(120);

pub(super) fn run(command: TaskCommand, global: &Global, printer: Printer) -> Done {
    match command {
        TaskCommand::Validate(file) => validate(&file, printer),
        TaskCommand::Submit(submit) if submit.dry_run => dry::run(&submit.task, printer),
        TaskCommand::Submit(submit) => match submit.local {
            Some(nodes) => local::submit(nodes, &submit, global, printer),
            None if submit.founding.is_some() => Err(no_network(&submit).into()),
            None => submit_to_node(&submit, global, printer),
        },
        TaskCommand::Quote(file) => quote::run(&file, global, printer),
        TaskCommand::Explain(task) => explain::run(task, global, printer),
        TaskCommand::Show(show) => show::run(show, global, printer),
        TaskCommand::Status(OneTask { task }) => {
            let task = one_task(global, &Request::Task { task }, ANSWER)?;
            printer.task(&task)?;
            Ok(exit::SUCCESS)
        }
        TaskCommand::List => match ask_node(global, &Request::Tasks, ANSWER)? {
            (_, Reply::Tasks(tasks)) => {
                printer.tasks(&tasks)?;
                Ok(exit::SUCCESS)
            }
            (home, _) => Err(client::unexpected(&home).into()),
        },
        TaskCommand::Results(results) => write_results(results, global, printer),
        TaskCommand::Watch(OneTask { task }) => follow::run(task, global, printer),
        TaskCommand::Logs(asked) => logs::run(asked, global, printer),
        TaskCommand::Forget(OneTask { task }) => {
            let task = one_task(global, &Request::Forget { task }, ANSWER)?;
            printer.task(&task)?;
            Ok(exit::SUCCESS)
        }
        TaskCommand::Cancel(OneTask { task }) => {
            let task = one_task(global, &Request::Cancel { task }, ANSWER)?;
            printer.task(&task)?;
            Ok(exit::SUCCESS)
        }
        TaskCommand::Wait(OneTask { task }) => {
            // `last` may be another one before this one has ended.
            let task = one_task(global, &Request::Task { task }, ANSWER)?.id.to_string();
            wait(&home(global)?, &task, global, printer)
        }
    }
}

fn validate(task: &TaskFile, printer: Printer) -> Done {
    let (_, validated) = TaskText::read(task)?;
    for warning in &validated.warnings {
        printer.warning(&warning.to_string());
    }
    printer.validated(&validated)?;
    Ok(exit::SUCCESS)
}

fn submit_to_node(submit: &Submit, global: &Global, printer: Printer) -> Done {
    let request = checked(submit, printer)?;
    let home = home(global)?;
    let limit = Limit::of(global.timeout, SUBMIT);
    let task = task_of(&home, block_on(ask(&home, &request, limit))??)?;
    if submit.wait {
        return wait(&home, &task.id.to_string(), global, printer);
    }
    printer.submitted(&task)?;
    Ok(exit::SUCCESS)
}

/// Rules are for a network that is made for the task; one that is there has its own.
fn no_network(submit: &Submit) -> Failure {
    let flags: Vec<String> =
        submit.founding.arguments().iter().step_by(2).map(|flag| flag.to_string_lossy().into()).collect();
    let message = format!("{} can be chosen only for a network of the task's own", flags.join(", "));
    Failure::new("usage", message, exit::USAGE)
        .hint("add --local N, or leave it away: the network's founder has decided")
}

/// The request for a task file that has no fault that can be seen from here.
pub(super) fn checked(submit: &Submit, printer: Printer) -> Result<Request, super::Stop> {
    let (text, validated) = TaskText::read(&submit.task)?;
    for warning in &validated.warnings {
        printer.warning(&warning.to_string());
    }
    let to = submit.to.as_deref().map(absolute).transpose()?;
    let TaskText { text, file, base, set, lines, .. } = text;
    let patience = submit.patience.as_secs_f64();
    let wait_for_sellers = submit.wait_for_sellers;
    Ok(Request::Submit(control::Submit { text, file, base, to, set, lines, patience, wait_for_sellers }))
}

fn write_results(results: Results, global: &Global, printer: Printer) -> Done {
    let to = results.to.as_deref().map(absolute).transpose()?;
    let task = one_task(global, &Request::Results { task: results.task.task, to }, SUBMIT)?;
    printer.results(&task)?;
    Ok(if task.problems.is_empty() { exit::SUCCESS } else { exit::FAILED })
}

/// Waits until `task` has ended and shows it.
fn wait(home: &Path, task: &str, global: &Global, printer: Printer) -> Done {
    let watch = Watch { home, task, printer, timeout: global.timeout, place: Place::Network };
    match block_on(watch.run_alone())?? {
        Watched::Ended(task) => {
            printer.task(&task)?;
            Ok(exit::of_task(&task))
        }
        Watched::Left(status) => Ok(status),
    }
}

fn one_task(global: &Global, request: &Request, usual: Duration) -> Result<Box<TaskView>, Failure> {
    let (home, reply) = ask_node(global, request, usual)?;
    task_of(&home, reply)
}

/// The task in `reply`.
pub(super) fn task_of(home: &Path, reply: Reply) -> Result<Box<TaskView>, Failure> {
    match reply {
        Reply::Task(task) => Ok(task),
        _ => Err(client::unexpected(home)),
    }
}

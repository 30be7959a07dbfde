//! `compup2p run -- CMD ARGS`: a program runs on the market as it would run here.

mod submission;

use super::arguments::{Global, Run};
use super::client::{Connection, unexpected};
use super::interrupt::Interrupts;
use super::node::home;
use super::task::{Tap, task_of, within};
use super::{Done, Limit, Stop, ask, block_on, exit};
use crate::control::{Failure, Logs, Reply, Request, SubTaskView, TaskView};
use crate::node::local::Network;
use crate::output::{Own, Printer, Ran, pass_on};
use proto::Money;
use std::path::Path;
use std::time::Duration;
use submission::Prepared;

/// How long a node may take to hash the files and to take the task on.
const SUBMIT: Limit = Limit::Usual(Duration::from_secs(120));
/// How long the node may take to confirm that it cancels.
const CANCEL: Limit = Limit::Usual(Duration::from_secs(30));
/// The program could not be run: no seller, no money, over a limit. What `docker run` says so, too.
const NOT_RUN: u8 = 125;
/// It is no program that can be run.
const NOT_RUNNABLE: u8 = 126;
/// It is not there.
pub(super) const NOT_FOUND: u8 = 127;
/// It trapped: what a shell says of a program that was aborted.
const TRAPPED: u8 = 134;

pub(super) fn run(run: Run, global: &Global, printer: Printer) -> Done {
    let prepared = Prepared::new(&run)?;
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let Some(nodes) = run.local else {
            let home = home(global)?;
            let ran = on_node(&home, &prepared, printer, &mut interrupts);
            return within(global.timeout, ran).await.and_then(|ran| ran).map_err(Stop::from);
        };
        let mut network = Network::new(false, super::Founding::default())?;
        let local = on_network(&mut network, nodes, &prepared, printer, &mut interrupts);
        let outcome = within(global.timeout, local).await.and_then(|ran| ran);
        if let Err(failure) = network.stop().await {
            printer.warning(&failure.message);
        }
        outcome.map_err(Stop::from)
    })?
}

async fn on_network(
    network: &mut Network,
    nodes: u16,
    prepared: &Prepared,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<u8, Failure> {
    tokio::select! {
        started = network.start(nodes) => started?,
        interrupt = interrupts.next() => return Ok(interrupt.exit()),
    }
    on_node(network.buyer()?, prepared, printer, interrupts).await
}

/// What was printed, if it is told as one value at the end.
#[derive(Default)]
struct Kept {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Buys it at the node in `home`, and passes everything on until it has ended.
async fn on_node(
    home: &Path,
    prepared: &Prepared,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<u8, Failure> {
    let task = task_of(home, ask(home, &Request::Submit(prepared.submit.clone()), SUBMIT).await?)?;
    let id = task.id.to_string();
    let mut watching = Connection::open(home).await?;
    watching.send(&Request::Watch { task: id.clone() }).await?;
    let logs = |is_error| Logs { task: id.clone(), sub_task: None, is_error, follow: true };
    let mut stdout = Tap::open(home, logs(false)).await?;
    let mut stderr = Tap::open(home, logs(true)).await?;
    let (mut ended, mut kept) = (None, Kept::default());
    let (mut has_stdout, mut has_stderr) = (true, true);
    let mut interrupted = None;
    while ended.is_none() || has_stdout || has_stderr {
        tokio::select! {
            part = stdout.next(), if has_stdout => match part? {
                Some(part) if printer.is_json() => kept.stdout.extend(part.bytes),
                Some(part) => pass_on(Own::Output, &part.bytes)?,
                None => has_stdout = false,
            },
            part = stderr.next(), if has_stderr => match part? {
                Some(part) if printer.is_json() => kept.stderr.extend(part.bytes),
                Some(part) => pass_on(Own::Error, &part.bytes)?,
                None => has_stderr = false,
            },
            reply = watching.receive(), if ended.is_none() => match reply? {
                Reply::Event(_) => {}
                Reply::Task(task) => ended = Some(task),
                Reply::Error(failure) => return Err(failure),
                _ => return Err(unexpected(home)),
            },
            interrupt = interrupts.next() => {
                if interrupted.is_some() {
                    return Ok(interrupt.exit());
                }
                interrupted = Some(interrupt.exit());
                // Its end comes over the watching connection; a task that has ended meanwhile cannot be cancelled.
                let _ = ask(home, &Request::Cancel { task: id.clone() }, CANCEL).await;
            },
        }
    }
    let Some(task) = ended else { return Ok(NOT_RUN) };
    tell(&task, interrupted, kept, printer)
}

/// Says what became of it, if that is more than an exit status.
fn tell(task: &TaskView, interrupted: Option<u8>, kept: Kept, printer: Printer) -> Result<u8, Failure> {
    let Some(sub_task) = task.sub_tasks.first() else { return Ok(NOT_RUN) };
    let status = interrupted.unwrap_or_else(|| exit_of(sub_task));
    if printer.is_json() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        printer.ran(&Ran {
            task: task.id,
            exit: status,
            why: sub_task.why.clone(),
            paid: sub_task.paid.clone(),
            fee: sub_task.fee.clone(),
            stdout: text(&kept.stdout),
            stderr: text(&kept.stderr),
        })?;
    } else if !matches!(sub_task.reason_code.as_deref(), Some("succeeded" | "exited")) {
        printer.warning(&format!("compup2p run: {}", sub_task.why));
        if let Some(hint) = hint(sub_task) {
            printer.warning(&hint);
        }
    }
    for problem in &task.problems {
        printer.warning(problem);
    }
    Ok(status)
}

/// What may help, where the reason alone does not say it.
fn hint(sub_task: &SubTaskView) -> Option<String> {
    let sale = sub_task.sale.as_ref();
    match (sub_task.reason_code.as_deref()?, sale) {
        ("cycle_limit", Some(sale)) => Some(format!(
            "the price pays for no more at {} credits per Gc: raise `--price`, or lower `--bid`",
            sale.clearing
        )),
        ("not_placed", _) => {
            Some("`compup2p market list` shows what is asked; `--bid` is the most that a Gc may cost".into())
        }
        _ => None,
    }
}

/// The exit code: the program's own, or why it has none.
fn exit_of(sub_task: &SubTaskView) -> u8 {
    match sub_task.reason_code.as_deref() {
        Some("succeeded") => exit::SUCCESS,
        Some("exited") => {
            let status = sub_task.exit_status.unwrap_or(1);
            // As the system has it: the lowest byte; a failure does not become a success by it.
            u8::try_from(status.rem_euclid(256)).ok().filter(|status| *status > 0).unwrap_or(1)
        }
        Some("trapped") => TRAPPED,
        Some("not_runnable") => NOT_RUNNABLE,
        Some("cancelled") => exit::CANCELLED,
        _ => NOT_RUN,
    }
}

/// A price as a task file has it.
fn credits(price: Money) -> String {
    price.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn who_is_over_the_price_or_finds_nobody_is_told_what_to_change() {
        let said = |reason| hint(&sample::ended("run", reason)).unwrap_or_default();
        assert!(said("not_placed").contains("`--bid`"), "{}", said("not_placed"));
        assert_eq!(said("trapped"), "");
        let expected = "the price pays for no more at 0.2 credits per Gc: raise `--price`, or lower `--bid`";
        assert_eq!(said("cycle_limit"), expected);
    }

    #[test]
    fn the_exit_code_is_the_programs_own() {
        for (reason, status, expected) in [
            ("succeeded", None, 0),
            ("exited", Some(3), 3),
            ("exited", Some(255), 255),
            ("exited", Some(256), 1),
            ("exited", Some(-1), 255),
            ("trapped", None, 134),
            ("not_runnable", None, 126),
            ("cancelled", None, 8),
            ("wall_limit", None, 125),
            ("not_placed", None, 125),
            ("not_enough_money", None, 125),
        ] {
            let sub_task = SubTaskView { exit_status: status, ..sample::ended("run", reason) };
            assert_eq!(exit_of(&sub_task), expected, "{reason} {status:?}");
        }
    }
}

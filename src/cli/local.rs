//! Networks on this machine: `task submit --local` and `dev`.

use super::arguments::{Dev, Global, Submit};
use super::interrupt::{Interrupt, Interrupts};
use super::task::{Place, Watch, Watched, checked, task_of, within};
use super::{Done, Limit, Stop, ask, block_on, exit};
use crate::control::{BalanceView, Failure, Request, TaskView};
use crate::node::local::Network;
use crate::output::{BalanceChange, Printer, Run, RunningNetwork, RunningNode, TotalChange};
use proto::Money;
use std::time::{Duration, Instant};

/// How long a node may take to take a task on.
const SUBMIT: Limit = Limit::Usual(Duration::from_secs(120));
/// How long money may be held after the task's end before the balances are shown as they are.
const SETTLE: Duration = Duration::from_secs(5);
/// How often `dev` looks after its processes.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a task on a network that ends with it.
pub(super) fn submit(nodes: u16, submit: &Submit, global: &Global, printer: Printer) -> Done {
    let request = checked(submit, printer)?;
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let mut network = Network::new(submit.keep, submit.founding.clone())?;
        let run = run(&mut network, nodes, &request, global, printer, &mut interrupts);
        let outcome = within(global.timeout, run).await.and_then(|outcome| outcome);
        end(network, outcome, printer).await
    })?
}

/// Keeps a network running until Ctrl-C.
pub(super) fn dev(dev: &Dev, global: &Global, printer: Printer) -> Done {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let mut network = Network::new(dev.keep, dev.founding.clone())?;
        let outcome =
            match within(global.timeout, start(&mut network, dev.nodes, printer, &mut interrupts)).await {
                Ok(Ok(None)) => keep_running(&mut network, printer, &mut interrupts).await,
                Ok(Ok(Some(status))) => Ok(status),
                Ok(Err(failure)) | Err(failure) => Err(failure),
            };
        end(network, outcome, printer).await
    })?
}

/// Ends `network`. What it came to matters more than whether it could be tidied away.
async fn end(mut network: Network, outcome: Result<u8, Failure>, printer: Printer) -> Done {
    // Whoever lost the connection to a node wants to know why that node ended.
    let outcome = outcome.map_err(|failure| match network.obituary() {
        Some(obituary) if failure.exit == exit::UNREACHABLE => obituary,
        _ => failure,
    });
    if let (Some(kept), true) = (network.kept(), !matches!(outcome, Ok(exit::SUCCESS))) {
        printer.note(&format!("files kept in {}", kept.display()));
    }
    if let Err(failure) = network.stop().await {
        printer.warning(&failure.message);
    }
    outcome.map_err(Stop::from)
}

/// Starts the network; an exit code if interrupted meanwhile.
async fn start(
    network: &mut Network,
    nodes: u16,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<Option<u8>, Failure> {
    printer.note(&format!("starting a network of {nodes} nodes in {}", network.path().display()));
    let begin = Instant::now();
    tokio::select! {
        started = network.start(nodes) => started?,
        interrupt = interrupts.next() => return Ok(Some(interrupt.exit())),
    }
    printer
        .note(&format!("all {nodes} nodes are in the market after {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(None)
}

/// Starts the network, runs the task on it, and shows what it cost whom.
async fn run(
    network: &mut Network,
    nodes: u16,
    request: &Request,
    global: &Global,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<u8, Failure> {
    if let Some(status) = start(network, nodes, printer, interrupts).await? {
        return Ok(status);
    }
    let before = network.balances().await?;
    let home = network.buyer()?;
    let task = task_of(home, ask(home, request, SUBMIT).await?)?;
    let id = task.id.to_string();
    let watch = Watch { home, task: &id, printer, timeout: global.timeout, place: Place::Local };
    let task = match watch.run(interrupts).await? {
        Watched::Ended(task) => task,
        Watched::Left(status) => return Ok(status),
    };
    let after = tokio::select! {
        after = network.settled_balances(SETTLE) => after?,
        interrupt = interrupts.next() => return Ok(interrupt.exit()),
    };
    show(network, &task, &before, &after, printer)
}

fn show(
    network: &Network,
    task: &TaskView,
    before: &[BalanceView],
    after: &[BalanceView],
    printer: Printer,
) -> Result<u8, Failure> {
    let names = network.nodes().iter().map(|node| node.name.as_str());
    let balances =
        names.zip(before.iter().zip(after)).map(|(name, (b, a))| change(name, b, a)).collect::<Option<_>>();
    let (balances, total) = balances
        .zip(total(before, after))
        .ok_or_else(|| Failure::new("bad_reply", "a balance is not an amount of money", exit::UNREACHABLE))?;
    let adds_up = total.adds_up;
    printer.run(&Run { task, balances, total, kept: network.kept() })?;
    Ok(if adds_up { exit::of_task(task) } else { exit::FAILED })
}

/// All money of an account, held or not.
fn worth(balance: &BalanceView) -> Option<Money> {
    let amount = |text: &str| text.parse::<Money>().ok();
    amount(&balance.available)?.checked_add(amount(&balance.held)?)
}

fn change(name: &str, before: &BalanceView, after: &BalanceView) -> Option<BalanceChange> {
    let (was, is) = (worth(before)?, worth(after)?);
    let change = match is.checked_sub(was) {
        Some(gain) if gain > Money::ZERO => format!("+{gain}"),
        Some(_) => "0".into(),
        None => format!("-{}", was.checked_sub(is)?),
    };
    Some(BalanceChange {
        node: name.into(),
        account: after.account.clone(),
        before: was.to_string(),
        after: is.to_string(),
        held: after.held.clone(),
        change,
    })
}

fn total(before: &[BalanceView], after: &[BalanceView]) -> Option<TotalChange> {
    let sum = |all: &[BalanceView]| all.iter().try_fold(Money::ZERO, |sum, b| sum.checked_add(worth(b)?));
    let (before, after) = (sum(before)?, sum(after)?);
    Some(TotalChange { before: before.to_string(), after: after.to_string(), adds_up: before == after })
}

/// Shows how to talk to the network, then waits for Ctrl-C or for a process that ends by itself.
async fn keep_running(
    network: &mut Network,
    printer: Printer,
    interrupts: &mut Interrupts,
) -> Result<u8, Failure> {
    let node = |node: &crate::node::local::LocalNode| RunningNode {
        name: node.name.clone(),
        address: node.address.clone(),
        account: node.account.clone(),
        home: node.home.clone(),
    };
    printer.network(&RunningNetwork {
        directory: network.path(),
        bootstrap: network.bootstrap().to_owned(),
        nodes: network.nodes().iter().map(node).collect(),
    })?;
    loop {
        tokio::select! {
            interrupt = interrupts.next() => {
                // Here Ctrl-C is not an interruption but the way it ends.
                return Ok(if interrupt == Interrupt::CtrlC { exit::SUCCESS } else { interrupt.exit() });
            }
            () = tokio::time::sleep(LOOK) => if let Some(obituary) = network.obituary() {
                return Err(obituary);
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(available: &str, held: &str) -> BalanceView {
        let (available, held) = (available.into(), held.into());
        BalanceView { account: "ab".repeat(32), available, held, ..BalanceView::default() }
    }

    #[test]
    fn what_is_held_still_belongs_to_its_account() {
        let (before, after) = (balance("10", "0"), balance("7.5", "2"));
        let change = change("node-1", &before, &after).unwrap();
        assert_eq!((change.before.as_str(), change.after.as_str()), ("10", "9.5"));
        assert_eq!((change.change.as_str(), change.held.as_str()), ("-0.5", "2"));
    }

    #[test]
    fn totals_tell_whether_money_appeared_or_vanished() {
        let before = [balance("10", "0"), balance("10", "0")];
        for (second, adds_up) in [("10.5", true), ("10.500001", false), ("10.499999", false)] {
            let total = total(&before, &[balance("9", "0.5"), balance(second, "0")]).unwrap();
            assert_eq!(total.adds_up, adds_up, "{second}");
        }
        assert_eq!(total(&[balance("much", "0")], &[]), None);
    }
}

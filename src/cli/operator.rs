//! What the operator says to the bank that runs on this machine.

use super::arguments::{Freeze, Global, Grant, Invite};
use super::{Done, Limit, ask, block_on, client, exit, node};
use crate::control::{BANK_DIRECTORY, Failure, Operator, Reply, Request};
use crate::output::Printer;
use std::path::PathBuf;
use std::time::Duration;

/// How long a bank may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

pub(super) fn grant(grant: Grant, global: &Global, printer: Printer) -> Done {
    let Grant { account, credits, reason } = grant;
    order(Operator::Grant { account, credits: credits.to_string(), reason }, global, printer)
}

pub(super) fn freeze(freeze: Freeze, global: &Global, printer: Printer) -> Done {
    let Freeze { account, reason } = freeze;
    order(Operator::Freeze { account, reason }, global, printer)
}

pub(super) fn unfreeze(freeze: Freeze, global: &Global, printer: Printer) -> Done {
    let Freeze { account, reason } = freeze;
    order(Operator::Unfreeze { account, reason }, global, printer)
}

fn order(order: Operator, global: &Global, printer: Printer) -> Done {
    match ask_bank(order, global)? {
        (_, Reply::Ordered(ordered)) => printer.ordered(&ordered)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

pub(super) fn invite(invite: Invite, global: &Global, printer: Printer) -> Done {
    let Invite { account, length } = invite;
    match ask_bank(Operator::Invite { account, seconds: length.as_secs_f64() }, global)? {
        (_, Reply::Invited(invitation)) => printer.invited(&invitation)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

pub(super) fn totals(global: &Global, printer: Printer) -> Done {
    match ask_bank(Operator::Totals, global)? {
        (_, Reply::Totals(totals)) => printer.totals(&totals)?,
        (_, Reply::Standby(standby)) => printer.standby(&standby)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

/// Lets the standby take over: the process that runs there goes on as the bank; without one, the directory may serve.
pub(super) fn promote(global: &Global, printer: Printer) -> Done {
    match ask_bank(Operator::Promote, global) {
        Ok((_, Reply::Promoted(mut promoted))) => {
            promoted.is_serving = true;
            printer.promoted(&promoted)?;
        }
        Ok((home, _)) => return Err(client::unexpected(&home).into()),
        Err(failure) if failure.code == NO_BANK => {
            printer.promoted(&crate::node::promote(&home(global)?)?)?;
        }
        Err(failure) => return Err(failure.into()),
    }
    Ok(exit::SUCCESS)
}

/// The word for a bank that does not run.
const NO_BANK: &str = "no_bank";

fn home(global: &Global) -> Result<PathBuf, Failure> {
    Ok(node::home(global)?.join(BANK_DIRECTORY))
}

fn ask_bank(operator: Operator, global: &Global) -> Result<(PathBuf, Reply), Failure> {
    let home = home(global)?;
    let request = Request::Operator(operator);
    let asked = ask(&home, &request, Limit::of(global.timeout, ANSWER));
    let reply = block_on(asked)?.map_err(|failure| match failure.code.as_str() {
        "no_node" => {
            let message = format!("no bank is running in {}", home.display());
            let hint = "the operator's commands work where `compup2p bank serve` runs, with the same --home";
            Failure { retryable: true, ..Failure::new(NO_BANK, message, exit::UNREACHABLE).hint(hint) }
        }
        _ => failure,
    })?;
    Ok((home, reply))
}

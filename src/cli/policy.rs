//! `compup2p policy`: what a file says, what a node makes of it, and policies from elsewhere.

use super::arguments::{Global, ImportCommand, PolicyCommand};
use super::node::{ANSWER, ask_node};
use super::{Done, Stop, client, exit, file, owner};
use crate::control::{Reply, Request};
use crate::output::{Imported, Place, Printer};
use service::policy::{Fault, MAX_POLICY_SIZE, describe, import, parse};
use std::path::Path;

/// The word for an invalid policy.
const INVALID: &str = "policy_invalid";
/// The word for preferences of another program that cannot be read.
const NOT_IMPORTED: &str = "preferences_invalid";

/// Runs one of the commands.
pub(super) fn run(command: PolicyCommand, global: &Global, printer: Printer) -> Done {
    match command {
        PolicyCommand::Check { file } => check(&file, printer),
        PolicyCommand::Explain { at } => {
            let at = at.map(|at| at.to_string());
            owner::order(&Request::Explain { at }, global, printer)
        }
        PolicyCommand::Reload => reload(global, printer),
        PolicyCommand::Import { command: ImportCommand::Boinc { file, venue } } => {
            import_boinc(&file, venue.as_deref(), printer)
        }
    }
}

/// Says whether the policy `path` is valid, and what is wrong with it.
fn check(path: &Path, printer: Printer) -> Done {
    let name = path.display().to_string();
    let kind = file::Kind { word: INVALID, name: "policy", most: MAX_POLICY_SIZE, advice: "" };
    let text = file::read(path, kind)?;
    let place = |f: &Fault| Place::new(&f.file, (f.line, f.column), &f.kind);
    let policy = parse(&text, &name);
    let policy = policy.map_err(|faults| Stop::Faults(INVALID, faults.iter().map(place).collect()))?;
    printer.policy(&name, &describe(&policy))?;
    Ok(exit::SUCCESS)
}

/// Lets the node read its policy again.
fn reload(global: &Global, printer: Printer) -> Done {
    match ask_node(global, &Request::Reload, ANSWER)? {
        (_, Reply::Reloaded(reloaded)) => printer.reloaded(&reloaded)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

/// Makes a policy of BOINC's preferences.
fn import_boinc(path: &Path, venue: Option<&str>, printer: Printer) -> Done {
    let kind = file::Kind { word: NOT_IMPORTED, name: "preferences", most: MAX_POLICY_SIZE, advice: "" };
    let text = file::read(path, kind)?;
    let place = |f: &Fault| Place::new(&path.display().to_string(), (f.line, f.column), &f.kind);
    let imported = import::boinc(&text, venue).map_err(|f| Stop::Faults(NOT_IMPORTED, vec![place(&f)]))?;
    printer.imported(&Imported { policy: imported.toml, notes: imported.notes })?;
    Ok(exit::SUCCESS)
}

//! `compup2p policy check`.

use super::{Done, Stop, exit, file};
use crate::output::{Place, Printer};
use service::policy::{Fault, MAX_POLICY_SIZE, parse};
use std::path::Path;

/// The word for an invalid policy.
const INVALID: &str = "policy_invalid";

/// Says whether the policy `path` is valid, and what is wrong with it.
pub(super) fn check(path: &Path, printer: Printer) -> Done {
    let name = path.display().to_string();
    let kind = file::Kind { word: INVALID, name: "policy", most: MAX_POLICY_SIZE, advice: "" };
    let text = file::read(path, kind)?;
    let place = |f: &Fault| Place::new(&f.file, (f.line, f.column), &f.kind);
    parse(&text, &name).map_err(|faults| Stop::Faults(INVALID, faults.iter().map(place).collect()))?;
    printer.policy(&name)?;
    Ok(exit::SUCCESS)
}

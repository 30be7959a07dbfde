//! `compup2p policy check`.

use super::{Done, Stop, exit};
use crate::control::Failure;
use crate::output::{Place, Printer};
use std::path::Path;

/// Says whether the policy `path` is valid, and what is wrong with it.
pub(super) fn check(path: &Path, printer: Printer) -> Done {
    let size = std::fs::metadata(path).map_err(|error| Failure::no_file(path, &error))?.len();
    let most = service::policy::MAX_POLICY_SIZE;
    if size > most {
        let message = format!("{} has {size} bytes: a policy has at most {most}", path.display());
        return Err(Failure::new("policy_invalid", message, exit::USAGE).into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::no_file(path, &error))?;
    let name = path.display().to_string();
    match service::policy::parse(&text, &name) {
        Ok(_) => {
            printer.policy(&name)?;
            Ok(exit::SUCCESS)
        }
        Err(faults) => Err(Stop::Faults("policy_invalid", faults.iter().map(|f| Place::shown(&f.to_string())).collect())),
    }
}

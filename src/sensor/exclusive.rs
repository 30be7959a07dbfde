//! Which of the owner's exclusive programs run.

use super::roots::{Roots, VALUE, read};
use std::collections::BTreeSet;
use std::path::Path;

/// The most processes that are looked at.
const MAX_PROCESSES: usize = 65_536;
/// So much of a name the kernel keeps, in bytes.
const KERNEL_NAME: usize = 15;

/// Those of the names that are the name or the program file of a running process. Nobody walks over the
/// processes if there are no names.
#[must_use]
pub(super) fn look(roots: &Roots, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut running = BTreeSet::new();
    if names.is_empty() {
        return running;
    }
    let listed = std::fs::read_dir(&roots.proc).into_iter().flatten().take(MAX_PROCESSES).flatten();
    for entry in listed {
        let is_process = |name: &std::ffi::OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
        if !is_process(&entry.file_name()) {
            continue;
        }
        let process = entry.path();
        if let Some(name) = name_of(&process, names) {
            running.insert(name.clone());
            if running.len() == names.len() {
                break;
            }
        }
    }
    running
}

/// The name that a living process goes by.
fn name_of<'a>(process: &Path, names: &'a BTreeSet<String>) -> Option<&'a String> {
    let kernel = read(&process.join("comm"), VALUE)?;
    let kernel = kernel.trim_end_matches('\n');
    let is_kernels =
        |name: &&String| kernel.as_bytes() == name.as_bytes().get(..KERNEL_NAME).unwrap_or(name.as_bytes());
    let named = names.iter().find(is_kernels);
    let named = named.or_else(|| {
        // Unreadable for the programs of other users, for which the kernel's name has to do.
        let program = std::fs::read_link(process.join("exe")).ok()?;
        let file = program.file_name()?.to_str()?.trim_end_matches(" (deleted)");
        names.get(file)
    });
    named.filter(|_| is_alive(process))
}

/// Whether it has not ended; a process that nobody has waited for keeps its name.
fn is_alive(process: &Path) -> bool {
    let stat = read(&process.join("stat"), VALUE);
    let state = stat.as_deref().and_then(|stat| stat.rsplit_once(')')?.1.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X'))
}

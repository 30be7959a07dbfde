//! `compup2p file`: files that everybody may have.

use super::arguments::{FileCommand, Get, Global, Publish};
use super::node::{ANSWER, absolute, ask_node};
use super::{Done, client, exit};
use crate::control::{Failure, Filing, Reply, Request};
use crate::output::Printer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long bringing a large file may take.
const BRING: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn run(command: FileCommand, global: &Global, printer: Printer) -> Done {
    let (filing, limit) = match command {
        FileCommand::Publish(Publish { file, name }) => {
            let name = match name {
                Some(name) => name,
                None => own_name(&file)?,
            };
            (Filing::Publish { path: absolute(&file)?, name }, BRING)
        }
        FileCommand::Withdraw { name } => (Filing::Withdraw { name }, ANSWER),
        FileCommand::List => (Filing::List, ANSWER),
        FileCommand::Find { what } => (Filing::Find { what }, ANSWER),
        FileCommand::Get(Get { what, to, from }) => {
            let to = to.unwrap_or_else(|| here(&what));
            (Filing::Get { what, to: absolute(&to)?, servers: from }, BRING)
        }
    };
    match ask_node(global, &Request::Files(filing), limit)? {
        (_, Reply::Files(files)) => printer.files(&files)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

fn own_name(file: &Path) -> Result<String, Failure> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| Failure::new("usage", format!("{} is not a file", file.display()), exit::USAGE))
}

/// The name of a file without its publisher, in this directory.
fn here(what: &str) -> PathBuf {
    let name = what.rsplit_once('@').map_or(what, |(name, _)| name);
    PathBuf::from(name.replace('/', "_"))
}

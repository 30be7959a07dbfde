//! Commands about the node as a whole.

use super::arguments::Global;
use super::{Done, Limit, ask, block_on, client, exit};
use crate::control::{Failure, Reply, Request};
use crate::output::Printer;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a node may take to answer a question.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// The node's directory, absolute.
pub(super) fn home(global: &Global) -> Result<PathBuf, Failure> {
    let chosen = global.home.clone().or_else(|| {
        let directory = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let share = directory("XDG_DATA_HOME").or_else(|| Some(directory("HOME")?.join(".local/share")));
        share.map(|share| share.join("compup2p"))
    });
    let chosen = chosen.ok_or_else(|| {
        Failure::new(
            "usage",
            "there is no home directory to put the node's files in (HOME is not set)",
            exit::USAGE,
        )
        .hint("choose a directory with --home DIR or COMPUP2P_HOME")
    })?;
    absolute(&chosen)
}

/// `path` from the root: the node has another working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::no_file(path, &error))
}

/// Asks the node one thing.
pub(super) fn ask_node(
    global: &Global,
    request: &Request,
    usual: Duration,
) -> Result<(PathBuf, Reply), Failure> {
    let home = home(global)?;
    let reply = block_on(ask(&home, request, Limit::of(global.timeout, usual)))??;
    Ok((home, reply))
}

pub(super) fn status(global: &Global, printer: Printer) -> Done {
    match ask_node(global, &Request::Status, ANSWER)? {
        (_, Reply::Status(node)) => printer.node(&node)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

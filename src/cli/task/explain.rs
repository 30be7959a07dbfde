//! `compup2p task explain`: why a task is where it is.

use crate::cli::arguments::{Global, OneTask};
use crate::cli::market::SURVEY;
use crate::cli::node::ask_node;
use crate::cli::{Done, client, exit};
use crate::control::{Reply, Request};
use crate::output::Printer;

pub(super) fn run(task: OneTask, global: &Global, printer: Printer) -> Done {
    match ask_node(global, &Request::Why { task: task.task }, SURVEY)? {
        (_, Reply::Why(explain)) => {
            printer.explain(&explain)?;
            Ok(exit::SUCCESS)
        }
        (home, _) => Err(client::unexpected(&home).into()),
    }
}

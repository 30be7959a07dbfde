//! Commands by which its owner tells a node when to work for others.

use super::arguments::{Global, Leave, Pause};
use super::node::{ANSWER, ask_node};
use super::{Done, client, exit};
use crate::control::{Departure, Reply, Request};
use crate::output::Printer;
use std::time::Duration;

/// How long a node may take to leave in order.
const LEAVE: Duration = Duration::from_secs(120);
/// How long it may take to finish what is at work first: as long as it takes.
const FINISH: Duration = Duration::from_secs(1_000_000_000);

/// Stops working for others for a while.
pub(super) fn pause(pause: &Pause, global: &Global, printer: Printer) -> Done {
    let seconds = pause.length.map(|length| length.as_secs_f64());
    order(&Request::Pause { seconds }, global, printer)
}

/// Goes on.
pub(super) fn resume(global: &Global, printer: Printer) -> Done {
    order(&Request::Resume, global, printer)
}

/// Takes no new work.
pub(super) fn drain(global: &Global, printer: Printer) -> Done {
    order(&Request::Drain, global, printer)
}

/// Leaves the network, at once or when what is at work has ended; for good or for a while.
pub(super) fn leave(leave: &Leave, global: &Global, printer: Printer) -> Done {
    let (departure, usual) = match leave.until {
        Some(until) => (Departure::Until(until.to_string()), FINISH),
        None if leave.now => (Departure::Now, LEAVE),
        None => (Departure::Done, FINISH),
    };
    match ask_node(global, &Request::Leave(departure), usual)? {
        (home, Reply::Left) => printer.left(&home, leave.until.map(|until| until.0))?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

/// Asks for something that is answered by how the node stands then.
pub(super) fn order(request: &Request, global: &Global, printer: Printer) -> Done {
    match ask_node(global, request, ANSWER)? {
        (_, Reply::Sharing(sharing)) => printer.sharing(&sharing)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

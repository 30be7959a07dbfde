//! `compup2p ring`: the ring as the node sees it.

use super::arguments::{Global, RingCommand};
use super::node::{ANSWER, ask_node};
use super::{Done, client, exit};
use crate::control::{Reply, Request};
use crate::output::Printer;
use proto::RingId;
use std::time::Duration;

/// How long a walk around a large ring may take.
const WALK: Duration = Duration::from_secs(600);

pub(super) fn run(command: &RingCommand, global: &Global, printer: Printer) -> Done {
    let (request, limit) = match command {
        RingCommand::Show => (Request::Ring, ANSWER),
        RingCommand::Lookup { key } => (Request::Lookup { key: on_circle(key) }, ANSWER),
        RingCommand::Check => (Request::RingCheck, WALK),
    };
    match ask_node(global, &request, limit)? {
        (_, Reply::Ring(ring)) => printer.ring(&ring)?,
        (_, Reply::Lookup(lookup)) => printer.lookup(&lookup)?,
        (_, Reply::RingCheck(check)) => {
            printer.ring_check(&check)?;
            return Ok(if check.defects.is_empty() { exit::SUCCESS } else { exit::FAILED });
        }
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

/// A key in hexadecimal digits: as it was given, or the place of a text on the circle.
fn on_circle(key: &str) -> String {
    match proto::id::unhex::<20>(key) {
        Some(_) => key.to_ascii_lowercase(),
        None => proto::id::hex(&RingId::hash(key.as_bytes()).0),
    }
}

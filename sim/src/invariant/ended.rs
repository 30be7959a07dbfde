//! `ended`: a contract that was matched ends. When its hold has expired, the bank sets nothing aside for it any more,
//! neither side knows of it, and nothing is executed for it.

use super::books::Books;
use super::{Breach, Checked};
use crate::host::Host;
use bank::{Event, Record};
use proto::{ContractId, Span, Time};
use std::collections::BTreeSet;

/// How long a contract may outlive its hold: a bank that is down for a while, and messages on their way.
const MARGIN: Span = Span::secs(15);

/// The contracts that have not reached the end of their holds.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    ahead: BTreeSet<(Time, ContractId)>,
}

impl Ended {
    /// The bank has decided something.
    pub(crate) fn enter(&mut self, record: &Record) {
        if let Event::HoldPlaced { command, expires } = &record.event {
            self.ahead.insert((expires.after(MARGIN), command.body.id));
        }
    }

    /// Looks at the contracts whose time is over.
    pub(crate) fn check(&mut self, books: &Books, hosts: &[Host], now: Time) -> Checked {
        while let Some((_, contract)) = self.ahead.first().copied().filter(|(due, _)| *due <= now) {
            self.ahead.pop_first();
            Breach::unless(!books.holds.contains_key(&contract), "ended", || {
                format!("the hold of contract {contract} has expired and is still open")
            })?;
            let knows = |host: &&Host| {
                let is_open = host.node().is_some_and(|node| node.has_contract(contract));
                is_open || host.machine.executes(contract)
            };
            if let Some(host) = hosts.iter().find(knows) {
                let number = host.number;
                return Err(Breach::new("ended", format!("contract {contract} has no end at node {number}")));
            }
        }
        Ok(())
    }
}

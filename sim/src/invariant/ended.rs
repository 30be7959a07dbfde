//! `ended`: a contract that was matched ends. When its hold has expired, or what was claimed of it is decided, the bank
//! sets nothing aside for it any more, neither side knows of it, and nothing is executed for it.

use super::books::Books;
use super::{Breach, Checked};
use crate::host::Host;
use bank::{Event, Record};
use proto::message::bank::Order;
use proto::{ContractId, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How long a contract may outlive its hold: a bank that is down for a while, and messages on their way.
const MARGIN: Span = Span::secs(15);
/// How long a seller may ask after a claim that has ended: once a minute.
const MARGIN_OF_CLAIMS: Span = Span::secs(90);

/// The contracts that have not reached the end of their holds.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    ahead: BTreeSet<(Time, ContractId)>,
    /// Those that were claimed, and when they ended if they have.
    claimed: BTreeMap<ContractId, Option<Time>>,
}

impl Ended {
    /// The bank has decided something.
    pub(crate) fn enter(&mut self, record: &Record) {
        match &record.event {
            Event::HoldPlaced { command, expires } => {
                self.ahead.insert((expires.after(MARGIN), command.body.id));
            }
            Event::HoldClaimed { command, .. } => {
                if let Order::Claim(claim) = &command.body.order {
                    self.claimed.insert(claim.hold, None);
                }
            }
            Event::HoldClosed { ending, .. } => {
                if let Some(closed_at) = self.claimed.get_mut(&ending.hold) {
                    *closed_at = Some(record.time);
                }
            }
            _ => {}
        }
    }

    /// Looks at the contracts whose time is over.
    pub(crate) fn check(&mut self, books: &Books, hosts: &[Host], now: Time) -> Checked {
        while let Some((_, contract)) = self.ahead.first().copied().filter(|(due, _)| *due <= now) {
            self.ahead.pop_first();
            let closed_at = self.claimed.get(&contract).copied().flatten();
            let until = books.due(contract).map(|due| due.after(MARGIN));
            let until = until.or(closed_at.map(|at| at.after(MARGIN_OF_CLAIMS)));
            if let Some(later) = until.filter(|later| *later > now) {
                self.ahead.insert((later, contract));
                continue;
            }
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

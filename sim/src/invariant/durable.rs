//! `durable`: what the bank has answered survives it. An answer leaves only when the record of its command is in
//! the journal, and a bank that starts again finds it there.

use super::{Breach, Checked};
use bank::Record;
use proto::CommandId;
use proto::message::bank::{BankMessage, BankOutcome};
use std::collections::BTreeSet;

/// What is in the journal, and what was promised.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    commands: BTreeSet<CommandId>,
    promised: BTreeSet<CommandId>,
}

impl Durable {
    /// Records are durable.
    pub(crate) fn synced(&mut self, records: &[Record]) {
        self.commands.extend(records.iter().filter_map(command));
    }

    /// An answer leaves.
    pub(crate) fn answered(&mut self, message: &BankMessage) -> Checked {
        let BankMessage::Reply(reply) = message else { return Ok(()) };
        match reply.outcome {
            // Whether an account was opened by this command or before is not told.
            BankOutcome::Refused(_) | BankOutcome::Opened(_) => return Ok(()),
            BankOutcome::Held(_)
            | BankOutcome::Released(_)
            | BankOutcome::Settled(_)
            | BankOutcome::Accepted(_)
            | BankOutcome::Claimed(_)
            | BankOutcome::Disputed(_)
            | BankOutcome::Recorded(_) => {}
        }
        self.promised.insert(reply.command);
        Breach::unless(self.commands.contains(&reply.command), "durable", || {
            format!("the bank answers command {} before its record is durable", reply.command)
        })
    }

    /// The bank has started again from these records.
    pub(crate) fn replayed(&mut self, records: &[Record]) -> Checked {
        self.commands = records.iter().filter_map(command).collect();
        let lost = self.promised.difference(&self.commands).next();
        lost.map_or(Ok(()), |lost| {
            Err(Breach::new(
                "durable",
                format!("command {lost} was answered, and the journal does not have it"),
            ))
        })
    }
}

fn command(record: &Record) -> Option<CommandId> {
    record.command().map(|command| command.body.id)
}

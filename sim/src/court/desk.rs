//! Orders on their way to the bank: each is repeated until the bank has answered it for good.

use proto::message::bank::{BankCommand, BankOutcome, BankReply, Order};
use proto::{CommandId, KeyPair, PublicKey, RefusalCode, Signed};
use std::collections::BTreeMap;

/// What one party has ordered.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: BTreeMap<CommandId, Signed<BankCommand>>,
    answered: BTreeMap<CommandId, BankOutcome>,
}

impl Desk {
    /// Orders something, once, whatever how often it is called.
    pub(super) fn order(&mut self, keys: &KeyPair, bank: PublicKey, id: CommandId, order: Order) {
        if !self.waiting.contains_key(&id) && !self.answered.contains_key(&id) {
            self.waiting.insert(id, bank::client::command(keys, bank, id, order));
        }
    }

    /// What has no answer yet.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Signed<BankCommand>> {
        self.waiting.values()
    }

    /// What became of an order.
    pub(super) fn answer(&self, id: CommandId) -> Option<&BankOutcome> {
        self.answered.get(&id)
    }

    /// Whether the bank has carried an order out.
    pub(super) fn is_done(&self, id: CommandId) -> bool {
        self.answer(id).is_some_and(|outcome| !matches!(outcome, BankOutcome::Refused(_)))
    }

    /// The bank answers.
    pub(super) fn hear(&mut self, reply: BankReply) {
        if is_final(&reply.outcome) && self.waiting.remove(&reply.command).is_some() {
            self.answered.insert(reply.command, reply.outcome);
        }
    }
}

/// Whether it makes no sense to ask again. What has no hold or account yet may have one later, if messages overtake each other.
fn is_final(outcome: &BankOutcome) -> bool {
    let BankOutcome::Refused(refusal) = outcome else { return true };
    !refusal.code.is_retryable() && !matches!(refusal.code, RefusalCode::NoHold | RefusalCode::NoAccount)
}

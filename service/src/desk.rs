//! The node's desk at the bank: orders are signed once, sent until they are answered, and forgotten then.
//!
//! An order keeps its id over all its copies, so the bank carries it out once however many arrive. A bank
//! that is down delays its customers and loses nothing: what is not answered is sent again.

use bank::client;
use proto::message::bank::{BankCommand, BankMessage, BankReply, BankRequest, Order};
use proto::{CommandId, KeyPair, Peer, PublicKey, Signed, Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// The wait before the first repetition of an order; doubled up to [`SLOWEST_REPEAT`].
const FIRST_REPEAT: Span = Span::millis(1_000);
/// The longest wait between two copies of an order.
const SLOWEST_REPEAT: Span = Span::secs(5);

pub(crate) struct Desk {
    bank: Peer,
    keys: KeyPair,
    pending: BTreeMap<CommandId, Pending>,
    outbox: VecDeque<BankMessage>,
}

struct Pending {
    command: Signed<BankCommand>,
    repeat: Span,
    repeat_at: Time,
}

impl Desk {
    pub(crate) const fn new(bank: Peer, keys: KeyPair) -> Self {
        Self { bank, keys, pending: BTreeMap::new(), outbox: VecDeque::new() }
    }

    pub(crate) const fn bank(&self) -> Peer {
        self.bank
    }

    pub(crate) const fn bank_key(&self) -> PublicKey {
        self.bank.key
    }

    pub(crate) fn order(&mut self, id: CommandId, order: Order, now: Time) {
        let command = client::command(&self.keys, self.bank.key, id, order);
        self.outbox.push_back(request(&command));
        let repeat_at = now.after(FIRST_REPEAT);
        self.pending.insert(id, Pending { command, repeat: FIRST_REPEAT, repeat_at });
    }

    /// The reply, if it answers an order that still waits for one.
    pub(crate) fn receive(&mut self, reply: BankReply) -> Option<BankReply> {
        self.pending.remove(&reply.command)?;
        Some(reply)
    }

    pub(crate) fn repeat_what_is_due(&mut self, now: Time) {
        for pending in self.pending.values_mut().filter(|pending| pending.repeat_at <= now) {
            self.outbox.push_back(request(&pending.command));
            pending.repeat = pending.repeat.times(2).min(SLOWEST_REPEAT);
            pending.repeat_at = now.after(pending.repeat);
        }
    }

    pub(crate) fn poll_message(&mut self) -> Option<BankMessage> {
        self.outbox.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.pending.values().map(|pending| pending.repeat_at).min()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }
}

fn request(command: &Signed<BankCommand>) -> BankMessage {
    BankMessage::Request(Box::new(BankRequest { command: command.clone() }))
}

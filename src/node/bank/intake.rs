//! What waits for the bank: a short queue for each key, emptied in turns.
//!
//! Whoever sends more than the bank can do fills its own queue and no other's. When all of them together are too many,
//! the last of the longest queue is sent away. Everybody who is not served is told so, with the time to come back.

use super::quota::{Kind, Quotas};
use proto::message::bank::{BankMessage, BankOutcome, BankReply, Order};
use proto::message::market::RefusedRequest;
use proto::wire::Wire as _;
use proto::{Peer, PublicKey, Refusal, RefusalCode};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

/// Messages of one key that may wait: as many as a connection holds back.
pub(super) const PER_KEY: usize = 1_024;
/// Messages that may wait in all.
pub(super) const IN_ALL: usize = 16_384;
/// Bytes of them, of one key and in all: a single command may have a MiB.
const BYTES_PER_KEY: usize = 4 << 20;
const BYTES_IN_ALL: usize = 64 << 20;
/// What a message of fixed size counts for, and what each payment of a transfer does, in bytes.
const SMALL: usize = 512;
const PAYMENT: usize = 64;

/// A message that waits, or that is sent away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) from: Peer,
    pub(super) message: BankMessage,
    bytes: usize,
}

/// What waits of one key.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

/// All that waits.
#[derive(Debug)]
pub(super) struct Intake {
    quotas: Quotas,
    queues: BTreeMap<PublicKey, Queue>,
    /// Whose turn it is, one after the other: every key with a queue, once.
    turns: VecDeque<PublicKey>,
    /// The same by the lengths of the queues.
    by_length: BTreeSet<(usize, PublicKey)>,
    count: usize,
    bytes: usize,
}

impl Intake {
    pub(super) const fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            queues: BTreeMap::new(),
            turns: VecDeque::new(),
            by_length: BTreeSet::new(),
            count: 0,
            bytes: 0,
        }
    }

    /// How many messages wait.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Takes a message in. What cannot be taken, or has to give way, is answered.
    pub(super) fn offer(
        &mut self,
        from: Peer,
        message: BankMessage,
        now: Instant,
    ) -> Vec<(Peer, BankMessage)> {
        let Some(kind) = Kind::of(&message) else { return Vec::new() };
        if let Err(refusal) = self.quotas.take(from, kind, now) {
            return answer(from, &message, refusal).into_iter().collect();
        }
        let bytes = size(&message);
        let own = self.queues.get(&from.key);
        let (length, own_bytes) = own.map_or((0, 0), |queue| (queue.waiting.len(), queue.bytes));
        if length >= PER_KEY || own_bytes + bytes > BYTES_PER_KEY {
            return answer(from, &message, too_many_of_one(length)).into_iter().collect();
        }
        self.push(from.key, Waiting { from, message, bytes });
        let mut away = Vec::new();
        while self.count > IN_ALL || self.bytes > BYTES_IN_ALL {
            let Some(last) = self.last_of_the_longest() else { break };
            away.extend(answer(last.from, &last.message, too_many()));
        }
        away
    }

    /// The next message, of the key whose turn it is.
    pub(super) fn next(&mut self) -> Option<Waiting> {
        let key = self.turns.pop_front()?;
        let waiting = self.pop(key, VecDeque::pop_front);
        if self.queues.contains_key(&key) {
            self.turns.push_back(key);
        }
        waiting
    }

    fn push(&mut self, key: PublicKey, waiting: Waiting) {
        let queue = self.queues.entry(key).or_default();
        let length = queue.waiting.len();
        if length == 0 {
            self.turns.push_back(key);
        }
        self.by_length.remove(&(length, key));
        self.by_length.insert((length + 1, key));
        self.count += 1;
        self.bytes += waiting.bytes;
        queue.bytes += waiting.bytes;
        queue.waiting.push_back(waiting);
    }

    /// Takes one message out of the queue of `key`. A queue that is empty is gone; its turn is the caller's matter.
    fn pop(
        &mut self,
        key: PublicKey,
        which: impl FnOnce(&mut VecDeque<Waiting>) -> Option<Waiting>,
    ) -> Option<Waiting> {
        let queue = self.queues.get_mut(&key)?;
        let length = queue.waiting.len();
        let waiting = which(&mut queue.waiting)?;
        queue.bytes = queue.bytes.saturating_sub(waiting.bytes);
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        self.by_length.remove(&(length, key));
        if length > 1 {
            self.by_length.insert((length - 1, key));
        } else {
            self.queues.remove(&key);
        }
        Some(waiting)
    }

    fn last_of_the_longest(&mut self) -> Option<Waiting> {
        let (_, key) = self.by_length.last().copied()?;
        let last = self.pop(key, VecDeque::pop_back);
        if !self.queues.contains_key(&key) {
            self.turns.retain(|turn| *turn != key);
        }
        last
    }
}

/// The answer that refuses a message; none for one that asks nothing.
pub(super) fn answer(to: Peer, message: &BankMessage, refusal: Refusal) -> Option<(Peer, BankMessage)> {
    let request = match message {
        BankMessage::Request(request) => {
            let outcome = BankOutcome::Refused(refusal);
            let reply = BankReply { command: request.command.body.id, outcome };
            return Some((to, BankMessage::Reply(Box::new(reply))));
        }
        BankMessage::Enter(enter) => enter.request,
        BankMessage::BalanceQuery(query) => query.request,
        BankMessage::StatementQuery(query) => query.request,
        BankMessage::ReceiptQuery(query) => query.request,
        _ => return None,
    };
    Some((to, BankMessage::Refused(RefusedRequest { request, refusal })))
}

/// About how many bytes a message takes while it waits.
fn size(message: &BankMessage) -> usize {
    let BankMessage::Request(request) = message else { return SMALL };
    match &request.command.body.order {
        Order::Transfer(transfer) => SMALL + PAYMENT * transfer.payments.len(),
        Order::ReleaseHold(_) | Order::Settle(_) | Order::Claim(_) | Order::Dispute(_) | Order::Judge(_) => {
            SMALL + request.command.encode().len()
        }
        Order::OpenAccount(_)
        | Order::PlaceHold(_)
        | Order::Grant(_)
        | Order::Freeze(_)
        | Order::AcceptHold(_) => SMALL,
    }
}

fn too_many_of_one(length: usize) -> Refusal {
    let message = format!("{length} messages of this key wait for the bank already, and no more may");
    Refusal::new(RefusalCode::Quota, message, "wait for some of the answers, then send it again")
}

fn too_many() -> Refusal {
    let message = "the bank has more to do than it can, and this key has the most that waits";
    Refusal::new(RefusalCode::Busy, message, "send it again in a second, with the same id")
}

#[cfg(test)]
mod tests;

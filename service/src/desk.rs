//! The node's desk at the bank: orders are signed once, sent until they are answered, and forgotten then.
//!
//! An order keeps its id over all its copies, so the bank carries it out once however many arrive. A bank
//! that is down delays its customers and loses nothing: what is not answered is sent again.

use bank::client;
use proto::message::bank::{BankCommand, BankMessage, BankOutcome, BankReply, BankRequest, Order};
use proto::{CommandId, KeyPair, Peer, PublicKey, RefusalCode, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The wait before the first repetition of an order; doubled up to [`SLOWEST_REPEAT`].
const FIRST_REPEAT: Span = Span::millis(1_000);
/// The longest wait between two copies of an order.
const SLOWEST_REPEAT: Span = Span::secs(5);
/// How long a bank that has orders to answer says nothing before its customers are told that it does not answer.
const SILENT: Span = Span::secs(5);
/// Orders repeated at once: a bank that comes back is not to be flooded.
const MAX_REPEATED: usize = 256;
/// The pause before more of them.
const REPEAT_PAUSE: Span = Span::millis(50);

pub(crate) struct Desk {
    bank: Peer,
    keys: KeyPair,
    /// Orders without an answer, in the sequence in which they were given.
    pending: BTreeMap<u64, Pending>,
    numbers: BTreeMap<CommandId, u64>,
    due: BTreeSet<(Time, u64)>,
    next: u64,
    resumes: Time,
    /// When the bank last said anything.
    heard: Time,
    outbox: VecDeque<BankMessage>,
}

struct Pending {
    command: Signed<BankCommand>,
    given: Time,
    repeat: Span,
    repeat_at: Time,
}

impl Desk {
    pub(crate) const fn new(bank: Peer, keys: KeyPair) -> Self {
        Self {
            bank,
            keys,
            pending: BTreeMap::new(),
            numbers: BTreeMap::new(),
            due: BTreeSet::new(),
            next: 0,
            resumes: Time(0),
            heard: Time(0),
            outbox: VecDeque::new(),
        }
    }

    pub(crate) const fn bank(&self) -> Peer {
        self.bank
    }

    pub(crate) const fn bank_key(&self) -> PublicKey {
        self.bank.key
    }

    /// Gives an order. The same id again changes nothing while the first one waits for its answer.
    pub(crate) fn order(&mut self, id: CommandId, order: Order, now: Time) {
        if self.numbers.contains_key(&id) {
            return;
        }
        let command = client::command(&self.keys, self.bank.key, id, order);
        self.outbox.push_back(request(&command));
        let (number, repeat_at) = (self.next, now.after(FIRST_REPEAT));
        self.next += 1;
        self.numbers.insert(id, number);
        self.due.insert((repeat_at, number));
        self.pending.insert(number, Pending { command, given: now, repeat: FIRST_REPEAT, repeat_at });
    }

    /// The bank is at another address from now on. What waits is sent there when it is due.
    pub(crate) const fn move_to(&mut self, bank: Peer) {
        self.bank = bank;
    }

    /// The reply, if it answers an order that still waits for one. A bank that is too busy, has enough of this key, has
    /// no room on its disk or has frozen the account is asked again, but for what would be worthless later.
    pub(crate) fn receive(&mut self, reply: BankReply) -> Option<BankReply> {
        let number = *self.numbers.get(&reply.command)?;
        let order = &self.pending.get(&number)?.command.body.order;
        let passes = |code| match order {
            // How many accounts an address may open in a day is the user's matter.
            Order::OpenAccount(_) => code != RefusalCode::Quota && is_passing(code),
            _ => is_passing(code),
        };
        if matches!(&reply.outcome, BankOutcome::Refused(refusal) if passes(refusal.code))
            && is_patient(order)
        {
            return None;
        }
        let pending = self.pending.remove(&number)?;
        self.numbers.remove(&reply.command);
        self.due.remove(&(pending.repeat_at, number));
        Some(reply)
    }

    /// Puts what is due into the outbox, the longest overdue first: after an outage the bank gets the orders in
    /// the sequence in which they were given, and no more at once than it can take.
    pub(crate) fn repeat_what_is_due(&mut self, now: Time) {
        if now < self.resumes {
            return;
        }
        for _ in 0..MAX_REPEATED {
            let Some((at, number)) = self.due.first().copied().filter(|(at, _)| *at <= now) else { return };
            self.due.remove(&(at, number));
            let Some(pending) = self.pending.get_mut(&number) else { continue };
            self.outbox.push_back(request(&pending.command));
            pending.repeat = pending.repeat.times(2).min(SLOWEST_REPEAT);
            pending.repeat_at = now.after(pending.repeat);
            self.due.insert((pending.repeat_at, number));
        }
        self.resumes = now.after(REPEAT_PAUSE);
    }

    pub(crate) fn poll_message(&mut self) -> Option<BankMessage> {
        self.outbox.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| (*at).max(self.resumes))
    }

    /// The bank has said something, whatever it was.
    pub(crate) fn hear(&mut self, now: Time) {
        self.heard = self.heard.max(now);
    }

    /// For how long orders have been without an answer of a bank that says nothing at all, if that is no passing
    /// delay.
    pub(crate) fn silence(&self, now: Time) -> Option<Span> {
        let oldest = self.pending.values().next()?.given;
        Some(now.since(oldest.max(self.heard))).filter(|silence| *silence >= SILENT)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }
}

/// Whether the same order is carried out when something has passed that is not in it.
const fn is_passing(code: RefusalCode) -> bool {
    matches!(code, RefusalCode::Busy | RefusalCode::Quota | RefusalCode::DiskFull | RefusalCode::Frozen)
}

/// Whether an order is worth the same later. What opens a contract is not, since its ticket does not live so long; a
/// dispute that lacks money is told to the user.
const fn is_patient(order: &Order) -> bool {
    !matches!(order, Order::PlaceHold(_) | Order::AcceptHold(_) | Order::Dispute(_) | Order::Transfer(_))
}

fn request(command: &Signed<BankCommand>) -> BankMessage {
    BankMessage::Request(Box::new(BankRequest { command: command.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Refusal;
    use proto::message::bank::{AcceptHold, PlaceHold, ReleaseHold};

    fn id(number: u16) -> CommandId {
        let mut bytes = [0; 16];
        // Ids that do not sort as their orders were given.
        bytes[..2].copy_from_slice(&number.reverse_bits().to_be_bytes());
        CommandId(bytes)
    }

    fn desk(orders: u16) -> Desk {
        let keys = KeyPair::from_secret([1; 32]);
        let mut desk = Desk::new(Peer::new("10.0.0.1:1".parse().unwrap(), 0, keys.public()), keys);
        for number in 0..orders {
            desk.order(id(number), Order::OpenAccount(Box::default()), Time(u64::from(number)));
        }
        desk
    }

    fn sent(desk: &mut Desk) -> Vec<CommandId> {
        std::iter::from_fn(|| desk.poll_message())
            .map(|message| match message {
                BankMessage::Request(request) => request.command.body.id,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn orders_are_repeated_in_their_sequence_and_some_at_a_time() {
        let mut desk = desk(300);
        let all: Vec<_> = (0..300).map(id).collect();
        assert_eq!(sent(&mut desk), all);
        assert_eq!(desk.poll_timeout(), Some(Time(1_000_000)));
        let now = Time(2_000_000);
        desk.repeat_what_is_due(now);
        assert_eq!(sent(&mut desk), all[..256]);
        let later = now.after(REPEAT_PAUSE);
        assert_eq!(desk.poll_timeout(), Some(later));
        desk.repeat_what_is_due(now);
        assert_eq!(sent(&mut desk), []);
        desk.repeat_what_is_due(later);
        assert_eq!(sent(&mut desk), all[256..]);
        assert_eq!(desk.poll_timeout(), Some(now.after(Span::secs(2))));
    }

    /// Whether an order is kept when it is refused so.
    fn check_kept(order: Order, code: RefusalCode, expected: bool) {
        let mut desk = desk(0);
        desk.order(id(0), order, Time(0));
        let outcome = BankOutcome::Refused(Refusal::new(code, "not now", ""));
        let answer = desk.receive(BankReply { command: id(0), outcome });
        assert_eq!((answer.is_none(), desk.waiting() == 1), (expected, expected), "{code:?}");
    }

    #[test]
    fn what_the_bank_cannot_do_now_is_asked_again_unless_it_would_be_worthless() {
        let hold = PlaceHold {
            seller: PublicKey([1; 32]),
            ticket: proto::Hash([0; 32]),
            amount: proto::Money(1),
            expires_in: Span::secs(1),
        };
        let account = || Order::OpenAccount(Box::default());
        let release = ReleaseHold { hold: id(1), declined: None, report: None };
        for code in [RefusalCode::Busy, RefusalCode::Quota, RefusalCode::DiskFull, RefusalCode::Frozen] {
            // How many accounts an address may open in a day does not pass soon.
            check_kept(account(), code, code != RefusalCode::Quota);
            check_kept(Order::ReleaseHold(Box::new(release.clone())), code, true);
            check_kept(Order::PlaceHold(hold), code, false);
            check_kept(Order::AcceptHold(AcceptHold { hold: id(1) }), code, false);
        }
        for code in [RefusalCode::WrongState, RefusalCode::HoldClosed, RefusalCode::NotAdmitted] {
            check_kept(account(), code, false);
        }
    }

    #[test]
    fn a_bank_is_silent_when_it_has_orders_to_answer_and_says_nothing() {
        let mut desk = desk(2);
        let check = |desk: &Desk, at: u64, expected: Option<u64>| {
            assert_eq!(desk.silence(Time(at)), expected.map(Span), "at {at}");
        };
        check(&desk, 4_999_999, None);
        check(&desk, 5_000_000, Some(5_000_000));
        desk.hear(Time(2_000_000));
        check(&desk, 6_999_999, None);
        check(&desk, 9_000_000, Some(7_000_000));
        for n in 0..2 {
            desk.receive(BankReply { command: id(n), outcome: refused() });
        }
        check(&desk, u64::MAX, None);
    }

    fn refused() -> BankOutcome {
        BankOutcome::Refused(Refusal::new(RefusalCode::NoSlot, "full", ""))
    }

    #[test]
    fn an_answer_ends_an_order() {
        let mut desk = desk(1);
        let reply = |outcome| BankReply { command: id(0), outcome };
        assert_eq!(desk.receive(reply(refused())), Some(reply(refused())));
        assert_eq!(desk.receive(reply(refused())), None);
        assert_eq!((desk.waiting(), desk.poll_timeout()), (0, None));
    }
}

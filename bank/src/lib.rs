//! Whose money it is, and that none appears or vanishes.
//!
//! A pure ledger of double entry over a journal of records (see [`Record`]), with holds that are settled,
//! released or expire, each once; and beside it the bootstrap registry, which tells newcomers their place in
//! the ring and some live nodes. Nothing here reads a clock, draws its own randomness or touches a disk: a
//! [`Bank`] takes an [`Input`] with the time at which it came, and gives [`Output`]s.
//!
//! What the driver owes the bank: it executes outputs in their order, makes an [`Output::Append`] durable before
//! it executes what stands behind it, calls [`Bank::handle`] with [`Input::Timeout`] at
//! [`Bank::poll_timeout`], and stops for good at [`Output::Halt`].

mod account;
mod admission;
mod answer;
mod arbiter;
mod bootstrap;
#[cfg(test)]
mod bounds;
mod check;
pub mod client;
mod deadline;
mod deal;
mod decide;
mod entrance;
mod escrow;
mod fingerprint;
mod hold;
mod index;
pub mod journal;
mod ledger;
mod lines;
mod memory;
#[cfg(test)]
mod mutants;
mod notice;
mod parties;
pub mod receipt;
mod record;
mod replay;
mod search;
mod settlement;
mod slab;
mod snapshot;
mod standing;
pub mod store;
mod transfer;

pub use arbiter::MAX_CANDIDATES;
pub use bootstrap::{ALIVE_FOR, FOUNDING_GRACE, MAX_NODES, PEERS_GIVEN};
pub use check::Violation;
pub use deal::{
    ARBITER_WAIT, Deed, MAX_ARBITERS, MAX_OPEN_DISPUTES, Mover, Next, OUTAGE_AFTER, OUTAGE_GRACE, Row, State,
    TABLE, Until,
};
pub use decide::MAX_ACCOUNTS;
pub use entrance::Checked;
pub use escrow::Escrow;
pub use hold::{MAX_HOLD, MAX_OPEN_HOLDS, MIN_HOLD};
pub use lines::{Movement, movements};
pub use memory::{IDEMPOTENCY_WINDOW, REMEMBERED_PER_ACCOUNT};
pub use notice::MAX_NOTICES;
pub use record::{Event, FORMAT, MAX_COMMAND, Network, NotARecord, Record, genesis};
pub use replay::{Replay, ReplayError, audit};
pub use search::{Query, Search, answer};
pub use settlement::{COMPENSATION_PERCENT, MAX_DISPUTED_OFFER, bond};
pub use standing::STANDING_TTL;

use bootstrap::Registry;
use decide::{Counter, Decision, decide, no_account};
use fingerprint::Fingerprint;
use ledger::Ledger;
use proto::message::bank::{
    Balance, BalanceQuery, BalanceReply, BankCommand, BankMessage, BankOutcome, BankReply,
};
use proto::message::market::RefusedRequest;
use proto::{Hash, KeyPair, Money, Peer, PublicKey, Refusal, RefusalCode, RequestId, Rules, Signed, Time};
use std::collections::VecDeque;

/// What a bank is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The bank's key: its name in commands, and what it signs receipts with.
    pub keys: KeyPair,
    /// The rules of the network.
    pub rules: Rules,
}

/// What comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message from a node whose key the channel has authenticated.
    Receive {
        /// Whose.
        from: Peer,
        /// The message.
        message: BankMessage,
    },
    /// A request from such a node, of which the driver has verified the signature on a thread of its own. It comes to the
    /// same as [`Input::Receive`] of its message.
    Checked {
        /// Whose.
        from: Peer,
        /// The command.
        command: Box<Checked>,
    },
    /// The moment of [`Bank::poll_timeout`] has come.
    Timeout,
}

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To be appended to the journal, and durable before anything behind it is executed.
    Append(Record),
    /// To be sent.
    Send {
        /// To whom.
        to: Peer,
        /// The message.
        message: BankMessage,
    },
    /// To be looked up in the journal and answered.
    Search(Search),
    /// The ledger is broken, and the record that broke it was not appended. The bank refuses everything from
    /// now on; a new one replays the journal up to the last good record.
    Halt(Violation),
}

/// The bank's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Accounts.
    pub accounts: usize,
    /// Holds that are open.
    pub open_holds: usize,
    /// Records of the journal.
    pub records: u64,
    /// All that was issued.
    pub issued: Money,
    /// Of it, what can be spent.
    pub available: Money,
    /// Of it, what is set aside.
    pub held: Money,
}

/// The bank with the bootstrap registry.
#[derive(Debug)]
pub struct Bank {
    config: Config,
    ledger: Ledger,
    registry: Registry,
    outputs: VecDeque<Output>,
    halted: Option<Violation>,
    /// Whether there is room for more records.
    has_room: bool,
    /// Whether nothing came in yet since the journal was replayed, or since there is room for it again.
    is_back: bool,
}

impl Bank {
    /// A bank without accounts. `seed` draws which nodes a newcomer is told.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32], now: Time) -> Self {
        let ledger = Ledger::new(config.keys.public());
        Self::with_ledger(config, seed, ledger, now)
    }

    /// The bank that wrote these records. `now` is when it starts. Holds that expired meanwhile expire at the next input or timeout.
    ///
    /// # Errors
    /// Records that are not the complete history of this bank's ledger from its first record on.
    pub fn replay(
        config: Config,
        seed: [u8; 32],
        now: Time,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Self, ReplayError> {
        let mut replay = Replay::new(config.keys.public());
        records.into_iter().try_for_each(|record| replay.follow(&record))?;
        Self::resume(config, seed, now, replay)
    }

    /// The bank whose ledger was rebuilt by `replay`. `now` is when it starts.
    ///
    /// # Errors
    /// A ledger that is not whole.
    pub fn resume(config: Config, seed: [u8; 32], now: Time, replay: Replay) -> Result<Self, ReplayError> {
        let ledger = replay.finish()?;
        let has_just_started = ledger.sequence > 0;
        let may_found = if has_just_started { now.after(FOUNDING_GRACE) } else { now };
        Ok(Self { is_back: has_just_started, ..Self::with_ledger(config, seed, ledger, may_found) })
    }

    /// Takes an input that came at `now`. Whatever it holds, the bank goes on.
    pub fn handle(&mut self, input: Input, now: Time) {
        self.registry.lapse(now);
        if self.has_room {
            self.resume_quietly(now);
            self.expire(now);
        }
        match input {
            Input::Receive { from, message } => self.receive(from, message, now),
            Input::Checked { from, command } => self.answer(from, &command, now),
            Input::Timeout => {}
        }
        if self.has_room {
            self.name_arbiters(now);
        }
    }

    /// The next output, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the bank wants to be woken: the first hold expires or the first node lapses.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let expiry = self.ledger.next_deadline().filter(|_| self.halted.is_none() && self.has_room);
        [expiry, self.registry.first_lapse()].into_iter().flatten().min()
    }

    /// The invariants, as far as the last record can have broken them; and whether the bank has stopped.
    ///
    /// # Errors
    /// What is broken.
    pub fn check(&self) -> Result<(), Violation> {
        self.halted.clone().map_or_else(|| check::check_touched(&self.ledger), Err)
    }

    /// All invariants, counted again from all accounts and holds.
    ///
    /// # Errors
    /// What is broken.
    pub fn check_all(&self) -> Result<(), Violation> {
        self.check()?;
        check::check_all(&self.ledger)
    }

    /// What `account` has.
    #[must_use]
    pub fn balance(&self, account: PublicKey) -> Option<Balance> {
        self.ledger.accounts.find(account).map(|found| found.balance(account))
    }

    /// What all accounts have, in the order in which they were made.
    pub fn accounts(&self) -> impl Iterator<Item = Balance> {
        self.ledger.accounts.iter().map(|(key, account)| account.balance(key))
    }

    /// Whether the operator has frozen `account`.
    #[must_use]
    pub fn is_frozen(&self, account: PublicKey) -> bool {
        self.ledger.accounts.find(account).is_some_and(|found| found.is_frozen)
    }

    /// The bank's figures.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.ledger)
    }

    /// The chain of the last record, or [`genesis`]: a hash of the whole history.
    #[must_use]
    pub const fn head(&self) -> Hash {
        self.ledger.head
    }

    /// Without room for records the bank decides nothing new, and what time would end waits; what was executed before
    /// and balances are told. With room again it goes on as after an outage.
    pub const fn set_room(&mut self, has_room: bool) {
        self.is_back |= has_room && !self.has_room;
        self.has_room = has_room;
    }

    /// Goes back to the ledger that `replay` rebuilt from the store: what was decided and not kept has not happened. Its
    /// outputs, which the driver has not executed, are forgotten.
    ///
    /// # Errors
    /// A ledger that is not whole; the bank is then as it was.
    pub fn rewind(&mut self, replay: Replay) -> Result<(), ReplayError> {
        self.ledger = replay.finish()?;
        self.outputs.clear();
        Ok(())
    }

    /// A hash of all that the ledger holds: the same for every ledger that came from the same records, and the last 32
    /// bytes of [`Replay::snapshot`]. It looks at everything, so it is for checks and not for every record.
    #[must_use]
    pub fn state_hash(&self) -> Hash {
        snapshot::write(&self.ledger).1
    }

    /// The nodes that were alive at the last input, by key.
    pub fn live_nodes(&self) -> impl Iterator<Item = Peer> {
        self.registry.live_nodes()
    }

    fn receive(&mut self, from: Peer, message: BankMessage, now: Time) {
        match message {
            BankMessage::Enter(enter) => {
                let message = match self.registry.enter(from, enter, &self.config.rules, now) {
                    Ok(entered) => BankMessage::Entered(Box::new(entered)),
                    Err(refusal) => refused(enter.request, refusal),
                };
                self.send(from, message);
                for notice in notice::on_entering(&self.ledger, &self.config.keys, from.key) {
                    self.send(from, notice);
                }
            }
            BankMessage::Departed(_) => self.registry.depart(from.key),
            BankMessage::Request(request) => {
                let checked = Checked::unverified(request.command);
                self.answer(from, &checked, now);
            }
            BankMessage::BalanceQuery(BalanceQuery { request }) => {
                let message = match self.ask_balance(from.key) {
                    Ok(balance) => self.tell_balance(request, balance, now),
                    Err(refusal) => refused(request, refusal),
                };
                self.send(from, message);
            }
            BankMessage::StatementQuery(query) => self.search(from, Query::Statement(query)),
            BankMessage::ReceiptQuery(query) => self.search(from, Query::Receipt(query)),
            BankMessage::Entered(_)
            | BankMessage::Reply(_)
            | BankMessage::BalanceReply(_)
            | BankMessage::Refused(_)
            | BankMessage::Statement(_)
            | BankMessage::Receipt(_)
            | BankMessage::Claimed(_)
            | BankMessage::Appointed(_)
            | BankMessage::Ended(_) => {}
        }
    }

    fn with_ledger(config: Config, seed: [u8; 32], ledger: Ledger, may_found: Time) -> Self {
        Self {
            config,
            ledger,
            registry: Registry::new(seed, may_found),
            outputs: VecDeque::new(),
            halted: None,
            has_room: true,
            is_back: false,
        }
    }

    fn search(&mut self, from: Peer, query: Query) {
        self.outputs.push_back(Output::Search(Search { from, query }));
    }

    fn send(&mut self, to: Peer, message: BankMessage) {
        self.outputs.push_back(Output::Send { to, message });
    }

    /// Executes a command and sends its outcome.
    fn answer(&mut self, from: Peer, checked: &Checked, now: Time) {
        let outcome = self.execute(from, checked, now).unwrap_or_else(BankOutcome::Refused);
        let reply = BankReply { command: checked.command.body.id, outcome };
        self.send(from, BankMessage::Reply(Box::new(reply)));
    }

    fn execute(&mut self, from: Peer, checked: &Checked, now: Time) -> Result<BankOutcome, Refusal> {
        self.is_running()?;
        let (sender, command) = (from.key, &checked.command);
        checked.admit(sender, self.config.keys.public())?;
        let fingerprint = checked.fingerprint();
        if let Some(outcome) = self.recall(command, &fingerprint)? {
            return Ok(outcome);
        }
        if !self.has_room {
            return Err(disk_full());
        }
        let time = self.ledger.next_time(now).ok_or_else(|| {
            Refusal::new(RefusalCode::Overflow, "the ledger has come to the end of its time", "")
        })?;
        let desk = Counter {
            ledger: &self.ledger,
            rules: &self.config.rules,
            bank: self.config.keys.public(),
            network: Network::of(from.addr.ip()),
            time,
        };
        if let Decision::Happens(event) = decide(&desk, command)? {
            self.commit(event, time);
            self.is_running()?;
        }
        match self.recall(command, &fingerprint)? {
            Some(outcome) => Ok(outcome),
            None => self.ask_balance(sender).map(BankOutcome::Opened),
        }
    }

    /// The answer to a command that was executed before; a refusal if its id was used for another one.
    fn recall(
        &self,
        command: &Signed<BankCommand>,
        now: &Fingerprint,
    ) -> Result<Option<BankOutcome>, Refusal> {
        let id = command.body.id;
        let Some(known) = self.ledger.memory.find(id) else { return Ok(None) };
        let then = &known.executed.fingerprint;
        if then == now {
            return Ok(answer::outcome(known, command, &self.config.keys));
        }
        let is_known = self.ledger.is_known(command.signer);
        let difference = if is_known && known.lane == self.ledger.lane(command.signer) {
            then.difference(now)
        } else {
            "it was another account's".to_owned()
        };
        let message = format!("the id {id} was used before for another command: {difference}");
        Err(Refusal::new(RefusalCode::IdReused, message, "use a new random id for each command"))
    }

    fn ask_balance(&self, account: PublicKey) -> Result<Balance, Refusal> {
        self.is_running()?;
        self.balance(account).ok_or_else(|| no_account(account))
    }

    fn tell_balance(&self, request: RequestId, balance: Balance, now: Time) -> BankMessage {
        let standing = self.ledger.standings.of(balance.account, now);
        let standing = Signed::new(standing, &self.config.keys);
        BankMessage::BalanceReply(Box::new(BalanceReply { request, balance, standing }))
    }

    fn commit(&mut self, event: Event, time: Time) {
        let mut notices = notice::before(&self.ledger, &event);
        let record = self.ledger.seal(event, time);
        if let Err(violation) = self.ledger.apply(&record) {
            return self.halt(violation);
        }
        notices.extend(notice::after(&self.ledger, &self.config.keys, &record.event));
        self.outputs.push_back(Output::Append(record));
        for (to, message) in notice::addressed(&self.registry, notices) {
            self.outputs.push_back(Output::Send { to, message });
        }
    }

    fn halt(&mut self, violation: Violation) {
        self.halted = Some(violation.clone());
        self.outputs.push_back(Output::Halt(violation));
    }

    fn is_running(&self) -> Result<(), Refusal> {
        let Some(violation) = &self.halted else { return Ok(()) };
        let message = format!("the bank has stopped: {violation}");
        Err(Refusal::new(RefusalCode::Busy, message, "its operator has to look at the journal"))
    }
}

impl Totals {
    fn of(ledger: &Ledger) -> Self {
        let money = |sum: i128| Money(u64::try_from(sum).unwrap_or(u64::MAX));
        let (available, held) = ledger.accounts.sums();
        Self {
            accounts: ledger.accounts.count(),
            open_holds: ledger.holds.count(),
            records: ledger.sequence,
            issued: money(ledger.accounts.issued()),
            available: money(available),
            held: money(held),
        }
    }
}

/// The refusal of a bank whose store is full.
#[must_use]
pub fn disk_full() -> Refusal {
    let message = "the bank's disk is full: nothing is lost, and nothing new is accepted until there is room";
    Refusal::new(RefusalCode::DiskFull, message, "try again later; its operator has to make room")
}

fn refused(request: RequestId, refusal: Refusal) -> BankMessage {
    BankMessage::Refused(RefusedRequest { request, refusal })
}

//! `compup2p bank serve`: the bank and bootstrap server as a process.
//!
//! What arrives while the disk syncs is decided together and made durable by one sync (group commit); only
//! then do the answers leave. The ledger is rebuilt from snapshot and journal at the start; a torn last group, which no
//! answer was sent for, is cut off.

#[cfg(test)]
mod conformance;
mod disk;
mod exchange;
mod keeper;
mod place;
mod postgres;
mod searcher;
mod writer;

pub(crate) use exchange::{Exchanged, export_to, import_from};
pub(crate) use place::Place;
pub(crate) use postgres::Address;

use super::clock::Clock;
use super::rules;
use crate::cli::{BankOptions, exit};
use crate::control::Failure;
use crate::net::identity;
use crate::net::store::Store;
use crate::net::{Event, Net};
use crate::output;
use bank::Bank;
use bank::store::StoreError;
use keeper::Keeper;
use proto::message::Message;
use proto::{Bytes, KeyPair, Rules};
use searcher::Searcher;
use std::sync::Arc;
use tokio::sync::mpsc;
use writer::{Done, Group, Writer};

/// Messages that wait for the bank; senders feel the back-pressure beyond it.
const INBOX: usize = 8_192;
/// Messages decided between two syncs at most.
const GROUP: usize = 4_096;
/// What the store of a bank may hold: nothing is served from it.
const STORE_QUOTA: Bytes = Bytes::mib(1);

/// Serves until it is told to end.
pub(crate) async fn run_bank(options: BankOptions) -> Result<(), Failure> {
    let home = &options.home;
    super::start::make_home(home).map_err(|e| Failure::disk("create the directory", home, &e))?;
    let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
    let base = if options.local_rules { Rules::LOCAL } else { Rules::PUBLIC };
    let rules = rules::of_network(home, base, &options.founding)?;
    let clock = Clock::start();
    let place = Place::of(home, options.store.as_ref());
    let (bank, writer, keeper) = open(&place, keys.clone(), rules, &clock)?;
    let store = Store::open(&home.join("store"), STORE_QUOTA).map_err(Failure::from_display("store"))?;
    let (inbox, events) = mpsc::channel(INBOX);
    let net = Net::start(options.listen, keys.clone(), Arc::new(store), inbox).await;
    let net = net.map_err(Failure::from_display("listen"))?;
    net.set_slot_limit(rules.slot_limit);
    output::ready(net.address(), keys.public(), home, options.tied);
    let past = place.reader(keys.public()).map_err(|e| place.failure(&e))?;
    let searcher = Searcher::start(past, keys, net.clone()).map_err(Failure::from_display("threads"))?;
    let mut driver = Driver { bank, writer, keeper, searcher, net: net.clone(), clock };
    let served = tokio::select! {
        served = driver.serve(events) => served,
        () = super::told::to_end(options.tied) => Ok(()),
    };
    let served = match served {
        Ok(()) => driver.finish().await,
        failed => failed,
    };
    net.shutdown().await;
    served
}

struct Driver {
    bank: Bank,
    writer: Writer,
    keeper: Keeper,
    searcher: Searcher,
    net: Net,
    clock: Clock,
}

impl Driver {
    async fn serve(&mut self, mut events: mpsc::Receiver<Event>) -> Result<(), Failure> {
        let mut group = Vec::new();
        loop {
            let deadline = self.bank.poll_timeout().map(|time| self.clock.instant(time));
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                done = self.writer.done() => {
                    self.follow(done.map_err(|e| kept(&e))?)?;
                    continue;
                }
                count = events.recv_many(&mut group, GROUP), if self.writer.is_free() => {
                    if count == 0 {
                        return Ok(());
                    }
                }
                () = sleep, if self.writer.is_free() => self.bank.handle(bank::Input::Timeout, self.clock.now()),
            }
            for event in group.drain(..) {
                if let Event::Received { from, message: Message::Bank(message) } = event {
                    self.bank.handle(bank::Input::Receive { from, message }, self.clock.now());
                }
            }
            self.carry_out()?;
        }
    }

    /// Gives everything decided to the store's thread as one group. Its answers leave when it is durable.
    fn carry_out(&mut self) -> Result<(), Failure> {
        let mut group = Group { next: self.bank.totals().records, ..Group::default() };
        while let Some(output) = self.bank.poll_output() {
            match output {
                bank::Output::Append(record) => group.records.push(record),
                bank::Output::Send { to, message } => group.answers.push((to, message)),
                bank::Output::Search(search) => {
                    if let Err(search) = self.searcher.ask(search) {
                        group.answers.push((search.from, searcher::busy(&search)));
                    }
                }
                bank::Output::Halt(violation) => return Err(Failure::broken_books(&violation.to_string())),
            }
        }
        if !(group.records.is_empty() && group.answers.is_empty()) {
            self.writer.commit(group);
        }
        Ok(())
    }

    /// Follows what the store's thread tells.
    fn follow(&mut self, done: Done) -> Result<(), Failure> {
        match done {
            Done::Durable(group) => {
                self.keeper.note(group.next);
                self.answer(group);
            }
            Done::Refused(group) => self.answer(group),
            Done::Rewind(replay) => {
                self.bank.rewind(*replay).map_err(Failure::from_display("journal"))?;
                self.writer.rewound();
            }
            Done::Room(true) => {
                tracing::info!("there is room on the disk again: the bank goes on");
                self.bank.set_room(true);
            }
            Done::Room(false) => {
                tracing::error!(
                    "the disk is full: nothing is lost, and the bank accepts nothing new until there is room"
                );
                self.bank.set_room(false);
            }
        }
        Ok(())
    }

    fn answer(&self, group: Group) {
        for (to, message) in group.answers {
            self.net.send(to, Message::Bank(message));
        }
    }

    /// What was decided becomes durable and is answered, and a snapshot makes the next start quick.
    async fn finish(mut self) -> Result<(), Failure> {
        self.carry_out()?;
        while !self.writer.is_idle() {
            let done = self.writer.done().await.map_err(|e| kept(&e))?;
            self.follow(done)?;
        }
        self.keeper.finish(self.bank.totals().records);
        Ok(())
    }
}

/// The ledger as the store at `place` has it, and the threads that keep it so.
fn open(
    place: &Place,
    keys: KeyPair,
    rules: Rules,
    clock: &Clock,
) -> Result<(Bank, Writer, Keeper), Failure> {
    let key = keys.public();
    let (mut store, known) = place.open(key, super::random::bytes()?).map_err(|e| place.failure(&e))?;
    let replay = writer::rebuild(&mut *store, key).map_err(|e| place.failure(&e))?;
    let beside = place.reader(key).map_err(|e| place.failure(&e))?;
    let config = bank::Config { keys, rules };
    let bank = Bank::resume(config, super::random::bytes()?, clock.now(), replay);
    let bank = bank.map_err(Failure::from_display("journal"))?;
    let threads = Writer::start(store, key)
        .and_then(|writer| Keeper::start(beside, key, known).map(|keeper| (writer, keeper)));
    let (writer, keeper) = threads.map_err(Failure::from_display("threads"))?;
    Ok((bank, writer, keeper))
}

/// Why the bank ends or does not start, and what its operator does about it.
fn kept(error: &StoreError) -> Failure {
    let (code, hint) = match error {
        StoreError::Full { .. } => ("disk_full", "make room and start the bank again: nothing is lost"),
        StoreError::Damaged(_) => {
            ("journal", "keep the files as they are, and restore a copy or promote a standby")
        }
        StoreError::Foreign { .. } => ("journal", "each bank has a directory of its own: see --home"),
        StoreError::Fenced { .. } => ("fenced", "one process writes to a journal: end the other one first"),
        StoreError::Failed { what, .. } if *what == postgres::REACH => {
            let hint =
                "look after the database, then start the bank again: what it has acknowledged is there";
            let failure = Failure::new("store_unreachable", error.to_string(), exit::UNREACHABLE);
            return Failure { retryable: true, ..failure.hint(hint) };
        }
        StoreError::Failed { .. } => {
            ("disk", "look after the disk, then start the bank again: what it has acknowledged is there")
        }
    };
    Failure::new(code, error.to_string(), exit::FAILED).hint(hint)
}

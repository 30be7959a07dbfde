//! `compup2p bank serve`: the bank and bootstrap server as a process.
//!
//! What arrives is queued by key and decided in turns (`intake`); what is decided together is made durable by one sync
//! while the next group is decided (`writer`); only then do the answers leave, and if the operator wants it so, only
//! when a standby has it too (`follow`). The ledger is rebuilt from snapshot and journal at the start; a torn last group,
//! which no answer was sent for, is cut off.

#[cfg(test)]
mod conformance;
mod disk;
mod exchange;
mod follow;
mod intake;
mod keeper;
mod kept;
mod offline;
mod operator;
mod place;
mod postgres;
mod quota;
mod role;
mod searcher;
mod signatures;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub(crate) use disk::Directory;
pub(crate) use exchange::{Exchanged, export_to, import_from};
pub(crate) use follow::Mode;
pub(crate) use offline::promote;
pub(crate) use place::Place;
pub(crate) use postgres::Address;
pub(crate) use quota::ORDERS_PER_KEY;
pub(crate) use verify::verify;

use super::clock::Clock;
use super::control::{self, Calls};
use super::rules;
use super::told::{Outside, Told};
use crate::cli::BankOptions;
use crate::control::{Failure, SOCKET};
use crate::net::store::Store;
use crate::net::{Event, Following, Net, identity};
use crate::output;
use bank::{Bank, genesis};
use follow::{Followed, Gate, Lead, Tail};
use intake::Intake;
use keeper::Keeper;
use operator::Ordered;
use proto::message::Message;
use proto::message::bank::BankMessage;
use proto::{Bytes, CommandId, KeyPair, Peer, Rules};
use quota::Quotas;
use role::Role;
use searcher::Searcher;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use writer::{Done, Group, Writer};

/// Messages that wait to be sorted into queues; senders feel the back-pressure beyond it.
const INBOX: usize = 8_192;
/// Messages sorted at once: fewer than may wait on the way to one peer, so that whoever is refused all of them hears it.
const ARRIVALS: usize = 256;
/// Messages decided between two syncs at most.
const GROUP: usize = 4_096;
/// What the store of a bank may hold: nothing is served from it.
const STORE_QUOTA: Bytes = Bytes::mib(1);
/// How often the bank looks whether its standby is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves until it is told to end.
pub(crate) async fn run_bank(options: BankOptions) -> Result<(), Failure> {
    let home = &options.home;
    super::start::make_home(home).map_err(|e| Failure::disk("create the directory", home, &e))?;
    let socket = home.join(SOCKET);
    let mut calls = control::serve(&socket).map_err(|e| Failure::no_socket(home, &e))?;
    let mut outside = Outside::new(options.tied);
    let ended = run(&options, &mut calls, &mut outside).await;
    // The socket of a bank that has ended would only mislead; a next start replaces it in any case.
    let _is_removed = std::fs::remove_file(&socket).is_ok();
    ended
}

async fn run(options: &BankOptions, calls: &mut Calls, outside: &mut Outside) -> Result<(), Failure> {
    let home = &options.home;
    let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
    if let Some(leader) = &options.follow {
        follow::may_follow(leader, keys.public())?;
        let place = leader.place();
        output::follows(&place, keys.public(), home, options.tied);
        match follow::follow(home, &keys, &place, calls, outside).await? {
            Followed::Ended => return Ok(()),
            Followed::Promoted => tracing::warn!("this standby is the bank from now on"),
        }
    }
    let role = Role::read(home)?;
    role.may_serve()?;
    let (mut driver, events) = start(options, keys.clone(), &role).await?;
    output::serves(&driver.serving(), options.tied, options.is_json);
    let (net, followers) = (driver.net.clone(), driver.net.followers());
    let served = tokio::select! {
        served = driver.serve(events, followers, calls) => served,
        () = ends(outside) => Ok(()),
        () = fence_former(home, keys, &role) => Ok(()),
    };
    let served = match served {
        Ok(()) => driver.finish().await,
        failed => failed,
    };
    net.shutdown().await;
    served
}

/// Opens the store, listens, and starts the threads.
async fn start(
    options: &BankOptions,
    keys: KeyPair,
    role: &Role,
) -> Result<(Driver, mpsc::Receiver<Event>), Failure> {
    let home = &options.home;
    let base = if options.local_rules { Rules::LOCAL } else { Rules::PUBLIC };
    let rules = rules::of_network(home, base, &options.founding)?;
    let clock = Clock::start();
    let key = keys.public();
    let place = Place::of(home, options.store.as_ref());
    let (mut store, known) = place.open(key, super::random::bytes()?).map_err(|e| place.failure(&e))?;
    let replay = writer::rebuild(&mut *store, key).map_err(|e| place.failure(&e))?;
    let records = replay.next();
    let config = bank::Config { keys: keys.clone(), rules };
    let bank = Bank::resume(config, super::random::bytes()?, clock.now(), replay);
    let bank = bank.map_err(Failure::from_display("journal"))?;
    let contents = Store::open(&home.join("store"), STORE_QUOTA).map_err(Failure::from_display("store"))?;
    let (inbox, events) = mpsc::channel(INBOX);
    let net = Net::start(options.listen, keys.clone(), Arc::new(contents), inbox).await;
    let net = net.map_err(Failure::from_display("listen"))?;
    net.set_slot_limit(rules.slot_limit);
    let tail = Arc::new(Tail::new(role.clone(), rules, records));
    let past = || place.reader(key).map_err(|e| place.failure(&e));
    let threads = Failure::from_display("threads");
    let driver = Driver {
        bank,
        writer: Writer::start(store, key).map_err(&threads)?,
        keeper: Keeper::start(past()?, key, known).map_err(&threads)?,
        searcher: Searcher::start(past()?, keys.clone(), net.clone()).map_err(&threads)?,
        intake: Intake::new(Quotas::new(options.orders_per_second)),
        gate: Gate::new(options.standby),
        standby: tail.watch_standby(),
        tail,
        ordered: BTreeMap::new(),
        net,
        clock,
        home: home.clone(),
        place,
        keys,
        rules,
        epoch: role.epoch,
        mode: options.standby,
        orders_per_second: options.orders_per_second,
    };
    Ok((driver, events))
}

/// Tells the bank that this one was promoted over that it is no longer one. Does not come to an end.
async fn fence_former(home: &Path, keys: KeyPair, role: &Role) {
    if let Some(former) = &role.former {
        follow::fence(keys, former.clone(), role.epoch).await;
        // Once it has heard, it need not be told again after a restart.
        let told = Role { former: None, ..role.clone() };
        if let Err(failure) = told.write(home) {
            tracing::warn!("{}", failure.message);
        }
    }
    std::future::pending().await
}

/// Waits until the process is told to end.
async fn ends(outside: &mut Outside) {
    while outside.next().await != Told::End {}
}

struct Driver {
    bank: Bank,
    writer: Writer,
    keeper: Keeper,
    searcher: Searcher,
    intake: Intake,
    gate: Gate,
    tail: Arc<Tail>,
    standby: watch::Receiver<follow::Standby>,
    /// The operator's orders without an answer.
    ordered: BTreeMap<CommandId, Ordered>,
    net: Net,
    clock: Clock,
    home: PathBuf,
    /// Where the journal is.
    place: Place,
    keys: KeyPair,
    rules: Rules,
    epoch: u64,
    mode: Mode,
    orders_per_second: u32,
}

impl Driver {
    async fn serve(
        &mut self,
        mut events: mpsc::Receiver<Event>,
        mut followers: mpsc::Receiver<Following>,
        calls: &mut Calls,
    ) -> Result<(), Failure> {
        let mut arrived = Vec::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut standby, mut fenced) = (self.standby.clone(), self.tail.watch_fenced());
        loop {
            let can_decide = self.writer.is_free() && !self.gate.is_full();
            let is_waiting = self.intake.count() > 0;
            let deadline = self.bank.poll_timeout().map(|time| self.clock.instant(time));
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                count = events.recv_many(&mut arrived, ARRIVALS) => {
                    if count == 0 {
                        return Ok(());
                    }
                    self.sort(&mut arrived);
                }
                () = sleep, if can_decide => self.bank.handle(bank::Input::Timeout, self.clock.now()),
                () = std::future::ready(()), if can_decide && is_waiting => {}
                done = self.writer.done() => self.follow(done.map_err(|e| self.place.failure(&e))?)?,
                Some(call) = calls.receiver.recv() => self.answer_call(call),
                Some(following) = followers.recv() => { tokio::spawn(self.lead().lead(following)); }
                Ok(()) = standby.changed() => self.release(),
                Ok(()) = fenced.changed() => return self.fence(*fenced.borrow()),
                _ = look.tick() => {}
            }
            if self.writer.is_free() && !self.gate.is_full() {
                self.decide()?;
            }
        }
    }

    /// Sorts what has arrived into the queues of its senders.
    fn sort(&mut self, arrived: &mut Vec<Event>) {
        let now = Instant::now();
        for event in arrived.drain(..) {
            if let Event::Received { from, message: Message::Bank(message) } = event {
                for (to, answer) in self.intake.offer(from, message, now) {
                    self.net.send(to, Message::Bank(answer));
                }
            }
        }
    }

    /// Decides what waits, as much as goes into one group, and hands it to the writer.
    fn decide(&mut self) -> Result<(), Failure> {
        let mut accepted = Vec::new();
        for _ in 0..GROUP {
            let Some(waiting) = self.intake.next() else { break };
            match self.refuse_if_closed(&waiting.message) {
                Some(refusal) => self.net.send(waiting.from, Message::Bank(refusal)),
                None => accepted.push(waiting),
            }
        }
        for input in signatures::verified(accepted) {
            self.bank.handle(input, self.clock.now());
        }
        self.carry_out()
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
                self.became_durable(group);
            }
            Done::Refused(group) => self.deliver(group.answers),
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

    /// A group is on the disk: its answers may leave, unless they wait for a standby.
    fn became_durable(&mut self, group: Group) {
        let Group { records, answers, next } = group;
        self.tail.push(&records);
        let standby = *self.standby.borrow();
        let free = self.gate.pass(next, answers, standby, Instant::now());
        self.deliver(free);
    }

    /// What was decided becomes durable and is answered, and a snapshot makes the next start quick.
    async fn finish(mut self) -> Result<(), Failure> {
        self.carry_out()?;
        while !self.writer.is_idle() {
            let done = self.writer.done().await.map_err(|e| self.place.failure(&e))?;
            self.follow(done)?;
        }
        self.keeper.finish(self.bank.totals().records);
        Ok(())
    }

    /// Sends what waited for a standby that has it now.
    fn release(&mut self) {
        let standby = *self.standby.borrow();
        let free = self.gate.release(standby);
        self.deliver(free);
    }

    fn deliver(&mut self, answers: Vec<(Peer, BankMessage)>) {
        for (to, message) in answers {
            if to.key == self.keys.public() {
                self.deliver_own(message);
            } else {
                self.net.send(to, Message::Bank(message));
            }
        }
    }

    fn lead(&self) -> Lead {
        let (place, key) = (self.place.clone(), self.keys.public());
        let reader = Arc::new(move || place.reader(key));
        Lead { tail: Arc::clone(&self.tail), reader, genesis: genesis(self.keys.public()) }
    }

    /// Another process is the bank: this one never serves again by itself.
    fn fence(&self, by: Option<u64>) -> Result<(), Failure> {
        let by = by.unwrap_or(self.epoch);
        let role = Role { fenced_by: Some(by), ..Role::read(&self.home)? };
        role.write(&self.home)?;
        Err(role::taken_over(self.epoch, by))
    }
}

//! `compup2p bank serve`: the bank and bootstrap server as a process.
//!
//! What arrives while the disk syncs is decided together and made durable by one sync (group commit); only
//! then do the answers leave. The journal is read and checked at the start; a torn last record, which no
//! answer was sent for, is cut off.

#[cfg(test)]
mod conformance;
mod exchange;
mod postgres;

use super::clock::Clock;
use super::rules;
use crate::cli::BankOptions;
use crate::control::Failure;
use crate::net::identity;
use crate::net::store::Store;
use crate::net::{Event, Net};
use crate::output;
use bank::Bank;
use bank::journal;
use proto::message::Message;
use proto::{Bytes, KeyPair, Rules};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

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
    let path = home.join("journal");
    let (bank, journal) = open(&path, keys.clone(), rules, &clock)?;
    let store = Store::open(&home.join("store"), STORE_QUOTA).map_err(Failure::from_display("store"))?;
    let (inbox, events) = mpsc::channel(INBOX);
    let net = Net::start(options.listen, keys.clone(), Arc::new(store), inbox).await;
    let net = net.map_err(Failure::from_display("listen"))?;
    net.set_slot_limit(rules.slot_limit);
    output::ready(net.address(), keys.public(), home, options.tied);
    let mut driver = Driver { bank, journal, path, net: net.clone(), clock };
    let served = tokio::select! {
        served = driver.serve(events) => served,
        () = super::told::to_end(options.tied) => Ok(()),
    };
    net.shutdown().await;
    served
}

struct Driver {
    bank: Bank,
    journal: File,
    path: PathBuf,
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
                count = events.recv_many(&mut group, GROUP) => {
                    if count == 0 {
                        return Ok(());
                    }
                }
                () = sleep => self.bank.handle(bank::Input::Timeout, self.clock.now()),
            }
            for event in group.drain(..) {
                if let Event::Received { from, message: Message::Bank(message) } = event {
                    self.bank.handle(bank::Input::Receive { from, message }, self.clock.now());
                }
            }
            self.carry_out()?;
        }
    }

    /// Makes everything decided durable with one sync, then lets the answers leave.
    fn carry_out(&mut self) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let mut answers = Vec::new();
        while let Some(output) = self.bank.poll_output() {
            match output {
                bank::Output::Append(record) => bytes.extend(journal::encode(&record)),
                bank::Output::Send { to, message } => answers.push((to, message)),
                bank::Output::Search(_) => {}
                bank::Output::Halt(violation) => return Err(Failure::broken_books(&violation.to_string())),
            }
        }
        if !bytes.is_empty() {
            let written = self.journal.write_all(&bytes).and_then(|()| self.journal.sync_data());
            // A failed sync is never repeated: what the disk holds is unknown until the journal is read again.
            written.map_err(|e| Failure::disk("write the journal", &self.path, &e))?;
        }
        for (to, message) in answers {
            self.net.send(to, Message::Bank(message));
        }
        Ok(())
    }
}

/// Reads the journal, cuts a torn tail off, and rebuilds the ledger.
fn open(path: &Path, keys: KeyPair, rules: Rules, clock: &Clock) -> Result<(Bank, File), Failure> {
    let disk = |what: &str| {
        let what = what.to_string();
        move |e: std::io::Error| Failure::disk(&what, path, &e)
    };
    let file = OpenOptions::new().create(true).read(true).append(true).open(path);
    let mut file = file.map_err(disk("open the journal"))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(disk("read the journal"))?;
    let (records, tail) = journal::read(&bytes).map_err(Failure::from_display("journal"))?;
    if tail.torn > 0 {
        tracing::warn!(bytes = tail.torn, "the last record of the journal is torn and is cut off");
        file.set_len(tail.good).map_err(disk("cut the journal"))?;
        file.sync_all().map_err(disk("sync the journal"))?;
    }
    sync_directory(path)?;
    let seed = super::random::bytes()?;
    let config = bank::Config { keys, rules };
    let bank = Bank::replay(config, seed, clock.now(), records).map_err(Failure::from_display("journal"))?;
    Ok((bank, file))
}

/// A new file is durable only when its directory is.
fn sync_directory(path: &Path) -> Result<(), Failure> {
    let Some(directory) = path.parent() else { return Ok(()) };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|e| Failure::disk("sync the directory", directory, &e))
}

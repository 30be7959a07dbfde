//! The bank's process: the pure bank, the file of its journal, and the time that the disk takes.
//!
//! What is decided while the disk syncs waits for the next sync with its answers (group commit). A bank that is
//! killed loses what was not synced; a part of it may have reached the disk, even a part of a record.

use crate::dice::{Dice, derive};
use bank::{Bank, Config, Output, Record, journal};
use proto::message::bank::BankMessage;
use proto::{KeyPair, Peer, Rules, Span, Time};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

/// How long the disk takes to make records durable.
const SYNC: Span = Span::millis(3);
/// Where the bank listens.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 255, 255, 255)), 7_741);

/// Records on their way to the disk, and the answers that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) records: Vec<Record>,
    pub(crate) answers: Vec<(Peer, BankMessage)>,
    durable_at: Time,
}

/// What follows from the bank's outputs.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Messages that may leave at once.
    pub(crate) answers: Vec<(Peer, BankMessage)>,
    /// Records that were decided.
    pub(crate) decided: Vec<Record>,
    /// When they are durable.
    pub(crate) durable_at: Option<Time>,
    /// The bank has stopped.
    pub(crate) halted: Option<bank::Violation>,
}

pub(crate) struct Teller {
    pub(crate) bank: Option<Bank>,
    pub(crate) peer: Peer,
    /// Grows with every end.
    pub(crate) life: u32,
    pub(crate) wake: Option<Time>,
    /// For how long the bank is to be down when it is next killed, once that has been ordered.
    pub(crate) kill: Option<Span>,
    keys: KeyPair,
    rules: Rules,
    seed: u64,
    dice: Dice,
    journal: Vec<u8>,
    groups: VecDeque<Group>,
}

impl Teller {
    pub(crate) fn new(rules: Rules, seed: u64, now: Time) -> Self {
        let keys = KeyPair::from_secret(derive(seed, "bank", 0));
        let config = Config { keys: keys.clone(), rules };
        Self {
            bank: Some(Bank::new(config, derive(seed, "registry", 0), now)),
            peer: Peer::new(ADDRESS, 0, keys.public()),
            life: 0,
            wake: None,
            kill: None,
            keys,
            rules,
            seed,
            dice: Dice::new(seed, "disk", 0),
            journal: Vec::new(),
            groups: VecDeque::new(),
        }
    }

    /// Sorts the outputs of the bank: an answer waits for every record that stands before it.
    pub(crate) fn follow(&mut self, outputs: Vec<Output>, now: Time) -> Followed {
        let mut followed = Followed::default();
        let mut group = Group::default();
        for output in outputs {
            match output {
                Output::Append(record) => {
                    followed.decided.push(record.clone());
                    group.records.push(record);
                }
                Output::Send { to, message } if group.records.is_empty() && self.groups.is_empty() => {
                    followed.answers.push((to, message));
                }
                Output::Send { to, message } => group.answers.push((to, message)),
                // Nobody in the simulator asks for what is past.
                Output::Search(_) => {}
                Output::Halt(violation) => followed.halted = Some(violation),
            }
        }
        if !group.records.is_empty() {
            group.durable_at = now.after(SYNC);
            followed.durable_at = Some(group.durable_at);
            self.groups.push_back(group);
        } else if let Some(last) = self.groups.back_mut() {
            last.answers.extend(group.answers);
        }
        followed
    }

    /// The next group that is durable at `now`; it stands in the journal then.
    pub(crate) fn synced(&mut self, now: Time) -> Option<Group> {
        let group = self.groups.pop_front_if(|group| group.durable_at <= now)?;
        self.journal.extend(group.records.iter().flat_map(journal::encode));
        Some(group)
    }

    /// Whether records were decided that are not durable yet.
    pub(crate) fn is_syncing(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Ends the bank. Of what was being written, any part may have reached the disk.
    pub(crate) fn die(&mut self) {
        let written: Vec<u8> = self
            .groups
            .drain(..)
            .flat_map(|group| group.records)
            .flat_map(|record| journal::encode(&record))
            .collect();
        let length = u64::try_from(written.len()).unwrap_or(0);
        let kept = usize::try_from(self.dice.between(0, length)).unwrap_or(0);
        self.journal.extend(written.into_iter().take(kept));
        (self.bank, self.wake) = (None, None);
        self.life += 1;
    }

    /// Starts the bank again from its journal; the records that it found.
    pub(crate) fn start_again(&mut self, now: Time) -> Result<Vec<Record>, String> {
        let (records, tail) = journal::read(&self.journal).map_err(|damage| damage.to_string())?;
        self.journal.truncate(usize::try_from(tail.good).unwrap_or(usize::MAX));
        let config = Config { keys: self.keys.clone(), rules: self.rules };
        let seed = derive(self.seed, "registry", self.life.into());
        let bank =
            Bank::replay(config, seed, now, records.iter().cloned()).map_err(|error| error.to_string())?;
        self.bank = Some(bank);
        Ok(records)
    }

    /// What stands in the journal.
    pub(crate) fn records(&self) -> Result<Vec<Record>, String> {
        journal::read(&self.journal).map(|(records, _)| records).map_err(|damage| damage.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bank::{Input, client};
    use proto::message::bank::{BankRequest, Order};
    use proto::{CommandId, PublicKey};

    /// A bank of which this many accounts' records are durable, and as many more are on their way to the disk.
    fn teller(seed: u64, accounts: u8) -> Teller {
        let mut teller = Teller::new(Rules::LOCAL, seed, Time(0));
        for number in 0..2 * accounts {
            open(&mut teller, number, Time(u64::from(number / accounts) * 1_000_000));
        }
        while teller.synced(Time(1_000_000)).is_some() {}
        teller
    }

    fn open(teller: &mut Teller, number: u8, now: Time) {
        let keys = KeyPair::from_secret([number; 32]);
        let order = Order::OpenAccount(Box::default());
        let command = client::command(&keys, teller.peer.key, CommandId([number; 16]), order);
        let from = Peer::new(ADDRESS, 1, keys.public());
        let message = BankMessage::Request(Box::new(BankRequest { command }));
        let bank = teller.bank.as_mut().unwrap();
        bank.handle(Input::Receive { from, message }, now);
        let outputs = std::iter::from_fn(|| bank.poll_output()).collect();
        let followed = teller.follow(outputs, now);
        assert_eq!((followed.answers, followed.durable_at), (Vec::new(), Some(now.after(SYNC))));
    }

    #[test]
    fn a_killed_bank_finds_all_that_was_durable_and_any_part_of_the_rest() {
        let mut found = Vec::new();
        for seed in 0..40 {
            let mut teller = teller(seed, 3);
            assert!(teller.is_syncing());
            teller.die();
            let length = teller.journal.len();
            let records = teller.start_again(Time(2_000_000)).unwrap();
            let accounts: Vec<PublicKey> =
                teller.bank.iter().flat_map(Bank::accounts).map(|b| b.account).collect();
            assert_eq!(accounts.len(), records.len());
            found.push((records.len(), teller.journal.len() < length));
        }
        found.sort_unstable();
        found.dedup();
        assert!((3..6).all(|count| found.contains(&(count, true))), "{found:?}");
        assert!(found.iter().all(|(count, _)| (3..=6).contains(count)), "{found:?}");
    }

    #[test]
    fn an_answer_waits_for_all_records_before_it() {
        let mut teller = teller(1, 1);
        let group = teller.synced(Time(1_000_000).after(SYNC)).unwrap();
        assert_eq!((group.records.len(), group.answers.len()), (1, 1));
        assert!(!teller.is_syncing() && teller.records().unwrap().len() == 2);
    }
}

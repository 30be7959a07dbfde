//! The store's thread, with stores that have no room or do not answer.

use super::writer::{Done, Group, Writer};
use bank::store::{Store, StoreError};
use bank::{Bank, Config, Input, Output, Record, client};
use proto::message::bank::{BankMessage, BankOutcome, BankRequest, Order};
use proto::{CommandId, ContractId, KeyPair, Peer, PublicKey, RefusalCode, Rules, Time};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A store in memory that is full or ill when it is told to be.
#[derive(Clone, Default)]
struct Shelf {
    records: Arc<Mutex<Vec<Record>>>,
    is_full: Arc<AtomicBool>,
    is_ill: Arc<AtomicBool>,
}

impl Shelf {
    fn full(&self) -> Result<(), StoreError> {
        let is_full = self.is_full.load(Ordering::SeqCst);
        if is_full { Err(StoreError::Full { reason: "for the test".into() }) } else { Ok(()) }
    }
}

impl Store for Shelf {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let records = self.records.lock().unwrap().clone();
        records.into_iter().filter(|record| record.sequence >= from).try_for_each(each)
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        self.full()?;
        if self.is_ill.load(Ordering::SeqCst) {
            return Err(StoreError::Failed { what: "sync", reason: "for the test".into() });
        }
        self.records.lock().unwrap().extend_from_slice(group);
        Ok(())
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.full()
    }

    fn keep_snapshot(&mut self, _: u64, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn of_account(&mut self, _: PublicKey, _: u64, _: usize) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }

    fn of_contract(&mut self, _: ContractId) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }
}

fn keys(person: u8) -> KeyPair {
    KeyPair::from_secret([person; 32])
}

fn bank() -> Bank {
    Bank::new(Config { keys: keys(100), rules: Rules::LOCAL }, [7; 32], Time(0))
}

/// What the bank decides when person `person` opens an account.
fn opens(bank: &mut Bank, person: u8) -> Group {
    let order = Order::OpenAccount(Box::default());
    let command = client::command(&keys(person), keys(100).public(), CommandId([person; 16]), order);
    let from = Peer::new(([10, 0, 0, person], 7_000).into(), 0, keys(person).public());
    let message = BankMessage::Request(Box::new(BankRequest { command }));
    bank.handle(Input::Receive { from, message }, Time(1_000 + u64::from(person)));
    let mut group = Group { next: bank.totals().records, ..Group::default() };
    while let Some(output) = bank.poll_output() {
        match output {
            Output::Append(record) => group.records.push(record),
            Output::Send { to, message } => group.answers.push((to, message)),
            other => panic!("{other:?}"),
        }
    }
    group
}

/// The codes of the refusals in a group's answers; `None` for an answer that is no refusal.
fn codes(group: &Group) -> Vec<Option<RefusalCode>> {
    let code = |message: &BankMessage| match message {
        BankMessage::Reply(reply) => match &reply.outcome {
            BankOutcome::Refused(refusal) => Some(refusal.code),
            _ => None,
        },
        other => panic!("{other:?}"),
    };
    group.answers.iter().map(|(_, message)| code(message)).collect()
}

fn start(shelf: &Shelf) -> Writer {
    Writer::start(Box::new(shelf.clone()), keys(100).public()).unwrap()
}

#[tokio::test]
async fn groups_come_back_durable_and_in_order_while_the_next_is_decided() {
    let (shelf, mut bank) = (Shelf::default(), bank());
    let mut writer = start(&shelf);
    let groups = [opens(&mut bank, 1), opens(&mut bank, 2)];
    groups.iter().for_each(|group| writer.commit(group.clone()));
    assert!(!writer.is_free() && !writer.is_idle());
    for (number, group) in groups.into_iter().enumerate() {
        let Done::Durable(durable) = writer.done().await.unwrap() else { panic!("not durable") };
        assert_eq!(durable, group);
        assert!(shelf.records.lock().unwrap().len() > number, "it is in the store before it is answered");
    }
    assert!(writer.is_free() && writer.is_idle());
}

#[tokio::test]
async fn without_room_the_ledger_goes_back_to_what_is_kept_and_goes_on_when_there_is_room() {
    let (shelf, mut bank) = (Shelf::default(), bank());
    let mut writer = start(&shelf);
    writer.commit(opens(&mut bank, 1));
    let Done::Durable(_) = writer.done().await.unwrap() else { panic!("not durable") };
    shelf.is_full.store(true, Ordering::SeqCst);
    // Two groups are decided before anybody knows that there is no room.
    writer.commit(opens(&mut bank, 2));
    writer.commit(opens(&mut bank, 3));
    assert_eq!(bank.totals().accounts, 3);
    assert!(matches!(writer.done().await.unwrap(), Done::Room(false)));
    bank.set_room(false);
    let Done::Rewind(replay) = writer.done().await.unwrap() else { panic!("no ledger to go back to") };
    bank.rewind(*replay).unwrap();
    writer.rewound();
    for _ in 0..2 {
        let Done::Refused(group) = writer.done().await.unwrap() else { panic!("not refused") };
        assert_eq!((codes(&group), group.records.len()), (vec![Some(RefusalCode::DiskFull)], 0));
    }
    // The bank is what its journal says, and says itself that it takes nothing new.
    let records = shelf.records.lock().unwrap().clone();
    let config = Config { keys: keys(100), rules: Rules::LOCAL };
    let kept = Bank::replay(config, [7; 32], Time(0), records).unwrap();
    assert_eq!((bank.totals(), bank.head()), (kept.totals(), kept.head()));
    let refused = opens(&mut bank, 2);
    assert_eq!((codes(&refused), refused.records.len()), (vec![Some(RefusalCode::DiskFull)], 0));
    let again = opens(&mut bank, 1);
    assert_eq!((codes(&again), again.records.len()), (vec![None], 0), "what was executed is still told");
    shelf.is_full.store(false, Ordering::SeqCst);
    assert!(matches!(writer.done().await.unwrap(), Done::Room(true)), "it is noticed without being asked");
    bank.set_room(true);
    writer.commit(opens(&mut bank, 2));
    let Done::Durable(group) = writer.done().await.unwrap() else { panic!("not durable") };
    assert_eq!((codes(&group), shelf.records.lock().unwrap().len()), (vec![None], 2));
}

#[tokio::test]
async fn a_store_that_fails_ends_the_writer() {
    let (shelf, mut bank) = (Shelf::default(), bank());
    shelf.is_ill.store(true, Ordering::SeqCst);
    let mut writer = start(&shelf);
    writer.commit(opens(&mut bank, 1));
    let failed = StoreError::Failed { what: "sync", reason: "for the test".into() };
    assert_eq!(writer.done().await.err(), Some(failed));
    assert!(matches!(writer.done().await, Err(StoreError::Failed { .. })), "nothing is written any more");
    assert_eq!(shelf.records.lock().unwrap().len(), 0);
}

#[test]
fn a_directory_has_one_writer_and_is_verified_when_it_has_none() {
    let home = tempfile::tempdir().unwrap();
    let key = keys(100).public();
    let (mut store, _, known) = super::kept::open(home.path(), key).unwrap();
    assert_eq!(known, 0);
    let second = super::kept::open(home.path(), key).map(drop).unwrap_err();
    assert_eq!(second.code, "fenced");
    let printer = crate::output::Printer::new(false, true, true);
    let verified = super::verify(home.path(), None, printer).unwrap_err();
    assert_eq!(verified.code, "fenced");
    let mut bank = bank();
    for person in 1..4 {
        store.commit(&opens(&mut bank, person).records).unwrap();
    }
    let reader = &mut super::kept::reader(home.path(), key);
    assert_eq!(reader.of_account(keys(2).public(), u64::MAX, 9).unwrap().len(), 1);
    drop(store);
    let verified = super::verify(home.path(), None, printer).unwrap();
    assert_eq!((verified.bank, verified.records, verified.accounts), (key.to_string(), 3, 3));
    assert_eq!(verified.head, bank.head().to_string());
    let other = super::verify(home.path(), Some(keys(1).public()), printer).unwrap_err();
    assert_eq!(other.code, "journal");
    let nothing = super::verify(&home.path().join("nothing"), None, printer).unwrap_err();
    assert_eq!((nothing.code.as_str(), nothing.exit), ("no_journal", 2));
}

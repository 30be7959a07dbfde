//! What every store promises ([`bank::store::Store`]), as one suite of tests that runs over each of them.
//!
//! What a store gives back is held against a list of the records that were committed: that list is all it takes to say
//! what is right.

mod file;
mod history;
mod memory;

pub(super) use history::{Teller, history};
pub(super) use memory::Shelf;

use bank::store::{Store, StoreError};
use bank::{Record, Replay};
use proto::{ContractId, KeyPair, PublicKey};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeSet;

/// A place that can hold a store, and be opened again and again.
pub(super) trait Place {
    /// Opens it for `bank`, to serve. What was opened before is closed first.
    fn open(&mut self, bank: PublicKey) -> Result<Box<dyn Store>, StoreError>;
}

/// The bank of the tests.
pub(super) fn keys() -> KeyPair {
    KeyPair::from_secret([42; 32])
}

/// The whole suite, over places that are empty.
pub(super) fn check_all(mut place: impl FnMut() -> Box<dyn Place>) {
    for seed in 0..4 {
        check_groups(&mut *place(), seed);
    }
    check_snapshots(&mut *place());
    check_owner(&mut *place());
    check_ledger(&mut *place());
    check_first_error(&mut *place());
}

/// Groups of random sizes, with the store closed and opened between some: all is there, in order, and is found.
fn check_groups(place: &mut dyn Place, seed: u64) {
    let bank = keys().public();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let all = history(seed, 240);
    let mut store = place.open(bank).expect("an empty store opens");
    assert_eq!((read(&mut *store, 0), store.snapshot()), (Ok(vec![]), Ok(None)), "an empty store is empty");
    store.commit(&[]).expect("a group without records changes nothing");
    let mut done = 0;
    while done < all.len() {
        let size = 1 + below(&mut random, 40).min(all.len() - done - 1);
        store.commit(&all[done..done + size]).expect("a group is committed");
        done += size;
        if random.next_u32().is_multiple_of(3) {
            drop(store);
            store = place.open(bank).expect("a store opens again");
        }
        check_found(&mut *store, &all[..done], &mut random);
    }
}

/// What the store gives back and finds, against a list of what it holds.
fn check_found(store: &mut dyn Store, all: &[Record], random: &mut ChaCha8Rng) {
    for from in [0, below(random, all.len()), all.len(), all.len() + 7] {
        let expected = all.get(from..).unwrap_or_default().to_vec();
        assert_eq!(read(store, u64::try_from(from).unwrap()), Ok(expected), "read from {from}");
    }
    let bank = keys().public();
    let mut accounts: BTreeSet<PublicKey> = all.iter().flat_map(|record| record.accounts(bank)).collect();
    accounts.insert(PublicKey([250; 32]));
    for account in accounts {
        let limit = below(random, 9);
        let before = [u64::MAX, u64::try_from(below(random, all.len() + 2)).unwrap()];
        for before in before {
            let newest = all.iter().rev().filter(|record| record.sequence < before);
            let of = newest.filter(|record| record.accounts(bank).contains(&account));
            let expected: Vec<Record> = of.take(limit).cloned().collect();
            let found = store.of_account(account, before, limit);
            assert_eq!(found, Ok(expected), "{account}, {limit} before {before}");
        }
    }
    let mut contracts: BTreeSet<ContractId> = all.iter().filter_map(Record::contract).collect();
    contracts.insert(proto::CommandId([250; 16]));
    for contract in contracts {
        let of = all.iter().filter(|record| record.contract() == Some(contract));
        let expected: Vec<Record> = of.cloned().collect();
        assert_eq!(store.of_contract(contract), Ok(expected), "{contract}");
    }
}

/// A snapshot is given back as it was kept, the newest of several, also by a store that was opened again.
fn check_snapshots(place: &mut dyn Place) {
    let bank = keys().public();
    let mut store = place.open(bank).expect("an empty store opens");
    let all = history(7, 30);
    store.commit(&all).expect("a group is committed");
    let large: Vec<u8> = (0..9_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let kept = [(5, vec![5; 100]), (9, large), (20, vec![1]), (30, vec![0; 5_000])];
    for (records, snapshot) in &kept {
        store.keep_snapshot(*records, snapshot).expect("a snapshot is kept");
        assert_eq!(store.snapshot(), Ok(Some(snapshot.clone())), "the snapshot of {records} records");
    }
    drop(store);
    let mut store = place.open(bank).expect("a store opens again");
    assert_eq!(store.snapshot(), Ok(Some(vec![0; 5_000])), "after it was opened again");
    assert_eq!(read(&mut *store, 0), Ok(all), "snapshots leave the journal alone");
}

/// A store is of the bank that made it, and of no other, with or without records.
fn check_owner(place: &mut dyn Place) {
    let (bank, other) = (keys().public(), KeyPair::from_secret([43; 32]).public());
    let all = history(3, 10);
    for records in [0, 10] {
        let mut store = place.open(bank).expect("its own bank opens it");
        store.commit(&all[..records]).expect("a group is committed");
        drop(store);
        let refused = place.open(other).err();
        assert!(matches!(refused, Some(StoreError::Foreign { .. })), "{records} records: {refused:?}");
    }
    let mut store = place.open(bank).expect("the refusal has changed nothing");
    assert_eq!(read(&mut *store, 0), Ok(all));
}

/// The same commands come to the same head and the same money in every store, and in none: a bank that is taken back
/// from its store goes on as if it had never stopped.
fn check_ledger(place: &mut dyn Place) {
    let bank = keys().public();
    let mut undisturbed = Teller::new(None);
    let mut store = place.open(bank).expect("an empty store opens");
    for round in 0..8 {
        let group = undisturbed.round(round);
        store.commit(&group).expect("a group is committed");
        drop(store);
        store = place.open(bank).expect("a store opens again");
        let mut replay = Replay::new(bank);
        let follow = &mut |record: Record| -> Result<(), StoreError> {
            replay.follow(&record).expect("the store gives back what the bank committed");
            Ok(())
        };
        store.read(0, follow).expect("the journal is read");
        let resumed = Teller::new(Some(replay));
        assert_eq!(resumed.state(), undisturbed.state(), "round {round}");
        undisturbed = resumed;
    }
    let moved = undisturbed.state().1;
    assert!(moved.records > 20 && moved.open_holds > 0, "the commands did something: {moved:?}");
}

/// The error of whoever takes the records ends the reading, and is handed on.
fn check_first_error(place: &mut dyn Place) {
    let mut store = place.open(keys().public()).expect("an empty store opens");
    store.commit(&history(5, 12)).expect("a group is committed");
    let enough = StoreError::Failed { what: "take more", reason: "it is enough".into() };
    let mut taken = Vec::new();
    let result = store.read(2, &mut |record| {
        taken.push(record.sequence);
        if taken.len() < 5 { Ok(()) } else { Err(enough.clone()) }
    });
    assert_eq!((result, taken), (Err(enough), vec![2, 3, 4, 5, 6]));
    assert_eq!(read(&mut *store, 10).map(|rest| rest.len()), Ok(2), "the store can still be used");
}

/// Everything from record `from` on.
pub(super) fn read(store: &mut dyn Store, from: u64) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    store.read(from, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// A number below `limit`; 0 for 0.
fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    usize::try_from(random.next_u64()).unwrap() % limit.max(1)
}

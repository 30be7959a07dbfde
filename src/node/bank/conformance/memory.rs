//! The suite over a store in memory: the simplest one that keeps the promises, so that the suite itself is tried.

use super::{Place, check_all};
use bank::Record;
use bank::store::{Store, StoreError};
use proto::{ContractId, PublicKey};
use std::sync::{Arc, Mutex};

#[test]
fn a_store_in_memory_keeps_what_every_store_promises() {
    check_all(|| Box::new(Shelf::default()));
}

/// What outlives a store in memory that is closed.
#[derive(Clone, Default)]
pub(in crate::node::bank) struct Shelf(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    bank: Option<PublicKey>,
    records: Vec<Record>,
    snapshot: Option<Vec<u8>>,
}

impl Shelf {
    /// An empty one of `bank`.
    pub(in crate::node::bank) fn of(bank: PublicKey) -> Self {
        let shelf = Self::default();
        shelf.0.lock().unwrap().bank = Some(bank);
        shelf
    }
}

impl Place for Shelf {
    fn open(&mut self, bank: PublicKey) -> Result<Box<dyn Store>, StoreError> {
        let owner = *self.0.lock().unwrap().bank.get_or_insert(bank);
        if owner != bank {
            return Err(StoreError::Foreign { reason: owner.to_string() });
        }
        Ok(Box::new(self.clone()))
    }
}

impl Store for Shelf {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().unwrap().snapshot.clone())
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let records = self.0.lock().unwrap().records.clone();
        records.into_iter().filter(|record| record.sequence >= from).try_for_each(each)
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        self.0.lock().unwrap().records.extend_from_slice(group);
        Ok(())
    }

    fn keep_snapshot(&mut self, _: u64, snapshot: &[u8]) -> Result<(), StoreError> {
        self.0.lock().unwrap().snapshot = Some(snapshot.to_vec());
        Ok(())
    }

    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let kept = self.0.lock().unwrap();
        let bank = kept.bank.unwrap();
        let newest = kept.records.iter().rev().filter(|record| record.sequence < before);
        Ok(newest.filter(|record| record.accounts(bank).contains(&account)).take(limit).cloned().collect())
    }

    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError> {
        let kept = self.0.lock().unwrap();
        Ok(kept.records.iter().filter(|record| record.contract() == Some(contract)).cloned().collect())
    }
}

//! A store that keeps records in memory, to be searched.

use crate::world::{BANK, World, key, keys};
use bank::receipt::verify;
use bank::store::{Store, StoreError};
use bank::{Event, Query, Record, Search, answer, movements};
use proto::message::bank::{BankMessage, ReceiptQuery};
use proto::{ContractId, Peer, PublicKey, RequestId};
use std::collections::BTreeMap;

/// The records, and whether they can be read.
pub(crate) struct Shelf {
    pub(crate) records: Vec<Record>,
    pub(crate) is_broken: bool,
}

impl Shelf {
    pub(crate) fn of(world: &World) -> Self {
        Self { records: world.journal.clone(), is_broken: false }
    }

    fn readable(&self) -> Result<(), StoreError> {
        let reason = || "the disk is gone".to_owned();
        if self.is_broken { Err(StoreError::Failed { what: "read", reason: reason() }) } else { Ok(()) }
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
        self.records.iter().filter(|record| record.sequence >= from).cloned().try_for_each(each)
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        self.records.extend_from_slice(group);
        Ok(())
    }

    fn keep_snapshot(&mut self, _records: u64, _snapshot: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.readable()?;
        let concerns =
            |record: &&Record| movements(record, key(BANK)).iter().any(|line| line.account == account);
        let older = self.records.iter().rev().filter(|record| record.sequence < before);
        Ok(older.filter(concerns).take(limit).cloned().collect())
    }

    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError> {
        self.readable()?;
        Ok(self.records.iter().filter(|record| record.contract() == Some(contract)).cloned().collect())
    }
}

/// The lines of all statements add up to the balances of the ledger, account by account.
pub(crate) fn check_sums(world: &World) {
    let mut sums: BTreeMap<PublicKey, (i128, i128)> = BTreeMap::new();
    for record in &world.journal {
        let lines = movements(record, key(BANK));
        for line in &lines {
            let (available, held) = sums.entry(line.account).or_default();
            *available += line.available;
            *held += line.held;
            assert_eq!((line.entry.sequence, line.entry.time), (record.sequence, record.time));
        }
        let accounts: std::collections::BTreeSet<_> = lines.iter().map(|line| line.account).collect();
        assert_eq!(accounts.len(), lines.len(), "an account has two lines of one record: {record:?}");
    }
    let signed = |micro: u64| i128::from(micro);
    let balances = world
        .bank
        .accounts()
        .map(|balance| (balance.account, (signed(balance.available.0), signed(balance.held.0))));
    let balances: BTreeMap<_, _> = balances.filter(|(_, money)| *money != (0, 0)).collect();
    sums.retain(|_, money| *money != (0, 0));
    assert_eq!(sums, balances);
}

/// Every contract that has ended has a receipt that holds, for its buyer and for its seller.
pub(crate) fn check_receipts(world: &World) {
    let mut shelf = Shelf::of(world);
    let ended = |record: &Record| match &record.event {
        Event::HoldClosed { ending, .. } => Some(**ending),
        _ => None,
    };
    for ending in world.journal.iter().filter_map(ended) {
        for party in [ending.buyer, ending.seller] {
            let query = ReceiptQuery { request: RequestId(1), contract: ending.hold };
            let from = Peer::new(([10, 0, 0, 1], 7_000).into(), 0, party);
            let told = answer(&Search { from, query: Query::Receipt(query) }, &mut shelf, &keys(BANK));
            let BankMessage::Receipt(reply) = told else { panic!("{told:?}") };
            assert_eq!(reply.receipt.body.ending, ending);
            let verified = verify(&reply.receipt, Some(key(BANK)));
            assert!(verified.is_ok(), "{ending:?}: {verified:?}");
        }
    }
}

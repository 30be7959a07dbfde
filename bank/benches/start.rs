//! How long a bank needs to start from its files, when its newest snapshot is a million records old.
//!
//! `cargo bench -p bank --bench start -- [RECORDS] [ACCOUNTS] [MICROSECONDS]`: so many records (10,000,000), of which the
//! first open so many accounts (1,000,000) and the rest are transfers between them, so far apart in the ledger's time
//! (one second; an idempotency id is remembered for a week). They are written once to a directory below `target`, and
//! removed at the end. The records are well formed and chained, and their signatures are not: a start does not verify
//! them again. Each figure stands beside its mark (issue 5).

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and ends where it cannot go on"
)]

#[path = "../../src/node/bank/disk.rs"]
mod disk;

use bank::store::Store as _;
use bank::store::file::{FileStore, Sizes};
use bank::{Bank, Config, Event, Record, Replay, genesis};
use disk::Directory;
use proto::message::bank::{BankCommand, Grant, Order, Payment, Transfer};
use proto::{CommandId, Hash, KeyPair, Money, PublicKey, Rules, Signature, Signed, Time};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Seconds in which a bank should start (issue 5).
const START_MARK: f64 = 5.0;
/// Records that should be replayed in a second (issue 5).
const REPLAY_MARK: f64 = 1e6;
/// Records behind the newest snapshot: as many as there are at most (`src/node/bank/keeper.rs`).
const BEHIND: u64 = 1_000_000;
/// Records of a group.
const GROUP: u64 = 1_000;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|text| text.parse().ok()).collect();
    let number = |place: usize, usual: u64| numbers.get(place).copied().unwrap_or(usual);
    let plan =
        Plan { records: number(0, 10_000_000), accounts: number(1, 1_000_000), apart: number(2, 1_000_000) };
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/bench-start");
    if home.exists() {
        fs::remove_dir_all(&home).expect("what a former run left can be removed");
    }
    fs::create_dir_all(&home).expect("the directory can be made");
    plan.write(&home);
    let whole = plan.replay_all(&home);
    plan.start(&home, whole);
    fs::remove_dir_all(&home).expect("the directory can be removed");
}

struct Plan {
    records: u64,
    accounts: u64,
    /// Microseconds.
    apart: u64,
}

fn keys() -> KeyPair {
    KeyPair::from_secret([9; 32])
}

fn key(number: u64) -> PublicKey {
    PublicKey(Hash::of(&number.to_le_bytes()).0)
}

fn open(home: &Path) -> FileStore<Directory> {
    let lock = File::create(home.join("lock")).expect("a lock");
    let directory = Directory::new(home.to_path_buf(), Some(lock));
    FileStore::open(directory, keys().public(), [3; 32], Sizes::DEFAULT).expect("the store opens")
}

impl Plan {
    fn event(&self, number: u64) -> Event {
        let id = CommandId((u128::from(number) << 64).to_be_bytes());
        let command = |signer, order| {
            let body = BankCommand { id, bank: keys().public(), order };
            Box::new(Signed { body, signer, signature: Signature([7; 64]) })
        };
        if number < self.accounts {
            let grant = Grant { to: key(number), amount: Money::credits(1_000_000), reason: String::new() };
            return Event::Granted { command: command(keys().public(), Order::Grant(grant)) };
        }
        let payer = number.wrapping_mul(0x9e37_79b9) % self.accounts;
        let to = key((payer + 1 + number % (self.accounts - 1)) % self.accounts);
        let payments = vec![Payment { to, amount: Money(1 + number % 5_000) }];
        Event::Transferred {
            command: command(key(payer), Order::Transfer(Transfer { payments, memo: String::new() })),
        }
    }

    /// Writes the journal.
    fn write(&self, home: &Path) {
        let mut store = open(home);
        let mut head = genesis(keys().public());
        let (began, mut writing) = (Instant::now(), 0.0);
        for first in (0..self.records).step_by(usize::try_from(GROUP).expect("a small number")) {
            let seal = |number| {
                let record = Record::seal(number, Time((number + 1) * self.apart), self.event(number), head);
                head = record.chain;
                record
            };
            let group: Vec<Record> = (first..self.records.min(first + GROUP)).map(seal).collect();
            let began = Instant::now();
            store.commit(&group).expect("a group is written");
            writing += began.elapsed().as_secs_f64();
        }
        let (_, bytes) = store.examine().expect("the store is whole");
        println!("{} records, {} accounts, {} MiB", self.records, self.accounts, bytes >> 20);
        println!("  {:>12.0} records/s written and synced in groups of {GROUP}", self.rate(writing));
        println!("  {:>12.1} s with making them", began.elapsed().as_secs_f64());
    }

    /// Replays all of it, and keeps the snapshot on the way: seconds.
    fn replay_all(&self, home: &Path) -> f64 {
        let mut store = open(home);
        let mut replay = Replay::new(keys().public());
        let at = self.records.saturating_sub(BEHIND).max(1);
        let (mut snapshot, mut making) = (Vec::new(), 0.0);
        let began = Instant::now();
        let follow = &mut |number: u64, body: &[u8]| {
            replay.follow_encoded(body).expect("it follows");
            if number + 1 == at {
                let began = Instant::now();
                snapshot = replay.snapshot();
                making = began.elapsed().as_secs_f64();
            }
            Ok(())
        };
        store.read_encoded(0, follow).expect("the journal reads");
        let replaying = began.elapsed().as_secs_f64() - making;
        let began = Instant::now();
        store.keep_snapshot(at, &snapshot).expect("the snapshot is kept");
        let rate = self.rate(replaying);
        println!(
            "  {rate:>12.0} records/s replayed from the files ({:.2} of the mark of a million)",
            rate / REPLAY_MARK
        );
        println!("  {making:>12.2} s to make a snapshot of {} MiB", snapshot.len() >> 20);
        println!("  {:>12.2} s to keep it, with the indices", began.elapsed().as_secs_f64());
        replaying
    }

    /// Starts as a bank does.
    fn start(&self, home: &Path, whole: f64) {
        let began = Instant::now();
        let bank = keys().public();
        let mut store = open(home);
        let opened = began.elapsed().as_secs_f64();
        let snapshot = store.snapshot().expect("the store reads").expect("there is a snapshot");
        let mut replay = Replay::from_snapshot(bank, &snapshot).expect("the snapshot is whole");
        let loaded = began.elapsed().as_secs_f64();
        let from = replay.next();
        let follow = &mut |_: u64, body: &[u8]| {
            replay.follow_encoded(body).expect("it follows");
            Ok(())
        };
        store.read_encoded(from, follow).expect("the journal reads");
        let config = Config { keys: keys(), rules: Rules::PUBLIC };
        let bank = Bank::resume(config, [1; 32], Time(u64::MAX / 2), replay).expect("a ledger");
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(bank.totals().records, self.records, "all records are there");
        println!(
            "  {seconds:>12.2} s to start ({:.2} of the mark of {START_MARK} s, {:.2} of a replay of all)",
            seconds / START_MARK,
            seconds / whole
        );
        println!("  {opened:>12.2} s of it to open the files, {:.2} s to load the snapshot", loaded - opened);
    }

    fn rate(&self, seconds: f64) -> f64 {
        // A count of records is far below what a float has exactly.
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let records = self.records as f64;
        records / seconds.max(1e-9)
    }
}

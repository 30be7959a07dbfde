//! What the ledger costs: replay, memory, snapshots, transfers in batches, one hot account.
//!
//! `cargo bench -p bank --bench ledger`. Each figure stands beside its mark (issue 5) or beside what bare work takes in
//! the same run, so the ratios tell more than the figures. Times are those of the processor, not of the clock on the
//! wall, so that a busy machine disturbs little; sizes are what the process has more in memory afterwards.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and ends where it cannot go on"
)]

use bank::{Bank, Checked, Config, Event, Input, Output, Record, Replay, genesis};
use proto::admission::Admission;
use proto::message::bank::{BankCommand, Grant, Order, Payment, Transfer};
use proto::{CommandId, Hash, KeyPair, Money, Peer, PublicKey, Rules, Signature, Signed, Time};
use std::hint::black_box;

/// Records that are timed.
const RECORDS: u64 = 300_000;
/// Accounts of the large ledger.
const MANY: u64 = 1_000_000;
/// Accounts of the small one.
const FEW: u64 = 10_000;
/// Payments of a batch.
const BATCH: u64 = 1_000;
/// Records that should be replayed in a second (issue 5).
const REPLAY_MARK: f64 = 1e6;
/// Bytes that an account should take (issue 5).
const ACCOUNT_MARK: f64 = 200.0;
/// Seconds in which a bank should start (issue 5).
const START_MARK: f64 = 5.0;
/// Bytes of a page in `/proc/self/statm`.
const PAGE: u64 = 4_096;

fn main() {
    // The large one first: later, what was freed would be used again and not be counted.
    println!("{MANY} accounts");
    let mut many = World::with_accounts(MANY);
    let records = many.records(MANY, 1, &|number| (number % MANY, number));
    let before = resident();
    records.iter().for_each(|bytes| many.ledger.follow_encoded(bytes).expect("follows"));
    let each = per(resident().saturating_sub(before), MANY);
    drop(records);
    println!("  {each:>12.1} bytes for a remembered command");
    many.replay("one payment each", 1, |number| (number.wrapping_mul(0x9e37_79b9) % MANY, number));
    many.snapshot();
    drop(many);
    println!("\n{FEW} accounts");
    let mut few = World::with_accounts(FEW);
    few.replay("one payment each", 1, |number| (number.wrapping_mul(0x9e37_79b9) % FEW, number));
    few.replay("all from one account", 1, |number| (0, number));
    few.replay("1000 payments each", BATCH, |number| (number.wrapping_mul(0x9e37_79b9) % FEW, number));
    few.live("one payment each", 1, 20_000);
    few.live("1000 payments each", BATCH, 500);
}

/// A ledger, and what its next record follows.
struct World {
    bank: PublicKey,
    ledger: Replay,
    accounts: u64,
    next: u64,
    head: Hash,
    time: u64,
}

fn key(number: u64) -> PublicKey {
    PublicKey(Hash::of(&number.to_le_bytes()).0)
}

fn id(number: u64) -> CommandId {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    CommandId((u128::from(number) << 64 | u128::from(random)).to_be_bytes())
}

impl World {
    /// A bank that has granted money to so many. It remembers only the last 65,536 of its own commands.
    fn with_accounts(accounts: u64) -> Self {
        let bank = KeyPair::from_secret([9; 32]).public();
        let (ledger, head) = (Replay::new(bank), genesis(bank));
        let before = resident();
        let mut world = Self { bank, ledger, accounts, next: 0, head, time: 1_700_000_000_000_000 };
        for number in 0..accounts {
            let grant = Grant { to: key(number), amount: Money::credits(1_000_000), reason: String::new() };
            let command = world.command(bank, Order::Grant(grant));
            let bytes = world.seal(Event::Granted { command });
            world.ledger.follow_encoded(&bytes).expect("follows");
        }
        let each = per(resident().saturating_sub(before), accounts);
        if accounts == MANY {
            println!("  {each:>12.1} bytes for an account ({:.2} of the mark of 200)", each / ACCOUNT_MARK);
        }
        world
    }

    fn command(&self, signer: PublicKey, order: Order) -> Box<Signed<BankCommand>> {
        let body = BankCommand { id: id(self.next), bank: self.bank, order };
        Box::new(Signed { body, signer, signature: Signature([7; 64]) })
    }

    fn seal(&mut self, event: Event) -> Vec<u8> {
        self.time += 40;
        let record = Record::seal(self.next, Time(self.time), event, self.head);
        (self.next, self.head) = (self.next + 1, record.chain);
        record.encode()
    }

    /// Records of transfers of so many payments each.
    fn records(&mut self, count: u64, payments: u64, plan: &dyn Fn(u64) -> (u64, u64)) -> Vec<Vec<u8>> {
        let transfer = |number| {
            let (payer, seed) = plan(number);
            let payment = |step| {
                let to = key((payer + 1 + (seed + step * 7_919) % (self.accounts - 1)) % self.accounts);
                Payment { to, amount: Money(1 + seed % 5_000) }
            };
            let payments = (0..payments).map(payment).collect();
            (key(payer), Order::Transfer(Transfer { payments, memo: String::new() }))
        };
        let orders: Vec<(PublicKey, Order)> = (0..count).map(transfer).collect();
        let seal = |(payer, order)| {
            let command = self.command(payer, order);
            self.seal(Event::Transferred { command })
        };
        orders.into_iter().map(seal).collect()
    }

    /// Replays records, and prints how many a second.
    fn replay(&mut self, name: &str, payments: u64, plan: impl Fn(u64) -> (u64, u64)) {
        let encoded = self.records(RECORDS / payments, payments, &plan);
        let bare = seconds(|| {
            for bytes in &encoded {
                black_box(Record::decode(bytes)).expect("a record");
            }
        });
        let hashes = seconds(|| {
            for bytes in &encoded {
                black_box(Hash::of(bytes));
            }
        });
        let whole = seconds(|| {
            for bytes in &encoded {
                self.ledger.follow_encoded(bytes).expect("follows");
            }
        });
        let (count, paid) = (RECORDS / payments, RECORDS / payments * payments);
        let size = encoded.first().map_or(0, Vec::len);
        let rate = per(count, 1) / whole;
        println!("  {name}, {size} bytes a record");
        println!("  {rate:>12.0} records/s replayed ({:.2} of the mark of 1000000)", rate / REPLAY_MARK);
        println!("  {:>12.0} payments/s", per(paid, 1) / whole);
        println!("  {:>12.2} times what bare decoding takes", whole / bare);
        println!("  {:>12.2} times what bare hashing takes", whole / hashes);
    }

    /// Has a running bank decide about signed transfers, and prints what each takes beside verifying its signature.
    fn live(&self, name: &str, payments: u64, count: u64) {
        let keys = KeyPair::from_secret([9; 32]);
        let rules = Rules { admission: Admission::OPEN, ..Rules::PUBLIC };
        let config = Config { keys: keys.clone(), rules };
        let replay = Replay::from_snapshot(self.bank, &self.ledger.snapshot()).expect("a snapshot");
        let now = Time(self.time);
        let mut bank = Bank::resume(config, [0; 32], now, replay).expect("a ledger");
        let from = Peer::new(([10, 0, 0, 1], 7_000).into(), 0, self.bank);
        let issue = Grant { to: self.bank, amount: Money::credits(1_000_000), reason: String::new() };
        let funding = bank::client::command(&keys, self.bank, id(self.next), Order::Grant(issue));
        bank.handle(Input::Checked { from, command: Box::new(Checked::new(funding)) }, now);
        let signed = |number: u64| {
            let payment = |step| Payment { to: key((number + step) % self.accounts), amount: Money(1) };
            let order = Transfer { payments: (0..payments).map(payment).collect(), memo: String::new() };
            bank::client::command(&keys, self.bank, id(self.next + 1 + number), Order::Transfer(order))
        };
        let commands: Vec<Signed<BankCommand>> = (0..count).map(signed).collect();
        let mut checked = Vec::new();
        let verify = seconds(|| checked.extend(commands.into_iter().map(Checked::new)));
        let mut bytes = 0;
        let decide = seconds(|| {
            for command in checked {
                bank.handle(Input::Checked { from, command: Box::new(command) }, now);
                while let Some(output) = bank.poll_output() {
                    if let Output::Append(record) = output {
                        bytes += record.encode().len();
                    }
                }
            }
        });
        let paid = bank.totals().records - self.next - 1;
        assert!(paid == count && bytes > 0, "{paid} of {count} transfers were carried out");
        let rate = |seconds: f64| per(count * payments, 1) / seconds;
        println!("  live, {name}: {:.0} payments/s verified on a thread of their own", rate(verify));
        println!("  {:>12.0} payments/s decided, applied and encoded for the store", rate(decide));
    }

    /// Writes a snapshot and loads it.
    fn snapshot(&self) {
        let mut bytes = Vec::new();
        let written = seconds(|| bytes = self.ledger.snapshot());
        let mut loaded = None;
        let read = seconds(|| loaded = Some(Replay::from_snapshot(self.bank, &bytes).expect("a snapshot")));
        println!("  {:>12} bytes of snapshot, written in {written:.2} s", bytes.len());
        println!("  {read:>12.2} s to load it ({:.2} of the mark of 5)", read / START_MARK);
        assert_eq!(loaded.map(|loaded| loaded.head()), Some(self.ledger.head()));
    }
}

/// What this thread has had of a processor while `run` ran, in seconds.
fn seconds(run: impl FnOnce()) -> f64 {
    let before = processor();
    run();
    per(processor() - before, 1_000_000_000)
}

/// Nanoseconds that this thread has had of a processor.
fn processor() -> u64 {
    first_number("/proc/thread-self/schedstat", 0)
}

/// Bytes that this process has in memory.
fn resident() -> u64 {
    first_number("/proc/self/statm", 1) * PAGE
}

fn first_number(path: &str, place: usize) -> u64 {
    let text = std::fs::read_to_string(path).expect("Linux");
    text.split_whitespace().nth(place).and_then(|number| number.parse().ok()).expect("a number")
}

#[expect(clippy::cast_precision_loss, reason = "a figure need not be exact")]
fn per(amount: u64, count: u64) -> f64 {
    amount as f64 / count as f64
}

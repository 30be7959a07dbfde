//! PostgreSQL: by itself under pgbench, and as the store of a bank.

#[path = "../../tests/common/postgres.rs"]
#[expect(clippy::expect_used, clippy::duplicate_mod, reason = "written for tests, which have it too")]
mod cluster;

use super::{CLIENTS, Figure};
use crate::control::Failure;
use crate::node::Place;
use bank::{Event, Record, genesis};
use cluster::Postgres;
use proto::message::bank::{Order, Payment, Transfer};
use proto::{CommandId, KeyPair, Money, Time};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How a server is set for this, on both sides of the comparison: durable, and with room.
const SETTINGS: &[&str] = &["shared_buffers=512MB", "max_wal_size=3GB", "max_connections=100"];
/// As in the issue; also how many branches TPC-B has.
const SCALE: &str = "50";
/// Accounts of the double-entry ledger.
const ACCOUNTS: u32 = 100_000;
/// Signed transfers that are prepared for the store alone.
const PREPARED: u64 = 60_000;

/// A ledger of double entry as one would write it: both balances in order of their ids, and the entry.
const LEDGER: &str = "\
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE entry (id bigserial PRIMARY KEY, payer int NOT NULL, payee int NOT NULL, amount bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION pay(a int, b int, amount bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  IF a < b THEN
    UPDATE account SET balance = balance - amount WHERE id = a;
    UPDATE account SET balance = balance + amount WHERE id = b;
  ELSE
    UPDATE account SET balance = balance + amount WHERE id = b;
    UPDATE account SET balance = balance - amount WHERE id = a;
  END IF;
  INSERT INTO entry (payer, payee, amount) VALUES (a, b, amount);
END $$;";
const ANY: &str = "\\set a random(1, 100000)\n\\set b random(1, 99999)\nSELECT pay(:a, :b + CASE WHEN :b >= :a THEN 1 ELSE 0 END, 1);\n";
const HOT: &str = "\\set a random(2, 100000)\nSELECT pay(:a, 1, 1);\n";

/// What pgbench measures.
pub(super) struct Pgbench {
    pub(super) tpcb: Figure,
    pub(super) double: Figure,
    pub(super) hot: Figure,
}

/// What the store does without a bank in front of it.
pub(super) struct Direct {
    pub(super) small: Figure,
    pub(super) large: Figure,
}

/// The server.
pub(super) struct Rival {
    cluster: Postgres,
}

impl Rival {
    pub(super) fn start(_clients: usize) -> Self {
        Self { cluster: Postgres::start(SETTINGS) }
    }

    /// The address of a new, empty database.
    pub(super) fn store(&self, name: &str) -> String {
        self.cluster.create(name);
        self.cluster.address(name)
    }

    pub(super) fn measure(&self, span: Duration) -> Pgbench {
        self.cluster.create("bench");
        self.pgbench(&["-i", "-q", "-s", SCALE]);
        self.cluster.query("bench", LEDGER);
        let fill = format!("INSERT INTO account SELECT g, 1000000 FROM generate_series(1, {ACCOUNTS}) g");
        self.cluster.query("bench", &fill);
        self.cluster.query("bench", "VACUUM ANALYZE");
        self.cluster.query("bench", "CHECKPOINT");
        let (any, hot) = (self.script("any.sql", ANY), self.script("hot.sql", HOT));
        let tpcb = self.run("tpcb", &[], span);
        let double = self.run("double", &["-n", "-f", &any], span);
        let hot = self.run("hot", &["-n", "-f", &hot], span);
        Pgbench { tpcb, double, hot }
    }

    fn script(&self, name: &str, text: &str) -> String {
        let path = self.cluster.path().join(name);
        let written = fs::write(&path, text);
        assert!(written.is_ok(), "{written:?}");
        path.display().to_string()
    }

    fn run(&self, name: &str, more: &[&str], span: Duration) -> Figure {
        let (clients, seconds) = (CLIENTS.to_string(), span.as_secs().to_string());
        let usual = ["-M", "prepared", "-c", &clients, "-j", "2", "-T", &seconds, "-l", "--log-prefix", name];
        self.pgbench(&[&usual, more].concat());
        let (mut latencies, mut count) = (Vec::new(), 0);
        for entry in fs::read_dir(self.cluster.path()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&format!("{name}.")) && is_log(&entry.path()) {
                for line in fs::read_to_string(entry.path()).unwrap_or_default().lines() {
                    count += 1;
                    latencies.extend(line.split(' ').nth(2).and_then(|micros| micros.parse::<u32>().ok()));
                }
            }
        }
        Figure::of(count, span, latencies)
    }

    fn pgbench(&self, args: &[&str]) {
        let output = self.cluster.command("pgbench").args(args).arg("bench").output();
        assert!(output.as_ref().is_ok_and(|output| output.status.success()), "pgbench {args:?}: {output:?}");
    }

    /// Groups of signed transfers into the store, one after the other.
    pub(super) fn measure_store(&self, span: Duration) -> Result<Direct, Failure> {
        let keys = KeyPair::from_secret([9; 32]);
        let records = transfers(&keys);
        let commit = |name: &str, size: usize| {
            let address = self.store(name).parse().map_err(|e: String| Failure::new("store", e, 1))?;
            let store = Place::Database(address).open(keys.public(), [0; 32]);
            let (mut store, _) = store.map_err(Failure::from_display("store"))?;
            let (began, mut latencies, mut count) = (Instant::now(), Vec::new(), 0);
            for group in records.chunks(size) {
                let sent = Instant::now();
                store.commit(group).map_err(Failure::from_display("store"))?;
                latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                count += u64::try_from(group.len()).unwrap_or(u64::MAX);
                if began.elapsed() > span {
                    break;
                }
            }
            Ok::<Figure, Failure>(Figure::of(count, began.elapsed(), latencies))
        };
        Ok(Direct { small: commit("small", CLIENTS)?, large: commit("large", 1_024)? })
    }
}

/// Whether it is a log of pgbench: its name ends with a number.
fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
}

/// Signed transfers of some accounts, as a bank would chain them.
fn transfers(bank: &KeyPair) -> Vec<Record> {
    let people: Vec<KeyPair> = (1..33).map(|number| KeyPair::from_secret([number; 32])).collect();
    let mut head = genesis(bank.public());
    let payers = people.iter().zip(people.iter().cycle().skip(1)).cycle();
    (0..PREPARED)
        .zip(payers)
        .map(|(number, (payer, payee))| {
            let payments = vec![Payment { to: payee.public(), amount: Money(1) }];
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            let order = Order::Transfer(Transfer { payments, memo: String::new() });
            let command = bank::client::command(payer, bank.public(), CommandId(id), order);
            let event = Event::Transferred { command: Box::new(command) };
            let record = Record::seal(number, Time(number + 1), event, head);
            head = record.chain;
            record
        })
        .collect()
}

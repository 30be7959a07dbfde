//! The store in a real PostgreSQL: the suite of all stores, and what only a database can do to a bank.

#[expect(dead_code, reason = "the bench uses the rest")]
#[path = "../../../../tests/common/postgres.rs"]
pub(super) mod cluster;

use super::{Access, Address, PgStore, REACH};
use crate::node::bank::conformance::{Place, check_all, history, keys, read};
use bank::store::{Store, StoreError};
use cluster::Postgres;
use proto::PublicKey;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// A database of its own in a cluster that the tests share.
struct Money {
    cluster: Arc<Postgres>,
    name: String,
}

impl Money {
    fn query(&self, text: &str) -> String {
        self.cluster.query(&self.name, text)
    }
}

/// An empty database, and its address. The cluster lives as long as a test uses it.
fn money() -> (Money, Address) {
    static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let cluster = {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Postgres::start(&[]));
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    };
    let name = format!("money_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    cluster.create(&name);
    let address = cluster.address(&name).parse().unwrap();
    (Money { cluster, name }, address)
}

fn open(address: &Address) -> PgStore {
    PgStore::open(address, keys().public(), Access::Serve).unwrap()
}

struct Database(Address);

impl Place for Database {
    fn open(&mut self, bank: PublicKey) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(PgStore::open(&self.0, bank, Access::Serve)?))
    }
}

#[test]
fn a_store_in_postgresql_keeps_what_every_store_promises() {
    let mut clusters = Vec::new();
    check_all(|| {
        let (cluster, address) = money();
        clusters.push(cluster);
        Box::new(Database(address))
    });
}

#[test]
fn a_second_bank_on_one_database_is_refused_while_the_first_lives_and_not_after() {
    let (_cluster, address) = money();
    let mut first = open(&address);
    let second = PgStore::open(&address, keys().public(), Access::Serve).err();
    let reason = "it serves from this database at this moment".into();
    assert_eq!(second, Some(StoreError::Fenced { reason }));
    let all = history(1, 8);
    first.commit(&all[..4]).unwrap();
    drop(first);
    let mut second = open(&address);
    second.commit(&all[4..]).unwrap();
    assert_eq!((second.records(), read(&mut second, 0)), (8, Ok(all)));
}

#[test]
fn a_bank_that_lost_its_lock_unseen_is_stopped_by_the_epoch_and_can_fork_nothing() {
    let (cluster, address) = money();
    let all = history(1, 8);
    let mut first = open(&address);
    first.commit(&all[..4]).unwrap();
    // As a pooler would that gives the session to another bank.
    cluster.query("UPDATE compup2p.bank SET epoch = epoch + 1");
    let reason = "its epoch is later than 1, that of this bank".into();
    assert_eq!(first.commit(&all[4..6]), Err(StoreError::Fenced { reason }));
    let reason = "an earlier write failed, so that what the database holds is unknown".into();
    assert_eq!(first.commit(&all[4..6]), Err(StoreError::Failed { what: "go on", reason }));
    assert_eq!(read(&mut first, 0), Ok(all[..4].to_vec()), "nothing of the refused group is there");
}

#[test]
fn a_record_that_is_there_already_is_never_written_over() {
    let (cluster, address) = money();
    let all = history(1, 8);
    let mut first = open(&address);
    first.commit(&all[..4]).unwrap();
    cluster.query("INSERT INTO compup2p.journal VALUES (5, 'another')");
    let forked = first.commit(&all[4..]);
    assert!(matches!(&forked, Err(StoreError::Fenced { reason }) if reason.contains("23505")), "{forked:?}");
    let rows = "SELECT count(*), max(sequence) FROM compup2p.journal";
    assert_eq!(cluster.query(rows), "5|5");
    let index = "SELECT count(*) FROM compup2p.movement WHERE sequence >= 4";
    assert_eq!(cluster.query(index), "0", "the index has nothing of the refused group");
}

#[test]
fn a_group_whose_connection_dies_in_the_middle_is_there_as_a_whole_or_not_at_all() {
    let (cluster, address) = money();
    let all = history(1, 8);
    let mut store = open(&address);
    store.commit(&all[..4]).unwrap();
    // The server ends the session itself when the sixth record is written.
    cluster.query(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.sequence = 6 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$; \
         CREATE TRIGGER die BEFORE INSERT ON compup2p.journal FOR EACH ROW EXECUTE FUNCTION die()",
    );
    let torn = store.commit(&all[4..]);
    assert!(matches!(&torn, Err(StoreError::Failed { what: REACH, .. })), "{torn:?}");
    assert!(matches!(store.commit(&all[4..]), Err(StoreError::Failed { what: "go on", .. })));
    cluster.query("DROP TRIGGER die ON compup2p.journal");
    let mut store = open(&address);
    assert_eq!((store.records(), read(&mut store, 0)), (4, Ok(all[..4].to_vec())));
    store.commit(&all[4..]).unwrap();
    assert_eq!(read(&mut store, 0), Ok(all));
}

#[test]
fn a_full_disk_keeps_nothing_of_the_group_and_the_same_group_goes_in_when_there_is_room() {
    let (cluster, address) = money();
    let all = history(1, 8);
    let mut store = open(&address);
    store.commit(&all[..4]).unwrap();
    cluster.query(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
         CREATE TRIGGER full_disk AFTER INSERT ON compup2p.journal FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    let reason: String = "could not extend file (SQLSTATE 53100)".into();
    assert_eq!(store.make_room(), Ok(()), "there is room as far as anybody knows");
    assert_eq!(store.commit(&all[4..]), Err(StoreError::Full { reason: reason.clone() }));
    assert_eq!(read(&mut store, 0), Ok(all[..4].to_vec()));
    cluster.query(
        "CREATE TRIGGER full_disk AFTER INSERT ON compup2p.snapshot FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    assert_eq!(store.make_room(), Err(StoreError::Full { reason }));
    cluster.query("DROP TRIGGER full_disk ON compup2p.journal; DROP TRIGGER full_disk ON compup2p.snapshot");
    assert_eq!((store.make_room(), store.snapshot()), (Ok(()), Ok(None)));
    store.commit(&all[4..]).unwrap();
    assert_eq!(read(&mut store, 0), Ok(all));
}

#[test]
fn a_server_that_stops_is_an_error_and_a_server_that_may_forget_is_not_trusted() {
    let mut cluster = Postgres::start(&[]);
    let address = cluster.address("postgres").parse().unwrap();
    let mut store = open(&address);
    cluster.stop();
    let lost = store.commit(&history(1, 1));
    assert!(matches!(&lost, Err(StoreError::Failed { what: REACH, .. })), "{lost:?}");
    let unreachable = PgStore::open(&address, keys().public(), Access::Serve).err();
    let is_named = matches!(&unreachable, Some(StoreError::Failed { what: REACH, .. }));
    assert!(is_named, "{unreachable:?}");
    let careless = Postgres::start(&["fsync=off"]);
    let address = careless.address("postgres").parse().unwrap();
    let reason = "`fsync` is off there: a bank's records have to be durable".into();
    let refused = PgStore::open(&address, keys().public(), Access::Serve).err();
    assert_eq!(refused, Some(StoreError::Failed { what: "trust the database", reason }));
}

#[test]
fn a_row_that_is_missing_or_is_no_record_is_damage_with_its_number() {
    let (cluster, address) = money();
    let all = history(1, 8);
    let check = |damaging: &str, record: u64, reason: &str| {
        cluster.query("DROP SCHEMA IF EXISTS compup2p CASCADE");
        let mut store = open(&address);
        store.commit(&all).unwrap();
        cluster.query(damaging);
        let Err(StoreError::Damaged(damage)) = read(&mut store, 0) else { panic!("{damaging}: no damage") };
        assert_eq!((damage.record, damage.reason.as_str()), (record, reason), "{damaging}");
    };
    check("DELETE FROM compup2p.journal WHERE sequence = 3", 3, "the row of record 4 is in its place");
    check(
        "UPDATE compup2p.journal SET record = 'x' WHERE sequence = 5",
        5,
        "not a record: format 120 instead of 2",
    );
    let swap = "UPDATE compup2p.journal SET record = (SELECT record FROM compup2p.journal WHERE sequence = 1) \
         WHERE sequence = 6";
    check(swap, 6, "its row holds record 1");
}

#[test]
fn who_only_looks_sees_what_is_committed_and_writes_nothing() {
    let (_cluster, address) = money();
    let bank = keys().public();
    let nobody = PgStore::open(&address, bank, Access::Look).err();
    assert_eq!(nobody, Some(StoreError::Foreign { reason: "the database holds no bank".into() }));
    assert_eq!(PgStore::bank_at(&address), Ok(None));
    let all = history(1, 8);
    let mut serving = open(&address);
    serving.commit(&all[..4]).unwrap();
    let mut looking = PgStore::open(&address, bank, Access::Look).unwrap();
    serving.commit(&all[4..]).unwrap();
    assert_eq!((read(&mut looking, 2), PgStore::bank_at(&address)), (Ok(all[2..].to_vec()), Ok(Some(bank))));
    let refused = looking.commit(&all[..1]);
    let reason = "the store was opened to be looked at".into();
    assert_eq!(refused, Err(StoreError::Failed { what: "write the journal", reason }));
}

#[test]
fn an_import_is_there_as_a_whole_when_it_is_finished_and_not_at_all_before() {
    let (_cluster, address) = money();
    let (bank, all) = (keys().public(), history(1, 8));
    let mut import = PgStore::open(&address, bank, Access::Import).unwrap();
    import.commit(&all).unwrap();
    assert_eq!(PgStore::bank_at(&address), Ok(None), "before it is finished");
    drop(import);
    assert_eq!(PgStore::bank_at(&address), Ok(None), "it was given up");
    let mut import = PgStore::open(&address, bank, Access::Import).unwrap();
    import.commit(&all[..5]).unwrap();
    import.commit(&all[5..]).unwrap();
    import.finish().unwrap();
    assert_eq!(read(&mut open(&address), 0), Ok(all));
}

#[test]
fn a_store_of_another_format_is_refused_by_name() {
    let (cluster, address) = money();
    drop(open(&address));
    cluster.query("UPDATE compup2p.bank SET format = 1");
    let refused = PgStore::open(&address, keys().public(), Access::Serve).err();
    let reason = "its records are of format 1, this program's of 2".into();
    assert_eq!(refused, Some(StoreError::Foreign { reason }));
}

//! The bank on a disk that fails: cut off after any byte and any operation, torn, full, with any bit flipped.

use bank::store::file::{FileStore, Sizes};
use bank::store::{Store, StoreError};
use bank::{Bank, Config, Input, Output, Record, client};
use proto::message::bank::{BankMessage, BankRequest, Order, PlaceHold, ReleaseHold};
use proto::{CommandId, Hash, KeyPair, Money, Peer, PublicKey, Rules, Span, Time};
use sim::disk::{FaultyDisk, Ill, Operation, Survival};

/// Small files, so that a short run has several of each kind.
const SIZES: Sizes = Sizes { segment: 8 << 10, ahead: 2 << 10, reserve: 3 << 10 };
const SALT: [u8; 32] = [5; 32];
/// The commands of a run.
const COMMANDS: u32 = 200;

fn keys(person: u8) -> KeyPair {
    KeyPair::from_secret([person; 32])
}

fn bank_key() -> PublicKey {
    keys(100).public()
}

fn config() -> Config {
    Config { keys: keys(100), rules: Rules::LOCAL }
}

fn open(disk: &FaultyDisk) -> Result<FileStore<FaultyDisk>, StoreError> {
    FileStore::open(disk.clone(), bank_key(), SALT, SIZES)
}

fn records(store: &mut dyn Store, from: u64) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    store.read(from, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// The order of a run's command: four people open accounts, and then place holds and give them back.
fn order(number: u32) -> (u8, Order) {
    let person = u8::try_from(number % 4).unwrap();
    if number < 4 {
        return (person, Order::OpenAccount(Box::default()));
    }
    if number.is_multiple_of(2) {
        let (seller, amount) = (keys((person + 1) % 4).public(), Money(u64::from(number)));
        let ticket = Hash::of(&number.to_le_bytes());
        return (person, Order::PlaceHold(PlaceHold { seller, ticket, amount, expires_in: Span::secs(60) }));
    }
    // The seller of the hold before gives it back.
    let release = ReleaseHold { hold: id(number - 1), declined: None, report: None };
    (person, Order::ReleaseHold(Box::new(release)))
}

fn id(number: u32) -> CommandId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    CommandId(id)
}

/// Lets the bank decide a command.
fn decide(bank: &mut Bank, number: u32) -> Vec<Output> {
    let (person, order) = order(number);
    let command = client::command(&keys(person), bank_key(), id(number), order);
    let from = Peer::new(([10, 0, 0, person], 7_000).into(), 0, keys(person).public());
    let message = BankMessage::Request(Box::new(BankRequest { command }));
    bank.handle(Input::Receive { from, message }, Time(1_000_000 + u64::from(number)));
    std::iter::from_fn(|| bank.poll_output()).collect()
}

/// The records that a bank decides, one for each command.
fn decided() -> Vec<Record> {
    let mut bank = Bank::new(config(), [7; 32], Time(0));
    let outputs = (0..COMMANDS).flat_map(|number| decide(&mut bank, number));
    let appended = outputs.filter_map(|output| match output {
        Output::Append(record) => Some(record),
        _ => None,
    });
    let records: Vec<Record> = appended.collect();
    assert_eq!(records.len(), usize::try_from(COMMANDS).unwrap(), "every command writes a record");
    records
}

/// What happened on a disk, and what the bank said while it did.
struct Run {
    records: Vec<Record>,
    operations: Vec<Operation>,
    /// After how many operations how many records were acknowledged, in order.
    acknowledged: Vec<(usize, usize)>,
    /// How many records there may be: the ends of groups.
    groups: Vec<usize>,
}

/// Commits all records, in groups of 1 to 5, with two snapshots.
fn run() -> Run {
    let records = decided();
    let disk = FaultyDisk::new();
    let mut store = open(&disk).unwrap();
    let (mut acknowledged, mut groups, mut done) = (vec![(disk.count(), 0)], vec![0], 0);
    for size in (1..=5).cycle() {
        let end = (done + size).min(records.len());
        store.commit(&records[done..end]).unwrap();
        acknowledged.push((disk.count(), end));
        groups.push(end);
        if done < 80 && end >= 80 || done < 160 && end >= 160 {
            store.keep_snapshot(u64::try_from(end).unwrap(), b"a ledger").unwrap();
        }
        done = end;
        if done == records.len() {
            break;
        }
    }
    Run { records, operations: disk.operations(), acknowledged, groups }
}

impl Run {
    /// How many records were acknowledged when `operations` operations were done.
    fn acknowledged(&self, operations: usize) -> usize {
        let before = self.acknowledged.iter().filter(|(done, _)| *done <= operations);
        before.map(|(_, records)| *records).max().unwrap_or(0)
    }

    /// The store that is found on `disk` after a crash behind so many operations: everything acknowledged is there,
    /// nothing is half there. Of a `whole` look, all records make a bank, and the store goes on.
    fn judge(&self, disk: &FaultyDisk, operations: usize, is_whole: bool) -> Result<(), String> {
        let mut store = open(disk).map_err(|error| error.to_string())?;
        let count = usize::try_from(store.count().unwrap()).unwrap();
        let acknowledged = self.acknowledged(operations);
        if count < acknowledged {
            return Err(format!("{count} of {acknowledged} acknowledged records"));
        }
        if !self.groups.contains(&count) {
            return Err(format!("half a group, {count} records"));
        }
        let from = if is_whole { 0 } else { acknowledged.saturating_sub(1).min(count) };
        let found = records(&mut store, u64::try_from(from).unwrap()).map_err(|error| error.to_string())?;
        if found != self.records[from..count] {
            return Err("other records".into());
        }
        if is_whole {
            let bank = Bank::replay(config(), [7; 32], Time(0), found).map_err(|error| error.to_string())?;
            bank.check_all().map_err(|error| error.to_string())?;
            let end = self.records.len().min(count + 2);
            store.commit(&self.records[count..end]).map_err(|error| error.to_string())?;
            let mut again = open(disk).map_err(|error| error.to_string())?;
            let goes_on = again.cut().is_none() && records(&mut again, 0).unwrap() == self.records[..end];
            return goes_on.then_some(()).ok_or_else(|| "it does not go on".into());
        }
        Ok(())
    }

    fn check(&self, disk: &FaultyDisk, operations: usize, is_whole: bool, what: &str) {
        assert_eq!(self.judge(disk, operations, is_whole), Ok(()), "{what}");
    }
}

#[test]
fn a_bank_killed_at_any_byte_has_all_that_it_acknowledged_and_nothing_by_halves() {
    let run = run();
    let disk = FaultyDisk::new();
    let mut cuts = 0;
    for (at, operation) in run.operations.iter().enumerate() {
        for survival in [Survival::All, Survival::Synced] {
            run.check(&disk.crash(survival), at, true, &format!("{survival:?} before operation {at}"));
        }
        if let Operation::Write(_, _, bytes) = operation {
            for cut in 1..bytes.len() {
                let what = format!("operation {at} cut at byte {cut}");
                run.check(&disk.crash_within(operation, cut, Survival::All), at, false, &what);
                cuts += 1;
            }
        }
        disk.follow(operation);
    }
    assert!(cuts > 50_000, "{cuts} bytes were written");
    run.check(&disk.crash(Survival::Synced), run.operations.len(), true, "at the end");
}

#[test]
fn a_power_cut_that_loses_any_sectors_of_the_last_write_loses_nothing_acknowledged() {
    let run = run();
    let disk = FaultyDisk::new();
    for (at, operation) in run.operations.iter().enumerate() {
        disk.follow(operation);
        for seed in 0..20 {
            let survival = Survival::Sectors(seed);
            run.check(
                &disk.crash(survival),
                at + 1,
                seed == 0,
                &format!("{survival:?} after operation {at}"),
            );
        }
    }
}

#[test]
fn a_store_that_acknowledges_what_is_not_synced_is_noticed() {
    let run = run();
    let disk = FaultyDisk::new();
    disk.set_ill(Ill { lies_about_syncs: true, ..Ill::default() });
    let found = run.operations.iter().enumerate().find_map(|(at, operation)| {
        disk.follow(operation);
        run.judge(&disk.crash(Survival::Synced), at + 1, true).err()
    });
    let words = "the journal is damaged in record 0, at byte 0: the header is cut off (file 00000000000000000000.journal)";
    assert_eq!(found.as_deref(), Some(words), "the first file is lost");
    // The files of the beginning are durable, and then every sync is left out.
    let disk = FaultyDisk::new();
    let found = run.operations.iter().enumerate().find_map(|(at, operation)| {
        disk.set_ill(Ill { lies_about_syncs: at > 30, ..Ill::default() });
        disk.follow(operation);
        run.judge(&disk.crash(Survival::Synced), at + 1, true).err()
    });
    let words = found.unwrap_or_default();
    assert!(words.ends_with(" acknowledged records"), "{words}");
}

/// A journal of a few records, all acknowledged.
fn small() -> (FaultyDisk, Vec<Record>) {
    let (disk, records) = (FaultyDisk::new(), decided()[..9].to_vec());
    let sizes = Sizes { segment: 1 << 10, ..SIZES };
    let mut store = FileStore::open(disk.clone(), bank_key(), SALT, sizes).unwrap();
    for group in records.chunks(2) {
        store.commit(group).unwrap();
    }
    (disk, records)
}

#[test]
fn every_flipped_bit_of_a_journal_is_noticed_or_changes_nothing() {
    let (disk, written) = small();
    let files: Vec<String> = disk.files().into_iter().filter(|file| file.ends_with(".journal")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let (mut noticed, mut harmless) = (0, 0);
    for file in &files {
        for bit in 0.. {
            let flipped = disk.crash(Survival::All);
            if !flipped.flip(file, bit) {
                break;
            }
            match open(&flipped).and_then(|mut store| records(&mut store, 0)) {
                Ok(found) => {
                    assert_eq!(found, written, "bit {bit} of {file}");
                    harmless += 1;
                }
                Err(StoreError::Damaged(_) | StoreError::Foreign { .. }) => noticed += 1,
                Err(other) => panic!("bit {bit} of {file}: {other}"),
            }
        }
    }
    // Harmless are the zeros behind the last group.
    assert!(noticed > 10_000 && harmless < noticed, "{noticed} noticed, {harmless} harmless");
}

#[test]
fn damage_is_told_with_its_record_file_and_byte() {
    let (disk, _) = small();
    let places = [
        (0, "the journal is damaged in record 0, at byte 0: it does not begin as a journal does"),
        (130, "the journal is damaged in record 0, at byte 0: the header does not fit its checksum"),
        (150, "the journal is damaged in record 0, at byte 144: the head of a group does not read"),
        (300, "the journal is damaged in record 0, at byte 192: the record does not fit its checksum"),
    ];
    for (byte, words) in places {
        let damaged = disk.crash(Survival::All);
        assert!(damaged.flip("00000000000000000000.journal", byte * 8));
        let error = open(&damaged).and_then(|mut store| records(&mut store, 0)).unwrap_err();
        assert_eq!(error.to_string(), format!("{words} (file 00000000000000000000.journal)"));
    }
}

#[test]
fn a_journal_of_another_bank_is_refused_by_name() {
    let (disk, _) = small();
    let error = FileStore::open(disk, keys(101).public(), SALT, SIZES).unwrap_err();
    let file = "00000000000000000008.journal";
    let (theirs, ours) = (bank_key(), keys(101).public());
    let reason = format!("{file}: it is the journal of the bank {theirs}, not of {ours}");
    assert_eq!(error, StoreError::Foreign { reason });
}

#[test]
fn a_journal_that_has_lost_its_end_or_all_of_it_is_refused_while_a_snapshot_knows_better() {
    let (disk, written) = small();
    open(&disk).unwrap().keep_snapshot(9, b"a ledger").unwrap();
    let last = "00000000000000000008.journal";
    disk.follow(&Operation::Truncate(last.into(), 144));
    let error = open(&disk).unwrap_err().to_string();
    let words = "the journal is damaged in record 8, at byte 144: the journal ends here, and a snapshot knows 9 records";
    assert_eq!(error, format!("{words} (file {last})"));
    disk.files().iter().filter(|file| file.ends_with(".journal")).for_each(|file| {
        disk.follow(&Operation::Remove(file.clone()));
    });
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("there is no journal, and a snapshot of 9 records"), "{error}");
    assert_eq!(written.len(), 9);
}

#[test]
fn with_any_room_a_store_keeps_whole_groups_and_goes_on_when_there_is_more() {
    let written = decided();
    let mut stopped_at = Vec::new();
    for room in (4_000..40_000).step_by(997) {
        let disk = FaultyDisk::new();
        disk.set_ill(Ill { room: Some(room), ..Ill::default() });
        let mut store = open(&disk).unwrap();
        let mut done = 0;
        let mut full = false;
        while !full {
            let end = done + 3;
            match store.commit(&written[done..end]) {
                Ok(()) => done = end,
                Err(StoreError::Full { .. }) => full = true,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(disk.used() <= room);
        assert!(disk.bytes("reserve").is_none(), "the reserve was given up first");
        assert!(matches!(store.make_room(), Err(StoreError::Full { .. })));
        assert_eq!(records(&mut store, 0).unwrap(), written[..done], "nothing of the group was kept");
        let mut found = open(&disk.crash(Survival::Synced)).unwrap();
        assert_eq!(records(&mut found, 0).unwrap(), written[..done]);
        disk.set_ill(Ill::default());
        store.make_room().unwrap();
        store.commit(&written[done..done + 3]).unwrap();
        assert_eq!(records(&mut store, 0).unwrap(), written[..done + 3]);
        stopped_at.push(done);
    }
    assert!(stopped_at.is_sorted() && stopped_at.first() < stopped_at.last(), "{stopped_at:?}");
}

#[test]
fn after_a_sync_that_failed_nothing_is_written_any_more() {
    let written = decided();
    let disk = FaultyDisk::new();
    let mut store = open(&disk).unwrap();
    store.commit(&written[..2]).unwrap();
    disk.set_ill(Ill { fails_to_sync: true, ..Ill::default() });
    let failed = StoreError::Failed { what: "sync the journal", reason: "the disk does not answer".into() };
    assert_eq!(store.commit(&written[2..4]), Err(failed.clone()));
    disk.set_ill(Ill::default());
    let before = disk.count();
    assert_eq!(store.commit(&written[2..4]), Err(failed.clone()));
    assert_eq!(store.make_room(), Err(failed));
    assert_eq!(disk.count(), before, "no operation at all");
}

/// What a store finds of an account and of a contract is what stands in the list of all records.
fn check_found(store: &mut FileStore<FaultyDisk>, written: &[Record]) {
    for person in 0..5 {
        let account = keys(person).public();
        let its = |record: &&Record| record.accounts(bank_key()).contains(&account);
        for (before, limit) in [(u64::MAX, 500), (u64::MAX, 3), (100, 20), (1, 5), (0, 5)] {
            let earlier = written.iter().rev().filter(|record| record.sequence < before);
            let expected: Vec<Record> = earlier.filter(its).take(limit).cloned().collect();
            assert_eq!(store.of_account(account, before, limit), Ok(expected), "{person} {before} {limit}");
        }
    }
    for number in (0..COMMANDS).step_by(9) {
        let of_it = |record: &&Record| record.contract() == Some(id(number));
        let expected: Vec<Record> = written.iter().filter(of_it).cloned().collect();
        assert_eq!(store.of_contract(id(number)), Ok(expected), "contract {number}");
    }
}

#[test]
fn records_are_found_by_account_and_contract_whatever_became_of_the_indices() {
    let (disk, written) = (FaultyDisk::new(), decided());
    let mut store = open(&disk).unwrap();
    let mut reader = FileStore::open_to_read(disk.clone(), bank_key());
    for (number, group) in written.chunks(7).enumerate() {
        store.commit(group).unwrap();
        if number.is_multiple_of(9) {
            check_found(&mut reader, &written[..written.len().min(7 * (number + 1))]);
        }
    }
    let files = |ending: &str| {
        let all = disk.files().into_iter();
        all.filter(|file| file.ends_with(ending)).collect::<Vec<String>>()
    };
    assert!(files(".journal").len() > 3 && files(".index").len() < files(".journal").len());
    check_found(&mut store, &written);
    let indices = files(".index");
    assert_eq!(indices.len(), files(".journal").len() - 1, "each closed segment has one");
    assert!(disk.flip(&indices[0], 300));
    disk.follow(&Operation::Remove(indices[1].clone()));
    check_found(&mut FileStore::open_to_read(disk.clone(), bank_key()), &written);
}

#[test]
fn a_reader_beside_the_writer_sees_whole_groups_only() {
    let run = run();
    let disk = FaultyDisk::new();
    for operation in &run.operations {
        let Operation::Write(file, _, bytes) = operation else {
            disk.follow(operation);
            continue;
        };
        if file.ends_with(".journal") {
            for cut in (1..bytes.len()).step_by(61) {
                let half = disk.crash_within(operation, cut, Survival::All);
                let mut reader = FileStore::open_to_read(half, bank_key());
                let found = records(&mut reader, 0).unwrap();
                assert!(run.groups.contains(&found.len()), "{} records at byte {cut}", found.len());
                assert_eq!(found, run.records[..found.len()]);
            }
        }
        disk.follow(operation);
    }
}

#[test]
fn the_newest_two_snapshots_are_kept_and_a_damaged_one_is_passed_over() {
    let (disk, _) = small();
    let mut store = open(&disk).unwrap();
    for records in [3, 5, 8] {
        store.keep_snapshot(records, format!("after {records}").as_bytes()).unwrap();
    }
    let snapshots: Vec<String> =
        disk.files().into_iter().filter(|file| file.ends_with(".snapshot")).collect();
    assert_eq!(snapshots, ["00000000000000000005.snapshot", "00000000000000000008.snapshot"]);
    assert_eq!(store.snapshot(), Ok(Some(b"after 8".to_vec())));
    assert!(disk.flip(&snapshots[1], 600));
    assert_eq!(store.snapshot(), Ok(Some(b"after 5".to_vec())));
    assert!(disk.flip(&snapshots[0], 8));
    assert_eq!(store.snapshot(), Ok(None));
    let full = Ill { room: Some(disk.used() + 20), ..Ill::default() };
    disk.set_ill(full);
    assert!(matches!(store.keep_snapshot(9, b"after 9"), Err(StoreError::Failed { .. })));
    assert!(disk.files().iter().all(|file| !file.ends_with(".new")), "nothing is left of it");
}

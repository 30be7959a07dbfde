//! The file of a node's journal on a disk with faults: what was acknowledged is there, and a torn end is cut off.

use bank::store::disk::Disk as _;
use proto::{CommandId, Time};
use service::Note;
use service::journal::log::Log;
use sim::disk::{FaultyDisk, Survival};

/// The file's name, and what is before its first group.
const FILE: &str = "notes";
const HEAD: u64 = 16;

fn notes(numbers: std::ops::Range<u64>) -> Vec<Note> {
    let note = |number: u64| Note::Closed {
        contract: CommandId([u8::try_from(number % 251).unwrap(); 16]),
        until: Time(number),
    };
    numbers.map(note).collect()
}

/// Groups are written, and at some of them the file is replaced: what comes back after a crash is what was acknowledged.
#[track_caller]
fn check(counts: &[u64], replaced: &[usize], survival: Survival) {
    let disk = FaultyDisk::default();
    let (mut log, before) = Log::open(disk.clone()).unwrap();
    assert_eq!(before, []);
    let (mut written, mut next) = (Vec::new(), 0);
    for (index, count) in counts.iter().enumerate() {
        let group = notes(next..next + count);
        next += count;
        if replaced.contains(&index) {
            log.replace(&group).unwrap();
            written = group;
        } else {
            log.append(&group).unwrap();
            written.extend(group);
        }
    }
    let disk = disk.crash(survival);
    let (mut log, found) = Log::open(disk.clone()).unwrap();
    assert_eq!((&found, log.cut()), (&written, 0), "{survival:?}");
    log.append(&notes(0..1)).unwrap();
    written.extend(notes(0..1));
    assert_eq!(Log::open(disk.crash(survival)).unwrap().1, written, "{survival:?}");
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let sectors = (0..64).map(Survival::Sectors);
    for survival in sectors.chain([Survival::All, Survival::Synced]) {
        check(&[1], &[], survival);
        check(&[3, 40, 1, 7], &[], survival);
        check(&[3, 40, 1, 7], &[2], survival);
        check(&[5, 5, 5], &[0, 2], survival);
    }
}

#[test]
fn a_torn_end_is_cut_off_at_whatever_byte() {
    let mut disk = FaultyDisk::default();
    let (mut log, _) = Log::open(disk.clone()).unwrap();
    let mut ends = vec![(HEAD, 0)];
    for count in [2, 5, 1] {
        let next = ends.last().unwrap().1;
        log.append(&notes(next..next + count)).unwrap();
        ends.push((disk.length(FILE).unwrap(), next + count));
    }
    for length in HEAD..=ends.last().unwrap().0 {
        let mut torn = disk.crash(Survival::All);
        torn.truncate(FILE, length).unwrap();
        let (log, found) = Log::open(torn).unwrap();
        let (whole, count) = *ends.iter().rev().find(|(end, _)| *end <= length).unwrap();
        assert_eq!((found, log.cut()), (notes(0..count), length - whole), "{length} bytes");
    }
}

#[test]
fn a_group_that_was_changed_is_not_read() {
    let disk = FaultyDisk::default();
    let (mut log, _) = Log::open(disk.clone()).unwrap();
    log.append(&notes(0..3)).unwrap();
    log.append(&notes(3..5)).unwrap();
    let first = HEAD * 8 + 40;
    assert!(disk.flip(FILE, first));
    assert_eq!(Log::open(disk).unwrap().1, []);
}

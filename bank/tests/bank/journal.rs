//! The journal as bytes: whole, cut at every byte, and with every bit flipped.

use crate::papers::{Deal, release};
use crate::world::{World, hold, open};
use bank::journal::{Damage, Reader, Tail, encode, read};
use bank::{Event, Record};
use proto::message::bank::{Ending, How, Shares};
use proto::{Hash, Money, Span, Time};

/// A journal with every kind of event.
fn records() -> Vec<Record> {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    for (number, ticket) in [(4, deal.ticket().hash()), (5, Hash([5; 32])), (6, Hash([5; 32]))] {
        world.held(1, number, hold(2, ticket, 5_000_000, 60));
    }
    world.order(1, 10, deal.settle(4));
    world.order(2, 11, release(5, None, None));
    world.wait(Span::secs(61));
    world.order(3, 12, open());
    world.journal
}

fn frames(records: &[Record]) -> Vec<Vec<u8>> {
    records.iter().map(encode).collect()
}

#[test]
fn a_journal_reads_as_it_was_written() {
    let records = records();
    let bytes = frames(&records).concat();
    let good = u64::try_from(bytes.len()).unwrap();
    assert_eq!(read(&bytes), Ok((records, Tail { records: 9, good, torn: 0 })));
    assert_eq!(read(&[]), Ok((Vec::new(), Tail { records: 0, good: 0, torn: 0 })));
}

#[test]
fn it_does_not_matter_in_which_pieces_the_bytes_come() {
    let records = records();
    let bytes = frames(&records).concat();
    for size in [1, 7, 64, 1_000] {
        let (mut reader, mut found) = (Reader::new(), Vec::new());
        for piece in bytes.chunks(size) {
            reader.push(piece);
            while let Some(record) = reader.next_record().unwrap() {
                found.push(record);
            }
        }
        assert_eq!(found, records, "pieces of {size}");
        assert_eq!(reader.finish().map(|tail| tail.torn), Ok(0));
    }
}

#[test]
fn a_journal_cut_at_any_byte_gives_all_whole_records() {
    let records = records();
    let frames = frames(&records);
    let bytes = frames.concat();
    let (mut whole, mut good) = (0, 0);
    for cut in 0..bytes.len() {
        if whole < frames.len() && cut == good + frames[whole].len() {
            good = cut;
            whole += 1;
        }
        let (found, tail) = read(&bytes[..cut]).unwrap();
        assert_eq!(found.len(), whole, "cut at {cut}");
        assert_eq!(found, records[..whole], "cut at {cut}");
        let expected = Tail {
            records: u64::try_from(whole).unwrap(),
            good: u64::try_from(good).unwrap(),
            torn: u64::try_from(cut - good).unwrap(),
        };
        assert_eq!(tail, expected, "cut at {cut}");
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed_in_any_frame() {
    let frames = frames(&records());
    let behind = &frames[0];
    for (number, frame) in frames.iter().enumerate() {
        for is_last in [true, false] {
            let mut bytes = frame.clone();
            if !is_last {
                bytes.extend(behind);
            }
            for bit in 0..frame.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let damage = read(&bytes).expect_err("a flipped bit was taken");
                assert_eq!((damage.record, damage.offset), (0, 0), "record {number}, bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

#[test]
fn damage_is_told_with_its_record_and_byte() {
    let records = records();
    let frames = frames(&records);
    let offset = frames[0].len() + frames[1].len();
    let mut bytes = frames.concat();
    bytes[offset + 30] ^= 1;
    let reason = "the record does not fit its checksum".to_owned();
    let damage = Damage { record: 2, offset: u64::try_from(offset).unwrap(), reason };
    assert_eq!(
        damage.to_string(),
        format!("the journal is damaged in record 2, at byte {offset}: the record does not fit its checksum")
    );
    assert_eq!(read(&bytes), Err(damage.clone()));
    let mut reader = Reader::new();
    reader.push(&bytes);
    assert!(reader.next_record().unwrap().is_some() && reader.next_record().unwrap().is_some());
    assert_eq!(reader.next_record(), Err(damage.clone()));
    assert_eq!(reader.next_record(), Err(damage), "it stays there");
}

/// How much of a journal is good when `tail` stands behind its first two frames; `None` for damage.
fn good_before(tail: &[u8]) -> Option<u64> {
    let frames = frames(&records()[..2]);
    let good = u64::try_from(frames.concat().len()).unwrap();
    let bytes = [frames.concat(), tail.to_vec()].concat();
    let found = read(&bytes).ok()?.1;
    assert_eq!((found.good, found.torn), (good, u64::try_from(tail.len()).unwrap()));
    Some(found.good)
}

#[test]
fn zeros_that_were_never_written_are_a_torn_tail_and_zeros_inside_are_damage() {
    let record = records().remove(2);
    let frame = encode(&record);
    let end = frame.len();
    let zeroed = |from: usize, to: usize| {
        let mut bytes = frame.clone();
        bytes[from..to].fill(0);
        bytes
    };
    let zeros = |count: usize| vec![0; count];
    let torn = [
        ("only zeros", zeros(5_000)),
        ("one zero", zeros(1)),
        ("zeros from the checksum on", zeroed(end - 16, end)),
        ("zeros from the middle on", [zeroed(100, end), zeros(900)].concat()),
        ("zeros behind a part of the header", [frame[..5].to_vec(), zeros(900)].concat()),
    ];
    for (name, tail) in torn {
        assert!(good_before(&tail).is_some(), "{name}");
    }
    let damaged = [
        ("zeros and then a frame", [zeros(40), frame.clone()].concat()),
        ("an unwritten end and then a frame", [zeroed(100, end), frame.clone()].concat()),
        ("zeros within the record", zeroed(100, 120)),
        ("a zeroed header", zeroed(0, 8)),
        ("noise behind zeros", [zeros(5_000), vec![1]].concat()),
    ];
    for (name, tail) in damaged {
        assert_eq!(good_before(&tail), None, "{name}");
    }
}

#[test]
fn frames_that_no_bank_writes_are_damage() {
    let record = records().remove(0);
    let frame = |body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let mut bytes = [&length[..], &Hash::of(&length).0[..4], body].concat();
        let checksum = Hash::of(&bytes).0;
        bytes.extend(&checksum[..16]);
        bytes
    };
    let body = record.encode();
    assert_eq!(frame(&body), encode(&record));
    let (mut format, mut kind) = (body.clone(), body.clone());
    (format[0], kind[17]) = (1, 99);
    let long = [&body[..], &[0]].concat();
    let table = [
        (frame(&format), "not a record: format 1 instead of 2"),
        (frame(&kind), "not a record: an event of unknown kind 99"),
        (frame(&long), "not a record: 1 bytes after its end"),
        (frame(&body[..body.len() - 1]), "not a record: it ends too early"),
        (frame(&[]), "not a record: it ends too early"),
        (frame(&vec![0; 1_049_601])[..8].to_vec(), "a record of 1049601 bytes, which is more than 1049600"),
    ];
    for (bytes, reason) in table {
        assert_eq!(read(&bytes).map_err(|damage| damage.reason), Err(reason.to_owned()));
    }
}

#[test]
fn an_expiry_needs_no_command_and_few_bytes() {
    let shares = Shares { buyer_held: Money(5), buyer: Money(5), ..Shares::default() };
    let (hold, how, buyer, seller) =
        (crate::world::id(4), How::Expired, crate::world::key(1), crate::world::key(2));
    let ending = Ending { hold, how, buyer, seller, owner: None, arbiter: None, shares };
    let event = Event::HoldClosed { command: None, ending: Box::new(ending) };
    let record = Record::seal(3, Time(9), event, Hash::default());
    assert_eq!(encode(&record).len(), 173);
    assert_eq!(record.command(), None);
}

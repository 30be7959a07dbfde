//! A replay from bytes: the same ledger as from records, and nothing else passes; and what an auditor sees in the orders
//! that move money outside of contracts.

use crate::world::{BANK, World, freeze, grant, key, open, pay, signed};
use bank::{Event, Record, Replay, ReplayError, Violation, audit, genesis};
use proto::message::bank::{BankCommand, BankOutcome, Order};
use proto::{Hash, Signed};

/// Accounts, transfers of one and of several payments with and without memo, and what the operator orders.
fn lived() -> World {
    let mut world = World::with_accounts(&[1, 2, 3]);
    let orders = [
        (1, pay(&[(2, 5)], "")),
        (1, pay(&[(2, 5), (3, 1_000_000), (2, 127), (3, 128)], "Größe")),
        (BANK, grant(4, u64::from(u32::MAX))),
        (BANK, freeze(3, true)),
        (4, pay(&[(1, 16_384)], &"m".repeat(140))),
        (2, open()),
    ];
    for (number, (who, order)) in (50..).zip(orders) {
        let outcome = world.order(who, number, order);
        assert!(!matches!(outcome, BankOutcome::Refused(_)), "{outcome:?}");
    }
    world
}

fn replayed(records: &[Vec<u8>]) -> Result<Hash, ReplayError> {
    let mut replay = Replay::new(key(BANK));
    records.iter().try_for_each(|bytes| replay.follow_encoded(bytes))?;
    Ok(replay.state_hash())
}

fn encoded(records: &[Record]) -> Vec<Vec<u8>> {
    records.iter().map(Record::encode).collect()
}

/// Writes the journal again from record `at` on, all chains right: what a bank that lies could write.
fn rewritten(journal: &[Record], at: usize, edit: impl Fn(&mut Event)) -> Vec<Record> {
    let mut records = journal[..at].to_vec();
    let mut previous = records.last().map_or(genesis(key(BANK)), |record| record.chain);
    for record in &journal[at..] {
        let mut event = record.event.clone();
        if records.len() == at {
            edit(&mut event);
        }
        let record = Record::seal(record.sequence, record.time, event, previous);
        previous = record.chain;
        records.push(record);
    }
    records
}

fn command(event: &mut Event) -> &mut Signed<BankCommand> {
    match event {
        Event::Transferred { command } | Event::Granted { command } | Event::Frozen { command } => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_come_to_the_same_ledger_as_records() {
    let world = lived();
    assert_eq!(replayed(&encoded(&world.journal)), Ok(world.bank.state_hash()));
    for record in &world.journal {
        assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(record));
    }
}

#[test]
fn a_flipped_bit_of_a_transfer_does_not_follow() {
    let records = encoded(&lived().journal);
    for bit in 0..records[3].len() * 8 {
        let mut records = records[..5].to_vec();
        records[3][bit / 8] ^= 1 << (bit % 8);
        assert!(replayed(&records).is_err(), "bit {bit}");
    }
    for end in 0..records[3].len() {
        let mut records = records[..4].to_vec();
        records[3].truncate(end);
        assert!(replayed(&records).is_err(), "{end} bytes");
    }
}

/// Chains the bytes of a record again after they were changed.
fn rechained(bytes: &[u8], previous: Hash) -> Vec<u8> {
    let body = &bytes[..bytes.len() - 32];
    let chain = Hash::of(&[previous.0.as_slice(), body].concat());
    [body, &chain.0].concat()
}

#[test]
fn another_encoding_of_the_same_transfer_is_not_its_record() {
    let journal = lived().journal;
    let before = encoded(&journal[..3]);
    let previous = journal[2].chain;
    let after = |bytes: Vec<u8>| replayed(&[before.clone(), vec![rechained(&bytes, previous)]].concat());
    let bytes = journal[3].encode();
    assert!(after(bytes.clone()).is_ok());
    // The transfer is the last field of the command, and its only payment ends with the amount, 5: written in two bytes,
    // with all lengths right, it is the same number.
    let length = u32::from_le_bytes(bytes[34..38].try_into().unwrap());
    let amount = bytes.windows(2).position(|two| two == [0x10, 5]).unwrap();
    let mut longer = bytes.clone();
    longer.splice(amount + 1..amount + 2, [0x85, 0x00]);
    longer[34..38].copy_from_slice(&(length + 1).to_le_bytes());
    for place in [39, amount - 37, amount - 35] {
        longer[place] += 1;
    }
    let Err(ReplayError::Chain { sequence: 3 }) = after(longer.clone()) else {
        panic!("{:?}", after(longer));
    };
    let mut lying = bytes;
    lying[18] ^= 1;
    assert!(after(lying.clone()).is_ok(), "the bank's own bytes are believed, as its signatures are");
    let reason = Record::decode(&rechained(&lying, previous)).unwrap_err().reason;
    assert_eq!(reason, "its command does not fit its digest", "an auditor reads them");
}

#[test]
fn an_auditor_sees_transfers_and_grants_that_nobody_ordered() {
    let journal = lived().journal;
    let signatures =
        |at: usize, edit: &dyn Fn(&mut Event)| match audit(key(BANK), rewritten(&journal, at, edit)) {
            Err(ReplayError::NotAuthorised { sequence, .. }) => {
                assert_eq!(sequence, u64::try_from(at).unwrap())
            }
            other => panic!("{other:?}"),
        };
    signatures(3, &|event| command(event).body.order = pay(&[(2, 6)], ""));
    signatures(3, &|event| command(event).signer = key(2));
    signatures(5, &|event| command(event).body.order = grant(1, u64::from(u32::MAX)));
    signatures(6, &|event| command(event).body.order = freeze(1, true));
    let impossible = |at: usize, new: Signed<BankCommand>, what: &'static str| {
        let records = rewritten(&journal, at, |event| *command(event) = new.clone());
        let violation = Violation::Impossible { what };
        let expected = Err(ReplayError::Violation { sequence: u64::try_from(at).unwrap(), violation });
        assert_eq!(replayed(&encoded(&records)).map(|_| ()), expected);
        assert_eq!(audit(key(BANK), records).map(|_| ()), expected);
    };
    let by_one = |order: Order| signed(1, 60, order);
    let no_bank = "money was issued in a form that no bank takes";
    impossible(5, by_one(grant(1, 5)), no_bank);
    impossible(5, signed(BANK, 60, grant(1, 0)), no_bank);
    let not_there = "an account was frozen that is not there, or not by the bank";
    impossible(6, by_one(freeze(2, true)), not_there);
    impossible(6, signed(BANK, 60, freeze(9, true)), not_there);
    let form = "money was transferred in a form that no bank takes";
    impossible(3, by_one(pay(&[(1, 5)], "")), form);
    impossible(3, by_one(pay(&[], "")), form);
    impossible(3, by_one(pay(&[(9, 5)], "")), "money was transferred to an account that is not there");
    let payer = "money was transferred by an account that is frozen or not there";
    impossible(3, signed(9, 60, pay(&[(1, 5)], "")), payer);
    impossible(7, signed(3, 60, pay(&[(1, 5)], "")), payer);
    impossible(4, signed(1, 50, pay(&[(2, 5)], "")), "a command was executed twice");
    let records = rewritten(&journal, 3, |event| *command(event) = by_one(pay(&[(2, 50_000_000)], "")));
    let violation = Violation::OutOfRange { account: key(1), value: -6_500_000 };
    let overdrawn = Err(ReplayError::Violation { sequence: 3, violation });
    assert_eq!(replayed(&encoded(&records)).map(|_| ()), overdrawn);
    assert_eq!(audit(key(BANK), records).map(|_| ()), overdrawn);
}

//! A ledger from its snapshot is the ledger that was written down, and no other bytes pass for one.

use crate::papers::{Deal, declined, release};
use crate::world::{BANK, World, config, freeze, grant, hold, key, open, pay, peer, signed};
use bank::{Bank, Input, Output, Replay, ReplayError};
use proto::message::bank::{BankCommand, BankMessage, BankOutcome, BankRequest};
use proto::{Signed, Span, Time};

/// A world with every kind of answer in its memory, open holds, a frozen account, and the commands that were executed.
fn lived() -> (World, Vec<(u8, Signed<BankCommand>)>) {
    let deal = Deal::default();
    let place = |number, secs| (1, signed(1, number, hold(2, deal.ticket().hash(), 5_000_000, secs)));
    let commands = vec![
        (1, signed(1, 1, open())),
        (2, signed(2, 2, open())),
        (5, signed(5, 3, open())),
        place(4, 60),
        place(5, 60),
        place(6, 60),
        place(7, 6_000),
        (2, signed(2, 10, deal.settle(4))),
        (1, signed(1, 11, release(5, Some(declined(2, 5)), None))),
        (2, signed(2, 12, pay(&[(1, 7), (5, 8)], "a memo"))),
        (BANK, signed(BANK, 13, grant(7, 99))),
        (BANK, signed(BANK, 14, freeze(5, true))),
    ];
    let mut world = World::new();
    for (who, command) in &commands {
        let outcome = world.command(*who, command.clone());
        assert!(!matches!(outcome, BankOutcome::Refused(_)), "{outcome:?}");
    }
    world.wait(Span::secs(61));
    (world, commands)
}

fn replayed(world: &World) -> Replay {
    let mut replay = Replay::new(key(BANK));
    world.journal.iter().try_for_each(|record| replay.follow(record)).unwrap();
    replay
}

/// The answer of a bank to a command that writes no record.
fn answer(bank: &mut Bank, who: u8, command: Signed<BankCommand>, now: Time) -> BankOutcome {
    let message = BankMessage::Request(Box::new(BankRequest { command }));
    bank.handle(Input::Receive { from: peer(who), message }, now);
    match bank.poll_output() {
        Some(Output::Send { message: BankMessage::Reply(reply), .. }) => reply.outcome,
        other => panic!("not an answer: {other:?}"),
    }
}

#[test]
fn a_loaded_ledger_is_the_one_that_was_written() {
    let (mut world, commands) = lived();
    let replay = replayed(&world);
    let bytes = replay.snapshot();
    assert_eq!(bytes, replayed(&world).snapshot(), "the encoding is canonical");
    assert_eq!(bytes[bytes.len() - 32..], replay.state_hash().0);
    let loaded = Replay::from_snapshot(key(BANK), &bytes).unwrap();
    assert_eq!((loaded.next(), loaded.head()), (replay.next(), world.bank.head()));
    assert_eq!(loaded.snapshot(), bytes);
    let mut bank = Bank::resume(config(), [1; 32], world.now, loaded).unwrap();
    assert_eq!(bank.state_hash(), world.bank.state_hash());
    assert_eq!((bank.totals(), bank.poll_timeout()), (world.bank.totals(), world.bank.poll_timeout()));
    assert_eq!((bank.check_all(), bank.is_frozen(key(5))), (Ok(()), true));
    for (who, command) in commands {
        let expected = world.command(who, command.clone());
        assert_eq!(answer(&mut bank, who, command, world.now), expected);
    }
}

#[test]
fn the_records_behind_a_snapshot_follow_it() {
    let (world, _) = lived();
    let whole = replayed(&world).state_hash();
    for end in 0..=world.journal.len() {
        let (before, behind) = world.journal.split_at(end);
        let mut replay = Replay::new(key(BANK));
        before.iter().try_for_each(|record| replay.follow(record)).unwrap();
        let mut replay = Replay::from_snapshot(key(BANK), &replay.snapshot()).unwrap();
        behind.iter().try_for_each(|record| replay.follow(record)).unwrap();
        assert_eq!(replay.state_hash(), whole, "{end}");
    }
}

#[test]
fn a_snapshot_with_a_flipped_bit_is_refused_and_so_is_that_of_another_bank() {
    let (world, _) = lived();
    let bytes = replayed(&world).snapshot();
    let refused = |bytes: &[u8], who: u8| match Replay::from_snapshot(key(who), bytes) {
        Err(ReplayError::Snapshot { reason }) => reason,
        other => panic!("{other:?}"),
    };
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refused(&flipped, BANK), "it does not fit its hash", "bit {bit}");
    }
    for end in 0..bytes.len() {
        let reason = if end < 32 { "it ends too early" } else { "it does not fit its hash" };
        assert_eq!(refused(&bytes[..end], BANK), reason, "{end} bytes");
    }
    assert_eq!(refused(&bytes, 8), "it is of another bank");
    let rehashed = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut body = bytes[..bytes.len() - 32].to_vec();
        edit(&mut body);
        let hash = proto::Hash::of(&body);
        body.extend(hash.0);
        refused(&body, BANK)
    };
    assert_eq!(rehashed(&|body| body[21] = 9), "it is of another format");
    assert_eq!(rehashed(&|body| body.push(0)), "bytes follow its end");
    assert_eq!(rehashed(&|body| body.truncate(100)), "it ends too early");
}

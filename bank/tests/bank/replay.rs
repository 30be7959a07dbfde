//! A ledger from its journal is the ledger that wrote it, and nothing else passes for one.

use crate::papers::{Deal, declined, release};
use crate::world::{BANK, RULES, World, config, hold, key, keys, open, signed};
use bank::{Bank, Config, Event, Input, Output, Record, ReplayError, Violation, audit, genesis};
use proto::message::bank::{Balance, BankMessage, BankRequest, How, Order};
use proto::message::service::Outcome;
use proto::{CommandId, Hash, Money, RefusalCode, Rules, Signed, Span, Time};

/// A world with every kind of event behind it, and one hold still open.
fn lived() -> World {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    for (number, secs) in [(4, 60), (5, 60), (6, 60), (7, 60), (8, 600)] {
        world.held(1, number, hold(2, deal.ticket().hash(), 5_000_000, secs));
    }
    world.order(2, 10, deal.settle(4));
    let failed = Deal { outcome: Outcome::Exited(1), ..Deal::default() };
    world.order(1, 11, release(5, Some(declined(2, 5)), Some(failed.report(5))));
    world.order(2, 12, release(6, None, None));
    world.wait(Span::secs(61));
    world.order(3, 13, open());
    world
}

fn replayed(records: Vec<Record>) -> Result<Bank, ReplayError> {
    Bank::replay(config(), [9; 32], Time(0), records)
}

fn balances(bank: &Bank) -> Vec<Balance> {
    bank.accounts().collect()
}

#[test]
fn a_replayed_bank_is_the_same_bank() {
    let mut world = lived();
    let mut bank = replayed(world.journal.clone()).unwrap();
    assert_eq!(balances(&bank), balances(&world.bank));
    assert_eq!(bank.totals(), world.bank.totals());
    assert_eq!(bank.head(), world.bank.head());
    assert_eq!(bank.poll_timeout(), world.bank.poll_timeout());
    assert_eq!(bank.check_all(), Ok(()));
    let again = signed(1, 4, hold(2, Deal::default().ticket().hash(), 5_000_000, 60));
    let answer = world.command(1, again.clone());
    let message = BankMessage::Request(Box::new(BankRequest { command: again }));
    bank.handle(Input::Receive { from: crate::world::peer(1), message }, world.now);
    let Some(Output::Send { message: BankMessage::Reply(reply), .. }) = bank.poll_output() else {
        panic!("a repeated command wrote a record, or had no answer");
    };
    assert_eq!(reply.outcome, answer, "what was executed before is remembered");
}

#[test]
fn every_prefix_of_a_journal_is_a_ledger() {
    let world = lived();
    for end in 0..=world.journal.len() {
        let bank = replayed(world.journal[..end].to_vec()).unwrap();
        let head = world.journal[..end].last().map_or(genesis(key(BANK)), |record| record.chain);
        assert_eq!(bank.head(), head);
    }
}

#[test]
fn an_old_journal_replays_under_new_rules() {
    let world = lived();
    let rules = Rules { owner_fee: Money(1), initial_grant: Money(1), ..RULES };
    let config = Config { keys: keys(BANK), rules };
    let bank = Bank::replay(config, [9; 32], Time(0), world.journal.clone()).unwrap();
    assert_eq!(balances(&bank), balances(&world.bank));
}

#[test]
fn holds_that_ran_out_while_the_bank_was_down_expire_when_the_quiet_time_is_over() {
    let world = lived();
    let mut bank = replayed(world.journal).unwrap();
    let (start, quiet_until) = (Time(9_000_000_000), Time(9_060_000_000));
    bank.handle(Input::Timeout, start);
    let Some(Output::Append(record)) = bank.poll_output() else { panic!("no record") };
    assert_eq!((record.event, bank.poll_timeout()), (Event::Resumed { quiet_until }, Some(quiet_until)));
    bank.handle(Input::Timeout, Time(quiet_until.0 - 1));
    assert_eq!(bank.poll_output(), None);
    bank.handle(Input::Timeout, quiet_until);
    let Some(Output::Append(record)) = bank.poll_output() else { panic!("no record") };
    let Event::HoldClosed { ending, .. } = &record.event else { panic!("{record:?}") };
    assert_eq!((ending.how, ending.shares.buyer), (How::Expired, Money(5_000_000)));
    assert_eq!((bank.totals().held, bank.poll_output()), (Money::ZERO, None));
}

#[test]
fn a_journal_is_refused_when_it_is_not_complete_or_not_in_order() {
    let journal = lived().journal;
    let edited = |edit: &dyn Fn(&mut Vec<Record>)| {
        let mut records = journal.clone();
        edit(&mut records);
        replayed(records).map(|bank| bank.head()).unwrap_err()
    };
    let removed = edited(&|records| drop(records.remove(3)));
    assert_eq!(removed, ReplayError::Sequence { sequence: 3, found: 4 });
    let doubled = edited(&|records| records.insert(4, records[3].clone()));
    assert_eq!(doubled, ReplayError::Sequence { sequence: 4, found: 3 });
    let swapped = edited(&|records| records.swap(3, 4));
    assert_eq!(swapped, ReplayError::Sequence { sequence: 3, found: 4 });
    let earlier = edited(&|records| records[4].time = records[3].time);
    assert_eq!(earlier, ReplayError::Time { sequence: 4 });
    let later = edited(&|records| records[4].time = records[4].time.after(Span(1)));
    assert_eq!(later, ReplayError::Chain { sequence: 4 });
    let rechained = edited(&|records| records[4].chain = Hash::default());
    assert_eq!(rechained, ReplayError::Chain { sequence: 4 });
    let other = Config { keys: keys(101), rules: RULES };
    let other = Bank::replay(other, [9; 32], Time(0), journal.clone()).map(|bank| bank.head());
    assert_eq!(other, Err(ReplayError::Chain { sequence: 0 }));
}

/// Writes the journal again with one event changed, all chains right: what a bank that lies could write.
pub(crate) fn rewritten(journal: &[Record], at: usize, edit: impl Fn(&mut Event)) -> Vec<Record> {
    let mut previous = genesis(key(BANK));
    let mut records = Vec::new();
    for (number, record) in journal.iter().enumerate() {
        let mut event = record.event.clone();
        if number == at {
            edit(&mut event);
        }
        let record = Record::seal(record.sequence, record.time, event, previous);
        previous = record.chain;
        records.push(record);
    }
    records
}

pub(crate) fn impossible(sequence: u64, what: &'static str) -> ReplayError {
    ReplayError::Violation { sequence, violation: Violation::Impossible { what } }
}

#[test]
fn a_rechained_journal_that_does_not_add_up_is_refused() {
    let journal = lived().journal;
    let of = |at: usize, edit: &dyn Fn(&mut Event)| {
        replayed(rewritten(&journal, at, edit)).map(|bank| bank.head()).unwrap_err()
    };
    let paid = of(7, &|event| {
        let Event::HoldClosed { ending, .. } = event else { panic!("{event:?}") };
        (ending.shares.seller.0, ending.shares.buyer.0) =
            (ending.shares.seller.0 + 1, ending.shares.buyer.0 - 1);
    });
    assert_eq!(paid, impossible(7, "a hold ended otherwise than its papers say"));
    let kept = of(8, &|event| {
        let Event::HoldClosed { ending, .. } = event else { panic!("{event:?}") };
        ending.shares.buyer.0 -= 1;
    });
    assert_eq!(kept, impossible(8, "a hold ended otherwise than its papers say"));
    let early = of(9, &|event| {
        let Event::HoldClosed { command, ending } = event else { panic!("{event:?}") };
        (*command, ending.how) = (None, How::Expired);
    });
    assert_eq!(early, impossible(9, "a hold expired too early"));
    let longer = of(2, &|event| {
        let Event::HoldPlaced { expires, .. } = event else { panic!("{event:?}") };
        expires.0 += 1;
    });
    assert_eq!(longer, impossible(2, "a hold was placed that no bank places"));
    let poorer = of(0, &|event| {
        let Event::AccountOpened { granted, .. } = event else { panic!("{event:?}") };
        granted.0 = 24_999_999;
    });
    let violation = Violation::OutOfRange { account: key(1), value: -1 };
    assert_eq!(poorer, ReplayError::Violation { sequence: 6, violation });
    let twice = of(8, &|event| *event = journal[7].event.clone());
    let violation = Violation::NoOpenHold { hold: crate::world::id(4) };
    assert_eq!(twice, ReplayError::Violation { sequence: 8, violation });
    let granted = of(1, &|event| *event = journal[0].event.clone());
    assert_eq!(granted, impossible(1, "an account got its grant twice"));
}

#[test]
fn an_auditor_comes_to_the_same_figures() {
    let world = lived();
    assert_eq!(audit(key(BANK), world.journal.clone()), Ok((world.bank.totals(), world.bank.head())));
}

#[test]
fn an_auditor_sees_what_nobody_signed() {
    let journal = lived().journal;
    let of = |at: usize, edit: &dyn Fn(&mut Event)| match audit(key(BANK), rewritten(&journal, at, edit)) {
        Err(ReplayError::NotAuthorised { sequence, refusal }) => (sequence, refusal.code, refusal.message),
        other => panic!("{other:?}"),
    };
    let placed = of(2, &|event| {
        let Event::HoldPlaced { command, .. } = event else { panic!("{event:?}") };
        let Order::PlaceHold(order) = &mut command.body.order else { panic!("{command:?}") };
        order.amount.0 += 1;
    });
    let message = format!("the command is not signed by {}", key(1));
    assert_eq!(placed, (2, RefusalCode::NotYours, message));
    let settled = of(7, &|event| {
        let Event::HoldClosed { command: Some(command), .. } = event else { panic!("{event:?}") };
        let mut body = command.body.clone();
        let Order::Settle(order) = &mut body.order else { panic!("{body:?}") };
        order.report.body.cycles.0 += 1;
        **command = Signed::new(body, &keys(2));
    });
    let message = format!("the report is not signed by the seller {}", key(2));
    assert_eq!(settled, (7, RefusalCode::NotYours, message));
    let released = of(9, &|event| {
        let Event::HoldClosed { command: Some(command), .. } = event else { panic!("{event:?}") };
        **command = Signed::new(command.body.clone(), &keys(1));
    });
    let message = "the buyer gets a hold back only on the seller's word, and none was given".to_owned();
    assert_eq!(released, (9, RefusalCode::Malformed, message));
}

#[test]
fn a_command_executed_twice_is_refused_even_when_the_hold_is_another() {
    let journal = lived().journal;
    let records = rewritten(&journal, 3, |event| *event = journal[2].event.clone());
    let error = replayed(records).map(|bank| bank.head()).unwrap_err();
    assert_eq!(error, impossible(3, "a hold was placed that no bank places"));
    let same_id = rewritten(&journal, 3, |event| {
        let Event::HoldPlaced { command, .. } = event else { panic!("{event:?}") };
        command.body.id = CommandId([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    });
    let error = replayed(same_id).map(|bank| bank.head()).unwrap_err();
    assert_eq!(error, impossible(3, "a command was executed twice"));
}

//! Statements: who is told what, in which pieces.

use crate::papers::Deal;
use crate::shelf::Shelf;
use crate::world::{BANK, World, hold, key, keys, peer};
use bank::{Query, Search, answer};
use proto::RequestId;
use proto::message::bank::{BankMessage, MAX_ENTRIES, Statement, StatementQuery};

const REQUEST: RequestId = RequestId(9);

fn ask(shelf: &mut Shelf, who: u8, before: u64, limit: u32) -> BankMessage {
    let query = StatementQuery { request: REQUEST, before, limit };
    let search = Search { from: peer(who), query: Query::Statement(query) };
    answer(&search, shelf, &keys(BANK))
}

/// The numbers of the records on a statement, and whether it is complete.
#[track_caller]
fn check(shelf: &mut Shelf, who: u8, before: u64, limit: u32, expected: (&[u64], bool)) {
    let BankMessage::Statement(statement) = ask(shelf, who, before, limit) else { panic!("no statement") };
    let Statement { request, entries, is_complete } = *statement;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!((request, numbers.as_slice(), is_complete), (REQUEST, expected.0, expected.1));
}

/// Records 0 to 3 open accounts, 4 to 6 place holds of person 1, 7 settles the first of them.
fn shelf() -> Shelf {
    let mut world = World::with_accounts(&[1, 2, 3, 4]);
    let ticket = Deal::default().ticket().hash();
    for number in 1..=3 {
        world.held(1, number, hold(2, ticket, 5_000_000, 60));
    }
    world.order(1, 11, Deal::default().settle(1));
    Shelf::of(&world)
}

#[test]
fn an_account_sees_its_own_lines_the_newest_first() {
    let mut shelf = shelf();
    check(&mut shelf, 1, u64::MAX, 500, (&[7, 6, 5, 4, 0], true));
    check(&mut shelf, 2, u64::MAX, 500, (&[7, 1], true));
    check(&mut shelf, 3, u64::MAX, 500, (&[7, 2], true));
    check(&mut shelf, 4, u64::MAX, 500, (&[3], true));
}

#[test]
fn a_statement_comes_in_pieces_that_leave_nothing_out() {
    let mut shelf = shelf();
    check(&mut shelf, 1, u64::MAX, 2, (&[7, 6], false));
    check(&mut shelf, 1, 6, 2, (&[5, 4], false));
    check(&mut shelf, 1, 4, 2, (&[0], true));
    check(&mut shelf, 1, 4, 1, (&[0], true));
    check(&mut shelf, 1, 0, 2, (&[], true));
    check(&mut shelf, 1, u64::MAX, 0, (&[7], false));
    check(&mut shelf, 1, u64::MAX, u32::MAX, (&[7, 6, 5, 4, 0], true));
}

#[test]
fn a_statement_has_a_largest_size() {
    let mut world = World::with_accounts(&[1, 2]);
    let most = usize::try_from(MAX_ENTRIES).unwrap();
    for number in 1..=MAX_ENTRIES + 1 {
        world.held(1, number, hold(2, Deal::default().ticket().hash(), 1, 60));
    }
    let BankMessage::Statement(statement) = ask(&mut Shelf::of(&world), 1, u64::MAX, u32::MAX) else {
        panic!("no statement")
    };
    assert_eq!((statement.entries.len(), statement.is_complete), (most, false));
}

#[test]
fn who_has_no_account_and_a_journal_that_cannot_be_read_are_told_so() {
    let refused = |message| match message {
        BankMessage::Refused(refused) => {
            assert_eq!(refused.request, REQUEST);
            (refused.refusal.code.name(), refused.refusal.message)
        }
        other => panic!("{other:?}"),
    };
    let mut shelf = shelf();
    let stranger = refused(ask(&mut shelf, 9, u64::MAX, 10));
    assert_eq!(stranger, ("no_account", format!("there is no account of {}", key(9))));
    shelf.is_broken = true;
    let broken = refused(ask(&mut shelf, 1, u64::MAX, 10));
    let expected = "the bank cannot look into its journal: cannot read: the disk is gone";
    assert_eq!(broken, ("busy", expected.to_owned()));
}

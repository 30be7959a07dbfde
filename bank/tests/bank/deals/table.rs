//! The table of transitions, walked on a bank: what has a row is carried out, and nothing else is.

use super::{Act, Court, next};
use crate::world::refused;
use bank::{Deed, Mover, Next, Row, State, TABLE, Until};
use proto::message::bank::{BankOutcome, How};
use proto::{RefusalCode, Span, Time};

const STATES: [State; 6] =
    [State::Held, State::Accepted, State::Delivered, State::Claimed, State::Disputed, State::Appointed];

const DEEDS: [Deed; 8] = [
    Deed::Accept,
    Deed::Deliver,
    Deed::Claim,
    Deed::Settle,
    Deed::Release,
    Deed::Dispute,
    Deed::Confirm,
    Deed::Refute,
];

/// A contract in this state. Nobody is live but the arbiter.
fn court_in(state: State) -> Court {
    let mut court = Court::new(40);
    let dispute = [Act::Accept, Act::Claim, Act::Dispute];
    match state {
        State::Held => {}
        State::Accepted => court.acts(&[Act::Accept]),
        State::Delivered => court.acts(&[Act::Accept, Act::Deliver]),
        State::Claimed => court.acts(&[Act::Accept, Act::Claim]),
        State::Disputed => court.acts(&dispute),
        State::Appointed => {
            court.acts(&[Act::Enter(5)]);
            court.acts(&dispute);
        }
    }
    court
}

fn act(deed: Deed, who: u8) -> Act {
    match deed {
        Deed::Accept => Act::Accept,
        Deed::Deliver => Act::Deliver,
        Deed::Claim => Act::Claim,
        Deed::Settle => Act::Settle(who),
        Deed::Release => Act::Release(who),
        Deed::Dispute => Act::Dispute,
        Deed::Confirm => Act::Confirm(who),
        Deed::Refute => Act::Refute(who),
        Deed::Name | Deed::Silence => panic!("nobody orders that"),
    }
}

/// Which persons a mover can be.
const fn movers(mover: Mover) -> &'static [u8] {
    match mover {
        Mover::Buyer => &[1],
        Mover::Seller => &[2],
        Mover::Either => &[1, 2],
        Mover::Arbiter => &[5],
        Mover::Bank => &[],
    }
}

/// What the first record that `court` writes after `length` makes of the contract.
fn first_after(court: &Court, length: usize) -> Option<Next> {
    court.world.journal[length..].iter().find_map(next)
}

/// Sends the order of `deed`, by whoever signs its papers rightly but sent by `who`.
fn send(court: &mut Court, deed: Deed, who: u8) -> (BankOutcome, Option<Next>) {
    let length = court.world.journal.len();
    let order = super::order_of(court, &act(deed, who));
    let outcome = court.order(who, order);
    let next = first_after(court, length);
    (outcome, next)
}

#[test]
fn every_order_is_carried_out_where_the_table_has_a_row_and_nowhere_else() {
    let mut carried_out = 0;
    for state in STATES {
        for deed in DEEDS {
            let row = TABLE.iter().find(|row| (row.state, row.deed) == (state, deed));
            for who in [1, 2, 5, 8] {
                let mut court = court_in(state);
                let (outcome, next) = send(&mut court, deed, who);
                let expected = row.filter(|row| movers(row.mover).contains(&who)).map(|row| row.next);
                assert_eq!(next, expected, "{state:?} {deed:?} by {who}: {outcome:?}");
                assert_eq!(matches!(outcome, BankOutcome::Refused(_)), expected.is_none(), "{outcome:?}");
                if row.is_none() {
                    let (code, _) = refused(outcome);
                    let codes = [RefusalCode::WrongState, RefusalCode::NotYours];
                    assert!(codes.contains(&code), "{state:?} {deed:?} by {who}: {code:?}");
                }
                carried_out += usize::from(expected.is_some());
            }
        }
    }
    assert_eq!(carried_out, 9 + 2 * 2 * STATES.len(), "nine rows of one, settlement and release by either");
}

/// The moment of a row in seconds after the state began, all of them without delay.
const fn seconds(until: Until) -> u64 {
    match until {
        Until::HoldEnds => super::SECS,
        Until::ObjectionEnds | Until::Answered => super::DISPUTE,
        Until::Found => 30,
    }
}

#[test]
fn every_state_ends_by_itself_at_its_moment() {
    for row in TABLE.iter().filter(|row| row.deed == Deed::Silence) {
        let Row { state, until, .. } = *row;
        let mut court = court_in(state);
        court.acts(&[Act::Leave(5)]);
        let length = court.world.journal.len();
        let deadline = court.world.bank.poll_timeout().unwrap();
        let after = deadline.since(Time(1_000_000_000));
        // Each record on the way takes a microsecond of the ledger's time.
        assert_eq!((after.0 / 1_000_000, after.0 % 1_000_000 < 20), (seconds(until), true), "{state:?}");
        court.world.wait(Time(deadline.0 - 1).since(court.world.now));
        assert_eq!(first_after(&court, length), None, "{state:?}");
        court.world.wait(Span::micros(1));
        assert_eq!(first_after(&court, length), Some(row.next), "{state:?}");
        assert_eq!(court.world.bank.totals().held.0, 0, "{state:?}");
    }
    let silent: Vec<State> =
        TABLE.iter().filter(|row| row.deed == Deed::Silence).map(|row| row.state).collect();
    assert_eq!(silent, STATES, "no state without an end");
}

#[test]
fn an_order_is_too_late_at_the_moment_of_its_row_and_in_time_just_before() {
    for row in TABLE.iter().filter(|row| row.mover != Mover::Bank) {
        let who = movers(row.mover)[0];
        let end = TABLE.iter().find(|other| other.state == row.state && other.deed == Deed::Silence);
        for (early, expected) in [(1, row.next), (0, end.unwrap().next)] {
            let mut court = court_in(row.state);
            court.acts(&[Act::Leave(5)]);
            let deadline = court.world.bank.poll_timeout().unwrap();
            // A record takes a microsecond of the ledger's time at least.
            court.world.now = Time(deadline.0 - early);
            let (outcome, next) = send(&mut court, row.deed, who);
            assert_eq!(next, Some(expected), "{row:?} {early}: {outcome:?}");
            assert_eq!(matches!(outcome, BankOutcome::Refused(_)), early == 0, "{row:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_silent_arbiter_is_followed_by_the_next_three_in_all() {
    let mut court = Court::new(0);
    court.acts(&[Act::Claim, Act::Dispute]);
    let mut named = Vec::new();
    for round in 0..4 {
        let length = court.world.journal.len();
        court.acts(&[5, 6, 7, 8].map(Act::Enter));
        if round > 0 {
            court.acts(&[Act::Wait(80)]);
            for _ in 0..7 {
                court.acts(&[5, 6, 7, 8].map(Act::Enter));
                court.acts(&[Act::Wait(80)]);
            }
        }
        named.extend(court.world.journal[length..].iter().filter_map(|record| match &record.event {
            bank::Event::ArbiterNamed { arbiter, .. } => Some(*arbiter),
            _ => None,
        }));
    }
    assert_eq!(named.len(), 3);
    named.sort_unstable();
    named.dedup();
    assert_eq!(named.len(), 3, "nobody is asked twice");
    assert_eq!(court.ending().map(|ending| ending.how), Some(How::Undecided));
}

/// The document that prints the table.
const DOCUMENT: &str = include_str!("../../../../docs/bank/deals.md");

/// The row as the document has it.
fn printed(row: &Row) -> String {
    let mover = match row.mover {
        Mover::Buyer => "buyer",
        Mover::Seller => "seller",
        Mover::Either => "either",
        Mover::Arbiter => "arbiter",
        Mover::Bank => "bank",
    };
    let deed = match row.deed {
        Deed::Accept => "puts its bond up (`AcceptHold`)",
        Deed::Deliver => "claims, outputs not taken (`Claim`)",
        Deed::Claim => "claims, outputs taken (`Claim`)",
        Deed::Settle => "settles with the verdict (`Settle`)",
        Deed::Release => "gives back on the seller's word (`ReleaseHold`)",
        Deed::Dispute => "objects (`Dispute`)",
        Deed::Name => "names an arbiter",
        Deed::Confirm => "finds the same (`Judge`)",
        Deed::Refute => "finds something else (`Judge`)",
        Deed::Silence => "in silence",
    };
    let until = match row.until {
        Until::HoldEnds => "the hold ends",
        Until::ObjectionEnds => "`dispute` after the claim",
        Until::Found => "30 s after the dispute",
        Until::Answered => "`dispute` after the naming",
    };
    let next = match row.next {
        Next::State(state) => state.name().to_owned(),
        Next::End(how) => format!("ends: {}", how.name()),
    };
    format!("| {} | {mover} | {deed} | {until} | {next} |", row.state.name())
}

#[test]
fn the_document_prints_the_table() {
    let printed: Vec<String> = TABLE.iter().map(printed).collect();
    let head = "| state | who | does | until | then |\n|---|---|---|---|---|\n";
    let rows = DOCUMENT.split_once(head).map(|(_, rest)| rest.lines().take(TABLE.len()).collect::<Vec<_>>());
    assert_eq!(rows.unwrap_or_default(), printed);
}

//! A bank that was away: no deadline counts that nobody could keep, and arbiters are drawn when the nodes are back.

use super::{Act, Court};
use crate::world::{RULES, World, keys};
use bank::{Bank, Config, Event, OUTAGE_AFTER, OUTAGE_GRACE};
use proto::message::bank::How;
use proto::{Rules, Span};

/// The bank goes down after these acts and comes back after `secs` seconds.
fn court_after(bond_percent: u16, acts: &[Act], away: Span) -> Court {
    let mut court = Court::new(bond_percent);
    court.acts(acts);
    let rules = Rules { bond_percent, dispute: Span::secs(super::DISPUTE), ..RULES };
    let config = Config { keys: keys(crate::world::BANK), rules };
    let now = court.world.now.after(away);
    let journal = court.world.journal.clone();
    let bank = Bank::replay(config, [8; 32], now, journal.clone()).unwrap();
    court.world = World { bank, now, journal, sent: Vec::new() };
    court
}

/// The last record of the contract's end: how, and how long after the bank came back.
fn ended(court: &Court, back: proto::Time) -> Option<(How, Span)> {
    let time = court.world.journal.last().unwrap().time;
    court.ending().map(|ending| (ending.how, time.since(back)))
}

#[test]
fn what_an_outage_kept_somebody_from_can_be_done_in_the_quiet_time() {
    use Act::{Accept, Claim, Deliver, Dispute, Enter, Refute, Settle, Wait};
    let table: [(&[Act], &[Act], How); 5] = [
        (&[Accept], &[Wait(59), Deliver, Wait(60)], How::Expired),
        (&[Accept], &[Wait(59), Claim, Wait(601)], How::Lapsed),
        (&[Accept], &[Wait(59), Settle(2)], How::Settled),
        (&[Claim], &[Wait(59), Enter(5), Dispute, Wait(1), Refute(5)], How::Overturned),
        (&[Enter(5), Claim, Dispute], &[Wait(59), Refute(5)], How::Overturned),
    ];
    for (before, after, how) in table {
        let mut court = court_after(40, before, Span::secs(9_000));
        court.acts(&[Act::Wait(0)]);
        court.acts(after);
        assert_eq!(court.ending().map(|ending| ending.how), Some(how), "{before:?} {after:?}");
    }
}

#[test]
fn what_ran_out_in_an_outage_ends_when_the_quiet_time_is_over() {
    let table: [(&[Act], How); 4] = [
        (&[], How::Expired),
        (&[Act::Accept], How::NoShow),
        (&[Act::Claim], How::Lapsed),
        (&[Act::Claim, Act::Dispute], How::Undecided),
    ];
    for (before, how) in table {
        let mut court = court_after(40, before, Span::secs(9_000));
        let back = court.world.now;
        court.acts(&[Act::Wait(60)]);
        assert_eq!(ended(&court, back), Some((how, OUTAGE_GRACE)), "{before:?}");
    }
}

/// Whether the first input after a start makes a quiet time.
fn is_quiet(acts: &[Act], away: Span) -> bool {
    let mut court = court_after(0, acts, away);
    let length = court.world.journal.len();
    court.acts(&[Act::Wait(0), Act::Wait(0)]);
    let records = &court.world.journal[length..];
    assert!(records.len() < 2, "once: {records:?}");
    records.iter().any(|record| matches!(record.event, Event::Resumed { .. }))
}

#[test]
fn only_an_outage_that_somebody_felt_makes_a_quiet_time() {
    // The last record is a few microseconds later than the clock.
    assert!(!is_quiet(&[], OUTAGE_AFTER));
    assert!(is_quiet(&[], Span(OUTAGE_AFTER.0 + 20)));
    assert!(!is_quiet(&[Act::Settle(1)], Span::secs(9_000)), "nothing is open");
    assert!(is_quiet(&[Act::Claim, Act::Dispute], Span::secs(0)), "the arbiters have to come back");
}

#[test]
fn whoever_enters_first_after_an_outage_is_not_the_arbiter_for_that() {
    let mut court = court_after(0, &[Act::Claim, Act::Dispute], Span::secs(1));
    court.acts(&[Act::Enter(8), Act::Wait(20), Act::Enter(5)]);
    let named = |court: &Court| {
        let events = court.world.journal.iter().map(|record| &record.event);
        events.filter(|event| matches!(event, Event::ArbiterNamed { .. })).count()
    };
    assert_eq!(named(&court), 0);
    court.acts(&[Act::Wait(41)]);
    assert_eq!(named(&court), 1);
}

#[test]
fn a_clock_that_leaps_while_the_bank_runs_is_an_outage_too() {
    for (leap, how) in [(OUTAGE_AFTER, Some(How::NoShow)), (Span(OUTAGE_AFTER.0 + 1), None)] {
        let mut court = Court::new(40);
        court.acts(&[Act::Accept]);
        let due = court.world.bank.poll_timeout().unwrap();
        court.world.now = due.after(leap);
        court.world.input(bank::Input::Timeout);
        assert_eq!(court.ending().map(|ending| ending.how), how, "{leap}");
        court.acts(&[Act::Wait(60)]);
        assert_eq!(court.ending().map(|ending| ending.how), Some(How::NoShow), "{leap}");
    }
}

#[test]
fn a_full_disk_costs_nobody_a_deadline_either() {
    let mut court = Court::new(40);
    court.acts(&[Act::Accept, Act::Wait(1)]);
    court.world.bank.set_room(false);
    court.acts(&[Act::Wait(58)]);
    court.world.bank.set_room(true);
    court.acts(&[Act::Wait(2)]);
    assert_eq!(court.ending(), None, "the seller had a second only to show what it has");
    court.acts(&[Act::Wait(60)]);
    assert_eq!(court.ending().map(|ending| ending.how), Some(How::NoShow));
}

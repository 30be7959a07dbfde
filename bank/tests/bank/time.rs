//! The ledger's time: expiries, clocks that stand still or go back, and how long commands are remembered.

use crate::papers::{Deal, release};
use crate::world::{World, hold, open, peer, refusal, refused, signed};
use bank::{Event, IDEMPOTENCY_WINDOW, Input};
use proto::message::bank::{BankOutcome, How};
use proto::{Hash, RefusalCode, Span, Time};

const TICKET: Hash = Hash([5; 32]);
const GRANT: u64 = 43_500_000;

#[test]
fn a_hold_expires_at_its_moment_and_not_before() {
    let mut world = World::with_accounts(&[1, 2]);
    world.now = Time(2_000_000_000);
    world.held(1, 4, hold(2, TICKET, 700, 60));
    assert_eq!(world.bank.poll_timeout(), Some(Time(2_060_000_000)));
    world.wait(Span::micros(59_999_999));
    assert_eq!(world.money(1), Some((GRANT - 700, 700)));
    world.wait(Span::micros(1));
    assert_eq!(world.money(1), Some((GRANT, 0)));
    assert_eq!(world.bank.poll_timeout(), None);
    let last = world.journal.last().unwrap();
    assert_eq!(last.time, Time(2_060_000_000));
    assert!(matches!(&last.event, Event::HoldClosed { ending, .. } if ending.how == How::Expired));
}

#[test]
fn a_settlement_is_in_time_until_the_microsecond_before() {
    for (wait, is_paid) in [(59_999_999, true), (60_000_000, false)] {
        let mut world = World::with_accounts(&[1, 2]);
        world.now = Time(2_000_000_000);
        let deal = Deal::default();
        world.held(1, 4, hold(2, deal.ticket().hash(), 700, 60));
        world.now = world.now.after(Span::micros(wait));
        let outcome = world.order(2, 10, deal.settle(4));
        assert_eq!(matches!(outcome, BankOutcome::Settled(_)), is_paid, "{wait}: {outcome:?}");
    }
}

#[test]
fn holds_expire_in_the_order_of_their_moments() {
    let mut world = World::with_accounts(&[1, 2]);
    for (number, secs) in [(4, 30), (5, 10), (6, 20)] {
        world.held(1, number, hold(2, TICKET, 5, secs));
    }
    world.wait(Span::secs(40));
    let expired: Vec<String> = world
        .journal
        .iter()
        .filter_map(|record| match &record.event {
            Event::HoldClosed { ending, .. } => Some(ending.hold.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(expired, ["00000005", "00000006", "00000004"]);
    assert_eq!(world.bank.totals().held, proto::Money(0));
}

#[test]
fn the_ledgers_time_grows_whatever_the_clock_does() {
    let mut world = World::new();
    let clocks = [5_000, 5_000, 4_000, 0, 5_002, 9_000];
    let expected = [5_000, 5_001, 5_002, 5_003, 5_004, 9_000];
    for (who, clock) in (1..).zip(clocks) {
        world.now = Time(clock);
        world.order(who, who.into(), open());
    }
    let times: Vec<u64> = world.journal.iter().map(|record| record.time.0).collect();
    assert_eq!(times, expected);
}

#[test]
fn the_end_of_time_is_refused_and_not_passed() {
    let mut world = World::new();
    world.now = Time(u64::MAX);
    world.order(1, 1, open());
    let end = refusal(RefusalCode::Overflow, "the ledger has come to the end of its time");
    assert_eq!(refused(world.order(2, 2, open())), end);
}

#[test]
fn a_command_is_remembered_for_its_window_after_it_is_over() {
    let mut world = World::with_accounts(&[1, 2]);
    let place = signed(1, 4, hold(2, TICKET, 700, 2_592_000));
    let first = world.command(1, place.clone());
    world.wait(IDEMPOTENCY_WINDOW.times(2));
    assert_eq!(world.command(1, place.clone()), first, "an open hold is remembered");
    world.order(2, 5, release(4, None, None));
    world.wait(IDEMPOTENCY_WINDOW);
    world.order(5, 6, open());
    assert_eq!(world.command(1, place), first, "the window counts from the end of the hold");
    let closed = refused(world.order(2, 7, release(4, None, None)));
    assert_eq!(closed.0, RefusalCode::HoldReturned);
    world.wait(Span::secs(1));
    world.order(6, 8, open());
    let unknown = refusal(RefusalCode::NoHold, "there is no hold 00000004");
    assert_eq!(refused(world.order(2, 9, release(4, None, None))), unknown);
}

#[test]
fn a_timeout_that_comes_early_changes_nothing() {
    let mut world = World::with_accounts(&[1, 2]);
    world.held(1, 4, hold(2, TICKET, 700, 60));
    let (head, due) = (world.bank.head(), world.bank.poll_timeout());
    world.input(Input::Timeout);
    assert_eq!((world.bank.head(), world.bank.poll_timeout()), (head, due));
    assert_eq!(world.bank.live_nodes().find(|node| *node == peer(1)), None);
}

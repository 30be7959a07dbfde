//! The lines of statements, record by record, with exact figures.

use crate::papers::{Deal, release};
use crate::shelf::check_sums;
use crate::world::{BANK, World, hold, id, key, open, signed};
use bank::{Event, Network, Record, movements};
use proto::message::bank::{
    AcceptHold, Dispute, Ending, Entry, Freeze, Grant, How, Order, Payment, Reason, Shares, Transfer,
};
use proto::message::service::{Job, Limits, Offer};
use proto::{Bytes, CommandId, Cycles, Hash, Money, PublicKey, Signed, Span, Time};

const AT: Time = Time(5);

/// Of an account: reason, contract, other side, available, held, memo, fee.
type Line<'a> = (u8, Reason, Option<CommandId>, Option<PublicKey>, i64, i64, &'a str, u64);

#[track_caller]
fn check(event: Event, expected: &[Line<'_>]) {
    let record = Record::seal(7, AT, event, Hash::default());
    let entry = |(who, reason, contract, other, available, held, memo, fee): &Line<'_>| {
        let (memo, fee) = ((*memo).to_owned(), Money(*fee));
        let (sequence, time) = (7, AT);
        let (reason, contract, other, available, held) = (*reason, *contract, *other, *available, *held);
        (key(*who), Entry { sequence, time, reason, contract, other, available, held, memo, fee })
    };
    let lines: Vec<_> =
        movements(&record, key(BANK)).into_iter().map(|line| (line.account, line.entry)).collect();
    assert_eq!(lines, expected.iter().map(entry).collect::<Vec<_>>());
}

fn by(who: u8, order: Order) -> Box<Signed<proto::message::bank::BankCommand>> {
    Box::new(signed(who, 40, order))
}

fn pay(to: u8, amount: u64) -> Payment {
    Payment { to: key(to), amount: Money(amount) }
}

fn transfer(payments: &[Payment]) -> Event {
    let order = Transfer { payments: payments.to_vec(), memo: "rent".into() };
    Event::Transferred { command: by(1, Order::Transfer(order)) }
}

#[test]
fn an_account_that_is_opened_has_its_grant() {
    let opened = |granted| Event::AccountOpened { command: by(1, open()), granted, network: Network([0; 8]) };
    check(opened(Money(9)), &[(1, Reason::Opened, None, None, 9, 0, "", 0)]);
    check(opened(Money(0)), &[(1, Reason::Opened, None, None, 0, 0, "", 0)]);
}

#[test]
fn a_transfer_is_a_line_for_each_side() {
    use Reason::Transferred as Moved;
    check(
        transfer(&[pay(2, 30)]),
        &[
            (1, Moved, None, Some(key(2)), -30, 0, "rent", 0),
            (2, Moved, None, Some(key(1)), 30, 0, "rent", 0),
        ],
    );
    check(
        transfer(&[pay(2, 30), pay(3, 5), pay(2, 1), pay(2, 4)]),
        &[
            (1, Moved, None, None, -40, 0, "rent", 0),
            (2, Moved, None, Some(key(1)), 35, 0, "rent", 0),
            (3, Moved, None, Some(key(1)), 5, 0, "rent", 0),
        ],
    );
}

#[test]
fn orders_of_the_operator_carry_their_reason() {
    let grant = Grant { to: key(2), amount: Money(8), reason: "prize".into() };
    check(
        Event::Granted { command: by(BANK, Order::Grant(grant)) },
        &[(2, Reason::Granted, None, None, 8, 0, "prize", 0)],
    );
    for (is_frozen, reason) in [(true, Reason::Frozen), (false, Reason::Freed)] {
        let freeze = Freeze { account: key(2), is_frozen, reason: "asked".into() };
        check(
            Event::Frozen { command: by(BANK, Order::Freeze(freeze)) },
            &[(2, reason, None, None, 0, 0, "asked", 0)],
        );
    }
    check(Event::Resumed { quiet_until: Time(9) }, &[]);
}

#[test]
fn what_is_set_aside_moves_from_one_side_to_the_other() {
    let order = hold(2, Hash::of(b"t"), 70, 60);
    check(
        Event::HoldPlaced { command: by(1, order), expires: Time(9) },
        &[(1, Reason::HoldPlaced, Some(id(40)), Some(key(2)), -70, 70, "", 0)],
    );
    let accept = Order::AcceptHold(AcceptHold { hold: id(3) });
    check(
        Event::HoldAccepted { command: by(2, accept), bond: Money(7) },
        &[(2, Reason::BondPlaced, Some(id(3)), None, -7, 7, "", 0)],
    );
    let dispute =
        Order::Dispute(Box::new(Dispute { hold: id(3), offer: offer(), reason: "wrong sum".into() }));
    check(
        Event::HoldDisputed { command: by(1, dispute), deposit: Money(5), stake: Money(2) },
        &[
            (1, Reason::Disputed, Some(id(3)), Some(key(2)), -5, 5, "wrong sum", 0),
            (2, Reason::Disputed, Some(id(3)), Some(key(1)), -2, 2, "wrong sum", 0),
        ],
    );
}

fn offer() -> Signed<Offer> {
    let limits = Limits {
        wall: Span(1),
        memory: Bytes(1),
        disk: Bytes(1),
        output: Bytes(1),
        cycles: Cycles(1),
        processes: 1,
        cores: 1,
    };
    let program = proto::message::service::Blob { hash: Hash::of(b"p"), size: Bytes(1) };
    let job = Job::new(program, limits);
    let receipt = proto::message::bank::HoldReceipt {
        hold: id(3),
        bank: key(BANK),
        buyer: key(1),
        seller: key(2),
        ticket: Hash::of(b"t"),
        amount: Money(70),
        expires: Time(9),
    };
    let offer = Offer {
        contract: id(3),
        task: id(4),
        sub_task: 0,
        attempt: 1,
        buyer: crate::world::peer(1),
        seller: key(2),
        job,
        hold: Signed::new(receipt, &crate::world::keys(BANK)),
        ticket: Deal::default().ticket(),
    };
    Signed::new(offer, &crate::world::keys(1))
}

fn closed(how: How, owner: Option<u8>, arbiter: Option<u8>, shares: Shares) -> Event {
    let (owner, arbiter) = (owner.map(key), arbiter.map(key));
    let ending = Ending { hold: id(3), how, buyer: key(1), seller: key(2), owner, arbiter, shares };
    assert!(shares.is_balanced(), "{shares:?}");
    Event::HoldClosed { command: None, ending: Box::new(ending) }
}

#[test]
fn the_end_of_a_contract_is_a_line_for_each_whose_money_moves() {
    let (deal, ended) = (Some(id(3)), Reason::Ended);
    let held = Shares { buyer_held: Money(70), ..Shares::default() };
    let settled = Shares { buyer: Money(20), seller: Money(45), owner: Money(5), ..held };
    check(
        closed(How::Settled, Some(3), None, settled),
        &[
            (1, ended(How::Settled), deal, Some(key(2)), 20, -70, "", 5),
            (2, ended(How::Settled), deal, Some(key(1)), 45, 0, "", 0),
            (3, ended(How::Settled), deal, Some(key(1)), 5, 0, "", 0),
        ],
    );
    check(
        closed(How::Settled, Some(2), None, settled),
        &[
            (1, ended(How::Settled), deal, Some(key(2)), 20, -70, "", 5),
            (2, ended(How::Settled), deal, Some(key(1)), 50, 0, "", 0),
        ],
    );
    let back = Shares { buyer: Money(70), ..held };
    check(
        closed(How::Expired, None, None, back),
        &[(1, ended(How::Expired), deal, Some(key(2)), 70, -70, "", 0)],
    );
    let no_show = Shares { seller_held: Money(10), buyer: Money(75), pool: Money(5), ..held };
    check(
        closed(How::NoShow, None, None, no_show),
        &[
            (1, ended(How::NoShow), deal, Some(key(2)), 75, -70, "", 0),
            (2, ended(How::NoShow), deal, Some(key(1)), 0, -10, "", 0),
            (BANK, ended(How::NoShow), deal, Some(key(1)), 5, 0, "", 0),
        ],
    );
    let overturned = Shares { seller_held: Money(10), buyer: Money(74), arbiter: Money(6), ..held };
    check(
        closed(How::Overturned, None, Some(5), overturned),
        &[
            (1, ended(How::Overturned), deal, Some(key(2)), 74, -70, "", 0),
            (2, ended(How::Overturned), deal, Some(key(1)), 0, -10, "", 0),
            (5, ended(How::Overturned), deal, Some(key(1)), 6, 0, "", 0),
        ],
    );
}

#[test]
fn a_real_history_adds_up_and_names_its_contracts() {
    let mut world = World::with_accounts(&[1, 2, 3, 4]);
    let ticket = Deal::default().ticket().hash();
    for number in 1..=3 {
        world.held(1, number, hold(2, ticket, 5_000_000, 60));
    }
    world.order(1, 11, Deal::default().settle(1));
    world.order(2, 12, release(2, None, None));
    world.wait(Span::secs(90));
    check_sums(&world);
    let contracts: Vec<_> = world.journal.iter().filter_map(Record::contract).collect();
    assert_eq!(contracts, [1, 2, 3, 1, 2, 3].map(id));
}

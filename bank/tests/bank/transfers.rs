//! Transfers, what the operator orders, and who may open an account.

use crate::papers::Deal;
use crate::world::{BANK, RULES, World, freeze, grant, hold, key, keys, open, pay, peer, refused};
use proto::admission::{Admission, find_nonce};
use proto::message::bank::{BankOutcome, Invitation, OpenAccount, Order, RecordedReceipt};
use proto::{Money, RefusalCode, Rules, Signed, Span, Time};

const GRANT: u64 = 43_500_000;

fn recorded(sequence: u64, time: Time) -> BankOutcome {
    BankOutcome::Recorded(RecordedReceipt { sequence, time })
}

#[test]
fn a_transfer_pays_all_or_none() {
    let mut world = World::with_accounts(&[1, 2, 3]);
    let time = Time(1_000_000_003);
    let outcome = world.order(1, 4, pay(&[(2, 5), (3, 7), (2, 1)], "for lunch"));
    assert_eq!(outcome, recorded(3, time));
    let money = [1, 2, 3].map(|who| world.money(who).unwrap().0);
    assert_eq!(money, [GRANT - 13, GRANT + 6, GRANT + 7]);
    world.wait(Span::secs(5));
    let again = world.order(1, 4, pay(&[(2, 5), (3, 7), (2, 1)], "for lunch"));
    assert_eq!(again, recorded(3, time), "the first answer again");
    let (code, message) = refused(world.order(1, 5, pay(&[(2, GRANT - 14), (3, 2)], "")));
    let expected = "the account has 43.499987 credits available, 43.499988 are needed; 0 are held";
    assert_eq!((code, message.as_str()), (RefusalCode::NotEnoughMoney, expected));
    assert_eq!([1, 2, 3].map(|who| world.money(who).unwrap().0), money);
    assert_eq!(world.order(1, 6, pay(&[(2, GRANT - 13)], "")), recorded(4, Time(1_005_000_000)));
    assert_eq!(world.money(1), Some((0, 0)));
}

#[test]
fn the_operator_issues_money_and_nobody_else_does() {
    let mut world = World::with_accounts(&[1]);
    assert_eq!(world.order(BANK, 4, grant(6, 77)), recorded(1, Time(1_000_000_001)));
    assert_eq!((world.money(6), world.bank.totals().issued), (Some((77, 0)), Money(GRANT + 77)));
    let (code, message) = refused(world.order(1, 5, grant(1, 77)));
    let expected = format!("only the bank's own key orders that, and {} is another", key(1));
    assert_eq!((code, message), (RefusalCode::NotYours, expected));
    assert_eq!(refused(world.order(BANK, 6, grant(6, u64::MAX - GRANT - 76))).0, RefusalCode::Overflow);
    assert_eq!(world.order(BANK, 7, grant(6, u64::MAX - GRANT - 77)), recorded(2, Time(1_000_000_002)));
    assert_eq!(world.bank.totals().issued, Money(u64::MAX));
    let (code, _) = refused(world.order(6, 8, open()));
    assert_eq!(code, RefusalCode::Overflow, "its own grant is still to come, and cannot be counted");
}

#[test]
fn a_granted_account_still_gets_its_initial_grant_once() {
    let mut world = World::new();
    world.order(BANK, 4, grant(6, 77));
    for number in [5, 6] {
        let BankOutcome::Opened(balance) = world.order(6, number, open()) else { panic!("not opened") };
        assert_eq!(balance.available, Money(GRANT + 77));
    }
}

#[test]
fn a_frozen_account_is_paid_and_spends_nothing() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    let place = |amount| hold(2, deal.ticket().hash(), amount, 60);
    world.held(1, 4, place(5_000_000));
    world.held(1, 5, place(1_000_000));
    world.order(BANK, 6, freeze(1, true));
    assert!(world.bank.is_frozen(key(1)));
    let frozen =
        (RefusalCode::Frozen, format!("the account {} is frozen: it is paid, and cannot spend", key(1)));
    assert_eq!(refused(world.order(1, 7, pay(&[(2, 1)], ""))), frozen);
    assert_eq!(refused(world.order(1, 8, place(1))), frozen);
    assert_eq!(world.order(2, 9, pay(&[(1, 10)], "")), recorded(5, Time(1_000_000_005)));
    assert!(matches!(world.order(2, 10, deal.settle(4)), BankOutcome::Settled(_)), "open holds are settled");
    world.wait(Span::secs(61));
    assert_eq!(world.money(1), Some((GRANT - 4_010_000 + 10, 0)), "and expire");
    world.order(BANK, 11, freeze(1, false));
    assert!(matches!(world.order(1, 12, pay(&[(2, 1)], "")), BankOutcome::Recorded(_)));
}

fn opening(nonce: u64, invitation: Option<Signed<Invitation>>) -> Order {
    Order::OpenAccount(Box::new(OpenAccount { invitation, nonce }))
}

fn invited(by: u8, account: u8, expires: u64) -> Option<Signed<Invitation>> {
    let body = Invitation { bank: key(BANK), account: key(account), expires: Time(expires) };
    Some(Signed::new(body, &keys(by)))
}

#[test]
fn an_account_is_opened_with_a_proof_of_work_where_the_rules_ask_for_one() {
    let admission = Admission { work_bits: 12, ..Admission::OPEN };
    let mut world = World::under(Rules { admission, ..RULES });
    let nonce = find_nonce(key(BANK), key(1), 12, 0, 1 << 20).unwrap();
    let bits = proto::admission::work(key(BANK), key(2), nonce);
    let (code, message) = refused(world.order(2, 1, opening(nonce, None)));
    let expected =
        format!("an account needs a proof of work that begins with 12 zero bits; this one has {bits}");
    assert_eq!((code, message), (RefusalCode::NotAdmitted, expected));
    assert!(matches!(world.order(1, 2, opening(nonce, None)), BankOutcome::Opened(_)));
    assert!(matches!(world.order(1, 3, opening(0, None)), BankOutcome::Opened(_)), "it is open already");
}

#[test]
fn an_account_is_opened_by_invitation_where_the_rules_ask_for_one() {
    let admission = Admission { is_by_invitation: true, ..Admission::OPEN };
    let now = World::new().now.0;
    let foreign = Invitation { bank: key(8), account: key(1), expires: Time(u64::MAX) };
    let for_another = format!("the invitation is for {}, not for {}", key(2), key(1));
    let table = [
        (None, "an account is opened by invitation here, and none was given"),
        (invited(8, 1, u64::MAX), "the invitation is not signed by this bank"),
        (Some(Signed::new(foreign, &keys(BANK))), "the invitation is not signed by this bank"),
        (invited(BANK, 2, u64::MAX), for_another.as_str()),
        (invited(BANK, 1, now), "the invitation has run out"),
    ];
    let mut world = World::under(Rules { admission, ..RULES });
    for (number, (invitation, message)) in (1..).zip(table) {
        let expected = (RefusalCode::NotAdmitted, message.to_owned());
        assert_eq!(refused(world.order(1, number, opening(0, invitation))), expected);
    }
    assert!(matches!(world.order(1, 9, opening(0, invited(BANK, 1, now + 1))), BankOutcome::Opened(_)));
}

#[test]
fn an_address_opens_so_many_accounts_a_day() {
    let admission = Admission { per_address: 2, ..Admission::OPEN };
    let rules = Rules { admission, ..RULES };
    let mut world = World::under(rules);
    let open_from = |world: &mut World, who: u8, address: &str| {
        let from = proto::Peer::new(address.parse().unwrap(), 0, key(who));
        let command = crate::world::signed(who, 100 + u32::from(who), open());
        let request = Box::new(proto::message::bank::BankRequest { command });
        match world.ask(from, proto::message::bank::BankMessage::Request(request)) {
            proto::message::bank::BankMessage::Reply(reply) => reply.outcome,
            other => panic!("{other:?}"),
        }
    };
    let table = [
        (1, "10.0.0.1:1", None),
        (2, "10.0.0.1:2", None),
        (1, "10.0.0.1:1", None),
        (3, "10.0.0.1:3", Some("10.0.0.1")),
        (3, "[::ffff:10.0.0.1]:3", Some("10.0.0.1")),
        (3, "10.0.0.2:3", None),
        (4, "[2001:db8::1]:1", None),
        (5, "[2001:db8::ffff:2]:1", None),
        (6, "[2001:db8::3]:1", Some("2001:db8::")),
        (6, "[2001:db8:0:1::3]:1", None),
        (7, "127.0.0.1:1", None),
        (8, "127.0.0.1:2", None),
        (9, "127.0.0.1:3", Some("127.0.0.1")),
        (10, "0.0.0.0:1", None),
        (11, "0.0.0.0:1", None),
        (9, "0.0.0.0:1", Some("0.0.0.0")),
    ];
    for (who, address, refused_for) in table {
        let outcome = open_from(&mut world, who, address);
        let Some(network) = refused_for else {
            assert!(matches!(outcome, BankOutcome::Opened(_)), "{address}: {outcome:?}");
            continue;
        };
        let message = format!("2 accounts were opened from {network} today, and 2 may be");
        assert_eq!(refused(outcome), (RefusalCode::Quota, message));
    }
    let config = bank::Config { keys: keys(BANK), rules };
    let mut again = World::under(rules);
    again.now = world.now;
    again.bank = bank::Bank::replay(config, [7; 32], world.now, world.journal.clone()).unwrap();
    assert_eq!(refused(open_from(&mut again, 9, "127.0.0.1:3")).0, RefusalCode::Quota, "a replay knows it");
    world.wait(Span::secs(24 * 60 * 60));
    assert!(matches!(open_from(&mut world, 9, "127.0.0.1:3"), BankOutcome::Opened(_)), "the next day");
    assert!(matches!(world.order(12, 200, open()), BankOutcome::Opened(_)));
    assert_eq!(world.bank.balance(peer(12).key).unwrap().available, Money(GRANT));
}

//! Orders and their exact answers.

use crate::papers::{Deal, declined, release};
use crate::world::{BANK, World, grant, hold, id, key, keys, open, pay, peer, refusal, refused, signed};
use bank::Input;
use proto::message::bank::{
    Balance, BalanceQuery, BalanceReply, BankCommand, BankMessage, BankOutcome, BankRequest, HoldReceipt,
    ReleasedReceipt,
};
use proto::message::market::{RefusedRequest, Standing};
use proto::message::service::{Outcome, Report};
use proto::{Hash, Money, RefusalCode, RequestId, Signed, Span, Time};

const TICKET: Hash = Hash([5; 32]);
const GRANT: u64 = 43_500_000;

#[test]
fn an_account_gets_its_grant_once_however_often_it_is_opened() {
    let mut world = World::new();
    let opened = |available, held| {
        BankOutcome::Opened(Balance { account: key(1), available: Money(available), held: Money(held) })
    };
    assert_eq!(world.order(1, 1, open()), opened(GRANT, 0));
    assert_eq!(world.order(1, 1, open()), opened(GRANT, 0));
    world.order(2, 3, open());
    world.held(1, 4, hold(2, TICKET, 500_000, 60));
    assert_eq!(world.order(1, 1, open()), opened(GRANT, 0), "the first answer again");
    assert_eq!(world.order(1, 2, open()), opened(GRANT - 500_000, 500_000));
    assert_eq!(world.journal.len(), 3);
}

#[test]
fn a_hold_moves_money_aside_and_is_signed_by_the_bank() {
    let mut world = World::with_accounts(&[1, 2]);
    let outcome = world.order(1, 4, hold(2, TICKET, 1_500_000, 60));
    let body = HoldReceipt {
        hold: id(4),
        bank: key(BANK),
        buyer: key(1),
        seller: key(2),
        ticket: TICKET,
        amount: Money(1_500_000),
        expires: Time(1_060_000_002),
    };
    assert_eq!(outcome, BankOutcome::Held(Signed::new(body, &keys(BANK))));
    assert_eq!(world.money(1), Some((GRANT - 1_500_000, 1_500_000)));
    assert_eq!(world.money(2), Some((GRANT, 0)));
}

#[test]
fn a_hold_is_refused_with_its_reason() {
    let mut world = World::with_accounts(&[1, 2]);
    world.held(1, 4, hold(2, TICKET, 40_000_000, 60));
    let table = [
        (1, hold(2, TICKET, 0, 60), RefusalCode::BadAmount, "a hold has to be of more than nothing".into()),
        (
            1,
            hold(1, TICKET, 5, 60),
            RefusalCode::Malformed,
            "buyer and seller are the same account".to_owned(),
        ),
        (
            1,
            hold(2, TICKET, 5, 0),
            RefusalCode::Malformed,
            "a hold lasts from 1.00 s to 720.0 h, not 0.00 s".into(),
        ),
        (
            1,
            hold(2, TICKET, 5, 2_592_001),
            RefusalCode::Malformed,
            "a hold lasts from 1.00 s to 720.0 h, not 720.0 h".into(),
        ),
        (1, hold(6, TICKET, 5, 60), RefusalCode::NoAccount, format!("there is no account of {}", key(6))),
        (6, hold(1, TICKET, 5, 60), RefusalCode::NoAccount, format!("there is no account of {}", key(6))),
        (
            1,
            hold(2, TICKET, 12_000_000, 60),
            RefusalCode::NotEnoughMoney,
            "the account has 3.5 credits available, 12 are needed; 40 are held".into(),
        ),
        (
            1,
            hold(2, TICKET, u64::MAX, 60),
            RefusalCode::NotEnoughMoney,
            "the account has 3.5 credits available, 18446744073709.551615 are needed; 40 are held".into(),
        ),
    ];
    for (number, (who, order, code, message)) in (20..).zip(table) {
        assert_eq!(refused(world.order(who, number, order)), (code, message));
    }
    assert_eq!(world.journal.len(), 3);
    world.held(1, 50, hold(2, TICKET, 3_500_000, 60));
    assert_eq!(world.money(1), Some((0, 43_500_000)));
}

#[test]
fn a_command_has_to_be_its_senders_own_for_this_bank_and_bearable() {
    let mut world = World::with_accounts(&[1, 2]);
    let mut forged = signed(1, 5, hold(2, TICKET, 5, 60));
    forged.body.order = hold(2, TICKET, 6, 60);
    let elsewhere = Signed::new(BankCommand { id: id(6), bank: key(8), order: open() }, &keys(1));
    let huge = Report {
        outcome: Outcome::Trapped("x".repeat(4_096)),
        outputs: vec![named(); 300],
        ..Deal::default().report(4).body
    };
    let huge = release(4, None, Some(Signed::new(huge, &keys(2))));
    let table = [
        (
            2,
            signed(1, 5, hold(2, TICKET, 5, 60)),
            RefusalCode::NotYours,
            format!("the command is signed by {}, the channel is of {}", key(1), key(2)),
        ),
        (1, forged, RefusalCode::NotYours, format!("the command is not signed by {}", key(1))),
        (
            1,
            elsewhere,
            RefusalCode::Mismatch,
            format!("the command is for the bank {}, this is {}", key(8), key(BANK)),
        ),
        (
            1,
            signed(1, 7, huge),
            RefusalCode::Malformed,
            "the command has 1245845 bytes, the bank keeps 1048576 at most".into(),
        ),
    ];
    for (from, command, code, message) in table {
        assert_eq!(refused(world.command(from, command)), (code, message));
    }
    assert_eq!(world.journal.len(), 2);
}

fn named() -> proto::message::service::NamedBlob {
    let blob = proto::message::service::Blob { hash: Hash::of(b""), size: proto::Bytes(0) };
    proto::message::service::NamedBlob { name: "n".repeat(4_096), blob }
}

#[test]
fn a_hold_is_released_on_the_sellers_word() {
    let failed = Deal { outcome: Outcome::Exited(3), ..Deal::default() };
    let table = [
        ("the buyer with a declined offer", 1, release(4, Some(declined(2, 4)), None)),
        ("the buyer with a failed report", 1, release(4, None, Some(failed.report(4)))),
        ("the buyer with both", 1, release(4, Some(declined(2, 4)), Some(failed.report(4)))),
        ("the seller itself", 2, release(4, None, None)),
    ];
    for (name, who, order) in table {
        let mut world = World::with_accounts(&[1, 2]);
        world.held(1, 4, hold(2, TICKET, 700, 60));
        let expected = ReleasedReceipt { hold: id(4), returned: Money(700) };
        assert_eq!(world.order(who, 10, order), BankOutcome::Released(expected), "{name}");
        assert_eq!(world.money(1), Some((GRANT, 0)), "{name}");
    }
}

#[test]
fn a_release_without_the_sellers_word_is_refused() {
    let mut world = World::with_accounts(&[1, 2, 5]);
    world.held(1, 4, hold(2, TICKET, 700, 60));
    let failed = Deal { outcome: Outcome::Exited(3), ..Deal::default() };
    let other = Deal { seller: 5, ..failed.clone() };
    let mut forged = declined(2, 4);
    forged.body.refusal.message.push('!');
    let (mismatch, not_yours) = (RefusalCode::Mismatch, RefusalCode::NotYours);
    let unsigned = |paper: &str| format!("the {paper} is not signed by the seller {}", key(2));
    let other_contract =
        |paper: &str| format!("the {paper} is about contract 00000005, not about hold 00000004");
    let table = [
        (
            1,
            release(4, None, None),
            RefusalCode::Malformed,
            "the buyer gets a hold back only on the seller's word, and none was given".to_owned(),
        ),
        (1, release(4, Some(declined(5, 4)), None), not_yours, unsigned("declined offer")),
        (1, release(4, Some(forged), None), not_yours, unsigned("declined offer")),
        (1, release(4, Some(declined(2, 5)), None), mismatch, other_contract("declined offer")),
        (1, release(4, None, Some(other.report(4))), not_yours, unsigned("report")),
        (1, release(4, None, Some(failed.report(5))), mismatch, other_contract("report")),
        (
            1,
            release(4, None, Some(Deal::default().report(4))),
            mismatch,
            "the report says that the work succeeded".into(),
        ),
        (
            1,
            release(4, Some(declined(2, 4)), Some(Deal::default().report(4))),
            mismatch,
            "the report says that the work succeeded".into(),
        ),
        (
            5,
            release(4, Some(declined(2, 4)), None),
            not_yours,
            format!("hold 00000004 is neither bought nor sold by {}", key(5)),
        ),
        (2, release(8, None, None), RefusalCode::NoHold, "there is no hold 00000008".into()),
    ];
    for (number, (who, order, code, message)) in (20..).zip(table) {
        assert_eq!(refused(world.order(who, number, order)), (code, message));
    }
    assert_eq!(world.money(1), Some((GRANT - 700, 700)));
}

#[test]
fn a_repeated_command_has_the_same_answer_and_moves_nothing() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    let first: Vec<(u8, Signed<BankCommand>)> = vec![
        (1, signed(1, 4, hold(2, deal.ticket().hash(), 7_000_000, 60))),
        (1, signed(1, 5, hold(2, TICKET, 10, 60))),
        (2, signed(2, 6, deal.settle(4))),
        (1, signed(1, 7, release(5, Some(declined(2, 5)), None))),
    ];
    let answers: Vec<BankOutcome> =
        first.iter().map(|(who, command)| world.command(*who, command.clone())).collect();
    let (records, money) = (world.journal.len(), (world.money(1), world.money(2), world.money(3)));
    assert!(!answers.iter().any(|answer| matches!(answer, BankOutcome::Refused(_))), "{answers:?}");
    world.wait(Span::secs(3_600));
    for ((who, command), answer) in first.iter().zip(&answers) {
        assert_eq!(world.command(*who, command.clone()), *answer);
    }
    assert_eq!(world.journal.len(), records);
    assert_eq!((world.money(1), world.money(2), world.money(3)), money);
}

#[test]
fn an_id_is_good_for_one_command_of_one_account() {
    let mut world = World::with_accounts(&[1, 2]);
    world.held(1, 4, hold(2, TICKET, 10, 60));
    world.order(1, 5, pay(&[(2, 3_000_000)], "rent"));
    world.order(BANK, 6, grant(1, 2));
    let party = |n: u8| key(n).to_string();
    let table = [
        (1, 4, hold(2, TICKET, 11, 60), "the amount was 0.00001 credits then and is 0.000011 now".to_owned()),
        (1, 4, hold(3, TICKET, 10, 60), format!("the seller was {} then and is {} now", party(2), party(3))),
        (1, 4, hold(2, Hash([6; 32]), 10, 60), "the ticket or the time differ".into()),
        (1, 4, hold(2, TICKET, 10, 61), "the ticket or the time differ".into()),
        (1, 4, open(), "it was the placing of a hold then and is the opening of an account now".into()),
        (2, 4, hold(2, TICKET, 10, 60), "it was another account's".into()),
        (2, 4, release(4, None, None), "it was another account's".into()),
        (7, 6, open(), "it was another account's".into()),
        (BANK, 6, grant(1, 3), "the amount was 0.000002 credits then and is 0.000003 now".into()),
        (1, 5, pay(&[(2, 4_000_000)], "rent"), "the amount was 3 credits then and is 4 now".into()),
        (1, 5, pay(&[(2, 3_000_000)], "food"), "the memo or single payments differ".into()),
        (1, 5, pay(&[(2, 2_000_000), (3, 1_000_000)], "rent"), "the memo or single payments differ".into()),
    ];
    for (who, number, order, difference) in table {
        let message = format!("the id {} was used before for another command: {difference}", id(number));
        assert_eq!(refused(world.order(who, number, order)), (RefusalCode::IdReused, message));
    }
    assert_eq!(world.journal.len(), 5);
}

#[test]
fn a_refused_command_may_be_sent_again_and_is_then_executed() {
    let mut world = World::with_accounts(&[1, 2]);
    world.held(1, 4, hold(2, TICKET, 40_000_000, 60));
    let again = signed(1, 5, hold(2, TICKET, 12_000_000, 60));
    assert_eq!(refused(world.command(1, again.clone())).0, RefusalCode::NotEnoughMoney);
    world.order(2, 6, release(4, None, None));
    assert!(matches!(world.command(1, again), BankOutcome::Held(_)));
}

#[test]
fn a_closed_hold_stays_closed_and_says_how_it_ended() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    for number in [4, 5, 6] {
        world.held(1, number, hold(2, deal.ticket().hash(), 5_000_000, 60));
    }
    world.order(1, 10, deal.settle(4));
    world.order(2, 11, release(5, None, None));
    world.wait(Span::secs(61));
    let ends = [
        (
            4,
            RefusalCode::HoldClosed,
            "hold 00000004 was settled: 4 to the seller, 0.01 to the market owner, 0.99 back",
        ),
        (5, RefusalCode::HoldReturned, "hold 00000005 was released: 5 back to the buyer"),
        (6, RefusalCode::HoldReturned, "hold 00000006 was expired: 5 back to the buyer"),
    ];
    for (number, code, message) in ends {
        let closed = refusal(code, message);
        assert_eq!(refused(world.order(2, 20 + number, deal.settle(number))), closed);
        assert_eq!(refused(world.order(2, 30 + number, release(number, None, None))), closed);
    }
    assert_eq!(world.money(1), Some((GRANT - 4_010_000, 0)));
}

#[test]
fn a_balance_is_told_to_its_owner() {
    let mut world = World::with_accounts(&[1, 2]);
    world.held(1, 4, hold(2, TICKET, 10, 60));
    let query = |n| BankMessage::BalanceQuery(BalanceQuery { request: RequestId(n) });
    let balance = Balance { account: key(1), available: Money(GRANT - 10), held: Money(10) };
    let expires = world.now.after(bank::STANDING_TTL);
    let standing = Standing { account: key(1), kept: 0, broken: 0, expires };
    let standing = Signed::new(standing, &keys(BANK));
    let expected =
        BankMessage::BalanceReply(Box::new(BalanceReply { request: RequestId(8), balance, standing }));
    assert_eq!(world.ask(peer(1), query(8)), expected);
    let BankMessage::Refused(RefusedRequest { request, refusal }) = world.ask(peer(6), query(9)) else {
        panic!("told a stranger a balance");
    };
    assert_eq!((request, refusal.code), (RequestId(9), RefusalCode::NoAccount));
}

#[test]
fn an_answer_stands_behind_its_record() {
    use bank::{Bank, Output};
    let world = World::new();
    let mut bank = Bank::new(crate::world::config(), [0; 32], world.now);
    let request = Box::new(BankRequest { command: signed(1, 1, open()) });
    bank.handle(Input::Receive { from: peer(1), message: BankMessage::Request(request) }, world.now);
    assert!(matches!(bank.poll_output(), Some(Output::Append(_))));
    assert!(matches!(bank.poll_output(), Some(Output::Send { .. })));
    assert_eq!(bank.poll_output(), None);
}

#[test]
fn answers_that_nobody_asked_for_are_dropped() {
    let mut world = World::with_accounts(&[1]);
    world.sent.clear();
    let balance = Balance { account: key(1), available: Money(1), held: Money(1) };
    let standing = Standing { account: key(1), kept: 9, broken: 0, expires: world.now };
    let standing = Signed::new(standing, &keys(BANK));
    let message =
        BankMessage::BalanceReply(Box::new(BalanceReply { request: RequestId(1), balance, standing }));
    world.input(Input::Receive { from: peer(1), message });
    assert_eq!(world.sent, []);
}

#[test]
fn money_is_never_issued_beyond_what_can_be_counted() {
    let rules = proto::Rules { initial_grant: Money(u64::MAX), ..crate::world::RULES };
    let config = bank::Config { keys: keys(BANK), rules };
    let mut world = World::new();
    world.bank = bank::Bank::new(config, [0; 32], world.now);
    world.order(1, 1, open());
    let message =
        "18446744073709.551615 credits are issued, and 18446744073709.551615 more cannot be counted";
    assert_eq!(refused(world.order(2, 2, open())), refusal(RefusalCode::Overflow, message));
    assert_eq!(world.money(2), None);
}

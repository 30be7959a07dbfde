//! What others can try, in one table, each with its refusal; and for what is tested at length elsewhere, where.
//!
//! | input | test |
//! |---|---|
//! | a sum or a balance too large by one unit | here, and `transfers::the_operator_issues_money_and_nobody_else_does` |
//! | zero and negative amounts | here |
//! | a hold on oneself, a payment to oneself | here |
//! | an expired hold that is settled or released | here |
//! | two settlements that race | here |
//! | forged signatures, commands on another's channel or for another bank | here |
//! | a command that is sent again | here, `orders::a_repeated_command_has_the_same_answer_and_moves_nothing` |
//! | the same id twice in one group | here |
//! | a clock that stands still or goes backwards | `time::the_ledgers_time_grows_whatever_the_clock_does` |
//! | a journal or a snapshot of another bank | `replay::a_journal_is_refused_when_it_is_not_complete_or_not_in_order`, `snapshot` |
//! | a key that is no point of the curve | here |

use crate::papers::{Deal, release};
use crate::world::{BANK, World, grant, hold, id, key, keys, open, pay, peer, refused, signed};
use bank::{Checked, Input, Output};
use proto::message::bank::{
    BankCommand, BankMessage, BankOutcome, BankRequest, Grant, Order, Payment, Transfer,
};
use proto::wire::Wire as _;
use proto::{Hash, Money, Peer, PublicKey, RefusalCode, Signed, Span};

const GRANT: u64 = 43_500_000;

/// Sends orders of person 1, who has [`GRANT`] credits, each to a fresh bank, and expects these refusals.
fn check(table: Vec<(Order, RefusalCode, &str)>) {
    for (order, code, message) in table {
        let mut world = World::with_accounts(&[1, 2]);
        let outcome = world.order(1, 50, order);
        assert_eq!(refused(outcome), (code, message.to_owned()));
        assert_eq!((world.money(1), world.journal.len()), (Some((GRANT, 0)), 2), "nothing moves");
    }
}

#[test]
fn amounts_that_are_zero_negative_or_too_large_by_one() {
    let negative = u64::MAX; // As a signed number of the same bits: -1.
    let needed = "are needed; 0 are held";
    let short = |amount: &str| format!("the account has 43.5 credits available, {amount} {needed}");
    let (one_more, all) = (short("43.500001"), short("18446744073709.551615"));
    check(vec![
        (pay(&[(2, 0)], ""), RefusalCode::BadAmount, "a payment has to be of more than nothing"),
        (pay(&[(2, GRANT + 1)], ""), RefusalCode::NotEnoughMoney, &one_more),
        (pay(&[(2, GRANT), (2, 1)], ""), RefusalCode::NotEnoughMoney, &one_more),
        (pay(&[(2, negative)], ""), RefusalCode::NotEnoughMoney, &all),
        (
            pay(&[(2, negative), (2, 1)], ""),
            RefusalCode::BadAmount,
            "the payments come to more than can be counted",
        ),
        (hold(2, Hash::default(), 0, 60), RefusalCode::BadAmount, "a hold has to be of more than nothing"),
        (hold(2, Hash::default(), GRANT + 1, 60), RefusalCode::NotEnoughMoney, &one_more),
        (hold(2, Hash::default(), negative, 60), RefusalCode::NotEnoughMoney, &all),
        (hold(1, Hash::default(), 5, 60), RefusalCode::Malformed, "buyer and seller are the same account"),
        (pay(&[(2, 5), (1, 5)], ""), RefusalCode::Malformed, "payer and payee are the same account"),
        (pay(&[], ""), RefusalCode::Malformed, "a transfer has 1 to 4096 payments, not 0"),
    ]);
}

#[test]
fn a_hold_that_has_ended_is_not_paid_out() {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    for number in [4, 5] {
        world.held(1, number, hold(2, deal.ticket().hash(), 5_000_000, 60));
    }
    // Two settlements race: the seller's comes first, the buyer's finds the hold closed.
    assert!(matches!(world.order(2, 10, deal.settle(4)), BankOutcome::Settled(_)));
    let (code, message) = refused(world.order(1, 11, deal.settle(4)));
    let ends = "hold 00000004 was settled: 4 to the seller, 0.01 to the market owner, 0.99 back";
    assert_eq!((code, message.as_str()), (RefusalCode::HoldClosed, ends));
    let money = (world.money(1), world.money(2), world.money(3));
    // At the very moment of its end a hold is over: it was placed in the fourth record, three microseconds late.
    world.wait(Span(60_000_003));
    for (number, order) in [(12, deal.settle(5)), (13, release(5, None, None))] {
        assert_eq!(refused(world.order(2, number, order)).0, RefusalCode::HoldReturned);
    }
    assert_eq!(world.money(1), money.0.map(|(available, held)| (available + held, 0)));
    assert_eq!((world.money(2), world.money(3)), (money.1, money.2));
}

/// The outcome of a command whose signature the driver has verified.
fn checked(world: &mut World, from: u8, command: Signed<BankCommand>) -> BankOutcome {
    world.sent.clear();
    world.input(Input::Checked { from: peer(from), command: Box::new(Checked::new(command)) });
    match world.sent.pop() {
        Some((to, BankMessage::Reply(reply))) if to == peer(from) => reply.outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signature_of_another_or_for_something_else() {
    let order = || pay(&[(2, 5)], "");
    let mut world = World::with_accounts(&[1, 2]);
    let mut forged = signed(1, 50, order());
    forged.signature.0[63] ^= 0x20;
    let mut raised = signed(1, 50, order());
    raised.body.order = pay(&[(2, 50)], "");
    let stolen = Signed { signer: key(2), ..signed(1, 50, order()) };
    let elsewhere = Signed::new(BankCommand { id: id(50), bank: key(8), order: order() }, &keys(1));
    let mut moved = elsewhere.clone();
    moved.body.bank = key(BANK);
    let table = [
        (1, forged, RefusalCode::NotYours),
        (1, raised, RefusalCode::NotYours),
        (2, stolen, RefusalCode::NotYours),
        (2, signed(1, 50, order()), RefusalCode::NotYours),
        (1, elsewhere, RefusalCode::Mismatch),
        (1, moved, RefusalCode::NotYours),
    ];
    for (from, command, code) in table {
        let outcome = world.command(from, command.clone());
        assert_eq!(refused(outcome.clone()).0, code);
        assert_eq!(checked(&mut world, from, command), outcome, "verified by the driver or by the bank");
    }
    let command = signed(1, 50, order());
    let first = world.command(1, command.clone());
    assert_eq!(world.command(1, command.clone()), first);
    assert_eq!(checked(&mut world, 1, command.clone()), first);
    assert_eq!(refused(world.command(2, command)).0, RefusalCode::NotYours);
    assert_eq!((world.money(2), world.journal.len()), (Some((GRANT + 5, 0)), 3));
}

#[test]
fn the_same_command_twice_in_one_group_is_one_record_and_two_equal_answers() {
    let mut world = World::with_accounts(&[1, 2]);
    let ask = |order| {
        let command = signed(1, 50, order);
        BankMessage::Request(Box::new(BankRequest { command }))
    };
    for order in [pay(&[(2, 5)], ""), pay(&[(2, 5)], ""), pay(&[(2, 6)], "")] {
        world.bank.handle(Input::Receive { from: peer(1), message: ask(order) }, world.now);
    }
    let outputs: Vec<Output> = std::iter::from_fn(|| world.bank.poll_output()).collect();
    let [Output::Append(_), Output::Send { message: first, .. }, Output::Send { message: second, .. }, last] =
        outputs.as_slice()
    else {
        panic!("{outputs:?}");
    };
    assert_eq!(first.encode(), second.encode(), "byte for byte");
    let Output::Send { message: BankMessage::Reply(reply), .. } = last else { panic!("{last:?}") };
    assert_eq!(refused(reply.outcome.clone()).0, RefusalCode::IdReused);
    assert_eq!(world.money(2), Some((GRANT + 5, 0)));
}

#[test]
fn a_key_that_nobody_can_have() {
    // No point has this y; the second is a point of small order, for which signatures are no proof.
    let no_point = PublicKey([[2].as_slice(), &[0; 31]].concat().try_into().unwrap());
    let weak = PublicKey([0; 32]);
    let mut world = World::with_accounts(&[1]);
    for nobody in [no_point, weak] {
        assert!(!nobody.is_usable() && key(1).is_usable());
        let mut command = signed(1, 50, open());
        command.signer = nobody;
        let from = Peer::new(peer(1).addr, 0, nobody);
        let message = BankMessage::Request(Box::new(BankRequest { command }));
        let BankMessage::Reply(reply) = world.ask(from, message) else { panic!("no reply") };
        assert_eq!(refused(reply.outcome).0, RefusalCode::NotYours);
        let payment = Payment { to: nobody, amount: Money(1) };
        let transfer = Transfer { payments: vec![payment], memo: String::new() };
        assert_eq!(refused(world.order(1, 51, Order::Transfer(transfer))).0, RefusalCode::NoAccount);
        let issue = Grant { to: nobody, amount: Money(1), reason: String::new() };
        let (code, message) = refused(world.order(BANK, 52, Order::Grant(issue)));
        assert_eq!(
            (code, message),
            (RefusalCode::Malformed, format!("{nobody} is no key that anybody can have"))
        );
    }
    assert_eq!(world.journal.len(), 1);
    assert!(matches!(world.order(BANK, 53, grant(9, 1)), BankOutcome::Recorded(_)));
}

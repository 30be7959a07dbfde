//! An order that is wrong in two ways is refused for the reason that stands first in the table of `decide`.

use crate::world::{BANK, RULES, World, freeze, grant, hold, id, key, keys, open, pay};
use proto::admission::Admission;
use proto::message::bank::{
    BankCommand, BankMessage, BankOutcome, BankReply, BankRequest, Invitation, OpenAccount, Order,
};
use proto::{CommandId, Hash, Money, Peer, RefusalCode, Rules, Signed, Time};

/// What can be wrong with any command, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Channel,
    Bank,
    Forged,
    Reused,
    EndOfTime,
    /// What can be wrong with the order itself, by its place in the order's own table.
    Order(usize),
}

const COMMON: [(Fault, RefusalCode, &str); 5] = [
    (Fault::Channel, RefusalCode::NotYours, "the channel is of"),
    (Fault::Bank, RefusalCode::Mismatch, "the command is for the bank"),
    (Fault::Forged, RefusalCode::NotYours, "the command is not signed by"),
    (Fault::Reused, RefusalCode::IdReused, "was used before for another command"),
    (Fault::EndOfTime, RefusalCode::Overflow, "the ledger has come to the end of its time"),
];

/// Rules that ask for everything before they open an account, and grant more than can be issued.
const STRICT: Rules = Rules {
    admission: Admission { per_address: 1, work_bits: 8, is_by_invitation: true },
    initial_grant: Money(u64::MAX - 1),
    ..RULES
};

/// An order with these faults of its own, and who signs it. The world is prepared for it.
type Build = fn(&mut World, &dyn Fn(usize) -> bool) -> (u8, Order);

/// The refusal of an order of which this is wrong.
fn refusal(rules: Rules, faults: &[Fault], build: Build) -> (RefusalCode, String) {
    let has = |fault| faults.contains(&fault);
    let mut world = World::under(rules);
    world.order(BANK, 1, grant(1, 100));
    world.order(BANK, 2, grant(2, 100));
    let (signer, order) = build(&mut world, &|place| has(Fault::Order(place)));
    if has(Fault::EndOfTime) {
        world.now = Time(u64::MAX);
        world.order(BANK, 3, grant(2, 1));
    }
    let bank = if has(Fault::Bank) { key(8) } else { key(BANK) };
    // The end of time is long after the window in which the first ids are remembered.
    let reused = id(if has(Fault::EndOfTime) { 3 } else { 2 });
    let number = if has(Fault::Reused) { reused } else { CommandId([9; 16]) };
    let mut command = Signed::new(BankCommand { id: number, bank, order }, &keys(signer));
    if has(Fault::Forged) {
        command.signature.0[0] ^= 1;
    }
    let channel = if has(Fault::Channel) { key(7) } else { key(signer) };
    let from = Peer::new(([10, 0, 0, 1], 7_000).into(), 0, channel);
    match world.ask(from, BankMessage::Request(Box::new(BankRequest { command }))) {
        BankMessage::Reply(reply) => match *reply {
            BankReply { outcome: BankOutcome::Refused(refusal), .. } => (refusal.code, refusal.message),
            other => panic!("{faults:?}: {other:?}"),
        },
        other => panic!("{faults:?}: {other:?}"),
    }
}

/// Puts every two faults together: those of any command, then those of the order.
fn check(rules: Rules, own: &[(RefusalCode, &str)], build: Build) {
    let own = own.iter().enumerate().map(|(place, (code, phrase))| (Fault::Order(place), *code, *phrase));
    let faults: Vec<(Fault, RefusalCode, &str)> = COMMON.into_iter().chain(own).collect();
    for (place, (first, code, phrase)) in faults.iter().enumerate() {
        for (second, _, _) in &faults[place..] {
            let (found, message) = refusal(rules, &[*first, *second], build);
            assert!(
                found == *code && message.contains(phrase),
                "{first:?} and {second:?}: {code:?} `{phrase}` expected, {found:?} `{message}` found"
            );
        }
    }
}

#[test]
fn a_transfer_is_refused_for_the_first_of_two_reasons() {
    let own = [
        (RefusalCode::Malformed, "a transfer has 1 to 4096 payments, not 4097"),
        (RefusalCode::Malformed, "the memo has 141 bytes"),
        (RefusalCode::Malformed, "payer and payee are the same account"),
        (RefusalCode::BadAmount, "a payment has to be of more than nothing"),
        (RefusalCode::BadAmount, "the payments come to more than can be counted"),
        (RefusalCode::NoAccount, "there is no account of"),
        (RefusalCode::NoAccount, "there is no account of"),
        (RefusalCode::Frozen, "is frozen: it is paid, and cannot spend"),
        (RefusalCode::NotEnoughMoney, "the account has 0.0001 credits available"),
    ];
    check(RULES, &own, |world, has| {
        let signer = if has(5) { 6 } else { 1 };
        let mut payments = vec![(2, if has(8) { 101 } else { 1 })];
        payments.extend(has(2).then_some((signer, 1)));
        payments.extend(has(3).then_some((2, 0)));
        payments.extend(has(4).then_some((2, u64::MAX)));
        payments.extend(has(6).then_some((9, 1)));
        payments.resize(if has(0) { 4_097 } else { payments.len() }, (2, 1));
        if has(7) {
            world.order(BANK, 4, freeze(1, true));
        }
        (signer, pay(&payments, &"m".repeat(if has(1) { 141 } else { 140 })))
    });
}

#[test]
fn a_hold_is_refused_for_the_first_of_two_reasons() {
    let own = [
        (RefusalCode::BadAmount, "a hold has to be of more than nothing"),
        (RefusalCode::Malformed, "buyer and seller are the same account"),
        (RefusalCode::Malformed, "a hold lasts from"),
        (RefusalCode::NoAccount, "there is no account of"),
        (RefusalCode::NoAccount, "there is no account of"),
        (RefusalCode::Frozen, "is frozen"),
        (RefusalCode::NotEnoughMoney, "0.000101 are needed"),
    ];
    check(RULES, &own, |world, has| {
        let buyer = if has(3) { 6 } else { 1 };
        let seller = if has(4) { 9 } else { 2 };
        if has(5) {
            world.order(BANK, 4, freeze(1, true));
        }
        let amount = if has(0) { 0 } else { 1 + u64::from(has(6)) * 100 };
        (buyer, hold(if has(1) { buyer } else { seller }, Hash([5; 32]), amount, if has(2) { 0 } else { 60 }))
    });
}

#[test]
fn an_operators_order_is_refused_for_the_first_of_two_reasons() {
    let reason = |order: &mut String, is_long: bool| *order = "r".repeat(if is_long { 141 } else { 9 });
    let own = [
        (RefusalCode::NotYours, "only the bank's own key orders that"),
        (RefusalCode::Malformed, "the reason has 141 bytes"),
        (RefusalCode::BadAmount, "a grant has to be of more than nothing"),
        (RefusalCode::Overflow, "18446744073709.551615 more cannot be counted"),
    ];
    check(RULES, &own, |_, has| {
        let amount = if has(2) { 0 } else { u64::MAX };
        let mut order = grant(2, if has(3) || has(2) { amount } else { 1 });
        if let Order::Grant(grant) = &mut order {
            grant.reason = "r".repeat(if has(1) { 141 } else { 9 });
        }
        (if has(0) { 1 } else { BANK }, order)
    });
    let mut order = freeze(9, true);
    if let Order::Freeze(freeze) = &mut order {
        reason(&mut freeze.reason, true);
    }
    let mut world = World::with_accounts(&[1]);
    let code = |outcome| crate::world::refused(outcome).0;
    assert_eq!(code(world.order(1, 5, order.clone())), RefusalCode::NotYours);
    assert_eq!(code(world.order(BANK, 5, order)), RefusalCode::Malformed);
    assert_eq!(code(world.order(BANK, 5, freeze(9, true))), RefusalCode::NoAccount);
}

#[test]
fn an_opening_is_refused_for_the_first_of_two_reasons() {
    let own = [
        (RefusalCode::NotAdmitted, "an account needs a proof of work that begins with 8 zero bits"),
        (RefusalCode::NotAdmitted, "an account is opened by invitation here"),
        (RefusalCode::Quota, "1 accounts were opened from 10.0.0.1 today, and 1 may be"),
        (RefusalCode::Overflow, "more cannot be counted"),
    ];
    // With the grant of these rules the sum always overflows: the last fault is there by itself.
    check(STRICT, &own, |world, has| {
        if has(2) {
            open_before(world);
        }
        let bits = if has(0) { 0 } else { 8 };
        let mut nonces = 0..;
        let nonce =
            nonces.find(|nonce| (proto::admission::work(key(BANK), key(6), *nonce) >= 8) == (bits == 8));
        let invitation = Invitation { bank: key(BANK), account: key(6), expires: Time(u64::MAX) };
        let invitation = (!has(1)).then(|| Signed::new(invitation, &keys(BANK)));
        (6, Order::OpenAccount(Box::new(OpenAccount { invitation, nonce: nonce.unwrap() })))
    });
}

/// Somebody has opened an account from the address of person 1 before the network had these rules.
fn open_before(world: &mut World) {
    let mut before = World::under(Rules { initial_grant: Money(1), ..RULES });
    before.order(BANK, 1, grant(1, 100));
    before.order(BANK, 2, grant(2, 100));
    before.order(1, 9, open());
    let config = bank::Config { keys: keys(BANK), rules: STRICT };
    world.bank = bank::Bank::replay(config, [7; 32], before.now, before.journal.clone()).unwrap();
    world.journal = before.journal;
}

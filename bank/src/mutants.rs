//! Known bugs, put into what an event changes; the invariants have to see each of them.

use crate::account::{Posting, Side};
use crate::check::{Violation, check_all, check_touched};
use crate::hold::Hold;
use crate::ledger::{Ledger, Step};
use crate::record::Network;
use crate::standing::Conduct;
use crate::{Bank, Config, Input, Output};
use proto::admission::Admission;
use proto::message::bank::{BankMessage, BankOutcome, BankRequest, Ending, How, Order, PlaceHold, Shares};
use proto::{CommandId, Hash, KeyPair, Money, Peer, PublicKey, Refusal, RefusalCode, Rules, Span, Time};

const BUYER: PublicKey = PublicKey([1; 32]);
const SELLER: PublicKey = PublicKey([2; 32]);
const HOLD: CommandId = CommandId([4; 16]);
const SHARES: Shares = Shares {
    buyer_held: Money(100),
    seller_held: Money(0),
    buyer: Money(40),
    seller: Money(60),
    owner: Money(0),
    arbiter: Money(0),
    pool: Money(0),
};
const CLOSING: Ending = Ending {
    hold: HOLD,
    how: How::Settled,
    buyer: BUYER,
    seller: SELLER,
    owner: None,
    arbiter: None,
    shares: SHARES,
};

fn debit(side: Side, amount: u64) -> Posting {
    Posting::debit(side, Money(amount))
}

fn credit(side: Side, amount: u64) -> Posting {
    Posting::credit(side, Money(amount))
}

fn opening(account: PublicKey) -> Step {
    let postings = vec![debit(Side::Issuer, 500), credit(Side::Available(account), 500)];
    Step { postings, granted: Some((account, Network::default())), ..Step::default() }
}

fn placing(amount: u64) -> Step {
    let (ticket, expires) = (Hash::default(), Time(9_000));
    let hold = Hold { id: HOLD, buyer: BUYER, seller: SELLER, ticket, amount: Money(amount), expires };
    let postings = vec![debit(Side::Available(BUYER), amount), credit(Side::Held(BUYER), amount)];
    Step { postings, placed: Some(hold), ..Step::default() }
}

fn settling() -> Step {
    let postings = vec![
        debit(Side::Held(BUYER), 100),
        credit(Side::Available(SELLER), 60),
        credit(Side::Available(BUYER), 40),
    ];
    Step { postings, closed: Some((CLOSING, Conduct::Kept)), ..Step::default() }
}

/// Executes steps one after the other, and checks after each.
fn run(steps: &[Step]) -> Result<Ledger, Violation> {
    let mut ledger = Ledger::new(PublicKey([9; 32]));
    for (time, step) in (1..).zip(steps) {
        ledger.execute(step.clone(), Time(time))?;
        let cheap = check_touched(&ledger);
        assert_eq!(cheap, check_all(&ledger), "both checks see the same");
        cheap?;
    }
    Ok(ledger)
}

/// Executes the right steps, with the last ones as given, and expects this violation.
fn check(name: &str, last: &[Step], violation: &Violation) {
    let steps = [&[opening(BUYER), opening(SELLER)], last].concat();
    assert_eq!(run(&steps).map(|_| ()), Err(violation.clone()), "{name}");
}

#[test]
fn the_right_steps_break_nothing() {
    let ledger = run(&[opening(BUYER), opening(SELLER), placing(100), settling()]).unwrap();
    assert_eq!(ledger.accounts.find(SELLER).map(|account| account.available), Some(560));
}

#[test]
fn money_that_appears_or_vanishes_is_seen() {
    let not_conserved = |available, held| Violation::NotConserved { issued: 1_000, available, held };
    let mut step = settling();
    step.postings.pop();
    check("the rest is not returned", &[placing(100), step], &not_conserved(960, 0));
    let mut step = settling();
    step.postings.push(credit(Side::Available(PublicKey([3; 32])), 10));
    check("the fee is paid on top", &[placing(100), step], &not_conserved(1_010, 0));
    let mut step = settling();
    step.postings.push(credit(Side::Available(SELLER), 60));
    check("the seller is paid twice", &[placing(100), step], &not_conserved(1_060, 0));
    let mut step = placing(100);
    step.postings.remove(0);
    check("a hold costs nothing", &[step], &not_conserved(1_000, 100));
    let mut step = opening(SELLER);
    step.postings.remove(0);
    check("a grant is not issued", &[step], &not_conserved(1_500, 0));
}

#[test]
fn a_transfer_that_is_carried_out_wrongly_is_seen() {
    let paying = || vec![debit(Side::Available(BUYER), 7), credit(Side::Available(SELLER), 7)];
    let step = |postings| [Step { postings, ..Step::default() }];
    let not_conserved = |available| Violation::NotConserved { issued: 1_000, available, held: 0 };
    let mut postings = paying();
    postings.remove(0);
    check("nobody pays", &step(postings), &not_conserved(1_007));
    let mut postings = paying();
    postings.pop();
    check("nobody is paid", &step(postings), &not_conserved(993));
    let mut postings = paying();
    postings.push(credit(Side::Available(SELLER), 7));
    check("the payee is paid twice", &step(postings), &not_conserved(1_007));
    let mut postings = paying();
    postings[1] = credit(Side::Held(SELLER), 7);
    let held = Violation::HoldsMismatch { held: 7, holds: 0 };
    check("it is paid into the held side", &step(postings), &held);
    let mut postings = paying();
    postings[1] = credit(Side::Issuer, 7);
    let gone = run(&[&[opening(BUYER), opening(SELLER)], step(postings).as_slice()].concat());
    assert_eq!(
        gone.map(|ledger| ledger.accounts.issued()),
        Ok(993),
        "money given back is not issued any more"
    );
}

#[test]
fn a_hold_that_is_settled_twice_is_seen() {
    let twice = Violation::OutOfRange { account: BUYER, value: -100 };
    check("settled again", &[placing(100), settling(), settling()], &twice);
    let mut open = settling();
    open.closed = None;
    let still_open = Violation::HoldsMismatch { held: 0, holds: 100 };
    check("settled and left open", &[placing(100), open], &still_open);
    let closed_only = Step { postings: Vec::new(), ..settling() };
    let forgotten = Violation::HoldsMismatch { held: 100, holds: 0 };
    check("closed and not settled", &[placing(100), closed_only.clone()], &forgotten);
    let gone = Violation::NoOpenHold { hold: HOLD };
    check("closed twice", &[placing(100), settling(), closed_only], &gone);
    let again = Step { postings: Vec::new(), ..placing(100) };
    check("placed twice", &[placing(100), again], &Violation::HoldTwice { hold: HOLD });
}

#[test]
fn an_overspent_account_is_seen() {
    check("a hold beyond the balance", &[placing(501)], &Violation::OutOfRange { account: BUYER, value: -1 });
    let step = Step {
        postings: vec![debit(Side::Available(SELLER), 501), credit(Side::Available(BUYER), 501)],
        ..Step::default()
    };
    check("a transfer beyond the balance", &[step], &Violation::OutOfRange { account: SELLER, value: -1 });
    let step = Step {
        postings: vec![credit(Side::Issuer, 1_001), debit(Side::Available(BUYER), 1_001)],
        ..Step::default()
    };
    check("more is destroyed than issued", &[step], &Violation::IssuerPositive);
}

#[test]
fn money_held_for_the_wrong_account_is_seen() {
    let mut step = placing(100);
    step.postings = vec![debit(Side::Available(SELLER), 100), credit(Side::Held(SELLER), 100)];
    let wrong = Violation::HeldMismatch { account: BUYER, held: 0, holds: 100 };
    let mut ledger = run(&[opening(BUYER), opening(SELLER)]).unwrap();
    assert_eq!(ledger.execute(step, Time(5)), Ok(()));
    assert_eq!(check_touched(&ledger), Err(wrong.clone()));
    assert_eq!(check_all(&ledger), Err(wrong));
}

/// The answer of `bank` to an order of `keys`, with what it put out before.
fn order(bank: &mut Bank, keys: &KeyPair, id: u8, order: Order) -> (Option<Output>, BankOutcome) {
    let from = Peer::new("10.0.0.1:7000".parse().unwrap(), 0, keys.public());
    let command = crate::client::command(keys, bank.config.keys.public(), CommandId([id; 16]), order);
    let request = Box::new(BankRequest { command });
    bank.handle(Input::Receive { from, message: BankMessage::Request(request) }, Time(1));
    let mut outputs: Vec<Output> = std::iter::from_fn(|| bank.poll_output()).collect();
    let Some(Output::Send { message: BankMessage::Reply(reply), .. }) = outputs.pop() else {
        panic!("no reply");
    };
    assert!(outputs.len() < 2, "{outputs:?}");
    (outputs.pop(), reply.outcome)
}

#[test]
fn a_bank_whose_ledger_is_broken_stops_before_it_writes() {
    let [keys, buyer, seller] = [9, 1, 2].map(|n| KeyPair::from_secret([n; 32]));
    let config = Config { keys, rules: Rules { admission: Admission::OPEN, ..Rules::PUBLIC } };
    let mut bank = Bank::new(config, [0; 32], Time(0));
    let open = || Order::OpenAccount(Box::default());
    order(&mut bank, &buyer, 1, open());
    order(&mut bank, &seller, 2, open());
    bank.ledger.accounts.post(&[credit(Side::Available(SELLER), 5)]).unwrap();
    let (seller, ticket, expires_in) = (seller.public(), Hash::default(), Span::secs(60));
    let place = Order::PlaceHold(PlaceHold { seller, ticket, amount: Money(7), expires_in });
    let violation = Violation::NotConserved { issued: 2_000_000_000, available: 1_999_999_998, held: 7 };
    let message = format!("the bank has stopped: {violation}");
    let hint = "its operator has to look at the journal";
    let stopped = BankOutcome::Refused(Refusal::new(RefusalCode::Busy, message, hint));
    let halt = Some(Output::Halt(violation.clone()));
    assert_eq!(order(&mut bank, &buyer, 3, place.clone()), (halt, stopped.clone()));
    assert_eq!(order(&mut bank, &buyer, 3, place), (None, stopped.clone()), "it was not executed");
    assert_eq!(order(&mut bank, &buyer, 1, open()), (None, stopped));
    assert_eq!(bank.poll_timeout(), None);
    assert_eq!(bank.check(), Err(violation));
}

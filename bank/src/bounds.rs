//! The bounds on what others can make the bank keep, reached without signing a hundred thousand commands.

use crate::account::{Posting, Side};
use crate::decide::{Counter, Decision, decide};
use crate::fingerprint::{Fingerprint, Gist, Kind};
use crate::hold::{Hold, MAX_OPEN_HOLDS};
use crate::ledger::{Ledger, Step};
use crate::memory::{Answer, Executed, IDEMPOTENCY_WINDOW, Memory, REMEMBERED_PER_ACCOUNT};
use crate::record::Network;
use crate::settlement;
use crate::standing::Conduct;
use proto::message::bank::{Order, PlaceHold};
use proto::{CommandId, Hash, KeyPair, Money, PublicKey, RefusalCode, Rules, Span, Time};

const SELLER: PublicKey = PublicKey([2; 32]);
const RULES: Rules = Rules::LOCAL;

fn id(number: u64) -> CommandId {
    CommandId(u128::from(number).to_be_bytes())
}

fn counter(ledger: &Ledger) -> Counter<'_> {
    let (bank, network) = (PublicKey([9; 32]), Network::default());
    Counter { ledger, rules: &RULES, bank, network, time: Time(3) }
}

fn opening(account: PublicKey) -> Step {
    let postings = vec![
        Posting::debit(Side::Issuer, Money(1_000_000)),
        Posting::credit(Side::Available(account), Money(1_000_000)),
    ];
    Step { postings, granted: Some((account, Network::default())), ..Step::default() }
}

fn placing(buyer: PublicKey, number: u64) -> Step {
    let (ticket, expires) = (Hash::default(), Time(9_000_000_000));
    let hold = Hold { id: id(number), buyer, seller: SELLER, ticket, amount: Money(1), expires };
    let postings =
        vec![Posting::debit(Side::Available(buyer), Money(1)), Posting::credit(Side::Held(buyer), Money(1))];
    Step { postings, placed: Some(hold), ..Step::default() }
}

#[test]
fn an_account_has_a_bounded_number_of_open_holds() {
    let keys = KeyPair::from_secret([1; 32]);
    let buyer = keys.public();
    let mut ledger = Ledger::new(PublicKey([9; 32]));
    ledger.execute(opening(buyer), Time(1)).unwrap();
    ledger.execute(opening(SELLER), Time(2)).unwrap();
    let (ticket, amount, expires_in) = (Hash::default(), Money(1), Span::secs(60));
    let order = Order::PlaceHold(PlaceHold { seller: SELLER, ticket, amount, expires_in });
    let command = crate::client::command(&keys, PublicKey([9; 32]), id(0), order);
    let refusal = |ledger: &Ledger| decide(&counter(ledger), &command).err().map(|e| (e.code, e.message));
    for number in 1..=MAX_OPEN_HOLDS {
        assert!(number % 9_999 != 0 || refusal(&ledger).is_none(), "{number}");
        ledger.execute(placing(buyer, number), Time(3)).unwrap();
    }
    let message = "the account has 100000 open holds, and may have 100000".to_owned();
    assert_eq!(refusal(&ledger), Some((RefusalCode::Busy, message)));
    let ending = settlement::released(ledger.holds.find(id(7)).unwrap());
    let closed = Some((ending, Conduct::Blameless));
    ledger.execute(Step { closed, ..Step::default() }, Time(4)).unwrap();
    assert_eq!(refusal(&ledger), None);
}

#[test]
fn the_oldest_command_of_an_account_is_forgotten_first_and_open_holds_never() {
    let (account, other) = (1, 3);
    let gist = Gist { kind: Kind::Transfer, amount: Money(1), party: [0; 4] };
    let fingerprint = Fingerprint { digest: [0; 16], gist };
    let executed = || Executed { fingerprint, answer: Answer::Recorded(0) };
    let mut memory = Memory::default();
    for (number, account) in [(1, other), (2, account), (3, account), (4, account)] {
        memory.remember(id(number), executed(), account);
    }
    memory.age(id(1), Time(1));
    memory.age(id(3), Time(2));
    memory.age(id(4), Time(3));
    let last = 5 + u64::from(REMEMBERED_PER_ACCOUNT) - 2;
    for number in 5..last {
        memory.remember(id(number), executed(), account);
        memory.age(id(number), Time(number));
    }
    assert!(memory.find(id(3)).is_some(), "the bound is not passed yet");
    memory.remember(id(last), executed(), account);
    memory.age(id(last), Time(last));
    let known: Vec<u64> = (1..=5).filter(|number| memory.find(id(*number)).is_some()).collect();
    assert_eq!(known, [1, 2, 4, 5]);
    let order: Vec<CommandId> = memory.iter().map(|row| row.id).collect();
    assert_eq!((order.len(), &order[..3]), (memory.count(), [id(1), id(4), id(5)].as_slice()));
    assert_eq!(order.last(), Some(&id(2)), "what is not over comes last");
    memory.forget_aged(Time(4).after(IDEMPOTENCY_WINDOW));
    let known: Vec<u64> = (1..=5).filter(|number| memory.find(id(*number)).is_some()).collect();
    assert_eq!(known, [2, 5]);
}

#[test]
fn opening_an_account_twice_is_no_event() {
    let keys = KeyPair::from_secret([1; 32]);
    let mut ledger = Ledger::new(PublicKey([9; 32]));
    let order = Order::OpenAccount(Box::default());
    let command = crate::client::command(&keys, PublicKey([9; 32]), id(0), order);
    let happens =
        |ledger: &Ledger| matches!(decide(&counter(ledger), &command).unwrap(), Decision::Happens(_));
    assert!(happens(&ledger));
    ledger.execute(opening(keys.public()), Time(1)).unwrap();
    assert!(!happens(&ledger));
}

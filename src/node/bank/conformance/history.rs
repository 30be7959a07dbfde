//! Records to store: of every kind, without a ledger behind them; and those of a real bank.

use super::{below, keys};
use bank::{Bank, Config, Event, Input, Network, Output, Record, Replay, Totals, genesis};
use proto::message::bank::{
    AcceptHold, BankCommand, BankMessage, BankRequest, Ending, Freeze, Grant, How, OpenAccount, Order,
    Payment, PlaceHold, ReleaseHold, Shares, Transfer,
};
use proto::{CommandId, Hash, KeyPair, Money, Peer, PublicKey, Rules, Signed, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Accounts that random records move.
const ACCOUNTS: usize = 12;

/// A chain of `count` random records of the tests' bank. They fit together as a journal; as a ledger they do not.
pub(in crate::node::bank) fn history(seed: u64, count: usize) -> Vec<Record> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut head = genesis(keys().public());
    (0..count)
        .map(|number| {
            let number = u64::try_from(number).unwrap();
            let record = Record::seal(number, Time(10 * number + 1), event(&mut random), head);
            head = record.chain;
            record
        })
        .collect()
}

fn event(random: &mut ChaCha8Rng) -> Event {
    let hold = CommandId([u8::try_from(below(random, 30)).unwrap(); 16]);
    let (account, amount) = (person(below(random, ACCOUNTS)).public(), Money(random.next_u64() >> 8));
    let time = Time(random.next_u64());
    let mut signed = |order| Box::new(command(person(below(random, ACCOUNTS)), hold, order));
    match amount.0 % 10 {
        0 => {
            let command = signed(Order::OpenAccount(Box::default()));
            Event::AccountOpened { command, granted: amount, network: Network([1; 8]) }
        }
        1 => {
            let expires_in = Span(time.0);
            let order = PlaceHold { seller: account, ticket: Hash::of(&hold.0), amount, expires_in };
            Event::HoldPlaced { command: signed(Order::PlaceHold(order)), expires: time }
        }
        2 => Event::HoldAccepted { command: signed(Order::AcceptHold(AcceptHold { hold })), bond: amount },
        3 => Event::ArbiterNamed { hold, arbiter: account, until: time },
        4 => {
            let shares = Shares { buyer_held: amount, buyer: amount, ..Shares::default() };
            let (buyer, seller) = (account, signed(Order::AcceptHold(AcceptHold { hold })).signer);
            let (owner, arbiter) = (Some(keys().public()), None);
            let ending = Ending { hold, how: How::Expired, buyer, seller, owner, arbiter, shares };
            Event::HoldClosed { command: None, ending: Box::new(ending) }
        }
        5 => Event::Resumed { quiet_until: time },
        6 => {
            let grant = Grant { to: account, amount, reason: "a reason".into() };
            Event::Granted { command: signed(Order::Grant(grant)) }
        }
        7 => {
            let freeze = Freeze { account, is_frozen: amount.0.is_multiple_of(2), reason: String::new() };
            Event::Frozen { command: signed(Order::Freeze(freeze)) }
        }
        _ => {
            let count = 1 + usize::try_from(amount.0 % 7).unwrap();
            let to = (0..count).map(|at| Payment { to: person(at + 3).public(), amount });
            let transfer = Transfer { payments: to.collect(), memo: "rent".into() };
            Event::Transferred { command: signed(Order::Transfer(transfer)) }
        }
    }
}

fn person(number: usize) -> KeyPair {
    KeyPair::from_secret([u8::try_from(number % ACCOUNTS).unwrap() + 1; 32])
}

fn command(keys: KeyPair, id: CommandId, order: Order) -> Signed<BankCommand> {
    Signed::new(BankCommand { id, bank: super::keys().public(), order }, &keys)
}

/// A real bank and what its customers order.
pub(in crate::node::bank) struct Teller {
    bank: Bank,
}

impl Teller {
    /// A new bank, or one that is taken back from its journal.
    pub(in crate::node::bank) fn new(replay: Option<Replay>) -> Self {
        let config = Config { keys: keys(), rules: Rules::LOCAL };
        let bank = match replay {
            None => Bank::new(config, [0; 32], Time(1)),
            Some(replay) => Bank::resume(config, [0; 32], Time(1), replay).expect("a whole ledger"),
        };
        Self { bank }
    }

    /// The head of its journal, and what it comes to.
    pub(in crate::node::bank) fn state(&self) -> (Hash, Totals, Vec<proto::message::bank::Balance>) {
        (self.bank.head(), self.bank.totals(), self.bank.accounts().collect())
    }

    /// What the customers order in a round; the records that it comes to.
    pub(in crate::node::bank) fn round(&mut self, round: u64) -> Vec<Record> {
        let now = Time(1_000_000 * (round + 1));
        let mut records = Vec::new();
        for number in 0..ACCOUNTS {
            let buyer = person(number);
            let id = |kind: u8| {
                let mut id = [kind; 16];
                id[0] = u8::try_from(number).unwrap();
                id[1] = u8::try_from(round).unwrap();
                CommandId(id)
            };
            let seller = person(number + 1).public();
            let expires_in = if round.is_multiple_of(2) { bank::MIN_HOLD } else { bank::MAX_HOLD };
            let place =
                PlaceHold { seller, ticket: Hash::default(), amount: Money(1_000 + round), expires_in };
            let payments = vec![Payment { to: seller, amount: Money(7) }];
            let transfer = Transfer { payments, memo: format!("round {round}") };
            let orders = [
                (id(1), Order::OpenAccount(Box::<OpenAccount>::default())),
                (id(2), Order::PlaceHold(place)),
                (id(3), Order::Transfer(transfer)),
            ];
            for (id, order) in orders {
                self.order(&buyer, command(buyer.clone(), id, order), now);
            }
            let release = ReleaseHold { hold: id(2), declined: None, report: None };
            if number.is_multiple_of(3) {
                let seller = person(number + 1);
                let release = Order::ReleaseHold(Box::new(release));
                self.order(&seller, command(seller.clone(), id(4), release), now);
            }
            records.extend(self.records());
        }
        records
    }

    fn order(&mut self, who: &KeyPair, command: Signed<BankCommand>, now: Time) {
        let from = Peer::new("127.0.0.1:7".parse().unwrap(), 0, who.public());
        let message = BankMessage::Request(Box::new(BankRequest { command }));
        self.bank.handle(Input::Receive { from, message }, now);
    }

    fn records(&mut self) -> Vec<Record> {
        let outputs = std::iter::from_fn(|| self.bank.poll_output());
        let records = outputs.filter_map(|output| match output {
            Output::Append(record) => Some(record),
            Output::Halt(violation) => panic!("the bank stops: {violation}"),
            Output::Send { .. } | Output::Search(_) => None,
        });
        records.collect()
    }
}

#[test]
fn random_records_are_of_every_kind_a_store_can_tell_apart() {
    let all = history(1, 240);
    let kinds: std::collections::BTreeSet<String> = all
        .iter()
        .map(|record| format!("{:?}", record.event).split([' ', '{']).next().unwrap().to_owned())
        .collect();
    let expected = [
        "AccountOpened",
        "ArbiterNamed",
        "Frozen",
        "Granted",
        "HoldAccepted",
        "HoldClosed",
        "HoldPlaced",
        "Resumed",
        "Transferred",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    let people: std::collections::BTreeSet<PublicKey> = (0..ACCOUNTS).map(|at| person(at).public()).collect();
    assert_eq!(people.len(), ACCOUNTS);
}

//! A bank with a driver that keeps the journal and checks the ledger after every input.

use bank::{Bank, Config, Input, Output, Record};
use proto::admission::Admission;
use proto::message::bank::{
    BankCommand, BankMessage, BankOutcome, BankReply, BankRequest, Freeze, Grant, Order, Payment, PlaceHold,
    Transfer,
};
use proto::{
    CommandId, Hash, KeyPair, Money, Peer, PublicKey, Refusal, RefusalCode, Rules, Signed, Span, Time,
};

/// The number of the bank's key.
pub(crate) const BANK: u8 = 100;

pub(crate) const RULES: Rules =
    Rules { initial_grant: Money(43_500_000), admission: Admission::OPEN, ..Rules::PUBLIC };

pub(crate) struct World {
    pub(crate) bank: Bank,
    pub(crate) now: Time,
    pub(crate) journal: Vec<Record>,
    pub(crate) sent: Vec<(Peer, BankMessage)>,
}

/// The key pair of person `n`.
pub(crate) fn keys(n: u8) -> KeyPair {
    KeyPair::from_secret([n; 32])
}

/// The public key of person `n`.
pub(crate) fn key(n: u8) -> PublicKey {
    keys(n).public()
}

/// The node of person `n`.
pub(crate) fn peer(n: u8) -> Peer {
    Peer::new(([10, 0, 0, n], 7_000).into(), 0, key(n))
}

pub(crate) fn id(n: u32) -> CommandId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    CommandId(bytes)
}

pub(crate) fn config() -> Config {
    Config { keys: keys(BANK), rules: RULES }
}

pub(crate) fn signed(who: u8, number: u32, order: Order) -> Signed<BankCommand> {
    bank::client::command(&keys(who), key(BANK), id(number), order)
}

pub(crate) fn open() -> Order {
    Order::OpenAccount(Box::default())
}

pub(crate) fn hold(seller: u8, ticket: Hash, amount: u64, secs: u64) -> Order {
    let (amount, expires_in) = (Money(amount), Span::secs(secs));
    Order::PlaceHold(PlaceHold { seller: key(seller), ticket, amount, expires_in })
}

pub(crate) fn pay(payments: &[(u8, u64)], memo: &str) -> Order {
    let payment = |&(to, amount): &(u8, u64)| Payment { to: key(to), amount: Money(amount) };
    Order::Transfer(Transfer { payments: payments.iter().map(payment).collect(), memo: memo.into() })
}

pub(crate) fn grant(to: u8, amount: u64) -> Order {
    Order::Grant(Grant { to: key(to), amount: Money(amount), reason: "for the test".into() })
}

pub(crate) fn freeze(account: u8, is_frozen: bool) -> Order {
    Order::Freeze(Freeze { account: key(account), is_frozen, reason: "for the test".into() })
}

pub(crate) fn refusal(code: RefusalCode, message: &str) -> (RefusalCode, String) {
    (code, message.to_owned())
}

/// The code and the sentence of a refused outcome.
pub(crate) fn refused(outcome: BankOutcome) -> (RefusalCode, String) {
    match outcome {
        BankOutcome::Refused(Refusal { code, message, is_retryable, .. }) => {
            assert_eq!(is_retryable, code.is_retryable());
            (code, message)
        }
        other => panic!("not refused: {other:?}"),
    }
}

impl World {
    /// An empty bank at second 1,000.
    pub(crate) fn new() -> Self {
        Self::under(RULES)
    }

    /// The same, of a network with these rules.
    pub(crate) fn under(rules: Rules) -> Self {
        let (now, config) = (Time(1_000_000_000), Config { rules, ..config() });
        Self { bank: Bank::new(config, [7; 32], now), now, journal: Vec::new(), sent: Vec::new() }
    }

    /// A bank where the people of these numbers have opened accounts, with ids from 9,000 on.
    pub(crate) fn with_accounts(people: &[u8]) -> Self {
        let mut world = Self::new();
        for (number, who) in (9_000..).zip(people) {
            world.order(*who, number, open());
        }
        world
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.bank.handle(input, self.now);
        while let Some(output) = self.bank.poll_output() {
            match output {
                Output::Append(record) => self.journal.push(record),
                Output::Send { to, message } => self.sent.push((to, message)),
                Output::Search(search) => panic!("{search:?}"),
                Output::Halt(violation) => panic!("halted: {violation}"),
            }
        }
        assert_eq!(self.bank.check_all(), Ok(()));
    }

    /// The one answer to a message.
    pub(crate) fn ask(&mut self, from: Peer, message: BankMessage) -> BankMessage {
        self.sent.clear();
        self.input(Input::Receive { from, message });
        let [(to, answer)] = self.sent.as_slice() else { panic!("not one answer: {:?}", self.sent) };
        assert_eq!(*to, from);
        answer.clone()
    }

    /// Sends a command as person `from`, and gives its outcome.
    pub(crate) fn command(&mut self, from: u8, command: Signed<BankCommand>) -> BankOutcome {
        let number = command.body.id;
        match self.ask(peer(from), BankMessage::Request(Box::new(BankRequest { command }))) {
            BankMessage::Reply(reply) => {
                let BankReply { command, outcome } = *reply;
                assert_eq!(command, number);
                outcome
            }
            other => panic!("not a reply: {other:?}"),
        }
    }

    /// Signs and sends an order of person `who`.
    pub(crate) fn order(&mut self, who: u8, number: u32, order: Order) -> BankOutcome {
        self.command(who, signed(who, number, order))
    }

    /// Places a hold that has to stand.
    pub(crate) fn held(&mut self, buyer: u8, number: u32, order: Order) {
        let outcome = self.order(buyer, number, order);
        assert!(matches!(outcome, BankOutcome::Held(_)), "{outcome:?}");
    }

    /// Lets time pass as a driver does: it wakes the bank at each moment that it asks for, and at the end.
    pub(crate) fn wait(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(time) = self.bank.poll_timeout().filter(|time| *time <= end) {
            self.now = self.now.max(time);
            self.input(Input::Timeout);
        }
        self.now = end;
        self.input(Input::Timeout);
    }

    /// What person `n` has: available and held, in micro-credits.
    pub(crate) fn money(&self, n: u8) -> Option<(u64, u64)> {
        self.bank.balance(key(n)).map(|balance| (balance.available.0, balance.held.0))
    }
}

//! A party: a node with its account, which may buy, sell, own a market, and be drawn as an arbiter.

use super::arbiter::Bench;
use super::case::Arbiter;
use super::deal::Facts;
use super::desk::Desk;
use super::papers;
use proto::message::bank::{Appointed, BalanceQuery, BankMessage, BankRequest, Enter, Order, PlaceHold};
use proto::{CommandId, ContractId, Hash, KeyPair, Money, Peer, PublicKey, RequestId, Span, Time};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// How often a party acts.
pub(super) const TICK: Span = Span::secs(1);
/// How often it shows the bank that it is there.
const ENTERS_EVERY: Span = Span::secs(10);

/// A party.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) number: usize,
    pub(super) keys: KeyPair,
    pub(super) peer: Peer,
    pub(super) desk: Desk,
    /// What it does when it is drawn.
    pub(super) bench: Bench,
    /// Contracts of which the bank says that they have ended.
    pub(super) ended: BTreeSet<ContractId>,
    /// Contracts of which the bank says that they are claimed.
    pub(super) claimed: BTreeSet<ContractId>,
    bank: PublicKey,
    enters_at: Time,
}

impl Party {
    /// Party `number`, each at an address of its own.
    pub(super) fn new(number: usize, secret: [u8; 32], bank: PublicKey, arbiter: Arbiter) -> Self {
        let keys = KeyPair::from_secret(secret);
        let [.., high, low] = number.to_be_bytes();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, high, low)), 7_000);
        let peer = Peer::new(address, 0, keys.public());
        Self {
            number,
            keys,
            peer,
            desk: Desk::default(),
            bench: Bench::new(arbiter),
            ended: BTreeSet::new(),
            claimed: BTreeSet::new(),
            bank,
            enters_at: Time(0),
        }
    }

    /// Orders something of the bank.
    pub(super) fn order(&mut self, id: CommandId, order: Order) {
        self.desk.order(&self.keys, self.bank, id, order);
    }

    /// Opens its account.
    pub(super) fn open(&mut self) {
        self.order(self.own_id("open"), Order::OpenAccount(Box::default()));
    }

    /// Sets all its money aside for `friend`, where no one else can take it.
    pub(super) fn hide(&mut self, friend: PublicKey, amount: Money) {
        let (ticket, expires_in) = (Hash::default(), Span::secs(240));
        let order = PlaceHold { seller: friend, ticket, amount, expires_in };
        self.order(self.own_id("hide"), Order::PlaceHold(order));
    }

    /// An id for an order that it gives once.
    pub(super) fn own_id(&self, words: &str) -> CommandId {
        papers::id(words, &self.keys.public().0)
    }

    /// Whether the contract has ended, as far as it knows.
    pub(super) fn knows_end(&self, facts: &Facts) -> bool {
        self.ended.contains(&facts.id)
    }

    /// What it has to tell the bank now.
    pub(super) fn letters(&mut self, now: Time) -> Vec<BankMessage> {
        let mut letters = Vec::new();
        if now >= self.enters_at {
            self.enters_at = now.after(ENTERS_EVERY);
            let request = RequestId(u64::try_from(self.number).unwrap_or(0));
            let enter = Enter { request, listen: self.peer.addr, slot: Some(0), is_member: true };
            letters.push(BankMessage::Enter(enter));
        }
        letters.push(BankMessage::BalanceQuery(BalanceQuery { request: RequestId(now.0) }));
        let request =
            |command: &_| BankMessage::Request(Box::new(BankRequest { command: Clone::clone(command) }));
        letters.extend(self.desk.waiting().map(request));
        letters
    }

    /// The bank says something.
    pub(super) fn hear(&mut self, message: BankMessage, now: Time) {
        match message {
            BankMessage::Reply(reply) => self.desk.hear(*reply),
            BankMessage::Claimed(receipt) if receipt.is_taken => {
                self.claimed.insert(receipt.hold);
            }
            BankMessage::Ended(ended) => {
                self.ended.insert(ended.ending.hold);
            }
            BankMessage::Appointed(appointed) => self.appointed(&appointed, now),
            _ => {}
        }
    }

    fn appointed(&mut self, appointed: &Appointed, now: Time) {
        let paper = &appointed.appointment;
        let fits = paper.is_genuine_by(self.bank)
            && paper.body.arbiter == self.keys.public()
            && paper.body.offer == appointed.offer.hash();
        if fits {
            self.bench.appointed(paper.body, appointed.offer.body.clone(), now);
        }
    }
}

//! A bank as a process, and its customers: each with its own key, its own connection and its own signatures.

use super::Figure;
use crate::control::Failure;
use crate::net::store::Store;
use crate::net::{Event, Net};
use proto::message::Message;
use proto::message::bank::{
    BankMessage, BankOutcome, BankRequest, Order, Payment, PlaceHold, Settle, Transfer,
};
use proto::message::market::{Listing, Platform, Requirement, Ticket};
use proto::message::service::{Outcome, Report, Verdict};
use proto::{
    Bundle, Bytes, Capacity, CommandId, Commodity, Cycles, Hash, KeyPair, Market, Money, Peer, PublicKey,
    Rate, Rules, Signed, Span, Time,
};
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What a unit of work costs by the bench's tickets, in micro-credits a Gc.
const RATE: u64 = 1_000;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What customers order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Transfers of so many payments, to the others in turns, or all to the first.
    Pay { payments: usize, is_hot: bool },
    /// Holds, each settled by the next order.
    Settle,
}

/// A bank that serves.
pub(super) struct Served {
    child: Child,
    home: TempDir,
    bank: Peer,
}

impl Served {
    /// Starts this program as a bank, and waits until it is ready.
    pub(super) fn start(store: Option<&str>) -> Result<Self, Failure> {
        let home = tempfile::tempdir().map_err(Failure::from_display("disk"))?;
        let program = std::env::current_exe().map_err(Failure::from_display("bench"))?;
        let mut command = Command::new(program);
        command.args([
            "bank",
            "serve",
            "--local-rules",
            "--tied",
            "--listen",
            "127.0.0.1:0",
            "--orders-per-second",
            "0",
        ]);
        command.args(store.into_iter().flat_map(|store| ["--store", store]));
        command.env("COMPUP2P_HOME", home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::from_display("bench"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(Failure::from_display("bench"))?;
        }
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let member = |name: &str| said.get("ready")?.get(name)?.as_str().map(str::to_owned);
        let address = member("address").and_then(|address| address.parse().ok());
        let key = member("key").and_then(|key| PublicKey::from_hex(&key));
        let (Some(address), Some(key)) = (address, key) else {
            return Err(Failure::new("bench", format!("the bank is not ready: {line}"), 1));
        };
        Ok(Self { child, home, bank: Peer::new(address, 0, key) })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _has_ended = (self.child.kill().is_ok(), self.child.wait().is_ok());
    }
}

/// The customers of a bank.
pub(super) struct Customers {
    all: Vec<Customer>,
    _directory: TempDir,
}

/// One of them.
struct Customer {
    net: Net,
    events: mpsc::Receiver<Event>,
    bank: Peer,
    keys: KeyPair,
    /// Whom it pays, in turns.
    others: Vec<PublicKey>,
    /// Who is paid when one account is hot.
    hottest: PublicKey,
    ticket: Signed<Ticket>,
    seller: KeyPair,
    /// The number of the next order.
    next: u64,
}

impl Customers {
    /// Opens their accounts.
    pub(super) async fn open(served: &Served, count: usize) -> Result<Self, Failure> {
        let directory = tempfile::tempdir().map_err(Failure::from_display("disk"))?;
        let keys: Vec<KeyPair> = (1..=count)
            .map(|number| KeyPair::from_secret([u8::try_from(number % 250).unwrap_or(0); 32]))
            .collect();
        let mut all = Vec::new();
        for (number, own) in keys.iter().enumerate() {
            let store = Store::open(&directory.path().join(number.to_string()), Bytes::mib(1));
            let store = Arc::new(store.map_err(Failure::from_display("store"))?);
            let (inbox, events) = mpsc::channel(4_096);
            let listen = ([127, 0, 0, 1], 0).into();
            let net = Net::start(listen, own.clone(), store, inbox).await;
            let net = net.map_err(Failure::from_display("listen"))?;
            let others: Vec<PublicKey> =
                keys.iter().map(KeyPair::public).filter(|key| *key != own.public()).collect();
            let seller = keys.get((number + 1) % count).unwrap_or(own).clone();
            let ticket = ticket(own, &seller, served.bank);
            let hottest = keys.iter().map(KeyPair::public).find(|key| number > 0 || *key != own.public());
            let hottest = hottest.unwrap_or(own.public());
            let customer = Customer {
                net,
                events,
                bank: served.bank,
                keys: own.clone(),
                others,
                hottest,
                ticket,
                seller,
                next: 0,
            };
            all.push(customer);
        }
        let mut customers = Self { all, _directory: directory };
        for customer in &mut customers.all {
            let sent = customer.order(Order::OpenAccount(Box::default()));
            customer.answer(sent).await?;
        }
        Ok(customers)
    }

    /// All of them work for `span`, each with so many orders under way.
    pub(super) async fn work(
        &mut self,
        work: Work,
        in_flight: usize,
        span: Duration,
    ) -> Result<Figure, Failure> {
        let (mut working, began) = (JoinSet::new(), Instant::now());
        for customer in self.all.drain(..) {
            working.spawn(customer.work(work, in_flight, began + span));
        }
        let (mut latencies, mut movements) = (Vec::new(), 0);
        while let Some(worked) = working.join_next().await {
            let (customer, its) = worked.map_err(Failure::from_display("bench"))??;
            let orders = u64::try_from(its.len()).unwrap_or(u64::MAX);
            movements += match work {
                Work::Pay { payments, .. } => orders * u64::try_from(payments).unwrap_or(u64::MAX),
                Work::Settle => orders / 2,
            };
            latencies.extend(its);
            self.all.push(customer);
        }
        Ok(Figure::of(movements, began.elapsed(), latencies))
    }
}

impl Customer {
    async fn work(
        mut self,
        work: Work,
        in_flight: usize,
        until: Instant,
    ) -> Result<(Self, Vec<u32>), Failure> {
        let (mut waiting, mut latencies) = (VecDeque::new(), Vec::new());
        loop {
            while waiting.len() < in_flight && Instant::now() < until {
                let began = Instant::now();
                let orders = self.orders(work);
                for order in orders {
                    waiting.push_back((self.order(order), began));
                }
            }
            let Some((id, began)) = waiting.pop_front() else { return Ok((self, latencies)) };
            self.answer(id).await?;
            latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// The next thing to do: one order, or a hold and its settlement.
    fn orders(&self, work: Work) -> Vec<Order> {
        let pay = |to| Payment { to, amount: Money(1) };
        match work {
            Work::Pay { payments, is_hot } => {
                let from = usize::try_from(self.next).unwrap_or(0) % self.others.len().max(1);
                let turns = self.others.iter().cycle().skip(from).take(payments);
                let payments = turns.map(|to| pay(if is_hot { self.hottest } else { *to })).collect();
                vec![Order::Transfer(Transfer { payments, memo: String::new() })]
            }
            Work::Settle => {
                let amount = Money(RATE + Rules::LOCAL.owner_fee.0);
                let (seller, ticket) = (self.seller.public(), self.ticket.hash());
                let hold = PlaceHold { seller, ticket, amount, expires_in: Span::secs(600) };
                vec![Order::PlaceHold(hold), Order::Settle(Box::new(self.papers(self.id(self.next))))]
            }
        }
    }

    fn papers(&self, hold: CommandId) -> Settle {
        let outcome = Outcome::Succeeded;
        let (offer, cycles, outputs) = (Hash::of(b"offer"), Cycles::giga(1), Vec::new());
        let report = Report {
            contract: hold,
            offer,
            outcome,
            cycles,
            outputs,
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        let report = Signed::new(report, &self.seller);
        let (report_hash, reason) = (report.hash(), String::new());
        let verdict = Verdict { contract: hold, report: report_hash, is_accepted: true, reason };
        Settle { hold, ticket: self.ticket.clone(), report, verdict: Signed::new(verdict, &self.keys) }
    }

    fn id(&self, number: u64) -> CommandId {
        let mut id = [0; 16];
        let (high, low) = id.split_at_mut(8);
        high.copy_from_slice(&number.to_be_bytes());
        low.copy_from_slice(self.keys.public().0.get(..8).unwrap_or(&[0; 8]));
        CommandId(id)
    }

    fn order(&mut self, order: Order) -> CommandId {
        let id = self.id(self.next);
        self.next += 1;
        let command = bank::client::command(&self.keys, self.bank.key, id, order);
        self.net.send(self.bank, Message::Bank(BankMessage::Request(Box::new(BankRequest { command }))));
        id
    }

    async fn answer(&mut self, id: CommandId) -> Result<(), Failure> {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
            match event.map_err(Failure::from_display("bench"))? {
                Some(Event::Received { message: Message::Bank(BankMessage::Reply(reply)), .. }) => {
                    return match reply.outcome {
                        BankOutcome::Refused(refusal) => Err(Failure::refused(&refusal)),
                        _ if reply.command == id => Ok(()),
                        _ => Err(Failure::new("bench", "an answer is out of its order", 1)),
                    };
                }
                Some(Event::Unreachable { .. }) | None => {
                    return Err(Failure::new("bench", "the bank has ended the connection", 1));
                }
                Some(_) => {}
            }
        }
    }
}

/// A ticket of a market owner.
fn ticket(buyer: &KeyPair, seller: &KeyPair, bank: Peer) -> Signed<Ticket> {
    let owner = KeyPair::from_secret([251; 32]);
    let listing = |keys: &KeyPair| {
        let whole = Bundle { cores: 1, memory: Bytes::gib(1), disk: Bytes::gib(1) };
        let listing = Listing {
            seller: Peer::new(bank.addr, 0, keys.public()),
            version: 1,
            market: Market { commodity: Commodity::Compute, class: 40 },
            cores: 1,
            per_core: Capacity(1_024),
            ask: Rate(RATE),
            memory: Bytes::gib(1),
            disk: Bytes::gib(1),
            platform: Platform::default(),
            longest: Span::secs(60),
            standing: None,
            whole,
            expires: Time(0),
        };
        Signed::new(listing, keys)
    };
    let id = CommandId([77; 16]);
    let ticket = Ticket {
        id,
        buyer: buyer.public(),
        owner: Peer::new(bank.addr, 0, owner.public()),
        requirement: Requirement::default(),
        rule: Rules::LOCAL.rule,
        bid: Rate(RATE),
        clearing: Rate(RATE),
        fee: Rules::LOCAL.owner_fee,
        owner_rate: Rate(0),
        asks_seen: 2,
        winner: listing(seller),
        runner_up: Some(listing(&KeyPair::from_secret([252; 32]))),
        draw: id,
        expires: Time(0),
    };
    Signed::new(ticket, &owner)
}

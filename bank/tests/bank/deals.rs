//! Contracts from the hold to their end: bond, claim, dispute, judgement, and every silence.

mod audit;
mod ends;
mod lies;
mod notices;
mod outage;
mod random;
mod table;

use crate::papers::{Deal, declined, release};
use crate::world::{BANK, RULES, World, hold, id, key, keys, open, peer, signed};
use bank::{Input, Next, Record, State};
use proto::message::bank::{
    AcceptHold, BankMessage, BankOutcome, BankRequest, Claim, Departed, Dispute, Ending, Enter, Finding,
    HoldReceipt, Judge, Order,
};
use proto::message::service::{Blob, Job, Limits, Offer, Outcome, Report, Runtime, Taken, Verdict};
use proto::{Bytes, Cycles, Hash, Money, Peer, RequestId, Rules, Signed, Span, Time};

/// What everybody has at the beginning.
const GRANT: u64 = 43_500_000;
/// The contract.
const HOLD: u32 = 4;
/// What is set aside for it.
const AMOUNT: u64 = 5_000_000;
/// How long, in seconds.
const SECS: u64 = 60;
/// How long a buyer has to object, and an arbiter to answer, in seconds.
const DISPUTE: u64 = 600;
/// The market owner of the ticket.
const OWNER: u8 = 3;

/// A bank with the buyer 1, the seller 2, and 5 to 8 who have nothing to do with their contract.
struct Court {
    world: World,
    deal: Deal,
    /// The number of the next order.
    number: u32,
}

/// What somebody does about the contract, with the right papers.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    /// The seller puts its bond up.
    Accept,
    /// The seller claims, without the buyer's word.
    Deliver,
    /// The seller claims with the buyer's word.
    Claim,
    /// This one of the two settles.
    Settle(u8),
    /// This one of the two gives the money back.
    Release(u8),
    /// The buyer objects.
    Dispute,
    /// This one finds the same.
    Confirm(u8),
    /// This one finds something else.
    Refute(u8),
    /// This one could not fetch the work.
    Unfetched(u8),
    /// This node enters.
    Enter(u8),
    /// This node leaves.
    Leave(u8),
    /// So many seconds pass, and the bank is woken whenever it asked for it.
    Wait(u64),
}

impl Court {
    /// A contract in a network with such bonds.
    fn new(bond_percent: u16) -> Self {
        Self::over(bond_percent, Deal::default())
    }

    /// A contract on what `deal` says.
    fn over(bond_percent: u16, deal: Deal) -> Self {
        let rules = Rules { bond_percent, dispute: Span::secs(DISPUTE), ..RULES };
        let mut world = World::under(rules);
        for who in [1, 2, 5, 6, 7, 8] {
            world.order(who, 9_000 + u32::from(who), open());
        }
        world.held(1, HOLD, hold(2, deal.ticket().hash(), AMOUNT, SECS));
        Self { world, deal, number: 100 }
    }

    /// Sends an order about the contract, and gives the outcome. What else is sent stands in `world.sent`.
    fn order(&mut self, who: u8, order: Order) -> BankOutcome {
        self.number += 1;
        self.world.sent.clear();
        let command = signed(who, self.number, order);
        let message = BankMessage::Request(Box::new(BankRequest { command }));
        self.world.input(Input::Receive { from: peer(who), message });
        let outcomes = self.world.sent.iter().filter_map(|(_, message)| match message {
            BankMessage::Reply(reply) => Some(reply.outcome.clone()),
            _ => None,
        });
        let outcomes: Vec<BankOutcome> = outcomes.collect();
        let [outcome] = outcomes.as_slice() else { panic!("not one reply: {outcomes:?}") };
        outcome.clone()
    }

    fn enter(&mut self, who: u8, at: Peer) {
        let (listen, is_member) = (at.addr, true);
        let enter = Enter { request: RequestId(u64::from(who)), listen, slot: None, is_member };
        self.world.sent.clear();
        self.world.input(Input::Receive { from: at, message: BankMessage::Enter(enter) });
    }

    /// Does it, and gives the outcome of an order.
    fn act(&mut self, act: &Act) -> Option<BankOutcome> {
        let who = match *act {
            Act::Accept | Act::Deliver | Act::Claim => 2,
            Act::Dispute => 1,
            Act::Settle(who)
            | Act::Release(who)
            | Act::Confirm(who)
            | Act::Refute(who)
            | Act::Unfetched(who) => who,
            Act::Enter(who) => {
                self.enter(who, peer(who));
                return None;
            }
            Act::Leave(who) => {
                let message = BankMessage::Departed(Departed {});
                self.world.input(Input::Receive { from: peer(who), message });
                return None;
            }
            Act::Wait(secs) => {
                self.world.wait(Span::secs(secs));
                return None;
            }
        };
        let order = order_of(self, act);
        Some(self.order(who, order))
    }

    /// Does all of it; every order has to be carried out.
    fn acts(&mut self, acts: &[Act]) {
        for act in acts {
            let outcome = self.act(act);
            assert!(!matches!(outcome, Some(BankOutcome::Refused(_))), "{act:?}: {outcome:?}");
        }
    }

    /// How the contract ended.
    fn ending(&self) -> Option<Ending> {
        endings(&self.world.journal).into_iter().find(|ending| ending.hold == id(HOLD))
    }

    /// What all have, available and held: buyer, seller, owner, the bank's own account.
    fn money(&self) -> [(u64, u64); 4] {
        [1, 2, OWNER, BANK].map(|who| self.world.money(who).unwrap_or_default())
    }
}

/// All ends in a journal.
fn endings(journal: &[Record]) -> Vec<Ending> {
    let ending = |record: &Record| match &record.event {
        bank::Event::HoldClosed { ending, .. } => Some(**ending),
        _ => None,
    };
    journal.iter().filter_map(ending).collect()
}

/// What a record makes of the contract.
fn next(record: &Record) -> Option<Next> {
    Some(match &record.event {
        bank::Event::HoldAccepted { .. } => Next::State(State::Accepted),
        bank::Event::HoldClaimed { command, .. } => match &command.body.order {
            Order::Claim(claim) if claim.taken.is_some() => Next::State(State::Claimed),
            _ => Next::State(State::Delivered),
        },
        bank::Event::HoldDisputed { .. } => Next::State(State::Disputed),
        bank::Event::ArbiterNamed { .. } => Next::State(State::Appointed),
        bank::Event::HoldClosed { ending, .. } => Next::End(ending.how),
        _ => return None,
    })
}

/// The work.
fn offer(deal: &Deal) -> Signed<Offer> {
    let blob = |text: &[u8]| Blob { hash: Hash::of(text), size: Bytes(9) };
    let job = Job {
        program: blob(b"program"),
        arguments: Vec::new(),
        environment: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        stdin: None,
        limits: Limits {
            wall: Span::secs(30),
            memory: Bytes::mib(1),
            disk: Bytes::mib(1),
            output: Bytes::mib(1),
            cycles: Cycles::giga(9),
            processes: 1,
            cores: 1,
        },
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: None,
        repeats: Vec::new(),
    };
    let receipt = HoldReceipt {
        hold: id(HOLD),
        bank: key(BANK),
        buyer: key(deal.buyer),
        seller: key(deal.seller),
        ticket: deal.ticket().hash(),
        amount: Money(AMOUNT),
        expires: Time(0),
    };
    let body = Offer {
        contract: id(HOLD),
        task: id(70),
        sub_task: 0,
        attempt: 1,
        buyer: peer(deal.buyer),
        seller: key(deal.seller),
        job,
        hold: Signed::new(receipt, &keys(BANK)),
        ticket: deal.ticket(),
    };
    Signed::new(body, &keys(deal.buyer))
}

/// What the seller reports of the work.
fn report(deal: &Deal) -> Signed<Report> {
    let body = Report { offer: offer(deal).hash(), ..deal.report(HOLD).body };
    Signed::new(body, &keys(deal.seller))
}

/// The buyer's word that it takes the outputs of `report`.
fn taken(deal: &Deal, report: &Signed<Report>) -> Signed<Taken> {
    Signed::new(Taken { contract: id(HOLD), report: report.hash() }, &keys(deal.buyer))
}

fn claim_papers(deal: &Deal, is_taken: bool) -> Claim {
    let report = report(deal);
    let taken = is_taken.then(|| taken(deal, &report));
    Claim { hold: id(HOLD), ticket: deal.ticket(), report, taken }
}

fn claim(deal: &Deal, is_taken: bool) -> Order {
    Order::Claim(Box::new(claim_papers(deal, is_taken)))
}

fn settle(deal: &Deal) -> Order {
    let report = report(deal);
    let verdict =
        Verdict { contract: id(HOLD), report: report.hash(), is_accepted: true, reason: String::new() };
    let verdict = Signed::new(verdict, &keys(deal.buyer));
    Order::Settle(Box::new(proto::message::bank::Settle {
        hold: id(HOLD),
        ticket: deal.ticket(),
        report,
        verdict,
    }))
}

fn dispute(deal: &Deal) -> Order {
    let reason = "the sum is wrong".to_owned();
    Order::Dispute(Box::new(Dispute { hold: id(HOLD), offer: offer(deal), reason }))
}

/// A finding that comes to the same as the report.
fn same(deal: &Deal) -> Finding {
    let report = report(deal);
    let hash = report.hash();
    let Report { contract, outcome, cycles, outputs, stdout, stderr, more, .. } = report.body;
    Finding { contract, report: hash, outcome, cycles, outputs, stdout, stderr, more }
}

/// A finding that comes to one cycle more.
fn other(deal: &Deal) -> Finding {
    let same = same(deal);
    Finding { cycles: Cycles(same.cycles.0 + 1), ..same }
}

fn unfetched(deal: &Deal) -> Finding {
    Finding { outcome: Outcome::NotFetched("the program".into()), cycles: Cycles(0), ..same(deal) }
}

fn judge(who: u8, finding: Finding) -> Order {
    Order::Judge(Box::new(Judge { hold: id(HOLD), finding: Signed::new(finding, &keys(who)) }))
}

/// The order of an act.
fn order_of(court: &Court, act: &Act) -> Order {
    let deal = &court.deal;
    match *act {
        Act::Accept => Order::AcceptHold(AcceptHold { hold: id(HOLD) }),
        Act::Deliver => claim(deal, false),
        Act::Claim => claim(deal, true),
        Act::Settle(_) => settle(deal),
        Act::Release(_) => release(HOLD, Some(declined(2, HOLD)), None),
        Act::Dispute => dispute(deal),
        Act::Confirm(who) => judge(who, same(deal)),
        Act::Refute(who) => judge(who, other(deal)),
        Act::Unfetched(who) => judge(who, unfetched(deal)),
        Act::Enter(_) | Act::Leave(_) | Act::Wait(_) => panic!("{act:?} is no order"),
    }
}

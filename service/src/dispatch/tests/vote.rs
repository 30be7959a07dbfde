//! A sub-task with replicas as its sellers (1, 4, 5, …), its bank and its user see it.

mod counted;
mod looked_at;
mod probes;
mod restored;
mod spread;
mod stragglers;
mod trusted;

use super::*;
use crate::event::{End, Vote};
use crate::journal::Note;
use crate::plan::ProbePlan;
use crate::task::{Comparison, Redundancy};
use proto::message::bank::{HoldReceipt, SettledReceipt};
use proto::message::market::Requirement;
use proto::message::market::Ticket;
use proto::message::service::Report;
use proto::{Bytes, Capacity};
use std::collections::{BTreeMap, VecDeque};

/// A buyer with one sub-task for 3 credits that leaves `out`, and what it did since it was asked last.
struct Poll {
    dispatch: Dispatch,
    submission: Submission,
    /// What was written down, in order.
    written: Vec<Note>,
    now: Time,
    /// The tickets that were asked for last.
    asked: Vec<CommandId>,
    /// Orders to the bank that wait for an answer, with the contracts that are to be paid.
    holds: VecDeque<CommandId>,
    settlements: VecDeque<CommandId>,
    offers: BTreeMap<u8, Signed<Offer>>,
    comparisons: Vec<u64>,
    tests: Vec<ContractId>,
    ends: Vec<End>,
    did: Vec<String>,
}

/// Three replicas of which two have to agree, byte by byte.
fn two_of_three() -> Redundancy {
    Redundancy { replicas: 3, quorum: 2, max_replicas: 3, ..Redundancy::default() }
}

fn numbers(redundancy: Redundancy) -> Redundancy {
    let compare = Comparison::Numeric { abs: Default::default(), rel: Default::default() };
    Redundancy { compare, ..redundancy }
}

/// The content that seller results are made of.
fn content(letter: u8) -> Blob {
    Blob { hash: Hash([letter; 32]), size: Bytes(3) }
}

impl Poll {
    fn new(redundancy: Redundancy) -> Self {
        Self::with(redundancy, BTreeMap::new())
    }

    fn with(redundancy: Redundancy, aids: BTreeMap<String, Blob>) -> Self {
        Self::asking(redundancy, aids, Vec::new())
    }

    /// With questions whose answers are known.
    fn asking(redundancy: Redundancy, aids: BTreeMap<String, Blob>, probes: Vec<ProbePlan>) -> Self {
        Self::of(SubTaskPlan { redundancy, aids, probes, ..Self::plan() })
    }

    fn plan() -> SubTaskPlan {
        let mut job = job(30);
        job.outputs = vec!["out".into()];
        job.limits.cycles = Cycles(u64::MAX);
        SubTaskPlan {
            bid: Rate(100_000),
            price: Money::credits(3),
            work: Some(Cycles(10_000_000_000)),
            requirement: Requirement { power: Capacity(1_000), ..Requirement::default() },
            retries: 1,
            ..SubTaskPlan::bare("a".into(), job)
        }
    }

    fn of(plan: SubTaskPlan) -> Self {
        let rng = ChaCha8Rng::from_seed([1; 32]);
        let dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
        let patience = Patience::For(Span::secs(60));
        let submission =
            Submission { task: TASK, plans: vec![plan], patience, budget: None, stop_when: None };
        let mut poll = Self {
            dispatch,
            submission: submission.clone(),
            written: Vec::new(),
            now: Time(0),
            asked: Vec::new(),
            holds: VecDeque::new(),
            settlements: VecDeque::new(),
            offers: BTreeMap::new(),
            comparisons: Vec::new(),
            tests: Vec::new(),
            ends: Vec::new(),
            did: Vec::new(),
        };
        poll.dispatch.submit(submission, poll.now);
        poll.look();
        poll
    }

    /// With replicas at work at these sellers.
    fn at(redundancy: Redundancy, sellers: &[u8]) -> Self {
        Self::new(redundancy).hiring(sellers)
    }

    fn hiring(mut self, sellers: &[u8]) -> Self {
        sellers.iter().for_each(|seller| self.hire(*seller));
        self.did.clear();
        self
    }

    /// The market finds this seller, the bank sets the money aside, and the seller accepts.
    fn hire(&mut self, n: u8) {
        self.find(n);
        let id = self.holds.pop_front().unwrap();
        let found = found(id, n);
        let receipt = HoldReceipt { seller: peer(n).key, ..hold(&found, self.share()).body };
        self.bank(id, BankOutcome::Held(Signed::new(receipt, &keys(9))));
        let offer = self.offers.get(&n).unwrap();
        let accepted = Acceptance { contract: id, offer: offer.hash(), bond: None };
        self.hear(n, ServiceMessage::Accept(Box::new(Signed::new(accepted, &keys(n)))));
    }

    fn share(&self) -> Money {
        let plan = &self.dispatch.tasks[&TASK].run_ref(0).unwrap().plan;
        plan.share()
    }

    fn find(&mut self, n: u8) {
        let id = self.asked.remove(0);
        self.dispatch.bought(found(id, n), self.now);
        self.look();
    }

    fn nobody(&mut self) {
        let asked = std::mem::take(&mut self.asked);
        self.dispatch.not_bought(&asked, &market::Shortage::default(), self.now);
        self.look();
    }

    fn bank(&mut self, command: CommandId, outcome: BankOutcome) {
        self.dispatch.bank_answered(BankReply { command, outcome }, self.now);
        self.look();
    }

    fn hear(&mut self, n: u8, message: ServiceMessage) {
        self.dispatch.receive(peer(n), message, self.now);
        self.look();
    }

    fn contract(&self, n: u8) -> ContractId {
        self.offers[&n].body.contract
    }

    /// Seller `n` reports a success with this result.
    fn reports(&mut self, n: u8, letter: u8) {
        self.says(n, Outcome::Succeeded, letter);
    }

    fn says(&mut self, n: u8, outcome: Outcome, letter: u8) {
        let outputs = match outcome {
            Outcome::Succeeded => vec![NamedBlob { name: "out".into(), blob: content(letter) }],
            _ => Vec::new(),
        };
        let offer = &self.offers[&n];
        let report = Report {
            contract: offer.body.contract,
            offer: offer.hash(),
            outcome,
            cycles: Cycles(2_000_000_000),
            outputs,
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        self.hear(n, ServiceMessage::Report(Box::new(Signed::new(report, &keys(n)))));
    }

    fn fetched(&mut self, n: u8, result: Result<(), String>) {
        self.dispatch.fetched(self.contract(n), result, self.now);
        self.look();
    }

    /// The bank pays everything that it was asked to pay: 0.1 and 0.01 credits each.
    fn pays(&mut self) {
        while let Some(command) = self.settlements.pop_front() {
            let hold = *self.dispatch.settlements.get(&command).unwrap();
            let (seller_paid, owner_paid) = (Money(100_000), Money(10_000));
            let receipt = SettledReceipt { hold, seller_paid, owner_paid, returned: Money(0) };
            self.bank(command, BankOutcome::Settled(receipt));
        }
    }

    fn pass(&mut self, span: Span) {
        let until = self.now.after(span);
        while let Some(due) = self.dispatch.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.dispatch.handle_timeouts(self.now);
            self.look();
        }
        self.now = until;
    }

    /// Its process ends, and another one takes up what is written down: all of it, or what it comes to.
    fn restart(&mut self, is_tidied: bool) {
        let notes = if is_tidied { self.dispatch.notes() } else { std::mem::take(&mut self.written) };
        let rng = ChaCha8Rng::from_seed([2; 32]);
        self.dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
        [&mut self.holds, &mut self.settlements].into_iter().for_each(VecDeque::clear);
        self.asked.clear();
        let submissions = vec![(self.submission.clone(), Time(0))];
        self.dispatch.restore(&crate::journal::Kept { submissions, notes }, self.now);
        self.look();
        // As the node does, before it does anything else.
        self.written = self.dispatch.notes();
    }

    /// What it did since the last time.
    fn did(&mut self) -> Vec<String> {
        std::mem::take(&mut self.did)
    }

    /// The words on the replicas of the sub-task, in the order in which they were bought.
    fn votes(&self) -> Vec<&'static str> {
        let status = self.dispatch.status(TASK).unwrap();
        status.sub_tasks[0].replicas.iter().map(|replica| replica.vote.name()).collect()
    }

    fn state(&self) -> State {
        self.dispatch.status(TASK).unwrap().sub_tasks[0].state
    }

    fn look(&mut self) {
        assert_eq!((self.dispatch.illegal_transition(), self.dispatch.unwatched()), (None, 0));
        let effects: Vec<Effect> = self.dispatch.effects.drain(..).collect();
        for effect in effects {
            if let Some(short) = self.short(effect) {
                self.did.push(short);
            }
        }
    }

    fn short(&mut self, effect: Effect) -> Option<String> {
        let number = |key: PublicKey| (1..20).find(|n| peer(*n).key == key).unwrap();
        Some(match effect {
            Effect::Buy { tickets, avoid, .. } => {
                let count = tickets.len();
                self.asked.extend(tickets);
                let avoid: Vec<u8> = avoid.into_iter().map(number).collect();
                format!("buys {count}, not of {avoid:?}")
            }
            Effect::Order { id, order } => match order {
                Order::PlaceHold(hold) => {
                    self.holds.push_back(id);
                    format!("holds {}", hold.amount)
                }
                Order::Settle(settle) => {
                    self.settlements.push_back(id);
                    format!("pays {}", number(settle.report.signer))
                }
                Order::ReleaseHold(_) => "releases".into(),
                Order::Dispute(dispute) => format!("disputes with {}", number(dispute.offer.body.seller)),
                other => panic!("{other:?}"),
            },
            Effect::Send { to, message } => {
                let to = number(to.key);
                match message {
                    ServiceMessage::Offer(offer) => {
                        assert_eq!(offer.body.sub_task, 0, "the program must not see which replica it is");
                        self.offers.insert(to, *offer);
                        return None;
                    }
                    ServiceMessage::Taken(_) => format!("takes {to}"),
                    ServiceMessage::Verdict(paper) if paper.body.is_accepted => format!("accepts {to}"),
                    ServiceMessage::Verdict(_) => format!("rejects {to}"),
                    ServiceMessage::Cancel(_) => format!("cancels {to}"),
                    other => panic!("{other:?}"),
                }
            }
            Effect::Append(note) => {
                self.written.push(*note);
                return None;
            }
            Effect::Fetch { from, .. } => format!("fetches {}", number(from.key)),
            Effect::Compare { token, .. } => {
                self.comparisons.push(token);
                "compares".into()
            }
            Effect::Test { contract, .. } => {
                self.tests.push(contract);
                "tests".into()
            }
            Effect::Tell(Event { kind: EventKind::Ended { sub_task, end }, .. }) => {
                assert_eq!(sub_task, 0);
                self.ends.push((*end).clone());
                format!("{}, {} and {} paid", end.verdict, end.paid, end.fee)
            }
            Effect::Tell(Event { kind: EventKind::TaskEnded, .. }) => "all ended".into(),
            _ => return None,
        })
    }
}

/// The market's word for seller `n`.
fn found(id: CommandId, n: u8) -> Signed<Ticket> {
    let mut body = ticket(id).body;
    body.winner.body.seller = peer(n);
    body.winner = Signed::new(body.winner.body, &keys(n));
    Signed::new(body, &keys(3))
}

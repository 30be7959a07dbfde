//! The owner's word over work that is there, as a buyer and an executor see it.

mod arbiter;
mod bond;
mod delivery;
mod random;
mod saving;
mod stalled;

use super::*;
use crate::policy::Work::{Run, Suspend, Vacate};
use proto::message::bank::{BankOutcome, Finding, HoldReceipt, Order};
use proto::message::market::{Listing, Platform, Requirement};
use proto::message::service::{Job, Limits, Phase, Runtime, Verdict};
use proto::rules::PricingRule;
use proto::{Bytes, Capacity, CommandId, Hash, Market, Money, Rate};

const WALL: Span = Span::secs(60);
/// When the hold ends.
pub(crate) const CLOSES: Time = Time(700_000_000);

pub(crate) fn keys(n: u8) -> KeyPair {
    KeyPair::from_secret([n; 32])
}

pub(crate) fn peer(n: u8) -> Peer {
    Peer::new(format!("10.4.0.{n}:7740").parse().unwrap(), 0, keys(n).public())
}

pub(crate) fn id(n: u8) -> ContractId {
    CommandId([n; 16])
}

/// What a seller wants done, in short.
#[derive(Debug, PartialEq, Eq)]
enum Did {
    Accept(u8),
    Declined(u8, RefusalCode, bool),
    Fetch(u8),
    Execute(u8),
    Pause(u8),
    Pace(u8, u32),
    Stop(u8),
    Recall(u8),
    Migrate(u8),
    Says(u8, Phase),
    Reports(u8, Outcome),
    /// The outputs of a contract are shown to the holder of this key.
    Gives(u8, Vec<u8>),
    Claims {
        n: u8,
        has_taken: bool,
    },
    Settles(u8),
    PutsUp(u8),
    Judges(u8, Outcome, Cycles),
    Warns,
}

struct Seller {
    worker: Worker,
    now: Time,
    /// Orders that the bank has not answered.
    orders: Vec<CommandId>,
}

impl Seller {
    fn new() -> Self {
        Self::under(Rules::LOCAL)
    }

    fn under(rules: Rules) -> Self {
        let worker = Worker::new(peer(1), keys(1), peer(9).key, rules, Terms::default());
        Self { worker, now: Time(0), orders: Vec::new() }
    }

    /// The bank answers the oldest order.
    fn answer(&mut self, outcome: BankOutcome) {
        let command = self.orders.remove(0);
        assert_eq!(self.worker.bank_answered(BankReply { command, outcome }, self.now), None);
    }

    fn hear(&mut self, from: u8, message: ServiceMessage) {
        self.worker.receive(peer(from), message, &|_| Ok(()), self.now);
    }

    /// With contract 1 at work.
    fn running() -> Self {
        let mut seller = Self::new();
        seller.offer(1);
        seller.worker.fetched(id(1), Ok(()), seller.now);
        seller.did();
        seller
    }

    fn offer(&mut self, n: u8) {
        let message = ServiceMessage::Offer(Box::new(offer(n)));
        self.worker.receive(peer(2), message, &|_| Ok(()), self.now);
    }

    /// The report of a contract.
    fn report(&self, n: u8) -> Signed<Report> {
        match self.worker.works.get(&id(n)).map(|work| &work.stage) {
            Some(Stage::Reported(reported)) => reported.report.clone(),
            _ => panic!("no report"),
        }
    }

    fn decide(&mut self, decision: crate::policy::Work, expected: &[Did]) {
        self.worker.decide(decision, self.now);
        assert_eq!(self.did(), expected);
    }

    /// Lets time pass, wakes the seller whenever it wants to, and gives what it did.
    fn pass(&mut self, span: Span) -> Vec<Did> {
        let until = self.now.after(span);
        let mut did = Vec::new();
        while let Some(due) = self.worker.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.worker.handle_timeouts(self.now);
            did.extend(self.did());
        }
        self.now = until;
        did
    }

    fn did(&mut self) -> Vec<Did> {
        let effects: Vec<Effect> = self.worker.effects.drain(..).collect();
        self.orders.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Order { id, .. } => Some(*id),
            _ => None,
        }));
        effects.into_iter().filter_map(short).collect()
    }
}

fn short(effect: Effect) -> Option<Did> {
    let n = |id: ContractId| id.0[0];
    Some(match effect {
        Effect::Execute { contract, .. } => Did::Execute(n(contract)),
        Effect::Fetch { contract, .. } => Did::Fetch(n(contract)),
        Effect::Pause { contract } => Did::Pause(n(contract)),
        Effect::Pace { contract, throttle_pct } => Did::Pace(n(contract), throttle_pct),
        Effect::Stop { contract } => Did::Stop(n(contract)),
        Effect::Recall { contract } => Did::Recall(n(contract)),
        Effect::Migrate { contract } => Did::Migrate(n(contract)),
        Effect::Send { message, .. } => match message {
            ServiceMessage::Accept(paper) => Did::Accept(n(paper.body.contract)),
            ServiceMessage::Decline(paper) => {
                let Declined { contract, refusal } = paper.body;
                Did::Declined(n(contract), refusal.code, refusal.is_retryable)
            }
            ServiceMessage::Progress(progress) => Did::Says(n(progress.contract), progress.phase),
            ServiceMessage::Report(paper) => Did::Reports(n(paper.body.contract), paper.body.outcome),
            _ => return None,
        },
        Effect::Give { to, blobs } => {
            let who = (0..=u8::MAX).find(|n| keys(*n).public() == to)?;
            Did::Gives(who, blobs.iter().map(|blob| blob.hash.0[0]).collect())
        }
        Effect::Order { order, .. } => match order {
            Order::Claim(claim) => Did::Claims { n: n(claim.hold), has_taken: claim.taken.is_some() },
            Order::Settle(settle) => Did::Settles(n(settle.hold)),
            Order::AcceptHold(order) => Did::PutsUp(n(order.hold)),
            Order::Judge(judge) => {
                let Finding { outcome, cycles, .. } = judge.finding.body;
                Did::Judges(n(judge.hold), outcome, cycles)
            }
            _ => return None,
        },
        Effect::Warn { .. } => Did::Warns,
        _ => return None,
    })
}

/// A ticket of market owner 3 for buyer 2 and seller 1.
pub(crate) fn ticket(id: CommandId) -> Signed<Ticket> {
    let room = Bytes::mib(1);
    let requirement = Requirement { cores: 1, memory: room, disk: room, ..Requirement::default() };
    let listing = Listing {
        market: Market::of_capacity(Capacity(1_000)),
        seller: peer(1),
        cores: 1,
        per_core: Capacity(1_000),
        ask: Rate(5),
        memory: room,
        disk: room,
        whole: proto::Bundle { cores: 1, memory: room, disk: room },
        platform: Platform::default(),
        longest: WALL,
        standing: None,
        version: 1,
        expires: CLOSES,
    };
    let ticket = Ticket {
        id,
        buyer: peer(2).key,
        owner: peer(3),
        rule: PricingRule::Vickrey,
        requirement,
        bid: Rate(5),
        winner: Signed::new(listing, &keys(1)),
        runner_up: None,
        asks_seen: 1,
        clearing: Rate(5),
        draw: id,
        owner_rate: Rate(0),
        fee: Rules::LOCAL.owner_fee,
        expires: CLOSES,
    };
    Signed::new(ticket, &keys(3))
}

/// Bank 9's word for a hold of `amount` for a ticket of buyer 2 and seller 1.
pub(crate) fn hold(ticket: &Signed<Ticket>, amount: Money) -> Signed<HoldReceipt> {
    let hold = HoldReceipt {
        hold: ticket.body.id,
        bank: peer(9).key,
        buyer: peer(2).key,
        seller: peer(1).key,
        ticket: ticket.hash(),
        amount,
        expires: CLOSES,
    };
    Signed::new(hold, &keys(9))
}

/// A job whose program is named by `n`.
pub(crate) fn job(n: u8) -> Job {
    let room = Bytes::mib(1);
    Job {
        program: Blob { hash: Hash([n; 32]), size: Bytes(1) },
        arguments: vec![],
        environment: vec![],
        inputs: vec![],
        outputs: vec![],
        stdin: None,
        limits: Limits {
            wall: WALL,
            memory: room,
            disk: room,
            output: room,
            cycles: Cycles(1),
            processes: 1,
            cores: 1,
        },
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: None,
        repeats: Vec::new(),
    }
}

pub(crate) fn offer(n: u8) -> Signed<Offer> {
    let ticket = ticket(id(n));
    let offer = Offer {
        contract: id(n),
        task: id(77),
        sub_task: 0,
        attempt: 1,
        buyer: peer(2),
        seller: peer(1).key,
        job: job(n),
        hold: hold(&ticket, Money::credits(1)),
        ticket,
    };
    Signed::new(offer, &keys(2))
}

fn needed() -> Outcome {
    Outcome::Abandoned("its owner needs the machine".into())
}

#[test]
fn what_runs_stands_still_and_says_so_until_it_may_go_on() {
    let mut seller = Seller::running();
    seller.decide(Suspend, &[Did::Pause(1), Did::Says(1, Phase::Suspended)]);
    // The same word again is no news.
    seller.decide(Suspend, &[]);
    let signs = seller.pass(Rules::LOCAL.lease);
    assert!(signs.len() >= 4 && signs.iter().all(|did| *did == Did::Says(1, Phase::Suspended)), "{signs:?}");
    seller.decide(Run { throttle_pct: 100 }, &[Did::Pace(1, 100), Did::Says(1, Phase::Running)]);
    seller.decide(Run { throttle_pct: 30 }, &[Did::Pace(1, 30), Did::Says(1, Phase::Running)]);
}

#[test]
fn what_is_staged_while_the_owner_needs_the_machine_starts_later() {
    let mut seller = Seller::new();
    seller.offer(1);
    assert_eq!(seller.did(), [Did::Accept(1), Did::Fetch(1)]);
    seller.decide(Suspend, &[Did::Says(1, Phase::Suspended)]);
    seller.worker.fetched(id(1), Ok(()), seller.now);
    assert_eq!(seller.did(), []);
    let expected = [Did::Execute(1), Did::Pace(1, 25), Did::Says(1, Phase::Running)];
    seller.decide(Run { throttle_pct: 25 }, &expected);
}

#[test]
fn no_offer_is_taken_while_the_owner_needs_the_machine() {
    for decision in [Suspend, Vacate { grace: Span::secs(5) }] {
        let mut seller = Seller::new();
        seller.decide(decision, &[]);
        seller.offer(1);
        assert_eq!(seller.did(), [Did::Declined(1, RefusalCode::Policy, true)]);
        seller.decide(Run { throttle_pct: 100 }, &[]);
        seller.offer(2);
        assert_eq!(seller.did(), [Did::Accept(2), Did::Fetch(2)]);
    }
}

#[test]
fn what_runs_is_handed_back_when_the_grace_is_over_and_the_rest_at_once() {
    let mut seller = Seller::running();
    seller.offer(2);
    seller.did();
    let grace = Span::millis(2_500);
    seller.decide(Vacate { grace }, &[Did::Reports(2, needed())]);
    // Said again a second later, it does not move the moment.
    let running = Did::Says(1, Phase::Running);
    let first = seller.pass(Span::secs(1));
    assert!(first.contains(&running) && !first.contains(&Did::Stop(1)), "{first:?}");
    seller.decide(Vacate { grace }, &[]);
    let before = seller.pass(Span(grace.0 - 1_000_001));
    assert!(before.contains(&running) && !before.contains(&Did::Stop(1)), "{before:?}");
    assert_eq!(seller.pass(Span(1)), [Did::Migrate(1)]);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Cancelled), seller.now);
    assert_eq!(seller.did(), [Did::Reports(1, needed())]);
    assert_eq!(seller.worker.active(), 0);
}

#[test]
fn a_grace_that_is_taken_back_in_time_changes_nothing() {
    let mut seller = Seller::running();
    seller.decide(Vacate { grace: Span::secs(2) }, &[]);
    seller.pass(Span::secs(1));
    seller.decide(Run { throttle_pct: 100 }, &[Did::Pace(1, 100), Did::Says(1, Phase::Running)]);
    let after = seller.pass(Span::secs(10));
    assert!(after.len() >= 10 && after.iter().all(|did| *did == Did::Says(1, Phase::Running)), "{after:?}");
}

#[test]
fn what_stood_still_is_handed_back_without_a_grace() {
    let mut seller = Seller::running();
    seller.decide(Suspend, &[Did::Pause(1), Did::Says(1, Phase::Suspended)]);
    seller.decide(Vacate { grace: Span::secs(60) }, &[Did::Migrate(1)]);
    // An execution that does not stop is given up after a moment.
    let end = seller.pass(Span::secs(2));
    assert_eq!(end, [Did::Reports(1, needed())]);
}

#[test]
fn a_cancelled_program_ends_although_it_stands_still() {
    let mut seller = Seller::running();
    seller.decide(Suspend, &[Did::Pause(1), Did::Says(1, Phase::Suspended)]);
    let cancel = ServiceMessage::Cancel(Cancel { contract: id(1) });
    seller.worker.receive(peer(2), cancel, &|_| Ok(()), seller.now);
    assert_eq!(seller.did(), [Did::Stop(1)]);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Cancelled), seller.now);
    assert_eq!(seller.did(), [Did::Reports(1, Outcome::Cancelled)]);
}

/// An execution of several runs that was told to stop when the first was done.
fn cut() -> Execution {
    Execution { is_cut: true, ..Execution::nothing(Outcome::Succeeded) }
}

/// What a seller does when `from` recalls contract 1, which is for `runs` sub-tasks.
fn check_recalled(from: u8, runs: u8, is_staged: bool, expected: &[Did]) {
    let mut seller = Seller::new();
    let mut body = offer(1).body;
    body.job.repeats = (1..runs).map(|_| body.job.to_repeat()).collect();
    seller.hear(2, ServiceMessage::Offer(Box::new(Signed::new(body, &keys(2)))));
    if is_staged {
        seller.worker.fetched(id(1), Ok(()), seller.now);
    }
    seller.did();
    seller.hear(from, ServiceMessage::Recall(Recall { contract: id(1) }));
    assert_eq!(seller.did(), expected, "{from} {runs} {is_staged}");
}

#[test]
fn what_shares_a_contract_and_runs_is_recalled_by_its_buyer() {
    check_recalled(2, 3, true, &[Did::Recall(1)]);
    check_recalled(3, 3, true, &[]);
    check_recalled(2, 1, true, &[]);
    check_recalled(2, 3, false, &[]);
}

#[test]
fn of_several_runs_those_that_are_done_are_reported_when_the_owner_needs_the_machine() {
    let mut seller = Seller::running();
    seller.decide(Vacate { grace: Span(0) }, &[Did::Migrate(1)]);
    seller.worker.executed(id(1), cut(), seller.now);
    assert_eq!(seller.did(), [Did::Reports(1, Outcome::Succeeded)]);
}

#[test]
fn of_several_runs_none_is_reported_when_the_buyer_wants_none() {
    let mut seller = Seller::running();
    let cancel = ServiceMessage::Cancel(Cancel { contract: id(1) });
    seller.worker.receive(peer(2), cancel, &|_| Ok(()), seller.now);
    assert_eq!(seller.did(), [Did::Stop(1)]);
    seller.worker.executed(id(1), cut(), seller.now);
    assert_eq!(seller.did(), [Did::Reports(1, Outcome::Cancelled)]);
}

#[test]
fn what_stands_still_too_long_is_handed_back_while_there_is_time_for_the_money() {
    let mut seller = Seller::running();
    seller.decide(Suspend, &[Did::Pause(1), Did::Says(1, Phase::Suspended)]);
    let signs = seller.pass(Span(CLOSES.0 - CLAIM_BEFORE_END.0 - 2_000_000));
    assert!(signs.iter().all(|did| *did == Did::Says(1, Phase::Suspended)), "{:?}", signs.last());
    let why = "its owner has needed the machine for longer than this contract lasts";
    let end = seller.pass(Span::secs(5));
    assert!(end.contains(&Did::Migrate(1)), "{end:?}");
    assert!(end.contains(&Did::Reports(1, Outcome::Abandoned(why.into()))), "{end:?}");
}

#[test]
fn a_node_that_drains_ends_what_it_has_and_takes_nothing_new() {
    let mut seller = Seller::running();
    seller.worker.set_intake(Intake::Closed);
    seller.offer(2);
    assert_eq!(seller.did(), [Did::Declined(2, RefusalCode::Leaving, true)]);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Exited(1)), seller.now);
    assert_eq!(seller.did(), [Did::Reports(1, Outcome::Exited(1))]);
    assert!(!seller.worker.is_finished(), "it has not been asked to leave");
}

#[test]
fn the_last_sub_task_is_counted_when_it_is_taken_and_over_when_it_is_judged() {
    let mut seller = Seller::new();
    seller.worker.set_intake(Intake::Last { left: 1 });
    seller.offer(1);
    // The same offer again is the same contract.
    seller.offer(1);
    seller.offer(2);
    let refused = Did::Declined(2, RefusalCode::Leaving, true);
    assert_eq!(seller.did(), [Did::Accept(1), Did::Fetch(1), Did::Accept(1), refused]);
    seller.worker.fetched(id(1), Ok(()), seller.now);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Exited(1)), seller.now);
    assert!(!seller.worker.is_finished());
    let verdict = Verdict {
        contract: id(1),
        report: seller.report(1).hash(),
        is_accepted: false,
        reason: String::new(),
    };
    let verdict = ServiceMessage::Verdict(Signed::new(verdict, &keys(2)));
    seller.worker.receive(peer(2), verdict, &|_| Ok(()), seller.now);
    assert!(seller.worker.is_finished());
}

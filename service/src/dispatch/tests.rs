//! A buyer as its seller, its bank and its user see it: seller 1, buyer 2, market owner 3, bank 9.

mod bond;
mod claims;
mod delivery;
mod migration;
mod moments;
mod saved;
mod series;
mod stop;
mod vote;

use super::*;
use crate::worker::tests::{CLOSES, hold, id, job, keys, peer, ticket};
use proto::message::bank::{BankOutcome, BankReply, Order};
use proto::message::service::{
    Acceptance, Blob, Checkpoint, Declined, NamedBlob, Offer, Outcome, Progress, Report, ServiceMessage,
};
use proto::{Bytes, Cycles, Hash, Rate, Refusal, RefusalCode, Signed};
use rand_chacha::rand_core::SeedableRng;

const TASK: ContractId = CommandId([77; 16]);
const PRICE: Money = Money::credits(1);

/// What a buyer wants done, in short.
#[derive(Debug, PartialEq, Eq)]
enum Did {
    Buys,
    Holds(Money),
    Offers,
    Takes,
    Fetches(Vec<u8>),
    Opens(Vec<u8>),
    Says { is_accepted: bool },
    Cancels,
    Settles,
    Releases,
    Disputes,
    Keeps(Vec<u8>),
    Drops(Vec<u8>),
    AsksToKeep(Vec<u8>),
    Tells(String),
    Warns,
}

struct Buyer {
    dispatch: Dispatch,
    submission: Submission,
    now: Time,
    /// The ticket that was asked for last, and the orders that the bank has not answered.
    asked: Option<CommandId>,
    orders: Vec<CommandId>,
    offer: Option<Signed<Offer>>,
}

impl Buyer {
    /// With a task of one sub-task, which leaves `out`.
    fn new(rules: Rules) -> Self {
        Self::with(rules, |_| {})
    }

    /// With a sub-task that is changed beforehand.
    fn with(rules: Rules, change: impl FnOnce(&mut SubTaskPlan)) -> Self {
        let rng = ChaCha8Rng::from_seed([1; 32]);
        let dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, rules, rng);
        let mut job = job(30);
        job.outputs = vec!["out".into()];
        job.limits.cycles = Cycles(u64::MAX);
        let mut plan = SubTaskPlan {
            bid: Rate(100_000),
            price: PRICE,
            work: Some(Cycles(9_900_000_000)),
            retries: 1,
            ..SubTaskPlan::bare("a".into(), job)
        };
        change(&mut plan);
        let patience = Patience::For(Span::secs(60));
        let plans = vec![plan];
        let submission = Submission { task: TASK, plans, patience, budget: None, stop_when: None };
        let (now, asked, orders, offer) = (Time(0), None, Vec::new(), None);
        let mut buyer = Self { dispatch, submission, now, asked, orders, offer };
        buyer.dispatch.submit(buyer.submission.clone(), buyer.now);
        assert_eq!(buyer.did(), [Did::Buys]);
        buyer
    }

    /// Its process ends, and another one takes up what is written down.
    fn restart(&mut self) {
        let notes = self.dispatch.notes();
        let rng = ChaCha8Rng::from_seed([2; 32]);
        self.dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
        self.orders.clear();
        let submissions = vec![(self.submission.clone(), Time(0))];
        self.dispatch.restore(&crate::journal::Kept { submissions, notes }, self.now);
    }

    /// The market finds a seller, and the bank sets the money aside.
    fn buy(&mut self, amount: Money) {
        let ticket = ticket(self.asked.unwrap());
        self.dispatch.bought(ticket.clone(), self.now);
        assert_eq!(self.did(), [Did::Holds(amount)]);
        self.answer(BankOutcome::Held(hold(&ticket, amount)));
        assert_eq!(self.did(), [Did::Offers]);
    }

    /// With an offer that is accepted.
    fn hired() -> Self {
        let mut buyer = Self::new(Rules::LOCAL);
        buyer.buy(PRICE);
        let accepted = ServiceMessage::Accept(Box::new(buyer.acceptance()));
        buyer.hear(accepted);
        assert_eq!((buyer.did(), buyer.state()), (vec![], State::Staging));
        buyer
    }

    fn contract(&self) -> ContractId {
        self.offer.as_ref().unwrap().body.contract
    }

    fn acceptance(&self) -> Signed<Acceptance> {
        let offer = self.offer.as_ref().unwrap().hash();
        Signed::new(Acceptance { contract: self.contract(), offer, bond: None }, &keys(1))
    }

    /// The seller's report: 2 Gc, one output.
    fn report(&self, outcome: Outcome) -> Signed<Report> {
        let blob = |n: u8| Blob { hash: Hash([n; 32]), size: Bytes(3) };
        let outputs = vec![NamedBlob { name: "out".into(), blob: blob(40) }];
        let report = Report {
            contract: self.contract(),
            offer: self.offer.as_ref().unwrap().hash(),
            outcome,
            cycles: Cycles(2_000_000_000),
            outputs,
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        Signed::new(report, &keys(1))
    }

    fn hear(&mut self, message: ServiceMessage) {
        self.dispatch.receive(peer(1), message, self.now);
    }

    /// The bank answers the oldest order.
    fn answer(&mut self, outcome: BankOutcome) {
        let command = self.orders.remove(0);
        self.dispatch.bank_answered(BankReply { command, outcome }, self.now);
    }

    fn refuse(&mut self, code: RefusalCode) {
        self.answer(BankOutcome::Refused(Refusal::new(code, "no", "")));
    }

    fn fetched(&mut self, result: Result<(), String>) {
        self.dispatch.fetched(self.contract(), result, self.now);
    }

    /// Lets time pass.
    fn pass(&mut self, span: Span) -> Vec<Did> {
        let until = self.now.after(span);
        let mut did = Vec::new();
        while let Some(due) = self.dispatch.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.dispatch.handle_timeouts(self.now);
            did.extend(self.did());
        }
        self.now = until;
        did
    }

    fn state(&self) -> State {
        self.dispatch.status(TASK).unwrap().sub_tasks[0].state
    }

    fn did(&mut self) -> Vec<Did> {
        assert_eq!((self.dispatch.illegal_transition(), self.dispatch.unwatched()), (None, 0));
        let effects: Vec<Effect> = self.dispatch.effects.drain(..).collect();
        effects.into_iter().filter_map(|effect| self.short(effect)).collect()
    }

    fn short(&mut self, effect: Effect) -> Option<Did> {
        let names = |blobs: Vec<Blob>| blobs.iter().map(|blob| blob.hash.0[0]).collect();
        Some(match effect {
            Effect::Buy { tickets, .. } => {
                self.asked = tickets.first().copied();
                Did::Buys
            }
            Effect::Order { id, order } => {
                self.orders.push(id);
                match order {
                    Order::PlaceHold(hold) => Did::Holds(hold.amount),
                    Order::Settle(_) => Did::Settles,
                    Order::ReleaseHold(_) => Did::Releases,
                    Order::Dispute(_) => Did::Disputes,
                    other => panic!("{other:?}"),
                }
            }
            Effect::Send { to, message } => {
                assert_eq!(to.key, peer(1).key);
                match message {
                    ServiceMessage::Offer(offer) => {
                        self.offer = Some(*offer);
                        Did::Offers
                    }
                    ServiceMessage::Taken(paper) => {
                        assert!(paper.is_genuine_by(peer(2).key));
                        Did::Takes
                    }
                    ServiceMessage::Verdict(paper) => Did::Says { is_accepted: paper.body.is_accepted },
                    ServiceMessage::Cancel(_) => Did::Cancels,
                    ServiceMessage::Keep(keep) => Did::AsksToKeep(names(keep.blobs)),
                    other => panic!("{other:?}"),
                }
            }
            Effect::Fetch { blobs, .. } => Did::Fetches(names(blobs)),
            Effect::Open { job, .. } => Did::Opens(names(job.resume?.contents().collect())),
            Effect::Keep { blobs, .. } => Did::Keeps(names(blobs)),
            Effect::Drop { blobs, .. } => Did::Drops(names(blobs)),
            Effect::Tell(event) => Did::Tells(told(&event.kind)?),
            Effect::Warn { .. } => Did::Warns,
            _ => return None,
        })
    }
}

/// What is told of claims and ends.
fn told(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Disputed { deposit, .. } => format!("disputed for {deposit}"),
        EventKind::NotDisputed { why, .. } => format!("not disputed: {why}"),
        EventKind::Judged { how, lost, .. } => format!("{}, {lost} lost", how.name()),
        EventKind::Retrying { why, .. } => format!("again: {why}"),
        EventKind::Ended { end, .. } => format!("{}, {} and {} paid", end.verdict, end.paid, end.fee),
        _ => return None,
    })
}

#[test]
fn an_open_contract_without_a_deadline_is_noticed() {
    let rng = ChaCha8Rng::from_seed([1; 32]);
    let mut dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
    assert_eq!(dispatch.unwatched(), 0);
    dispatch.contracts.insert(id(3), (id(4), 0));
    assert_eq!(dispatch.unwatched(), 1);
    dispatch.watch(Time(5), Timer::Lease(id(3)));
    assert_eq!(dispatch.unwatched(), 0);
}

#[test]
fn a_seller_that_came_back_elsewhere_is_not_given_up_when_its_old_address_is_dead() {
    let mut buyer = Buyer::hired();
    let now = Peer::new("10.4.0.200:7740".parse().unwrap(), 0, peer(1).key);
    for _ in 0..3 {
        buyer.dispatch.unreachable(now, buyer.now);
        assert_eq!((buyer.did(), buyer.state()), (vec![], State::Staging));
    }
    // The address of the contract is another matter: it is tried once more, and given up then.
    buyer.dispatch.unreachable(peer(1), buyer.now);
    assert_eq!((buyer.did(), buyer.state()), (vec![Did::Offers], State::Staging));
    // Who is heard meanwhile, from wherever, is there.
    let progress = Progress {
        contract: buyer.contract(),
        phase: proto::message::service::Phase::Running,
        cycles: Cycles(5),
        done: None,
    };
    buyer.dispatch.receive(now, ServiceMessage::Progress(progress), buyer.now);
    buyer.dispatch.unreachable(peer(1), buyer.now);
    assert_eq!((buyer.did(), buyer.state()), (vec![], State::Running));
    buyer.dispatch.unreachable(now, buyer.now);
    assert_eq!((buyer.did(), buyer.state()), (vec![Did::Offers], State::Running));
    buyer.dispatch.unreachable(now, buyer.now);
    assert_eq!(buyer.did().first(), Some(&Did::Cancels));
}

/// What a buyer does when the bank refuses to set money aside.
fn check_refused(code: RefusalCode, expected: State) {
    let mut buyer = Buyer::new(Rules::LOCAL);
    buyer.dispatch.bought(ticket(buyer.asked.unwrap()), buyer.now);
    buyer.did();
    buyer.refuse(code);
    assert_eq!(buyer.state(), expected, "{code:?}");
}

#[test]
fn a_refused_hold_waits_if_that_can_help_and_ends_with_the_banks_sentence_if_not() {
    for code in [RefusalCode::Busy, RefusalCode::Quota, RefusalCode::DiskFull] {
        check_refused(code, State::Waiting);
    }
    for code in [RefusalCode::Frozen, RefusalCode::NotEnoughMoney, RefusalCode::WrongState] {
        check_refused(code, State::Failed);
    }
}

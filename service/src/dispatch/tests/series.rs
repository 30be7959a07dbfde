//! Sub-tasks that share a contract: the seller executes what it is offered, the bank pays by the papers.

use super::*;
use crate::worker::tests::{hold, ticket};
use market::Shortage;
use proptest::prelude::*;
use proto::message::bank::SettledReceipt;
use proto::message::market::Ticket;
use proto::message::service::{Job, Product};
use std::collections::{BTreeMap, BTreeSet};

/// How long the seller takes for one sub-task.
const TAKES: Span = Span::millis(10);
const CYCLES: u64 = 1_000;

/// A market with one seller, which has one core, a bank with money, and the user.
struct World {
    dispatch: Dispatch,
    now: Time,
    /// Programs that fail, by their one argument; contracts that the seller gives up; and those in which it stops after so
    /// many runs.
    failing: BTreeSet<String>,
    lost: BTreeSet<usize>,
    cut: BTreeMap<usize, usize>,
    /// The most that the bank sets aside for one contract.
    most: Money,
    tickets: BTreeMap<ContractId, Signed<Ticket>>,
    holds: BTreeMap<ContractId, Money>,
    is_busy: bool,
    /// How many sub-tasks were under each contract.
    contracts: Vec<usize>,
    ends: BTreeMap<u32, String>,
    /// What the bank has paid, and what the ends say.
    paid: u64,
    told: u64,
}

impl World {
    fn new(count: u32) -> Self {
        let rng = ChaCha8Rng::from_seed([1; 32]);
        let dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
        Self {
            dispatch,
            now: Time(0),
            failing: BTreeSet::new(),
            lost: BTreeSet::new(),
            cut: BTreeMap::new(),
            most: Money(u64::MAX),
            tickets: BTreeMap::new(),
            holds: BTreeMap::new(),
            is_busy: false,
            contracts: Vec::new(),
            ends: BTreeMap::new(),
            paid: 0,
            told: 0,
        }
        .submit(count)
    }

    fn submit(mut self, count: u32) -> Self {
        let plan = |index: u32| {
            let mut job = job(30);
            job.arguments = vec![index.to_string()];
            job.limits.cycles = Cycles(u64::MAX);
            SubTaskPlan { bid: Rate(100_000), price: PRICE, ..SubTaskPlan::bare(format!("s{index}"), job) }
        };
        let plans = (0..count).map(plan).collect();
        let patience = Patience::Endless;
        let submission = Submission { task: TASK, plans, patience, budget: None, stop_when: None };
        self.dispatch.submit(submission, self.now);
        self
    }

    /// Everything to its end, for so many steps at most.
    fn run(mut self) -> Self {
        for _ in 0..10_000 {
            assert_eq!((self.dispatch.illegal_transition(), self.dispatch.unwatched()), (None, 0));
            assert_eq!(self.dispatch.adrift(), 0);
            if let Some(effect) = self.dispatch.effects.pop_front() {
                self.carry_out(effect);
            } else if !self.dispatch.assign(self.now) {
                let Some(due) = self.dispatch.poll_timeout().filter(|_| self.dispatch.is_busy()) else {
                    break;
                };
                self.now = self.now.max(due);
                self.dispatch.handle_timeouts(self.now);
            }
        }
        assert!(!self.dispatch.is_busy());
        self
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Buy { tickets, .. } => self.sell(tickets),
            Effect::Order { id, order: Order::PlaceHold(placed) } if placed.amount > self.most => {
                self.is_busy = false;
                self.answer(id, BankOutcome::Refused(Refusal::new(RefusalCode::NotEnoughMoney, "no", "")));
            }
            Effect::Order { id, order: Order::PlaceHold(placed) } => {
                self.holds.insert(id, placed.amount);
                self.answer(id, BankOutcome::Held(hold(&self.tickets[&id], placed.amount)));
            }
            Effect::Order { id, order: Order::Settle(settle) } => {
                let cycles = settle.report.body.cycles;
                let (seller_paid, owner_paid) =
                    crate::dispatch::shares(&settle.ticket.body, self.holds[&settle.hold], cycles);
                self.paid += seller_paid.0 + owner_paid.0;
                let returned = Money::ZERO;
                let receipt = SettledReceipt { hold: settle.hold, seller_paid, owner_paid, returned };
                self.answer(id, BankOutcome::Settled(receipt));
            }
            Effect::Send { message: ServiceMessage::Offer(offer), .. } => self.execute(&offer),
            Effect::Fetch { contract, .. } => self.dispatch.fetched(contract, Ok(()), self.now),
            Effect::Tell(Event { kind: EventKind::Ended { sub_task, end }, .. }) => {
                self.told += end.paid.0 + end.fee.0;
                let before = self.ends.insert(sub_task, format!("{}, {} c", end.verdict, end.cycles.0));
                assert_eq!(before, None, "a sub-task ends once");
            }
            _ => {}
        }
    }

    fn sell(&mut self, tickets: Vec<CommandId>) {
        let (now, later) = tickets.split_at(usize::from(!self.is_busy).min(tickets.len()));
        if !later.is_empty() {
            self.dispatch.not_bought(later, &Shortage::default(), self.now);
        }
        for id in now {
            self.is_busy = true;
            let ticket = ticket(*id);
            self.tickets.insert(*id, ticket.clone());
            self.dispatch.bought(ticket, self.now);
        }
    }

    fn answer(&mut self, command: CommandId, outcome: BankOutcome) {
        self.dispatch.bank_answered(BankReply { command, outcome }, self.now);
    }

    /// The seller executes all runs up to the first that fails.
    fn execute(&mut self, offer: &Signed<Offer>) {
        let contract = offer.body.contract;
        let runs: Vec<Job> = offer.body.job.runs().collect();
        let hold = self.holds[&contract];
        assert_eq!(hold.0, PRICE.0 * runs.len() as u64);
        let for_seller = hold.checked_sub(Rules::LOCAL.owner_fee).unwrap();
        let rate = crate::dispatch::total_rate(&offer.body.ticket.body);
        assert!(offer.body.job.most_cycles() <= rate.cycles_for(for_seller));
        self.contracts.push(runs.len());
        let accepted = Acceptance { contract, offer: offer.hash(), bond: None };
        let accepted = ServiceMessage::Accept(Box::new(Signed::new(accepted, &keys(1))));
        self.dispatch.receive(peer(1), accepted, self.now);
        self.now = self.now.after(TAKES.times(runs.len() as u64));
        let done = runs.iter().take_while(|run| !self.failing.contains(&run.arguments[0])).count();
        let done = self.cut.get(&self.contracts.len()).map_or(done, |cut| done.min(*cut));
        let outcome = match done {
            _ if self.lost.contains(&self.contracts.len()) => Outcome::Abandoned("its disk is full".into()),
            0 => Outcome::Exited(1),
            _ => Outcome::Succeeded,
        };
        let more = if outcome == Outcome::Succeeded { done - 1 } else { 0 };
        let product = Product { cycles: Cycles(CYCLES), outputs: vec![], stdout: None, stderr: None };
        let report = Report {
            contract,
            offer: offer.hash(),
            outcome,
            cycles: Cycles(CYCLES * done as u64),
            outputs: vec![],
            stdout: None,
            stderr: None,
            more: vec![product; more],
        };
        self.is_busy = false;
        let report = ServiceMessage::Report(Box::new(Signed::new(report, &keys(1))));
        self.dispatch.receive(peer(1), report, self.now);
    }

    /// How many sub-tasks came to this end.
    fn ended(&self, end: &str) -> usize {
        self.ends.values().filter(|text| *text == end).count()
    }
}

#[test]
fn short_sub_tasks_share_contracts_and_each_ends_with_its_own_result() {
    let world = World::new(200).run();
    assert_eq!((world.ended("succeeded, 1000 c"), world.ends.len()), (200, 200));
    // One tells how long they take; there is one seller.
    assert_eq!(world.contracts, [1, 16, 128, 55]);
    assert_eq!(world.told, world.paid);
    assert_eq!(world.dispatch.tally(TASK).map(|tally| (tally.done, tally.held)), Some((200, Money::ZERO)));
}

#[test]
fn who_fails_fails_alone_and_what_comes_after_it_is_bought_again() {
    let mut world = World::new(40);
    world.failing = ["9", "11"].map(String::from).into();
    let world = world.run();
    let failed = world
        .ends
        .iter()
        .filter(|(_, end)| end.starts_with("failed: the program exited"))
        .map(|(index, _)| *index);
    assert_eq!(failed.collect::<Vec<_>>(), [9, 11]);
    assert_eq!((world.ended("succeeded, 1000 c"), world.told), (38, world.paid));
}

#[test]
fn what_a_seller_gives_up_is_nobodys_failure() {
    let mut world = World::new(40);
    world.lost = [3, 4].into();
    let world = world.run();
    assert_eq!((world.ended("succeeded, 1000 c"), world.told), (40, world.paid));
}

#[test]
fn what_a_seller_has_done_stays_done_and_what_it_has_not_begun_is_as_new() {
    let mut world = World::new(100);
    // One, sixteen, and all that is left; of these it does five.
    world.cut = [(3, 5)].into();
    let world = world.run();
    assert_eq!((world.ended("succeeded, 1000 c"), world.told), (100, world.paid));
    // The next one may have been the reason, and is bought for itself. The 77 behind it share contracts again.
    assert_eq!(world.contracts, [1, 16, 83, 1, 16, 61]);
}

#[test]
fn sub_tasks_whose_contract_forgets_them_are_noticed() {
    let mut world = World::new(40);
    while world.contracts.len() < 2 {
        match world.dispatch.effects.pop_front() {
            Some(Effect::Send { message: ServiceMessage::Offer(offer), .. })
                if world.contracts.len() == 1 =>
            {
                world.contracts.push(offer.body.job.runs().count());
            }
            Some(effect) => world.carry_out(effect),
            None => assert!(world.dispatch.assign(world.now)),
        }
    }
    assert_eq!((world.contracts[1], world.dispatch.adrift()), (16, 0));
    let runs = 0..40;
    let leads = |index: &u32| world.dispatch.run(TASK, *index).is_some_and(|run| !run.followers.is_empty());
    let leader = runs.into_iter().find(leads).unwrap();
    world.dispatch.run(TASK, leader).unwrap().followers.pop();
    assert_eq!(world.dispatch.adrift(), 1);
}

#[test]
fn money_that_does_not_reach_for_several_reaches_for_each() {
    let mut world = World::new(20);
    world.most = PRICE;
    let world = world.run();
    assert_eq!(world.ended("succeeded, 1000 c"), 20);
    assert_eq!(world.contracts, [1; 20]);
}

#[test]
fn a_task_that_is_cancelled_buys_nothing_for_those_that_followed() {
    let mut world = World::new(40);
    while world.contracts.len() < 2 {
        let effect = world.dispatch.effects.pop_front();
        match effect {
            Some(Effect::Send { message: ServiceMessage::Offer(_), .. }) if world.contracts.len() == 1 => {
                break;
            }
            Some(effect) => world.carry_out(effect),
            None => assert!(world.dispatch.assign(world.now)),
        }
    }
    world.dispatch.cancel(TASK, world.now);
    let tally = world.dispatch.tally(TASK).unwrap();
    assert_eq!((tally.done, tally.failed, tally.running, tally.waiting), (1, 39, 0, 0));
    assert_eq!(tally.held, Money::ZERO);
    let is_buying = |effect: &Effect| matches!(effect, Effect::Buy { .. } | Effect::Order { .. });
    assert!(!world.dispatch.effects.iter().any(is_buying), "{:?}", world.dispatch.effects);
}

proptest! {
    /// Whatever fails and is given up: each sub-task ends once, as it would alone, and the money of the ends is the bank's.
    #[test]
    fn sharing_changes_no_end(
        count in 1_u32..80,
        failing in prop::collection::btree_set(0_u32..80, 0..8),
        lost in prop::collection::btree_set(1_usize..20, 0..4),
        cut in prop::collection::btree_map(1_usize..20, 1_usize..9, 0..8),
    ) {
        let mut world = World::new(count);
        world.failing = failing.iter().map(u32::to_string).collect();
        world.lost = lost;
        world.cut = cut;
        let world = world.run();
        prop_assert_eq!(world.ends.len(), count as usize);
        for (index, end) in &world.ends {
            prop_assert_eq!(failing.contains(index), end.starts_with("failed: the program exited"), "{} {}", index, end);
        }
        prop_assert_eq!(world.told, world.paid);
    }
}

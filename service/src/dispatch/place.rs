//! Finding a seller for each sub-task; those that ask for the same are bought together.

use super::{Attempt, Dispatch, State, TaskRun, Timer, staging};
use crate::effect::Effect;
use crate::event::{EventKind, Sale, Verdict};
use crate::journal::Note;
use market::Shortage;
use proto::message::bank::{Order, PlaceHold};
use proto::message::market::Ticket;
use proto::message::service::{Cancel, ServiceMessage};
use proto::{CommandId, ContractId, PublicKey, Signed, Span, Time};
use std::collections::BTreeSet;

/// How often the bank's silence is looked at.
const HOLD_WATCH: Span = Span::secs(60);

impl Dispatch {
    /// Buys for as many waiting sub-tasks as the window allows.
    pub(super) fn place(&mut self, task: ContractId, now: Time) {
        while let Some(batch) = self.tasks.get_mut(&task).and_then(|run| run.next_to_match(now)) {
            let Some(run) = batch.first().and_then(|index| self.run(task, *index)) else { continue };
            let (requirement, bid) = (run.plan.requirement.clone(), run.plan.bid);
            let avoid = batch.first().map(|index| self.avoided(task, *index)).unwrap_or_default();
            let mut tickets = Vec::new();
            for index in batch {
                self.become_state(task, index, State::Matching);
                let ticket = self.new_id();
                self.purchases.insert(ticket, (task, index));
                tickets.push(ticket);
            }
            self.next_token += 1;
            let token = self.next_token;
            self.effects.push_back(Effect::Buy { token, tickets, requirement, bid, avoid });
        }
        if let Some(run) = self.tasks.get(&task).filter(|run| run.is_waiting_for_gate()) {
            let at = run.gate_opens;
            if at > now {
                self.watch(at, Timer::Place(task));
            }
        }
    }

    /// The sellers that a sub-task does not want, each once: those that have answered a probe wrongly, those where it failed, those of its other replicas, and those
    /// that are passed over for now.
    fn avoided(&self, task: ContractId, index: u32) -> Vec<PublicKey> {
        let Some(task) = self.tasks.get(&task) else { return Vec::new() };
        let Some(run) = task.run_ref(index) else { return Vec::new() };
        let others = task.others(index).into_iter().map(|seller| seller.key);
        let distrusted = task.probing.distrusted().iter().copied();
        let all = distrusted.chain(run.shun.iter().copied()).chain(others).chain(run.avoid.iter().copied());
        let mut seen = BTreeSet::new();
        all.filter(|seller| seen.insert(*seller)).collect()
    }

    /// The market found a seller: the money is set aside, at once or when all that it has found are known.
    pub(crate) fn bought(&mut self, ticket: Signed<Ticket>, now: Time) {
        let Some(ticket) = self.room_bought(ticket, now) else { return };
        let Some(ticket) = self.keep_ticket(ticket) else { return };
        let Some((task, index)) = self.purchases.remove(&ticket.body.id) else { return };
        self.hold_for(task, index, ticket, now);
    }

    /// Sets the money for a sub-task aside.
    pub(super) fn hold_for(&mut self, task: ContractId, index: u32, ticket: Signed<Ticket>, now: Time) {
        let Some(run) = self.run(task, index).filter(|run| run.state == State::Matching) else {
            self.give_back(&ticket);
            return;
        };
        if run.head.is_some() && self.is_too_near(task, index, &ticket, now) {
            return;
        }
        if self.is_distrusted(task, ticket.body.winner.body.seller.key) {
            self.pass_over(task, index, &ticket, now);
            return;
        }
        self.gather(task, index, now);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(job) = run.joint_job(index) else { return };
        let (expires_in, amount) = (staging::hold_for(&job), run.joint_price(index));
        let Some(run) = run.run_mut(index) else { return };
        let seller = ticket.body.winner.body.seller.key;
        let hold = PlaceHold { seller, ticket: ticket.hash(), amount, expires_in };
        let sale = Sale::of(&ticket.body);
        let attempt = Attempt::new(ticket, now);
        let contract = attempt.contract;
        run.attempt = Some(attempt);
        if let Some(run) = self.tasks.get_mut(&task) {
            run.spread_probes(index, seller);
        }
        self.can_be_placed(task, index);
        self.consider(task, index, seller, now);
        self.become_state(task, index, State::Holding);
        self.contracts.insert(contract, (task, index));
        self.watch(now.after(HOLD_WATCH), Timer::Lease(contract));
        let seller = sale.seller;
        self.note_cast(task, index);
        self.note(Note::Bought { task, sub_task: index, contract, seller });
        self.effects.push_back(Effect::Order { id: contract, order: Order::PlaceHold(hold) });
        self.tell(task, EventKind::Matched { sub_task: index, sale }, now);
        self.place(task, now);
    }

    /// A seller was found that is not wanted: another one is looked for.
    pub(super) fn pass_over(&mut self, task: ContractId, index: u32, ticket: &Signed<Ticket>, now: Time) {
        self.give_back(ticket);
        self.become_state(task, index, State::Waiting);
        if let Some(run) = self.tasks.get_mut(&task) {
            run.requeue(index);
        }
        self.place(task, now);
    }

    /// Tells the seller that its slice will not be used, so that it need not wait for the ticket's end.
    pub(super) fn give_back(&mut self, ticket: &Signed<Ticket>) {
        let (to, contract) = (ticket.body.winner.body.seller, ticket.body.id);
        self.effects.push_back(Effect::Send { to, message: ServiceMessage::Cancel(Cancel { contract }) });
    }

    /// The market found nobody for some of a batch.
    pub(crate) fn not_bought(&mut self, tickets: &[CommandId], shortage: &Shortage, now: Time) {
        for ticket in tickets {
            self.no_room(*ticket, now);
            self.found_nobody(*ticket, shortage, now);
        }
    }

    /// The sub-task waits, or fails when its patience is over.
    fn found_nobody(&mut self, ticket: CommandId, shortage: &Shortage, now: Time) {
        let Some((task, index)) = self.purchases.remove(&ticket) else { return };
        let Some(run) = self.run(task, index).filter(|run| run.state == State::Matching) else { return };
        let mut why = shortage.to_string();
        if !run.shun.is_empty() {
            let shunned = run.shun.len();
            why = format!(
                "{why}; {shunned} sellers where it failed, or that are too near to others of it, are not asked"
            );
        }
        run.avoid.clear();
        let is_at_work = self.tasks.get(&task).is_some_and(TaskRun::is_at_work);
        let Some(run) = self.run(task, index) else { return };
        if is_at_work {
            run.fruitless_since = None;
        }
        let since = *run.fruitless_since.get_or_insert(now);
        if self.tasks.get(&task).is_some_and(|run| run.is_out_of_patience(since, now)) {
            self.end_all_like(task, index, why, now);
            return;
        }
        if self.is_hopeless(task, index, now) {
            return;
        }
        if self.put_back(task, index, &why, now) {
            self.tell(task, EventKind::NoSeller { sub_task: index, why }, now);
        }
        self.survey(task, index, now);
    }

    /// Puts a sub-task back into the queue, which is looked at again after a pause that grows. Tells whether
    /// the reason is news.
    pub(super) fn put_back(&mut self, task: ContractId, index: u32, why: &str, now: Time) -> bool {
        self.disband(task, index);
        self.become_state(task, index, State::Waiting);
        let Some(run) = self.run(task, index) else { return false };
        let is_news = run.why != why;
        why.clone_into(&mut run.why);
        if let Some(contract) = run.contract() {
            self.timers.clear(Timer::Lease(contract));
            self.contracts.remove(&contract);
        }
        if let Some(run) = self.tasks.get_mut(&task) {
            run.requeue(index);
            run.close_gate(now);
        }
        self.place(task, now);
        is_news
    }

    /// The patience of a sub-task is over, and with it that of those which ask for the same.
    fn end_all_like(&mut self, task: ContractId, index: u32, why: String, now: Time) {
        let others = self.tasks.get_mut(&task).map(|run| run.take_waiting_like(index)).unwrap_or_default();
        for index in others.into_iter().chain([index]) {
            self.end(task, index, Verdict::NotPlaced { why: why.clone() }, now);
        }
    }
}

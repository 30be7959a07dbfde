//! A task as its journal tells it: sub-tasks are where they were, without having gone the way there again.

use super::{Stage, SubTaskRun, TaskRun};
use crate::contract::State;
use crate::event::{End, Verdict};
use crate::journal::{Note, Saving, Tries};
use proto::{CommandId, ContractId, Money, Time};

impl TaskRun {
    /// Puts a sub-task where its journal says that it was.
    pub(in crate::dispatch) fn restore_state(&mut self, index: u32, next: State) {
        let Some(run) = self.run_mut(index) else { return };
        let before = std::mem::replace(&mut run.state, next);
        let (held, price) = (run.held, run.plan.price);
        run.held = if next.is_with_seller() { price } else { Money::ZERO };
        let now_held = run.held;
        self.tally.count(before, |count| count.saturating_sub(1));
        self.tally.count(next, |count| count.saturating_add(1));
        let rest = self.tally.held.checked_sub(held).unwrap_or(Money::ZERO);
        self.tally.held = rest.checked_add(now_held).unwrap_or(rest);
        self.at_work -= u32::from(before.is_at_work()).min(self.at_work);
        self.at_work += u32::from(next.is_at_work());
    }

    /// Puts the end of a sub-task where it was. What parts of it have cost is counted already.
    pub(in crate::dispatch) fn restore_end(&mut self, index: u32, end: End) {
        let next = match end.verdict {
            Verdict::Succeeded => State::Succeeded,
            Verdict::Cancelled | Verdict::NotNeeded(_) => State::Cancelled,
            _ => State::Failed,
        };
        self.restore_state(index, next);
        self.dequeue(index);
        self.drop_replicas(index);
        let Some(run) = self.run_mut(index) else { return };
        let before = run.paid.0.saturating_add(run.fee.0);
        (run.paid, run.fee, run.attempts) = (end.paid, end.fee, end.attempts);
        let cost = end.paid.0.saturating_add(end.fee.0).saturating_sub(before);
        run.end = Some(end);
        self.spend(Money(cost));
    }

    /// The replicas of a sub-task that had ended are not bought again.
    fn drop_replicas(&mut self, head: u32) {
        let Some(ballot) = self.ballots.get_mut(&head) else { return };
        ballot.stage = Stage::Over;
        for index in ballot.replicas.iter().chain(&ballot.probes).copied().collect::<Vec<_>>() {
            self.dequeue(index);
            if let Some(run) = self.run_mut(index) {
                run.state = State::Cancelled;
            }
        }
    }

    /// Of those that can be bought only those that wait are in the queue, and the gate opens at `gate`.
    pub(in crate::dispatch) fn restore_queue(&mut self, gate: Time) {
        let has_begun = |(index, run): (u32, &SubTaskRun)| (run.state != State::Waiting).then_some(index);
        let begun: Vec<u32> = (0_u32..).zip(&self.runs).filter_map(has_begun).collect();
        begun.into_iter().for_each(|index| self.dequeue(index));
        self.gate_opens = gate;
        self.worked_until = gate;
    }

    /// What a journal has to say of the task.
    pub(in crate::dispatch) fn notes(&self, task: ContractId) -> Vec<Note> {
        (0_u32..).zip(&self.runs).flat_map(|(index, run)| run.notes(task, index)).collect()
    }
}

impl SubTaskRun {
    /// The attempts so far.
    pub(in crate::dispatch) fn tries(&self) -> Tries {
        Tries {
            attempts: self.attempts,
            failures: self.failures,
            returns: self.returns,
            avoid: self.avoid.clone(),
            why: self.why.clone(),
        }
    }

    pub(in crate::dispatch) fn restore_tries(&mut self, tries: &Tries) {
        (self.attempts, self.failures, self.returns) = (tries.attempts, tries.failures, tries.returns);
        self.avoid.clone_from(&tries.avoid);
        self.why.clone_from(&tries.why);
    }

    fn notes(&self, task: ContractId, sub_task: u32) -> Vec<Note> {
        let parts = self.parts.iter().map(|part| Note::Part { task, sub_task, part: *part });
        let mut notes: Vec<Note> = parts.collect();
        if self.for_room > Money::ZERO {
            // Of all contracts that are over together.
            let (contract, cost) = (CommandId([0; 16]), self.for_room);
            notes.push(Note::Saving(Saving::Vacated { task, sub_task, contract, cost }));
        }
        if let Some(end) = &self.end {
            notes.push(Note::Ended { task, ends: vec![(sub_task, end.clone())] });
            return notes;
        }
        let tries = self.tries();
        if tries != Tries::default() {
            notes.push(Note::Tried { task, sub_task, tries });
        }
        let Some(attempt) = &self.attempt else { return notes };
        match &attempt.offer {
            Some(offer) => notes.push(Note::Offered { offer: Box::new(offer.clone()) }),
            None => {
                let (contract, seller) = (attempt.contract, attempt.seller());
                notes.push(Note::Bought { task, sub_task, contract, seller });
            }
        }
        if let Some(report) = attempt.report.as_ref().filter(|_| attempt.has_taken) {
            notes.push(Note::Taking { report: Box::new(report.clone()) });
        }
        if self.state == State::Settling {
            notes.push(Note::Accepted { contract: attempt.contract });
        }
        notes
    }
}

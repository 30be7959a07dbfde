//! A task as its journal tells it: sub-tasks are where they were, without having gone the way there again.

use super::{Stage, SubTaskRun, TaskRun};
use crate::contract::State;
use crate::event::{End, Verdict};
use crate::journal::{Note, Saving, Tries, Voting};
use proto::{CommandId, ContractId, Money, Time};

impl TaskRun {
    /// Puts a sub-task where its journal says that it was.
    pub(in crate::dispatch) fn restore_state(&mut self, index: u32, next: State) {
        let Some(run) = self.run_mut(index) else { return };
        let before = std::mem::replace(&mut run.state, next);
        let (held, price) = (run.held, run.plan.price);
        run.held = if next.is_with_seller() { price } else { Money::ZERO };
        let (now_held, is_replica) = (run.held, run.head.is_some());
        if !is_replica {
            self.tally.count(before, |count| count.saturating_sub(1));
            self.tally.count(next, |count| count.saturating_add(1));
        }
        let rest = self.tally.held.checked_sub(held).unwrap_or(Money::ZERO);
        self.tally.held = rest.checked_add(now_held).unwrap_or(rest);
        self.at_work -= u32::from(before.is_at_work()).min(self.at_work);
        self.at_work += u32::from(next.is_at_work());
        self.look_at_head(index);
    }

    /// Puts the end of a sub-task or of a replica where it was. What parts of it have cost is counted already.
    pub(in crate::dispatch) fn restore_end(&mut self, index: u32, mut end: End) {
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
        if let Some(own) = run.head.and_then(|_| end.replicas.pop()) {
            (run.vote, run.result) = (own.vote, own.result);
        }
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

    /// The run that takes the place of one of the replicas that a sub-task had, in the order in which they were bought;
    /// none if the sub-task has ended.
    pub(in crate::dispatch) fn recast(
        &mut self,
        head: u32,
        nth: usize,
        quorum: u32,
        why: &str,
    ) -> Option<u32> {
        self.run_ref(head).filter(|run| run.head.is_none() && !run.state.is_final())?;
        if self.ballot(head).is_none() {
            // It was at work when a copy of it was bought.
            self.dequeue(head);
            self.restore_state(head, State::Running);
            let copied = self.copy(head, why.to_owned())?;
            self.restore_state(copied, State::Waiting);
            self.enqueue(copied);
        }
        while self.ballot(head)?.replicas.len() <= nth {
            self.add_replica(head);
        }
        let ballot = self.ballot_mut(head)?;
        ballot.terms.quorum = quorum;
        why.clone_into(&mut ballot.why);
        ballot.replicas.get(nth).copied()
    }

    /// The sub-tasks that have replicas and have not ended.
    pub(in crate::dispatch) fn heads(&self) -> impl Iterator<Item = u32> {
        let is_open = |head: &u32| self.run_ref(*head).is_some_and(|run| !run.state.is_final());
        self.ballots.keys().copied().filter(is_open)
    }

    /// What a journal says of a replica, of which nothing else makes sense without that.
    pub(in crate::dispatch) fn cast_note(&self, task: ContractId, index: u32) -> Option<Note> {
        let sub_task = self.head_of(index).filter(|_| !self.is_probe(index))?;
        let ballot = self.ballot(sub_task)?;
        let (quorum, why) = (ballot.terms.quorum, ballot.why.clone());
        Some(Note::Voting(Voting::Cast { task, sub_task, run: index, quorum, why }))
    }

    /// How a replica has ended, with what the vote says of it.
    pub(in crate::dispatch) fn end_of_replica(&self, index: u32) -> Option<End> {
        let head = self.head_of(index).filter(|_| !self.is_probe(index))?;
        let end = self.run_ref(index)?.end.clone()?;
        let nth = self.ballot(head)?.replicas.iter().position(|replica| *replica == index)?;
        let replicas = self.replicas(head).into_iter().nth(nth).into_iter().collect();
        Some(End { replicas, ..end })
    }

    /// What a journal has to say of the task.
    pub(in crate::dispatch) fn notes(&self, task: ContractId) -> Vec<Note> {
        let sub_tasks = (0..self.sub_tasks).filter_map(|index| Some((index, self.run_ref(index)?)));
        let mut notes: Vec<Note> = sub_tasks.flat_map(|(index, run)| run.notes(task, index)).collect();
        for head in self.heads() {
            for (index, run) in self.replicas_of(head) {
                notes.extend(self.cast_note(task, index));
                notes.extend(run.notes(task, index));
                if let Some(end) = self.end_of_replica(index) {
                    notes.pop();
                    notes.push(Note::Ended { task, ends: vec![(index, end)] });
                }
            }
            if let Some(Stage::Paying(run)) = self.ballot(head).map(|ballot| ballot.stage) {
                notes.push(Note::Voting(Voting::Elected { task, sub_task: head, run }));
            }
            let asked = self.probes_of(head).filter_map(|(index, run)| run.bought_note(task, index));
            notes.extend(asked);
        }
        notes
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

    fn bought_note(&self, task: ContractId, sub_task: u32) -> Option<Note> {
        let attempt = self.attempt.as_ref()?;
        let (contract, seller) = (attempt.contract, attempt.seller());
        Some(Note::Bought { task, sub_task, contract, seller })
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
        // The offer of a replica does not tell which one it is.
        if self.head.is_some() || attempt.offer.is_none() {
            notes.extend(self.bought_note(task, sub_task));
        }
        notes.extend(attempt.offer.clone().map(|offer| Note::Offered { offer: Box::new(offer) }));
        let is_counted = matches!(self.state, State::Voting | State::Settling);
        match attempt.report.clone().map(Box::new) {
            Some(report) if attempt.has_taken => notes.push(Note::Taking { report }),
            Some(report) if is_counted => notes.push(Note::Voting(Voting::Counted { report })),
            _ => {}
        }
        if self.state == State::Settling {
            notes.push(Note::Accepted { contract: attempt.contract });
        }
        notes
    }
}

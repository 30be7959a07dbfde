//! Moments of a sub-task: by when it has to have ended, and from when on it is tried again.

use super::{Dispatch, State, Timer};
use crate::event::Verdict;
use proto::{ContractId, Span, Time};

impl Dispatch {
    /// Watches the deadlines of a task that begins.
    pub(super) fn watch_deadlines(&mut self, task: ContractId, now: Time) {
        let Some(run) = self.tasks.get(&task) else { return };
        let deadline = |run: &super::SubTaskRun| run.plan.deadline.map(|deadline| deadline.moment(now));
        let sub_tasks = (0_u32..run.sub_tasks()).zip(run.runs());
        let all: Vec<(u32, Time)> =
            sub_tasks.filter_map(|(index, run)| Some((index, deadline(run)?))).collect();
        for (index, at) in all {
            self.watch(at, Timer::Deadline(task, index));
        }
    }

    /// The deadline of a sub-task: what has not ended, and is not being paid, ends.
    pub(super) fn is_too_late(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(state) = self.run(task, index).map(|run| run.state) else { return };
        if state.is_final() || state == State::Settling {
            return;
        }
        if self.end_replicas(task, index, Verdict::TooLate, now) {
            return;
        }
        self.abandon_attempt(task, index, now);
        self.end(task, index, Verdict::TooLate, now);
    }

    /// Lets a sub-task that is in the queue wait for `rest` before it is bought for again.
    pub(super) fn rest(&mut self, task: ContractId, index: u32, rest: Span, now: Time) {
        if rest == Span(0) {
            return;
        }
        if let Some(run) = self.tasks.get_mut(&task) {
            run.dequeue(index);
        }
        self.watch(now.after(rest), Timer::Rested(task, index));
    }

    /// A sub-task has waited long enough.
    pub(super) fn has_rested(&mut self, task: ContractId, index: u32, now: Time) {
        if self.run(task, index).is_some_and(|run| run.state == State::Waiting) {
            if let Some(run) = self.tasks.get_mut(&task) {
                run.enqueue(index);
            }
            self.place(task, now);
        }
    }
}

//! A task and its sub-tasks as their user sees them.

use super::{SubTaskRun, TaskRun};
use crate::contract::State;
use crate::event::{End, Replica, Sale, Verdict};
use proto::message::service::Report;
use proto::{Capacity, Cycles, Money, Signed, Span};

/// A task as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its sub-tasks, in the order of the file.
    pub sub_tasks: Vec<SubTaskStatus>,
    /// The figures of it.
    pub tally: Tally,
    /// Whether every sub-task has ended.
    pub has_ended: bool,
    /// The result that the task looked for and found, in words: it has succeeded then.
    pub found: Option<String>,
}

/// A sub-task as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubTaskStatus {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Attempts made.
    pub attempts: u32,
    /// Cycles that the seller has reported so far.
    pub cycles: Cycles,
    /// How far its program says that it is, in millionths, if it says so.
    pub done: Option<u32>,
    /// The work that its file states.
    pub work: Option<Cycles>,
    /// What a core of its seller executes.
    pub per_core: Option<Capacity>,
    /// How long its program took for these cycles at this seller, without the time in which it stood still.
    pub ran: Span,
    /// The deal, once there is one.
    pub sale: Option<Sale>,
    /// Why it waits or why the last attempt failed; empty if there is nothing to say.
    pub why: String,
    /// How it ended.
    pub end: Option<End>,
    /// Its replicas, if it is bought more than once or its result is put to a test.
    pub replicas: Vec<Replica>,
}

/// A task in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sub-tasks that succeeded.
    pub done: u32,
    /// Sub-tasks that failed or were cancelled.
    pub failed: u32,
    /// Sub-tasks that have a seller.
    pub running: u32,
    /// The others.
    pub waiting: u32,
    /// Paid so far, fees included.
    pub spent: Money,
    /// Set aside at the moment.
    pub held: Money,
}

impl TaskRun {
    pub(in crate::dispatch) fn status(&self) -> TaskStatus {
        let mut sub_tasks: Vec<SubTaskStatus> =
            (0..self.sub_tasks).filter_map(|index| self.sub_task_status(index)).collect();
        for leader in self.runs.iter().filter(|run| !run.followers.is_empty()) {
            for follower in &leader.followers {
                let status = usize::try_from(*follower).ok().and_then(|index| sub_tasks.get_mut(index));
                if let Some(status) = status.filter(|status| !status.state.is_final()) {
                    status.sale = leader.sale();
                    status.why = format!("its turn comes after `{}`, under one contract", leader.plan.name);
                }
            }
        }
        TaskStatus { tally: self.tally, sub_tasks, has_ended: self.has_ended(), found: self.found.clone() }
    }
}

impl SubTaskRun {
    /// The end of it with this verdict.
    pub(super) fn take_end(&self, verdict: Verdict, elapsed: Span) -> End {
        let attempt = self.attempt.as_ref();
        let report = attempt.and_then(|attempt| attempt.report.as_ref()).map(|Signed { body, .. }| body);
        let here = report.filter(|_| attempt.is_some_and(|attempt| attempt.has_contents));
        if let Some(share) = self.share.as_deref() {
            return share.end(self, verdict, elapsed);
        }
        End {
            sale: attempt.map(|attempt| Sale::of(&attempt.ticket.body)),
            attempts: self.attempts,
            cycles: report.map_or(Cycles(0), Report::own_cycles),
            paid: self.paid,
            fee: self.fee,
            elapsed,
            outputs: here.map_or_else(Vec::new, |report: &Report| report.outputs.clone()),
            stdout: here.and_then(|report| report.stdout),
            stderr: here.and_then(|report| report.stderr),
            replicas: Vec::new(),
            verdict,
        }
    }

    /// As its user sees it, without its replicas.
    pub(super) fn status(&self) -> SubTaskStatus {
        SubTaskStatus {
            name: self.plan.name.clone(),
            state: self.state,
            attempts: self.attempts,
            cycles: self.attempt.as_ref().map_or(Cycles(0), |attempt| attempt.cycles),
            sale: self.sale(),
            done: self.attempt.as_ref().and_then(|attempt| attempt.done),
            work: self.plan.work,
            per_core: self.attempt.as_ref().map(|attempt| attempt.ticket.body.winner.body.per_core),
            ran: self.attempt.as_ref().map_or(Span(0), |attempt| attempt.ran),
            why: self.why.clone(),
            end: self.end.clone(),
            replicas: Vec::new(),
        }
    }
}

impl Tally {
    /// Changes the count that a sub-task in `state` belongs to.
    pub(super) fn count(&mut self, state: State, change: impl FnOnce(u32) -> u32) {
        let count = match state {
            State::Succeeded => &mut self.done,
            State::Failed | State::Cancelled => &mut self.failed,
            state if state == State::Holding || state.is_with_seller() => &mut self.running,
            _ => &mut self.waiting,
        };
        *count = change(*count);
    }
}

//! `StopWhen`: a result is what the task looked for, so the rest of it is cancelled and nothing more is paid. What is being
//! paid at that moment is paid. The task has succeeded then, whatever became of the other sub-tasks.
//!
//! The exit status is known here; what stands in an output the driver finds out. Only results that were accepted count,
//! or a liar could end a task by a false answer; but a status that means failure counts as its seller says it, unless the
//! sub-task is put to the vote.

use super::{Dispatch, State};
use crate::effect::Effect;
use crate::event::{End, EventKind, Verdict};
use crate::task::{StopCondition, StopPlace};
use proto::message::service::{Blob, Outcome};
use proto::{ContractId, Time};

/// How much is kept of what a driver says of a finding, in bytes.
const MAX_WORDS: usize = 200;

/// A result, and what is looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examining {
    /// The content, which is in the buyer's store.
    pub blob: Blob,
    /// Its name, for people.
    pub name: String,
    /// What is looked for.
    pub condition: StopCondition,
}

impl Dispatch {
    /// A sub-task has ended: is its result what the task looks for?
    pub(super) fn look_for(&mut self, task: ContractId, sub_task: u32, end: &End, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(stop) = run.stop_when.clone().filter(|_| run.found.is_none()) else { return };
        if stop.sub_tasks.as_ref().is_some_and(|meant| !meant.contains(&sub_task)) {
            return;
        }
        let place = match &stop.condition {
            StopCondition::Exit(status) => {
                let success = run.run_ref(sub_task).map_or(0, |run| run.plan.job.success);
                let is_it = match &end.verdict {
                    Verdict::Succeeded => success == *status,
                    Verdict::Failed(Outcome::Exited(exited)) => *exited == i32::from(*status),
                    _ => false,
                };
                if is_it {
                    self.found(task, sub_task, format!("its exit status is {status}"), now);
                }
                return;
            }
            StopCondition::Contains { place, .. }
            | StopCondition::Below { place, .. }
            | StopCondition::Above { place, .. } => place,
        };
        let (name, blob) = match place {
            StopPlace::StdOut => ("standard output", end.stdout),
            StopPlace::Output(name) => {
                let output = end.outputs.iter().find(|output| output.name == *name);
                (name.as_str(), output.map(|output| output.blob))
            }
        };
        let Some(blob) = blob.filter(|_| end.verdict == Verdict::Succeeded) else { return };
        let examining = Examining { blob, name: name.into(), condition: stop.condition.clone() };
        run.examining += 1;
        self.next_token += 1;
        let token = self.next_token;
        self.examinations.insert(token, (task, sub_task));
        self.effects.push_back(Effect::Examine { token, examining: Box::new(examining) });
    }

    /// The driver has looked into a result: what it has found, in words, if it is there.
    pub(crate) fn examined(&mut self, token: u64, found: Option<String>, now: Time) {
        let Some((task, sub_task)) = self.examinations.remove(&token) else { return };
        let Some(run) = self.tasks.get_mut(&task) else { return };
        run.examining = run.examining.saturating_sub(1);
        if let Some(mut what) = found.filter(|_| run.found.is_none()) {
            what.truncate(what.floor_char_boundary(MAX_WORDS));
            self.found(task, sub_task, what, now);
        }
        self.tell_if_ended(task, now);
    }

    /// The task has found what it looked for.
    fn found(&mut self, task: ContractId, sub_task: u32, what: String, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let name = run.run_ref(sub_task).map(|run| run.plan.name.clone()).unwrap_or_default();
        let why = format!("sub-task `{name}` is what was looked for: {what}");
        run.found = Some(why.clone());
        self.tell(task, EventKind::Found { sub_task, what }, now);
        self.stop(task, &Verdict::NotNeeded(why), now);
    }

    /// Ends every sub-task of `task` that has not ended and is not being paid.
    pub(super) fn stop(&mut self, task: ContractId, verdict: &Verdict, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        run.drop_queue();
        run.probing.close();
        // Followers first: they would go back to the queue.
        let followers: Vec<u32> = run.runs().flat_map(|run| run.followers.clone()).collect();
        for index in followers.into_iter().chain(0..run.sub_tasks()) {
            if self.end_replicas(task, index, verdict.clone(), now) {
                continue;
            }
            let Some(state) = self.run(task, index).map(|run| run.state) else { continue };
            if state.is_final() || state == State::Settling {
                continue;
            }
            self.abandon_attempt(task, index, now);
            self.end(task, index, verdict.clone(), now);
        }
    }
}

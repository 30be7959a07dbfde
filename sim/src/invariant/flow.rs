//! `inputs_there`: nothing is offered before all that it waits for has succeeded, and it has their outputs as inputs.

use super::{Breach, Checked};
use proto::message::service::{NamedBlob, Offer};
use proto::{ContractId, PublicKey};
use service::task::{Produced, Slot};
use service::{End, Submission};
use std::collections::BTreeMap;

/// A sub-task: whose, of which task, and its number.
type SubTask = (PublicKey, ContractId, u32);

/// What sub-tasks wait for, and what was made.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    /// For each input that comes from another sub-task: its name, whose output it is, and which.
    waits: BTreeMap<SubTask, Vec<(String, u32, String)>>,
    made: BTreeMap<SubTask, Vec<NamedBlob>>,
}

impl Flows {
    /// A buyer submits a task.
    pub(crate) fn submitted(&mut self, buyer: PublicKey, submission: &Submission) {
        for (index, plan) in (0_u32..).zip(&submission.plans) {
            let wait = |feed: &service::task::Feed| match (&feed.slot, &feed.what) {
                (Slot::Input(name), Produced::Output(what)) => Some((name.clone(), feed.from, what.clone())),
                _ => None,
            };
            let waits: Vec<_> = plan.feeds.iter().filter_map(wait).collect();
            if !waits.is_empty() {
                self.waits.insert((buyer, submission.task, index), waits);
            }
        }
    }

    /// A buyer is told how a sub-task ended.
    pub(crate) fn told(&mut self, buyer: PublicKey, task: ContractId, index: u32, end: &End) {
        if end.verdict == service::event::Verdict::Succeeded {
            self.made.insert((buyer, task, index), end.outputs.clone());
        }
    }

    /// A buyer offers a sub-task.
    pub(crate) fn offered(&self, offer: &Offer) -> Checked {
        let Offer { buyer, task, sub_task, job, .. } = offer;
        for (name, from, what) in self.waits.get(&(buyer.key, *task, *sub_task)).into_iter().flatten() {
            let made = self.made.get(&(buyer.key, *task, *from)).into_iter().flatten();
            let expected = made.filter(|made| made.name == *what).map(|made| made.blob).next();
            let found = job.inputs.iter().find(|input| input.name == *name).map(|input| input.blob);
            Breach::unless(expected.is_some() && expected == found, "inputs_there", || {
                format!(
                    "sub-task {sub_task} is offered with {found:?} as {name}, and sub-task {from} has made {expected:?}"
                )
            })?;
        }
        Ok(())
    }
}

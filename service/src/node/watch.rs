//! What the driver asks beside the inputs: what is to be kept of a node, and who may see what while work runs. What
//! programs print never passes through the core: the driver carries it.

use super::{Node, Output};
use crate::dispatch::{Tally, TaskStatus, Want};
use crate::effect::Effect;
use crate::journal::Note;
use proto::{Capacity, ContractId, Peer, PublicKey, Time};

/// A seller at work on a sub-task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtWork {
    /// The contract of the attempt.
    pub contract: ContractId,
    /// Where the seller was heard last.
    pub seller: Peer,
    /// What one of its cores executes.
    pub per_core: Capacity,
}

impl Node {
    /// What the journal of this node has to say, in place of all that was written.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        [self.worker.notes(), self.dispatch.notes()].concat()
    }

    /// What was restored is written down as a whole before anything that follows, and its own notes are in that: replicas are
    /// numbered anew, and what names them by these numbers may not stand behind notes with the former ones.
    pub(super) fn write_anew(&mut self) {
        for effects in [&mut self.worker.effects, &mut self.dispatch.effects] {
            effects.retain(|effect| !matches!(effect, Effect::Append(_)));
        }
        self.outputs.push_back(Output::Replace { notes: self.notes() });
    }

    /// For whom a contract is executed here: nobody else is shown what its program prints.
    #[must_use]
    pub fn executes_for(&self, contract: ContractId) -> Option<PublicKey> {
        self.worker.executes_for(contract)
    }

    /// The seller that is at work on a sub-task of this node's user, if one is.
    #[must_use]
    pub fn at_work(&self, task: ContractId, sub_task: u32) -> Option<AtWork> {
        self.dispatch.at_work(task, sub_task)
    }

    /// A task of this node's user.
    #[must_use]
    pub fn task(&self, task: ContractId) -> Option<TaskStatus> {
        self.dispatch.status(task)
    }

    /// A task of this node's user in figures.
    #[must_use]
    pub fn tally(&self, task: ContractId) -> Option<Tally> {
        self.dispatch.tally(task)
    }

    /// What the sub-tasks of a task that have not ended need.
    #[must_use]
    pub fn wants(&self, task: ContractId, now: Time) -> Vec<Want> {
        self.dispatch.wants(task, now)
    }

    /// The tasks of this node's user.
    pub fn tasks(&self) -> impl Iterator<Item = ContractId> + '_ {
        self.dispatch.task_ids()
    }
}

//! Replicas after a restart: those that were under way go on, those that have lost their sellers go on from their states,
//! and votes that were counted are counted again.
//!
//! The notes of a replica name it by the number of its run, which another one may have after a restart: runs are added as
//! they are needed. So these notes are looked at when all sub-tasks are where they were; the first note of a replica says
//! whose it is, and it takes the place of the next one of its sub-task. Probes are asked anew: what was asked is left.

use super::{Abandoned, Dispatch, Place, Recalled};
use crate::dispatch::run::Stage;
use crate::journal::{Note, Saving, Voting};
use proto::{ContractId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What the notes tell of runs that are no sub-tasks of the file.
#[derive(Default)]
pub(super) struct Casts {
    /// Their contracts.
    contracts: BTreeSet<ContractId>,
    /// Which run is in the place of one of former times; none: its sub-task has ended.
    pub(super) now: BTreeMap<Place, Option<u32>>,
    /// How many replicas of a sub-task have their place.
    count: BTreeMap<Place, usize>,
}

impl Dispatch {
    /// A run is about to be bought, or was: if it is a replica, that is written down, and it is saved for itself.
    pub(in crate::dispatch) fn note_cast(&mut self, task: ContractId, index: u32) {
        self.keep_replica(task, index);
        if let Some(note) = self.tasks.get(&task).and_then(|run| run.cast_note(task, index)) {
            self.note(note);
        }
    }

    /// Writes down how a replica has ended.
    pub(in crate::dispatch) fn note_end_of_replica(&mut self, task: ContractId, index: u32) {
        if let Some(end) = self.tasks.get(&task).and_then(|run| run.end_of_replica(index)) {
            self.note(Note::Ended { task, ends: vec![(index, end)] });
        }
    }

    /// Whether a note is about a run that is no sub-task of the file.
    pub(super) fn is_of_replica(&self, note: &Note, casts: &mut Casts) -> bool {
        let is_beyond = |task, index: u32| self.tasks.get(task).is_some_and(|run| index >= run.sub_tasks());
        let contract = match note {
            Note::Bought { task, sub_task, contract, .. } if is_beyond(task, *sub_task) => {
                casts.contracts.insert(*contract);
                return true;
            }
            Note::Tried { task, sub_task, .. }
            | Note::Part { task, sub_task, .. }
            | Note::Saving(Saving::States { task, sub_task, .. }) => return is_beyond(task, *sub_task),
            Note::Ended { task, ends } => return ends.iter().any(|(index, _)| is_beyond(task, *index)),
            Note::Voting(_) => return true,
            Note::Offered { offer } => offer.body.contract,
            Note::Taking { report } => report.body.contract,
            Note::Accepted { contract } | Note::Left { contract, .. } | Note::Freed { contract } => *contract,
            _ => return false,
        };
        casts.contracts.contains(&contract)
    }

    /// Replays a note of a replica.
    pub(super) fn replay_replica(&mut self, note: &Note, recalled: &mut Recalled, now: Time) {
        let place = |recalled: &Recalled, task: ContractId, index| {
            Some((task, recalled.casts.now.get(&(task, index)).copied()??))
        };
        let mut moved = note.clone();
        match &mut moved {
            Note::Bought { task, sub_task, contract, seller } => match place(recalled, *task, *sub_task) {
                Some((_, index)) => *sub_task = index,
                None => {
                    if !recalled.casts.now.contains_key(&(*task, *sub_task)) {
                        let until = Abandoned::new(*seller, now).until;
                        recalled.left.insert(*contract, (*seller, until));
                    }
                    return;
                }
            },
            Note::Tried { task, sub_task, .. }
            | Note::Part { task, sub_task, .. }
            | Note::Saving(Saving::States { task, sub_task, .. }) => {
                let Some((_, index)) = place(recalled, *task, *sub_task) else { return };
                *sub_task = index;
            }
            Note::Ended { task, ends } => {
                for (former, end) in ends {
                    let Some((task, index)) = place(recalled, *task, *former) else { continue };
                    recalled.attempts.remove(&(task, index));
                    if let Some(run) = self.tasks.get_mut(&task) {
                        run.restore_end(index, end.clone());
                    }
                    self.forget_keeping(task, index);
                }
                return;
            }
            Note::Offered { offer } if !recalled.of.contains_key(&offer.body.contract) => return,
            Note::Voting(voting) => return self.replay_vote(voting, recalled),
            _ => {}
        }
        self.replay(&moved, recalled);
    }

    fn replay_vote(&mut self, voting: &Voting, recalled: &mut Recalled) {
        match voting {
            Voting::Cast { task, sub_task, run, quorum, why } => {
                let (head, former) = ((*task, *sub_task), (*task, *run));
                if recalled.casts.now.contains_key(&former) {
                    return;
                }
                let count = recalled.casts.count.entry(head).or_default();
                let Some(run) = self.tasks.get_mut(task) else { return };
                let is_copied = run.ballot(*sub_task).is_none();
                let now = run.recast(*sub_task, *count, *quorum, why);
                *count += 1;
                recalled.casts.now.insert(former, now);
                let Some(index) = now else { return };
                self.keep_replica(*task, index);
                // What was at work when its copy was bought has become a replica.
                if is_copied && let Some(draft) = recalled.attempts.remove(&head) {
                    recalled.begin((*task, index), draft);
                }
            }
            Voting::Counted { report } => {
                if let Some(draft) = recalled.draft(report.body.contract) {
                    (draft.report, draft.is_counted) = (Some((**report).clone()), true);
                }
            }
            Voting::Elected { task, sub_task, run } => {
                let now = recalled.casts.now.get(&(*task, *run)).copied().flatten();
                let ballot = self.tasks.get_mut(task).and_then(|task| task.ballot_mut(*sub_task));
                if let (Some(canonical), Some(ballot)) = (now, ballot) {
                    ballot.stage = Stage::Paying(canonical);
                }
            }
        }
    }

    /// What the votes come to that were under way.
    pub(super) fn count_again(&mut self, casts: &Casts, now: Time) {
        for (task, head) in casts.count.keys() {
            let stage = self.tasks.get(task).and_then(|run| run.ballot(*head)).map(|ballot| ballot.stage);
            if let Some(Stage::Paying(canonical)) = stage {
                self.drop_late(*task, *head, canonical, now);
            }
            self.count_votes(*task, *head, now);
        }
    }
}

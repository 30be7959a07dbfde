//! Saving what runs here for others: when, how often, and what the buyer is told of it (paper §V-C, DESIGN §5.8).
//!
//! The core asks the driver for a state when one is due ([`Effect::Save`]). A program that saves itself gives one at its
//! next chance, every other at once. The driver encrypts it and puts it into the store under its hash; whoever is told
//! the hash can fetch it, and read it with the key of the job only.

use super::{Duty, Stage, Worker};
use crate::checkpoint::{Experience, FIRST_COST, contents, interval, most};
use crate::effect::Effect;
use crate::journal::Note;
use proto::message::service::{
    Checkpoint, CheckpointMethod, Checkpointing, NotSaved, Outcome, Saved, ServiceMessage,
};
use proto::{ContractId, Cycles, Signed, Span, Time};
use std::collections::BTreeMap;

/// How long a state that was asked for may take until it is asked for again.
const ASK_AGAIN: Span = Span::secs(60);
/// After so much work for others it is written down that nothing has cut it short. A failure is written down at once.
const NOTE_AFTER: Span = Span::secs(600);
/// How long after one that failed the next state is asked for, at least.
const AFTER_FAILURE: Span = Span::secs(10);

/// The saved state of a running program, as the driver has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The state, in the store.
    pub checkpoint: Checkpoint,
    /// The cycles that were metered under this contract up to it.
    pub cycles: Cycles,
    /// For how long the program stood still.
    pub cost: Span,
}

/// All programs that are saved here.
#[derive(Default)]
pub(super) struct Savings {
    /// What was seen of this seller's failures.
    experience: Experience,
    /// What was written down of it last.
    noted: Experience,
    /// Since when what runs here runs.
    started: BTreeMap<ContractId, Time>,
    saved: BTreeMap<ContractId, Saving>,
}

/// One program that is saved.
struct Saving {
    /// When the next state is to be asked for.
    due: Time,
    /// What the last one has cost.
    cost: Span,
    /// The last one.
    last: Option<Signed<Saved>>,
    /// The one before it, which the buyer may need as long as the last is on its way.
    before: Option<Checkpoint>,
}

impl Savings {
    /// An execution is begun.
    fn begin(&mut self, contract: ContractId, spec: Option<&Checkpointing>, least: Span, now: Time) {
        self.started.insert(contract, now);
        let Some(spec) = spec else { return };
        let due = match spec.method {
            // It gives its states when it likes: the first one is welcome.
            CheckpointMethod::BySelf { .. } => now,
            CheckpointMethod::Transparent => now.after(self.pause(spec, FIRST_COST, least)),
        };
        self.saved.insert(contract, Saving { due, cost: FIRST_COST, last: None, before: None });
    }

    /// The time from one state to the next.
    fn pause(&self, spec: &Checkpointing, cost: Span, least: Span) -> Span {
        match spec.interval {
            Some(given) => given.max(least),
            None => interval(cost, self.experience.mean_time(), least),
        }
    }
}

impl Worker {
    /// A program begins to run for its buyer.
    pub(super) fn begin_saving(&mut self, contract: ContractId, now: Time) {
        let Some(work) = self.works.get(&contract) else { return };
        if matches!(work.duty, Duty::Sale) {
            let spec = work.offer.body.job.checkpoint.as_ref();
            self.savings.begin(contract, spec, self.terms.save_every, now);
            self.ask_for_states(now);
        }
    }

    /// Asks for the states that are due. While the owner needs the machine none is: what stands still loses nothing.
    pub(super) fn ask_for_states(&mut self, now: Time) {
        if self.owner.is_suspended() {
            return;
        }
        for (contract, saving) in &mut self.savings.saved {
            if saving.due <= now {
                saving.due = now.after(ASK_AGAIN);
                self.effects.push_back(Effect::Save { contract: *contract });
            }
        }
    }

    /// When the next state is due.
    pub(super) fn next_state(&self) -> Option<Time> {
        let dues = self.savings.saved.values().map(|saving| saving.due);
        dues.min().filter(|_| !self.owner.is_suspended())
    }

    /// A state was saved, or could not be: the buyer is told.
    pub(crate) fn saved(&mut self, contract: ContractId, result: Result<Snapshot, String>, now: Time) {
        let Some(work) = self.works.get(&contract) else { return };
        let Some(spec) = &work.offer.body.job.checkpoint else { return };
        let runs = matches!(work.stage, Stage::Running | Stage::Stopping(_));
        let Some(saving) = self.savings.saved.get(&contract).filter(|_| runs) else { return };
        let (buyer, most) = (work.buyer, most(spec.size));
        let result = result.and_then(|state| match state.checkpoint.size() {
            size if size > most => Err(format!(
                "the saved state of {size} is larger than the {} that are reserved for it; raise CheckPointDataSize",
                spec.size
            )),
            _ => Ok(state),
        });
        let (cost, wait) = match &result {
            Ok(state) => (state.cost, Span(0)),
            Err(_) => (saving.cost, AFTER_FAILURE),
        };
        let due = now.after(self.savings.pause(spec, cost, self.terms.save_every).max(wait));
        let Some(saving) = self.savings.saved.get_mut(&contract) else { return };
        (saving.due, saving.cost) = (due, cost);
        let message = match result {
            Ok(Snapshot { checkpoint, cycles, .. }) => {
                let version = saving.last.as_ref().map_or(0, |last| last.body.version).saturating_add(1);
                let saved = Signed::new(Saved { contract, version, cycles, checkpoint }, &self.keys);
                let former = saving.last.replace(saved.clone()).map(|last| last.body.checkpoint);
                let dropped = std::mem::replace(&mut saving.before, former);
                let mut dropped = contents(dropped);
                dropped.retain(|blob| !contents(former.into_iter().chain([checkpoint])).contains(blob));
                self.effects.push_back(Effect::Keep { contract, blobs: contents([checkpoint]) });
                if !dropped.is_empty() {
                    self.effects.push_back(Effect::Drop { contract, blobs: dropped });
                }
                ServiceMessage::Saved(Box::new(saved))
            }
            Err(why) => ServiceMessage::NotSaved(NotSaved { contract, why }),
        };
        self.effects.push_back(Effect::Send { to: buyer, message });
    }

    /// Tells the buyer of the last state once more: the first word may have been lost.
    pub(super) fn repeat_saved(&mut self, contract: ContractId) {
        let last = self.savings.saved.get(&contract).and_then(|saving| saving.last.clone());
        if let (Some(last), Some(work)) = (last, self.works.get(&contract)) {
            self.effects
                .push_back(Effect::Send { to: work.buyer, message: ServiceMessage::Saved(Box::new(last)) });
        }
    }

    /// The last state of a program, which is handed over where none can be made at the moment.
    pub(super) fn last_state(&self, contract: ContractId) -> Option<(Checkpoint, Cycles)> {
        let last = &self.savings.saved.get(&contract)?.last.as_ref()?.body;
        Some((last.checkpoint, last.cycles))
    }

    /// An execution is over, in this way.
    pub(super) fn end_saving(&mut self, contract: ContractId, outcome: &Outcome, now: Time) {
        self.savings.saved.remove(&contract);
        if let Some(started) = self.savings.started.remove(&contract) {
            let is_cut_short = matches!(outcome, Outcome::Abandoned(_) | Outcome::Migrated(_));
            self.learn(now.since(started), is_cut_short);
        }
    }

    /// An execution has come to its end after `worked`, or was cut short.
    fn learn(&mut self, worked: Span, is_cut_short: bool) {
        let Savings { experience, noted, .. } = &mut self.savings;
        experience.note(worked, is_cut_short);
        if is_cut_short || experience.worked >= noted.worked.plus(NOTE_AFTER) {
            *noted = *experience;
            let experience = *experience;
            self.note(Note::Worked { experience });
        }
    }

    /// What a former run of the node has seen of its failures.
    pub(super) const fn recall_experience(&mut self, experience: Experience) {
        (self.savings.experience, self.savings.noted) = (experience, experience);
    }

    /// An execution has ended with the process: nobody knows any more after what time.
    pub(super) fn learn_of_crash(&mut self) {
        self.learn(Span(0), true);
    }

    /// What a journal has to say of it.
    pub(super) fn experience_note(&self) -> Option<Note> {
        let experience = self.savings.experience;
        (experience != Experience::default()).then_some(Note::Worked { experience })
    }
}

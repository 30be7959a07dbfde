//! The saved states of the buyer's sub-tasks: what sellers tell of them, which are worth going on from, and the way back
//! to one of them when a seller is lost (paper §V-C, DESIGN §5.8).
//!
//! A state counts when somebody beside its maker has it, with what it rests on: a storage node ([`super::storage`]), or
//! this node where no room is to be had, or not soon. The last two such states are remembered. A sub-task that loses its seller goes on from the newest; one
//! that turns out to be none is forgotten, and then the one before it counts, and then the start.

use super::{Dispatch, State};
use crate::checkpoint::{STORAGE_PERCENT, contents, most};
use crate::effect::Effect;
use crate::event::EventKind;
use crate::journal::{Note, SavedState, Saving, States};
use crate::plan::{Origin, Part, SubTaskPlan};
use proto::message::service::{Blob, Checkpoint, CheckpointKey, Checkpointing, NotSaved, Saved};
use proto::{ContractId, Cycles, Hash, Money, Peer, PublicKey, Signed, Span, Time};
use rand_chacha::rand_core::Rng as _;

/// States of one seller that come faster than this are not looked at, so that nobody is kept busy with them.
const LEAST_PAUSE: Span = Span::millis(200);
/// The longest words of a seller that are shown.
const MAX_WORDS: usize = 300;

/// What is known of the states of one sub-task.
pub(super) struct Keeping {
    /// Under this id states are fetched to this node and kept here.
    pub(super) id: ContractId,
    pub(super) spec: Checkpointing,
    origin: Origin,
    /// What is left of what was set aside for room.
    pub(super) budget: Money,
    /// Oldest first.
    pub(super) states: Vec<SavedState>,
    /// The work that was done before the present attempt.
    base: Cycles,
    /// The last state that the present seller told of, and when.
    heard: (u32, Time),
    /// Whether the present attempt has brought a state that counts.
    has_progressed: bool,
    /// What is being fetched to this node, and who else may have it.
    fetching: Option<(Checkpoint, Vec<Peer>)>,
    /// The sub-task waits for what is being fetched.
    is_recovering: bool,
    /// The state that was opened here and that a seller could not go on from.
    doubted: Option<Checkpoint>,
    /// Sellers of room that have failed.
    pub(super) avoid: Vec<PublicKey>,
    /// When room may be looked for again, after there was none.
    pub(super) look_again: Time,
    /// What was written down of it last.
    noted: Option<States>,
}

impl Keeping {
    const fn new(id: ContractId, origin: Origin, spec: Checkpointing, budget: Money) -> Self {
        Self {
            id,
            spec,
            origin,
            budget,
            states: Vec::new(),
            base: Cycles(0),
            heard: (0, Time(0)),
            has_progressed: false,
            fetching: None,
            is_recovering: false,
            doubted: None,
            avoid: Vec::new(),
            look_again: Time(0),
            noted: None,
        }
    }

    /// What storage nodes are to have: the newest state, and the newest that counts beside it.
    pub(super) fn wanted(&self) -> Vec<Blob> {
        let Some((newest, older)) = self.states.split_last() else { return Vec::new() };
        let fallback = older.iter().rev().find(|state| state.is_whole());
        contents(fallback.into_iter().chain([newest]).map(|state| state.checkpoint))
    }

    /// Who has them.
    pub(super) fn sources(&self) -> Vec<Peer> {
        let mut sources: Vec<Peer> = self.states.iter().rev().map(|state| state.maker).take(1).collect();
        for holder in self.states.iter().rev().flat_map(|state| &state.holders) {
            if !sources.contains(holder) {
                sources.push(*holder);
            }
        }
        sources
    }

    /// `holder` has these, and nothing else of it.
    pub(super) fn hold(&mut self, holder: Peer, hashes: &[Hash]) {
        for state in &mut self.states {
            state.holders.retain(|other| other.key != holder.key);
            if state.checkpoint.contents().all(|blob| hashes.contains(&blob.hash)) {
                state.holders.push(holder);
            }
        }
    }

    /// A state that a seller has handed over: it is here, and the newest.
    fn push_handed_over(&mut self, checkpoint: Checkpoint, total: Cycles, maker: Peer) {
        self.states.retain(|state| state.checkpoint != checkpoint);
        let (holders, is_here, is_told) = (Vec::new(), true, true);
        self.states.push(SavedState { checkpoint, total, maker, holders, is_here, is_told });
    }

    /// The states that count.
    fn whole(&self) -> Vec<SavedState> {
        self.states.iter().filter(|state| state.is_whole()).cloned().collect()
    }

    /// What a journal has to say of it, if it has ever had to.
    fn to_note(&self) -> Option<States> {
        let states = self.whole();
        let is_any = self.noted.is_some() || !states.is_empty();
        is_any.then_some(States { id: self.id, key: self.spec.key, base: self.base, states })
    }

    /// Forgets what no longer counts, and gives those of it that are here. The last two that count stay, and what is
    /// newer.
    fn trim(&mut self) -> Vec<Blob> {
        let whole = self.states.iter().enumerate().rev().filter(|(_, state)| state.is_whole());
        let first = whole.map(|(index, _)| index).nth(1).unwrap_or(0);
        let dropped = self.states.drain(..first).filter(|state| state.is_here).map(|state| state.checkpoint);
        let mut dropped = contents(dropped);
        let needed = contents(self.states.iter().map(|state| state.checkpoint));
        dropped.retain(|blob| !needed.contains(blob));
        dropped
    }
}

impl Dispatch {
    /// Sets the money for room aside from the price of each sub-task that is to be saved.
    pub(super) fn prepare_saving(&mut self, task: ContractId, plans: &mut [SubTaskPlan]) {
        let fee = self.rules.owner_fee;
        for (index, plan) in (0_u32..).zip(plans) {
            let Some(spec) = &mut plan.job.checkpoint else { continue };
            self.rng.fill_bytes(&mut spec.key.0);
            let spec = spec.clone();
            let budget = plan.set_aside(STORAGE_PERCENT, fee);
            let keeping = Keeping::new(self.new_id(), plan.origin(), spec, budget);
            self.begin_keeping((task, index), keeping);
        }
    }

    fn begin_keeping(&mut self, key: (ContractId, u32), keeping: Keeping) {
        self.kept_for.insert(keeping.id, key);
        self.keepings.insert(key, keeping);
    }

    /// A replica is saved like the sub-task that it is one of, and for itself: what it goes on from is its own. The copy of
    /// what is at work, and that itself, have what the sub-task had until then, and are planned from its start.
    pub(super) fn keep_replica(&mut self, task: ContractId, index: u32) {
        let Some(run) = self.tasks.get(&task) else { return };
        let Some(head) = run.head_of(index).filter(|_| !self.keepings.contains_key(&(task, index))) else {
            return;
        };
        let spec = run.run_ref(index).and_then(|run| run.plan.job.checkpoint.clone());
        let former = self.keepings.get(&(task, head));
        let former = former.map(|own| (own.origin, own.budget, own.base, own.whole(), own.noted.clone()));
        let (Some((origin, budget, base, states, noted)), Some(spec)) = (former, spec) else { return };
        let blobs = contents(states.iter().filter(|state| state.is_here).map(|state| state.checkpoint));
        let id = self.new_id();
        let keeping = Keeping::new(id, origin, spec, budget);
        self.begin_keeping((task, index), Keeping { base, states, noted, ..keeping });
        if !blobs.is_empty() {
            self.effects.push_back(Effect::Keep { contract: id, blobs });
        }
    }

    /// A seller tells of a state that it has saved.
    pub(super) fn saved(&mut self, from: Peer, paper: &Signed<Saved>, now: Time) {
        let Saved { contract, version, cycles, checkpoint } = paper.body;
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let is_at_work = matches!(run.state, State::Running | State::Suspended);
        let seller = run.attempt.as_ref().map(|attempt| attempt.seller());
        let limit =
            run.attempt.as_ref().and_then(|attempt| Some(attempt.offer.as_ref()?.body.job.limits.cycles));
        if !is_at_work || seller != Some(from) || !run.is_signed_by_seller(paper) {
            return;
        }
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let (last, at) = keeping.heard;
        if version < last || now.since(at) < LEAST_PAUSE {
            return;
        }
        if version == last {
            // It is said again with each sign of life: to find room takes long, and until then it is kept here.
            if !self.is_kept_in_room(task, index) {
                self.keep_newest(task, index);
            }
            return;
        }
        let total = Cycles(keeping.base.0.saturating_add(cycles.0));
        let is_sane = checkpoint.size() <= most(keeping.spec.size)
            && limit.is_some_and(|limit| cycles <= limit)
            && keeping
                .states
                .last()
                .is_none_or(|state| state.total <= total && state.checkpoint.blob != checkpoint.blob);
        if !is_sane {
            return;
        }
        keeping.heard = (version, now);
        let (holders, is_here, is_told) = (Vec::new(), false, false);
        keeping.states.push(SavedState { checkpoint, total, maker: from, holders, is_here, is_told });
        self.tell_storage(task, index);
        self.look_for_room(task, index, now);
        self.keep_here(task, index);
    }

    /// A seller tells that it could not save a state.
    pub(super) fn not_saved(&mut self, from: Peer, not_saved: NotSaved, now: Time) {
        let Some((task, index, run)) = self.attempt(not_saved.contract) else { return };
        let is_seller = run.attempt.as_ref().is_some_and(|attempt| attempt.seller().key == from.key);
        if is_seller && run.state.is_sellers_turn() && self.keepings.contains_key(&(task, index)) {
            let why = not_saved.why.chars().take(MAX_WORDS).collect();
            self.tell(task, EventKind::NotSaved { sub_task: index, why }, now);
        }
    }

    /// Where nobody sells room, this node keeps the newest state itself.
    pub(super) fn keep_here(&mut self, task: ContractId, index: u32) {
        if !self.has_room(task, index) {
            self.keep_newest(task, index);
        }
    }

    /// This node fetches the newest state, unless it is here or on its way.
    fn keep_newest(&mut self, task: ContractId, index: u32) {
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let Some(newest) = keeping.states.last().filter(|state| !state.is_here) else { return };
        if keeping.fetching.is_none() {
            let (contract, checkpoint, from) = (keeping.id, newest.checkpoint, newest.maker);
            keeping.fetching = Some((checkpoint, Vec::new()));
            self.effects.push_back(Effect::Fetch { contract, from, blobs: contents([checkpoint]) });
        }
    }

    /// A state may count from now on: the user is told, and older ones are forgotten.
    pub(super) fn count_states(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let contract = keeping.id;
        let mut news = None;
        let newest = keeping.states.iter_mut().rev().find(|state| state.is_whole());
        if let Some(state) = newest.filter(|state| !state.is_told) {
            state.is_told = true;
            keeping.has_progressed = true;
            let copies = u32::try_from(state.holders.len()).unwrap_or(u32::MAX);
            let (cycles, size) = (state.total, state.checkpoint.blob.size);
            news = Some(EventKind::Saved { sub_task: index, cycles, size, copies });
        }
        let dropped = keeping.trim();
        self.note_states(task, index);
        if !dropped.is_empty() {
            self.effects.push_back(Effect::Drop { contract, blobs: dropped });
        }
        if let Some(news) = news {
            self.tell(task, news, now);
        }
    }

    /// What was fetched to this node is here, or could not be had. Tells whether `id` is of a state.
    pub(super) fn state_fetched(&mut self, id: ContractId, result: &Result<(), String>, now: Time) -> bool {
        let Some((task, index)) = self.kept_for.get(&id).copied() else { return false };
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return true };
        let Some((checkpoint, mut others)) = keeping.fetching.take() else { return true };
        if result.is_ok() {
            for state in keeping.states.iter_mut().filter(|state| state.checkpoint == checkpoint) {
                state.is_here = true;
            }
        } else if !others.is_empty() {
            let (contract, from) = (id, others.remove(0));
            keeping.fetching = Some((checkpoint, others));
            self.effects.push_back(Effect::Fetch { contract, from, blobs: contents([checkpoint]) });
            return true;
        } else if keeping.is_recovering {
            keeping.states.retain(|state| state.checkpoint != checkpoint);
        }
        if !keeping.is_recovering {
            self.count_states(task, index, now);
        } else if !self.rewind(task, index, now) {
            if let Some(run) = self.tasks.get_mut(&task) {
                run.requeue(index);
            }
            self.place(task, now);
        }
        true
    }

    /// A seller says that it could not go on from what it was given: that is forgotten, and its maker does not get the
    /// sub-task again, however much it seemed to have done. A state that was opened here and paid is forgotten when that is
    /// said a second time: the first one may lie, and is passed over.
    pub(super) fn discredit(&mut self, task: ContractId, index: u32) {
        let Some(run) = self.run(task, index) else { return };
        let resumed = run.plan.job.resume;
        let is_paid = resumed.is_some_and(|state| self.paid_states(task, index).contains(&state));
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        if is_paid && std::mem::replace(&mut keeping.doubted, resumed) != resumed {
            return;
        }
        let is_meant = |state: &&SavedState| Some(state.checkpoint) == resumed;
        let maker = keeping.states.iter().find(is_meant).map(|state| state.maker.key);
        keeping.states.retain(|state| !is_meant(&state));
        if let (Some(maker), Some(run)) = (maker, self.tasks.get_mut(&task)) {
            run.shun(index, maker);
        }
    }

    /// Nothing that `maker` has saved is gone on from, but for what was opened here and paid.
    pub(super) fn disown(&mut self, task: ContractId, index: u32, maker: PublicKey) {
        let paid = self.paid_states(task, index);
        let is_paid = |state: &SavedState| paid.contains(&state.checkpoint);
        if let Some(keeping) = self.keepings.get_mut(&(task, index)) {
            keeping.states.retain(|state| state.maker.key != maker || is_paid(state));
        }
    }

    /// The states of a sub-task that were opened here and paid, whichever of its replicas they are of: a copy has those of
    /// the sub-task.
    fn paid_states(&self, task: ContractId, index: u32) -> Vec<Checkpoint> {
        let Some(run) = self.tasks.get(&task) else { return Vec::new() };
        let head = run.sub_task_of(index);
        let runs = run.replicas_of(head).map(|(_, replica)| replica).chain(run.run_ref(head));
        runs.flat_map(|run| run.parts.iter().map(|part| part.checkpoint)).collect()
    }

    /// Whether the present attempt has brought a state that counts: then it was not in vain.
    pub(super) fn has_progressed(&self, task: ContractId, index: u32) -> bool {
        self.keepings.get(&(task, index)).is_some_and(|keeping| keeping.has_progressed)
    }

    /// A part of the work is paid, and its checkpoint is in this node's store.
    pub(super) fn handed_over(&mut self, task: ContractId, index: u32, state: Checkpoint, cycles: Cycles) {
        let maker = self.run(task, index).and_then(|run| Some(run.attempt.as_ref()?.seller()));
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let total = Cycles(keeping.base.0.saturating_add(cycles.0));
        if let Some(maker) = maker {
            keeping.push_handed_over(state, total, maker);
        }
        let contract = keeping.id;
        self.effects.push_back(Effect::Keep { contract, blobs: contents([state]) });
    }

    /// Plans a sub-task that has lost its seller anew: from the newest state, or from its start. Tells whether it has to
    /// wait until that state is here.
    pub(super) fn rewind(&mut self, task: ContractId, index: u32, now: Time) -> bool {
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return false };
        (keeping.has_progressed, keeping.heard) = (false, (0, Time(0)));
        keeping.is_recovering = false;
        let Some(state) = keeping.states.last() else {
            keeping.base = Cycles(0);
            self.begin_at(task, index, None);
            self.note_states(task, index);
            return false;
        };
        if state.is_here {
            let (checkpoint, total) = (state.checkpoint, state.total);
            keeping.base = total;
            self.begin_at(task, index, Some((checkpoint, total)));
            self.note_states(task, index);
            self.tell(task, EventKind::Resumed { sub_task: index, cycles: total }, now);
            return false;
        }
        keeping.is_recovering = true;
        if keeping.fetching.is_none() {
            // What nobody else has is tried at its maker, which may still be there.
            let mut sources = state.holders.clone();
            if !sources.contains(&state.maker) {
                sources.push(state.maker);
            }
            let (contract, checkpoint, from) = (keeping.id, state.checkpoint, sources.remove(0));
            keeping.fetching = Some((checkpoint, sources));
            self.effects.push_back(Effect::Fetch { contract, from, blobs: contents([checkpoint]) });
        }
        true
    }

    fn begin_at(&mut self, task: ContractId, index: u32, state: Option<(Checkpoint, Cycles)>) {
        let fee = self.rules.owner_fee;
        let Some(origin) = self.keepings.get(&(task, index)).map(|keeping| keeping.origin) else { return };
        if let Some(run) = self.run(task, index) {
            run.plan.begin_at(state, origin, fee);
        }
    }

    /// A sub-task has ended: nothing is kept for it any longer.
    pub(super) fn end_keeping(&mut self, task: ContractId, index: u32, now: Time) {
        if let Some(keeping) = self.keepings.remove(&(task, index)) {
            self.kept_for.remove(&keeping.id);
            self.end_room(task, index, now);
        }
    }

    /// Writes down what a sub-task or a replica can go on from, if that has changed. Probes are asked anew after a restart.
    fn note_states(&mut self, task: ContractId, index: u32) {
        let is_probe = self.tasks.get(&task).is_none_or(|run| run.is_probe(index));
        let Some(keeping) = self.keepings.get_mut(&(task, index)).filter(|_| !is_probe) else { return };
        let Some(states) = keeping.to_note().filter(|states| keeping.noted.as_ref() != Some(states)) else {
            return;
        };
        keeping.noted = Some(states.clone());
        self.note(Note::Saving(Saving::States { task, sub_task: index, states }));
    }

    /// What a journal has to say of all states.
    pub(super) fn notes_of_states(&self) -> Vec<Note> {
        let note = |((task, index), keeping): (&(ContractId, u32), &Keeping)| {
            let states = keeping.to_note().filter(|_| keeping.noted.is_some())?;
            Some(Note::Saving(Saving::States { task: *task, sub_task: *index, states }))
        };
        self.keepings.iter().filter_map(note).collect()
    }

    /// What was written down of the states of a sub-task.
    pub(super) fn recall_states(&mut self, task: ContractId, index: u32, states: &States) {
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        self.kept_for.remove(&keeping.id);
        self.kept_for.insert(states.id, (task, index));
        (keeping.id, keeping.base) = (states.id, states.base);
        keeping.states.clone_from(&states.states);
        keeping.noted = Some(states.clone());
        self.recall_key(task, index, states.key);
    }

    /// With this key the states of a sub-task are encrypted, and those of all its replicas.
    pub(super) fn recall_key(&mut self, task: ContractId, index: u32, key: CheckpointKey) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let head = run.sub_task_of(index);
        let replicas: Vec<u32> = run.replicas_of(head).map(|(replica, _)| replica).collect();
        for index in replicas.into_iter().chain([head]) {
            if let Some(spec) = run.run_mut(index).and_then(|run| run.plan.job.checkpoint.as_mut()) {
                spec.key = key;
            }
            if let Some(keeping) = self.keepings.get_mut(&(task, index)) {
                keeping.spec.key = key;
            }
        }
    }

    /// A part of the work was handed over by `maker` and paid, before what is written down of the states then.
    pub(super) fn recall_part(&mut self, task: ContractId, index: u32, part: Part, maker: Option<Peer>) {
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let total = Cycles(keeping.base.0.saturating_add(part.cycles.0));
        keeping.base = total;
        if let Some(maker) = maker {
            keeping.push_handed_over(part.checkpoint, total, maker);
        }
    }

    /// A sub-task has ended before the node was started anew.
    pub(super) fn forget_keeping(&mut self, task: ContractId, index: u32) {
        if let Some(keeping) = self.keepings.remove(&(task, index)) {
            self.kept_for.remove(&keeping.id);
        }
    }

    /// After a restart: an attempt that was under way goes on from `state`, what has no seller from its newest state, and
    /// the states that were here stay.
    pub(super) fn take_up_states(&mut self, now: Time) {
        for (task, index) in self.keepings.keys().copied().collect::<Vec<_>>() {
            let me = self.me;
            let Some(keeping) = self.keepings.get_mut(&(task, index)) else { continue };
            let (contract, base, is_any) = (keeping.id, keeping.base, !keeping.states.is_empty());
            let blobs = contents(keeping.states.iter_mut().filter_map(|state| state.look_at(me)));
            if !blobs.is_empty() {
                self.effects.push_back(Effect::Keep { contract, blobs });
            }
            let Some(run) = self.run(task, index) else { continue };
            let attempt = run.attempt.as_ref().and_then(|attempt| attempt.offer.as_ref());
            let resume = attempt.and_then(|offer| offer.body.job.resume);
            let is_waiting = run.state == State::Waiting && is_any;
            if let Some(state) = resume {
                self.begin_at(task, index, Some((state, base)));
            } else if is_waiting
                && self.rewind(task, index, now)
                && let Some(run) = self.tasks.get_mut(&task)
            {
                run.dequeue(index);
            }
        }
    }
}

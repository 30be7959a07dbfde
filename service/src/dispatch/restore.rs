//! What the buyer's side writes down, and how it takes its work up again when its process has ended meanwhile.
//!
//! What a seller may still work on, or has delivered, is asked for again under its id: the offer is sent once more, and
//! the answer tells where it stands. What has only been matched is given back. Everything else is bought anew.

mod replicas;

use super::objection::Objection;
use super::run::TaskRun;
use super::{Abandoned, Attempt, Dispatch, State, Timer, follow_up};
use crate::effect::Effect;
use crate::event::{End, EventKind};
use crate::journal::{Kept, Note};
use crate::node::AtWork;
use crate::plan::Part;
use proto::message::service::{Offer, Report, ServiceMessage};
use proto::{CommandId, ContractId, Peer, Signed, Span, Time};
use replicas::Casts;
use std::collections::BTreeMap;

/// How long the market is not asked after a restart: the node has to be in the ring first.
const GATE: Span = Span::secs(2);

/// A sub-task: of which task, and its number.
type Place = (ContractId, u32);

/// What the notes come to.
#[derive(Default)]
struct Recalled {
    attempts: BTreeMap<Place, Draft>,
    of: BTreeMap<ContractId, Place>,
    ends: BTreeMap<Place, End>,
    left: BTreeMap<ContractId, (Peer, Time)>,
    casts: Casts,
}

/// An attempt that was under way.
struct Draft {
    contract: ContractId,
    seller: Peer,
    offer: Option<Signed<Offer>>,
    report: Option<Signed<Report>>,
    is_accepted: bool,
    /// Its report counts in a vote, and is not signed for.
    is_counted: bool,
}

impl Dispatch {
    /// Writes something down before anything that follows is done.
    pub(super) fn note(&mut self, note: Note) {
        self.effects.push_back(Effect::Append(Box::new(note)));
    }

    /// A seller is given up: it is asked for its signature, also after a restart.
    pub(super) fn leave_to(&mut self, contract: ContractId, left: Abandoned) {
        let (seller, until) = (left.seller, left.until);
        self.abandoned.insert(contract, left);
        self.note(Note::Left { contract, seller, until });
    }

    /// A seller that was given up has signed: it need not be asked any more, unless this node ends before the bank answers.
    pub(super) fn forget_left(&mut self, contract: ContractId) {
        self.timers.clear(Timer::Abandoned(contract));
        if let Some(left) = self.abandoned.remove(&contract) {
            self.freeing.insert(follow_up(&self.keys, contract, "release"), (contract, left));
        }
    }

    /// The bank has answered the release of a hold.
    pub(super) fn note_freed(&mut self, release: CommandId) {
        if let Some((contract, _)) = self.freeing.remove(&release) {
            self.note(Note::Freed { contract });
        }
    }

    /// The seller at work on a sub-task, if one is.
    pub(crate) fn at_work(&self, task: ContractId, sub_task: u32) -> Option<AtWork> {
        let index = usize::try_from(sub_task).ok()?;
        let run = self.tasks.get(&task)?.runs().nth(index)?;
        let attempt = run.attempt.as_ref().filter(|_| run.state.is_sellers_turn())?;
        let per_core = attempt.ticket.body.winner.body.per_core;
        Some(AtWork { contract: attempt.contract, seller: attempt.seller(), per_core })
    }

    /// What a journal has to say of the buyer's side.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self.tasks.iter().flat_map(|(task, run)| run.notes(*task)).collect();
        let freeing = self.freeing.values().map(|(contract, left)| (contract, left));
        notes.extend(self.abandoned.iter().chain(freeing).map(|(contract, left)| Note::Left {
            contract: *contract,
            seller: left.seller,
            until: left.until,
        }));
        notes.extend(self.objections.values().map(Objection::to_note));
        notes.extend(self.notes_of_states());
        notes.extend(self.notes_of_rooms());
        notes
    }

    /// Takes up what a former run of the node has left. The user is told again of what had ended: who was told already
    /// hears the same.
    pub(crate) fn restore(&mut self, kept: &Kept, now: Time) {
        for (submission, since) in &kept.submissions {
            let task = submission.task;
            if !self.tasks.contains_key(&task) {
                let mut submission = submission.clone();
                self.prepare_saving(task, &mut submission.plans);
                self.tasks.insert(task, TaskRun::new(submission, &mut self.rng, *since));
            }
        }
        let (mut recalled, mut of_replicas) = (Recalled::default(), Vec::new());
        for note in &kept.notes {
            if self.is_of_replica(note, &mut recalled.casts) {
                of_replicas.push(note);
            } else {
                self.replay(note, &mut recalled);
            }
        }
        let ends = std::mem::take(&mut recalled.ends);
        for ((task, index), end) in &ends {
            let Some(run) = self.tasks.get_mut(task) else { continue };
            run.restore_end(*index, end.clone());
            self.forget_keeping(*task, *index);
            self.tell(*task, EventKind::Ended { sub_task: *index, end: Box::new(end.clone()) }, now);
        }
        // Those that waited for what has ended get its outputs.
        for (task, index) in ends.into_keys() {
            self.flowed(task, index, now);
        }
        for note in of_replicas {
            self.replay_replica(note, &mut recalled, now);
        }
        let Recalled { attempts, left, casts, .. } = recalled;
        for (contract, (seller, until)) in left.into_iter().filter(|(_, (_, until))| *until > now) {
            self.abandoned.insert(contract, Abandoned { seller, until, tries: 0 });
            self.ask_again(contract, now);
        }
        for ((task, index), draft) in attempts {
            self.take_up(task, index, draft, now);
        }
        self.take_up_rooms(&casts.now, now);
        self.take_up_states(now);
        self.ask_balance(now);
        self.tasks.values_mut().for_each(|run| run.restore_queue(now.after(GATE)));
        self.count_again(&casts, now);
        for task in self.tasks.keys().copied().collect::<Vec<_>>() {
            self.place(task, now);
            self.tell_if_ended(task, now);
        }
    }

    fn replay(&mut self, note: &Note, recalled: &mut Recalled) {
        match note {
            Note::Bought { task, sub_task, contract, seller } => {
                recalled.begin((*task, *sub_task), Draft::new(*contract, *seller, None));
            }
            Note::Offered { offer } => {
                // That of a replica names the sub-task that it belongs to.
                let Offer { task, sub_task, contract, attempt, .. } = offer.body;
                let seller = offer.body.ticket.body.winner.body.seller;
                let place = recalled.of.get(&contract).copied().unwrap_or((task, sub_task));
                recalled.begin(place, Draft::new(contract, seller, Some((**offer).clone())));
                if let Some(run) = self.run(task, place.1) {
                    run.attempts = attempt;
                }
                if let Some(spec) = &offer.body.job.checkpoint {
                    self.recall_key(task, sub_task, spec.key);
                }
            }
            Note::Taking { report } => {
                if let Some(draft) = recalled.draft(report.body.contract) {
                    (draft.report, draft.is_counted) = (Some((**report).clone()), false);
                }
            }
            Note::Accepted { contract } => {
                if let Some(draft) = recalled.draft(*contract) {
                    draft.is_accepted = true;
                }
            }
            Note::Part { task, sub_task, part } => self.replay_part((*task, *sub_task), *part, recalled),
            Note::Tried { task, sub_task, tries } => {
                recalled.attempts.remove(&(*task, *sub_task));
                if let Some(run) = self.run(*task, *sub_task) {
                    run.restore_tries(tries);
                }
            }
            Note::Left { contract, seller, until } => {
                recalled.left.insert(*contract, (*seller, *until));
                if let Some(place) = recalled.of.get(contract) {
                    recalled.attempts.remove(place);
                }
            }
            Note::Freed { contract } => {
                recalled.left.remove(contract);
            }
            Note::Rejected { offer, report, reason } => {
                let Offer { task, sub_task, .. } = offer.body;
                let objection = Objection::new(task, sub_task, (**offer).clone(), *report, reason.clone());
                self.remember_objection(objection);
            }
            Note::Ended { task, ends } => {
                for (sub_task, end) in ends {
                    recalled.attempts.remove(&(*task, *sub_task));
                    recalled.ends.insert((*task, *sub_task), end.clone());
                }
            }
            Note::Saving(saving) => self.recall_saving(saving),
            Note::Forgotten { task } => self.forget_former(*task),
            // Those of replicas come later, and the seller's are its own.
            Note::Voting(_)
            | Note::Hired { .. }
            | Note::Reported { .. }
            | Note::Given { .. }
            | Note::Judged { .. }
            | Note::Contended { .. }
            | Note::Rented { .. }
            | Note::Storing { .. }
            | Note::Worked { .. }
            | Note::Closed { .. } => {}
        }
    }

    /// A part of the work was paid.
    fn replay_part(&mut self, (task, index): Place, part: Part, recalled: &mut Recalled) {
        let draft = recalled.attempts.remove(&(task, index));
        self.recall_part(task, index, part, draft.map(|draft| draft.seller));
        let least = self.rules.owner_fee;
        if let Some(run) = self.run(task, index) {
            run.parts.push(part);
            run.plan.go_on_from(part, least);
        }
        if let Some(run) = self.tasks.get_mut(&task) {
            run.pay(index, part.paid, part.fee);
        }
    }

    fn forget_former(&mut self, task: ContractId) {
        self.tasks.remove(&task);
        self.keepings.retain(|(of, _), _| *of != task);
        self.kept_for.retain(|_, (of, _)| *of != task);
    }

    /// Goes on with an attempt that was under way.
    fn take_up(&mut self, task: ContractId, index: u32, draft: Draft, now: Time) {
        let Draft { contract, seller, offer, report, is_accepted, is_counted } = draft;
        let has_replicas = |run: &TaskRun| run.ballot(index).is_some();
        let has_replicas = self.tasks.get(&task).is_none_or(has_replicas);
        let followers = offer.as_ref().map(|offer| &offer.body.job);
        let followers = followers.and_then(|job| self.tasks.get(&task)?.recognise(index, job));
        let Some((offer, followers)) = offer.zip(followers).filter(|_| !has_replicas) else {
            // Its ticket is of no use any more, or what shared its contract has ended, or others are bought in its place;
            // the hold comes back when the seller signs.
            self.leave_to(contract, Abandoned::new(seller, now));
            self.ask_again(contract, now);
            return;
        };
        if self.run(task, index).is_none_or(|run| run.state != State::Waiting) {
            return;
        }
        let mut attempt = Attempt::new(offer.body.ticket.clone(), now);
        attempt.offer = Some(offer.clone());
        attempt.report.clone_from(&report);
        attempt.has_contents = is_accepted;
        attempt.cycles = report.as_ref().map_or(attempt.cycles, |report| report.body.cycles);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let state = match &report {
            Some(_) if is_counted => State::Voting,
            Some(_) => State::Fetching,
            None => State::Offered,
        };
        run.restore_series(index, followers, state);
        if let Some(run) = run.run_mut(index) {
            run.attempt = Some(attempt);
        }
        self.contracts.insert(contract, (task, index));
        match (report, is_accepted) {
            (Some(_), true) => self.settle(contract, now),
            (Some(_), false) if is_counted => self.recount(contract, now),
            (Some(_), false) => {
                self.watch(now.after(self.rules.lease), Timer::Lease(contract));
                self.fetch(contract);
            }
            (None, _) => {
                self.watch(now.after(self.rules.sign_of_life()), Timer::Lease(contract));
                let message = ServiceMessage::Offer(Box::new(offer));
                self.effects.push_back(Effect::Send { to: seller, message });
            }
        }
    }
}

impl Recalled {
    fn begin(&mut self, place: Place, draft: Draft) {
        self.of.insert(draft.contract, place);
        self.attempts.insert(place, draft);
    }

    /// The attempt of a contract, if it is the last one of its sub-task.
    fn draft(&mut self, contract: ContractId) -> Option<&mut Draft> {
        let place = self.of.get(&contract)?;
        self.attempts.get_mut(place).filter(|draft| draft.contract == contract)
    }
}

impl Draft {
    const fn new(contract: ContractId, seller: Peer, offer: Option<Signed<Offer>>) -> Self {
        Self { contract, seller, offer, report: None, is_accepted: false, is_counted: false }
    }
}

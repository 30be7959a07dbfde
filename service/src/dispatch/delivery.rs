//! From the seller's report to the buyer's word on it: the outputs are taken, fetched, and accepted or rejected.

use super::experience::Seen;
use super::{Abandoned, Dispatch, State, SubTaskRun, Timer};
use crate::effect::Effect;
use crate::event::Verdict;
use crate::journal::Note;
use proto::message::service::Verdict as SignedVerdict;
use proto::message::service::{Blob, Job, Limits, NamedBlob, Outcome, Report, ServiceMessage, Taken};
use proto::{ContractId, Peer, Signed, Span, Time};

/// How often the outputs of a report are fetched before it is rejected: the seller may not have heard yet that the buyer
/// takes them, and lines break.
const FETCH_TRIES: u32 = 3;
/// The wait before the second try; doubled each time.
const FETCH_AGAIN: Span = Span::secs(1);
/// What a checkpoint may have beside the memory and the files of its program, in bytes.
const CHECKPOINT_FRAME: u64 = 1 << 20;

/// What is said of contents that are too large.
const TOO_LARGE: &str = "the seller's report names contents beyond the sub-task's limits";

/// Where the fetching of outputs stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fetching {
    #[default]
    UnderWay,
    /// It came to nothing, and is tried again when the timer fires.
    Paused,
}

impl Dispatch {
    pub(super) fn reported(&mut self, paper: Signed<Report>, now: Time) {
        let contract = paper.body.contract;
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.state == State::Fetching {
            // It repeats itself: it has not heard that the outputs are taken.
            self.take(contract);
            return;
        }
        if !run.state.is_sellers_turn() || !run.is_signed_by_seller(&paper) {
            return;
        }
        let Some(attempt) = run.attempt.as_mut() else { return };
        if attempt.offer.as_ref().map(Signed::hash) != Some(paper.body.offer) {
            return;
        }
        attempt.cycles = paper.body.cycles;
        attempt.report = Some(paper.clone());
        self.timers.clear(Timer::Lease(contract));
        self.become_state(task, index, State::Fetching);
        self.watch(now.after(self.rules.lease), Timer::Lease(contract));
        let is_payable = paper.body.outcome.is_payable();
        match self.run(task, index).and_then(|run| fault_of_report(run, &paper.body)) {
            Some(fault) if is_payable => self.refuse(contract, fault, now),
            Some(fault) => self.fetched(contract, Err(fault.into()), now),
            None if paper.body.outcome == Outcome::Succeeded && self.is_voted_unseen(task, index) => {
                self.stand(contract, now);
            }
            None => self.fetch(contract),
        }
    }

    /// The outputs of `contract` are in the store, or could not be had.
    pub(crate) fn fetched(&mut self, contract: ContractId, result: Result<(), String>, now: Time) {
        if self.state_fetched(contract, &result, now) {
            return;
        }
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.state != State::Fetching {
            return;
        }
        let is_replica = run.head.is_some();
        let Some(attempt) = run.attempt.as_mut() else { return };
        let (Some(report), seller) = (attempt.report.clone(), attempt.seller()) else { return };
        attempt.has_contents = result.is_ok();
        let outcome = &report.body.outcome;
        match (outcome.is_payable(), result) {
            (true, Ok(())) if matches!(outcome, Outcome::Migrated(_)) => self.open(contract),
            (true, Ok(())) if is_replica => self.arrived(contract, now),
            (true, Ok(())) => self.settle(contract, now),
            (true, Err(_)) if attempt.fetches < FETCH_TRIES => {
                attempt.fetching = Fetching::Paused;
                let pause = FETCH_AGAIN.times(1 << attempt.fetches.saturating_sub(1).min(6));
                self.watch(now.after(pause), Timer::Lease(contract));
            }
            (true, Err(why)) => self.refuse(contract, &why, now),
            (false, _) => {
                let outcome = outcome.clone();
                self.reject(seller, &report, &outcome.to_string());
                self.release(contract, None, Some(report));
                self.try_again_or_end(task, index, Verdict::Failed(outcome), now);
            }
        }
    }

    /// A state that was handed over is here: it is opened before its part is paid, since nobody can judge that afterwards.
    fn open(&mut self, contract: ContractId) {
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let (Some(offer), Some(report)) = (&attempt.offer, &attempt.report) else { return };
        if let Outcome::Migrated(state) = report.body.outcome {
            let job = Box::new(Job { resume: Some(state), ..offer.body.job.clone() });
            self.effects.push_back(Effect::Open { contract, job });
        }
    }

    /// A state that was handed over was opened. One that nobody could go on from is not paid, and of its maker none is
    /// gone on from.
    pub(crate) fn opened(&mut self, contract: ContractId, result: Result<(), String>, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let is_open = run.state == State::Fetching;
        let Some(attempt) = run.attempt.as_ref().filter(|attempt| is_open && attempt.has_contents) else {
            return;
        };
        let Err(why) = result else { return self.settle(contract, now) };
        let maker = attempt.seller().key;
        self.disown(task, index, maker);
        self.memory.note(maker, Seen::Failed, now);
        if let Some(run) = self.tasks.get_mut(&task) {
            run.shun(index, maker);
        }
        self.refuse(contract, &why, now);
    }

    /// The timer of a contract whose outputs are being fetched: they are fetched again, or it is said again that they
    /// are taken.
    pub(super) fn look_at_fetch(&mut self, contract: ContractId, now: Time) {
        let lease = self.rules.lease;
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_mut() else { return };
        match std::mem::take(&mut attempt.fetching) {
            Fetching::Paused => self.fetch(contract),
            Fetching::UnderWay => self.take(contract),
        }
        self.watch(now.after(lease), Timer::Lease(contract));
    }

    pub(super) fn reject(&mut self, seller: Peer, report: &Signed<Report>, reason: &str) {
        let verdict = SignedVerdict {
            contract: report.body.contract,
            report: report.hash(),
            is_accepted: false,
            reason: reason.into(),
        };
        let message = ServiceMessage::Verdict(Signed::new(verdict, &self.keys));
        self.effects.push_back(Effect::Send { to: seller, message });
    }

    /// Signs for the outputs of a payable report: the seller shows them to nobody before.
    fn take(&mut self, contract: ContractId) {
        let keys = self.keys.clone();
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_mut() else { return };
        let Some(report) = attempt.report.as_ref().filter(|report| report.body.outcome.is_payable()) else {
            return;
        };
        let taken = Taken { contract, report: report.hash() };
        attempt.has_taken = true;
        let to = attempt.seller();
        let message = ServiceMessage::Taken(Signed::new(taken, &keys));
        self.effects.push_back(Effect::Send { to, message });
    }

    pub(super) fn fetch(&mut self, contract: ContractId) {
        let attempt = self.attempt(contract).and_then(|(_, _, run)| run.attempt.as_ref());
        let first = attempt.filter(|attempt| attempt.fetches == 0).and_then(|attempt| attempt.report.clone());
        if let Some(report) = first.filter(|report| report.body.outcome.is_payable()) {
            self.note(Note::Taking { report: Box::new(report) });
        }
        self.take(contract);
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_mut() else { return };
        let Some(report) = &attempt.report else { return };
        let (from, blobs) = (attempt.seller(), report.body.contents());
        attempt.fetches += 1;
        self.effects.push_back(Effect::Fetch { contract, from, blobs });
    }

    /// Rejects a payable report, and goes elsewhere with the sub-task.
    fn refuse(&mut self, contract: ContractId, why: &str, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let Some(report) = attempt.report.clone() else { return };
        self.turn_down(contract, why, now);
        let outcome = match report.body.outcome {
            Outcome::Migrated(_) => Outcome::Abandoned(format!("its checkpoint is of no use: {why}")),
            _ => Outcome::NotFetched(why.into()),
        };
        self.try_again_or_end(task, index, Verdict::Failed(outcome), now);
    }

    /// Rejects a payable report. What was signed for and may be claimed all the same is remembered; a checkpoint is not,
    /// since no arbiter could judge it.
    pub(super) fn turn_down(&mut self, contract: ContractId, why: &str, now: Time) {
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let (Some(report), seller) = (attempt.report.clone(), attempt.seller()) else { return };
        let is_contestable = attempt.has_taken && report.body.outcome == Outcome::Succeeded;
        self.reject(seller, &report, why);
        if is_contestable {
            self.object(contract, why, now);
        }
        self.leave_behind(contract, seller, now);
    }

    /// Notes that a seller has been told what there is to say, and is to be asked for its signature in a while.
    fn leave_behind(&mut self, contract: ContractId, seller: Peer, now: Time) {
        self.leave_to(contract, Abandoned::new(seller, now));
        self.watch(now.after(super::seller::FIRST_ASK_AGAIN), Timer::Abandoned(contract));
    }
}

/// What is wrong with the contents that a report names: they have to be the declared ones and within the limits,
/// or a seller could fill the buyer's disk.
fn fault_of_report(run: &SubTaskRun, report: &Report) -> Option<&'static str> {
    let job = run.attempt.as_ref()?.offer.as_ref().map_or(&run.plan.job, |offer| &offer.body.job);
    let is_success = report.outcome == Outcome::Succeeded;
    if report.more.len() > job.repeats.len() || (!is_success && !report.more.is_empty()) {
        return Some("the seller's report has results of more runs than there were");
    }
    let room = job.limits.memory.0.saturating_add(job.limits.disk.0).saturating_add(CHECKPOINT_FRAME);
    if let Outcome::Migrated(checkpoint) = &report.outcome
        && checkpoint.contents().any(|blob| blob.size.0 > room)
    {
        return Some(TOO_LARGE);
    }
    // What they cost is divided by these: none of them may cost more than its price.
    let cycles = report.more.iter().map(|product| product.cycles).chain([report.own_cycles()]);
    if !job.repeats.is_empty() && cycles.max() > Some(job.limits.cycles) {
        return Some("the seller's report has more cycles than a run may execute");
    }
    let first = (&job.outputs, (is_success, &report.outputs, report.stdout, report.stderr));
    let further = job.repeats.iter().zip(&report.more);
    let further = further.map(|(run, made)| (&run.outputs, (true, &made.outputs, made.stdout, made.stderr)));
    [first].into_iter().chain(further).find_map(|(declared, made)| fault_of_run(&job.limits, declared, made))
}

/// What one run has made: whether it succeeded, its outputs, and what it printed.
type Made<'a> = (bool, &'a Vec<NamedBlob>, Option<Blob>, Option<Blob>);

/// What is wrong with the contents that one run is said to have left.
fn fault_of_run(limits: &Limits, declared: &[String], made: Made<'_>) -> Option<&'static str> {
    let (is_success, outputs, stdout, stderr) = made;
    let has = |name: &String| outputs.iter().any(|output: &NamedBlob| output.name == *name);
    if is_success && !declared.iter().all(has) {
        return Some("the seller's report leaves out declared outputs");
    }
    if outputs.len() > declared.len() {
        return Some("the seller's report names outputs that were not declared");
    }
    let size = outputs.iter().fold(0_u64, |sum, output| sum.saturating_add(output.blob.size.0));
    let is_long = |stream: Option<Blob>| stream.is_some_and(|blob| blob.size > limits.output);
    (size > limits.disk.0 || is_long(stdout) || is_long(stderr)).then_some(TOO_LARGE)
}

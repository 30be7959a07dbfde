//! Questions whose answers are known, asked among the work (paper §III-D: results are verified by known
//! characteristics): a seller that answers one of them wrongly is not believed in anything else.
//!
//! **The rule.** A probe is bought, offered, watched and paid like the sub-task that it is bought with. A right answer
//! clears its seller for the group of sub-tasks that ask the same. A wrong one is not paid; its seller is noted as
//! wrong, gets nothing more of the task, and all that it has and that is not paid yet is taken from it and bought
//! elsewhere. So that there is something to take, a result that nothing else proves waits: until its seller has
//! answered a probe, or all probes of the group are answered, or the end of its hold is near. What was accepted before
//! a seller was found out stays accepted, and the user is told how much that is.

use super::ballot::{Part, compare_hashes};
use super::compare::Asked;
use super::experience::Seen;
use super::vote::STDOUT;
use super::{Dispatch, State, SubTaskRun};
use crate::dispatch::ballot::Pair;
use crate::event::{Difference, EventKind, Verdict};
use crate::plan::PROBE_STDOUT;
use proto::message::service::{Blob, Outcome};
use proto::{Bytes, ContractId, Hash, PublicKey, Time};

impl Dispatch {
    /// A probe is answered, by hashes or with the contents here.
    pub(super) fn answered(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let (Some(head), Some((expected, found))) = (run.head, run.answer()) else { return };
        let is_exact = run.plan.is_compared_by_hash();
        let is_here = run.attempt.as_ref().is_some_and(|attempt| attempt.has_contents);
        match compare_hashes(&expected, &found) {
            None if is_here => self.answered_rightly(task, index, now),
            Some(difference) if is_exact => self.answered_wrongly(task, index, difference, now),
            Some(_) if is_here => {
                self.become_state(task, index, State::Voting);
                self.look_at_vote(contract, now);
                let asked = Asked::Answer { contract };
                if let Some(pair) = self.ask_comparison(task, head, asked, expected, found) {
                    self.answer_compared(contract, pair, now);
                }
            }
            // It is fetched as every result, so that its seller cannot tell it from others.
            None | Some(_) => self.fetch(contract),
        }
    }

    /// The driver has compared an answer with what is known.
    pub(super) fn answer_compared(&mut self, contract: ContractId, pair: Pair, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.state != State::Voting || run.probe.is_none() {
            return;
        }
        match pair {
            Pair::Same => self.answered_rightly(task, index, now),
            Pair::Different(difference) => self.answered_wrongly(task, index, difference, now),
            Pair::Asked => {}
        }
    }

    fn answered_rightly(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(run) = self.run(task, index) else { return };
        run.vote = crate::event::Vote::Agreed;
        let (Some(head), Some(contract), Some(sale)) = (run.head, run.contract(), run.sale()) else { return };
        self.memory.note(sale.seller.key, Seen::Agreed, now);
        if let Some(run) = self.tasks.get_mut(&task) {
            run.probing.pass(head, sale.seller.key);
        }
        self.settle(contract, now);
        self.look_at_group(task, head, now);
    }

    fn answered_wrongly(&mut self, task: ContractId, index: u32, difference: Difference, now: Time) {
        let Some(run) = self.run(task, index) else { return };
        let why = format!("the right result is known, and it is another one: {difference}");
        run.vote = crate::event::Vote::Other(difference);
        let Some(contract) = run.contract() else { return };
        self.turn_down(contract, &why, now);
        self.end_replica(task, index, State::Failed, Verdict::Rejected(why), now);
    }

    /// A probe has ended. If its seller has answered wrongly, or says that the program fails by itself, it is not
    /// believed any more.
    pub(super) fn probe_is_over(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(run) = self.run(task, index) else { return };
        let (Some(head), Some(end)) = (run.head, run.ending()) else { return };
        let is_wrong = match &end.verdict {
            Verdict::Rejected(_) => matches!(run.vote, crate::event::Vote::Other(_)),
            Verdict::Failed(outcome) => is_programs(outcome),
            _ => false,
        };
        if let Some(sale) = end.sale.clone().filter(|_| is_wrong) {
            self.memory.note(sale.seller.key, Seen::Wrong, now);
            self.distrust(task, index, sale.seller.key, now);
        }
        self.look_at_group(task, head, now);
    }

    /// Takes from a seller all that it has of a task and that is not paid.
    fn distrust(&mut self, task: ContractId, probe: u32, seller: PublicKey, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        run.probing.distrust(seller);
        let (taken_back, kept) = (run.at_seller(seller), run.taken_from(seller));
        let again = u32::try_from(taken_back.len()).unwrap_or(u32::MAX);
        self.tell(task, EventKind::Distrusted { sub_task: probe, seller, again, kept }, now);
        let why = "its seller has answered a question wrongly whose answer is known";
        for index in taken_back {
            let Some(run) = self.run(task, index) else { continue };
            let (state, contract) = (run.state, run.contract());
            match contract.filter(|_| matches!(state, State::Voting | State::Fetching)) {
                Some(contract) => self.turn_down(contract, why, now),
                None => self.abandon_attempt(task, index, now),
            }
            self.try_again_or_end(task, index, Verdict::Rejected(why.into()), now);
        }
    }

    /// Whether a seller has answered a probe of a task wrongly.
    pub(super) fn is_distrusted(&self, task: ContractId, seller: PublicKey) -> bool {
        self.tasks.get(&task).is_some_and(|run| run.probing.is_distrusted(seller))
    }

    /// Whether the result of a replica has to wait until more is known of its seller.
    pub(super) fn waits_for_answers(&self, task: ContractId, head: u32, canonical: u32) -> bool {
        let Some(run) = self.tasks.get(&task) else { return false };
        let seller = run.run_ref(canonical).and_then(SubTaskRun::sale).map(|sale| sale.seller.key);
        let is_patient = run.ballot(head).is_some_and(|ballot| ballot.is_patient);
        let proves = self.is_proof(task, head);
        is_patient && seller.is_some_and(|seller| run.waits_for_answers(head, seller, proves))
    }

    /// A result cannot wait for answers any longer: it is taken. Whether it waited for that.
    pub(super) fn stop_waiting(&mut self, task: ContractId, index: u32, now: Time) -> bool {
        let head = self.tasks.get(&task).and_then(|run| run.head_of(index).filter(|_| !run.is_probe(index)));
        let Some(head) = head.filter(|head| self.waits_for_answers(task, *head, index)) else { return false };
        let Some(ballot) = self.tasks.get_mut(&task).and_then(|run| run.ballot_mut(head)) else {
            return false;
        };
        ballot.is_patient = false;
        self.count_votes(task, head, now);
        self.run(task, index).is_some_and(|run| run.state != State::Voting)
    }

    /// More is known of the sellers of a group: its results are looked at again.
    fn look_at_group(&mut self, task: ContractId, head: u32, now: Time) {
        let group = self.tasks.get(&task).map(|run| run.probing.group_of(head).to_vec());
        for head in group.into_iter().flatten() {
            self.count_votes(task, head, now);
        }
    }
}

/// Whether a program ended so by itself, on whatever machine.
const fn is_programs(outcome: &Outcome) -> bool {
    !outcome.is_worth_retrying()
}

impl SubTaskRun {
    /// What is known of the answer to a probe, and what its report names.
    fn answer(&self) -> Option<(Vec<Part>, Vec<Part>)> {
        let number = usize::try_from(self.probe?.checked_sub(1)?).ok()?;
        let expected = &self.plan.probes.get(number)?.expected;
        let report = &self.attempt.as_ref()?.report.as_ref()?.body;
        let parts = |name: &String, content: Option<Blob>| {
            let is_stdout = name == PROBE_STDOUT && !self.plan.job.outputs.contains(name);
            // An empty stream is not named in a report.
            let content = content.or_else(|| is_stdout.then(empty));
            Part { name: if is_stdout { STDOUT.into() } else { name.clone() }, content }
        };
        let found = |name: &String| {
            let output = report.outputs.iter().find(|output| output.name == *name).map(|output| output.blob);
            output.or(report.stdout.filter(|_| name == PROBE_STDOUT && !self.plan.job.outputs.contains(name)))
        };
        let known = expected.iter().map(|file| parts(&file.name, Some(file.blob))).collect();
        let given = expected.iter().map(|file| parts(&file.name, found(&file.name))).collect();
        Some((known, given))
    }
}

fn empty() -> Blob {
    Blob { hash: Hash::of(b""), size: Bytes(0) }
}

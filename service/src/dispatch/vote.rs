//! The vote on a sub-task that is executed more than once: whose result is believed, who is paid, and what the user is
//! told of those that came to something else (paper §III-D; DESIGN §5.4, 5).
//!
//! A seller shows its outputs only to a buyer that has signed for them, and may claim the price then. So where results
//! are compared byte by byte the vote is made on the hashes of the reports, and the outputs of one result are fetched
//! when enough agree: who is outvoted has shown nothing, and has nothing to claim for. Every other comparison needs the
//! contents, so there an outvoted seller may claim, and a third seller's execution decides
//! ([`objection`](super::objection)).

use super::ballot::{Decision, Pair, Part, Voice, compare_hashes, decide, digest};
use super::compare::Asked;
use super::experience::{Seen, Trust};
use super::run::{Stage, SubTaskRun};
use super::spread::are_near;
use super::{Dispatch, State, Timer};
use crate::event::{Difference, Verdict, Vote};
use crate::journal::{Note, Voting};
use crate::task::Replication;
use proto::message::market::Ticket;
use proto::message::service::{Blob, NamedBlob};
use proto::{ContractId, PublicKey, Signed, Span, Time};
use rand_chacha::rand_core::Rng;

/// How long before the end of its hold a result is given up that still waits for others: time for both sides' papers.
const GIVE_UP_BEFORE: Span = Span::secs(90);
/// How many sellers a replica passes over before it is said that there is nobody: fewer than a market lets a buyer avoid.
const MOST_NEAR: usize = 200;
/// The name of the standard output in a comparison.
pub(super) const STDOUT: &str = "standard output";

impl Dispatch {
    /// Whether the vote on a result can be made before anything is fetched.
    pub(super) fn is_voted_unseen(&self, task: ContractId, index: u32) -> bool {
        let run = self.tasks.get(&task).and_then(|run| run.run_ref(index));
        run.is_some_and(|run| run.head.is_some() && run.plan.is_voted_unseen())
    }

    /// A replica has a result: it waits for the others.
    pub(super) fn stand(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.probe.is_some() {
            return self.answered(contract, now);
        }
        let Some(head) = run.head else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        // What was signed for is written down already.
        let report = attempt.report.clone().filter(|_| !attempt.has_taken).map(Box::new);
        self.become_state(task, index, State::Voting);
        if let Some(report) = report {
            self.note(Note::Voting(Voting::Counted { report }));
        }
        self.recount(contract, now);
        self.count_votes(task, head, now);
    }

    /// The result of a replica waits for the others.
    pub(super) fn recount(&mut self, contract: ContractId, now: Time) {
        let Some((_, _, run)) = self.attempt(contract) else { return };
        run.result = run.attempt.is_some().then(|| digest(&run.parts()));
        self.look_at_vote(contract, now);
    }

    /// The outputs of a replica are here: they are compared, or it is the one whose outputs are delivered.
    pub(super) fn arrived(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.probe.is_some() {
            return self.answered(contract, now);
        }
        let Some(head) = run.head else { return };
        let stage = self.tasks.get(&task).and_then(|run| run.ballot(head)).map(|ballot| ballot.stage);
        match stage {
            Some(Stage::Fetching(canonical)) if canonical == index => self.pay(task, head, canonical, now),
            Some(Stage::Open) => {
                self.test(contract);
                self.stand(contract, now);
            }
            // It comes late; what was signed for is paid if it is the same.
            Some(Stage::Paying(_)) => self.stand(contract, now),
            _ => self.settle(contract, now),
        }
    }

    /// A result that waits: when its hold is about to end it is given up, and bought again.
    pub(super) fn look_at_vote(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let expires =
            run.attempt.as_ref().and_then(|attempt| Some(attempt.offer.as_ref()?.body.hold.body.expires));
        let until = expires.map(|at| Time(at.0.saturating_sub(GIVE_UP_BEFORE.0))).unwrap_or(now);
        if now < until {
            self.watch(until, Timer::Lease(contract));
            return;
        }
        if self.stop_waiting(task, index, now) {
            return;
        }
        let why = "no other result came to the same before its contract ended";
        self.turn_down(contract, why, now);
        self.try_again_or_end(task, index, Verdict::Rejected(why.into()), now);
    }

    /// Looks at what the replicas of a sub-task say, and does what follows.
    pub(super) fn count_votes(&mut self, task: ContractId, head: u32, now: Time) {
        let Some(run) = self.tasks.get(&task) else { return };
        let Some(ballot) = run.ballot(head) else { return };
        match ballot.stage {
            Stage::Open => {}
            Stage::Fetching(_) | Stage::Over => return,
            Stage::Paying(canonical) => return self.look_at_payments(task, head, canonical, now),
        }
        self.compare(task, head);
        let Some(run) = self.tasks.get(&task) else { return };
        let Some(ballot) = run.ballot(head) else { return };
        match decide(&run.voices(head), &ballot.pairs, ballot.terms) {
            Decision::Wait => {}
            Decision::More(count) => {
                if let Some(run) = self.tasks.get_mut(&task) {
                    (0..count).for_each(|_| run.add_replica(head));
                }
                self.place(task, now);
            }
            Decision::Elect(canonical) if self.waits_for_answers(task, head, canonical) => {}
            Decision::Elect(canonical) => self.elect(task, head, canonical, now),
            Decision::Fail(outcome) => self.conclude(task, head, Verdict::Failed(outcome), now),
            Decision::NoQuorum => {
                let verdict = self.no_quorum(task, head);
                self.conclude(task, head, verdict, now);
            }
        }
    }

    /// The attempt of a replica came to nothing: what was known of its result is forgotten.
    pub(super) fn forget_result(&mut self, task: ContractId, index: u32) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(head) = run.head_of(index) else { return };
        if let Some(replica) = run.run_mut(index).filter(|replica| !replica.state.is_final()) {
            replica.result = None;
        }
        let Some(ballot) = run.ballot_mut(head) else { return };
        ballot.pairs.forget(index);
        if ballot.stage == Stage::Fetching(index) {
            ballot.stage = Stage::Open;
        }
    }

    /// A replica has ended, in whatever way.
    pub(super) fn end_replica(
        &mut self,
        task: ContractId,
        index: u32,
        next: State,
        verdict: Verdict,
        now: Time,
    ) {
        self.end_keeping(task, index, now);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(head) = run.head_of(index) else { return };
        let contract = run.run_mut(index).and_then(SubTaskRun::contract);
        if let Some(replica) = run.run_mut(index) {
            replica.note_vote(&verdict);
        }
        run.end(index, verdict, now);
        run.become_state(index, next);
        self.note_end_of_replica(task, index);
        if let Some(contract) = contract {
            self.contracts.remove(&contract);
            self.timers.clear(Timer::Lease(contract));
        }
        if next == State::Failed {
            self.forget_result(task, index);
        }
        self.attempt_is_over(task, now);
        if self.tasks.get(&task).is_some_and(|run| run.is_probe(index)) {
            self.probe_is_over(task, index, now);
        } else {
            self.count_votes(task, head, now);
        }
    }

    /// Ends a sub-task that has replicas with `verdict`: what is still open of them is given up.
    pub(super) fn conclude(&mut self, task: ContractId, head: u32, verdict: Verdict, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(ballot) = run.ballot_mut(head) else { return };
        let accepted = match ballot.stage {
            Stage::Paying(canonical) => Some(canonical),
            _ => None,
        };
        ballot.stage = Stage::Over;
        for (index, state, contract) in run.open_replicas(head) {
            match contract.filter(|_| state == State::Voting) {
                Some(contract) => self.outvote(task, index, contract, None, &verdict.to_string(), now),
                None => self.drop_replica(task, index, now),
            }
        }
        for probe in self.tasks.get(&task).map(|run| run.open_probes(head)).unwrap_or_default() {
            self.drop_replica(task, probe, now);
        }
        self.end_keeping(task, head, now);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(end) = run.end_head(head, accepted, verdict, now) else { return };
        self.tell_ends(task, &[(head, end.clone())], now);
        self.look_for(task, head, &end, now);
        self.flowed(task, head, now);
        self.place(task, now);
        self.tell_if_ended(task, now);
    }

    /// Enough agree: the outputs of the canonical result are fetched, unless they are here.
    fn elect(&mut self, task: ContractId, head: u32, canonical: u32, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(replica) = run.run_mut(canonical) else { return };
        let Some(attempt) = replica.attempt.as_ref() else { return };
        let (contract, is_here) = (attempt.contract, attempt.has_contents);
        if is_here {
            self.pay(task, head, canonical, now);
            return;
        }
        if let Some(ballot) = run.ballot_mut(head) {
            ballot.stage = Stage::Fetching(canonical);
        }
        self.become_state(task, canonical, State::Fetching);
        self.watch(now.after(self.rules.lease), Timer::Lease(contract));
        self.fetch(contract);
    }

    /// The outputs are here: whoever agrees with them is paid, whoever does not is not, and whoever has no result is
    /// cancelled.
    fn pay(&mut self, task: ContractId, head: u32, canonical: u32, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(ballot) = run.ballot_mut(head) else { return };
        ballot.stage = Stage::Paying(canonical);
        self.note(Note::Voting(Voting::Elected { task, sub_task: head, run: canonical }));
        let Some(replica) = self.run(task, canonical) else { return };
        replica.vote = Vote::Agreed;
        let contract = replica.contract();
        if self.is_proof(task, head) {
            self.note_seller(task, canonical, Seen::Agreed, now);
        }
        if let Some(contract) = contract {
            self.settle(contract, now);
        }
        self.look_at_payments(task, head, canonical, now);
        self.drop_late(task, head, canonical, now);
    }

    /// Cancels the replicas that have no result, but for those whose outputs are signed for and on their way.
    pub(super) fn drop_late(&mut self, task: ContractId, head: u32, canonical: u32, now: Time) {
        let open = self.tasks.get(&task).map(|run| run.open_replicas(head)).unwrap_or_default();
        for (index, state, _) in open {
            if !matches!(state, State::Voting | State::Fetching | State::Settling) {
                self.note_late(task, index, canonical, now);
                self.drop_replica(task, index, now);
            }
        }
    }

    /// Whether all that agree are paid: then the sub-task has ended.
    fn look_at_payments(&mut self, task: ContractId, head: u32, canonical: u32, now: Time) {
        self.compare(task, head);
        let Some(run) = self.tasks.get(&task) else { return };
        let Some(pairs) = run.ballot(head).map(|ballot| ballot.pairs.clone()) else { return };
        let late = run.open_replicas(head).into_iter().filter(|(_, state, _)| *state == State::Voting);
        for (index, _, contract) in late.collect::<Vec<_>>() {
            let Some(contract) = contract else { continue };
            match pairs.agree(canonical, index) {
                Some(true) => {
                    if let Some(replica) = self.run(task, index) {
                        replica.vote = Vote::Agreed;
                    }
                    self.note_seller(task, index, Seen::Agreed, now);
                    self.settle(contract, now);
                }
                Some(false) => {
                    let difference = pairs.difference(canonical, index);
                    let why = "enough others came to another result";
                    self.note_seller(task, index, Seen::Wrong, now);
                    return self.outvote(task, index, contract, difference, why, now);
                }
                None => {}
            }
        }
        let Some(run) = self.tasks.get(&task) else { return };
        if run.replicas_of(head).any(|(_, run)| !run.state.is_final()) {
            return;
        }
        let is_paid = run.replicas_of(head).any(|(_, run)| run.state == State::Succeeded);
        let verdict = match run.run_ref(canonical).and_then(SubTaskRun::verdict) {
            Some(verdict) if !is_paid => verdict.clone(),
            _ => Verdict::Succeeded,
        };
        self.conclude(task, head, verdict, now);
    }

    /// Cancels a sub-task that has replicas, unless it is being paid. Whether it has some.
    pub(super) fn end_replicas(&mut self, task: ContractId, head: u32, verdict: Verdict, now: Time) -> bool {
        let Some(ballot) = self.tasks.get(&task).and_then(|run| run.ballot(head)) else { return false };
        if matches!(ballot.stage, Stage::Open | Stage::Fetching(_)) {
            self.conclude(task, head, verdict, now);
        }
        true
    }

    /// Whether a seller that was found is too near to that of another replica. Then another one is looked for; where
    /// there is none, the sub-task waits as it does where nobody sells.
    pub(super) fn is_too_near(
        &mut self,
        task: ContractId,
        index: u32,
        ticket: &Signed<Ticket>,
        now: Time,
    ) -> bool {
        let found = ticket.body.winner.body.seller;
        let Some(run) = self.tasks.get_mut(&task) else { return false };
        if !run.others(index).iter().any(|other| are_near(other, &found)) {
            return false;
        }
        let Some(replica) = run.run_mut(index) else { return false };
        replica.shun.push(found.key);
        let is_hopeless = replica.shun.len() > MOST_NEAR;
        let why =
            "the sellers that are left are of the same owners or networks as those of its other replicas";
        if is_hopeless {
            self.give_back(ticket);
            self.end(task, index, Verdict::NotPlaced { why: why.into() }, now);
        } else {
            self.pass_over(task, index, ticket, now);
        }
        true
    }

    /// A first seller was found: where the file allows it, experience with it tells how many there are to be.
    pub(super) fn consider(&mut self, task: ContractId, index: u32, seller: PublicKey, now: Time) {
        let draw = self.rng.next_u64();
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(head) = run.head_of(index).filter(|_| !run.is_probe(index)) else { return };
        let is_adaptive = |run: &SubTaskRun| run.plan.redundancy.replication == Replication::Adaptive;
        if !run.run_ref(head).is_some_and(is_adaptive) {
            return;
        }
        let trust = self.memory.trust(seller, now, draw);
        let Some(ballot) = run.ballot_mut(head).filter(|ballot| ballot.replicas.len() == 1) else { return };
        let is_believed = matches!(trust, Trust::Believed { .. });
        ballot.why = trust.why(ballot.wanted);
        ballot.terms.quorum = if is_believed { 1 } else { ballot.quorum };
        let more = if is_believed { 0 } else { ballot.wanted - 1 };
        (0..more).for_each(|_| run.add_replica(head));
    }

    /// Notes what was seen of the seller of a replica.
    fn note_seller(&mut self, task: ContractId, index: u32, seen: Seen, now: Time) {
        let sale = self.tasks.get(&task).and_then(|run| run.run_ref(index)?.sale());
        if let Some(sale) = sale {
            self.memory.note(sale.seller.key, seen, now);
        }
    }

    /// Notes that a replica is not needed any more, if its seller took far longer than the accepted one.
    fn note_late(&mut self, task: ContractId, index: u32, canonical: u32, now: Time) {
        let took = |index: u32| {
            let attempt = self.tasks.get(&task)?.run_ref(index)?.attempt.as_ref()?;
            Some(now.since(attempt.offered_at))
        };
        if let (Some(slow), Some(fast)) = (took(index), took(canonical))
            && slow > fast.times(2)
        {
            self.note_seller(task, index, Seen::Late, now);
        }
    }

    /// Whether a result was held against others, or tested: only then it says something of its seller.
    pub(super) fn is_proof(&self, task: ContractId, head: u32) -> bool {
        let Some(run) = self.tasks.get(&task) else { return false };
        let is_tested = run.run_ref(head).is_some_and(|run| run.plan.redundancy.verify.is_some());
        is_tested || run.ballot(head).is_some_and(|ballot| ballot.terms.quorum > 1)
    }

    /// A replica that is not needed any more.
    fn drop_replica(&mut self, task: ContractId, index: u32, now: Time) {
        self.abandon_attempt(task, index, now);
        self.end_replica(task, index, State::Cancelled, Verdict::Cancelled, now);
    }

    /// The result of a replica is another one than the accepted result, or there is none that enough agree on.
    fn outvote(
        &mut self,
        task: ContractId,
        index: u32,
        contract: ContractId,
        difference: Option<Difference>,
        why: &str,
        now: Time,
    ) {
        let Some(replica) = self.run(task, index) else { return };
        let vote = difference.map_or(replica.vote.clone(), Vote::Other);
        replica.vote = vote.clone();
        self.turn_down(contract, why, now);
        self.end_replica(task, index, State::Failed, Verdict::Rejected(why.into()), now);
        if let Some(replica) = self.run(task, index) {
            replica.vote = vote;
        }
    }

    /// Why there is no quorum, in words, with what is different noted at the results.
    fn no_quorum(&mut self, task: ContractId, head: u32) -> Verdict {
        let Some(run) = self.tasks.get_mut(&task) else { return Verdict::Cancelled };
        let voices = run.voices(head);
        let quorum = run.ballot(head).map_or(0, |ballot| ballot.terms.quorum);
        let count = |is_meant: fn(&Voice) -> bool| voices.iter().filter(|(_, voice)| is_meant(voice)).count();
        let results = count(|voice| *voice == Voice::Result);
        let failures = count(|voice| matches!(voice, Voice::Failure(_)));
        let last = |is_meant: fn(&Voice) -> bool| {
            let meant = voices.iter().rev().find(|(_, voice)| is_meant(voice));
            meant.and_then(|(index, _)| run.run_ref(*index)?.verdict().cloned())
        };
        let stuck = last(|voice| *voice == Voice::Stuck);
        let lost = || last(|voice| *voice == Voice::Gone);
        let failed = || last(|voice| matches!(voice, Voice::Failure(_)));
        if results + failures == 0 {
            return stuck.or_else(lost).unwrap_or(Verdict::Cancelled);
        }
        if results == 0 && failures == 1 {
            return stuck.or_else(failed).unwrap_or(Verdict::Cancelled);
        }
        let mut why = format!("{results} results and {failures} failures, and no {quorum} of them agree");
        if let Some(stuck) = stuck.or_else(lost) {
            why = format!("{why}; of the others, the last one: {stuck}");
        }
        let with_results = voices.iter().filter(|(_, voice)| *voice == Voice::Result);
        let mut with_results = with_results.map(|(index, _)| *index);
        let first = with_results.next();
        for index in with_results.collect::<Vec<_>>() {
            let pairs = run.ballot(head).map(|ballot| &ballot.pairs);
            let difference = first.and_then(|first| pairs?.difference(first, index));
            if let (Some(difference), Some(replica)) = (difference, run.run_mut(index)) {
                replica.vote = Vote::Other(difference);
            }
        }
        Verdict::NoQuorum { why }
    }

    /// Compares what has not been compared: by hashes where these tell, and otherwise by what the driver finds.
    fn compare(&mut self, task: ContractId, head: u32) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let voices = run.voices(head);
        let results = voices.iter().filter(|(_, voice)| *voice == Voice::Result).map(|(index, _)| *index);
        let results: Vec<u32> = results.collect();
        let mut asked = Vec::new();
        for (place, one) in results.iter().enumerate() {
            for other in results.iter().skip(place + 1) {
                let is_known = run.ballot(head).is_none_or(|ballot| ballot.pairs.of(*one, *other).is_some());
                let (Some(first), Some(second)) = (run.run_ref(*one), run.run_ref(*other)) else { continue };
                if is_known {
                    continue;
                }
                let (first, second) = (first.parts(), second.parts());
                let is_exact = run.run_ref(head).is_some_and(|run| run.plan.is_compared_by_hash());
                let pair = match compare_hashes(&first, &second) {
                    None => Pair::Same,
                    Some(difference) if is_exact => Pair::Different(difference),
                    Some(_) => {
                        asked.push((*one, *other, first, second));
                        Pair::Asked
                    }
                };
                if let Some(ballot) = run.ballot_mut(head) {
                    ballot.pairs.note(*one, *other, pair);
                }
            }
        }
        for (one, other, first, second) in asked {
            let pair = (one, other);
            let asked = Asked::Pair { task, head, pair };
            if let Some(found) = self.ask_comparison(task, head, asked, first, second) {
                self.note_pair(task, head, pair, found);
            }
        }
    }
}

impl SubTaskRun {
    /// How it ended.
    pub(super) fn verdict(&self) -> Option<&Verdict> {
        self.ending().map(|end| &end.verdict)
    }

    /// What its report names, or its end, in the order of the file.
    pub(super) fn parts(&self) -> Vec<Part> {
        let report = self.attempt.as_ref().and_then(|attempt| attempt.report.as_ref());
        let reported = report.map(|report| (&report.body.outputs, report.body.stdout));
        let made = reported.or_else(|| self.ending().map(|end| (&end.outputs, end.stdout)));
        made.map(|(outputs, stdout)| parts(&self.plan.job.outputs, outputs, stdout)).unwrap_or_default()
    }
}

/// What is compared of a result: the declared outputs in the order of the file, and the standard output. What a program
/// says on standard error is not its result.
fn parts(declared: &[String], made: &[NamedBlob], stdout: Option<Blob>) -> Vec<Part> {
    let content = |name: &String| made.iter().find(|output| output.name == *name).map(|output| output.blob);
    let outputs = declared.iter().map(|name| Part { name: name.clone(), content: content(name) });
    outputs.chain([Part { name: STDOUT.into(), content: stdout }]).collect()
}

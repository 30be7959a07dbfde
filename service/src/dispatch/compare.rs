//! Results that have to be looked at: two are compared, or one is shown to a program of the user. The driver does it,
//! beside the core, and tells what came out.

use super::ballot::{Pair, Part};
use super::experience::{Experience, Seen};
use super::{Dispatch, State};
use crate::dispatch::attempt::Test;
use crate::effect::Effect;
use crate::event::{Difference, Verdict};
use crate::task::Comparison;
use proto::message::service::{Blob, NamedBlob};
use proto::{ContractId, PublicKey, Time};

/// Comparisons under way at once; beyond it results count as different.
const MAX_COMPARISONS: usize = 4_096;
/// How much is kept of what a driver says of a difference, in bytes.
const MAX_WORDS: usize = 200;

/// Which results are being compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// Those of two replicas of one sub-task.
    Pair { task: ContractId, head: u32, pair: (u32, u32) },
    /// What is known, and the answer to a probe.
    Answer { contract: ContractId },
}

/// Two results, and how they are to be compared. All contents are in the buyer's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparing {
    /// How.
    pub method: Comparison,
    /// The program, where the method is one.
    pub program: Option<Blob>,
    /// The outputs by their names, as the one and the other result have them.
    pub pairs: Vec<(String, Option<Blob>, Option<Blob>)>,
}

/// A result, and the program that tells whether it is right. All contents are in the buyer's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Testing {
    /// The program.
    pub program: Blob,
    /// The inputs of the sub-task, by their names.
    pub inputs: Vec<NamedBlob>,
    /// The outputs, by their names.
    pub outputs: Vec<NamedBlob>,
    /// The standard output.
    pub stdout: Option<Blob>,
}

impl Dispatch {
    /// Has the driver compare two results, as the file says for the sub-task `head`. What is to be taken for its answer, if
    /// it is not asked.
    pub(super) fn ask_comparison(
        &mut self,
        task: ContractId,
        head: u32,
        asked: Asked,
        first: Vec<Part>,
        second: Vec<Part>,
    ) -> Option<Pair> {
        let plan = self.run(task, head).map(|run| &run.plan)?;
        let method = plan.redundancy.compare.clone();
        let program = match &method {
            Comparison::Command(file) => plan.aids.get(&file.path).copied(),
            _ => None,
        };
        if self.comparisons.len() >= MAX_COMPARISONS {
            let why = Difference { found: "too many comparisons at once".into(), ..Difference::default() };
            return Some(Pair::Different(why));
        }
        let pairs = first.into_iter().zip(second).map(|(a, b)| (a.name, a.content, b.content)).collect();
        self.next_token += 1;
        let token = self.next_token;
        self.comparisons.insert(token, asked);
        let comparing = Box::new(Comparing { method, program, pairs });
        self.effects.push_back(Effect::Compare { token, comparing });
        None
    }

    /// The driver has compared two results: nothing if they agree, or where they differ first.
    pub(crate) fn compared(&mut self, token: u64, difference: Option<Difference>, now: Time) {
        let Some(asked) = self.comparisons.remove(&token) else { return };
        let found = difference.map_or(Pair::Same, |difference| Pair::Different(bounded(difference)));
        match asked {
            Asked::Pair { task, head, pair } => {
                self.note_pair(task, head, pair, found);
                self.count_votes(task, head, now);
            }
            Asked::Answer { contract } => self.answer_compared(contract, found, now),
        }
    }

    /// The seller of an open contract.
    fn seller_of(&mut self, contract: ContractId) -> Option<PublicKey> {
        Some(self.attempt(contract)?.2.attempt.as_ref()?.seller().key)
    }

    /// Takes over what a former run of the node has seen of sellers.
    pub(crate) fn recall(&mut self, records: Vec<(PublicKey, Experience)>) {
        records.into_iter().for_each(|(seller, experience)| self.memory.recall(seller, experience));
    }

    /// What was seen of sellers.
    pub(crate) fn experience(&self) -> impl Iterator<Item = (PublicKey, Experience)> + '_ {
        self.memory.all()
    }

    /// Grows whenever something more is seen of a seller.
    pub(crate) const fn experience_version(&self) -> u64 {
        self.memory.version
    }

    /// Notes what a comparison has told, unless one of the results is not that which was compared.
    pub(super) fn note_pair(&mut self, task: ContractId, head: u32, (one, other): (u32, u32), pair: Pair) {
        let Some(ballot) = self.tasks.get_mut(&task).and_then(|run| run.ballot_mut(head)) else { return };
        if ballot.pairs.of(one, other) == Some(&Pair::Asked) {
            ballot.pairs.note(one, other, pair);
        }
    }

    /// Shows a result to the user's program, if there is one.
    pub(super) fn test(&mut self, contract: ContractId) {
        let Some((_, _, run)) = self.attempt(contract) else { return };
        let Some(verifier) = &run.plan.redundancy.verify else { return };
        let Some(program) = run.plan.aids.get(&verifier.program.path).copied() else { return };
        let inputs = run.plan.job.inputs.clone();
        let Some(attempt) = run.attempt.as_mut() else { return };
        let Some(report) = &attempt.report else { return };
        attempt.test = Test::UnderWay;
        let (outputs, stdout) = (report.body.outputs.clone(), report.body.stdout);
        let testing = Box::new(Testing { program, inputs, outputs, stdout });
        self.effects.push_back(Effect::Test { contract, testing });
    }

    /// The user's program has looked at a result: why it is not right, if it is not.
    pub(crate) fn tested(&mut self, contract: ContractId, result: Result<(), String>, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let (Some(head), State::Voting) = (run.head, run.state) else { return };
        let Some(attempt) = run.attempt.as_mut().filter(|attempt| attempt.test == Test::UnderWay) else {
            return;
        };
        attempt.test = Test::Passed;
        match result {
            Ok(()) => self.count_votes(task, head, now),
            Err(why) => {
                let why = format!("the program that verifies results says no: {}", shortened(why));
                if let Some(seller) = self.seller_of(contract) {
                    self.memory.note(seller, Seen::Wrong, now);
                }
                self.turn_down(contract, &why, now);
                self.try_again_or_end(task, index, Verdict::Rejected(why), now);
            }
        }
    }
}

/// What is kept of a difference.
fn bounded(difference: Difference) -> Difference {
    let Difference { output, place, expected, found } = difference;
    let (place, expected, found) = (shortened(place), shortened(expected), shortened(found));
    Difference { output: shortened(output), place, expected, found }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_WORDS));
    text
}

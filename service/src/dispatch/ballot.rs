//! The count of votes on the result of one sub-task: pure figures, no messages.
//!
//! **The rule.** Results agree if they were compared and found equal. That is not transitive for numbers within a
//! tolerance: 1.0 and 1.1 may agree, and 1.1 and 1.2, but not 1.0 and 1.2. So a quorum is a *canonical* result with
//! which `Quorum` results, itself among them, agree each by a comparison of its own; of several such results the one
//! whose replica was bought first is canonical. Programs that fail by themselves vote as well: `Quorum` equal failures
//! end the sub-task, so that one liar cannot end it by a false status (paper §III-D; BOINC's `min_quorum`).

use crate::event::Difference;
use proto::Hash;
use proto::message::service::Outcome;
use std::collections::BTreeMap;

/// What a replica says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// It is being bought, at work, or being fetched.
    Pending,
    /// It has a result.
    Result,
    /// Its program failed by itself, in this way.
    Failure(Outcome),
    /// Its attempts came to nothing, or its result is not right.
    Gone,
    /// Nobody sells it or the money does not suffice: another replica would fare no better.
    Stuck,
}

/// Whether two results agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// They are being compared.
    Asked,
    /// They do.
    Same,
    /// They do not: where the second one, which was bought later, differs first.
    Different(Difference),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Wait for results or comparisons.
    Wait,
    /// Buy so many more replicas: without them there can be no quorum.
    More(u32),
    /// There is a quorum: this is the canonical result.
    Elect(u32),
    /// The program fails by itself.
    Fail(Outcome),
    /// There can be no quorum any more.
    NoQuorum,
}

/// How many have to agree, and how many replicas may be bought in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many results have to agree.
    pub quorum: u32,
    /// How many replicas may be bought in all.
    pub most: u32,
}

/// The replicas of a sub-task by their indices, with what they say, and what is known of their results.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    known: BTreeMap<(u32, u32), Pair>,
}

impl Pairs {
    /// What is known of two results, whichever was bought first.
    pub(super) fn of(&self, one: u32, other: u32) -> Option<&Pair> {
        self.known.get(&ordered(one, other))
    }

    /// Notes what is known of two results.
    pub fn note(&mut self, one: u32, other: u32, pair: Pair) {
        self.known.insert(ordered(one, other), pair);
    }

    /// A replica has another result from now on: what was known of the former one is forgotten.
    pub(super) fn forget(&mut self, index: u32) {
        self.known.retain(|(one, other), _| *one != index && *other != index);
    }

    /// Whether two results agree, if that is known.
    pub(super) fn agree(&self, one: u32, other: u32) -> Option<bool> {
        if one == other {
            return Some(true);
        }
        match self.of(one, other)? {
            Pair::Asked => None,
            Pair::Same => Some(true),
            Pair::Different(_) => Some(false),
        }
    }

    /// Where the result of `other` differs first from that of `one`.
    pub(super) fn difference(&self, one: u32, other: u32) -> Option<Difference> {
        let Pair::Different(difference) = self.of(one, other)? else { return None };
        let Difference { output, place, expected, found } = difference.clone();
        let swapped = Difference { output, place, expected: found, found: expected };
        Some(if one < other { difference.clone() } else { swapped })
    }
}

const fn ordered(one: u32, other: u32) -> (u32, u32) {
    if one < other { (one, other) } else { (other, one) }
}

/// What the voices come to.
#[must_use]
pub fn decide(voices: &[(u32, Voice)], pairs: &Pairs, terms: Terms) -> Decision {
    let count = |is_meant: &dyn Fn(&Voice) -> bool| {
        let meant = voices.iter().filter(|(_, voice)| is_meant(voice)).count();
        u32::try_from(meant).unwrap_or(u32::MAX)
    };
    let supporters = |canonical: u32| {
        let results = voices.iter().filter(|(_, voice)| *voice == Voice::Result);
        let agreeing = results.filter(|(other, _)| pairs.agree(canonical, *other) == Some(true)).count();
        u32::try_from(agreeing).unwrap_or(u32::MAX)
    };
    let results: Vec<u32> =
        voices.iter().filter(|(_, voice)| *voice == Voice::Result).map(|(index, _)| *index).collect();
    let is_open = |one: &u32| results.iter().any(|other| pairs.agree(*one, *other).is_none());
    if let Some(canonical) = results.iter().find(|index| supporters(**index) >= terms.quorum) {
        // Who is being compared with it is to be paid as well.
        return if is_open(canonical) { Decision::Wait } else { Decision::Elect(*canonical) };
    }
    let failures = voices.iter().filter_map(|(_, voice)| match voice {
        Voice::Failure(outcome) => Some((count(&|other| *other == Voice::Failure(outcome.clone())), outcome)),
        _ => None,
    });
    let most_failures = failures.max_by_key(|(count, _)| *count);
    if let Some((_, outcome)) = most_failures.as_ref().filter(|(count, _)| *count >= terms.quorum) {
        return Decision::Fail((*outcome).clone());
    }
    if results.iter().any(is_open) {
        return Decision::Wait;
    }
    let best = results.iter().map(|index| supporters(*index)).max().unwrap_or(0);
    let best = best.max(most_failures.map_or(0, |(count, _)| count));
    let missing = terms.quorum.saturating_sub(best.saturating_add(count(&|voice| *voice == Voice::Pending)));
    let bought = u32::try_from(voices.len()).unwrap_or(u32::MAX);
    match missing {
        0 => Decision::Wait,
        _ if voices.iter().any(|(_, voice)| *voice == Voice::Stuck) => Decision::NoQuorum,
        missing if bought.saturating_add(missing) > terms.most => Decision::NoQuorum,
        missing => Decision::More(missing),
    }
}

/// Where two results differ first by the hashes of their parts, which stand in one order; `None` if they do not.
pub(super) fn compare_hashes(expected: &[Part], found: &[Part]) -> Option<Difference> {
    let differs = |(one, other): (&Part, &Part)| {
        (one.content != other.content).then(|| Difference {
            output: one.name.clone(),
            place: String::new(),
            expected: shown(one.content),
            found: shown(other.content),
        })
    };
    expected.iter().zip(found).find_map(differs)
}

/// A part of a result: an output, or a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) content: Option<proto::message::service::Blob>,
}

/// A content as its hash and its size.
fn shown(content: Option<proto::message::service::Blob>) -> String {
    content.map_or_else(|| "nothing".into(), |blob| format!("{} with BLAKE3 {:#}", blob.size, blob.hash))
}

/// One hash for all parts of a result.
pub(super) fn digest(parts: &[Part]) -> Hash {
    let mut text = Vec::new();
    for part in parts {
        text.extend(part.name.as_bytes());
        text.push(0);
        text.extend(part.content.map_or([0; 32], |blob| blob.hash.0));
    }
    Hash::of(&text)
}

#[cfg(test)]
mod tests;

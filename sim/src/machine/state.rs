//! The saved states of virtual programs: all that there is in one is how many cycles are done, and on which whole one it
//! rests.

use proto::message::service::{Blob, Checkpoint, Job};
use proto::{Bytes, Cycles, Hash};
use std::collections::BTreeMap;

/// The size of a whole state.
const WHOLE: Bytes = Bytes::mib(1);
/// The size of what has changed since one.
const DIFFERENCE: Bytes = Bytes::kib(64);
/// Differences to a whole state before there is another.
const DIFFERENCES: u32 = 3;

/// Where an execution begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// At the start of the program.
    Start,
    /// At a state in which so many cycles are done.
    At(Cycles),
    /// At something that is no state of the program.
    Nowhere,
}

/// All states that were saved anywhere, by their hashes: what is in them is nobody's secret here.
#[derive(Debug, Default)]
pub(crate) struct States(BTreeMap<Hash, (Cycles, Option<Blob>)>);

impl States {
    /// Where an execution of `job` begins.
    pub(crate) fn begin(&self, job: &Job) -> Begin {
        let Some(Checkpoint { blob, base }) = job.resume else { return Begin::Start };
        match self.0.get(&blob.hash) {
            Some((done, rests_on)) if *rests_on == base => Begin::At(*done),
            _ => Begin::Nowhere,
        }
    }

    /// Whether a content is a state, or what has changed since one.
    pub(crate) fn knows(&self, hash: &Hash) -> bool {
        self.0.contains_key(hash)
    }

    /// What was saved after `done` cycles from the start of its program.
    pub(crate) fn note(&mut self, saved: Checkpoint, done: Cycles) {
        self.0.insert(saved.blob.hash, (done, saved.base));
    }
}

/// The last whole state of an execution, and how many differences to it there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base(Option<(Blob, u32)>);

impl Base {
    /// What is written to save `job` after `done` cycles from its start: something whole from time to time, and else a
    /// difference. What is not `genuine` looks like it, and is none.
    pub(crate) fn save(&mut self, job: &Job, done: Cycles, genuine: bool) -> Checkpoint {
        let what = if genuine { "state" } else { "garbage" };
        match &mut self.0 {
            Some((base, differences)) if *differences < DIFFERENCES => {
                *differences += 1;
                named(job, what, done, Some(*base))
            }
            _ => {
                let whole = named(job, what, done, None);
                self.0 = Some((whole.blob, 0));
                whole
            }
        }
    }
}

impl Begin {
    /// The cycles that are done.
    pub(crate) const fn done(self) -> Cycles {
        match self {
            Self::At(done) => done,
            Self::Start | Self::Nowhere => Cycles(0),
        }
    }
}

fn named(job: &Job, what: &str, done: Cycles, base: Option<Blob>) -> Checkpoint {
    let mut text = Vec::from(what);
    text.extend(job.program.hash.0);
    for argument in &job.arguments {
        text.extend(argument.as_bytes());
        text.push(0);
    }
    for input in &job.inputs {
        text.extend(input.blob.hash.0);
    }
    text.extend(done.0.to_be_bytes());
    let size = base.map_or(WHOLE, |_| DIFFERENCE);
    text.extend(base.iter().flat_map(|base| base.hash.0));
    Checkpoint { blob: Blob { hash: Hash::of(&text), size }, base }
}

//! The saved states of virtual programs: all that there is in one is how many cycles are done.

use proto::message::service::{Blob, Job};
use proto::{Bytes, Cycles, Hash};
use std::collections::BTreeMap;

/// The size of a state.
const SIZE: Bytes = Bytes::mib(1);

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
pub(crate) struct States(BTreeMap<Hash, Cycles>);

impl States {
    /// Where an execution of `job` begins.
    pub(crate) fn begin(&self, job: &Job) -> Begin {
        let Some(resume) = job.resume else { return Begin::Start };
        self.0.get(&resume.hash).map_or(Begin::Nowhere, |done| Begin::At(*done))
    }

    /// Saves the state of `job` after `done` cycles from its start.
    pub(crate) fn save(&mut self, job: &Job, done: Cycles) -> Blob {
        let blob = named(job, "state", done);
        self.0.insert(blob.hash, done);
        blob
    }
}

/// Something that looks like a state, and is none.
pub(crate) fn garbage(job: &Job, done: Cycles) -> Blob {
    named(job, "garbage", done)
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

fn named(job: &Job, what: &str, done: Cycles) -> Blob {
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
    Blob { hash: Hash::of(&text), size: SIZE }
}

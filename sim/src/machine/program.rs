//! What virtual programs do, as their arguments say, and what they leave.

use proto::message::service::{Blob, Job};
use proto::{Bytes, Cycles, Hash};

/// The argument before the number of cycles that a program executes.
const WORK: &str = "--work";
/// The argument before the exit status of a program.
const EXIT: &str = "--exit";

/// What a virtual program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// How many cycles it executes.
    pub(crate) work: Cycles,
    /// Its exit status.
    pub(crate) exit: i32,
}

impl Program {
    /// The arguments that make the virtual machine execute this.
    #[must_use]
    pub(crate) fn arguments(self) -> Vec<String> {
        vec![WORK.into(), self.work.0.to_string(), EXIT.into(), self.exit.to_string()]
    }

    /// What the program of `job` does.
    #[must_use]
    pub(crate) fn of(job: &Job) -> Self {
        let behind = |name: &str| {
            let place = job.arguments.iter().position(|argument| argument == name)?;
            job.arguments.get(place + 1)
        };
        let work = behind(WORK).and_then(|text| text.parse().ok()).unwrap_or(0);
        let exit = behind(EXIT).and_then(|text| text.parse().ok()).unwrap_or(0);
        Self { work: Cycles(work), exit }
    }
}

/// The output that the program of `job` leaves under `name`: it follows from program, arguments and inputs, and
/// not from the limits, so that every honest seller delivers the same.
#[must_use]
pub(crate) fn output(job: &Job, name: &str) -> Blob {
    let mut text = job.program.hash.0.to_vec();
    for argument in &job.arguments {
        text.extend(argument.as_bytes());
        text.push(0);
    }
    for input in &job.inputs {
        text.extend(input.blob.hash.0);
    }
    text.extend(name.as_bytes());
    let hash = Hash::of(&text);
    let size = Bytes::kib(1 + u64::from(hash.0[0]));
    Blob { hash, size }
}

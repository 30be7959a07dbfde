//! What is executed: a program, what it gets, and what it may use.

use super::{Blob, Checkpoint, NamedBlob, Variable};
use crate::quantity::{Bytes, Cycles};
use crate::time::Span;
use std::fmt;

/// What an execution may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time on the wall clock.
    pub wall: Span,
    /// Linear memory.
    pub memory: Bytes,
    /// All files in the scratch directory together.
    pub disk: Bytes,
    /// Standard output, and the same again for standard error.
    pub output: Bytes,
    /// Metered cycles.
    pub cycles: Cycles,
    /// Processes and threads at the same time; WebAssembly has one.
    pub processes: u32,
    /// Cores, at least 1: as many as are bought. Processes and threads of a native program run on so many at once, and the
    /// processor time of all of them counts; WebAssembly runs on one.
    pub cores: u32,
}

/// What kind of program it is (DESIGN §5.6). The buyer states it, because sellers are found by it; the seller looks at
/// the first bytes all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// A WebAssembly module for WASI preview 1.
    #[default]
    WebAssembly,
    /// An ELF program or a script, in a sandbox of the operating system.
    Native,
    /// An image of a container: an OCI layout or the archive of a root file system; the arguments are its command.
    Container,
}

/// How a program is saved while it runs (paper §III-D, DESIGN §5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpointing {
    /// Who saves.
    pub method: CheckpointMethod,
    /// How often; none: by cost, from what a checkpoint was measured to take and how often sellers fail.
    pub interval: Option<Span>,
    /// `CheckPointDataSize`: what is reserved for one checkpoint at each storage node. A larger one is refused.
    pub size: Bytes,
    /// How many storage nodes keep it.
    pub copies: u32,
    /// With what it is encrypted: who keeps it cannot read it, and another seller that goes on gets the key with its offer.
    pub key: CheckpointKey,
}

/// Who saves the state of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointMethod {
    /// The executor, between any two instructions: the program does nothing for it. WebAssembly only.
    Transparent,
    /// The program: it ends with this status after it has written these files, and is started again with them present
    /// (HTCondor's contract, conventions.md 3e).
    BySelf {
        /// The exit status, 85 unless stated.
        exit_code: u8,
        /// The files, as paths in the scratch directory.
        files: Vec<String>,
    },
}

/// A secret of the buyer and of those who compute for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckpointKey(pub [u8; 32]);

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CheckpointKey(..)")
    }
}

/// The most repeats of one job. A contract costs its parties some twenty signatures and four syncs of a disk, so equal
/// short sub-tasks share one; more of them would save little, and what they have done is lost with it.
pub const MAX_REPEATS: usize = 127;

/// One more run of a job's program, after the one before it, in a scratch directory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Its arguments, without the program's own name.
    pub arguments: Vec<String>,
    /// Its environment, over the fixed one that every seller gives.
    pub environment: Vec<Variable>,
    /// Files it finds.
    pub inputs: Vec<NamedBlob>,
    /// Files it has to leave.
    pub outputs: Vec<String>,
    /// Its standard input, empty if absent.
    pub stdin: Option<Blob>,
}

/// A program with all that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The program.
    pub program: Blob,
    /// Its arguments, without its own name.
    pub arguments: Vec<String>,
    /// Its environment, over the fixed one that every seller gives.
    pub environment: Vec<Variable>,
    /// Files it finds.
    pub inputs: Vec<NamedBlob>,
    /// Files it has to leave.
    pub outputs: Vec<String>,
    /// Its standard input, empty if absent.
    pub stdin: Option<Blob>,
    /// What it may use.
    pub limits: Limits,
    /// The checkpoint from which it goes on, if another seller handed one over (DESIGN §5.4, 6).
    pub resume: Option<Checkpoint>,
    /// What kind of program it is.
    pub runtime: Runtime,
    /// The exit status that means success, 0 unless stated.
    pub success: u8,
    /// The file in which the program writes how far it is, if it has one: a number from 0 to 1 in its first line.
    pub progress: Option<String>,
    /// How it is saved while it runs, if it is to be.
    pub checkpoint: Option<Checkpointing>,
    /// Further runs of the same program under the same contract, at most [`MAX_REPEATS`]. All together have the limit on
    /// time, each the other limits for itself. The first that does not succeed is the last one that is executed.
    pub repeats: Vec<Repeat>,
}

impl Job {
    /// A program that gets nothing, leaves nothing, and is not saved.
    #[must_use]
    pub const fn new(program: Blob, limits: Limits) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            stdin: None,
            limits,
            resume: None,
            runtime: Runtime::WebAssembly,
            success: 0,
            progress: None,
            checkpoint: None,
            repeats: Vec::new(),
        }
    }

    /// The runs that it comes to, each as a job of its own, in their order.
    pub fn runs(&self) -> impl Iterator<Item = Self> + '_ {
        let first = Self { repeats: Vec::new(), ..self.clone() };
        let base =
            Self { arguments: Vec::new(), environment: Vec::new(), inputs: Vec::new(), ..first.clone() };
        let further = self.repeats.iter().map(move |repeat| {
            let Repeat { arguments, environment, inputs, outputs, stdin } = repeat.clone();
            Self { arguments, environment, inputs, outputs, stdin, ..base.clone() }
        });
        std::iter::once(first).chain(further)
    }

    /// One more run of it, which is what another job of the same program is to it.
    #[must_use]
    pub fn to_repeat(&self) -> Repeat {
        let Self { arguments, environment, inputs, outputs, stdin, .. } = self.clone();
        Repeat { arguments, environment, inputs, outputs, stdin }
    }

    /// About how many bytes its names, arguments and variables take on the wire.
    #[must_use]
    pub fn words(&self) -> usize {
        const FRAME: usize = 64;
        let variables = self.environment.iter().map(|variable| variable.name.len() + variable.value.len());
        let inputs = self.inputs.iter().map(|input| input.name.len() + FRAME);
        let words = self.arguments.iter().chain(&self.outputs).map(String::len).chain(variables);
        words.map(|length| length + FRAME / 8).chain(inputs).sum::<usize>() + FRAME
    }

    /// How many runs it comes to: at least one.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.repeats.len()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// How much all its runs may execute together.
    #[must_use]
    pub fn most_cycles(&self) -> Cycles {
        Cycles(self.limits.cycles.0.saturating_mul(self.count()))
    }

    /// Everything that has to be fetched before it can be executed, each content once.
    #[must_use]
    pub fn contents(&self) -> Vec<Blob> {
        let mut blobs = vec![self.program];
        blobs.extend(self.inputs.iter().map(|input| input.blob));
        blobs.extend(self.stdin);
        blobs.extend(self.resume.into_iter().flat_map(Checkpoint::contents));
        for repeat in &self.repeats {
            blobs.extend(repeat.inputs.iter().map(|input| input.blob).chain(repeat.stdin));
        }
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}

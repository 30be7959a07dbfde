//! Messages and papers between the buyer and the seller of a sub-task.

mod checkpoint;

pub use checkpoint::{KEPT_STATES, Keep, Kept, MAX_COPIES, NotSaved, Saved};

use super::bank::{BondReceipt, HoldReceipt};
use super::market::Ticket;
use crate::id::{ContractId, Hash, Peer};
use crate::key::PublicKey;
use crate::quantity::{Bytes, Cycles};
use crate::refusal::Refusal;
use crate::signed::{Paper, Signed};
use crate::time::Span;
use std::fmt;

/// A content by its name: cores speak of bulk data only in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob {
    /// BLAKE3 of the bytes.
    pub hash: Hash,
    /// How many there are.
    pub size: Bytes,
}

/// A file of the scratch directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedBlob {
    /// Its relative path.
    pub name: String,
    /// Its content.
    pub blob: Blob,
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

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
    pub resume: Option<Blob>,
    /// What kind of program it is.
    pub runtime: Runtime,
    /// The exit status that means success, 0 unless stated.
    pub success: u8,
    /// The file in which the program writes how far it is, if it has one: a number from 0 to 1 in its first line.
    pub progress: Option<String>,
    /// How it is saved while it runs, if it is to be.
    pub checkpoint: Option<Checkpointing>,
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
        }
    }

    /// Everything that has to be fetched before it can be executed, each content once.
    #[must_use]
    pub fn contents(&self) -> Vec<Blob> {
        let mut blobs = vec![self.program];
        blobs.extend(self.inputs.iter().map(|input| input.blob));
        blobs.extend(self.stdin.iter().chain(&self.resume));
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}

/// What a buyer asks a seller to do; signed by the buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The id of the hold.
    pub contract: ContractId,
    /// The buyer's id of the task.
    pub task: ContractId,
    /// Which sub-task of it, from 0.
    pub sub_task: u32,
    /// Which try, from 1.
    pub attempt: u32,
    /// Where code, inputs and the verdict come from.
    pub buyer: Peer,
    /// Who is asked.
    pub seller: PublicKey,
    /// The work.
    pub job: Job,
    /// The money.
    pub hold: Signed<HoldReceipt>,
    /// The price.
    pub ticket: Signed<Ticket>,
}

/// The seller takes the offer; signed by the seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the signed offer.
    pub offer: Hash,
    /// The bank's word for the seller's bond, where the network's rules ask for one.
    pub bond: Option<Signed<BondReceipt>>,
}

/// The buyer takes the outputs of a report: the seller shows them to nobody before, and may claim the price after
/// that if the buyer is silent (DESIGN §5.4, 7). Signed by the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the signed report.
    pub report: Hash,
}

/// The seller does not take the offer, and is owed nothing; signed by the seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Which contract.
    pub contract: ContractId,
    /// Why.
    pub refusal: Refusal,
}

/// How an execution ended. Only `Succeeded` is paid, and by its cycles what was `Migrated`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Exit status 0 and every declared output there.
    Succeeded,
    /// Another exit status.
    Exited(i32),
    /// The program trapped, with the trap's words.
    Trapped(String),
    /// It ran longer than allowed.
    WallLimit(Span),
    /// It needed more memory than allowed.
    MemoryLimit(Bytes),
    /// It filled more disk than allowed.
    DiskLimit(Bytes),
    /// It printed more than allowed.
    OutputLimit(Bytes),
    /// It executed more cycles than allowed, or than the hold pays for.
    CycleLimit(Cycles),
    /// It ended well but left this declared output out.
    OutputMissing(String),
    /// The program cannot be run here: not a program of a known kind, or not a valid one.
    NotRunnable(String),
    /// Code or inputs could not be fetched or were not what they were named.
    NotFetched(String),
    /// The buyer cancelled.
    Cancelled,
    /// The seller stopped: its owner came back, it left, or its disk failed.
    Abandoned(String),
    /// The seller stopped in order and hands a checkpoint over, from which another seller goes on (DESIGN §5.4, 6).
    Migrated(Blob),
    /// The checkpoint from which the seller was to go on is none: it cannot be decrypted, or is of another program.
    NotResumed(String),
}

impl Outcome {
    /// Whether a buyer that accepts it pays for the cycles.
    #[must_use]
    pub const fn is_payable(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Migrated(_))
    }

    /// Whether another seller may do better: the failure is the seller's or the network's, not the program's.
    #[must_use]
    pub const fn is_worth_retrying(&self) -> bool {
        matches!(
            self,
            Self::NotFetched(_)
                | Self::Abandoned(_)
                | Self::WallLimit(_)
                | Self::Migrated(_)
                | Self::NotResumed(_)
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => write!(out, "succeeded"),
            Self::Exited(status) => write!(out, "exited with status {status}"),
            Self::Trapped(what) => write!(out, "trapped: {what}"),
            Self::WallLimit(limit) => write!(out, "ran longer than its limit of {limit}"),
            Self::MemoryLimit(limit) => write!(out, "needed more memory than its limit of {limit}"),
            Self::DiskLimit(limit) => write!(out, "wrote more files than its limit of {limit}"),
            Self::OutputLimit(limit) => write!(out, "printed more than its limit of {limit}"),
            Self::CycleLimit(limit) => write!(out, "executed more cycles than its limit of {limit}"),
            Self::OutputMissing(name) => write!(out, "did not leave its declared output `{name}`"),
            Self::NotRunnable(why) => write!(out, "is not a program that can be run: {why}"),
            Self::NotFetched(what) => write!(out, "could not be fetched: {what}"),
            Self::Cancelled => write!(out, "was cancelled"),
            Self::Abandoned(why) => write!(out, "was given up by the seller: {why}"),
            Self::Migrated(_) => write!(out, "was handed over with a checkpoint"),
            Self::NotResumed(why) => write!(out, "could not go on from its checkpoint: {why}"),
        }
    }
}

/// The end of an execution; signed by the seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the signed offer.
    pub offer: Hash,
    /// How it ended.
    pub outcome: Outcome,
    /// What was metered.
    pub cycles: Cycles,
    /// The declared outputs that are there.
    pub outputs: Vec<NamedBlob>,
    /// Standard output.
    pub stdout: Option<Blob>,
    /// Standard error.
    pub stderr: Option<Blob>,
}

impl Report {
    /// Everything that the buyer of a payable report takes: outputs, streams and the checkpoint, each content once.
    #[must_use]
    pub fn contents(&self) -> Vec<Blob> {
        let mut blobs: Vec<Blob> = self.outputs.iter().map(|output| output.blob).collect();
        blobs.extend(self.stdout.iter().chain(&self.stderr));
        if let Outcome::Migrated(checkpoint) = &self.outcome {
            blobs.push(*checkpoint);
        }
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}

/// The buyer's word on a report; signed by the buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the signed report.
    pub report: Hash,
    /// Whether the outputs are there and right.
    pub is_accepted: bool,
    /// Why not; empty when accepted.
    pub reason: String,
}

/// Where an accepted contract stands on the seller's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Fetching program and inputs.
    Staging,
    /// Executing.
    Running,
    /// Standing still: the owner of the seller's machine needs it for now.
    Suspended,
}

/// A sign of life that renews the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which contract.
    pub contract: ContractId,
    /// What the seller is doing.
    pub phase: Phase,
    /// Cycles metered so far.
    pub cycles: Cycles,
    /// How far the program says that it is, in millionths, if it says so (`Job.progress`).
    pub done: Option<u32>,
}

/// Where a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The buyer wants to see what the program of a contract prints while it runs. Asked again for every further part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchOutput {
    /// Which contract.
    pub contract: ContractId,
    /// Which of its streams.
    pub stream: Stream,
    /// From which byte on.
    pub from: u64,
}

/// The most bytes of output in one [`OutputTail`].
pub const MAX_TAIL: usize = 64 << 10;

/// What a program has printed so far, from a place on. It is provisional: only what the report names is signed, and
/// only that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputTail {
    /// Which contract.
    pub contract: ContractId,
    /// Which of its streams.
    pub stream: Stream,
    /// Where it begins, in bytes from the beginning of the stream.
    pub from: u64,
    /// At most [`MAX_TAIL`] bytes; none if there is nothing more yet.
    pub bytes: Vec<u8>,
}

/// The buyer no longer wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Which contract.
    pub contract: ContractId,
}

impl Paper for Offer {
    const DOMAIN: &'static str = "offer";
}
impl Paper for Acceptance {
    const DOMAIN: &'static str = "acceptance";
}
impl Paper for Taken {
    const DOMAIN: &'static str = "taken";
}
impl Paper for Declined {
    const DOMAIN: &'static str = "declined";
}
impl Paper for Report {
    const DOMAIN: &'static str = "report";
}
impl Paper for Verdict {
    const DOMAIN: &'static str = "verdict";
}

/// A message between buyer and seller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum ServiceMessage {
    Offer(Box<Signed<Offer>>),
    Accept(Box<Signed<Acceptance>>),
    Decline(Signed<Declined>),
    Progress(Progress),
    Cancel(Cancel),
    Report(Box<Signed<Report>>),
    Verdict(Signed<Verdict>),
    Taken(Signed<Taken>),
    Saved(Signed<Saved>),
    NotSaved(NotSaved),
    Keep(Box<Keep>),
    Kept(Kept),
    WatchOutput(WatchOutput),
    OutputTail(OutputTail),
}

//! Messages and papers between the buyer and the seller of a sub-task.

mod checkpoint;
mod job;

pub use checkpoint::{Checkpoint, KEPT_STATES, Keep, Kept, MAX_COPIES, NotSaved, Saved};
pub use job::{CheckpointKey, CheckpointMethod, Checkpointing, Job, Limits, MAX_REPEATS, Repeat, Runtime};

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
    Migrated(Checkpoint),
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

/// What a successful repeat has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What was metered of it.
    pub cycles: Cycles,
    /// The declared outputs.
    pub outputs: Vec<NamedBlob>,
    /// Standard output.
    pub stdout: Option<Blob>,
    /// Standard error.
    pub stderr: Option<Blob>,
}

impl Product {
    /// The contents that it names.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> + '_ {
        self.outputs.iter().map(|output| output.blob).chain(self.stdout).chain(self.stderr)
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
    /// What was metered, with what is in `more`.
    pub cycles: Cycles,
    /// The declared outputs that are there.
    pub outputs: Vec<NamedBlob>,
    /// Standard output.
    pub stdout: Option<Blob>,
    /// Standard error.
    pub stderr: Option<Blob>,
    /// Of the job's repeats those that succeeded, up to the first that did not; none where the job itself did not.
    pub more: Vec<Product>,
}

impl Report {
    /// What was metered of the job without its repeats.
    #[must_use]
    pub fn own_cycles(&self) -> Cycles {
        let more = self.more.iter().fold(0_u64, |sum, product| sum.saturating_add(product.cycles.0));
        Cycles(self.cycles.0.saturating_sub(more))
    }

    /// Everything that the buyer of a payable report takes: outputs, streams and the checkpoint, each content once.
    #[must_use]
    pub fn contents(&self) -> Vec<Blob> {
        let mut blobs: Vec<Blob> = self.outputs.iter().map(|output| output.blob).collect();
        blobs.extend(self.stdout.iter().chain(&self.stderr));
        blobs.extend(self.more.iter().flat_map(Product::blobs));
        if let Outcome::Migrated(checkpoint) = &self.outcome {
            blobs.extend(checkpoint.contents());
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

/// The buyer wants back what has not begun of the sub-tasks that share a contract: it has found who can do it sooner. The
/// one that runs is done to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
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
    Saved(Box<Signed<Saved>>),
    NotSaved(NotSaved),
    Keep(Box<Keep>),
    Kept(Kept),
    WatchOutput(WatchOutput),
    OutputTail(OutputTail),
    Recall(Recall),
}

//! The messages and papers between buyer and seller on the wire.

use super::{Field, Wire, WireError, v1, wire_struct};
use crate::id::{ContractId, Hash, hex, unhex};
use crate::message::service::{
    Acceptance, Blob, Cancel, Checkpoint, CheckpointKey, CheckpointMethod, Checkpointing, Declined, Job,
    Keep, Kept, Limits, MAX_TAIL, NamedBlob, NotSaved, Offer, Outcome, OutputTail, Phase, Product, Progress,
    Recall, Repeat, Report, Runtime, Saved, ServiceMessage, Stream, Taken, Variable, Verdict, WatchOutput,
};
use crate::quantity::{Bytes, Cycles};
use crate::time::Span;

wire_struct!(Blob => Blob { hash, size });
wire_struct!(NamedBlob => NamedBlob { name, blob });
wire_struct!(Variable => Variable { name, value });
wire_struct!(Limits => Limits { wall, memory, disk, output, cycles, processes, cores });
wire_struct!(Job => Job {
    program, arguments, environment, inputs, outputs, stdin, limits, resume, runtime, success, progress, checkpoint, repeats
});
wire_struct!(Repeat => Repeat { arguments, environment, inputs, outputs, stdin });
wire_struct!(Product => Product { cycles, outputs, stdout, stderr });
wire_struct!(Offer => Offer { contract, task, sub_task, attempt, buyer, seller, job, hold, ticket });
wire_struct!(Acceptance => Acceptance { contract, offer, bond });
wire_struct!(Taken => Taken { contract, report });
wire_struct!(Declined => Declined { contract, refusal });
wire_struct!(Verdict => Verdict { contract, report, is_accepted, reason });
wire_struct!(Progress => Progress { contract, phase, cycles, done });
wire_struct!(WatchOutput => WatchOutput { contract, stream, from });
wire_struct!(Cancel => Cancel { contract });
wire_struct!(Recall => Recall { contract });
wire_struct!(Saved => Saved { contract, version, cycles, checkpoint });
wire_struct!(NotSaved => NotSaved { contract, why });
wire_struct!(Keep => Keep { contract, ticket, hold, blobs, sources });
wire_struct!(Kept => Kept { contract, hashes });

/// Papers travel inside a message of one field.
macro_rules! wrapped {
    ($($variant:ident = $wrapper:ident . $field:ident),*) => {
        impl Wire for ServiceMessage {
            type Pb = v1::ServiceMessage;

            fn to_pb(&self) -> v1::ServiceMessage {
                use v1::service_message::Body;
                let body = match self {
                    $(Self::$variant(paper) => Body::$variant(v1::$wrapper { $field: Some(paper.to_pb()) }),)*
                    Self::Progress(progress) => Body::Progress(progress.to_pb()),
                    Self::Cancel(cancel) => Body::Cancel(cancel.to_pb()),
                    Self::NotSaved(not_saved) => Body::NotSaved(not_saved.to_pb()),
                    Self::Keep(keep) => Body::Keep(keep.to_pb()),
                    Self::Kept(kept) => Body::Kept(kept.to_pb()),
                    Self::WatchOutput(watch) => Body::WatchOutput(watch.to_pb()),
                    Self::OutputTail(tail) => Body::OutputTail(tail.to_pb()),
                    Self::Recall(recall) => Body::Recall(recall.to_pb()),
                };
                v1::ServiceMessage { body: Some(body) }
            }

            fn from_pb(pb: v1::ServiceMessage) -> Result<Self, WireError> {
                use v1::service_message::Body;
                match pb.body.ok_or(WireError::expected("has to hold one of its messages"))? {
                    $(Body::$variant(inner) => Field::from_field(inner.$field).map(Self::$variant)
                        .map_err(|e| e.inside(stringify!($field))),)*
                    Body::Progress(progress) => Wire::from_pb(progress).map(Self::Progress),
                    Body::Cancel(cancel) => Wire::from_pb(cancel).map(Self::Cancel),
                    Body::NotSaved(not_saved) => Wire::from_pb(not_saved).map(Self::NotSaved),
                    Body::Keep(keep) => Wire::from_pb(keep).map(Self::Keep),
                    Body::Kept(kept) => Wire::from_pb(kept).map(Self::Kept),
                    Body::WatchOutput(watch) => Wire::from_pb(watch).map(Self::WatchOutput),
                    Body::OutputTail(tail) => Wire::from_pb(tail).map(Self::OutputTail),
                    Body::Recall(recall) => Wire::from_pb(recall).map(Self::Recall),
                }
            }
        }
    };
}
wrapped!(
    Offer = OfferMessage.offer,
    Accept = AcceptMessage.acceptance,
    Decline = DeclineMessage.declined,
    Report = ReportMessage.report,
    Verdict = VerdictMessage.verdict,
    Taken = TakenMessage.taken,
    Saved = SavedMessage.saved
);

impl Field<u32> for Runtime {
    fn to_field(&self) -> u32 {
        match self {
            Self::WebAssembly => 1,
            Self::Native => 2,
            Self::Container => 3,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::WebAssembly),
            2 => Ok(Self::Native),
            3 => Ok(Self::Container),
            _ => Err(WireError::expected("has to be the number of a kind of program")),
        }
    }
}

impl Wire for Checkpointing {
    type Pb = v1::Checkpointing;

    fn to_pb(&self) -> v1::Checkpointing {
        let (method, exit_code, files) = match &self.method {
            CheckpointMethod::Transparent => (1, 0, Vec::new()),
            CheckpointMethod::BySelf { exit_code, files } => (2, exit_code.to_field(), files.to_field()),
        };
        v1::Checkpointing {
            method,
            exit_code,
            files,
            interval: self.interval.map(|interval| interval.0),
            size: self.size.to_field(),
            copies: self.copies,
            key: self.key.to_field(),
        }
    }

    fn from_pb(pb: v1::Checkpointing) -> Result<Self, WireError> {
        let files = Vec::from_field(pb.files).map_err(|e| e.inside("files"))?;
        let exit_code = u8::from_field(pb.exit_code).map_err(|e| e.inside("exit_code"))?;
        let method = match (pb.method, exit_code) {
            (1, 0) if files.is_empty() => CheckpointMethod::Transparent,
            (1, _) => {
                return Err(WireError::expected("has neither status nor files for who saves nothing itself"));
            }
            (2, 0) => {
                return Err(
                    WireError::expected("has to be more than 0, which ends a program").inside("exit_code")
                );
            }
            (2, exit_code) => CheckpointMethod::BySelf { exit_code, files },
            _ => return Err(WireError::expected("has to be the number of a method").inside("method")),
        };
        Ok(Self {
            method,
            interval: pb.interval.map(Span),
            size: Bytes(pb.size),
            copies: pb.copies,
            key: CheckpointKey::from_field(pb.key).map_err(|e| e.inside("key"))?,
        })
    }
}

impl Field<u32> for Phase {
    fn to_field(&self) -> u32 {
        match self {
            Self::Staging => 1,
            Self::Running => 2,
            Self::Suspended => 3,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::Staging),
            2 => Ok(Self::Running),
            3 => Ok(Self::Suspended),
            _ => Err(WireError::expected("has to be the number of a phase")),
        }
    }
}

impl Field<u32> for Stream {
    fn to_field(&self) -> u32 {
        match self {
            Self::Output => 1,
            Self::Error => 2,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::Output),
            2 => Ok(Self::Error),
            _ => Err(WireError::expected("has to be the number of a stream")),
        }
    }
}

impl Wire for OutputTail {
    type Pb = v1::OutputTail;

    fn to_pb(&self) -> v1::OutputTail {
        let (contract, stream) = (self.contract.to_field(), self.stream.to_field());
        v1::OutputTail { contract, stream, from: self.from, bytes: self.bytes.clone() }
    }

    fn from_pb(pb: v1::OutputTail) -> Result<Self, WireError> {
        if pb.bytes.len() > MAX_TAIL {
            return Err(WireError::expected("is too long a part of an output").inside("bytes"));
        }
        Ok(Self {
            contract: ContractId::from_field(pb.contract).map_err(|e| e.inside("contract"))?,
            stream: Stream::from_field(pb.stream).map_err(|e| e.inside("stream"))?,
            from: pb.from,
            bytes: pb.bytes,
        })
    }
}

impl Wire for Checkpoint {
    type Pb = v1::Checkpoint;

    fn to_pb(&self) -> v1::Checkpoint {
        let Blob { hash, size } = self.blob;
        v1::Checkpoint { hash: hash.to_field(), size: size.0, base: self.base.to_field() }
    }

    fn from_pb(pb: v1::Checkpoint) -> Result<Self, WireError> {
        let hash = Hash::from_field(pb.hash).map_err(|e| e.inside("hash"))?;
        let base = Option::<Blob>::from_field(pb.base).map_err(|e| e.inside("base"))?;
        resting_on(Blob { hash, size: Bytes(pb.size) }, base).map_err(|e| e.inside("base"))
    }
}

fn resting_on(blob: Blob, base: Option<Blob>) -> Result<Checkpoint, WireError> {
    match base {
        Some(base) if base.hash == blob.hash => Err(WireError::expected("has to be another content")),
        base => Ok(Checkpoint { blob, base }),
    }
}

/// The hash of a checkpoint, with hash and size of the one that it rests on behind it.
fn words(checkpoint: &Checkpoint) -> String {
    let base = checkpoint.base.map(|base| hex(&base.hash.0) + &hex(&base.size.0.to_be_bytes()));
    hex(&checkpoint.blob.hash.0) + &base.unwrap_or_default()
}

/// The checkpoint of so many bytes that such words name.
fn of_words(size: Bytes, what: &str) -> Result<Checkpoint, WireError> {
    let wrong = || WireError::expected("has to be the checkpoint's hash and what it rests on");
    let (hash, base) = what.split_at_checked(64).ok_or_else(wrong)?;
    let blob = Blob { hash: unhex(hash).map(Hash).ok_or_else(wrong)?, size };
    if base.is_empty() {
        return Ok(blob.into());
    }
    let (hash, size) = base.split_at_checked(64).ok_or_else(wrong)?;
    let (hash, size) = unhex(hash).map(Hash).zip(unhex(size)).ok_or_else(wrong)?;
    resting_on(blob, Some(Blob { hash, size: Bytes(u64::from_be_bytes(size)) }))
}

/// An outcome as a number, an amount and a text.
pub(super) fn flatten(outcome: &Outcome) -> (u32, i64, String) {
    let amount = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match outcome {
        Outcome::Succeeded => (1, 0, String::new()),
        Outcome::Exited(status) => (2, i64::from(*status), String::new()),
        Outcome::Trapped(what) => (3, 0, what.clone()),
        Outcome::WallLimit(Span(limit)) => (4, amount(*limit), String::new()),
        Outcome::MemoryLimit(Bytes(limit)) => (5, amount(*limit), String::new()),
        Outcome::DiskLimit(Bytes(limit)) => (6, amount(*limit), String::new()),
        Outcome::OutputLimit(Bytes(limit)) => (7, amount(*limit), String::new()),
        Outcome::CycleLimit(Cycles(limit)) => (8, amount(*limit), String::new()),
        Outcome::OutputMissing(name) => (9, 0, name.clone()),
        Outcome::NotRunnable(why) => (10, 0, why.clone()),
        Outcome::NotFetched(what) => (11, 0, what.clone()),
        Outcome::Cancelled => (12, 0, String::new()),
        Outcome::Abandoned(why) => (13, 0, why.clone()),
        Outcome::Migrated(checkpoint) => (14, checkpoint.blob.size.0.cast_signed(), words(checkpoint)),
        Outcome::NotResumed(why) => (15, 0, why.clone()),
    }
}

pub(super) fn unflatten(number: u32, detail: i64, what: String) -> Result<Outcome, WireError> {
    let amount =
        || u64::try_from(detail).map_err(|_| WireError::expected("has to be an amount").inside("detail"));
    Ok(match number {
        1 => Outcome::Succeeded,
        2 => {
            let status = i32::try_from(detail);
            Outcome::Exited(
                status.map_err(|_| WireError::expected("has to be an exit status").inside("detail"))?,
            )
        }
        3 => Outcome::Trapped(what),
        4 => Outcome::WallLimit(Span(amount()?)),
        5 => Outcome::MemoryLimit(Bytes(amount()?)),
        6 => Outcome::DiskLimit(Bytes(amount()?)),
        7 => Outcome::OutputLimit(Bytes(amount()?)),
        8 => Outcome::CycleLimit(Cycles(amount()?)),
        9 => Outcome::OutputMissing(what),
        10 => Outcome::NotRunnable(what),
        11 => Outcome::NotFetched(what),
        12 => Outcome::Cancelled,
        13 => Outcome::Abandoned(what),
        14 => {
            let size = Bytes(detail.cast_unsigned());
            Outcome::Migrated(of_words(size, &what).map_err(|e| e.inside("what"))?)
        }
        15 => Outcome::NotResumed(what),
        _ => return Err(WireError::expected("has to be the number of an outcome").inside("outcome")),
    })
}

impl Wire for Report {
    type Pb = v1::Report;

    fn to_pb(&self) -> v1::Report {
        let (outcome, detail, what) = flatten(&self.outcome);
        v1::Report {
            contract: self.contract.to_field(),
            offer: self.offer.to_field(),
            outcome,
            detail,
            what,
            cycles: self.cycles.to_field(),
            outputs: self.outputs.to_field(),
            stdout: self.stdout.to_field(),
            stderr: self.stderr.to_field(),
            more: self.more.to_field(),
        }
    }

    fn from_pb(pb: v1::Report) -> Result<Self, WireError> {
        let what = String::from_field(pb.what).map_err(|e| e.inside("what"))?;
        Ok(Self {
            contract: ContractId::from_field(pb.contract).map_err(|e| e.inside("contract"))?,
            offer: Field::from_field(pb.offer).map_err(|e| e.inside("offer"))?,
            outcome: unflatten(pb.outcome, pb.detail, what)?,
            cycles: Cycles(pb.cycles),
            outputs: Field::from_field(pb.outputs).map_err(|e| e.inside("outputs"))?,
            stdout: Field::from_field(pb.stdout).map_err(|e| e.inside("stdout"))?,
            stderr: Field::from_field(pb.stderr).map_err(|e| e.inside("stderr"))?,
            more: Field::from_field(pb.more).map_err(|e| e.inside("more"))?,
        })
    }
}

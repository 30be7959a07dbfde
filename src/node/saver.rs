//! Saving an execution, and going on from a saved one: what the executor gives is sealed and put into the store, and what
//! was sealed elsewhere is opened.

mod files;
mod seal;

use crate::exec::{Control, Scratch, Snapshot, Whole, check_snapshots};
use crate::net::store::Store;
use files::Files;
use proto::message::service::{Blob, Checkpoint, CheckpointMethod, Checkpointing, Job};
use proto::{Bytes, ContractId, Cycles, Hash, Span};
use seal::Seal;
use service::{Input, checkpoint};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tempfile::NamedTempFile;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// What a program had printed when it was saved: another process of it prints the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Streams {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Streams {
    /// The length of the longer one.
    pub(super) fn longest(&self) -> u64 {
        self.stdout.len().max(self.stderr.len()) as u64
    }

    /// The end of an execution, with all that was printed.
    pub(super) fn into(self, mut ended: crate::exec::Ended) -> crate::exec::Ended {
        (ended.stdout, ended.stderr) = (self.stdout, self.stderr);
        ended
    }
}

/// What saves one execution.
pub(super) struct Saver {
    contract: ContractId,
    program: Hash,
    spec: Checkpointing,
    control: Control,
    store: Arc<Store>,
    inputs: mpsc::UnboundedSender<Input>,
    /// The next state that the program saves by itself is wanted.
    is_wanted: AtomicBool,
    /// States sealed so far.
    sealed: AtomicU32,
    /// The last whole state that is in the store, with the hash in its snapshot.
    whole: Mutex<Option<(Hash, Blob)>>,
    /// The cycles before this contract, from the start of the program.
    base: AtomicU64,
    /// The cycles of this contract, until the program was last started anew.
    ran: AtomicU64,
}

impl Saver {
    /// Nothing for a job that is not saved.
    pub(super) fn new(
        contract: ContractId,
        job: &Job,
        control: Control,
        store: Arc<Store>,
        inputs: mpsc::UnboundedSender<Input>,
    ) -> Option<Self> {
        Some(Self {
            contract,
            program: job.program.hash,
            spec: job.checkpoint.clone()?,
            control,
            store,
            inputs,
            is_wanted: AtomicBool::new(false),
            sealed: AtomicU32::new(0),
            whole: Mutex::default(),
            base: AtomicU64::new(0),
            ran: AtomicU64::new(0),
        })
    }

    /// Saves the program: at once, or when it next does so by itself. What comes of it arrives as an input.
    pub(super) fn save(self: &Arc<Self>) {
        if matches!(self.spec.method, CheckpointMethod::BySelf { .. }) {
            self.is_wanted.store(true, Ordering::Relaxed);
            return;
        }
        let (saver, snapshot) = (Arc::clone(self), self.control.snapshot(self.rests_on()));
        tokio::spawn(async move {
            // A program that has ended meanwhile is saved no more, and nobody waits for it.
            let Ok(snapshot) = snapshot.await else { return };
            let sealer = Arc::clone(&saver);
            let sealed = tokio::task::spawn_blocking(move || sealer.seal_snapshot(snapshot)).await;
            let sealed = sealed.unwrap_or_else(|error| Err(error.to_string()));
            let result = match sealed {
                Ok(sealed) => saver.put(sealed).await,
                Err(why) => Err(why),
            };
            saver.tell(result);
        });
    }

    /// What the next state may be a difference to, and how large.
    fn rests_on(&self) -> Option<Whole> {
        let (hash, blob) = (*self.whole())?;
        let most = most_of_difference(blob.size, checkpoint::most(self.spec.size));
        Some(Whole { hash, most }).filter(|_| most > Bytes(0))
    }

    fn whole(&self) -> MutexGuard<'_, Option<(Hash, Blob)>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the program with its state. Whether it can be saved at any moment.
    pub(super) fn hand_over(&self) -> bool {
        let is_transparent = self.spec.method == CheckpointMethod::Transparent;
        if is_transparent {
            self.control.suspend();
        }
        is_transparent
    }

    /// The cycles of this contract until the program was last started anew.
    pub(super) fn earlier(&self) -> Cycles {
        Cycles(self.ran.load(Ordering::Relaxed))
    }

    /// The program is started anew after so many cycles of this contract.
    pub(super) fn ran(&self, cycles: Cycles) {
        self.control.begin_again();
        self.ran.store(cycles.0, Ordering::Relaxed);
    }

    /// Saves what the program has left for itself, if a state is wanted.
    pub(super) fn save_files(&self, scratch: &Scratch, streams: &Streams, runtime: &Handle) {
        if !self.is_wanted.swap(false, Ordering::Relaxed) {
            return;
        }
        let CheckpointMethod::BySelf { files, .. } = &self.spec.method else { return };
        let began = Instant::now();
        let sealed = Files::read(scratch, files, streams, checkpoint::most(self.spec.size)).map(|files| {
            let cycles = self.earlier();
            Sealed { bytes: self.seal(cycles, &files.encode()), cycles, took: since(began), of: None }
        });
        self.tell(sealed.and_then(|sealed| runtime.block_on(self.put(sealed))));
    }

    /// Seals a snapshot.
    pub(super) fn seal_snapshot(&self, snapshot: Snapshot) -> Result<Sealed, String> {
        let base = self.base.load(Ordering::Relaxed);
        let cycles = Cycles(snapshot.cycles.0.saturating_sub(base));
        let Snapshot { bytes, hash, base, took, .. } = snapshot;
        Ok(Sealed { bytes: self.seal(cycles, &bytes), cycles, took, of: Some((hash, base)) })
    }

    /// Puts a sealed state into the store, where whoever knows its hash can have it.
    pub(super) async fn put(&self, sealed: Sealed) -> Result<service::Snapshot, String> {
        let Sealed { bytes, cycles, took, of } = sealed;
        let blob = self.store.put_bytes(bytes).await.map_err(|error| error.to_string())?;
        let checkpoint = self.resting(blob, of)?;
        Ok(service::Snapshot { checkpoint, cycles, cost: took })
    }

    /// The state in the content `blob`, with what it rests on. The next may rest on one that is whole, if there is room.
    fn resting(&self, blob: Blob, of: Option<(Hash, Option<Hash>)>) -> Result<Checkpoint, String> {
        let mut whole = self.whole();
        match (of, *whole) {
            (Some((_, Some(base))), Some((hash, below))) if base == hash => {
                Ok(Checkpoint { blob, base: Some(below) })
            }
            (Some((_, Some(_))), _) => Err("what it rests on is not the last whole state".into()),
            (Some((hash, None)), _) => {
                *whole = (blob.size <= checkpoint::most(self.spec.size)).then_some((hash, blob));
                Ok(blob.into())
            }
            (None, _) => Ok(blob.into()),
        }
    }

    /// Opens a state from its contents, what it rests on first: files are put into the scratch directory, snapshots into
    /// files beside it.
    pub(super) fn resume(
        &self,
        sealed: &[PathBuf],
        scratch: &Scratch,
        base: &Path,
    ) -> Result<(Streams, Vec<NamedTempFile>), String> {
        let (mut streams, mut snapshots) = (Streams::default(), Vec::new());
        for content in sealed {
            let bytes = fs::read(content).map_err(|error| format!("it cannot be read: {error}"))?;
            let (total, plain) = seal::open(&self.spec.key, self.program, bytes)?;
            self.base.store(total.0, Ordering::Relaxed);
            if let CheckpointMethod::BySelf { files, .. } = &self.spec.method {
                streams = Files::decode(&plain)?.write(scratch, files)?;
                continue;
            }
            let file = NamedTempFile::new_in(base).and_then(|mut file| {
                file.write_all(&plain)?;
                Ok(file)
            });
            snapshots.push(file.map_err(|error| format!("it cannot be written: {error}"))?);
        }
        Ok((streams, snapshots))
    }

    fn seal(&self, cycles: Cycles, plain: &[u8]) -> Vec<u8> {
        let version = self.sealed.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let total = Cycles(self.base.load(Ordering::Relaxed).saturating_add(cycles.0));
        let (contract, program) = (self.contract, self.program);
        Seal { contract, version, total }.close(&self.spec.key, program, plain)
    }

    fn tell(&self, result: Result<service::Snapshot, String>) {
        let contract = self.contract;
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = self.inputs.send(Input::Saved { contract, result });
    }
}

/// Opens the state that `job` is to go on from and reads it to its end, as who goes on does; without running anything. What
/// this node cannot read is not its maker's fault, and counts as one.
///
/// # Errors
/// Why nobody could go on from it, in words.
pub(super) fn open(job: &Job, store: &Store) -> Result<(), String> {
    let Some(state) = job.resume else { return Ok(()) };
    let spec = job.checkpoint.as_ref().ok_or("the sub-task is not saved")?;
    let mut opened = Vec::new();
    for content in state.contents() {
        let read = store.path(&content.hash).map(fs::read);
        let Some(Ok(bytes)) = read else {
            tracing::warn!(hash = %content.hash, "a saved state could not be read here");
            return Ok(());
        };
        opened.push(seal::open(&spec.key, job.program.hash, bytes)?.1);
    }
    match &spec.method {
        CheckpointMethod::Transparent => check_snapshots(job.program.hash, &opened, job.limits),
        CheckpointMethod::BySelf { files, .. } => {
            opened.iter().try_for_each(|plain| Files::decode(plain)?.check(files))
        }
    }
}

/// A sealed state on its way to the store.
pub(super) struct Sealed {
    bytes: Vec<u8>,
    cycles: Cycles,
    took: Span,
    /// Of a snapshot the hash in it, and the one in what it is a difference to.
    of: Option<(Hash, Option<Hash>)>,
}

/// What a difference to a whole state of a size may have before it is sealed, where `most` is kept for a state: half as much
/// at most, and no more than fits beside it.
fn most_of_difference(whole: Bytes, most: Bytes) -> Bytes {
    Bytes(most.0.saturating_sub(whole.0).min(whole.0 / 2).saturating_sub(seal::LENGTH))
}

fn since(began: Instant) -> Span {
    Span(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::service::{CheckpointKey, Limits, Runtime};

    const KEY: CheckpointKey = CheckpointKey([3; 32]);
    const PROGRAM: Hash = Hash([4; 32]);

    /// A job of a program that saves itself into the file `state`, and is to go on from this.
    fn job(resume: Checkpoint) -> Job {
        let files = vec!["state".into()];
        let (size, none) = (Bytes::mib(1), Bytes(0));
        Job {
            program: Blob { hash: PROGRAM, size },
            arguments: Vec::new(),
            environment: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            stdin: None,
            limits: Limits {
                wall: Span(0),
                memory: size,
                disk: size,
                output: none,
                cycles: Cycles(0),
                processes: 1,
                cores: 1,
            },
            resume: Some(resume),
            runtime: Runtime::Native,
            success: 0,
            progress: None,
            checkpoint: Some(Checkpointing {
                method: CheckpointMethod::BySelf { exit_code: 85, files },
                interval: None,
                size,
                copies: 1,
                key: KEY,
            }),
            repeats: Vec::new(),
        }
    }

    /// What opening a state with this content comes to.
    async fn check(content: Vec<u8>, expected: Result<(), &str>) {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path(), Bytes::mib(1)).unwrap());
        let blob = store.put_bytes(content).await.unwrap();
        assert_eq!(open(&job(blob.into()), &store), expected.map_err(Into::into));
    }

    #[tokio::test]
    async fn what_nobody_could_go_on_from_is_recognised_when_it_is_opened() {
        let files = |name: &str| -> Vec<u8> {
            let parts = ["", "", name, "what it has done"].into_iter();
            parts
                .flat_map(|part| [(part.len() as u64).to_be_bytes().as_slice(), part.as_bytes()].concat())
                .collect()
        };
        let seal = Seal { contract: proto::CommandId([1; 16]), version: 1, total: Cycles(7) };
        let close = |plain: &[u8]| seal.close(&KEY, PROGRAM, plain);
        let good = files("state");
        check(close(&good), Ok(())).await;
        check(close(&good[..30]), Err("it ends within a file")).await;
        let other = "it has a file `other`, which the program does not declare";
        check(close(&files("other")), Err(other)).await;
        let sealed = "it was sealed with another key or for another program, or was changed";
        check(seal.close(&CheckpointKey([9; 32]), PROGRAM, &good), Err(sealed)).await;
        check(seal.close(&KEY, Hash([9; 32]), &good), Err(sealed)).await;
        check(good, Err("it is no saved state")).await;
    }

    #[test]
    fn a_difference_is_half_of_its_whole_state_at_most_and_fits_beside_it() {
        for (whole, most, expected) in [
            // Its seal takes 53 bytes, of which 37 stand before it.
            (1_000, 10_000, 447),
            (1_000, 1_500, 447),
            (1_000, 1_300, 247),
            (1_000, 1_053, 0),
            (1_000, 1_000, 0),
            (1_000, 900, 0),
            (0, 1_000, 0),
        ] {
            assert_eq!(most_of_difference(Bytes(whole), Bytes(most)), Bytes(expected), "{whole} of {most}");
        }
    }
}

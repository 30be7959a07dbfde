//! A disk with every fault that a disk has: it is cut off after any byte, keeps of what was not synced any part, and is
//! full or fails when it is told to.
//!
//! What a file holds now and what of it is durable are two things. A change is durable when its file was synced, a name
//! when the directory was. [`FaultyDisk::crash`] gives the disk that the next process finds.

use crate::dice::Dice;
use bank::store::disk::{Disk, DiskError, SECTOR};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What survives of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// All of it: the process was killed, and the machine went on.
    All,
    /// None of it: the power failed before the disk had begun.
    Synced,
    /// Any of its sectors of 512 bytes, in no order, and of the names the first so many changes; drawn by this number.
    Sectors(u64),
}

/// A change of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A file was made, or emptied.
    Create(String),
    /// Bytes were written from this place on.
    Write(String, u64, Vec<u8>),
    /// A file was cut.
    Truncate(String, u64),
    /// A file was synced.
    Sync(String),
    /// A file got another name.
    Rename(String, String),
    /// A file was removed.
    Remove(String),
    /// The names were synced.
    SyncDirectory,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ill {
    /// All files together have no more room than this, in bytes.
    pub room: Option<u64>,
    /// Every sync fails.
    pub fails_to_sync: bool,
    /// Every sync says that it is done, and nothing is.
    pub lies_about_syncs: bool,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    names: Names,
    durable_names: Names,
    /// What the names became after each change that is not durable.
    pending_names: Vec<Names>,
    files: Vec<File>,
    ill: Ill,
    operations: Vec<Operation>,
}

type Names = BTreeMap<String, usize>;

#[derive(Clone, Debug, Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

impl FaultyDisk {
    /// An empty disk on which nothing is wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the disk ill, or well again.
    pub fn set_ill(&self, ill: Ill) {
        self.state().ill = ill;
    }

    /// All changes so far.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.state().operations.clone()
    }

    /// How many changes there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().operations.len()
    }

    /// The names of all files.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// How many bytes all files have together.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Does what another disk did. It is not written down again.
    pub fn follow(&self, operation: &Operation) {
        let mut state = self.state();
        // A disk that is well refuses nothing that another one did.
        let _ = state.execute(operation);
    }

    /// The disk that is found after a crash at this moment.
    #[must_use]
    pub fn crash(&self, survival: Survival) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().after(survival))) }
    }

    /// The same for a write of which only the first `bytes` bytes were done.
    #[must_use]
    pub fn crash_within(&self, operation: &Operation, bytes: usize, survival: Survival) -> Self {
        let Operation::Write(file, at, whole) = operation else { return self.crash(survival) };
        let mut state = self.state().clone();
        let part = whole.get(..bytes).unwrap_or(whole).to_vec();
        // The same write was done as a whole.
        let _ = state.execute(&Operation::Write(file.clone(), *at, part));
        Self { state: Arc::new(Mutex::new(state.after(survival))) }
    }

    /// Flips a bit of a file, durably; `false` if the file has no such bit.
    #[must_use]
    pub fn flip(&self, file: &str, bit: u64) -> bool {
        let mut state = self.state();
        let at = usize::try_from(bit / 8).unwrap_or(usize::MAX);
        let Some(file) = state.find(file) else { return false };
        let flip = |bytes: &mut Vec<u8>| bytes.get_mut(at).map(|byte| *byte ^= 1 << (bit % 8)).is_some();
        flip(&mut file.durable);
        flip(&mut file.now)
    }

    /// What a file holds.
    #[must_use]
    pub fn bytes(&self, file: &str) -> Option<Vec<u8>> {
        self.state().find(file).map(|file| file.now.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, operation: Operation) -> Result<(), DiskError> {
        let mut state = self.state();
        let done = state.execute(&operation);
        state.operations.push(operation);
        done
    }
}

impl State {
    fn find(&mut self, name: &str) -> Option<&mut File> {
        let file = *self.names.get(name)?;
        self.files.get_mut(file)
    }

    fn file(&mut self, name: &str) -> Result<&mut File, DiskError> {
        self.find(name).ok_or_else(|| DiskError::Failed { reason: format!("there is no file {name}") })
    }

    fn used(&self) -> u64 {
        let length = |file: &usize| self.files.get(*file).map_or(0, |file| to_u64(file.now.len()));
        self.names.values().map(length).sum()
    }

    fn execute(&mut self, operation: &Operation) -> Result<(), DiskError> {
        match operation {
            Operation::Create(name) => {
                self.files.push(File::default());
                self.rename(|names, file| {
                    names.insert(name.clone(), file);
                });
            }
            Operation::Write(name, at, bytes) => return self.write(name, *at, bytes),
            Operation::Truncate(name, length) => self.file(name)?.change(Change::Truncate(*length)),
            Operation::Sync(name) => {
                let ill = self.ill;
                if ill.fails_to_sync {
                    return Err(DiskError::Failed { reason: "the disk does not answer".into() });
                }
                let file = self.file(name)?;
                if !ill.lies_about_syncs {
                    file.durable.clone_from(&file.now);
                    file.pending.clear();
                }
            }
            Operation::Rename(from, to) => {
                self.file(from)?;
                self.rename(|names, _| {
                    let file = names.remove(from);
                    file.map(|file| names.insert(to.clone(), file));
                });
            }
            Operation::Remove(name) => self.rename(|names, _| {
                names.remove(name);
            }),
            Operation::SyncDirectory => {
                self.durable_names.clone_from(&self.names);
                self.pending_names.clear();
            }
        }
        Ok(())
    }

    fn rename(&mut self, change: impl FnOnce(&mut Names, usize)) {
        change(&mut self.names, self.files.len().saturating_sub(1));
        self.pending_names.push(self.names.clone());
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let used = self.used();
        let room = self.ill.room.map_or(u64::MAX, |room| room.saturating_sub(used));
        let file = self.file(name)?;
        let there = to_u64(file.now.len()).saturating_sub(at);
        let fits = usize::try_from(there.saturating_add(room)).unwrap_or(usize::MAX);
        let part = bytes.get(..fits).unwrap_or(bytes).to_vec();
        let is_whole = part.len() == bytes.len();
        file.change(Change::Write(at, part));
        if is_whole { Ok(()) } else { Err(DiskError::NoRoom { reason: "the disk is full".into() }) }
    }

    fn after(&self, survival: Survival) -> Self {
        let mut dice = match survival {
            Survival::Sectors(seed) => Some(Dice::new(seed, "crash", 0)),
            Survival::All | Survival::Synced => None,
        };
        let names = match (survival, &mut dice) {
            (Survival::All, _) => self.names.clone(),
            (_, None) => self.durable_names.clone(),
            (_, Some(dice)) => {
                let kept = dice.between(0, to_u64(self.pending_names.len()));
                let last = usize::try_from(kept).unwrap_or(0).checked_sub(1);
                let last = last.and_then(|last| self.pending_names.get(last));
                last.unwrap_or(&self.durable_names).clone()
            }
        };
        let left = |file: &File| {
            let now = match (survival, &mut dice) {
                (Survival::All, _) => file.now.clone(),
                (_, None) => file.durable.clone(),
                (_, Some(dice)) => file.torn(dice),
            };
            File { durable: now.clone(), now, pending: Vec::new() }
        };
        let files = self.files.iter().map(left).collect();
        let durable_names = names.clone();
        Self { names, durable_names, files, ..Self::default() }
    }
}

impl File {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now, |_| true);
        self.pending.push(change);
    }

    /// What is durable, with any sectors of what is not.
    fn torn(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let kept = dice.between(0, 1_000);
        for change in &self.pending {
            change.apply(&mut bytes, |_| dice.below(1_000) < kept);
        }
        bytes
    }
}

impl Change {
    /// Changes `bytes`; of a write only the sectors that are `kept`.
    fn apply(&self, bytes: &mut Vec<u8>, mut kept: impl FnMut(u64) -> bool) {
        match self {
            Self::Truncate(length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                if kept(0) {
                    bytes.resize(length, 0);
                }
            }
            Self::Write(at, written) => {
                let mut at = *at;
                let mut rest = written.as_slice();
                while !rest.is_empty() {
                    let size = usize::try_from(SECTOR - at % SECTOR).unwrap_or(usize::MAX);
                    let (sector, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
                    if kept(at / SECTOR) {
                        overwrite(bytes, at, sector);
                    }
                    at = at.saturating_add(to_u64(sector.len()));
                    rest = behind;
                }
            }
        }
    }
}

fn overwrite(bytes: &mut Vec<u8>, at: u64, sector: &[u8]) {
    let from = usize::try_from(at).unwrap_or(usize::MAX);
    let end = from.saturating_add(sector.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(into) = bytes.get_mut(from..end) {
        into.copy_from_slice(sector);
    }
}

impl Disk for FaultyDisk {
    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn length(&mut self, file: &str) -> Result<u64, DiskError> {
        self.state().file(file).map(|file| to_u64(file.now.len()))
    }

    fn read(&mut self, file: &str, from: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let mut state = self.state();
        let bytes = &state.file(file)?.now;
        let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or(&[]);
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(rest.len().min(into.len()))
    }

    fn create(&mut self, file: &str) -> Result<(), DiskError> {
        self.change(Operation::Create(file.into()))
    }

    fn write(&mut self, file: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.change(Operation::Write(file.into(), at, bytes.to_vec()))
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        self.change(Operation::Sync(file.into()))
    }

    fn truncate(&mut self, file: &str, length: u64) -> Result<(), DiskError> {
        self.change(Operation::Truncate(file.into(), length))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.change(Operation::Rename(from.into(), to.into()))
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        self.change(Operation::Remove(file.into()))
    }

    fn sync_directory(&mut self) -> Result<(), DiskError> {
        self.change(Operation::SyncDirectory)
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

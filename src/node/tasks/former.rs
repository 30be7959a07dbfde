//! What is left of tasks for the next run of the node: how they were submitted, until they have ended, and then their ends.
//!
//! | file | what |
//! |---|---|
//! | `ID.json` | what is shown of a task |
//! | `ID.submitted` | the submission, from which the same plans are made again; until the task has ended |
//! | `ID.ends` | how its sub-tasks ended, with the hashes of what they brought, and where that belongs |

use super::prepare::{Prepared, plan};
use super::results::{Destinations, Write};
use super::{Kept, Live, Tasks, view};
use crate::control::{Failure, Submit, TaskState, TaskView};
use crate::net::store::{Pins, Store};
use proto::id::{hex, unhex};
use proto::message::service::Blob;
use proto::wire::Wire as _;
use proto::{Bytes, CommandId, ContractId, Hash, Rules, Time};
use serde::{Deserialize, Serialize};
use service::event::Verdict;
use service::{End, Submission};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A task as its user has submitted it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Submitted {
    contract: String,
    /// When, in µs since the Unix epoch.
    since: u64,
    submit: Submit,
    /// The contents of its files, by their paths: hash and size. The files may change afterwards.
    blobs: BTreeMap<String, (String, u64)>,
}

/// How the sub-tasks of a task have ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ends {
    results: PathBuf,
    destinations: Vec<Destinations>,
    ends: Vec<(u32, String)>,
}

/// What a start finds to go on with.
pub(crate) struct Former {
    /// Tasks that had not ended.
    pub(crate) submissions: Vec<(Submission, Time)>,
    /// Results of ended tasks that may not have been written.
    pub(crate) writes: Vec<Write>,
}

impl Submitted {
    pub(super) fn new(contract: ContractId, submit: Submit, blobs: &BTreeMap<String, Blob>) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let blob = |(path, blob): (&String, &Blob)| (path.clone(), (hex(&blob.hash.0), blob.size.0));
        Self {
            contract: hex(&contract.0),
            since: u64::try_from(since.as_micros()).unwrap_or(u64::MAX),
            submit,
            blobs: blobs.iter().map(blob).collect(),
        }
    }

    /// The same plans once more, from what is in the store.
    fn prepare(self, rules: &Rules, store: &Arc<Store>) -> Result<(Prepared, Time), Failure> {
        let damaged = || Failure::new("damaged", "what was written down of the submission does not read", 1);
        let contract = unhex(&self.contract).map(CommandId).ok_or_else(damaged)?;
        let mut blobs = BTreeMap::new();
        let mut pins = Pins::new(store, []);
        for (path, (hash, size)) in &self.blobs {
            let hash = unhex(hash).map(Hash).ok_or_else(damaged)?;
            pins.add(hash);
            blobs.insert(path.clone(), Blob { hash, size: Bytes(*size) });
        }
        let since = Time(self.since);
        let task = super::prepare::parse(&self.submit)?;
        Ok((plan(task, self.submit, rules, contract, (store, blobs, pins))?, since))
    }
}

impl Tasks {
    /// Takes up what former runs have left: tasks that go on, and results that may not have been written.
    pub(crate) fn take_up(&mut self, rules: &Rules, store: &Arc<Store>) -> Former {
        let mut former = Former { submissions: Vec::new(), writes: Vec::new() };
        let is_open = |kept: &Kept| kept.view.state == TaskState::Interrupted;
        let open = self.tasks.iter().filter(|(_, kept)| is_open(kept)).map(|(id, _)| *id);
        for id in open.collect::<Vec<_>>() {
            if let Some(ends) = self.read_ends(id) {
                former.writes.extend(self.end_former(id, &ends, store));
            } else if let Some(submitted) = read::<Submitted>(&self.file(id, SUBMITTED)) {
                match submitted.prepare(rules, store) {
                    Ok((prepared, since)) => {
                        former.submissions.push((self.go_on(id, prepared, since), since))
                    }
                    Err(failure) => {
                        tracing::warn!(task = id, "the task cannot go on: {}", failure.message);
                    }
                }
            }
        }
        former
    }

    /// A task of a former run goes on.
    fn go_on(&mut self, id: u64, prepared: Prepared, since: Time) -> Submission {
        let Prepared { names, destinations, pins, results, budget, submission, .. } = prepared;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let elapsed = now.saturating_sub(Duration::from_micros(since.0));
        let started = Instant::now().checked_sub(elapsed).unwrap_or_else(Instant::now);
        let live = Live::new(submission.task, (names, destinations), pins, results, budget, started);
        self.by_contract.insert(submission.task, id);
        if let Some(kept) = self.tasks.get_mut(&id) {
            kept.view.state = TaskState::Running;
            kept.live = Some(live);
        }
        submission
    }

    /// A task had ended, and its results may not have been written.
    fn end_former(&mut self, id: u64, ends: &Ends, store: &Arc<Store>) -> Option<Write> {
        let kept = self.tasks.get_mut(&id)?;
        let decoded = ends.decoded();
        for (index, end) in &decoded {
            if let Some(view) = kept.view.sub_tasks.get_mut(usize::try_from(*index).unwrap_or(usize::MAX)) {
                view::show_former(view, end);
            }
        }
        kept.view.state = ended_state(&decoded);
        self.keep(id);
        Some(ends.write(id, None, store))
    }

    /// Writes down how a task was submitted, before anything is bought for it.
    pub(super) fn keep_submission(&self, id: u64, submitted: &Submitted) {
        if let Err(error) = write(&self.directory, &self.file(id, SUBMITTED), submitted) {
            tracing::warn!(%error, task = id, "the submission could not be kept: a restart would end the task");
        }
    }

    /// Writes down how the sub-tasks of a task have ended, before the core forgets it.
    pub(super) fn keep_ends(&self, id: u64) {
        let Some(live) = self.tasks.get(&id).and_then(|kept| kept.live.as_ref()) else { return };
        let ends = Ends {
            results: live.results.clone(),
            destinations: live.destinations.to_vec(),
            ends: live.ends.iter().map(|(index, end)| (*index, hex(&end.encode()))).collect(),
        };
        match write(&self.directory, &self.file(id, ENDS), &ends) {
            // What has ended is not submitted again.
            Ok(()) => drop(std::fs::remove_file(self.file(id, SUBMITTED))),
            Err(error) => tracing::warn!(%error, task = id, "the ends of a task could not be kept"),
        }
    }

    /// What is to be written to have the results of a task of a former run again.
    pub(super) fn former_results(&self, id: u64, to: Option<PathBuf>, store: &Arc<Store>) -> Option<Write> {
        Some(self.read_ends(id)?.write(id, to, store).again())
    }

    /// How a sub-task ended, in this run or in a former one.
    pub(crate) fn end_of(&self, id: u64, sub_task: u32) -> Option<End> {
        let live = self.tasks.get(&id)?.live.as_ref().and_then(|live| live.ends.get(&sub_task).cloned());
        live.or_else(|| {
            let ends = self.read_ends(id)?.decoded();
            ends.into_iter().find(|(index, _)| *index == sub_task).map(|(_, end)| end)
        })
    }

    /// Removes all files of a task.
    pub(super) fn remove_files(&self, id: u64) {
        for suffix in ["json", SUBMITTED, ENDS] {
            // A file that is gone already is as well.
            let _ = std::fs::remove_file(self.file(id, suffix));
        }
    }

    fn read_ends(&self, id: u64) -> Option<Ends> {
        read(&self.file(id, ENDS))
    }

    pub(super) fn file(&self, id: u64, suffix: &str) -> PathBuf {
        self.directory.join(format!("{id}.{suffix}"))
    }
}

const SUBMITTED: &str = "submitted";
const ENDS: &str = "ends";

impl Ends {
    fn decoded(&self) -> Vec<(u32, End)> {
        let end = |(index, text): &(u32, String)| {
            let bytes = from_hex(text)?;
            End::decode(&bytes).ok().map(|end| (*index, end))
        };
        self.ends.iter().filter_map(end).collect()
    }

    fn write(&self, id: u64, to: Option<PathBuf>, store: &Arc<Store>) -> Write {
        let directory = to.unwrap_or_else(|| self.results.clone());
        Write::new(id, directory, self.decoded(), Arc::new(self.destinations.clone()), store)
    }
}

/// What a task has become whose sub-tasks have ended so.
fn ended_state(ends: &[(u32, End)]) -> TaskState {
    let is = |verdict: &Verdict| ends.iter().all(|(_, end)| end.verdict == *verdict);
    if is(&Verdict::Succeeded) {
        TaskState::Succeeded
    } else if ends.iter().all(|(_, end)| matches!(end.verdict, Verdict::Succeeded | Verdict::Cancelled)) {
        TaskState::Cancelled
    } else {
        TaskState::Failed
    }
}

/// The bytes of a text of hexadecimal digits.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    let text = std::fs::read_to_string(path).ok()?;
    match serde_json::from_str(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "what was left of a task does not read");
            None
        }
    }
}

/// Writes a value beside its file, makes it durable, and renames it.
pub(super) fn write<T: Serialize>(directory: &Path, path: &Path, value: &T) -> std::io::Result<()> {
    let text = serde_json::to_string(value).map_err(std::io::Error::other)?;
    let mut part = tempfile::NamedTempFile::new_in(directory)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_data()?;
    part.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(directory)?.sync_all()
}

/// Whether what is shown of a task is in this file.
pub(super) fn is_view(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// Whether a task is older than results are kept.
pub(super) fn is_older_than(view: &TaskView, days: i64) -> bool {
    let age = view.submitted.parse::<jiff::Timestamp>().map(|at| jiff::Timestamp::now().duration_since(at));
    age.is_ok_and(|age| age.as_hours() > days * 24)
}

//! The tasks of the node's user: what was submitted, who watches, where results go, what is left after a restart.

mod committed;
mod estimate;
mod former;
mod kept;
mod prepare;
mod quote;
mod resolve;
mod results;
mod view;

pub(crate) use committed::Committed;
pub(crate) use former::Former;
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use quote::{Quoted, answers, quote, surveys};
pub(crate) use results::{Write, Written};

use super::control::Question;
use crate::control::{Failure, Reply, TaskLine, TaskState, TaskView};
use crate::net::store::Store;
use kept::{Kept, Live};
use proto::ContractId;
use service::{Event, EventKind, Node, Submission, TaskStatus};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Tasks whose last state is kept and shown.
const MAX_KEPT: usize = 10_000;
/// How long a task that has ended is kept and shown, in days, unless `task forget` ends that.
const KEPT_FOR_DAYS: i64 = 90;
/// Sub-tasks of all of them together.
const MAX_KEPT_SUB_TASKS: usize = 1_000_000;

pub(crate) struct Tasks {
    directory: PathBuf,
    next: u64,
    tasks: BTreeMap<u64, Kept>,
    by_contract: BTreeMap<ContractId, u64>,
}

impl Tasks {
    /// Reads what former runs left in `directory`. What was running then was interrupted.
    pub(crate) fn open(directory: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let mut tasks = BTreeMap::new();
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            if !former::is_view(&path) {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let Ok(mut view) = serde_json::from_str::<TaskView>(&text) else { continue };
            if view.state == TaskState::Running {
                view.state = TaskState::Interrupted;
            }
            tasks.insert(view.id, Kept { view, live: None });
        }
        let next = tasks.keys().last().map_or(1, |last| last + 1);
        Ok(Self { directory, next, tasks, by_contract: BTreeMap::new() })
    }

    /// Takes a task in; it is to be given to the node.
    pub(crate) fn begin(&mut self, prepared: Prepared) -> (Submission, TaskView) {
        let Prepared {
            name,
            file,
            names,
            destinations,
            depends_on,
            pins,
            results,
            budget,
            submission,
            submitted,
        } = prepared;
        let id = self.next;
        self.next += 1;
        let view = TaskView {
            id,
            name,
            file,
            state: TaskState::Running,
            submitted: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            elapsed: 0.0,
            spent: "0".into(),
            held: "0".into(),
            sub_tasks: names.iter().map(|name| view::waiting(name)).collect(),
            found: None,
            depends_on,
            problems: Vec::new(),
        };
        let live = Live::new(submission.task, (names, destinations), pins, results, budget, Instant::now());
        self.by_contract.insert(submission.task, id);
        self.tasks.insert(id, Kept { view: view.clone(), live: Some(live) });
        self.forget_oldest();
        self.keep_submission(id, &submitted);
        self.keep(id);
        (submission, view)
    }

    /// The number behind `last` or a number.
    pub(crate) fn find(&self, task: &str) -> Result<u64, Failure> {
        let last = || self.tasks.keys().last().copied();
        let id = if task == "last" { last() } else { task.parse().ok() };
        id.filter(|id| self.tasks.contains_key(id)).ok_or_else(|| Failure::no_task(task))
    }

    /// A sub-task by its name, or by its number from 1; the first one if none is named. Task, index and name.
    pub(crate) fn sub_task(&self, task: &str, sub_task: Option<&str>) -> Result<(u64, u32, String), Failure> {
        let id = self.find(task)?;
        let names: Vec<&str> = self
            .tasks
            .get(&id)
            .into_iter()
            .flat_map(|kept| &kept.view.sub_tasks)
            .map(|view| view.name.as_str())
            .collect();
        let named = |text: &str| {
            let by_name = names.iter().position(|name| *name == text);
            by_name.or_else(|| text.parse::<usize>().ok()?.checked_sub(1))
        };
        let index = sub_task.map_or(Some(0), named);
        let found =
            index.and_then(|index| Some((u32::try_from(index).ok()?, (*names.get(index)?).to_owned())));
        let (index, name) = found.ok_or_else(|| {
            let asked = sub_task.unwrap_or("1");
            let message = format!("task {id} has no sub-task `{asked}`");
            let hint =
                format!("`compup2p task status {id}` shows them; a number counts from 1 to {}", names.len());
            Failure::new("no_sub_task", message, 2).hint(hint)
        })?;
        Ok((id, index, name))
    }

    /// Whether a sub-task has ended.
    pub(crate) fn has_ended(&self, id: u64, sub_task: u32) -> bool {
        let Some(kept) = self.tasks.get(&id) else { return true };
        match &kept.live {
            Some(live) => live.ends.contains_key(&sub_task),
            None => true,
        }
    }

    pub(crate) fn contract(&self, id: u64) -> Option<ContractId> {
        Some(self.tasks.get(&id)?.live.as_ref()?.contract)
    }

    pub(crate) fn view(&mut self, id: u64, status: Option<&TaskStatus>) -> Option<TaskView> {
        let kept = self.tasks.get_mut(&id)?;
        kept.refresh(status);
        Some(kept.view.clone())
    }

    /// A line about every task.
    pub(crate) fn all(&self, node: &Node) -> Vec<TaskLine> {
        let line = |kept: &Kept| kept.line(kept.live.as_ref().and_then(|live| node.tally(live.contract)));
        self.tasks.values().map(line).collect()
    }

    /// Tells `question` every change of a task until it has ended; at once when it has.
    pub(crate) fn watch(&mut self, id: u64, status: Option<TaskStatus>, question: Question) {
        let Some(kept) = self.tasks.get_mut(&id) else { return };
        kept.refresh(status.as_ref());
        match kept.live.as_mut().filter(|_| kept.view.state == TaskState::Running) {
            Some(live) => live.watchers.push(question),
            None => question.answer(Reply::Task(Box::new(kept.view.clone()))),
        }
    }

    /// Something happened: watchers are told. What a sub-task that has ended brought is to be written.
    pub(crate) fn tell(&mut self, event: &Event, node: &Node, store: &Arc<Store>) -> Option<Write> {
        view::note_state(&event.kind);
        let id = self.by_contract.get(&event.task).copied()?;
        let kept = self.tasks.get_mut(&id)?;
        let write = match &event.kind {
            EventKind::Ended { sub_task, end } => kept.ended(*sub_task, end, store),
            _ => None,
        };
        let has_ended = event.kind == EventKind::TaskEnded;
        if has_ended {
            kept.refresh(node.task(event.task).as_ref());
        }
        if let Some(live) = kept.live.as_mut() {
            live.tell(view::describe(&event.kind), &node.tally(event.task).unwrap_or_default());
        }
        if has_ended {
            self.keep_ends(id);
            self.finish(id);
        }
        write
    }

    /// Results are written, or could not be.
    pub(crate) fn written(&mut self, written: Written) {
        let Written { task, files, problems, is_again } = written;
        let Some(kept) = self.tasks.get_mut(&task) else { return };
        if is_again {
            kept.view.problems = problems;
            return;
        }
        kept.view.problems.extend(problems);
        for (index, files) in files {
            if let Some(view) = kept.view.sub_tasks.get_mut(index) {
                view.files = files;
            }
        }
        if let Some(live) = kept.live.as_mut() {
            live.writing = live.writing.saturating_sub(1);
        }
        self.finish(task);
    }

    /// Tells watchers how far running tasks are.
    pub(crate) fn report_progress(&mut self, node: &Node) {
        for live in self.tasks.values_mut().filter_map(Kept::watched) {
            let tally = node.tally(live.contract).unwrap_or_default();
            live.tell(("progress", None, String::new()), &tally);
        }
    }

    /// What is to be written to have the results of a task again.
    pub(crate) fn results(
        &self,
        task: &str,
        to: Option<PathBuf>,
        store: &Arc<Store>,
    ) -> Result<Write, Failure> {
        let id = self.find(task)?;
        let Some(live) = self.tasks.get(&id).and_then(|kept| kept.live.as_ref()) else {
            return self.former_results(id, to, store).ok_or_else(|| Failure::no_results(id));
        };
        let ends = live.ends.iter().map(|(index, end)| (*index, end.clone())).collect();
        let directory = to.unwrap_or_else(|| live.results.clone());
        let write = Write::new(id, directory, ends, Arc::clone(&live.destinations), store);
        Ok(write.again())
    }

    /// A task that has ended, and whose results are all written, is shown as what it became.
    fn finish(&mut self, id: u64) {
        let Some(kept) = self.tasks.get_mut(&id) else { return };
        let Some(live) = kept.live.as_mut().filter(|live| live.writing == 0) else { return };
        let Some(state) = live.outcome.take() else { return };
        kept.view.state = state;
        live.pins = None;
        for watcher in live.watchers.drain(..) {
            watcher.answer(Reply::Task(Box::new(kept.view.clone())));
        }
        self.keep(id);
    }

    /// Forgets the oldest tasks that have ended when there are too many, and those that are too old.
    fn forget_oldest(&mut self) {
        let is_old = |kept: &Kept| {
            kept.view.state != TaskState::Running && former::is_older_than(&kept.view, KEPT_FOR_DAYS)
        };
        let old: Vec<u64> = self.tasks.iter().filter(|(_, kept)| is_old(kept)).map(|(id, _)| *id).collect();
        for id in old {
            let _is_forgotten = self.forget(&id.to_string()).is_ok();
        }
        let mut sub_tasks: usize = self.tasks.values().map(|kept| kept.view.sub_tasks.len()).sum();
        while self.tasks.len() > MAX_KEPT || sub_tasks > MAX_KEPT_SUB_TASKS {
            let ended = self.tasks.iter().find(|(_, kept)| kept.view.state != TaskState::Running);
            let Some(id) = ended.map(|(id, _)| *id) else { return };
            let Some(kept) = self.tasks.remove(&id) else { return };
            sub_tasks -= kept.view.sub_tasks.len().min(sub_tasks);
            if let Some(live) = kept.live {
                self.by_contract.remove(&live.contract);
            }
            self.remove_files(id);
        }
    }

    /// Forgets a task that has ended, with its results.
    pub(crate) fn forget(&mut self, task: &str) -> Result<TaskView, Failure> {
        let id = self.find(task)?;
        let is_running = self.tasks.get(&id).is_some_and(|kept| kept.view.state == TaskState::Running);
        if is_running {
            let message = format!("task {id} has not ended");
            return Err(Failure::new("running", message, 2).hint("`compup2p task cancel` ends it"));
        }
        let kept = self.tasks.remove(&id).ok_or_else(|| Failure::no_task(task))?;
        if let Some(live) = &kept.live {
            self.by_contract.remove(&live.contract);
        }
        self.remove_files(id);
        Ok(kept.view)
    }

    fn keep(&self, id: u64) {
        let Some(kept) = self.tasks.get(&id) else { return };
        if let Err(error) = former::write(&self.directory, &self.file(id, "json"), &kept.view) {
            tracing::warn!(%error, task = id, "the state of a task could not be kept");
        }
    }
}

//! The tasks of the node's user: what was submitted, who watches, where results go, what is left after a restart.

use super::control::Question;
use super::results::Destinations;
use crate::control::{EventView, Failure, Reply, SaleView, SubTaskView, Submit, TaskState, TaskView};
use crate::net::store::Store;
use proto::message::service::{Blob, Outcome};
use proto::{ContractId, Hash, Rules, Span};
use service::event::Verdict;
use service::task::SubTask;
use service::{End, Event, EventKind, Node, State, SubTaskPlan, Submission, Tally, TaskStatus};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Tasks whose last state is kept and shown.
const MAX_KEPT: usize = 10_000;

pub(crate) struct Tasks {
    directory: PathBuf,
    next: u64,
    tasks: BTreeMap<u64, Kept>,
    by_contract: BTreeMap<ContractId, u64>,
}

/// A task of this run of the node, or what a former run left of one.
struct Kept {
    view: TaskView,
    live: Option<Live>,
}

struct Live {
    contract: ContractId,
    started: Instant,
    names: Vec<String>,
    destinations: Vec<Destinations>,
    ends: BTreeMap<u32, End>,
    /// Programs and inputs, kept in the store while the task runs.
    pins: Vec<Hash>,
    results: PathBuf,
    watchers: Vec<Question>,
}

impl Tasks {
    /// Reads what former runs left in `directory`. What was running then was interrupted.
    pub(crate) fn open(directory: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let mut tasks = BTreeMap::new();
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
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

    /// Parses a task file, brings its contents into the store and plans what is to be bought.
    pub(crate) async fn prepare(
        &mut self,
        submit: Submit,
        rules: &Rules,
        store: &Arc<Store>,
    ) -> Result<(Submission, TaskView), Failure> {
        let Submit { text, file, base, to, set, patience } = submit;
        let parsed =
            service::task::parse(&text, &file, &set).map_err(|faults| Failure::task_file(&faults))?;
        let task = parsed.task;
        let blobs = import(&task.sub_tasks, &base, store).await?;
        let blob_of = |path: &str| blobs.get(path).copied();
        let plan = |sub_task: &SubTask| SubTaskPlan::new(sub_task, rules, &blob_of);
        let plans: Vec<SubTaskPlan> = task
            .sub_tasks
            .iter()
            .map(plan)
            .collect::<Result<_, _>>()
            .map_err(|e| Failure::plan(&file, &e))?;
        let contract = proto::CommandId(super::random::bytes()?);
        let id = self.next;
        self.next += 1;
        let view = TaskView {
            id,
            name: task.name.clone(),
            file,
            state: TaskState::Running,
            submitted: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            elapsed: 0.0,
            spent: "0".into(),
            held: "0".into(),
            sub_tasks: task.sub_tasks.iter().map(|sub_task| waiting(&sub_task.name)).collect(),
            problems: Vec::new(),
        };
        let live = Live {
            contract,
            started: Instant::now(),
            names: task.sub_tasks.iter().map(|sub_task| sub_task.name.clone()).collect(),
            destinations: task.sub_tasks.iter().map(Destinations::of).collect(),
            ends: BTreeMap::new(),
            pins: blobs.values().map(|blob| blob.hash).collect(),
            results: to.unwrap_or(base),
            watchers: Vec::new(),
        };
        self.by_contract.insert(contract, id);
        self.tasks.insert(id, Kept { view: view.clone(), live: Some(live) });
        self.forget_oldest();
        self.keep(id);
        let patience = Span::micros(
            std::time::Duration::try_from_secs_f64(patience)
                .map_or(u64::MAX, |patience| u64::try_from(patience.as_micros()).unwrap_or(u64::MAX)),
        );
        Ok((Submission { task: contract, plans, patience }, view))
    }

    /// The number behind `last` or a number.
    pub(crate) fn find(&self, task: &str) -> Result<u64, Failure> {
        let last = || self.tasks.keys().last().copied();
        let id = if task == "last" { last() } else { task.parse().ok() };
        id.filter(|id| self.tasks.contains_key(id)).ok_or_else(|| Failure::no_task(task))
    }

    pub(crate) fn contract(&self, id: u64) -> Option<ContractId> {
        Some(self.tasks.get(&id)?.live.as_ref()?.contract)
    }

    pub(crate) fn view(&mut self, id: u64, status: Option<&TaskStatus>) -> Option<TaskView> {
        let kept = self.tasks.get_mut(&id)?;
        kept.refresh(status);
        Some(kept.view.clone())
    }

    pub(crate) fn all(&mut self, status: impl Fn(ContractId) -> Option<TaskStatus>) -> Vec<TaskView> {
        for kept in self.tasks.values_mut() {
            let status = kept.live.as_ref().and_then(|live| status(live.contract));
            kept.refresh(status.as_ref());
        }
        self.tasks.values().map(|kept| kept.view.clone()).collect()
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

    /// Something happened: results are written, watchers are told, the last state is kept on disk.
    pub(crate) fn tell(&mut self, event: Event, node: &Node, store: &Store) {
        let Some(id) = self.by_contract.get(&event.task).copied() else { return };
        let Some(kept) = self.tasks.get_mut(&id) else { return };
        if let EventKind::Ended { sub_task, end } = &event.kind {
            kept.ended(*sub_task, end, store);
        }
        let has_ended = event.kind == EventKind::TaskEnded;
        if has_ended {
            kept.refresh(node.task(event.task).as_ref());
        }
        let tally = node.tally(event.task).unwrap_or_default();
        let Some(live) = kept.live.as_mut() else { return };
        let (kind, sub_task, why) = describe(&event.kind);
        let name = sub_task.and_then(|index| live.names.get(usize::try_from(index).ok()?).cloned());
        let news = news(live.started.elapsed().as_secs_f64(), &tally, kind, name, why);
        live.watchers.retain(|watcher| !watcher.is_gone());
        for watcher in &live.watchers {
            watcher.answer(Reply::Event(news.clone()));
        }
        if has_ended {
            for watcher in live.watchers.drain(..) {
                watcher.answer(Reply::Task(Box::new(kept.view.clone())));
            }
            for hash in live.pins.drain(..) {
                store.unpin(&hash);
            }
            self.keep(id);
        }
    }

    /// Tells watchers how far running tasks are.
    pub(crate) fn report_progress(&self, node: &Node) {
        for live in self.tasks.values().filter(|kept| kept.is_watched()).filter_map(|kept| kept.live.as_ref())
        {
            let tally = node.tally(live.contract).unwrap_or_default();
            let news = news(live.started.elapsed().as_secs_f64(), &tally, "progress", None, String::new());
            for watcher in &live.watchers {
                watcher.answer(Reply::Event(news.clone()));
            }
        }
    }

    /// Writes the results that are in the store again.
    pub(crate) fn write_results(
        &mut self,
        task: &str,
        to: Option<&Path>,
        store: &Store,
    ) -> Result<TaskView, Failure> {
        let id = self.find(task)?;
        let Some(kept) = self.tasks.get_mut(&id) else { return Err(Failure::no_task(task)) };
        let Some(live) = kept.live.as_mut() else { return Ok(kept.view.clone()) };
        let directory = to.unwrap_or(&live.results).to_path_buf();
        let mut problems = Vec::new();
        for (index, end) in &live.ends {
            let destinations = usize::try_from(*index).ok().and_then(|index| live.destinations.get(index));
            if let Some(destinations) = destinations {
                problems.extend(destinations.write(end, &directory, store).1);
            }
        }
        kept.view.problems = problems;
        Ok(kept.view.clone())
    }

    fn forget_oldest(&mut self) {
        while self.tasks.len() > MAX_KEPT {
            let Some((id, _)) = self.tasks.pop_first() else { return };
            // A file that is gone already is as well.
            let _ = std::fs::remove_file(self.directory.join(format!("{id}.json")));
        }
    }

    fn keep(&mut self, id: u64) {
        let Some(kept) = self.tasks.get(&id) else { return };
        let path = self.directory.join(format!("{id}.json"));
        let written = serde_json::to_string(&kept.view).map_err(std::io::Error::other);
        if let Err(error) = written.and_then(|text| std::fs::write(&path, text)) {
            tracing::warn!(%error, path = %path.display(), "the state of a task could not be kept");
        }
    }
}

impl Kept {
    fn is_watched(&self) -> bool {
        self.view.state == TaskState::Running
            && self.live.as_ref().is_some_and(|live| !live.watchers.is_empty())
    }

    fn ended(&mut self, sub_task: u32, end: &End, store: &Store) {
        let Some(live) = self.live.as_mut() else { return };
        let index = usize::try_from(sub_task).unwrap_or(usize::MAX);
        let Some(destinations) = live.destinations.get(index) else { return };
        let (files, problems) = destinations.write(end, &live.results, store);
        self.view.problems.extend(problems);
        live.ends.insert(sub_task, end.clone());
        if let Some(view) = self.view.sub_tasks.get_mut(index) {
            view.files = files;
            view.sale = end.sale.as_ref().map(sale_view);
            show_end(view, end);
        }
    }

    /// Brings the view up to what the node knows.
    fn refresh(&mut self, status: Option<&TaskStatus>) {
        let (Some(live), Some(status)) = (self.live.as_ref(), status) else { return };
        if self.view.state != TaskState::Running {
            return;
        }
        self.view.elapsed = live.started.elapsed().as_secs_f64();
        self.view.spent = status.tally.spent.to_string();
        self.view.held = status.tally.held.to_string();
        for (view, now) in self.view.sub_tasks.iter_mut().zip(&status.sub_tasks) {
            view.state = now.state.name().into();
            view.attempts = now.attempts;
            view.gcycles = giga(now.cycles.0);
            view.sale = now.sale.as_ref().map(sale_view);
            view.why.clone_from(&now.why);
            if let Some(end) = &now.end {
                show_end(view, end);
            }
        }
        if status.has_ended {
            self.view.state = ended_state(status);
        }
    }
}

fn ended_state(status: &TaskStatus) -> TaskState {
    if status.sub_tasks.iter().all(|sub_task| sub_task.state == State::Succeeded) {
        TaskState::Succeeded
    } else if status.sub_tasks.iter().any(|sub_task| sub_task.state == State::Failed) {
        TaskState::Failed
    } else {
        TaskState::Cancelled
    }
}

fn show_end(view: &mut SubTaskView, end: &End) {
    view.attempts = end.attempts;
    view.gcycles = giga(end.cycles.0);
    view.paid = end.paid.to_string();
    view.fee = end.fee.to_string();
    view.elapsed = Some(end.elapsed.as_secs_f64());
    view.why = end.verdict.to_string();
    view.reason_code = Some(reason_code(&end.verdict).into());
}

fn waiting(name: &str) -> SubTaskView {
    SubTaskView {
        name: name.into(),
        state: State::Waiting.name().into(),
        attempts: 0,
        gcycles: 0.0,
        sale: None,
        paid: "0".into(),
        fee: "0".into(),
        elapsed: None,
        why: String::new(),
        reason_code: None,
        files: Vec::new(),
    }
}

fn sale_view(sale: &service::Sale) -> SaleView {
    SaleView {
        seller: sale.seller.key.to_hex(),
        address: sale.seller.addr.to_string(),
        market: sale.market.to_string(),
        ask: sale.ask.to_string(),
        second_ask: sale.second_ask.map(|ask| ask.to_string()),
        asks_seen: sale.asks_seen,
        clearing: sale.clearing.to_string(),
    }
}

const fn reason_code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed(outcome) => match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Exited(_) => "exited",
            Outcome::Trapped(_) => "trapped",
            Outcome::WallLimit(_) => "wall_limit",
            Outcome::MemoryLimit(_) => "memory_limit",
            Outcome::DiskLimit(_) => "disk_limit",
            Outcome::OutputLimit(_) => "output_limit",
            Outcome::CycleLimit(_) => "cycle_limit",
            Outcome::OutputMissing(_) => "output_missing",
            Outcome::NotRunnable(_) => "not_runnable",
            Outcome::NotFetched(_) => "not_fetched",
            Outcome::Cancelled => "cancelled",
            Outcome::Abandoned(_) => "abandoned",
        },
        Verdict::NotPlaced { .. } => "not_placed",
        Verdict::NotPaid(refusal) | Verdict::Declined(refusal) => refusal.code.name(),
        Verdict::Lost { .. } => "lost",
        Verdict::Cancelled => "cancelled",
    }
}

fn describe(kind: &EventKind) -> (&'static str, Option<u32>, String) {
    match kind {
        EventKind::Matched { sub_task, sale } => {
            ("matched", Some(*sub_task), format!("{} at {} credits per Gc", sale.seller.key, sale.clearing))
        }
        EventKind::NoSeller { sub_task, why } => ("no_seller", Some(*sub_task), why.clone()),
        EventKind::Staging { sub_task } => ("staging", Some(*sub_task), String::new()),
        EventKind::Running { sub_task } => ("running", Some(*sub_task), String::new()),
        EventKind::Retrying { sub_task, why } => ("retrying", Some(*sub_task), why.clone()),
        EventKind::Ended { sub_task, end } => ("ended", Some(*sub_task), end.verdict.to_string()),
        EventKind::TaskEnded => ("task_ended", None, String::new()),
    }
}

fn news(at: f64, tally: &Tally, kind: &str, sub_task: Option<String>, why: String) -> EventView {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    EventView {
        at,
        sub_task,
        kind: kind.into(),
        why,
        done: count(tally.done),
        failed: count(tally.failed),
        running: count(tally.running),
        waiting: count(tally.waiting),
        spent: tally.spent.to_string(),
        held: tally.held.to_string(),
    }
}

/// Cycles in Gc, for display.
fn giga(cycles: u64) -> f64 {
    Span::micros(cycles / 1_000).as_secs_f64()
}

/// Brings programs and inputs into the store, each file once.
async fn import(
    sub_tasks: &[SubTask],
    base: &Path,
    store: &Arc<Store>,
) -> Result<BTreeMap<String, Blob>, Failure> {
    let mut paths: Vec<String> = Vec::new();
    for sub_task in sub_tasks {
        paths.push(sub_task.program.path.clone());
        paths.extend(sub_task.inputs.iter().map(|input| input.path.clone()));
        paths.extend(sub_task.stdin.clone());
    }
    paths.sort();
    paths.dedup();
    let mut blobs = BTreeMap::new();
    for path in paths {
        let full = base.join(&path);
        let blob = store.put_file(full.clone()).await.map_err(|error| Failure::no_file(&full, &error))?;
        store.pin(blob.hash);
        blobs.insert(path, blob);
    }
    Ok(blobs)
}

//! One task: what is shown of it, and what only a task of this run of the node has.

use super::results::{Destinations, Write};
use super::view;
use crate::control::{Reply, TaskLine, TaskState, TaskView};
use crate::net::store::{Pins, Store};
use crate::node::control::Question;
use proto::{ContractId, Money};
use service::{End, Tally, TaskStatus};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// A task of this run of the node, or what a former run left of one.
pub(super) struct Kept {
    pub(super) view: TaskView,
    pub(super) live: Option<Live>,
}

pub(super) struct Live {
    pub(super) contract: ContractId,
    /// The most that it may cost, if its file says so.
    pub(super) budget: Option<Money>,
    pub(super) started: Instant,
    pub(super) names: Vec<String>,
    pub(super) destinations: Arc<Vec<Destinations>>,
    pub(super) ends: BTreeMap<u32, End>,
    /// Programs and inputs, kept in the store while the task runs.
    pub(super) pins: Option<Pins>,
    pub(super) results: PathBuf,
    pub(super) watchers: Vec<Question>,
    /// Results that are being written.
    pub(super) writing: u32,
    /// What the task has become, from its end until all its results are written.
    pub(super) outcome: Option<TaskState>,
}

impl Live {
    /// A task of which nothing has ended. `wanted` are the names of its sub-tasks and where their outputs go.
    pub(super) fn new(
        contract: ContractId,
        wanted: (Vec<String>, Vec<Destinations>),
        pins: Pins,
        results: PathBuf,
        budget: Option<Money>,
        started: Instant,
    ) -> Self {
        let (names, destinations) = wanted;
        Self {
            contract,
            budget,
            started,
            names,
            destinations: Arc::new(destinations),
            ends: BTreeMap::new(),
            pins: Some(pins),
            results,
            watchers: Vec::new(),
            writing: 0,
            outcome: None,
        }
    }
}

impl Kept {
    /// The task, if it runs and somebody watches it.
    pub(super) fn watched(&mut self) -> Option<&mut Live> {
        let is_running = self.view.state == TaskState::Running;
        self.live.as_mut().filter(|live| is_running && !live.watchers.is_empty())
    }

    /// A sub-task has ended: what it brought is to be written.
    pub(super) fn ended(&mut self, sub_task: u32, end: &End, store: &Arc<Store>) -> Option<Write> {
        let live = self.live.as_mut()?;
        let index = usize::try_from(sub_task).unwrap_or(usize::MAX);
        live.ends.insert(sub_task, end.clone());
        if let Some(pins) = live.pins.as_mut().filter(|_| !self.view.depends_on.is_empty()) {
            // Sub-tasks that wait for it may need what it brought.
            let streams = end.stdout.into_iter().chain(end.stderr);
            end.outputs.iter().map(|output| output.blob).chain(streams).for_each(|blob| pins.add(blob.hash));
        }
        if let Some(view) = self.view.sub_tasks.get_mut(index) {
            view.sale = end.sale.as_ref().map(view::sale_view);
            view::show_end(view, end);
        }
        if !live.destinations.get(index)?.has_content(end) {
            return None;
        }
        live.writing += 1;
        let (directory, destinations) = (live.results.clone(), Arc::clone(&live.destinations));
        Some(Write::new(self.view.id, directory, vec![(sub_task, end.clone())], destinations, store))
    }

    /// Brings the view up to what the node knows.
    pub(super) fn refresh(&mut self, status: Option<&TaskStatus>) {
        let (Some(live), Some(status)) = (self.live.as_mut(), status) else { return };
        if self.view.state != TaskState::Running {
            return;
        }
        self.view.elapsed = live.started.elapsed().as_secs_f64();
        self.view.spent = status.tally.spent.to_string();
        self.view.held = status.tally.held.to_string();
        for (view, now) in self.view.sub_tasks.iter_mut().zip(&status.sub_tasks) {
            view::refresh(view, now);
        }
        self.view.found.clone_from(&status.found);
        if status.has_ended {
            live.outcome = Some(view::ended_state(status));
        }
    }

    /// The task in one line; `tally` is what the node says while it runs.
    pub(super) fn line(&self, tally: Option<Tally>) -> TaskLine {
        let view = &self.view;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let now = tally.filter(|_| view.state == TaskState::Running).zip(self.live.as_ref());
        let in_view = || view.sub_tasks.iter().filter(|sub_task| sub_task.state == "succeeded").count();
        TaskLine {
            id: view.id,
            name: view.name.clone(),
            file: view.file.clone(),
            state: view.state,
            submitted: view.submitted.clone(),
            elapsed: now.as_ref().map_or(view.elapsed, |(_, live)| live.started.elapsed().as_secs_f64()),
            spent: now.as_ref().map_or_else(|| view.spent.clone(), |(tally, _)| tally.spent.to_string()),
            held: now.as_ref().map_or_else(|| view.held.clone(), |(tally, _)| tally.held.to_string()),
            sub_tasks: view.sub_tasks.len(),
            succeeded: now.as_ref().map_or_else(in_view, |(tally, _)| count(tally.done)),
        }
    }
}

impl Live {
    /// Tells all watchers what happened.
    pub(super) fn tell(&mut self, what: (&'static str, Option<u32>, String), tally: &Tally) {
        let (kind, sub_task, why) = what;
        let name = sub_task.and_then(|index| self.names.get(usize::try_from(index).ok()?).cloned());
        let news = view::news(self.started.elapsed().as_secs_f64(), tally, kind, name, why);
        self.watchers.retain(|watcher| !watcher.is_gone());
        for watcher in &self.watchers {
            watcher.tell(Reply::Event(news.clone()));
        }
    }
}

//! From the elements of a task file to all its sub-tasks, and what they must not do together.

use super::fault::FaultKind;
use super::link::{Group, Linker, Links};
use super::notes::Notes;
use super::path::Files;
use super::reader::{Reader, parts};
use super::sweep::Sweep;
use super::variable::Scope;
use super::{Given, MAX_EXPANDED, MAX_SUB_TASKS, SubTask, Task, stop, sub_task, sweep, value};
use proto::Money;
use proto::message::service::CheckpointMethod;
use roxmltree::Node;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What each text counts for beside its bytes, against [`MAX_EXPANDED`].
const TEXT_OVERHEAD: usize = 32;

/// Fills in the task from the root element of its file.
pub(super) fn fill(task: &mut Task, root: Node<'_, '_>, given: &Given<'_>, notes: &mut Notes) {
    let scope = Scope { set: given.set, lines: given.lines, point: Vec::new() };
    let mut reader = Reader { scope: &scope, notes: &mut *notes };
    let head = parts(root);
    if let Some(name) = reader.child(&head, "Name", value::title) {
        task.name = name;
    }
    task.budget = reader.child(&head, "Budget", value::budget);
    let stop_when = stop::read(&head, &mut reader);
    let mut expansion = Expansion::new(given);
    for (index, node) in root.children().filter(|inner| inner.has_tag_name("SubTask")).enumerate() {
        expansion.add(index + 1, node, notes);
    }
    let Expansion { mut sub_tasks, groups, links, .. } = expansion;
    let mut linker = Linker { groups: &groups, links: &links, notes: &mut *notes };
    linker.link(&mut sub_tasks);
    task.stop_when = stop_when.and_then(|unbound| linker.bind(unbound, &sub_tasks));
    task.sub_tasks = sub_tasks;
    if notes.faults_found() == 0 {
        let place = head.get("Budget").unwrap_or(&root).range().start;
        if let Some(kind) = over_budget(task) {
            notes.fault(Some(place), kind);
        }
    }
}

/// What is wrong with the sum of the prices, those of probes included, if anything.
fn over_budget(task: &Task) -> Option<FaultKind> {
    let mut prices = task.sub_tasks.iter().map(|sub_task| sub_task.price);
    if prices.try_fold(Money::ZERO, Money::checked_add).is_none() {
        return Some(FaultKind::PricesTooLarge { most: Money(u64::MAX) });
    }
    let prices = task.most();
    let budget = task.budget.filter(|budget| prices > *budget)?;
    Some(FaultKind::OverBudget { prices, budget })
}

/// The sub-tasks read so far and what they take.
struct Expansion<'a> {
    /// What the caller set.
    scope: Scope<'a>,
    sub_tasks: Vec<SubTask>,
    /// Which element, from 1, has a name.
    names: BTreeMap<String, usize>,
    /// What each element has become, by its name.
    groups: BTreeMap<String, Group>,
    /// What each sub-task says of others.
    links: Vec<Links>,
    /// Which sub-task writes a result.
    destinations: Files<Rc<str>>,
    /// How many sub-tasks there are, counting those that could not be read.
    count: usize,
    /// What their texts count for in bytes.
    bytes: usize,
    /// Whether a bound has been reached and noted; from then on each element is read once only.
    is_full: bool,
}

impl<'a> Expansion<'a> {
    fn new(given: &Given<'a>) -> Self {
        Self {
            scope: Scope { set: given.set, lines: given.lines, point: Vec::new() },
            sub_tasks: Vec::new(),
            names: BTreeMap::new(),
            groups: BTreeMap::new(),
            links: Vec::new(),
            destinations: Files::default(),
            count: 0,
            bytes: 0,
            is_full: false,
        }
    }

    /// Reads the sub-task element `node`, the `ordinal`th of the file, at all points of its sweep.
    fn add(&mut self, ordinal: usize, node: Node<'_, '_>, notes: &mut Notes) {
        let base = self.base_name(ordinal, node, notes);
        let here = |expansion: &Self| u32::try_from(expansion.sub_tasks.len()).unwrap_or(u32::MAX);
        let (start, sweep) = (here(self), sweep::read(node, &self.scope, notes));
        let is_sweep = sweep.is_some();
        match sweep {
            None => {
                self.take_room(1, node, notes);
                self.add_point(&base, node, Vec::new(), notes);
            }
            Some(sweep) => self.add_points(&base, node, &sweep, notes),
        }
        let points = start..here(self);
        self.groups.entry(base).or_insert(Group { points, is_sweep });
    }

    /// Reads the sub-task element `node` at all points of its sweep.
    fn add_points(&mut self, base: &str, node: Node<'_, '_>, sweep: &Sweep<'_>, notes: &mut Notes) {
        let count = if self.take_room(sweep.count, node, notes) { sweep.count } else { 1 };
        let before = notes.faults_found();
        for index in 0..count {
            self.add_point(&format!("{base}[{}]", index + 1), node, sweep.point(index), notes);
            if notes.faults_found() > before || self.is_full {
                return;
            }
        }
    }

    /// The name that the element gives its sub-tasks: its own, else its number.
    fn base_name(&mut self, ordinal: usize, node: Node<'_, '_>, notes: &mut Notes) -> String {
        let mut reader = Reader { scope: &self.scope, notes: &mut *notes };
        let given = node.attribute_node("name");
        let name = given.and_then(|given| reader.plain_attribute(given, "name", value::word));
        let name = name.unwrap_or_else(|| ordinal.to_string());
        if let Some(first) = self.names.get(&name) {
            let place = given.map_or(node.range().start, |given| given.range_value().start);
            notes.fault(Some(place), FaultKind::SameName { name: name.clone(), first: *first });
        } else {
            self.names.insert(name.clone(), ordinal);
        }
        name
    }

    /// Counts `more` sub-tasks; notes where they become too many, once. Whether all of them have room.
    fn take_room(&mut self, more: usize, node: Node<'_, '_>, notes: &mut Notes) -> bool {
        self.count = self.count.saturating_add(more);
        if self.count > MAX_SUB_TASKS && !self.is_full {
            self.is_full = true;
            notes.fault(Some(node.range().start), FaultKind::TooManySubTasks { most: MAX_SUB_TASKS });
        }
        !self.is_full
    }

    /// Reads the sub-task `name` at one point of its sweep.
    fn add_point(
        &mut self,
        name: &str,
        node: Node<'_, '_>,
        point: Vec<(&str, Option<String>)>,
        notes: &mut Notes,
    ) {
        let scope = Scope { set: self.scope.set, lines: self.scope.lines, point };
        let reading = sub_task::read(node, name, &mut Reader { scope: &scope, notes: &mut *notes });
        let owner: Rc<str> = name.into();
        for (place, path) in reading.destinations {
            if let Err(clash) = self.destinations.add(&path, Rc::clone(&owner)) {
                let (first, second) = (clash.owner.to_string(), name.to_owned());
                let kind = FaultKind::SameDestination { path, other: clash.other, first, second };
                notes.fault(Some(place), kind);
            }
        }
        self.links.push(reading.links);
        let Some(sub_task) = reading.sub_task else { return };
        self.bytes = self.bytes.saturating_add(weight(&sub_task));
        if self.bytes > MAX_EXPANDED && !self.is_full {
            self.is_full = true;
            notes.fault(Some(node.range().start), FaultKind::ExpandedTooLarge { most: MAX_EXPANDED });
        }
        self.sub_tasks.push(sub_task);
    }
}

/// What the texts of a sub-task count for, in bytes.
fn weight(sub_task: &SubTask) -> usize {
    let streams = [&sub_task.stdin, &sub_task.stdout, &sub_task.stderr];
    let wanted = [&sub_task.requirements.os, &sub_task.requirements.arch];
    let saved = sub_task.checkpoint.iter().map(|checkpoint| match &checkpoint.method {
        CheckpointMethod::BySelf { files, .. } => files.as_slice(),
        CheckpointMethod::Transparent => &[],
    });
    let files = sub_task.inputs.iter().chain([&sub_task.program]);
    let texts = [&sub_task.name]
        .into_iter()
        .chain(&sub_task.arguments)
        .chain(sub_task.environment.iter().flat_map(|(name, value)| [name, value]))
        .chain(files.flat_map(|file| [&file.path, &file.name]))
        .chain(sub_task.outputs.iter().flat_map(|file| [&file.name, &file.destination]))
        .chain(streams.into_iter().flatten())
        .chain(wanted.into_iter().flatten())
        .chain(&sub_task.progress)
        .chain(sub_task.redundancy.files().flat_map(|file| [&file.path, &file.name]))
        .chain(saved.into_iter().flatten());
    texts.fold(0, |sum, text| sum + text.len() + TEXT_OVERHEAD)
}

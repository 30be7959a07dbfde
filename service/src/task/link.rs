//! Dependencies: which sub-tasks a name means, whose results are whose inputs, and that nobody waits for itself.
//!
//! A sub-task waits for those that it names in `DependsOn`, for those that its files come `from`, and for those that
//! write what it reads: an `InputFile` or `StdIn` whose path is a place in the results directory that another sub-task
//! writes is that result, and no file of the buyer.

use super::SubTask;
use super::fault::FaultKind;
use super::feed::{Feed, Produced, Slot};
use super::hint::{closest, shortened};
use super::notes::Notes;
use super::path::{self, Files};
use super::rule::Rule;
use super::stop::{self, StopWhen};
use super::value::Wrong;
use super::warning::WarningKind;
use crate::graph::{Circle, Graph};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The most dependencies of one task, counted once for each pair of sub-tasks.
pub const MAX_DEPENDENCIES: usize = 1_000_000;
/// The most names of a circle that are shown.
const MAX_SHOWN: usize = 8;
/// The most results that are listed where another one was meant.
const MAX_LISTED: usize = 5;
/// In place of a result: all of them.
pub(super) const ALL: &str = "*";
/// What `from` has to be.
pub(super) const ONE_NAME: &str = "the name of one sub-task, such as `frame` or `frame[3]`";

const NAMES: &str = "names of sub-tasks with spaces between them, such as `frame` or `frame[3]`";

/// The sub-tasks that an element has become.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Their indices.
    pub(super) points: Range<u32>,
    /// Whether it has a sweep.
    pub(super) is_sweep: bool,
}

/// What one sub-task says of others.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// `DependsOn`: names and their place.
    pub(super) waits: Vec<(String, usize)>,
    /// Files that come `from` others.
    pub(super) sources: Vec<Source>,
    /// Where the sub-task stands in the text.
    pub(super) place: usize,
}

/// A file that comes from another sub-task, as the text says it.
#[derive(Debug)]
pub(super) struct Source {
    /// The name of the sub-task.
    pub(super) from: String,
    /// Its result: a place in the results directory, a name in its scratch directory, or `*`.
    pub(super) path: String,
    /// What it is to be called, for `*` the folder; none: the last part of the path, for `*` as in the results
    /// directory.
    pub(super) name: Option<String>,
    /// Whether it goes to standard input.
    pub(super) is_stdin: bool,
    /// Where it stands in the text.
    pub(super) place: usize,
}

/// Names with spaces between them, each once; at least one.
pub(super) fn names(text: &str) -> Result<Vec<String>, Wrong> {
    let mut seen = BTreeSet::new();
    let all: Vec<String> =
        text.split_whitespace().filter(|name| seen.insert(*name)).map(str::to_owned).collect();
    if all.is_empty() { Err(Wrong::Expected(NAMES)) } else { Ok(all) }
}

/// All that is known of a file's sub-tasks once each has been read.
pub(super) struct Linker<'a> {
    /// The sub-tasks by the name of their element.
    pub(super) groups: &'a BTreeMap<String, Group>,
    /// What each of them says of others, by index.
    pub(super) links: &'a [Links],
    /// Where faults go.
    pub(super) notes: &'a mut Notes,
}

impl Linker<'_> {
    /// Fills in whom the sub-tasks wait for and what they get. Where something else is wrong in the file, only the
    /// names are looked at.
    pub(super) fn link(&mut self, sub_tasks: &mut [SubTask]) {
        let is_whole = self.notes.faults_found() == 0 && sub_tasks.len() == self.links.len();
        let mut waits: Vec<BTreeSet<u32>> = Vec::with_capacity(self.links.len());
        let mut total = 0;
        for links in self.links {
            let mut all = BTreeSet::new();
            for (name, place) in &links.waits {
                all.extend(self.find(name, *place).into_iter().flatten());
            }
            for source in &links.sources {
                if source.path == ALL {
                    all.extend(self.find(&source.from, source.place).into_iter().flatten());
                } else {
                    self.find(&source.from, source.place);
                }
            }
            total += all.len();
            if total > MAX_DEPENDENCIES {
                return self.too_many(links.place);
            }
            waits.push(all);
        }
        if !is_whole || self.notes.faults_found() > 0 {
            return;
        }
        let feeds = self.feeds(sub_tasks);
        if self.notes.faults_found() > 0 {
            return;
        }
        for (((sub_task, links), mut waits), feeds) in
            sub_tasks.iter_mut().zip(self.links).zip(waits).zip(feeds)
        {
            waits.extend(feeds.all.iter().map(|feed| feed.from));
            total += waits.len();
            sub_task.depends_on = waits.into_iter().collect();
            feeds.give(sub_task);
            check_scratch(sub_task, links.place, self.notes);
        }
        if total > 2 * MAX_DEPENDENCIES {
            return self.too_many(self.links.first().map_or(0, |links| links.place));
        }
        self.check_circles(sub_tasks);
    }

    /// The condition with the sub-tasks that it means.
    pub(super) fn bind(&mut self, unbound: stop::Unbound, sub_tasks: &[SubTask]) -> Option<StopWhen> {
        let stop::Unbound { condition, of, place } = unbound;
        let mut all = BTreeSet::new();
        if let Some((names, place)) = &of {
            for name in names {
                all.extend(self.find(name, *place)?);
            }
        }
        let chosen = of.map(|_| all.into_iter().collect::<Vec<u32>>());
        if let Some(output) = condition.output().filter(|_| self.notes.faults_found() == 0) {
            let is_looked_at = |index: u32| chosen.as_ref().is_none_or(|of| of.binary_search(&index).is_ok());
            let mut looked_at = (0_u32..).zip(sub_tasks).filter(|(index, _)| is_looked_at(*index));
            let has = looked_at.any(|(_, sub_task)| sub_task.outputs.iter().any(|made| made.name == output));
            if !has {
                self.notes.fault(Some(place), Rule::StopNoOutput { output: output.to_owned() }.into());
            }
        }
        Some(StopWhen { sub_tasks: chosen, condition })
    }

    /// The sub-tasks that `name` means: all points of an element, or one as `name[3]`.
    fn find(&mut self, name: &str, place: usize) -> Option<Range<u32>> {
        if let Some(group) = self.groups.get(name) {
            return Some(group.points.clone());
        }
        let point = name.strip_suffix(']').and_then(|text| text.split_once('['));
        let group = point.and_then(|(base, text)| Some((base, text, self.groups.get(base)?)));
        let Some((base, text, group)) = group else {
            let hint = closest(name, self.groups.keys().map(String::as_str)).map(str::to_owned);
            self.notes.fault(Some(place), Rule::NoSubTask { name: name.to_owned(), hint }.into());
            return None;
        };
        let index = text.parse::<u32>().ok().filter(|number| *number > 0 && group.is_sweep);
        let index = index.and_then(|number| group.points.start.checked_add(number - 1));
        let found = index.filter(|index| group.points.contains(index));
        if found.is_none() && self.notes.faults_found() == 0 {
            let points = if group.is_sweep { group.points.end - group.points.start } else { 0 };
            let rule = Rule::NoPoint { name: base.to_owned(), text: name.to_owned(), points };
            self.notes.fault(Some(place), rule.into());
        }
        found.map(|index| index..index + 1)
    }

    /// What each sub-task gets from others.
    fn feeds(&mut self, sub_tasks: &[SubTask]) -> Vec<Fed> {
        let results = Results::of(sub_tasks);
        let links = self.links;
        (0_u32..)
            .zip(sub_tasks.iter().zip(links))
            .map(|(index, (sub_task, links))| {
                let mut feeds: Vec<Feed> = Vec::new();
                for input in &sub_task.inputs {
                    let slot = || Slot::Input(input.name.clone());
                    match results.made_by_another(index, &input.path) {
                        Some((from, what)) => feeds.push(Feed { from, what: what.clone(), slot: slot() }),
                        None => self.warn_of_near_miss(index, &input.path, &results, links.place),
                    }
                }
                if let Some(path) = &sub_task.stdin
                    && let Some((from, what)) = results.made_by_another(index, path)
                {
                    feeds.push(Feed { from, what: what.clone(), slot: Slot::StdIn });
                }
                let inferred = feeds.len();
                for source in &links.sources {
                    self.add_source(source, sub_tasks, &results, &mut feeds);
                }
                Fed { all: feeds, inferred }
            })
            .collect()
    }

    /// A file that is read here and that another sub-task makes, but does not leave there.
    fn warn_of_near_miss(&mut self, index: u32, path: &str, results: &Results<'_>, place: usize) {
        let Some((owner, destination)) = results.scratch.get(path).filter(|(owner, _)| *owner != index)
        else {
            return;
        };
        let Some(name) = results.names.get(usize::try_from(*owner).unwrap_or(usize::MAX)) else { return };
        let kind = WarningKind::NearMiss {
            path: shortened(path),
            sub_task: shortened(name),
            destination: shortened(destination),
        };
        self.notes.warn(Some(place), kind);
    }

    fn add_source(
        &mut self,
        source: &Source,
        sub_tasks: &[SubTask],
        results: &Results<'_>,
        feeds: &mut Vec<Feed>,
    ) {
        let Some(points) = self.find(&source.from, source.place) else { return };
        let place = Some(source.place);
        let made = |index: u32| {
            let sub_task = usize::try_from(index).ok().and_then(|index| sub_tasks.get(index));
            sub_task.map_or(&[][..], |sub_task| sub_task.outputs.as_slice())
        };
        if source.path == ALL {
            for index in points {
                for output in made(index) {
                    let name = match &source.name {
                        Some(folder) => format!("{folder}/{}", output.destination),
                        None => output.destination.clone(),
                    };
                    let what = Produced::Output(output.name.clone());
                    feeds.push(Feed { from: index, what, slot: Slot::Input(name) });
                }
            }
            return;
        }
        let by_place = results.by_destination(&source.path).filter(|(index, _)| points.contains(index));
        let by_name = || {
            let mut found = points.clone().filter(|index| made(*index).iter().any(|o| o.name == source.path));
            found.next().map(|first| (first, found.next().is_some()))
        };
        let (from, what) = match (by_place, source.path.as_str()) {
            (Some((index, what)), _) => (index, what.clone()),
            (None, path) => match by_name() {
                Some((index, false)) => (index, Produced::Output(path.to_owned())),
                Some((_, true)) => {
                    let rule = Rule::ResultOfMany { path: path.to_owned(), from: source.from.clone() };
                    return self.notes.fault(place, rule.into());
                }
                None => {
                    let all =
                        points.clone().flat_map(|index| made(index).iter().map(|o| o.destination.clone()));
                    let rule = Rule::NoSuchResult {
                        path: path.to_owned(),
                        from: source.from.clone(),
                        made: all.take(MAX_LISTED).collect(),
                    };
                    return self.notes.fault(place, rule.into());
                }
            },
        };
        let slot = match (&source.name, source.is_stdin) {
            (_, true) => Slot::StdIn,
            (Some(name), false) => Slot::Input(name.clone()),
            (None, false) => Slot::Input(path::last_part(&source.path).to_owned()),
        };
        feeds.push(Feed { from, what, slot });
    }

    fn check_circles(&mut self, sub_tasks: &[SubTask]) {
        let before = sub_tasks.iter().map(|sub_task| sub_task.depends_on.clone()).collect();
        let Err(Circle(way)) = Graph::new(before) else { return };
        let name = |index: &u32| {
            let sub_task = usize::try_from(*index).ok().and_then(|index| sub_tasks.get(index));
            sub_task.map_or_else(String::new, |sub_task| shortened(&sub_task.name))
        };
        let mut names: Vec<String> = way.iter().take(MAX_SHOWN).map(name).collect();
        if way.len() > MAX_SHOWN {
            names.push("…".to_owned());
        }
        names.extend(way.first().map(name));
        let place = way.first().and_then(|first| self.links.get(usize::try_from(*first).ok()?));
        let rule = Rule::Circle { path: names.join(" → ") };
        self.notes.fault(place.map(|links| links.place), rule.into());
    }

    fn too_many(&mut self, place: usize) {
        self.notes.fault(Some(place), Rule::TooManyDependencies { most: MAX_DEPENDENCIES }.into());
    }
}

/// Who makes what.
struct Results<'a> {
    /// By the place in the results directory.
    places: BTreeMap<&'a str, (u32, Produced)>,
    /// By the name in the scratch directory, where the place is another one: the first that makes it.
    scratch: BTreeMap<&'a str, (u32, &'a str)>,
    names: Vec<&'a str>,
}

impl<'a> Results<'a> {
    fn of(sub_tasks: &'a [SubTask]) -> Self {
        let mut places = BTreeMap::new();
        let mut scratch = BTreeMap::new();
        for (index, sub_task) in (0_u32..).zip(sub_tasks) {
            for output in &sub_task.outputs {
                let what = Produced::Output(output.name.clone());
                places.insert(output.destination.as_str(), (index, what));
                if output.name != output.destination {
                    scratch.entry(output.name.as_str()).or_insert((index, output.destination.as_str()));
                }
            }
            let streams = [(&sub_task.stdout, Produced::StdOut), (&sub_task.stderr, Produced::StdErr)];
            for (path, what) in streams {
                if let Some(path) = path {
                    places.insert(path.as_str(), (index, what));
                }
            }
        }
        Self { places, scratch, names: sub_tasks.iter().map(|sub_task| sub_task.name.as_str()).collect() }
    }

    fn by_destination(&self, path: &str) -> Option<(u32, &Produced)> {
        let (index, what) = self.places.get(path::inside(path).ok()?.as_str())?;
        Some((*index, what))
    }

    /// Who makes `path`, if it is not `index` itself.
    fn made_by_another(&self, index: u32, path: &str) -> Option<(u32, &Produced)> {
        self.by_destination(path).filter(|(owner, _)| *owner != index)
    }
}

/// What a sub-task gets from others.
struct Fed {
    all: Vec<Feed>,
    /// How many of them, at the beginning, are in place of files of the buyer.
    inferred: usize,
}

impl Fed {
    /// Gives it to the sub-task.
    fn give(self, sub_task: &mut SubTask) {
        let inferred = || self.all.iter().take(self.inferred).map(|feed| &feed.slot);
        let names: BTreeSet<&str> = inferred()
            .filter_map(|slot| match slot {
                Slot::Input(name) => Some(name.as_str()),
                Slot::StdIn => None,
            })
            .collect();
        sub_task.inputs.retain(|input| !names.contains(input.name.as_str()));
        if inferred().any(|slot| *slot == Slot::StdIn) {
            sub_task.stdin = None;
        }
        sub_task.feeds = self.all;
    }
}

/// Notes where what comes from others collides with what is there.
fn check_scratch(sub_task: &SubTask, place: usize, notes: &mut Notes) {
    if sub_task.feeds.is_empty() {
        return;
    }
    let mut files = Files::default();
    let own = sub_task.inputs.iter().chain([&sub_task.program]).map(|file| &file.name);
    let fed = sub_task.feeds.iter().filter_map(|feed| match &feed.slot {
        Slot::Input(name) => Some(name),
        Slot::StdIn => None,
    });
    for name in own.chain(fed) {
        if let Err(clash) = files.add(name, ()) {
            let (path, other, sub_task) = (name.clone(), clash.other, sub_task.name.clone());
            notes.fault(Some(place), FaultKind::SameScratch { path, other, sub_task });
        }
    }
}

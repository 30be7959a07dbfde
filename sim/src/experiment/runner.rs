//! Runs an experiment on all cores.
//!
//! Results stand in the order of points and repetitions whatever the order in which they are finished, and how many
//! repetitions a point gets depends on its own figures only: so the number of threads changes nothing.

use super::definition::{Experiment, Stop};
use super::error::LabError;
use super::journal::Journal;
use super::model::{Metric, Model, RunError};
use super::registry::Registry;
use super::results::{Point, Results, Run};
use super::setting::{Setting, SettingError};
use super::statistics::Interval;
use crate::dice::derive;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How to run.
#[derive(Debug, Default)]
pub struct Options {
    /// Threads; as many as there are cores when none.
    pub threads: Option<NonZeroUsize>,
    /// Where finished runs are kept.
    pub journal: Option<Journal>,
    /// Runs that were finished before.
    pub finished: Vec<Run>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs that are finished.
    pub done: u64,
    /// Runs that are planned so far; a stopping rule may add more.
    pub all: u64,
}

/// Runs `experiment`. `progress` is told of every finished run, and may stop it.
///
/// # Errors
/// A setting that the model does not take, before anything starts; the first run that comes to nothing; a journal that
/// cannot be written; or that it was stopped. What is finished then stands in the journal.
pub fn run(
    experiment: &Experiment,
    registry: &Registry,
    options: Options,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Results, LabError> {
    let model = experiment.model(registry)?;
    let lab = Lab::new(experiment, model)?;
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = options.threads.unwrap_or_else(cores);
    let mut book = Book::new(&lab, options.finished);
    let mut journal = options.journal;
    let jobs = Jobs::default();
    jobs.add(book.begin(&lab));
    let (sender, finished) = mpsc::channel();
    let ended = thread::scope(|scope| {
        for _ in 0..threads.get() {
            let sender = sender.clone();
            scope.spawn(|| work(&lab, &jobs, sender));
        }
        drop(sender);
        if book.is_done() {
            jobs.close();
        }
        let mut ended = Ok(());
        for (job, outcome) in finished {
            let taken = match outcome {
                Ok(run) => book.take(&lab, run, journal.as_mut()),
                Err(error) => Err(lab.failed(job, error)),
            };
            if ended.is_ok() {
                let told = progress(book.progress());
                ended = taken.map(|more| jobs.add(more));
                if ended.is_ok() && told.is_break() && !book.is_done() {
                    ended = Err(book.stopped());
                }
            }
            if ended.is_err() || book.is_done() {
                jobs.close();
            }
        }
        ended
    });
    ended?;
    lab.results(book)
}

/// The setting and the seed of one run of an experiment that has a single point.
///
/// # Errors
/// As [`Experiment::settings`]; or a key that is varied.
pub fn single(
    experiment: &Experiment,
    model: &dyn Model,
    repetition: u32,
) -> Result<(Setting, u64), SettingError> {
    let settings = experiment.settings(model)?;
    match settings.as_slice() {
        [setting] => Ok((setting.clone(), seed(experiment.seed, model, setting, repetition))),
        _ => {
            let varied = experiment.sweep.axes.iter().find(|axis| axis.values.len() > 1);
            let key = varied.map_or("sweep", |axis| axis.key.as_str());
            Err(SettingError::new(
                key,
                format!("expected one value, and not a sweep of {} points", settings.len()),
            ))
        }
    }
}

/// A point and a repetition.
type Job = (u32, u32);

/// What is left to do, shared by the threads.
#[derive(Default)]
struct Jobs {
    queue: Mutex<(VecDeque<Job>, bool)>,
    changed: Condvar,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, (VecDeque<Job>, bool)> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, jobs: Vec<Job>) {
        if !jobs.is_empty() {
            self.lock().0.extend(jobs);
            self.changed.notify_all();
        }
    }

    /// Nothing more is to be done.
    fn close(&self) {
        let mut queue = self.lock();
        queue.0.clear();
        queue.1 = true;
        self.changed.notify_all();
    }

    /// The next job; waits for one. None once there are no more.
    fn next(&self) -> Option<Job> {
        let idle = |queue: &mut (VecDeque<Job>, bool)| queue.0.is_empty() && !queue.1;
        let mut queue = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        queue.0.pop_front()
    }
}

fn work(lab: &Lab<'_>, jobs: &Jobs, sender: Sender<(Job, Result<Run, RunError>)>) {
    while let Some(job) = jobs.next() {
        if sender.send((job, lab.once(job))).is_err() {
            return;
        }
    }
}

/// What all runs share.
struct Lab<'a> {
    experiment: &'a Experiment,
    model: &'a dyn Model,
    settings: Vec<Setting>,
    wanted: Vec<&'static str>,
    stop: Option<(usize, &'a Stop)>,
}

impl<'a> Lab<'a> {
    fn new(experiment: &'a Experiment, model: &'a dyn Model) -> Result<Self, LabError> {
        let settings = experiment.settings(model)?;
        let wanted = experiment.measured(model)?;
        let place = |stop: &&Stop| wanted.iter().position(|name| *name == stop.metric);
        let stop = experiment.stop.as_ref().and_then(|stop| place(&stop).map(|place| (place, stop)));
        Ok(Self { experiment, model, settings, wanted, stop })
    }

    fn setting(&self, point: u32) -> Option<&Setting> {
        self.settings.get(usize::try_from(point).ok()?)
    }

    fn once(&self, (point, repetition): Job) -> Result<Run, RunError> {
        let Some(setting) = self.setting(point) else {
            return Err(RunError::Failed(format!("there is no point {point}")));
        };
        let seed = seed(self.experiment.seed, self.model, setting, repetition);
        let outcome = self.model.run(setting, seed)?;
        outcome.check(self.model.metrics(), &self.wanted)?;
        let values = self.wanted.iter().map(|name| outcome.value(name)).collect();
        Ok(Run { point, repetition, seed, values, trace: outcome.trace() })
    }

    fn failed(&self, (point, repetition): Job, error: RunError) -> LabError {
        let values = self.experiment.sweep.at(point);
        let values: Vec<String> = values.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let point = if values.is_empty() { "of the file".into() } else { values.join(", ") };
        LabError::Run { point, repetition, error }
    }

    /// How many repetitions a point needs whose first ones are `runs`, without a gap.
    fn needed(&self, runs: &BTreeMap<u32, Run>) -> u32 {
        let each = self.experiment.repetitions;
        let Some((metric, stop)) = self.stop else { return each };
        let most = stop.at_most.max(each);
        let (mut needed, mut sample) = (each, Vec::new());
        let mut runs = (0..).map_while(|repetition| runs.get(&repetition));
        loop {
            let have = u32::try_from(sample.len()).unwrap_or(u32::MAX);
            if have < needed {
                match runs.next() {
                    Some(run) => sample.push(run.values.get(metric).copied().flatten()),
                    None => return needed,
                }
            } else if needed >= most || is_known(&sample, stop.relative_half_width) {
                return needed;
            } else {
                needed = needed.saturating_add(each).min(most);
            }
        }
    }

    fn results(self, book: Book) -> Result<Results, LabError> {
        let declared = |name: &&'static str| -> Option<Metric> {
            self.model.metrics().iter().find(|metric| metric.name == *name).copied()
        };
        let metrics = self.wanted.iter().filter_map(declared).collect();
        let keys = self.experiment.sweep.axes.iter().map(|axis| axis.key.clone()).collect();
        let mut points = Vec::with_capacity(book.points.len());
        for (number, Planned { mut runs, .. }) in (0..).zip(book.points) {
            let needed = self.needed(&runs);
            let values = self.experiment.sweep.at(number).into_iter().map(|(_, value)| value).collect();
            let runs = (0..needed).filter_map(|repetition| runs.remove(&repetition)).collect();
            points.push(Point { values, runs });
        }
        let results = Results { keys, metrics, points };
        let is_empty = |metric: &usize| results.points.iter().all(|point| point.sample(*metric).is_empty());
        match (0..results.metrics.len()).find(is_empty) {
            Some(metric) => Err(LabError::Empty(self.wanted.get(metric).copied().unwrap_or_default())),
            None => Ok(results),
        }
    }
}

/// Whether the mean of a sample is known to `relative` of itself. A metric that means nothing at this point is known.
fn is_known(sample: &[Option<f64>], relative: f64) -> bool {
    let sample: Vec<f64> = sample.iter().copied().flatten().collect();
    let Some(Interval { mean, half_width, .. }) = Interval::of(&sample) else { return true };
    half_width.is_some_and(|half| half <= relative * mean.abs())
}

/// The seed of a run: of the experiment's seed, of the values that differ from the defaults, and of the repetition. So it
/// stays the same when points, or parameters with their defaults, are added.
fn seed(seed: u64, model: &dyn Model, setting: &Setting, repetition: u32) -> u64 {
    let mut text = format!("run of {}\n", model.name());
    for (key, value) in setting.unusual(model) {
        let _ = writeln!(text, "{key} = {value}");
    }
    let [a, b, c, d, e, f, g, h, ..] = derive(seed, &text, repetition.into());
    // So that it can stand in every file as a signed number.
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 1
}

/// What is finished.
struct Book {
    points: Vec<Planned>,
    done: u64,
    all: u64,
}

/// A point on the way.
#[derive(Clone, Default)]
struct Planned {
    /// By repetition.
    runs: BTreeMap<u32, Run>,
    /// Up to which repetition.
    planned: u32,
    /// How many of these are not finished.
    left: u32,
}

impl Book {
    fn new(lab: &Lab<'_>, finished: Vec<Run>) -> Self {
        let mut book = Self { points: vec![Planned::default(); lab.settings.len()], done: 0, all: 0 };
        for run in finished {
            let own = |setting| seed(lab.experiment.seed, lab.model, setting, run.repetition) == run.seed;
            if lab.setting(run.point).is_some_and(own)
                && let Some(point) = book.point(run.point)
            {
                point.runs.insert(run.repetition, run);
            }
        }
        book
    }

    fn point(&mut self, number: u32) -> Option<&mut Planned> {
        usize::try_from(number).ok().and_then(|number| self.points.get_mut(number))
    }

    /// Plans all points: what is to be run first.
    fn begin(&mut self, lab: &Lab<'_>) -> Vec<Job> {
        let count = u32::try_from(self.points.len()).unwrap_or(u32::MAX);
        (0..count).flat_map(|point| self.plan(lab, point)).collect()
    }

    /// Keeps a run; what is to be run because of it.
    fn take(&mut self, lab: &Lab<'_>, run: Run, journal: Option<&mut Journal>) -> Result<Vec<Job>, LabError> {
        journal.map_or(Ok(()), |journal| journal.append(&run))?;
        let number = run.point;
        let Some(point) = self.point(number) else { return Ok(Vec::new()) };
        point.runs.insert(run.repetition, run);
        point.left = point.left.saturating_sub(1);
        let is_last = point.left == 0;
        self.done += 1;
        Ok(if is_last { self.plan(lab, number) } else { Vec::new() })
    }

    /// What has to be run of a point whose planned repetitions are all finished.
    fn plan(&mut self, lab: &Lab<'_>, number: u32) -> Vec<Job> {
        let Some(point) = self.point(number) else { return Vec::new() };
        let needed = lab.needed(&point.runs).max(point.planned);
        let new = point.planned..needed;
        let missing: Vec<Job> =
            new.clone().filter(|run| !point.runs.contains_key(run)).map(|run| (number, run)).collect();
        point.planned = needed;
        point.left = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        let (added, left) = (u64::from(new.end - new.start), u64::from(point.left));
        self.all += added;
        self.done += added - left;
        missing
    }

    const fn is_done(&self) -> bool {
        self.done >= self.all
    }

    const fn progress(&self) -> Progress {
        Progress { done: self.done, all: self.all }
    }

    const fn stopped(&self) -> LabError {
        LabError::Stopped { done: self.done, all: self.all }
    }
}

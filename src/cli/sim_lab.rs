//! `compup2p sim run|list|show|compare|model`: experiments as files.

use super::interrupt::Interrupts;
use super::{Done, Stop, block_on, exit, file};
use crate::control::Failure;
use crate::output::{Bar, ComparedView, ExperimentLine, ExperimentRun, ModelView, Place, Printer};
use ::sim::experiment::{
    self, BROKEN, Difference, Experiment, Figure, LabError, MAX_EXPERIMENT_SIZE, Options, Registry, Results,
    Verdict,
};
use ::sim::recording::Subject;
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use tokio::sync::oneshot;

/// The word for an experiment file with faults.
const INVALID: &str = "experiment_invalid";

/// What is run, and how.
#[derive(Args, Clone, Debug)]
pub(super) struct Run {
    /// An experiment or a scenario by name, or an experiment file
    #[arg(value_name = "NAME|FILE")]
    pub(super) what: String,
    /// Set a parameter: a value fixes it, a list or a range of values sweeps it
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The same seed gives the same figures and the same trace [default: that of the file, or 1]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// How often each point is run, in place of the file's number and its stopping rule
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    reps: Option<u32>,
    /// A quick look: the smaller sweep and the fewer repetitions that the file names for it
    #[arg(long)]
    quick: bool,
    /// Where the results go: tables, a report, and every run as soon as it is finished
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with what is finished in DIR
    #[arg(long, requires = "out")]
    resume: bool,
    /// Draw a metric over the sweep into DIR
    #[arg(long, value_name = "METRIC.svg|png", requires = "out", value_parser = Figure::parse)]
    plot: Vec<Figure>,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Show the models that an experiment file can name
    #[command(after_help = "Example:\n  compup2p sim model list\n\nExit codes:\n  0 shown")]
    List,
    /// Show what can be set in a model, and what it measures
    #[command(after_help = "Example:\n  compup2p sim model show draws\n\n\
        Exit codes:\n  0 shown · 2 no such model")]
    Show {
        /// Which, by name
        model: String,
    },
}

impl Run {
    /// Whether it has options that a scenario does not know.
    pub(super) fn is_for_experiments(&self) -> bool {
        let Self { what: _, set, seed: _, reps, quick, out, resume, plot, threads } = self;
        let is_plain =
            set.is_empty() && plot.is_empty() && reps.is_none() && out.is_none() && threads.is_none();
        !is_plain || *quick || *resume
    }
}

/// Runs an experiment.
pub(super) fn run(run: &Run, printer: Printer) -> Done {
    let registry = Registry::standard();
    let mut experiment = find(&run.what, &registry)?;
    let wrong = |error: LabError| failure(&error, run.out.as_deref());
    if run.quick && !experiment.quicken(&registry).map_err(unusable)? {
        printer.note("this experiment names nothing for a quick look; it is run as a whole");
    }
    for (key, value) in &run.set {
        experiment.set(&registry, key, value).map_err(unusable)?;
    }
    experiment.seed = run.seed.unwrap_or(experiment.seed);
    if let Some(reps) = run.reps {
        (experiment.repetitions, experiment.stop) = (reps, None);
    }
    let model = experiment.model(&registry).map_err(unusable)?;
    experiment.settings(model).map_err(unusable)?;
    experiment::check(&run.plot, &experiment, model).map_err(wrong)?;
    let mut options = Options { threads: run.threads, ..Options::default() };
    if let Some(directory) = &run.out {
        let (journal, finished) =
            experiment::open(directory, &experiment, model, run.resume).map_err(wrong)?;
        (options.journal, options.finished) = (Some(journal), finished);
    }
    let (results, experiment, registry) = match block_on(work(experiment, registry, options, printer))?? {
        Ended::Run(results, rest) => {
            (results.map_err(|error| broken(&error, run.out.as_deref()))?, rest.0, rest.1)
        }
        Ended::Interrupted(code) => {
            printer.note(&match &run.out {
                Some(directory) => {
                    format!("what is finished stands in {}; --resume goes on with it", directory.display())
                }
                None => "nothing is kept: with --out, what is finished is kept and --resume goes on".into(),
            });
            return Ok(code);
        }
    };
    let judged = experiment::judge(&experiment.claims, &results);
    let model = experiment.model(&registry).map_err(unusable)?;
    let files = match &run.out {
        Some(directory) => {
            experiment::keep(directory, &experiment, model, (&results, &judged), &run.plot).map_err(wrong)?
        }
        None => Vec::new(),
    };
    printer.experiment(&ExperimentRun::of(&experiment, &results, &judged, &files))?;
    let is_contradicted = experiment::overall(&judged) == Some(Verdict::Contradicts);
    Ok(if is_contradicted { exit::FAILED } else { exit::SUCCESS })
}

/// The run of an experiment that is meant, and its seed.
pub(super) fn single(
    what: &str,
    set: &[(String, String)],
    seed: Option<u64>,
    repetition: u32,
) -> Result<(Subject, u64), Stop> {
    let registry = Registry::standard();
    let mut experiment = find(what, &registry)?;
    for (key, value) in set {
        experiment.set(&registry, key, value).map_err(unusable)?;
    }
    experiment.seed = seed.unwrap_or(experiment.seed);
    let model = experiment.model(&registry).map_err(unusable)?;
    let (setting, seed) = experiment::single(&experiment, model, repetition).map_err(|error| {
        let hint = "`--set KEY=VALUE` names one value for each parameter that is varied";
        Failure::new("setting", error.to_string(), exit::USAGE).hint(hint)
    })?;
    let subject = model.subject(&setting).ok_or_else(|| {
        let message = format!(
            "`{what}` has the model `{}`, whose runs have no faults that could be left out and are not kept as files",
            model.name()
        );
        Failure::new("not_recorded", message, exit::USAGE)
            .hint("the same seed gives the same run; what is recorded are scenarios, and experiments of the model `nodes`")
    })?;
    Ok((subject, seed))
}

/// How a run ended.
enum Ended {
    /// By itself, with what it was given.
    Run(Result<Results, LabError>, Box<(Experiment, Registry)>),
    /// By a signal, with the exit code for it.
    Interrupted(u8),
}

/// Runs the experiment on threads of its own. A signal ends the wait, and the process with it: every finished run is
/// on disk by then, and a line that is not whole is dropped when it is read.
async fn work(
    experiment: Experiment,
    registry: Registry,
    options: Options,
    printer: Printer,
) -> Result<Ended, Failure> {
    let mut interrupts = Interrupts::new()?;
    let (sender, receiver) = oneshot::channel();
    let bar = Bar::new(printer, 0, "runs");
    thread::spawn(move || {
        let mut progress = |progress: experiment::Progress| {
            bar.set_of(progress.done, progress.all);
            ControlFlow::Continue(())
        };
        let results = experiment::run(&experiment, &registry, options, &mut progress);
        bar.end();
        // Nobody waits after a signal.
        let _ = sender.send(Ended::Run(results, Box::new((experiment, registry))));
    });
    tokio::select! {
        ended = receiver => ended.map_err(Failure::from_display("lost")),
        interrupt = interrupts.next() => Ok(Ended::Interrupted(interrupt.exit())),
    }
}

/// All experiments that ship.
pub(super) fn list() -> Result<Vec<ExperimentLine>, Stop> {
    let registry = Registry::standard();
    let line = |shipped: &experiment::Shipped| {
        let experiment =
            Experiment::parse(shipped.text, &registry).map_err(|faults| places(shipped.file, &faults))?;
        Ok(ExperimentLine::of(&experiment))
    };
    registry.shipped().iter().map(line).collect()
}

/// Shows an experiment: its file.
pub(super) fn show(what: &str, printer: Printer) -> Done {
    let registry = Registry::standard();
    let (text, experiment) = text(what, &registry)?;
    let model = experiment.model(&registry).map_err(unusable)?;
    printer.experiment_shown(&ExperimentLine::of(&experiment).with(model, &experiment), &text)?;
    Ok(exit::SUCCESS)
}

/// Compares two results.
pub(super) fn compare(first: &Path, second: &Path, printer: Printer) -> Done {
    let compared = experiment::compare(first, second).map_err(|error| failure(&error, None))?;
    if compared.rows.is_empty() {
        let message = "the two results have no point with a metric in common";
        return Err(Failure::new("not_comparable", message, exit::USAGE).into());
    }
    printer.results_compared(&ComparedView::of(&compared))?;
    let differs = compared.rows.iter().any(|row| row.difference_is == Difference::Significant);
    Ok(if differs { exit::FAILED } else { exit::SUCCESS })
}

/// Shows models.
pub(super) fn models(command: &ModelCommand, printer: Printer) -> Done {
    let registry = Registry::standard();
    match command {
        ModelCommand::List => printer.models(&registry.models().map(ModelView::of).collect::<Vec<_>>())?,
        ModelCommand::Show { model } => {
            let found = registry.model(model).ok_or_else(|| {
                let known: Vec<&str> = registry.models().map(experiment::Model::name).collect();
                let message = format!("there is no model `{model}`; there are {}", known.join(", "));
                Failure::new("no_model", message, exit::USAGE)
                    .hint("`compup2p sim model list` says what each is about")
            })?;
            printer.model(&ModelView::of(found))?;
        }
    }
    Ok(exit::SUCCESS)
}

/// Whether `what` names an experiment that ships, or a file.
pub(super) fn is_experiment(what: &str) -> bool {
    let path = Path::new(what);
    path.extension().is_some_and(|extension| extension == "toml")
        || path.components().count() > 1
        || shipped(what, &Registry::standard()).is_some()
}

fn find(what: &str, registry: &Registry) -> Result<Experiment, Stop> {
    text(what, registry).map(|(_, experiment)| experiment)
}

/// The file of an experiment, by name or by path, and what it says.
fn text(what: &str, registry: &Registry) -> Result<(String, Experiment), Stop> {
    if let Some(found) = shipped(what, registry) {
        return Ok(found);
    }
    let most = usize::try_from(MAX_EXPERIMENT_SIZE).unwrap_or(usize::MAX);
    let text =
        file::read(Path::new(what), file::Kind { word: INVALID, name: "experiment file", most, advice: "" })?;
    let experiment = Experiment::parse(&text, registry).map_err(|faults| places(what, &faults))?;
    Ok((text, experiment))
}

fn shipped(what: &str, registry: &Registry) -> Option<(String, Experiment)> {
    registry.shipped().iter().find_map(|shipped| {
        let experiment = Experiment::parse(shipped.text, registry).ok()?;
        let is_meant = experiment.name == what || experiment.title == what;
        is_meant.then(|| (shipped.text.to_owned(), experiment))
    })
}

fn places(file: &str, faults: &[experiment::Fault]) -> Stop {
    let place = |fault: &experiment::Fault| Place::new(file, (fault.line, fault.column), &fault.message);
    Stop::Faults(INVALID, faults.iter().map(place).collect())
}

/// What is said of an error, and what to do about it.
fn failure(error: &LabError, out: Option<&Path>) -> Failure {
    let (code, exit, hint) = match error {
        LabError::Setting(_) => {
            ("setting", exit::USAGE, "`compup2p sim model show MODEL` names every parameter")
        }
        LabError::Run { .. } => ("run_failed", exit::FAILED, "what was finished before is kept, with --out"),
        LabError::Empty(_) => {
            ("no_figures", exit::FAILED, "take it out of `metrics`, or sweep where it has a value")
        }
        LabError::Stopped { .. } => ("stopped", exit::INTERRUPTED, "--resume goes on"),
        LabError::Write { .. } if out.is_some() => {
            ("disk", exit::FAILED, "what is finished is intact; with room on the disk, --resume goes on")
        }
        LabError::Write { .. } => ("disk", exit::FAILED, ""),
        LabError::Read { .. } => ("no_results", exit::USAGE, "expected the directory of `sim run --out`"),
        LabError::Occupied(_) => {
            ("has_results", exit::USAGE, "--resume goes on with them; or name another directory")
        }
        LabError::Other(_) => ("has_results", exit::USAGE, "name another directory"),
        LabError::Damaged { .. } => ("damaged", exit::FAILED, ""),
        LabError::Make { .. } => ("no_figure", exit::USAGE, ""),
    };
    Failure::new(code, error.to_string(), exit).hint(hint)
}

/// What is said of a run that came to nothing; one in which an invariant does not hold is kept.
fn broken(error: &LabError, out: Option<&Path>) -> Failure {
    let failure = failure(error, out);
    let Some(recording) = error.recording() else { return failure };
    let Some(directory) = out else {
        return failure.hint(format!(
            "with --out DIR the run is kept as DIR/{BROKEN}, for `sim replay` and `sim shrink`"
        ));
    };
    match experiment::keep_broken(directory, recording) {
        Ok(path) => failure.hint(format!(
            "`compup2p sim shrink {} --out small.trace` finds the smallest run that breaks it",
            path.display()
        )),
        Err(error) => failure.hint(format!("the run could not be kept: {error}")),
    }
}

/// A setting that the model does not take.
fn unusable(error: experiment::SettingError) -> Failure {
    failure(&LabError::Setting(error), None)
}

/// `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

//! The results of an experiment as files in a directory.
//!
//! | file | what |
//! |---|---|
//! | `experiment.toml` | the experiment as it was run |
//! | `finished.tsv` | every finished run, written at once ([`Journal`]) |
//! | `runs.csv`, `runs.parquet` | every run, in the order of the sweep |
//! | `summary.csv`, `summary.parquet` | every point: mean and half width of each metric |
//! | `result.json` | seed, version, hashes, verdicts |
//! | `report.html` | all of it to read, with figures |
//! | `broken.trace` | the run in which an invariant did not hold, if there was one ([`Recording`]) |
//!
//! A file gets its name only when it is whole.

use super::Model;
use super::definition::Experiment;
use super::error::LabError;
use super::journal::Journal;
use super::results::{Results, Run};
use super::verdict::Judged;
use super::{file, plot, record, report, table};
use crate::recording::Recording;
use std::fs;
use std::path::{Path, PathBuf};

/// The run in which an invariant did not hold.
pub const BROKEN: &str = "broken.trace";

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines that stay sharp at any size.
    Svg,
    /// Pixels.
    Png,
}

/// Which figure: `METRIC.svg` or `METRIC.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Of which metric.
    pub metric: String,
    /// How it is drawn.
    pub form: Form,
}

impl Figure {
    /// The figure that `name` stands for.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(name: &str) -> Result<Self, String> {
        let (metric, form) = match name.rsplit_once('.') {
            Some((metric, "svg")) => (metric, Form::Svg),
            Some((metric, "png")) => (metric, Form::Png),
            _ => return Err(format!("expected METRIC.svg or METRIC.png, and not `{name}`")),
        };
        Ok(Self { metric: metric.into(), form })
    }
}

/// Opens `directory` for the runs of `experiment`; with `goes_on`, the runs that it holds already.
///
/// # Errors
/// There are runs already and `goes_on` is not set, or they are those of another experiment; or it cannot be written.
pub fn open(
    directory: &Path,
    experiment: &Experiment,
    model: &dyn Model,
    goes_on: bool,
) -> Result<(Journal, Vec<Run>), LabError> {
    fs::create_dir_all(directory).map_err(LabError::write(directory))?;
    let measured = experiment.measured(model)?;
    let hash = experiment.hash();
    let has_runs = directory.join(super::JOURNAL).exists();
    let opened = if goes_on && has_runs {
        Journal::resume(directory, &hash, &measured)?
    } else {
        (Journal::begin(directory, &hash, &measured)?, Vec::new())
    };
    write(&directory.join("experiment.toml"), record::toml(experiment, model).as_bytes())?;
    Ok(opened)
}

/// Writes all results into `directory`, and `figures` beside them. What was written.
///
/// # Errors
/// The first file that cannot be made or written; those before it are whole.
pub fn keep(
    directory: &Path,
    experiment: &Experiment,
    model: &dyn Model,
    (results, judged): (&Results, &[Judged]),
    figures: &[Figure],
) -> Result<Vec<PathBuf>, LabError> {
    let (runs, summary) = (table::runs(results), table::summary(results));
    let notes = [
        ("experiment", record::toml(experiment, model)),
        ("experiment_hash", experiment.hash()),
        ("seed", experiment.seed.to_string()),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ];
    let made = |what: &str| {
        let what = what.to_owned();
        move |why| LabError::Make { what, why }
    };
    let json = format!("{:#}\n", record::json(experiment, results, judged));
    let page = report::html(experiment, model, results, judged).map_err(made("the report"))?;
    let mut files = vec![
        ("runs.csv".to_owned(), file::csv(&runs).map_err(made("runs.csv"))?),
        ("runs.parquet".to_owned(), file::parquet(&runs, &notes).map_err(made("runs.parquet"))?),
        ("summary.csv".to_owned(), file::csv(&summary).map_err(made("summary.csv"))?),
        ("summary.parquet".to_owned(), file::parquet(&summary, &notes).map_err(made("summary.parquet"))?),
        ("result.json".to_owned(), json.into_bytes()),
        ("report.html".to_owned(), page.into_bytes()),
    ];
    for Figure { metric, form } in figures {
        let drawn = match form {
            Form::Svg => plot::svg(results, metric).map(String::into_bytes).map(|bytes| ("svg", bytes)),
            Form::Png => plot::png(results, metric).map(|bytes| ("png", bytes)),
        };
        let (extension, bytes) = drawn.map_err(made("the figure"))?;
        files.push((format!("{metric}.{extension}"), bytes));
    }
    let mut written = vec![directory.join("experiment.toml")];
    for (name, bytes) in files {
        let path = directory.join(name);
        write(&path, &bytes)?;
        written.push(path);
    }
    Ok(written)
}

/// Writes the run in which an invariant did not hold into `directory`, as [`BROKEN`].
///
/// # Errors
/// It cannot be written.
pub fn keep_broken(directory: &Path, recording: &Recording) -> Result<PathBuf, LabError> {
    let path = directory.join(BROKEN);
    write(&path, recording.to_string().as_bytes())?;
    Ok(path)
}

/// Checks before anything starts that the figures can be drawn.
///
/// # Errors
/// One of a metric that `experiment` does not measure.
pub fn check(figures: &[Figure], experiment: &Experiment, model: &dyn Model) -> Result<(), LabError> {
    let measured = experiment.measured(model)?;
    let is_unknown = |figure: &&Figure| !measured.contains(&figure.metric.as_str());
    match figures.iter().find(is_unknown) {
        None => Ok(()),
        Some(figure) => {
            let why = format!("`{}` is not measured; measured are {}", figure.metric, measured.join(", "));
            Err(LabError::Make { what: "the figure".into(), why })
        }
    }
}

/// Writes a file under another name first, so that it is whole or not there.
fn write(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        LabError::Write { file: path.into(), source }
    })
}

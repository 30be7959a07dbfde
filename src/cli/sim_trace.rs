//! `compup2p sim record`, `replay` and `shrink`: runs as files.

use super::{Done, Stop, exit, sim_lab};
use crate::control::Failure;
use crate::output::{Bar, Printer, Recorded};
use ::sim::court::Case;
use ::sim::recording::{MAX_FILE, Recording, Subject};
use ::sim::{Honest, Scenario};
use clap::Args;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What is recorded.
#[derive(Args, Clone, Debug)]
pub(super) struct Record {
    /// A scenario by name, or an experiment of complete nodes by name or by its file
    #[arg(value_name = "NAME|FILE")]
    what: String,
    /// Set a parameter of the experiment: one value for each that it varies
    #[arg(long, value_name = "KEY=VALUE", value_parser = sim_lab::pair)]
    set: Vec<(String, String)>,
    /// The same seed gives the same trace [default: that of the experiment's file, or 1]
    #[arg(long)]
    seed: Option<u64>,
    /// Which run of the experiment, counted from 0
    #[arg(long, value_name = "N")]
    repetition: Option<u32>,
    /// The file that is written; one that is there already is not
    #[arg(long, value_name = "TRACE")]
    out: PathBuf,
}

/// What is run again.
#[derive(Args, Clone, Debug)]
pub(super) struct Replay {
    /// A file that `sim record` or `sim shrink` has written
    trace: PathBuf,
}

/// What is made smaller.
#[derive(Args, Clone, Debug)]
pub(super) struct Shrink {
    /// A file that `sim record` has written, of a run that breaks an invariant
    trace: PathBuf,
    /// The file that is written; one that is there already is not
    #[arg(long, value_name = "TRACE")]
    out: PathBuf,
}

pub(super) fn record(record: &Record, printer: Printer) -> Done {
    let (subject, seed) = subject(record)?;
    let unknown = |error: ::sim::recording::ReadError| {
        Failure::new("no_scenario", error.to_string(), exit::USAGE).hint("`compup2p sim list` shows them")
    };
    let (recording, outcome) = Recording::of(subject, seed).map_err(unknown)?;
    write(&record.out, &recording)?;
    let why = outcome.err().map(|violation| violation.to_string());
    printer.recorded(&Recorded::of(&recording, why))?;
    Ok(code(&recording))
}

/// What is recorded, and with which seed.
fn subject(record: &Record) -> Result<(Subject, u64), Stop> {
    let name = record.what.as_str();
    let (is_case, is_whole) = (Case::named(name).is_some(), Scenario::named(name).is_some());
    if !is_case && !is_whole && sim_lab::is_experiment(name) {
        return sim_lab::single(name, &record.set, record.seed, record.repetition.unwrap_or(0));
    }
    let failure = if is_case {
        let message = format!("`{name}` is a scenario of the bank alone: its runs are not kept as files");
        Failure::new("not_recorded", message, exit::USAGE)
            .hint("`compup2p sim run` with the same seed gives the same run")
    } else if !record.set.is_empty() || record.repetition.is_some() {
        let message = format!("`{name}` is no experiment: of the options it takes --seed only");
        Failure::new("usage", message, exit::USAGE)
    } else {
        return Ok((Subject::Scenario(name.into()), record.seed.unwrap_or(1)));
    };
    Err(failure.into())
}

pub(super) fn replay(replay: &Replay, printer: Printer) -> Done {
    let recording = read(&replay.trace)?;
    let (end, outcome) = recording.replay().map_err(|error| bad(&replay.trace, &error.to_string()))?;
    if end != recording.end {
        let message = format!(
            "the run came to {} events and hash {} instead of {} and {}",
            end.events,
            end.hash.to_hex(),
            recording.end.events,
            recording.end.hash.to_hex()
        );
        return Err(Failure::new("other_run", message, exit::FAILED)
            .hint("this is a defect: what is run, a seed and faults have to give one run")
            .into());
    }
    let why = outcome.err().map(|violation| violation.to_string());
    printer.recorded(&Recorded::of(&recording, why))?;
    Ok(code(&recording))
}

pub(super) fn shrink(shrink: &Shrink, printer: Printer) -> Done {
    let recording = read(&shrink.trace)?;
    let bar = Bar::new(printer, recording.end.events, "events");
    let shrunk = recording.shrink(&mut || Box::new(Honest), &mut |smaller| bar.set(smaller.end.events));
    bar.end();
    let Some(shrunk) = shrunk.map_err(|error| bad(&shrink.trace, &error.to_string()))? else {
        let message = "every invariant holds in this run: there is nothing to make smaller";
        return Err(Failure::new("nothing_broken", message, exit::FAILED)
            .hint("`sim replay` runs it again")
            .into());
    };
    write(&shrink.out, &shrunk.recording)?;
    printer.recorded(&Recorded::of(&shrunk.recording, None))?;
    Ok(exit::SUCCESS)
}

const fn code(recording: &Recording) -> u8 {
    if recording.end.broken.is_some() { exit::FAILED } else { exit::SUCCESS }
}

fn read(path: &Path) -> Result<Recording, Failure> {
    let mut text = String::new();
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    let file = fs::File::open(path).map_err(|error| bad(path, &error.to_string()))?;
    file.take(limit).read_to_string(&mut text).map_err(|error| bad(path, &error.to_string()))?;
    text.parse().map_err(|error: ::sim::recording::ReadError| bad(path, &error.to_string()))
}

fn write(path: &Path, recording: &Recording) -> Result<(), Failure> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new("not_written", message, exit::FAILED)
            .hint("name a new file in a directory that you may write to")
    };
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(recording.to_string().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn bad(path: &Path, why: &str) -> Failure {
    Failure::new("bad_trace", format!("{}: {why}", path.display()), exit::USAGE)
        .hint("`compup2p sim record` writes such files; a trace is run by the version that has written it")
}

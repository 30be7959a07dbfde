//! A recording as text: one word and its value a line, in this order. In place of the scenario, a run of an experiment has
//! the values that are not the defaults: `nodes network.loss_pct=5.0 work.sub_tasks=3`.
//!
//! ```text
//! compup2p-trace 1
//! program 0.1.0
//! scenario first
//! seed 7
//! faults 0 2
//! sub-tasks 200
//! broken listed
//! events 48211
//! time 11200000
//! hash 5d0c…
//! ```

use super::{Ending, Recording, Subject, VERSION};
use crate::experiment::{Setting, SettingError, Value, read_value};
use crate::model::WholeNodes;
use proto::{Hash, Time};
use std::fmt;
use std::str::FromStr;

/// The longest file that is read, in bytes.
pub const MAX_FILE: usize = 1 << 16;
/// The form of the files.
const FORM: &str = "1";
/// What stands for nothing: no fault, or no invariant broken.
const NONE: &str = "-";

/// Why a file is no recording that can be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is longer than [`MAX_FILE`].
    #[error("expected a trace of at most {MAX_FILE} bytes, and not {0}")]
    TooLong(usize),
    /// A line is not what is expected there.
    #[error("line {0}: expected {1}")]
    Line(usize, String),
    /// It is of another form.
    #[error("line 1: the trace has form {0}, and this program reads form {FORM}")]
    OtherForm(String),
    /// Another version of the program has written it.
    #[error(
        "line 2: version {0} has written this trace, and this is version {VERSION}, which may run it otherwise"
    )]
    OtherVersion(String),
    /// Something stands behind its end.
    #[error("line {0}: expected the end of the file")]
    Rest(usize),
    /// The scenario does not ship.
    #[error("there is no scenario `{0}`")]
    NoScenario(String),
    /// The model does not take the setting.
    #[error("line 3: {0}")]
    NoSetting(#[from] SettingError),
    /// There are not so many faults.
    #[error("there is no fault {0}: the run has {1}")]
    NoFault(usize, usize),
    /// There are not so many sub-tasks.
    #[error("expected 1 to {1} sub-tasks, and not {0}")]
    NoSubTasks(usize, usize),
}

impl fmt::Display for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let faults = if faults.is_empty() { NONE.into() } else { faults.join(" ") };
        let Ending { broken, events, time, hash } = &self.end;
        writeln!(out, "compup2p-trace {FORM}")?;
        writeln!(out, "program {VERSION}")?;
        writeln!(out, "{}", self.subject)?;
        writeln!(out, "seed {}", self.seed)?;
        writeln!(out, "faults {faults}")?;
        writeln!(out, "sub-tasks {}", self.sub_tasks)?;
        writeln!(out, "broken {}", broken.as_deref().unwrap_or(NONE))?;
        writeln!(out, "events {events}")?;
        writeln!(out, "time {}", time.0)?;
        writeln!(out, "hash {}", hash.to_hex())
    }
}

/// The lines of a file, with their numbers.
struct Lines<'a> {
    rest: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    /// What stands behind `word` on the next line.
    fn value(&mut self, word: &str) -> Result<&'a str, ReadError> {
        self.number += 1;
        let value = self.rest.next().and_then(|line| line.strip_prefix(word)?.strip_prefix(' '));
        value.ok_or_else(|| self.wrong(format!("`{word}` and its value")))
    }

    /// What the run is of.
    fn subject(&mut self) -> Result<Subject, ReadError> {
        self.number += 1;
        let line = self.rest.next().unwrap_or_default();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("scenario", name) if !name.is_empty() => Ok(Subject::Scenario(name.into())),
            ("nodes", values) => {
                let pairs: Option<Vec<(&str, Value)>> = values.split_terminator(' ').map(pair).collect();
                let pairs =
                    pairs.ok_or_else(|| self.wrong("`nodes` and `KEY=VALUE` for each value".into()))?;
                Ok(Subject::Nodes(Setting::new(&WholeNodes, pairs)?))
            }
            _ => Err(self.wrong("`scenario` and its value, or `nodes`".into())),
        }
    }

    fn number<T: FromStr>(&mut self, word: &str) -> Result<T, ReadError> {
        let value = self.value(word)?;
        value.parse().map_err(|_| self.wrong(format!("`{word}` and a whole number")))
    }

    fn wrong(&self, expected: String) -> ReadError {
        ReadError::Line(self.number, expected)
    }
}

impl FromStr for Recording {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        if text.len() > MAX_FILE {
            return Err(ReadError::TooLong(text.len()));
        }
        let mut lines = Lines { rest: text.lines(), number: 0 };
        let form = lines.value("compup2p-trace")?;
        if form != FORM {
            return Err(ReadError::OtherForm(form.into()));
        }
        let version = lines.value("program")?;
        if version != VERSION {
            return Err(ReadError::OtherVersion(version.into()));
        }
        let subject = lines.subject()?;
        let seed = lines.number("seed")?;
        let faults = faults(&mut lines)?;
        let sub_tasks = lines.number("sub-tasks")?;
        let broken = Some(lines.value("broken")?).filter(|name| *name != NONE).map(Into::into);
        let events = lines.number("events")?;
        let time = Time(lines.number("time")?);
        let hash = lines.value("hash")?;
        let hash =
            Hash::from_hex(hash).ok_or_else(|| lines.wrong("`hash` and 64 hexadecimal digits".into()))?;
        match lines.rest.next() {
            None => Ok(Self { subject, seed, faults, sub_tasks, end: Ending { broken, events, time, hash } }),
            Some(_) => Err(ReadError::Rest(lines.number + 1)),
        }
    }
}

fn pair(text: &str) -> Option<(&str, Value)> {
    let (key, value) = text.split_once('=')?;
    Some((key, read_value(value).ok()?))
}

fn faults(lines: &mut Lines<'_>) -> Result<Vec<usize>, ReadError> {
    let value = lines.value("faults")?;
    if value == NONE {
        return Ok(Vec::new());
    }
    let numbers: Result<Vec<usize>, _> = value.split(' ').map(str::parse).collect();
    let faults = numbers.ok().filter(|all| all.is_sorted_by(|one, next| one < next));
    faults.ok_or_else(|| lines.wrong("`faults` and their numbers, ascending, or `-`".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        Recording {
            subject: Subject::Scenario("first".into()),
            seed: 7,
            faults: vec![0, 2],
            sub_tasks: 12,
            end: Ending { broken: Some("listed".into()), events: 99, time: Time(5), hash: Hash([7; 32]) },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let other =
            Recording { faults: Vec::new(), end: Ending { broken: None, ..recording().end }, ..recording() };
        let nodes = |given: &[(&str, Value)]| {
            let setting = Setting::new(&WholeNodes, given.iter().cloned()).unwrap();
            Recording { subject: Subject::Nodes(setting), ..recording() }
        };
        let lossy = [("network.loss_pct", Value::Real(0.1)), ("work.sub_tasks", Value::Integer(12))];
        for recording in [recording(), other, nodes(&[]), nodes(&lossy)] {
            assert_eq!(recording.to_string().parse(), Ok(recording));
        }
    }

    /// The text of a recording with one thing changed, and what is said of it.
    fn check(from: &str, to: &str, error: &str) {
        let text = recording().to_string();
        assert!(text.contains(from), "{from}");
        let read: Result<Recording, ReadError> = text.replacen(from, to, 1).parse();
        assert_eq!(read.map_err(|error| error.to_string()), Err(error.into()));
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        let version = format!(
            "line 2: version 0.0.9 has written this trace, and this is version {VERSION}, which may run it otherwise"
        );
        check(&format!("program {VERSION}"), "program 0.0.9", &version);
        check(
            "compup2p-trace 1",
            "compup2p-trace 2",
            "line 1: the trace has form 2, and this program reads form 1",
        );
        check("compup2p-trace 1", "PK", "line 1: expected `compup2p-trace` and its value");
        let subject = "line 3: expected `scenario` and its value, or `nodes`";
        check("scenario first", "scenario", subject);
        check("scenario first", "node work.sub_tasks=1", subject);
        let pairs = "line 3: expected `nodes` and `KEY=VALUE` for each value";
        check("scenario first", "nodes work.sub_tasks", pairs);
        check("scenario first", "nodes work.sub_tasks=1  work.work_gc=1", pairs);
        let unknown = "line 3: `work.sub_task`: there is no such key; the nearest is `work.sub_tasks`";
        check("scenario first", "nodes work.sub_task=1", unknown);
        let few = "line 3: `work.sub_tasks`: expected a whole number from 1 to 1000000, and not 0";
        check("scenario first", "nodes work.sub_tasks=0", few);
        check("seed 7", "seed -7", "line 4: expected `seed` and a whole number");
        check("faults 0 2", "faults 2 0", "line 5: expected `faults` and their numbers, ascending, or `-`");
        check("events 99\n", "", "line 8: expected `events` and its value");
        check("hash 07", "hash 7", "line 10: expected `hash` and 64 hexadecimal digits");
        check("hash ", "time 1\nhash ", "line 10: expected `hash` and its value");
        let long = "x".repeat(MAX_FILE + 1).parse::<Recording>();
        assert_eq!(long, Err(ReadError::TooLong(MAX_FILE + 1)));
        let rest: Result<Recording, ReadError> = format!("{}more\n", recording()).parse();
        assert_eq!(rest, Err(ReadError::Rest(11)));
    }

    #[test]
    fn a_scenario_has_to_have_what_is_named() {
        let replay = |recording: Recording| recording.replay().map(|_| ()).unwrap_err();
        assert_eq!(
            replay(Recording { subject: Subject::Scenario("none".into()), ..recording() }),
            ReadError::NoScenario("none".into())
        );
        assert_eq!(replay(Recording { faults: vec![9], ..recording() }), ReadError::NoFault(9, 3));
        assert_eq!(replay(Recording { sub_tasks: 0, ..recording() }), ReadError::NoSubTasks(0, 200));
    }
}

//! Finished runs, a line each, in a file that only grows: what an interrupted experiment goes on from.
//!
//! The first line names the form, the experiment by its hash, and the metrics. Every other line ends in a check over
//! itself. A line that was not written to its end is the last one, and is dropped; any other that is not as it was
//! written is an error.

use super::error::LabError;
use super::results::Run;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The name of the file.
pub const JOURNAL: &str = "finished.tsv";
/// Its form.
const FORM: &str = "compup2p-sim-1";
/// Characters of the check at the end of a line.
const CHECK: usize = 16;

/// The file, open at its end.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// How long it is, up to the last whole line.
    length: u64,
}

impl Journal {
    /// Begins the file in `directory` for the experiment of this hash.
    ///
    /// # Errors
    /// There is one already, or it cannot be written.
    pub fn begin(directory: &Path, hash: &str, metrics: &[&str]) -> Result<Self, LabError> {
        let path = directory.join(JOURNAL);
        if path.exists() {
            return Err(LabError::Occupied(directory.into()));
        }
        let file = File::create_new(&path).map_err(LabError::write(&path))?;
        let mut journal = Self { path, file, length: 0 };
        journal.line(head(hash, metrics))?;
        Ok(journal)
    }

    /// Goes on with the file in `directory`, and gives the runs that it holds.
    ///
    /// # Errors
    /// It is that of another experiment, it is damaged, or cannot be read.
    pub fn resume(directory: &Path, hash: &str, metrics: &[&str]) -> Result<(Self, Vec<Run>), LabError> {
        let path = directory.join(JOURNAL);
        let (runs, length) = match fs::read_to_string(&path) {
            Ok(text) if text.starts_with(&head(hash, metrics)) => runs(&text, &path, metrics.len())?,
            Ok(_) => return Err(LabError::Other(directory.into())),
            Err(source) => return Err(LabError::Read { file: path, source }),
        };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(LabError::write(&path))?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(LabError::write(&path))?;
        Ok((Self { path, file, length }, runs))
    }

    /// Adds a run.
    ///
    /// # Errors
    /// It cannot be written; the lines before it are intact, and nothing of it is left.
    pub fn append(&mut self, run: &Run) -> Result<(), LabError> {
        self.line(line(run))
    }

    fn line(&mut self, line: String) -> Result<(), LabError> {
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.length += u64::try_from(line.len()).unwrap_or(0);
                Ok(())
            }
            Err(source) => {
                // Where even this fails, the torn line is dropped on reading.
                let _ = self.file.set_len(self.length);
                Err(LabError::Write { file: self.path.clone(), source })
            }
        }
    }
}

fn head(hash: &str, metrics: &[&str]) -> String {
    format!("{FORM}\t{hash}\t{}\n", metrics.join(","))
}

fn check(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(CHECK).collect()
}

fn line(run: &Run) -> String {
    let mut text = format!("{}\t{}\t{}\t", run.point, run.repetition, run.seed);
    run.trace.iter().for_each(|byte| {
        let _ = write!(text, "{byte:02x}");
    });
    for value in &run.values {
        // The shortest text that reads as the same number.
        let _ = match value {
            Some(value) => write!(text, "\t{value:?}"),
            None => write!(text, "\t-"),
        };
    }
    let check = check(&text);
    format!("{text}\t{check}\n")
}

/// The runs of a file, and how much of it they are.
fn runs(text: &str, path: &Path, metrics: usize) -> Result<(Vec<Run>, u64), LabError> {
    let mut found = Vec::new();
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let lines = text.get(..whole).unwrap_or_default().lines();
    for (number, line) in (1..).zip(lines).skip(1) {
        let run = run(line, metrics).ok_or_else(|| LabError::Damaged {
            file: path.into(),
            line: number,
            expected: "a finished run with its check; remove the line to have it run again",
        })?;
        found.push(run);
    }
    Ok((found, u64::try_from(whole).unwrap_or(u64::MAX)))
}

fn run(line: &str, metrics: usize) -> Option<Run> {
    let (text, sum) = line.rsplit_once('\t')?;
    if check(text) != sum {
        return None;
    }
    let mut fields = text.split('\t');
    let mut next = || fields.next();
    let (point, repetition, seed) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let trace = *blake3::Hash::from_hex(next()?).ok()?.as_bytes();
    let value = |field: &str| if field == "-" { Some(None) } else { field.parse().ok().map(Some) };
    let values: Vec<Option<f64>> = fields.map(value).collect::<Option<_>>()?;
    (values.len() == metrics).then_some(Run { point, repetition, seed, values, trace })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &[&str] = &["price_credits", "trades_count"];

    fn sample(repetition: u32) -> Run {
        let values = vec![Some(0.1 + f64::from(repetition)), None];
        Run { point: 3, repetition, seed: u64::MAX, values, trace: [repetition.to_le_bytes()[0]; 32] }
    }

    fn written(directory: &Path) -> PathBuf {
        let mut journal = Journal::begin(directory, "abc", METRICS).unwrap();
        (0..3).for_each(|repetition| journal.append(&sample(repetition)).unwrap());
        directory.join(JOURNAL)
    }

    #[test]
    fn what_is_finished_is_read_again_and_gone_on_from() {
        let directory = tempfile::tempdir().unwrap();
        written(directory.path());
        let (mut journal, runs) = Journal::resume(directory.path(), "abc", METRICS).unwrap();
        assert_eq!(runs, [sample(0), sample(1), sample(2)]);
        journal.append(&sample(3)).unwrap();
        let (_, runs) = Journal::resume(directory.path(), "abc", METRICS).unwrap();
        assert_eq!(runs.len(), 4);
    }

    #[test]
    fn a_line_that_was_not_written_to_its_end_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let length = fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 5).unwrap();
        let (mut journal, runs) = Journal::resume(directory.path(), "abc", METRICS).unwrap();
        assert_eq!(runs, [sample(0), sample(1)]);
        journal.append(&sample(2)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), length);
    }

    #[test]
    fn a_line_that_was_changed_is_an_error_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let text = fs::read_to_string(&path).unwrap().replace("1.1", "1.2");
        fs::write(&path, text).unwrap();
        let error = Journal::resume(directory.path(), "abc", METRICS).unwrap_err();
        assert!(error.to_string().contains("finished.tsv:3: expected a finished run"), "{error}");
    }

    #[test]
    fn runs_of_another_experiment_are_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        written(directory.path());
        for (hash, metrics) in [("abd", METRICS), ("abc", &["price_credits"])] {
            let error = Journal::resume(directory.path(), hash, metrics).unwrap_err();
            assert!(matches!(error, LabError::Other(_)), "{error}");
        }
        let error = Journal::begin(directory.path(), "abc", METRICS).unwrap_err();
        assert!(matches!(error, LabError::Occupied(_)), "{error}");
    }

    #[test]
    fn a_full_disk_leaves_the_finished_lines_intact() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let before = fs::read_to_string(&path).unwrap();
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut journal = Journal { path: path.clone(), file, length: 0 };
        let error = journal.append(&sample(3)).unwrap_err();
        assert!(error.to_string().contains("No space left on device"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
    }
}

//! What keeps an experiment from being run or its results from being kept.

use super::model::RunError;
use super::setting::SettingError;
use crate::recording::Recording;
use std::io;
use std::path::{Path, PathBuf};

/// What keeps an experiment from being run or its results from being kept.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A value that the model does not take, or too many runs.
    #[error("{0}")]
    Setting(#[from] SettingError),
    /// A run came to nothing.
    #[error("run {repetition} of the point {point}: {error}")]
    Run {
        /// The values of the point.
        point: String,
        /// Which repetition, from 0.
        repetition: u32,
        /// Why.
        error: RunError,
    },
    /// A metric that is asked for has a value in no run.
    #[error("the metric `{0}` has a value in no run")]
    Empty(&'static str),
    /// Somebody stopped it; what is finished is kept.
    #[error("stopped after {done} of {all} runs")]
    Stopped {
        /// Runs that are finished.
        done: u64,
        /// Runs that were planned.
        all: u64,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are results already.
    #[error("{} holds runs already", .0.display())]
    Occupied(PathBuf),
    /// The results that are there are those of another experiment.
    #[error("{} holds runs of another experiment, or of another version of the program", .0.display())]
    Other(PathBuf),
    /// A file that holds results is not as it was written.
    #[error("{}:{line}: expected {expected}", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// From 1.
        line: u64,
        /// What should stand there.
        expected: &'static str,
    },
    /// A plot or a table cannot be made.
    #[error("cannot make {what}: {why}")]
    Make {
        /// Of what.
        what: String,
        /// Why.
        why: String,
    },
}

impl LabError {
    /// The run in which an invariant does not hold, if it is that and can be kept as a file.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        match self {
            Self::Run { error: RunError::Recorded(kept), .. } => Some(&kept.1),
            _ => None,
        }
    }

    /// `file` cannot be written.
    pub(super) fn write(file: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { file: file.into(), source }
    }

    /// `file` cannot be read.
    pub(super) fn read(file: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { file: file.into(), source }
    }
}

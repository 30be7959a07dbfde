//! What programs print, passed on as it is.

use super::{Printer, human, json};
use crate::control::{EventView, Failure, SubTaskView, TaskView};
use serde::Serialize;
use std::io::{self, Write as _};

/// One of this process's own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// What a sub-task has printed, for programs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Printed {
    pub(crate) sub_task: String,
    pub(crate) stream: &'static str,
    /// What is no UTF-8 is replaced by `�`; without `--json` it is passed on as it is.
    pub(crate) text: String,
    /// Whether the seller has not signed it.
    pub(crate) provisional: bool,
}

/// What became of a program, for programs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ran {
    pub(crate) task: u64,
    /// The exit code of this command.
    pub(crate) exit: u8,
    pub(crate) why: String,
    pub(crate) paid: String,
    pub(crate) fee: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Passes bytes on at once.
pub(crate) fn pass_on(own: Own, bytes: &[u8]) -> Result<(), Failure> {
    let written = match own {
        Own::Output => {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Own::Error => io::stderr().lock().write_all(bytes),
    };
    written.map_err(|error| Failure::new("output", format!("cannot write what it prints: {error}"), 1))
}

impl Printer {
    /// Whether the result is to be one JSON value.
    pub(crate) const fn is_json(self) -> bool {
        self.is_json
    }

    pub(crate) fn printed(self, printed: &Printed) -> Result<(), Failure> {
        self.result(|| json::document("task-logs", printed), |_| printed.text.clone())
    }

    /// A sub-task of a task that is watched. As JSON, one value a line.
    pub(crate) fn watched(self, task: &TaskView, sub_task: &SubTaskView) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Watched<'a> {
            task: u64,
            elapsed: f64,
            #[serde(flatten)]
            sub_task: &'a SubTaskView,
        }
        let line = Watched { task: task.id, elapsed: task.elapsed, sub_task };
        self.result(|| json::document("task-watch", &line), |_| human::watched(task, sub_task))
    }

    /// Something that happened to a task that is watched. As JSON, one value a line.
    pub(crate) fn happened(self, event: &EventView) -> Result<(), Failure> {
        self.result(|| json::document("task-event", event), |_| human::happened(event))
    }

    pub(crate) fn ran(self, ran: &Ran) -> Result<(), Failure> {
        self.result(|| json::document("run", ran), |_| String::new())
    }
}

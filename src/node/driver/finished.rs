//! Work beside the node that has come to its end, and what follows from it.

use super::{Driver, files};
use crate::control::{Failure, Reply};
use crate::node::control::Question;
use crate::node::tasks::{Prepared, Quoted, Written};
use service::Input;
use service::policy::Policy;

/// Work beside the node that has come to its end.
pub(super) enum Finished {
    Prepared(Result<Box<Prepared>, Failure>, Question),
    Written(Written, Option<Question>),
    Policy(Result<Box<Policy>, Failure>, Option<Question>),
    Quoted(Result<Box<Quoted>, Failure>, Question),
    Filed(files::Filed, Option<Question>),
}

impl Driver {
    pub(super) fn take_finished(&mut self, finished: Finished) {
        match finished {
            Finished::Prepared(Ok(prepared), question) => {
                let (submission, view) = self.tasks.begin(*prepared);
                self.take(Input::Submit { submission });
                question.answer(Reply::Task(Box::new(view)));
            }
            Finished::Policy(read, question) => self.reloaded(read, question),
            Finished::Prepared(Err(failure), question) | Finished::Quoted(Err(failure), question) => {
                question.answer(Reply::Error(failure));
            }
            Finished::Quoted(Ok(quoted), question) => self.ask_quote(quoted, question),
            Finished::Filed(filed, question) => self.filed(filed, question),
            Finished::Written(written, question) => {
                let task = written.task();
                self.tasks.written(written);
                if let Some(question) = question {
                    self.with_task(&task.to_string(), question);
                }
            }
        }
    }
}

//! What the core has to say is written down before anything is done that stands behind it (DESIGN §2).
//!
//! The node goes on taking inputs while the disk syncs; what follows from them waits in line, so that one sync serves
//! all that came meanwhile.

use super::Driver;
use crate::node::control::Question;
use crate::node::journal::{Journal, Told};
use crate::node::tasks::Write;
use service::{Input, Kept, Output};
use std::collections::VecDeque;

/// The outputs that wait for the disk.
pub(super) struct Barrier {
    journal: Journal,
    line: VecDeque<Waiting>,
}

/// What waits.
enum Waiting {
    /// For so many jobs of the journal to be durable.
    Durable(u64),
    /// For those before it.
    Output(Box<Output>),
    /// Somebody who asks for a task, once what was wanted of it before is done.
    Asker(String, Question),
}

/// What waits no more.
enum Next {
    Output(Box<Output>),
    Asker(String, Question),
}

impl Barrier {
    pub(super) const fn new(journal: Journal) -> Self {
        Self { journal, line: VecDeque::new() }
    }

    /// The output, if it may be carried out at once.
    fn pass(&mut self, output: Output) -> Option<Output> {
        let waiting = match output {
            Output::Append { note } => Waiting::Durable(self.journal.append(note)),
            Output::Replace { notes } => Waiting::Durable(self.journal.replace(notes)),
            output if self.line.is_empty() => return Some(output),
            output => Waiting::Output(Box::new(output)),
        };
        self.line.push_back(waiting);
        None
    }

    /// What needs to wait no more, when so many jobs are durable.
    fn next(&mut self, durable: u64) -> Option<Next> {
        loop {
            if matches!(self.line.front()?, Waiting::Durable(number) if *number > durable) {
                return None;
            }
            match self.line.pop_front()? {
                Waiting::Durable(_) => {}
                Waiting::Output(output) => return Some(Next::Output(output)),
                Waiting::Asker(task, question) => return Some(Next::Asker(task, question)),
            }
        }
    }
}

impl Driver {
    /// Gives the core what former runs have left, and writes the results that may not have been written.
    pub(crate) fn restore(&mut self, kept: Kept, writes: Vec<Write>) {
        writes.into_iter().for_each(|write| self.write(write, None));
        if kept != Kept::default() {
            self.take(Input::Restore { kept: Box::new(kept) });
        }
    }

    /// Ends a task, and tells how it stands when that is written down and done.
    pub(super) fn cancel(&mut self, task: String, question: Question) {
        let id = self.tasks.find(&task).ok();
        if let Some(contract) = id.and_then(|id| self.tasks.contract(id)) {
            self.take(Input::Cancel { task: contract });
        }
        if self.barrier.line.is_empty() {
            self.with_task(&task, question);
        } else {
            self.barrier.line.push_back(Waiting::Asker(task, question));
        }
    }

    /// Carries out what the core wants done, as far as it need not wait for the disk.
    pub(super) fn drain(&mut self) {
        while let Some(output) = self.node.poll_output() {
            if let Some(output) = self.barrier.pass(output) {
                self.carry_out(output);
            }
        }
    }

    /// The journal tells how far it is.
    pub(super) fn hear_journal(&mut self, told: Told) {
        match told {
            Told::Durable(durable) => {
                while let Some(next) = self.barrier.next(durable) {
                    match next {
                        Next::Output(output) => self.carry_out(*output),
                        Next::Asker(task, question) => self.with_task(&task, question),
                    }
                }
                self.drain();
            }
            // Nothing waits for that: it says no more than what is there.
            Told::HasGrown => {
                self.barrier.journal.replace(self.node.notes());
            }
        }
    }
}

//! Waiting for a task, with what happens meanwhile: progress, Ctrl-C, a time limit.

use crate::cli::client::{Connection, timed_out, unexpected};
use crate::cli::interrupt::{Interrupt, Interrupts};
use crate::cli::{Limit, ask};
use crate::control::{Failure, Reply, Request, TaskView};
use crate::output::{Printer, Progress};
use std::future::Future;
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the node may take to confirm that it cancels.
const CANCEL: Limit = Limit::Usual(Duration::from_secs(30));

/// Where the task that is waited for runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Place {
    /// On a node that goes on without us.
    Network,
    /// On a local network that ends with us.
    Local,
}

/// How the wait ended.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Watched {
    /// With the task.
    Ended(Box<TaskView>),
    /// Before the task: the exit code.
    Left(u8),
}

/// A wait for `task` of the node in `home`.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Watch<'a> {
    pub(in crate::cli) home: &'a Path,
    pub(in crate::cli) task: &'a str,
    pub(in crate::cli) printer: Printer,
    pub(in crate::cli) timeout: Option<Duration>,
    pub(in crate::cli) place: Place,
}

impl Watch<'_> {
    /// Waits, with the signals taken over.
    pub(in crate::cli) async fn run_alone(self) -> Result<Watched, Failure> {
        let mut interrupts = Interrupts::new()?;
        let timeout = self.timeout;
        let hint = self.how_it_goes_on();
        within(timeout, self.run(&mut interrupts)).await.map_err(|failure| failure.hint(hint))?
    }

    /// Waits until the task has ended or the user has enough of it.
    pub(in crate::cli) async fn run(self, interrupts: &mut Interrupts) -> Result<Watched, Failure> {
        let mut connection = Connection::open(self.home).await?;
        connection.send(&Request::Watch { task: self.task.into() }).await?;
        let mut progress = Progress::new(self.printer);
        let mut answer: Option<oneshot::Receiver<Answer>> = None;
        let mut is_second = false;
        loop {
            tokio::select! {
                reply = connection.receive() => match reply? {
                    Reply::Event(event) => progress.show(&event),
                    Reply::Task(task) => return Ok(Watched::Ended(task)),
                    Reply::Error(failure) => return Err(failure),
                    _ => return Err(unexpected(self.home)),
                },
                interrupt = interrupts.next() => {
                    progress.resume(false);
                    if is_second || interrupt != Interrupt::CtrlC {
                        self.say_how_it_goes_on(&progress);
                        return Ok(Watched::Left(interrupt.exit()));
                    }
                    is_second = true;
                    if self.place == Place::Network && is_terminal() {
                        progress.ask("the task is still running: [d]etach and let it go on, [c]ancel it, \
                                      or keep [w]aiting? (Ctrl-C again detaches) ");
                        answer = Some(read_answer());
                    } else if let Some(left) = self.cancel(interrupts, &progress).await {
                        return Ok(left);
                    }
                },
                chosen = wait_for(&mut answer) => {
                    answer = None;
                    progress.resume(true);
                    match chosen {
                        Answer::Detach => {
                            self.say_how_it_goes_on(&progress);
                            return Ok(Watched::Left(Interrupt::CtrlC.exit()));
                        }
                        Answer::Cancel => {
                            if let Some(left) = self.cancel(interrupts, &progress).await {
                                return Ok(left);
                            }
                        }
                        Answer::Wait => is_second = false,
                    }
                },
            }
        }
    }

    /// Has the node end the task; the end itself comes over the watching connection. `Some` if interrupted.
    async fn cancel(self, interrupts: &mut Interrupts, progress: &Progress) -> Option<Watched> {
        progress.say("cancelling the task; Ctrl-C again ends at once");
        let request = Request::Cancel { task: self.task.into() };
        tokio::select! {
            reply = ask(self.home, &request, CANCEL) => {
                // A task that has ended meanwhile cannot be cancelled: its end is on its way.
                if let Err(failure) = reply {
                    progress.say(&failure.message);
                }
                None
            }
            interrupt = interrupts.next() => {
                self.say_how_it_goes_on(progress);
                Some(Watched::Left(interrupt.exit()))
            }
        }
    }

    fn say_how_it_goes_on(self, progress: &Progress) {
        if self.place == Place::Network {
            progress.say(&self.how_it_goes_on());
        }
    }

    fn how_it_goes_on(self) -> String {
        let task = self.task;
        format!(
            "the task goes on: `compup2p task wait {task}` waits for it, `compup2p task cancel {task}` ends it"
        )
    }
}

/// What `future` comes to, if it does within `timeout`.
pub(in crate::cli) async fn within<T>(
    timeout: Option<Duration>,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    match timeout {
        None => Ok(future.await),
        Some(limit) => tokio::time::timeout(limit, future).await.map_err(|_| timed_out(limit)),
    }
}

/// What the user wants after Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Detach,
    Cancel,
    Wait,
}

impl Answer {
    fn from_line(line: &str) -> Self {
        match line.trim().to_ascii_lowercase().as_str() {
            "d" | "detach" => Self::Detach,
            "c" | "cancel" => Self::Cancel,
            _ => Self::Wait,
        }
    }
}

fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Reads a line from the terminal on a thread of its own, which nobody waits for.
fn read_answer() -> oneshot::Receiver<Answer> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let answer = match std::io::stdin().read_line(&mut line) {
            Ok(count) if count > 0 => Answer::from_line(&line),
            _ => Answer::Detach,
        };
        let _ = sender.send(answer);
    });
    receiver
}

/// Waits for the answer to the question, for ever if none was asked.
async fn wait_for(answer: &mut Option<oneshot::Receiver<Answer>>) -> Answer {
    match answer {
        Some(receiver) => receiver.await.unwrap_or(Answer::Wait),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_ends_the_wait() {
        for (line, expected) in [
            ("d\n", Answer::Detach),
            (" Detach \n", Answer::Detach),
            ("C\n", Answer::Cancel),
            ("cancel\n", Answer::Cancel),
            ("w\n", Answer::Wait),
            ("\n", Answer::Wait),
            ("cd\n", Answer::Wait),
        ] {
            assert_eq!(Answer::from_line(line), expected, "{line:?}");
        }
    }
}

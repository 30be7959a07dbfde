//! `compup2p task logs`: what a sub-task prints, while it runs and afterwards.

use crate::cli::arguments::{Global, LogsOf};
use crate::cli::client::{Connection, unexpected};
use crate::cli::node::{ANSWER, home};
use crate::cli::task::{one_task, within};
use crate::cli::{Done, block_on, exit};
use crate::control::{Failure, Logs, OutputView, Reply, Request};
use crate::output::{Own, Printed, Printer, pass_on};
use std::path::{Path, PathBuf};

pub(super) fn run(asked: LogsOf, global: &Global, printer: Printer) -> Done {
    let home = home(global)?;
    let LogsOf { task, sub_task, follow, stderr } = asked;
    if sub_task.is_none() {
        let all = one_task(global, &Request::Task { task: task.clone() }, ANSWER)?.sub_tasks;
        if let [first, _, ..] = &all[..] {
            printer.note(&format!(
                "{} is the first of {} sub-tasks; name another one to see it",
                first.name,
                all.len()
            ));
        }
    }
    let logs = Logs { task, sub_task, is_error: stderr, follow };
    let shown = block_on(within(global.timeout, show(&home, logs, printer)))??;
    shown.map(|()| exit::SUCCESS).map_err(Into::into)
}

/// Shows all of it. As JSON, one value when nothing follows, and with `--follow` one for each part.
async fn show(home: &Path, logs: Logs, printer: Printer) -> Result<(), Failure> {
    let (follow, is_error) = (logs.follow, logs.is_error);
    let mut tap = Tap::open(home, logs).await?;
    let stream = if is_error { "stderr" } else { "stdout" };
    let (mut all, mut is_provisional, mut sub_task) = (Vec::new(), false, String::new());
    while let Some(part) = tap.next().await? {
        is_provisional |= part.is_provisional;
        sub_task.clone_from(&part.sub_task);
        match (printer.is_json(), part.bytes.is_empty()) {
            (_, true) => {}
            (false, false) => pass_on(Own::Output, &part.bytes)?,
            (true, false) if follow => printer.printed(&Printed {
                sub_task: part.sub_task,
                stream,
                text: String::from_utf8_lossy(&part.bytes).into_owned(),
                provisional: part.is_provisional,
            })?,
            (true, false) => all.extend(part.bytes),
        }
    }
    if printer.is_json() && !follow {
        let text = String::from_utf8_lossy(&all).into_owned();
        printer.printed(&Printed { sub_task, stream, text, provisional: is_provisional })?;
    } else if is_provisional && !follow {
        printer.note("so far; `-f` goes on until the sub-task has ended");
    }
    Ok(())
}

/// A part of what is printed.
pub(in crate::cli) struct Part {
    pub(in crate::cli) sub_task: String,
    pub(in crate::cli) bytes: Vec<u8>,
    pub(in crate::cli) is_provisional: bool,
}

/// What a sub-task prints, part by part. What was shown is not shown again when the sub-task begins anew elsewhere: the
/// same program prints the same there.
pub(in crate::cli) struct Tap {
    home: PathBuf,
    connection: Connection,
    shown: u64,
    is_over: bool,
}

impl Tap {
    pub(in crate::cli) async fn open(home: &Path, logs: Logs) -> Result<Self, Failure> {
        let mut connection = Connection::open(home).await?;
        connection.send(&Request::Logs(logs)).await?;
        Ok(Self { home: home.into(), connection, shown: 0, is_over: false })
    }

    /// The next part; none when nothing follows. A call that is dropped loses nothing.
    pub(in crate::cli) async fn next(&mut self) -> Result<Option<Part>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        match self.connection.receive().await? {
            Reply::Output(view) => {
                self.is_over = view.is_last;
                Ok(Some(self.part(view)?))
            }
            Reply::Error(failure) => Err(failure),
            _ => Err(unexpected(&self.home)),
        }
    }

    fn part(&mut self, view: OutputView) -> Result<Part, Failure> {
        let OutputView { sub_task, from, hex, is_provisional, .. } = view;
        let mut bytes = from_hex(&hex).ok_or_else(|| unexpected(&self.home))?;
        let known = usize::try_from(self.shown.saturating_sub(from)).unwrap_or(usize::MAX).min(bytes.len());
        bytes.drain(..known);
        self.shown = self.shown.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(Part { sub_task, bytes, is_provisional })
    }
}

/// The bytes of a text of hexadecimal digits.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

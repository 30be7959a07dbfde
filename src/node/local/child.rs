//! A process of a local network.

use crate::control::Failure;
use crate::output::Ready;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

/// The longest line that a process says when it is ready, in bytes.
const MAX_READY: u64 = 16 << 10;
/// How much of a log's end is shown, in bytes.
const LOG_TAIL: i64 = 2_000;

/// What a process says on standard output when it serves.
#[derive(Deserialize)]
struct Line {
    ready: Ready,
}

/// A child process that ends with its standard input.
pub(super) struct Child {
    name: String,
    home: PathBuf,
    log: PathBuf,
    process: tokio::process::Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    line: Vec<u8>,
}

impl Child {
    /// Runs this program with `args`; its files and its log are in `home`.
    pub(super) fn spawn(
        name: &str,
        home: &Path,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, Failure> {
        let cannot =
            |error: std::io::Error| Failure::new("no_process", format!("cannot start {name}: {error}"), 1);
        std::fs::create_dir_all(home).map_err(|e| Failure::disk("make the directory", home, &e))?;
        let log = home.join("log");
        let log_file = File::create(&log).map_err(|e| Failure::disk("write", &log, &e))?;
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log_file);
        command.process_group(0).kill_on_drop(true);
        let mut process = command.spawn().map_err(cannot)?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take().map(BufReader::new));
        Ok(Self { name: name.into(), home: home.into(), log, process, stdin, stdout, line: Vec::new() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Waits until it says that it serves.
    pub(super) async fn ready(&mut self, deadline: Instant) -> Result<Ready, Failure> {
        let Some(stdout) = &mut self.stdout else { return Err(self.failure("has no standard output")) };
        let mut limited = stdout.take(MAX_READY);
        let read = limited.read_until(b'\n', &mut self.line);
        match tokio::time::timeout_at(deadline, read).await {
            Err(_) => Err(self.failure("was not ready in time")),
            Ok(Err(error)) => Err(self.failure(&format!("cannot be heard: {error}"))),
            Ok(Ok(_)) => match serde_json::from_slice::<Line>(&self.line) {
                Ok(line) => Ok(line.ready),
                Err(_) if self.line.is_empty() => {
                    // It has closed its output: it is ending, and the reason is in its log.
                    let ended = tokio::time::timeout_at(deadline, self.process.wait()).await;
                    let status = ended.ok().and_then(Result::ok).map_or(String::new(), |s| format!(" ({s})"));
                    Err(self.failure(&format!("ended before it was ready{status}")))
                }
                Err(_) => Err(self.failure("said something else than that it is ready")),
            },
        }
    }

    /// Whether it has ended, and in order.
    pub(super) fn has_left(&mut self) -> bool {
        self.process.try_wait().ok().flatten().is_some_and(|status| status.success())
    }

    /// What to tell about it if it has ended by itself.
    pub(super) fn obituary(&mut self) -> Option<Failure> {
        let status = self.process.try_wait().ok().flatten()?;
        Some(self.failure(&format!("has ended by itself ({status})")))
    }

    /// Closes its standard input.
    pub(super) fn tell_to_end(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end; after `deadline` it is killed.
    pub(super) async fn end(&mut self, deadline: Instant) {
        if tokio::time::timeout_at(deadline, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }

    fn failure(&self, what: &str) -> Failure {
        let tail = tail(&self.log).unwrap_or_default();
        let tail = tail.trim();
        let message = format!("{} {what}", self.name);
        let failure = Failure::new("local_network", message, 1);
        if tail.is_empty() { failure } else { failure.hint(format!("the end of its log: {tail}")) }
    }
}

/// The last lines of the file `path`.
fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let has_more = file.seek(SeekFrom::End(-LOG_TAIL)).is_ok();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole_lines = if has_more { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    Ok(whole_lines.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_log_begins_with_a_whole_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, "short\n").unwrap();
        assert_eq!(tail(&path).unwrap(), "short\n");
        let lines: String = (0..500).map(|n| format!("line {n:03}\n")).collect();
        std::fs::write(&path, &lines).unwrap();
        let tail = tail(&path).unwrap();
        assert_eq!(tail.len(), 1_998);
        assert!(tail.starts_with("line 278\n") && tail.ends_with("line 499\n"), "{tail}");
    }
}

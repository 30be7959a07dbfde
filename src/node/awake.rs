//! Keeping the machine awake while it works for others, if the policy wants that.
//!
//! systemd's own tool holds the lock, for as long as its standard input stays open: a lock whose holder has died is
//! gone with it. Where there is no such tool, the machine sleeps as it would.

use std::process::Stdio;
use tokio::process::{Child, Command};

/// The tool, and what it is asked for: neither sleep nor the idle action, with a reason that users can look up.
const TOOL: &str = "systemd-inhibit";
const ARGUMENTS: [&str; 6] = [
    "--what=sleep:idle",
    "--mode=block",
    "--who=compup2p",
    "--why=sub-tasks of others are at work",
    // What it runs meanwhile: nothing, until its input ends.
    "--",
    "cat",
];

/// The lock.
#[derive(Debug)]
pub(super) struct Awake {
    tool: &'static str,
    holder: Option<Child>,
    /// The tool is not there, or does not work: it is not tried again.
    has_failed: bool,
}

impl Awake {
    pub(super) const fn new() -> Self {
        Self { tool: TOOL, holder: None, has_failed: false }
    }

    /// Takes the lock or lets it go.
    pub(super) fn keep(&mut self, wanted: bool) {
        if !wanted {
            // Its end is the end of the lock.
            self.holder = None;
            return;
        }
        let has_ended = |holder: &mut Child| !matches!(holder.try_wait(), Ok(None));
        if self.holder.as_mut().is_some_and(has_ended) {
            self.fail(&"it has ended");
        }
        if self.holder.is_some() || self.has_failed {
            return;
        }
        let mut command = Command::new(self.tool);
        command.args(ARGUMENTS).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.kill_on_drop(true).spawn() {
            Ok(holder) => self.holder = Some(holder),
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, why: &dyn std::fmt::Display) {
        tracing::warn!(tool = self.tool, %why, "the machine cannot be kept awake");
        (self.holder, self.has_failed) = (None, true);
    }

    #[cfg(test)]
    const fn is_held(&self) -> bool {
        self.holder.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock by another tool that is there on every system.
    fn lock(tool: &'static str) -> Awake {
        Awake { tool, ..Awake::new() }
    }

    #[tokio::test]
    async fn without_the_tool_the_machine_sleeps_as_it_would() {
        let mut awake = lock("no such tool");
        awake.keep(true);
        assert!(!awake.is_held() && awake.has_failed);
        awake.keep(false);
        assert!(!awake.is_held());
    }

    #[tokio::test]
    async fn a_tool_that_ends_by_itself_is_not_started_over_and_over() {
        let mut awake = lock("false");
        awake.keep(true);
        assert!(awake.is_held());
        let _ = awake.holder.as_mut().unwrap().wait().await;
        awake.keep(true);
        assert!(!awake.is_held() && awake.has_failed);
        awake.keep(true);
        assert!(!awake.is_held());
    }
}

//! What happens while a command waits: a bar on a terminal, else a line for each change.

use super::human::clean;
use super::{Printer, write_err};
use crate::control::EventView;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal as _};

/// What clears the line that the bar stands on.
const CLEAR_LINE: &str = "\r\u{1b}[2K";

/// How far a long computation is, on a terminal; nowhere else.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(crate) fn new(printer: Printer, all: u64, what: &'static str) -> Self {
        let bar = bar(printer);
        if let Some(bar) = &bar {
            let template = "{elapsed_precise} [{wide_bar}] {pos}/{len} {msg}, {eta_precise} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_length(all);
            bar.set_message(what);
        }
        Self { bar }
    }

    pub(crate) fn set(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// So many of so many, where the number of all is known late.
    pub(crate) fn set_of(&self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar, if somebody looks.
fn bar(printer: Printer) -> Option<ProgressBar> {
    let is_terminal = io::stderr().is_terminal() && console::Term::stderr().features().is_attended();
    (is_terminal && !printer.is_quiet).then(|| {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let template = "{elapsed_precise} [{wide_bar}] {pos}/{len} {msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar
    })
}

/// The progress of one task, on standard error.
pub(crate) struct Progress {
    is_quiet: bool,
    bar: Option<ProgressBar>,
    /// Whether a question stands on the terminal: nothing else is written then.
    is_asking: bool,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        let bar = bar(printer);
        Self { is_quiet: printer.is_quiet, bar, is_asking: false }
    }

    /// Shows a change.
    pub(crate) fn show(&self, event: &EventView) {
        match &self.bar {
            Some(bar) => {
                let all = event.done + event.failed + event.running + event.waiting;
                bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
                bar.set_position(u64::try_from(event.done + event.failed).unwrap_or(u64::MAX));
                bar.set_message(counts(event));
                // The bar shows what goes well; what does not is also said.
                let is_bad = match event.kind.as_str() {
                    "no_seller" | "retrying" | "suspended" | "budget_low" => true,
                    "disputed" | "not_disputed" | "judged" => true,
                    "ended" => !event.why.is_empty() && event.why != "succeeded",
                    _ => false,
                };
                if is_bad {
                    self.say(&line(event));
                }
            }
            None if event.kind != "progress" => self.say(&line(event)),
            None => {}
        }
    }

    /// Says something without disturbing the bar.
    pub(crate) fn say(&self, text: &str) {
        if self.is_quiet || self.is_asking {
            return;
        }
        match &self.bar {
            Some(bar) => bar.println(clean(text)),
            None => write_err(&format!("{}\n", clean(text))),
        }
    }

    /// Asks something, in place of the bar, until [`Self::resume`].
    pub(crate) fn ask(&mut self, question: &str) {
        if let Some(bar) = &self.bar {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            write_err(CLEAR_LINE);
        }
        self.is_asking = true;
        write_err(question);
    }

    /// Goes on after a question, if there was one; whether it was answered, and so its line ended.
    pub(crate) fn resume(&mut self, is_answered: bool) {
        if !std::mem::take(&mut self.is_asking) {
            return;
        }
        if !is_answered {
            write_err("\n");
        }
        if let Some(bar) = &self.bar {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    /// Removes the bar; what comes next begins on a line of its own.
    fn drop(&mut self) {
        self.resume(false);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What stands beside the bar.
fn counts(event: &EventView) -> String {
    let EventView { done, failed, running, waiting, spent, held, .. } = event;
    let failed = if *failed > 0 { format!(" failed {failed}") } else { String::new() };
    clean(&format!("done {done}{failed} running {running} waiting {waiting} held {held} spent {spent}"))
}

/// A change as a line: when, what, and why.
fn line(event: &EventView) -> String {
    let what = event.sub_task.as_deref().unwrap_or("task");
    let kind = event.kind.replace('_', " ");
    let why = if event.why.is_empty() { String::new() } else { format!(": {}", event.why) };
    format!("{:8.2} s  {what}  {kind}{why}", event.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn a_change_is_a_line() {
        let event = sample::event("no_seller", "3 sellers ask more than 0.10");
        assert_eq!(line(&event), "    1.25 s  count[3]  no seller: 3 sellers ask more than 0.10");
        let event = EventView { sub_task: None, ..sample::event("task_ended", "") };
        assert_eq!(line(&event), "    1.25 s  task  task ended");
    }

    #[test]
    fn the_bar_counts_sub_tasks_and_money() {
        let event = sample::event("progress", "");
        assert_eq!(counts(&event), "done 3 running 4 waiting 9 held 12.5 spent 3.1");
        let event = EventView { failed: 1, ..event };
        assert_eq!(counts(&event), "done 3 failed 1 running 4 waiting 9 held 12.5 spent 3.1");
    }
}

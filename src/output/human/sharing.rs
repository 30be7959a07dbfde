//! Whether a node shares, for people.

use super::clean;
use crate::control::{ReloadView, Sharing, SharingView};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::path::Path;

/// How a node stands with its owner: a line, and one for each reason.
pub(in crate::output) fn sharing(sharing: &SharingView) -> String {
    let mut text = match &sharing.at {
        Some(at) => format!("{}: {}", local(at), sharing.state.name()),
        None => sharing.state.name().to_owned(),
    };
    if let Some(since) = &sharing.since {
        let _ = write!(text, " since {}", local(since));
    }
    if let Some(until) = &sharing.until {
        let _ = write!(text, ", until {}", local(until));
    }
    text.push('\n');
    if sharing.state == Sharing::Open && sharing.throttle_pct < 100 {
        let _ = writeln!(text, "work of others runs for {} % of the time", sharing.throttle_pct);
    }
    if sharing.working > 0 {
        let is_still = matches!(sharing.state, Sharing::Paused | Sharing::Suspended);
        let what = match (is_still, sharing.working) {
            (true, 1) => "stands still",
            (true, _) => "stand still",
            (false, 1) => "is at work",
            (false, _) => "are at work",
        };
        let _ = writeln!(text, "{} of others {what}", super::count(sharing.working, "sub-task"));
    }
    for reason in &sharing.reasons {
        let _ = writeln!(text, "- {}", clean(reason));
    }
    for note in &sharing.notes {
        let _ = writeln!(text, "{}", clean(note));
    }
    text
}

/// The same in a few words, for the table of a node.
pub(in crate::output) fn in_short(sharing: &SharingView) -> String {
    let until = sharing.until.as_ref().map_or_else(String::new, |until| format!(" until {}", local(until)));
    format!("{}{until}", sharing.state.name())
}

/// A valid policy, and what it means.
pub(in crate::output) fn policy(file: &str, meaning: &[String]) -> String {
    let mut text = format!("{}: valid\n", clean(file));
    for sentence in meaning {
        let _ = writeln!(text, "  {}", clean(sentence));
    }
    text
}

/// A policy that was read again.
pub(in crate::output) fn reloaded(reloaded: &ReloadView) -> String {
    let ReloadView { file, changes, at_next_start } = reloaded;
    let mut text = format!("{}: read again", clean(&file.display().to_string()));
    text.push_str(if changes.is_empty() { ", nothing has changed\n" } else { "\n" });
    for change in changes {
        let _ = writeln!(text, "  {}", clean(change));
    }
    for key in at_next_start {
        let _ = writeln!(text, "{} counts from the next start of the node on", clean(key));
    }
    text
}

/// A node that has left.
pub(in crate::output) fn left(home: &Path, until: Option<Timestamp>) -> String {
    let home = home.display();
    match until {
        None => format!("the node in {home} has left the network and ended\n"),
        Some(until) => {
            let until = until.to_zoned(TimeZone::system()).strftime("%a %Y-%m-%d %H:%M");
            format!("the node in {home} has left the network and comes back on {until}\n")
        }
    }
}

/// A time of a view, for people on this machine.
fn local(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime("%a %Y-%m-%d %H:%M").to_string(),
        Err(_) => clean(time),
    }
}

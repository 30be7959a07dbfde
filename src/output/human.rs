//! Output for people: sentences and tables.

mod account;
mod bank;
mod doctor;
mod dry;
mod files;
mod graph;
mod market;
mod money;
mod network;
mod node;
mod ring;
mod sellers;
mod sharing;
mod task;

pub(super) use account::{balance, deal, paid, statement, statement_csv};
use bank::admission;
pub(super) use bank::{invited, ordered, promoted, serving, standby, totals};
pub(super) use doctor::doctor;
pub(super) use dry::dry_run;
pub(super) use files::files;
pub(super) use graph::{dot, graph};
pub(super) use market::{explain, market, markets, price, quote};
pub(super) use network::{network, run};
use node::listings;
pub(super) use node::node;
pub(super) use ring::{lookup, ring, ring_check};
pub(super) use sellers::sellers;
pub(super) use sharing::{in_short, left, policy, reloaded, sharing};
pub(super) use task::{results, submitted, task, tasks, validated, watched};

use super::Look;
use super::table::{Align, Colour, Table};
use super::view::Place;
use crate::control::Failure;
use std::fmt::Write as _;

/// `text` with control characters made visible: what others wrote must not steer the terminal.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// A failure: its sentence and what to do about it. Faults of a file come as they are, one a line.
pub(super) fn failure(failure: &Failure, has_colour: bool) -> String {
    let mut text = String::new();
    if failure.code.ends_with("_invalid") {
        for line in failure.message.lines() {
            let _ = writeln!(text, "{}", clean(line));
        }
    } else {
        let word = if has_colour { Colour::Red.paint("error:") } else { "error:".into() };
        let _ = writeln!(text, "{word} {}", paragraph(&failure.message));
    }
    if !failure.hint.is_empty() {
        let word = if has_colour { Colour::Bold.paint("hint:") } else { "hint:".into() };
        let _ = writeln!(text, "{word} {}", paragraph(&failure.hint));
    }
    text
}

/// `text` with its lines indented from the second one on.
fn paragraph(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n  ")
}

/// Faults of a file, one a line.
pub(super) fn places(places: &[Place]) -> String {
    places.iter().fold(String::new(), |mut text, place| {
        let _ = writeln!(text, "{}", clean(&place.to_string()));
        text
    })
}

/// The first eight digits of an account, enough to tell nodes apart.
fn short(account: &str) -> &str {
    account.get(..8).unwrap_or(account)
}

/// `1 node`, `2 nodes`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

//! The policy from outside: files that are read and refused, machines that are sold and kept.

mod access;
mod bad;
mod boinc;
mod cost;
mod days;
mod documents;
mod fuzz;
mod good;
mod governor;
mod ranges;
mod rules;
mod sale;
mod words;

use super::*;

/// What is wrong with `text`, one line a fault.
fn faults(text: &str) -> Vec<String> {
    let faults = parse(text, "p").expect_err(text);
    faults.iter().map(ToString::to_string).collect()
}

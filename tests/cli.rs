//! The program as its users meet it: the README's commands, known results, and bad input with exact words.

#![cfg(test)]

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bank.rs"]
mod bank;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/experiments.rs"]
mod experiments;
#[path = "cli/forms.rs"]
mod forms;
#[path = "common/harness.rs"]
#[expect(dead_code, reason = "tests/cluster.rs uses the rest")]
mod harness;
#[path = "cli/known.rs"]
mod known;
#[path = "cli/native.rs"]
mod native;
#[path = "cli/operator.rs"]
mod operator;
#[path = "cli/owners.rs"]
mod owners;
#[path = "cli/programs.rs"]
mod programs;
#[path = "cli/remote.rs"]
mod remote;

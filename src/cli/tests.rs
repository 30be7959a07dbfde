//! What is true of all commands.

use super::arguments::{Cli, Command, TaskCommand};
use super::{Bootstrap, run};
use clap::{CommandFactory as _, Parser as _};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

#[test]
fn the_arguments_are_well_formed() {
    Cli::command().debug_assert();
}

fn check_help(command: &mut clap::Command, path: &str) {
    let help = command.render_long_help().to_string();
    assert!(help.contains("Example:\n"), "{path}: {help}");
    assert!(help.contains("Exit codes"), "{path}: {help}");
    for subcommand in command.get_subcommands_mut() {
        let path = format!("{path} {}", subcommand.get_name());
        check_help(subcommand, &path);
    }
}

#[test]
fn the_help_of_every_command_has_an_example_and_its_exit_codes() {
    let mut command = Cli::command();
    command.build();
    check_help(&mut command, "compup2p");
}

fn check_example(command: &clap::Command, path: &str) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = help.lines().filter_map(|line| line.trim().strip_prefix("compup2p "));
    let mut count = 0;
    for example in examples {
        let typed = example.split(['#', '>']).next().unwrap_or_default();
        // What stands between quotes is one word.
        let words = typed.split('"').enumerate().flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        let parsed = Cli::try_parse_from(std::iter::once("compup2p").chain(words));
        assert!(parsed.is_ok(), "{path}: {example}");
        count += 1;
    }
    assert!(count > 0, "{path}");
    for subcommand in command.get_subcommands() {
        check_example(subcommand, &format!("{path} {}", subcommand.get_name()));
    }
}

#[test]
fn every_example_can_be_typed_as_it_stands() {
    check_example(&Cli::command(), "compup2p");
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn submit_understands_all_its_flags() {
    let line =
        "compup2p task submit t.xml --local 4 --keep --to out --set a=1 --set b=x=y --patience 2m --json";
    let cli = parse(line).unwrap();
    assert!(cli.global.json);
    let Command::Task { command: TaskCommand::Submit(submit) } = cli.command else { panic!("{line}") };
    assert_eq!((submit.local, submit.keep, submit.wait), (Some(4), true, false));
    assert_eq!(submit.to.unwrap().to_str(), Some("out"));
    assert_eq!(submit.patience, Duration::from_secs(120));
    assert_eq!(submit.task.set, [("a".into(), "1".into()), ("b".into(), "x=y".into())]);
}

#[test]
fn a_task_is_the_last_one_unless_named() {
    for (line, expected) in [("compup2p task wait", "last"), ("compup2p task wait 12", "12")] {
        let Command::Task { command: TaskCommand::Wait(task) } = parse(line).unwrap().command else {
            panic!()
        };
        assert_eq!(task.task, expected);
    }
}

#[test]
fn join_takes_a_bootstrap_server_and_a_slot() {
    let cli = parse("compup2p join p.toml --bootstrap bank:7742 --slot 3").unwrap();
    let Command::Join(join) = cli.command else { panic!() };
    assert_eq!(join.bootstrap, Bootstrap { key: None, addrs: vec!["bank:7742".into()] });
    assert_eq!((join.slot, join.tied), (Some(3), false));
}

#[test]
fn join_may_be_told_when_to_work_and_when_to_leave() {
    let words = "compup2p join p.toml --bootstrap bank:7742 --paused --max-tasks 3 --exit-when-idle";
    for (line, idle) in [(words.to_owned(), 300), (format!("{words} 90s"), 90)] {
        let Command::Join(join) = parse(&line).unwrap().command else { panic!() };
        assert_eq!((join.paused, join.max_tasks), (true, Some(3)), "{line}");
        assert_eq!(join.exit_when_idle, Some(Duration::from_secs(idle)), "{line}");
    }
}

/// The exit code of a command line that ends before anything is started.
fn check_exit(args: &[&str], expected: u8) {
    let home = tempfile::tempdir().unwrap();
    let home = ["--home".into(), OsString::from(home.path())];
    let args = std::iter::once("compup2p").chain(args.iter().copied()).map(OsString::from).chain(home);
    assert_eq!(run(args), ExitCode::from(expected));
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    check_exit(&["--json", "no-such-command"], 2);
    check_exit(&["--json", "task", "submit", "t.xml", "--local", "1"], 2);
    check_exit(&["--json", "task", "submit", "t.xml", "--keep"], 2);
    check_exit(&["--json", "task", "status", "first"], 2);
    check_exit(&["--json", "task", "submit", "t.xml", "--wait-for-sellers", "--patience", "2m"], 2);
    check_exit(&["--json", "task", "quote", "/nowhere/t.xml"], 2);
    check_exit(&["--json", "market", "show", "compute/96"], 2);
    check_exit(&["--json", "market", "show", "power/1"], 2);
    check_exit(&["--json", "--timeout", "0", "status"], 2);
    check_exit(&["--json", "bank", "serve", "--timeout", "1"], 2);
    check_exit(&["--json", "pause", "--for", "0"], 2);
    check_exit(&["--json", "leave", "--now", "--until", "20:00"], 2);
    check_exit(&["--json", "leave", "--until", "2020-01-01 00:00"], 2);
    check_exit(&["--json", "policy", "explain", "--at", "noon"], 2);
    check_exit(&["--json", "join", "p.toml", "--bootstrap", "bank:7742", "--max-tasks", "0"], 2);
}

#[test]
fn a_file_that_is_not_there_is_a_usage_error() {
    check_exit(&["--json", "task", "validate", "/nowhere/t.xml"], 2);
    check_exit(&["--json", "task", "submit", "/nowhere/t.xml"], 2);
    check_exit(&["--json", "policy", "check", "/nowhere/p.toml"], 2);
}

#[test]
fn without_a_node_there_is_nobody_to_ask() {
    for args in [&["status"][..], &["leave"], &["market", "list"], &["bank", "balance"], &["task", "list"]] {
        check_exit(&[&["--json"], args].concat(), 4);
    }
    for args in [&["pause", "--for", "2h"][..], &["resume"], &["drain"], &["leave", "--now"]] {
        check_exit(&[&["--json"], args].concat(), 4);
    }
    for args in
        [&["policy", "explain"][..], &["policy", "explain", "--at", "sat 22:30"], &["policy", "reload"]]
    {
        check_exit(&[&["--json"], args].concat(), 4);
    }
    check_exit(&["--json", "market", "show", "compute/40"], 4);
    check_exit(&["--json", "market", "price", "suggest"], 4);
    for command in ["status", "results", "cancel", "wait", "explain"] {
        check_exit(&["--json", "task", command], 4);
    }
}

#[test]
fn messages_are_held_back_in_any_model_and_bad_values_are_refused_by_name() {
    for (model, expected) in [
        ("held:5:200:constant:50", ""),
        ("held:0.1:1:space:50", ""),
        ("held:101:200:constant:50", "expected a share from 0 to 100 in percent"),
        ("held:NaN:200:constant:50", "expected a share from 0 to 100 in percent"),
        (
            "held:5:0:constant:50",
            "expected a share of the messages and how long they are held back, or neither",
        ),
        ("held:5:-1:constant:50", "expected constant:MS"),
        ("held:5:200", "expected constant:MS"),
        ("held:5:200:none:50", "expected constant:MS"),
        ("held:5:200:held:5:200:constant:50", "messages are held back once"),
    ] {
        let refused = super::value::latency(model).err().unwrap_or_default();
        assert!(
            refused.starts_with(expected) && refused.is_empty() == expected.is_empty(),
            "{model}: {refused}"
        );
    }
}

//! The documentation and the example are true.

use super::super::keys::{Key, RULE, SCHEDULE, Section, all};
use super::*;

const PAGE: &str = include_str!("../../../../docs/policy.md");
const EXAMPLE: &str = include_str!("../../../../examples/policy.toml");

#[test]
fn the_example_is_a_valid_policy() {
    let policy = parse(EXAMPLE, "policy.toml").unwrap();
    assert_eq!(policy.fixed_cost, Some(Rate(250_000)));
    assert_eq!((policy.max_run_time, policy.sandbox), (Span::secs(6 * 3600), Sandbox::Required));
    assert_eq!(policy.schedule.len(), 2);
}

/// The rows of the table of keys: key and default.
fn rows() -> Vec<(&'static str, &'static str)> {
    let cells =
        |line: &'static str| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>();
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| key |")).skip(2);
    table.take_while(|line| line.starts_with('|')).map(cells).map(|cells| (cells[1], cells[4])).collect()
}

#[test]
fn the_page_lists_every_key_once_and_no_other() {
    fn full<T>(section: &Section<T>) -> Vec<String> {
        let name = |key: &Key<T>| format!("{}.{}", section.name, key.name);
        section.keys.iter().map(name).collect()
    }
    let mut keys = vec!["version".to_owned()];
    keys.extend(
        all().map(|(name, _)| name).filter(|name| !["version", "schedule", "rule"].contains(&name.as_str())),
    );
    keys.extend(full(&SCHEDULE));
    keys.extend(full(&RULE));
    let listed: Vec<&str> = rows().into_iter().map(|(key, _)| key).collect();
    assert_eq!(listed, keys);
}

#[test]
fn the_defaults_of_the_page_are_the_default_policy() {
    let (of_schedule, others): (Vec<_>, Vec<_>) = rows()
        .into_iter()
        .filter(|(_, default)| *default != "none")
        .partition(|(key, _)| key.starts_with("schedule."));
    assert_eq!((of_schedule.len(), others.len()), (3, 61));
    let text: String = others.iter().map(|(key, default)| format!("{key} = {default}\n")).collect();
    assert_eq!(parse(&text, "p"), Ok(Policy::default()), "{text}");
    let keys: Vec<String> = of_schedule
        .iter()
        .map(|(key, default)| format!("{} = {default}", key.replace("schedule.", "")))
        .collect();
    let schedule = parse(&format!("schedule = [{{{}}}]", keys.join(", ")), "p").unwrap().schedule;
    assert_eq!(schedule, [Opening::default()]);
}

#[test]
fn what_the_page_shows_as_toml_is_a_valid_policy() {
    let blocks: Vec<&str> =
        PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(parse(block, "p").is_ok(), "{block}");
    }
}

#[test]
fn the_messages_of_the_page_are_what_is_said() {
    let text = "version = 1\n\n\n\n\n[cpu]\nmax_core = 2\n[memory]\nmax_pct = 0";
    let shown: String =
        parse(text, "policy.toml").unwrap_err().iter().map(|fault| format!("{fault}\n")).collect();
    assert!(PAGE.contains(&shown), "{shown}");
}

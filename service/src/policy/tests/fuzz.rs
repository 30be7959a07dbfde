//! Whatever the text is, `parse` answers: a policy that keeps the promises, or faults with a place.

use super::*;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../../examples/policy.toml");

/// Parses and looks whether the answer keeps what the documentation promises.
fn check(text: &str) {
    match parse(text, "p") {
        Ok(policy) => {
            assert!(policy.fixed_cost != Some(Rate(0)) && policy.max_cores != Some(0));
            assert!((1..=100).contains(&policy.max_cores_pct) && (1..=100).contains(&policy.memory_max_pct));
            assert!(policy.max_other_load_pct <= 100 && policy.max_run_time > Span(0));
            assert!(
                [policy.disk_max_size, policy.max_memory, policy.max_output].iter().all(|size| size.0 > 0)
            );
            assert!((1..=100).contains(&policy.throttle_pct) && policy.nice <= 19);
            assert!(policy.rules.len() <= MAX_RULES && policy.rules.iter().all(|rule| !rule.set.is_empty()));
            assert!(
                policy.cost_model.currency_per_kwh.is_whole() && policy.cost_model.credits_per_currency > 0
            );
            assert!(!describe(&policy).is_empty() && diff(&policy, &policy).is_empty());
            for rule in 0..policy.rules.len() {
                let _ = policy.under_rule(Some(rule)).into_owned();
            }
            assert!(
                policy.schedule.iter().all(|opening| !opening.days.is_empty() && !opening.hours.is_empty())
            );
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= MAX_FAULTS + 1);
            let lines: Vec<&str> = text.split('\n').collect();
            for fault in faults.iter().filter(|fault| fault.line > 0) {
                let line = lines.get(fault.line as usize - 1).expect("a line of the text");
                assert!((1..=line.chars().count() + 1).contains(&(fault.column as usize)), "{fault}");
            }
        }
    }
}

/// A text with one piece replaced, by a character boundary at or before each position.
fn spliced(text: &str, at: usize, length: usize, piece: &str) -> String {
    let start = text.floor_char_boundary(at % (text.len() + 1));
    let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
    format!("{}{piece}{}", &text[..start], &text[end..])
}

const PIECES: &[&str] = &[
    "",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u",
    "#",
    "[cpu]\n",
    "[[cpu]]\n",
    "[cpu.max_cores]\n",
    "[[schedule]]\n",
    "[schedule]\n",
    "schedule",
    "days = ['mon-sun']\n",
    "hours = '24:00-00:00'\n",
    "cpu.max_cores = 1\n",
    "cpu = 3\n",
    "version = 1\n",
    "[idle]\n",
    "[[rule]]\n",
    "when = 'hour > 3 && (idle'\n",
    "when = 'day in [sat]'\n",
    "set = { 'cpu.nice' = 3 }\n",
    "set = { suspend = { for = 3 } }\n",
    "market.currency_per_kwh = { '00:00-24:00' = 1 }\n",
    "'never'",
    "idle = {}\n",
    "0",
    "-1",
    "1e9",
    "nan",
    "0x",
    "12:30",
    "2020-01-01",
    "99999999999999999999",
    "0.0000001",
    "true",
    "auto",
    "ä",
    "\0",
    "\u{feff}",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn anything_that_looks_like_toml_is_answered(parts in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&parts.concat());
    }

    #[test]
    fn damaged_files_are_answered(
        cuts in prop::collection::vec((any::<usize>(), 0..60_usize, prop::sample::select(PIECES)), 1..5),
    ) {
        let text = cuts.into_iter().fold(EXAMPLE.to_owned(), |text, (at, length, piece)| spliced(&text, at, length, piece));
        check(&text);
    }

    #[test]
    fn damaged_values_are_answered(value in "[-+0-9.eE_xkKMGTiBsmhd/:a-z\\[\\],]{0,20}") {
        for key in ["market.min_price", "disk.max_size", "limits.max_run_time", "cpu.max_cores", "network.listen"] {
            check(&format!("{key} = {value}"));
            check(&format!("{key} = '{value}'"));
        }
        for key in ["network.volume", "network.max_up", "suspend.max", "idle.stop_after", "market.busy_watts", "disk.dir"] {
            check(&format!("{key} = '{value}'"));
            check(&format!("[[rule]]\nwhen = 'idle'\nset = {{ '{key}' = '{value}' }}"));
        }
        check(&format!("[[rule]]\nwhen = '{value}'\nset = {{ cpu.nice = 1 }}"));
        check(&format!("access.deny_ips = ['{value}']"));
        check(&format!("schedule = [{{days = '{value}', hours = '{value}'}}]"));
    }
}

#[test]
fn files_that_are_deep_or_long_are_answered() {
    for piece in ["a.", "[", "{a=", "[[", "\n", "a\n", "[a]\n", "'\n", "="] {
        let many = 60_000 / piece.len();
        check(&piece.repeat(many));
        check(&format!("a={}", piece.repeat(many)));
    }
}

//! Conditions and rules: what holds when, and what is said about those that cannot be read.

use super::*;
use Weekday::{Fri, Mon, Sat, Sun};

const FACTS: Facts = Facts { weekday: Mon, minute_of_day: 600, is_idle: false, on_battery: false, load: 20 };

fn check(cases: &[(&str, Facts, bool)]) {
    for (text, facts, expected) in cases {
        let policy =
            parse(&format!("[[rule]]\nwhen = '{text}'\nset = {{ cpu.max_cores = 1 }}"), "p").unwrap();
        assert_eq!(policy.rule_for(facts).is_some(), *expected, "{text} {facts:?}");
    }
}

#[test]
fn conditions_compare_what_is_so() {
    let at = |weekday, minute_of_day| Facts { weekday, minute_of_day, ..FACTS };
    check(&[
        ("true", FACTS, true),
        ("false", FACTS, false),
        ("hour == 10", FACTS, true),
        ("hour != 10", FACTS, false),
        ("hour >= 22", at(Mon, 1319), false),
        ("hour >= 22", at(Mon, 1320), true),
        ("hour < 10", at(Mon, 599), true),
        ("hour < 10", FACTS, false),
        ("hour < 0", at(Mon, 0), false),
        ("hour <= 10", at(Mon, 659), true),
        ("hour > 10", at(Mon, 659), false),
        ("hour > 10", at(Mon, 660), true),
        ("minute == 59", at(Mon, 659), true),
        ("hour in [22, 23, 0-6]", at(Mon, 0), true),
        ("hour in [22, 23, 0-6]", at(Mon, 419), true),
        ("hour in [22, 23, 0-6]", at(Mon, 420), false),
        ("day == sat", at(Sat, 0), true),
        ("day != sat", at(Sat, 0), false),
        ("day in [sat, sun]", at(Sun, 0), true),
        ("day in [fri-mon]", at(Sat, 0), true),
        ("day in [fri-mon]", at(Weekday::Tue, 0), false),
        ("load > 20", FACTS, false),
        ("load >= 20", FACTS, true),
        ("load <= 100", Facts { load: 400, ..FACTS }, false),
        ("idle", Facts { is_idle: true, ..FACTS }, true),
        ("idle", FACTS, false),
        ("on_battery", Facts { on_battery: true, ..FACTS }, true),
        ("!on_battery", FACTS, true),
    ]);
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    let night = Facts { minute_of_day: 1380, ..FACTS };
    check(&[
        ("hour >= 22 || day in [sat, sun]", night, true),
        ("true || false && false", FACTS, true),
        ("(true || false) && false", FACTS, false),
        ("!true || true", FACTS, true),
        ("!(true || true)", FACTS, false),
        ("!!true", FACTS, true),
        ("false&&false||true", FACTS, true),
        (" hour>=22&&( day==mon ) ", night, true),
    ]);
}

#[test]
fn conditions_that_cannot_be_read_are_explained_where_they_stand() {
    let table = [
        ("", "9", "the condition ends where a variable, `!` or `(` was expected"),
        ("hour", "13", "the condition ends where a comparison such as `>=`, or `in` was expected"),
        ("hours > 3", "9", "`hours` is not a variable; did you mean `hour`?"),
        (
            "idle && weather == 3",
            "17",
            "`weather` is not a variable; expected one of `hour`, `minute`, `day`, `load`, `idle`, `on_battery`, \
             `true`, `false`",
        ),
        ("hour = 3", "14", "`=` stands alone: expected `==`"),
        ("idle & idle", "14", "`&` stands alone: expected `&&`"),
        ("idle | idle", "14", "`|` stands alone: expected `||`"),
        ("hour > 24", "16", "`24` stands where a whole number from 0 to 23 was expected"),
        ("hour > -1", "16", "`-` stands where a whole number from 0 to 23 was expected"),
        ("minute > 60", "18", "`60` stands where a whole number from 0 to 59 was expected"),
        ("load > 101", "16", "`101` stands where a whole number from 0 to 100 was expected"),
        ("load > 99999999999", "16", "a number is too large"),
        ("hour in 3", "17", "`3` stands where a list in brackets was expected"),
        ("hour in [3 4]", "20", "`4` stands where `,` or `]` was expected"),
        ("hour in [0, 4-3]", "21", "the range 4-3 ends before it begins"),
        ("day == saturday", "16", "`saturday` stands where a day from `mon` to `sun` was expected"),
        ("day > mon", "13", "`>` stands where `==`, `!=` or `in` was expected"),
        ("(idle", "14", "the condition ends where `)` was expected"),
        ("idle idle", "14", "`idle` stands where `&&`, `||` or the end was expected"),
        ("é == 3", "9", "`é` means nothing in a condition"),
        ("idle && é", "17", "`é` means nothing in a condition"),
    ];
    for (text, column, reason) in table {
        let text = format!("[[rule]]\nwhen = '{text}'\nset = {{ cpu.max_cores = 1 }}");
        let expected = format!("p:2:{column}: this condition cannot be read: {reason}");
        assert_eq!(faults(&text), [expected]);
    }
    let deep = format!("[[rule]]\nset = {{ cpu.max_cores = 1 }}\nwhen = '{}idle'", "!".repeat(32));
    let reason = "nested too deep: at most 32 parentheses and `!`";
    assert_eq!(faults(&deep), [format!("p:3:41: this condition cannot be read: {reason}")]);
    let long = format!("[[rule]]\nset = {{ cpu.max_cores = 1 }}\nwhen = '{}'", "idle||".repeat(200));
    assert_eq!(faults(&long), ["p:3:9: this condition cannot be read: a condition has at most 1000 bytes"]);
    let escaped = "[[rule]]\nset = { cpu.max_cores = 1 }\nwhen = \"\\u0069dle idle\"";
    assert_eq!(
        faults(escaped),
        ["p:3:8: this condition cannot be read: `idle` stands where `&&`, `||` or the end was expected"]
    );
}

#[test]
fn what_a_rule_sets_is_checked_as_in_its_section() {
    let share = "a whole number of per cent from 1 to 100";
    let set = "keys and values in braces, such as { \"cpu.max_cores_pct\" = 100 }";
    let table = [
        ("{ 'cpu.max_cores_pct' = 101 }", format!("3:31: `101` is not a value for `cpu.max_cores_pct`: expected {share}")),
        ("{ cpu.max_cores_pct = 101 }", format!("3:29: `101` is not a value for `cpu.max_cores_pct`: expected {share}")),
        ("{ 'cpu.max_core' = 1 }", "3:9: `max_core` is not a key of [cpu]; did you mean `max_cores`?".to_owned()),
        (
            "{ max_cores = 1 }",
            "3:9: a rule cannot set `max_cores`: expected a key with its section, such as `cpu.max_cores_pct`".to_owned(),
        ),
        (
            "{ 'gpus.x' = 1 }",
            "3:9: a rule cannot set `gpus.x`: expected a key with its section, such as `cpu.max_cores_pct`".to_owned(),
        ),
        (
            "{ network.listen = '1.2.3.4:5' }",
            "3:17: a rule cannot change `network.listen`: it holds for the whole time that the node runs".to_owned(),
        ),
        (
            "{ 'access.deny_ips' = [] }",
            "3:9: a rule cannot change `access.deny_ips`: it holds for the whole time that the node runs".to_owned(),
        ),
        (
            "{ 'start_delay' = 3 }",
            "3:9: a rule cannot change `start_delay`: it holds for the whole time that the node runs".to_owned(),
        ),
        ("{}", format!("3:7: a section is not a value for `rule.set`: expected {set}")),
        ("3", format!("3:7: `3` is not a value for `rule.set`: expected {set}")),
    ];
    for (value, expected) in table {
        assert_eq!(faults(&format!("[[rule]]\nwhen = 'idle'\nset = {value}")), [format!("p:{expected}")]);
    }
    assert_eq!(faults("[[rule]]\nwhen = 'idle'"), ["p:1:1: [[rule]] has no `set`"]);
    assert_eq!(faults("[[rule]]\nset = { cpu.nice = 1 }"), ["p:1:1: [[rule]] has no `when`"]);
    let rules = "at most 100 sections in double brackets, `[[rule]]`";
    assert_eq!(faults("rule = 3"), [format!("p:1:8: `3` is not a value for `rule`: expected {rules}")]);
    let rule = "[[rule]]\nwhen = 'idle'\nset = { cpu.nice = 1 }\n";
    assert_eq!(parse(&rule.repeat(MAX_RULES), "p").unwrap().rules.len(), MAX_RULES);
    assert_eq!(faults(&rule.repeat(MAX_RULES + 1)).len(), 1);
}

#[test]
fn a_rule_changes_what_it_sets_and_nothing_else() {
    let text = "[cpu]\nmax_cores_pct = 50\nnice = 5\n[in_use]\nmax_cores_pct = 10\nthrottle_pct = 20\n\
                [idle_limits]\nmax_cores_pct = 75\nmemory_max_pct = 80\n\
                [[rule]]\nwhen = 'idle'\n\
                set = { 'cpu.max_cores_pct' = 100, market.min_price = 0.5, 'suspend.for' = '1m 30s', \
                idle_limits.max_cores_pct = 99 }";
    let policy = parse(text, "p").unwrap();
    let under = policy.under_rule(Some(0)).into_owned();
    let expected = Policy {
        max_cores_pct: 100,
        min_price: Rate(500_000),
        in_use: Override { max_cores_pct: None, ..policy.in_use },
        idle_limits: Override { max_cores_pct: Some(99), ..policy.idle_limits },
        suspend: Suspend { hold: Span::secs(90), ..policy.suspend },
        ..policy.clone()
    };
    assert_eq!(under, expected);
    assert_eq!(policy.under_rule(None).into_owned(), policy);
    assert_eq!(policy.under_rule(Some(1)).into_owned(), policy);
}

#[test]
fn the_first_rule_that_holds_counts_alone() {
    let rule =
        |when: &str, cores: u32| format!("[[rule]]\nwhen = '{when}'\nset = {{ cpu.max_cores = {cores} }}\n");
    let text = [rule("hour < 10", 1), rule("day == fri", 2), rule("true", 3)].concat();
    let policy = parse(&text, "p").unwrap();
    let table = [(Fri, 599, 1), (Fri, 600, 2), (Mon, 600, 3)];
    for (weekday, minute_of_day, cores) in table {
        let rule = policy.rule_for(&Facts { weekday, minute_of_day, ..FACTS });
        assert_eq!(policy.under_rule(rule).max_cores, Some(cores));
    }
}

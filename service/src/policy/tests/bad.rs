//! Files that are refused, with the exact messages.

use super::*;

/// One text and one fault a line, the fault without the `p:` of the file.
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(faults(text), [format!("p:{expected}")], "{text}");
    }
}

/// Values of one key that are refused, and what is said about each.
fn check_values(key: &str, expected: &str, values: &[&str]) {
    for value in values {
        let shown = value.replace('\'', "\"");
        let column = key.len() + 4;
        let message = format!("p:1:{column}: `{shown}` is not a value for `{key}`: expected {expected}");
        assert_eq!(faults(&format!("{key} = {value}")), [message], "{key} = {value}");
    }
}

#[test]
fn texts_that_are_not_toml_are_explained_in_plain_words() {
    let quotes = "is not a number, `true` or `false`: expected quotes around it if it is a text";
    let twice = "is defined twice: expected it once";
    let deep = "keys or lists inside each other are nested too deep: expected at most 80";
    let line = "there is more on the line than belongs there: expected its end, or a comment after `#`";
    let number = "this is not a number: expected digits, with digits on both sides of a point, such as 0.5";
    check(&[
        (
            "x = ",
            "1:5: there is no value: expected a number, `true`, `false`, a text in quotes or a list in brackets",
        ),
        ("x = 5GiB", &format!("1:5: `5GiB` {quotes}")),
        ("\u{feff}x = 24h # é", &format!("1:5: `24h` {quotes}")),
        ("x = [1, 'é', mon-fri]", &format!("1:14: `mon-fri` {quotes}")),
        (
            "x = 22:00-07:00",
            "1:5: `22:00-07:00` is not a number, a date or a time: expected quotes around it if it is a text",
        ),
        ("x = True", "1:5: `True` is not a value: expected `true`"),
        ("x = 5.", &format!("1:7: {number}")),
        ("x = 1.2.3", &format!("1:8: {number}")),
        ("x = 01", "1:5: a number begins with 0: expected it without"),
        ("x = 1_", "1:6: `_` may only go between digits"),
        ("\r\n\r\nx = 'é", "3:7: a text is not closed: expected `'`"),
        ("x = \"abc\ny = 1", "1:9: a text is not closed: expected `\"`"),
        (
            "x = \"C:\\qx\"",
            "1:9: in a text in double quotes, `\\` begins a special character: expected `\\\\`, or single quotes \
             around the text",
        ),
        (
            "x = \"\u{1}\"",
            "1:6: a text has a character that cannot be shown: expected its code, such as `\\n` or `\\u001B`",
        ),
        ("x = [1,\n2", "2:2: a list is not closed: expected `]`"),
        ("x = [1,,2]", "1:8: there is one comma too many: expected a value"),
        ("x = {a = 1", "1:11: a `{` is not closed: expected `}`"),
        ("x = {a = 1,,}", "1:12: there is one comma too many: expected a key"),
        ("x == 3", "1:4: there is one `=` too many: expected a value"),
        ("x = 1,", &format!("1:6: {line}")),
        ("[cpu] x = 1", &format!("1:7: {line}")),
        ("[cpu\nx = 1", "1:5: the name of a section is not closed: expected `]`"),
        ("[[schedule]\n", "1:12: the name of a section is not closed: expected `]`"),
        ("[]", "1:2: there is no key: expected a name of letters, digits, `_` and `-`"),
        ("// no", "1:1: `//` cannot be part of a key: expected letters, digits, `_` and `-`"),
        ("max cores = 3", "1:5: a key without a value: expected `=`"),
        ("[cpu]\n\n[cpu]", &format!("3:2: `cpu` {twice}")),
        ("[cpu]\nnice = 1\nnice = 2", &format!("3:1: `nice` {twice}")),
        ("[[schedule]]\n[schedule]", &format!("2:2: `schedule` {twice}")),
        (
            "cpu = 3\ncpu.nice = 3",
            "2:1: `cpu` already has a value: expected it once, as a section or as a value",
        ),
        ("\r", "1:2: carriage return must be followed by newline: expected the end of the line"),
        (&format!("x = {}", "[".repeat(99)), &format!("1:85: {deep}")),
        (&format!("{}a = 1", "a.".repeat(99)), &format!(" {deep}")),
    ]);
}

#[test]
fn unknown_keys_are_refused_with_the_key_that_was_meant() {
    let sections = "`version`, `start_delay`, `schedule`, `rule`, `node`, `share`, `market`, `cpu`, `memory`, `in_use`, \
                    `idle_limits`, `idle`, `power`, `suspend`, `exclusive`, `limits`, `disk`, `network`, `access`, `gpu`";
    let long = "x".repeat(61);
    check(&[
        ("\n\n\n\n\n[cpu]\nmax_core = 2", "7:1: `max_core` is not a key of [cpu]; did you mean `max_cores`?"),
        ("[cpu]\n  MAX-CORES = 2", "2:3: `MAX-CORES` is not a key of [cpu]; did you mean `max_cores`?"),
        ("cpu = {\"max cores\" = 2}", "1:8: `max cores` is not a key of [cpu]; did you mean `max_cores`?"),
        ("[memory]\nmax_cores = 2", "2:1: `max_cores` is not a key of [memory]; it belongs in [cpu]"),
        ("[idle]\nlisten = 2", "2:1: `listen` is not a key of [idle]; it belongs in [network]"),
        ("[access]\ndays = 2", "2:1: `days` is not a key of [access]; it belongs in [[schedule]]"),
        (
            "[share]\nversion = 1",
            "2:1: `version` is not a key of [share]; it belongs at the top of the file, before the first section",
        ),
        ("compute = true", "1:1: `compute` is not a section or key of a policy; it belongs in [share]"),
        ("[cpus]\nmax_cores = 2", "1:2: `cpus` is not a section or key of a policy; did you mean `cpu`?"),
        ("[[shedule]]", "1:3: `shedule` is not a section or key of a policy; did you mean `schedule`?"),
        ("[owner]", &format!("1:2: `owner` is not a section or key of a policy; expected one of {sections}")),
        ("[[schedule]]\nday = 1", "2:1: `day` is not a key of [[schedule]]; did you mean `days`?"),
        (
            "[memory]\nswap = 1",
            "2:1: `swap` is not a key of [memory]; expected one of `max_pct`, `max_swap_pct`",
        ),
        ("[gpu]\nactive = 1", "2:1: `active` is not a key of [gpu]; expected one of `when_active`"),
        (
            &format!("[disk]\n{long} = 1"),
            &format!(
                "2:1: `{}…` is not a key of [disk]; expected one of `dir`, `max_size`, `max_pct`, `min_free`, \
                 `min_write_interval`",
                &long[..57]
            ),
        ),
    ]);
}

#[test]
fn values_without_effect_are_refused_as_not_offered() {
    let not = "is known, but not offered by this version";
    check(&[
        ("[limits]\nnetwork = true", &format!("2:11: `true` for `limits.network` {not}")),
        (
            "[access]\nmin_buyer_reputation = 0.5",
            &format!("2:24: `0.5` for `access.min_buyer_reputation` {not}"),
        ),
    ]);
}

#[test]
fn numbers_of_the_wrong_type_or_range_are_refused() {
    let cores = "a whole number of cores from 1 to 4294967295";
    check_values(
        "cpu.max_cores",
        cores,
        &["0", "-1", "4294967296", "99999999999999999999", "2.0", "'4'", "true"],
    );
    let share = "a whole number of per cent from 1 to 100";
    check_values("cpu.max_cores_pct", share, &["0", "101", "-1", "50.5", "'50'"]);
    check_values("memory.max_pct", share, &["0", "101", "1979-05-27", "12:30:00"]);
    let percent = "a whole number of per cent from 0 to 100";
    check_values("cpu.max_other_load_pct", percent, &["-1", "101", "nan"]);
    check_values("version", "1, the only version there is", &["0", "2", "'1'", "1.0"]);
    let flag = "true or false";
    check_values("share.compute", flag, &["1", "'true'"]);
    check_values("cpu.assume_idle", flag, &["0", "'no'"]);
}

#[test]
fn prices_that_are_not_exact_are_refused() {
    let range = "18446744073709.551615 with at most six decimals, such as 0.2";
    let or_auto = ", or \"auto\"";
    let values = [
        "-0.2",
        "0.0000001",
        "0.2000000",
        "1e3",
        "1e-1",
        "inf",
        "nan",
        "'ten'",
        "''",
        "' 1'",
        "'1,5'",
        "true",
    ];
    let large = ["18446744073709.551616", "99999999999999", "-1"];
    for (key, least, or) in [("market.marginal_cost", "0.000001", or_auto), ("market.min_price", "0", "")] {
        let expected = format!("credits per Gc from {least} to {range}{or}");
        check_values(key, &expected, &values);
        check_values(key, &expected, &large);
    }
    let expected = format!("credits per Gc from 0.000001 to {range}{or_auto}");
    check_values("market.marginal_cost", &expected, &["0", "0.0", "0.000000", "'0'"]);
    check_values("market.min_price", &format!("credits per Gc from 0 to {range}"), &["'auto'"]);
}

#[test]
fn sizes_durations_and_addresses_are_refused_when_they_are_not_written_so() {
    let size = "a size from 1 byte to 1048576TiB, such as \"10GiB\", \"1.5GB\" or 4096";
    let sizes =
        ["0", "-1", "0.5", "'0GiB'", "'10 GX'", "'GiB'", "'1 m'", "'1kiB'", "'1.MB'", "'1MBB'", "''", "true"];
    for key in ["disk.max_size", "limits.max_memory", "limits.max_output"] {
        check_values(key, size, &sizes);
        check_values(key, size, &["'1048577TiB'", "'99999999999T'", "9223372036854775807"]);
    }
    let duration = "a duration above 0 and up to 36500d, such as \"24h\", \"1h 30m\" or 90 (seconds)";
    let durations =
        ["0", "-5", "'0'", "''", "'5 10'", "'5m 10'", "'30m 1h'", "'1h 1h'", "'5min'", "'h'", "'1,5h'"];
    check_values("limits.max_run_time", duration, &durations);
    check_values("limits.max_run_time", duration, &["'36501d'", "'213503982d 18446744073709s'", "12:30:00"]);
    let address = "an IP address with a port, such as \"0.0.0.0:7740\" or \"[::]:7740\"";
    check_values(
        "network.listen",
        address,
        &["7740", "'7740'", "'0.0.0.0'", "'localhost:7740'", "'0.0.0.0:65536'"],
    );
    check_values("limits.sandbox", "\"best\", \"required\" or \"none\"", &["'Best'", "true"]);
}

#[test]
fn each_wrong_entry_of_a_list_is_reported_where_it_stands() {
    let nodes = "a list of node keys, each of 64 hexadecimal digits in quotes";
    let nets = "a list of IP addresses or networks in quotes, such as \"10.9.0.7\" or \"10.9.0.0/16\"";
    let key = "a".repeat(64);
    let text = format!(
        "[access]\ndeny_nodes = ['{key}', 'beef',\n  7]\nallow_nodes = '{key}'\ndeny_ips = ['10.0.0.0/33', []]"
    );
    let shown = format!("{}…", "a".repeat(57));
    assert_eq!(
        faults(&text),
        [
            format!("p:2:83: `\"beef\"` is not a value for `access.deny_nodes`: expected {nodes}"),
            format!("p:3:3: `7` is not a value for `access.deny_nodes`: expected {nodes}"),
            format!("p:4:15: `\"{shown}\"` is not a value for `access.allow_nodes`: expected {nodes}"),
            format!("p:5:13: `\"10.0.0.0/33\"` is not a value for `access.deny_ips`: expected {nets}"),
            format!("p:5:28: an empty list is not a value for `access.deny_ips`: expected {nets}"),
        ]
    );
}

#[test]
fn schedules_that_are_not_written_so_are_refused() {
    let days =
        "a list of days or ranges of days, such as [\"mon-fri\"] or [\"sat\", \"sun\"], with at least one";
    let hours =
        "a list of times from \"HH:MM-HH:MM\", 00:00 to 24:00, such as [\"22:00-07:00\"], with at least one";
    let table = [
        ("days", days, vec!["'Mon'", "'monday'", "'mon-'", "'mon-tue-wed'", "'mon,tue'", "''", "1"]),
        (
            "hours",
            hours,
            vec![
                "'22-07'",
                "'22:00'",
                "'9:00-10:00'",
                "'09:60-10:00'",
                "'24:01-10:00'",
                "'00:00-25:00'",
                "'a:b-c:d'",
                "'09:00 - 10:00'",
                "'+9:00-10:00'",
                "''",
                "12:30:00",
            ],
        ),
    ];
    for (key, expected, values) in table {
        for value in values {
            let message = format!(
                "`{}` is not a value for `schedule.{key}`: expected {expected}",
                value.replace('\'', "\"")
            );
            let line = format!("[[schedule]]\n{key} = ");
            assert_eq!(faults(&format!("{line}{value}")), [format!("p:2:{}: {message}", key.len() + 4)]);
            assert_eq!(faults(&format!("{line}[{value}]")), [format!("p:2:{}: {message}", key.len() + 5)]);
        }
        let empty = format!(
            "p:2:{}: an empty list is not a value for `schedule.{key}`: expected {expected}",
            key.len() + 4
        );
        assert_eq!(faults(&format!("[[schedule]]\n{key} = []")), [empty]);
    }
}

#[test]
fn sections_in_the_wrong_brackets_are_refused() {
    let openings = "is not a value for `schedule`: expected sections in double brackets, `[[schedule]]`";
    check(&[
        ("[schedule]\ndays = ['mon']", &format!("1:1: a section {openings}")),
        ("schedule = [3]", &format!("1:13: `3` {openings}")),
        ("[[cpu]]\nnice = 1", "1:1: a list is not a value for `cpu`: expected a section, such as `[cpu]`"),
        ("cpu = 4", "1:7: `4` is not a value for `cpu`: expected a section, such as `[cpu]`"),
        (
            "[cpu.max_cores]",
            "1:1: a section is not a value for `cpu.max_cores`: expected a whole number of cores from 1 to 4294967295",
        ),
    ]);
}

#[test]
fn all_faults_are_reported_in_the_order_of_the_file() {
    assert_eq!(
        faults(
            "[limits]\nsandbox = 1\nnice = 1\n[cpu]\nmax_cores = 0\n[[schedule]]\nday = 1\n[[schedule]]\nkind = 1"
        ),
        [
            "p:2:11: `1` is not a value for `limits.sandbox`: expected \"best\", \"required\" or \"none\"",
            "p:3:1: `nice` is not a key of [limits]; it belongs in [cpu]",
            "p:5:13: `0` is not a value for `cpu.max_cores`: expected a whole number of cores from 1 to 4294967295",
            "p:7:1: `day` is not a key of [[schedule]]; did you mean `days`?",
            "p:9:8: `1` is not a value for `schedule.kind`: expected \"compute\" or \"network\"",
        ]
    );
    assert_eq!(
        faults("[cpu]\nmax_cores = 0\nx = abc, def\ny\n"),
        [
            "p:3:5: `abc` is not a number, `true` or `false`: expected quotes around it if it is a text",
            "p:4:2: a key without a value: expected `=`",
        ]
    );
}

#[test]
fn what_is_too_large_or_too_wrong_is_cut_short() {
    let large = " ".repeat(MAX_POLICY_SIZE);
    assert_eq!(parse(&large, "p"), Ok(Policy::default()));
    assert_eq!(faults(&(large + " ")), ["p: the file has 1048577 bytes: a policy has at most 1048576"]);
    let keys = |many: usize| (0..many).map(|n| format!("x{n:05} = 1\n")).collect::<String>();
    let lines = |many: usize| "x\n".repeat(many);
    for text in [keys(MAX_FAULTS), lines(MAX_FAULTS)] {
        let found = faults(&text);
        assert_eq!(found.len(), MAX_FAULTS);
        assert!(found[999].starts_with("p:1000:"), "{}", found[999]);
    }
    for text in [keys(MAX_FAULTS + 1), lines(MAX_FAULTS + 1)] {
        let found = faults(&text);
        assert_eq!(found.len(), MAX_FAULTS + 1);
        assert_eq!(found[1000], "p: there are more faults; these are the first 1000");
    }
}

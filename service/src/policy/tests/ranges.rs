//! What the keys of a whole policy do not take, with the exact messages.

use super::*;

/// Values of one key that are refused, and what is said about each.
fn check(key: &str, expected: &str, values: &[&str]) {
    for value in values {
        let shown = value.replace('\'', "\"");
        let column = key.len() + 4;
        let message = format!("p:1:{column}: `{shown}` is not a value for `{key}`: expected {expected}");
        assert_eq!(faults(&format!("{key} = {value}")), [message], "{key} = {value}");
    }
}

#[test]
fn numbers_out_of_their_ranges_are_refused() {
    let share = "a whole number of per cent from 1 to 100";
    for key in ["cpu.throttle_pct", "in_use.max_cores_pct", "idle_limits.memory_max_pct", "disk.max_pct"] {
        check(key, share, &["0", "101", "'5'"]);
    }
    let percent = "a whole number of per cent from 0 to 100";
    for key in ["memory.max_swap_pct", "power.min_charge_pct", "in_use.max_other_load_pct"] {
        check(key, percent, &["-1", "101"]);
    }
    for key in ["power.max_cpu_temp_c", "power.max_battery_temp_c"] {
        check(key, "a whole number of degrees Celsius from 1 to 150", &["0", "151", "70.5"]);
    }
    check("cpu.nice", "a whole number from 0 to 19", &["20", "-1"]);
    check("market.max_queued", "a whole number of sub-tasks from 0 to 1000", &["1001", "-1"]);
    check("limits.max_processes", "a whole number of processes from 1 to 65536", &["0", "65537"]);
    check("network.max_transfers", "a whole number of transfers from 1 to 1000", &["0", "1001"]);
    check("market.busy_watts", "a whole number of watts from 0 to 100000", &["-1", "100001"]);
    check(
        "market.credits_per_currency",
        "a whole number of credits from 1 to 1000000000",
        &["0", "1000000001"],
    );
    let currency = "an amount of currency from 0 to 1000 with at most six decimals, such as 0.3";
    check("market.wear_per_core_hour", currency, &["1000.000001", "-1", "0.0000001", "'x'"]);
    check("access.min_buyer_reputation", "a number from 0.0 to 1.0", &["1.1", "'x'", "true"]);
}

#[test]
fn durations_flows_and_texts_that_are_not_written_so_are_refused() {
    let wait = "a duration from 0 up to 36500d, such as \"10s\", \"1h 30m\" or 90 (seconds)";
    for key in ["start_delay", "idle.after", "idle.stop_after", "suspend.for", "suspend.kill_grace"] {
        check(key, wait, &["-1", "''", "'36501d'", "'soon'", "true"]);
    }
    check(
        "suspend.max",
        "a duration above 0 and up to 36500d, such as \"10m\", or \"never\"",
        &["0", "'ever'"],
    );
    let flow = "a size a second such as \"1MiB/s\", or \"0\" for no limit";
    check("network.max_up", flow, &["1024", "'1MiB'", "'0/s'", "'1MiB/m'", "true"]);
    let volume = "a size and a time such as \"100GB per 30d\", or \"0\" for no limit";
    check("network.volume", volume, &["'100GB'", "'0 per 30d'", "'1GB per 0'", "'1GB in 30d'", "5"]);
    check("disk.min_free", "a size from 0 to 1048576TiB, such as \"5GiB\"", &["-1", "'x'", "'1048577TiB'"]);
    check(
        "disk.dir",
        "an absolute path in quotes of at most 4096 bytes, such as \"/srv/compup2p\"",
        &["'srv'", "''", "3"],
    );
    check("node.name", "a name in quotes of 1 to 64 characters that can be shown", &["''", "3"]);
    let long = format!("node.name = '{}'", "é".repeat(65));
    assert_eq!(faults(&long).len(), 1);
    assert!(parse(&format!("node.name = '{}'", "é".repeat(64)), "p").is_ok());
    let refused = faults("idle.sources = ['x11']");
    assert_eq!(refused, ["p:1:17: `\"x11\"` for `idle.sources` is known, but not offered by this version"]);
    let sources = "a list of at least one of \"logind\", \"tty\", \"input\"";
    assert_eq!(
        faults("idle.sources = ['tty', 'mouse']\nexclusive.programs = ['', 'a']"),
        [
            format!("p:1:24: `\"mouse\"` is not a value for `idle.sources`: expected {sources}"),
            "p:2:23: `\"\"` is not a value for `exclusive.programs`: expected a list of names of programs in quotes, \
             each of 1 to 255 bytes"
                .to_owned(),
        ]
    );
    assert_eq!(
        faults("idle.sources = []"),
        [format!("p:1:16: an empty list is not a value for `idle.sources`: expected {sources}")]
    );
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let table = [
        (
            "[power]\nmax_cpu_temp_c = 70\nresume_cpu_temp_c = 70",
            "3:21: `70` is not a value for `power.resume_cpu_temp_c`: expected less than `power.max_cpu_temp_c`",
        ),
        (
            "[power]\nresume_cpu_temp_c = 70",
            "2:21: `70` is not a value for `power.resume_cpu_temp_c`: expected `power.max_cpu_temp_c` beside it",
        ),
        (
            "[market]\nidle_watts = 66",
            "2:14: `66` is not a value for `market.idle_watts`: expected not more than `market.busy_watts`, which is 65 \
             if not given",
        ),
        (
            "[market]\nbusy_watts = 19",
            "2:14: `19` is not a value for `market.busy_watts`: expected not less than `market.idle_watts`, which is 20 if not given",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(faults(text), [format!("p:{expected}")]);
    }
}

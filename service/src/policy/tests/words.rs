//! Golden texts: what a policy means, what differs, and why a node shares or not.

use super::*;
use Weekday::{Fri, Mon, Sat};
use proto::{Capacity, Time};

const EXAMPLE: &str = include_str!("../../../../examples/policy.toml");

fn check_description(text: &str, expected: &[&str]) {
    let lines = describe(&parse(text, "p").unwrap());
    assert_eq!(lines, expected, "\n{}", lines.join("\n"));
}

#[test]
fn an_empty_file_in_words() {
    check_description(
        "",
        &[
            "sells compute power at 0.2 credits per Gc",
            "uses up to 100 % of the cores, as far as they are idle, at nice 10",
            "shares while other programs use at most 50 % of the processor",
            "offers up to 50 % of the free memory and 10GiB of disk space",
            "shares at every hour of every day",
            "does not work on battery",
            "work that must stop for 30s stands still in memory; after 10m it is handed back, with 1m to end in order; it goes on when nothing has spoken against it for 5m",
            "each sub-task: at most 24h, 4GiB of memory, 64MiB of output, 256 processes; 1m or more between two checkpoints",
            "listens on 0.0.0.0:7740, with at most 8 transfers at a time",
        ],
    );
}

#[test]
fn the_example_in_words() {
    check_description(
        EXAMPLE,
        &[
            "sells compute power at 0.3 credits per Gc",
            "uses up to 75 % of the cores, as far as they are idle, at nice 10",
            "shares while other programs use at most 30 % of the processor",
            "while nobody is there: up to 100 % of the cores, up to 50 % load of other programs, up to 80 % of the free \
             memory",
            "offers up to 40 % of the free memory and 20GiB of disk space",
            "shares only on mon-fri at 19:00-08:00, and on sat-sun all day",
            "does not work on battery",
            "stops when the processor is hotter than 85 °C, until it is at 75 °C",
            "leaves the machine alone while one of these runs: steam, zoom",
            "work that must stop for 30s stands still in memory; after 10m it is handed back, with 1m to end in order; it goes on when nothing has spoken against it for 5m",
            "each sub-task: at most 6h, 2GiB of memory, 16MiB of output, 256 processes; 1m or more between two checkpoints",
            "listens on 0.0.0.0:7740, with at most 8 transfers at a time",
            "does not serve the addresses on its list `access.deny_ips` (1)",
            "when `hour < 6`: market.min_price is 0.2",
        ],
    );
}

#[test]
fn every_key_in_words() {
    check_description(
        EVERYTHING,
        &[
            "the node is called the \"big\" one",
            "sells compute power at what it costs, computed from electricity at 0.31 (06:00-22:00) and 0.19 (22:00-06:00) a kWh, 30 W idle and 90 W busy, 0.001 an hour for the wear of a core, 0.01 credits per Gc for listing, and 1000 credits a unit of currency; never for less than 0.1 credits per Gc",
            "uses up to 75 % of the cores, as far as they are idle, at most 6, 80 % of the time, at nice 19",
            "shares while other programs use at most 30 % of the processor",
            "while somebody uses the machine: up to 25 % of the cores, up to 20 % load of other programs, up to 40 % of the time, up to 20 % of the free memory",
            "while nobody is there: up to 100 % of the cores, up to 60 % load of other programs, up to 100 % of the time, up to 90 % of the free memory",
            "offers up to 40 % of the free memory and 50GiB of disk space, at most 90 % of the disk, and keeps 5GiB of it free, in /srv/compup2p; not while more than 50 % of the swap space is used",
            "sells memory and disk space by themselves too, at 0.2 and 0.002 credits per GiB and hour",
            "runs native programs and containers too, in the whole sandbox or not at all",
            "lets everybody have the files /srv/tool",
            "looks for files that nobody in the network has at http://code.example/",
            "waits 1m after its start",
            "shares only on mon-fri at 00:00-07:00, 18:00-24:00",
            "uses the network only every day at 20:00-06:00",
            "works only while nobody has used keyboard or mouse for 10m (use of less than 5s does not count)",
            "stops when nobody has used the machine for 1h, so that it may sleep",
            "works on battery too",
            "works while the battery is at 90 % or more",
            "works while the battery is no hotter than 40 °C",
            "stops when the processor is hotter than 80 °C, until it is at 65 °C",
            "keeps the machine awake while it works",
            "leaves the machine alone while one of these runs: blender, steam",
            "work that must stop for 10s is handed back, with 1s 500ms to end in order; it goes on when nothing has spoken against it for 2m",
            "each sub-task: at most 6h, 2GiB of memory, 1MB of output, 10 processes; 2m or more between two checkpoints",
            "listens on [::]:7741, with at most 4 transfers at a time",
            "sends at most 1MiB a second",
            "receives at most 2MB a second",
            "sells nothing once 100GB per 30d are sent and received",
            "sells nothing while the network is paid for by volume",
            "passes no messages on for nodes that cannot be reached",
            "serves only the nodes on its list `access.allow_nodes` (1)",
            "does not serve the nodes on its list `access.deny_nodes` (1)",
            "does not serve the addresses on its list `access.deny_ips` (1)",
            "does not run the programs on its list `access.deny_programs` (1)",
            "when `hour >= 22 || day in [sat, sun]`: cpu.max_cores_pct is 100, market.min_price is 0.5",
            "else when `on_battery`: share.compute is false",
            "`gpu.when_active` is read and has no effect: there is no work for GPUs yet",
        ],
    );
}

/// A file in which nothing is as by default.
const EVERYTHING: &str = r#"
start_delay = "1m"
[node]
name = "the \"big\" one"
[share]
storage = true
native = true
files = ["/srv/tool"]
[market]
marginal_cost = "auto"
currency_per_kwh = { "22:00-06:00" = 0.19, "06:00-22:00" = 0.31 }
idle_watts = 30
busy_watts = 90
wear_per_core_hour = 0.001
listing_cost = 0.01
credits_per_currency = 1000
min_price = 0.1
memory_price = 0.2
disk_price = 0.002
max_queued = 0
[cpu]
max_cores = 6
max_cores_pct = 75
max_other_load_pct = 30
throttle_pct = 80
nice = 19
[memory]
max_pct = 40
max_swap_pct = 50
[in_use]
max_cores_pct = 25
max_other_load_pct = 20
throttle_pct = 40
memory_max_pct = 20
[idle_limits]
max_cores_pct = 100
max_other_load_pct = 60
throttle_pct = 100
memory_max_pct = 90
[idle]
require_idle = true
after = "10m"
min_use = "5s"
stop_after = "1h"
sources = ["logind"]
[power]
on_battery = true
min_charge_pct = 90
max_battery_temp_c = 40
keep_awake = true
max_cpu_temp_c = 80
resume_cpu_temp_c = 65
[suspend]
for = "10s"
resume_after = "2m"
keep_in_memory = false
max = "never"
kill_grace = "1.5s"
[exclusive]
programs = ["steam", "blender"]
[limits]
max_run_time = "6h"
max_memory = "2GiB"
max_output = "1MB"
max_processes = 10
network = false
sandbox = "required"
[disk]
dir = "/srv/compup2p"
max_size = "50GiB"
max_pct = 90
min_free = "5GiB"
min_write_interval = "2m"
[network]
listen = "[::]:7741"
max_up = "1MiB/s"
max_down = "2MB/s"
max_transfers = 4
volume = "100GB per 30d"
unmetered_only = true
relay = false
code_servers = ["http://code.example/"]
[access]
deny_nodes = ["0101010101010101010101010101010101010101010101010101010101010101"]
allow_nodes = ["0202020202020202020202020202020202020202020202020202020202020202"]
deny_ips = ["10.9.0.0/16"]
min_buyer_reputation = 0.0
deny_programs = ["0303030303030303030303030303030303030303030303030303030303030303"]
[gpu]
when_active = false
[[schedule]]
days = ["mon-fri"]
hours = ["00:00-07:00", "18:00-24:00"]
[[schedule]]
kind = "network"
hours = "20:00-06:00"
[[rule]]
when = "hour >= 22 || day in [sat, sun]"
set = { "cpu.max_cores_pct" = 100, "market.min_price" = 0.5 }
[[rule]]
when = "on_battery"
set = { share.compute = false }
"#;

fn check_difference(old: &str, new: &str, expected: &[&str]) {
    let lines = diff(&parse(old, "p").unwrap(), &parse(new, "p").unwrap());
    assert_eq!(lines, expected, "\n{}", lines.join("\n"));
}

#[test]
fn what_differs_is_said_key_by_key() {
    check_difference("", "", &[]);
    check_difference(EVERYTHING, EVERYTHING, &[]);
    check_difference(
        "cpu.max_cores = 2\nmarket.marginal_cost = 0.2",
        "market.marginal_cost = 'auto'\nsuspend.for = 90\nlimits.max_memory = 5000",
        &[
            "market.marginal_cost: 0.2 -> \"auto\"",
            "cpu.max_cores: 2 -> none",
            "suspend.for: \"30s\" -> \"1m 30s\"",
            "limits.max_memory: \"4GiB\" -> \"5kB\"",
        ],
    );
    check_difference(
        "[[schedule]]\ndays = 'mon'",
        "[[schedule]]\ndays = 'tue'\n[[rule]]\nwhen = 'idle'\nset = { cpu.nice = 1 }",
        &[
            "[[schedule]]: - kind = \"compute\", days = [\"mon\"], hours = [\"00:00-24:00\"]",
            "[[schedule]]: + kind = \"compute\", days = [\"tue\"], hours = [\"00:00-24:00\"]",
            "[[rule]]: + when = \"idle\", set = { \"cpu.nice\" = 1 }",
        ],
    );
    let rules = |first: &str, second: &str| {
        format!(
            "[[rule]]\nwhen = '{first}'\nset = {{ cpu.nice = 1 }}\n[[rule]]\nwhen = '{second}'\nset = {{ cpu.nice = 1 }}"
        )
    };
    check_difference(&rules("idle", "true"), &rules("true", "idle"), &["[[rule]]: in another order"]);
}

#[test]
fn everything_differs_from_the_default() {
    let lines = diff(&Policy::default(), &parse(EVERYTHING, "p").unwrap());
    let expected = super::super::keys::all().filter(|(name, _)| {
        // These have one value in this version, or are told entry by entry.
        !["version", "schedule", "rule", "limits.network", "access.min_buyer_reputation", "market.max_queued"]
            .contains(&name.as_str())
            && !["share.compute", "cpu.assume_idle"].contains(&name.as_str())
    });
    let missing: Vec<String> = expected
        .map(|(name, _)| name)
        .filter(|name| !lines.iter().any(|line| line.starts_with(&format!("{name}: "))))
        .collect();
    assert_eq!(missing, [] as [&str; 0]);
}

#[test]
fn every_value_that_is_written_is_read_back() {
    for text in ["", EXAMPLE, EVERYTHING] {
        let policy = parse(text, "p").unwrap();
        let keys = super::super::keys::all().filter_map(|(name, key)| Some((name, (key.show)(&policy)?)));
        let mut written: String = keys.map(|(name, value)| format!("{name} = {value}\n")).collect();
        for opening in &policy.schedule {
            written.push_str(&format!(
                "[[schedule]]\n{}\n",
                opening.to_string().replace("], ", "]\n").replace("\", days", "\"\ndays")
            ));
        }
        for rule in &policy.rules {
            written.push_str(&format!("[[rule]]\n{}\n", rule.to_string().replace(", set", "\nset")));
        }
        assert_eq!(parse(&written, "p"), Ok(policy), "{written}");
    }
}

/// A machine with sensors for everything, and nothing to do.
fn machine() -> Machine {
    Machine {
        cores: 4,
        per_core: Capacity(1_000),
        idle_cores: 4,
        memory_total: Bytes::gib(8),
        memory: Bytes::gib(4),
        swap_used_pct: Some(0),
        disk_total: Bytes::gib(100),
        disk: Bytes::gib(50),
        untouched: Some(Span::secs(3_600)),
        battery: Some(Battery { is_discharging: false, charge_pct: 100, temp_c: Some(20) }),
        cpu_temp_c: Some(50),
        is_metered: Some(false),
        ..Machine::default()
    }
}

/// The lines that are expected.
type Lines = &'static [&'static str];

#[test]
fn one_moment_is_explained() {
    let office = "idle.require_idle = true\nnetwork.unmetered_only = true\n[power]\nmax_cpu_temp_c = 80\n\
                  [[schedule]]\ndays = 'mon-fri'\nhours = '18:00-08:00'";
    let used = Machine { untouched: Some(Span::secs(60)), ..machine() };
    let bare = Machine { untouched: None, battery: None, cpu_temp_c: None, is_metered: None, ..machine() };
    let table: [(&str, Machine, (Weekday, u16), Lines); 6] = [
        ("", machine(), (Mon, 600), &["the node shares on mon at 10:00", "the schedule sets no end"]),
        (
            office,
            machine(),
            (Fri, 1_200),
            &["the node shares on fri at 20:00", "the schedule ends it on sat at 08:00 (in 12h)"],
        ),
        (
            office,
            used,
            (Sat, 600),
            &[
                "the node does not share on sat at 10:00",
                "- the schedule shares nothing until mon at 18:00",
                "- somebody uses this machine: the policy shares it once nobody has for 15m",
                "it will share on mon at 18:00 (in 2d 8h), if nothing else comes between",
            ],
        ),
        (
            office,
            bare,
            (Mon, 1_080),
            &[
                "the node shares on mon at 18:00",
                "the schedule ends it on tue at 08:00 (in 14h)",
                "no keyboard and mouse sensor: `idle.require_idle` has no effect here",
                "no battery sensor: `power.on_battery` has no effect here",
                "no processor temperature sensor: `power.max_cpu_temp_c` has no effect here",
                "no metering sensor: `network.unmetered_only` has no effect here",
            ],
        ),
        (
            "share.compute = false",
            machine(),
            (Mon, 0),
            &[
                "the node does not share on mon at 00:00",
                "- the policy shares no compute power",
                "it will not share by this policy",
            ],
        ),
        (
            "",
            Machine { other_load_pct: 90, ..machine() },
            (Mon, 0),
            &[
                "the node does not share on mon at 00:00",
                "- other programs use 90 % of the processor, the policy allows sharing up to 50 %",
                "it will share when that ends",
            ],
        ),
    ];
    for (text, machine, (weekday, minute), expected) in table {
        let lines = parse(text, "p").unwrap().explain_at(&machine, weekday, minute).lines();
        assert_eq!(lines, expected, "\n{}", lines.join("\n"));
    }
}

/// What a governor says after each of the samples: seconds from the start, machine, and the lines.
fn check_explanations(text: &str, order: impl Fn(&mut Governor), samples: &[(u64, Machine, &[&str])]) {
    let moment = |seconds: u64| Moment {
        now: Time(0).after(Span::secs(seconds)),
        weekday: Mon,
        minute: u16::try_from(seconds / 60 + 720).unwrap(),
    };
    let mut governor = Governor::new(parse(text, "p").unwrap(), moment(0));
    order(&mut governor);
    for (seconds, machine, expected) in samples {
        governor.observe(machine, moment(*seconds));
        let lines = governor.explain().lines();
        assert_eq!(lines, *expected, "\n{}", lines.join("\n"));
    }
}

#[test]
fn a_governor_explains_what_it_does() {
    let busy = Machine { other_load_pct: 90, idle_cores: 0, ..machine() };
    check_explanations(
        "cpu.throttle_pct = 50\n[[schedule]]\nhours = '09:00-18:00'",
        |_| {},
        &[
            (
                0,
                machine(),
                &[
                    "the node shares on mon at 12:00, for 0s now",
                    "work that runs here goes on, 50 % of the time",
                    "the schedule ends it on mon at 18:00 (in 6h)",
                ],
            ),
            (
                60,
                busy.clone(),
                &[
                    "the node does not share on mon at 12:01, for 0s now",
                    "- other programs use 90 % of the processor, the policy allows sharing up to 50 %",
                    "- no core of this machine is idle",
                    "work that runs here goes on, 50 % of the time",
                    "it will share when that ends",
                ],
            ),
            (
                90,
                busy,
                &[
                    "the node does not share on mon at 12:01, for 30s now",
                    "- other programs use 90 % of the processor, the policy allows sharing up to 50 %",
                    "- no core of this machine is idle",
                    "work that runs here has stood still for 0s, and is handed back in 10m",
                    "it will share when that ends",
                ],
            ),
            (
                150,
                machine(),
                &[
                    "the node does not share on mon at 12:02, for 1m 30s now",
                    "- nothing speaks against sharing any more: it goes on once that has held for 5m",
                    "work that runs here has stood still for 1m, and is handed back in 9m",
                    "it will share on mon at 12:07 (in 5m), if nothing else comes between",
                ],
            ),
            (
                690,
                machine(),
                &[
                    "the node shares on mon at 12:11, for 0s now",
                    "work that runs here goes on, 50 % of the time",
                    "the schedule ends it on mon at 18:00 (in 5h 49m)",
                ],
            ),
        ],
    );
}

#[test]
fn the_owners_orders_are_explained() {
    let samples: [(u64, Machine, &[&str]); 1] = [(
        60,
        machine(),
        &[
            "the node does not share on mon at 12:01, for 1m now",
            "- the owner has paused this node until they resume it",
            "work that runs here has stood still for 0s, and is handed back in 10m",
            "it will share when the owner resumes it: `compup2p resume`",
        ],
    )];
    check_explanations("", |governor| governor.pause(None), &samples);
}

#[test]
fn a_pause_that_ends_outside_of_the_schedule_waits_for_it() {
    let samples: [(u64, Machine, &[&str]); 1] = [(
        60,
        machine(),
        &[
            "the node does not share on mon at 12:01, for 1m now",
            "- the owner has paused this node for a time",
            "work that runs here has stood still for 0s, and is handed back in 10m",
            "it will share on tue at 09:00 (in 20h 59m), if nothing else comes between",
        ],
    )];
    check_explanations(
        "[[schedule]]\nhours = '09:00-13:00'",
        |governor| governor.pause(Some(Time(0).after(Span::secs(7_200)))),
        &samples,
    );
}

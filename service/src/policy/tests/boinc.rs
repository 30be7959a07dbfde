//! Preferences of BOINC become policies.

use super::import::boinc;
use super::*;
use proptest::prelude::*;

/// A file with every tag that has a counterpart.
const FULL: &str = "<global_preferences>\n<source_project>http://x/</source_project><mod_time>1.5</mod_time>\n\
    <run_on_batteries>1</run_on_batteries><run_if_user_active>0</run_if_user_active>\n\
    <run_gpu_if_user_active/><battery_charge_min_pct>90.000000</battery_charge_min_pct>\n\
    <battery_max_temperature>40.0</battery_max_temperature><idle_time_to_run>3.5</idle_time_to_run>\n\
    <suspend_if_no_recent_input>60</suspend_if_no_recent_input><suspend_cpu_usage>25.9</suspend_cpu_usage>\n\
    <niu_suspend_cpu_usage>0</niu_suspend_cpu_usage><cpu_usage_limit>70.1</cpu_usage_limit>\n\
    <niu_cpu_usage_limit>100</niu_cpu_usage_limit><max_ncpus_pct>50</max_ncpus_pct>\n\
    <niu_max_ncpus_pct>0</niu_max_ncpus_pct><max_cpus>4</max_cpus>\n\
    <ram_max_used_busy_pct>50</ram_max_used_busy_pct><ram_max_used_idle_pct>90</ram_max_used_idle_pct>\n\
    <vm_max_used_pct>75</vm_max_used_pct><leave_apps_in_memory>0</leave_apps_in_memory>\n\
    <disk_max_used_gb>1.5</disk_max_used_gb><disk_max_used_pct>80</disk_max_used_pct>\n\
    <disk_min_free_gb>0.1</disk_min_free_gb><disk_interval>120</disk_interval>\n\
    <max_bytes_sec_down>0</max_bytes_sec_down><max_bytes_sec_up>1048576.000000</max_bytes_sec_up>\n\
    <daily_xfer_limit_mb>1000</daily_xfer_limit_mb><daily_xfer_period_days>30</daily_xfer_period_days>\n\
    <network_wifi_only>1</network_wifi_only>\n</global_preferences>";

fn read(xml: &str, venue: Option<&str>) -> (Policy, Vec<String>) {
    let imported = boinc(xml, venue).unwrap();
    let policy = parse(&imported.toml, "p");
    (policy.unwrap_or_else(|faults| panic!("{faults:?}\n{}", imported.toml)), imported.notes)
}

const DEFAULTS: &str = "what the file does not say is as by default here, not as in BOINC";

fn check(xml: &str, expected: &str, notes: &[&str]) {
    let (policy, said) = read(&format!("<global_preferences>{xml}</global_preferences>"), None);
    assert_eq!(policy, parse(expected, "p").unwrap(), "{xml}");
    let expected: Vec<&str> = notes.iter().copied().chain([DEFAULTS]).collect();
    assert_eq!(said, expected, "{xml}");
}

#[test]
fn every_tag_becomes_its_key() {
    let memory = "`memory.max_pct` is a share of the memory that is free, not of all memory as in BOINC";
    let (policy, notes) = read(FULL, None);
    let expected = "power = { on_battery = true, min_charge_pct = 90, max_battery_temp_c = 40 }\n\
        idle = { require_idle = true, after = '3m 30s', stop_after = '1h' }\ngpu.when_active = true\n\
        cpu = { max_other_load_pct = 25, throttle_pct = 71, max_cores_pct = 50, max_cores = 4 }\n\
        idle_limits = { max_other_load_pct = 100, throttle_pct = 100, max_cores_pct = 100, memory_max_pct = 90 }\n\
        memory = { max_pct = 50, max_swap_pct = 75 }\nsuspend.keep_in_memory = false\n\
        disk = { max_size = '1.5GiB', max_pct = 80, min_free = 107374182, min_write_interval = '2m' }\n\
        network = { max_down = '0', max_up = '1MiB/s', volume = '1000MiB per 30d', unmetered_only = true }";
    assert_eq!(policy, parse(expected, "p").unwrap());
    assert_eq!(notes, [memory, DEFAULTS]);
}

#[test]
fn what_is_not_in_use_falls_back_to_what_is() {
    let (policy, _) = read(
        "<global_preferences><max_ncpus_pct>50</max_ncpus_pct><suspend_cpu_usage>10</suspend_cpu_usage></global_preferences>",
        None,
    );
    assert_eq!((policy.max_cores_pct, policy.max_other_load_pct), (50, 10));
    assert_eq!(policy.idle_limits, Override::default());
}

#[test]
fn hours_mean_what_they_mean_in_boinc() {
    let hours =
        |start: &str, end: &str| format!("<start_hour>{start}</start_hour><end_hour>{end}</end_hour>");
    check(&hours("0", "0"), "", &[]);
    check(&hours("8", "8.000000"), "", &[]);
    check(&hours("24", "0"), "[[schedule]]\nhours = '24:00-00:00'", &[]);
    check(&hours("22.5", "7.25"), "[[schedule]]\nhours = '22:30-07:15'", &[]);
    check("<net_start_hour>1</net_start_hour>", "[[schedule]]\nkind = 'network'\nhours = '01:00-00:00'", &[]);
}

#[test]
fn a_day_of_its_own_replaces_the_general_hours_and_does_not_reach_into_the_next() {
    let day = "<start_hour>9</start_hour><end_hour>17</end_hour><day_prefs><day_of_week>6</day_of_week>\
               <start_hour>22</start_hour><end_hour>6</end_hour></day_prefs><day_prefs><day_of_week>0</day_of_week>\
               <start_hour>24</start_hour><end_hour>0</end_hour></day_prefs>";
    let (policy, _) = read(&format!("<global_preferences>{day}</global_preferences>"), None);
    let is_open = |day, hour: u16| policy.schedule.iter().any(|opening| opening.is_open(day, hour * 60));
    let table = [
        (Weekday::Fri, 8, false),
        (Weekday::Fri, 9, true),
        (Weekday::Fri, 17, false),
        (Weekday::Sat, 5, true),
        (Weekday::Sat, 6, false),
        (Weekday::Sat, 12, false),
        (Weekday::Sat, 22, true),
        (Weekday::Sun, 0, false),
        (Weekday::Sun, 12, false),
        (Weekday::Mon, 12, true),
    ];
    for (day, hour, expected) in table {
        assert_eq!(is_open(day, hour), expected, "{day} {hour}");
    }
}

#[test]
fn a_venue_counts_alone_when_it_is_asked_for() {
    let xml = "<global_preferences><max_cpus>2</max_cpus><disk_max_used_pct>10</disk_max_used_pct>\
               <venue name=\"home\"><max_cpus>3</max_cpus></venue></global_preferences>";
    let left_out = "the preferences of the venues \"home\" are left out";
    let missing = "there is no venue \"work\" in the file: the general preferences are taken";
    let table = [
        (None, Some(2), 10, vec![left_out, DEFAULTS]),
        (Some("home"), Some(3), 100, vec![DEFAULTS]),
        (Some("work"), Some(2), 10, vec![missing, left_out, DEFAULTS]),
    ];
    for (venue, cores, pct, expected) in table {
        let (policy, notes) = read(xml, venue);
        assert_eq!(
            (policy.max_cores, policy.disk.max_pct, notes),
            (cores, pct, expected.iter().map(|note| (*note).to_owned()).collect())
        );
    }
}

#[test]
fn what_is_left_out_or_changed_is_said() {
    check(
        "<cpu_scheduling_period_minutes>60</cpu_scheduling_period_minutes><confirm_before_connecting>0</confirm_before_connecting>",
        "",
        &[
            "`cpu_scheduling_period_minutes` is left out: there are no time slices between projects",
            "`confirm_before_connecting` is left out: a node is always connected",
        ],
    );
    check("<colour>red</colour>", "", &["`colour` is left out: it is not a tag that is known here"]);
    check(
        "<max_ncpus_pct>150</max_ncpus_pct>",
        "",
        &["`max_ncpus_pct` is 150 in the file: `cpu.max_cores_pct` takes 1 to 100"],
    );
    check(
        "<daily_xfer_limit_mb>5</daily_xfer_limit_mb>",
        "",
        &["`daily_xfer_limit_mb` and `daily_xfer_period_days` count only together: both are left out"],
    );
}

#[test]
fn the_configuration_of_the_client_is_read_too() {
    let xml = "<cc_config><log_flags/><options><exclusive_app>game \"x\".exe</exclusive_app><exclusive_app>b</exclusive_app>\
        <ncpus>-1</ncpus><process_priority>1</process_priority><start_delay>90</start_delay>\
        <max_file_xfers>4</max_file_xfers><max_stdout_file_size>1000</max_stdout_file_size>\
        <device_name>lab 3</device_name><exit_when_idle>1</exit_when_idle><skip_cpu_benchmarks>1</skip_cpu_benchmarks>\
        </options></cc_config>";
    let (policy, notes) = read(xml, None);
    let expected = "start_delay = 90\nexclusive.programs = ['b', 'game \"x\".exe']\ncpu.nice = 10\n\
                    network.max_transfers = 4\nlimits.max_output = 1000\nnode.name = 'lab 3'";
    assert_eq!(policy, parse(expected, "p").unwrap());
    let said = [
        "`exit_when_idle`: see `compup2p join --exit-when-idle`",
        "`skip_cpu_benchmarks` is left out: it has no counterpart here",
        DEFAULTS,
    ];
    assert_eq!(notes, said);
}

#[test]
fn files_that_cannot_be_read_are_explained() {
    let table = [
        ("", "preferences:1:1: not well-formed XML: there is no element in the file"),
        (
            "<prefs/>",
            "preferences:1:1: the file begins with `prefs`: preferences of BOINC begin with `global_preferences` or \
             `cc_config`",
        ),
        (
            "<global_preferences>\n <max_cpus>many</max_cpus></global_preferences>",
            "preferences:2:2: `many` is not a value for `max_cpus`: expected a number from 0 to 1000000000000",
        ),
        (
            "<global_preferences>\n<start_hour>24.1</start_hour></global_preferences>",
            "preferences:2:1: an hour is 0 to 24, such as 22.5 for half past ten",
        ),
        (
            "<global_preferences><day_prefs/></global_preferences>",
            "preferences:1:21: `day_prefs` has no `day_of_week`",
        ),
        (
            "<global_preferences><day_prefs><day_of_week>7</day_of_week></day_prefs></global_preferences>",
            "preferences:1:32: a day of the week is 0 (Sunday) to 6 (Saturday)",
        ),
    ];
    for (xml, expected) in table {
        assert_eq!(boinc(xml, None).unwrap_err().to_string(), expected);
    }
    let large = boinc(&" ".repeat(MAX_POLICY_SIZE + 1), None).unwrap_err().to_string();
    assert_eq!(large, "preferences: the file has 1048577 bytes: a policy has at most 1048576");
}

const PIECES: [&str; 14] = [
    "<global_preferences>",
    "</global_preferences>",
    "<venue name=\"a\">",
    "</venue>",
    "<day_prefs>",
    "<max_cpus>",
    "</max_cpus>",
    "9",
    "-",
    ".5",
    "&lt;",
    "<!DOCTYPE x>",
    "<options>",
    "\u{1}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_always_a_policy(
        at in any::<usize>(), length in 0..40_usize, piece in prop::sample::select(&PIECES[..]), digits in "[0-9.]{0,14}",
    ) {
        let start = FULL.floor_char_boundary(at % FULL.len());
        let end = (start + length).min(FULL.len());
        for middle in [piece, &digits] {
            let text = format!("{}{middle}{}", &FULL[..start], &FULL[end..]);
            if let Ok(imported) = boinc(&text, Some("a")) {
                prop_assert!(parse(&imported.toml, "p").is_ok(), "{}", imported.toml);
            }
        }
    }

    #[test]
    fn any_number_of_any_tag_makes_a_policy(digits in "[0-9]{0,14}(\\.[0-9]{1,8})?") {
        for tag in FULL.split('<').filter_map(|part| part.split(['>', '/']).next()).filter(|tag| !tag.is_empty()) {
            if let Ok(imported) = boinc(&format!("<global_preferences><{tag}>{digits}</{tag}></global_preferences>"), None) {
                prop_assert!(parse(&imported.toml, "p").is_ok(), "{}", imported.toml);
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        prop_assert!(boinc(&text, None).is_err());
        let _ = boinc(&format!("<cc_config><options><device_name>{text}</device_name></options></cc_config>"), None)
            .map(|imported| parse(&imported.toml, "p").unwrap());
    }
}

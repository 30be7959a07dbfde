//! What each tag of BOINC's preferences becomes.

use super::super::hint::shortened;
use super::super::text::quoted;
use super::boinc::{Imported, Wrong};
use super::hours::Times;
use roxmltree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// One millionth: numbers are read exactly to the sixth decimal.
pub(super) const UNIT: u64 = 1_000_000;
/// The largest number that is read; all that BOINC means fits.
const MAX_NUMBER: u64 = 1_000_000_000_000;

/// What a number becomes.
enum As {
    /// Per cent from 1 to 100, rounded up; none and 0 are 100, as in BOINC.
    Share,
    /// Per cent from 0 to 100, rounded down; 0 is 100: BOINC's "no limit".
    Load,
    /// Per cent from 0 to 100, rounded up.
    Percent,
    /// Degrees from 1 to 150.
    Celsius,
    /// A whole number of cores, or of transfers; 0 is left out.
    Count,
    /// Minutes; 0 is 0.
    Minutes,
    /// Seconds; 0 is 0.
    Seconds,
    /// GB of 2³⁰ bytes, as BOINC counts them; 0 is what the text says.
    Gigabytes(&'static str),
    /// Bytes a second; 0: no limit.
    Flow,
    /// Bytes; 0 is left out.
    Bytes,
}

/// Tags with numbers: the section and the key that they become.
const NUMBERS: [(&str, &str, &str, As); 22] = [
    ("battery_charge_min_pct", "power", "min_charge_pct", As::Percent),
    ("battery_max_temperature", "power", "max_battery_temp_c", As::Celsius),
    ("idle_time_to_run", "idle", "after", As::Minutes),
    ("suspend_if_no_recent_input", "idle", "stop_after", As::Minutes),
    ("suspend_cpu_usage", "cpu", "max_other_load_pct", As::Load),
    ("niu_suspend_cpu_usage", "idle_limits", "max_other_load_pct", As::Load),
    ("cpu_usage_limit", "cpu", "throttle_pct", As::Share),
    ("niu_cpu_usage_limit", "idle_limits", "throttle_pct", As::Share),
    ("max_ncpus_pct", "cpu", "max_cores_pct", As::Share),
    ("niu_max_ncpus_pct", "idle_limits", "max_cores_pct", As::Share),
    ("max_cpus", "cpu", "max_cores", As::Count),
    ("ram_max_used_busy_pct", "memory", "max_pct", As::Share),
    ("ram_max_used_idle_pct", "idle_limits", "memory_max_pct", As::Share),
    ("vm_max_used_pct", "memory", "max_swap_pct", As::Percent),
    ("disk_max_used_gb", "disk", "max_size", As::Gigabytes("1048576TiB")),
    ("disk_max_used_pct", "disk", "max_pct", As::Share),
    ("disk_min_free_gb", "disk", "min_free", As::Gigabytes("0")),
    ("disk_interval", "disk", "min_write_interval", As::Seconds),
    ("max_bytes_sec_down", "network", "max_down", As::Flow),
    ("max_bytes_sec_up", "network", "max_up", As::Flow),
    ("daily_xfer_limit_mb", "", "", As::Count),
    ("daily_xfer_period_days", "", "", As::Count),
];

/// Tags with flags: the section and the key that they become, and whether the flag is turned round.
const FLAGS: [(&str, &str, &str, bool); 5] = [
    ("run_on_batteries", "power", "on_battery", false),
    ("run_if_user_active", "idle", "require_idle", true),
    ("run_gpu_if_user_active", "gpu", "when_active", false),
    ("leave_apps_in_memory", "suspend", "keep_in_memory", false),
    ("network_wifi_only", "network", "unmetered_only", false),
];

/// Tags that mean nothing here, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    ("cpu_scheduling_period_minutes", "there are no time slices between projects"),
    (
        "work_buf_min_days",
        "a node sells free cores; `market.max_queued` sub-tasks wait for one, 0 by default",
    ),
    (
        "work_buf_additional_days",
        "a node sells free cores; `market.max_queued` sub-tasks wait for one, 0 by default",
    ),
    ("confirm_before_connecting", "a node is always connected"),
    ("hangup_if_dialed", "a node is always connected"),
    ("dont_verify_images", "files are always checked by their hashes"),
];

/// Tags about the file itself.
const METADATA: [&str; 6] =
    ["mod_time", "source_project", "source_scheduler", "host_specific", "override_file_present", "venue"];

/// A policy that is being put together.
#[derive(Default)]
pub(super) struct Draft {
    /// Values by section and key, as they are written in the file.
    values: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    /// What is written at the top.
    start_delay: Option<String>,
    /// The hours of work and of the network.
    pub(super) times: Times,
    notes: Vec<String>,
}

impl Draft {
    /// Says something about what was left out.
    pub(super) fn note(&mut self, sentence: String) {
        if !self.notes.contains(&sentence) {
            self.notes.push(sentence);
        }
    }

    fn put(&mut self, section: &'static str, key: &'static str, value: String) {
        self.values.entry(section).or_default().insert(key, value);
    }

    /// The policy as a file.
    pub(super) fn finish(mut self) -> Imported {
        if self.values.get("memory").is_some_and(|keys| keys.contains_key("max_pct")) {
            let note =
                "`memory.max_pct` is a share of the memory that is free, not of all memory as in BOINC";
            self.note(note.to_owned());
        }
        self.note("what the file does not say is as by default here, not as in BOINC".to_owned());
        let mut toml = String::from("# Made from preferences of BOINC.\nversion = 1\n");
        if let Some(delay) = &self.start_delay {
            toml.push_str(&format!("start_delay = {delay}\n"));
        }
        for (section, keys) in &self.values {
            toml.push_str(&format!("\n[{section}]\n"));
            keys.iter().for_each(|(key, value)| toml.push_str(&format!("{key} = {value}\n")));
        }
        self.times.write(&mut toml);
        Imported { toml, notes: self.notes }
    }
}

/// Reads `global_preferences`, or one of its venues.
pub(super) fn preferences<'a, 'input>(
    parent: Node<'a, 'input>,
    draft: &mut Draft,
) -> Result<(), Wrong<'a, 'input>> {
    let mut volume = (0, 0);
    for node in parent.children().filter(Node::is_element) {
        let name = node.tag_name().name();
        if let Some((tag, section, key, kind)) = NUMBERS.iter().find(|(tag, ..)| *tag == name) {
            let number = number(node)?;
            match *tag {
                "daily_xfer_limit_mb" => volume.0 = number,
                "daily_xfer_period_days" => volume.1 = number,
                _ => take(draft, node, (section, key), kind, number),
            }
        } else if let Some((_, section, key, is_turned)) = FLAGS.iter().find(|(tag, ..)| *tag == name) {
            draft.put(section, key, (flag(node)? != *is_turned).to_string());
        } else if let Some((tag, why)) = LEFT_OUT.iter().find(|(tag, _)| *tag == name) {
            draft.note(format!("`{tag}` is left out: {why}"));
        } else if name == "day_prefs" {
            draft.times.day(node)?;
        } else if !draft.times.general(node)? && !METADATA.contains(&name) {
            draft.note(format!("`{}` is left out: it is not a tag that is known here", shortened(name)));
        }
    }
    match volume {
        (0, 0) => {}
        (megabytes, days) if megabytes > 0 && days > 0 => {
            // BOINC's MB are 2²⁰ bytes.
            let (bytes, days) = (binary(megabytes, 1 << 20).max(1), days.min(36_500 * UNIT));
            let period = (days.saturating_mul(86_400) / UNIT).max(1);
            draft.put("network", "volume", quoted(&format!("{bytes} per {period}s")));
        }
        _ => draft.note(
            "`daily_xfer_limit_mb` and `daily_xfer_period_days` count only together: both are left out"
                .to_owned(),
        ),
    }
    Ok(())
}

/// Reads `cc_config`.
pub(super) fn config<'a, 'input>(root: Node<'a, 'input>, draft: &mut Draft) -> Result<(), Wrong<'a, 'input>> {
    let mut programs = BTreeSet::new();
    let options = root.children().filter(|node| node.has_tag_name("options"));
    for node in options.flat_map(|options| options.children()).filter(Node::is_element) {
        let text = node.text().unwrap_or_default().trim();
        match node.tag_name().name() {
            "exclusive_app" => {
                if (1..=255).contains(&text.len()) && !text.chars().any(char::is_control) {
                    programs.insert(text.to_owned());
                } else {
                    draft.note("an `exclusive_app` without a name of 1 to 255 bytes is left out".to_owned());
                }
            }
            // BOINC: -1 is "all that there are".
            "ncpus" if text == "-1" => {}
            "ncpus" => {
                let cores = number(node)?;
                take(draft, node, ("cpu", "max_cores"), &As::Count, cores);
            }
            "process_priority" => match text {
                "-1" => {}
                "0" => draft.put("cpu", "nice", "19".to_owned()),
                "1" => draft.put("cpu", "nice", "10".to_owned()),
                _ => {
                    number(node)?;
                    draft.put("cpu", "nice", "0".to_owned());
                }
            },
            "no_priority_change" => {
                if flag(node)? {
                    draft.put("cpu", "nice", "0".to_owned());
                }
            }
            "start_delay" => draft.start_delay = Some(seconds(number(node)?)),
            "max_file_xfers" => {
                let transfers = number(node)?.min(1_000 * UNIT);
                take(draft, node, ("network", "max_transfers"), &As::Count, transfers);
            }
            "max_stdout_file_size" => {
                let bytes = number(node)?;
                take(draft, node, ("limits", "max_output"), &As::Bytes, bytes);
            }
            "device_name" => device(text, draft),
            "exit_when_idle" => {
                draft.note("`exit_when_idle`: see `compup2p join --exit-when-idle`".to_owned())
            }
            "abort_jobs_on_exit" => draft.note("`abort_jobs_on_exit`: see `compup2p leave --now`".to_owned()),
            other => draft.note(format!("`{}` is left out: it has no counterpart here", shortened(other))),
        }
    }
    if !programs.is_empty() {
        let names: Vec<String> = programs.iter().map(|name| quoted(name)).collect();
        draft.put("exclusive", "programs", format!("[{}]", names.join(", ")));
    }
    Ok(())
}

fn device(name: &str, draft: &mut Draft) {
    if (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        draft.put("node", "name", quoted(name));
    } else {
        draft.note("`device_name` is left out: a name has 1 to 64 characters".to_owned());
    }
}

/// Puts a number where it belongs; says so where it had to be changed.
fn take(
    draft: &mut Draft,
    node: Node<'_, '_>,
    (section, key): (&'static str, &'static str),
    kind: &As,
    number: u64,
) {
    let whole = number / UNIT;
    let up = number.div_ceil(UNIT);
    let mut bounded = |value: u64, least: u64, most: u64| {
        let kept = value.clamp(least, most);
        if kept != value {
            let tag = node.tag_name().name();
            draft.note(format!("`{tag}` is {value} in the file: `{section}.{key}` takes {least} to {most}"));
        }
        Some(kept.to_string())
    };
    let value = match kind {
        As::Share if number == 0 => Some("100".to_owned()),
        As::Share => bounded(up, 1, 100),
        As::Load if number == 0 => Some("100".to_owned()),
        As::Load => bounded(whole, 0, 100),
        As::Percent => bounded(up, 0, 100),
        As::Celsius => bounded(whole, 1, 150),
        As::Count if whole == 0 => None,
        As::Count => bounded(whole, 1, u64::from(u32::MAX)),
        As::Minutes => Some(seconds(number.saturating_mul(60))),
        As::Seconds => Some(seconds(number)),
        As::Gigabytes(none) if number == 0 => Some(quoted(none)),
        As::Gigabytes(_) => Some(binary(number, 1 << 30).to_string()),
        As::Flow if whole == 0 => Some(quoted("0")),
        As::Flow => Some(quoted(&format!("{whole}/s"))),
        As::Bytes if whole == 0 => None,
        As::Bytes => Some(whole.to_string()),
    };
    if let Some(value) = value {
        draft.put(section, key, value);
    }
}

/// Millionths of a unit of `factor` bytes in bytes, at most 2⁶⁰.
fn binary(number: u64, factor: u64) -> u64 {
    let bytes = u128::from(number) * u128::from(factor) / u128::from(UNIT);
    u64::try_from(bytes).unwrap_or(u64::MAX).min(1 << 60)
}

/// Millionths of a second as a value, at most 36500 days.
fn seconds(number: u64) -> String {
    let most = 36_500 * 86_400;
    quoted(&format!("{}s", (number / UNIT).min(most)))
}

/// The flag of an element: 1, 0, or an empty element for 1.
fn flag<'a, 'input>(node: Node<'a, 'input>) -> Result<bool, Wrong<'a, 'input>> {
    match node.text().unwrap_or_default().trim() {
        "" => Ok(true),
        _ => number(node).map(|number| number != 0),
    }
}

/// The number of an element, in millionths, cut after the sixth decimal.
pub(super) fn number<'a, 'input>(node: Node<'a, 'input>) -> Result<u64, Wrong<'a, 'input>> {
    let text = node.text().unwrap_or_default().trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0;
    let millionths: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole = if whole.is_empty() { "0" } else { whole };
    let parsed = whole.parse::<u64>().ok().zip(millionths.parse::<u64>().ok());
    let parsed = parsed.filter(|(whole, _)| is_number && *whole <= MAX_NUMBER);
    let wrong = || {
        let tag = node.tag_name().name();
        let found = shortened(text);
        (node, format!("`{found}` is not a value for `{tag}`: expected a number from 0 to {MAX_NUMBER}"))
    };
    parsed.map(|(whole, part)| whole.saturating_mul(UNIT).saturating_add(part)).ok_or_else(wrong)
}

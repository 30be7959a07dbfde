//! Which keys there are, what each one sets, and which ones have no effect yet.

use super::item::{Item, Outcome};
use super::{Opening, Policy, quantity as q, read, schedule};

/// A key and how its value goes into a `T`.
pub(super) struct Key<T: 'static> {
    /// The key.
    pub(super) name: &'static str,
    /// Reads the value.
    pub(super) set: fn(&mut T, Item<'_>) -> Outcome<()>,
}

/// A section: its keys, and those that the format has and this version does not act on.
pub(super) struct Section<T: 'static> {
    /// The section; empty for the top of the file.
    pub(super) name: &'static str,
    /// The keys that have an effect.
    pub(super) keys: &'static [Key<T>],
    /// The keys that have none yet.
    pub(super) reserved: &'static [&'static str],
}

/// The top of the file: the version, and the sections.
pub(super) static TOP: Section<Policy> = Section {
    name: "",
    keys: &[
        Key { name: "version", set: |_, item| q::version(item) },
        Key { name: "share", set: |p, item| read::section(&SHARE, p, item) },
        Key { name: "market", set: |p, item| read::section(&MARKET, p, item) },
        Key { name: "cpu", set: |p, item| read::section(&CPU, p, item) },
        Key { name: "memory", set: |p, item| read::section(&MEMORY, p, item) },
        Key { name: "disk", set: |p, item| read::section(&DISK, p, item) },
        Key { name: "limits", set: |p, item| read::section(&LIMITS, p, item) },
        Key { name: "network", set: |p, item| read::section(&NETWORK, p, item) },
        Key { name: "access", set: |p, item| read::section(&ACCESS, p, item) },
        Key { name: "schedule", set: |p, item| read::openings(item).map(|all| p.schedule = all) },
    ],
    reserved: &["start_delay", "rule"],
};

static SHARE: Section<Policy> = Section {
    name: "share",
    keys: &[Key { name: "compute", set: |p, item| q::flag(item).map(|flag| p.share_compute = flag) }],
    reserved: &["storage", "files"],
};

static MARKET: Section<Policy> = Section {
    name: "market",
    keys: &[
        Key { name: "marginal_cost", set: |p, item| q::cost(item).map(|rate| p.marginal_cost = rate) },
        Key { name: "min_price", set: |p, item| q::price(item).map(|rate| p.min_price = rate) },
    ],
    reserved: &["currency_per_kwh", "idle_watts", "busy_watts", "max_queued"],
};

static CPU: Section<Policy> = Section {
    name: "cpu",
    keys: &[
        Key { name: "max_cores", set: |p, item| q::cores(item).map(|cores| p.max_cores = Some(cores)) },
        Key { name: "max_cores_pct", set: |p, item| q::share(item).map(|pct| p.max_cores_pct = pct) },
        Key {
            name: "max_other_load_pct",
            set: |p, item| q::percent(item).map(|pct| p.max_other_load_pct = pct),
        },
        Key { name: "assume_idle", set: |p, item| q::flag(item).map(|flag| p.assume_idle = flag) },
    ],
    reserved: &["throttle_pct", "nice"],
};

static MEMORY: Section<Policy> = Section {
    name: "memory",
    keys: &[Key { name: "max_pct", set: |p, item| q::share(item).map(|pct| p.memory_max_pct = pct) }],
    reserved: &["max_swap_pct"],
};

static DISK: Section<Policy> = Section {
    name: "disk",
    keys: &[Key { name: "max_size", set: |p, item| q::size(item).map(|size| p.disk_max_size = size) }],
    reserved: &["dir", "max_pct", "min_free", "min_write_interval"],
};

static LIMITS: Section<Policy> = Section {
    name: "limits",
    keys: &[
        Key { name: "max_run_time", set: |p, item| q::duration(item).map(|span| p.max_run_time = span) },
        Key { name: "max_memory", set: |p, item| q::size(item).map(|size| p.max_memory = size) },
        Key { name: "max_output", set: |p, item| q::size(item).map(|size| p.max_output = size) },
        Key { name: "sandbox", set: |p, item| q::sandbox(item).map(|sandbox| p.sandbox = sandbox) },
    ],
    reserved: &["max_processes", "network"],
};

static NETWORK: Section<Policy> = Section {
    name: "network",
    keys: &[Key { name: "listen", set: |p, item| q::address(item).map(|address| p.listen = address) }],
    reserved: &["max_up", "max_down", "volume", "unmetered_only", "relay", "max_transfers"],
};

static ACCESS: Section<Policy> = Section {
    name: "access",
    keys: &[
        Key { name: "deny_nodes", set: |p, item| q::nodes(item).map(|nodes| p.deny_nodes = nodes) },
        Key { name: "allow_nodes", set: |p, item| q::nodes(item).map(|nodes| p.allow_nodes = nodes) },
        Key { name: "deny_ips", set: |p, item| q::subnets(item).map(|subnets| p.deny_ips = subnets) },
    ],
    reserved: &["min_buyer_reputation", "deny_programs"],
};

/// One `[[schedule]]`.
pub(super) static SCHEDULE: Section<Opening> = Section {
    name: "schedule",
    keys: &[
        Key { name: "days", set: |opening, item| schedule::days(item).map(|days| opening.days = days) },
        Key { name: "hours", set: |opening, item| schedule::hours(item).map(|hours| opening.hours = hours) },
    ],
    reserved: &["kind"],
};

/// The sections with keys that have an effect.
pub(super) static SECTIONS: [&Section<Policy>; 8] =
    [&SHARE, &MARKET, &CPU, &MEMORY, &DISK, &LIMITS, &NETWORK, &ACCESS];

/// The sections that have no effect yet.
pub(super) static CLOSED: [Section<Policy>; 8] = [
    closed("idle", &["require_idle", "after", "min_use", "stop_after", "sources"]),
    closed("in_use", &["max_cores_pct", "max_other_load_pct", "memory_max_pct"]),
    closed("idle_limits", &["max_cores_pct", "max_other_load_pct", "memory_max_pct"]),
    closed(
        "power",
        &[
            "on_battery",
            "min_charge_pct",
            "max_battery_temp_c",
            "keep_awake",
            "max_cpu_temp_c",
            "resume_cpu_temp_c",
        ],
    ),
    closed("gpu", &["when_active"]),
    closed("suspend", &["for", "resume_after", "keep_in_memory", "max", "kill_grace"]),
    closed("exclusive", &["programs"]),
    closed("node", &["name"]),
];

const fn closed(name: &'static str, reserved: &'static [&'static str]) -> Section<Policy> {
    Section { name, keys: &[], reserved }
}

/// The section that has the key, empty for the top of the file; none for sections.
pub(super) fn owner_of(key: &str) -> Option<&'static str> {
    fn has<T>(section: &Section<T>, key: &str) -> Option<&'static str> {
        section.keys.iter().any(|known| known.name == key).then_some(section.name)
    }
    let sections = SECTIONS.iter().find_map(|section| has(section, key));
    sections.or_else(|| has(&SCHEDULE, key)).or_else(|| (key == "version").then_some(TOP.name))
}

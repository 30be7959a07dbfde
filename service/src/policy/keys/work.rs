//! The keys about work: its price, its share of the machine, and when it stands still.

use super::super::{quantity as q, text};
use super::{Key, Policy, Section, key};

pub(super) static MARKET: Section<Policy> = Section {
    name: "market",
    keys: &[
        key!("marginal_cost", q::cost, text::cost, fixed_cost),
        key!("currency_per_kwh", q::tariff, text::tariff, cost_model.currency_per_kwh),
        key!("idle_watts", q::watts, text::plain, cost_model.idle_watts),
        key!("busy_watts", q::watts, text::plain, cost_model.busy_watts),
        key!("wear_per_core_hour", q::currency, text::plain, cost_model.wear_per_core_hour),
        key!("listing_cost", q::price, text::plain, cost_model.listing_cost),
        key!("credits_per_currency", q::credits, text::plain, cost_model.credits_per_currency),
        key!("min_price", q::price, text::plain, min_price),
        key!("memory_price", q::price, text::plain, memory_price),
        key!("disk_price", q::price, text::plain, disk_price),
        Key { name: "max_queued", set: |_, item| q::no_queue(item), show: |_| Some("0".to_owned()) },
    ],
    reserved: &[],
};

pub(super) static CPU: Section<Policy> = Section {
    name: "cpu",
    keys: &[
        key!("max_cores", q::some_cores, text::maybe, max_cores),
        key!("max_cores_pct", q::share, text::plain, max_cores_pct),
        key!("max_other_load_pct", q::percent, text::plain, max_other_load_pct),
        key!("throttle_pct", q::share, text::plain, throttle_pct),
        key!("nice", q::nice, text::plain, nice),
        key!("assume_idle", q::flag, text::plain, assume_idle),
    ],
    reserved: &[],
};

pub(super) static MEMORY: Section<Policy> = Section {
    name: "memory",
    keys: &[
        key!("max_pct", q::share, text::plain, memory_max_pct),
        key!("max_swap_pct", q::percent, text::plain, max_swap_pct),
    ],
    reserved: &[],
};

pub(super) static IN_USE: Section<Policy> = Section {
    name: "in_use",
    keys: &[
        key!("max_cores_pct", q::some_share, text::maybe, in_use.max_cores_pct),
        key!("max_other_load_pct", q::some_percent, text::maybe, in_use.max_other_load_pct),
        key!("throttle_pct", q::some_share, text::maybe, in_use.throttle_pct),
        key!("memory_max_pct", q::some_share, text::maybe, in_use.memory_max_pct),
    ],
    reserved: &[],
};

pub(super) static IDLE_LIMITS: Section<Policy> = Section {
    name: "idle_limits",
    keys: &[
        key!("max_cores_pct", q::some_share, text::maybe, idle_limits.max_cores_pct),
        key!("max_other_load_pct", q::some_percent, text::maybe, idle_limits.max_other_load_pct),
        key!("throttle_pct", q::some_share, text::maybe, idle_limits.throttle_pct),
        key!("memory_max_pct", q::some_share, text::maybe, idle_limits.memory_max_pct),
    ],
    reserved: &[],
};

pub(super) static IDLE: Section<Policy> = Section {
    name: "idle",
    keys: &[
        key!("require_idle", q::flag, text::plain, idle.require_idle),
        key!("after", q::wait, text::span, idle.after),
        key!("min_use", q::wait, text::span, idle.min_use),
        key!("stop_after", q::wait_or_off, text::span_or_zero, idle.stop_after),
        key!("sources", q::sources, text::sources, idle.sources),
    ],
    reserved: &[],
};

pub(super) static POWER: Section<Policy> = Section {
    name: "power",
    keys: &[
        key!("on_battery", q::flag, text::plain, power.on_battery),
        key!("min_charge_pct", q::percent, text::plain, power.min_charge_pct),
        key!("max_battery_temp_c", q::some_celsius, text::maybe, power.max_battery_temp_c),
        key!("keep_awake", q::flag, text::plain, power.keep_awake),
        key!("max_cpu_temp_c", q::some_celsius, text::maybe, power.max_cpu_temp_c),
        key!("resume_cpu_temp_c", q::some_celsius, text::maybe, power.resume_cpu_temp_c),
    ],
    reserved: &[],
};

pub(super) static SUSPEND: Section<Policy> = Section {
    name: "suspend",
    keys: &[
        key!("for", q::wait, text::span, suspend.hold),
        key!("resume_after", q::wait, text::span, suspend.resume_after),
        key!("keep_in_memory", q::flag, text::plain, suspend.keep_in_memory),
        key!("max", q::wait_or_never, text::span_or_never, suspend.max),
        key!("kill_grace", q::wait, text::span, suspend.kill_grace),
    ],
    reserved: &[],
};

pub(super) static EXCLUSIVE: Section<Policy> = Section {
    name: "exclusive",
    keys: &[key!("programs", q::programs, text::texts, exclusive)],
    reserved: &[],
};

pub(super) static LIMITS: Section<Policy> = Section {
    name: "limits",
    keys: &[
        key!("max_run_time", q::duration, text::span, max_run_time),
        key!("max_memory", q::size, text::size, max_memory),
        key!("max_output", q::size, text::size, max_output),
        key!("max_processes", q::processes, text::plain, max_processes),
        Key { name: "network", set: |_, item| q::no_network(item), show: |_| Some("false".to_owned()) },
        key!("sandbox", q::sandbox, text::sandbox, sandbox),
    ],
    reserved: &[],
};

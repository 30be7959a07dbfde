//! What a policy means, in sentences: for `policy check`.

use super::text::{bytes, duration, in_words};
use super::{Kind, MarginalCost, Opening, Override, Policy, Sandbox, Tariff, Weekday};
use proto::Bytes;

/// What `policy` means, a sentence a line. What is as every machine has it is left out.
#[must_use]
pub fn describe(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(policy.node_name.iter().map(|name| format!("the node is called {name}")));
    if policy.share_compute {
        lines.push(price(policy));
        lines.push(cores(policy));
        lines.push(load(policy));
        lines.extend(overrides("while somebody uses the machine", &policy.in_use));
        lines.extend(overrides("while nobody is there", &policy.idle_limits));
        lines.push(space(policy));
    } else {
        lines.push("shares no compute power".to_owned());
    }
    lines.extend(shared(policy));
    lines.extend(times(policy));
    lines.extend(presence(policy));
    lines.extend(power(policy));
    if !policy.exclusive.is_empty() {
        let names: Vec<&str> = policy.exclusive.iter().map(String::as_str).collect();
        lines.push(format!("leaves the machine alone while one of these runs: {}", names.join(", ")));
    }
    lines.push(suspension(policy));
    lines.push(limits(policy));
    lines.extend(network(policy));
    lines.extend(access(policy));
    lines.extend(policy.rules.iter().enumerate().map(|(place, rule)| {
        let set: Vec<String> =
            rule.set.iter().map(|setting| format!("{} is {}", setting.key(), setting.value())).collect();
        let or = if place == 0 { "when" } else { "else when" };
        format!("{or} `{}`: {}", rule.when, set.join(", "))
    }));
    lines.extend(policy.warnings());
    lines
}

fn price(policy: &Policy) -> String {
    let cost = match policy.marginal_cost() {
        MarginalCost::Fixed(rate) => {
            format!("sells compute power at {} credits per Gc", rate.max(policy.min_price))
        }
        MarginalCost::Auto(model) => {
            let price = match &model.currency_per_kwh {
                Tariff::Flat(price) => format!("{price} a kWh"),
                Tariff::ByHour(entries) => {
                    let entry = |(hours, price): &(super::Hours, super::Micro)| format!("{price} ({hours})");
                    let shown: Vec<String> = entries.iter().map(entry).collect();
                    format!("{} a kWh", shown.join(" and "))
                }
            };
            format!(
                "sells compute power at what it costs, computed from electricity at {price}, {} W idle and \
                 {} W busy, {} an hour for the wear of a core, {} credits per Gc for listing, and {} credits a unit \
                 of currency",
                model.idle_watts,
                model.busy_watts,
                model.wear_per_core_hour,
                model.listing_cost,
                model.credits_per_currency
            )
        }
    };
    match (policy.fixed_cost, policy.min_price) {
        (None, least) if least.0 > 0 => format!("{cost}; never for less than {least} credits per Gc"),
        _ => cost,
    }
}

fn cores(policy: &Policy) -> String {
    let most = policy.max_cores.map_or(String::new(), |most| format!(", at most {most}"));
    let which = if policy.assume_idle {
        "cores, whether they are idle or not"
    } else {
        "cores, as far as they are idle"
    };
    let throttle = if policy.throttle_pct < 100 {
        format!(", {} % of the time", policy.throttle_pct)
    } else {
        String::new()
    };
    format!("uses up to {} % of the {which}{most}{throttle}, at nice {}", policy.max_cores_pct, policy.nice)
}

fn load(policy: &Policy) -> String {
    if policy.assume_idle {
        "does not look at the load of other programs".to_owned()
    } else {
        format!("shares while other programs use at most {} % of the processor", policy.max_other_load_pct)
    }
}

fn overrides(when: &str, limits: &Override) -> Option<String> {
    let table = [
        (limits.max_cores_pct, "of the cores"),
        (limits.max_other_load_pct, "load of other programs"),
        (limits.throttle_pct, "of the time"),
        (limits.memory_max_pct, "of the free memory"),
    ];
    let shown: Vec<String> =
        table.iter().filter_map(|(limit, what)| limit.map(|pct| format!("up to {pct} % {what}"))).collect();
    (!shown.is_empty()).then(|| format!("{when}: {}", shown.join(", ")))
}

fn space(policy: &Policy) -> String {
    let disk = &policy.disk;
    let mut text = format!(
        "offers up to {} % of the free memory and {} of disk space",
        policy.memory_max_pct,
        bytes(policy.disk_max_size)
    );
    if disk.max_pct < 100 {
        text.push_str(&format!(", at most {} % of the disk", disk.max_pct));
    }
    if disk.min_free > Bytes(0) {
        text.push_str(&format!(", and keeps {} of it free", bytes(disk.min_free)));
    }
    if let Some(dir) = &disk.dir {
        text.push_str(&format!(", in {dir}"));
    }
    if policy.max_swap_pct < 100 {
        text.push_str(&format!("; not while more than {} % of the swap space is used", policy.max_swap_pct));
    }
    text
}

fn shared(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    if policy.share_storage {
        let (memory, disk) = (policy.memory_price, policy.disk_price);
        lines.push(format!(
            "sells memory and disk space by themselves too, at {memory} and {disk} credits per GiB and hour"
        ));
    }
    if policy.share_native {
        lines.push(match policy.sandbox {
            Sandbox::Best => {
                "runs native programs and containers too, in the best sandbox there is".to_owned()
            }
            Sandbox::Required => {
                "runs native programs and containers too, in the whole sandbox or not at all".to_owned()
            }
            Sandbox::None => "runs native programs too, without a sandbox".to_owned(),
        });
    }
    if !policy.share_files.is_empty() {
        lines.push(format!("lets everybody have the files {}", policy.share_files.join(", ")));
    }
    if !policy.code_servers.is_empty() {
        let servers = policy.code_servers.join(", ");
        lines.push(format!("looks for files that nobody in the network has at {servers}"));
    }
    lines
}

fn times(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    if policy.start_delay.0 > 0 {
        lines.push(format!("waits {} after its start", duration(policy.start_delay)));
    }
    for (kind, what) in [(Kind::Compute, "shares"), (Kind::Network, "uses the network")] {
        let entries: Vec<String> =
            policy.schedule.iter().filter(|opening| opening.kind == kind).map(opening).collect();
        if !entries.is_empty() {
            lines.push(format!("{what} only {}", entries.join(", and ")));
        } else if kind == Kind::Compute {
            lines.push("shares at every hour of every day".to_owned());
        }
    }
    lines
}

fn opening(opening: &Opening) -> String {
    let hours: Vec<String> = opening.hours.iter().map(ToString::to_string).collect();
    let is_whole =
        opening.hours.iter().any(|hours| hours.start == hours.end || (hours.start, hours.end) == (0, 1440));
    let hours = if is_whole { "all day".to_owned() } else { format!("at {}", hours.join(", ")) };
    format!("{} {hours}", days(opening))
}

/// Days in words: neighbours as a range.
fn days(opening: &Opening) -> String {
    let mut runs: Vec<(Weekday, Weekday)> = Vec::new();
    for day in &opening.days {
        match runs.last_mut() {
            Some((_, last)) if last.next() == *day => *last = *day,
            _ => runs.push((*day, *day)),
        }
    }
    let shown: Vec<String> = runs
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    if opening.days.len() == 7 { "every day".to_owned() } else { format!("on {}", shown.join(", ")) }
}

fn presence(policy: &Policy) -> Vec<String> {
    let idle = &policy.idle;
    let mut lines = Vec::new();
    if idle.require_idle {
        lines.push(format!(
            "works only while nobody has used keyboard or mouse for {} (use of less than {} does not count)",
            duration(idle.after),
            duration(idle.min_use)
        ));
    }
    if let Some(most) = idle.stop_after {
        lines.push(format!(
            "stops when nobody has used the machine for {}, so that it may sleep",
            duration(most)
        ));
    }
    lines
}

fn power(policy: &Policy) -> Vec<String> {
    let power = &policy.power;
    let mut lines = Vec::new();
    lines.push(if power.on_battery { "works on battery too" } else { "does not work on battery" }.to_owned());
    if power.min_charge_pct > 0 {
        lines.push(format!("works while the battery is at {} % or more", power.min_charge_pct));
    }
    if let Some(most) = power.max_battery_temp_c {
        lines.push(format!("works while the battery is no hotter than {most} °C"));
    }
    if let Some((most, resume)) = policy.heat() {
        lines.push(format!("stops when the processor is hotter than {most} °C, until it is at {resume} °C"));
    }
    if power.keep_awake {
        lines.push("keeps the machine awake while it works".to_owned());
    }
    lines
}

fn suspension(policy: &Policy) -> String {
    let suspend = &policy.suspend;
    let grace = duration(suspend.kill_grace);
    let fate = match (suspend.keep_in_memory, suspend.max) {
        (false, _) => format!("is handed back, with {grace} to end in order"),
        (true, None) => "stands still in memory".to_owned(),
        (true, Some(max)) => {
            format!(
                "stands still in memory; after {} it is handed back, with {grace} to end in order",
                duration(max)
            )
        }
    };
    format!(
        "work that must stop for {} {fate}; it goes on when nothing has spoken against it for {}",
        duration(suspend.hold),
        duration(suspend.resume_after)
    )
}

fn limits(policy: &Policy) -> String {
    format!(
        "each sub-task: at most {}, {} of memory, {} of output, {} processes; {} or more between two checkpoints",
        duration(policy.max_run_time),
        bytes(policy.max_memory),
        bytes(policy.max_output),
        policy.max_processes,
        duration(policy.disk.min_write_interval)
    )
}

fn network(policy: &Policy) -> Vec<String> {
    let traffic = &policy.traffic;
    let mut lines = vec![format!(
        "listens on {}, with at most {} transfers at a time",
        policy.listen, traffic.max_transfers
    )];
    let caps = [(traffic.max_up, "sends"), (traffic.max_down, "receives")];
    lines.extend(
        caps.iter()
            .filter_map(|(cap, what)| cap.map(|most| format!("{what} at most {} a second", bytes(most)))),
    );
    lines.extend(
        traffic
            .volume
            .map(|volume| format!("sells nothing once {} are sent and received", in_words(&volume))),
    );
    if traffic.unmetered_only {
        lines.push("sells nothing while the network is paid for by volume".to_owned());
    }
    if !traffic.relay {
        lines.push("passes no messages on for nodes that cannot be reached".to_owned());
    }
    lines
}

fn access(policy: &Policy) -> Vec<String> {
    let table = [
        (policy.allow_nodes.len(), "serves only the nodes on its list", "allow_nodes"),
        (policy.deny_nodes.len(), "does not serve the nodes on its list", "deny_nodes"),
        (policy.deny_ips.len(), "does not serve the addresses on its list", "deny_ips"),
        (policy.deny_programs.len(), "does not run the programs on its list", "deny_programs"),
    ];
    let used = table.into_iter().filter(|(entries, ..)| *entries > 0);
    used.map(|(entries, what, key)| format!("{what} `access.{key}` ({entries})")).collect()
}

//! What a policy that was read again has changed.

use proto::PublicKey;
use service::policy::Policy;

/// The keys whose values differ, as `key: old → new`, in the order of the format.
pub(in crate::node) fn difference(old: &Policy, new: &Policy) -> Vec<String> {
    let changed = values(old).into_iter().zip(values(new)).filter(|((_, old), (_, new))| old != new);
    changed.map(|((key, old), (_, new))| format!("{key}: {old} → {new}")).collect()
}

/// What of a change counts from the next start on only.
pub(in crate::node) fn at_next_start(old: &Policy, new: &Policy) -> Vec<String> {
    let listen = (old.listen != new.listen).then(|| "network.listen".to_owned());
    listen.into_iter().collect()
}

fn values(policy: &Policy) -> Vec<(&'static str, String)> {
    let keys = |keys: &[PublicKey]| {
        let shown: Vec<String> = keys.iter().map(PublicKey::to_hex).collect();
        format!("[{}]", shown.join(", "))
    };
    vec![
        ("share.compute", policy.share_compute.to_string()),
        ("market.marginal_cost", policy.marginal_cost.to_string()),
        ("market.min_price", policy.min_price.to_string()),
        ("cpu.max_cores", policy.max_cores.map_or_else(|| "none".into(), |cores| cores.to_string())),
        ("cpu.max_cores_pct", policy.max_cores_pct.to_string()),
        ("cpu.max_other_load_pct", policy.max_other_load_pct.to_string()),
        ("cpu.assume_idle", policy.assume_idle.to_string()),
        ("memory.max_pct", policy.memory_max_pct.to_string()),
        ("disk.max_size", policy.disk_max_size.to_string()),
        ("limits.max_run_time", policy.max_run_time.to_string()),
        ("limits.max_memory", policy.max_memory.to_string()),
        ("limits.max_output", policy.max_output.to_string()),
        ("limits.sandbox", format!("{:?}", policy.sandbox).to_lowercase()),
        ("network.listen", policy.listen.to_string()),
        ("access.deny_nodes", keys(&policy.deny_nodes)),
        ("access.allow_nodes", keys(&policy.allow_nodes)),
        ("access.deny_ips", format!("{:?}", policy.deny_ips)),
        ("schedule", format!("{:?}", policy.schedule)),
    ]
}

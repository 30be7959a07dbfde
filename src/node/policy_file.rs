//! The policy as a file, and what of it the node's core is told.

use crate::control::Failure;
use crate::net::Caps;
use proto::{Bytes, Span};
use service::Terms;
use service::policy::{MAX_POLICY_SIZE, Policy};
use std::path::{Path, PathBuf};

/// Reads the policy.
pub(super) fn read(path: &Path) -> Result<Policy, Failure> {
    let size = std::fs::metadata(path).map_err(|e| Failure::no_file(path, &e))?.len();
    if usize::try_from(size).is_ok_and(|size| size > MAX_POLICY_SIZE) {
        return Err(Failure::new("too_large", format!("{} is too large for a policy", path.display()), 2));
    }
    let text = std::fs::read_to_string(path).map_err(|e| Failure::no_file(path, &e))?;
    let name = path.display().to_string();
    service::policy::parse(&text, &name).map_err(|faults| Failure::lines("policy_invalid", &faults))
}

/// What a seller accepts, when work may go on by the schedule for `window_left`.
pub(super) fn terms(policy: &Policy, window_left: Option<Span>) -> Terms {
    Terms {
        wall: window_left.map_or(policy.max_run_time, |left| left.min(policy.max_run_time)),
        memory: policy.max_memory,
        disk: policy.disk_max_size,
        output: policy.max_output,
        deny: policy.deny_nodes.clone(),
        allow: policy.allow_nodes.clone(),
        deny_ips: policy.deny_ips.clone(),
        deny_programs: policy.deny_programs.clone(),
        save_every: policy.disk.min_write_interval,
        runtimes: Vec::new(),
        processes: policy.max_processes,
    }
}

/// What contents may take of the network.
pub(super) fn caps(policy: &Policy) -> Caps {
    let rate = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0);
    let traffic = &policy.traffic;
    let transfers = usize::try_from(traffic.max_transfers).unwrap_or(usize::MAX);
    Caps { up: rate(traffic.max_up), down: rate(traffic.max_down), transfers }
}

/// The directory for contents and scratch files: in the node's own unless the policy names another.
pub(super) fn directory(policy: &Policy, home: &Path) -> PathBuf {
    policy.disk.dir.as_ref().map_or_else(|| home.to_owned(), |directory| home.join(directory))
}

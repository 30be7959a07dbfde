//! The policy as a file, and what of it the node's core is told.

use crate::control::Failure;
use crate::net::Caps;
use service::Terms;
use service::policy::{MAX_POLICY_SIZE, Policy};
use std::path::{Path, PathBuf};

/// The priority of the programs of others: below those of the owner, above nothing (BOINC and Folding@home run theirs
/// at the lowest, HTCondor and our systemd unit at 10).
const NICE: u32 = 10;

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

/// What a seller accepts.
pub(super) fn terms(policy: &Policy) -> Terms {
    Terms {
        wall: policy.max_run_time,
        memory: policy.max_memory,
        disk: policy.disk_max_size,
        output: policy.max_output,
        deny: policy.deny_nodes.clone(),
        allow: policy.allow_nodes.clone(),
        deny_ips: policy.deny_ips.clone(),
    }
}

/// What contents may take of the network. The policies of this version have no such keys.
pub(super) const fn caps(_: &Policy) -> Caps {
    Caps::NONE
}

/// The priority of the programs of others, 0 to 19. The policies of this version have no such key.
pub(super) const fn nice(_: &Policy) -> u32 {
    NICE
}

/// Whether the machine is kept awake while it works for others. The policies of this version have no such key.
pub(super) const fn keeps_awake(_: &Policy) -> bool {
    false
}

/// The directory for contents and scratch files, in the node's own unless the policy names another. The policies of
/// this version have no such key.
pub(super) fn directory(_: &Policy, home: &Path) -> PathBuf {
    home.to_owned()
}

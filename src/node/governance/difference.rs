//! What of a policy that was read again has to wait.

use service::policy::Policy;

/// What of a change counts from the next start on only.
pub(in crate::node) fn at_next_start(old: &Policy, new: &Policy) -> Vec<String> {
    let changed = [("network.listen", old.listen != new.listen), ("disk.dir", old.disk.dir != new.disk.dir)];
    changed.iter().filter(|(_, is_changed)| *is_changed).map(|(key, _)| (*key).to_owned()).collect()
}

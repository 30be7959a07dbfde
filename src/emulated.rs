//! A machine and a network as a test wants them instead of as they are: how fast a core is, and how far away everybody
//! is. `tests/cluster/fidelity.rs` makes a network of processes that the simulator can be compared with
//! (`docs/measurements.md`). Nobody else needs it, so it stands in the environment and not among the options.

use proto::Capacity;
use std::time::Duration;

/// What a core executes, in Mc/s.
const CORE: &str = "COMPUP2P_EMULATED_CORE_MCPS";
/// How long every byte that others send is on its way, and every byte to them, in milliseconds.
const LATENCY: &str = "COMPUP2P_EMULATED_LATENCY_MS";

/// What a core of this machine is to execute: programs that are done earlier are held back until then.
pub(crate) fn per_core() -> Option<Capacity> {
    number(CORE).map(Capacity)
}

/// How far away everybody is.
pub(crate) fn latency() -> Option<Duration> {
    number(LATENCY).map(Duration::from_millis)
}

fn number(name: &str) -> Option<u64> {
    let number = std::env::var(name).ok()?.parse().ok().filter(|number| *number > 0)?;
    tracing::warn!("{name}={number}: this is not how fast machine and network are");
    Some(number)
}

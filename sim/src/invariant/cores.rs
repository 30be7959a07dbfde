//! `cores`: no core of a seller is sold twice. What executes at a time and what the market believes to be free
//! fit into the machine together.

use super::{Breach, Checked};
use crate::host::Host;

pub(crate) fn check(host: &Host) -> Checked {
    let (cores, busy) = (host.machine.cores, host.machine.busy_cores());
    let free = host.node().map_or(0, |node| node.market().free_cores());
    Breach::unless(free.saturating_add(busy) <= cores, "cores", || {
        let number = host.number;
        format!("node {number} has {cores} cores, {busy} of them at work, and believes that {free} are free")
    })
}

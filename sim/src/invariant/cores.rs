//! `cores`: no part of a seller's machine is sold twice, be it cores, memory or disk. What executes at a time and what
//! the market believes to be free fit into the machine together.

use super::{Breach, Checked};
use crate::host::Host;
use proto::Bundle;

pub(crate) fn check(host: &Host) -> Checked {
    let (whole, busy) = (host.whole(), host.machine.busy());
    let free = host.node().map_or_else(Bundle::default, |node| node.market().free_part());
    Breach::unless(whole.holds(free.plus(busy)), "cores", || {
        let number = host.number;
        let [whole, busy, free] = [whole, busy, free].map(words);
        format!("node {number} has {whole}, {busy} of that at work, and believes that {free} are free")
    })
}

fn words(part: Bundle) -> String {
    let Bundle { cores, memory, disk } = part;
    format!("{cores} cores, {memory} of memory and {disk} of disk")
}

//! The ring for people.

use super::{Align, Colour, Look, Table, count, short};
use crate::control::{LookupView, NeighbourView, RingCheckView, RingView};
use std::fmt::Write as _;

/// The neighbours of a node, one a line.
pub(in crate::output) fn ring(ring: &RingView, look: Look) -> String {
    let mut text = format!("node {} at {}\n", short(&ring.node_id), ring.address);
    let mut table = table();
    let mut add = |role: String, node: &NeighbourView| table.row(cells(role, node), Colour::Plain);
    if let Some(predecessor) = &ring.predecessor {
        add("predecessor".into(), predecessor);
    }
    for (number, node) in (1..).zip(&ring.successors) {
        add(format!("successor {number}"), node);
    }
    for (number, node) in (1..).zip(&ring.fingers) {
        add(format!("finger {number}"), node);
    }
    text.push_str(&table.render(look.width, look.has_colour));
    text
}

/// The path of a lookup, one node a line, and where it ended.
pub(in crate::output) fn lookup(lookup: &LookupView, look: Look) -> String {
    let mut table = table();
    for hop in &lookup.path {
        table.row(cells(hop.answer.clone(), &hop.node), Colour::Plain);
    }
    table.row(cells("answers for it".into(), &lookup.owner), Colour::Plain);
    let mut text = format!("key {}: {}, {:.2} ms\n", lookup.key, count(lookup.path.len(), "hop"), lookup.ms);
    text.push_str(&table.render(look.width, look.has_colour));
    text
}

/// What a walk around the ring met.
pub(in crate::output) fn ring_check(check: &RingCheckView) -> String {
    let (nodes, defects) = (count(check.nodes, "node"), count(check.defects.len(), "defect"));
    let closed = if check.is_closed { "the ring is closed" } else { "the ring is not closed" };
    let mut text = format!("{nodes}, {closed}, {defects}; {:.2} ms\n", check.ms);
    for defect in &check.defects {
        let _ = writeln!(text, "{defect}");
    }
    text
}

fn table() -> Table {
    let left = Align::Left;
    Table::new(&[("", left), ("node", left), ("address", left), ("account", left), ("ms", Align::Right)])
}

fn cells(role: String, node: &NeighbourView) -> [String; 5] {
    let time = node.ms.map_or_else(|| "-".into(), |ms| format!("{ms:.2}"));
    [role, short(&node.node_id).into(), node.address.clone(), short(&node.account).into(), time]
}

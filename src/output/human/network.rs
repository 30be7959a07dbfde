//! Local networks for people.

use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, count, short, task};
use crate::output::view::{RemoteView, Run, RunningNetwork};
use std::fmt::Write as _;

/// A task on a local network: its table, then who paid and who earned.
pub(in crate::output) fn run(run: &Run<'_>, look: Look) -> String {
    let mut text = task(run.task, look);
    text.push('\n');
    let (left, right) = (Align::Left, Align::Right);
    let columns = [
        ("node", left),
        ("account", left),
        ("before", right),
        ("after", right),
        ("held", right),
        ("change", right),
    ];
    let mut table = Table::new(&columns);
    for row in &run.balances {
        let amounts = [&row.before, &row.after, &row.held, &row.change].map(|amount| two_decimals(amount));
        table.row([row.node.clone(), short(&row.account).into()].into_iter().chain(amounts), Colour::Plain);
    }
    let total = [&run.total.before, &run.total.after].map(|amount| two_decimals(amount));
    let empty = ["", ""].map(String::from);
    table.row(["total", ""].map(String::from).into_iter().chain(total).chain(empty), Colour::Plain);
    text.push_str(&table.render(look.width, look.has_colour));
    if !run.total.adds_up {
        text.push_str("problem: the totals differ: money has appeared or vanished\n");
    }
    if let Some(directory) = &run.kept {
        let _ = writeln!(text, "files kept in {}", directory.display());
    }
    text
}

/// Where other programs have task files done, and what they say.
pub(in crate::output) fn remote(remote: &RemoteView) -> String {
    let RemoteView { address, key } = remote;
    let key = clean(key);
    format!(
        "listening at {address}; Ctrl-C ends it\nprograms send `KEY PATH` and a line end: the key is in {key}, the path is \
         that of a task file\n"
    )
}

/// A local network, and how to talk to it.
pub(in crate::output) fn network(network: &RunningNetwork, look: Look) -> String {
    let nodes = count(network.nodes.len(), "node");
    let mut text = format!("a network of {nodes} runs in {}; Ctrl-C ends it\n", network.directory.display());
    let mut table = Table::new(&[
        ("node", Align::Left),
        ("account", Align::Left),
        ("address", Align::Left),
        ("home", Align::Left),
    ]);
    for node in &network.nodes {
        let home = node.home.display().to_string();
        table
            .row([node.name.clone(), short(&node.account).into(), node.address.clone(), home], Colour::Plain);
    }
    text.push_str(&table.render(look.width, look.has_colour));
    if let Some(node) = network.nodes.first() {
        let home = node.home.display();
        let _ = writeln!(text, "\nuse it from another terminal:\n  export COMPUP2P_HOME={home}");
        text.push_str("  compup2p task submit --wait FILE\n  compup2p status\n");
    }
    let _ = writeln!(
        text,
        "let another node join:\n  compup2p join POLICY --bootstrap {}",
        clean(&network.bootstrap)
    );
    text
}

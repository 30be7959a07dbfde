//! A bank for its operator.

use super::{clean, count};
use crate::control::{
    AdmissionView, InvitationView, OrderedView, PromotedView, ServingView, StandbyView, TotalsView,
};
use std::fmt::Write as _;

/// Names and values, one a line.
fn lines(lines: &[(&str, String)]) -> String {
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<9} {}", clean(value));
        text
    })
}

/// What a bank guarantees, when it begins to serve.
pub(in crate::output) fn serving(view: &ServingView) -> String {
    let head = format!("the bank serves at {}; Ctrl-C ends it\n", view.address);
    head + &lines(&[("key", view.key.clone())]) + &guarantees(view)
}

fn guarantees(view: &ServingView) -> String {
    let standby = match (view.standby.as_str(), view.standbys) {
        ("sync", 0) => "sync: nothing that is answered can be lost with this machine; orders wait for a standby, and none follows"
            .into(),
        ("sync", standbys) => {
            let standbys = count(standbys, "standby");
            let behind = records(view);
            format!("sync: nothing that is answered can be lost with this machine; {standbys}, behind by {behind}")
        }
        (_, 0) => "async: none follows, and all is lost with this machine's disk".into(),
        (_, _) => format!("async: {} would be lost with this machine now", records(view)),
    };
    let quota = view.orders_per_second.map_or_else(
        || "any number of orders".to_owned(),
        |orders| format!("{orders} orders a second for a key, 16 times that for an address"),
    );
    let bond = match view.bond_percent {
        0 => "no bond".into(),
        percent => format!("a bond of {percent} % of the price"),
    };
    lines(&[
        ("store", view.store.clone()),
        ("answers", "leave when what they rest on is on the disk (one sync for many)".into()),
        ("standby", standby),
        ("epoch", view.epoch.to_string()),
        ("quota", quota),
        ("accounts", admission(&view.admission)),
        ("contracts", format!("{bond}; {:.0} s to object to a claim", view.dispute)),
        ("issued", format!("{} credits", view.issued)),
    ])
}

fn records(view: &ServingView) -> String {
    count(usize::try_from(view.behind).unwrap_or(usize::MAX), "record")
}

/// Who gets an account.
pub(in crate::output) fn admission(view: &AdmissionView) -> String {
    let mut text = format!("start with {} credits", view.grant);
    if let Some(count) = view.per_address {
        let _ = write!(text, "; {count} a day for an address");
    }
    if view.work_bits > 0 {
        let _ = write!(text, "; a proof of work of {} bits", view.work_bits);
    }
    if view.is_by_invitation {
        text.push_str("; by invitation");
    }
    text
}

/// The figures of a bank.
pub(in crate::output) fn totals(view: &TotalsView) -> String {
    let first_end = view.first_end.map(|seconds| format!("; the first ends in {seconds:.0} s at the latest"));
    let contracts = format!(
        "{} open, {} of them disputed, {} credits set aside for them{}",
        view.open_holds,
        view.disputes,
        view.escrow,
        first_end.unwrap_or_default()
    );
    let frozen = if view.frozen.is_empty() { "none".into() } else { view.frozen.join(", ") };
    let journal =
        format!("{} records, {} on disk, head {}", view.records, proto::Bytes(view.bytes_on_disk), view.head);
    let money = format!("{} issued = {} available + {} held", view.issued, view.available, view.held);
    lines(&[
        ("bank", format!("{} at {}", view.serving.key, view.serving.address)),
        ("money", money),
        ("contracts", contracts),
        ("accounts", view.accounts.to_string()),
        ("frozen", frozen),
        ("journal", journal),
        ("waiting", count(view.waiting, "message")),
    ]) + &guarantees(&view.serving)
}

/// A standby.
pub(in crate::output) fn standby(view: &StandbyView) -> String {
    let state = match (&view.trouble, view.behind) {
        (Some(trouble), _) => format!("not at the moment: {trouble}"),
        (None, Some(0) | None) => "it has all".into(),
        (None, Some(behind)) => format!("it lacked {behind} records when it came"),
    };
    lines(&[
        ("standby", format!("of the bank at {}", view.leader)),
        ("follows", state),
        ("epoch", view.epoch.to_string()),
        ("journal", format!("{} records", view.records)),
    ])
}

/// An order that stands in the journal.
pub(in crate::output) fn ordered(view: &OrderedView) -> String {
    let OrderedView { done, account, credits, record, .. } = view;
    match credits {
        Some(credits) => format!("{credits} credits {done} to {account} (record {record})\n"),
        None => format!("{account} is {done} (record {record})\n").replace("is freed", "is free again"),
    }
}

/// An invitation, by itself: it goes into a file.
pub(in crate::output) fn invited(view: &InvitationView) -> String {
    format!("{}\n", view.invitation)
}

/// A standby that is the bank from now on.
pub(in crate::output) fn promoted(view: &PromotedView) -> String {
    let next = if view.is_serving {
        "it serves from now on".to_owned()
    } else {
        format!("start it with `compup2p bank serve --listen IP:PORT`, with the home above {}", view.home)
    };
    format!(
        "this is the bank now (epoch {}): {next}\nthe former one at {} ends when it hears of it; \
         nodes that know only its address have to be told the new one\n",
        view.epoch, view.former
    )
}

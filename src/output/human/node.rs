//! A node, its account and its markets for people.

use super::market::standing;
use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, count, short};
use crate::control::{ListingView, NodeView, RecordView, RulesView};
use proto::Bytes;
use std::fmt::Write as _;

/// How a node is, one thing a line.
pub(in crate::output) fn node(node: &NodeView) -> String {
    let NodeView { version, account, node_id, address, slot, bank, .. } = node;
    let ring = if node.is_member { "member" } else { "joining" };
    let neighbours = format!(
        "{ring}; predecessor {}, {}, {}; {} known",
        node.predecessor.as_deref().map_or("none", short),
        count(node.successors.len(), "successor"),
        count(node.fingers, "finger"),
        count(node.known, "member"),
    );
    let selling = match (&node.listed, &node.not_selling) {
        (_, Some(why)) => format!("nothing: {why}"),
        (Some(market), None) => {
            let place = node.standing.as_ref().map(|place| format!(", {}", standing(place)));
            format!("in {market} at {} credits/Gc{}", two_decimals(&node.ask), place.unwrap_or_default())
        }
        (None, None) => format!("not listed yet, at {} credits/Gc", two_decimals(&node.ask)),
    };
    let lines = [
        ("account", account.clone()),
        ("node", format!("{} at {address}, slot {slot}", short(node_id))),
        ("ring", neighbours),
        ("bank", bank.clone()),
        ("rules", rules(&node.rules)),
        ("accounts", super::admission(&node.rules.admission)),
        (
            "power",
            format!(
                "{} Mc/s a core; {} to sell, {} free",
                node.per_core,
                count_of_cores(node),
                node.free_cores
            ),
        ),
        ("sharing", super::in_short(&node.sharing)),
        ("selling", selling),
        ("hired", hired(&node.record)),
        ("earned", earned(&node.record)),
        ("working", format!("for others on {}", count(node.working, "sub-task"))),
        ("native", super::doctor::in_short(&node.layers)),
        ("owns", format!("markets with {}", count(node.listings, "listing"))),
        ("contents", contents(node)),
        ("orders", orders(node)),
        ("up", format!("{:.0} s, version {version}", node.uptime)),
    ];
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<8} {}", clean(value));
        text
    })
}

fn contents(node: &NodeView) -> String {
    let [sent, fetched, kept, quota] =
        [node.bytes_sent, node.bytes_fetched, node.bytes_kept, node.bytes_quota].map(Bytes);
    format!("{sent} sent, {fetched} fetched; {} kept, {kept} of {quota}", node.contents)
}

fn rules(rules: &RulesView) -> String {
    let RulesView { pricing, posted, owner_fee, placement, .. } = rules;
    let price = posted.as_ref().map_or_else(String::new, |price| format!(" at {price} credits/Gc"));
    format!("{pricing} pricing{price}, {owner_fee} credits to a market owner, {placement} overlay")
}

fn orders(node: &NodeView) -> String {
    let silence = node.bank_silent_for.map_or_else(String::new, |seconds| {
        format!(", which has not answered for {seconds:.0} s: what runs goes on and is paid later")
    });
    format!("{} without an answer of the bank{silence}", node.unanswered_orders)
}

fn hired(record: &RecordView) -> String {
    let Some(last) = &record.last_hired else { return "never".into() };
    let (buyer, price) = (short(&last.buyer), two_decimals(&last.price));
    format!("last {} by {buyer} at {} for {price} credits/Gc", last.at, last.address)
}

fn earned(record: &RecordView) -> String {
    format!(
        "{} credits in this run for {} of {} contracts; {} in all for {} of {}",
        two_decimals(&record.earned),
        record.paid,
        record.contracts,
        two_decimals(&record.earned_ever),
        record.paid_ever,
        record.contracts_ever,
    )
}

fn count_of_cores(node: &NodeView) -> String {
    format!("{} core{}", node.cores, if node.cores == 1 { "" } else { "s" })
}

/// Listings, by market.
pub(super) fn listings(listings: &[ListingView], look: Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("market", left),
        ("seller", left),
        ("address", left),
        ("cores", right),
        ("Mc/s a core", right),
        ("ask/Gc", right),
        ("expires in", right),
    ]);
    for listing in listings {
        let cells = [
            listing.market.clone(),
            short(&listing.seller).into(),
            listing.address.clone(),
            listing.cores.to_string(),
            listing.per_core.to_string(),
            two_decimals(&listing.ask),
            format!("{:.1} s", listing.expires_in),
        ];
        table.row(cells, Colour::Plain);
    }
    table.render(look.width, look.has_colour)
}

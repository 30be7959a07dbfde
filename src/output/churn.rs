//! What a market whose nodes come and go has shown.

use serde::Serialize;
use sim::bazaar::{Churned, Plan};
use std::fmt::Write as _;

/// The figures of `sim churn`. Durations are in seconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ChurnMeasured {
    nodes: u32,
    seed: u64,
    renewal: f64,
    requests: u64,
    /// Their buyers went away before they ended; they count nowhere else.
    abandoned: u64,
    /// Shares of the requests that ended in a contract at the first, the second and a later purchase.
    first: f64,
    second: f64,
    later: f64,
    unserved: f64,
    tickets: u64,
    /// Of these, naming a seller that was gone when the ticket came.
    dead_tickets: u64,
    declined: u64,
    vanished: u64,
    /// Purchases that found nobody.
    empty: u64,
    questions: u64,
    /// Of the sellers that owners asked for a slice, those that were gone.
    dead_questions: u64,
    wait_p50: f64,
    wait_p95: f64,
    wait_p99: f64,
    match_messages_per_trade: f64,
    listing_messages_per_trade: f64,
    lookups_per_trade: f64,
    ring_messages_per_node_second: f64,
    arrivals: u64,
    departures: u64,
    members: u32,
    events: u64,
    virtual_seconds: f64,
    /// BLAKE3 over everything that happened.
    trace: String,
}

impl ChurnMeasured {
    pub(crate) fn of(all: &Churned, plan: &Plan) -> Self {
        let requests = float(all.requests).max(1.0);
        let trades = float(all.traded()).max(1.0);
        let first = all.within(1);
        let wait = |per_mille| all.wait(per_mille).as_secs_f64();
        let lasted = all.lasted.as_secs_f64();
        Self {
            nodes: plan.nodes,
            seed: plan.seed,
            renewal: plan.rules.renewal.as_secs_f64(),
            requests: all.requests,
            abandoned: all.abandoned,
            first: float(first) / requests,
            second: float(all.within(2).saturating_sub(first)) / requests,
            later: float(all.traded().saturating_sub(all.within(2))) / requests,
            unserved: float(all.unserved) / requests,
            tickets: all.tickets,
            dead_tickets: all.dead_tickets,
            declined: all.declined,
            vanished: all.vanished,
            empty: all.empty,
            questions: all.questions,
            dead_questions: all.dead_questions,
            wait_p50: wait(500),
            wait_p95: wait(950),
            wait_p99: wait(990),
            match_messages_per_trade: float(all.match_messages) / trades,
            listing_messages_per_trade: float(all.listing_messages) / trades,
            lookups_per_trade: float(all.lookups) / trades,
            ring_messages_per_node_second: float(all.ring_messages)
                / f64::from(plan.nodes)
                / lasted.max(1e-9),
            arrivals: all.arrivals,
            departures: all.departures,
            members: all.members,
            events: all.events,
            virtual_seconds: lasted,
            trace: all.trace.to_hex(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<16} {value}");
        };
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let Self { nodes, seed, renewal, requests, abandoned, .. } = self;
        line("market", format!("{nodes} nodes, listings renewed every {renewal} s, seed {seed}"));
        line("requests", format!("{requests}, and {abandoned} whose buyer went away"));
        line("first match", percent(self.first));
        line("second match", percent(self.second));
        line("later match", percent(self.later));
        line("no contract", percent(self.unserved));
        line(
            "tickets",
            format!("{}, {} of them naming a seller that was gone", self.tickets, self.dead_tickets),
        );
        line("", format!("{} declined, {} not answered", self.declined, self.vanished));
        line("no seller", format!("told {} times", self.empty));
        line("sellers asked", format!("{}, {} of them gone", self.questions, self.dead_questions));
        let [p50, p95, p99] = [self.wait_p50, self.wait_p95, self.wait_p99];
        line("time to match", format!("{p50:.2} s median, {p95:.2} s p95, {p99:.2} s p99"));
        let (matching, listing) = (self.match_messages_per_trade, self.listing_messages_per_trade);
        line(
            "per trade",
            format!(
                "{matching:.1} messages to match, {listing:.1} to list, {:.1} lookups",
                self.lookups_per_trade
            ),
        );
        line("ring", format!("{:.2} messages a second and node", self.ring_messages_per_node_second));
        let Self { arrivals, departures, members, .. } = self;
        line("nodes", format!("{arrivals} came, {departures} went, {members} are members at the end"));
        line("virtual time", format!("{:.0} s, {} events", self.virtual_seconds, self.events));
        line("trace", self.trace.clone());
        text
    }
}

fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let count = count as f64;
    count
}

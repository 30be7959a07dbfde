//! Whether requests find a seller that is there while nodes come and go (E10).
//!
//! Ring and market cores are the shipping ones ([`crate::bazaar`]).

use crate::bazaar::{self, Departure, Plan};
use crate::churn::Churn;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting};
use crate::network::Latency;
use proto::Span;

/// A market under churn.
#[derive(Clone, Copy, Debug)]
pub struct Churned;

/// For so many periods of renewal a listing stands that is not renewed (reference §4.1).
const LIFETIME_RENEWALS: f64 = 3.0;

pub(super) const NODES: Parameter =
    Parameter::integer("network.nodes", 200, 2, 100_000, "nodes that are there at a time, in the mean");
pub(super) const LATENCY: Parameter = Parameter::real(
    "network.latency_ms",
    74.0,
    0.0,
    60_000.0,
    "mean time of a message; a seventh of it is constant, the rest exponential",
);
pub(super) const LOSS: Parameter =
    Parameter::real("network.loss_pct", 0.5, 0.0, 99.0, "messages that are lost, in percent");
pub(super) const CHURN: Parameter = Parameter::choice(
    "population.churn",
    "p2psim",
    &["none", "p2psim", "oversim", "bittorrent", "bittorrent-2", "bittorrent-3", "kad", "boinc"],
    "how long nodes stay and stay away (reference §6.2)",
);
pub(super) const SESSION: Parameter = Parameter::real(
    "population.session_s",
    0.0,
    0.0,
    1e9,
    "the mean stay, in seconds, if it is not the distribution's own; absences change by the same factor; 0: its own",
);
pub(super) const DEPARTURE: Parameter = Parameter::choice(
    "population.departure",
    "silent",
    &["silent", "crash", "orderly"],
    "how nodes go: the machine is gone, only the process is, or in order",
);
const RENEWAL: Parameter =
    Parameter::integer("rule.renewal_s", 20, 1, 3_600, "how often sellers renew their listings, in seconds");
const REPLICAS: Parameter = Parameter::integer(
    "rule.replicas",
    0,
    0,
    8,
    "successors of a market owner that keep copies of its listings",
);
const MINUTES: Parameter =
    Parameter::integer("work.minutes", 30, 1, 10_000, "minutes in which requests are made");
const GAP: Parameter = Parameter::real(
    "work.request_every_min",
    1.0,
    0.001,
    1e6,
    "minutes between two requests of a node, in the mean",
);

const METRICS: &[Metric] = &[
    Metric { name: "success_share", unit: "share", about: "of the requests, ended in a contract" },
    Metric {
        name: "early_share",
        unit: "share",
        about: "of the requests, ended in a contract at the first or second match",
    },
    Metric {
        name: "stale_share",
        unit: "share",
        about: "of the sellers that market owners asked, were gone: what an owner that does not ask would have named",
    },
    Metric {
        name: "stale_bound_share",
        unit: "share",
        about: "three periods of renewal over the mean stay: for so long a listing outlives its seller (reference §5.7, E10)",
    },
    Metric {
        name: "dead_ticket_share",
        unit: "share",
        about: "of the tickets, named a seller that was gone",
    },
    Metric { name: "wait_median_s", unit: "s", about: "from a request to its contract, the median" },
    Metric { name: "wait_p99_s", unit: "s", about: "the same, of 99 in a hundred" },
    Metric {
        name: "messages_count",
        unit: "count",
        about: "messages to match a request, lookups not included",
    },
    Metric {
        name: "listing_messages_count",
        unit: "count",
        about: "messages that list and hand over, a request",
    },
    Metric { name: "departures_count", unit: "count", about: "stays that ended" },
];

impl Model for Churned {
    fn name(&self) -> &'static str {
        "churn"
    }

    fn about(&self) -> &'static str {
        "Whether requests find a seller that is there, after how long, and at which price in messages, while nodes come and go."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![NODES, LATENCY, LOSS, CHURN, SESSION, DEPARTURE, RENEWAL, REPLICAS, MINUTES, GAP]
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let plan = plan(setting, seed);
        let measured = bazaar::run(&plan, &mut |_, _| {}).map_err(RunError::Violation)?;
        if measured.traded() == 0 {
            return Err(RunError::NoTrade);
        }
        let requests = real(measured.requests);
        let stay = plan.churn.map(|churn| churn.stay.mean_s());
        let wait = |per_mille| measured.wait(per_mille).as_secs_f64();
        Ok(Outcome::new(measured.trace.0)
            .with("success_share", real(measured.traded()) / requests)
            .with("early_share", real(measured.within(2)) / requests)
            .with("stale_share", real(measured.dead_questions) / real(measured.questions.max(1)))
            .with_some(
                "stale_bound_share",
                stay.map(|stay| LIFETIME_RENEWALS * plan.rules.renewal.as_secs_f64() / stay),
            )
            .with("dead_ticket_share", real(measured.dead_tickets) / real(measured.tickets.max(1)))
            .with("wait_median_s", wait(500))
            .with("wait_p99_s", wait(990))
            .with("messages_count", real(measured.match_messages) / requests)
            .with("listing_messages_count", real(measured.listing_messages) / requests)
            .with("departures_count", real(measured.departures)))
    }
}

fn plan(setting: &Setting, seed: u64) -> Plan {
    let nodes = u32::try_from(setting.count(&NODES)).unwrap_or(u32::MAX);
    let mut plan = stays(setting, Plan { seed, ..Plan::public(nodes) });
    plan.rules.renewal = Span::secs(setting.count(&RENEWAL));
    plan.rules.replicas = u16::try_from(setting.count(&REPLICAS)).unwrap_or(0);
    plan.lasting = Span::secs(60 * setting.count(&MINUTES));
    plan.request_every = span(setting.real(&GAP) * 60.0 / f64::from(nodes));
    plan
}

/// The same with the network, and the stays and departures of nodes, of a setting.
pub(super) fn stays(setting: &Setting, mut plan: Plan) -> Plan {
    let session = setting.real(&SESSION);
    let named = Churn::named(setting.text(&CHURN));
    plan.churn = named.map(|churn| if session > 0.0 { churn.with_mean(span(session)) } else { churn });
    plan.departure = match setting.text(&DEPARTURE) {
        "crash" => Departure::Crash,
        "orderly" => Departure::Orderly,
        _ => Departure::Silent,
    };
    let mean = setting.real(&LATENCY) / 1_000.0;
    plan.net.latency = Latency::Exponential { least: span(mean / 7.0), mean: span(mean * 6.0 / 7.0) };
    plan.net.loss = per_mille(setting.real(&LOSS));
    plan
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10^9 s")]
pub(super) fn span(seconds: f64) -> Span {
    Span(libm::round(seconds * 1e6) as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 990")]
fn per_mille(pct: f64) -> u32 {
    libm::round(pct * 10.0) as u32
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

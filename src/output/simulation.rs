//! What a simulation found.

use serde::Serialize;
use std::collections::BTreeMap;

/// A run whose invariants all held. Money is in credits, durations in seconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Simulated {
    scenario: &'static str,
    seed: u64,
    nodes: usize,
    verdicts: BTreeMap<&'static str, u32>,
    attempts: u32,
    lost_attempts: u32,
    events: u64,
    messages: u64,
    virtual_seconds: f64,
    spent: String,
    fees: String,
    issued: String,
    held: String,
    /// BLAKE3 over everything that happened.
    trace: String,
    #[serde(skip)]
    pub(super) text: String,
}

impl Simulated {
    pub(crate) fn of(report: &sim::Report) -> Self {
        Self {
            scenario: report.scenario,
            seed: report.seed,
            nodes: report.nodes,
            verdicts: report.verdicts.clone(),
            attempts: report.attempts,
            lost_attempts: report.lost_attempts,
            events: report.events,
            messages: report.traffic.sent,
            virtual_seconds: report.lasted.as_secs_f64(),
            spent: report.spent.to_string(),
            fees: report.fees.to_string(),
            issued: report.issued.to_string(),
            held: report.held.to_string(),
            trace: report.trace.to_hex(),
            text: report.to_string(),
        }
    }
}

/// A case before the bank whose invariants all held. Money is in micro-credits, durations in seconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tried {
    case: &'static str,
    seed: u64,
    /// How many contracts ended in which way.
    ends: BTreeMap<&'static str, u32>,
    /// Who gained how much by all of them.
    gains: BTreeMap<&'static str, i128>,
    arbiters: u32,
    forged: u32,
    bank_starts: u32,
    messages: u64,
    virtual_seconds: f64,
    records: usize,
    /// The chain of the journal.
    head: String,
    #[serde(skip)]
    pub(super) text: String,
}

impl Tried {
    pub(crate) fn of(outcome: &sim::court::Outcome) -> Self {
        let sim::court::Gains { buyer, seller, owner, arbiter, pool } = outcome.gains;
        let gains =
            [("buyer", buyer), ("seller", seller), ("owner", owner), ("arbiter", arbiter), ("pool", pool)];
        Self {
            case: outcome.case,
            seed: outcome.seed,
            ends: outcome.ends.iter().map(|(how, count)| (how.name(), *count)).collect(),
            gains: gains.into_iter().collect(),
            arbiters: outcome.drawn,
            forged: outcome.forged,
            bank_starts: outcome.bank_starts,
            messages: outcome.traffic.sent,
            virtual_seconds: outcome.lasted.as_secs_f64(),
            records: outcome.records,
            head: outcome.head.to_hex(),
            text: outcome.to_string(),
        }
    }
}

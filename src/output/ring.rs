//! What a simulated ring has shown.

use serde::Serialize;
use sim::ring::{Histogram, Measured};
use std::fmt::Write as _;
use std::time::Duration;

/// The figures of `sim ring`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RingMeasured {
    nodes: u32,
    lookups: u64,
    seed: u64,
    hops: Hops,
    timeouts: Timeouts,
    failed_lookups: u64,
    wrong_owner: u64,
    /// Their nodes left before the answer.
    abandoned: u64,
    latency_ms: Millis,
    messages: u64,
    bytes: u64,
    events: u64,
    wall_seconds: f64,
    virtual_seconds: f64,
    events_per_second: f64,
    /// Resident memory, as far as it grew, for each node.
    bytes_per_node: f64,
    /// The nodes' own state, counted.
    state_bytes_per_node: f64,
    joined: u64,
    left: u64,
    invariant_checks: u64,
    violations: u64,
    /// Checks that found a property broken while the assumptions of its proof did not hold.
    strained: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Hops {
    mean: f64,
    p1: u64,
    p50: u64,
    p99: u64,
    pdf: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct Timeouts {
    mean: f64,
    p99: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Millis {
    mean: f64,
    p50: f64,
    p99: f64,
}

impl RingMeasured {
    pub(crate) fn of(all: &Measured, (nodes, lookups, seed): (u32, u64, u64), wall: Duration) -> Self {
        let Measured { hops, timeouts, .. } = all;
        let wall_seconds = wall.as_secs_f64();
        let living = float(all.nodes).max(1.0);
        Self {
            nodes,
            lookups,
            seed,
            hops: hops_of(hops),
            timeouts: Timeouts { mean: timeouts.mean(), p99: timeouts.quantile(99) },
            failed_lookups: all.failed,
            wrong_owner: all.wrong_owner,
            abandoned: all.abandoned,
            latency_ms: Millis {
                mean: all.latency_mean(),
                p50: all.latency_quantile(50),
                p99: all.latency_quantile(99),
            },
            messages: all.messages,
            bytes: all.bytes,
            events: all.events,
            wall_seconds,
            virtual_seconds: all.lasted.as_secs_f64(),
            events_per_second: float(all.events) / wall_seconds.max(1e-9),
            bytes_per_node: float(all.resident) / living,
            state_bytes_per_node: float(all.footprint) / living,
            joined: all.joined,
            left: all.left,
            invariant_checks: all.invariant_checks,
            violations: all.violations,
            strained: all.strained,
        }
    }

    /// The figures, one thing a line.
    pub(super) fn text(&self) -> String {
        let Self { hops, timeouts, latency_ms, .. } = self;
        let lines = [
            (
                "ring",
                format!(
                    "{} nodes at the start, seed {}; {} came, {} went",
                    self.nodes, self.seed, self.joined, self.left
                ),
            ),
            (
                "lookups",
                format!(
                    "{}: {} failed, {} with the wrong owner, {} abandoned by their nodes",
                    self.lookups, self.failed_lookups, self.wrong_owner, self.abandoned
                ),
            ),
            ("hops", format!("{:.3} (1 % {}, median {}, 99 % {})", hops.mean, hops.p1, hops.p50, hops.p99)),
            ("time-outs", format!("{:.3} a lookup (99 % {})", timeouts.mean, timeouts.p99)),
            (
                "latency",
                format!(
                    "{:.1} ms (median {:.1}, 99 % {:.1})",
                    latency_ms.mean, latency_ms.p50, latency_ms.p99
                ),
            ),
            (
                "traffic",
                format!(
                    "{} messages, {} bytes, in {:.0} s of virtual time",
                    self.messages, self.bytes, self.virtual_seconds
                ),
            ),
            (
                "checks",
                format!(
                    "{} of the whole ring: {} violations, {} while the assumptions did not hold",
                    self.invariant_checks, self.violations, self.strained
                ),
            ),
            (
                "memory",
                format!(
                    "{:.0} bytes a node resident, {:.0} of them its state",
                    self.bytes_per_node, self.state_bytes_per_node
                ),
            ),
            (
                "speed",
                format!(
                    "{} events in {:.2} s: {:.0} a second",
                    self.events, self.wall_seconds, self.events_per_second
                ),
            ),
        ];
        lines.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name:<10} {value}");
            text
        })
    }

    /// A header and a line of comma-separated values.
    pub(super) fn csv(&self) -> String {
        let Self { hops, timeouts, latency_ms, .. } = self;
        let columns = [
            ("nodes", self.nodes.to_string()),
            ("lookups", self.lookups.to_string()),
            ("seed", self.seed.to_string()),
            ("hops_mean", hops.mean.to_string()),
            ("hops_p1", hops.p1.to_string()),
            ("hops_p50", hops.p50.to_string()),
            ("hops_p99", hops.p99.to_string()),
            ("timeouts_mean", timeouts.mean.to_string()),
            ("timeouts_p99", timeouts.p99.to_string()),
            ("failed_lookups", self.failed_lookups.to_string()),
            ("wrong_owner", self.wrong_owner.to_string()),
            ("latency_ms_mean", latency_ms.mean.to_string()),
            ("latency_ms_p50", latency_ms.p50.to_string()),
            ("latency_ms_p99", latency_ms.p99.to_string()),
            ("messages", self.messages.to_string()),
            ("bytes", self.bytes.to_string()),
            ("events", self.events.to_string()),
            ("wall_seconds", self.wall_seconds.to_string()),
            ("bytes_per_node", self.bytes_per_node.to_string()),
        ];
        let line = |cells: Vec<&str>| format!("{}\n", cells.join(","));
        let (names, values) = columns.iter().map(|(name, value)| (*name, value.as_str())).unzip();
        line(names) + &line(values)
    }
}

fn hops_of(hops: &Histogram) -> Hops {
    Hops {
        mean: hops.mean(),
        p1: hops.quantile(1),
        p50: hops.quantile(50),
        p99: hops.quantile(99),
        pdf: hops.shares(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
const fn float(count: u64) -> f64 {
    count as f64
}

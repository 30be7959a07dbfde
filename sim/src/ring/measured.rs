//! What a run of a ring has shown.

use proto::Span;

/// How often each small number was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u32) {
        self.add_many(value, 1);
    }

    pub(crate) fn add_many(&mut self, value: u32, times: u64) {
        if times == 0 {
            return;
        }
        let place = usize::try_from(value).unwrap_or(usize::MAX).min(4_095);
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count += times;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    pub(crate) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were seen.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their mean; 0 if there are none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let sum: u64 = (0..).zip(&self.counts).map(|(value, count): (u64, _)| value * count).sum();
        ratio(sum, self.total())
    }

    /// The mean of those above zero; 0 if there are none.
    #[must_use]
    pub fn mean_above_zero(&self) -> f64 {
        let zeros = self.counts.first().copied().unwrap_or(0);
        let above = self.total() - zeros;
        if above == 0 { 0.0 } else { self.mean() * ratio(self.total(), above) }
    }

    /// The smallest value that `percent` of a hundred do not exceed.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> u64 {
        let needed = (self.total() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = (0..).zip(&self.counts).find(|(_, count)| {
            seen += *count;
            seen >= needed
        });
        reached.map_or(0, |(value, _)| value)
    }

    /// Half the sum of how far the shares of each value are apart: the total variation distance.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f64 {
        let (mut mine, mut theirs) = (self.shares(), other.shares());
        let length = mine.len().max(theirs.len());
        mine.resize(length, 0.0);
        theirs.resize(length, 0.0);
        mine.iter().zip(theirs).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
    }

    /// The share of each value, from 0 on.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let total = self.total();
        self.counts.iter().map(|count| ratio(*count, total)).collect()
    }
}

/// What a run has shown. Means, quantiles and shares are over the lookups that have succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Forwardings until the key's predecessor was reached (the convention of ToN Fig. 10).
    pub hops: Histogram,
    /// Nodes that did not answer, for each lookup.
    pub timeouts: Histogram,
    /// From the question to the answer, in microseconds.
    pub(crate) latency: Vec<u32>,
    /// How much longer a lookup took than a question to the owner and its answer, in thousandths; only where ways have
    /// their own length.
    pub(crate) stretch: Vec<u32>,
    /// How many questions of others each node at the start has answered, where [`crate::ring::Plan::carriers`] says who does.
    pub carried: Vec<u64>,
    /// Lookups that were begun.
    pub begun: u64,
    /// Lookups that ended without an answer.
    pub failed: u64,
    /// Lookups whose answer was not, at that moment, the first live member at or after the key.
    pub wrong_owner: u64,
    /// Lookups whose node left before the answer.
    pub abandoned: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their size: 20 bytes a message and 4 an id or address (p2psim's convention, reference §3.1).
    pub bytes: u64,
    /// Events: deliveries, deadlines, arrivals and departures.
    pub events: u64,
    /// Virtual time.
    pub lasted: Span,
    /// Nodes at the end.
    pub nodes: u64,
    /// Nodes that came and went.
    pub joined: u64,
    /// Nodes that left.
    pub left: u64,
    /// Memory of all nodes' state at the end, in bytes.
    pub footprint: u64,
    /// The memory that the process took for it, as whoever ran it has seen; 0 if it did not look.
    pub resident: u64,
    /// How often the whole ring was checked.
    pub invariant_checks: u64,
    /// Checks that found a property broken although the assumptions of its proof held.
    pub violations: u64,
    /// Checks that found one broken while they did not hold.
    pub strained: u64,
}

impl Measured {
    /// The mean latency of a lookup, in milliseconds.
    #[must_use]
    pub fn latency_mean(&self) -> f64 {
        let sum: u64 = self.latency.iter().map(|micros| u64::from(*micros)).sum();
        ratio(sum, u64::try_from(self.latency.len()).unwrap_or(u64::MAX)) / 1_000.0
    }

    /// The latency that `percent` of a hundred lookups do not exceed, in milliseconds.
    #[must_use]
    pub fn latency_quantile(&self, percent: usize) -> f64 {
        quantile(&self.latency, percent)
    }

    /// The stretch that `percent` of a hundred lookups do not exceed: their latency against a question to the owner
    /// and its answer. 0 where ways have no length of their own.
    #[must_use]
    pub fn stretch_quantile(&self, percent: usize) -> f64 {
        quantile(&self.stretch, percent)
    }

    /// Adds another run of the same plan.
    pub fn merge(&mut self, other: &Self) {
        self.hops.merge(&other.hops);
        self.timeouts.merge(&other.timeouts);
        self.latency.extend(&other.latency);
        self.stretch.extend(&other.stretch);
        for (sum, more) in [
            (&mut self.begun, other.begun),
            (&mut self.failed, other.failed),
            (&mut self.wrong_owner, other.wrong_owner),
            (&mut self.abandoned, other.abandoned),
            (&mut self.messages, other.messages),
            (&mut self.bytes, other.bytes),
            (&mut self.events, other.events),
            (&mut self.joined, other.joined),
            (&mut self.left, other.left),
            (&mut self.invariant_checks, other.invariant_checks),
            (&mut self.violations, other.violations),
            (&mut self.strained, other.strained),
        ] {
            *sum += more;
        }
        self.lasted = self.lasted.plus(other.lasted);
        (self.nodes, self.footprint) = (other.nodes, other.footprint);
    }
}

/// The value that `percent` of a hundred do not exceed, in units of a thousand.
fn quantile(values: &[u32], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).map_or(0.0, |value| f64::from(*value) / 1_000.0)
}

/// `part` of `whole`; 0 of nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
    let (part, whole) = (part as f64, whole as f64);
    if whole == 0.0 { 0.0 } else { part / whole }
}

//! What the figures say of the claims.
//!
//! A claim about k points or steps is judged with intervals that each miss their mean with probability 5 % / k
//! (Bonferroni), so that a claim that is true is contradicted in at most one experiment of twenty, however long its sweep.
//! - *A = B*: the mean of A − B, run by run, with its interval. It **supports** the claim where the interval meets
//!   ±tolerance and is narrow enough to say something: its half width is at most the tolerance, or [`PRECISION`] of B.
//!   It **contradicts** the claim where it does not meet ±tolerance.
//! - *A ≤ B*, *A ≥ B*: supports where the whole interval of A − B is on the right side of the tolerance, contradicts
//!   where it is on the wrong side.
//! - *rises*, *falls*: from each value of the key to the next, all else equal, by Welch's t.
//!
//! What is neither is **undecided**: more repetitions decide it, mostly. A single repetition has no interval and
//! decides nothing; figures that are the same in all repetitions are exact.

use super::claim::{Claim, Operand, Relation};
use super::parameter::Value;
use super::results::{Point, Results};
use super::statistics::{CONFIDENCE, Interval, welch};
use std::collections::BTreeMap;

/// How well a difference has to be known, of what it is compared with, before it can support that two things are equal.
pub const PRECISION: f64 = 0.1;
/// What the rounding of floating point may come to, of the figure.
const ROUNDING: f64 = 1e-9;

/// What the figures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// They agree with the claim.
    Supports,
    /// They do not suffice to say.
    Undecided,
    /// They disagree with it.
    Contradicts,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supports => "supports",
            Self::Undecided => "undecided",
            Self::Contradicts => "contradicts",
        }
    }
}

/// A claim and what the figures say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The claim as a sentence.
    pub claim: String,
    /// The file's own words for it.
    pub about: Option<String>,
    /// What the figures say of all points or steps together: the worst of them.
    pub verdict: Verdict,
    /// How many points or steps were looked at.
    pub looked_at: u32,
    /// How many of these contradict or do not decide.
    pub missed: u32,
    /// The worst point or step: where, and the difference with its interval.
    pub worst: Option<(String, Interval)>,
}

/// Judges all claims.
#[must_use]
pub fn judge(claims: &[Claim], results: &Results) -> Vec<Judged> {
    claims.iter().map(|claim| one(claim, results)).collect()
}

/// What the claims say together: contradicts if one does, supports if all do. None without a claim.
#[must_use]
pub fn overall(judged: &[Judged]) -> Option<Verdict> {
    judged.iter().map(|judged| judged.verdict).max()
}

/// A point or step: where, the difference that the claim is about, and how far from 0 it may be.
struct Looked {
    place: String,
    difference: Interval,
    tolerance: f64,
    /// What the difference is compared with.
    scale: f64,
}

fn one(claim: &Claim, results: &Results) -> Judged {
    let points: Vec<&Point> = results.points.iter().filter(|point| is_meant(claim, results, point)).collect();
    let looked = match &claim.relation {
        Relation::Equals(other) | Relation::AtMost(other) | Relation::AtLeast(other) => {
            compared(claim, other, results, &points)
        }
        Relation::RisesWith(key) | Relation::FallsWith(key) => steps(claim, key, results, &points),
    };
    let verdicts: Vec<Verdict> = looked.iter().map(|looked| verdict(&claim.relation, looked)).collect();
    let verdict = verdicts.iter().copied().max().unwrap_or(Verdict::Undecided);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let missed = number(verdicts.iter().filter(|verdict| **verdict != Verdict::Supports).count());
    let looked_at = number(looked.len());
    let far = |looked: &Looked| {
        (looked.difference.mean.abs() - looked.tolerance) / looked.scale.max(f64::MIN_POSITIVE)
    };
    let worst = looked.into_iter().zip(verdicts);
    let worst = worst.max_by(|(a, of_a), (b, of_b)| of_a.cmp(of_b).then(far(a).total_cmp(&far(b))));
    let worst = worst.map(|(looked, _)| (looked.place, looked.difference));
    Judged { claim: claim.to_string(), about: claim.about.clone(), verdict, looked_at, missed, worst }
}

/// Whether a claim is about `point`.
fn is_meant(claim: &Claim, results: &Results, point: &Point) -> bool {
    claim.place.iter().all(|(key, values)| {
        results.value(point, key).is_some_and(|value| values.iter().any(|meant| is_same(meant, value)))
    })
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The probability with which each of `count` intervals may miss.
fn error(count: usize) -> f64 {
    (1.0 - CONFIDENCE) / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}

/// The metric less what it is compared with, run by run.
fn compared(claim: &Claim, other: &Operand, results: &Results, points: &[&Point]) -> Vec<Looked> {
    let Some(metric) = results.metric(&claim.metric) else { return Vec::new() };
    let pairs = |point: &Point| -> Vec<(f64, f64)> {
        let value = |values: &[Option<f64>], place: usize| values.get(place).copied().flatten();
        let pair = |values: &[Option<f64>]| {
            let second = match other {
                Operand::Number(number) => Some(*number),
                Operand::Metric(name) => value(values, results.metric(name)?),
            };
            value(values, metric).zip(second)
        };
        point.runs.iter().filter_map(|run| pair(&run.values)).collect()
    };
    let paired: Vec<(&Point, Vec<(f64, f64)>)> =
        points.iter().map(|point| (*point, pairs(point))).filter(|(_, pairs)| !pairs.is_empty()).collect();
    let error = error(paired.len());
    let look = |(point, pairs): &(&Point, Vec<(f64, f64)>)| {
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
        let others: Vec<f64> = pairs.iter().map(|(_, b)| *b).collect();
        let scale = Interval::of(&others)?.mean.abs();
        let difference = Interval::with_error(&differences, error)?;
        let tolerance = claim.tolerance + claim.tolerance_pct / 100.0 * scale;
        Some(Looked { place: results.name(point), difference, tolerance, scale })
    };
    paired.iter().filter_map(look).collect()
}

/// The steps of a metric from each value of `key` to the next, all other values equal; falls as rises of its negative.
fn steps(claim: &Claim, key: &str, results: &Results, points: &[&Point]) -> Vec<Looked> {
    let (Some(metric), Some(axis)) =
        (results.metric(&claim.metric), results.keys.iter().position(|known| known == key))
    else {
        return Vec::new();
    };
    let mut rows: BTreeMap<String, Vec<&Point>> = BTreeMap::new();
    for point in points {
        let others = point.values.iter().enumerate().filter(|(place, _)| *place != axis);
        rows.entry(others.map(|(_, value)| format!("{value}, ")).collect()).or_default().push(point);
    }
    // Numbers in their order; words in that of the file.
    let number = |point: &&Point| point.values.get(axis).and_then(Value::number).unwrap_or(0.0);
    rows.values_mut().for_each(|row| row.sort_by(|a, b| number(a).total_cmp(&number(b))));
    let pairs: Vec<(&Point, &Point)> =
        rows.values().flat_map(|row| row.iter().copied().zip(row.iter().copied().skip(1))).collect();
    let error = error(pairs.len());
    let look = |(first, second): &(&Point, &Point)| {
        let (from, to) = (first.sample(metric), second.sample(metric));
        let difference = match claim.relation {
            Relation::FallsWith(_) => welch(&to, &from, error)?,
            _ => welch(&from, &to, error)?,
        };
        let scale = Interval::of(&from)?.mean.abs();
        let tolerance = claim.tolerance + claim.tolerance_pct / 100.0 * scale;
        let place = format!("{} → {}", results.name(first), results.name(second));
        Some(Looked { place, difference, tolerance, scale })
    };
    pairs.iter().filter_map(look).collect()
}

fn verdict(relation: &Relation, looked: &Looked) -> Verdict {
    let Some(half) = looked.difference.half_width else { return Verdict::Undecided };
    let (mean, scale) = (looked.difference.mean, looked.scale);
    let tolerance = looked.tolerance + ROUNDING * scale.max(mean.abs());
    let (supports, contradicts) = match relation {
        Relation::Equals(_) => {
            let meets = mean.abs() <= tolerance + half;
            (meets && half <= tolerance.max(PRECISION * scale), !meets)
        }
        Relation::AtMost(_) => (mean + half <= tolerance, mean - half > tolerance),
        Relation::AtLeast(_) => (mean - half >= -tolerance, mean + half < -tolerance),
        // Without a tolerance, what stays the same does not rise.
        Relation::RisesWith(_) | Relation::FallsWith(_) if looked.tolerance == 0.0 => {
            (mean - half > 0.0, mean + half <= 0.0)
        }
        Relation::RisesWith(_) | Relation::FallsWith(_) => {
            (mean - half >= -tolerance, mean + half < -tolerance)
        }
    };
    match (supports, contradicts) {
        (true, _) => Verdict::Supports,
        (false, true) => Verdict::Contradicts,
        (false, false) => Verdict::Undecided,
    }
}

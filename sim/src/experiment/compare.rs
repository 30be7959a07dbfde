//! Two results beside each other: which metrics differ, point by point.
//!
//! Runs of one point with one seed differ by the program only, so they are compared pair by pair, and what chance does to
//! both alike does not hide a small difference. Where there are no such pairs, the two are independent samples.

use super::error::LabError;
use super::statistics::{CONFIDENCE, Interval, welch};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Two results beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Metrics of points that both have.
    pub rows: Vec<Row>,
    /// Points that only the first has.
    pub only_first: Vec<String>,
    /// Points that only the second has.
    pub only_second: Vec<String>,
}

/// A metric at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The values of the point.
    pub point: String,
    /// The metric.
    pub metric: String,
    /// Its mean in the first.
    pub first: f64,
    /// Its mean in the second.
    pub second: f64,
    /// The second less the first.
    pub difference: Interval,
    /// Whether they differ.
    pub difference_is: Difference,
    /// How they were compared.
    pub way: Way,
}

/// How two samples are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Run by run, each with the one of the same seed; runs without another are left out. Taken where every run of the
    /// smaller sample has one.
    Paired,
    /// As independent samples, by Welch's t.
    Independent,
}

impl Way {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::Independent => "independent",
        }
    }
}

/// Whether two means differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// No difference can be seen.
    None,
    /// They differ; in all rows together this is said wrongly with a probability of 5 % (Bonferroni).
    Significant,
    /// One of them is a single run, of which no spread is known, and they are not equal.
    Unknown,
}

impl Difference {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Significant => "significant",
            Self::Unknown => "unknown",
        }
    }
}

/// The values of a metric at a point, by the seeds of the runs.
type Sample = BTreeMap<u64, f64>;
/// Those of each metric at each point, as they stand in `runs.csv`.
type Samples = BTreeMap<String, BTreeMap<String, Sample>>;

/// Compares the results in two directories.
///
/// # Errors
/// A directory that holds no results, or damaged ones.
pub fn compare(first: &Path, second: &Path) -> Result<Compared, LabError> {
    let (a, b) = (samples(first)?, samples(second)?);
    let both: Vec<(&String, &String, &Sample, &Sample)> = a
        .iter()
        .filter_map(|(point, metrics)| Some((point, metrics, b.get(point)?)))
        .flat_map(|(point, metrics, others)| {
            metrics
                .iter()
                .filter_map(move |(metric, values)| Some((point, metric, values, others.get(metric)?)))
        })
        .collect();
    let count = f64::from(u32::try_from(both.len().max(1)).unwrap_or(u32::MAX));
    let error = (1.0 - CONFIDENCE) / count;
    let row = |(point, metric, a, b): (&String, &String, &Sample, &Sample)| {
        let (way, [first, second], difference) = beside(a, b, error)?;
        let difference_is = match difference.half_width {
            _ if first == second => Difference::None,
            None => Difference::Unknown,
            Some(half) if difference.mean.abs() > half => Difference::Significant,
            Some(_) => Difference::None,
        };
        let (point, metric) = (point.clone(), metric.clone());
        Some(Row { point, metric, first, second, difference, difference_is, way })
    };
    let rows = both.into_iter().filter_map(row).collect();
    let only = |a: &Samples, b: &Samples| a.keys().filter(|point| !b.contains_key(*point)).cloned().collect();
    Ok(Compared { rows, only_first: only(&a, &b), only_second: only(&b, &a) })
}

/// How two samples are compared, the means of what is compared, and the second less the first. None where one is empty.
fn beside(a: &Sample, b: &Sample, error: f64) -> Option<(Way, [f64; 2], Interval)> {
    let pairs = a.iter().filter_map(|(seed, first)| Some((*first, *b.get(seed)?)));
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let is_paired = first.len() == a.len().min(b.len());
    let (way, first, second) = if is_paired {
        (Way::Paired, first, second)
    } else {
        (Way::Independent, a.values().copied().collect(), b.values().copied().collect())
    };
    let means = [Interval::of(&first)?.mean, Interval::of(&second)?.mean];
    let apart: Vec<f64> = first.iter().zip(&second).map(|(first, second)| second - first).collect();
    let difference =
        if is_paired { Interval::with_error(&apart, error) } else { welch(&first, &second, error) };
    Some((way, means, difference?))
}

fn samples(directory: &Path) -> Result<Samples, LabError> {
    let path = directory.join("result.json");
    let text = fs::read_to_string(&path).map_err(LabError::read(&path))?;
    let expected = "the result of `sim run`, with `swept` and `metrics`";
    let damaged = || LabError::Damaged { file: path.clone(), line: 1, expected };
    let result: Json = serde_json::from_str(&text).map_err(|_| damaged())?;
    let texts = |key: &str, name: Option<&str>| -> Option<Vec<String>> {
        let list = result.get(key)?.as_array()?;
        let text =
            |entry: &Json| Some(name.map_or(Some(entry), |name| entry.get(name))?.as_str()?.to_owned());
        list.iter().map(text).collect()
    };
    let keys = texts("swept", None).ok_or_else(damaged)?;
    let metrics = texts("metrics", Some("name")).ok_or_else(damaged)?;
    runs(&directory.join("runs.csv"), &keys, &metrics)
}

fn runs(path: &Path, keys: &[String], metrics: &[String]) -> Result<Samples, LabError> {
    let text = fs::read_to_string(path).map_err(LabError::read(path))?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let damaged = |line: u64| LabError::Damaged {
        file: path.into(),
        line,
        expected: "a line of runs, with the columns of the first line",
    };
    let header = reader.headers().map_err(|_| damaged(1))?.clone();
    let place = |name: &str| header.iter().position(|column| column == name).ok_or_else(|| damaged(1));
    let keys = keys.iter().map(|key| Ok((key, place(key)?))).collect::<Result<Vec<_>, LabError>>()?;
    let metrics =
        metrics.iter().map(|metric| Ok((metric, place(metric)?))).collect::<Result<Vec<_>, LabError>>()?;
    let seed = place("seed")?;
    let mut samples = Samples::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|_| damaged(line))?;
        let cell = |place: usize| record.get(place).ok_or_else(|| damaged(line));
        let named = keys.iter().map(|(key, place)| Ok(format!("{key} = {}", cell(*place)?)));
        let point = named.collect::<Result<Vec<_>, LabError>>()?.join(", ");
        let seed: u64 = cell(seed)?.parse().map_err(|_| damaged(line))?;
        let metrics_here = samples.entry(point).or_default();
        for (metric, place) in &metrics {
            let text = cell(*place)?;
            if !text.is_empty() {
                let value: f64 = text.parse().map_err(|_| damaged(line))?;
                metrics_here.entry((*metric).clone()).or_default().insert(seed, value);
            }
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How two samples of these seeds and values are compared: the way, the means, the difference and its half width.
    fn check(a: &[(u64, f64)], b: &[(u64, f64)], expected: (Way, [f64; 2], f64, Option<f64>)) {
        let sample = |pairs: &[(u64, f64)]| pairs.iter().copied().collect();
        let (way, means, difference) = beside(&sample(a), &sample(b), 0.05).unwrap();
        let rounded = |number: f64| (number * 1e6).round() / 1e6;
        let found = (way, means.map(rounded), rounded(difference.mean), difference.half_width.map(rounded));
        assert_eq!(found, expected);
    }

    #[test]
    fn runs_with_equal_seeds_are_compared_pair_by_pair() {
        let before = [(1, 10.0), (2, 20.0), (3, 30.0)];
        // Differences of 0.10, 0.11 and 0.12: 4.302653 × 0.01 / √3.
        let after = [(1, 10.1), (2, 20.11), (3, 30.12)];
        check(&before, &after, (Way::Paired, [20.0, 20.11], 0.11, Some(0.024_841)));
        // More runs in one of them are left out.
        let longer = [(1, 10.1), (2, 20.11), (3, 30.12), (4, 99.0)];
        check(&before, &longer, (Way::Paired, [20.0, 20.11], 0.11, Some(0.024_841)));
        check(&longer, &before, (Way::Paired, [20.11, 20.0], -0.11, Some(0.024_841)));
        check(&before, &before, (Way::Paired, [20.0, 20.0], 0.0, Some(0.0)));
        check(&before[..1], &after[..1], (Way::Paired, [10.0, 10.1], 0.1, None));
        // The same values with other seeds are no pairs: just below 4 degrees of freedom, 2.776446 × √(200.2001 / 3).
        let other = [(1, 10.1), (2, 20.11), (7, 30.12)];
        check(&before, &other, (Way::Independent, [20.0, 20.11], 0.11, Some(22.680_926)));
    }
}

//! Two results beside each other: which metrics differ, point by point.

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

/// The values of each metric at each point, as they stand in `runs.csv`.
type Samples = BTreeMap<String, BTreeMap<String, Vec<f64>>>;

/// Compares the results in two directories.
///
/// # Errors
/// A directory that holds no results, or damaged ones.
pub fn compare(first: &Path, second: &Path) -> Result<Compared, LabError> {
    let (a, b) = (samples(first)?, samples(second)?);
    let both: Vec<(&String, &String, &[f64], &[f64])> = a
        .iter()
        .filter_map(|(point, metrics)| Some((point, metrics, b.get(point)?)))
        .flat_map(|(point, metrics, others)| {
            metrics.iter().filter_map(move |(metric, values)| {
                Some((point, metric, values.as_slice(), others.get(metric)?.as_slice()))
            })
        })
        .collect();
    let count = f64::from(u32::try_from(both.len().max(1)).unwrap_or(u32::MAX));
    let error = (1.0 - CONFIDENCE) / count;
    let row = |(point, metric, a, b): (&String, &String, &[f64], &[f64])| {
        let (first, second) = (Interval::of(a)?.mean, Interval::of(b)?.mean);
        let difference = welch(a, b, error)?;
        let difference_is = match difference.half_width {
            _ if first == second => Difference::None,
            None => Difference::Unknown,
            Some(half) if difference.mean.abs() > half => Difference::Significant,
            Some(_) => Difference::None,
        };
        Some(Row { point: point.clone(), metric: metric.clone(), first, second, difference, difference_is })
    };
    let rows = both.into_iter().filter_map(row).collect();
    let only = |a: &Samples, b: &Samples| a.keys().filter(|point| !b.contains_key(*point)).cloned().collect();
    Ok(Compared { rows, only_first: only(&a, &b), only_second: only(&b, &a) })
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
    let place = |name: &String| header.iter().position(|column| column == name).ok_or_else(|| damaged(1));
    let keys = keys.iter().map(|key| Ok((key, place(key)?))).collect::<Result<Vec<_>, LabError>>()?;
    let metrics =
        metrics.iter().map(|metric| Ok((metric, place(metric)?))).collect::<Result<Vec<_>, LabError>>()?;
    let mut samples = Samples::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|_| damaged(line))?;
        let cell = |place: usize| record.get(place).ok_or_else(|| damaged(line));
        let named = keys.iter().map(|(key, place)| Ok(format!("{key} = {}", cell(*place)?)));
        let point = named.collect::<Result<Vec<_>, LabError>>()?.join(", ");
        let metrics_here = samples.entry(point).or_default();
        for (metric, place) in &metrics {
            let text = cell(*place)?;
            if !text.is_empty() {
                let value: f64 = text.parse().map_err(|_| damaged(line))?;
                metrics_here.entry((*metric).clone()).or_default().push(value);
            }
        }
    }
    Ok(samples)
}

//! Results as columns, for files that other programs read. The names of columns end in their units.

use super::parameter::Value;
use super::results::{Cell, Point, Results};

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cells: Cells,
}

/// What stands in it; none where there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cells {
    Integers(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Texts(Vec<String>),
}

impl Cells {
    /// The cell of row `row` as a text.
    pub(super) fn text(&self, row: usize) -> String {
        match self {
            Self::Integers(cells) => cells.get(row).copied().flatten().map(|cell| cell.to_string()),
            // The shortest text that reads as the same number.
            Self::Reals(cells) => cells.get(row).copied().flatten().map(|cell| format!("{cell:?}")),
            Self::Texts(cells) => cells.get(row).cloned(),
        }
        .unwrap_or_default()
    }

    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Integers(cells) => cells.len(),
            Self::Reals(cells) => cells.len(),
            Self::Texts(cells) => cells.len(),
        }
    }
}

/// Every run.
pub(super) fn runs(results: &Results) -> Vec<Column> {
    let rows = || results.points.iter().flat_map(|point| point.runs.iter().map(move |run| (point, run)));
    let mut columns = swept(results, &rows().map(|(point, _)| point).collect::<Vec<_>>());
    let integers = |name: &str, cells: Vec<i64>| Column {
        name: name.into(),
        cells: Cells::Integers(cells.into_iter().map(Some).collect()),
    };
    columns.push(integers("repetition", rows().map(|(_, run)| run.repetition.into()).collect()));
    columns.push(integers("seed", rows().map(|(_, run)| run.seed.cast_signed()).collect()));
    for (place, metric) in results.metrics.iter().enumerate() {
        let cells = rows().map(|(_, run)| run.values.get(place).copied().flatten()).collect();
        columns.push(Column { name: metric.name.into(), cells: Cells::Reals(cells) });
    }
    let hex = |bytes: [u8; 32]| blake3::Hash::from_bytes(bytes).to_hex().to_string();
    let traces = rows().map(|(_, run)| hex(run.trace)).collect();
    columns.push(Column { name: "trace".into(), cells: Cells::Texts(traces) });
    columns
}

/// Every point: how many runs, and mean and half width of each metric.
pub(super) fn summary(results: &Results) -> Vec<Column> {
    let points: Vec<&Point> = results.points.iter().collect();
    let mut columns = swept(results, &points);
    let counts = points.iter().map(|point| i64::try_from(point.runs.len()).ok()).collect();
    columns.push(Column { name: "runs_count".into(), cells: Cells::Integers(counts) });
    for (place, metric) in results.metrics.iter().enumerate() {
        let cells: Vec<Cell> = points.iter().map(|point| point.cell(place)).collect();
        let means = cells.iter().map(|cell| cell.map(|cell| cell.mean)).collect();
        let halves = cells.iter().map(|cell| cell.and_then(|cell| cell.half_width)).collect();
        columns.push(Column { name: format!("mean_{}", metric.name), cells: Cells::Reals(means) });
        columns.push(Column { name: format!("half_width_{}", metric.name), cells: Cells::Reals(halves) });
    }
    columns
}

/// The columns of the swept keys.
fn swept(results: &Results, rows: &[&Point]) -> Vec<Column> {
    let column = |(place, key): (usize, &String)| {
        let values: Vec<&Value> = rows.iter().filter_map(|point| point.values.get(place)).collect();
        let integer = |value: &&Value| match value {
            Value::Integer(whole) => Some(*whole),
            _ => None,
        };
        let integers: Option<Vec<i64>> = values.iter().map(integer).collect();
        let reals: Option<Vec<f64>> = values.iter().map(|value| value.number()).collect();
        let cells = match (integers, reals) {
            (Some(integers), _) => Cells::Integers(integers.into_iter().map(Some).collect()),
            (None, Some(reals)) => Cells::Reals(reals.into_iter().map(Some).collect()),
            (None, None) => Cells::Texts(values.iter().map(|value| value.plain()).collect()),
        };
        Column { name: key.clone(), cells }
    };
    results.keys.iter().enumerate().map(column).collect()
}

//! A table of latencies, as measured networks come.

use proto::Span;
use std::str::FromStr;

/// The most rows of a table: a square of them fits in 64 MiB.
pub const MAX_ROWS: usize = 4_096;
/// The longest way, in milliseconds.
const MAX_MS: f64 = 60_000.0;

/// One-way latencies from each row's node to each column's.
///
/// As text: a row a line, milliseconds separated by blanks or commas, `#` before remarks. Tables of round trips, like King or
/// PlanetLab (reference §6.3), are to be halved before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    rows: usize,
    micros: Vec<u32>,
}

/// Why a text is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct MatrixError {
    /// Where, from 1.
    pub line: usize,
    /// What should stand there.
    pub expected: String,
}

impl Matrix {
    /// How many nodes it has.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The way from a node to another; numbers beyond the last row begin at the first again.
    pub(crate) fn way(&self, from: u64, to: u64) -> Span {
        let place = |number: u64| {
            let rows = u64::try_from(self.rows).unwrap_or(1).max(1);
            usize::try_from(number % rows).unwrap_or(0)
        };
        let cell = place(from) * self.rows + place(to);
        Span(self.micros.get(cell).copied().unwrap_or(0).into())
    }
}

impl FromStr for Matrix {
    type Err = MatrixError;

    fn from_str(text: &str) -> Result<Self, MatrixError> {
        let mut table = Self { rows: 0, micros: Vec::new() };
        let (mut rows, mut last) = (0, 1);
        for (line, row) in (1..).zip(text.lines()) {
            let wrong = |expected: String| MatrixError { line, expected };
            let row = row.split('#').next().unwrap_or_default();
            let cells = row.split([' ', '\t', ',']).filter(|cell| !cell.is_empty());
            let before = table.micros.len();
            for cell in cells {
                let micros = micros(cell);
                table.micros.push(micros.ok_or_else(|| {
                    wrong(format!("milliseconds from 0 to {MAX_MS}, and not `{}`", shown(cell)))
                })?);
                if table.micros.len() - before > MAX_ROWS {
                    return Err(wrong(format!("at most {MAX_ROWS} columns")));
                }
            }
            let columns = table.micros.len() - before;
            if columns == 0 {
                continue;
            }
            if rows == 0 {
                table.rows = columns;
            }
            (rows, last) = (rows + 1, line);
            if columns != table.rows || rows > table.rows {
                return Err(wrong(format!("{0} rows of {0} numbers, as in the first row", table.rows)));
            }
        }
        if rows == 0 || rows != table.rows {
            let expected = format!("as many rows as columns, and not {rows} and {}", table.rows);
            return Err(MatrixError { line: last, expected });
        }
        Ok(table)
    }
}

fn micros(cell: &str) -> Option<u32> {
    let millis: f64 = cell.parse().ok()?;
    let is_allowed = (0.0..=MAX_MS).contains(&millis);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 60,000,000")]
    let micros = libm::round(millis * 1_000.0) as u32;
    is_allowed.then_some(micros)
}

/// The beginning of a word that may be long.
fn shown(cell: &str) -> String {
    cell.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_the_way_from_row_to_column() {
        let table: Matrix = "# ms\n0, 10.5 20\n\n10 0 30 # home\n21\t31 0\n".parse().unwrap();
        assert_eq!(table.rows(), 3);
        for (from, to, micros) in [(0, 1, 10_500), (1, 0, 10_000), (2, 1, 31_000), (4, 3, 10_000), (1, 1, 0)]
        {
            assert_eq!(table.way(from, to), Span(micros), "{from} {to}");
        }
    }

    fn check(text: &str, expected: &str) {
        let error = text.parse::<Matrix>().unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        check("0 1\n1 -3\n", "line 2: expected milliseconds from 0 to 60000, and not `-3`");
        check("0 1\nNaN 0\n", "line 2: expected milliseconds from 0 to 60000, and not `NaN`");
        check("0 1\n1\n", "line 2: expected 2 rows of 2 numbers, as in the first row");
        check("0 1\n", "line 1: expected as many rows as columns, and not 1 and 2");
        check("0\n0\n", "line 2: expected 1 rows of 1 numbers, as in the first row");
        check("", "line 1: expected as many rows as columns, and not 0 and 0");
        check(&"1 ".repeat(MAX_ROWS + 1), &format!("line 1: expected at most {MAX_ROWS} columns"));
    }
}

//! A figure of the Chord paper beside what was measured.

use super::Look;
use super::table::{Align, Colour, Table};
use serde::Serialize;
use sim::ring::{Comparison, Effort, Within};

/// What `sim ring --preset` shows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RingCompared {
    seed: u64,
    reps: u64,
    lookups: u64,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    case: String,
    quantity: &'static str,
    /// The paper's value, or the most that is allowed; none where the value is only shown.
    expected: Option<f64>,
    measured: f64,
    /// How near they have to be, in words.
    within: String,
    /// Whether they are; none where nothing is asked for.
    is_met: Option<bool>,
}

impl RingCompared {
    pub(crate) fn of(rows: &[Comparison], effort: Effort) -> Self {
        let rows = rows.iter().map(Row::of).collect();
        Self { seed: effort.seed, reps: effort.reps, lookups: effort.lookups, rows }
    }

    pub(super) fn text(&self, look: Look) -> String {
        let mut table = Table::new(&[
            ("case", Align::Left),
            ("quantity", Align::Left),
            ("expected", Align::Right),
            ("measured", Align::Right),
            ("within", Align::Right),
            ("verdict", Align::Left),
        ]);
        for row in &self.rows {
            let colour = if row.is_met == Some(false) { Colour::Red } else { Colour::Plain };
            table.row(row.cells(|value| format!("{value:.3}")), colour);
        }
        table.render(look.width, look.has_colour)
    }

    pub(super) fn csv(&self) -> String {
        let header = "case,quantity,expected,measured,within,verdict\n".to_owned();
        self.rows
            .iter()
            .fold(header, |text, row| text + &row.cells(|value| value.to_string()).join(",") + "\n")
    }
}

impl Row {
    fn of(row: &Comparison) -> Self {
        let is_asked = row.within != Within::Any;
        Self {
            case: row.case.clone(),
            quantity: row.quantity,
            expected: (is_asked || row.expected > 0.0).then_some(row.expected),
            measured: row.measured,
            within: match row.within {
                Within::Absolute(most) => format!("± {most}"),
                Within::Share(most) => format!("± {} %", most * 100.0),
                Within::AtMost => "at most".to_owned(),
                Within::Any => String::new(),
            },
            is_met: is_asked.then(|| row.is_met()),
        }
    }

    fn cells(&self, number: impl Fn(f64) -> String) -> [String; 6] {
        let verdict = match self.is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        [
            self.case.clone(),
            self.quantity.to_owned(),
            self.expected.map(&number).unwrap_or_default(),
            number(self.measured),
            self.within.clone(),
            verdict.to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_table_with_verdicts_and_only_asks_for_what_is_asked() {
        let row = |quantity, expected, measured, within| Comparison {
            case: "p = 0.5".to_owned(),
            quantity,
            expected,
            measured,
            within,
        };
        let rows = [
            row("mean hops", 5.09, 5.1, Within::Share(0.03)),
            row("failed", 0.0, 2.0, Within::AtMost),
            row("bytes", 0.0, 7.5, Within::Any),
        ];
        let shown = RingCompared::of(&rows, Effort { seed: 1, reps: 2, lookups: 3 });
        let expected = "\
case,quantity,expected,measured,within,verdict
p = 0.5,mean hops,5.09,5.1,± 3 %,met
p = 0.5,failed,0,2,at most,missed
p = 0.5,bytes,,7.5,,
";
        assert_eq!(shown.csv(), expected);
        let text = shown.text(Look { width: None, has_colour: false });
        assert_eq!(text.lines().nth(2), Some("p = 0.5  failed        0.000     2.000  at most  missed"));
    }
}

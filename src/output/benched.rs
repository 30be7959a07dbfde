//! How fast the simulator is.

use serde::Serialize;
use std::fmt::Write as _;

/// All measurements.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Benched {
    measurements: Vec<BenchRow>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BenchRow {
    name: String,
    value: f64,
    unit: &'static str,
    compared: Vec<Compared>,
}

#[derive(Clone, Debug, Serialize)]
struct Compared {
    with: &'static str,
    value: f64,
    /// How many times that; none where it is another thing.
    times: Option<f64>,
}

impl BenchRow {
    pub(crate) const fn new(name: String, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, compared: Vec::new() }
    }

    /// Compared with something that has the same unit.
    pub(crate) fn against(mut self, with: &'static str, value: f64) -> Self {
        let times = self.value / value.max(f64::MIN_POSITIVE);
        self.compared.push(Compared { with, value, times: Some(times) });
        self
    }

    /// With another figure of the same measurement.
    pub(crate) fn beside(mut self, with: &'static str, value: f64) -> Self {
        self.compared.push(Compared { with, value, times: None });
        self
    }
}

impl Benched {
    pub(crate) const fn new(measurements: Vec<BenchRow>) -> Self {
        Self { measurements }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for BenchRow { name, value, unit, compared } in &self.measurements {
            let _ = write!(text, "{name:<56} {:>10} {unit}", short(*value));
            for Compared { with, value, times } in compared {
                let _ = match times {
                    Some(times) => write!(text, " · {times:.2} × {with} ({})", short(*value)),
                    None => write!(text, " · {} {with}", short(*value)),
                };
            }
            text.push('\n');
        }
        text
    }
}

/// Three digits, and the thousands as a letter.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{:.2} M", value / 1e6),
        _ if value >= 1e4 => format!("{:.1} k", value / 1e3),
        _ => format!("{value:.1}"),
    }
}

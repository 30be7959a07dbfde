//! What experiments came to, and which there are.

use super::table::{Align, Colour, Table};
use super::{Look, json};
use serde::Serialize;
use serde_json::Value as Json;
use sim::experiment::{Compared, Difference, Experiment, Judged, Kind, Model, Results, Verdict, Way};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The most lines of a table on a terminal; all of it stands in files, and in JSON.
const MAX_LINES: usize = 60;

/// A scenario that there is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScenarioLine {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// Everything that can be run by name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Simulations {
    pub(crate) experiments: Vec<ExperimentLine>,
    pub(crate) scenarios: Vec<ScenarioLine>,
}

/// An experiment that there is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExperimentLine {
    name: String,
    title: String,
    model: String,
    hypothesis: String,
    expected: String,
    points: u32,
    repetitions: u32,
    seed: u64,
    swept: Vec<String>,
    claims: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricView>,
}

/// A metric.
#[derive(Clone, Debug, Serialize)]
struct MetricView {
    name: &'static str,
    unit: &'static str,
    about: &'static str,
}

/// A model: what can be set, and what is measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelView {
    name: &'static str,
    about: &'static str,
    parameters: Vec<ParameterView>,
    metrics: Vec<MetricView>,
}

#[derive(Clone, Debug, Serialize)]
struct ParameterView {
    key: &'static str,
    takes: String,
    default: String,
    about: &'static str,
}

/// An experiment that was run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExperimentRun {
    #[serde(flatten)]
    result: Json,
    summary: Vec<PointView>,
    files: Vec<PathBuf>,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    judged: Vec<Judged>,
}

#[derive(Clone, Debug, Serialize)]
struct PointView {
    point: String,
    metric: &'static str,
    runs: u32,
    mean: f64,
    half_width: Option<f64>,
}

/// Two results beside each other.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ComparedView {
    rows: Vec<RowView>,
    only_first: Vec<String>,
    only_second: Vec<String>,
    significant: usize,
    unknown: usize,
    /// How many rows are of pairs of runs with equal seeds; the others are of independent samples.
    paired: usize,
}

#[derive(Clone, Debug, Serialize)]
struct RowView {
    point: String,
    metric: String,
    first: f64,
    second: f64,
    difference: f64,
    half_width: Option<f64>,
    verdict: &'static str,
    compared: &'static str,
}

impl Simulations {
    pub(super) fn text(&self, look: Look) -> String {
        let mut table =
            Table::new(&[("experiment", Align::Left), ("", Align::Left), ("hypothesis", Align::Left)]);
        for ExperimentLine { name, title, hypothesis, .. } in &self.experiments {
            table.row([name.clone(), title.clone(), hypothesis.clone()], Colour::Plain);
        }
        let mut text = table.render(look.width, look.has_colour);
        let mut table = Table::new(&[("scenario", Align::Left), ("about", Align::Left)]);
        for ScenarioLine { name, about } in &self.scenarios {
            table.row([(*name).to_owned(), (*about).to_owned()], Colour::Plain);
        }
        text.push('\n');
        text + &table.render(look.width, look.has_colour)
    }
}

impl ExperimentLine {
    pub(crate) fn of(experiment: &Experiment) -> Self {
        Self {
            name: experiment.name.clone(),
            title: experiment.title.clone(),
            model: experiment.model.clone(),
            hypothesis: experiment.hypothesis.clone(),
            expected: experiment.expected.clone(),
            points: experiment.sweep.count().unwrap_or(0),
            repetitions: experiment.repetitions,
            seed: experiment.seed,
            swept: experiment.sweep.axes.iter().map(|axis| axis.key.clone()).collect(),
            claims: experiment.claims.iter().map(ToString::to_string).collect(),
            metrics: Vec::new(),
        }
    }

    /// With the metrics that it measures.
    pub(crate) fn with(self, model: &dyn Model, experiment: &Experiment) -> Self {
        let measured = experiment.measured(model).unwrap_or_default();
        let metrics = metrics(model).into_iter().filter(|metric| measured.contains(&metric.name)).collect();
        Self { metrics, ..self }
    }
}

fn metrics(model: &dyn Model) -> Vec<MetricView> {
    let view = |metric: &sim::experiment::Metric| {
        let sim::experiment::Metric { name, unit, about } = *metric;
        MetricView { name, unit, about }
    };
    model.metrics().iter().map(view).collect()
}

impl ModelView {
    pub(crate) fn of(model: &dyn Model) -> Self {
        let parameter = |parameter: sim::experiment::Parameter| ParameterView {
            key: parameter.key,
            takes: takes(&parameter.kind),
            default: parameter.default.value().to_string(),
            about: parameter.about,
        };
        let parameters = model.parameters().into_iter().map(parameter).collect();
        Self { name: model.name(), about: model.about(), parameters, metrics: metrics(model) }
    }

    pub(super) fn text(&self, look: Look) -> String {
        let mut text = format!("{}: {}\n\n", self.name, self.about);
        let columns = ["parameter", "default", "about"].map(|title| (title, Align::Left));
        let mut table = Table::new(&columns);
        for ParameterView { key, takes, default, about } in &self.parameters {
            table.row([(*key).to_owned(), default.clone(), format!("{about} ({takes})")], Colour::Plain);
        }
        text.push_str(&table.render(look.width, look.has_colour));
        let mut table = Table::new(&[("metric", Align::Left), ("about", Align::Left)]);
        for MetricView { name, about, .. } in &self.metrics {
            table.row([(*name).to_owned(), (*about).to_owned()], Colour::Plain);
        }
        text.push('\n');
        text + &table.render(look.width, look.has_colour)
    }
}

/// What a parameter takes, without the words of an error.
fn takes(kind: &Kind) -> String {
    kind.to_string().replace('`', "")
}

pub(super) fn models_json(models: &[ModelView]) -> String {
    #[derive(Serialize)]
    struct Models<'a> {
        models: &'a [ModelView],
    }
    json::document("sim-model-list", Models { models })
}

pub(super) fn models(models: &[ModelView], look: Look) -> String {
    let mut table = Table::new(&[("model", Align::Left), ("about", Align::Left)]);
    for ModelView { name, about, .. } in models {
        table.row([(*name).to_owned(), (*about).to_owned()], Colour::Plain);
    }
    table.render(look.width, look.has_colour)
}

impl ExperimentRun {
    pub(crate) fn of(
        experiment: &Experiment,
        results: &Results,
        judged: &[Judged],
        files: &[PathBuf],
    ) -> Self {
        let mut summary = Vec::new();
        for point in &results.points {
            let name = results.name(point);
            for (place, metric) in results.metrics.iter().enumerate() {
                summary.extend(point.cell(place).map(|cell| PointView {
                    point: name.clone(),
                    metric: metric.name,
                    runs: cell.count,
                    mean: cell.mean,
                    half_width: cell.half_width,
                }));
            }
        }
        let result = sim::experiment::json(experiment, results, judged);
        let title = format!("{} ({})", experiment.name, experiment.title);
        Self { result, summary, files: files.to_vec(), title, judged: judged.to_vec() }
    }

    pub(super) fn text(&self, look: Look) -> String {
        let mut text = match sim::experiment::overall(&self.judged) {
            Some(verdict) => format!("{}: the data {}\n", self.title, said(verdict)),
            None => format!("{}\n", self.title),
        };
        let mut table =
            Table::new(&["claim", "points", "worst", "verdict"].map(|title| (title, Align::Left)));
        for judged in &self.judged {
            let worst = judged.worst.as_ref().map_or_else(String::new, |(place, difference)| {
                format!("{} at {place}", measured(difference.mean, difference.half_width))
            });
            let colour = match judged.verdict {
                Verdict::Supports => Colour::Green,
                Verdict::Undecided => Colour::Yellow,
                Verdict::Contradicts => Colour::Red,
            };
            let counted = format!("{}/{}", judged.looked_at - judged.missed, judged.looked_at);
            table.row([judged.claim.clone(), counted, worst, judged.verdict.name().to_owned()], colour);
        }
        if !self.judged.is_empty() {
            let _ = writeln!(text, "\n{}", table.render(look.width, look.has_colour).trim_end());
        }
        let columns =
            [("point", Align::Left), ("metric", Align::Left), ("runs", Align::Right), ("mean", Align::Right)];
        let mut table = Table::new(&columns);
        for PointView { point, metric, runs, mean, half_width } in self.summary.iter().take(MAX_LINES) {
            let cells = [point.clone(), (*metric).to_owned(), runs.to_string(), measured(*mean, *half_width)];
            table.row(cells, Colour::Plain);
        }
        let _ = write!(text, "\n{}", table.render(look.width, look.has_colour));
        if self.summary.len() > MAX_LINES {
            let _ = writeln!(
                text,
                "… {} lines of {}; all of them with --out or --json",
                MAX_LINES,
                self.summary.len()
            );
        }
        if let Some(directory) = self.files.first().and_then(|file| file.parent()) {
            let names = self.files.iter().filter_map(|file| file.file_name()?.to_str());
            let names: Vec<&str> = names.collect();
            let _ = writeln!(text, "\nin {}: {}", directory.display(), names.join(", "));
        }
        text
    }
}

const fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supports => "supports the hypothesis",
        Verdict::Undecided => "leaves the hypothesis undecided",
        Verdict::Contradicts => "contradicts the hypothesis",
    }
}

/// A mean and its half width, with six digits.
fn measured(mean: f64, half_width: Option<f64>) -> String {
    match half_width {
        Some(0.0) => digits(mean),
        Some(half) => format!("{} ± {}", digits(mean), digits(half)),
        None => format!("{} ± ?", digits(mean)),
    }
}

fn digits(number: f64) -> String {
    if number == 0.0 || (1e-4..1e9).contains(&number.abs()) {
        let text = format!("{number:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{number:.3e}")
    }
}

impl ComparedView {
    pub(crate) fn of(compared: &Compared) -> Self {
        let row = |row: &sim::experiment::Row| RowView {
            point: row.point.clone(),
            metric: row.metric.clone(),
            first: row.first,
            second: row.second,
            difference: row.difference.mean,
            half_width: row.difference.half_width,
            verdict: row.difference_is.name(),
            compared: row.way.name(),
        };
        let count = |kind| compared.rows.iter().filter(|row| row.difference_is == kind).count();
        Self {
            rows: compared.rows.iter().map(row).collect(),
            only_first: compared.only_first.clone(),
            only_second: compared.only_second.clone(),
            significant: count(Difference::Significant),
            unknown: count(Difference::Unknown),
            paired: compared.rows.iter().filter(|row| row.way == Way::Paired).count(),
        }
    }

    pub(super) fn text(&self, look: Look) -> String {
        let titles = ["point", "metric", "first", "second", "difference", "compared", ""];
        let mut table = Table::new(&titles.map(|title| (title, Align::Left)));
        // What differs stands first.
        let mut rows: Vec<&RowView> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.verdict == Difference::None.name());
        for row in rows.iter().take(MAX_LINES) {
            let (word, colour) = match row.verdict {
                "significant" => ("differs", Colour::Red),
                "unknown" => ("one run only", Colour::Yellow),
                _ => ("", Colour::Plain),
            };
            let difference = measured(row.difference, row.half_width);
            let (first, second) = (digits(row.first), digits(row.second));
            let named = [row.point.clone(), row.metric.clone(), first, second, difference];
            table.row(named.into_iter().chain([row.compared, word].map(ToOwned::to_owned)), colour);
        }
        let mut text = table.render(look.width, look.has_colour);
        if rows.len() > MAX_LINES {
            let _ = writeln!(text, "… {MAX_LINES} lines of {}; all of them with --json", rows.len());
        }
        for (points, which) in [(&self.only_first, "first"), (&self.only_second, "second")] {
            if !points.is_empty() {
                let _ = writeln!(text, "only in the {which}: {}", points.join("; "));
            }
        }
        let Self { significant, paired, rows, .. } = self;
        let (all, other) = (rows.len(), rows.len() - paired);
        let _ = writeln!(
            text,
            "{significant} of {all} differ significantly (95 % for all together; {paired} by pairs of runs with equal \
             seeds, {other} as independent samples by Welch's t)"
        );
        text
    }
}

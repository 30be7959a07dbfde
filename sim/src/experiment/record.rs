//! What is kept of an experiment beside its figures: the file as it was run, and the result in short.

use super::Model;
use super::claim::{Claim, Operand, Relation};
use super::definition::Experiment;
use super::parameter::Value;
use super::results::Results;
use super::sweep::Combine;
use super::verdict::{Judged, overall};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// The experiment as it was run, as a file that runs it again: with every default, so that it stays the same where a later
/// version has others.
#[must_use]
pub fn toml(experiment: &Experiment, model: &dyn Model) -> String {
    let text = |text: &str| Value::Text(text.into());
    let mut out = format!("# As run by compup2p {}.\n", env!("CARGO_PKG_VERSION"));
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(out, "{key} = {value}");
    };
    line("name", &text(&experiment.name));
    line("title", &text(&experiment.title));
    line("model", &text(&experiment.model));
    for (key, said) in [("hypothesis", &experiment.hypothesis), ("expected", &experiment.expected)] {
        if !said.is_empty() {
            line(key, &text(said));
        }
    }
    line("seed", &experiment.seed);
    line("repetitions", &experiment.repetitions);
    if !experiment.metrics.is_empty() {
        line("metrics", &Value::Texts(experiment.metrics.clone()));
    }
    for parameter in model.parameters().iter().filter(|known| !experiment.sweep.has(known.key)) {
        let given = experiment.given.get(parameter.key).cloned();
        line(parameter.key, &given.unwrap_or_else(|| parameter.default.value()));
    }
    if let Some(stop) = &experiment.stop {
        out.push_str("\n[stop]\n");
        let _ = writeln!(out, "metric = {}", text(&stop.metric));
        let _ =
            writeln!(out, "relative_half_width = {:?}\nat_most = {}", stop.relative_half_width, stop.at_most);
    }
    if !experiment.sweep.axes.is_empty() {
        out.push_str("\n[sweep]\n");
        if experiment.sweep.combine == Combine::Zip {
            out.push_str("combine = \"zip\"\n");
        }
    }
    for axis in &experiment.sweep.axes {
        let _ = writeln!(out, "{} = {}", axis.key, list(&axis.values));
    }
    experiment.claims.iter().for_each(|claim| out.push_str(&self::claim(claim)));
    out
}

fn list(values: &[Value]) -> String {
    format!("[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

fn claim(claim: &Claim) -> String {
    let text = |text: &str| Value::Text(text.into());
    let operand = |other: &Operand| match other {
        Operand::Number(number) => Value::Real(*number),
        Operand::Metric(metric) => text(metric),
    };
    let (key, value) = match &claim.relation {
        Relation::Equals(other) => ("equals", operand(other)),
        Relation::AtMost(other) => ("at_most", operand(other)),
        Relation::AtLeast(other) => ("at_least", operand(other)),
        Relation::RisesWith(key) => ("rises_with", text(key)),
        Relation::FallsWith(key) => ("falls_with", text(key)),
    };
    let mut out = format!("\n[[claim]]\nmetric = {}\n{key} = {value}\n", text(&claim.metric));
    for (key, number) in [("tolerance", claim.tolerance), ("tolerance_pct", claim.tolerance_pct)] {
        if number > 0.0 {
            let _ = writeln!(out, "{key} = {number:?}");
        }
    }
    if !claim.place.is_empty() {
        let entries = claim.place.iter().map(|(key, values)| format!("{key} = {}", list(values)));
        let _ = writeln!(out, "where = {{ {} }}", entries.collect::<Vec<_>>().join(", "));
    }
    claim.about.iter().for_each(|about| {
        let _ = writeln!(out, "about = {}", text(about));
    });
    out
}

/// The result in short: what was run, by which version, and what it says of the claims.
#[must_use]
pub fn json(experiment: &Experiment, results: &Results, judged: &[Judged]) -> Json {
    let claims: Vec<Json> = judged.iter().map(one).collect();
    let metrics: Vec<Json> = results
        .metrics
        .iter()
        .map(|metric| json!({ "name": metric.name, "unit": metric.unit, "about": metric.about }))
        .collect();
    json!({
        "name": experiment.name,
        "title": experiment.title,
        "model": experiment.model,
        "hypothesis": experiment.hypothesis,
        "expected": experiment.expected,
        "version": env!("CARGO_PKG_VERSION"),
        "seed": experiment.seed,
        "experiment": experiment.hash(),
        "trace": trace(results),
        "points": results.points.len(),
        "runs": results.runs(),
        "swept": results.keys,
        "metrics": metrics,
        "verdict": overall(judged).map(super::Verdict::name),
        "claims": claims,
    })
}

fn one(judged: &Judged) -> Json {
    let worst = judged.worst.as_ref().map(|(place, difference)| {
        json!({ "where": place, "difference": difference.mean, "half_width": difference.half_width })
    });
    json!({
        "claim": judged.claim,
        "about": judged.about,
        "verdict": judged.verdict.name(),
        "looked_at": judged.looked_at,
        "missed": judged.missed,
        "worst": worst,
    })
}

/// A hash over everything that happened in all runs, in their order: the same on every machine and for any number of threads.
#[must_use]
pub fn trace(results: &Results) -> String {
    let mut hasher = blake3::Hasher::new();
    results.points.iter().flat_map(|point| &point.runs).for_each(|run| {
        hasher.update(&run.trace);
    });
    hasher.finalize().to_hex().to_string()
}

//! The report: one page that needs no network, with figures, tables and verdicts.

use super::definition::Experiment;
use super::results::Results;
use super::verdict::{Judged, Verdict, overall};
use super::{CONFIDENCE, Model, plot, record, table};
use std::fmt::{self, Write as _};

/// The most rows of the table of points; all of them stand in `summary.csv`.
const MAX_ROWS: usize = 500;
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:1rem 0;font-size:.85rem;display:block;overflow-x:auto}\
td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#f4f4f4}\
td.n{text-align:right;font-variant-numeric:tabular-nums}.supports{color:#176b2c}.contradicts{color:#a11a1a}\
.undecided{color:#8a5a00}.verdict{font-weight:bold}svg{max-width:100%;height:auto}dt{font-weight:bold}code{background:#f4f4f4}";

/// The page.
///
/// # Errors
/// A figure that cannot be drawn.
pub(super) fn html(
    experiment: &Experiment,
    model: &dyn Model,
    results: &Results,
    judged: &[Judged],
) -> Result<String, String> {
    let mut page = String::new();
    let title = if experiment.name == experiment.title {
        experiment.name.clone()
    } else {
        format!("{}: {}", experiment.name, experiment.title)
    };
    let wrong = |error: fmt::Error| error.to_string();
    head(&mut page, &title, experiment, judged).map_err(wrong)?;
    claims(&mut page, judged).map_err(wrong)?;
    page.push_str("<h2>Figures</h2>\n");
    for (place, metric) in results.metrics.iter().enumerate() {
        let has_own = !metric.name.starts_with("closed_");
        if has_own && results.points.iter().any(|point| point.cell(place).is_some()) {
            let figure = plot::svg(results, metric.name)?;
            let _ = writeln!(page, "<figure>{figure}</figure>");
        }
    }
    points(&mut page, results).map_err(wrong)?;
    provenance(&mut page, experiment, model, results).map_err(wrong)?;
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

fn head(page: &mut String, title: &str, experiment: &Experiment, judged: &[Judged]) -> fmt::Result {
    let title = escaped(title);
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>"
    )?;
    writeln!(page, "<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<dl>")?;
    for (word, text) in [("Hypothesis", &experiment.hypothesis), ("Expected", &experiment.expected)] {
        if !text.is_empty() {
            writeln!(page, "<dt>{word}</dt><dd>{}</dd>", escaped(text))?;
        }
    }
    if let Some(verdict) = overall(judged) {
        writeln!(page, "<dt>Verdict</dt><dd>The data {}.</dd>", verdict_of(verdict))?;
    }
    writeln!(page, "</dl>")
}

fn verdict_of(verdict: Verdict) -> String {
    let text = match verdict {
        Verdict::Supports => "supports it",
        Verdict::Undecided => "leaves it undecided",
        Verdict::Contradicts => "contradicts it",
    };
    format!("<span class=\"verdict {}\">{text}</span>", verdict.name())
}

fn claims(page: &mut String, judged: &[Judged]) -> fmt::Result {
    if judged.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "<h2>Claims</h2>\n<table>\n<tr><th>claim</th><th>the data</th><th>points or steps</th><th>worst</th></tr>"
    )?;
    for one in judged {
        let about = one.about.as_ref().map(|about| format!("<br>{}", escaped(about))).unwrap_or_default();
        let worst = one.worst.as_ref().map_or_else(String::new, |(place, difference)| {
            let half = difference.half_width.map_or("?".into(), |half| format!("{half:.4e}"));
            format!("{} ± {half} at {}", short(difference.mean), escaped(place))
        });
        let (name, count) = (one.verdict.name(), one.looked_at);
        let supported = one.looked_at - one.missed;
        writeln!(
            page,
            "<tr><td><code>{}</code>{about}</td><td class=\"verdict {name}\">{name}</td>\
             <td>{supported} of {count} support</td><td>{worst}</td></tr>",
            escaped(&one.claim)
        )?;
    }
    let percent = CONFIDENCE * 100.0;
    writeln!(
        page,
        "</table>\n<p>A claim is judged at {percent} % for all its points together (Bonferroni), by Student's t \
         over repetitions; steps by Welch's t. What is the same in all repetitions is exact.</p>"
    )
}

fn points(page: &mut String, results: &Results) -> fmt::Result {
    let columns = table::summary(results);
    let rows = results.points.len();
    writeln!(page, "<h2>Points</h2>\n<table>\n<tr>")?;
    columns.iter().try_for_each(|column| write!(page, "<th>{}</th>", escaped(&column.name)))?;
    writeln!(page, "</tr>")?;
    for row in 0..rows.min(MAX_ROWS) {
        page.push_str("<tr>");
        for column in &columns {
            let text = column.cells.text(row);
            let shown = match &column.cells {
                table::Cells::Texts(_) => escaped(&text),
                table::Cells::Integers(_) => text,
                table::Cells::Reals(_) => text.parse().map_or(text, short),
            };
            write!(page, "<td class=\"n\">{shown}</td>")?;
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
    if rows > MAX_ROWS {
        writeln!(page, "<p>{MAX_ROWS} of {rows} points; all of them stand in <code>summary.csv</code>.</p>")?;
    }
    let percent = CONFIDENCE * 100.0;
    writeln!(
        page,
        "<p>Half widths are those of the {percent} % confidence interval of the mean, by Student's t.</p>"
    )
}

fn provenance(
    page: &mut String,
    experiment: &Experiment,
    model: &dyn Model,
    results: &Results,
) -> fmt::Result {
    writeln!(page, "<h2>How it was made</h2>\n<p>{}</p>\n<dl>", escaped(model.about()))?;
    for metric in &results.metrics {
        writeln!(page, "<dt><code>{}</code></dt><dd>{}</dd>", metric.name, escaped(metric.about))?;
    }
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, "</dl>\n<p>compup2p {version}, seed {}, {} runs.</p>", experiment.seed, results.runs())?;
    writeln!(page, "<p>Hash of the experiment: <code>{}</code></p>", experiment.hash())?;
    writeln!(page, "<p>Hash over everything that happened: <code>{}</code></p>", record::trace(results))?;
    writeln!(
        page,
        "<p>The experiment as it was run:</p>\n<pre>{}</pre>",
        escaped(&record::toml(experiment, model))
    )
}

/// Six digits, as people write them.
fn short(number: f64) -> String {
    if number == 0.0 || (1e-3..1e9).contains(&number.abs()) {
        let text = format!("{number:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{number:.4e}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

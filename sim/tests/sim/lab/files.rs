//! What stands in the directory of an experiment.

use super::models::registry;
use super::reading::parse;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use sim::experiment::{
    Difference, Experiment, Figure, LabError, Options, check, compare, judge, keep, open, run,
};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

const BODY: &str = "hypothesis = \"y < 10 & y > 0\"\nrepetitions = 3\n[work]\nnoise = 0.5\n[sweep]\nwork.x = [1, 2]\n\
    population.shape = [\"even\", \"odd\"]\n[[claim]]\nmetric = \"y_credits\"\nrises_with = \"work.x\"\n";

fn kept(experiment: &Experiment, directory: &Path, figures: &[&str]) -> Result<Vec<String>, LabError> {
    let registry = registry();
    let model = experiment.model(&registry).unwrap();
    let figures: Vec<Figure> = figures.iter().map(|name| Figure::parse(name).unwrap()).collect();
    check(&figures, experiment, model)?;
    let (journal, finished) = open(directory, experiment, model, false)?;
    let options = Options { journal: Some(journal), finished, ..Options::default() };
    let results = run(experiment, &registry, options, &mut |_| ControlFlow::Continue(()))?;
    let judged = judge(&experiment.claims, &results);
    let files = keep(directory, experiment, model, (&results, &judged), &figures)?;
    Ok(files.iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect())
}

#[test]
fn all_files_are_there_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let files = kept(&parse(BODY).unwrap(), directory.path(), &["y_credits.svg", "y_credits.png"]).unwrap();
    let expected = [
        "experiment.toml",
        "runs.csv",
        "runs.parquet",
        "summary.csv",
        "summary.parquet",
        "result.json",
        "report.html",
        "y_credits.svg",
        "y_credits.png",
    ];
    assert_eq!(files, expected);
    let mut there: Vec<String> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.retain(|name| name != "finished.tsv");
    there.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(there, expected);
    let png = fs::read(directory.path().join("y_credits.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let svg = fs::read_to_string(directory.path().join("y_credits.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("closed form"), "{svg}");
}

#[test]
fn tables_have_units_in_their_names_and_the_same_figures_in_both_forms() {
    let directory = tempfile::tempdir().unwrap();
    kept(&parse(BODY).unwrap(), directory.path(), &[]).unwrap();
    let csv = fs::read_to_string(directory.path().join("runs.csv")).unwrap();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("work.x,population.shape,repetition,seed,y_credits,closed_y_credits,steps_count,trace")
    );
    assert_eq!(lines.count(), 12);
    let file = fs::File::open(directory.path().join("runs.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let notes = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert_eq!(notes[2].key, "seed");
    assert_eq!(notes[2].value.as_deref(), Some("1"));
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let cell = |(_, field): (&String, &Field)| match field {
                Field::Str(text) => text.clone(),
                Field::Long(whole) => whole.to_string(),
                Field::Double(real) => format!("{real:?}"),
                other => panic!("{other:?}"),
            };
            row.get_column_iter().map(cell).collect::<Vec<_>>().join(",")
        })
        .collect();
    assert_eq!(rows, csv.lines().skip(1).collect::<Vec<_>>());
    let summary = fs::read_to_string(directory.path().join("summary.csv")).unwrap();
    assert!(
        summary.starts_with("work.x,population.shape,runs_count,mean_y_credits,half_width_y_credits,"),
        "{summary}"
    );
}

#[test]
fn the_file_as_it_was_run_gives_the_same_figures_again() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let experiment =
        parse(&format!("{BODY}where = {{ population.shape = \"odd\" }}\ntolerance = 0.5\n")).unwrap();
    kept(&experiment, first.path(), &[]).unwrap();
    let text = fs::read_to_string(first.path().join("experiment.toml")).unwrap();
    let again = Experiment::parse(&text, &registry()).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    assert_eq!(again.claims, experiment.claims);
    kept(&again, second.path(), &[]).unwrap();
    for name in ["runs.csv", "summary.csv"] {
        let read = |directory: &Path| fs::read_to_string(directory.join(name)).unwrap();
        assert_eq!(read(first.path()), read(second.path()), "{name}");
    }
}

#[test]
fn the_report_is_one_page_that_asks_nobody() {
    let directory = tempfile::tempdir().unwrap();
    kept(&parse(BODY).unwrap(), directory.path(), &[]).unwrap();
    let page = fs::read_to_string(directory.path().join("report.html")).unwrap();
    for expected in
        ["y &lt; 10 &amp; y &gt; 0", "<svg", "y_credits rises with work.x", "supports", "seed 1, 12 runs"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    // The name of SVG's namespace is no address that is asked.
    let asked = page.replace("http://www.w3.org/2000/svg", "");
    for forbidden in ["http://", "https://", "<script", "@import", "src=", "<link"] {
        assert!(!asked.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn two_results_are_compared_point_by_point() {
    let directories =
        [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let bodies = [
        BODY.replace("0.5", "0.0"),
        BODY.replace("0.5", "0.0").replace("work.x = [1, 2]", "work.x = [2, 3]"),
        BODY.replace("0.5", "0.0").replace("[work]", "[rule]\nslope = 3\n[work]"),
    ];
    for (directory, body) in directories.iter().zip(&bodies) {
        kept(&parse(body).unwrap(), directory.path(), &["y_credits.svg"]).unwrap();
    }
    let [first, other_points, steeper] = directories.each_ref().map(|directory| directory.path());
    let same = compare(first, other_points).unwrap();
    assert_eq!((same.only_first.len(), same.only_second.len()), (2, 2));
    let differs = |compared: &sim::experiment::Compared, metric: &str| -> Vec<Difference> {
        let rows = compared.rows.iter().filter(|row| row.metric == metric);
        rows.map(|row| row.difference_is).collect()
    };
    assert_eq!(differs(&same, "y_credits"), [Difference::None; 2]);
    let compared = compare(first, steeper).unwrap();
    assert_eq!(differs(&compared, "y_credits"), [Difference::Significant; 4]);
    let row = compared.rows.iter().find(|row| row.metric == "y_credits").unwrap();
    assert_eq!((row.first, row.second, row.difference.mean), (2.0, 3.0, 1.0));
    let nothing = tempfile::tempdir().unwrap();
    let error = compare(first, nothing.path()).unwrap_err();
    assert!(error.to_string().contains("result.json"), "{error}");
}

#[test]
fn a_figure_of_a_metric_that_is_not_there_is_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let error = kept(&parse(BODY).unwrap(), directory.path(), &["price.svg"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot make the figure: `price` is not measured; measured are y_credits, closed_y_credits, steps_count"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(Figure::parse("y_credits.pdf").is_err());
}

//! What an experiment file may say.

use super::models::registry;
use proptest::prelude::*;
use sim::experiment::{Combine, Experiment, Value};

const HEAD: &str = "name = \"t\"\nmodel = \"line\"\n";

pub(crate) fn parse(body: &str) -> Result<Experiment, Vec<String>> {
    let text = format!("{HEAD}{body}");
    Experiment::parse(&text, &registry()).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// `body`, from the third line on, is refused in exactly these words.
fn refused(body: &str, expected: &[&str]) {
    assert_eq!(parse(body).unwrap_err(), expected, "{body}");
}

#[test]
fn an_unknown_key_is_an_error_with_its_line_and_the_nearest_known_one() {
    refused("reptitions = 3\n", &["3:1: `reptitions`: there is no such key; the nearest is `repetitions`"]);
    refused(
        "[population]\ncuont = 3\n",
        &["4:1: `population.cuont`: there is no such key; the nearest is `population.count`"],
    );
    refused(
        "[sweep]\n\"network.slope\" = [1]\n",
        &["4:1: `network.slope`: there is no such key; the nearest is `rule.slope`"],
    );
    refused(
        "metrics = [\"y_credit\"]\n",
        &["3:1: `y_credit`: there is no such metric; the nearest is `y_credits`"],
    );
    refused(
        "[stop]\nmetrik = \"x\"\n",
        &[
            "3:2: `stop`: expected `metric`, `relative_half_width` and `at_most`",
            "4:1: `stop.metrik`: there is no such key; the nearest is `metric`",
        ],
    );
    let faults = Experiment::parse("name = \"t\"\nmodel = \"lime\"\n", &registry()).unwrap_err();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["2:1: `lime`: there is no such model; the nearest is `line`"]);
}

#[test]
fn a_value_out_of_its_range_is_an_error_before_anything_starts() {
    refused(
        "[population]\ncount = 0\n",
        &["4:1: `population.count`: expected a whole number from 1 to 1000, and not 0"],
    );
    refused("[work]\nx = -5\n", &["4:1: `work.x`: expected a number from 0 to 1000000, and not -5.0"]);
    refused("[work]\nx = inf\n", &["4:1: `work.x`: expected a value, and not `inf`"]);
    refused(
        "[work]\nx = \"far\"\n",
        &["4:1: `work.x`: expected a number from 0 to 1000000, and not \"far\""],
    );
    refused(
        "[population]\nshape = \"round\"\n",
        &["4:1: `population.shape`: expected one of `even`, `odd`, and not \"round\""],
    );
    refused(
        "repetitions = 0\n",
        &["3:1: `repetitions`: expected a whole number from 1 to 1000000, and not 0"],
    );
}

#[test]
fn what_the_model_does_not_take_is_found_at_every_point_before_anything_starts() {
    let expected = "`population.count`: expected an odd number where `population.shape` is \"odd\"";
    refused("[population]\nshape = \"odd\"\ncount = 4\n", &[&format!("5:1: {expected}")]);
    refused(
        "[population]\nshape = \"odd\"\n[sweep]\n\"population.count\" = [3, 5, 6]\n",
        &[&format!("6:1: {expected}")],
    );
}

#[test]
fn a_billion_points_are_refused_before_anything_starts() {
    refused(
        "[sweep]\n\"work.x\" = { from = 0, to = 1e6, step = 1e-3 }\n",
        &["4:1: `work.x`: a range of 1000000001 values: expected 1 to 100000"],
    );
    let axis = "{ from = 0, to = 100, count = 1000 }";
    let body = format!("[sweep]\nwork.x = {axis}\nwork.noise = {axis}\nrule.slope = {axis}\n");
    refused(&body, &["3:2: `sweep`: 1000000000 points: expected 1 to 100000"]);
    refused(
        "repetitions = 1000000\n[sweep]\nwork.x = { from = 0, to = 1000, step = 1 }\n",
        &[
            "3:1: `repetitions`: 1001 points of 1000000 repetitions are 1001000000 runs: expected 1 to 10000000",
        ],
    );
}

#[test]
fn lists_ranges_and_scales_come_to_their_values() {
    let values = |axis: &str| -> Vec<f64> {
        let experiment = parse(&format!("[sweep]\nwork.x = {axis}\n")).unwrap();
        experiment.sweep.axes[0].values.iter().filter_map(Value::number).collect()
    };
    assert_eq!(values("[1, 2.5]"), [1.0, 2.5]);
    assert_eq!(values("{ from = 0, to = 0.3, step = 0.1 }"), [0.0, 0.1, 0.2, 0.3]);
    assert_eq!(values("{ from = 1, to = 2, count = 3 }"), [1.0, 1.5, 2.0]);
    assert_eq!(values("{ from = 1, to = 1000, count = 4, scale = \"log\" }"), [1.0, 10.0, 100.0, 1000.0]);
    let whole =
        parse("[sweep]\npopulation.count = { from = 1, to = 8, count = 7, scale = \"log\" }\n").unwrap();
    // 1, 1.41, 2, 2.83, 4, 5.66, 8: as whole numbers, and each once.
    let expected = [1, 2, 3, 4, 6, 8].map(Value::Integer);
    assert_eq!(whole.sweep.axes[0].values, expected);
    refused(
        "[sweep]\nwork.x = { from = 0, to = 9, count = 3, scale = \"log\" }\n",
        &["4:6: `work.x`: expected `from` and `to` above 0 where `scale` is \"log\""],
    );
}

#[test]
fn axes_are_combined_or_go_together() {
    let points = |combine: &str| -> Vec<String> {
        let body = format!("[sweep]\ncombine = \"{combine}\"\nwork.x = [1, 2]\nwork.noise = [0, 1]\n");
        let sweep = parse(&body).unwrap().sweep;
        let point = |number| {
            format!(
                "{:?}",
                sweep.at(number).iter().map(|(_, value)| value.number().unwrap()).collect::<Vec<_>>()
            )
        };
        (0..sweep.count().unwrap()).map(point).collect()
    };
    // In the order of the file; the last one changes fastest.
    assert_eq!(points("product"), ["[1.0, 0.0]", "[1.0, 1.0]", "[2.0, 0.0]", "[2.0, 1.0]"]);
    assert_eq!(points("zip"), ["[1.0, 0.0]", "[2.0, 1.0]"]);
    assert_eq!(parse("[sweep]\nwork.x = [1]\n").unwrap().sweep.combine, Combine::Product);
    refused(
        "[sweep]\ncombine = \"zip\"\nwork.x = [1, 2]\nwork.noise = [1]\n",
        &["3:2: `sweep`: expected lists of equal length where `combine` is \"zip\""],
    );
}

#[test]
fn a_claim_says_one_thing_about_a_metric_that_there_is() {
    refused(
        "[[claim]]\nmetric = \"y_credits\"\n",
        &["4:1: `claim`: expected one of `equals`, `at_most`, `at_least`, `rises_with`, `falls_with`"],
    );
    refused(
        "[[claim]]\nmetric = \"y_credits\"\nequals = \"z\"\n",
        &["5:1: `z`: there is no such metric; the nearest is `y_credits`"],
    );
    refused(
        "[[claim]]\nmetric = \"y_credits\"\nrises_with = \"work.x\"\n",
        &["5:1: `work.x` is not swept: expected a key of `[sweep]`"],
    );
    refused(
        "[[claim]]\nmetric = \"y_credits\"\nequals = 1\ntolerance = -1\n",
        &["6:1: `claim.tolerance`: expected a number of at least 0"],
    );
}

#[test]
fn a_text_that_is_not_toml_is_refused_with_its_place() {
    let faults = parse("[work\nx = 1\n").unwrap_err();
    assert!(faults[0].starts_with("3:6: this is not TOML: "), "{faults:?}");
}

#[test]
fn what_is_set_by_hand_fixes_or_sweeps_a_parameter() {
    let registry = registry();
    let mut experiment = parse("[sweep]\nwork.x = [1, 2]\n").unwrap();
    experiment.set(&registry, "work.x", "7").unwrap();
    assert_eq!((experiment.sweep.axes.len(), &experiment.given["work.x"]), (0, &Value::Integer(7)));
    experiment.set(&registry, "work.x", "[3, 4, 5]").unwrap();
    assert_eq!(experiment.sweep.count(), Ok(3));
    experiment.set(&registry, "population.count", "{ from = 1, to = 9, step = 2 }").unwrap();
    assert_eq!(experiment.sweep.count(), Ok(15));
    // A word needs no quotes.
    experiment.set(&registry, "population.shape", "odd").unwrap();
    assert_eq!(experiment.given["population.shape"], Value::Text("odd".into()));
    let unknown = experiment.set(&registry, "population.shap", "odd").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "`population.shap`: there is no such key; the nearest is `population.shape`"
    );
    let wrong = experiment.set(&registry, "population.count", "many").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "`population.count`: expected a whole number from 1 to 1000, and not \"many\""
    );
}

proptest! {
    #[test]
    fn any_text_is_answered(parts in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        let _ = parse(&parts.concat());
    }
}

const PIECES: &[&str] = &[
    "[sweep]\n",
    "[[claim]]\n",
    "[work]\n",
    "[stop]\n",
    "[quick]\n",
    "metric",
    "equals",
    "work.x",
    " = ",
    "\"y_credits\"",
    "1",
    "-1e9",
    "[1, 2]",
    "{ from = 1, to = 2, count = 1e9 }",
    "\n",
    "where",
    "{ ",
    " }",
    "\"",
    "seed",
    "repetitions",
    "population.count",
    "ä",
];

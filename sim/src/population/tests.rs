use super::draw::tests::{drawn, near};
use super::*;
use crate::experiment::Value;
use std::collections::BTreeSet;

/// A population with its defaults: `Setting`s come from models only, so the tests take the shipping model that has them all.
fn setting(given: &[(&str, Value)]) -> Setting {
    Setting::new(&crate::model::Auction::standard(), given.iter().cloned()).expect("it fits")
}

/// Mean and quantiles of a population against those of its formula.
fn check(name: &str, mean: f64, quantiles: &[(f64, f64)], tolerance: f64) {
    let setting = setting(&[("population.costs", Value::Text(name.into()))]);
    let costs = Populations::standard().costs(&setting);
    let (found, quantile) = drawn(|dice| costs.cost(0, dice));
    near(found, mean, tolerance);
    for (share, expected) in quantiles {
        near(quantile(*share), *expected, tolerance);
    }
}

#[test]
fn the_populations_of_the_theory_have_the_means_and_quantiles_of_their_formulas() {
    check("uniform", 0.5, &[(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)], 0.01);
    check("exponential", 1.0, &[(0.5, 0.693), (0.9, 2.303)], 0.06);
    check("pareto", 1.0, &[(0.0, 0.6), (0.5, 0.791_7), (0.9, 1.507)], 0.03);
    check("bimodal", 0.5, &[(0.1, 0.0), (0.4, 0.0), (0.6, 1.0)], 0.01);
    check("ladder", 100.0, &[(0.0, 100.0), (0.9, 100.0)], 0.0);
}

#[test]
fn a_ladder_is_the_worked_example_of_the_paper() {
    let costs =
        Populations::standard().costs(&setting(&[("population.costs", Value::Text("ladder".into()))]));
    let mut dice = Dice::new(1, "test", 0);
    assert_eq!([0, 1, 2].map(|seller| costs.cost(seller, &mut dice)), [100.0, 200.0, 300.0]);
}

#[test]
fn hosts_of_2010_have_the_check_values_of_the_reference() {
    let hosts = hosts::Hosts::at(4.67);
    let mut dice = Dice::new(1, "test", 0);
    let all: Vec<hosts::Host> = (0..40_000).map(|_| hosts.draw(&mut dice)).collect();
    let mean = |of: fn(&hosts::Host) -> f64| all.iter().map(of).sum::<f64>() / 40_000.0;
    let share = |cores: f64| all.iter().filter(|host| host.cores == cores).count() as f64 / 40_000.0;
    for (cores, expected) in [(1.0, 0.198), (2.0, 0.609), (4.0, 0.156), (8.0, 0.037)] {
        near(share(cores), expected, 0.008);
    }
    near(mean(|host| host.cores), 2.34, 0.03);
    near(mean(|host| host.memory_per_core), 1334.0, 20.0);
    // Cutting off what is below 50 MIPS adds about one in a hundred to the mean of Dhrystone.
    near(mean(|host| host.dhrystone), 4585.0, 100.0);
    near(mean(|host| host.whetstone), 2024.0, 20.0);
    near(mean(|host| host.disk), 111.0, 4.0);
    let correlation = |one: fn(&hosts::Host) -> f64, other: fn(&hosts::Host) -> f64| {
        let (a, b) = (mean(one), mean(other));
        let sum = |f: &dyn Fn(&hosts::Host) -> f64| all.iter().map(f).sum::<f64>();
        let together = sum(&|host| (one(host) - a) * (other(host) - b));
        let spread = |of: fn(&hosts::Host) -> f64, m: f64| sum(&|host| (of(host) - m) * (of(host) - m));
        together / (spread(one, a) * spread(other, b)).sqrt()
    };
    // Memory comes in seven classes, which weakens its correlations a little.
    near(correlation(|host| host.whetstone, |host| host.dhrystone), 0.639, 0.02);
    near(correlation(|host| host.memory_per_core, |host| host.whetstone), 0.25, 0.04);
    near(correlation(|host| host.cores, |host| host.disk), 0.0, 0.02);
}

#[test]
fn a_usual_machine_costs_about_a_credit_and_one_in_ten_nearly_nothing() {
    let setting = setting(&[("population.costs", Value::Text("energy".into()))]);
    let costs = Populations::standard().costs(&setting);
    let (_, quantile) = drawn(|dice| costs.cost(0, dice));
    assert_eq!(quantile(0.05), 0.001);
    // Reference §6.5: typical costs are 0.2 to 5 credits.
    assert!((0.2..5.0).contains(&quantile(0.3)), "{}", quantile(0.3));
    assert!((0.2..5.0).contains(&quantile(0.5)), "{}", quantile(0.5));
}

#[test]
fn values_have_the_distributions_of_their_names() {
    let check = |name: &str, median: f64, high: f64| {
        let setting = Setting::new(
            &crate::model::Tournament::standard(),
            [("population.values", Value::Text(name.into()))],
        );
        let setting = setting.expect("it fits");
        let values = values::Values::standard();
        let (_, quantile) = drawn(|dice| values.value(&setting, dice));
        near(quantile(0.5), median, 0.05);
        near(quantile(0.9), high, 0.15);
    };
    check("uniform", 0.5, 0.9);
    // 2.5 · e^(0.6 · 1.2816)
    check("lognormal", 2.5, 5.394);
}

#[test]
fn every_population_has_its_name_its_source_and_keys_of_its_own() {
    let all = Populations::standard();
    let names: BTreeSet<&str> = all.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), all.iter().count());
    let keys: Vec<&str> = all.parameters().iter().map(|parameter| parameter.key).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    assert!(all.iter().all(|kind| !kind.source.is_empty() && !kind.about.is_empty()));
}

#[test]
fn a_population_is_added_by_one_value() {
    const FREE: Kind = Kind {
        name: "free",
        about: "everybody gives",
        source: "this test",
        parameters: Vec::new,
        costs: |_| Box::new(Free),
    };
    struct Free;
    impl Costs for Free {
        fn cost(&self, _: usize, _: &mut Dice) -> f64 {
            0.0
        }
    }
    let model = crate::model::Auction::standard().with_population(FREE);
    let setting = Setting::new(&model, [("population.costs", Value::Text("free".into()))]).expect("it fits");
    let outcome = crate::experiment::Model::run(&model, &setting, 1).expect("it runs");
    assert_eq!(outcome.value("price_credits"), Some(0.0));
}

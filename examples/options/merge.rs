//! Merges the results of `examples/options/tasks.xml` and compares them with what is known.
//!
//! `merge-options DIRECTORY` adds up the files `seed-*.txt` and prints the price of the geometric-average
//! call with its 95 % confidence interval. That price has a closed form: exit code 0 when it lies inside the
//! interval, 1 when it does not or a file cannot be used, 2 for bad usage.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

use std::collections::{BTreeMap, HashMap};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

// The contract, as in options.c.
const SPOT: f64 = 100.0;
const STRIKE: f64 = 100.0;
const RATE: f64 = 0.05;
const VOLATILITY: f64 = 0.2;
const YEARS: f64 = 1.0;
const FIXINGS: f64 = 50.0;

/// The two-sided 95 % point of the normal distribution.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Paths, and the sum and the sum of squares of their payoffs.
#[derive(Clone, Copy, Default)]
struct Sample {
    n: f64,
    sum: f64,
    sumsq: f64,
}

impl Sample {
    fn add(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.sumsq += other.sumsq;
    }

    fn mean(&self) -> f64 {
        self.sum / self.n
    }

    /// Half the width of the 95 % confidence interval of the mean.
    fn half_width(&self) -> f64 {
        let variance = (self.sumsq - self.sum * self.mean()) / (self.n - 1.0);
        NORMAL_95 * (variance.max(0.0) / self.n).sqrt()
    }
}

/// What one sub-task found.
struct Part {
    seed: u64,
    geometric: Sample,
    arithmetic: Sample,
}

fn field<T: FromStr>(fields: &HashMap<&str, &str>, key: &str) -> Result<T, String> {
    let text = fields.get(key).ok_or_else(|| format!("no line \"{key}=\""))?;
    text.parse().map_err(|_| format!("\"{key}={text}\" is not a number of its kind"))
}

fn parse(text: &str) -> Result<Part, String> {
    let fields: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let paths: u32 = field(&fields, "n")?;
    let n = f64::from(paths);
    let sample = |sum, sumsq| -> Result<Sample, String> {
        let sample = Sample { n, sum: field(&fields, sum)?, sumsq: field(&fields, sumsq)? };
        if sample.sum.is_finite() && sample.sumsq.is_finite() {
            Ok(sample)
        } else {
            Err(format!("{sum} or {sumsq} is not finite"))
        }
    };
    Ok(Part {
        seed: field(&fields, "seed")?,
        geometric: sample("geometric_sum", "geometric_sumsq")?,
        arithmetic: sample("arithmetic_sum", "arithmetic_sumsq")?,
    })
}

/// The parts in the order of their seeds, so that the sums are the same on every machine.
fn read(directory: &Path) -> Result<BTreeMap<u64, Part>, String> {
    let mut parts = BTreeMap::new();
    let entries = directory.read_dir().map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", directory.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !(name.starts_with("seed-") && name.ends_with(".txt")) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).map_err(|error| format!("{name}: {error}"))?;
        let part = parse(&text).map_err(|error| format!("{name}: {error}"))?;
        let seed = part.seed;
        if parts.insert(seed, part).is_some() {
            return Err(format!("{name}: seed {seed} is there twice; its paths would count twice"));
        }
    }
    if parts.is_empty() {
        return Err(format!("{}: no files seed-*.txt", directory.display()));
    }
    Ok(parts)
}

/// The distribution function of the standard normal distribution, by the power series
/// 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + …), which is good to the last digits for the small x needed here.
fn normal_cdf(x: f64) -> f64 {
    let density = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * x * x).exp();
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-18 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + density * sum
}

/// The geometric mean of log-normal fixings is log-normal: Black and Scholes with its mean and variance.
fn closed_form() -> f64 {
    let drift = RATE - 0.5 * VOLATILITY * VOLATILITY;
    let mean = SPOT.ln() + drift * YEARS * (FIXINGS + 1.0) / (2.0 * FIXINGS);
    let variance =
        VOLATILITY * VOLATILITY * YEARS * (FIXINGS + 1.0) * (2.0 * FIXINGS + 1.0) / (6.0 * FIXINGS * FIXINGS);
    let deviation = variance.sqrt();
    let d2 = (mean - STRIKE.ln()) / deviation;
    let forward = (mean + 0.5 * variance).exp();
    (-RATE * YEARS).exp() * (forward * normal_cdf(d2 + deviation) - STRIKE * normal_cdf(d2))
}

fn merge(directory: &Path) -> Result<(), String> {
    let parts = read(directory)?;
    let (mut geometric, mut arithmetic) = (Sample::default(), Sample::default());
    for part in parts.values() {
        geometric.add(part.geometric);
        arithmetic.add(part.arithmetic);
    }
    if geometric.n < 2.0 {
        return Err("fewer than two paths in all: no confidence interval".to_owned());
    }
    let known = closed_form();
    let (price, half) = (geometric.mean(), geometric.half_width());
    println!("{} seeds, {} paths", parts.len(), geometric.n);
    println!("geometric average   {price:.6} ± {half:.6} (95 %)");
    println!("  closed form       {known:.6}");
    println!("arithmetic average  {:.6} ± {:.6} (95 %)", arithmetic.mean(), arithmetic.half_width());
    if (price - known).abs() <= half {
        println!("The closed form lies inside the interval.");
        Ok(())
    } else {
        Err(format!("the closed form {known:.6} lies outside {price:.6} ± {half:.6}"))
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: merge-options DIRECTORY");
        return ExitCode::from(2);
    };
    match merge(Path::new(&directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merge-options: {error}");
            ExitCode::FAILURE
        }
    }
}

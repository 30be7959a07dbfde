//! A cautious workload (reference §6.4, an assumption): jobs come as a Poisson process whose rate goes up and down with the day,
//! three times as high at its peak as at its lowest; 1 + geometric tasks with a mean of 20 more; lognormal work with a median of
//! ten minutes on the reference core, at most a day.

use super::{Job, Jobs, Kind};
use crate::dice::Dice;
use crate::experiment::Parameter;
use crate::population::draw;

const EVERY: Parameter = Parameter::real(
    "work.job_every_s",
    600.0,
    0.001,
    1e9,
    "mean seconds between two jobs of the conservative workload",
);

/// Jobs by day and night.
pub const KIND: Kind = Kind {
    name: "conservative",
    about: "Poisson jobs that swing with the day, of 21 tasks and lognormal work",
    source: "an assumption (reference §6.4)",
    parameters: || vec![EVERY],
    jobs: |setting| Box::new(Daily::new(setting.real(&EVERY))),
};

/// The longest task, in seconds: a day.
pub const LONGEST: f64 = 86_400.0;
const DAY: f64 = 86_400.0;
/// The mean number of tasks besides the first.
const MORE: f64 = 20.0;
/// Median in seconds, and the spread of its logarithm.
const WORK: (f64, f64) = (600.0, 1.5);
/// How far the rate goes up and down around its mean: half, so that the peak is three times the lowest.
const SWING: f64 = 0.5;

/// Jobs, one after the other.
#[derive(Clone, Debug)]
pub struct Daily {
    /// The mean time between two, in seconds.
    every: f64,
    at: f64,
}

impl Daily {
    /// With `every` seconds between two jobs in the mean.
    #[must_use]
    pub const fn new(every: f64) -> Self {
        Self { every, at: 0.0 }
    }
}

impl Jobs for Daily {
    /// The next job; all are the first user's.
    fn next(&mut self, dice: &mut Dice) -> Job {
        // Thinning (Lewis and Shedler 1979): as if it were always the peak, and some are left out.
        loop {
            self.at += draw::exponential(dice, self.every / (1.0 + SWING));
            let rate = 1.0 + SWING * libm::sin(std::f64::consts::TAU * self.at / DAY);
            if draw::happens(dice, rate / (1.0 + SWING)) {
                break;
            }
        }
        let mut work = Vec::new();
        loop {
            work.push(draw::lognormal(dice, WORK.0, WORK.1).min(LONGEST));
            if !draw::happens(dice, MORE / (MORE + 1.0)) {
                return Job { at: self.at, user: 0, work };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_have_their_rate_their_size_and_their_day() {
        let (mut jobs, mut dice) = (Daily::new(60.0), Dice::new(1, "test", 0));
        let all: Vec<Job> = (0..14_400).map(|_| jobs.next(&mut dice)).collect();
        // 14,400 jobs of a minute each: ten days, give or take four standard deviations of 2 hours.
        assert!((all.last().unwrap().at / DAY - 10.0).abs() < 0.35);
        let tasks = all.iter().map(|job| job.work.len() as f64).sum::<f64>() / 14_400.0;
        assert!((tasks - 21.0).abs() < 0.7, "{tasks}");
        // The first halves of the days have (1 + 1/π)/(1 − 1/π) times as many jobs as the second ones.
        let first = all.iter().filter(|job| (job.at / DAY).fract() < 0.5).count() as f64;
        let ratio = first / (14_400.0 - first);
        assert!((ratio - 1.934).abs() < 0.13, "{ratio}");
        let mut work: Vec<f64> = all.iter().map(|job| job.work[0]).collect();
        work.sort_by(f64::total_cmp);
        assert!((work[7_200] - 600.0).abs() < 40.0);
    }
}

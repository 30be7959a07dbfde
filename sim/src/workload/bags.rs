//! Bags of tasks as seven grids have had them (Iosup, Sonmez, Anoep and Epema, HPDC 2008; the figures by reference §6.4, which
//! asks to compare them with the paper before they are published).
//!
//! Weibull figures are taken as (shape, scale). The paper's spread of run times is ambiguous between variance and standard
//! deviation; here 6.1 is the variance of the logarithm to base 2, and no task is longer than [`LONGEST`].

use super::{Job, Jobs, Kind};
use crate::dice::Dice;
use crate::population::draw;

/// Bags of seven grids.
pub const KIND: Kind = Kind {
    name: "bags",
    about: "bags of tasks of 368 users, as at the peak of a day",
    source: "Iosup, Sonmez, Anoep and Epema, HPDC 2008 (reference §6.4)",
    parameters: Vec::new,
    jobs: |_| Box::new(Bags::default()),
};

/// The longest task, in seconds: 36 hours.
pub const LONGEST: f64 = 36.0 * 3_600.0;
/// Users, and the exponent of Zipf's law among them.
const USERS: usize = 368;
const ZIPF: f64 = 1.31;
/// Shape and scale of the logarithm to base 2 of a bag's size, and of the seconds between bags at peak times.
const SIZE: (f64, f64) = (1.76, 2.11);
const GAP: (f64, f64) = (4.25, 7.86);
/// Mean and variance of the logarithm to base 2 of the mean run time of a bag's tasks, in seconds.
const RUN_TIME: (f64, f64) = (2.73, 6.1);
/// Shape and scale of the variability of run times within a bag, in percent of the mean.
const VARIABILITY: (f64, f64) = (2.05, 12.25);

/// Bags of tasks, one after the other.
#[derive(Clone, Debug)]
pub struct Bags {
    /// The share of bags of each user and those before.
    users: Vec<f64>,
    at: f64,
}

impl Default for Bags {
    fn default() -> Self {
        let weight = |rank: usize| libm::pow((rank + 1) as f64, -ZIPF);
        let all: f64 = (0..USERS).map(weight).sum();
        let mut below = 0.0;
        let share = |rank| {
            below += weight(rank) / all;
            below
        };
        Self { users: (0..USERS).map(share).collect(), at: 0.0 }
    }
}

impl Jobs for Bags {
    fn next(&mut self, dice: &mut Dice) -> Job {
        self.at += libm::exp2(draw::weibull(dice, GAP.0, GAP.1));
        let chosen = draw::unit(dice);
        let user = self.users.iter().position(|below| chosen < *below).unwrap_or(USERS - 1);
        let tasks = libm::round(libm::exp2(draw::weibull(dice, SIZE.0, SIZE.1))).max(1.0);
        let mean = libm::exp2(RUN_TIME.0 + libm::sqrt(RUN_TIME.1) * draw::normal(dice));
        let spread = draw::weibull(dice, VARIABILITY.0, VARIABILITY.1) / 100.0;
        let mut work = Vec::new();
        let mut left = tasks;
        while left >= 1.0 {
            let task = mean * (1.0 + spread * draw::normal(dice));
            work.push(task.clamp(mean / 10.0, LONGEST).min(LONGEST));
            left -= 1.0;
        }
        Job { at: self.at, user, work }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags_have_the_medians_of_their_distributions() {
        let (mut bags, mut dice) = (Bags::default(), Dice::new(1, "test", 0));
        let jobs: Vec<Job> = (0..20_000).map(|_| bags.next(&mut dice)).collect();
        let median = |mut all: Vec<f64>| {
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        // 2^(2.11 · (ln 2)^(1/1.76)) = 3.28, rounded to whole tasks.
        assert_eq!(median(jobs.iter().map(|job| job.work.len() as f64).collect()), 3.0);
        let gaps = jobs.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        // 2^(7.86 · (ln 2)^(1/4.25)) = 148 s.
        assert!((median(gaps) - 148.0).abs() < 6.0);
        // 2^2.73 = 6.6 s.
        let first = median(jobs.iter().map(|job| job.work[0]).collect());
        assert!((first - 6.6).abs() < 0.4, "{first}");
        assert!(jobs.iter().flat_map(|job| &job.work).all(|work| *work > 0.0 && *work <= LONGEST));
        // Zipf with 1.31 among 368: the busiest has 1/3.37 of all.
        let busiest = jobs.iter().filter(|job| job.user == 0).count() as f64 / 20_000.0;
        assert!((busiest - 0.297).abs() < 0.015, "{busiest}");
    }
}

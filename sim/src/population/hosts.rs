//! Machines of volunteers with correlated cores, memory, speed and disk.
//!
//! Heien, Kondo and Anderson, ICDCS 2011 (arXiv 1011.5568), from 2.7 million hosts of SETI@home; the figures by reference
//! §6.1, which recalls them and asks to compare them with the paper before they are published. Each quantity follows
//! `a·e^(b·t)`, t in years since 2006. The data end in 2010: beyond about 2014 nothing is known, and the model refuses to
//! go further than [`LATEST`].

use super::draw;
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

/// The last year that the fit may be used for, in years since the beginning of 2006.
pub const LATEST: f64 = 8.0;
/// When the machines were counted.
pub(crate) const YEARS: Parameter = Parameter::real(
    "population.years",
    4.67,
    0.0,
    LATEST,
    "when the machines were counted, in years since 2006 (Heien et al. 2011: data up to 2010)",
);

/// `a·e^(b·t)`.
#[derive(Clone, Copy, Debug)]
struct Trend(f64, f64);

impl Trend {
    fn at(self, years: f64) -> f64 {
        self.0 * libm::exp(self.1 * years)
    }
}

/// How many times more hosts there are of one class than of the next: 1:2, 2:4 and 4:8 cores.
const CORES: [Trend; 3] = [Trend(3.369, -0.500_4), Trend(17.49, -0.321_7), Trend(12.8, -0.237_7)];
/// Cores of the classes.
const CORE_CLASSES: [f64; 4] = [1.0, 2.0, 4.0, 8.0];
/// The same for memory per core.
const MEMORY: [Trend; 6] = [
    Trend(0.582_9, -0.251_7),
    Trend(4.89, -0.129_2),
    Trend(0.382_1, -0.170_9),
    Trend(3.98, -0.136_7),
    Trend(1.51, -0.092_5),
    Trend(4.951, -0.100_8),
];
/// Memory per core of the classes, in MiB.
const MEMORY_CLASSES: [f64; 7] = [256.0, 512.0, 768.0, 1024.0, 1536.0, 2048.0, 4096.0];
/// Mean and variance of each speed in MIPS, and of the free disk in GB.
const DHRYSTONE: (Trend, Trend) = (Trend(2064.0, 0.170_9), Trend(1.379e6, 0.331_3));
const WHETSTONE: (Trend, Trend) = (Trend(1179.0, 0.115_7), Trend(3.237e5, 0.105_7));
const DISK: (Trend, Trend) = (Trend(31.59, 0.269_1), Trend(2890.0, 0.522_4));
/// The slowest core that is drawn, in MIPS: a normal distribution would have some below zero.
const SLOWEST: f64 = 50.0;

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Host {
    /// Cores: 1, 2, 4 or 8.
    pub cores: f64,
    /// Memory per core, in MiB.
    pub memory_per_core: f64,
    /// Whetstone speed of a core, in MIPS.
    pub whetstone: f64,
    /// Dhrystone speed of a core, in MIPS.
    pub dhrystone: f64,
    /// Free disk, in GB.
    pub disk: f64,
}

/// The machines of one moment.
#[derive(Clone, Debug)]
pub struct Hosts {
    cores: Vec<(f64, f64)>,
    memory: Vec<(f64, f64)>,
    whetstone: (f64, f64),
    dhrystone: (f64, f64),
    /// Median, and standard deviation of the logarithm.
    disk: (f64, f64),
}

impl Hosts {
    /// The machines `years` after the beginning of 2006, at most [`LATEST`].
    #[must_use]
    pub fn at(years: f64) -> Self {
        let years = years.clamp(0.0, LATEST);
        let spread = |(mean, variance): (Trend, Trend)| (mean.at(years), libm::sqrt(variance.at(years)));
        let (mean, deviation) = spread(DISK);
        let relative = deviation / mean;
        let square = libm::log1p(relative * relative);
        Self {
            cores: shares(&CORE_CLASSES, &CORES, years),
            memory: shares(&MEMORY_CLASSES, &MEMORY, years),
            whetstone: spread(WHETSTONE),
            dhrystone: spread(DHRYSTONE),
            disk: (mean / libm::exp(square / 2.0), libm::sqrt(square)),
        }
    }

    pub(crate) fn of(setting: &Setting) -> Self {
        Self::at(setting.real(&YEARS))
    }

    /// The mean Whetstone speed of a core, in MIPS.
    #[must_use]
    pub const fn mean_speed(&self) -> f64 {
        self.whetstone.0
    }

    /// A machine. Memory per core and the speeds hang together: correlations of 0.25 (memory and Whetstone), 0.306
    /// (memory and Dhrystone) and 0.639 (the speeds), by the Cholesky factor of their matrix; cores and disk are on their own.
    pub fn draw(&self, dice: &mut Dice) -> Host {
        let cores = quantile(&self.cores, draw::unit(dice));
        let (a, b, c) = (draw::normal(dice), draw::normal(dice), draw::normal(dice));
        let whetstone = 0.25 * a + 0.968_2 * b;
        let dhrystone = 0.306 * a + 0.580_9 * b + 0.754_2 * c;
        let speed = |(mean, deviation): (f64, f64), z: f64| (mean + deviation * z).max(SLOWEST);
        Host {
            cores,
            memory_per_core: quantile(&self.memory, draw::normal_share(a)),
            whetstone: speed(self.whetstone, whetstone),
            dhrystone: speed(self.dhrystone, dhrystone),
            disk: draw::lognormal(dice, self.disk.0, self.disk.1),
        }
    }
}

/// The share of hosts in each class and below it, from the ratios between neighbours.
fn shares(classes: &[f64], ratios: &[Trend], years: f64) -> Vec<(f64, f64)> {
    let mut weights = vec![1.0];
    for ratio in ratios.iter().rev() {
        weights.push(weights.last().copied().unwrap_or(1.0) * ratio.at(years));
    }
    weights.reverse();
    let all: f64 = weights.iter().sum();
    let mut below = 0.0;
    let cumulative = |(class, weight): (&f64, f64)| {
        below += weight / all;
        (*class, below)
    };
    classes.iter().zip(weights).map(cumulative).collect()
}

/// The class that holds this share.
fn quantile(classes: &[(f64, f64)], share: f64) -> f64 {
    let class = classes.iter().find(|(_, below)| share < *below).or_else(|| classes.last());
    class.map_or(0.0, |(class, _)| *class)
}

//! How long hosts stay and how long they stay away: alternating renewal, started in equilibrium.
//!
//! At the start of a run a host is in the middle of a stay or of an absence. What is left of it is drawn from the
//! distribution of the residual life, so that there is no time of warming up (reference §6.2).

mod lengths;

pub use lengths::Lengths;

use proto::Span;

/// Who stays how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Churn {
    /// How long a host stays.
    pub stay: Lengths,
    /// How long it is away.
    pub away: Lengths,
}

/// A minute and an hour, in microseconds.
const MINUTE: u64 = 60_000_000;
const HOUR: u64 = 60 * MINUTE;

impl Churn {
    /// p2psim's: exponential, one hour in the mean (reference §6.2).
    pub const P2PSIM: Self = Self::even(Lengths::Exponential { mean: Span(HOUR) });
    /// OverSim's and R-Kademlia's: Weibull with k = 0.5 and a mean of 10,000 s (reference §6.2).
    pub const OVERSIM: Self = Self::even(Lengths::Weibull { shape: 0.5, scale: Span::secs(5_000) });
    /// `BitTorrent`'s sessions, after Stutzbach and Rejaie (2006): k = 0.34, λ = 21.3 min (reference §6.2). They say
    /// nothing of absences, which are taken to be alike.
    pub const BITTORRENT: Self =
        Self::even(Lengths::Weibull { shape: 0.34, scale: Span(21 * MINUTE + 18_000_000) });
    /// Their second trace: k = 0.38, λ = 42.4 min.
    pub const BITTORRENT_2: Self =
        Self::even(Lengths::Weibull { shape: 0.38, scale: Span(42 * MINUTE + 24_000_000) });
    /// Their third trace: k = 0.59, λ = 41.9 min.
    pub const BITTORRENT_3: Self =
        Self::even(Lengths::Weibull { shape: 0.59, scale: Span(41 * MINUTE + 54_000_000) });
    /// KAD's, after Steiner, En-Najjary and Biersack (2009) (reference §6.2).
    pub const KAD: Self = Self {
        stay: Lengths::Weibull { shape: 0.615_11, scale: Span(169 * MINUTE + 32_310_000) },
        away: Lengths::Weibull { shape: 0.476_48, scale: Span(413 * MINUTE + 40_590_000) },
    };
    /// BOINC's volunteers, as its simulators fit them (`ComBoS`; reference §6.2, weak): available Weibull with k = 0.393
    /// and λ = 2.964 h, else log-normal with μ = -0.586 and σ = 2.844, in hours.
    pub const BOINC: Self = Self {
        stay: Lengths::Weibull { shape: 0.393, scale: Span(10_670_400_000) },
        away: Lengths::LogNormal { median: Span(2_003_537_646), sigma: 2.844 },
    };

    /// Every model by its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("p2psim", Self::P2PSIM),
        ("oversim", Self::OVERSIM),
        ("bittorrent", Self::BITTORRENT),
        ("bittorrent-2", Self::BITTORRENT_2),
        ("bittorrent-3", Self::BITTORRENT_3),
        ("kad", Self::KAD),
        ("boinc", Self::BOINC),
    ];

    /// Stays and absences of one distribution.
    #[must_use]
    pub const fn even(lengths: Lengths) -> Self {
        Self { stay: lengths, away: lengths }
    }

    /// The model of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, churn)| churn)
    }

    /// The same with stays of this mean, and absences longer or shorter by the same factor.
    #[must_use]
    pub fn with_mean(self, mean: Span) -> Self {
        let factor = mean.as_secs_f64() / self.stay.mean_s().max(f64::MIN_POSITIVE);
        Self { stay: self.stay.times(factor), away: self.away.times(factor) }
    }

    /// The share of the hosts that are there at a time.
    #[must_use]
    pub fn presence(self) -> f64 {
        let (stay, away) = (self.stay.mean_s(), self.away.mean_s());
        stay / (stay + away).max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_there_as_often_as_their_stays_are_long() {
        for (name, per_mille) in [("p2psim", 500), ("bittorrent-3", 500), ("kad", 214), ("boinc", 246)] {
            let presence = Churn::named(name).unwrap().presence() * 1_000.0;
            assert!((presence - f64::from(per_mille)).abs() < 1.0, "{name}: {presence}");
        }
        assert_eq!(Churn::named("nobody"), None);
        let fast = Churn::KAD.with_mean(Span::secs(600));
        assert!(
            (fast.stay.mean_s() - 600.0).abs() < 1e-3
                && (fast.presence() - Churn::KAD.presence()).abs() < 1e-6
        );
    }
}

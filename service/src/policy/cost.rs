//! What work costs the owner of the machine, from watts, the price of electricity, wear and listing.
//!
//! The model is the one of the project's reference, §6.5, with these assumptions:
//!
//! - Only the power above idle counts: the machine would run anyway. It is spread evenly over the cores.
//! - One core works `1000 / per_core` seconds on one Gc (a capacity of 1000 Mc/s is one Gc a second).
//! - Wear is paid for each hour that a core works; listing (what market owners charge, messages) for each Gc.
//! - Nothing is added for risk, or because the owner sits at the machine: `market.min_price` and the rules of
//!   the policy are there for that.
//! - The tariff is that of the minute in which the ask is made; a lease that goes on into a dearer hour is
//!   sold at the cheaper one.
//!
//! All figures are exact fractions of integers, rounded up once at the end, so that nobody sells below cost.

use super::schedule::Hours;
use super::text::quoted;
use proto::{Capacity, Rate};
use std::fmt;

/// Minutes in a day.
const DAY: u16 = 24 * 60;
/// The most that a kilowatt-hour, or an hour of a core's wear, may cost: 1000 units of currency.
pub const MAX_CURRENCY: Micro = Micro(1_000_000_000);
/// The most credits that one unit of currency may be: 10⁹.
pub const MAX_CREDITS_PER_CURRENCY: u32 = 1_000_000_000;
/// The most watts that a machine may draw: 100,000.
pub const MAX_WATTS: u32 = 100_000;

/// An amount of ordinary currency, in millionths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micro(pub u64);

impl fmt::Display for Micro {
    /// In units, with as many decimals as there are.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rate(self.0).fmt(out)
    }
}

/// What a kilowatt-hour costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tariff {
    /// The same at all hours.
    Flat(Micro),
    /// By the hour of local time; every minute of the day is in exactly one entry.
    ByHour(Vec<(Hours, Micro)>),
}

/// What `market.marginal_cost` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarginalCost {
    /// A number: micro-credits per Gc.
    Fixed(Rate),
    /// `"auto"`: computed by this model.
    Auto(CostModel),
}

/// What the cost of work is computed from: `[market]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostModel {
    /// `market.currency_per_kwh`.
    pub currency_per_kwh: Tariff,
    /// `market.idle_watts`: what the machine draws when it does nothing.
    pub idle_watts: u32,
    /// `market.busy_watts`: what it draws when all cores work.
    pub busy_watts: u32,
    /// `market.wear_per_core_hour`: what an hour of work takes from the life of a core, in currency.
    pub wear_per_core_hour: Micro,
    /// `market.listing_cost`: what being listed costs, in micro-credits per Gc.
    pub listing_cost: Rate,
    /// `market.credits_per_currency`: how many credits one unit of currency is, at least 1.
    pub credits_per_currency: u32,
}

/// The computed cost and every figure on the way; those in millionths and billionths are rounded down for display,
/// the rate is not computed from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// What a kilowatt-hour costs at this minute.
    pub currency_per_kwh: Micro,
    /// What the machine draws more when it works, in watts.
    pub extra_watts: u32,
    /// The same for one core, in milliwatts.
    pub core_milliwatts: u64,
    /// How long one core works on one Gc, in microseconds.
    pub micros_per_gc: u64,
    /// The energy of one Gc, in millijoules.
    pub millijoules_per_gc: u64,
    /// What that energy costs, in 10⁻¹² of the currency.
    pub energy_pico_currency: u64,
    /// What the wear of one Gc costs, in 10⁻¹² of the currency.
    pub wear_pico_currency: u64,
    /// What energy and wear cost, in nano-credits per Gc.
    pub nano_credits: u64,
    /// What listing costs, in micro-credits per Gc.
    pub listing: Rate,
    /// The cost: micro-credits per Gc, rounded up, at least 1.
    pub rate: Rate,
}

impl Default for CostModel {
    /// A desktop machine (20 W idle, 65 W busy) at 0.30 a kWh without wear. A unit of currency is 500,000 credits,
    /// an assumption by which four cores of 2400 Mc/s cost about the 0.2 credits per Gc that are asked by default.
    fn default() -> Self {
        Self {
            currency_per_kwh: Tariff::Flat(Micro(300_000)),
            idle_watts: 20,
            busy_watts: 65,
            wear_per_core_hour: Micro(0),
            listing_cost: Rate(0),
            credits_per_currency: 500_000,
        }
    }
}

impl Tariff {
    /// What a kilowatt-hour costs in the minute `minute_of_day`, 0 to 1439, of local time.
    #[must_use]
    pub fn at(&self, minute_of_day: u16) -> Micro {
        match self {
            Self::Flat(price) => *price,
            Self::ByHour(entries) => {
                let found = entries.iter().find(|(hours, _)| hours.contains(minute_of_day));
                found.map_or(Micro(0), |(_, price)| *price)
            }
        }
    }

    /// Whether every minute of the day has exactly one price.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Flat(_) => true,
            Self::ByHour(entries) => {
                (0..DAY).all(|minute| entries.iter().filter(|(hours, _)| hours.contains(minute)).count() == 1)
            }
        }
    }
}

impl fmt::Display for Tariff {
    /// As in the policy.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(price) => price.fmt(out),
            Self::ByHour(entries) => {
                let entry =
                    |(hours, price): &(Hours, Micro)| format!("{} = {price}", quoted(&hours.to_string()));
                let shown: Vec<String> = entries.iter().map(entry).collect();
                write!(out, "{{ {} }}", shown.join(", "))
            }
        }
    }
}

impl CostModel {
    /// What one Gc costs on a machine with `cores` cores of `per_core` each, in the minute `minute_of_day` (0 to
    /// 1439) of local time; `None` when there are no cores or their power is not known. A cost beyond what a
    /// [`Rate`] holds is the highest rate.
    ///
    /// # Examples
    ///
    /// 45 W over four cores are 11.25 W; one Gc takes a core of 2400 Mc/s 0.4167 s, so 4.6875 J, which cost
    /// 0.39 millionths of the currency at 0.30 a kWh, or 0.1953125 credits at 500,000 credits a unit:
    ///
    /// ```
    /// use proto::{Capacity, Rate};
    /// use service::policy::CostModel;
    /// let estimate = CostModel::default().estimate(Capacity(2400), 4, 0).unwrap();
    /// assert_eq!(estimate.millijoules_per_gc, 4_687);
    /// assert_eq!(estimate.nano_credits, 195_312_500);
    /// assert_eq!(estimate.rate, Rate(195_313));
    /// ```
    #[must_use]
    pub fn estimate(&self, per_core: Capacity, cores: u32, minute_of_day: u16) -> Option<Estimate> {
        if per_core.0 == 0 || cores == 0 {
            return None;
        }
        let price = self.currency_per_kwh.at(minute_of_day);
        let extra_watts = self.busy_watts.saturating_sub(self.idle_watts);
        let [watts, cores, power] = [u128::from(extra_watts), u128::from(cores), u128::from(per_core.0)];
        let [kwh, wear] = [u128::from(price.0), u128::from(self.wear_per_core_hour.0)];
        let credits = u128::from(self.credits_per_currency);
        // Joules per Gc are watts · 1000 / (cores · power), and a kWh is 3.6 · 10⁶ J; a core-hour is 3600 s.
        let (energy, worn) = (watts * 1_000 * kwh, wear * 1_000 * 1_000 * cores);
        let whole = cores * power * 3_600_000;
        let share = |factor: u128, part: u128| (part * factor).checked_div(whole).map_or(u64::MAX, saturated);
        let micro = ((energy + worn) * credits).div_ceil(whole);
        let rate = Rate(saturated(micro).saturating_add(self.listing_cost.0).max(1));
        Some(Estimate {
            currency_per_kwh: price,
            extra_watts,
            core_milliwatts: saturated(watts * 1_000 / cores),
            micros_per_gc: saturated(1_000_000_000 / power),
            millijoules_per_gc: saturated(watts * 1_000_000 / (cores * power)),
            energy_pico_currency: share(1_000_000, energy),
            wear_pico_currency: share(1_000_000, worn),
            nano_credits: share(1_000, (energy + worn) * credits),
            listing: self.listing_cost,
            rate,
        })
    }
}

impl Estimate {
    /// The computation in words, a step a line, for `market price suggest`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let thousandths = |number: u64| format!("{}.{:03}", number / 1_000, number % 1_000);
        let pico = |number: u64| format!("{}.{:012}", number / 1_000_000_000_000, number % 1_000_000_000_000);
        let nano = |number: u64| format!("{}.{:09}", number / 1_000_000_000, number % 1_000_000_000);
        vec![
            format!("electricity: {} a kWh at this hour", self.currency_per_kwh),
            format!(
                "power: {} W more when all cores work, {} W a core",
                self.extra_watts,
                thousandths(self.core_milliwatts)
            ),
            format!("time: a core works {} ms on one Gc", thousandths(self.micros_per_gc)),
            format!("energy: {} J per Gc", thousandths(self.millijoules_per_gc)),
            format!("energy costs {} of the currency per Gc", pico(self.energy_pico_currency)),
            format!("wear costs {} of the currency per Gc", pico(self.wear_pico_currency)),
            format!("both are {} credits per Gc", nano(self.nano_credits)),
            format!("listing costs {} credits per Gc", self.listing),
            format!("marginal cost: {} credits per Gc", self.rate),
        ]
    }
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

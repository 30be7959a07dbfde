//! What this machine has to sell: calibrated power, load, policy and the hour.

use crate::sensor::load::Load;
use market::Supply;
use proto::message::market::Platform;
use proto::{Capacity, Rate, Rules};
use service::policy::{Machine, Policy, Sale, Weekday};

pub(crate) struct Supplier {
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    pub(crate) per_core: Capacity,
    load: Load,
    offered: Option<Supply>,
    why_not: Option<String>,
}

impl Supplier {
    pub(crate) const fn new(policy: Policy, rules: Rules, per_core: Capacity, load: Load) -> Self {
        Self { policy, rules, per_core, load, offered: None, why_not: None }
    }

    /// Measures, and asks the policy what may be sold now.
    pub(crate) fn supply(&mut self) -> Option<Supply> {
        let idle = self.load.sample();
        let machine = Machine {
            cores: idle.cores,
            per_core: self.per_core,
            idle_cores: idle.idle_cores,
            other_load_pct: idle.other_load_pct,
            memory: idle.memory,
            disk: idle.disk,
        };
        let (weekday, minute) = local_time();
        match self.policy.sale(&machine, weekday, minute) {
            Sale::Nothing { why } => {
                if self.why_not.as_ref() != Some(&why) {
                    tracing::info!(why, "nothing is for sale");
                }
                (self.offered, self.why_not) = (None, Some(why));
            }
            Sale::Offer { cores, memory, disk, ask } => {
                let platform = Platform {
                    os: std::env::consts::OS.into(),
                    arch: std::env::consts::ARCH.into(),
                    native: false,
                };
                let per_core = self.per_core;
                self.offered = Some(Supply { cores, per_core, ask, memory, disk, platform });
                self.why_not = None;
            }
        }
        self.offered.clone()
    }

    pub(crate) const fn offered(&self) -> Option<&Supply> {
        self.offered.as_ref()
    }

    pub(crate) fn why_not(&self) -> Option<&str> {
        self.why_not.as_deref()
    }

    pub(crate) fn ask(&self) -> Rate {
        self.offered.as_ref().map_or(Rate(0), |supply| supply.ask)
    }
}

fn local_time() -> (Weekday, u16) {
    let now = jiff::Zoned::now();
    let weekday = match now.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Mon,
        jiff::civil::Weekday::Tuesday => Weekday::Tue,
        jiff::civil::Weekday::Wednesday => Weekday::Wed,
        jiff::civil::Weekday::Thursday => Weekday::Thu,
        jiff::civil::Weekday::Friday => Weekday::Fri,
        jiff::civil::Weekday::Saturday => Weekday::Sat,
        jiff::civil::Weekday::Sunday => Weekday::Sun,
    };
    let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
    (weekday, u16::try_from(minute).unwrap_or(0))
}

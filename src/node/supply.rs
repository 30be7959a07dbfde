//! What this machine has to sell: calibrated power, load, policy and the hour.

use crate::sensor::PLATFORM;
use crate::sensor::load::Load;
use market::{Supply, Tariff};
use proto::message::market::Platform;
use proto::{Bytes, Capacity, Rate, Rules};
use service::policy::{Machine, Policy, Sale, Weekday};

/// Free memory is offered in steps, so that a listing does not change with every breath of the machine.
const MEMORY_STEP: Bytes = Bytes::mib(256);
/// Free disk is offered in steps.
const DISK_STEP: Bytes = Bytes::gib(1);

pub(crate) struct Supplier {
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    pub(crate) per_core: Capacity,
    cores: u32,
    load: Load,
    offered: Option<Supply>,
    why_not: Option<String>,
}

impl Supplier {
    pub(crate) fn new(policy: Policy, rules: Rules, per_core: Capacity, load: Load) -> Self {
        let cores =
            std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        Self { policy, rules, per_core, cores, load, offered: None, why_not: None }
    }

    /// Measures, and asks the policy what may be sold now.
    pub(crate) fn supply(&mut self) -> Option<Supply> {
        let idle = self.load.sample();
        let percent = idle.others.0 / (u64::from(self.cores) * 10);
        let machine = Machine {
            cores: self.cores,
            per_core: self.per_core,
            idle_cores: idle.cores,
            other_load_pct: u32::try_from(percent).unwrap_or(100),
            memory: Bytes(idle.memory.0 / MEMORY_STEP.0 * MEMORY_STEP.0),
            disk: Bytes(idle.disk.0 / DISK_STEP.0 * DISK_STEP.0),
            ..Machine::default()
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
                let platform = Platform { os: PLATFORM.os.into(), arch: PLATFORM.arch.into(), native: false };
                let per_core = self.per_core;
                let longest = self.policy.max_run_time;
                let asks = Tariff::of_compute(ask);
                let most_memory = self.policy.max_memory;
                self.offered =
                    Some(Supply { cores, per_core, asks, memory, disk, most_memory, platform, longest });
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
        self.offered.as_ref().map_or(Rate(0), |supply| supply.asks.compute.unwrap_or_default())
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

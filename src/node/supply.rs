//! What this machine has to sell: calibrated power, load, policy and the hour.

use super::clock::Clock;
use crate::sensor::calibration::Calibration;
use crate::sensor::{At, PLATFORM, Sense, Sensor, Wanted};
use market::{Supply, Tariff};
use proto::message::market::Platform;
use proto::{Bytes, Capacity, ContractId, Cycles, Rate, Rules, Time};
use service::policy::{Machine, Moment, Policy, Sale, Weekday};

/// Free memory is offered in steps, so that a listing does not change with every breath of the machine.
const MEMORY_STEP: Bytes = Bytes::mib(256);
/// Free disk is offered in steps.
const DISK_STEP: Bytes = Bytes::gib(1);

pub(crate) struct Supplier {
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    clock: Clock,
    calibration: Calibration,
    sense: Box<dyn Sense>,
    wanted: Wanted,
    offered: Option<Supply>,
    why_not: Option<String>,
}

impl Supplier {
    pub(crate) fn new(
        policy: Policy,
        rules: Rules,
        clock: Clock,
        calibration: Calibration,
        sense: Box<dyn Sense>,
    ) -> Self {
        let wanted = wanted(&policy, &rules);
        Self { policy, rules, clock, calibration, sense, wanted, offered: None, why_not: None }
    }

    /// Measures, and asks the policy what may be sold now. `progress` is what every execution has done by now.
    pub(crate) fn supply(&mut self, progress: &[(ContractId, Cycles)]) -> Option<Supply> {
        let at = now(self.clock);
        let machine = self.machine(progress, &at);
        let Moment { weekday, minute, .. } = at.moment;
        match self.policy.sale(&machine, weekday, minute) {
            Sale::Nothing { why } => {
                if self.why_not.as_ref() != Some(&why) {
                    tracing::info!(why, "nothing is for sale");
                }
                (self.offered, self.why_not) = (None, Some(why));
            }
            Sale::Offer { cores, memory, disk, ask } => {
                let platform = Platform { os: PLATFORM.os.into(), arch: PLATFORM.arch.into(), native: false };
                let per_core = self.per_core();
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

    /// The machine as it is now. What is free of memory and disk comes in steps.
    fn machine(&mut self, progress: &[(ContractId, Cycles)], at: &At) -> Machine {
        self.calibration.look(progress, at.moment.now);
        let machine = self.sense.look(&self.wanted, at);
        Machine {
            per_core: self.per_core(),
            memory: Bytes(machine.memory.0 / MEMORY_STEP.0 * MEMORY_STEP.0),
            disk: Bytes(machine.disk.0 / DISK_STEP.0 * DISK_STEP.0),
            ..machine
        }
    }

    /// What one core executes, by calibration.
    pub(crate) const fn per_core(&self) -> Capacity {
        self.calibration.per_core()
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

/// What this policy needs to know; it has no exclusive programs and no volume yet. Idle cores are foretold for as long as a listing or a lease goes unrenewed.
fn wanted(_: &Policy, rules: &Rules) -> Wanted {
    Wanted { horizon: rules.lease.max(rules.renewal), sensors: Sensor::ALL.into(), ..Wanted::default() }
}

/// This moment by all clocks.
fn now(clock: Clock) -> At {
    let local = jiff::Zoned::now();
    let weekday = match local.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Mon,
        jiff::civil::Weekday::Tuesday => Weekday::Tue,
        jiff::civil::Weekday::Wednesday => Weekday::Wed,
        jiff::civil::Weekday::Thursday => Weekday::Thu,
        jiff::civil::Weekday::Friday => Weekday::Fri,
        jiff::civil::Weekday::Saturday => Weekday::Sat,
        jiff::civil::Weekday::Sunday => Weekday::Sun,
    };
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    let moment = Moment { now: clock.now(), weekday, minute: u16::try_from(minute).unwrap_or(0) };
    At { moment, wall: Time(u64::try_from(local.timestamp().as_microsecond()).unwrap_or(0)) }
}

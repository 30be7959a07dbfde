//! What this machine has to sell: calibrated power, load, policy and the hour.

use super::clock::Clock;
use super::governance;
use crate::sensor::calibration::Calibration;
use crate::sensor::{At, PLATFORM, Sense, Sensor, Traffic, Wanted};
use market::{Supply, Tariff};
use proto::message::market::Platform;
use proto::{Bytes, Capacity, ContractId, Cycles, Rate, Rules, Time};
use service::policy::{CostModel, Decision, Estimate, IdleSource, Machine, MarginalCost, Policy, Sale, Work};

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
    /// Where the sensors learn what this node sends and receives, and what they were told last.
    traffic: Traffic,
    counted: Bytes,
    wanted: Wanted,
    machine: Machine,
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
        traffic: Traffic,
    ) -> Self {
        let wanted = wanted(&policy, &rules);
        let machine = Machine::default();
        Self {
            policy,
            rules,
            clock,
            calibration,
            sense,
            traffic,
            counted: Bytes(0),
            wanted,
            machine,
            offered: None,
            why_not: None,
        }
    }

    /// Measures. `progress` is what every execution has done by now, `volume` the bytes that contents took of the
    /// network since the node runs.
    pub(crate) fn look(&mut self, progress: &[(ContractId, Cycles)], volume: Bytes) {
        self.traffic.add(Bytes(volume.0.saturating_sub(self.counted.0)));
        self.counted = volume;
        let at = At { moment: governance::moment(self.clock.now()), wall: wall() };
        self.calibration.look(progress, at.moment.now);
        let machine = self.sense.look(&self.wanted, &at);
        self.machine = Machine {
            per_core: self.per_core(),
            memory: Bytes(machine.memory.0 / MEMORY_STEP.0 * MEMORY_STEP.0),
            disk: Bytes(machine.disk.0 / DISK_STEP.0 * DISK_STEP.0),
            ..machine
        };
    }

    /// Another policy counts from the next look on.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.wanted = wanted(&policy, &self.rules);
        self.policy = policy;
    }

    /// The machine as it was measured last.
    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What the owner's decision leaves to sell.
    pub(crate) fn offer(&mut self, decision: &Decision) -> Option<Supply> {
        match &decision.sale {
            Sale::Nothing { why } => {
                if self.why_not.as_ref() != Some(why) {
                    tracing::info!(why, "nothing is for sale");
                }
                (self.offered, self.why_not) = (None, Some(why.clone()));
            }
            Sale::Offer { cores, memory, disk, ask } => {
                let platform = Platform {
                    os: PLATFORM.os.into(),
                    arch: PLATFORM.arch.into(),
                    release: crate::sensor::release(),
                    ..Platform::default()
                };
                let (cores, memory, disk, ask) = (*cores, *memory, *disk, *ask);
                // A core that works for a share of the time only is sold as what it then executes.
                let pct = match decision.work {
                    Work::Run { throttle_pct } => throttle_pct.min(100),
                    Work::Suspend | Work::Vacate { .. } => 0,
                };
                let per_core = Capacity(self.per_core().0.saturating_mul(pct.into()) / 100);
                let longest = self.policy.max_run_time;
                let storage = |price| self.policy.share_storage.then_some(price);
                let asks = Tariff {
                    compute: Some(ask),
                    memory: storage(self.policy.memory_price),
                    disk: storage(self.policy.disk_price),
                };
                let most_memory = self.policy.max_memory;
                let supply = Supply { cores, per_core, asks, memory, disk, most_memory, platform, longest };
                self.offered = Some(supply).filter(|_| per_core > Capacity(0));
                self.why_not = None;
            }
        }
        self.offered.clone()
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

    /// What a Gc costs the owner by the model at this hour, where the policy asks for that or has figures for it.
    pub(crate) fn cost(&self) -> Option<Estimate> {
        let model = &self.policy.cost_model;
        let is_auto = matches!(self.policy.marginal_cost(), MarginalCost::Auto(_));
        let has_model = is_auto || *model != CostModel::default();
        let minute = governance::moment(self.clock.now()).minute;
        has_model.then(|| model.estimate(self.machine.per_core, self.machine.cores, minute)).flatten()
    }

    pub(crate) fn ask(&self) -> Rate {
        self.offered.as_ref().map_or(Rate(0), |supply| supply.asks.compute.unwrap_or_default())
    }
}

/// What this policy needs to know. Idle cores are foretold for as long as a listing or a lease goes unrenewed.
fn wanted(policy: &Policy, rules: &Rules) -> Wanted {
    let tells = |source| policy.idle.sources.contains(&source);
    let is_wanted = |sensor: &Sensor| match sensor {
        Sensor::Logind => tells(IdleSource::Logind),
        Sensor::Tty => tells(IdleSource::Tty),
        Sensor::Input => tells(IdleSource::Input),
        Sensor::Battery | Sensor::Temperature | Sensor::Metered => true,
    };
    Wanted {
        horizon: rules.lease.max(rules.renewal),
        sensors: Sensor::ALL.into_iter().filter(is_wanted).collect(),
        exclusive: policy.exclusive.clone(),
        volume_period: policy.traffic.volume.map(|volume| volume.period),
    }
}

/// This moment by the wall clock.
fn wall() -> Time {
    Time(u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0))
}

//! What this machine has to sell: calibrated power, load, policy and the hour.

use crate::sensor::PLATFORM;
use crate::sensor::load::Load;
use market::Supply;
use proto::message::market::Platform;
use proto::{Bytes, Capacity, Rate, Rules};
use service::policy::{Decision, Machine, Policy, Sale, Work};

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
    machine: Machine,
    offered: Option<Supply>,
    why_not: Option<String>,
}

impl Supplier {
    pub(crate) fn new(policy: Policy, rules: Rules, per_core: Capacity, load: Load) -> Self {
        let cores =
            std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        let machine = Machine::default();
        Self { policy, rules, per_core, cores, load, machine, offered: None, why_not: None }
    }

    /// Measures.
    pub(crate) fn look(&mut self) {
        let idle = self.load.sample();
        let percent = idle.others.0 / (u64::from(self.cores) * 10);
        self.machine = Machine {
            cores: self.cores,
            per_core: self.per_core,
            idle_cores: idle.cores,
            other_load_pct: u32::try_from(percent).unwrap_or(100),
            memory: Bytes(idle.memory.0 / MEMORY_STEP.0 * MEMORY_STEP.0),
            disk: Bytes(idle.disk.0 / DISK_STEP.0 * DISK_STEP.0),
            ..Machine::default()
        };
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
                let platform = Platform { os: PLATFORM.os.into(), arch: PLATFORM.arch.into(), native: false };
                let (cores, disk, ask) = (*cores, *disk, *ask);
                // A core that works for a share of the time only is sold as what it then executes.
                let pct = match decision.work {
                    Work::Run { throttle_pct } => throttle_pct.min(100),
                    Work::Suspend | Work::Vacate { .. } => 0,
                };
                let per_core = Capacity(self.per_core.0.saturating_mul(pct.into()) / 100);
                // A buyer that was matched by more than a sub-task may use would only be declined.
                let memory = (*memory).min(self.policy.max_memory);
                let supply = Supply { cores, per_core, ask, memory, disk, platform };
                self.offered = Some(supply).filter(|_| per_core > Capacity(0));
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

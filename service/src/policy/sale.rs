//! What may be sold at this moment.

use super::{Machine, Policy, Weekday};
use proto::{Bytes, Capacity, Rate};

/// What may be sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sale {
    /// Nothing.
    Nothing {
        /// Why, as a sentence.
        why: String,
    },
    /// This much, our own running sub-tasks included.
    Offer {
        /// Cores; at least 1.
        cores: u32,
        /// Memory; more than 0.
        memory: Bytes,
        /// Disk space; more than 0.
        disk: Bytes,
        /// What is asked for the work.
        ask: Rate,
    },
}

impl Policy {
    /// What may be sold of `machine` on `weekday` at `minute_of_day` (0 to 1439), both in local time.
    #[must_use]
    pub fn sale(&self, machine: &Machine, weekday: Weekday, minute_of_day: u16) -> Sale {
        let nothing = |why: &str| Sale::Nothing { why: why.to_owned() };
        if !self.share_compute {
            return nothing("the policy shares no compute power");
        }
        if !self.is_open(weekday, minute_of_day) {
            let (hour, minute) = (minute_of_day / 60, minute_of_day % 60);
            let why = format!("the schedule allows no sharing on {weekday} at {hour:02}:{minute:02}");
            return Sale::Nothing { why };
        }
        if machine.per_core == Capacity(0) {
            return nothing("the compute power of this machine's cores is not known");
        }
        if !self.assume_idle && machine.other_load_pct > self.max_other_load_pct {
            let (load, most) = (machine.other_load_pct, self.max_other_load_pct);
            let why = format!(
                "other programs use {load} % of the processor, the policy allows sharing up to {most} %"
            );
            return Sale::Nothing { why };
        }
        let cores = self.cores_of(machine);
        let memory = Bytes(percent_of(machine.memory.0, self.memory_max_pct));
        let disk = machine.disk.min(self.disk_max_size);
        match (cores, memory, disk) {
            (0, ..) => nothing("no core of this machine is idle"),
            (_, Bytes(0), _) => nothing("no memory of this machine is free"),
            (.., Bytes(0)) => nothing("no disk space of this machine is free"),
            _ => Sale::Offer { cores, memory, disk, ask: self.marginal_cost.max(self.min_price) },
        }
    }

    fn is_open(&self, weekday: Weekday, minute_of_day: u16) -> bool {
        self.schedule.is_empty()
            || self.schedule.iter().any(|opening| opening.is_open(weekday, minute_of_day))
    }

    /// The cores that may be sold: a share of the machine's, rounded down but at least one, as many as are idle.
    fn cores_of(&self, machine: &Machine) -> u32 {
        let share = percent_of(u64::from(machine.cores), self.max_cores_pct).max(1);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let most = share.min(self.max_cores.unwrap_or(u32::MAX)).min(machine.cores);
        if self.assume_idle { most } else { most.min(machine.idle_cores) }
    }
}

/// `pct` per cent of `whole`, rounded down.
fn percent_of(whole: u64, pct: u32) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(pct) / 100).unwrap_or(u64::MAX)
}

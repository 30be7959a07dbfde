//! One moment as a policy sees it: what speaks against sharing, and what may be sold.

use super::condition::{Condition, Opens, Strain};
use super::expression::Facts;
use super::timetable::{later, minutes_until};
use super::{COOLER_C, Kind, Machine, MarginalCost, Override, Policy, Presence, Sale, Weekday};
use proto::{Bytes, Capacity, Rate, Span};

/// One moment.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The policy, with what its rule for this moment sets.
    pub(super) policy: &'a Policy,
    /// What the sensors say.
    pub(super) machine: &'a Machine,
    /// The day, in local time.
    pub(super) weekday: Weekday,
    /// The minute of the day, in local time.
    pub(super) minute_of_day: u16,
    /// Whether somebody is there.
    pub(super) presence: Presence,
    /// For how long nobody has used the machine.
    pub(super) unused_for: Option<Span>,
    /// Whether the processor is too hot, or was and is not cool enough yet.
    pub(super) is_hot: bool,
}

/// The facts that rules ask for.
pub(super) fn facts(machine: &Machine, place: (Weekday, u16), presence: Presence) -> Facts {
    Facts {
        weekday: place.0,
        minute_of_day: place.1,
        is_idle: presence == Presence::Away,
        on_battery: machine.battery.is_some_and(|battery| battery.is_discharging),
        load: machine.other_load_pct,
    }
}

impl Policy {
    /// The highest temperature of the processor and the one at which work goes on, in °C.
    pub(super) fn heat(&self) -> Option<(i32, i32)> {
        let most = self.power.max_cpu_temp_c?;
        let resume = self.power.resume_cpu_temp_c.unwrap_or_else(|| most.saturating_sub(COOLER_C));
        Some((most, resume.min(most)))
    }

    /// The limits while somebody is there or not, as far as they differ from the general ones.
    fn overrides(&self, presence: Presence) -> Override {
        let (used, idle) = (self.in_use, self.idle_limits);
        match presence {
            Presence::InUse | Presence::Unknown => used,
            Presence::Away => Override {
                max_cores_pct: idle.max_cores_pct.or(used.max_cores_pct),
                max_other_load_pct: idle.max_other_load_pct.or(used.max_other_load_pct),
                throttle_pct: idle.throttle_pct.or(used.throttle_pct),
                memory_max_pct: idle.memory_max_pct.or(used.memory_max_pct),
            },
        }
    }

    /// What one Gc costs on this machine at this minute; none when its power is not known.
    fn cost(&self, machine: &Machine, minute_of_day: u16) -> Option<Rate> {
        match self.marginal_cost() {
            MarginalCost::Fixed(rate) => Some(rate),
            MarginalCost::Auto(model) => {
                Some(model.estimate(machine.per_core, machine.cores, minute_of_day)?.rate)
            }
        }
    }
}

impl View<'_> {
    /// Everything that speaks against sharing, what the owner cares about most first.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let mut found = self.hard();
        found.extend(self.of_network());
        found.extend(self.offer().err());
        found
    }

    /// The share of the time that work runs, in per cent.
    pub(super) fn throttle_pct(&self) -> u32 {
        self.policy.overrides(self.presence).throttle_pct.unwrap_or(self.policy.throttle_pct)
    }

    /// What may be sold, by what is there alone.
    pub(super) fn offer(&self) -> Result<Sale, Condition> {
        let Self { policy, machine, .. } = self;
        let limits = policy.overrides(self.presence);
        let ask = policy.cost(machine, self.minute_of_day).filter(|_| machine.per_core > Capacity(0));
        let ask = ask.ok_or(Condition::PowerUnknown)?;
        let cores = self.cores(limits.max_cores_pct.unwrap_or(policy.max_cores_pct));
        let memory =
            Bytes(percent_of(machine.memory.0, limits.memory_max_pct.unwrap_or(policy.memory_max_pct)));
        match (cores, memory, self.disk()) {
            (0, ..) => Err(Condition::NoCore),
            (_, Bytes(0), _) => Err(Condition::NoMemory),
            (.., Bytes(0)) => Err(Condition::NoDisk),
            (cores, memory, disk) => Ok(Sale::Offer { cores, memory, disk, ask: ask.max(policy.min_price) }),
        }
    }

    /// The cores that may be sold: a share of the machine's, rounded down but at least one, as many as are idle.
    fn cores(&self, share_pct: u32) -> u32 {
        let Self { policy, machine, .. } = self;
        let share = percent_of(u64::from(machine.cores), share_pct).max(1);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let most = share.min(policy.max_cores.unwrap_or(u32::MAX)).min(machine.cores);
        if policy.assume_idle { most } else { most.min(machine.idle_cores) }
    }

    /// The disk space that may be sold. The size of a disk that no sensor tells limits nothing.
    fn disk(&self) -> Bytes {
        let Self { policy, machine, .. } = self;
        let free = Bytes(machine.disk.0.saturating_sub(policy.disk.min_free.0));
        let most = free.min(policy.disk_max_size);
        match machine.disk_total {
            Bytes(0) => most,
            Bytes(total) => most.min(Bytes(percent_of(total, policy.disk.max_pct))),
        }
    }

    /// What work stands still for.
    fn hard(&self) -> Vec<Condition> {
        let Self { policy, machine, .. } = *self;
        let idle = &policy.idle;
        let most = policy.overrides(self.presence).max_other_load_pct.unwrap_or(policy.max_other_load_pct);
        let load = machine.other_load_pct;
        let free = machine.disk;
        let left = Span(idle.after.0.saturating_sub(self.unused_for.unwrap_or_default().0));
        let too_long = idle.stop_after.filter(|most| self.unused_for.is_some_and(|span| span >= *most));
        let programs: std::collections::BTreeSet<String> =
            machine.exclusive.intersection(&policy.exclusive).cloned().collect();
        let swap = machine.swap_used_pct.filter(|used| *used > policy.max_swap_pct);
        let found = [
            (!policy.share_compute).then_some(Condition::NotShared),
            self.closed(Kind::Compute).map(|opens| Condition::Closed { opens }),
            (!programs.is_empty()).then_some(Condition::Exclusive { programs }),
            (idle.require_idle && self.presence == Presence::InUse)
                .then_some(Condition::InUse { after: idle.after, left }),
            too_long.map(|most| Condition::Unused { most }),
            (!policy.assume_idle && load > most).then_some(Condition::Load { load, most }),
            swap.map(|used| Condition::Swap { used, most: policy.max_swap_pct }),
            (free < policy.disk.min_free).then_some(Condition::DiskLow { free, least: policy.disk.min_free }),
        ];
        found.into_iter().flatten().chain(self.of_power()).collect()
    }

    /// When the schedules of `kind` open next, if they are closed.
    fn closed(&self, kind: Kind) -> Option<Option<Opens>> {
        let at = (self.weekday, self.minute_of_day);
        match minutes_until(&self.policy.schedule, kind, true, at) {
            Some(0) => None,
            None => Some(None),
            Some(minutes) => Some(Some(Opens { minutes, at: later(at, minutes) })),
        }
    }

    /// What battery and heat speak against.
    fn of_power(&self) -> impl Iterator<Item = Condition> {
        let power = &self.policy.power;
        let battery = self.machine.battery;
        let least = power.min_charge_pct;
        let charge = battery.map(|battery| battery.charge_pct).filter(|charge| *charge < least);
        let warm = battery.and_then(|battery| battery.temp_c).zip(power.max_battery_temp_c);
        let hot = self.machine.cpu_temp_c.zip(self.policy.heat()).filter(|_| self.is_hot);
        let found = [
            battery.filter(|now| now.is_discharging && !power.on_battery).map(|_| Strain::OnBattery),
            charge.map(|charge| Strain::Charge { charge, least }),
            warm.filter(|(temp, most)| temp > most).map(|(temp, most)| Strain::HotBattery { temp, most }),
            hot.map(|(temp, (most, resume))| Strain::HotProcessor { temp, most, resume }),
        ];
        found.into_iter().flatten().map(Condition::Strain)
    }

    /// Why the network may not be used: nothing new is sold then.
    pub(super) fn of_network(&self) -> impl Iterator<Item = Condition> {
        let Self { policy, machine, .. } = *self;
        let is_metered = policy.traffic.unmetered_only && machine.is_metered == Some(true);
        let volume = policy.traffic.volume.filter(|volume| machine.transferred >= volume.bytes);
        let found = [
            self.closed(Kind::Network).map(|opens| Condition::Offline { opens }),
            is_metered.then_some(Condition::Metered),
            volume.map(|volume| Condition::Volume { volume }),
        ];
        found.into_iter().flatten()
    }
}

/// `pct` per cent of `whole`, rounded down.
fn percent_of(whole: u64, pct: u32) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(pct) / 100).unwrap_or(u64::MAX)
}

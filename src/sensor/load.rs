//! How much of the machine lies idle.
//!
//! The paper: "each node based on its current and past load estimates the average number of resources that would
//! remain idle in future" (CompuP2P, II). A window of samples is the past; [`estimate`] makes the number of it.
//! What this process itself uses is not load: it is the work that was sold.

use super::SensorError;
use proto::Bytes;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;
use sysinfo::{
    DiskRefreshKind, Disks, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};

/// Samples of the past: five minutes if one is taken every five seconds.
pub(crate) const WINDOW: usize = 60;
/// Samples whose mean is the present.
pub(crate) const PRESENT: usize = 3;
/// So much of a core may be used by others while it counts as idle, in thousandths: no desktop rests entirely.
pub(crate) const TOLERANCE: u64 = 150;

/// What others use of the processor, in thousandths of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millicores(pub u64);

/// What lies idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    /// Whole cores that others leave free; work of our own on them counts as free.
    pub(crate) cores: u32,
    /// Memory that could be had now.
    pub(crate) memory: Bytes,
    /// Space on the disk of the observed directory.
    pub(crate) disk: Bytes,
    /// What others use now.
    pub(crate) others: Millicores,
}

/// Observes the machine.
#[derive(Debug)]
pub(crate) struct Load {
    system: System,
    disks: Disks,
    dir: PathBuf,
    window: VecDeque<Millicores>,
    /// When this process was last looked at, and its processor time then, in ms.
    own: Option<(Instant, u64)>,
}

impl Load {
    /// Begins to observe; `dir` is on the disk that is shared.
    ///
    /// # Errors
    /// If this platform cannot be observed.
    pub(crate) fn new(dir: &Path) -> Result<Self, SensorError> {
        let error = |error: sysinfo::Error| SensorError(error.to_string());
        let mut load = Self {
            system: System::new().map_err(error)?,
            disks: Disks::new().map_err(error)?,
            dir: dir.canonicalize().map_err(|error| SensorError(error.to_string()))?,
            window: VecDeque::with_capacity(WINDOW),
            own: None,
        };
        // Usage is what happened between two looks; this is the first of them.
        load.system.refresh_cpu_usage();
        load.own_use();
        Ok(load)
    }

    /// Looks at the machine; call it every few seconds (not more than five times a second).
    pub(crate) fn sample(&mut self) -> Idle {
        self.system.refresh_cpu_usage();
        let cores = u64::try_from(self.system.cpus().len()).unwrap_or(1).max(1);
        let busy = of_percent(self.system.global_cpu_usage(), cores);
        let others = Millicores(busy.saturating_sub(self.own_use()));
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(others);
        let idle = estimate(self.window.make_contiguous(), cores);
        Idle { cores: idle.min(usable_cores()), memory: self.memory(), disk: self.disk(), others }
    }

    /// What this process used since the last look, in thousandths of a core.
    fn own_use(&mut self) -> u64 {
        let me = Pid::from_u32(std::process::id());
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[me]), false, kind);
        let used = self.system.process(me).map_or(0, sysinfo::Process::accumulated_cpu_time);
        let now = Instant::now();
        let before = self.own.replace((now, used));
        before.map_or(0, |(then, used_then)| {
            let passed = u64::try_from((now - then).as_millis()).unwrap_or(u64::MAX);
            used.saturating_sub(used_then).saturating_mul(1_000).checked_div(passed).unwrap_or(0)
        })
    }

    fn memory(&mut self) -> Bytes {
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let available = self.system.available_memory();
        Bytes(self.system.cgroup_limits().map_or(available, |group| available.min(group.free_memory)))
    }

    fn disk(&mut self) -> Bytes {
        self.disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        let holds = |disk: &&sysinfo::Disk| self.dir.starts_with(disk.mount_point());
        let nearest = self.disks.iter().filter(holds);
        let nearest = nearest.max_by_key(|disk| disk.mount_point().components().count());
        Bytes(nearest.map_or(0, sysinfo::Disk::available_space))
    }
}

/// Whole cores of `cores` that are likely to stay idle, judged by what others used in `samples` (oldest first).
///
/// Cautious on both sides: the load is taken to be the present one (mean of the last [`PRESENT`] samples) or the
/// one that four fifths of the past did not exceed, whichever is more. So an owner who comes back is felt within
/// seconds, and a pause of seconds between two busy minutes is not sold.
#[must_use]
pub(crate) fn estimate(samples: &[Millicores], cores: u64) -> u32 {
    let Some(past) = quantile(samples) else { return 0 };
    let recent = samples.iter().rev().take(PRESENT).map(|sample| sample.0);
    let (sum, count) =
        recent.fold((0_u64, 0_u64), |(sum, count), sample| (sum.saturating_add(sample), count + 1));
    let present = sum.checked_div(count).unwrap_or(0);
    let capacity = cores.saturating_mul(1_000);
    let idle = capacity.saturating_sub(present.max(past)).saturating_add(TOLERANCE).min(capacity);
    u32::try_from(idle / 1_000).unwrap_or(u32::MAX)
}

/// The smallest sample that four fifths of all do not exceed.
fn quantile(samples: &[Millicores]) -> Option<u64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let index = (sorted.len() * 4).div_ceil(5).checked_sub(1)?;
    sorted.get(index).map(|sample| sample.0)
}

/// Thousandths of a core that are `percent` of all `cores`.
fn of_percent(percent: f32, cores: u64) -> u64 {
    let share = (f64::from(percent) * 10.0).round().clamp(0.0, 1_000.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let share = share as u64;
    share.saturating_mul(cores)
}

/// Cores that this process may run on; fewer than the machine has if it was confined.
fn usable_cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter::repeat_n;

    fn check(samples: &[u64], cores: u64, expected: u32) {
        let samples: Vec<_> = samples.iter().copied().map(Millicores).collect();
        assert_eq!(estimate(&samples, cores), expected, "{samples:?} of {cores} cores");
    }

    #[test]
    fn idle_cores_are_whole_and_cautious() {
        for (samples, cores, expected) in [
            (&[][..], 4, 0),
            (&[0], 4, 4),
            (&[150], 4, 4),
            (&[151], 4, 3),
            (&[1_000], 4, 3),
            (&[4_000], 4, 0),
            (&[9_000], 4, 0),
            (&[0, 0, 0], 1, 1),
            // Four of five were idle: that one is no reason to hold back.
            (&[4_000, 0, 0, 0, 0], 4, 4),
            // Two of five are.
            (&[4_000, 4_000, 0, 0, 0], 4, 0),
            // The owner comes back: the mean of the last three is 1.333 cores.
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4_000], 4, 2),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4_000, 4_000, 4_000], 4, 0),
        ] {
            check(samples, cores, expected);
        }
    }

    #[test]
    fn a_pause_in_a_busy_past_is_not_sold() {
        let busy = repeat_n(3_000, WINDOW - PRESENT).chain(repeat_n(0, PRESENT)).collect::<Vec<_>>();
        check(&busy, 4, 1);
        let mostly_idle = repeat_n(3_000, 12).chain(repeat_n(0, WINDOW - 12)).collect::<Vec<_>>();
        check(&mostly_idle, 4, 4);
    }

    #[test]
    fn percentages_are_of_all_cores() {
        for (percent, cores, expected) in [
            (0.0, 4, 0),
            (25.0, 4, 1_000),
            (100.0, 2, 2_000),
            (101.0, 2, 2_000),
            (-1.0, 2, 0),
            (f32::NAN, 2, 0),
        ] {
            assert_eq!(of_percent(percent, cores), expected, "{percent} % of {cores}");
        }
    }

    #[test]
    fn this_machine_can_be_observed() {
        let dir = tempfile::TempDir::new().unwrap();
        let mut load = Load::new(dir.path()).unwrap();
        let idle = load.sample();
        assert!(idle.cores <= usable_cores());
        assert!(idle.memory > Bytes::mib(1) && idle.disk > Bytes(0), "{idle:?}");
        for _ in 0..WINDOW + 1 {
            load.sample();
        }
        assert_eq!(load.window.len(), WINDOW);
    }
}

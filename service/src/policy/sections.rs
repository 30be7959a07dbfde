//! The parts of a policy that belong together, with what they are when the file says nothing.

use proto::{Bytes, Span};
use std::collections::BTreeSet;

/// `[in_use]` and `[idle_limits]`: limits that hold only while somebody, or nobody, uses the machine. What is
/// `None` in `[idle_limits]` is as in `[in_use]`, and what is `None` there is as in `[cpu]` and `[memory]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// Instead of `cpu.max_cores_pct`, in per cent, 1 to 100.
    pub max_cores_pct: Option<u32>,
    /// Instead of `cpu.max_other_load_pct`, in per cent, 0 to 100.
    pub max_other_load_pct: Option<u32>,
    /// Instead of `cpu.throttle_pct`, in per cent, 1 to 100.
    pub throttle_pct: Option<u32>,
    /// Instead of `memory.max_pct`, in per cent, 1 to 100.
    pub memory_max_pct: Option<u32>,
}

/// `[idle]`: when nobody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// `idle.require_idle`: whether work is done only while nobody is there.
    pub require_idle: bool,
    /// `idle.after`: nobody is there once keyboard and mouse are untouched for so long (`HTCondor`'s
    /// `StartIdleTime`, 15 minutes).
    pub after: Span,
    /// `idle.min_use`: once nobody is there, use that is shorter than this does not count (`PBS`, `min use`).
    pub min_use: Span,
    /// `idle.stop_after`: no work once nobody has been there for so long, so that the machine may sleep.
    pub stop_after: Option<Span>,
    /// `idle.sources`: which sensors tell about keyboard and mouse.
    pub sources: BTreeSet<IdleSource>,
}

/// A sensor of keyboard and mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdleSource {
    /// The idle hint of logind's sessions.
    Logind,
    /// The times of use of terminals.
    Tty,
    /// The input devices themselves.
    Input,
}

impl IdleSource {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Logind, Self::Tty, Self::Input];

    /// The name in the policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logind => "logind",
            Self::Tty => "tty",
            Self::Input => "input",
        }
    }
}

/// `[power]`: battery and heat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// `power.on_battery`: whether work is done while the machine runs on its battery.
    pub on_battery: bool,
    /// `power.min_charge_pct`: no work while the battery is less full, in per cent, 0 to 100.
    pub min_charge_pct: u32,
    /// `power.max_battery_temp_c`: no work while the battery is hotter, in °C.
    pub max_battery_temp_c: Option<i32>,
    /// `power.keep_awake`: whether the machine is kept from going to sleep while work is done.
    pub keep_awake: bool,
    /// `power.max_cpu_temp_c`: no work once the processor is hotter, in °C …
    pub max_cpu_temp_c: Option<i32>,
    /// `power.resume_cpu_temp_c`: … until it is no hotter than this; if not given, [`super::COOLER_C`] below.
    pub resume_cpu_temp_c: Option<i32>,
}

/// `[suspend]`: how work stands still and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspend {
    /// `suspend.for`: work stands still once a condition has held for so long.
    pub hold: Span,
    /// `suspend.resume_after`: it goes on once no condition has held for so long.
    pub resume_after: Span,
    /// `suspend.keep_in_memory`: whether work that stands still stays in memory; if not, it is handed back.
    pub keep_in_memory: bool,
    /// `suspend.max`: work that stands still for so long is handed back (`HTCondor`'s `MaxSuspendTime`); never
    /// if none.
    pub max: Option<Span>,
    /// `suspend.kill_grace`: how long work that is handed back has to end in order.
    pub kill_grace: Span,
}

/// `[disk]`, less `disk.max_size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// `disk.dir`: where the work of others is kept; none: in the node's own directory.
    pub dir: Option<String>,
    /// `disk.max_pct`: the most of the whole disk that is sold, in per cent, 1 to 100.
    pub max_pct: u32,
    /// `disk.min_free`: how much of the disk stays free.
    pub min_free: Bytes,
    /// `disk.min_write_interval`: at least so long between two checkpoints of a sub-task.
    pub min_write_interval: Span,
}

/// `[network]`, less `network.listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// `network.max_up`: the most that is sent, in bytes a second; none: no limit.
    pub max_up: Option<Bytes>,
    /// `network.max_down`: the most that is received, in bytes a second; none: no limit.
    pub max_down: Option<Bytes>,
    /// `network.max_transfers`: the most files that are sent and received at a time, at least 1.
    pub max_transfers: u32,
    /// `network.volume`: the most that is sent and received together within a period.
    pub volume: Option<Volume>,
    /// `network.unmetered_only`: nothing is sold while the network is paid for by volume.
    pub unmetered_only: bool,
    /// `network.relay`: whether this node passes messages on for nodes that cannot be reached.
    pub relay: bool,
}

/// A volume of traffic: so many bytes within any period of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// How much.
    pub bytes: Bytes,
    /// Within how long.
    pub period: Span,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            require_idle: false,
            after: Span::secs(15 * 60),
            min_use: Span::secs(10),
            stop_after: None,
            sources: IdleSource::ALL.into(),
        }
    }
}

impl Default for Suspend {
    fn default() -> Self {
        Self {
            hold: Span::secs(30),
            resume_after: Span::secs(5 * 60),
            keep_in_memory: true,
            max: Some(Span::secs(10 * 60)),
            kill_grace: Span::secs(60),
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self { dir: None, max_pct: 100, min_free: Bytes(0), min_write_interval: Span::secs(60) }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            max_up: None,
            max_down: None,
            max_transfers: 8,
            volume: None,
            unmetered_only: false,
            relay: true,
        }
    }
}

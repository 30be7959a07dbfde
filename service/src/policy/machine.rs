//! What the sensors say about a machine at one moment, and what the moment is.

use super::Weekday;
use proto::{Bytes, Capacity, Span, Time};
use std::collections::BTreeSet;

/// The machine at this moment. What no sensor can tell is `None`: a limit on it then has no effect, which
/// `policy explain` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// All its cores.
    pub cores: u32,
    /// What one core executes, by calibration.
    pub per_core: Capacity,
    /// The cores that other programs are expected to leave idle for the time of a lease.
    pub idle_cores: u32,
    /// How much of the whole processor other programs use now, in per cent.
    pub other_load_pct: u32,
    /// All its memory.
    pub memory_total: Bytes,
    /// The memory that other programs leave free; what our own sub-tasks use counts as free.
    pub memory: Bytes,
    /// How much of the swap space is used, in per cent.
    pub swap_used_pct: Option<u32>,
    /// The size of the disk that is shared.
    pub disk_total: Bytes,
    /// The free disk space, with what our own sub-tasks hold of it.
    pub disk: Bytes,
    /// For how long nobody has touched keyboard or mouse.
    pub untouched: Option<Span>,
    /// The battery.
    pub battery: Option<Battery>,
    /// The temperature of the processor, in °C; the highest of its sensors.
    pub cpu_temp_c: Option<i32>,
    /// Those of the policy's exclusive programs that run.
    pub exclusive: BTreeSet<String>,
    /// Bytes that this node has sent and received within the period of the policy's `network.volume`.
    pub transferred: Bytes,
    /// Whether the network is paid for by volume.
    pub is_metered: Option<bool>,
}

/// A battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    /// Whether the machine runs on it.
    pub is_discharging: bool,
    /// How full it is, in per cent.
    pub charge_pct: u32,
    /// Its temperature, in °C.
    pub temp_c: Option<i32>,
}

/// A moment, by the clock of the node and by the one on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// By the node's clock, which never goes back.
    pub now: Time,
    /// The day of the week, in local time.
    pub weekday: Weekday,
    /// The minute of the day, 0 to 1439, in local time.
    pub minute: u16,
}

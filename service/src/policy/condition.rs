//! What can speak against sharing, in words, and what each of it stops.

use super::schedule::time_of_day;
use super::text::{bytes, duration, in_words};
use super::{Volume, Weekday};
use proto::{Bytes, Span};
use std::collections::BTreeSet;
use std::fmt;

/// Something that speaks against sharing at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// The owner said so; until when, if they said that.
    Paused { left: Option<Span> },
    /// The owner said so: what runs goes on.
    Draining,
    /// The node has just started.
    Starting { delay: Span, left: Span },
    /// `share.compute`.
    NotShared,
    /// `[[schedule]]`.
    Closed { opens: Option<Opens> },
    /// `[[schedule]]` with `kind = "network"`.
    Offline { opens: Option<Opens> },
    /// `exclusive.programs`.
    Exclusive { programs: BTreeSet<String> },
    /// `idle.require_idle`.
    InUse { after: Span, left: Span },
    /// `idle.stop_after`.
    Unused { most: Span },
    /// `max_other_load_pct`.
    Load { load: u32, most: u32 },
    /// `[power]`.
    Strain(Strain),
    /// `memory.max_swap_pct`.
    Swap { used: u32, most: u32 },
    /// `disk.min_free`.
    DiskLow { free: Bytes, least: Bytes },
    /// `network.unmetered_only`.
    Metered,
    /// `network.volume`.
    Volume { volume: Volume },
    /// No calibration.
    PowerUnknown,
    /// Every core is at work for others.
    NoCore,
    /// No memory is free.
    NoMemory,
    /// No disk space is free.
    NoDisk,
    /// Nothing speaks against sharing any more, but not for long enough.
    Settling { calm: Span, left: Span },
}

/// When a schedule opens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opens {
    /// In how many minutes.
    pub(super) minutes: u32,
    /// On which day and in which minute of it.
    pub(super) at: (Weekday, u16),
}

/// What speaks against sharing in `[power]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strain {
    /// `power.on_battery`.
    OnBattery,
    /// `power.min_charge_pct`.
    Charge { charge: u32, least: u32 },
    /// `power.max_battery_temp_c`.
    HotBattery { temp: i32, most: i32 },
    /// `power.max_cpu_temp_c`.
    HotProcessor { temp: i32, most: i32, resume: i32 },
}

impl Condition {
    /// Whether work that runs stands still for it, after the grace; if not, only nothing new is sold. A pause is
    /// not among them: it knows no grace.
    pub(super) const fn stops_work(&self) -> bool {
        match self {
            Self::NotShared
            | Self::Closed { .. }
            | Self::Exclusive { .. }
            | Self::InUse { .. }
            | Self::Unused { .. }
            | Self::Load { .. }
            | Self::Strain(_)
            | Self::Swap { .. }
            | Self::DiskLow { .. } => true,
            Self::Paused { .. }
            | Self::Draining
            | Self::Starting { .. }
            | Self::Offline { .. }
            | Self::Metered
            | Self::Volume { .. }
            | Self::PowerUnknown
            | Self::NoCore
            | Self::NoMemory
            | Self::NoDisk
            | Self::Settling { .. } => false,
        }
    }
}

impl Condition {
    /// Whether it may come and go at any moment, so that work waits a while after it: all that stops work does, but
    /// for what is written in the policy.
    pub(super) const fn flaps(&self) -> bool {
        self.stops_work() && !matches!(self, Self::NotShared | Self::Closed { .. })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused { left: None } => {
                out.write_str("the owner has paused this node until they resume it")
            }
            Self::Paused { left: Some(_) } => out.write_str("the owner has paused this node for a time"),
            Self::Draining => out.write_str("the node drains: it finishes what runs and takes nothing new"),
            Self::Starting { delay, .. } => {
                write!(
                    out,
                    "the node has just started: the policy waits {} before it sells",
                    duration(*delay)
                )
            }
            Self::NotShared => out.write_str("the policy shares no compute power"),
            Self::Settling { calm, .. } => write!(
                out,
                "nothing speaks against sharing any more: it goes on once that has held for {}",
                duration(*calm)
            ),
            Self::Closed { opens } => write!(out, "the schedule shares nothing {}", until(*opens)),
            Self::Offline { opens } => {
                write!(out, "the schedule of the network allows no use of it {}", until(*opens))
            }
            Self::Exclusive { programs } => {
                let names: Vec<String> = programs.iter().map(|name| format!("`{name}`")).collect();
                write!(out, "{} runs, which the policy leaves the machine to", names.join(", "))
            }
            Self::InUse { after, .. } => write!(
                out,
                "somebody uses this machine: the policy shares it once nobody has for {}",
                duration(*after)
            ),
            Self::Unused { most } => write!(
                out,
                "nobody has used this machine for {}: the policy lets it go to sleep",
                duration(*most)
            ),
            Self::Load { load, most } => write!(
                out,
                "other programs use {load} % of the processor, the policy allows sharing up to {most} %"
            ),
            Self::Strain(strain) => strain.fmt(out),
            Self::Swap { used, most } => {
                write!(out, "{used} % of the swap space is used, the policy allows {most} %")
            }
            Self::DiskLow { free, least } => {
                write!(out, "{} of the disk are free, the policy keeps {} free", bytes(*free), bytes(*least))
            }
            Self::Metered => out.write_str("the network is paid for by volume"),
            Self::Volume { volume } => {
                write!(out, "the network's volume of {} is used up", in_words(volume))
            }
            Self::PowerUnknown => out.write_str("the compute power of this machine's cores is not known"),
            Self::NoCore => out.write_str("no core of this machine is idle"),
            Self::NoMemory => out.write_str("no memory of this machine is free"),
            Self::NoDisk => out.write_str("no disk space of this machine is free"),
        }
    }
}

/// Until a schedule opens.
fn until(opens: Option<Opens>) -> String {
    opens.map_or_else(
        || "at any time".to_owned(),
        |Opens { at: (weekday, minute), .. }| format!("until {weekday} at {}", time_of_day(minute)),
    )
}

impl fmt::Display for Strain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnBattery => out.write_str("the machine runs on its battery"),
            Self::Charge { charge, least } => {
                write!(out, "the battery is at {charge} %, the policy shares from {least} % on")
            }
            Self::HotBattery { temp, most } => {
                write!(out, "the battery has {temp} °C, the policy allows {most} °C")
            }
            Self::HotProcessor { temp, most, resume } => write!(
                out,
                "the processor has {temp} °C: the policy allows {most} °C, and then waits for {resume} °C"
            ),
        }
    }
}

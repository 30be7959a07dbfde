//! What this machine has to offer, and what its owner does with it: load, memory, disk, idleness, power, heat.
//!
//! [`Sense`] is the one face of all sensors: [`Sensors`] is the real one, `fake::Script` plays a day in tests.
//! Every sensor stands in a file of its own, reads below [`Roots`], so that tests look at trees of their own, and
//! says `None` where it cannot know: a machine may have no battery, no thermometer, no keyboard.

mod bus;
pub(crate) mod calibration;
mod disk;
mod drift;
mod exclusive;
#[cfg(test)]
mod fake;
mod forecast;
mod habit;
mod idleness;
mod load;
mod memory;
mod network;
mod past;
mod power;
mod processor;
mod roots;
mod sensors;
mod temperature;
#[cfg(test)]
mod tests;
mod worked;

pub(crate) use network::Traffic;
pub(crate) use roots::Roots;
pub(crate) use sensors::{Places, Sensors};

use proto::{Span, Time};
use service::policy::{Machine, Moment};
use std::collections::BTreeSet;

/// The kind of a machine, as programs for one platform ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// `linux`, `macos`, `windows` …
    pub(crate) os: &'static str,
    /// `x86_64`, `aarch64` …
    pub(crate) arch: &'static str,
}

/// This machine's kind.
pub(crate) const PLATFORM: Platform = Platform { os: std::env::consts::OS, arch: std::env::consts::ARCH };

/// The version of this machine's operating system: of Linux the kernel's, and nothing where it cannot be read.
pub(crate) fn release() -> proto::Release {
    static RELEASE: std::sync::OnceLock<proto::Release> = std::sync::OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    *RELEASE.get_or_init(|| proto::Release::of(read().trim()))
}

/// Looks at the machine.
pub(crate) trait Sense: Send {
    /// The machine at this moment. `per_core` is left to whoever keeps the calibration. Call it about once a
    /// second; it neither waits nor fails: what cannot be known is `None`, a load that cannot be read is a full
    /// one.
    fn look(&mut self, wanted: &Wanted, at: &At) -> Machine;
}

/// A moment by all the clocks that sensors compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// By the node's clock and by the owner's calendar.
    pub(crate) moment: Moment,
    /// By the wall clock, since 1970: what files and other programs date with. It may go back.
    pub(crate) wall: Time,
}

/// What a policy makes use of. Sensors that are dear are asked only when they are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How far idle cores are foretold: the longer of a lease and the period of renewals.
    pub(crate) horizon: Span,
    /// The sensors whose answer matters.
    pub(crate) sensors: BTreeSet<Sensor>,
    /// The names of the programs beside which nothing is shared; none: nobody walks over all processes.
    pub(crate) exclusive: BTreeSet<String>,
    /// The period of the policy's volume; none: nothing is limited, and [`Machine::transferred`] is 0.
    pub(crate) volume_period: Option<Span>,
}

/// Sensors that not every policy needs. The first three tell idleness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sensor {
    /// The idle hint of logind, which desktops under X11 and Wayland report to.
    Logind,
    /// When terminals were last read from.
    Tty,
    /// Interrupts and transfers of keyboards and mice.
    Input,
    /// Batteries and mains.
    Battery,
    /// Temperature of the processor.
    Temperature,
    /// Whether the network is paid for by volume.
    Metered,
}

impl Sensor {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Logind, Self::Tty, Self::Input, Self::Battery, Self::Temperature, Self::Metered];
}

//! For how long nobody has touched keyboard or mouse.
//!
//! Three sources, each of which may know nothing; the latest touch that any of them has seen counts:
//!
//! - `logind` ([`logind`]): what desktops report, under X11 as under Wayland;
//! - `tty` ([`tty`]): when terminals were last read from, those of remote sessions among them;
//! - `input` ([`input`]): interrupts of built-in keyboards and mice, transfers of those on USB.
//!
//! X11's own clock of idleness is not offered: a service with a private `/tmp` does not see the socket of the
//! display, nor may it read the key to it, and then it would take a busy desktop for a deserted one. Desktops
//! tell logind.

mod input;
mod logind;
mod tty;

use super::bus::Bus;
use super::roots::Roots;
use super::{At, Sensor};
use input::Input;
use proto::Span;
use std::collections::BTreeSet;

/// Asks the wanted sources.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    input: Input,
}

impl Idleness {
    /// The time since the last touch; nothing if no wanted source knows.
    pub(super) fn look(
        &mut self,
        roots: &Roots,
        bus: &mut Bus,
        wanted: &BTreeSet<Sensor>,
        at: &At,
    ) -> Option<Span> {
        let ask = |sensor: &Sensor| match sensor {
            Sensor::Logind => logind::untouched(bus, at),
            Sensor::Tty => tty::untouched(roots, at.wall),
            Sensor::Input => self.input.untouched(roots, at.moment.now),
            Sensor::Battery | Sensor::Temperature | Sensor::Metered => None,
        };
        wanted.iter().filter_map(ask).min()
    }
}

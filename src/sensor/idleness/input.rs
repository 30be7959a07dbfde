//! Counters that move when a keyboard or a mouse is touched.
//!
//! Built-in ones and those of PS/2 raise interrupts of their own (`/proc/interrupts`). Those on USB share theirs
//! with every disk and network card, but the kernel counts the transfers of each device (`urbnum`), and one of a
//! keyboard or a mouse completes only when it has something to say. The access times of `/dev/input/*` tell
//! nothing: the kernel does not keep them. Devices on Bluetooth are not seen; desktops tell logind of them.

use crate::sensor::roots::{Roots, TABLE, VALUE, entries, read, value};
use proto::{Span, Time};
use std::path::Path;

/// What the name of an interrupt of a keyboard, a mouse or a touch pad contains, in lower case: the controller of
/// PS/2, the bus and makers of built-in pads, and what else names itself.
const NAMES: [&str; 9] =
    ["i8042", "keyboard", "mouse", "touchpad", "i2c_hid", "i2c-hid", "elan", "syna", "alps"];
/// The class of USB interfaces for people: keyboards, mice, and what behaves like them.
const HUMAN_INTERFACE: &str = "03";

/// Remembers the counters.
#[derive(Debug, Default)]
pub(super) struct Input {
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    count: u64,
    touched: Time,
}

impl Input {
    /// The time since a counter moved, at most since the first look; nothing if there is no counter.
    pub(super) fn untouched(&mut self, roots: &Roots, now: Time) -> Option<Span> {
        let interrupts = read(&roots.proc.join("interrupts"), TABLE).and_then(|table| interrupts(&table));
        let Some(count) = [interrupts, transfers(roots)].into_iter().flatten().reduce(u64::wrapping_add)
        else {
            self.seen = None;
            return None;
        };
        let touched = self.seen.take().filter(|seen| seen.count == count).map_or(now, |seen| seen.touched);
        self.seen = Some(Seen { count, touched });
        Some(now.since(touched))
    }
}

/// The interrupts of keyboards and mice on all cores; nothing if there is no such line.
fn interrupts(table: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let lower = rest.to_ascii_lowercase();
        let counts = rest.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        NAMES.iter().any(|name| lower.contains(name)).then(|| counts.fold(0, u64::wrapping_add))
    };
    table.lines().filter_map(of_line).reduce(u64::wrapping_add)
}

/// The transfers of USB devices that have an interface for people; nothing if there is none.
fn transfers(roots: &Roots) -> Option<u64> {
    let devices = entries(&roots.sys.join("bus/usb/devices")).filter_map(|entry| {
        // An interface is a directory such as `1-2:1.0` beside that of its device, `1-2`.
        let name = entry.file_name();
        let (device, _) = name.to_str()?.split_once(':')?;
        let path = entry.path();
        is_for_people(&path).then(|| path.with_file_name(device))
    });
    // A device with several such interfaces counts as often, which moves all the same.
    devices.filter_map(|device| value::<u64>(&device.join("urbnum"))).reduce(u64::wrapping_add)
}

fn is_for_people(interface: &Path) -> bool {
    let class = read(&interface.join("bInterfaceClass"), VALUE).unwrap_or_default();
    class.trim() == HUMAN_INTERFACE
}

//! Batteries and mains, from `/sys/class/power_supply`.

use super::roots::{Roots, VALUE, entries, read, value};
use service::policy::Battery;
use std::path::Path;

/// Temperatures outside of these are faults of the sensor, in °C.
const PLAUSIBLE: std::ops::RangeInclusive<i32> = -40..=150;

/// What the machine is fed by; nothing if it has no battery of its own.
///
/// It runs on its battery if one is being emptied (or does not say, or a second one waits for its turn) and no
/// mains is there. Several batteries are one: as full as all together, as warm as the warmest. An uninterruptible
/// supply counts as a battery; the batteries of mice and headsets do not.
#[must_use]
pub(super) fn look(roots: &Roots) -> Option<Battery> {
    let (mut cells, mut mains) = (Vec::new(), Vec::new());
    for supply in entries(&roots.sys.join("class/power_supply")).map(|entry| entry.path()) {
        match word(&supply, "type").as_deref() {
            Some("Battery" | "UPS") if word(&supply, "scope").as_deref() != Some("Device") => {
                cells.extend(Cell::read(&supply));
            }
            Some("Mains" | "USB" | "Wireless") => mains.extend(value::<u8>(&supply.join("online"))),
            _ => {}
        }
    }
    let has_mains = mains.iter().any(|online| *online > 0);
    let empties = |cell: &Cell| match cell.state {
        State::Empties => true,
        State::Unknown => !mains.is_empty(),
        State::Filled => false,
    };
    let is_discharging = !has_mains && cells.iter().any(empties);
    let temp_c = cells.iter().filter_map(|cell| cell.temp_c).max();
    Some(Battery { is_discharging, charge_pct: charge(&cells)?, temp_c })
}

struct Cell {
    state: State,
    charge_pct: u32,
    /// What it holds when it is full, in whatever unit it counts.
    size: Option<u64>,
    temp_c: Option<i32>,
}

#[derive(PartialEq, Eq)]
enum State {
    Empties,
    Filled,
    Unknown,
}

impl Cell {
    /// Nothing if it is not there or does not say how full it is.
    fn read(supply: &Path) -> Option<Self> {
        if value::<u8>(&supply.join("present")) == Some(0) {
            return None;
        }
        let state = match word(supply, "status").as_deref() {
            Some("Discharging") => State::Empties,
            Some("Charging" | "Not charging" | "Full") => State::Filled,
            _ => State::Unknown,
        };
        let amount = |name: &str| value::<u64>(&supply.join(name)).filter(|amount| *amount > 0);
        let size = amount("energy_full").or_else(|| amount("charge_full"));
        let charge_pct = value::<u32>(&supply.join("capacity")).or_else(|| {
            let now: u64 = value(&supply.join("energy_now")).or_else(|| value(&supply.join("charge_now")))?;
            u32::try_from(u128::from(now) * 100 / u128::from(size?)).ok()
        });
        let tenths = value::<i32>(&supply.join("temp"));
        let temp_c = tenths.map(|tenths| tenths / 10).filter(|temp| PLAUSIBLE.contains(temp));
        Some(Self { state, charge_pct: charge_pct?.min(100), size, temp_c })
    }
}

/// How full all are together: by their sizes if all tell them, else as if they were equal.
fn charge(cells: &[Cell]) -> Option<u32> {
    let has_sizes = cells.iter().all(|cell| cell.size.is_some());
    let size = |cell: &Cell| u128::from(cell.size.filter(|_| has_sizes).unwrap_or(1));
    let whole: u128 = cells.iter().map(size).sum();
    let part: u128 = cells.iter().map(|cell| u128::from(cell.charge_pct) * size(cell)).sum();
    u32::try_from(part.checked_div(whole)?).ok()
}

fn word(supply: &Path, name: &str) -> Option<String> {
    Some(read(&supply.join(name), VALUE)?.trim().to_owned())
}

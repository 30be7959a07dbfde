//! The temperature of the processor, from `/sys/class/thermal` and `/sys/class/hwmon`.

use super::roots::{Roots, VALUE, entries, read, value};
use proto::{Span, Time};
use std::path::PathBuf;

/// Temperatures outside of these are faults of the sensor, in °C.
const PLAUSIBLE: std::ops::RangeInclusive<i32> = -40..=150;
/// How often it is looked which sensors there are.
const FIND_EVERY: Span = Span::secs(60);
/// The most sensors that are read in one look.
const MAX_SENSORS: usize = 64;
/// Monitoring chips that are a processor's.
const CHIPS: [&str; 7] =
    ["coretemp", "k8temp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "scpi_sensors"];
/// What the type of a processor's thermal zone contains. `acpitz` is somewhere on the board and often constant.
const ZONES: [&str; 6] = ["x86_pkg_temp", "cpu", "soc", "cluster", "bigcore", "littlecore"];

/// Reads the processor's sensors.
#[derive(Debug, Default)]
pub(super) struct Thermometer {
    inputs: Option<(Vec<PathBuf>, Time)>,
}

impl Thermometer {
    /// The highest of the processor's sensors, in whole °C; nothing if there is none.
    pub(super) fn look(&mut self, roots: &Roots, now: Time) -> Option<i32> {
        let found = match self.inputs.take() {
            Some((inputs, found)) if now.since(found) < FIND_EVERY => (inputs, found),
            _ => (find(roots), now),
        };
        let (inputs, _) = self.inputs.insert(found);
        let thousandths = inputs.iter().filter_map(|input| value::<i32>(input));
        thousandths.map(|t| t.div_euclid(1_000)).filter(|t| PLAUSIBLE.contains(t)).max()
    }
}

/// The files with the temperatures of the processor.
fn find(roots: &Roots) -> Vec<PathBuf> {
    let mut inputs = Vec::new();
    for zone in entries(&roots.sys.join("class/thermal")).map(|entry| entry.path()) {
        let kind = read(&zone.join("type"), VALUE).unwrap_or_default().to_ascii_lowercase();
        if ZONES.iter().any(|name| kind.contains(name)) {
            inputs.push(zone.join("temp"));
        }
    }
    for chip in entries(&roots.sys.join("class/hwmon")).map(|entry| entry.path()) {
        let name = read(&chip.join("name"), VALUE).unwrap_or_default();
        if !CHIPS.contains(&name.trim()) {
            continue;
        }
        let inputs_of_chip: Vec<_> = entries(&chip).filter_map(|entry| input(&entry.path())).collect();
        // Tctl is for the fan's control and on some processors 27 °C too high; the die's own beats it.
        let has_die = inputs_of_chip.iter().any(|(label, _)| label == "Tdie");
        let is_true = |(label, _): &(String, PathBuf)| !(has_die && label == "Tctl");
        inputs.extend(inputs_of_chip.into_iter().filter(is_true).map(|(_, path)| path));
    }
    inputs.sort_unstable();
    inputs.truncate(MAX_SENSORS);
    inputs
}

/// The label of a `tempN_input`, empty if it has none, and its path.
fn input(path: &std::path::Path) -> Option<(String, PathBuf)> {
    let number = path.file_name()?.to_str()?.strip_prefix("temp")?.strip_suffix("_input")?;
    let _: u16 = number.parse().ok()?;
    let label = read(&path.with_file_name(format!("temp{number}_label")), VALUE).unwrap_or_default();
    Some((label.trim().to_owned(), path.to_path_buf()))
}

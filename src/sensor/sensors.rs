//! The sensors of this machine together, each as often as it is worth.

use super::bus::Bus;
use super::disk::Storage;
use super::idleness::Idleness;
use super::load::Load;
use super::memory::Memory;
use super::network::{Traffic, Volume, is_metered};
use super::temperature::Thermometer;
use super::{At, Roots, Sense, Sensor, Wanted, exclusive, power};
use proto::{Bytes, Capacity, Span, Time};
use service::policy::Machine;
use std::path::PathBuf;

/// How often sensors are read that are dear, or that tell what does not change within a second: idleness,
/// battery, temperature, exclusive programs.
const SLOW: Span = Span::secs(5);
/// How often it is asked whether the network is paid for by volume.
const RARE: Span = Span::secs(30);

/// Where sensors look, and keep what they remember.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The node's directory, on the disk that is shared.
    pub(crate) home: PathBuf,
    /// Where sub-tasks have their scratch directories.
    pub(crate) scratch: PathBuf,
    /// The rest of the machine.
    pub(crate) roots: Roots,
}

/// The sensors of this machine.
#[derive(Debug)]
pub(crate) struct Sensors {
    roots: Roots,
    load: Load,
    memory: Memory,
    storage: Storage,
    idleness: Idleness,
    thermometer: Thermometer,
    bus: Bus,
    traffic: Traffic,
    volume: Volume,
    /// What the slow and the rare sensors said, and when; nothing before, and after the wishes have changed.
    slow: Option<(Machine, Time)>,
    rare: Option<(Option<bool>, Time)>,
    wanted: Wanted,
}

impl Sensors {
    /// Begins to look. `traffic` is what counts the node's bytes.
    #[must_use]
    pub(crate) fn new(places: &Places, traffic: Traffic) -> Self {
        let Places { home, scratch, roots } = places;
        Self {
            load: Load::new(roots, home.join("habit")),
            memory: Memory::new(roots.clone()),
            storage: Storage::new(home, scratch),
            idleness: Idleness::default(),
            thermometer: Thermometer::default(),
            bus: Bus::new(roots),
            traffic,
            volume: Volume::open(home.join("volume")),
            slow: None,
            rare: None,
            wanted: Wanted::default(),
            roots: roots.clone(),
        }
    }

    /// Reads the slow sensors, into a machine that holds nothing else.
    fn look_slowly(&mut self, wanted: &Wanted, at: &At) -> Machine {
        let is_wanted = |sensor| wanted.sensors.contains(&sensor);
        Machine {
            untouched: self.idleness.look(&self.roots, &mut self.bus, &wanted.sensors, at),
            battery: is_wanted(Sensor::Battery).then(|| power::look(&self.roots)).flatten(),
            cpu_temp_c: is_wanted(Sensor::Temperature)
                .then(|| self.thermometer.look(&self.roots, at.moment.now))
                .flatten(),
            exclusive: exclusive::look(&self.roots, &wanted.exclusive),
            ..Machine::default()
        }
    }
}

impl Sense for Sensors {
    fn look(&mut self, wanted: &Wanted, at: &At) -> Machine {
        let now = at.moment.now;
        if self.wanted != *wanted {
            self.wanted = wanted.clone();
            (self.slow, self.rare) = (None, None);
        }
        let slow = match self.slow.take() {
            Some((slow, seen)) if now.since(seen) < SLOW => (slow, seen),
            _ => (self.look_slowly(wanted, at), now),
        };
        let rare = match self.rare {
            Some((rare, seen)) if now.since(seen) < RARE => (rare, seen),
            _ if wanted.sensors.contains(&Sensor::Metered) => (is_metered(&mut self.bus, now), now),
            _ => (None, now),
        };
        self.rare = Some(rare);
        let (slow, seen) = self.slow.insert(slow);
        let load = self.load.look(&at.moment, wanted.horizon);
        let (memory, disk) = (self.memory.look(), self.storage.look(now));
        self.volume.add(self.traffic.take(), at.wall);
        let cores = usable_cores();
        Machine {
            cores,
            per_core: Capacity(0),
            idle_cores: load.idle_cores.min(cores),
            other_load_pct: load.other_load_pct,
            memory_total: memory.total,
            memory: memory.free,
            swap_used_pct: memory.swap_used_pct,
            disk_total: disk.total,
            disk: disk.free,
            // Whoever was away at the last look has been so for longer by now; the next look corrects it.
            untouched: slow.untouched.map(|untouched| untouched.plus(now.since(*seen))),
            battery: slow.battery,
            cpu_temp_c: slow.cpu_temp_c,
            exclusive: slow.exclusive.clone(),
            transferred: wanted.volume_period.map_or(Bytes(0), |period| self.volume.within(period, at.wall)),
            is_metered: rare.0,
        }
    }
}

/// Cores that this process may run on; fewer than the machine has if it was confined.
fn usable_cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

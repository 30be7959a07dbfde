//! The speed of a core, measured once, remembered, and held against what sub-tasks get done.

use super::drift::Drift;
use super::{Roots, worked};
use crate::exec::{COST_MODEL, Engine};
use proto::{Capacity, ContractId, Cycles, Span, Time};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use sysinfo::{CpuRefreshKind, RefreshKind, System};
use tempfile::NamedTempFile;

/// How long a measurement takes.
const TIME: Span = Span::millis(800);
/// How often the speed is measured again while nothing is executed: a machine may have been put into another mode
/// of saving power since, or have collected dust.
const CHECK_EVERY: Span = Span::secs(24 * 3_600);
/// A new measurement takes the place of the old one if they differ by more than this part of the old one, in per
/// cent; what differs less is noise, and would only move the listing.
const CHANGED_PCT: u64 = 10;
/// How often the time of executions is read.
const LOOK_EVERY: Span = Span::secs(5);

/// What a core of this machine executes: from the file at `path` if it was measured there by this version on
/// this kind of processor, else measured now (for most of a second) and written there. A file that cannot be
/// written is no error: the next start measures again.
#[must_use]
pub(crate) fn load_or_measure(path: &Path, engine: &Engine) -> Capacity {
    let known = super::roots::read(path, MAX_FILE).and_then(|text| remembered(&text, &here()));
    known.unwrap_or_else(|| {
        let measured = engine.calibrate(TIME);
        if measured > Capacity(0) {
            let _ = remember(path, &here(), measured);
        }
        measured
    })
}

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 << 10;

/// Keeps the calibration true. It is measured again, beside everything else, when sub-tasks have got less or more
/// done than it promises for a while ([`Drift`]), and once a day when nothing is executed.
pub(crate) struct Calibration {
    path: PathBuf,
    measure: Box<dyn Fn() -> Receiver<Capacity> + Send>,
    roots: Roots,
    per_core: Capacity,
    drift: Drift,
    measuring: Option<Receiver<Capacity>>,
    looked: Option<Time>,
    checked: Time,
}

impl Calibration {
    /// Begins with the calibration of the file at `path`, or a new one.
    pub(crate) fn load(path: PathBuf, engine: &Engine, roots: Roots, now: Time) -> Self {
        let per_core = load_or_measure(&path, engine);
        let engine = engine.clone();
        let measure = Box::new(move || {
            let (send, receive) = channel();
            let engine = engine.clone();
            // A node that has ended waits for nothing.
            let measured = move || send.send(engine.calibrate(TIME)).unwrap_or_default();
            // Without a thread nothing is measured, and the old figure stays.
            let _ = std::thread::Builder::new().name("calibration".into()).spawn(measured);
            receive
        });
        Self::new(path, per_core, measure, roots, now)
    }

    fn new(
        path: PathBuf,
        per_core: Capacity,
        measure: Box<dyn Fn() -> Receiver<Capacity> + Send>,
        roots: Roots,
        now: Time,
    ) -> Self {
        Self {
            path,
            measure,
            roots,
            per_core,
            drift: Drift::default(),
            measuring: None,
            looked: None,
            checked: now,
        }
    }

    /// What one core executes.
    pub(crate) const fn per_core(&self) -> Capacity {
        self.per_core
    }

    /// Compares with what all executions have done by now; call it about once a second. It never waits.
    pub(crate) fn look(&mut self, progress: &[(ContractId, Cycles)], now: Time) {
        if self.take_measured() || self.looked.is_some_and(|looked| now.since(looked) < LOOK_EVERY) {
            return;
        }
        self.looked = Some(now);
        let done = if progress.is_empty() { BTreeMap::new() } else { self.done(progress) };
        if let Some(doubt) = self.drift.look(done, self.per_core, now) {
            let (seen, promised) = (doubt.seen, self.per_core);
            tracing::info!("sub-tasks get {seen} done by a core, not {promised}: measuring again");
        } else if !progress.is_empty() || now.since(self.checked) < CHECK_EVERY {
            return;
        }
        self.checked = now;
        self.measuring = Some((self.measure)());
    }

    /// Takes the result of a measurement that has ended; whether one still runs.
    fn take_measured(&mut self) -> bool {
        let Some(measuring) = self.measuring.take() else { return false };
        match measuring.try_recv() {
            Ok(measured) => self.adopt(measured),
            Err(TryRecvError::Disconnected) => {}
            Err(TryRecvError::Empty) => self.measuring = Some(measuring),
        }
        self.measuring.is_some()
    }

    fn adopt(&mut self, measured: Capacity) {
        let old = self.per_core;
        let change = u128::from(measured.0.abs_diff(old.0)) * 100;
        if measured == Capacity(0) || change <= u128::from(old.0) * u128::from(CHANGED_PCT) {
            tracing::info!("a core executes {old} as before (measured: {measured})");
            return;
        }
        tracing::info!("a core executes {measured} now, no longer {old}");
        self.per_core = measured;
        if let Err(error) = remember(&self.path, &here(), measured) {
            tracing::debug!(%error, "the calibration cannot be written");
        }
    }

    /// Cycles and processor time of every execution whose thread is found.
    fn done(&self, progress: &[(ContractId, Cycles)]) -> BTreeMap<String, (Cycles, Span)> {
        let times = worked::by_contract(&self.roots);
        let of = |(contract, cycles): &(ContractId, Cycles)| {
            let contract = contract.to_string();
            let (name, time) = times.iter().find(|(name, _)| contract.starts_with(name.as_str()))?;
            Some((name.clone(), (*cycles, *time)))
        };
        progress.iter().filter_map(of).collect()
    }
}

/// Under what a measurement of this program on this machine holds.
fn here() -> String {
    conditions(COST_MODEL, env!("CARGO_PKG_VERSION"), &processor())
}

/// Under what a measurement holds.
fn conditions(cost_model: u32, version: &str, processor: &str) -> String {
    format!("cost-model {cost_model}\nversion {version}\nprocessor {processor}\n")
}

/// The capacity that a file holds, if it was measured under these conditions.
fn remembered(text: &str, conditions: &str) -> Option<Capacity> {
    let capacity = text.strip_prefix(conditions)?.strip_prefix("capacity ")?.strip_suffix(" Mc/s\n")?;
    capacity.parse().ok().filter(|capacity| *capacity > 0).map(Capacity)
}

/// Writes it, wholly or not at all.
fn remember(path: &Path, conditions: &str, capacity: Capacity) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    writeln!(file, "{conditions}capacity {capacity}")?;
    file.persist(path)?;
    Ok(())
}

/// The processor's name, as its maker calls it.
fn processor() -> String {
    let what = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(what).ok();
    let brand =
        system.and_then(|system| system.cpus().first().map(|cpu| cpu.brand().trim().replace('\n', " ")));
    format!("{} {}", std::env::consts::ARCH, brand.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_holds_under_its_conditions_only() {
        let now = conditions(1, "0.1.0", "x86_64 Z80");
        for (text, expected) in [
            (
                "cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n",
                Some(Capacity(4_000)),
            ),
            ("cost-model 2\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.2.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z81\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 0 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 40", None),
            ("", None),
        ] {
            assert_eq!(remembered(text, &now), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_measured_is_remembered() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("calibration");
        let engine = Engine::new().unwrap();
        let measured = load_or_measure(&path, &engine);
        assert!(measured > Capacity(0));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(&format!("\ncapacity {measured}\n")), "{text}");
        // From here on the file decides, not the machine.
        std::fs::write(&path, text.replace(&measured.to_string(), "7 Mc/s")).unwrap();
        assert_eq!(load_or_measure(&path, &engine), Capacity(7));
        std::fs::write(&path, text.replace("cost-model 1", "cost-model 0")).unwrap();
        assert!(load_or_measure(&path, &engine) > Capacity(7));
    }
}

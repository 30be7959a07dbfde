//! The speed of a core, measured once, remembered, and held against what sub-tasks get done.

use super::drift::Drift;
use super::{Roots, worked};
use crate::emulated;
use crate::exec::{COST_MODEL, Engine, KERNEL};
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
        if let Some(per_core) = emulated::per_core() {
            // Nothing is measured: whoever would send a result is gone at once.
            return Self::new(path, per_core, Box::new(|| channel().1), roots, now);
        }
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
    conditions(COST_MODEL, KERNEL, env!("CARGO_PKG_VERSION"), &processor())
}

/// Under what a measurement holds.
fn conditions(cost_model: u32, kernel: u32, version: &str, processor: &str) -> String {
    format!("cost-model {cost_model}\nkernel {kernel}\nversion {version}\nprocessor {processor}\n")
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
    use crate::sensor::fake::Tree;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A calibration of 1,000 Mc/s that measures this the next time, and how often it has measured.
    fn scripted(tree: &Tree, next: u64) -> (Calibration, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let measure = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let (send, receive) = channel();
            send.send(Capacity(next)).unwrap();
            receive
        });
        let path = tree.path("calibration");
        (Calibration::new(path, Capacity(1_000), measure, tree.roots(), Time(0)), count)
    }

    #[test]
    fn a_new_measurement_counts_if_it_differs_by_more_than_a_tenth() {
        for (measured, expected) in
            [(1_000, 1_000), (1_100, 1_000), (1_101, 1_101), (900, 1_000), (899, 899), (0, 1_000)]
        {
            let tree = Tree::new();
            let (mut calibration, count) = scripted(&tree, measured);
            // Nothing is executed for a day; the result is taken at the next look.
            for (hours, times) in [(23, 0), (24, 1), (25, 1), (47, 1)] {
                calibration.look(&[], Time(0).after(Span::secs(hours * 3_600)));
                assert_eq!(count.load(Ordering::Relaxed), times, "{hours} h");
            }
            assert_eq!(calibration.per_core(), Capacity(expected), "{measured}");
            let kept = std::fs::read_to_string(tree.path("calibration")).ok();
            let kept = kept.and_then(|text| remembered(&text, &here()));
            assert_eq!(kept, (expected != 1_000).then_some(Capacity(expected)), "{measured}");
        }
    }

    /// Seconds of one sub-task that gets so much done by a core; measurements, and the capacity at the end.
    fn check(rate: u64, seconds: u64, measures: u64, expected: u64) {
        let tree = Tree::new();
        let contract = ContractId::default();
        let name = contract.to_string();
        tree.write("proc/self/task/9/comm", format!("exec-{name}\n"));
        let (mut calibration, count) = scripted(&tree, 400);
        for second in 1..=seconds {
            tree.write("proc/self/task/9/schedstat", format!("{} 0 0\n", second * 1_000_000_000));
            let now = Time(0).after(Span::secs(second));
            calibration.look(&[(contract, Cycles(1 + second * rate * 1_000_000))], now);
        }
        let found = (count.load(Ordering::Relaxed), calibration.per_core());
        assert_eq!(found, (measures, Capacity(expected)), "{rate} Mc/s for {seconds} s");
    }

    #[test]
    fn sub_tasks_that_get_half_as_much_done_have_it_measured_again() {
        for (rate, seconds, measures, expected) in [
            (1_000, 1_000, 0, 1_000),
            (600, 1_000, 0, 1_000),
            (400, 60, 0, 1_000),
            (400, 70, 1, 400),
            (400, 3_000, 1, 400),
            (2_100, 70, 1, 400),
        ] {
            check(rate, seconds, measures, expected);
        }
    }

    #[test]
    fn a_measurement_that_came_to_nothing_is_no_change() {
        let tree = Tree::new();
        let lost = Box::new(|| channel().1);
        let mut calibration =
            Calibration::new(tree.path("calibration"), Capacity(1_000), lost, tree.roots(), Time(0));
        for days in 1..4 {
            calibration.look(&[], Time(0).after(CHECK_EVERY.times(days)));
            assert_eq!(calibration.per_core(), Capacity(1_000));
        }
    }

    #[test]
    fn a_measurement_holds_under_its_conditions_only() {
        const KNOWN: &str =
            "cost-model 1\nkernel 2\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n";
        let now = conditions(1, 2, "0.1.0", "x86_64 Z80");
        assert_eq!(remembered(KNOWN, &now), Some(Capacity(4_000)));
        for (part, other) in [
            ("cost-model 1", "cost-model 2"),
            ("kernel 2\n", ""),
            ("kernel 2", "kernel 1"),
            ("0.1.0", "0.2.0"),
            ("Z80", "Z81"),
            ("4000", "0"),
            ("00 Mc/s\n", ""),
            (KNOWN, ""),
        ] {
            assert_eq!(remembered(&KNOWN.replace(part, other), &now), None, "{part:?}");
        }
    }

    #[test]
    fn what_is_measured_is_remembered() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("calibration");
        let engine = Engine::new(None).unwrap();
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

//! How much of the processor lies idle, and is expected to stay so.

use super::Roots;
use super::forecast::idle_cores;
use super::habit::Habit;
use super::past::{Learned, Past};
use super::processor::{Millicores, Processor, Use};
use proto::Span;
use service::policy::Moment;
use std::path::PathBuf;
use std::time::Instant;
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// What one look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whole cores that others are expected to leave idle; work of our own on them counts as idle.
    pub(super) idle_cores: u32,
    /// What others use of the whole processor, in per cent, rounded down.
    pub(super) other_load_pct: u32,
}

/// Observes the load of other programs.
#[derive(Debug)]
pub(super) struct Load {
    processor: Processor,
    elsewhere: Option<Elsewhere>,
    past: Past,
    habit: PathBuf,
    idle: u32,
}

impl Load {
    /// Begins to observe; the habit of the machine's users is kept in a file.
    pub(super) fn new(roots: &Roots, habit: PathBuf) -> Self {
        let elsewhere = (!cfg!(target_os = "linux")).then(Elsewhere::new).flatten();
        let past = Past::new(Habit::load(&habit));
        Self { processor: Processor::new(roots.clone()), elsewhere, past, habit, idle: 0 }
    }

    /// Looks. Before there is anything to say, and where nothing can be read, all is busy.
    pub(super) fn look(&mut self, moment: &Moment, horizon: Span) -> Found {
        let Some(Use { others, cores }) = self.used() else {
            self.idle = 0;
            return Found { idle_cores: 0, other_load_pct: 100 };
        };
        if self.past.see(others, moment) == Learned::Something
            && let Err(error) = self.past.habit().save(&self.habit)
        {
            tracing::debug!(%error, "the habit of this machine's users cannot be written");
        }
        let expected = self.past.expected(moment, horizon).unwrap_or(others);
        self.idle = idle_cores(expected, cores, self.idle);
        let percent = (others.0 / cores.max(1).saturating_mul(10)).min(100);
        Found { idle_cores: self.idle, other_load_pct: u32::try_from(percent).unwrap_or(100) }
    }

    fn used(&mut self) -> Option<Use> {
        self.elsewhere.as_mut().map_or_else(|| self.processor.look(), Elsewhere::look)
    }
}

/// The processor where there is no `/proc`.
#[derive(Debug)]
struct Elsewhere {
    system: System,
    /// When this process was last looked at, and its processor time then, in ms.
    own: Option<(Instant, u64)>,
}

impl Elsewhere {
    fn new() -> Option<Self> {
        let mut found = Self { system: System::new().ok()?, own: None };
        // Use is what happened between two looks; this is the first of them.
        found.look();
        Some(found)
    }

    fn look(&mut self) -> Option<Use> {
        self.system.refresh_cpu_usage();
        let cores = u64::try_from(self.system.cpus().len()).ok()?.max(1);
        let busy = of_percent(self.system.global_cpu_usage(), cores);
        Some(Use { others: Millicores(busy.saturating_sub(self.own())), cores })
    }

    /// What this process used since the last look, in thousandths of a core.
    fn own(&mut self) -> u64 {
        let me = Pid::from_u32(std::process::id());
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[me]), false, kind);
        let used = self.system.process(me).map_or(0, Process::accumulated_cpu_time);
        let now = Instant::now();
        self.own.replace((now, used)).map_or(0, |(then, used_then)| {
            let passed = u64::try_from((now - then).as_millis()).unwrap_or(u64::MAX);
            used.saturating_sub(used_then).saturating_mul(1_000).checked_div(passed).unwrap_or(0)
        })
    }
}

/// Thousandths of a core that are `percent` of all `cores`.
fn of_percent(percent: f32, cores: u64) -> u64 {
    let share = (f64::from(percent) * 10.0).round().clamp(0.0, 1_000.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let share = share as u64;
    share.saturating_mul(cores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::fake::Tree;
    use proto::Time;
    use service::policy::Weekday;

    #[test]
    fn percentages_are_of_all_cores() {
        for (percent, cores, expected) in [
            (0.0, 4, 0),
            (25.0, 4, 1_000),
            (100.0, 2, 2_000),
            (101.0, 2, 2_000),
            (-1.0, 2, 0),
            (f32::NAN, 2, 0),
        ] {
            assert_eq!(of_percent(percent, cores), expected, "{percent} % of {cores}");
        }
    }

    #[test]
    fn a_load_that_cannot_be_read_is_a_full_one() {
        let tree = Tree::new();
        let moment = |secs: u64| Moment { now: Time(secs * 1_000_000), weekday: Weekday::Mon, minute: 0 };
        tree.write("proc/stat", "cpu  0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n");
        let mut load = Load::new(&tree.roots(), tree.path("habit"));
        let busy = Found { idle_cores: 0, other_load_pct: 100 };
        for (stat, expected) in [
            ("cpu  0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n", busy),
            ("cpu  50 0 0 150 0 0 0 0\ncpu0 0\ncpu1 0\n", Found { idle_cores: 1, other_load_pct: 25 }),
            ("garbage", busy),
            ("cpu  50 0 0 350 0 0 0 0\ncpu0 0\ncpu1 0\n", busy),
            ("cpu  50 0 0 950 0 0 0 0\ncpu0 0\ncpu1 0\n", Found { idle_cores: 2, other_load_pct: 0 }),
        ] {
            tree.write("proc/stat", stat);
            assert_eq!(load.look(&moment(7), Span::secs(20)), expected, "{stat}");
        }
        std::fs::remove_file(tree.path("proc/stat")).unwrap();
        assert_eq!(load.look(&moment(8), Span::secs(20)), busy);
    }
}

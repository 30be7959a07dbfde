//! Complete nodes: how much faster a task ends on several machines (E12, the paper's Fig. 8), and how large a world can be.

mod network;

use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError, Value};
use crate::nodes::Nodes;
use crate::recording::{Recording, Subject};
use crate::{Checks, Honest, Mutant, Report, Scenario};
use proto::{Capacity, Cycles, Span};

/// Buyers and sellers with bank, contracts and payments.
#[derive(Clone, Copy, Debug)]
pub struct WholeNodes;

const SELLERS: Parameter = Parameter::integer("population.sellers", 10, 1, 100_000, "nodes that sell");
const BUYERS: Parameter = Parameter::integer("population.buyers", 1, 1, 10_000, "nodes that buy");
const CORES: Parameter = Parameter::integer("population.cores", 1, 1, 64, "cores of a seller");
const SLOWEST: Parameter = Parameter::real(
    "population.slowest_mc_s",
    1_000.0,
    1.0,
    1e6,
    "what a core of the slowest seller executes, in Mc/s",
);
const FASTEST: Parameter = Parameter::real(
    "population.fastest_mc_s",
    2_000.0,
    1.0,
    1e6,
    "what a core of the fastest seller may execute, in Mc/s; each is drawn between the two",
);
const SUB_TASKS: Parameter =
    Parameter::integer("work.sub_tasks", 10, 1, 1_000_000, "sub-tasks of all buyers together");
const WORK: Parameter = Parameter::real("work.work_gc", 100.0, 0.001, 1e6, "cycles of a sub-task, in Gc");
const SWEEP: Parameter = Parameter::real(
    "rule.check_every_s",
    0.0,
    0.0,
    86_400.0,
    "how often whole nodes, ring and ledger are checked; 0: after every event up to 63 nodes, every 30 s above",
);

const METRICS: &[Metric] = &[
    Metric { name: "makespan_s", unit: "s", about: "from the submission to the end of the last sub-task" },
    Metric {
        name: "speedup_ratio",
        unit: "ratio",
        about: "the time that a seller of mean speed takes for all sub-tasks one after the other, over the makespan",
    },
    Metric {
        name: "closed_speedup_ratio",
        unit: "ratio",
        about: "T_seq / (max w/s + o) over the sellers that were chosen (reference §5.7, E12); o from a run with one sub-task",
    },
    Metric { name: "compute_s", unit: "s", about: "how long the busiest of the chosen sellers executes" },
    Metric { name: "overhead_s", unit: "s", about: "what the makespan is longer than that" },
    Metric { name: "overhead_one_s", unit: "s", about: "the same of a single sub-task in the same world" },
    Metric {
        name: "efficiency_share",
        unit: "share",
        about: "speedup over the number of sellers at work: sub-tasks, at most all",
    },
    Metric { name: "succeeded_share", unit: "share", about: "of the sub-tasks, succeeded" },
    Metric {
        name: "messages_count",
        unit: "count",
        about: "messages of a sub-task, the ring's upkeep included",
    },
    Metric { name: "spent_credits", unit: "credits", about: "what a sub-task cost, fee included" },
];

impl Model for WholeNodes {
    fn name(&self) -> &'static str {
        "nodes"
    }

    fn about(&self) -> &'static str {
        "Complete nodes with bank, contracts and payments: how long a task takes, what it costs, and against which overhead."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [SELLERS, BUYERS, CORES, SLOWEST, FASTEST, SUB_TASKS, WORK, SWEEP];
        own.into_iter().chain(network::PARAMETERS).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        if setting.real(&SLOWEST) > setting.real(&FASTEST) {
            return Err(SettingError::new(SLOWEST.key, "expected at most `population.fastest_mc_s`"));
        }
        network::check(setting)
    }

    fn subject(&self, setting: &Setting) -> Option<Subject> {
        Some(Subject::Nodes(setting.clone()))
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        self.run_with(setting, seed, &mut || Box::new(Honest))
    }
}

impl WholeNodes {
    /// One run with a known bug, which `mutant` gives anew for each of its worlds.
    ///
    /// # Errors
    /// Why there are no figures.
    pub fn run_with(
        &self,
        setting: &Setting,
        seed: u64,
        mutant: &mut dyn FnMut() -> Box<dyn Mutant>,
    ) -> Result<Outcome, RunError> {
        let mut run = |setting: Setting| recorded(setting, seed, &mut *mutant());
        let report = run(setting.clone())?;
        let is_one = setting.count(&SUB_TASKS) == 1;
        let one =
            if is_one { report.clone() } else { run(setting.clone().with(&SUB_TASKS, Value::Integer(1)))? };
        let succeeded = report.verdicts.get("succeeded").copied().unwrap_or(0);
        if succeeded == 0 {
            return Err(RunError::NoTrade);
        }
        let (count, work) = (setting.count(&SUB_TASKS), setting.real(&WORK));
        let speed = f64::midpoint(setting.real(&SLOWEST), setting.real(&FASTEST)) / 1_000.0;
        let sequence = real(count) * work / speed;
        let (makespan, compute) = (report.took.as_secs_f64(), report.busiest.as_secs_f64());
        let overhead_one = overhead(&one);
        let at_work = count.min(setting.count(&SELLERS));
        Ok(Outcome::new(report.trace.0)
            .with("makespan_s", makespan)
            .with("speedup_ratio", sequence / makespan)
            .with("closed_speedup_ratio", sequence / (compute + overhead_one))
            .with("compute_s", compute)
            .with("overhead_s", overhead(&report))
            .with("overhead_one_s", overhead_one)
            .with("efficiency_share", sequence / makespan / real(at_work))
            .with("succeeded_share", f64::from(succeeded) / real(count))
            .with("messages_count", real(report.traffic.sent) / real(count))
            .with("spent_credits", real(report.spent.0) / 1e6 / real(count)))
    }

    /// What goes wrong in this setting, each as the parameters that it is set by.
    pub(crate) fn faults(setting: &Setting) -> impl Iterator<Item = &'static [Parameter]> {
        let is_set =
            |key: &Parameter| setting.value(key.key).is_some_and(|value| *value != key.default.value());
        network::FAULTS.into_iter().filter(move |keys| keys.iter().any(is_set))
    }

    /// The sub-tasks of a setting.
    pub(crate) fn sub_tasks(setting: &Setting) -> usize {
        usize::try_from(setting.count(&SUB_TASKS)).unwrap_or(usize::MAX)
    }

    /// A setting with those of its faults alone that have these places, and with so many sub-tasks.
    pub(crate) fn reduced(setting: &Setting, faults: &[usize], sub_tasks: usize) -> Setting {
        let count = Value::Integer(i64::try_from(sub_tasks).unwrap_or(i64::MAX));
        let left_out = (0..).zip(Self::faults(setting)).filter(|(place, _)| !faults.contains(place));
        let unset = |setting: Setting, key: &Parameter| setting.with(key, key.default.value());
        left_out.flat_map(|(_, keys)| keys).fold(setting.clone().with(&SUB_TASKS, count), unset)
    }

    /// The world of a setting.
    pub(crate) fn world(setting: &Setting) -> Scenario {
        plan(setting).scenario()
    }
}

fn recorded(setting: Setting, seed: u64, mutant: &mut dyn Mutant) -> Result<Report, RunError> {
    let (recording, outcome) = Recording::of_with(Subject::Nodes(setting), seed, mutant)
        .map_err(|error| RunError::Failed(error.to_string()))?;
    outcome.map_err(|violation| RunError::Recorded(Box::new((violation, recording))))
}

fn overhead(report: &Report) -> f64 {
    report.took.as_secs_f64() - report.busiest.as_secs_f64()
}

fn plan(setting: &Setting) -> Nodes {
    let count = |parameter: &Parameter| usize::try_from(setting.count(parameter)).unwrap_or(usize::MAX);
    let buyers = count(&BUYERS);
    let cores = u32::try_from(setting.count(&CORES)).unwrap_or(1);
    let capacity = |parameter: &Parameter| Capacity(whole(setting.real(parameter)));
    let cycles = Cycles(whole(setting.real(&WORK) * 1e9));
    let every = setting.real(&SWEEP);
    Nodes {
        cores: (cores, cores),
        per_core: (capacity(&SLOWEST), capacity(&FASTEST)),
        cycles: (cycles, cycles),
        net: network::net(setting),
        clocks: network::clocks(setting),
        checks: (every > 0.0).then(|| Checks::Every(Span(whole(every * 1e6)))),
        ..Nodes::new(count(&SELLERS).saturating_add(buyers), buyers, WholeNodes::sub_tasks(setting))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and at most 10^15"
)]
fn whole(number: f64) -> u64 {
    libm::round(number) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

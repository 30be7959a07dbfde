//! Who is there, and what is asked for: from a setting to a plan of the bazaar.

use super::Pool;
use crate::bazaar::{Machine, Plan, Script, Wanted};
use crate::dice::Dice;
use crate::experiment::{Parameter, RunError, Setting};
use crate::model::churned::{CHURN, DEPARTURE, LATENCY, LOSS, NODES, SESSION, span, stays};
use crate::model::rule::Rule;
use crate::model::size;
use crate::population::hosts::{Host, Hosts};
use crate::price::rate;
use proto::{Bytes, Capacity, Cycles, Rate, Span};

const BUYERS: Parameter =
    Parameter::integer("population.buyers", 10, 1, 10_000, "nodes that buy; they stay, and sell nothing");
const RENEWAL: Parameter =
    Parameter::integer("rule.renewal_s", 120, 1, 3_600, "how often sellers renew their listings, in seconds");
const UPKEEP: Parameter = Parameter::integer(
    "network.upkeep_s",
    30,
    1,
    3_600,
    "how often a node looks after its place in the ring, in seconds",
);
const HOURS: Parameter = Parameter::real("work.hours", 24.0, 0.01, 24.0 * 365.0, "hours in which jobs come");
const STREAMS: Parameter = Parameter::integer(
    "work.streams",
    1,
    1,
    10_000,
    "how many times the workload comes, each with its own jobs: the load",
);
const SPEED: Parameter = Parameter::real(
    "work.least_speed_share",
    0.5,
    0.0,
    10.0,
    "how fast the core of a sub-task has to be at least, of the mean core",
);
const PATIENCE: Parameter = Parameter::real(
    "work.patience_s",
    3_600.0,
    1.0,
    1e7,
    "for how long a seller is looked for before a sub-task is given up",
);
const LOOK: Parameter = Parameter::real(
    "work.slowest_look_s",
    30.0,
    0.05,
    1e5,
    "the longest wait between two purchases that found nobody; it doubles from 50 ms",
);
const TRIES: Parameter = Parameter::integer(
    "work.tries",
    10,
    1,
    1_000,
    "how many machines may lose a sub-task before it is given up; there are no checkpoints here",
);
/// The most sub-tasks of a run.
const MOST: usize = 2_000_000;
/// The least memory and disk of a machine: room for one sub-task.
const LEAST_MIB: f64 = 64.0;

pub(super) fn parameters() -> Vec<Parameter> {
    let network = [NODES, LATENCY, LOSS, UPKEEP, CHURN, SESSION, DEPARTURE, BUYERS];
    let work = [RENEWAL, HOURS, STREAMS, SPEED, PATIENCE, LOOK, TRIES];
    network.into_iter().chain(work).collect()
}

/// A plan, and what its figures are held against.
pub(super) struct Day {
    pub(super) plan: Plan,
    /// What a Gc costs each machine.
    pub(super) costs: Vec<Rate>,
    /// What a Gc of each sub-task is worth.
    pub(super) values: Vec<Rate>,
    /// How long each sub-task runs on the reference core, in seconds.
    pub(super) alone: Vec<f64>,
}

impl Day {
    /// # Errors
    /// No job comes in the time given, or too many sub-tasks.
    pub(super) fn new(pool: &Pool, setting: &Setting, seed: u64) -> Result<Self, RunError> {
        let mut plan = network(setting, seed);
        let (machines, costs) = machines(pool, setting, &plan, seed);
        let mut asked = asked(pool, setting, seed)?;
        asked.sort_by_key(|(wanted, ..)| wanted.at);
        let mut day = Self { plan: plan.clone(), costs, values: Vec::new(), alone: Vec::new() };
        let mut script = Script {
            buyers: size(setting.count(&BUYERS)),
            machines,
            wanted: Vec::new(),
            patience: span(setting.real(&PATIENCE)),
            slowest_look: span(setting.real(&LOOK)),
            tries: u32::try_from(setting.count(&TRIES)).unwrap_or(1),
        };
        for (wanted, value, alone) in asked {
            script.wanted.push(wanted);
            day.values.push(value);
            day.alone.push(alone);
        }
        plan.script = Some(script);
        day.plan = plan;
        Ok(day)
    }
}

fn network(setting: &Setting, seed: u64) -> Plan {
    let nodes = setting.count(&NODES).saturating_add(setting.count(&BUYERS));
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    let mut plan = stays(setting, Plan { seed, ..Plan::public(nodes) });
    let rule = Rule::of(setting);
    plan.rules.rule = rule.pricing;
    plan.rules.pricing = rule.terms;
    plan.rules.renewal = Span::secs(setting.count(&RENEWAL));
    let upkeep = Span::secs(setting.count(&UPKEEP));
    plan.chord.stabilize_every = upkeep;
    plan.chord.fix_fingers_every = upkeep;
    plan.chord.check_predecessor_every = upkeep;
    plan.lasting = span(setting.real(&HOURS) * 3_600.0);
    plan
}

/// As many machines as it takes for so many to be there at a time.
fn machines(pool: &Pool, setting: &Setting, plan: &Plan, seed: u64) -> (Vec<Machine>, Vec<Rate>) {
    let presence = plan.churn.map_or(1.0, crate::churn::Churn::presence);
    let count = whole(setting.count(&NODES) as f64 / presence);
    let costs = pool.populations.costs(setting);
    let mut dice = Dice::new(seed, "pool", 0);
    let sellers = (0..size(count)).map(|seller| {
        let host = pool.machines.machine(setting, &mut dice);
        let cost = rate(costs.cost_on(&host, seller, &mut dice));
        (machine(&host, cost), cost)
    });
    sellers.unzip()
}

/// Who tells the truth asks for its cost.
fn machine(host: &Host, cost: Rate) -> Machine {
    Machine {
        cores: u32::try_from(whole(host.cores)).unwrap_or(1),
        // A MIPS is a Mc/s.
        per_core: Capacity(whole(host.whetstone)),
        memory: Bytes::mib(whole((host.memory_per_core * host.cores).max(LEAST_MIB))),
        disk: Bytes::mib(whole((host.disk * 1_000.0).max(LEAST_MIB))),
        ask: cost,
    }
}

/// All sub-tasks, stream by stream: with what a Gc of them is worth, and how long they run on the reference core, in seconds.
fn asked(pool: &Pool, setting: &Setting, seed: u64) -> Result<Vec<(Wanted, Rate, f64)>, RunError> {
    let (buyers, horizon) = (size(setting.count(&BUYERS)), setting.real(&HOURS) * 3_600.0);
    let speed = Hosts::of(setting).mean_speed();
    let power = Capacity(whole(speed * setting.real(&SPEED)));
    let strategy = pool.buyers.buyer(setting);
    let mut all = Vec::new();
    for stream in 0..setting.count(&STREAMS) {
        let (mut jobs, mut dice) = (pool.workloads.jobs(setting), Dice::new(seed, "jobs", stream));
        loop {
            let job = jobs.next(&mut dice);
            if job.at >= horizon {
                break;
            }
            let value = rate(pool.values.value(setting, &mut dice));
            let buyer = (job.user + size(stream)) % buyers.max(1);
            for seconds in job.work {
                let (at, work) = (span(job.at), Cycles(whole(seconds * speed * 1e6)));
                let bids = strategy.bids(value);
                all.push((Wanted { at, buyer, power, work, bids }, value, seconds));
            }
            if all.len() > MOST {
                return Err(RunError::Failed(format!("more than {MOST} sub-tasks: fewer streams or hours")));
            }
        }
    }
    if all.is_empty() { Err(RunError::Failed("no job comes: more streams or hours".into())) } else { Ok(all) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends"
)]
fn whole(number: f64) -> u64 {
    libm::round(number) as u64
}

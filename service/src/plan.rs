//! From a sub-task of the task file to what is bought for it.

mod probe;

pub use probe::ProbePlan;
pub(crate) use probe::STDOUT as PROBE_STDOUT;

use crate::task::{CheckpointSpec, Deadline, Feed, LocalFile, Redundancy, Slot, SubTask};
use proto::message::market::Requirement;
use proto::message::service::{
    Blob, Checkpoint, CheckpointKey, Checkpointing, Job, Limits, NamedBlob, Runtime, Variable,
};
use proto::wire::{MAX_MESSAGE, Wire as _, WireError};
use proto::{Bytes, Cycles, Hash, Money, Rate, Rules, Span};
use std::collections::BTreeMap;

/// How much longer than the sub-task's limit on time its money stays set aside: for staging, fetching and
/// for a bank that is down for a while.
pub(crate) const HOLD_MARGIN: Span = Span::secs(600);
/// The longest limit on time: the hold that pays for it is the longest that the bank makes.
const LONGEST: Span = Span(bank::MAX_HOLD.0 - HOLD_MARGIN.0);
/// What an offer carries besides the job: ticket, receipt, signatures.
const OFFER_PAPERS: usize = 64 << 10;

/// A sub-task, ready to be bought: everything bulky is named by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubTaskPlan {
    /// Its name in the task.
    pub name: String,
    /// What the seller must have.
    pub requirement: Requirement,
    /// The highest rate at which the work stays within the price.
    pub bid: Rate,
    /// The most it may cost, the owner's fee included.
    pub price: Money,
    /// The work, as far as its file tells.
    pub work: Option<Cycles>,
    /// The program with all it gets.
    pub job: Job,
    /// Attempts after the first one.
    pub retries: u32,
    /// How long to wait after a failed attempt.
    pub backoff: Span,
    /// By when it has to have ended.
    pub deadline: Option<Deadline>,
    /// Which sub-tasks of the task have to succeed before, by index, in order.
    pub depends_on: Vec<u32>,
    /// Outputs of other sub-tasks that become inputs of the job once they are there.
    pub feeds: Vec<Feed>,
    /// How it is saved while it runs; the job gets it with its key when it is offered.
    pub checkpoint: Option<CheckpointSpec>,
    /// How often it is executed, and when a result is believed.
    pub redundancy: Redundancy,
    /// The contents of the files that `redundancy` names, by their paths.
    pub aids: BTreeMap<String, Blob>,
    /// Questions whose answers are known.
    pub probes: Vec<ProbePlan>,
}

/// What a seller did of a sub-task before it handed it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From where another one goes on.
    pub checkpoint: Checkpoint,
    /// The work that is done.
    pub cycles: Cycles,
    /// What the seller was paid for it.
    pub paid: Money,
    /// What the market owner was paid for it.
    pub fee: Money,
}

/// What a sub-task comes to from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    limit: Cycles,
    work: Option<Cycles>,
}

/// Why a sub-task cannot be bought.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Program or input is not there.
    #[error("sub-task `{sub_task}`: there is no file `{path}` beside the task file")]
    NoFile {
        /// The sub-task.
        sub_task: String,
        /// The path, as written.
        path: String,
    },
    /// Nothing of the price would be left for the seller.
    #[error(
        "sub-task `{sub_task}`: its price of {price} credits{} does not exceed the market owner's fee of {fee}",
        divided(*replicas)
    )]
    PriceBelowFee {
        /// The sub-task.
        sub_task: String,
        /// Its price.
        price: Money,
        /// By how many replicas it is divided.
        replicas: u32,
        /// The fee of this network.
        fee: Money,
    },
    /// A probe has to be there from the start, and what other sub-tasks make is not.
    #[error(
        "probe {number} of sub-task `{sub_task}` lacks its {input}, which another sub-task makes: a probe brings all \
         its inputs along, as `InputFile` with the same names"
    )]
    ProbeInput {
        /// The sub-task.
        sub_task: String,
        /// Which of its probes, from 1.
        number: u32,
        /// Which input, in words.
        input: String,
    },
    /// A probe expects what the sub-task does not leave.
    #[error(
        "probe {number} of sub-task `{sub_task}` expects `{output}`, which is not an output of it: name one of its \
         outputs by `as`, or `stdout`"
    )]
    ProbeOutput {
        /// The sub-task.
        sub_task: String,
        /// Which of its probes, from 1.
        number: u32,
        /// The name that is expected.
        output: String,
    },
    /// Nobody sets money aside for so long.
    #[error("sub-task `{sub_task}`: its limit on time of {wall} is beyond {LONGEST}")]
    TooLong {
        /// The sub-task.
        sub_task: String,
        /// Its limit on time.
        wall: Span,
    },
    /// Arguments, environment and file names together do not fit into an offer.
    #[error("sub-task `{sub_task}` does not fit into an offer: {why}")]
    TooLarge {
        /// The sub-task.
        sub_task: String,
        /// What the seller's node would say.
        why: WireError,
    },
}

impl SubTaskPlan {
    /// The plan for `job` that asks for nothing, bids nothing and tries once.
    #[must_use]
    pub fn bare(name: String, job: Job) -> Self {
        Self {
            name,
            requirement: Requirement::default(),
            bid: Rate(0),
            price: Money::ZERO,
            work: None,
            job,
            retries: 0,
            backoff: Span(0),
            deadline: None,
            depends_on: Vec::new(),
            feeds: Vec::new(),
            checkpoint: None,
            redundancy: Redundancy::default(),
            aids: BTreeMap::new(),
            probes: Vec::new(),
        }
    }

    /// What one replica may cost.
    #[must_use]
    pub fn share(&self) -> Money {
        self.redundancy.share(self.price)
    }

    /// Plans `sub_task` under `rules`; `blob_of` tells the content of a path of the task file.
    ///
    /// The bid is what the price allows per Gc, after the owner's fee, over the stated work. A sub-task that
    /// does not state its work is taken to run for `rules.nominal_run` at the power it asks for; its price
    /// still bounds what it costs.
    ///
    /// # Errors
    /// A missing file, a price that the fee eats up, or a job that no seller could take.
    pub fn new(
        sub_task: &SubTask,
        rules: &Rules,
        blob_of: &dyn Fn(&str) -> Option<Blob>,
    ) -> Result<Self, PlanError> {
        let name = sub_task.name.clone();
        let find = |path: &str| {
            blob_of(path).ok_or_else(|| PlanError::NoFile { sub_task: name.clone(), path: path.into() })
        };
        let named = |file: &LocalFile| Ok(NamedBlob { name: file.name.clone(), blob: find(&file.path)? });
        let after_fee = sub_task
            .redundancy
            .share(sub_task.price)
            .checked_sub(rules.owner_fee)
            .filter(|rest| *rest > Money::ZERO);
        let after_fee = after_fee.ok_or_else(|| PlanError::PriceBelowFee {
            sub_task: name.clone(),
            price: sub_task.price,
            replicas: sub_task.redundancy.replicas,
            fee: rules.owner_fee,
        })?;
        let work = sub_task.work.unwrap_or_else(|| sub_task.power.during(rules.nominal_run));
        let bid = Rate::highest(after_fee, work).unwrap_or(Rate(u64::MAX));
        let job = Job {
            program: find(&sub_task.program.path)?,
            arguments: sub_task.arguments.clone(),
            environment: variables(sub_task),
            inputs: sub_task.inputs.iter().map(named).collect::<Result<_, _>>()?,
            outputs: sub_task.outputs.iter().map(|output| output.name.clone()).collect(),
            stdin: sub_task.stdin.as_deref().map(&find).transpose()?,
            limits: limits(sub_task),
            resume: None,
            runtime: sub_task.runtime.unwrap_or_default(),
            success: sub_task.success,
            progress: sub_task.progress.clone(),
            // The key is drawn when the sub-task is submitted.
            checkpoint: sub_task.checkpoint.as_ref().map(|spec| Checkpointing {
                method: spec.method.clone(),
                interval: spec.interval,
                size: spec.size,
                copies: spec.copies,
                key: CheckpointKey([0; 32]),
            }),
            repeats: Vec::new(),
        };
        check_job(&name, &with_feeds(&job, &sub_task.feeds))?;
        let probes = probe::plans(sub_task, &job, &find)?;
        let requirement = requirement(sub_task);
        let aid = |file: &LocalFile| Ok((file.path.clone(), find(&file.path)?));
        Ok(Self {
            requirement,
            bid,
            price: sub_task.price,
            work: sub_task.work,
            job,
            retries: sub_task.retries,
            backoff: sub_task.backoff,
            deadline: sub_task.deadline,
            depends_on: sub_task.depends_on.clone(),
            feeds: sub_task.feeds.clone(),
            checkpoint: sub_task.checkpoint.clone(),
            redundancy: sub_task.redundancy.clone(),
            aids: sub_task.redundancy.files().map(aid).collect::<Result<_, PlanError>>()?,
            probes,
            name,
        })
    }
}

impl SubTaskPlan {
    /// Plans what is left when `part` is done and paid: from its checkpoint on, with what is left of price, work and
    /// limit on cycles. Whether that is more than the owner's fee, so that it can be bought.
    pub(crate) fn go_on_from(&mut self, part: Part, owner_fee: Money) -> bool {
        let Part { checkpoint, cycles, paid, fee } = part;
        self.job.resume = Some(checkpoint);
        let most = &mut self.job.limits.cycles;
        if *most != Cycles(u64::MAX) {
            *most = Cycles(most.0.saturating_sub(cycles.0));
        }
        let spent = Money(paid.0.saturating_add(fee.0));
        self.price = self.price.checked_sub(spent).unwrap_or(Money::ZERO);
        let left = self.price.checked_sub(owner_fee).filter(|left| *left > Money::ZERO);
        // Who has done more than the file states has perhaps only a little left.
        self.work = self.work.map(|work| Cycles(work.0.saturating_sub(cycles.0).max(1)));
        if let (Some(left), Some(work)) = (left, self.work) {
            self.bid = Rate::highest(left, work).unwrap_or(self.bid);
        }
        left.is_some()
    }

    /// What it comes to from its start.
    pub(crate) const fn origin(&self) -> Origin {
        Origin { limit: self.job.limits.cycles, work: self.work }
    }

    /// Plans it from a saved state on, with the work that is done in it, or from its start; with what is left of its
    /// price in both cases.
    pub(crate) fn begin_at(&mut self, state: Option<(Checkpoint, Cycles)>, origin: Origin, owner_fee: Money) {
        let done = state.map_or(Cycles(0), |(_, done)| done);
        self.job.resume = state.map(|(checkpoint, _)| checkpoint);
        self.job.limits.cycles = match origin.limit {
            Cycles(u64::MAX) => origin.limit,
            Cycles(limit) => Cycles(limit.saturating_sub(done.0)),
        };
        // Who has done more than the file states has perhaps only a little left.
        self.work = origin.work.map(|work| Cycles(work.0.saturating_sub(done.0).max(1)));
        let left = self.price.checked_sub(owner_fee).unwrap_or(Money::ZERO);
        if let Some(work) = self.work {
            self.bid = Rate::highest(left, work).unwrap_or(self.bid);
        }
    }

    /// Takes so many per cent of the price away for something else, and bids less. Takes nothing where too little would
    /// be left for the work, which has to pay the owner's fee too. What was taken.
    pub(crate) fn set_aside(&mut self, percent: u64, owner_fee: Money) -> Money {
        let taken = Money(self.price.0 / 100 * percent.min(100));
        let after_fee = |price: Money| price.checked_sub(owner_fee).filter(|left| *left > Money::ZERO);
        let left = Money(self.price.0.saturating_sub(taken.0));
        let (Some(before), Some(after)) = (after_fee(self.price), after_fee(left)) else {
            return Money::ZERO;
        };
        let bid = u128::from(self.bid.0) * u128::from(after.0) / u128::from(before.0).max(1);
        self.bid = Rate(u64::try_from(bid).unwrap_or(self.bid.0));
        self.price = left;
        taken
    }
}

/// How a price is said to be divided.
fn divided(replicas: u32) -> String {
    if replicas > 1 { format!(" for {replicas} replicas") } else { String::new() }
}

/// The job as it will be offered, with some content for each input that other sub-tasks make.
fn with_feeds(job: &Job, feeds: &[Feed]) -> Job {
    let blob = Blob { hash: Hash([0; 32]), size: Bytes(0) };
    let mut job = job.clone();
    for feed in feeds {
        match &feed.slot {
            Slot::Input(name) => job.inputs.push(NamedBlob { name: name.clone(), blob }),
            Slot::StdIn => job.stdin = Some(blob),
        }
    }
    job
}

/// Whether an offer with this job can be made and read.
fn check_job(name: &str, job: &Job) -> Result<(), PlanError> {
    let sub_task = || name.to_owned();
    if job.limits.wall > LONGEST {
        return Err(PlanError::TooLong { sub_task: sub_task(), wall: job.limits.wall });
    }
    let encoded = job.encode();
    let size = encoded.len() + OFFER_PAPERS;
    let read = if size > MAX_MESSAGE { Err(WireError::TooLarge { size }) } else { Job::decode(&encoded) };
    read.map(|_| ()).map_err(|why| PlanError::TooLarge { sub_task: sub_task(), why })
}

fn variables(sub_task: &SubTask) -> Vec<Variable> {
    let pair = |(name, value): (&String, &String)| Variable { name: name.clone(), value: value.clone() };
    sub_task.environment.iter().map(pair).collect()
}

fn limits(sub_task: &SubTask) -> Limits {
    let limits = &sub_task.limits;
    let cycles = limits.cpu_time.map_or(Cycles(u64::MAX), |time| sub_task.power.during(time));
    Limits {
        wall: limits.wall_time,
        memory: limits.memory,
        disk: limits.disk,
        output: limits.output,
        cycles,
        processes: limits.processes,
        cores: sub_task.requirements.min_cores.unwrap_or(1),
    }
}

fn requirement(sub_task: &SubTask) -> Requirement {
    let (asked, limits) = (&sub_task.requirements, &sub_task.limits);
    Requirement {
        power: sub_task.power,
        cores: asked.min_cores.unwrap_or(1),
        memory: asked.min_memory.map_or(limits.memory, |least| least.max(limits.memory)),
        disk: asked.min_disk.map_or(limits.disk, |least| least.max(limits.disk)),
        os: asked.os.clone().unwrap_or_default(),
        arch: asked.arch.clone().unwrap_or_default(),
        release: asked.os_version,
        layers: asked.sandbox,
        native: sub_task.runtime.is_some_and(|runtime| runtime != Runtime::WebAssembly),
        run_time: limits.wall_time,
        reputation: asked.min_reputation.unwrap_or_default(),
        ..Requirement::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::parse;

    /// What is said of the plan of the last sub-task, which takes all `count` results of the first one.
    fn check(count: usize, expected: Result<(), &str>) {
        let text = format!(
            "<TaskFile><SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File><OutputFiles>\
             <OutputFile as='${{i}}'>o</OutputFile></OutputFiles><Sweep><Var name='i' from='1' to='{count}'/></Sweep>\
             </SubTask><SubTask name='b'><CpuCycles>1</CpuCycles><Price>2</Price><File>b</File><InputFiles>\
             <InputFile from='a'>*</InputFile></InputFiles></SubTask></TaskFile>"
        );
        let task = parse(&text, "t.xml", &BTreeMap::new()).unwrap().task;
        let blob = Blob { hash: Hash([1; 32]), size: Bytes(1) };
        let plan = SubTaskPlan::new(task.sub_tasks.last().unwrap(), &Rules::LOCAL, &|_| Some(blob));
        let found = plan.map(|plan| assert_eq!(plan.feeds.len(), count)).map_err(|error| error.to_string());
        assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected);
    }

    #[test]
    fn what_a_sub_task_will_get_from_others_has_to_fit_into_its_offer() {
        check(8_192, Ok(()));
        check(8_193, Err("sub-task `b` does not fit into an offer: field `inputs` is too long a list"));
    }
}

//! From a sub-task of the task file to what is bought for it.

use crate::task::{LocalFile, SubTask};
use proto::message::market::Requirement;
use proto::message::service::{Blob, Job, Limits, NamedBlob, Runtime, Variable};
use proto::wire::{MAX_MESSAGE, Wire as _, WireError};
use proto::{Cycles, Money, Rate, Rules, Span};

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
}

/// What a seller did of a sub-task before it handed it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From where another one goes on.
    pub checkpoint: Blob,
    /// The work that is done.
    pub cycles: Cycles,
    /// What the seller was paid for it.
    pub paid: Money,
    /// What the market owner was paid for it.
    pub fee: Money,
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
        "sub-task `{sub_task}`: its price of {price} credits does not exceed the market owner's fee of {fee}"
    )]
    PriceBelowFee {
        /// The sub-task.
        sub_task: String,
        /// Its price.
        price: Money,
        /// The fee of this network.
        fee: Money,
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
        let after_fee = sub_task.price.checked_sub(rules.owner_fee).filter(|rest| *rest > Money::ZERO);
        let after_fee = after_fee.ok_or_else(|| PlanError::PriceBelowFee {
            sub_task: name.clone(),
            price: sub_task.price,
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
            runtime: Runtime::WebAssembly,
            success: 0,
            progress: None,
            checkpoint: None,
        };
        check_job(&name, &job)?;
        let requirement = requirement(sub_task);
        let retries = sub_task.retries;
        Ok(Self { name, requirement, bid, price: sub_task.price, work: sub_task.work, job, retries })
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
    let cycles = Cycles(u64::MAX);
    Limits {
        wall: limits.wall_time,
        memory: limits.memory,
        disk: limits.disk,
        output: limits.output,
        cycles,
        processes: limits.processes,
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
        native: false,
        run_time: limits.wall_time,
        reputation: asked.min_reputation.unwrap_or_default(),
        ..Requirement::default()
    }
}

//! The usage policy: what the owner of a machine allows, as TOML in and a checked [`Policy`] out.
//!
//! [`parse`] reads `policy.toml` and reports every fault with its line and column. A [`Governor`] follows the
//! machine and says at every moment what may be sold and what happens to the work that runs; [`Policy::sale`]
//! answers the same for one moment alone. [`Policy::is_denied`] says who is not served. [`describe()`] says what a
//! policy means, [`diff()`] what differs between two, [`Explanation`] why the node shares or not, and
//! [`import::boinc`] makes one of BOINC's preferences. Every key is described in `docs/policy.md`. A value that
//! the format has but that has no effect yet is refused, so that no owner relies on a limit that nobody keeps.

mod condition;
mod cost;
mod decision;
mod describe;
mod diff;
mod explain;
mod expression;
mod fault;
mod governor;
mod hint;
mod item;
mod keys;
mod latch;
mod machine;
mod place;
mod presence;
mod quantity;
mod read;
mod rule;
mod sale;
mod schedule;
mod sections;
mod subnet;
mod syntax;
mod text;
mod timetable;
mod view;

pub mod import;

#[cfg(test)]
mod tests;

pub use cost::{
    CostModel, Estimate, MAX_CREDITS_PER_CURRENCY, MAX_CURRENCY, MAX_WATTS, MarginalCost, Micro, Tariff,
};
pub use decision::{Decision, Work};
pub use describe::describe;
pub use diff::diff;
pub use explain::{Explanation, Next};
pub use expression::{Expression, Facts, MAX_CONDITION, MAX_CONDITION_DEPTH};
pub use fault::{Fault, FaultKind, Hint};
pub use governor::Governor;
pub use machine::{Battery, Machine, Moment};
pub use presence::Presence;
pub use rule::{MAX_RULES, Rule, Setting};
pub use sale::Sale;
pub use schedule::{Hours, Kind, Opening, Weekday};
pub use sections::{Disk, Idle, IdleSource, Override, Power, Suspend, Traffic, Volume};
pub use subnet::Subnet;

use proto::{Bytes, Hash, PublicKey, Rate, Span};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use toml::de::DeTable;

/// The largest policy file in bytes: 1 MiB. Callers look at the size before they read.
pub const MAX_POLICY_SIZE: usize = 1 << 20;
/// The most faults that one run reports.
pub const MAX_FAULTS: usize = 1000;
/// The port that nodes listen on unless their policy says otherwise.
pub const DEFAULT_PORT: u16 = 7740;

/// How much cooler than `power.max_cpu_temp_c` the processor has to be before work goes on, in °C, unless
/// `power.resume_cpu_temp_c` says so: 10, as in the project's reference (80 and 70).
pub const COOLER_C: i32 = 10;

/// What the owner of a machine allows. [`Default`] is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `node.name`: what the node is called where people see it.
    pub node_name: Option<String>,
    /// `start_delay`: nothing is sold for so long after the start.
    pub start_delay: Span,
    /// `share.compute`: whether compute power is sold at all.
    pub share_compute: bool,
    /// `share.storage`: whether memory and disk space are sold by themselves, for checkpoints and files of others.
    pub share_storage: bool,
    /// `share.native`: whether native programs and containers are run, and not only WebAssembly.
    pub share_native: bool,
    /// `share.files`: files that everybody may have, by their absolute paths.
    pub share_files: Vec<String>,
    /// `network.code_servers`: where files are looked for at last.
    pub code_servers: Vec<String>,
    /// `market.memory_price`: what is asked for memory by itself, in micro-credits per GiB and hour.
    pub memory_price: Rate,
    /// `market.disk_price`: what is asked for disk space by itself, in micro-credits per GiB and hour.
    pub disk_price: Rate,
    /// `market.marginal_cost`: what the work costs the owner, in micro-credits per Gc, more than 0; none for
    /// `"auto"`. See [`Policy::marginal_cost`].
    pub fixed_cost: Option<Rate>,
    /// The rest of `[market]`: what the cost is computed from when it is `"auto"`, or for a suggestion.
    pub cost_model: CostModel,
    /// `market.min_price`: the least that is asked, in micro-credits per Gc.
    pub min_price: Rate,
    /// `cpu.max_cores`: the most cores that are sold; at least 1; none: only the share below counts.
    pub max_cores: Option<u32>,
    /// `cpu.max_cores_pct`: the most cores that are sold, in per cent of the machine's, 1 to 100.
    pub max_cores_pct: u32,
    /// `cpu.max_other_load_pct`: nothing is sold while other programs use more of the processor, 0 to 100.
    pub max_other_load_pct: u32,
    /// `cpu.throttle_pct`: the share of the time that work runs, in per cent, 1 to 100.
    pub throttle_pct: u32,
    /// `cpu.nice`: how far the work of others stands back behind other programs, 0 to 19.
    pub nice: u32,
    /// `cpu.assume_idle`: whether cores are sold whatever the load.
    pub assume_idle: bool,
    /// `memory.max_pct`: how much of the free memory is sold, in per cent, 1 to 100.
    pub memory_max_pct: u32,
    /// `memory.max_swap_pct`: no work while more of the swap space is used, in per cent, 0 to 100.
    pub max_swap_pct: u32,
    /// `[in_use]`: other limits while somebody uses the machine.
    pub in_use: Override,
    /// `[idle_limits]`: other limits while nobody is there.
    pub idle_limits: Override,
    /// `[idle]`: when nobody is there.
    pub idle: Idle,
    /// `[power]`: battery and heat.
    pub power: Power,
    /// `[suspend]`: how work stands still and goes on.
    pub suspend: Suspend,
    /// `exclusive.programs`: no work while one of these runs.
    pub exclusive: BTreeSet<String>,
    /// `[disk]`, less the next one.
    pub disk: Disk,
    /// `disk.max_size`: the most disk space that is sold.
    pub disk_max_size: Bytes,
    /// `limits.max_run_time`: the longest that one sub-task may run.
    pub max_run_time: Span,
    /// `limits.max_memory`: the most memory that one sub-task may use.
    pub max_memory: Bytes,
    /// `limits.max_output`: the most that one sub-task may write to standard output, and to standard error.
    pub max_output: Bytes,
    /// `limits.max_processes`: the most processes and threads of one sub-task, at least 1.
    pub max_processes: u32,
    /// `limits.sandbox`: how strictly programs are shut in.
    pub sandbox: Sandbox,
    /// `network.listen`: where the node listens.
    pub listen: SocketAddr,
    /// The rest of `[network]`.
    pub traffic: Traffic,
    /// `access.deny_nodes`: buyers whose work is not done here.
    pub deny_nodes: Vec<PublicKey>,
    /// `access.allow_nodes`: if not empty, the only buyers whose work is done here, less the denied ones.
    pub allow_nodes: Vec<PublicKey>,
    /// `access.deny_ips`: addresses that are not served.
    pub deny_ips: Vec<Subnet>,
    /// `access.deny_programs`: programs that are not run here, by their BLAKE3 hashes.
    pub deny_programs: Vec<Hash>,
    /// `gpu.when_active`: read for those who bring it along; there is no work for GPUs yet, see
    /// [`Policy::warnings`].
    pub gpu_when_active: Option<bool>,
    /// `[[schedule]]`: when power is sold and the network used, in local time: when any one of that kind matches;
    /// if there is none of that kind, always.
    pub schedule: Vec<Opening>,
    /// `[[rule]]`: other values while a condition holds; the first one that holds counts. At most [`MAX_RULES`].
    pub rules: Vec<Rule>,
}

/// How strictly native programs are shut in. WebAssembly is always in a sandbox of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// The strictest that the machine offers, and nothing runs that could read the owner's files.
    Best,
    /// The whole sandbox, or nothing runs.
    Required,
    /// Limits only: for machines whose buyers are all trusted.
    None,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            node_name: None,
            start_delay: Span(0),
            share_compute: true,
            share_storage: false,
            share_native: false,
            share_files: Vec::new(),
            code_servers: Vec::new(),
            memory_price: Rate(100_000),
            disk_price: Rate(1_000),
            fixed_cost: Some(Rate(200_000)),
            cost_model: CostModel::default(),
            min_price: Rate(0),
            max_cores: None,
            max_cores_pct: 100,
            max_other_load_pct: 50,
            throttle_pct: 100,
            nice: 10,
            assume_idle: false,
            memory_max_pct: 50,
            max_swap_pct: 100,
            in_use: Override::default(),
            idle_limits: Override::default(),
            idle: Idle::default(),
            power: Power::default(),
            suspend: Suspend::default(),
            exclusive: BTreeSet::new(),
            disk: Disk::default(),
            disk_max_size: Bytes::gib(10),
            max_run_time: Span::secs(24 * 3600),
            max_memory: Bytes::gib(4),
            max_output: Bytes::mib(64),
            max_processes: 256,
            sandbox: Sandbox::Best,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), DEFAULT_PORT),
            traffic: Traffic::default(),
            deny_nodes: Vec::new(),
            allow_nodes: Vec::new(),
            deny_ips: Vec::new(),
            deny_programs: Vec::new(),
            gpu_when_active: None,
            schedule: Vec::new(),
            rules: Vec::new(),
        }
    }
}

impl Policy {
    /// Whether the node `key`, calling from `ip`, is not served: it is on a list of the denied, or there is a
    /// list of the allowed and it is not on it.
    #[must_use]
    pub fn is_denied(&self, ip: IpAddr, key: PublicKey) -> bool {
        self.deny_nodes.contains(&key)
            || self.deny_ips.iter().any(|subnet| subnet.contains(ip))
            || !self.allow_nodes.is_empty() && !self.allow_nodes.contains(&key)
    }

    /// Whether the program with the BLAKE3 hash `code` is not run here.
    #[must_use]
    pub fn is_denied_program(&self, code: Hash) -> bool {
        self.deny_programs.contains(&code)
    }

    /// What the work costs the owner.
    #[must_use]
    pub fn marginal_cost(&self) -> MarginalCost {
        match self.fixed_cost {
            Some(rate) => MarginalCost::Fixed(rate),
            None => MarginalCost::Auto(self.cost_model.clone()),
        }
    }

    /// What the file says that has no effect, or one that is easily overlooked, as sentences.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let gpu = "`gpu.when_active` is read and has no effect: there is no work for GPUs yet";
        let open = "native programs of strangers run with your rights: they can read your files and use your network";
        let is_open = self.share_native && self.sandbox == Sandbox::None;
        self.gpu_when_active
            .map(|_| gpu)
            .into_iter()
            .chain(is_open.then_some(open))
            .map(str::to_owned)
            .collect()
    }
}

/// Reads a policy. `file` is the name that the faults are reported under.
///
/// # Errors
///
/// All faults in the order of the file, at most [`MAX_FAULTS`] and one that says that there are more: those of
/// the syntax, at most one a line, or when there are none, those of the keys and values.
pub fn parse(text: &str, file: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > MAX_POLICY_SIZE {
        let kind = FaultKind::TooLarge { bytes: text.len(), most: MAX_POLICY_SIZE };
        return Err(place::faults(text, file, vec![Problem { at: None, kind }]));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(place::faults(text, file, syntax::problems(text, &errors)));
    }
    let (policy, problems) = read::policy(root.get_ref());
    if problems.is_empty() { Ok(policy) } else { Err(place::faults(text, file, problems)) }
}

/// A fault before its place is known as line and column.
#[derive(Debug)]
struct Problem {
    /// Where it begins, in bytes from the start of the text; `None` when it is nowhere in particular.
    at: Option<usize>,
    /// What is wrong.
    kind: FaultKind,
}

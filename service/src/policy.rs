//! The usage policy: what the owner of a machine allows, as TOML in and a checked [`Policy`] out.
//!
//! [`parse`] reads `policy.toml` and reports every fault with its line and column. [`Policy::sale`] says what
//! may be sold at this moment, and if nothing, why; [`Policy::is_denied`] says who is not served. Every key is
//! described in `docs/policy.md`. A key that the format has but that has no effect yet is refused, so that no
//! owner relies on a limit that nobody keeps.

mod decision;
mod fault;
mod hint;
mod item;
mod keys;
mod machine;
mod place;
mod quantity;
mod read;
mod sale;
mod schedule;
mod subnet;
mod syntax;
#[cfg(test)]
mod tests;

pub use decision::{Decision, Work};
pub use fault::{Fault, FaultKind, Hint};
pub use machine::{Battery, Machine, Moment};
pub use sale::Sale;
pub use schedule::{Hours, Opening, Weekday};
pub use subnet::Subnet;

use proto::{Bytes, PublicKey, Rate, Span};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use toml::de::DeTable;

/// The largest policy file in bytes: 1 MiB. Callers look at the size before they read.
pub const MAX_POLICY_SIZE: usize = 1 << 20;
/// The most faults that one run reports.
pub const MAX_FAULTS: usize = 1000;
/// The port that nodes listen on unless their policy says otherwise.
pub const DEFAULT_PORT: u16 = 7740;

/// What the owner of a machine allows. [`Default`] is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `share.compute`: whether compute power is sold at all.
    pub share_compute: bool,
    /// `market.marginal_cost`: what the work costs the owner, in micro-credits per Gc; more than 0.
    pub marginal_cost: Rate,
    /// `market.min_price`: the least that is asked, in micro-credits per Gc.
    pub min_price: Rate,
    /// `cpu.max_cores`: the most cores that are sold; at least 1; none: only the share below counts.
    pub max_cores: Option<u32>,
    /// `cpu.max_cores_pct`: the most cores that are sold, in per cent of the machine's, 1 to 100.
    pub max_cores_pct: u32,
    /// `cpu.max_other_load_pct`: nothing is sold while other programs use more of the processor, 0 to 100.
    pub max_other_load_pct: u32,
    /// `cpu.assume_idle`: whether cores are sold whatever the load.
    pub assume_idle: bool,
    /// `memory.max_pct`: how much of the free memory is sold, in per cent, 1 to 100.
    pub memory_max_pct: u32,
    /// `disk.max_size`: the most disk space that is sold.
    pub disk_max_size: Bytes,
    /// `limits.max_run_time`: the longest that one sub-task may run.
    pub max_run_time: Span,
    /// `limits.max_memory`: the most memory that one sub-task may use.
    pub max_memory: Bytes,
    /// `limits.max_output`: the most that one sub-task may write to standard output, and to standard error.
    pub max_output: Bytes,
    /// `limits.sandbox`: how strictly programs are shut in.
    pub sandbox: Sandbox,
    /// `network.listen`: where the node listens.
    pub listen: SocketAddr,
    /// `access.deny_nodes`: buyers whose work is not done here.
    pub deny_nodes: Vec<PublicKey>,
    /// `access.allow_nodes`: if not empty, the only buyers whose work is done here, less the denied ones.
    pub allow_nodes: Vec<PublicKey>,
    /// `access.deny_ips`: addresses that are not served.
    pub deny_ips: Vec<Subnet>,
    /// `[[schedule]]`: when power is sold, in local time: when any of them matches; if empty, always.
    pub schedule: Vec<Opening>,
}

/// How strictly programs are shut in. Every program of this version is WebAssembly and runs in a sandbox, so
/// that both mean the same for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// The strictest that the machine offers.
    Best,
    /// A sandbox, or the program does not run.
    Required,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            share_compute: true,
            marginal_cost: Rate(200_000),
            min_price: Rate(0),
            max_cores: None,
            max_cores_pct: 100,
            max_other_load_pct: 50,
            assume_idle: false,
            memory_max_pct: 50,
            disk_max_size: Bytes::gib(10),
            max_run_time: Span::secs(24 * 3600),
            max_memory: Bytes::gib(4),
            max_output: Bytes::mib(64),
            sandbox: Sandbox::Best,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), DEFAULT_PORT),
            deny_nodes: Vec::new(),
            allow_nodes: Vec::new(),
            deny_ips: Vec::new(),
            schedule: Vec::new(),
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

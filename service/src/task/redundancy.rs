//! `Redundancy`: how often a sub-task is executed, and when results count as equal (paper §III-D). The names follow
//! BOINC's: `target_nresults`, `min_quorum`, `max_total_results`.

use super::{Decimal, LocalFile};

/// The most executions of one sub-task.
pub const MAX_REPLICAS: u32 = 32;

/// How often a sub-task is executed, and when a result is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// `Replicas`: how many executions are bought at first, 1 to [`MAX_REPLICAS`].
    pub replicas: u32,
    /// `Quorum`: how many of them have to agree, 1 to `replicas`; a majority of `replicas` unless stated.
    pub quorum: u32,
    /// `MaxReplicas`: the most executions that are bought while too few agree, `replicas` to [`MAX_REPLICAS`]; as many
    /// as `replicas` unless stated.
    pub max_replicas: u32,
    /// Whether a seller with a good record may get fewer.
    pub replication: Replication,
    /// `Compare`: when two results agree.
    pub compare: Comparison,
    /// `Verify`: a program that tells a right result from a wrong one.
    pub verify: Option<Verifier>,
    /// `Probe`: inputs whose results are known.
    pub probes: Vec<Probe>,
}

/// Whether the number of executions depends on who executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replication {
    /// Always as many as stated.
    #[default]
    Fixed,
    /// `adaptive="true"`: fewer where experience with the seller is good.
    Adaptive,
}

/// When two results agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Every byte of every output is the same.
    #[default]
    Exact,
    /// The same lines, whatever the line ends and the spaces at their ends.
    Text,
    /// The same words, and numbers that differ by at most `abs`, or by at most `rel` of the larger one.
    Numeric {
        /// The largest difference, 0 or more.
        abs: Decimal,
        /// The largest difference as a share of the larger number, 0 or more.
        rel: Decimal,
    },
    /// Pictures of one size.
    Image {
        /// By how much a colour of a pixel may differ, of 255.
        channel: u8,
        /// Which share of the pixels may differ by more, 0 to 1.
        pixels: Decimal,
    },
    /// A program that is given both results and ends with status 0 where they agree.
    Command(LocalFile),
}

/// A program that is given the outputs of an execution and ends with status 0 where they are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// The program.
    pub program: LocalFile,
}

/// A question whose answer is known: a seller that answers it wrongly is not believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// The arguments; none: those of the sub-task.
    pub arguments: Option<Vec<String>>,
    /// Input files, in place of those of the sub-task with the same names.
    pub inputs: Vec<LocalFile>,
    /// What the outputs of these names must be; at least one.
    pub expected: Vec<LocalFile>,
}

impl Default for Redundancy {
    fn default() -> Self {
        Self {
            replicas: 1,
            quorum: 1,
            max_replicas: 1,
            replication: Replication::Fixed,
            compare: Comparison::Exact,
            verify: None,
            probes: Vec::new(),
        }
    }
}

impl Redundancy {
    /// Every file of the buyer that it needs.
    pub fn files(&self) -> impl Iterator<Item = &LocalFile> {
        let command = match &self.compare {
            Comparison::Command(file) => Some(file),
            _ => None,
        };
        let verifier = self.verify.as_ref().map(|verifier| &verifier.program);
        let probes = self.probes.iter().flat_map(|probe| probe.inputs.iter().chain(&probe.expected));
        command.into_iter().chain(verifier).chain(probes)
    }
}

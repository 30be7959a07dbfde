//! What would be bought for a task file, without anybody being asked.

use serde::Serialize;

/// What would be bought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DryRun {
    pub(crate) file: String,
    pub(crate) name: String,
    /// How many sub-tasks there are.
    pub(crate) sub_tasks: usize,
    /// How many executions are bought at first, replicas and probes counted.
    pub(crate) executions: u64,
    /// The most that all of it costs, in credits.
    pub(crate) price: String,
    pub(crate) budget: Option<String>,
    /// How many files are sent, each once, and how many bytes they are.
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// The sub-tasks by what they need.
    pub(crate) classes: Vec<DryClass>,
    /// The names of the sub-tasks on the longest way through the task, and how long it takes at the power asked for,
    /// in seconds; nothing where nobody waits for anybody.
    pub(crate) longest: Vec<String>,
    pub(crate) longest_seconds: Option<f64>,
    /// Every sub-task, sweeps expanded.
    pub(crate) list: Vec<DrySubTask>,
}

/// Sub-tasks that need the same and cost the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DryClass {
    /// The first of them.
    pub(crate) first: String,
    pub(crate) sub_tasks: usize,
    /// In Mc/s.
    pub(crate) power: u64,
    pub(crate) cores: u32,
    /// In bytes.
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    /// Operating system and architecture, empty for any.
    pub(crate) platform: String,
    /// The longest that one may take, in seconds.
    pub(crate) wall: f64,
    /// Executions of each.
    pub(crate) replicas: u32,
    /// The most that one of them costs, in credits.
    pub(crate) price: String,
}

/// A sub-task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DrySubTask {
    pub(crate) name: String,
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// In Mc/s.
    pub(crate) power: u64,
    /// In Gc, if it is stated.
    pub(crate) work: Option<f64>,
    pub(crate) price: String,
    /// The files of this machine that it gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<String>,
    /// Where its results go, relative to the results directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) outputs: Vec<String>,
    /// For whom it waits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
}

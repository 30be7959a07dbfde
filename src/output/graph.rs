//! Who waits for whom in a task.

use serde::Serialize;

/// The sub-tasks of a task with what they wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GraphView {
    pub(crate) task: u64,
    pub(crate) name: String,
    pub(crate) sub_tasks: Vec<GraphNode>,
}

/// A sub-task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GraphNode {
    pub(crate) name: String,
    /// A word of the table of states, such as `running`.
    pub(crate) state: String,
    /// Those that it waits for, by their place in the list.
    pub(crate) after: Vec<u32>,
}

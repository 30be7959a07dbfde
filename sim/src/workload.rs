//! What is asked for: jobs of many sub-tasks, and when they come.

pub mod bags;
pub mod conservative;

/// A job: sub-tasks that are asked for together.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// When it comes, in seconds from the beginning.
    pub at: f64,
    /// Whose it is, from zero: the busiest user first.
    pub user: usize,
    /// How long each of its sub-tasks runs on the reference core, in seconds.
    pub work: Vec<f64>,
}

//! Work: from a task file to paid results.
//!
//! [`Node`] composes the ring, the market and the client of the bank, and runs both sides of a contract: as
//! a buyer it finds a seller for each sub-task, sets money aside, sends the offer, checks the report and
//! settles; as a seller it checks the papers of an offer, has it executed and reports. Like the other cores
//! it is a pure state machine: a driver feeds it [`Input`]s and carries out its [`Output`]s.

mod desk;
mod dispatch;
mod effect;
mod worker;

pub mod checkpoint;
pub mod contract;
pub mod directory;
pub mod event;
pub mod graph;
pub mod journal;
pub mod node;
pub mod plan;
pub mod policy;
pub mod task;

pub use contract::State;
pub use dispatch::ballot;
pub use dispatch::{
    Comparing, ENOUGH, Examining, Experience, Patience, SLOWEST_STAGING, SubTaskStatus, Submission, Tally,
    TaskStatus, Testing, Want, whole_commodity,
};
pub use event::{Difference, End, Event, EventKind, Purse, Replica, Sale, Vote};
pub use journal::{Kept, Note};
pub use node::{AtWork, Config, Input, Node, Output, Violation};
pub use plan::{PlanError, SubTaskPlan};
pub use worker::{Execution, Hire, Intake, Record, Snapshot, Terms};

//! Nodes, tasks and money as commands show them. Money is a decimal text in credits, durations are seconds,
//! cycles are in Gc.

use super::{AdmissionView, LayerView, RecordView, SharingView, StandingView};
use proto::rules::{PricingRule, Rules};
use serde::{Deserialize, Serialize};

/// A node as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NodeView {
    pub(crate) version: String,
    /// The public key: the account.
    pub(crate) account: String,
    pub(crate) node_id: String,
    pub(crate) address: String,
    pub(crate) slot: u16,
    pub(crate) bank: String,
    pub(crate) rules: RulesView,
    pub(crate) predecessor: Option<String>,
    pub(crate) successors: Vec<String>,
    pub(crate) fingers: usize,
    /// Members whose arcs the node has heard of.
    pub(crate) known: usize,
    pub(crate) is_member: bool,
    /// Power of one core, in Mc/s, as calibrated.
    pub(crate) per_core: u64,
    /// Cores that the policy and the load leave to sell, and what of them is free.
    pub(crate) cores: u32,
    pub(crate) free_cores: u32,
    /// The ask, in credits per Gc.
    pub(crate) ask: String,
    /// The market it is listed in, such as `compute/40`.
    pub(crate) listed: Option<String>,
    /// How the node stands with its owner.
    pub(crate) sharing: SharingView,
    /// Why nothing is for sale, if nothing is.
    pub(crate) not_selling: Option<String>,
    /// Sub-tasks of others at work here.
    pub(crate) working: usize,
    /// Listings in the markets this node owns.
    pub(crate) listings: usize,
    /// Bytes of programs, inputs and outputs that it has sent and fetched since it runs.
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_fetched: u64,
    /// What the store keeps: bytes, how many there may be, and contents that are whole.
    #[serde(default)]
    pub(crate) bytes_kept: u64,
    #[serde(default)]
    pub(crate) bytes_quota: u64,
    #[serde(default)]
    pub(crate) contents: usize,
    /// Orders the bank has not answered.
    pub(crate) unanswered_orders: usize,
    /// For how many seconds the bank has said nothing while it has orders to answer, if it is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bank_silent_for: Option<f64>,
    pub(crate) uptime: f64,
    /// Where its listing stands, as it was about a renewal ago.
    pub(crate) standing: Option<StandingView>,
    /// What it did as a seller.
    pub(crate) record: RecordView,
    /// What stands between native programs and this machine; empty where none are run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<LayerView>,
}

/// The rules of the network, as far as they make prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RulesView {
    /// The pricing rule, as `--pricing` names it.
    pub(crate) pricing: String,
    /// The posted price, in credits per Gc, if that is the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) posted: Option<String>,
    /// What a market owner gets for a settled contract, in credits.
    pub(crate) owner_fee: String,
    /// Which node owns a market, as `--placement` names it.
    pub(crate) placement: String,
    /// Who gets an account, and what it starts with.
    pub(crate) admission: AdmissionView,
    /// What a seller puts up for each contract, in percent of its price.
    pub(crate) bond_percent: u16,
    /// How long a buyer may object to a claim, in seconds.
    pub(crate) dispute: f64,
}

impl RulesView {
    /// Of `rules`.
    pub(crate) fn of(rules: &Rules) -> Self {
        let is_posted = rules.rule == PricingRule::Posted;
        Self {
            pricing: rules.rule.name().into(),
            posted: is_posted.then(|| rules.pricing.posted.to_string()),
            owner_fee: rules.owner_fee.to_string(),
            placement: rules.placement.name().into(),
            admission: AdmissionView::of(rules),
            bond_percent: rules.bond_percent,
            dispute: rules.dispute.as_secs_f64(),
        }
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskView {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) state: TaskState,
    /// RFC 3339, UTC.
    pub(crate) submitted: String,
    pub(crate) elapsed: f64,
    pub(crate) spent: String,
    pub(crate) held: String,
    pub(crate) sub_tasks: Vec<SubTaskView>,
    /// The result that the task looked for, and that made the rest of it needless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<String>,
    /// For which others each sub-task waits, by their place in the list; empty where none waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) depends_on: Vec<Vec<u32>>,
    /// What went wrong on this machine, such as an output that could not be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<String>,
}

/// A task in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskLine {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) state: TaskState,
    /// RFC 3339, UTC.
    pub(crate) submitted: String,
    pub(crate) elapsed: f64,
    pub(crate) spent: String,
    pub(crate) held: String,
    pub(crate) sub_tasks: usize,
    pub(crate) succeeded: usize,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskState {
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// The node ended before the task did.
    Interrupted,
}

impl TaskState {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A sub-task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SubTaskView {
    pub(crate) name: String,
    /// A word of the table of states, such as `running`.
    pub(crate) state: String,
    pub(crate) attempts: u32,
    /// Cycles so far, in Gc.
    pub(crate) gcycles: f64,
    pub(crate) sale: Option<SaleView>,
    pub(crate) paid: String,
    pub(crate) fee: String,
    pub(crate) elapsed: Option<f64>,
    /// Why it waits, or the verdict in words.
    pub(crate) why: String,
    /// A word for programs: `succeeded`, `exited`, `trapped`, `wall_limit`, …, `not_placed`, `not_enough_money`.
    pub(crate) reason_code: Option<String>,
    /// The exit status of a program that ended with another one than success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit_status: Option<i32>,
    /// How far it is, from 0 to 1: as its program says, or by its cycles and the work that its file states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<f64>,
    /// Seconds that it still takes, by that and by its seller's power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_left: Option<f64>,
    /// The files written, relative to the results directory.
    pub(crate) files: Vec<String>,
    /// Its replicas, if it is executed more than once or its result is put to a test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replicas: Vec<ReplicaView>,
}

/// One of the executions of a sub-task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReplicaView {
    /// From 1, in the order in which they were bought.
    pub(crate) number: u32,
    /// A word of the table of states, such as `voting`.
    pub(crate) state: String,
    pub(crate) attempts: u32,
    /// Which of the questions of the sub-task it is whose answers are known, from 1; absent for the sub-task itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) probe: Option<u32>,
    /// The word on its result: `open`, `agreed`, `other`, `failed` or `cancelled`.
    pub(crate) vote: String,
    /// Why it failed; empty if it did not.
    pub(crate) why: String,
    /// Whose result it is: the account and the address.
    pub(crate) seller: Option<String>,
    pub(crate) address: Option<String>,
    /// BLAKE3 over the names and hashes of outputs and standard output, once it is reported.
    pub(crate) result: Option<String>,
    /// Where it differs first from the accepted result, or where no quorum was found from the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) difference: Option<DifferenceView>,
    pub(crate) paid: String,
    pub(crate) fee: String,
}

/// What this node has seen of a seller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SellerView {
    pub(crate) seller: String,
    /// Results that were right, and how many of them since the last wrong one.
    pub(crate) agreed: u32,
    pub(crate) in_row: u32,
    pub(crate) wrong: u32,
    /// Attempts that came to nothing.
    pub(crate) failed: u32,
    /// Replicas that took more than twice as long as the accepted one.
    pub(crate) late: u32,
    /// RFC 3339, UTC.
    pub(crate) changed: String,
    /// What follows from it.
    pub(crate) word: String,
}

/// Where a result differs first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DifferenceView {
    pub(crate) output: String,
    /// Such as `line 3`; empty where only hashes were compared.
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// The terms of a match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SaleView {
    /// The seller's account, all of it.
    pub(crate) seller: String,
    pub(crate) address: String,
    pub(crate) market: String,
    /// Credits per Gc.
    pub(crate) ask: String,
    pub(crate) second_ask: Option<String>,
    pub(crate) asks_seen: u32,
    pub(crate) clearing: String,
}

/// A change of a sub-task or a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventView {
    /// Seconds since the submission.
    pub(crate) at: f64,
    pub(crate) sub_task: Option<String>,
    /// `matched`, `no_seller`, `staging`, `running`, `suspended`, `retrying`, `ended`, `task_ended`, or `progress` (sent
    /// about four times a second while something changes).
    pub(crate) kind: String,
    pub(crate) why: String,
    /// Sub-tasks by state, for the progress bar.
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) spent: String,
    pub(crate) held: String,
}

/// A listing in a market that this node owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListingView {
    pub(crate) market: String,
    pub(crate) seller: String,
    pub(crate) address: String,
    pub(crate) cores: u32,
    pub(crate) per_core: u64,
    pub(crate) ask: String,
    pub(crate) expires_in: f64,
}

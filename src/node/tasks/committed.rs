//! What the tasks under way have of the account's money.

use super::Tasks;
use crate::control::TaskState;
use proto::Money;
use service::{Node, State, SubTaskStatus, Tally};
use std::time::Instant;

/// A task under way.
pub(crate) struct Committed {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) started: Instant,
    pub(crate) tally: Tally,
    /// The most that it may cost, if its file says so.
    pub(crate) budget: Option<Money>,
    /// What the cycles of its sub-tasks at work come to at their prices.
    pub(crate) accrued: Money,
}

impl Tasks {
    /// The tasks under way.
    pub(crate) fn committed(&self, node: &Node) -> Vec<Committed> {
        let running = self.tasks.values().filter(|kept| kept.view.state == TaskState::Running);
        let committed = running.filter_map(|kept| {
            let live = kept.live.as_ref()?;
            let status = node.task(live.contract)?;
            let accrued = status.sub_tasks.iter().map(accrued).fold(0_u64, u64::saturating_add);
            Some(Committed {
                id: kept.view.id,
                name: kept.view.name.clone(),
                started: live.started,
                tally: status.tally,
                budget: live.budget,
                accrued: Money(accrued),
            })
        });
        committed.collect()
    }
}

/// What a sub-task at work has come to, in micro-credits.
fn accrued(sub_task: &SubTaskStatus) -> u64 {
    let is_at_work =
        matches!(sub_task.state, State::Running | State::Suspended | State::Fetching | State::Settling);
    let sale = sub_task.sale.as_ref().filter(|_| is_at_work);
    sale.map_or(0, |sale| sale.clearing.cost(sub_task.cycles).0)
}

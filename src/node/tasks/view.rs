//! Tasks in the words of the command line.

mod replicas;

use super::estimate;
use crate::control::{EventView, SaleView, SubTaskView, TaskState};
use proto::Span;
use proto::message::service::Outcome;
use service::event::Verdict;
use service::{End, EventKind, Purse, State, SubTaskStatus, Tally, TaskStatus};

pub(super) fn ended_state(status: &TaskStatus) -> TaskState {
    let has_found = status.found.is_some();
    if has_found || status.sub_tasks.iter().all(|sub_task| sub_task.state == State::Succeeded) {
        TaskState::Succeeded
    } else if status.sub_tasks.iter().any(|sub_task| sub_task.state == State::Failed) {
        TaskState::Failed
    } else {
        TaskState::Cancelled
    }
}

/// Brings a sub-task up to what the node knows.
pub(super) fn refresh(view: &mut SubTaskView, now: &SubTaskStatus) {
    view.state = now.state.name().into();
    view.attempts = now.attempts;
    view.gcycles = giga(now.cycles.0);
    view.sale = now.sale.as_ref().map(sale_view);
    view.why.clone_from(&now.why);
    view.replicas = now.replicas.iter().map(replicas::replica_view).collect();
    let estimate = estimate::of(now);
    (view.progress, view.time_left) = (estimate.progress, estimate.time_left);
    if let Some(end) = &now.end {
        show_end(view, end);
    }
}

pub(super) fn show_end(view: &mut SubTaskView, end: &End) {
    view.attempts = end.attempts;
    view.gcycles = giga(end.cycles.0);
    view.paid = end.paid.to_string();
    view.fee = end.fee.to_string();
    view.elapsed = Some(end.elapsed.as_secs_f64());
    view.why = end.verdict.to_string();
    view.reason_code = Some(reason_code(&end.verdict).into());
    view.replicas = end.replicas.iter().map(replicas::replica_view).collect();
    view.exit_status = match end.verdict {
        Verdict::Failed(Outcome::Exited(status)) => Some(status),
        _ => None,
    };
    (view.progress, view.time_left) = (None, None);
}

/// Shows the end of a sub-task of a former run.
pub(super) fn show_former(view: &mut SubTaskView, end: &End) {
    let state = match end.verdict {
        Verdict::Succeeded => State::Succeeded,
        Verdict::Cancelled => State::Cancelled,
        _ => State::Failed,
    };
    view.state = state.name().into();
    view.sale = end.sale.as_ref().map(sale_view);
    show_end(view, end);
}

pub(super) fn waiting(name: &str) -> SubTaskView {
    SubTaskView {
        name: name.into(),
        state: State::Waiting.name().into(),
        attempts: 0,
        gcycles: 0.0,
        sale: None,
        paid: "0".into(),
        fee: "0".into(),
        elapsed: None,
        why: String::new(),
        reason_code: None,
        exit_status: None,
        progress: None,
        time_left: None,
        files: Vec::new(),
        replicas: Vec::new(),
    }
}

pub(super) fn sale_view(sale: &service::Sale) -> SaleView {
    SaleView {
        seller: sale.seller.key.to_hex(),
        address: sale.seller.addr.to_string(),
        market: sale.market.to_string(),
        ask: sale.ask.to_string(),
        second_ask: sale.second_ask.map(|ask| ask.to_string()),
        asks_seen: sale.asks_seen,
        clearing: sale.clearing.to_string(),
    }
}

const fn reason_code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed(outcome) => match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Exited(_) => "exited",
            Outcome::Trapped(_) => "trapped",
            Outcome::WallLimit(_) => "wall_limit",
            Outcome::MemoryLimit(_) => "memory_limit",
            Outcome::DiskLimit(_) => "disk_limit",
            Outcome::OutputLimit(_) => "output_limit",
            Outcome::CycleLimit(_) => "cycle_limit",
            Outcome::OutputMissing(_) => "output_missing",
            Outcome::NotRunnable(_) => "not_runnable",
            Outcome::NotFetched(_) => "not_fetched",
            Outcome::Cancelled => "cancelled",
            Outcome::Abandoned(_) => "abandoned",
            Outcome::Migrated(_) => "migrated",
            Outcome::NotResumed(_) => "not_resumed",
        },
        Verdict::NotPlaced { .. } => "not_placed",
        Verdict::NotPaid(refusal) | Verdict::Declined(refusal) => refusal.code.name(),
        Verdict::Lost { .. } => "lost",
        Verdict::Cancelled => "cancelled",
        Verdict::NoQuorum { .. } => "no_quorum",
        Verdict::Rejected(_) => "rejected",
        Verdict::NotNeeded(_) => "not_needed",
        Verdict::DependencyFailed { .. } => "dependency_failed",
        Verdict::TooLate => "too_late",
    }
}

/// Writes to the node's log what becomes of the states of a sub-task.
pub(super) fn note_state(kind: &EventKind) {
    let (_, sub_task, what) = describe(kind);
    let sub_task = sub_task.unwrap_or_default();
    match kind {
        EventKind::Saved { .. } => tracing::info!("a state of sub-task {sub_task} {what}"),
        EventKind::NotSaved { .. } => tracing::warn!("sub-task {sub_task} was not saved: {what}"),
        EventKind::Resumed { .. } => tracing::info!("sub-task {sub_task} {what}"),
        _ => {}
    }
}

pub(super) fn describe(kind: &EventKind) -> (&'static str, Option<u32>, String) {
    match kind {
        EventKind::Matched { sub_task, sale } => {
            ("matched", Some(*sub_task), format!("{} at {} credits per Gc", sale.seller.key, sale.clearing))
        }
        EventKind::NoSeller { sub_task, why } => ("no_seller", Some(*sub_task), why.clone()),
        EventKind::Staging { sub_task } => ("staging", Some(*sub_task), String::new()),
        EventKind::Running { sub_task } => ("running", Some(*sub_task), String::new()),
        EventKind::Suspended { sub_task } => {
            ("suspended", Some(*sub_task), "its owner needs the machine".to_owned())
        }
        EventKind::Saved { sub_task, cycles, size, copies } => {
            let keeper = match copies {
                0 => "this node".into(),
                1 => "a storage node".into(),
                more => format!("{more} storage nodes"),
            };
            ("saved", Some(*sub_task), format!("at {cycles} ({size}) is kept by {keeper}"))
        }
        EventKind::NotSaved { sub_task, why } => ("not_saved", Some(*sub_task), why.clone()),
        EventKind::Resumed { sub_task, cycles } => {
            ("resumed", Some(*sub_task), format!("goes on from its state at {cycles}"))
        }
        EventKind::Retrying { sub_task, why } => ("retrying", Some(*sub_task), why.clone()),
        EventKind::Ended { sub_task, end } => ("ended", Some(*sub_task), end.verdict.to_string()),
        EventKind::Disputed { sub_task, deposit } => {
            let why = format!(
                "its seller claims the price of a result that was rejected: a second execution decides, {deposit} \
                 credits are put up for it"
            );
            ("disputed", Some(*sub_task), why)
        }
        EventKind::NotDisputed { sub_task, why } => {
            let why =
                format!("its seller claims the price of a result that was rejected, and is paid: {why}");
            ("not_disputed", Some(*sub_task), why)
        }
        EventKind::Judged { sub_task, how, lost } => {
            let why = format!("the claim of a seller has ended: {}; it has cost {lost} credits", how.name());
            ("judged", Some(*sub_task), why)
        }
        EventKind::Distrusted { sub_task, seller, again, kept } => {
            let why = format!(
                "{seller} has answered a question wrongly whose answer is known: {again} executions are bought \
                 elsewhere, {kept} results of it that were accepted before stay"
            );
            ("distrusted", Some(*sub_task), why)
        }
        EventKind::BudgetLow { purse, left, of } => {
            let whole = match purse {
                Purse::Budget => "its budget of",
                Purse::Account => "what was available when the task began,",
            };
            ("budget_low", None, format!("money runs low: {left} credits are left of {whole} {of}"))
        }
        EventKind::Found { sub_task, what } => ("found", Some(*sub_task), what.clone()),
        EventKind::TaskEnded => ("task_ended", None, String::new()),
    }
}

pub(super) fn news(at: f64, tally: &Tally, kind: &str, sub_task: Option<String>, why: String) -> EventView {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    EventView {
        at,
        sub_task,
        kind: kind.into(),
        why,
        done: count(tally.done),
        failed: count(tally.failed),
        running: count(tally.running),
        waiting: count(tally.waiting),
        spent: tally.spent.to_string(),
        held: tally.held.to_string(),
    }
}

/// Cycles in Gc, for display.
fn giga(cycles: u64) -> f64 {
    Span::micros(cycles / 1_000).as_secs_f64()
}

//! Exit codes: which there are, and which one a task's end has.

use crate::control::{SubTaskView, TaskState, TaskView};

/// All went well.
pub(crate) const SUCCESS: u8 = 0;
/// A sub-task failed, or something went wrong that has no code of its own.
pub(crate) const FAILED: u8 = 1;
/// The arguments are wrong, or a file is not valid.
pub(crate) const USAGE: u8 = 2;
/// No seller could be found.
pub(crate) const NOT_PLACED: u8 = 3;
/// The node, a market or the bank does not answer.
pub(crate) const UNREACHABLE: u8 = 4;
/// Too few results agree.
pub(crate) const NO_QUORUM: u8 = 5;
/// The money does not suffice.
pub(crate) const NO_MONEY: u8 = 6;
/// A policy or a permission stands against it.
pub(crate) const REFUSED: u8 = 7;
/// The user cancelled.
pub(crate) const CANCELLED: u8 = 8;
/// `--timeout` is reached.
pub(crate) const TIMEOUT: u8 = 124;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit code of a command that waited for `task`.
///
/// A sub-task that ran and failed decides before one whose results disagree, and that before one that never ran; among
/// those it is money, placement,
/// refusal, cancellation, in this order.
pub(crate) fn of_task(task: &TaskView) -> u8 {
    match task.state {
        TaskState::Running | TaskState::Succeeded if task.problems.is_empty() => SUCCESS,
        TaskState::Running | TaskState::Succeeded => FAILED,
        TaskState::Cancelled => CANCELLED,
        TaskState::Interrupted => UNREACHABLE,
        TaskState::Failed => {
            let ends: Vec<u8> = task.sub_tasks.iter().filter_map(of_sub_task).collect();
            let order = [FAILED, NO_QUORUM, NO_MONEY, NOT_PLACED, REFUSED, CANCELLED];
            order.into_iter().find(|code| ends.contains(code)).unwrap_or(FAILED)
        }
    }
}

/// The code of a sub-task that has ended without success.
fn of_sub_task(sub_task: &SubTaskView) -> Option<u8> {
    match sub_task.reason_code.as_deref() {
        // Another one decides, which did not succeed.
        Some("succeeded" | "dependency_failed") => None,
        Some(reason) => Some(of_reason(reason)),
        None => (sub_task.state == "failed").then_some(FAILED),
    }
}

/// The code of a reason: a verdict's or a refusal's word.
fn of_reason(reason: &str) -> u8 {
    use proto::RefusalCode as Code;
    match reason {
        "not_placed" => return NOT_PLACED,
        "declined" => return REFUSED,
        "no_quorum" => return NO_QUORUM,
        "not_needed" => return CANCELLED,
        "cancelled" => return CANCELLED,
        _ => {}
    }
    match Code::ALL.iter().find(|code| code.name() == reason) {
        None => FAILED,
        Some(Code::NotEnoughMoney) => NO_MONEY,
        Some(Code::SoldOut | Code::Busy) => NOT_PLACED,
        Some(Code::NotFetched) => FAILED,
        Some(_) => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn check(state: TaskState, reasons: &[&str], expected: u8) {
        let sub_tasks = reasons.iter().map(|reason| sample::ended("a", reason)).collect();
        let task = TaskView { state, sub_tasks, ..sample::task() };
        assert_eq!(of_task(&task), expected, "{state:?} {reasons:?}");
    }

    #[test]
    fn the_end_of_a_task_has_its_exit_code() {
        use TaskState::{Cancelled, Failed, Interrupted, Running, Succeeded};
        check(Succeeded, &["succeeded"], 0);
        check(Running, &["succeeded"], 0);
        check(Cancelled, &["succeeded", "cancelled"], 8);
        check(Interrupted, &["succeeded"], 4);
        check(Failed, &["succeeded", "exited"], 1);
        check(Failed, &["lost"], 1);
        check(Failed, &["not_fetched"], 1);
        check(Failed, &["not_placed", "succeeded"], 3);
        check(Failed, &["sold_out"], 3);
        check(Failed, &["not_enough_money"], 6);
        check(Failed, &["policy"], 7);
        check(Failed, &["declined"], 7);
        check(Failed, &[], 1);
    }

    #[test]
    fn a_sub_task_that_ran_decides_before_one_that_did_not() {
        check(TaskState::Failed, &["not_placed", "trapped", "not_enough_money"], 1);
        check(TaskState::Failed, &["cancelled", "policy", "not_placed", "not_enough_money"], 6);
        check(TaskState::Failed, &["cancelled", "policy", "not_placed"], 3);
        check(TaskState::Failed, &["cancelled", "policy"], 7);
    }

    #[test]
    fn an_output_that_could_not_be_written_is_a_failure() {
        let problems = vec!["cannot write out.txt: disk full".into()];
        let task = TaskView { state: TaskState::Succeeded, problems, ..sample::task() };
        assert_eq!(of_task(&task), 1);
    }
}

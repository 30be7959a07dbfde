//! `compup2p task show`: a task, or who waits for whom in it.

use super::one_task;
use crate::cli::arguments::{Global, Show};
use crate::cli::node::ANSWER;
use crate::cli::{Done, exit};
use crate::control::{Request, TaskView};
use crate::output::{GraphNode, GraphView, Printer};

pub(super) fn run(show: Show, global: &Global, printer: Printer) -> Done {
    let Show { task, graph, dot } = show;
    let task = one_task(global, &Request::Task { task: task.task }, ANSWER)?;
    match (graph, dot) {
        (false, _) => printer.task(&task)?,
        (true, false) => printer.graph(&view(&task))?,
        (true, true) => printer.dot(&view(&task))?,
    }
    Ok(exit::SUCCESS)
}

fn view(task: &TaskView) -> GraphView {
    let node = |(index, sub_task): (usize, &crate::control::SubTaskView)| GraphNode {
        name: sub_task.name.clone(),
        state: sub_task.state.clone(),
        after: task.depends_on.get(index).cloned().unwrap_or_default(),
    };
    let sub_tasks = task.sub_tasks.iter().enumerate().map(node).collect();
    GraphView { task: task.id, name: task.name.clone(), sub_tasks }
}

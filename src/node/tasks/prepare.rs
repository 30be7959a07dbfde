//! From a submission to what the node can buy: the file is parsed, its contents are brought into the store, and
//! every sub-task is planned. Large files take long, so this runs beside the node.

use super::former::Submitted;
use super::resolve::import;
use super::results::Destinations;
use crate::control::{Failure, Submit};
use crate::net::store::{Pins, Store};
use crate::node::finder::Finder;
use proto::message::service::Blob;
use proto::{ContractId, Money, Rules, Span};
use service::task::{SubTask, Task};
use service::{Patience, SubTaskPlan, Submission};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A task that is ready to be bought.
pub(crate) struct Prepared {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) names: Vec<String>,
    pub(super) destinations: Vec<Destinations>,
    /// Programs and inputs, kept in the store while the task runs.
    pub(super) pins: Pins,
    pub(super) results: PathBuf,
    pub(super) budget: Option<Money>,
    pub(super) submission: Submission,
    /// The same for the next run of the node.
    pub(super) submitted: Submitted,
}

/// Parses a task file, brings its contents into the store and plans what is to be bought.
pub(crate) async fn prepare(
    submit: Submit,
    rules: Rules,
    store: Arc<Store>,
    finder: Finder,
) -> Result<Prepared, Failure> {
    let parsed = tokio::task::spawn_blocking(move || parse(&submit).map(|task| (task, submit)));
    let (task, submit) = parsed.await.map_err(Failure::from_display("task_invalid"))??;
    let mut pins = Pins::new(&store, []);
    let blobs = import(&task.sub_tasks, &submit.base, &store, &finder, &mut pins).await?;
    let contract: ContractId = proto::CommandId(crate::node::random::bytes()?);
    plan(task, submit, &rules, contract, blobs, pins)
}

/// The task of a submission.
pub(super) fn parse(submit: &Submit) -> Result<Task, Failure> {
    let parsed = service::task::parse(&submit.text, &submit.file, &submit.set);
    parsed.map(|parsed| parsed.task).map_err(|faults| Failure::task_file(&faults))
}

/// Plans a task whose contents are in the store.
pub(super) fn plan(
    task: Task,
    submit: Submit,
    rules: &Rules,
    contract: ContractId,
    blobs: BTreeMap<String, Blob>,
    pins: Pins,
) -> Result<Prepared, Failure> {
    let submitted = Submitted::new(contract, submit.clone(), &blobs);
    let Submit { file, base, to, patience, wait_for_sellers, .. } = submit;
    let blob_of = |path: &str| blobs.get(path).copied();
    let plan = |sub_task: &SubTask| SubTaskPlan::new(sub_task, rules, &blob_of);
    let plans: Result<Vec<SubTaskPlan>, _> = task.sub_tasks.iter().map(plan).collect();
    let plans = plans.map_err(|error| Failure::plan(&file, &error))?;
    let patience = if wait_for_sellers { Patience::Endless } else { Patience::For(span(patience)) };
    Ok(Prepared {
        name: task.name.clone(),
        file,
        names: task.sub_tasks.iter().map(|sub_task| sub_task.name.clone()).collect(),
        destinations: task.sub_tasks.iter().map(Destinations::of).collect(),
        pins,
        results: to.unwrap_or(base),
        budget: task.budget,
        submission: Submission {
            task: contract,
            plans,
            patience,
            budget: task.budget,
            stop_when: task.stop_when,
        },
        submitted,
    })
}

fn span(seconds: f64) -> Span {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Span::micros(Duration::try_from_secs_f64(seconds).map_or(u64::MAX, micros))
}

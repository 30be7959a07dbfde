//! From a submission to what the node can buy: the file is parsed, its contents are brought into the store, and
//! every sub-task is planned. Large files take long, so this runs beside the node.

use super::resolve::import;
use super::results::Destinations;
use crate::control::{Failure, Submit};
use crate::net::store::{Pins, Store};
use crate::node::finder::Finder;
use proto::{ContractId, Money, Rules, Span};
use service::task::SubTask;
use service::{Patience, SubTaskPlan, Submission};
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
}

/// Parses a task file, brings its contents into the store and plans what is to be bought.
pub(crate) async fn prepare(
    submit: Submit,
    rules: Rules,
    store: Arc<Store>,
    finder: Finder,
) -> Result<Prepared, Failure> {
    let Submit { text, file, base, to, set, patience, wait_for_sellers } = submit;
    let name = file.clone();
    let parsed = tokio::task::spawn_blocking(move || service::task::parse(&text, &name, &set));
    let parsed = parsed.await.map_err(Failure::from_display("task_invalid"))?;
    let task = parsed.map_err(|faults| Failure::task_file(&faults))?.task;
    let mut pins = Pins::new(&store, []);
    let blobs = import(&task.sub_tasks, &base, &store, &finder, &mut pins).await?;
    let blob_of = |path: &str| blobs.get(path).copied();
    let plan = |sub_task: &SubTask| SubTaskPlan::new(sub_task, &rules, &blob_of);
    let plans: Result<Vec<SubTaskPlan>, _> = task.sub_tasks.iter().map(plan).collect();
    let plans = plans.map_err(|error| Failure::plan(&file, &error))?;
    let patience = if wait_for_sellers { Patience::Endless } else { Patience::For(span(patience)) };
    let contract: ContractId = proto::CommandId(crate::node::random::bytes()?);
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
    })
}

fn span(seconds: f64) -> Span {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Span::micros(Duration::try_from_secs_f64(seconds).map_or(u64::MAX, micros))
}

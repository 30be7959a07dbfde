//! From a submission to what the node can buy: the file is parsed, its contents are brought into the store, and
//! every sub-task is planned. Large files take long, so this runs beside the node.

use super::former::Submitted;
use super::resolve::import;
use super::results::Destinations;
use crate::control::{Failure, Submit};
use crate::net::store::{Pins, Store};
use crate::node::finder::Finder;
use proto::message::service::{Blob, Runtime};
use proto::{ContractId, Hash, Money, Rules, Span};
use service::task::{Given, RUNTIME_BYTES, SubTask, Task, kind_of, processor_of};
use service::{Patience, SubTaskPlan, Submission};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A task that is ready to be bought.
pub(crate) struct Prepared {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) names: Vec<String>,
    pub(super) destinations: Vec<Destinations>,
    /// For which others each sub-task waits; empty where none waits.
    pub(super) depends_on: Vec<Vec<u32>>,
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
    // A stream to which nothing was written is kept nowhere, and may be the input of another sub-task.
    pins.add(store.put_bytes(Vec::new()).await.map_err(Failure::from_display("disk"))?.hash);
    let blobs = import(&task.sub_tasks, &submit.base, &store, &finder, &mut pins).await?;
    let contract: ContractId = proto::CommandId(crate::node::random::bytes()?);
    plan(task, submit, &rules, contract, (&store, blobs, pins))
}

/// The task of a submission.
pub(super) fn parse(submit: &Submit) -> Result<Task, Failure> {
    let given = Given { set: &submit.set, lines: &submit.lines };
    let parsed = service::task::parse_with(&submit.text, &submit.file, &given);
    parsed.map(|parsed| parsed.task).map_err(|faults| Failure::task_file(&faults))
}

/// Plans a task whose contents are in the store, by the paths of their files.
pub(super) fn plan(
    mut task: Task,
    submit: Submit,
    rules: &Rules,
    contract: ContractId,
    (store, blobs, pins): (&Store, BTreeMap<String, Blob>, Pins),
) -> Result<Prepared, Failure> {
    let submitted = Submitted::new(contract, submit.clone(), &blobs);
    let Submit { file, base, to, patience, wait_for_sellers, .. } = submit;
    look_at_programs(&mut task.sub_tasks, &blobs, store)?;
    let depends_on = dependencies(&task.sub_tasks);
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
        depends_on,
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

/// Looks at the first bytes of the programs: they tell the kind where the file does not state it, and the processor that
/// a native one is for.
fn look_at_programs(
    sub_tasks: &mut [SubTask],
    blobs: &BTreeMap<String, Blob>,
    store: &Store,
) -> Result<(), Failure> {
    let mut known: BTreeMap<Hash, (Runtime, Option<&str>)> = BTreeMap::new();
    for sub_task in sub_tasks {
        // A program that is not there is found out when the sub-task is planned.
        let Some(program) = blobs.get(&sub_task.program.path) else { continue };
        let (kind, processor) = match known.get(&program.hash) {
            Some(told) => *told,
            None => {
                let beginning = beginning(store, program)?;
                (kind_of(&beginning), processor_of(&beginning))
            }
        };
        known.insert(program.hash, (kind, processor));
        let kind = *sub_task.runtime.get_or_insert(kind);
        let wanted = &mut sub_task.requirements.arch;
        if let Some(processor) = processor.filter(|_| kind == Runtime::Native && wanted.is_none()) {
            *wanted = Some(processor.into());
        }
    }
    Ok(())
}

/// The first bytes of a content.
fn beginning(store: &Store, blob: &Blob) -> Result<Vec<u8>, Failure> {
    let gone =
        || Failure::new("damaged", format!("the content {} is not in the store any more", blob.hash), 1);
    let path = store.path(&blob.hash).ok_or_else(gone)?;
    let most = u64::try_from(RUNTIME_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::with_capacity(RUNTIME_BYTES);
    let read = File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| Failure::no_file(&path, &error))?;
    Ok(bytes)
}

/// For which others each sub-task waits; empty where none waits.
fn dependencies(sub_tasks: &[SubTask]) -> Vec<Vec<u32>> {
    if sub_tasks.iter().all(|sub_task| sub_task.depends_on.is_empty()) {
        return Vec::new();
    }
    sub_tasks.iter().map(|sub_task| sub_task.depends_on.clone()).collect()
}

fn span(seconds: f64) -> Span {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Span::micros(Duration::try_from_secs_f64(seconds).map_or(u64::MAX, micros))
}

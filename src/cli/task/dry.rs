//! `compup2p task submit --dry-run`: what would be bought, without a node.

use super::file::{TaskText, named_files};
use crate::cli::arguments::TaskFile;
use crate::cli::{Done, exit};
use crate::output::{DryClass, DryRun, DrySubTask, Printer};
use proto::Span;
use service::graph::Graph;
use service::task::{SubTask, Task};
use std::collections::BTreeMap;
use std::path::Path;

/// What a sub-task that does not state its work is taken to compute: as in the usual rules of a network.
const NOMINAL: Span = Span::secs(60);

pub(super) fn run(file: &TaskFile, printer: Printer) -> Done {
    let (text, validated) = TaskText::read(file)?;
    for warning in &validated.warnings {
        printer.warning(&warning.to_string());
    }
    printer.dry_run(&view(&text.task, &text.file, &text.base))?;
    Ok(exit::SUCCESS)
}

fn view(task: &Task, file: &str, base: &Path) -> DryRun {
    let files = named_files(task);
    let size = |path: &&str| std::fs::metadata(base.join(path)).map_or(0, |metadata| metadata.len());
    let replicas = task.sub_tasks.iter().map(|sub_task| u64::from(sub_task.redundancy.replicas));
    let executions = replicas.chain(task.probes().into_iter().map(u64::from)).sum();
    let (longest, longest_seconds) = longest(task);
    DryRun {
        file: file.into(),
        name: task.name.clone(),
        sub_tasks: task.sub_tasks.len(),
        executions,
        price: task.most().to_string(),
        budget: task.budget.map(|budget| budget.to_string()),
        files: files.len(),
        bytes: files.iter().map(size).sum(),
        classes: classes(task),
        longest,
        longest_seconds,
        list: task.sub_tasks.iter().map(|sub_task| listed(sub_task, task)).collect(),
    }
}

/// The sub-tasks by what they need, in the order of the file.
fn classes(task: &Task) -> Vec<DryClass> {
    let mut places = BTreeMap::new();
    let mut classes: Vec<DryClass> = Vec::new();
    for sub_task in &task.sub_tasks {
        let class = class(sub_task);
        let key = (
            (class.power, class.cores, class.memory, class.disk, class.platform.clone()),
            (sub_task.limits.wall_time, class.replicas, sub_task.price),
        );
        match places.get(&key).and_then(|place: &usize| classes.get_mut(*place)) {
            Some(known) => known.sub_tasks += 1,
            None => {
                places.insert(key, classes.len());
                classes.push(class);
            }
        }
    }
    classes
}

fn class(sub_task: &SubTask) -> DryClass {
    let (asked, limits) = (&sub_task.requirements, &sub_task.limits);
    let least =
        |asked: Option<proto::Bytes>, limit: proto::Bytes| asked.map_or(limit, |asked| asked.max(limit)).0;
    let platform = [&asked.os, &asked.arch].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    DryClass {
        first: sub_task.name.clone(),
        sub_tasks: 1,
        power: sub_task.power.0,
        cores: asked.min_cores.unwrap_or(1),
        memory: least(asked.min_memory, limits.memory),
        disk: least(asked.min_disk, limits.disk),
        platform: platform.join(" "),
        wall: limits.wall_time.as_secs_f64(),
        replicas: sub_task.redundancy.replicas,
        price: sub_task.price.to_string(),
    }
}

fn listed(sub_task: &SubTask, task: &Task) -> DrySubTask {
    let name =
        |index: &u32| task.sub_tasks.get(usize::try_from(*index).ok()?).map(|other| other.name.clone());
    let streams = sub_task.stdout.iter().chain(&sub_task.stderr);
    let outputs = sub_task.outputs.iter().map(|output| &output.destination).chain(streams);
    let inputs = sub_task.inputs.iter().map(|input| &input.path).chain(&sub_task.stdin);
    DrySubTask {
        name: sub_task.name.clone(),
        program: sub_task.program.path.clone(),
        arguments: sub_task.arguments.clone(),
        power: sub_task.power.0,
        work: sub_task.work.map(|work| Span::micros(work.0 / 1_000).as_secs_f64()),
        price: sub_task.price.to_string(),
        inputs: inputs.cloned().collect(),
        outputs: outputs.cloned().collect(),
        after: sub_task.depends_on.iter().filter_map(name).collect(),
    }
}

/// The longest way through the task at the power asked for, in seconds; nothing where nobody waits.
fn longest(task: &Task) -> (Vec<String>, Option<f64>) {
    let before = task.sub_tasks.iter().map(|sub_task| sub_task.depends_on.clone()).collect();
    let graph = Graph::new(before).unwrap_or_default();
    if graph.is_flat() {
        return (Vec::new(), None);
    }
    let cost = |sub_task: &SubTask| {
        let work = sub_task.work.unwrap_or_else(|| sub_task.power.during(NOMINAL));
        work.0.checked_div(sub_task.power.0).unwrap_or(0)
    };
    let costs: Vec<u64> = task.sub_tasks.iter().map(cost).collect();
    let way = graph.longest_way(&costs);
    let on_way = |index: &u32| usize::try_from(*index).ok().and_then(|index| task.sub_tasks.get(index));
    let names = way.iter().filter_map(on_way).map(|sub_task| sub_task.name.clone()).collect();
    let total = way.iter().filter_map(|index| costs.get(usize::try_from(*index).ok()?)).sum();
    (names, Some(Span::micros(total).as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "<TaskFile><Name>n</Name><SubTask name='a'><CpuCycles>1000</CpuCycles><Work>2</Work>\
        <Price>2</Price><File>a.wasm</File><OutputFiles><OutputFile as='${i}'>o</OutputFile></OutputFiles>\
        <Redundancy><Replicas>2</Replicas></Redundancy><Sweep><Var name='i' from='1' to='3'/></Sweep></SubTask>\
        <SubTask name='b'><CpuCycles>500</CpuCycles><Work>3</Work><Price>1</Price><File>a.wasm</File>\
        <InputFiles><InputFile from='a'>*</InputFile></InputFiles><Requirements><OS>linux</OS></Requirements>\
        </SubTask></TaskFile>";

    #[test]
    fn what_would_be_bought_is_counted() {
        let parsed = service::task::parse(TASK, "t.xml", &BTreeMap::new()).unwrap();
        let run = view(&parsed.task, "t.xml", Path::new("/nowhere"));
        assert_eq!((run.sub_tasks, run.executions, run.price.as_str(), run.files), (4, 7, "7", 1));
        let classes: Vec<_> = run
            .classes
            .iter()
            .map(|class| (class.first.as_str(), class.sub_tasks, class.power, class.platform.as_str()))
            .collect();
        assert_eq!(classes, [("a[1]", 3, 1_000, ""), ("b", 1, 500, "linux")]);
        assert_eq!((run.longest, run.longest_seconds), (vec!["a[1]".to_owned(), "b".to_owned()], Some(8.0)));
        assert_eq!(run.list[3].after, ["a[1]", "a[2]", "a[3]"]);
        assert_eq!((run.list[1].outputs.as_slice(), run.list[1].work), (&["2".to_owned()][..], Some(2.0)));
    }
}

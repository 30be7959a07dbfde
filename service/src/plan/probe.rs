//! Known-answer probes: the program of a sub-task with other arguments and inputs, whose right outputs its user knows
//! (paper §III-D: results are verified by known characteristics).

use super::{PlanError, check_job};
use crate::task::{Feed, LocalFile, Probe, Slot, SubTask};
use proto::message::service::{Blob, Job, NamedBlob};

/// The name under which a probe expects the standard output, where no output is called so.
pub(crate) const STDOUT: &str = "stdout";

/// A question whose answer is known, ready to be bought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbePlan {
    /// The arguments of the program.
    pub arguments: Vec<String>,
    /// All its input files.
    pub inputs: Vec<NamedBlob>,
    /// What the outputs of these names have to be; `stdout`, where no output is called so, is the standard output.
    pub expected: Vec<NamedBlob>,
}

impl ProbePlan {
    /// The job of a sub-task, with this question instead of its own. Everything that a seller sees but arguments and
    /// contents is the sub-task's.
    #[must_use]
    pub fn job(&self, of: &Job) -> Job {
        Job { arguments: self.arguments.clone(), inputs: self.inputs.clone(), resume: None, ..of.clone() }
    }
}

/// The probes of a sub-task that is done as `job` says; `find` tells the content of a path.
///
/// # Errors
/// A missing file, an expected output that the sub-task does not have, an input that only another sub-task makes, or a
/// job that no seller could take.
pub(super) fn plans(
    sub_task: &SubTask,
    job: &Job,
    find: &dyn Fn(&str) -> Result<Blob, PlanError>,
) -> Result<Vec<ProbePlan>, PlanError> {
    let named = |file: &LocalFile| Ok(NamedBlob { name: file.name.clone(), blob: find(&file.path)? });
    let plan = |(number, probe): (u32, &Probe)| {
        let own = probe.inputs.iter().map(named).collect::<Result<Vec<_>, PlanError>>()?;
        let is_replaced = |name: &String| own.iter().any(|input| input.name == *name);
        let rest = job.inputs.iter().filter(|input| !is_replaced(&input.name)).cloned();
        let sub_task_name = || sub_task.name.clone();
        let is_missing = |feed: &&Feed| !matches!(&feed.slot, Slot::Input(name) if is_replaced(name));
        if let Some(feed) = sub_task.feeds.iter().find(is_missing) {
            let input = match &feed.slot {
                Slot::Input(name) => format!("input `{name}`"),
                Slot::StdIn => "standard input".into(),
            };
            return Err(PlanError::ProbeInput { sub_task: sub_task_name(), number, input });
        }
        let expected = probe.expected.iter().map(named).collect::<Result<Vec<_>, PlanError>>()?;
        let is_made = |name: &str| name == STDOUT || job.outputs.iter().any(|output| output == name);
        if let Some(other) = expected.iter().find(|file| !is_made(&file.name)) {
            let output = other.name.clone();
            return Err(PlanError::ProbeOutput { sub_task: sub_task_name(), number, output });
        }
        let arguments = probe.arguments.clone().unwrap_or_else(|| job.arguments.clone());
        let inputs = rest.chain(own.iter().cloned()).collect();
        let plan = ProbePlan { arguments, inputs, expected };
        check_job(&sub_task.name, &plan.job(job))?;
        Ok(plan)
    };
    (1..).zip(&sub_task.redundancy.probes).map(plan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::SubTaskPlan;
    use crate::task::parse;
    use proto::{Bytes, Hash, Money, Rules};
    use std::collections::BTreeMap;

    /// A task whose last sub-task has this in its `Probe` elements and this beside them.
    fn task(probes: &str, beside: &str) -> crate::task::Task {
        // Each point of a sweep leaves its result in a place of its own.
        let place = if beside.contains("Sweep") { " as='r-${i}'" } else { "" };
        let text = format!(
            "<TaskFile><SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>f</File><OutputFiles>\
             <OutputFile>made</OutputFile></OutputFiles></SubTask><SubTask name='b'><CpuCycles>1</CpuCycles>\
             <Price>2</Price><File>f</File><InputParameters><Param>own</Param></InputParameters><OutputFiles>\
             <OutputFile{place}>o</OutputFile></OutputFiles>{beside}<Redundancy><Probes>{probes}</Probes></Redundancy>\
             </SubTask></TaskFile>"
        );
        parse(&text, "t.xml", &BTreeMap::new()).unwrap_or_else(|error| panic!("{error:?}")).task
    }

    /// The content of a path.
    fn blob(path: &str) -> Blob {
        Blob { hash: Hash::of(path.as_bytes()), size: Bytes(1) }
    }

    fn check(probes: &str, beside: &str, expected: Result<Vec<ProbePlan>, &str>) {
        let task = task(probes, beside);
        let plan = SubTaskPlan::new(task.sub_tasks.last().unwrap(), &Rules::LOCAL, &|path| Some(blob(path)));
        let found = plan.map(|plan| plan.probes).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{probes} {beside}");
    }

    const KNOWN: &str = "<ExpectedFiles><ExpectedFile as='o'>k</ExpectedFile></ExpectedFiles>";

    fn files(files: &[(&str, &str)]) -> Vec<NamedBlob> {
        files.iter().map(|(name, path)| NamedBlob { name: (*name).into(), blob: blob(path) }).collect()
    }

    #[test]
    fn a_probe_is_the_sub_task_with_other_arguments_and_inputs() {
        let inputs = "<InputFiles><InputFile>x</InputFile><InputFile>y</InputFile></InputFiles>";
        let own = format!("<Probe>{KNOWN}</Probe>");
        let plan = |arguments: &[&str], inputs: &[(&str, &str)], expected: &[(&str, &str)]| ProbePlan {
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            inputs: files(inputs),
            expected: files(expected),
        };
        check(&own, inputs, Ok(vec![plan(&["own"], &[("x", "x"), ("y", "y")], &[("o", "k")])]));
        let other = "<Probe><InputParameters><Param>other</Param></InputParameters><InputFiles>\
                     <InputFile as='x'>z</InputFile></InputFiles><ExpectedFiles>\
                     <ExpectedFile as='stdout'>k</ExpectedFile></ExpectedFiles></Probe>";
        let expected = plan(&["other"], &[("y", "y"), ("x", "z")], &[("stdout", "k")]);
        check(other, inputs, Ok(vec![expected]));
    }

    #[test]
    fn a_probe_that_cannot_be_asked_is_refused_in_words() {
        let known = format!("<Probe>{KNOWN}</Probe>");
        check(
            "<Probe><ExpectedFiles><ExpectedFile>k</ExpectedFile></ExpectedFiles></Probe>",
            "",
            Err(
                "probe 1 of sub-task `b` expects `k`, which is not an output of it: name one of its outputs by `as`, \
                 or `stdout`",
            ),
        );
        check(
            &known,
            "<InputFiles><InputFile from='a'>made</InputFile></InputFiles>",
            Err(
                "probe 1 of sub-task `b` lacks its input `made`, which another sub-task makes: a probe brings all its \
                 inputs along, as `InputFile` with the same names",
            ),
        );
        let brought =
            format!("<Probe><InputFiles><InputFile as='made'>m</InputFile></InputFiles>{KNOWN}</Probe>");
        let plan = ProbePlan {
            arguments: vec!["own".into()],
            inputs: files(&[("made", "m")]),
            expected: files(&[("o", "k")]),
        };
        check(&brought, "<InputFiles><InputFile from='a'>made</InputFile></InputFiles>", Ok(vec![plan]));
    }

    #[test]
    fn probes_that_sub_tasks_share_are_counted_once() {
        let sweep = "<Sweep><Var name='i' from='1' to='3'/></Sweep>";
        let count = |probe: &str| {
            let task = task(probe, sweep);
            (task.probes(), task.most())
        };
        let own = format!("<Probe><InputParameters><Param>1</Param></InputParameters>{KNOWN}</Probe>");
        assert_eq!(count(&own), (vec![0, 1, 0, 0], Money::credits(10)));
        assert_eq!(count(&own.repeat(2)), (vec![0, 2, 0, 0], Money::credits(12)));
        let each = format!("<Probe><InputParameters><Param>${{i}}</Param></InputParameters>{KNOWN}</Probe>");
        assert_eq!(count(&each), (vec![0, 1, 1, 1], Money::credits(14)));
    }
}

//! Checkpoints, redundancy, deadlines, retries, conditions to stop, and lines of files.

use super::{check_faults, parsed, set, with};
use crate::task::{
    CheckpointSpec, Comparison, Deadline, Decimal, Given, LocalFile, Probe, Redundancy, Replication, Search,
    StopCondition, StopPlace, StopWhen, SubTask, Verifier, line_files, parse_with,
};
use proto::message::service::{CheckpointMethod, Runtime};
use proto::{Bytes, Span};
use std::collections::BTreeMap;

fn one(more: &str) -> SubTask {
    let (mut task, warnings) = parsed(&with(more), &set(&[]));
    assert_eq!(warnings, Vec::<String>::new());
    task.sub_tasks.remove(0)
}

fn named(path: &str) -> LocalFile {
    LocalFile { path: path.into(), name: path.into(), sha256: None, search: Search::Network }
}

fn decimal(digits: i128, scale: u32) -> Decimal {
    Decimal { digits, scale }
}

#[test]
fn checkpoints_are_by_the_executor_or_by_the_program() {
    let spec = |method, interval, size, copies| Some(CheckpointSpec { method, interval, size, copies });
    let own = |exit_code| CheckpointMethod::BySelf { exit_code, files: vec!["ck".into(), "d/e".into()] };
    let files = "<Files><CheckPointFile>ck</CheckPointFile><CheckPointFile>d/e</CheckPointFile></Files>";
    let transparent = CheckpointMethod::Transparent;
    let minute = Some(Span::secs(60));
    for (more, expected) in [
        (String::new(), None),
        ("<CheckPointDataSize>0</CheckPointDataSize>".into(), None),
        (
            "<CheckPointDataSize>9k</CheckPointDataSize>".into(),
            spec(transparent.clone(), None, Bytes(9_000), 1),
        ),
        (
            "<Checkpoint><Interval>1m</Interval></Checkpoint><Limits><Memory>7</Memory></Limits>".into(),
            spec(transparent, minute, Bytes(7), 1),
        ),
        (
            format!("<Checkpoint>{files}<Copies>2</Copies></Checkpoint><Limits><Disk>8</Disk></Limits>"),
            spec(own(85), None, Bytes(8), 2),
        ),
        (
            format!(
                "<CheckPointDataSize>1</CheckPointDataSize><Checkpoint><ExitCode>7</ExitCode>{files}</Checkpoint>"
            ),
            spec(own(7), None, Bytes(1), 1),
        ),
    ] {
        assert_eq!(one(&more).checkpoint, expected, "{more}");
    }
}

#[test]
fn redundancy_has_a_majority_unless_stated() {
    let usual = Redundancy::default();
    let of = |replicas, quorum, max_replicas| Redundancy { replicas, quorum, max_replicas, ..usual.clone() };
    for (more, expected) in [
        ("", usual.clone()),
        ("<Redundancy/>", usual.clone()),
        ("<Redundancy><Replicas>3</Replicas></Redundancy>", of(3, 2, 3)),
        ("<Redundancy><Replicas>2</Replicas></Redundancy>", of(2, 2, 2)),
        ("<Redundancy><Quorum>2</Quorum><MaxReplicas>5</MaxReplicas></Redundancy>", of(2, 2, 5)),
        (
            "<Redundancy adaptive='true'><Compare method='numeric' abs='0.5' rel='1e-6'/></Redundancy>",
            Redundancy {
                replication: Replication::Adaptive,
                compare: Comparison::Numeric { abs: decimal(5, 1), rel: decimal(1, 6) },
                ..usual.clone()
            },
        ),
        (
            "<Redundancy><Compare method='image' abs='2' rel='0.01'/></Redundancy>",
            Redundancy { compare: Comparison::Image { channel: 2, pixels: decimal(1, 2) }, ..usual.clone() },
        ),
        (
            "<Redundancy><Compare method='command'>cmp.wasm</Compare><Verify>ok.wasm</Verify></Redundancy>",
            Redundancy {
                compare: Comparison::Command(named("cmp.wasm")),
                verify: Some(Verifier { program: named("ok.wasm") }),
                ..usual.clone()
            },
        ),
        (
            "<Redundancy><Compare method='text'/><Probes><Probe><InputParameters><Param>1</Param></InputParameters>\
             <InputFiles><InputFile>i</InputFile></InputFiles>\
             <ExpectedFiles><ExpectedFile>e</ExpectedFile></ExpectedFiles></Probe></Probes></Redundancy>",
            Redundancy {
                compare: Comparison::Text,
                probes: vec![Probe {
                    arguments: Some(vec!["1".into()]),
                    inputs: vec![named("i")],
                    expected: vec![named("e")],
                }],
                ..usual.clone()
            },
        ),
    ] {
        assert_eq!(one(more).redundancy, expected, "{more}");
    }
}

#[test]
fn the_rest_is_read_as_it_stands() {
    let found = one(
        "<Retry max='1' successExitCode='3' backoff='10s'/><Deadline>2h</Deadline><Runtime>native</Runtime>\
         <Progress>p/now</Progress><Limits><CpuTime>90</CpuTime><Processes>5</Processes></Limits>",
    );
    assert_eq!((found.retries, found.success, found.backoff), (1, 3, Span::secs(10)));
    assert_eq!(found.deadline, Some(Deadline::In(Span::secs(7_200))));
    assert_eq!((found.runtime, found.progress.as_deref()), (Some(Runtime::Native), Some("p/now")));
    assert_eq!((found.limits.cpu_time, found.limits.processes), (Some(Span::secs(90)), 5));
    let at = one("<Deadline> 2027-01-31T18:00:00Z </Deadline>").deadline;
    assert_eq!(at, Some(Deadline::At(1_801_418_400)));
    let digest = "0f".repeat(32);
    let more = format!("<InputFiles><InputFile sha256='{digest}' search='false'>b</InputFile></InputFiles>");
    let expected = LocalFile { sha256: Some([0x0f; 32]), search: Search::Here, ..named("b") };
    assert_eq!(one(&more).inputs, [expected]);
}

#[test]
fn a_task_stops_when_a_result_says_so() {
    let body = "<SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>f</File>\
                <OutputFiles><OutputFile>o</OutputFile></OutputFiles></SubTask>";
    let check = |attributes: &str, sub_tasks: Option<Vec<u32>>, condition| {
        let (task, _) = parsed(&format!("<TaskFile><StopWhen {attributes}/>{body}</TaskFile>"), &set(&[]));
        assert_eq!(task.stop_when, Some(StopWhen { sub_tasks, condition }), "{attributes}");
    };
    let place = || StopPlace::Output("o".into());
    check("of='a' exitCode='3'", Some(vec![0]), StopCondition::Exit(3));
    let yes = StopCondition::Contains { place: StopPlace::StdOut, text: "yes".into() };
    check("contains='yes'", None, yes);
    check("output='o' below='-0.5'", None, StopCondition::Below { place: place(), bound: decimal(-5, 1) });
    check("output='o' above='7'", None, StopCondition::Above { place: place(), bound: decimal(7, 0) });
    check_faults(|text| format!("<TaskFile>\n{text}{body}</TaskFile>"), BAD_STOPS);
}

const BAD_STOPS: &str = r#"
> <StopWhen/>
t.xml:2:1: `StopWhen` needs one of `contains`, `below`, `above` and `exitCode`, and has 0
> <StopWhen contains='a' below='1'/>
t.xml:2:1: `StopWhen` needs one of `contains`, `below`, `above` and `exitCode`, and has 2
> <StopWhen output='o' exitCode='1'/>
t.xml:2:11: `StopWhen` with `exitCode` looks at no `output`
> <StopWhen exitCode='256'/>
t.xml:2:21: `256` is not a value for `exitCode`: expected an exit status from 0 to 255
> <StopWhen of='b' exitCode='1'/>
t.xml:2:15: there is no sub-task `b`
> <StopWhen output='p' contains='x'/>
t.xml:2:11: no sub-task that `StopWhen` looks at has the output `p`
> <StopWhen contains=''/>
t.xml:2:21: the empty text is not a value for `contains`: expected a text to look for
> <StopWhen contains='a'/><StopWhen contains='b'/>
t.xml:2:25: `TaskFile` already has a `StopWhen`: one is allowed
"#;

#[test]
fn what_contradicts_itself_is_said() {
    check_faults(with, BAD);
}

const BAD: &str = r#"
> <Redundancy><Replicas>2</Replicas><Quorum>3</Quorum></Redundancy>
t.xml:2:43: a `Quorum` of 3 cannot be reached by 2 `Replicas`
> <Redundancy><Replicas>3</Replicas><MaxReplicas>2</MaxReplicas></Redundancy>
t.xml:2:48: `MaxReplicas` of 2 is less than 3 `Replicas`
> <Redundancy><Replicas>0</Replicas><Quorum>33</Quorum></Redundancy>
t.xml:2:23: `0` is not a value for `Replicas`: expected a whole number from 1 to 32
t.xml:2:43: `33` is not a value for `Quorum`: expected a whole number from 1 to 32
> <Redundancy><Compare method='fuzzy'/></Redundancy>
t.xml:2:30: `fuzzy` is not a value for `method`: expected `exact`, `text`, `numeric`, `image` or `command`
> <Redundancy><Compare method='exact' abs='1'/></Redundancy>
t.xml:2:37: `abs` means nothing for the method `exact`: it belongs to `numeric` and `image`
> <Redundancy><Compare method='command'/></Redundancy>
t.xml:2:13: `Compare` of the method `command` needs a program, as its text
> <Redundancy><Compare method='text'>c.wasm</Compare></Redundancy>
t.xml:2:36: `Compare` names a program, which only the method `command` has
> <Redundancy><Compare method='numeric' abs='-1' rel='x'/></Redundancy>
t.xml:2:44: `-1` is not a value for `abs`: expected a number of 0 or more, such as 0.001 or 1e-6
t.xml:2:53: `x` is not a value for `rel`: expected a number of 0 or more, such as 0.001 or 1e-6
> <Redundancy><Compare method='image' abs='256' rel='1.1'/></Redundancy>
t.xml:2:42: `256` is not a value for `abs`: expected a whole number from 0 to 255: by how much a colour may differ
t.xml:2:52: `1.1` is not a value for `rel`: expected a share from 0 to 1: how many of the pixels may differ by more
> <Redundancy adaptive='yes'><Verify>a/</Verify></Redundancy>
t.xml:2:23: `yes` is not a value for `adaptive`: expected `true` or `false`
t.xml:2:36: `a/` is not a path for `Verify`: it names a folder; expected a file
> <Redundancy><Probes><Probe><InputFiles><InputFile from='x'>a</InputFile></InputFiles></Probe></Probes></Redundancy>
t.xml:2:21: `Probe` has no `ExpectedFiles`: it needs one
t.xml:2:51: the input of a probe cannot come from another sub-task
> <CheckPointDataSize>0</CheckPointDataSize><Checkpoint/>
t.xml:2:43: there is a `Checkpoint`, but `CheckPointDataSize` is 0: say how large one may become, or leave it out
> <Checkpoint><ExitCode>85</ExitCode></Checkpoint>
t.xml:2:1: a program that ends with `ExitCode` to save itself needs the `Files` that it has written
> <Checkpoint><ExitCode>0</ExitCode><Files><CheckPointFile>a</CheckPointFile></Files></Checkpoint>
t.xml:2:1: the `ExitCode` of a checkpoint is 0, which means success: it needs one of its own, such as 85
> <Runtime>native</Runtime><CheckPointDataSize>1k</CheckPointDataSize>
t.xml:2:46: a native program saves itself: give the `ExitCode` and the `Files` of its `Checkpoint`
> <Runtime>jvm</Runtime><Deadline>soon</Deadline>
t.xml:2:10: `jvm` is not a value for `Runtime`: expected `wasm`, `native` or `container`
t.xml:2:33: `soon` is not a value for `Deadline`: expected a duration after the submission, such as 2h 30m, or a moment, such as 2027-01-31T18:00:00Z
> <Checkpoint><Copies>17</Copies><Files/></Checkpoint>
t.xml:2:21: `17` is not a value for `Copies`: expected a number of storage nodes from 1 to 16
t.xml:2:32: `Files` has no `CheckPointFile`: it needs one
"#;

#[test]
fn sweeps_go_over_the_lines_of_files() {
    let more = "<InputParameters><Param>${w}${i}</Param></InputParameters>\n<Sweep>\
                <Var name='w' each-line=' ${dir}/words.txt '/><Var name='i' from='1' to='2'/></Sweep>";
    let set = set(&[("dir", "lists")]);
    let text = with(more);
    let needed = line_files(&text, &set);
    assert_eq!(needed, [("lists/words.txt".to_owned(), text.find("' ${dir}").unwrap() + 1)]);
    let parse = |content: Option<&str>| {
        let lines: BTreeMap<_, _> =
            content.into_iter().map(|text| ("lists/words.txt".to_owned(), text.to_owned())).collect();
        let parsed = parse_with(&text, "t.xml", &Given { set: &set, lines: &lines });
        let arguments = |sub_task: &SubTask| sub_task.arguments.join(" ");
        parsed
            .map(|parsed| parsed.task.sub_tasks.iter().map(arguments).collect::<Vec<_>>())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let expected = ["one1", "one2", " two 1", " two 2"].map(str::to_owned).to_vec();
    assert_eq!(parse(Some("one\r\n\n two \n")), Ok(expected));
    let fault = |text: &str| Err(format!("t.xml:3:33: {text}"));
    assert_eq!(parse(None), fault("the lines of `lists/words.txt` are not known here"));
    assert_eq!(parse(Some("\n")), fault("`lists/words.txt` has no lines: the sweep would make no sub-task"));
    let long = format!("a\n{}", "b".repeat(4_097));
    assert_eq!(
        parse(Some(&long)),
        fault("line 2 of `lists/words.txt` has 4097 bytes: at most 4096 are allowed")
    );
}

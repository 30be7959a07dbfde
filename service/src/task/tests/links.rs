//! Dependencies: what waits for what, and what flows; and what cannot be.

use super::{check_faults, parsed, set};
use crate::task::{Feed, Produced, Slot, SubTask, Task, parse};
use std::collections::BTreeMap;

/// A file of sub-tasks, given by what stands in each of them beside what it needs.
fn file(sub_tasks: &[(&str, &str)]) -> String {
    let body = |(name, more): &(&str, &str)| {
        format!(
            "<SubTask name='{name}'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File>{more}</SubTask>\n"
        )
    };
    format!("<TaskFile>\n{}</TaskFile>", sub_tasks.iter().map(body).collect::<String>())
}

fn out(destination: &str) -> String {
    format!("<OutputFiles><OutputFile as='{destination}'>out</OutputFile></OutputFiles>")
}

/// `name: whom it waits for; what flows; local inputs` of every sub-task.
fn shown(task: &Task) -> Vec<String> {
    let name = |index: &u32| task.sub_tasks[*index as usize].name.as_str();
    let feed = |feed: &Feed| {
        let what = match &feed.what {
            Produced::Output(name) => name.as_str(),
            Produced::StdOut => "(stdout)",
            Produced::StdErr => "(stderr)",
        };
        let slot = match &feed.slot {
            Slot::Input(name) => name.as_str(),
            Slot::StdIn => "(stdin)",
        };
        format!("{}:{what}>{slot}", name(&feed.from))
    };
    let one = |sub_task: &SubTask| {
        let waits: Vec<_> = sub_task.depends_on.iter().map(name).collect();
        let feeds: Vec<_> = sub_task.feeds.iter().map(feed).collect();
        let inputs: Vec<_> = sub_task.inputs.iter().map(|input| input.path.as_str()).collect();
        let stdin = sub_task.stdin.as_deref().unwrap_or("");
        let parts = [waits.join(" "), feeds.join(" "), inputs.join(" "), stdin.to_owned()];
        format!("{}: {}", sub_task.name, parts.join("; ")).trim_end_matches([' ', ';', ':']).to_owned()
    };
    task.sub_tasks.iter().map(one).collect()
}

fn check(sub_tasks: &[(&str, &str)], expected: &[&str], warnings: &[&str]) {
    let (task, found) = parsed(&file(sub_tasks), &set(&[]));
    assert_eq!(shown(&task), expected);
    assert_eq!(found, warnings);
}

#[test]
fn names_mean_whole_sweeps_or_single_points() {
    let sweep =
        "<Sweep><Var name='i' from='1' to='3'/></Sweep><Environment><Var name='I'>${i}</Var></Environment>";
    let point = format!("{sweep}<DependsOn>a[${{i}}]</DependsOn>");
    check(
        &[("b", &point), ("a", sweep), ("c", "<DependsOn>a b[2] a</DependsOn>")],
        &["b[1]: a[1]", "b[2]: a[2]", "b[3]: a[3]", "a[1]", "a[2]", "a[3]", "c: b[2] a[1] a[2] a[3]"],
        &[],
    );
}

#[test]
fn what_one_writes_and_another_reads_makes_them_wait() {
    let reads = "<InputFiles><InputFile>data/x.txt</InputFile><InputFile as='y'>./o//b.log</InputFile>\
                 <InputFile>own.txt</InputFile></InputFiles><StdIn>e.log</StdIn>";
    check(
        &[
            ("reader", reads),
            ("writer", &format!("{}<StdOut>o/b.log</StdOut><StdErr>e.log</StdErr>", out("data/x.txt"))),
        ],
        &["reader: writer; writer:out>x.txt writer:(stdout)>y writer:(stderr)>(stdin); own.txt", "writer"],
        &[],
    );
    // Who reads and writes one file means its own.
    let both = "<InputFiles><InputFile>s.txt</InputFile></InputFiles>\
                <OutputFiles><OutputFile>s.txt</OutputFile></OutputFiles>";
    check(&[("a", both)], &["a: ; ; s.txt"], &[]);
}

#[test]
fn results_are_taken_from_the_sub_task_that_is_named() {
    let sweep = "<OutputFiles><OutputFile as='f/${i}'>o</OutputFile></OutputFiles>\
                 <Sweep><Var name='i' from='1' to='2'/></Sweep>";
    check(
        &[
            ("s", sweep),
            (
                "all",
                "<InputFiles><InputFile from='s'>*</InputFile><InputFile from='s' as='d/'>*</InputFile></InputFiles>",
            ),
            (
                "one",
                "<InputFiles><InputFile from='s'>f/2</InputFile></InputFiles><StdIn from='s[1]'>o</StdIn>",
            ),
        ],
        &[
            "s[1]",
            "s[2]",
            "all: s[1] s[2]; s[1]:o>f/1 s[2]:o>f/2 s[1]:o>d/f/1 s[2]:o>d/f/2",
            "one: s[1] s[2]; s[2]:o>2 s[1]:o>(stdin)",
        ],
        &[],
    );
}

#[test]
fn a_file_that_another_sub_task_makes_elsewhere_is_warned_of() {
    check(
        &[("a", &out("r/out")), ("b", "<InputFiles><InputFile>out</InputFile></InputFiles>")],
        &["a", "b: ; ; out"],
        &[
            "t.xml:3:1: `out` is read from your machine, although sub-task `a` makes a file of that name and leaves it at \
           `r/out`: name that place to get it, or `from` which sub-task it comes",
        ],
    );
}

#[test]
fn what_cannot_be_waited_for_is_said() {
    check_faults(
        str::to_owned,
        &BAD.replace("[need]", "<CpuCycles>1</CpuCycles><Price>2</Price><File>a</File>"),
    );
}

const BAD: &str = r#"
> <TaskFile>\n<SubTask name='frame'>[need]</SubTask><SubTask>[need]<DependsOn> farme </DependsOn></SubTask></TaskFile>
t.xml:2:162: there is no sub-task `farme`; did you mean `frame`?
> <TaskFile>\n<SubTask name='a'>[need]</SubTask><SubTask>[need]<DependsOn>a[1]</DependsOn></SubTask></TaskFile>
t.xml:2:157: the sub-task `a` has 0 points: `a[1]` is none of them
> <TaskFile>\n<SubTask name='a'>[need]<DependsOn/></SubTask></TaskFile>
t.xml:2:73: the empty text is not a value for `DependsOn`: expected names of sub-tasks with spaces between them, such as `frame` or `frame[3]`
> <TaskFile>\n<SubTask name='a'>[need]<DependsOn>a</DependsOn></SubTask></TaskFile>
t.xml:2:84: sub-tasks wait for each other, so that none can begin: a → a
> <TaskFile>\n<SubTask name='a'>[need]<DependsOn>b</DependsOn></SubTask>\n<SubTask name='b'>[need]<DependsOn>c</DependsOn></SubTask>\n<SubTask name='c'>[need]<DependsOn>b</DependsOn></SubTask></TaskFile>
t.xml:3:84: sub-tasks wait for each other, so that none can begin: b → c → b
> <TaskFile>\n<SubTask name='a'>[need]<InputFiles><InputFile>y</InputFile></InputFiles><StdOut>x</StdOut></SubTask>\n<SubTask name='b'>[need]<StdIn>x</StdIn><StdOut>y</StdOut></SubTask></TaskFile>
t.xml:2:1: sub-tasks wait for each other, so that none can begin: a → b → a
> <TaskFile>\n<SubTask name='a'>[need]<StdOut>x</StdOut></SubTask><SubTask>[need]<StdIn from='a'>y</StdIn></SubTask></TaskFile>
t.xml:2:180: `y` is no result of `a`; it has none
> <TaskFile>\n<SubTask name='a'>[need]<OutputFiles><OutputFile>q</OutputFile></OutputFiles></SubTask><SubTask>[need]<StdIn from='a'>y</StdIn></SubTask></TaskFile>
t.xml:2:215: `y` is no result of `a`; it has `q`
> <TaskFile>\n<SubTask name='a'>[need]<OutputFiles><OutputFile as='${i}'>q</OutputFile></OutputFiles><Sweep><Var name='i' from='1' to='2'/></Sweep></SubTask><SubTask>[need]<StdIn from='a'>q</StdIn></SubTask></TaskFile>
t.xml:2:271: `q` is a result of several points of `a`: name the place where one of them is written, or one point
> <TaskFile>\n<SubTask name='a'>[need]<StdOut>x</StdOut></SubTask><SubTask>[need]<InputFiles><InputFile from='a' search='true' as='a'>x</InputFile></InputFiles></SubTask></TaskFile>
t.xml:2:196: `search` means nothing for a result of another sub-task
t.xml:2:214: in the scratch directory of sub-task `2`, two files are called `a`
> <TaskFile>\n<SubTask name='x'>[need]<OutputFiles><OutputFile as='a'>q</OutputFile></OutputFiles></SubTask>\n<SubTask>[need]<InputFiles><InputFile from='x'>*</InputFile></InputFiles></SubTask></TaskFile>
t.xml:3:1: in the scratch directory of sub-task `2`, two files are called `a`
> <TaskFile>\n<SubTask name='a'>[need]<InputFiles><InputFile from='b c'>x</InputFile></InputFiles></SubTask></TaskFile>
t.xml:2:102: `b c` is not a value for `from`: expected the name of one sub-task, such as `frame` or `frame[3]`
> <TaskFile>\n<SubTask name='a'>[need]<Sweep><Var name='i' from='1' to='2000'/></Sweep><StdOut>${i}</StdOut></SubTask>\n<SubTask name='b'>[need]<DependsOn>a</DependsOn><Sweep><Var name='i' from='1' to='1000'/></Sweep><StdOut>o${i}</StdOut></SubTask></TaskFile>
t.xml:3:84: the sub-tasks wait for more than 1000000 others in all; let one sub-task gather what many make, and the others wait for that one
"#;

#[test]
fn a_long_circle_is_cut_short() {
    let sub_tasks: Vec<(String, String)> =
        (0..20).map(|i| (format!("s{i}"), format!("<DependsOn>s{}</DependsOn>", (i + 1) % 20))).collect();
    let borrowed: Vec<_> = sub_tasks.iter().map(|(name, more)| (name.as_str(), more.as_str())).collect();
    let faults = parse(&file(&borrowed), "t.xml", &BTreeMap::new()).unwrap_err();
    let shown: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let circle = "s0 → s1 → s2 → s3 → s4 → s5 → s6 → s7 → … → s0";
    assert_eq!(
        shown,
        [format!("t.xml:2:85: sub-tasks wait for each other, so that none can begin: {circle}")]
    );
}

//! Files that are right, and exactly what they expand to.

use super::samples::{FIG_7, RICH};
use super::*;

/// A sub-task with what it needs and the defaults.
fn plain(name: &str) -> SubTask {
    SubTask {
        name: name.to_owned(),
        power: Capacity(1),
        work: None,
        price: Money::credits(2),
        program: file("a", "a"),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        stdin: None,
        stdout: None,
        stderr: None,
        requirements: Requirements::default(),
        limits: Limits {
            wall_time: Span::secs(86_400),
            memory: Bytes::mib(512),
            disk: Bytes::gib(1),
            output: Bytes::mib(1),
            processes: 64,
            cpu_time: None,
        },
        retries: 3,
        backoff: Span(0),
        success: 0,
        runtime: None,
        progress: None,
        deadline: None,
        depends_on: Vec::new(),
        feeds: Vec::new(),
        checkpoint: None,
        redundancy: Redundancy::default(),
    }
}

fn file(path: &str, name: &str) -> LocalFile {
    LocalFile { path: path.to_owned(), name: name.to_owned(), sha256: None, search: Search::Network }
}

fn output(name: &str, destination: &str) -> OutputFile {
    OutputFile { name: name.to_owned(), destination: destination.to_owned() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_figure_of_the_paper_is_read_unchanged() {
    let (task, warnings) = parsed(FIG_7, &set(&[]));
    let sub_task = SubTask {
        power: Capacity(1_000),
        price: Money::credits(234),
        program: file("job.exe", "job.exe"),
        arguments: strings(&["3", "4"]),
        outputs: vec![output("joboutput.out", "joboutput.out")],
        ..plain("1")
    };
    assert_eq!(task, Task { name: "t".to_owned(), budget: None, stop_when: None, sub_tasks: vec![sub_task] });
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn a_rich_file_expands_exactly() {
    let (task, warnings) = parsed(RICH, &set(&[("last", "23"), ("quality", "high")]));
    assert_eq!(task.name, "orbit & moon");
    assert_eq!(task.budget, Some(Money(600_500_000)));
    assert_eq!(task.sub_tasks.len(), 25);
    assert_eq!(warnings, Vec::<String>::new());
    let eighth = SubTask {
        power: Capacity(1_500),
        work: Some(Cycles::giga(15)),
        price: Money(12_250_000),
        program: file("/usr/bin/povray", "bin/povray"),
        arguments: strings(&["+Iscene.pov", "+K0.2891", " two words ", ""]),
        environment: set(&[("QUALITY", "high"), ("EMPTY", "")]),
        inputs: vec![file("scenes/scene.pov", "scene.pov"), file("../map_7.png", "m/map.png")],
        outputs: vec![output("frame.bmp", "frames/7.bmp")],
        stdin: Some("answers.txt".to_owned()),
        stdout: Some("log/7.out".to_owned()),
        stderr: Some("log/7.err".to_owned()),
        requirements: Requirements {
            os: Some("linux".to_owned()),
            arch: Some("x86_64".to_owned()),
            os_version: Release::default(),
            sandbox: Layers::default(),
            min_cores: Some(2),
            min_memory: Some(Bytes::gib(1)),
            min_disk: Some(Bytes(0)),
            min_reputation: Some(Reputation(750)),
        },
        limits: Limits {
            wall_time: Span::secs(5_400),
            memory: Bytes::mib(256),
            disk: Bytes(1_500_000_000),
            output: Bytes(64_000),
            processes: 64,
            cpu_time: None,
        },
        retries: 5,
        ..plain("frame[8]")
    };
    assert_eq!(task.sub_tasks[7], eighth);
    let last = SubTask {
        power: Capacity(3_000),
        price: Money::credits(5),
        program: file("encode.wasm", "encode.wasm"),
        arguments: strings(&["a<b && ${HOME} $HOME"]),
        ..plain("2")
    };
    assert_eq!(task.sub_tasks[24], last);
}

/// The names and single arguments of all sub-tasks of a sweep.
fn check_sweep(sweep: &str, param: &str, set: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let more = format!("<InputParameters><Param>{param}</Param></InputParameters>{sweep}");
    let (task, warnings) = parsed(&with(&more), set);
    let found: Vec<_> = task
        .sub_tasks
        .iter()
        .map(|sub_task| (sub_task.name.as_str(), sub_task.arguments[0].as_str()))
        .collect();
    assert_eq!(found, expected, "{sweep}");
    assert_eq!(warnings, Vec::<String>::new(), "{sweep}");
}

#[test]
fn sweeps_make_products_and_zips_in_order() {
    check_sweep(
        r#"<Sweep><Var name="a" from="1" to="2"/><Var name="b"><Value>x</Value><Value> y</Value></Var></Sweep>"#,
        "${a}${b}",
        &set(&[]),
        &[("1[1]", "1x"), ("1[2]", "1 y"), ("1[3]", "2x"), ("1[4]", "2 y")],
    );
    check_sweep(
        r#"<Sweep mode="zip"><Var name="a" from="1" to="0.5" step="-0.5"/><Var name="b"><Value/><Value>y</Value></Var></Sweep>"#,
        "${a}${b}",
        &set(&[]),
        &[("1[1]", "1.0"), ("1[2]", "0.5y")],
    );
    check_sweep(
        r#"<Sweep><Var name="a" from="${n}" to="${n}"/><Var name="b"><Value>${n}+</Value></Var></Sweep>"#,
        "${b}${a}$${a}$$${a}$",
        &set(&[("n", "7")]),
        &[("1[1]", "7+7${a}$${a}$")],
    );
}

/// One sub-task after a change to the plain one.
fn check(more: &str, set: &BTreeMap<String, String>, change: impl FnOnce(&mut SubTask)) {
    let mut expected = plain("1");
    change(&mut expected);
    let (task, warnings) = parsed(&with(more), set);
    assert_eq!(task.sub_tasks, [expected], "{more}");
    assert_eq!(warnings, Vec::<String>::new(), "{more}");
}

#[test]
fn elements_mean_what_they_say() {
    let none = set(&[]);
    check("", &none, |_| {});
    check("<!-- nothing --><?editor fold?>", &none, |_| {});
    check("<Limits/><Requirements/><Environment/><InputFiles/><Retry/>", &none, |_| {});
    check("<InputFiles><Count>0</Count></InputFiles>", &none, |_| {});
    check("<CheckPointDataSize>0 MiB</CheckPointDataSize>", &none, |_| {});
    check("<Limits><Network>0</Network></Limits>", &none, |_| {});
    check("<Retry max=\"0\"/>", &none, |sub_task| sub_task.retries = 0);
    check("<Retry max=\"${n}\"/>", &set(&[("n", " 9 ")]), |sub_task| sub_task.retries = 9);
    check("<Work unit='Mcycles'>2.5</Work>", &none, |sub_task| sub_task.work = Some(Cycles(2_500_000)));
    check("<Work unit='cycles'>1<!-- and -->2</Work>", &none, |sub_task| sub_task.work = Some(Cycles(12)));
    check("<StdOut>\n out.txt\n</StdOut>", &none, |sub_task| sub_task.stdout = Some("out.txt".to_owned()));
    check("<OutputFiles><OutputFile>./b//c</OutputFile></OutputFiles>", &none, |sub_task| {
        sub_task.outputs = vec![output("b/c", "b/c")];
    });
    check("<InputFiles><InputFile>b\\c/d e</InputFile></InputFiles>", &none, |sub_task| {
        sub_task.inputs = vec![file("b\\c/d e", "d e")];
    });
    check(
        "<InputParameters><Param>\n&lt;${x}&gt;&#9;</Param></InputParameters>",
        &set(&[("x", "<&")]),
        |sub_task| {
            sub_task.arguments = strings(&["\n<<&>\t"]);
        },
    );
}

#[test]
fn a_task_is_named_after_its_file_where_it_has_no_name() {
    for (file_name, name) in [
        ("t.xml", "t"),
        ("/home/eva/tasks.v2.xml", "tasks.v2"),
        ("C:\\tasks\\pi.xml", "pi"),
        ("-", "-"),
        ("", ""),
    ] {
        assert_eq!(parse(&with(""), file_name, &set(&[])).unwrap().task.name, name);
    }
}

#[test]
fn what_looks_like_a_mistake_is_a_warning() {
    let check = |more: &str, pairs: &[(&str, &str)], expected: &[&str]| {
        assert_eq!(parsed(&with(more), &set(pairs)).1, expected, "{more}");
    };
    check(
        "<InputParameters><Param>1</Param> <Count> 2</Count></InputParameters>",
        &[],
        &["t.xml:2:43: `Count` says 2, but `InputParameters` has 1 `Param`; all 1 are used"],
    );
    check(
        "<OutputFiles><Count>0</Count><OutputFile>${i}</OutputFile></OutputFiles><Sweep><Var name='i' from='1' to='9'/></Sweep>",
        &[],
        &["t.xml:2:21: `Count` says 0, but `OutputFiles` has 1 `OutputFile`; all 1 are used"],
    );
    check(
        "<Sweep><Var name='i' from='1' to='3'/></Sweep>",
        &[],
        &["t.xml:2:19: the sweep varies `i`, but nothing in the sub-task uses `${i}`"],
    );
    check(
        "<InputParameters><Param>${seed}</Param></InputParameters>",
        &[("seed", "1"), ("sede", "1"), ("other", "2")],
        &[
            "--set: `other` is set, but nothing in the file uses `${other}`",
            "--set: `sede` is set, but nothing in the file uses `${sede}`",
        ],
    );
}

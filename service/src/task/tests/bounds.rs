//! Large files: what is too large is refused, and what is large costs in proportion. Nothing here looks at a
//! clock.

use super::samples::FIG_7;
use super::*;
use std::fmt::Write;

/// A file of `count` sub-tasks, each on a line of its own.
fn many(count: usize, more: impl Fn(usize) -> String) -> String {
    let mut text = String::from("<TaskFile>\n");
    for number in 1..=count {
        let inner = more(number);
        writeln!(text, "<SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File>{inner}</SubTask>")
            .unwrap();
    }
    text + "</TaskFile>"
}

#[test]
fn ten_thousand_sub_tasks_are_each_read_once() {
    let text = many(10_000, |number| format!("<StdOut>out/{number}</StdOut>"));
    let (task, _) = parsed(&text, &set(&[]));
    assert_eq!(task.sub_tasks.len(), 10_000);
    assert_eq!(task.sub_tasks[9_999].name, "10000");
    assert_eq!(task.sub_tasks[9_999].stdout.as_deref(), Some("out/10000"));
}

#[test]
fn every_one_of_many_faults_is_placed_on_its_line() {
    let text = many(900, |number| format!("<StdOut>out{}</StdOut>", "/".repeat(number % 2)));
    let found = faults(&text, &set(&[]));
    assert_eq!(found.len(), 450 + 449);
    assert_eq!(found[0], "t.xml:2:72: `out/` is not a path for `StdOut`: it names a folder; expected a file");
    assert_eq!(found[898], "t.xml:901:72: the sub-tasks `2` and `900` would both write the result `out`");
}

#[test]
fn after_a_thousand_faults_the_rest_is_only_mentioned() {
    let found = faults(&many(5_000, |_| "<Retry mix='1'/>".to_owned()), &set(&[]));
    assert_eq!(found.len(), MAX_FAULTS + 1);
    assert_eq!(found[MAX_FAULTS], "t.xml:5002:12: there are more faults; these are the first 1000");
}

#[test]
fn sweeps_make_as_many_sub_tasks_as_are_allowed_and_no_more() {
    let sweep = |to: usize| {
        with(&format!("<StdOut>${{i}}</StdOut><Sweep><Var name='i' from='1' to='{to}'/></Sweep>"))
    };
    let (task, _) = parsed(&sweep(MAX_SUB_TASKS), &set(&[]));
    assert_eq!(task.sub_tasks.len(), MAX_SUB_TASKS);
    assert_eq!(task.sub_tasks[MAX_SUB_TASKS - 1].name, "1[100000]");
    let expected = ["t.xml:1:11: the sweeps make more than 100000 sub-tasks"];
    assert_eq!(faults(&sweep(MAX_SUB_TASKS + 1), &set(&[])), expected);
    let huge = "<Var name='a' from='0' to='99999999999999999999' step='0.000000000000000001'/>";
    let twice = format!("{huge}{}", huge.replace("'a'", "'b'"));
    let param = "<InputParameters><Param>${a}${b}</Param></InputParameters>";
    assert_eq!(faults(&with(&format!("{param}<Sweep>{twice}</Sweep>")), &set(&[])), expected);
}

#[test]
fn text_that_sweeps_multiply_is_bounded() {
    let long = "x".repeat(4_000);
    let more = format!("<InputParameters><Param>${{i}}{long}</Param></InputParameters>");
    let sweep = "<Sweep><Var name='i' from='1' to='100000'/></Sweep>";
    assert_eq!(
        faults(&with(&format!("{more}{sweep}")), &set(&[])),
        ["t.xml:1:11: the sub-tasks, sweeps expanded, hold more than 268435456 bytes of text"]
    );
}

#[test]
fn each_bound_is_reached_exactly() {
    let check = |text: &str, expected: &[&str]| {
        let found = parse(text, "t.xml", &set(&[])).err().unwrap_or_default();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    };
    let padded = |bytes: usize| format!("{FIG_7}{}", " ".repeat(bytes - FIG_7.len()));
    check(&padded(MAX_TASK_FILE), &[]);
    check(
        &padded(MAX_TASK_FILE + 1),
        &["t.xml:1:1: the file has 16777217 bytes: a task file has at most 16777216"],
    );

    let param = |bytes: usize| {
        with(&format!("<InputParameters><Param>{}</Param></InputParameters>", "x".repeat(bytes)))
    };
    check(&param(MAX_TEXT), &[]);
    check(
        &param(MAX_TEXT + 1),
        &["t.xml:2:25: the text of `Param` has 4097 bytes: at most 4096 are allowed"],
    );

    let retries = |bytes: usize| with(&format!("<Retry max='{}'/>", "0".repeat(bytes)));
    check(&retries(MAX_TEXT), &[]);
    check(
        &retries(MAX_TEXT + 1),
        &["t.xml:2:13: the text of `max` has 4097 bytes: at most 4096 are allowed"],
    );

    let params =
        |count: usize| with(&format!("<InputParameters>\n{}</InputParameters>", "<Param/>\n".repeat(count)));
    check(&params(MAX_ENTRIES), &[]);
    check(&params(MAX_ENTRIES + 2), &["t.xml:4099:1: more than 4096 `Param` in one `InputParameters`"]);

    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    check(&nested(16), &["t.xml:1:1: the file begins with `a`: a task file begins with `TaskFile`"]);
    check(&nested(17), &["t.xml:1:49: elements are nested more than 16 deep"]);
    check(&"<a>".repeat(1_000_000), &["t.xml:1:49: elements are nested more than 16 deep"]);

    let attributes = |count: usize| {
        let all: Vec<_> = (0..count).map(|number| format!("a{number}=''")).collect();
        format!("<a {}/>", all.join(" "))
    };
    check(&attributes(64), &["t.xml:1:1: the file begins with `a`: a task file begins with `TaskFile`"]);
    check(&attributes(65), &["t.xml:1:1: an element has more than 64 attributes"]);

    let siblings = |count: usize| format!("<a>{}</a>", "<a/>".repeat(count - 1));
    check(&siblings(1_000_001), &["t.xml:1:4000000: the file has more than 1000000 elements"]);
}

#[test]
fn variables_that_multiply_stop_at_the_longest_text() {
    let more = format!("<InputParameters><Param>{}</Param></InputParameters>", "${x}".repeat(1_000));
    let found = faults(&with(&more), &set(&[("x", &"y".repeat(4_000))]));
    assert_eq!(found, ["t.xml:2:25: the text of `Param` has 8000 bytes: at most 4096 are allowed"]);
    let found = faults(&with(""), &set(&[("x", &"y".repeat(4_097))]));
    assert_eq!(found, ["--set: the text of `x` has 4097 bytes: at most 4096 are allowed"]);
}

//! Golden tests: what people and programs read stays as it is.

mod bank;
mod market;
mod sharing;

use super::view::{BalanceChange, Place, Ready, Run, RunningNetwork, RunningNode, TotalChange, Validated};
use super::{Look, human, json, sample};
use crate::control::{Failure, SubTaskView, TaskState, TaskView};

const PLAIN: Look = Look { width: None, has_colour: false };

#[test]
fn a_task_is_a_table_with_sums() {
    let expected = "\
task 3 (16 queens): running
sub-task  seller        asks seen  price/Gc     Gc    time   paid    fee  verdict
count[1]  ab12cd34  0.15 0.20 (3)      0.20  4.210  3.13 s  0.842  0.108  succeeded
count[2]  ab12cd34  0.15 0.20 (3)      0.20  1.500  2.00 s   0.00   0.00  running
count[3]  -                     -         -  0.000       -   0.00   0.00  waiting: no seller fits: 3 sellers ask more than 0.10 credits/Gc
1 of 3 sub-tasks succeeded, 2 not ended; spent 0.95 credits, held 5; 12.38 s
";
    assert_eq!(human::task(&sample::task(), PLAIN), expected);
}

#[test]
fn a_reason_is_wrapped_and_never_cut() {
    let text = human::task(&sample::task(), Look { width: Some(100), has_colour: false });
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let words: Vec<&str> = text.split_whitespace().collect();
    for word in "waiting: no seller fits: 3 sellers ask more than 0.10 credits/Gc".split(' ') {
        assert!(words.contains(&word), "{word}");
    }
}

fn failed() -> TaskView {
    let failed = SubTaskView {
        attempts: 4,
        why: "failed: the program exited with code 3".into(),
        ..sample::ended("b", "exited")
    };
    TaskView {
        state: TaskState::Failed,
        held: "0".into(),
        sub_tasks: vec![sample::ended("a", "succeeded"), failed, sample::ended("c", "cancelled")],
        problems: vec!["cannot write out/a.txt: No space left on device".into()],
        ..sample::task()
    }
}

#[test]
fn a_failed_task_says_what_failed_and_what_went_wrong_here() {
    let text = human::task(&failed(), PLAIN);
    let tail: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(
        tail,
        [
            "problem: cannot write out/a.txt: No space left on device",
            "1 of 3 sub-tasks succeeded, 1 failed, 1 cancelled; spent 0.95 credits; 12.38 s",
        ]
    );
    assert!(text.contains("  failed: the program exited with code 3 (attempt 4)\n"), "{text}");
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let coloured = human::task(&failed(), Look { width: None, has_colour: true });
    assert!(coloured.contains("\u{1b}[32msucceeded\u{1b}[0m"));
    assert!(coloured.contains("\u{1b}[31mproblem:\u{1b}[0m"));
    assert!(!human::task(&failed(), PLAIN).contains('\u{1b}'));
}

#[test]
fn a_task_as_json_is_its_view_with_a_schema() {
    let expected = concat!(
        r#"{"schema":"compup2p/task-status/v1","id":3,"name":"16 queens","file":"tasks.xml","state":"running","#,
        r#""submitted":"2026-11-21T00:41:00Z","elapsed":12.375,"spent":"0.95","held":"5","sub_tasks":["#,
        r#"{"name":"count[1]","state":"succeeded","attempts":1,"gcycles":4.21,"sale":{"#,
        r#""seller":"ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34","address":"127.0.0.1:40001","#,
        r#""market":"compute/40","ask":"0.15","second_ask":"0.2","asks_seen":3,"clearing":"0.2"},"#,
        r#""paid":"0.842","fee":"0.108","elapsed":3.126,"why":"succeeded","reason_code":"succeeded","#,
        r#""files":["results/column-0.txt"]}]}"#,
        "\n"
    );
    let task = TaskView { sub_tasks: vec![sample::ended("count[1]", "succeeded")], ..sample::task() };
    assert_eq!(json::task(&task), expected);
}

#[test]
fn a_list_of_tasks_has_a_line_each() {
    let expected = "\
task  name       submitted             sub-tasks  succeeded     time  spent  state
   3  16 queens  2026-11-21T00:41:00Z          3          1  12.38 s   0.95  running
";
    assert_eq!(human::tasks(&[sample::task_line()], PLAIN), expected);
    assert_eq!(human::tasks(&[], PLAIN), "no tasks yet; `compup2p task submit FILE` makes one\n");
    assert_eq!(json::tasks(&[]), "{\"schema\":\"compup2p/task-list/v1\",\"tasks\":[]}\n");
}

#[test]
fn a_submitted_task_is_one_line() {
    let expected = "task 3 (16 queens): 3 sub-tasks submitted; `compup2p task wait 3` waits for the end\n";
    assert_eq!(human::submitted(&sample::task()), expected);
    assert_eq!(human::results(&failed()).lines().count(), 4);
}

#[test]
fn a_node_shows_ring_market_and_power() {
    let expected = "\
account  ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34
node     01234567 at 127.0.0.1:40001, slot 1
ring     member; predecessor 98765432, 1 successor, 2 fingers; 4 members known
bank     127.0.0.1:7742
rules    vickrey pricing, 0.01 credits to a market owner, single overlay
accounts start with 1000 credits
power    2500 Mc/s a core; 1 core to sell, 1 free
sharing  sharing
selling  in compute/45 at 0.20 credits/Gc, rank 7 of 12; last clearing price 0.18
hired    last 2026-11-21T00:41:00Z by 5555aaaa at 127.0.0.1:40002 for 0.20 credits/Gc
earned   1.50 credits in this run for 2 of 3 contracts; 21.25 in all for 38 of 40
working  for others on 0 sub-tasks
native   programs of others are not run
owns     markets with 1 listing
contents 3.0 MiB sent, 1.5 KiB fetched; 12 kept, 5.0 MiB of 10.0 GiB
orders   0 without an answer of the bank
up       61 s, version 0.1.0
";
    assert_eq!(human::node(&sample::node()), expected);
    let idle = crate::control::NodeView {
        not_selling: Some("the owner is at the keyboard".into()),
        ..sample::node()
    };
    assert!(human::node(&idle).contains("selling  nothing: the owner is at the keyboard\n"));
}

fn change(node: &str, after: &str, change: &str) -> BalanceChange {
    BalanceChange {
        node: node.into(),
        account: "ab12cd34".repeat(8),
        before: "100".into(),
        after: after.into(),
        held: "0".into(),
        change: change.into(),
    }
}

fn check_run(adds_up: bool, expected: &str) {
    let task = TaskView { sub_tasks: Vec::new(), ..sample::task() };
    let balances = vec![change("node-1", "99.05", "-0.95"), change("node-2", "100.95", "+0.95")];
    let total = TotalChange { before: "200".into(), after: "200".into(), adds_up };
    let run = Run { task: &task, balances, total, kept: Some("/tmp/kept".into()) };
    let text = human::run(&run, PLAIN);
    let (_, text) = text.split_once("\n\n").unwrap();
    assert_eq!(text, expected);
}

#[test]
fn balances_before_and_after_add_up() {
    let table = "\
node    account   before   after  held  change
node-1  ab12cd34  100.00   99.05  0.00   -0.95
node-2  ab12cd34  100.00  100.95  0.00   +0.95
total             200.00  200.00
";
    check_run(true, &format!("{table}files kept in /tmp/kept\n"));
    let problem = "problem: the totals differ: money has appeared or vanished\n";
    check_run(false, &format!("{table}{problem}files kept in /tmp/kept\n"));
}

#[test]
fn a_local_run_as_json_has_task_balances_and_total() {
    let task = TaskView { sub_tasks: Vec::new(), ..sample::task() };
    let total = TotalChange { before: "200".into(), after: "200".into(), adds_up: true };
    let run = Run { task: &task, balances: vec![change("node-1", "99.05", "-0.95")], total, kept: None };
    let expected = concat!(
        r#"{"schema":"compup2p/local-run/v1","task":{"id":3,"name":"16 queens","file":"tasks.xml","#,
        r#""state":"running","submitted":"2026-11-21T00:41:00Z","elapsed":12.375,"spent":"0.95","held":"5","#,
        r#""sub_tasks":[]},"balances":[{"node":"node-1","#,
        r#""account":"ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34","#,
        r#""before":"100","after":"99.05","held":"0","change":"-0.95"}],"#,
        r#""total":{"before":"200","after":"200","adds_up":true},"kept":null}"#,
        "\n"
    );
    assert_eq!(json::document("local-run", &run), expected);
}

#[test]
fn a_running_network_says_how_to_talk_to_it() {
    let node = RunningNode {
        name: "node-1".into(),
        address: "127.0.0.1:40001".into(),
        account: "ab12cd34".repeat(8),
        home: "/tmp/x/node-1".into(),
    };
    let network =
        RunningNetwork { directory: "/tmp/x".into(), bootstrap: "ab@127.0.0.1:1".into(), nodes: vec![node] };
    let expected = "\
a network of 1 node runs in /tmp/x; Ctrl-C ends it
node    account   address          home
node-1  ab12cd34  127.0.0.1:40001  /tmp/x/node-1

use it from another terminal:
  export COMPUP2P_HOME=/tmp/x/node-1
  compup2p task submit --wait FILE
  compup2p status
let another node join:
  compup2p join POLICY --bootstrap ab@127.0.0.1:1
";
    assert_eq!(human::network(&network, PLAIN), expected);
}

#[test]
fn a_failure_is_a_sentence_and_a_hint() {
    let failure = Failure::new("no_node", "no node is running in /x", 4).hint("start one");
    assert_eq!(human::failure(&failure, false), "error: no node is running in /x\nhint: start one\n");
    assert_eq!(
        human::failure(&failure, true).lines().next(),
        Some("\u{1b}[31merror:\u{1b}[0m no node is running in /x")
    );
    let expected = concat!(
        r#"{"schema":"compup2p/error/v1","error":{"code":"no_node","message":"no node is running in /x","#,
        r#""hint":"start one","retryable":false}}"#,
        "\n"
    );
    assert_eq!(json::failure(&failure, &[]), expected);
    let hostile = Failure::new("policy", "\u{1b}[2J", 7).hint("the log:\na\nb");
    assert_eq!(human::failure(&hostile, false), "error: \\u{1b}[2J\nhint: the log:\n  a\n  b\n");
}

#[test]
fn faults_stand_one_a_line_where_they_are() {
    let place = |line, column, message: &str| Place {
        file: "tasks.xml".into(),
        line,
        column,
        message: message.into(),
    };
    let places = [place(7, 5, "`Prise` is not an element"), place(0, 0, "there is no file `x`")];
    let lines = "tasks.xml:7:5: `Prise` is not an element\ntasks.xml: there is no file `x`\n";
    assert_eq!(human::places(&places), lines);
    let from_the_node = Failure::new("task_invalid", lines.trim_end(), 2);
    assert_eq!(human::failure(&from_the_node, false), lines);
    let expected = concat!(
        r#"{"schema":"compup2p/error/v1","error":{"code":"task_invalid","#,
        r#""message":"tasks.xml:7:5: `Prise` is not an element\ntasks.xml: there is no file `x`","#,
        r#""hint":"","retryable":false,"faults":["#,
        r#"{"file":"tasks.xml","line":7,"column":5,"message":"`Prise` is not an element"},"#,
        r#"{"file":"tasks.xml","line":0,"column":0,"message":"there is no file `x`"}]}}"#,
        "\n"
    );
    assert_eq!(json::faults("task_invalid", &places), expected);
}

#[test]
fn a_valid_file_says_what_it_may_cost() {
    let mut file = Validated {
        file: "tasks.xml".into(),
        name: "16 queens".into(),
        sub_tasks: 16,
        price: "80".into(),
        budget: None,
        files: 1,
        warnings: Vec::new(),
    };
    assert_eq!(
        human::validated(&file),
        "tasks.xml: valid: 16 queens, 16 sub-tasks, 1 file, at most 80 credits\n"
    );
    file.budget = Some("100".into());
    assert!(human::validated(&file).ends_with("at most 80 credits of a budget of 100\n"));
    let expected = concat!(
        r#"{"schema":"compup2p/task-validate/v1","file":"tasks.xml","name":"16 queens","sub_tasks":16,"#,
        r#""price":"80","budget":"100","files":1,"warnings":[]}"#,
        "\n"
    );
    assert_eq!(json::document("task-validate", &file), expected);
}

#[test]
fn small_answers_have_their_forms_too() {
    let ready = Ready { address: "127.0.0.1:1".into(), key: "ab".into(), home: "/x".into() };
    assert_eq!(
        json::ready(&ready),
        "{\"ready\":{\"address\":\"127.0.0.1:1\",\"key\":\"ab\",\"home\":\"/x\"}}\n"
    );
    let left = "{\"schema\":\"compup2p/leave/v1\",\"left\":true,\"home\":\"/x\"}\n";
    assert_eq!(json::left(std::path::Path::new("/x"), None), left);
    let policy =
        "{\"schema\":\"compup2p/policy-check/v1\",\"file\":\"p.toml\",\"valid\":true,\"meaning\":[\"a\"]}\n";
    assert_eq!(json::policy("p.toml", &["a".into()]), policy);
    assert_eq!(human::policy("p.toml", &["a".into()]), "p.toml: valid\n  a\n");
    assert_eq!(
        json::schema("task", "<a/>"),
        "{\"schema\":\"compup2p/schema/v1\",\"name\":\"task\",\"text\":\"<a/>\"}\n"
    );
    let usage = "error: unexpected argument '--x' found\n\nUsage: compup2p\n";
    let expected = "{\"schema\":\"compup2p/error/v1\",\"error\":{\"code\":\"usage\",\
        \"message\":\"unexpected argument '--x' found\",\"hint\":\"see `compup2p --help`\",\"retryable\":false}}\n";
    assert_eq!(json::usage(usage), expected);
}

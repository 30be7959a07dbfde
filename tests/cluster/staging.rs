//! Contents between real processes: inputs that go to several sellers, and public files that are found through the ring.

use super::harness::{Bank, NodeProcess, policy, text, wait_until};
use super::network::alone;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: usize = 1 << 20;
/// How long a network of these processes may take for anything.
const LONG: Duration = Duration::from_secs(120);
/// A program of the examples that uses none of its files.
const NOOP: &str = "examples/noop/noop.wasm";

fn nodes(directory: &Path, bank: &Bank, count: usize) -> Vec<NodeProcess> {
    let start = |node: usize| {
        let cost = format!("0.{}", node + 1);
        NodeProcess::start(directory, bank, &format!("n{node}"), &policy(&cost, 1))
    };
    let nodes: Vec<NodeProcess> = (0..count).map(start).collect();
    for node in &nodes {
        wait_until("a node is in the market", LONG, || node.json(&["status"])["listed"].as_str().map(drop));
    }
    nodes
}

/// Bytes that do not repeat.
fn random(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..size / 8).flat_map(|_| next()).collect()
}

fn bytes(node: &NodeProcess, what: &str) -> usize {
    let status = node.json(&["status"]);
    usize::try_from(status[what].as_u64().expect("a number")).expect("a size")
}

/// `count` sub-tasks with one input each, which is the same.
fn task_file(program: &str, input: &str, count: usize) -> String {
    let mut file = String::from("<TaskFile version=\"1\">\n  <Name>staging</Name>\n");
    for number in 1..=count {
        write!(
            file,
            "  <SubTask name=\"part-{number}\">\n    <CpuCycles>100</CpuCycles>\n    <Price>100</Price>\n    \
             <File>{program}</File>\n    <InputFiles><InputFile as=\"input\">{input}</InputFile></InputFiles>\n    \
             <Limits><Disk>256MiB</Disk></Limits>\n  </SubTask>\n"
        )
        .expect("a text takes everything");
    }
    file + "</TaskFile>\n"
}

fn noop() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(NOOP).display().to_string()
}

#[test]
fn an_input_for_four_sellers_leaves_its_buyer_about_once() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let bank = Bank::start(directory.path());
    let nodes = nodes(directory.path(), &bank, 5);
    let input = directory.path().join("input");
    std::fs::write(&input, random(24 * MIB)).expect("the input can be written");
    let file = directory.path().join("tasks.xml");
    std::fs::write(&file, task_file(&noop(), text(&input), 4)).expect("the task file can be written");
    let before: Vec<usize> = nodes.iter().map(|node| bytes(node, "bytes_fetched")).collect();
    let buyer = &nodes[4];
    let finished = buyer.run(&["task", "submit", "--wait", text(&file), "--timeout", "110"]);
    assert_eq!(finished.code, 0, "{finished:?}");
    let fetched = nodes.iter().zip(&before).map(|(node, before)| bytes(node, "bytes_fetched") - before);
    let sellers = fetched.filter(|fetched| *fetched >= 24 * MIB).count();
    assert!(sellers >= 3, "{sellers} sellers have fetched the input");
    let sent = bytes(buyer, "bytes_sent");
    assert!(sent < 37 * MIB, "{sent} bytes left the buyer for {sellers} sellers");
    // What one has fetched is there for the next sub-task.
    let again = buyer.run(&["task", "submit", "--wait", text(&file), "--timeout", "110"]);
    assert_eq!(again.code, 0, "{again:?}");
    let more = bytes(buyer, "bytes_sent") - sent;
    assert!(more < 24 * MIB * (5 - sellers), "{more} bytes left the buyer again");
}

#[test]
fn a_published_file_is_found_by_its_name_after_a_restart_and_when_its_publisher_is_gone() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let bank = Bank::start(directory.path());
    let mut nodes = nodes(directory.path(), &bank, 4);
    let content = random(3 * MIB);
    let tool = directory.path().join("tool.bin");
    std::fs::write(&tool, &content).expect("the file can be written");
    let published = nodes[0].json(&["file", "publish", text(&tool)]);
    let hash = published["files"][0]["hash"].as_str().expect("a hash").to_owned();
    let name = format!("tool.bin@{}", nodes[0].account);
    let find = |node: &NodeProcess, what: &str| {
        wait_until("the file is found", LONG, || {
            let found = node.run(&["file", "find", what, "--json"]);
            (found.code == 0).then(|| found.json()["files"][0].clone())
        })
    };
    assert_eq!(find(&nodes[1], &name)["hash"], hash.as_str());
    nodes[0].kill9();
    nodes[0].restart();
    let copy = directory.path().join("copy.bin");
    find(&nodes[1], &name);
    // Where its publisher was before is known for a while yet.
    let got = wait_until("it is fetched from its publisher", LONG, || {
        let got = nodes[1].run(&["file", "get", &name, "--to", text(&copy)]);
        (got.code == 0).then_some(got)
    });
    assert!(std::fs::read(&copy).expect("it is there") == content, "{got:?}");
    // The one that has fetched it is named as well, and gives it when the publisher is gone.
    wait_until("two have it", LONG, || {
        let holders = find(&nodes[2], &hash)["holders"].as_array().map(Vec::len);
        holders.filter(|holders| *holders == 2)
    });
    nodes[0].kill9();
    let other = directory.path().join("other.bin");
    let got = wait_until("it is fetched from the other one", LONG, || {
        let got = nodes[2].run(&["file", "get", &hash, "--to", text(&other)]);
        (got.code == 0).then_some(got)
    });
    assert!(std::fs::read(&other).expect("it is there") == content, "{got:?}");
    let none = nodes[3].run(&["file", "find", &format!("other@{}", nodes[1].account), "--json"]);
    assert_eq!((none.code, none.json()["error"]["code"].as_str()), (3, Some("no_content")), "{none:?}");
}

#[test]
fn a_task_names_a_program_that_somebody_else_has_published() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let bank = Bank::start(directory.path());
    let nodes = nodes(directory.path(), &bank, 3);
    nodes[0].json(&["file", "publish", &noop(), "--name", "noop"]);
    let name = format!("noop@{}", nodes[0].account);
    wait_until("the program is found", LONG, || {
        (nodes[1].run(&["file", "find", &name]).code == 0).then_some(())
    });
    let input = directory.path().join("input");
    std::fs::write(&input, "small").expect("the input can be written");
    let file = directory.path().join("tasks.xml");
    std::fs::write(&file, task_file(&name, text(&input), 1)).expect("the task file can be written");
    let finished = nodes[1].run(&["task", "submit", "--wait", text(&file), "--timeout", "100"]);
    assert_eq!(finished.code, 0, "{finished:?}");
    // Another content than the task file pins is not taken.
    let pinned =
        task_file(&name, text(&input), 1).replace("<File>", &format!("<File sha256=\"{}\">", "0".repeat(64)));
    std::fs::write(&file, pinned).expect("the task file can be written");
    let refused = nodes[1].run(&["task", "submit", text(&file), "--json"]);
    assert_eq!(
        (refused.code, refused.json()["error"]["code"].as_str()),
        (2, Some("other_content")),
        "{refused:?}"
    );
}

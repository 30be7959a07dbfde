//! A network by hand: bank, nodes and every command, as a user would type them.

use super::harness::{Bank, NodeProcess, policy, run, text, wait_until};
use super::known::ALONE;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use tempfile::tempdir;

#[test]
fn a_network_by_hand_answers_every_command() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let bank = Bank::start(home.path());
    let start = |name: &str, cost: &str| NodeProcess::start(home.path(), &bank, name, &policy(cost, 1));
    let (buyer, mut seller) = (start("a", "0.1"), start("b", "0.2"));
    wait_until("both are in the market", Duration::from_secs(60), || {
        let listed = |node: &NodeProcess| node.json(&["status"])["listed"].is_string();
        (listed(&buyer) && listed(&seller)).then_some(())
    });
    let status = buyer.json(&["status"]);
    assert_eq!((&status["schema"], &status["is_member"]), (&"compup2p/status/v1".into(), &true.into()));
    assert_eq!(buyer.json(&["bank", "balance"])["available"], "1000");
    let owned = |node: &NodeProcess| status_of(node, "listings");
    assert_eq!(owned(&buyer) + owned(&seller), 2, "two listings in the markets of both");
    for list in [buyer.json(&["market", "list"]), seller.json(&["market", "list"])] {
        assert_eq!(list["schema"], "compup2p/market-list/v1", "{list}");
    }

    let noop = ["task", "submit", "--wait", "examples/noop/tasks.xml"];
    let task = buyer.json(&noop);
    assert_eq!((&task["schema"], &task["state"]), (&"compup2p/task-status/v1".into(), &"succeeded".into()));
    assert_eq!(task["sub_tasks"][0]["sale"]["seller"], seller.account.as_str());
    let shown = buyer.run(&["task", "status", "last"]);
    assert!(shown.stdout.starts_with("task 1 (Nothing): succeeded\n"), "{shown:?}");

    let spin = home.path().join("spin.xml");
    let program = std::fs::canonicalize("examples/faults/spin.wasm").unwrap();
    let elements = format!(
        "<CpuCycles>1</CpuCycles><Work>2000</Work><Price>900</Price><File>{}</File>",
        program.display()
    );
    std::fs::write(&spin, format!("<TaskFile><SubTask>{elements}</SubTask></TaskFile>")).unwrap();
    assert_eq!(buyer.run(&["task", "submit", "-q", text(&spin)]).stdout, "2\n");
    wait_until("it runs", Duration::from_secs(30), || {
        let task = buyer.json(&["task", "status", "2"]);
        (task["sub_tasks"][0]["state"] == "running").then_some(())
    });
    assert_eq!(buyer.json(&["bank", "balance"])["held"], "900");
    let cancelled = buyer.json(&["task", "cancel", "2"]);
    let form = (&cancelled["schema"], &cancelled["state"], &cancelled["sub_tasks"][0]["reason_code"]);
    let expected = (&"compup2p/task-status/v1".into(), &"cancelled".into(), &"cancelled".into());
    assert_eq!(form, expected, "{cancelled}");
    assert_eq!(buyer.json(&["task", "status", "2"])["state"], "cancelled");
    assert_eq!(buyer.run(&["task", "wait", "2"]).code, 8);
    wait_until("the money is back", Duration::from_secs(20), || {
        (buyer.json(&["bank", "balance"])["held"] == "0").then_some(())
    });

    check_earnings(&seller);
    check_foresight(&buyer, home.path());

    let list = buyer.json(&["task", "list"]);
    assert_eq!(list["tasks"].as_array().map(Vec::len), Some(4), "{list}");
    assert_eq!(buyer.run(&["task", "results", "1", "--to", text(home.path())]).code, 0);
    assert_eq!(buyer.run(&["task", "status", "77"]).code, 2);
    assert_eq!(seller.run(&["leave"]).code, 0);
    assert_eq!(seller.wait_for_end(), 0);
}

/// The seller was hired twice, and the first time paid.
fn check_earnings(seller: &NodeProcess) {
    let record = &seller.json(&["status"])["record"];
    assert_eq!(
        (&record["contracts"], &record["paid"], &record["paid_ever"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert!(record["last_hired"]["price"].is_string(), "{record}");
}

/// A task file of one sub-task that does nothing, with these elements.
fn noop(home: &Path, name: &str, elements: &str) -> String {
    let program = std::fs::canonicalize("examples/noop/noop.wasm").unwrap();
    let file = format!("<File>{}</File>", program.display());
    let path = home.join(name);
    let sub_task = format!("<SubTask><CpuCycles>1</CpuCycles>{elements}{file}</SubTask>");
    std::fs::write(&path, format!("<TaskFile>{sub_task}</TaskFile>")).unwrap();
    path.display().to_string()
}

/// What can be known of a task before it is bought, and while it waits.
fn check_foresight(buyer: &NodeProcess, home: &Path) {
    let quote = |file: &str, code: i32| {
        let finished = buyer.run(&["task", "quote", file, "--json"]);
        assert_eq!(finished.code, code, "{finished:?}");
        let quote = finished.json();
        assert_eq!(quote["schema"], "compup2p/task-quote/v1");
        quote
    };
    let fits = noop(home, "fits.xml", "<Work>1</Work><Price>5</Price>");
    let fitting = quote(&fits, 0);
    assert_eq!((&fitting["parts"][0]["sellers"], &fitting["at_most"]), (&1.into(), &"5".into()), "{fitting}");
    let rich = noop(home, "rich.xml", "<Work>1</Work><Price>5000</Price>");
    assert_eq!(quote(&rich, 6)["is_affordable"], false);
    let dear = noop(home, "dear.xml", "<Work>100</Work><Price>2</Price>");
    assert_eq!(quote(&dear, 3)["parts"][0]["too_dear"], 1);

    buyer.run(&["task", "submit", "-q", &dear, "--wait-for-sellers"]);
    let why = wait_until("it waits with its reason", Duration::from_secs(20), || {
        let why = buyer.json(&["task", "explain", "last"]);
        let reason = why["parts"][0]["reasons"][0].as_str()?.to_owned();
        reason.starts_with("1 seller would do but ask").then_some(reason)
    });
    assert!(why.contains("the lowest asks 0.2"), "{why}");
    assert_eq!(buyer.run(&["task", "cancel", "last"]).code, 0);

    let elements = "<Work>1</Work><Price>5</Price>";
    let large = noop(home, "large.xml", elements);
    let body = std::fs::read_to_string(&large).unwrap();
    let asks = "<Requirements><MinMemory>900GiB</MinMemory></Requirements></SubTask>";
    std::fs::write(&large, body.replace("</SubTask>", asks)).unwrap();
    let failed = buyer.run(&["task", "submit", "--wait", &large, "--json"]);
    assert_eq!(failed.code, 3, "{failed:?}");
    let why = failed.json()["sub_tasks"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("could ever run it; closest: 127.0.0.1:"), "{why}");
    assert!(why.contains(" of memory, 900.0 GiB are asked for"), "{why}");
}

fn status_of(node: &NodeProcess, field: &str) -> u64 {
    node.json(&["status"])[field].as_u64().unwrap()
}

/// The words after each `compup2p`, or after `cargo run … --`, that stands for a command: at the beginning of a line
/// or of a piece of code.
fn commands_of(readme: &str) -> Vec<Vec<&str>> {
    let lines = readme.lines().flat_map(|line| line.split('`'));
    let commands = lines.filter_map(|piece| {
        let piece = piece.trim();
        piece.strip_prefix("compup2p ").or_else(|| piece.strip_prefix("cargo run --release -- "))
    });
    commands.map(|command| command.split_whitespace().collect()).collect()
}

#[test]
fn every_command_that_the_readme_names_has_help_with_an_example() {
    let home = tempdir().unwrap();
    let readme = std::fs::read_to_string("README.md").unwrap();
    let commands = commands_of(&readme);
    for words in &commands {
        let nouns = ["bank", "receipt", "task", "market", "policy", "sim"];
        let count = if nouns.contains(&words[0]) { 2 } else { 1 };
        let help = run(&[&words[..count], &["--help"]].concat(), home.path());
        assert!(help.code == 0 && help.stdout.contains("Example:"), "{words:?}: {help:?}");
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(option), "{words:?}: {option} is not in its help: {help:?}");
        }
    }
    let first = ["task", "submit", "--local", "4", "examples/options/tasks.xml"];
    assert_eq!(commands.first().map(Vec::as_slice), Some(&first[..]), "the quick start comes first");
    for named in
        ["bank serve", "join", "task validate", "task submit", "task status", "status", "dev", "sim run"]
    {
        let named: Vec<&str> = named.split(' ').collect();
        assert!(
            commands.iter().any(|words| words.starts_with(&named)),
            "the README no longer shows {named:?}"
        );
    }
}

#[test]
fn a_market_whose_nodes_come_and_go_is_measured() {
    let home = tempdir().unwrap();
    let small = ["sim", "churn", "--nodes", "10", "--minutes", "1", "--mean", "120"];
    let finished = run(&[&small[..], &["--checks", "--json"]].concat(), home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    let figures = finished.json();
    let [first, second] = ["first", "second"].map(|name| figures[name].as_f64().unwrap());
    assert!(first + second > 0.9 && figures["requests"].as_u64().unwrap() > 0, "{figures}");
    let space = run(&[&small[..], &["--latency", "space:50"]].concat(), home.path());
    assert_eq!(space.code, 2, "{space:?}");
}

#[test]
fn a_simulation_gives_the_same_trace_for_the_same_seed() {
    let home = tempdir().unwrap();
    let trace = |seed: &str| {
        let finished = run(&["sim", "run", "calm", "--seed", seed, "--json"], home.path());
        assert_eq!(finished.code, 0, "{finished:?}");
        finished.json()["trace"].as_str().unwrap().to_owned()
    };
    assert_eq!(trace("7"), trace("7"));
    assert_ne!(trace("7"), trace("8"));
    let unknown = run(&["sim", "run", "none"], home.path());
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

//! What each command prints, for people and for programs, on a network of two nodes.

use super::harness::{Bank, Finished, NodeProcess, policy, run, text, wait_until};
use super::known::ALONE;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use tempfile::tempdir;

/// The paper's task, and the one line that it leaves.
const FIGURE_7: &str = "examples/figure7/tasks.xml";
const RESULT: &str = "3 4 hypotenuse 5 paths 35\n";

/// A command that succeeds says exactly this.
#[track_caller]
fn check(finished: &Finished, expected: &str) {
    assert_eq!((finished.code, finished.stdout.as_str()), (0, expected), "{finished:?}");
}

/// The words of the first line, where the columns of a table have their names.
fn columns(finished: &Finished) -> String {
    assert_eq!(finished.code, 0, "{finished:?}");
    let first = finished.stdout.lines().next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// The names of an object's members, in alphabetical order.
fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        value.as_object().map_or_else(Vec::new, |object| object.keys().map(String::as_str).collect());
    names.sort_unstable();
    names
}

#[test]
fn files_are_checked_without_a_network() {
    let home = tempdir().unwrap();
    let run = |args: &[&str]| run(args, home.path());
    let validate = ["task", "validate", FIGURE_7];
    check(&run(&validate), &format!("{FIGURE_7}: valid: tasks, 1 sub-task, 1 file, at most 234 credits\n"));
    let expected = json!({
        "schema": "compup2p/task-validate/v1",
        "file": FIGURE_7,
        "name": "tasks",
        "sub_tasks": 1,
        "price": "234",
        "budget": null,
        "files": 1,
        "warnings": [],
    });
    assert_eq!(run(&[&validate[..], &["--json"]].concat()).json(), expected);
    let policy = ["policy", "check", "examples/policy.toml"];
    let checked = run(&[&policy[..], &["--json"]].concat()).json();
    let meaning = checked["meaning"].as_array().cloned().unwrap_or_default();
    let lines = meaning.iter().map(|line| format!("  {}\n", line.as_str().unwrap_or_default()));
    assert!(!meaning.is_empty(), "{checked}");
    check(&run(&policy), &format!("examples/policy.toml: valid\n{}", lines.collect::<String>()));
    let expected = json!({
        "schema": "compup2p/policy-check/v1",
        "file": "examples/policy.toml",
        "valid": true,
        "meaning": meaning,
    });
    assert_eq!(checked, expected);
    for (name, file) in [("task", "docs/task.xsd"), ("policy", "docs/policy.md")] {
        let file = std::fs::read_to_string(file).unwrap();
        check(&run(&["schema", name]), &file);
        let expected = json!({ "schema": "compup2p/schema/v1", "name": name, "text": file });
        assert_eq!(run(&["schema", name, "--json"]).json(), expected);
    }
}

#[test]
fn commands_of_a_node_speak_to_people_and_to_programs() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let bank = Bank::start(home.path());
    let start = |name: &str, cost: &str| NodeProcess::start(home.path(), &bank, name, &policy(cost, 1));
    let (mut buyer, mut seller) = (start("a", "0.1"), start("b", "0.2"));
    check(&buyer.run(&["task", "list"]), "no tasks yet; `compup2p task submit FILE` makes one\n");
    assert_eq!(buyer.json(&["task", "list"]), json!({ "schema": "compup2p/task-list/v1", "tasks": [] }));
    check_account(&buyer);
    check_market(&buyer, &seller);
    check_status(&buyer);
    check_ring(&buyer, &seller);
    check_task(&buyer, &home.path().join("to"), &seller.account);

    let left = format!("the node in {} has left the network and ended\n", seller.home.display());
    check(&seller.run(&["leave"]), &left);
    assert_eq!(seller.wait_for_end(), 0);
    let expected = json!({ "schema": "compup2p/leave/v1", "left": true, "home": text(&buyer.home) });
    assert_eq!(buyer.json(&["leave"]), expected);
    assert_eq!(buyer.wait_for_end(), 0);
}

fn check_account(buyer: &NodeProcess) {
    let account = &buyer.account;
    let shown = format!(
        "account   {account}\nposted    1000 credits\nheld      0 credits\navailable 1000 credits\n\
         lasts     nothing is being spent\n"
    );
    check(&buyer.run(&["bank", "balance"]), &shown);
    let expected = json!({
        "schema": "compup2p/balance/v1",
        "account": account,
        "available": "1000",
        "held": "0",
        "posted": "1000",
        "tasks": [],
        "other_held": "0",
        "per_hour": null,
        "lasts": null,
    });
    assert_eq!(buyer.json(&["bank", "balance"]), expected);
}

/// Both listings stand somewhere, each with all that a buyer has to know.
fn check_market(buyer: &NodeProcess, seller: &NodeProcess) {
    let listed = || {
        let lists = [buyer, seller].map(|node| (node, node.json(&["market", "list"])));
        let all = lists.iter().flat_map(|(_, list)| list["listings"].as_array().cloned().unwrap_or_default());
        let all: Vec<Value> = all.collect();
        let sellers = |list: &Value| -> u64 {
            let markets = list["markets"].as_array().into_iter().flatten();
            markets.filter_map(|market| market["sellers"].as_u64()).sum()
        };
        let is_whole = all.len() == 2 && lists.iter().all(|(_, list)| sellers(list) == 2);
        is_whole.then_some((lists, all))
    };
    let (lists, mut all) = wait_until("both are listed", Duration::from_secs(60), listed);
    all.sort_by_key(|listing| listing["ask"].to_string());
    for (listing, (node, ask)) in all.iter().zip([(buyer, "0.1"), (seller, "0.2")]) {
        let names = ["address", "ask", "cores", "expires_in", "market", "per_core", "seller"];
        assert_eq!(members(listing), names);
        let stands = (&listing["seller"], &listing["address"], &listing["ask"], &listing["cores"]);
        let (account, address) = (node.account.as_str(), node.address.as_str());
        assert_eq!(stands, (&account.into(), &address.into(), &ask.into(), &1.into()), "{listing}");
    }
    for (node, list) in lists {
        assert_eq!(list["schema"], "compup2p/market-list/v1");
        // The whole network's markets, whoever is asked.
        let markets = list["markets"].as_array().unwrap();
        let lowest = markets.iter().filter_map(|market| market["lowest_ask"].as_str()).min();
        assert_eq!(lowest, Some("0.1"), "{list}");
        let names = [
            "amount",
            "from",
            "highest_ask",
            "last_match",
            "last_price",
            "lowest_ask",
            "market",
            "matches",
            "median_ask",
            "owner",
            "sellers",
        ];
        assert_eq!(members(&markets[0]), names);
        assert_eq!((&list["owners"], &list["unreached"]), (&2.into(), &json!([])), "{list}");
        let shown = columns(&node.run(&["market", "list"]));
        let expected = "market from sellers for sale lowest ask median highest matches last price last match";
        assert_eq!(shown, expected);
    }
    check_one_market(buyer);
}

/// One market with its listings, and where the node's own ask stands in it.
fn check_one_market(buyer: &NodeProcess) {
    let market = text_of(&buyer.json(&["status"])["listed"]);
    let shown = buyer.json(&["market", "show", &market]);
    assert_eq!(
        (&shown["schema"], &shown["market"]["market"]),
        (&"compup2p/market-show/v1".into(), &market.as_str().into())
    );
    assert!(shown["listings"].as_array().is_some_and(|all| !all.is_empty()), "{shown}");
    let price = buyer.json(&["market", "price", "suggest"]);
    assert_eq!((&price["schema"], &price["ask"]), (&"compup2p/market-price/v1".into(), &"0.1".into()));
    assert_eq!(price["standing"]["rank"], 1, "{price}");
    let unknown = buyer.run(&["market", "show", "compute/96"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

fn check_status(buyer: &NodeProcess) {
    let status = wait_until("it has a neighbour", Duration::from_secs(60), || {
        let status = buyer.json(&["status"]);
        (status["predecessor"].is_string() && status["listed"].is_string()).then_some(status)
    });
    assert_eq!((&status["schema"], &status["is_member"]), (&"compup2p/status/v1".into(), &true.into()));
    assert_eq!((&status["account"], &status["ask"]), (&buyer.account.as_str().into(), &"0.1".into()));
    assert_eq!(status["successors"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!((&status["cores"], &status["free_cores"]), (&1.into(), &1.into()), "{status}");
    let shown = buyer.run(&["status"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let names: Vec<&str> = shown.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected = [
        "account", "node", "ring", "bank", "rules", "accounts", "power", "sharing", "selling", "hired",
        "earned", "working", "native", "owns", "contents", "orders", "up",
    ];
    assert_eq!(names, expected);
    assert!(shown.stdout.contains(&format!("account  {}\n", buyer.account)), "{shown:?}");
}

/// In a ring of two each is everything to the other.
fn check_ring(buyer: &NodeProcess, seller: &NodeProcess) {
    let ring = wait_until("neighbours know each other", Duration::from_secs(60), || {
        let check = buyer.run(&["ring", "check"]);
        (check.code == 0 && check.stdout.starts_with("2 nodes, the ring is closed, 0 defects; "))
            .then(|| buyer.json(&["ring", "show"]))
    });
    let of_seller = |node: &Value| {
        assert_eq!(members(node), ["account", "address", "ms", "node_id"]);
        let (account, address) = (seller.account.as_str(), seller.address.as_str());
        assert_eq!((&node["account"], &node["address"]), (&account.into(), &address.into()), "{node}");
        assert!(node["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{node}");
    };
    assert_eq!((&ring["schema"], &ring["fingers"]), (&"compup2p/ring/v1".into(), &json!([])), "{ring}");
    of_seller(&ring["predecessor"]);
    assert_eq!(ring["successors"].as_array().map(Vec::len), Some(1), "{ring}");
    of_seller(&ring["successors"][0]);
    let shown = buyer.run(&["ring", "show"]);
    assert!(shown.stdout.starts_with("node ") && shown.stdout.contains("successor 1"), "{shown:?}");

    // What the seller answers for is found from both sides, without asking anybody else.
    let id = text_of(&ring["successors"][0]["node_id"]);
    for node in [buyer, seller] {
        let lookup = node.json(&["ring", "lookup", &id]);
        assert_eq!(
            (&lookup["schema"], &lookup["key"]),
            (&"compup2p/ring-lookup/v1".into(), &id.as_str().into())
        );
        assert_eq!(
            (&lookup["path"], &lookup["owner"]["node_id"]),
            (&json!([]), &id.as_str().into()),
            "{lookup}"
        );
    }
    // SHA-1 of the empty text.
    let hashed = buyer.json(&["ring", "lookup", ""]);
    assert_eq!(hashed["key"], "da39a3ee5e6b4b0d3255bfef95601890afd80709", "{hashed}");
}

/// A task from its submission to its results, with all that shows it.
fn check_task(buyer: &NodeProcess, to: &Path, seller: &str) {
    let to = text(to);
    let submitted = buyer.run(&["task", "submit", FIGURE_7, "--to", to]);
    check(&submitted, "task 1 (tasks): 1 sub-task submitted; `compup2p task wait 1` waits for the end\n");
    let waited = buyer.run(&["task", "wait", "1"]);
    assert_eq!(waited.code, 0, "{waited:?}");
    assert!(waited.stdout.starts_with("task 1 (tasks): succeeded\nsub-task "), "{waited:?}");
    assert_eq!(std::fs::read_to_string(format!("{to}/joboutput.out")).unwrap(), RESULT);

    let task = buyer.json(&["task", "status", "last"]);
    let form = (&task["schema"], &task["id"], &task["file"], &task["state"]);
    let expected = (&"compup2p/task-status/v1".into(), &1.into(), &FIGURE_7.into(), &"succeeded".into());
    assert_eq!(form, expected, "{task}");
    let one = &task["sub_tasks"][0];
    let expected = [
        "attempts",
        "elapsed",
        "fee",
        "files",
        "gcycles",
        "name",
        "paid",
        "reason_code",
        "sale",
        "state",
        "why",
    ];
    assert_eq!(members(one), expected);
    let sale = &one["sale"];
    let names = ["address", "ask", "asks_seen", "clearing", "market", "second_ask", "seller"];
    assert_eq!((members(sale), &sale["seller"]), (names.to_vec(), &seller.into()), "a node buys from others");
    assert_eq!(one["files"], json!(["joboutput.out"]));
    assert_eq!(buyer.json(&["task", "wait", "1"]), buyer.json(&["task", "status", "1"]));

    let list = buyer.json(&["task", "list"]);
    assert_eq!((&list["schema"], &list["tasks"][0]["id"]), (&"compup2p/task-list/v1".into(), &1.into()));
    let shown = columns(&buyer.run(&["task", "list"]));
    assert_eq!(shown, "task name submitted sub-tasks succeeded time spent state");

    let again = format!("{to}-again");
    check(&buyer.run(&["task", "results", "1", "--to", &again]), "joboutput.out\n");
    assert_eq!(std::fs::read_to_string(format!("{again}/joboutput.out")).unwrap(), RESULT);
    assert_eq!(buyer.json(&["task", "results", "1"])["schema"], "compup2p/task-status/v1");
    let unknown = buyer.run(&["task", "status", "77"]);
    let expected =
        "error: this node has no task `77`\nhint: `compup2p task list` shows the tasks there are\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (2, expected));
}

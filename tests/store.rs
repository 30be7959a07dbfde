//! Banks over PostgreSQL and journals that move between stores, as real processes.

#![cfg(test)]

#[path = "common/postgres.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "common/harness.rs"]
#[expect(dead_code, reason = "tests/cluster.rs uses the rest")]
mod harness;

use cluster::Postgres;
use harness::{Bank, NodeProcess, PATIENCE, json, policy, run, run_within, text, wait_until};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A certificate of somebody else.
const OTHER_AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBeDCCAR2gAwIBAgIUetmEV0jTB9NYPD6mM34QnNLAZmswCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIxMTY0NTIzWhgPMjEyNjEwMjgxNjQ1
MjNaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
UgxQmSxwDwjXcHgfPIZwl+HIZf/xVQhxJqGuSRX99UJyotOyBCYfL8ErvtcL7msF
tHvWIRgG10bCPTvdG84tYaNTMFEwHQYDVR0OBBYEFGLC3/WdCDFzJHgdEw61Nkqy
jF6GMB8GA1UdIwQYMBaAFGLC3/WdCDFzJHgdEw61NkqyjF6GMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAP0oN/rPvp/cCiPDsan0dlLa1+Bu2bw/
nywZD3ez9c/9AiEAnQrgYRk9NrAKy83rAhlJRUeRHuqnS05W2zef8EjI1E0=
-----END CERTIFICATE-----
";

/// A bank whose store is this one.
fn bank_over(store: &str, directory: &Path) -> Bank {
    let within = vec!["env".into(), format!("COMPUP2P_STORE={store}")];
    Bank::start_within(within, directory, "127.0.0.1:0")
}

/// The balance of a node, as soon as its bank tells it one.
fn balance(node: &NodeProcess) -> Value {
    wait_until("the bank tells the balance", PATIENCE, || {
        let finished = node.run(&["bank", "balance", "--json"]);
        (finished.code == 0).then(|| finished.json())
    })
}

fn failure(args: &[&str], home: &Path) -> (i32, String) {
    let finished = run(&[args, &["--json"]].concat(), home);
    let code = finished.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (finished.code, code)
}

/// Copies the key of a bank into the home of another.
fn copy_key(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("bank")).unwrap();
    fs::copy(from.join("bank/node.key"), to.join("bank/node.key")).unwrap();
}

/// What `bank serve` says when its store is this one and it does not serve.
fn refusal(store: &str, environment: &[&str], home: &Path) -> (i32, String) {
    let words = ["bank", "serve", "--local-rules", "--tied", "--listen", "127.0.0.1:0", "--store", store];
    let within = ["env"].iter().chain(environment).map(ToString::to_string).collect();
    let finished = run_within(&within, &[&words[..], &["--json"]].concat(), home);
    let message = finished.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    (finished.code, message)
}

#[test]
fn a_database_that_is_reached_over_a_network_has_to_show_a_certificate_of_the_named_authority() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Postgres::start(&[]);
    cluster.create("money");
    let (port, roots) = cluster.secure();
    let store = format!("postgres://compup2p@localhost:{port}/money?sslmode=require");
    let home = directory.path().join("refused");
    let roots = format!("PGSSLROOTCERT={}", roots.display());
    let other = tempfile::NamedTempFile::new().unwrap();
    fs::write(other.path(), OTHER_AUTHORITY).unwrap();
    let other = format!("PGSSLROOTCERT={}", other.path().display());
    let misnamed = store.replace("localhost:", "127.0.0.1:");
    for (store, environment, code, says) in [
        (&store, vec![], 1, "name the file of its certificate authority in PGSSLROOTCERT"),
        (&store, vec![&*other], 4, "invalid peer certificate"),
        (&misnamed, vec![&*roots], 4, "invalid peer certificate"),
    ] {
        let refused = refusal(store, &environment, &home);
        assert!(refused.0 == code && refused.1.contains(says), "{environment:?}: {refused:?}");
    }

    let within = vec!["env".into(), format!("COMPUP2P_STORE={store}"), roots];
    let bank = Bank::start_within(within, directory.path(), "127.0.0.1:0");
    let node = NodeProcess::start(directory.path(), &bank, "node", &policy("0.1", 1));
    assert_eq!(balance(&node)["available"], "1000");
    let secured = "SELECT count(*) > 0 AND bool_and(ssl AND version = 'TLSv1.3') FROM pg_stat_ssl JOIN \
                   pg_stat_activity USING (pid) WHERE application_name = 'compup2p'";
    assert_eq!(cluster.query("money", secured), "t");
}

#[test]
fn a_journal_moves_from_files_to_a_database_and_back_and_no_money_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Postgres::start(&[]);
    cluster.create("money");
    let store = cluster.address("money");
    let (first, second) = (directory.path().join("1.journal"), directory.path().join("2.journal"));

    let mut bank = Bank::start(directory.path());
    let mut node = NodeProcess::start(directory.path(), &bank, "node", &policy("0.1", 1));
    let granted = balance(&node);
    node.kill9();
    bank.kill9();

    let exported = json(&["bank", "export", text(&first)], &bank.home);
    assert_eq!(
        (exported["schema"].as_str(), exported["bank"].as_str()),
        (Some("compup2p/bank-export/v1"), Some(&*bank.key))
    );
    assert_eq!(failure(&["bank", "export", text(&first)], &bank.home), (2, "file_exists".into()));
    let import = ["bank", "import", "--store", &store, text(&first)];
    let imported = json(&import, directory.path());
    for name in ["bank", "records", "head", "bytes"] {
        assert_eq!(imported[name], exported[name], "{name}");
    }
    assert_eq!(failure(&import, directory.path()), (7, "not_empty".into()));

    let home = directory.path().join("over-postgres");
    copy_key(&bank.home, &home.join("bank-home"));
    let mut bank = bank_over(&store, &home);
    let node = NodeProcess::start(directory.path(), &bank, "node", &policy("0.1", 1));
    assert_eq!(balance(&node)["available"], granted["available"], "the account came along");

    // Another process over the same database is told so, and the bank that serves does not notice.
    let other = directory.path().join("other").join("bank-home");
    copy_key(&bank.home, &other);
    let refused = failure(&["bank", "serve", "--listen", "127.0.0.1:0", "--store", &store], &other);
    assert_eq!(refused, (1, "fenced".into()));
    assert_eq!(balance(&node)["available"], granted["available"]);

    let export = ["bank", "export", "--store", &store, text(&second)];
    let again = json(&export, directory.path());
    assert!(again["records"].as_u64() >= exported["records"].as_u64(), "{again} after {exported}");
    bank.kill9();
    let back = directory.path().join("back");
    assert_eq!(failure(&["bank", "import", text(&second)], &back), (7, "no_key".into()));
    copy_key(&bank.home, &back);
    let imported = json(&["bank", "import", text(&second)], &back);
    assert_eq!((&imported["head"], &imported["records"]), (&again["head"], &again["records"]));
    let third = directory.path().join("3.journal");
    json(&["bank", "export", text(&third)], &back);
    assert!(fs::read(&second).unwrap() == fs::read(&third).unwrap(), "the same journal is the same file");
}

#[test]
fn a_bank_whose_database_goes_away_stops_and_says_so_and_comes_back_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Postgres::start(&[]);
    let store = cluster.address("postgres");
    let bank = bank_over(&store, directory.path());
    let node = NodeProcess::start(directory.path(), &bank, "node", &policy("0.1", 1));
    let granted = balance(&node);
    cluster.stop();
    // The next record cannot be written: a second account.
    let home = directory.path().join("other");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("policy.toml"), policy("0.1", 1)).unwrap();
    let log = bank.home.join("log");
    let other =
        harness::command(&["join", text(&home.join("policy.toml")), "--bootstrap", &bank.bootstrap()], &home)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn();
    let mut other = other.unwrap();
    let said = wait_until("the bank has ended", PATIENCE, || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        text.contains("cannot reach the database").then_some(text)
    });
    let _ = (other.kill(), other.wait());
    assert!(said.contains("start the bank again: what it has acknowledged is there"), "{said}");
    let unreachable = failure(&["bank", "serve", "--listen", "127.0.0.1:0", "--store", &store], &bank.home);
    assert_eq!(unreachable, (4, "store_unreachable".into()));
    let mut bank = bank;
    bank.kill9();
    cluster.restart();
    bank.restart();
    assert_eq!(balance(&node)["available"], granted["available"], "what was acknowledged is there");
}

#[test]
fn an_import_that_is_not_whole_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Postgres::start(&[]);
    let store = cluster.address("postgres");
    let mut bank = Bank::start(directory.path());
    let mut node = NodeProcess::start(directory.path(), &bank, "node", &policy("0.1", 1));
    balance(&node);
    node.kill9();
    bank.kill9();
    let whole = directory.path().join("whole");
    json(&["bank", "export", text(&whole)], &bank.home);
    let cut = directory.path().join("cut");
    let bytes = fs::read(&whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 1]).unwrap();
    let home = directory.path().join("new");
    copy_key(&bank.home, &home);
    assert_eq!(failure(&["bank", "import", text(&cut)], &home), (2, "export_invalid".into()));
    let left: Vec<_> =
        fs::read_dir(home.join("bank")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["node.key"], "nothing but the key is there");
    let into_database = ["bank", "import", "--store", &store, text(&cut)];
    assert_eq!(failure(&into_database, &home), (2, "export_invalid".into()));
    assert_eq!(cluster.query("postgres", "SELECT to_regclass('compup2p.bank') IS NULL"), "t");
    assert_eq!(failure(&["bank", "export", "--store", &store, "none"], &home), (7, "no_bank".into()));
    json(&["bank", "import", text(&whole)], &home);
}

//! A bank that dies, and its standby that takes over.

use super::harness::{Bank, NodeProcess, Within, json, policy, run, wait_until};
use super::network::alone;
use serde_json::Value;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Grants under way at once, and how many each gives at most. Each grant is another power of two, in micro-credits, so
/// that what was issued in all tells which of them happened.
const HANDS: u32 = 4;
const GRANTS: u32 = 9;
/// After so many acknowledged grants the bank is killed.
const ENOUGH: usize = 12;
const WITHIN: Duration = Duration::from_secs(30);

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

/// Grants 2^`power` micro-credits; whether the bank has acknowledged it.
fn grant(home: &Path, power: u32) -> bool {
    let micro = 1_u64 << power;
    let credits = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
    // The public key of a test vector of RFC 8032.
    let account = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    run(&["bank", "grant", account, &credits, "--reason", "load", "--timeout", "5"], home).code == 0
}

/// All that the bank in `home` has issued, in micro-credits.
fn issued(home: &Path) -> u64 {
    let totals = json(&["bank", "totals"], home);
    let issued = totals["issued"].as_str().expect("a text");
    let (whole, part) = issued.split_once('.').unwrap_or((issued, ""));
    whole.parse::<u64>().expect("credits") * 1_000_000 + format!("{part:0<6}").parse::<u64>().expect("micro")
}

fn is_following(bank: &Bank) -> Option<Value> {
    let totals = json(&["bank", "totals"], &bank.home);
    (totals["serving"]["standbys"] == 1).then_some(totals)
}

/// Kills `bank` in the middle of grants; gives which powers were acknowledged.
fn kill_under_load(bank: &mut Bank) -> Vec<u32> {
    let (home, acknowledged) = (bank.home.clone(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for hand in 0..HANDS {
            let (home, acknowledged) = (&home, &acknowledged);
            scope.spawn(move || {
                for number in 0..GRANTS {
                    let power = number * HANDS + hand;
                    if !grant(home, power) {
                        return;
                    }
                    acknowledged.lock().expect("no panic").push(power);
                }
            });
        }
        wait_until("enough grants are acknowledged", WITHIN, || {
            (acknowledged.lock().expect("no panic").len() >= ENOUGH).then_some(())
        });
        bank.kill9();
    });
    acknowledged.into_inner().expect("no panic")
}

#[test]
fn what_a_bank_has_acknowledged_with_its_standby_is_there_after_the_standby_has_taken_over() {
    let _alone = alone();
    let directory = TempDir::new().expect("a temporary directory");
    let mut bank = Bank::start_with(Within::new(), &directory.path().join("a"), &["--standby", "sync"]);
    assert!(!grant(&bank.home, 0), "nothing is promised without a standby");
    let mut standby = bank.standby(&directory.path().join("b"), &free_address(), &[]);
    wait_until("the standby follows", WITHIN, || is_following(&bank));
    let bootstrap = format!("{},{}", bank.bootstrap(), standby.address);
    let node = NodeProcess::start_at(directory.path(), &bootstrap, "n", &policy("0.2", 1));
    wait_until("the account is open", WITHIN, || {
        let balance = node.run(&["bank", "balance", "--json"]);
        (balance.code == 0 && balance.json()["available"] == "1000").then_some(())
    });
    let acknowledged = kill_under_load(&mut bank);
    assert!(acknowledged.len() < (HANDS * GRANTS) as usize, "the bank was killed too late: {acknowledged:?}");

    let promoted = json(&["bank", "promote"], &standby.home);
    assert_eq!((promoted["epoch"].as_u64(), promoted["is_serving"].as_bool()), (Some(2), Some(true)));
    wait_until("the standby serves", WITHIN, || {
        (run(&["bank", "totals", "--json"], &standby.home).json()["serving"]["epoch"] == 2).then_some(())
    });
    let granted = issued(&standby.home) - 1_000_000_000;
    for power in &acknowledged {
        assert!(granted & (1 << power) != 0, "grant {power} was acknowledged and is not there: {granted:b}");
    }
    wait_until("the node has found the bank at its other address", WITHIN, || {
        let balance = node.run(&["bank", "balance", "--json"]);
        (balance.code == 0 && balance.json()["available"] == "1000").then_some(())
    });

    // The former bank comes back, hears that it is none any more, and stays so.
    bank.restart();
    assert_eq!(bank.wait_for_end(), 7);
    let again = run(&["bank", "serve", "--listen", "127.0.0.1:0"], &bank.home);
    assert_eq!(again.code, 7, "{again:?}");
    assert!(again.stderr.contains("another bank with this key has taken over"), "{again:?}");
    standby.kill9();
}

#[test]
fn a_standby_that_was_not_promoted_does_not_serve_and_follows_on() {
    let _alone = alone();
    let directory = TempDir::new().expect("a temporary directory");
    let bank = Bank::start_with(Within::new(), &directory.path().join("a"), &[]);
    assert!(grant(&bank.home, 3));
    let mut standby = bank.standby(&directory.path().join("b"), &free_address(), &[]);
    let records = |home: &Path| json(&["bank", "totals"], home)["records"].as_u64();
    wait_until("the standby has caught up", WITHIN, || (records(&standby.home) == Some(1)).then_some(()));
    standby.kill9();
    assert!(grant(&bank.home, 4) && grant(&bank.home, 5), "an asynchronous bank goes on alone");
    let alone = run(&["bank", "serve", "--listen", "127.0.0.1:0"], &standby.home);
    assert_eq!((alone.code, alone.stderr.contains("standby of the bank")), (7, true), "{alone:?}");
    standby.restart();
    wait_until("the standby has caught up", WITHIN, || (records(&standby.home) == Some(3)).then_some(()));
    let behind = || json(&["bank", "totals"], &bank.home)["serving"]["behind"].as_u64();
    wait_until("the bank knows that nothing would be lost", WITHIN, || (behind() == Some(0)).then_some(()));
    let refused = run(&["bank", "grant", &"ab".repeat(32), "1", "--reason", "x"], &standby.home);
    assert_eq!((refused.code, refused.stderr.contains("this is a standby")), (7, true), "{refused:?}");
}

#[test]
fn a_standby_with_another_history_is_refused_and_one_with_another_key_never_starts() {
    let _alone = alone();
    let directory = TempDir::new().expect("a temporary directory");
    let bank = Bank::start_with(Within::new(), &directory.path().join("a"), &[]);
    let stranger = directory.path().join("c");
    let follow = ["bank", "serve", "--listen", "127.0.0.1:0", "--follow"];
    let refused = run(&[&follow[..], &[&bank.bootstrap()]].concat(), &stranger);
    assert_eq!((refused.code, refused.stderr.contains("copy the bank's node.key")), (2, true), "{refused:?}");
    // The same key, but both go on alone, each with a record that the other does not have.
    let mut standby = bank.standby(&directory.path().join("b"), &free_address(), &[]);
    wait_until("it follows", WITHIN, || is_following(&bank));
    standby.kill9();
    assert!(grant(&bank.home, 7));
    let promoted = json(&["bank", "promote"], &standby.home);
    assert_eq!((promoted["epoch"].as_u64(), promoted["is_serving"].as_bool()), (Some(2), Some(false)));
    let mut bank = bank;
    standby.restart_alone();
    assert!(grant(&standby.home, 8));
    assert_eq!(bank.wait_for_end(), 7, "the former bank has heard of the take-over");
    let refused = run(&[&follow[..], &[&standby.bootstrap()]].concat(), &bank.home);
    let is_told = refused.stderr.contains("the first 1 records of the standby are not this bank's");
    assert_eq!((refused.code, is_told), (7, true), "{refused:?}");
}

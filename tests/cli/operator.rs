//! What the operator of a bank says to it, and who gets an account.

use super::harness::{Bank, NodeProcess, PATIENCE, Within, json, policy, run, wait_until};
use super::known::ALONE;
use serde_json::json as value;
use std::sync::PoisonError;
use tempfile::tempdir;

#[test]
fn the_operator_grants_freezes_and_sees_the_totals() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempdir().unwrap();
    let home = directory.path().join("bank-home");
    let bank = Bank::start_with(Within::new(), &home, &[]);
    // The public key of a test vector of RFC 8032.
    let account = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_owned();
    let say = |args: &[&str]| run(args, &home);
    let granted = say(&["bank", "grant", &account, "12.5", "--reason", "prize"]);
    assert_eq!(granted.stdout, format!("12.5 credits granted to {account} (record 0)\n"), "{granted:?}");
    let frozen = say(&["bank", "freeze", &account, "--reason", "stolen"]);
    assert_eq!(frozen.stdout, format!("{account} is frozen (record 1)\n"), "{frozen:?}");
    let totals = json(&["bank", "totals"], &home);
    assert_eq!(
        (&totals["issued"], &totals["available"], &totals["held"]),
        (&value!("12.5"), &value!("12.5"), &value!("0"))
    );
    assert_eq!((&totals["frozen"], &totals["records"]), (&value!([account]), &value!(2)));
    let freed = say(&["bank", "unfreeze", &account, "--reason", "found"]);
    assert_eq!(freed.stdout, format!("{account} is free again (record 2)\n"), "{freed:?}");
    for (args, code, words) in [
        (&["bank", "grant", "zz", "1", "--reason", "x"][..], 2, "`zz` is no account"),
        (&["bank", "grant", &"ab".repeat(32), "1", "--reason", "x"], 7, "no key that anybody can have"),
        (&["bank", "grant", &account, "0", "--reason", "x"], 2, "expected credits above 0"),
        (&["bank", "freeze", &account, "--reason", &"x".repeat(141)], 2, "a record keeps 140"),
        (&["bank", "promote"], 2, "this is the bank already"),
    ] {
        let refused = say(args);
        assert!(refused.code == code && refused.stderr.contains(words), "{args:?}: {refused:?}");
    }
    drop(bank);
    let nobody = say(&["bank", "totals"]);
    assert!(nobody.code == 4 && nobody.stderr.contains("no bank is running in"), "{nobody:?}");
}

#[test]
fn a_network_by_invitation_opens_accounts_for_whom_the_operator_invites() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempdir().unwrap();
    let home = directory.path().join("bank-home");
    let more = ["--invite-only", "--grant", "25", "--proof-of-work", "12"];
    let bank = Bank::start_with(Within::new(), &home, &more);
    let mut node = NodeProcess::start_at(directory.path(), &bank.bootstrap(), "n", &policy("0.2", 1));
    assert_eq!(node.wait_for_end(), 7, "a node without an account is of no use to anybody");
    let log = std::fs::read_to_string(node.home.join("log")).unwrap();
    assert!(log.contains("error: ") && log.contains("invit"), "{log}");
    let invitation = run(&["bank", "invite", &node.account, "--for", "1h"], &home);
    assert_eq!(invitation.code, 0, "{invitation:?}");
    let file = directory.path().join("invitation");
    std::fs::write(&file, &invitation.stdout).unwrap();
    node.restart_with(&["--invitation", file.to_str().unwrap()]);
    let available = wait_until("the account is open", PATIENCE, || {
        let balance = node.run(&["bank", "balance", "--json"]);
        (balance.code == 0).then(|| balance.json()["available"].clone())
    });
    assert_eq!(available, "25");
    assert_eq!(node.json(&["status"])["rules"]["admission"]["is_by_invitation"], true);
}

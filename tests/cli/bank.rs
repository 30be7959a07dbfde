//! The bank as its customers use it: payments, statements, receipts, on a network of two nodes.

use super::harness::{Bank, Finished, NodeProcess, policy, run, text, wait_until};
use super::known::ALONE;
use serde_json::Value;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use tempfile::tempdir;

const SOON: Duration = Duration::from_secs(60);
/// The id of the payment that is sent again and again.
const ID: &str = "00112233445566778899aabbccddeeff";

fn code_of(finished: &Finished) -> (i32, String) {
    let value = finished.json();
    (finished.code, value["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn entries(node: &NodeProcess) -> Vec<Value> {
    let statement = node.json(&["bank", "statement"]);
    assert_eq!(statement["schema"], "compup2p/bank-statement/v1", "{statement}");
    assert_eq!(statement["account"], node.account.as_str());
    statement["entries"].as_array().cloned().unwrap_or_default()
}

#[test]
fn payments_statements_and_receipts_from_end_to_end() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let mut bank = Bank::start(home.path());
    let start = |name: &str, cost: &str| NodeProcess::start(home.path(), &bank, name, &policy(cost, 1));
    let (buyer, seller) = (start("a", "0.1"), start("b", "0.2"));
    wait_until("the seller is in the market", SOON, || {
        seller.json(&["status"])["listed"].is_string().then_some(())
    });
    check_payment(&buyer, &seller);
    let contract = check_contract(&buyer, &seller, home.path());
    check_receipt(&buyer, &contract, &bank.key, home.path());
    check_outage(&buyer, &seller, &mut bank);
}

/// A payment is made once by its id, is on both statements, and a refused one says why.
fn check_payment(buyer: &NodeProcess, seller: &NodeProcess) {
    let pay = |credits: &str, id: &str| {
        let memo = ["--memo", "for \"nothing\"", "--id", id, "--json"];
        buyer.run(&[&["bank", "transfer", &seller.account, credits][..], &memo].concat())
    };
    let first = pay("12.5", ID);
    assert_eq!(first.code, 0, "{first:?}");
    let paid = first.json();
    assert_eq!((&paid["schema"], &paid["amount"]), (&"compup2p/bank-transfer/v1".into(), &"12.5".into()));
    assert_eq!(pay("12.5", ID).json(), paid, "the same order again is the same payment");
    assert_eq!(code_of(&pay("12.6", ID)), (7, "id_reused".into()));
    assert_eq!(buyer.json(&["bank", "balance"])["posted"], "987.5");

    let short = buyer.run(&["bank", "transfer", &seller.account, "5000"]);
    let expected =
        "error: not enough money: the account has 987.5 credits available, 5000 are needed; 0 are held\n";
    assert_eq!((short.code, short.stderr.lines().next()), (6, expected.lines().next()), "{short:?}");
    let nobody = buyer.run(&["bank", "transfer", "ab", "1"]);
    assert_eq!(nobody.code, 2, "{nobody:?}");

    let lines = |node: &NodeProcess| {
        let all = entries(node);
        let is_paid = |line: &&Value| line["reason"] == "transferred";
        let paid: Vec<Value> = all.iter().filter(is_paid).cloned().collect();
        assert_eq!(paid.len(), 1, "{all:?}");
        paid[0].clone()
    };
    for (node, other, change, balance) in
        [(buyer, seller, "-12.5", "987.5"), (seller, buyer, "+12.5", "1012.5")]
    {
        let line = lines(node);
        assert_eq!((&line["record"], &line["other"]), (&paid["record"], &other.account.as_str().into()));
        assert_eq!((&line["change"], &line["balance"]), (&change.into(), &balance.into()), "{line}");
        assert_eq!(line["memo"], "for \"nothing\"");
    }
}

/// A contract is on both statements with the same id; balances and changes fit each other.
///
/// The work has to cost something: a seller that earns nothing has no line.
fn check_contract(buyer: &NodeProcess, seller: &NodeProcess, home: &Path) -> String {
    let program = std::fs::canonicalize("examples/queens/queens.wasm").unwrap();
    let file = home.join("queens.xml");
    let content = format!(
        "<TaskFile><SubTask><CpuCycles>1</CpuCycles><Price>1</Price><File>{}</File><InputParameters>\
         <Param>8</Param><Param>3</Param></InputParameters></SubTask></TaskFile>",
        program.display()
    );
    std::fs::write(&file, content).unwrap();
    let worked = buyer.run(&["task", "submit", "--wait", text(&file)]);
    assert_eq!(worked.code, 0, "{worked:?}");
    let settled = |node: &NodeProcess| entries(node).into_iter().find(|line| line["reason"] == "settled");
    let (bought, sold) = wait_until("the contract is settled", SOON, || settled(buyer).zip(settled(seller)));
    assert_eq!(bought["contract"], sold["contract"]);
    assert!(bought["change"].as_str().is_some_and(|change| change.starts_with('-')), "{bought}");
    let statement = buyer.run(&["bank", "statement", "--limit", "1"]);
    assert!(statement.stdout.contains("contract settled"), "{statement:?}");
    assert!(statement.stdout.ends_with("there is more: --limit N shows it\n"), "{statement:?}");
    let csv = buyer.run(&["bank", "statement", "--since", "1h", "--csv"]);
    let lines: Vec<&str> = csv.stdout.lines().collect();
    assert_eq!(lines[0], "record,time,reason,contract,other,change,available,held,fee,balance,memo");
    assert_eq!(lines.len(), entries(buyer).len() + 1, "{csv:?}");
    let first = entries(buyer).last().cloned().unwrap_or_default();
    assert_eq!((&first["reason"], &first["balance"]), (&"opened".into(), &"1000".into()), "{first}");
    bought["contract"].as_str().unwrap_or_default().to_owned()
}

/// A receipt is verified without a network, and whatever is changed in its file is found.
fn check_receipt(buyer: &NodeProcess, contract: &str, bank: &str, home: &Path) {
    let file = home.join("deal.json");
    let shown = buyer.run(&["bank", "receipt", contract, "-o", text(&file)]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.starts_with(&format!("contract {contract}: settled in record ")), "{shown:?}");
    assert!(shown.stdout.contains("- the buyer accepted this report\n"), "{shown:?}");
    let nowhere = home.join("nowhere");
    let verify = |bank: &str| run(&["receipt", "verify", text(&file), "--bank", bank], &nowhere);
    let verified = verify(bank);
    assert_eq!((verified.code, &verified.stdout), (0, &shown.stdout), "{verified:?}");
    assert_eq!(verify(&"ab".repeat(32)).code, 1);
    let unnamed = run(&["receipt", "verify", text(&file), "--json"], &nowhere);
    assert_eq!(unnamed.code, 0, "{unnamed:?}");
    assert_eq!(unnamed.json()["contract"], contract);

    let original = std::fs::read_to_string(&file).unwrap();
    let document: Value = serde_json::from_str(&original).unwrap();
    let paper = document["paper"].as_str().unwrap().to_owned();
    let last = if paper.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{last}", &paper[..paper.len() - 1]);
    let richer =
        original.replace(&format!("\"to_buyer\":{}", document["to_buyer"]), "\"to_buyer\":\"1000000\"");
    for (name, changed, code, says) in [
        ("paper", original.replace(&paper, &forged), 1, "does not hold: it is not signed by the bank"),
        ("figure", richer, 1, "does not hold: `to_buyer` is \"1000000\" in the file and "),
        ("half", original.replace(&paper, &paper[..paper.len() / 2]), 2, "is no receipt of a contract"),
        ("nothing", "{}".into(), 2, "is no receipt of a contract"),
        ("no json", "receipt".into(), 2, "is no receipt of a contract"),
    ] {
        assert_ne!(changed, original, "{name}");
        std::fs::write(&file, changed).unwrap();
        let refused = verify(bank);
        assert!(refused.code == code && refused.stderr.contains(says), "{name}: {refused:?}");
    }
    let unknown = buyer.run(&["bank", "receipt", &"0c".repeat(16), "--json"]);
    assert_eq!(code_of(&unknown), (7, "no_hold".into()));
}

/// A bank that is down is not the same as too little money, and the order that it did not answer is carried out once.
fn check_outage(buyer: &NodeProcess, seller: &NodeProcess, bank: &mut Bank) {
    let before = entries(seller).len();
    bank.kill9();
    let id = "ff".repeat(16);
    let pay = || buyer.run(&["bank", "transfer", &seller.account, "1", "--id", &id]);
    let lost = pay();
    let expected = format!(
        "error: cannot reach the bank at {}: the order was not answered within 5 s; it may or may not have been carried \
         out\nhint: repeat it with --id {id} and it is paid once; `bank statement` shows whether it was\n",
        bank.address
    );
    assert_eq!((lost.code, lost.stderr), (4, expected));
    let other = buyer.run(&["bank", "transfer", &seller.account, "2", "--id", &id, "--json"]);
    assert_eq!(code_of(&other), (7, "id_reused".into()));
    for asked in [&["bank", "statement", "--json"][..], &["bank", "receipt", ID, "--json"]] {
        assert_eq!(code_of(&buyer.run(asked)), (4, "bank_unreachable".into()), "{asked:?}");
    }
    bank.restart();
    let paid = wait_until("the bank is heard of again", SOON, || {
        let again = pay();
        (again.code == 0).then_some(again)
    });
    assert_eq!(pay().stdout, paid.stdout);
    assert_eq!(entries(seller).len(), before + 1, "it was paid once");
}

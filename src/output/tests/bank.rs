//! Accounts, statements and receipts as people and programs read them.

use super::PLAIN;
use crate::control::{BalanceView, CommittedView, PaidView};
use crate::output::{DealView, LineView, StatementView, deal_document, human, json};

fn account() -> BalanceView {
    BalanceView {
        account: "ab12".into(),
        available: "99.5".into(),
        held: "3.5".into(),
        posted: "103".into(),
        tasks: Vec::new(),
        other_held: "0".into(),
        per_hour: None,
        lasts: None,
    }
}

#[test]
fn a_balance_tells_what_is_committed_and_how_long_it_lasts() {
    let expected = "\
account   ab12
posted    103 credits
held      3.5 credits
available 99.5 credits
lasts     nothing is being spent
";
    assert_eq!(human::balance(&account()), expected);
    let task = |task, budget: Option<&str>| CommittedView {
        task,
        name: "16 queens".into(),
        held: "2.5".into(),
        spent: "1.2".into(),
        budget: budget.map(Into::into),
    };
    let busy = BalanceView {
        tasks: vec![task(3, Some("20")), task(12, None)],
        other_held: "1".into(),
        per_hour: Some("32.5".into()),
        lasts: Some(11_409.0),
        ..account()
    };
    let expected = "\
account   ab12
posted    103 credits
held      3.5 credits
available 99.5 credits
task 3    2.5 set aside, 1.2 spent of a budget of 20 (16 queens)
task 12   2.5 set aside, 1.2 spent (16 queens)
other     1 set aside for bonds, deposits and contracts of former runs
lasts     about 3 h 10 min at the present rate of 32.50 credits an hour
";
    assert_eq!(human::balance(&busy), expected);
    let expected = concat!(
        r#"{"schema":"compup2p/balance/v1","account":"ab12","available":"99.5","held":"3.5","posted":"103","#,
        r#""tasks":[],"other_held":"0","per_hour":null,"lasts":null}"#
    );
    assert_eq!(json::document("balance", account()).trim_end(), expected);
}

#[track_caller]
fn check_span(seconds: f64, expected: &str) {
    let view = BalanceView { per_hour: Some("1".into()), lasts: Some(seconds), ..account() };
    let text = human::balance(&view);
    let line = text.lines().last().unwrap_or_default();
    assert_eq!(line, format!("lasts     about {expected} at the present rate of 1.00 credits an hour"));
}

#[test]
fn a_span_is_said_as_people_say_it() {
    check_span(0.4, "0 s");
    check_span(59.4, "59 s");
    check_span(60.0, "1 min");
    check_span(3_599.0, "59 min");
    check_span(3_600.0, "1 h 0 min");
    check_span(86_399.0, "23 h 59 min");
    check_span(90_000.0, "1 d 1 h");
    check_span(86_400_000.0, "2 years");
    check_span(f64::INFINITY, "31709791 years");
}

fn line(record: u64, reason: &str, change: &str, held: &str, balance: Option<&str>) -> LineView {
    LineView {
        record,
        time: "2026-11-21T00:41:00Z".into(),
        reason: reason.into(),
        contract: None,
        other: Some("ab12cd34ef".into()),
        change: change.into(),
        available: change.into(),
        held: held.into(),
        fee: "0".into(),
        balance: balance.map(Into::into),
        memo: String::new(),
    }
}

fn lines() -> StatementView {
    let settled = LineView {
        contract: Some("0102".into()),
        fee: "0.01".into(),
        ..line(9, "settled", "-0.85", "-5", Some("9.15"))
    };
    let placed = LineView { contract: Some("0102".into()), ..line(7, "hold_placed", "0", "+5", Some("10")) };
    let paid =
        LineView { memo: "a \"gift\"\u{1b}[2J".into(), ..line(4, "transferred", "+2", "0", Some("10")) };
    let opened = LineView { other: None, ..line(1, "opened", "+8", "0", Some("8")) };
    let entries = vec![settled, placed, paid, opened];
    StatementView { account: "ab12".into(), entries, is_complete: true }
}

#[test]
fn a_statement_has_reasons_contracts_and_balances() {
    let expected = r#"time                  record  change   held   fee  balance  contract  with      what
2026-11-21T00:41:00Z       9   -0.85  -5.00  0.01     9.15  0102      ab12cd34  contract settled
2026-11-21T00:41:00Z       7       -  +5.00     -    10.00  0102      ab12cd34  set aside for a contract
2026-11-21T00:41:00Z       4   +2.00      -     -    10.00  -         ab12cd34  received: a "gift"\u{1b}[2J
2026-11-21T00:41:00Z       1   +8.00      -     -     8.00  -         -         account opened, with the grant
"#;
    assert_eq!(human::statement(&lines(), PLAIN), expected);
    let more = StatementView { is_complete: false, ..lines() };
    assert!(human::statement(&more, PLAIN).ends_with("there is more: --limit N shows it\n"));
    let none = StatementView { entries: Vec::new(), ..lines() };
    assert_eq!(human::statement(&none, PLAIN), "nothing has happened on the account in this time\n");
}

#[track_caller]
fn check_words(reason: &str, change: &str, held: &str, expected: &str) {
    let entries = vec![line(1, reason, change, held, None)];
    let text = human::statement(&StatementView { entries, ..lines() }, PLAIN);
    let words = text.lines().nth(1).unwrap_or_default();
    assert!(words.ends_with(&format!("-         ab12cd34  {expected}")), "{words}");
}

#[test]
fn every_reason_has_its_words() {
    check_words("granted", "+1", "0", "granted by the operator");
    check_words("transferred", "-1", "0", "paid");
    check_words("bond_placed", "0", "+1", "bond put up");
    check_words("disputed", "0", "+1", "put up for a second execution");
    check_words("frozen", "0", "0", "account frozen by the operator");
    check_words("freed", "0", "0", "account freed by the operator");
    check_words("settled", "+1", "0", "earned by a contract");
    check_words("lapsed", "+1", "0", "earned by a contract");
    check_words("lapsed", "-1", "-1", "contract settled: nobody objected in time");
    check_words("released", "0", "-1", "given back by the seller");
    check_words("expired", "0", "-1", "given back: the time was over");
    check_words("no-show", "+1", "-1", "the seller delivered nothing");
    check_words("upheld", "-1", "-1", "a second execution came to the same");
    check_words("overturned", "0", "-1", "a second execution came to something else");
    check_words("undecided", "-1", "-1", "no arbiter answered: settled as claimed");
}

#[test]
fn a_statement_is_for_programs_too() {
    let csv = r#"record,time,reason,contract,other,change,available,held,fee,balance,memo
9,2026-11-21T00:41:00Z,settled,0102,ab12cd34ef,-0.85,-0.85,-5,0.01,9.15,""
7,2026-11-21T00:41:00Z,hold_placed,0102,ab12cd34ef,0,0,+5,0,10,""
4,2026-11-21T00:41:00Z,transferred,,ab12cd34ef,+2,+2,0,0,10,"a ""gift""\u{1b}[2J"
1,2026-11-21T00:41:00Z,opened,,,+8,+8,0,0,8,""
"#;
    assert_eq!(human::statement_csv(&lines()), csv);
    let entries = vec![line(4, "transferred", "+2", "0", Some("10"))];
    let expected = concat!(
        r#"{"schema":"compup2p/bank-statement/v1","account":"ab12","entries":[{"record":4,"#,
        r#""time":"2026-11-21T00:41:00Z","reason":"transferred","contract":null,"other":"ab12cd34ef","#,
        r#""change":"+2","available":"+2","held":"0","fee":"0","balance":"10","memo":""}],"is_complete":true}"#
    );
    let one = StatementView { entries, ..lines() };
    assert_eq!(json::document("bank-statement", &one).trim_end(), expected);
}

#[test]
fn a_payment_is_one_line() {
    let paid = PaidView {
        id: "0c".into(),
        from: "ab12".into(),
        to: "cd34".into(),
        amount: "5".into(),
        memo: "rent".into(),
        record: 17,
        time: "2026-11-21T00:41:00Z".into(),
    };
    let expected = "paid 5 credits to cd34: record 17 at 2026-11-21T00:41:00Z, id 0c\n";
    assert_eq!(human::paid(&paid), expected);
}

fn receipt() -> DealView {
    DealView {
        contract: "0102".into(),
        how: "settled".into(),
        record: 17,
        time: "2026-11-21T00:41:00Z".into(),
        chain: "ff".into(),
        bank: "ba".into(),
        buyer: "b1".into(),
        seller: "5e".into(),
        owner: Some("03".into()),
        arbiter: None,
        held_of_buyer: "5".into(),
        held_of_seller: "0".into(),
        to_seller: "0.84".into(),
        to_owner: "0.01".into(),
        to_buyer: "4.15".into(),
        to_arbiter: "0".into(),
        to_pool: "0".into(),
        proven: vec!["the buyer accepted this report".into()],
        unproven: vec!["that the market owner left no cheaper listing out".into()],
        paper: "00ff".into(),
    }
}

#[test]
fn a_receipt_tells_who_got_what_and_what_is_proven() {
    let expected = "\
contract 0102: settled in record 17 at 2026-11-21T00:41:00Z
bank     ba
buyer    b1
seller   5e
owner    03
held     5 of the buyer
given    0.84 to the seller, 0.01 to the market owner, 4.15 back to the buyer
proven:
- the buyer accepted this report
not proven:
- that the market owner left no cheaper listing out
";
    assert_eq!(human::deal(&receipt()), expected);
    let judged = DealView {
        arbiter: Some("a4".into()),
        held_of_seller: "2".into(),
        to_arbiter: "1.5".into(),
        to_pool: "0.25".into(),
        ..receipt()
    };
    let text = human::deal(&judged);
    assert!(text.contains("arbiter  a4\nheld     5 of the buyer, 2 of the seller\n"), "{text}");
    assert!(text.contains(" back to the buyer, 1.5 to the arbiter, 0.25 to the bank's pool\n"), "{text}");
    let file = deal_document(&receipt());
    assert!(file.starts_with(r#"{"schema":"compup2p/deal-receipt/v1","contract":"0102","how":"settled","#));
    assert!(file.ends_with("\"paper\":\"00ff\"}\n"), "{file}");
}

//! Accounts, statements and receipts for people.

use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, short};
use crate::control::{BalanceView, CommittedView, PaidView};
use crate::output::view::{DealView, LineView, StatementView};
use std::fmt::Write as _;

/// An account: what it has, what of it is committed to what, and how long it lasts.
pub(in crate::output) fn balance(balance: &BalanceView) -> String {
    let mut text = String::new();
    let lines = [
        ("account", balance.account.clone()),
        ("posted", format!("{} credits", balance.posted)),
        ("held", format!("{} credits", balance.held)),
        ("available", format!("{} credits", balance.available)),
    ];
    for (name, value) in &lines {
        let _ = writeln!(text, "{name:<9} {}", clean(value));
    }
    for CommittedView { task, name, held, spent, budget } in &balance.tasks {
        let budget = budget.as_ref().map_or_else(String::new, |budget| format!(" of a budget of {budget}"));
        let name = clean(name);
        let _ = writeln!(text, "task {task:<4} {held} set aside, {spent} spent{budget} ({name})");
    }
    if balance.other_held != "0" {
        let other = clean(&balance.other_held);
        let _ =
            writeln!(text, "other     {other} set aside for bonds, deposits and contracts of former runs");
    }
    let lasts = balance.lasts.zip(balance.per_hour.as_deref()).map(|(lasts, per_hour)| {
        format!("about {} at the present rate of {} credits an hour", span(lasts), two_decimals(per_hour))
    });
    let _ = writeln!(text, "lasts     {}", lasts.unwrap_or_else(|| "nothing is being spent".into()));
    text
}

/// Seconds as people say them, to the minute from an hour on.
fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and bounded")]
    let seconds = seconds.clamp(0.0, 1e15).round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        _ if days < 1_000 => format!("{days} d {hours} h"),
        _ => format!("{} years", days / 365),
    }
}

/// What happened on an account.
pub(in crate::output) fn statement(statement: &StatementView, look: Look) -> String {
    if statement.entries.is_empty() {
        return "nothing has happened on the account in this time\n".into();
    }
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("time", left),
        ("record", right),
        ("change", right),
        ("held", right),
        ("fee", right),
        ("balance", right),
        ("contract", left),
        ("with", left),
        ("what", left),
    ]);
    for line in &statement.entries {
        let memo = if line.memo.is_empty() { String::new() } else { format!(": {}", line.memo) };
        let cells = [
            line.time.clone(),
            line.record.to_string(),
            amount(&line.change),
            amount(&line.held),
            amount(&line.fee),
            line.balance.as_deref().map_or_else(|| "-".into(), two_decimals),
            line.contract.clone().unwrap_or_else(|| "-".into()),
            line.other.as_deref().map_or("-", short).to_owned(),
            format!("{}{memo}", words(line)),
        ];
        table.row(cells, Colour::Plain);
    }
    let mut text = table.render(look.width, look.has_colour);
    if !statement.is_complete {
        text.push_str("there is more: --limit N shows it\n");
    }
    text
}

fn amount(text: &str) -> String {
    if text == "0" { "-".into() } else { two_decimals(text) }
}

/// Why the account moved, in words.
fn words(line: &LineView) -> &str {
    let is_spent = line.held.starts_with('-');
    match (line.reason.as_str(), is_spent) {
        ("opened", _) => "account opened, with the grant",
        ("granted", _) => "granted by the operator",
        ("transferred", _) if line.change.starts_with('-') => "paid",
        ("transferred", _) => "received",
        ("hold_placed", _) => "set aside for a contract",
        ("bond_placed", _) => "bond put up",
        ("disputed", _) => "put up for a second execution",
        ("frozen", _) => "account frozen by the operator",
        ("freed", _) => "account freed by the operator",
        ("settled", true) => "contract settled",
        ("settled" | "lapsed", false) => "earned by a contract",
        ("released", _) => "given back by the seller",
        ("expired", _) => "given back: the time was over",
        ("lapsed", true) => "contract settled: nobody objected in time",
        ("no-show", _) => "the seller delivered nothing",
        ("upheld", _) => "a second execution came to the same",
        ("overturned", _) => "a second execution came to something else",
        ("undecided", _) => "no arbiter answered: settled as claimed",
        (other, _) => other,
    }
}

/// The same as comma-separated values, each text in quotes.
pub(in crate::output) fn statement_csv(statement: &StatementView) -> String {
    let mut text = String::from("record,time,reason,contract,other,change,available,held,fee,balance,memo\n");
    for line in &statement.entries {
        let quoted = |text: &str| format!("\"{}\"", clean(text).replace('"', "\"\""));
        let cells = [
            line.record.to_string(),
            line.time.clone(),
            line.reason.clone(),
            line.contract.clone().unwrap_or_default(),
            line.other.clone().unwrap_or_default(),
            line.change.clone(),
            line.available.clone(),
            line.held.clone(),
            line.fee.clone(),
            line.balance.clone().unwrap_or_default(),
            quoted(&line.memo),
        ];
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

/// A payment that was made.
pub(in crate::output) fn paid(paid: &PaidView) -> String {
    let PaidView { id, to, amount, record, time, .. } = paid;
    clean(&format!("paid {amount} credits to {to}: record {record} at {time}, id {id}")) + "\n"
}

/// A receipt: who got what, what is proven, and what is not.
pub(in crate::output) fn deal(deal: &DealView) -> String {
    let DealView { contract, how, record, time, bank, buyer, seller, .. } = deal;
    let mut text = format!("contract {contract}: {how} in record {record} at {time}\n");
    let nobody = || "-".to_owned();
    let parties = [
        ("bank", bank.clone()),
        ("buyer", buyer.clone()),
        ("seller", seller.clone()),
        ("owner", deal.owner.clone().unwrap_or_else(nobody)),
        ("arbiter", deal.arbiter.clone().unwrap_or_else(nobody)),
    ];
    for (role, key) in parties.iter().filter(|(_, key)| key != "-") {
        let _ = writeln!(text, "{role:<8} {key}");
    }
    let held = if deal.held_of_seller == "0" {
        String::new()
    } else {
        format!(", {} of the seller", deal.held_of_seller)
    };
    let _ = writeln!(text, "held     {} of the buyer{held}", deal.held_of_buyer);
    let third = [(&deal.to_arbiter, "the arbiter"), (&deal.to_pool, "the bank's pool")];
    let third =
        third.iter().filter(|(money, _)| *money != "0").map(|(money, to)| format!(", {money} to {to}"));
    let _ = writeln!(
        text,
        "given    {} to the seller, {} to the market owner, {} back to the buyer{}",
        deal.to_seller,
        deal.to_owner,
        deal.to_buyer,
        third.collect::<String>()
    );
    for (title, sentences) in [("proven", &deal.proven), ("not proven", &deal.unproven)] {
        let _ = writeln!(text, "{title}:");
        sentences.iter().for_each(|sentence| {
            let _ = writeln!(text, "- {}", clean(sentence));
        });
    }
    text
}

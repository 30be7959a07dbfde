//! `compup2p bank statement`: what happened on the account, with the balance after each line.

use super::balance_of;
use crate::cli::arguments::{Global, Statement};
use crate::cli::node::{ANSWER, ask_node};
use crate::cli::{Done, client, exit};
use crate::control::{EntriesView, EntryView, Failure, Reply, Request, StatementRequest};
use crate::output::{LineView, Printer, StatementView};
use jiff::Timestamp;
use proto::Money;

/// How many lines are shown when nothing else is said.
const USUAL: u32 = 50;
/// The most lines of one statement.
const MOST: u32 = 100_000;
/// Lines that are asked for at once.
const PAGE: u32 = 500;
/// How often the first page is read again when the account moves meanwhile.
const TRIES: usize = 5;

pub(in crate::cli) fn statement(statement: &Statement, global: &Global, printer: Printer) -> Done {
    let limit = statement.limit.unwrap_or(if statement.since.is_some() { MOST } else { USUAL });
    let since = statement.since.map_or(0, |since| u64::try_from(since.0.as_microsecond()).unwrap_or(0));
    let (first, balance) = beginning(global, limit.min(PAGE))?;
    let mut pages = Pages { limit, since, entries: Vec::new(), is_complete: false };
    let account = first.account.clone();
    let mut next = pages.take(first);
    while let Some(before) = next {
        let left = limit.saturating_sub(u32::try_from(pages.entries.len()).unwrap_or(u32::MAX));
        next = pages.take(page(global, Some(before), left.min(PAGE))?);
    }
    let entries = lines(&pages.entries, balance);
    let view = StatementView { account, entries, is_complete: pages.is_complete };
    printer.statement(&view, statement.csv)?;
    Ok(exit::SUCCESS)
}

/// The newest lines, and what the account had after the first of them: the line that was the newest before the balance
/// was asked for is still the newest afterwards. An account that never rests long enough for that has no balances.
fn beginning(global: &Global, limit: u32) -> Result<(EntriesView, Option<i128>), Failure> {
    let mut newest = page(global, None, 1)?;
    for _ in 0..TRIES {
        let balance = balance_of(global)?;
        let first = page(global, None, limit)?;
        let number = |page: &EntriesView| page.entries.first().map(|entry| entry.record);
        if number(&newest) == number(&first) {
            let posted = balance.posted.parse::<Money>().ok().map(|posted| i128::from(posted.0));
            return Ok((first, posted));
        }
        newest = first;
    }
    Ok((newest, None))
}

fn page(global: &Global, before: Option<u64>, limit: u32) -> Result<EntriesView, Failure> {
    match ask_node(global, &Request::Statement(StatementRequest { before, limit }), ANSWER)? {
        (_, Reply::Entries(entries)) => Ok(*entries),
        (home, _) => Err(client::unexpected(&home)),
    }
}

/// The pages that were read so far.
struct Pages {
    limit: u32,
    /// Microseconds since the Unix epoch.
    since: u64,
    entries: Vec<EntryView>,
    /// Whether nothing that was asked for is missing.
    is_complete: bool,
}

impl Pages {
    /// Takes a page; before which record the next one begins, if one is to be read.
    fn take(&mut self, page: EntriesView) -> Option<u64> {
        let last = page.entries.last().map(|entry| entry.record);
        let count = page.entries.len();
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        for entry in page.entries {
            if entry.time < self.since {
                self.is_complete = true;
                return None;
            }
            if self.entries.len() >= most {
                return None;
            }
            self.entries.push(entry);
        }
        self.is_complete = page.is_complete;
        last.filter(|_| !page.is_complete && count > 0 && self.entries.len() < most)
    }
}

/// The lines with the balance after each: `posted` is the one after the first.
fn lines(entries: &[EntryView], posted: Option<i128>) -> Vec<LineView> {
    let mut after = posted;
    entries
        .iter()
        .map(|entry| {
            let change = i128::from(entry.available) + i128::from(entry.held);
            let balance = after.map(plain);
            after = after.map(|micro| micro - change);
            let micros = i64::try_from(entry.time).unwrap_or(i64::MAX);
            let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
            LineView {
                record: entry.record,
                time: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                reason: entry.reason.clone(),
                contract: entry.contract.clone(),
                other: entry.other.clone(),
                change: signed(change),
                available: signed(i128::from(entry.available)),
                held: signed(i128::from(entry.held)),
                fee: Money(entry.fee).to_string(),
                balance,
                memo: entry.memo.clone(),
            }
        })
        .collect()
}

/// Micro-credits as credits, with a minus below zero.
fn plain(micro: i128) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    format!("{sign}{}", Money(u64::try_from(micro.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// The same with a plus above zero.
fn signed(micro: i128) -> String {
    format!("{}{}", if micro > 0 { "+" } else { "" }, plain(micro))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(record: u64, time: u64, available: i64, held: i64) -> EntryView {
        EntryView {
            record,
            time,
            reason: "transferred".into(),
            contract: None,
            other: None,
            available,
            held,
            fee: 10_000,
            memo: String::new(),
        }
    }

    #[test]
    fn the_balance_is_reckoned_backwards_from_the_present_one() {
        let entries = [entry(9, 3, 20, -70), entry(7, 2, -70_000_000, 70_000_000), entry(2, 1, 1_500_000, 0)];
        let told: Vec<_> = lines(&entries, Some(100_000_000))
            .into_iter()
            .map(|line| (line.change, line.held, line.balance.unwrap()))
            .collect();
        let expected =
            [("-0.00005", "-0.00007", "100"), ("0", "+70", "100.00005"), ("+1.5", "0", "100.00005")];
        let expected: Vec<_> =
            expected.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
        assert_eq!(told, expected);
        assert_eq!(lines(&entries, None)[0].balance, None);
        let first = &lines(&entries, None)[0];
        assert_eq!((first.time.as_str(), first.fee.as_str()), ("1970-01-01T00:00:00Z", "0.01"));
    }

    /// Pages of these (record, time) are read with a limit and a time; what is shown, whether it is complete, and how
    /// many pages were asked for.
    #[track_caller]
    fn check(limit: u32, since: u64, pages: &[&[(u64, u64)]], expected: (&[u64], bool, usize)) {
        let mut read = Pages { limit, since, entries: Vec::new(), is_complete: false };
        let mut count = 0;
        for (number, page) in pages.iter().enumerate() {
            count += 1;
            let entries = page.iter().map(|(record, time)| entry(*record, *time, 0, 0)).collect();
            let is_complete = number + 1 == pages.len();
            let next = read.take(EntriesView { account: String::new(), entries, is_complete });
            if next.is_none() {
                break;
            }
            assert_eq!(next, page.last().map(|(record, _)| *record));
        }
        let records: Vec<u64> = read.entries.iter().map(|entry| entry.record).collect();
        assert_eq!((records.as_slice(), read.is_complete, count), expected);
    }

    #[test]
    fn pages_are_read_until_there_is_enough() {
        let pages: &[&[(u64, u64)]] = &[&[(9, 90), (7, 70)], &[(5, 50), (3, 30)], &[(1, 10)]];
        check(50, 0, pages, (&[9, 7, 5, 3, 1], true, 3));
        check(3, 0, pages, (&[9, 7, 5], false, 2));
        check(2, 0, pages, (&[9, 7], false, 1));
        check(50, 40, pages, (&[9, 7, 5], true, 2));
        check(50, 95, pages, (&[], true, 1));
        check(50, 0, &[&[]], (&[], true, 1));
    }
}

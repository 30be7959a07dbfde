//! What a durable movement of money costs: a real bank behind gRPC with TLS on both sides over the loopback, and
//! PostgreSQL on the same disk in the same run. Clients share the machine's cores with both.
//!
//! Every order is signed by its client and verified by the bank, which PostgreSQL does not do; PostgreSQL is asked
//! through a Unix socket. `COMPUP2P_BENCH_SECONDS` is how long each line measures (10), `TMPDIR` names the disk.

#[path = "bank/customers.rs"]
mod customers;
#[path = "bank/disk.rs"]
mod disk;
#[path = "bank/rival.rs"]
mod rival;

use crate::control::Failure;
use customers::{Customers, Served, Work};
use rival::Rival;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// Customers at once, on both sides (issue: 32 clients).
pub(crate) const CLIENTS: usize = 32;
/// Orders of one customer that are under way when they are streamed.
const STREAMED: usize = 64;
/// Payments in one signed transfer.
const BATCH: usize = 1_000;
/// How long a line measures unless the environment says otherwise.
const SECONDS: u64 = 10;

/// A measured line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figure {
    /// Movements a second.
    pub(crate) rate: f64,
    /// Milliseconds until the answer: half of them, and 99 of 100, are faster.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Figure {
    /// Of so many movements in `span`, with the latencies of their orders in microseconds.
    pub(crate) fn of(movements: u64, span: Duration, mut latencies: Vec<u32>) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| {
            let found = latencies.get(latencies.len() * percent / 100).or(latencies.last());
            f64::from(found.copied().unwrap_or(0)) / 1_000.0
        };
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let rate = movements as f64 / span.as_secs_f64();
        Self { rate, p50: at(50), p99: at(99) }
    }
}

/// Measures everything and prints it.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let measured = runtime.map_err(Failure::from_display("runtime")).and_then(|runtime| {
        let measured = runtime.block_on(measure());
        runtime.shutdown_background();
        measured
    });
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("{}: {} {}", failure.code, failure.message, failure.hint));
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<(), Failure> {
    let seconds = std::env::var("COMPUP2P_BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let span = Duration::from_secs(seconds.unwrap_or(SECONDS));
    say(&format!("{CLIENTS} clients, {} s a line; p50 and p99 in ms\n", span.as_secs()));
    let sync = disk::measure()?;
    let rival = Rival::start(CLIENTS);
    let pg = rival.measure(span);
    line("PostgreSQL, TPC-B-like, scale 50", pg.tpcb, "");
    line("PostgreSQL, double entry in a function", pg.double, "");
    line("PostgreSQL, one hot account", pg.hot, "");
    let ours = serve_all("files", None, span).await?;
    judge("unary is 3 times TPC-B", ours.unary.rate / pg.tpcb.rate, 3.0);
    judge("unary's p99 is lower: TPC-B's is so many times ours", pg.tpcb.p99 / ours.unary.p99, 1.0);
    let streamed = ours.streamed.rate / pg.double.rate;
    judge("streamed is 20 times double entry (floor 10)", streamed, 20.0);
    judge("batch-signed is 20 times double entry (floor 10)", ours.batch.rate / pg.double.rate, 20.0);
    judge("one hot account, streamed, is 50 times PostgreSQL's", ours.hot.rate / pg.hot.rate, 50.0);
    judge("one hot account, batch-signed, is 50 times PostgreSQL's", ours.hot_batch.rate / pg.hot.rate, 50.0);
    ceiling("unary", sync, ours.unary.rate, CLIENTS);
    ceiling("streamed", sync, ours.streamed.rate, CLIENTS * STREAMED);
    let direct = rival.measure_store(span)?;
    line("store in PostgreSQL alone, groups of 32", direct.small, "");
    line("store in PostgreSQL alone, groups of 1,024", direct.large, "");
    let over = serve_all("PostgreSQL", Some(rival.store("served")), span).await?;
    judge("unary over PostgreSQL is pgbench's TPC-B", over.unary.rate / pg.tpcb.rate, 1.0);
    judge("streamed over PostgreSQL is pgbench's TPC-B", over.streamed.rate / pg.tpcb.rate, 1.0);
    judge("groups over PostgreSQL are pgbench's double entry", direct.large.rate / pg.double.rate, 1.0);
    Ok(())
}

/// What a bank does, with its journal in files or in a database.
struct Measured {
    unary: Figure,
    streamed: Figure,
    batch: Figure,
    hot: Figure,
    hot_batch: Figure,
}

async fn serve_all(name: &str, store: Option<String>, span: Duration) -> Result<Measured, Failure> {
    let served = Served::start(store.as_deref())?;
    let mut customers = Customers::open(&served, CLIENTS).await?;
    let mut take = async |work: Work, in_flight: usize, what: &str, note: &str| {
        let figure = customers.work(work, in_flight, span).await?;
        line(&format!("ours over {name}, {what}"), figure, note);
        Ok::<Figure, Failure>(figure)
    };
    let unary = take(Work::Pay { payments: 1, is_hot: false }, 1, "unary", "").await?;
    let streamed =
        take(Work::Pay { payments: 1, is_hot: false }, STREAMED, "streamed", "64 under way each").await?;
    let batch = Work::Pay { payments: BATCH, is_hot: false };
    let batch = take(batch, 2, "batch-signed", "1,000 payments in a transfer").await?;
    let hot =
        take(Work::Pay { payments: 1, is_hot: true }, STREAMED, "one hot account, streamed", "").await?;
    let hot_batch = Work::Pay { payments: BATCH, is_hot: true };
    let hot_batch = take(hot_batch, 2, "one hot account, batch-signed", "").await?;
    take(Work::Settle, 2, "contracts, unary", "hold and settle with all papers").await?;
    take(Work::Settle, STREAMED, "contracts, streamed", "").await?;
    Ok(Measured { unary, streamed, batch, hot, hot_batch })
}

fn line(what: &str, figure: Figure, note: &str) {
    let Figure { rate, p50, p99 } = figure;
    say(&format!("{what:<52}{rate:>11.0}/s {p50:>9.2} {p99:>9.2}  {note}"));
}

fn judge(what: &str, ratio: f64, mark: f64) {
    let verdict = if ratio >= mark { "reached" } else { "MISSED" };
    say(&format!("  mark: {what:<56}{ratio:>7.2}  {verdict}"));
}

/// What the disk would allow if nothing else cost anything.
fn ceiling(what: &str, sync: Duration, rate: f64, group: usize) {
    let group = f64::from(u32::try_from(group).unwrap_or(u32::MAX));
    let ceiling = group / sync.as_secs_f64();
    say(&format!(
        "  ceiling of {what}: {group} in a group, one sync each: {ceiling:.0}/s, {:.3} of it",
        rate / ceiling
    ));
}

pub(crate) fn say(text: &str) {
    // Somebody who does not read on has seen enough.
    let _is_heard = writeln!(std::io::stdout(), "{text}").is_ok();
}

//! `compup2p sim market`: messages per trade and load per market owner, under both placement schemes.

use super::{Done, exit, value};
use crate::control::Failure;
use crate::output::{Bar, Printer, TradeRow, Trading};
use ::sim::trade::{self, Spread, Trades};
use clap::Args;
use proto::Placement;

/// The most nodes and markets of a case: their tables are all in memory.
const MAX_NODES: i64 = 100_000;
const MAX_MARKETS: i64 = 100_000;

/// What is measured: every combination of nodes, markets and windows, under both schemes.
#[derive(Args, Clone, Debug)]
pub(super) struct Market {
    /// Nodes of the ring, one or several counts
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1000", value_parser = clap::value_parser!(u32).range(2..=MAX_NODES))]
    nodes: Vec<u32>,
    /// Markets in which somebody is listed, one or several counts; a network has at most 96 of compute power, more are finer classes
    #[arg(long, value_name = "M,…", value_delimiter = ',', default_value = "100", value_parser = clap::value_parser!(u32).range(1..=MAX_MARKETS))]
    markets: Vec<u32>,
    /// Share of the scale of capacities in which all these markets lie, above 0 and at most 1, one or several
    #[arg(long, value_name = "PHI,…", value_delimiter = ',', default_value = "1", value_parser = value::window)]
    window: Vec<u32>,
    /// Purchases of a case
    #[arg(long, value_name = "T", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    trades: u32,
    /// Length of the successor lists
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    successors: u8,
    /// The same seed gives the same figures
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the figures as a header and lines of comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn run(market: &Market, printer: Printer) -> Done {
    let cases = cases(market);
    let all = u64::try_from(cases.len()).unwrap_or(u64::MAX);
    let bar = Bar::new(printer, 0, "cases");
    let mut rows = Vec::new();
    for (done, case) in (0..).zip(&cases) {
        bar.set_of(done, all);
        rows.push(TradeRow::of(case, &trade::run(case)));
    }
    bar.end();
    let shown = Trading::new(market.seed, rows);
    printer.trading(&shown, market.csv)?;
    if shown.wrong() > 0 {
        let message = format!("{} purchases ended at the wrong market", shown.wrong());
        return Err(Failure::new("violation", message, exit::FAILED)
            .hint("this is a defect: the same seed shows it again")
            .into());
    }
    Ok(exit::SUCCESS)
}

fn cases(market: &Market) -> Vec<Trades> {
    let mut cases = Vec::new();
    for &window in &market.window {
        for &markets in &market.markets {
            for &nodes in &market.nodes {
                for placement in [Placement::Single, Placement::Processor] {
                    let (trades, seed, successors) = (market.trades, market.seed, market.successors.into());
                    let spread = Spread::Uniform;
                    cases.push(Trades {
                        nodes,
                        markets,
                        window,
                        spread,
                        placement,
                        trades,
                        successors,
                        counts_upkeep: true,
                        seed,
                    });
                }
            }
        }
    }
    cases
}

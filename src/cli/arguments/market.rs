//! The arguments of `market`.

use crate::cli::value;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MarketCommand {
    /// Show the markets of the whole network: sellers, asks, last prices
    #[command(after_help = "Example:\n  compup2p market list\n\n\
        Exit codes:\n  0 shown (what could not be reached is named) · 4 no node is running, or no owner answers")]
    List,
    /// Show one market with its cheapest listings
    #[command(after_help = "Example:\n  compup2p market show compute/40\n\n\
        Exit codes:\n  0 shown · 2 no such market · 4 no node is running, or its owner does not answer")]
    Show {
        /// Which: compute/CLASS, memory/CLASS or disk/CLASS
        #[arg(value_parser = value::market)]
        market: String,
    },
    /// Show what this node has seen of sellers: whose results were right
    #[command(
        after_help = "Example:\n  compup2p market sellers\n\nExit codes:\n  0 shown · 4 no node is running"
    )]
    Sellers,
    /// Look at what this node asks
    #[command(after_help = "Example:\n  compup2p market price suggest\n\nExit codes: see the commands")]
    Price {
        #[command(subcommand)]
        command: PriceCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PriceCommand {
    /// Tell where the ask stands, and what the market pays
    #[command(after_help = "Example:\n  compup2p market price suggest\n\n\
        Exit codes:\n  0 told · 4 no node is running, or the market cannot be reached")]
    Suggest,
}

//! The arguments of the commands about the node's account and about receipts.

use crate::cli::moment::{self, Moment};
use crate::cli::value;
use clap::{Args, Subcommand};
use proto::{CommandId, Money, PublicKey};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(in crate::cli) struct Statement {
    /// Only what happened since: 2026-11-20, "2026-11-20 18:00", or so long ago: 90s, 30m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = moment::past)]
    pub(in crate::cli) since: Option<Moment>,
    /// So many lines at most, the newest first [default: 50; all of them with --since]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) limit: Option<u32>,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Receipt {
    /// The contract, as `bank statement` shows it
    #[arg(value_parser = value::id)]
    pub(in crate::cli) contract: CommandId,
    /// Write it to this file too, for `compup2p receipt verify`
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Transfer {
    /// Who is paid: the account's 64 hexadecimal digits
    #[arg(value_parser = value::key)]
    pub(in crate::cli) account: PublicKey,
    /// How much, such as 12 or 0.25
    #[arg(value_parser = value::amount)]
    pub(in crate::cli) credits: Money,
    /// What it is for, up to 140 bytes; both sides see it on their statements
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(in crate::cli) memo: String,
    /// The order's id, 32 hexadecimal digits: the same id is paid once, however often it is sent [default: a new one]
    #[arg(long, value_name = "HEX", value_parser = value::id)]
    pub(in crate::cli) id: Option<CommandId>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReceiptCommand {
    /// Check a receipt without any network: signatures, papers, amounts
    #[command(
        after_help = "Example:\n  compup2p receipt verify deal.json --bank 5f3c0a9d17e2b86458c1f03aa7d94e6b20c8f5713d9e4b06a2c7185fe09d3b74\n\n\
        It prints what is proven, and what has to be believed of whom.\n\n\
        Exit codes:\n  0 it holds · 1 it does not: the first thing that is wrong · 2 usage, or the file is no receipt"
    )]
    Verify {
        /// The file, from `bank receipt -o FILE`
        file: PathBuf,
        /// The key of the bank that it has to be of, 64 hexadecimal digits
        #[arg(long, value_name = "KEY", value_parser = value::key)]
        bank: Option<PublicKey>,
    },
}

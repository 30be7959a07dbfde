//! The arguments of `run`.

use crate::cli::value;
use clap::Args;
use proto::Money;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Run {
    /// Run it on a network of N nodes on this machine that ends with it
    #[arg(long, value_name = "N", value_parser = super::task::nodes())]
    pub(in crate::cli) local: Option<u16>,
    /// The most that it may cost, in credits; what it does not cost comes back
    #[arg(long, value_name = "CREDITS", default_value = "10", value_parser = value::amount)]
    pub(in crate::cli) price: Money,
    /// The most that a Gc may cost, in credits: asks above it are passed over (a node asks 0.2 unless its policy says otherwise)
    #[arg(long, value_name = "CREDITS", default_value = "1", value_parser = value::amount)]
    pub(in crate::cli) bid: Money,
    /// The compute power that the seller has to have, in Mc/s
    #[arg(long, value_name = "MC/S", default_value_t = 1)]
    pub(in crate::cli) power: u32,
    /// The longest that it may run: 90, 90s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = value::duration)]
    pub(in crate::cli) wall_time: Duration,
    /// The most memory, such as 256MiB
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub(in crate::cli) memory: String,
    /// A file that it reads; those that an argument names need not be given
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) input: Vec<PathBuf>,
    /// A file that it leaves, written here when it has ended well
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Vec<String>,
    /// An environment variable for it
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = value::assignment)]
    pub(in crate::cli) env: Vec<(String, String)>,
    /// How long to wait while nobody sells what it needs: 90, 90s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration)]
    pub(in crate::cli) patience: Duration,
    /// Attempts after the first
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(in crate::cli) retries: u32,
    /// The program, a WebAssembly file, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(in crate::cli) command: Vec<String>,
}

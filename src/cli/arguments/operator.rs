//! The arguments of what the operator of a bank says to it.

use crate::cli::value;
use clap::Args;
use proto::Money;
use std::time::Duration;

#[derive(Args, Debug)]
pub(in crate::cli) struct Grant {
    /// To whom: a public key of 64 hexadecimal digits, as `status` shows it
    pub(in crate::cli) account: String,
    /// How much
    #[arg(value_parser = value::credits)]
    pub(in crate::cli) credits: Money,
    /// Why, for the journal; at most 140 bytes
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Freeze {
    /// Whose account
    pub(in crate::cli) account: String,
    /// Why, for the journal; at most 140 bytes
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Invite {
    /// For whom: the key that `compup2p status` shows, or that `join` prints when it starts
    pub(in crate::cli) account: String,
    /// How long it may be used
    #[arg(long = "for", value_name = "TIME", default_value = "168h", value_parser = value::timeout)]
    pub(in crate::cli) length: Duration,
}

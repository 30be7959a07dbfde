//! The arguments of `compup2p remote`.

use clap::Args;

#[derive(Args, Debug)]
pub(in crate::cli) struct Remote {
    /// The port of the loopback interface to listen at; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 7_744)]
    pub(in crate::cli) port: u16,
}

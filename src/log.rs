//! What the program tells beside its answers: one line an event, on standard error.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// The variable that says how much is told, such as `info` or `compup2p=debug`.
const VARIABLE: &str = "COMPUP2P_LOG";
/// How much is told when it does not say.
const USUAL: &str = "compup2p=warn";

/// Starts telling. A filter that cannot be read counts as the usual one.
pub(crate) fn start() {
    let filter = std::env::var(VARIABLE).ok().and_then(|text| EnvFilter::try_new(text).ok());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(USUAL)))
        .with_target(false);
    // Only a second start could fail, and there is none.
    let _ = subscriber.try_init();
}

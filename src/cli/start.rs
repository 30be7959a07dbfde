//! Commands that run something: the only calls into the driver.

use super::arguments::{Global, Join, Serve};
use super::{BankOptions, Done, JoinOptions, exit, node};
use crate::control::{BANK_DIRECTORY, Failure};
use crate::output::Printer;
use proto::PublicKey;
use std::future::Future;
use std::path::PathBuf;

/// Runs a node.
pub(super) fn join(global: Global, join: Join) -> Done {
    let home = prepare(&global)?;
    let options = JoinOptions {
        home,
        policy_path: join.policy,
        bootstrap: join.bootstrap,
        slot: join.slot,
        paused: join.paused,
        max_tasks: join.max_tasks,
        exit_when_idle: join.exit_when_idle,
        invitation: join.invitation,
        tied: join.tied,
    };
    serve(crate::node::run_join(options))
}

/// Runs a bank. It has a directory of its own below the home, so that a node can run beside it.
pub(super) fn bank(global: Global, arguments: Serve) -> Done {
    let home = prepare(&global)?.join(BANK_DIRECTORY);
    let options = BankOptions {
        home,
        store: arguments.store,
        listen: arguments.listen,
        local_rules: arguments.local_rules,
        founding: arguments.founding,
        follow: arguments.follow,
        standby: arguments.standby,
        orders_per_second: arguments.orders_per_second,
        is_json: global.json,
        tied: arguments.tied,
    };
    serve(crate::node::run_bank(options))
}

/// Checks a bank's files.
pub(super) fn verify(global: &Global, bank: Option<PublicKey>, printer: Printer) -> Done {
    let home = node::home(global)?.join("bank");
    printer.verified(&crate::node::verify_bank(&home, bank, printer)?)?;
    Ok(exit::SUCCESS)
}

/// The directory to run in; what runs until it is told to end has no use for a time limit.
fn prepare(global: &Global) -> Result<PathBuf, Failure> {
    if global.timeout.is_some() {
        return Err(Failure::new(
            "usage",
            "`--timeout` does not go with a command that runs until it is ended",
            exit::USAGE,
        )
        .hint("leave it away, or use timeout(1)"));
    }
    node::home(global)
}

/// Runs `server` on all cores.
fn serve(server: impl Future<Output = Result<(), Failure>>) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::from_display("runtime"))?;
    let served = runtime.block_on(server);
    // A blocking read of standard input would otherwise keep an ended process alive.
    runtime.shutdown_background();
    served?;
    Ok(exit::SUCCESS)
}

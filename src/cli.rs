//! The command line: from arguments to one exit status.
//!
//! A command that only asks its own node goes through [`client`]; one that runs something goes through
//! [`start`], the only file here that calls the driver.

mod arguments;
mod bank;
mod client;
mod doctor;
mod exchange;
pub(crate) mod exit;
mod file;
mod founding;
mod interrupt;
mod local;
mod market;
mod moment;
mod node;
mod operator;
mod options;
mod owner;
mod policy;
mod public;
mod remote;
mod ring;
mod run;
mod sim;
mod sim_bench;
mod sim_churn;
mod sim_lab;
mod sim_market;
mod sim_ring;
mod sim_trace;
mod start;
mod task;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use client::{ask, unexpected};
pub(crate) use founding::Founding;
pub(crate) use options::{BankOptions, Bootstrap, JoinOptions, Limit};

use crate::control::Failure;
use crate::output::{Place, Printer};
use arguments::{BankCommand, Cli, Command, ReceiptCommand};
use clap::Parser as _;
use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;

/// Why a command ends without what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It failed.
    Failure(Failure),
    /// A file that it was given is not valid: the word for it, and every fault with its place.
    Faults(&'static str, Vec<Place>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The exit status, if the command did what it was asked for.
type Done = Result<u8, Stop>;

/// Runs the command that `args` (the program's name first) describe.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&args, &error)),
    };
    let printer = Printer::new(cli.global.json, cli.global.quiet, cli.global.no_color);
    let status = match dispatch(cli, printer) {
        Ok(status) => status,
        Err(Stop::Failure(failure)) => {
            printer.failure(&failure);
            failure.exit
        }
        Err(Stop::Faults(code, places)) => {
            printer.faults(code, &places);
            exit::USAGE
        }
    };
    ExitCode::from(status)
}

/// Says what is wrong with the arguments, or shows the help that they ask for.
fn usage(args: &[OsString], error: &clap::Error) -> u8 {
    let has = |flags: &[&str]| args.iter().any(|arg| flags.iter().any(|flag| arg == flag));
    let printer = Printer::new(has(&["--json"]), false, has(&["--no-color"]));
    printer.usage(error);
    if error.use_stderr() { exit::USAGE } else { exit::SUCCESS }
}

fn dispatch(cli: Cli, printer: Printer) -> Done {
    let global = cli.global;
    match cli.command {
        Command::Join(join) => start::join(global, join),
        Command::Bank { command: BankCommand::Serve(serve) } => start::bank(global, serve),
        Command::Bank { command: BankCommand::Verify { bank } } => start::verify(&global, bank, printer),
        Command::Bank { command: BankCommand::Grant(grant) } => operator::grant(grant, &global, printer),
        Command::Bank { command: BankCommand::Freeze(freeze) } => operator::freeze(freeze, &global, printer),
        Command::Bank { command: BankCommand::Unfreeze(freeze) } => {
            operator::unfreeze(freeze, &global, printer)
        }
        Command::Bank { command: BankCommand::Invite(invite) } => operator::invite(invite, &global, printer),
        Command::Bank { command: BankCommand::Totals } => operator::totals(&global, printer),
        Command::Bank { command: BankCommand::Promote } => operator::promote(&global, printer),
        Command::Bank { command: BankCommand::Balance } => bank::balance(&global, printer),
        Command::Bank { command: BankCommand::Statement(asked) } => bank::statement(&asked, &global, printer),
        Command::Bank { command: BankCommand::Receipt(asked) } => bank::receipt(&asked, &global, printer),
        Command::Bank { command: BankCommand::Transfer(order) } => bank::transfer(&order, &global, printer),
        Command::Receipt { command: ReceiptCommand::Verify { file, bank } } => {
            bank::verify(&file, bank, printer)
        }
        Command::Bank { command: BankCommand::Export(export) } => exchange::export(&export, &global, printer),
        Command::Bank { command: BankCommand::Import(import) } => exchange::import(&import, &global, printer),
        Command::Task { command } => task::run(command, &global, printer),
        Command::Run(command) => run::run(command, &global, printer),
        Command::Remote(remote) => remote::run(&remote, &global, printer),
        Command::Status => node::status(&global, printer),
        Command::Doctor => doctor::run(printer),
        Command::Pause(pause) => owner::pause(&pause, &global, printer),
        Command::Resume => owner::resume(&global, printer),
        Command::Drain => owner::drain(&global, printer),
        Command::Leave(leave) => owner::leave(&leave, &global, printer),
        Command::File { command } => public::run(command, &global, printer),
        Command::Market { command } => market::run(command, &global, printer),
        Command::Ring { command } => ring::run(&command, &global, printer),
        Command::Dev(dev) => local::dev(&dev, &global, printer),
        Command::Policy { command } => policy::run(command, &global, printer),
        Command::Sim { command } => sim::run(command, printer),
        Command::Schema { of } => {
            printer.schema(of.name(), of.text())?;
            Ok(exit::SUCCESS)
        }
    }
}

/// Runs `future` to its end on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::from_display("runtime"))?;
    Ok(runtime.block_on(future))
}

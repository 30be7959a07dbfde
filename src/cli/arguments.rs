//! The arguments of every command, with their help.

mod bank;
mod file;
mod market;
mod node;
mod operator;
mod remote;
mod run;
mod sim;
mod task;

pub(super) use bank::{Receipt, ReceiptCommand, Statement, Transfer};
pub(super) use file::{FileCommand, Get, Publish};
pub(super) use market::{MarketCommand, PriceCommand};
pub(super) use node::{BankCommand, Exchange, ImportCommand, Join, Leave, Pause, PolicyCommand, Serve};
pub(super) use operator::{Freeze, Grant, Invite};
pub(super) use remote::Remote;
pub(super) use run::Run;
pub(super) use sim::{Ring, RingFigure, RingStyle, RingWay, RingWorkload, SimCommand};
pub(super) use task::{Dev, LogsOf, OneTask, Results, Show, Submit, TaskCommand, TaskFile};

use super::value;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// A market for idle computing power.
///
/// Share a machine with `join`, have work done with `task submit`, try it all on this machine with `task submit
/// --local 4 FILE`.
#[derive(Debug, Parser)]
#[command(
    name = "compup2p",
    version,
    after_help = "Example:\n  compup2p task submit --local 4 examples/queens/tasks.xml\n\n\
        Exit codes:\n  0 done · 1 a sub-task failed · 2 usage, or a file is not valid · 3 no seller could be found\n  \
        4 node, market or bank not reachable · 5 results disagree · 6 not enough money · 7 refused · 8 cancelled\n  \
        124 --timeout reached · 130 Ctrl-C\n\n\
        With --json, standard output has one JSON value, errors included.",
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Global {
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Print without colours (also: NO_COLOR set, TERM=dumb, or not a terminal)
    #[arg(long, global = true)]
    pub(super) no_color: bool,
    /// The node's directory [default: $XDG_DATA_HOME/compup2p or ~/.local/share/compup2p]
    #[arg(long, global = true, value_name = "DIR", env = "COMPUP2P_HOME")]
    pub(super) home: Option<PathBuf>,
    /// Give up after so long, with exit code 124
    #[arg(long, global = true, value_name = "SECONDS", value_parser = value::timeout)]
    pub(super) timeout: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Share this machine under the rules of a policy, until Ctrl-C or `leave`
    #[command(after_help = "Example:\n  compup2p join policy.toml --bootstrap bank.example:7742\n\n\
        Exit codes:\n  0 left · 2 usage, or the policy is not valid · 4 bootstrap server not reachable · 7 refused")]
    Join(Join),
    /// Run a bank, look at the account, pay others
    #[command(after_help = "Example:\n  compup2p bank balance\n\nExit codes: see the commands")]
    Bank {
        #[command(subcommand)]
        command: BankCommand,
    },
    /// Look at receipts
    #[command(after_help = "Example:\n  compup2p receipt verify deal.json\n\nExit codes: see the commands")]
    Receipt {
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// Have work done
    #[command(
        after_help = "Example:\n  compup2p task submit --wait tasks.xml\n\nExit codes: see the commands"
    )]
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Run one program on the market as if it ran here
    #[command(after_help = "Example:\n  compup2p run -- ./count.wasm words.txt\n  \
        compup2p run --local 4 --output sum.txt -- slow.wasm 100   # no network: four nodes on this machine\n  \
        sort names.txt | compup2p run --price 2 -- ./unique.wasm\n\n\
        What it prints is passed on as it comes, standard input goes to it, and files that its arguments name go with it.\n\n\
        Exit codes:\n  the program's own (0 to 255), or\n  \
        2 usage · 4 node not reachable · 8 cancelled · 124 --timeout reached · 125 it could not be run or is over a \
        limit\n  126 it is no program that can be run · 127 there is no such file · 130 Ctrl-C · 134 it trapped")]
    Run(Run),
    /// Let other programs on this machine have task files done over a socket, until Ctrl-C
    #[command(
        after_help = "Example:\n  compup2p remote\n  compup2p remote --port 0   # any free port; --json tells which\n\n\
        A program sends one line, the key in `remote.key` of the node's directory, a space and the absolute path of a task\n\
        file, and hears `submitted N`, and when all sub-tasks have ended `succeeded` or `failed WHY`.\n\n\
        Exit codes:\n  2 usage, or the port is taken · 130 ended by Ctrl-C"
    )]
    Remote(Remote),
    /// Show how the node is
    #[command(after_help = "Example:\n  compup2p status\n\nExit codes:\n  0 shown · 4 no node is running")]
    Status,
    /// Show what keeps native programs of others from this machine, and what is missing
    #[command(
        after_help = "Example:\n  compup2p doctor\n  compup2p doctor --json\n\nNo node needs to run for it.\n\n\
        Exit codes:\n  0 all that `limits.sandbox = \"required\"` asks for is there · 1 some of it is missing: which"
    )]
    Doctor,
    /// Stop working for others for a while; what is at work here stands still
    #[command(after_help = "Example:\n  compup2p pause --for 2h\n\n\
        Exit codes:\n  0 paused · 2 usage · 4 no node is running")]
    Pause(Pause),
    /// Go on after `pause`, `drain` or `leave --until`, as the policy allows
    #[command(after_help = "Example:\n  compup2p resume\n\nExit codes:\n  0 resumed · 4 no node is running")]
    Resume,
    /// Take no new work and finish what is at work here; the node stays
    #[command(after_help = "Example:\n  compup2p drain\n\nExit codes:\n  0 drains · 4 no node is running")]
    Drain,
    /// Finish what is at work, leave the network in order and end the node
    #[command(
        after_help = "Example:\n  compup2p leave\n  compup2p leave --until \"sun 20:00\"   # an absence: it comes back by itself\n\n\
        Without --now it waits for the sub-tasks at work here and for the node's own tasks.\n\n\
        Exit codes:\n  0 left · 2 usage · 4 no node is running · 124 --timeout reached (the node goes on to leave)"
    )]
    Leave(Leave),
    /// Publish files, and bring those that others have published
    #[command(
        after_help = "Example:\n  compup2p file publish tools/queens.wasm\n\nExit codes: see the commands"
    )]
    File {
        #[command(subcommand)]
        command: FileCommand,
    },
    /// Look at the market
    #[command(after_help = "Example:\n  compup2p market list\n\nExit codes: see the commands")]
    Market {
        #[command(subcommand)]
        command: MarketCommand,
    },
    /// Look around the ring
    #[command(after_help = "Example:\n  compup2p ring check\n\nExit codes: see the commands")]
    Ring {
        #[command(subcommand)]
        command: RingCommand,
    },
    /// Run a whole network on this machine, until Ctrl-C
    #[command(after_help = "Example:\n  compup2p dev --nodes 4\n  compup2p dev --pricing posted:0.2\n\n\
        Exit codes:\n  0 ended by Ctrl-C · 1 a process of the network ended by itself\n  \
        124 not up within --timeout · 130 Ctrl-C before it was up")]
    Dev(Dev),
    /// Look at a policy, or at what it decides
    #[command(after_help = "Example:\n  compup2p policy check policy.toml\n\nExit codes: see the commands")]
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Simulate whole networks in virtual time, with faults
    #[command(after_help = "Example:\n  compup2p sim run first --seed 1\n\nExit codes: see the commands")]
    Sim {
        #[command(subcommand)]
        command: SimCommand,
    },
    /// Print what a file may contain
    #[command(
        after_help = "Example:\n  compup2p schema task > task.xsd\n\nExit codes:\n  0 printed · 2 usage"
    )]
    Schema {
        /// Which file
        of: SchemaOf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RingCommand {
    /// Show the node's neighbours in the ring, with their round trips
    #[command(
        after_help = "Example:\n  compup2p ring show\n\nExit codes:\n  0 shown · 4 no node is running, or it is not in the ring"
    )]
    Show,
    /// Find out who answers for a key, and show the path to it
    #[command(after_help = "Example:\n  compup2p ring lookup compute/40\n\n\
        Exit codes:\n  0 found · 2 usage · 4 no node is running, it is not in the ring, or nobody was found")]
    Lookup {
        /// 40 hexadecimal digits, or any text, which is hashed by SHA-1
        key: String,
    },
    /// Walk around the ring and tell every defect
    #[command(after_help = "Example:\n  compup2p ring check\n\n\
        Exit codes:\n  0 no defect · 1 defects (a ring that is changing has some for a moment)\n  \
        4 no node is running, or it is not in the ring")]
    Check,
}

/// What a policy may contain.
const POLICY: &str = include_str!("../../docs/policy.md");

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaOf {
    /// The task file, as an XML schema
    Task,
    /// The policy, with every key explained
    Policy,
}

impl SchemaOf {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Policy => "policy",
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Task => service::task::SCHEMA,
            Self::Policy => POLICY,
        }
    }
}

//! The arguments of every command, with their help.

use super::{Bootstrap, value};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
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
        4 node, market or bank not reachable · 6 not enough money · 7 refused · 8 cancelled\n  \
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
    /// Run a bank, or ask for the balance
    #[command(after_help = "Example:\n  compup2p bank balance\n\nExit codes: see the commands")]
    Bank {
        #[command(subcommand)]
        command: BankCommand,
    },
    /// Have work done
    #[command(
        after_help = "Example:\n  compup2p task submit --wait tasks.xml\n\nExit codes: see the commands"
    )]
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Show how the node is
    #[command(after_help = "Example:\n  compup2p status\n\nExit codes:\n  0 shown · 4 no node is running")]
    Status,
    /// Leave the network in order and end the node
    #[command(after_help = "Example:\n  compup2p leave\n\nExit codes:\n  0 left · 4 no node is running")]
    Leave,
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
    #[command(after_help = "Example:\n  compup2p dev --nodes 4\n\n\
        Exit codes:\n  0 ended by Ctrl-C · 1 a process of the network ended by itself\n  \
        124 not up within --timeout · 130 Ctrl-C before it was up")]
    Dev(Dev),
    /// Look at a policy
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
pub(super) enum SimCommand {
    /// Show the scenarios
    #[command(after_help = "Example:\n  compup2p sim list\n\nExit codes:\n  0 shown")]
    List,
    /// Run a scenario and check every invariant after every event
    #[command(after_help = "Example:\n  compup2p sim run first --seed 1\n\n\
        Exit codes:\n  0 run, every invariant held · 1 an invariant was broken · 2 no such scenario")]
    Run {
        /// Which, by name
        scenario: String,
        /// The same seed gives the same trace
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Measure lookups in a ring of very many nodes, with the nodes' own code
    #[command(after_help = "Example:\n  compup2p sim ring --nodes 4096 --lookups 100000\n  \
        compup2p sim ring --nodes 1000 --successors 20 --fail 0.5\n  \
        compup2p sim ring --settings paper --successors 20 --churn 0.2 --latency exponential:50 --every 1000\n  \
        compup2p sim ring --workload w2 --nodes 10000\n  \
        compup2p sim ring --preset table2 --reps 20 --lookups 1000\n\n\
        Exit codes:\n  0 run · 1 an invariant was broken while its assumptions held · 2 usage")]
    Ring(Box<Ring>),
    /// Count the messages of a trade and the load of market owners under both placement schemes
    #[command(
        after_help = "Example:\n  compup2p sim market --nodes 100,1000 --markets 10,100 --window 1,0.01\n\n\
        Exit codes:\n  0 run · 1 a purchase ended at the wrong market · 2 usage"
    )]
    Market(Box<super::sim_market::Market>),
}

/// How a ring is measured.
#[derive(Args, Clone, Debug)]
pub(super) struct Ring {
    /// Nodes at the start
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=100_000_000))]
    pub(super) nodes: u32,
    /// Lookups of random keys by random nodes
    #[arg(long, value_name = "L", default_value_t = 10_000)]
    pub(super) lookups: u64,
    /// Different keys that are looked up [default: every lookup has its own]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) keys: Option<u32>,
    /// Length of the successor lists
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) successors: u8,
    /// Who goes from node to node: the asker, or the question itself [default: iterative]
    #[arg(long, value_enum)]
    pub(super) style: Option<RingWay>,
    /// Nodes that an iterative lookup asks at a time: 1 to 4 [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(super) parallel: Option<u8>,
    /// Ask another node when one takes longer than usual [default: true with public settings and up to 20000 nodes]
    #[arg(long, value_name = "BOOL")]
    pub(super) adaptive: Option<bool>,
    /// Fingers are the nearest of the first node and so many that follow it [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=32))]
    pub(super) proximity: Option<u8>,
    /// Arcs and their owners that a node remembers [default: 1024 with public settings and up to 20000
    /// nodes, else 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(super) cache: Option<u32>,
    /// Largest ring of which every node knows all members; takes about 100 bytes for each pair of nodes
    /// [default: 2000 with public settings, else 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(super) view: Option<u32>,
    /// How the nodes work [default: still, and paper with --churn]
    #[arg(long, value_enum)]
    pub(super) settings: Option<RingStyle>,
    /// End a lookup at the predecessor's word (false), or when the owner itself has answered [default: false with
    /// the paper's settings, else true]
    #[arg(long, value_name = "BOOL")]
    pub(super) confirm: Option<bool>,
    /// Share of the nodes that fail at once before the first lookup: 0 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = value::share)]
    pub(super) fail: f64,
    /// Joins a second, and as many departures
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = value::rate)]
    pub(super) churn: f64,
    /// Departures are failures, without a word to anybody
    #[arg(long)]
    pub(super) crash: bool,
    /// How long messages take: constant:MS, uniform:MS..MS, exponential:MS (the mean), or space:MS (the mean; nodes
    /// are points of a cube)
    #[arg(long, value_name = "MODEL", default_value = "constant:50", value_parser = value::latency)]
    pub(super) latency: ::sim::ring::Distance,
    /// Share of the messages that is lost: 0 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = value::share)]
    pub(super) loss: f64,
    /// Mean time between two lookups, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1.0, value_parser = value::rate)]
    pub(super) every: f64,
    /// Seconds of churn before the first lookup
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(super) warm_up: u32,
    /// What is run: lookups by the nodes' own code, or the plain protocol of 2001 that other simulators are timed with
    #[arg(long, value_enum, default_value = "uniform")]
    pub(super) workload: RingWorkload,
    /// Virtual seconds that w2 runs for
    #[arg(long, value_name = "SECONDS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub(super) duration: u32,
    /// Measure a figure of the paper, with its settings, beside its values (only --lookups, --reps and --seed count)
    #[arg(long, value_enum)]
    pub(super) preset: Option<RingFigure>,
    /// The same seed gives the same run
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Runs with this seed and the next ones, taken together
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) reps: u64,
    /// Print the figures as a header and a line of comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

/// What is run in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RingWorkload {
    /// Lookups of random keys by random nodes
    Uniform,
    /// Plain Chord in steady state: maintenance and a lookup by every node every 10 s
    W2,
}

/// Figures and tables of the Chord paper (ToN 2003).
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RingFigure {
    /// Keys on nodes
    Figure8,
    /// Keys on nodes with several places each
    Figure9,
    /// Hops of a lookup, by the size of the ring
    Figure10,
    /// Up to half of the nodes fail at once
    Table2,
    /// Nodes come and go, with the paper's settings
    Table3,
    /// The same with lookups that the owner confirms
    Table3Confirmed,
    /// The same with the settings of a public network of this program
    Table3Public,
    /// How much longer a lookup takes than the straight way, with fingers chosen by distance
    Table4,
    /// Every way of looking up that this program knows, while nodes come and fail (not in the paper)
    Ways,
}

/// Who goes from node to node.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RingWay {
    /// The asker
    Iterative,
    /// The question
    Recursive,
}

/// Settings of simulated rings.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RingStyle {
    /// No maintenance: the ring stays as it is
    Still,
    /// The settings of the paper: a period of 30 s, half a second of silence is a death
    Paper,
    /// The settings of a public network of this program
    Public,
}

#[derive(Args, Debug)]
pub(super) struct Join {
    /// The policy: when, how much, to whom and at what price
    pub(super) policy: PathBuf,
    /// The bank and bootstrap server; with its key nobody can stand in for it
    #[arg(long, value_name = "[KEY@]HOST:PORT", env = "COMPUP2P_BOOTSTRAP", value_parser = value::bootstrap)]
    pub(super) bootstrap: Bootstrap,
    /// The place behind this machine's address [default: any free one]
    #[arg(long, value_name = "N")]
    pub(super) slot: Option<u16>,
    /// End when standard input does
    #[arg(long, hide = true)]
    pub(super) tied: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum BankCommand {
    /// Run the bank and bootstrap server of a network, until Ctrl-C
    #[command(after_help = "Example:\n  compup2p bank serve --listen 0.0.0.0:7742\n\n\
        Exit codes:\n  0 ended by Ctrl-C · 1 the journal cannot be used · 2 usage")]
    Serve(Serve),
    /// Show the node's account
    #[command(
        after_help = "Example:\n  compup2p bank balance\n\nExit codes:\n  0 shown · 4 node or bank not reachable"
    )]
    Balance,
}

#[derive(Args, Debug)]
pub(super) struct Serve {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "IP:PORT", env = "COMPUP2P_LISTEN", default_value = "127.0.0.1:7742")]
    pub(super) listen: SocketAddr,
    /// Rules for a network on one machine: many places behind one address, short deadlines
    #[arg(long)]
    pub(super) local_rules: bool,
    /// Where markets live: at their capacity, or at their hash and in a ring of their own
    #[arg(long, value_enum, default_value = "single")]
    pub(super) placement: super::options::Scheme,
    /// End when standard input does
    #[arg(long, hide = true)]
    pub(super) tied: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum TaskCommand {
    /// Check a task file and the files that it names
    #[command(after_help = "Example:\n  compup2p task validate tasks.xml --set seed=7\n\n\
        Exit codes:\n  0 valid · 2 not valid: every fault with its line")]
    Validate(TaskFile),
    /// Buy the work that a task file describes
    #[command(after_help = "Example:\n  compup2p task submit --wait tasks.xml\n  \
        compup2p task submit --local 4 tasks.xml     # no network: four nodes on this machine\n\n\
        Exit codes (without --wait only 0, 2, 4, 7 and 124):\n  \
        0 all sub-tasks succeeded · 1 one failed · 2 usage, or the file is not valid · 3 no seller could be found\n  \
        4 node, market or bank not reachable · 6 not enough money · 7 refused · 8 cancelled\n  \
        124 --timeout reached (the task goes on, unless --local) · 130 Ctrl-C twice, or detached")]
    Submit(Submit),
    /// Show a task
    #[command(after_help = "Example:\n  compup2p task status last\n\n\
        Exit codes:\n  0 shown · 2 no such task · 4 no node is running")]
    Status(OneTask),
    /// Show all tasks
    #[command(
        after_help = "Example:\n  compup2p task list --json\n\nExit codes:\n  0 shown · 4 no node is running"
    )]
    List,
    /// Write the results of a task again
    #[command(after_help = "Example:\n  compup2p task results 3 --to results/\n\n\
        Exit codes:\n  0 written · 1 one could not be written · 2 no such task · 4 no node is running")]
    Results(Results),
    /// End a task; what has not ended is not paid
    #[command(after_help = "Example:\n  compup2p task cancel last\n\n\
        Exit codes:\n  0 cancelled · 2 no such task · 4 no node is running")]
    Cancel(OneTask),
    /// Wait for a task
    #[command(after_help = "Example:\n  compup2p task wait last --timeout 600\n\n\
        Exit codes:\n  0 all sub-tasks succeeded · 1 one failed · 2 no such task · 3 no seller could be found\n  \
        4 node not reachable · 6 not enough money · 7 refused · 8 cancelled\n  \
        124 --timeout reached (the task goes on) · 130 Ctrl-C twice, or detached")]
    Wait(OneTask),
}

#[derive(Args, Clone, Debug)]
pub(super) struct TaskFile {
    /// The task file
    pub(super) file: PathBuf,
    /// Put VALUE for ${NAME} in the file; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::assignment)]
    pub(super) set: Vec<(String, String)>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Submit {
    #[command(flatten)]
    pub(super) task: TaskFile,
    /// Wait until all sub-tasks have ended, and print the table
    #[arg(long)]
    pub(super) wait: bool,
    /// Run it on a network of N nodes on this machine that ends with the task (waits)
    #[arg(long, value_name = "N", value_parser = nodes())]
    pub(super) local: Option<u16>,
    /// Keep the files of the local network, in ./compup2p-local-*
    #[arg(long, requires = "local")]
    pub(super) keep: bool,
    /// Where results go [default: beside the task file]
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
    /// How long a sub-task waits while nobody sells what it needs: 90, 90s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration)]
    pub(super) patience: Duration,
}

#[derive(Args, Debug)]
pub(super) struct OneTask {
    /// Its number, or `last`
    #[arg(default_value = "last", value_parser = value::task)]
    pub(super) task: String,
}

#[derive(Args, Debug)]
pub(super) struct Results {
    #[command(flatten)]
    pub(super) task: OneTask,
    /// Where they go [default: where they went before]
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum MarketCommand {
    /// Show the listings in the markets that this node owns
    #[command(
        after_help = "Example:\n  compup2p market list\n\nExit codes:\n  0 shown · 4 no node is running"
    )]
    List,
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

#[derive(Args, Clone, Debug)]
pub(super) struct Dev {
    /// How many nodes
    #[arg(long, value_name = "N", default_value = "4", value_parser = nodes())]
    pub(super) nodes: u16,
    /// Keep the files of the network, in ./compup2p-local-*
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check a policy
    #[command(after_help = "Example:\n  compup2p policy check policy.toml\n\n\
        Exit codes:\n  0 valid · 2 not valid: every fault with its line")]
    Check {
        /// The policy
        file: PathBuf,
    },
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

/// A market has a buyer and a seller; beyond 64 processes one machine measures its scheduler.
fn nodes() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(2..=64)
}

//! The arguments of `sim`.

use crate::cli::value;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SimCommand {
    /// Show the experiments and the scenarios
    #[command(after_help = "Example:\n  compup2p sim list\n\nExit codes:\n  0 shown")]
    List,
    /// Run an experiment, or a scenario with every invariant checked after every event
    #[command(after_help = "Example:\n  compup2p sim run e0 --out results\n  \
        compup2p sim run my.toml --set population.sellers=[2,5,10] --reps 100 --out results --plot price_credits.png\n  \
        compup2p sim run e0 --out results --resume\n  \
        compup2p sim run first --seed 1\n\n\
        Exit codes:\n  0 run; the data support the claims, or do not decide; every invariant held · 1 a claim is contradicted, \
        a run failed, or an invariant was broken · 2 no such name, or a file or a setting that is not valid · 130 Ctrl-C")]
    Run(Box<crate::cli::sim_lab::Run>),
    /// Show the file of an experiment, to run it changed
    #[command(after_help = "Example:\n  compup2p sim show e0 > my.toml\n\n\
        Exit codes:\n  0 shown · 2 no such experiment")]
    Show {
        /// By name, or an experiment file
        #[arg(value_name = "NAME|FILE")]
        experiment: String,
    },
    /// Compare two results point by point: runs with equal seeds pair by pair, others by Welch's t
    #[command(after_help = "Example:\n  compup2p sim compare before after\n\n\
        Exit codes:\n  0 no significant difference · 1 some metric differs · 2 no results")]
    Compare {
        /// A directory of `sim run --out`
        first: PathBuf,
        /// Another one
        second: PathBuf,
    },
    /// Show the models that experiments can name, with their parameters and metrics
    #[command(after_help = "Example:\n  compup2p sim model show draws\n\nExit codes: see the commands")]
    Model {
        #[command(subcommand)]
        command: crate::cli::sim_lab::ModelCommand,
    },
    /// Measure lookups in a ring of very many nodes, with the nodes' own code
    #[command(after_help = "Example:\n  compup2p sim ring --nodes 4096 --lookups 100000\n  \
        compup2p sim ring --nodes 1000 --successors 20 --fail 0.5\n  \
        compup2p sim ring --settings paper --successors 20 --churn 0.2 --latency exponential:50 --every 1000\n  \
        compup2p sim ring --workload w2 --nodes 10000\n  \
        compup2p sim ring --preset table2 --reps 20 --lookups 1000\n\n\
        Exit codes:\n  0 run · 1 an invariant was broken while its assumptions held · 2 usage")]
    Ring(Box<Ring>),
    /// Measure whether requests find a seller while nodes come and go
    #[command(after_help = "Example:\n  compup2p sim churn --nodes 500 --renewal 20\n  \
        compup2p sim churn --sessions oversim --departure crash --renewal 600 --json\n\n\
        Exit codes:\n  0 run · 1 an invariant was broken · 2 usage")]
    Churn(Box<crate::cli::sim_churn::Churn>),
    /// Count the messages of a trade and the load of market owners under both placement schemes
    #[command(
        after_help = "Example:\n  compup2p sim market --nodes 100,1000 --markets 10,100 --window 1,0.01\n\n\
        Exit codes:\n  0 run · 1 a purchase ended at the wrong market · 2 usage"
    )]
    Market(Box<crate::cli::sim_market::Market>),
    /// Run a scenario, or one run of an experiment of complete nodes, and keep it as a file: what `replay` and `shrink` need
    #[command(after_help = "Example:\n  compup2p sim record first --seed 7 --out first.trace\n  \
        compup2p sim record e12 --set work.sub_tasks=5 --set work.work_gc=1 --set population.fastest_mc_s=2000 \
        --repetition 1 --out e12.trace\n\n\
        Exit codes:\n  0 run, every invariant held · 1 an invariant was broken, or the file could not be written · \
        2 no such scenario or experiment, or one whose runs are not kept")]
    Record(crate::cli::sim_trace::Record),
    /// Run a recorded run again, to the same hash
    #[command(after_help = "Example:\n  compup2p sim replay first.trace\n\n\
        Exit codes:\n  0 the same run, every invariant held · 1 an invariant was broken, or it is another run · \
        2 no such trace, or one of another version")]
    Replay(crate::cli::sim_trace::Replay),
    /// Find the smallest run that breaks the same invariant: fewest faults, fewest sub-tasks, first event
    #[command(after_help = "Example:\n  compup2p sim shrink first.trace --out small.trace\n\n\
        Exit codes:\n  0 made smaller · 1 no invariant is broken in this run, or the file could not be written · \
        2 no such trace, or one of another version")]
    Shrink(crate::cli::sim_trace::Shrink),
    /// Measure the simulator beside PeerSim, SimGrid and its own bare queue
    #[command(
        after_help = "Example:\n  compup2p sim bench --quick\n\nExit codes:\n  0 measured · 1 an invariant was broken"
    )]
    Bench(crate::cli::sim_bench::Bench),
}

/// How a ring is measured.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Ring {
    /// Nodes at the start
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=100_000_000))]
    pub(in crate::cli) nodes: u32,
    /// Lookups of random keys by random nodes
    #[arg(long, value_name = "L", default_value_t = 10_000)]
    pub(in crate::cli) lookups: u64,
    /// Different keys that are looked up [default: every lookup has its own]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) keys: Option<u32>,
    /// Length of the successor lists
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(in crate::cli) successors: u8,
    /// Who goes from node to node: the asker, or the question itself [default: iterative]
    #[arg(long, value_enum)]
    pub(in crate::cli) style: Option<RingWay>,
    /// Nodes that an iterative lookup asks at a time: 1 to 4 [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(in crate::cli) parallel: Option<u8>,
    /// Ask another node when one takes longer than usual [default: true with public settings and up to 20000 nodes]
    #[arg(long, value_name = "BOOL")]
    pub(in crate::cli) adaptive: Option<bool>,
    /// Fingers are the nearest of the first node and so many that follow it [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=32))]
    pub(in crate::cli) proximity: Option<u8>,
    /// Arcs and their owners that a node remembers [default: 1024 with public settings and up to 20000
    /// nodes, else 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(in crate::cli) cache: Option<u32>,
    /// Largest ring of which every node knows all members; takes about 100 bytes for each pair of nodes
    /// [default: 2000 with public settings, else 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(in crate::cli) view: Option<u32>,
    /// How the nodes work [default: still, and paper with --churn]
    #[arg(long, value_enum)]
    pub(in crate::cli) settings: Option<RingStyle>,
    /// End a lookup at the predecessor's word (false), or when the owner itself has answered [default: false with
    /// the paper's settings, else true]
    #[arg(long, value_name = "BOOL")]
    pub(in crate::cli) confirm: Option<bool>,
    /// Share of the nodes that fail at once before the first lookup: 0 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = value::share)]
    pub(in crate::cli) fail: f64,
    /// Joins a second, and as many departures
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = value::rate)]
    pub(in crate::cli) churn: f64,
    /// Departures are failures, without a word to anybody
    #[arg(long)]
    pub(in crate::cli) crash: bool,
    /// How long messages take: constant:MS, uniform:MS..MS, exponential:MS (the mean), space:MS (the mean; nodes
    /// are points of a cube), map:SEED (a map of the internet), or matrix:FILE (one-way milliseconds, a row a line);
    /// with held:PCT:MS: before it, so many messages are held back for up to MS and overtaken
    #[arg(long, value_name = "MODEL", default_value = "constant:50", value_parser = value::latency)]
    pub(in crate::cli) latency: ::sim::ring::Distance,
    /// Share of the messages that is lost: 0 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = value::share)]
    pub(in crate::cli) loss: f64,
    /// Mean time between two lookups, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1.0, value_parser = value::rate)]
    pub(in crate::cli) every: f64,
    /// Seconds of churn before the first lookup
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(in crate::cli) warm_up: u32,
    /// What is run: lookups by the nodes' own code, or the plain protocol of 2001 that other simulators are timed with
    #[arg(long, value_enum, default_value = "uniform")]
    pub(in crate::cli) workload: RingWorkload,
    /// Threads that w2 runs on; they change nothing but the time that it takes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(::sim::ring::MAX_THREADS)))]
    pub(in crate::cli) threads: u8,
    /// Virtual seconds that w2 runs for
    #[arg(long, value_name = "SECONDS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub(in crate::cli) duration: u32,
    /// Measure a figure of the paper, with its settings, beside its values (only --lookups, --reps and --seed count)
    #[arg(long, value_enum)]
    pub(in crate::cli) preset: Option<RingFigure>,
    /// The same seed gives the same run
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) seed: u64,
    /// Runs with this seed and the next ones, taken together
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(in crate::cli) reps: u64,
    /// Print the figures as a header and a line of comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
}

/// What is run in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RingWorkload {
    /// Lookups of random keys by random nodes
    Uniform,
    /// Plain Chord in steady state: maintenance and a lookup by every node every 10 s
    W2,
}

/// Figures and tables of the Chord paper (ToN 2003).
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum RingFigure {
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
pub(in crate::cli) enum RingWay {
    /// The asker
    Iterative,
    /// The question
    Recursive,
}

/// Settings of simulated rings.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum RingStyle {
    /// No maintenance: the ring stays as it is
    Still,
    /// The settings of the paper: a period of 30 s, half a second of silence is a death
    Paper,
    /// The settings of a public network of this program
    Public,
}

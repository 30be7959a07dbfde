//! The arguments of `task` and `dev`.

use crate::cli::founding::Founding;
use crate::cli::value;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TaskCommand {
    /// Check a task file and the files that it names
    #[command(after_help = "Example:\n  compup2p task validate tasks.xml --set seed=7\n\n\
        Exit codes:\n  0 valid · 2 not valid: every fault with its line")]
    Validate(TaskFile),
    /// Buy the work that a task file describes
    #[command(after_help = "Example:\n  compup2p task submit --wait tasks.xml\n  \
        compup2p task submit --local 4 tasks.xml     # no network: four nodes on this machine\n  \
        compup2p task submit --local 4 --pricing uniform tasks.xml\n  \
        compup2p task submit --dry-run tasks.xml     # what would be bought; --json: every sub-task\n\n\
        Exit codes (without --wait only 0, 2, 4, 7 and 124):\n  \
        0 all sub-tasks succeeded · 1 one failed · 2 usage, or the file is not valid · 3 no seller could be found\n  \
        4 node, market or bank not reachable · 5 results disagree · 6 not enough money · 7 refused · 8 cancelled\n  \
        124 --timeout reached (the task goes on, unless --local) · 130 Ctrl-C twice, or detached")]
    Submit(Submit),
    /// Tell what a task would cost now, and who could run it, without buying
    #[command(after_help = "Example:\n  compup2p task quote tasks.xml\n\n\
        Exit codes:\n  0 somebody fits every sub-task, and the balance suffices · 2 the file is not valid\n  \
        3 nobody fits one of them now · 4 node, market or bank not reachable · 6 not enough money")]
    Quote(TaskFile),
    /// Tell why a task is where it is, with numbers
    #[command(after_help = "Example:\n  compup2p task explain last\n\n\
        Exit codes:\n  0 told · 2 no such task · 4 node or market not reachable")]
    Explain(OneTask),
    /// Show what a sub-task prints, also while it runs
    #[command(
        after_help = "Example:\n  compup2p task logs -f last\n  compup2p task logs 3 'frame[7]' --stderr\n\n\
        What a seller shows before its report is provisional. Afterwards it comes from the result, also of a sub-task \
        that failed.\n\n\
        Exit codes:\n  0 shown · 1 it is not kept any more · 2 no such task or sub-task · 4 no node is running\n  \
        124 --timeout reached"
    )]
    Logs(LogsOf),
    /// Show how far the sub-tasks of a task are, until it has ended
    #[command(
        after_help = "Example:\n  compup2p task watch last\n  compup2p task watch 3 --json     # a value for every change\n\n\
        Exit codes: as `task wait`; Ctrl-C leaves the task alone"
    )]
    Watch(OneTask),
    /// Forget a task that has ended, with its results
    #[command(after_help = "Example:\n  compup2p task forget 3\n\n\
        Without it, tasks are kept for 90 days, and the last 10,000 of them.\n\n\
        Exit codes:\n  0 forgotten · 2 no such task, or it has not ended · 4 no node is running")]
    Forget(OneTask),
    /// Show a task
    #[command(after_help = "Example:\n  compup2p task status last\n\n\
        Exit codes:\n  0 shown · 2 no such task · 4 no node is running")]
    Status(OneTask),
    /// Show a task, or its sub-tasks as a graph of who waits for whom
    #[command(after_help = "Example:\n  compup2p task show last --graph\n  \
        compup2p task show 3 --graph --dot\n\n\
        Exit codes:\n  0 shown · 2 no such task · 4 no node is running")]
    Show(Show),
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
        4 node not reachable · 5 results disagree · 6 not enough money · 7 refused · 8 cancelled\n  \
        124 --timeout reached (the task goes on) · 130 Ctrl-C twice, or detached")]
    Wait(OneTask),
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct TaskFile {
    /// The task file
    pub(in crate::cli) file: PathBuf,
    /// Put VALUE for ${NAME} in the file; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::assignment)]
    pub(in crate::cli) set: Vec<(String, String)>,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Submit {
    #[command(flatten)]
    pub(in crate::cli) task: TaskFile,
    /// Wait until all sub-tasks have ended, and print the table
    #[arg(long)]
    pub(in crate::cli) wait: bool,
    /// Run it on a network of N nodes on this machine that ends with the task (waits)
    #[arg(long, value_name = "N", value_parser = nodes())]
    pub(in crate::cli) local: Option<u16>,
    /// Keep the files of the local network, in ./compup2p-local-*
    #[arg(long, requires = "local")]
    pub(in crate::cli) keep: bool,
    /// Tell what would be bought, without a node and without buying
    #[arg(long, conflicts_with_all = ["local", "wait", "to"])]
    pub(in crate::cli) dry_run: bool,
    /// Where results go [default: beside the task file]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) to: Option<PathBuf>,
    /// How long a sub-task waits while nobody sells what it needs: 90, 90s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration)]
    pub(in crate::cli) patience: Duration,
    /// Wait for sellers without end, also where nobody who is listed could ever run it
    #[arg(long, conflicts_with = "patience")]
    pub(in crate::cli) wait_for_sellers: bool,
    #[command(flatten)]
    pub(in crate::cli) founding: Founding,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct OneTask {
    /// Its number, or `last`
    #[arg(default_value = "last", value_parser = value::task)]
    pub(in crate::cli) task: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct LogsOf {
    /// Its number, or `last`
    #[arg(default_value = "last", value_parser = value::task)]
    pub(in crate::cli) task: String,
    /// The sub-task: its name, or its number from 1 [default: the first]
    pub(in crate::cli) sub_task: Option<String>,
    /// Go on until it has ended
    #[arg(long, short)]
    pub(in crate::cli) follow: bool,
    /// Standard error instead of standard output
    #[arg(long)]
    pub(in crate::cli) stderr: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    pub(in crate::cli) task: OneTask,
    /// Who waits for whom, as a tree, with states
    #[arg(long)]
    pub(in crate::cli) graph: bool,
    /// The graph in the language of Graphviz
    #[arg(long, requires = "graph")]
    pub(in crate::cli) dot: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Results {
    #[command(flatten)]
    pub(in crate::cli) task: OneTask,
    /// Where they go [default: where they went before]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) to: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Dev {
    /// How many nodes
    #[arg(long, value_name = "N", default_value = "4", value_parser = nodes())]
    pub(in crate::cli) nodes: u16,
    /// Keep the files of the network, in ./compup2p-local-*
    #[arg(long)]
    pub(in crate::cli) keep: bool,
    #[command(flatten)]
    pub(in crate::cli) founding: Founding,
}

/// A market has a buyer and a seller; beyond 64 processes one machine measures its scheduler.
pub(super) fn nodes() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(2..=64)
}

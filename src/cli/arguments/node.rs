//! The arguments of the commands that run a node or a bank, and of those that tell a node what to do.

use super::operator::{Freeze, Grant, Invite};
use crate::cli::founding::Founding;
use crate::cli::moment::{self, Moment};
use crate::cli::{Bootstrap, value};
use crate::node::{Address, Mode, ORDERS_PER_KEY};
use clap::{Args, Subcommand};
use proto::PublicKey;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Debug)]
pub(in crate::cli) struct Join {
    /// The policy: when, how much, to whom and at what price
    pub(in crate::cli) policy: PathBuf,
    /// The bank and bootstrap server; with its key nobody can stand in for it, and it may have several addresses, which
    /// are tried in turn: KEY@HOST:PORT,HOST:PORT
    #[arg(long, value_name = "[KEY@]HOST:PORT", env = "COMPUP2P_BOOTSTRAP", value_parser = value::bootstrap)]
    pub(in crate::cli) bootstrap: Bootstrap,
    /// The place behind this machine's address [default: any free one]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) slot: Option<u16>,
    /// Take no work until `resume`
    #[arg(long)]
    pub(in crate::cli) paused: bool,
    /// Take so many sub-tasks, finish them and leave
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) max_tasks: Option<u32>,
    /// Leave when there has been no work for so long, neither for others nor of one's own
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "5m", value_parser = value::timeout)]
    pub(in crate::cli) exit_when_idle: Option<Duration>,
    /// The operator's invitation, as text or as a file that holds it, where the network asks for one
    #[arg(long, value_name = "FILE|TEXT")]
    pub(in crate::cli) invitation: Option<String>,
    /// End when standard input does
    #[arg(long, hide = true)]
    pub(in crate::cli) tied: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Pause {
    /// Go on by itself after so long: 90, 90s, 2m, 2h [default: not before `resume`]
    #[arg(long = "for", value_name = "TIME", value_parser = value::timeout)]
    pub(in crate::cli) length: Option<Duration>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Leave {
    /// Do not finish what is at work here: it is handed back to its buyers
    #[arg(long, conflicts_with = "until")]
    pub(in crate::cli) now: bool,
    /// Come back by itself at this time; the process waits
    #[arg(long, value_name = "TIME", value_parser = moment::future)]
    pub(in crate::cli) until: Option<Moment>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Check a policy
    #[command(after_help = "Example:\n  compup2p policy check policy.toml\n\n\
        Exit codes:\n  0 valid · 2 not valid: every fault with its line")]
    Check {
        /// The policy
        file: PathBuf,
    },
    /// Tell whether the node shares, since when, and why not
    #[command(
        after_help = "Example:\n  compup2p policy explain\n  compup2p policy explain --at \"sat 22:30\"\n\n\
        Exit codes:\n  0 told · 2 usage · 4 no node is running"
    )]
    Explain {
        /// Tell it of this time instead of now, with the machine as it is now
        #[arg(long, value_name = "TIME", value_parser = moment::any)]
        at: Option<Moment>,
    },
    /// Let the node read its policy again, and print what has changed
    #[command(after_help = "Example:\n  compup2p policy reload\n\n\
        Exit codes:\n  0 read · 2 not valid: every fault with its line, and the old policy stays in force\n  \
        4 no node is running")]
    Reload,
    /// Make a policy of another program's settings
    #[command(
        after_help = "Example:\n  compup2p policy import boinc global_prefs_override.xml > policy.toml\n\n\
        Exit codes: see the commands"
    )]
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportCommand {
    /// Of BOINC's preferences
    #[command(
        after_help = "Example:\n  compup2p policy import boinc global_prefs_override.xml --venue home > policy.toml\n\n\
        Exit codes:\n  0 made: the policy on standard output, remarks on standard error · 2 usage, or the file is not valid"
    )]
    Boinc {
        /// `global_prefs.xml` or `global_prefs_override.xml`
        file: PathBuf,
        /// The preferences of this venue (home, work, school) where the file has them
        #[arg(long, value_name = "NAME")]
        venue: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BankCommand {
    /// Run the bank and bootstrap server of a network, until Ctrl-C
    #[command(after_help = "Example:\n  compup2p bank serve --listen 0.0.0.0:7742\n  \
        compup2p bank serve --pricing max-min --owner-fee 0.05\n\n\
        compup2p bank serve --standby sync   # and elsewhere, with a copy of its node.key:\n  \
        compup2p bank serve --follow bank.example:7742 --listen 0.0.0.0:7742\n\n\
        Exit codes:\n  0 ended by Ctrl-C · 1 the journal cannot be used · 2 usage · 4 the database is not reachable\n  \
        7 it must not serve: it is a standby, or another bank with this key has taken over")]
    Serve(Serve),
    /// Check a bank's files while it is not running: chain, sums, every signature, and the newest snapshot
    #[command(
        after_help = "Example:\n  compup2p bank verify\n  compup2p bank verify --home /srv/compup2p --json\n\n\
        The files are not changed. A copy is checked in the same way.\n\n\
        Exit codes:\n  0 all is right · 1 something is wrong: where · 2 usage, or there is no bank"
    )]
    Verify {
        /// The key that the bank has to have [default: the one that its files name]
        #[arg(long, value_name = "KEY", value_parser = value::key)]
        bank: Option<PublicKey>,
    },
    /// Write the bank's journal into one file
    #[command(after_help = "Example:\n  compup2p bank export journal.compup2p\n  \
        compup2p bank export --store postgres://bank@localhost/money journal.compup2p\n\n\
        The file holds every record and is checked on the way. The bank may serve meanwhile.\n\n\
        Exit codes:\n  0 exported · 1 the store is damaged or the disk failed · 2 usage, or the file is there already\n  \
        4 the database is not reachable · 7 there is no bank")]
    Export(Exchange),
    /// Take a journal in that was exported, into a store without one
    #[command(
        after_help = "Example:\n  compup2p bank import --store postgres://bank@localhost/money journal.compup2p\n\n\
        Every record is checked as at the start of a bank. All of it is there at the end, or nothing.\n\
        The home has to hold the bank's key (bank/node.key) already, a database does not.\n\n\
        Exit codes:\n  0 imported · 1 the store failed · 2 usage, or the file is not a whole exported journal\n  \
        4 the database is not reachable · 7 there is a journal already, or the key is of another bank"
    )]
    Import(Exchange),
    /// Show the node's account: what it has, what of it is committed, how long it lasts
    #[command(
        after_help = "Example:\n  compup2p bank balance\n\nExit codes:\n  0 shown · 4 node or bank not reachable"
    )]
    Balance,
    /// Show what happened on the node's account, with reasons and contracts
    #[command(after_help = "Example:\n  compup2p bank statement --since 7d\n  \
        compup2p bank statement --since 2026-11-01 --csv > november.csv\n\n\
        Exit codes:\n  0 shown · 2 usage · 4 node or bank not reachable · 7 the node has no account")]
    Statement(super::bank::Statement),
    /// Show the bank's signed receipt of a contract that has ended
    #[command(
        after_help = "Example:\n  compup2p bank receipt 0d9c1fa26b8e47f3a1c05d7e92b4486f -o deal.json\n  \
        compup2p receipt verify deal.json\n\n\
        Exit codes:\n  0 shown · 1 it does not hold, or could not be written · 2 usage · 4 node or bank not reachable\n  \
        7 refused: no such contract, not this account's, or it has not ended"
    )]
    Receipt(super::bank::Receipt),
    /// Pay another account
    #[command(
        after_help = "Example:\n  compup2p bank transfer 5f3c0a9d17e2b86458c1f03aa7d94e6b20c8f5713d9e4b06a2c7185fe09d3b74 12.50 --memo \"for the queens\"\n\n\
        The same --id is paid once, however often it is sent: the bank remembers an order for seven days.\n\n\
        Exit codes:\n  0 paid: the record's number is shown · 2 usage\n  \
        4 node not reachable, or no answer of the bank: it may or may not have been paid; repeat it with the --id shown\n  \
        6 not enough money: nothing was paid · 7 refused: nothing was paid"
    )]
    Transfer(super::bank::Transfer),
    /// Issue money to an account (the operator's order)
    #[command(
        after_help = "Example:\n  compup2p bank grant ACCOUNT 100 --reason \"prize of the workshop\"\n\n\
        Exit codes:\n  0 granted · 2 usage · 4 no bank is running · 7 refused"
    )]
    Grant(Grant),
    /// Freeze an account: it is paid, and cannot spend (the operator's order)
    #[command(after_help = "Example:\n  compup2p bank freeze ACCOUNT --reason \"stolen key\"\n\n\
        Exit codes:\n  0 frozen · 2 usage · 4 no bank is running · 7 refused")]
    Freeze(Freeze),
    /// Free an account that was frozen (the operator's order)
    #[command(after_help = "Example:\n  compup2p bank unfreeze ACCOUNT --reason \"key changed\"\n\n\
        Exit codes:\n  0 freed · 2 usage · 4 no bank is running · 7 refused")]
    Unfreeze(Freeze),
    /// Print an invitation for an account, for `join --invitation`
    #[command(after_help = "Example:\n  compup2p bank invite ACCOUNT --for 48h > invitation\n\n\
        Exit codes:\n  0 printed · 2 usage · 4 no bank is running")]
    Invite(Invite),
    /// Show the figures of the bank or standby that runs here
    #[command(
        after_help = "Example:\n  compup2p bank totals\n\nExit codes:\n  0 shown · 4 no bank is running"
    )]
    Totals,
    /// Let the standby that runs here, or that this directory is of, take over
    #[command(after_help = "Example:\n  compup2p bank promote --home /srv/standby\n\n\
        Only when the former bank is gone for good: it ends when it hears of this, and what it acknowledged\n\
        and the standby does not have is lost.\n\n\
        Exit codes:\n  0 it is the bank · 2 it is no standby · 4 it does not answer")]
    Promote,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Exchange {
    /// The file
    pub(in crate::cli) file: PathBuf,
    /// The database of the bank, instead of the files in its home: postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL", env = "COMPUP2P_STORE", hide_env_values = true)]
    pub(in crate::cli) store: Option<Address>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Serve {
    /// Keep the journal in this database instead of the bank's home: postgres://USER@HOST/DATABASE, or
    /// "host=/run/postgresql dbname=DATABASE"; a password is read from PGPASSWORD
    #[arg(
        long,
        value_name = "URL",
        env = "COMPUP2P_STORE",
        hide_env_values = true,
        conflicts_with = "follow"
    )]
    pub(in crate::cli) store: Option<Address>,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "IP:PORT", env = "COMPUP2P_LISTEN", default_value = "127.0.0.1:7742")]
    pub(in crate::cli) listen: SocketAddr,
    /// Rules for a network on one machine: many places behind one address, short deadlines
    #[arg(long)]
    pub(in crate::cli) local_rules: bool,
    /// Be a standby of this bank, with a copy of its node.key: follow its journal, ready to take over
    #[arg(long, value_name = "[KEY@]HOST:PORT", value_parser = value::leader)]
    pub(in crate::cli) follow: Option<Bootstrap>,
    /// What answers wait for besides this machine's disk: async for nothing, sync for a standby
    #[arg(long, value_name = "MODE", value_enum, default_value = "async")]
    pub(in crate::cli) standby: Mode,
    /// Orders that one key may give in a second; 0 for any number
    #[arg(long, value_name = "N", default_value_t = ORDERS_PER_KEY)]
    pub(in crate::cli) orders_per_second: u32,
    #[command(flatten)]
    pub(in crate::cli) founding: Founding,
    /// End when standard input does
    #[arg(long, hide = true)]
    pub(in crate::cli) tied: bool,
}

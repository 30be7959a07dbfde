//! What commands hand to the driver, and how long they wait.

use super::Founding;
use crate::node::Mode;
use proto::PublicKey;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinOptions {
    /// The node's directory.
    pub(crate) home: PathBuf,
    /// Its owner's rules.
    pub(crate) policy_path: PathBuf,
    /// Who introduces it.
    pub(crate) bootstrap: Bootstrap,
    /// The place behind its address; any free one if absent.
    pub(crate) slot: Option<u16>,
    /// Whether it takes no work until it is told to.
    pub(crate) paused: bool,
    /// How many sub-tasks it takes before it leaves.
    pub(crate) max_tasks: Option<u32>,
    /// After how long without work it leaves.
    pub(crate) exit_when_idle: Option<Duration>,
    /// The operator's invitation: its text, or a file that holds it.
    pub(crate) invitation: Option<String>,
    /// Whether it ends with its standard input.
    pub(crate) tied: bool,
}

/// A placement scheme of markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scheme {
    /// A market lies where its capacity lies; buyers ask upwards.
    Single,
    /// A market lies where the hash of its name lies; a second ring finds the next larger one.
    Processor,
}

impl From<Scheme> for proto::Placement {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Single => Self::Single,
            Scheme::Processor => Self::Processor,
        }
    }
}

/// How a bank runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BankOptions {
    /// The bank's directory.
    pub(crate) home: PathBuf,
    /// The database that it keeps its journal in; its home if there is none.
    pub(crate) store: Option<crate::node::Address>,
    /// Where it listens; port 0 is any free one.
    pub(crate) listen: SocketAddr,
    /// Whether the network has the rules of one machine instead of those of the world.
    pub(crate) local_rules: bool,
    /// What its founder has decided otherwise.
    pub(crate) founding: Founding,
    /// The bank that it is a standby of.
    pub(crate) follow: Option<Bootstrap>,
    /// What its answers wait for.
    pub(crate) standby: Mode,
    /// Orders that a key may give in a second; 0 for any number.
    pub(crate) orders_per_second: u32,
    /// Whether it tells in JSON what it guarantees.
    pub(crate) is_json: bool,
    /// Whether it ends with its standard input.
    pub(crate) tied: bool,
}

/// A bank and bootstrap server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bootstrap {
    /// Its key, if it is known beforehand; else whichever answers there is trusted.
    pub(crate) key: Option<PublicKey>,
    /// Where it is, `HOST:PORT`; if it is somewhere else after a take-over, in their order.
    pub(crate) addrs: Vec<String>,
}

impl Bootstrap {
    /// Its addresses as one text.
    pub(crate) fn place(&self) -> String {
        self.addrs.join(",")
    }
}

/// How long a command waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As long as the user said: `--timeout`.
    Told(Duration),
    /// As long as an answer takes at most when all is well.
    Usual(Duration),
}

impl Limit {
    /// What the user said, or else what is usual.
    pub(crate) fn of(told: Option<Duration>, usual: Duration) -> Self {
        told.map_or(Self::Usual(usual), Self::Told)
    }

    pub(crate) const fn duration(self) -> Duration {
        match self {
            Self::Told(duration) | Self::Usual(duration) => duration,
        }
    }
}

//! A network on this machine: a bank and some nodes, each a process of its own.
//!
//! The processes are children that end with their standard input, so none outlives its parent however that ends.
//! They are in process groups of their own: a Ctrl-C at the terminal reaches the parent only, which ends them in
//! order. All files are in one directory, which is removed at the end unless it is to be kept; only when the
//! parent is killed (SIGKILL) it stays.

mod child;
mod policy;
mod readiness;

use crate::cli::{Founding, Limit, ask};
use crate::control::{BalanceView, Failure, Reply, Request};
use child::Child;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// How long everything may take until all nodes are in the market.
const START: Duration = Duration::from_secs(60);
/// How long a node of the network may take to answer a question.
const ANSWER: Limit = Limit::Usual(Duration::from_secs(10));
/// How long processes may take to end by themselves.
const STOP: Duration = Duration::from_secs(5);
/// Between two looks at the same thing.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A network on this machine.
pub(crate) struct Network {
    directory: TempDir,
    is_kept: bool,
    founding: Founding,
    bank: Option<(Child, String)>,
    nodes: Vec<LocalNode>,
    /// Nodes that have been started and are not ready yet.
    starting: Vec<Child>,
}

/// A node of the network.
pub(crate) struct LocalNode {
    child: Child,
    pub(crate) name: String,
    pub(crate) home: PathBuf,
    pub(crate) address: String,
    /// Its public key, all of it.
    pub(crate) account: String,
}

impl Network {
    /// A network without processes: its directory, below the working directory if it `is_kept`, and its rules.
    pub(crate) fn new(is_kept: bool, founding: Founding) -> Result<Self, Failure> {
        let parent = if is_kept { std::env::current_dir() } else { Ok(std::env::temp_dir()) };
        let parent = parent.map_err(Failure::from_display("disk"))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("compup2p-local-").disable_cleanup(is_kept);
        let directory = builder.tempdir_in(&parent);
        let directory = directory.map_err(|e| Failure::disk("make a directory in", &parent, &e))?;
        Ok(Self { directory, is_kept, founding, bank: None, nodes: Vec::new(), starting: Vec::new() })
    }

    /// Starts the bank and `count` nodes and waits until all are in the ring and in the market.
    ///
    /// May be dropped at any moment: what has been started is known to [`Self::stop`].
    pub(crate) async fn start(&mut self, count: u16) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        self.start_bank(deadline).await?;
        // The first node makes the ring; the others find it there.
        self.spawn_node(1)?;
        self.await_ready(deadline).await?;
        for number in 2..=count {
            self.spawn_node(number)?;
        }
        self.await_ready(deadline).await?;
        readiness::settle(self, deadline).await
    }

    async fn start_bank(&mut self, deadline: Instant) -> Result<(), Failure> {
        let home = self.path();
        let args = ["bank", "serve", "--local-rules", "--listen", "127.0.0.1:0", "--tied", "--home"];
        let args = args.into_iter().map(OsString::from).chain([home.clone().into()]);
        let args = args.chain(self.founding.arguments());
        let child = Child::spawn("bank", &home.join("bank"), args)?;
        let (child, _) = self.bank.insert((child, String::new()));
        let ready = child.ready(deadline).await?;
        if let Some((_, bootstrap)) = &mut self.bank {
            *bootstrap = format!("{}@{}", ready.key, ready.address);
        }
        Ok(())
    }

    fn spawn_node(&mut self, number: u16) -> Result<(), Failure> {
        let name = format!("node-{number}");
        let home = self.path().join(&name);
        std::fs::create_dir(&home).map_err(|e| Failure::disk("make the directory", &home, &e))?;
        let policy = home.join("policy.toml");
        let written = std::fs::write(&policy, policy::text(number));
        written.map_err(|e| Failure::disk("write", &policy, &e))?;
        let (slot, bootstrap) = (number.to_string(), self.bootstrap().to_owned());
        let mut args: Vec<OsString> = vec!["join".into(), policy.into(), "--tied".into()];
        args.extend(["--bootstrap".into(), bootstrap.into(), "--slot".into(), slot.into()]);
        args.extend(["--home".into(), home.clone().into()]);
        self.starting.push(Child::spawn(&name, &home, args)?);
        Ok(())
    }

    /// Waits until all nodes that are starting have said that they are ready.
    async fn await_ready(&mut self, deadline: Instant) -> Result<(), Failure> {
        while let Some(child) = self.starting.first_mut() {
            let ready = child.ready(deadline).await?;
            let child = self.starting.remove(0);
            let (name, home) = (child.name().to_owned(), child.home().to_owned());
            self.nodes.push(LocalNode { child, name, home, address: ready.address, account: ready.key });
        }
        Ok(())
    }

    /// Where its files are.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Where its files stay, if they do.
    pub(crate) fn kept(&self) -> Option<PathBuf> {
        self.is_kept.then(|| self.path())
    }

    /// The bank, as `KEY@HOST:PORT`.
    pub(crate) fn bootstrap(&self) -> &str {
        self.bank.as_ref().map_or("", |(_, bootstrap)| bootstrap)
    }

    pub(crate) fn nodes(&self) -> &[LocalNode] {
        &self.nodes
    }

    /// The directory of the first node: the one that buys.
    pub(crate) fn buyer(&self) -> Result<&Path, Failure> {
        let first = self.nodes.first().map(|node| node.home.as_path());
        first.ok_or_else(|| Failure::new("no_node", "the local network has no node", 4))
    }

    /// The accounts of all nodes.
    pub(crate) async fn balances(&self) -> Result<Vec<BalanceView>, Failure> {
        let mut balances = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            match ask(&node.home, &Request::Balance, ANSWER).await? {
                Reply::Balance(balance) => balances.push(*balance),
                _ => return Err(crate::cli::unexpected(&node.home)),
            }
        }
        Ok(balances)
    }

    /// The accounts of all nodes, when nothing is held any more or after `patience`.
    pub(crate) async fn settled_balances(&self, patience: Duration) -> Result<Vec<BalanceView>, Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let balances = self.balances().await?;
            if balances.iter().all(|balance| balance.held == "0") || Instant::now() >= deadline {
                return Ok(balances);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What to tell about the first process that has ended by itself, if one has. A node that somebody has let leave in
    /// order is no longer of the network, and no reason to end; the last one is.
    pub(crate) fn obituary(&mut self) -> Option<Failure> {
        if self.nodes.len() > 1 {
            self.nodes.retain_mut(|node| !node.child.has_left());
        }
        let nodes = self.nodes.iter_mut().map(|node| &mut node.child).chain(&mut self.starting);
        let bank = self.bank.iter_mut().map(|(child, _)| child);
        bank.chain(nodes).find_map(Child::obituary)
    }

    /// Ends all processes, waits for them, and removes the directory unless it is to be kept.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let Self { directory, is_kept, bank, nodes, starting, .. } = self;
        let mut children: Vec<Child> = nodes.into_iter().map(|node| node.child).chain(starting).collect();
        children.extend(bank.map(|(child, _)| child));
        for child in &mut children {
            child.tell_to_end();
        }
        let deadline = Instant::now() + STOP;
        for child in &mut children {
            child.end(deadline).await;
        }
        if is_kept {
            return Ok(());
        }
        let path = directory.path().to_owned();
        directory.close().map_err(|e| Failure::disk("remove the directory", &path, &e))
    }
}

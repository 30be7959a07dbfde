//! A bank and nodes on the loopback, each a process in a directory of its own, that can be killed and started
//! again at the same address.

use super::harness::{Bank, NodeProcess, command, json, policy, run, text, wait_until};
use super::server::Server;
use super::view::{Balance, Lookup, Markets, Node, Task, Walk};
use super::work::{Bought, Slow, checksum, task_file};
use proto::{Peer, PublicKey};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// One network at a time: each test wants the processors of the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());
/// How long everything may take until all nodes are in the market, in seconds.
const START: u64 = 60;
/// How long a task may take, in seconds, as a command's argument.
const TASK: &str = "100";

pub(crate) struct Network {
    bank: Bank,
    nodes: Vec<NodeProcess>,
    directory: TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// A command that waits for the buyer's last task.
pub(crate) struct Waiting {
    command: JoinHandle<super::harness::Finished>,
}

/// The machine for one test.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks until `condition` holds; what it said last is shown when it does not within so many seconds.
#[track_caller]
pub(crate) fn until<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until(what, Duration::from_secs(seconds), || condition().map_err(|now| last = now).ok())
    }));
    found.unwrap_or_else(|_| panic!("{what}: not within {seconds} s; at last: {last}"))
}

impl Network {
    /// A bank and `count` nodes of one core each, all in the ring and in the market.
    pub(crate) fn start(count: usize) -> Self {
        let alone = alone();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let bank = Bank::start(directory.path());
        let start = |node: usize| {
            let (name, cost) = (format!("n{node}"), format!("0.{}", node + 1));
            NodeProcess::start(directory.path(), &bank, &name, &policy(&cost, 1))
        };
        let nodes: Vec<NodeProcess> = (0..count).map(start).collect();
        let network = Self { bank, nodes, directory, _alone: alone };
        (0..count).for_each(|node| network.wait_until_listed(node));
        network
    }

    /// Of a bank and nodes that were started otherwise, with their files in `directory`.
    pub(crate) fn of(
        bank: Bank,
        nodes: Vec<NodeProcess>,
        directory: TempDir,
        alone: MutexGuard<'static, ()>,
    ) -> Self {
        Self { bank, nodes, directory, _alone: alone }
    }

    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn bank_address(&self) -> SocketAddr {
        self.bank.address.parse().expect("an address")
    }

    pub(crate) fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].address.parse().expect("an address")
    }

    /// The bank's process.
    pub(crate) fn bank_server(&self) -> Server {
        Server { name: "bank".into(), address: self.bank_address(), pid: self.bank.pid() }
    }

    /// The process of a node.
    pub(crate) fn server(&self, node: usize) -> Server {
        let name = self.nodes[node].name.clone();
        Server { name, address: self.address(node), pid: self.nodes[node].pid() }
    }

    /// The place of a node in the ring.
    pub(crate) fn place(&self, node: usize) -> Peer {
        let key = PublicKey::from_hex(&self.nodes[node].account).expect("a key");
        Peer::new(self.address(node), self.status(node).slot, key)
    }

    /// What a node has told so far.
    pub(crate) fn log(&self, node: usize) -> String {
        std::fs::read_to_string(self.nodes[node].home.join("log")).expect("the node has a log")
    }

    /// A walk around the ring, which may find defects.
    pub(crate) fn check(&self, node: usize) -> Walk {
        let finished = self.nodes[node].run(&["ring", "check", "--json"]);
        serde_json::from_value(finished.json()).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    }

    /// Who answers for `key`, which has to be found: its account.
    pub(crate) fn look_up(&self, node: usize, key: &str) -> String {
        self.ask::<Lookup>(node, &["ring", "lookup", key]).owner.account
    }

    /// Which node has this account.
    pub(crate) fn node_of(&self, account: &str) -> usize {
        let found = self.nodes.iter().position(|node| node.account == account);
        found.unwrap_or_else(|| panic!("`{account}` is no account of a node"))
    }

    /// Submits a task; its results go to `results`.
    pub(crate) fn submit(&self, node: usize, kinds: &[Slow]) {
        self.submit_as(Bought::Together, node, kinds);
    }

    pub(crate) fn submit_as(&self, bought: Bought, node: usize, kinds: &[Slow]) {
        self.submit_text(node, &task_file(kinds, bought));
    }

    /// Submits the text of a task file.
    pub(crate) fn submit_text(&self, node: usize, text_of_file: &str) {
        let file = self.directory.path().join("tasks.xml");
        std::fs::write(&file, text_of_file).expect("the task file can be written");
        let results = self.results();
        let finished = self.nodes[node].run(&["task", "submit", text(&file), "--to", text(&results)]);
        assert_eq!(finished.code, 0, "{finished:?}");
    }

    pub(crate) fn task(&self, node: usize) -> Task {
        self.ask(node, &["task", "status", "last"])
    }

    pub(crate) fn status(&self, node: usize) -> Node {
        self.ask(node, &["status"])
    }

    pub(crate) fn markets(&self, node: usize) -> Markets {
        self.ask(node, &["market", "list"])
    }

    pub(crate) fn balance(&self, node: usize) -> Balance {
        self.ask(node, &["bank", "balance"])
    }

    /// Waits until the last task of `node` has ended; the command has to end with `code`.
    pub(crate) fn wait(&self, node: usize, code: i32) -> Task {
        self.start_wait(node).end(code).0
    }

    /// Starts to wait for the last task of `node`.
    pub(crate) fn start_wait(&self, node: usize) -> Waiting {
        let home = self.nodes[node].home.clone();
        let wait = move || run(&["task", "wait", "last", "--json", "--timeout", TASK], &home);
        Waiting { command: std::thread::spawn(wait) }
    }

    /// `count` results of the sub-tasks called `name` are there, and right.
    pub(crate) fn check_results(&self, name: &str, count: usize, millions: u32) {
        for number in 1..=count {
            let path = self.results().join(format!("{name}-{number}.txt"));
            let content = std::fs::read_to_string(&path);
            let content = content.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(content, checksum(millions), "{}", path.display());
        }
    }

    /// The living nodes, in the order of their ids, name each other as neighbours within so many seconds.
    #[track_caller]
    pub(crate) fn check_ring(&self, seconds: u64) {
        until("the ring is in order", seconds, || {
            let living = (0..self.count()).filter(|node| self.nodes[*node].is_running());
            let mut ring: Vec<Node> = living.map(|node| self.status(node)).collect();
            ring.sort_by(|a, b| a.node_id.cmp(&b.node_id));
            let names: Vec<&str> = ring.iter().map(|node| &node.account[..8]).collect();
            let is_one = |peer: &String, name: &str| peer.starts_with(name);
            for (at, node) in ring.iter().enumerate() {
                let (before, after) =
                    (names[(at + names.len() - 1) % names.len()], names[(at + 1) % names.len()]);
                let is_right = node.is_member
                    && node.predecessor.as_ref().is_some_and(|peer| is_one(peer, before))
                    && node.successors.first().is_some_and(|peer| is_one(peer, after))
                    && node.successors.iter().all(|peer| names.iter().any(|name| is_one(peer, name)));
                if !is_right {
                    return Err(format!("{node:?}, expected {before} and {after}"));
                }
            }
            Ok(())
        });
    }

    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].kill9();
    }

    /// Starts a node again, with the same files at the same address, and waits until it sells again.
    pub(crate) fn restart(&mut self, node: usize) {
        let NodeProcess { home, address, .. } = &self.nodes[node];
        let file = home.join("policy.toml");
        let policy = std::fs::read_to_string(&file).expect("the node has a policy");
        std::fs::write(&file, policy.replace("127.0.0.1:0", address)).expect("the policy can be written");
        self.nodes[node].restart();
        self.wait_until_listed(node);
    }

    /// Submits one program of `examples/faults`.
    pub(crate) fn submit_fault(&self, node: usize, program: &str) {
        let file = self.directory.path().join("fault.xml");
        let program = std::path::absolute(format!("examples/faults/{program}")).expect("a working directory");
        let task = format!(
            "<TaskFile version=\"1\"><Name>fault</Name><SubTask name=\"one\"><CpuCycles>100</CpuCycles><Price>10</Price>\
             <File>{}</File></SubTask></TaskFile>",
            program.display()
        );
        std::fs::write(&file, task).expect("the task file can be written");
        let finished = self.command(node, &["task", "submit", text(&file)]);
        assert_eq!(finished.code, 0, "{finished:?}");
    }

    /// A command that asks this node.
    pub(crate) fn command(&self, node: usize, args: &[&str]) -> super::harness::Finished {
        self.nodes[node].run(args)
    }

    /// Removes the results of the last task of `node`, and has them written once more.
    pub(crate) fn write_results_again(&self, node: usize) {
        std::fs::remove_dir_all(self.results()).expect("there are results");
        let finished = self.nodes[node].run(&["task", "results", "last"]);
        assert_eq!(finished.code, 0, "{finished:?}");
    }

    pub(crate) fn leave(&mut self, node: usize) {
        let finished = self.nodes[node].run(&["leave", "--now"]);
        assert_eq!(finished.code, 0, "{finished:?}");
        assert_eq!(self.nodes[node].wait_for_end(), 0);
    }

    pub(crate) fn kill_bank(&mut self) {
        self.bank.kill9();
    }

    pub(crate) fn restart_bank(&mut self) {
        self.bank.restart();
    }

    /// Checks the files of the bank, which does not run.
    pub(crate) fn verify_bank(&self) -> serde_json::Value {
        json(&["bank", "verify"], &self.bank.home)
    }

    /// The first file of the bank's journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.bank.home.join("bank/journal/00000000000000000000.journal")
    }

    /// Starts a bank that does not come up: its exit status and what it says.
    pub(crate) fn refused_bank(&self) -> (Option<i32>, String) {
        let args = ["bank", "serve", "--local-rules", "--listen", &self.bank.address];
        let output = command(&args, &self.bank.home).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn results(&self) -> PathBuf {
        self.directory.path().join("results")
    }

    fn wait_until_listed(&self, node: usize) {
        until("the node is in the market", START, || {
            let status = self.status(node);
            let is_there = status.is_member && status.listed.is_some();
            if is_there { Ok(()) } else { Err(format!("{status:?}")) }
        });
    }

    fn ask<T: DeserializeOwned>(&self, node: usize, args: &[&str]) -> T {
        let value = self.nodes[node].json(args);
        serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{args:?}: {error}: {value}"))
    }
}

impl Waiting {
    /// Whether the command has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.command.is_finished()
    }

    /// The task when it has ended, and what the command told meanwhile; it has to end with `code`.
    pub(crate) fn end(self, code: i32) -> (Task, String) {
        let finished = self.command.join().expect("the command is waited for");
        assert_eq!(finished.code, code, "{finished:?}");
        let task = serde_json::from_str(&finished.stdout);
        (task.unwrap_or_else(|error| panic!("{error}: {finished:?}")), finished.stderr)
    }
}

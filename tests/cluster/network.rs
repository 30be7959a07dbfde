//! A bank and nodes on the loopback, each a process in a directory of its own, that can be killed and started
//! again at the same address.

use super::harness::{self, Bank, Finished, NodeProcess, wait_until};
use super::view::{Balance, Node, Task};
use super::work::{Slow, checksum, task_file};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// One network at a time: each test wants the processors of the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());
/// How long everything may take until all nodes are in the market, in seconds.
const START: u64 = 60;
/// The waits for a task, with a limit that is never reached when all is well.
const WAIT: [&str; 6] = ["task", "wait", "last", "--json", "--timeout", "90"];

/// A bank and nodes, numbered from 0.
pub struct Network {
    bank: Bank,
    members: Vec<NodeProcess>,
    /// Whether the member is not running, killed or gone.
    is_down: Vec<bool>,
    directory: TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// A `task wait` that runs beside the test.
pub struct Wait(JoinHandle<Finished>);

/// Looks until `condition` is fulfilled; what it sees instead is shown when the time is over.
pub fn until<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let within = Duration::from_secs(seconds);
    let begin = Instant::now();
    wait_until(what, within, || match condition() {
        Ok(value) => Some(value),
        Err(seen) => {
            assert!(begin.elapsed() < within, "after {seconds} s still waiting until {what}: {seen}");
            None
        }
    })
}

impl Network {
    /// Starts a bank and `count` nodes with one core each, and waits until all are where buyers look.
    pub fn start(count: usize) -> Self {
        // A test that failed has left nothing behind.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = tempfile::tempdir().expect("there is a directory for temporary files");
        let bank = Bank::start(directory.path());
        let members = (0..count).map(|number| {
            let policy = policy(number, "127.0.0.1:0");
            let node = NodeProcess::start(directory.path(), &bank, &format!("n{number}"), &policy);
            std::fs::write(node.home.join("policy.toml"), self::policy(number, &node.address))
                .expect("its next start finds it at the same address");
            node
        });
        let members: Vec<NodeProcess> = members.collect();
        let is_down = vec![false; count];
        let network = Self { bank, members, is_down, directory, _alone: alone };
        network.await_market();
        network
    }

    fn await_market(&self) {
        until("all nodes are in the market", START, || {
            let living: Vec<Node> = self.living().into_iter().map(|node| self.status(node)).collect();
            let is_ready =
                |node: &Node| node.is_member && node.listed.is_some() && node.predecessor.is_some();
            let listings: usize = living.iter().map(|node| node.listings).sum();
            if living.iter().all(is_ready) && listings >= living.len() {
                Ok(())
            } else {
                Err(format!("{living:#?}"))
            }
        });
    }

    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// The number of the node with this account.
    pub fn node_of(&self, account: &str) -> usize {
        let found = self.members.iter().position(|member| member.account == account);
        found.unwrap_or_else(|| panic!("no node has the account {account:?}"))
    }

    pub fn address(&self, node: usize) -> SocketAddr {
        self.members[node].address.parse().expect("a ready node tells its address")
    }

    pub fn bank_address(&self) -> SocketAddr {
        self.bank.address.parse().expect("a ready bank tells its address")
    }

    /// The bank's journal.
    pub fn journal(&self) -> PathBuf {
        self.bank.home.join("bank/journal")
    }

    /// `kill -9`.
    pub fn kill(&mut self, node: usize) {
        self.members[node].kill9();
        self.is_down[node] = true;
    }

    /// Starts a node that is down, with the same files at the same address, and waits until it is in the ring.
    pub fn restart(&mut self, node: usize) {
        let before = (self.members[node].account.clone(), self.address(node));
        self.members[node].restart();
        self.is_down[node] = false;
        assert_eq!((self.members[node].account.clone(), self.address(node)), before);
        until("the node is in the ring again", 20, || {
            let status = self.status(node);
            if status.is_member && status.predecessor.is_some() { Ok(()) } else { Err(format!("{status:?}")) }
        });
    }

    /// Leaves in order: the command says so, and the process ends by itself.
    pub fn leave(&mut self, node: usize) {
        let left = self.members[node].json(&["leave"]);
        assert_eq!(left["left"], true, "{left}");
        assert_eq!(self.members[node].wait_for_end(), 0);
        self.is_down[node] = true;
    }

    pub fn kill_bank(&mut self) {
        self.bank.kill9();
    }

    /// Starts the bank that was killed, with the same files at the same address.
    pub fn restart_bank(&mut self) {
        let before = (self.bank.key.clone(), self.bank.address.clone());
        self.bank.restart();
        assert_eq!((self.bank.key.clone(), self.bank.address.clone()), before);
    }

    /// Starts the bank, which has to end by itself.
    pub fn refused_bank(&self) -> Finished {
        let args = ["bank", "serve", "--local-rules", "--tied", "--listen", &self.bank.address];
        harness::run(&args, &self.bank.home)
    }

    /// Has `node` buy `kinds`, with the results in the directory of the network.
    pub fn submit(&self, node: usize, kinds: &[Slow]) {
        let (file, results) =
            (self.directory.path().join("tasks.xml"), self.directory.path().join("results"));
        std::fs::write(&file, task_file(kinds)).expect("the task file can be written");
        self.members[node].json(&["task", "submit", harness::text(&file), "--to", harness::text(&results)]);
    }

    /// The last task of `node`.
    pub fn task(&self, node: usize) -> Task {
        self.ask(node, &["task", "status", "last"])
    }

    /// The last task of `node` when it has ended; the command has to exit with `code`.
    pub fn wait(&self, node: usize, code: i32) -> Task {
        ended(&self.members[node].run(&WAIT), code).0
    }

    /// Waits for the last task of `node` beside the test.
    pub fn start_wait(&self, node: usize) -> Wait {
        let home = self.members[node].home.clone();
        Wait(thread::spawn(move || harness::run(&WAIT, &home)))
    }

    pub fn status(&self, node: usize) -> Node {
        self.ask(node, &["status"])
    }

    pub fn balance(&self, node: usize) -> Balance {
        self.ask(node, &["bank", "balance"])
    }

    /// What `count` sub-tasks of the kind `name` left is what such programs leave.
    pub fn check_results(&self, name: &str, count: usize, millions: u32) {
        for number in 1..=count {
            let path = self.directory.path().join(format!("results/{name}-{number}.txt"));
            let result = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(result, checksum(millions), "{}", path.display());
        }
    }

    /// Waits until every node that runs knows its neighbours: those that run, in the order of their ids.
    pub fn check_ring(&self, seconds: u64) {
        until("the ring is in order", seconds, || {
            let mut ring: Vec<Node> = self.living().into_iter().map(|node| self.status(node)).collect();
            ring.sort_by(|left, right| left.node_id.cmp(&right.node_id));
            let faults: Vec<String> = (0..ring.len()).filter_map(|at| disorder(&ring, at)).collect();
            if faults.is_empty() { Ok(()) } else { Err(format!("{faults:#?}")) }
        });
    }

    fn living(&self) -> Vec<usize> {
        (0..self.count()).filter(|node| !self.is_down[*node]).collect()
    }

    fn ask<T: DeserializeOwned>(&self, node: usize, args: &[&str]) -> T {
        let value = self.members[node].json(args);
        serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{args:?}: {error} in {value}"))
    }
}

impl Wait {
    /// The task when it has ended, and what was told meanwhile; the command has to exit with `code`.
    pub fn end(self, code: i32) -> (Task, String) {
        let finished = self.0.join().expect("the command can be run");
        ended(&finished, code)
    }
}

fn ended(finished: &Finished, code: i32) -> (Task, String) {
    assert_eq!(finished.code, code, "{finished:?}");
    let task = serde_json::from_value(finished.json());
    (task.unwrap_or_else(|error| panic!("{error}: {finished:?}")), finished.stderr.clone())
}

/// What the node at place `at` of `ring`, which is in order, does not know about its neighbours.
fn disorder(ring: &[Node], at: usize) -> Option<String> {
    let peer = |distance: usize| format!("@{}#", ring[(at + distance) % ring.len()].address);
    let node = &ring[at];
    let has_predecessor = node.predecessor.as_ref().is_some_and(|name| name.contains(&peer(ring.len() - 1)));
    let has_successors = node.successors.len() == ring.len() - 1
        && node.successors.iter().enumerate().all(|(index, name)| name.contains(&peer(index + 1)));
    (!has_predecessor || !has_successors).then(|| {
        let (predecessor, successors) = (&node.predecessor, &node.successors);
        format!("{}@{}: after {predecessor:?}, before {successors:?}", node.node_id, node.address)
    })
}

/// The policy of node `number`: one core, asks that differ from node to node.
fn policy(number: usize, listen: &str) -> String {
    let policy = harness::policy(&format!("0.{}", 15 + 5 * number), 1);
    policy.replace("127.0.0.1:0", listen)
}

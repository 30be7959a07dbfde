//! The program under test as real processes: commands that end, and banks and nodes that run until told to.
//!
//! Nothing outlives its test: a bank or a node is killed when its value is dropped, and ends with its standard
//! input if the test itself dies. Files are in directories of the caller, which must have short paths (a node's
//! socket is in its home): those of `tempfile::tempdir` are short enough.
//!
//! Used by several test binaries: `#[path = "common/harness.rs"] mod harness;`.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may take to be ready or to end, and a command to end. Never needed when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// The exit code; -1 if it was ended by a signal.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The one JSON value on standard output.
    pub(crate) fn json(&self) -> Value {
        let value = serde_json::from_str(&self.stdout);
        value.unwrap_or_else(|error| panic!("standard output is no JSON value ({error}): {self:?}"))
    }
}

/// The command that runs another one somewhere else, such as in a network namespace: its name and its arguments. Empty
/// for here.
pub(crate) type Within = Vec<String>;

/// The program with `args`. Its node's home, its temporary directory and the user's home are `home`, and it starts
/// in the repository, where the README's commands start. The environment of the test has no influence.
pub(crate) fn command(args: &[&str], home: &Path) -> Command {
    command_within(&Within::new(), args, home)
}

/// The same somewhere else.
fn command_within(within: &Within, args: &[&str], home: &Path) -> Command {
    let program = env!("CARGO_BIN_EXE_compup2p");
    let mut words = within.iter().map(String::as_str).chain([program]);
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for name in ["COMPUP2P_BOOTSTRAP", "COMPUP2P_LISTEN", "COLUMNS", "NO_COLOR", "RUST_LOG", "XDG_DATA_HOME"]
    {
        command.env_remove(name);
    }
    command.env("COMPUP2P_HOME", home).env("TMPDIR", home).env("HOME", home).env("TZ", "UTC");
    command
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str], home: &Path) -> Finished {
    run_within(&Within::new(), args, home)
}

/// The same somewhere else.
pub(crate) fn run_within(within: &Within, args: &[&str], home: &Path) -> Finished {
    let mut child = command_within(within, args, home)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start the program: {error}"));
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let deadline = Instant::now() + 2 * PATIENCE;
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    let (stdout, stderr) = (stdout.recv_timeout(left(deadline)), stderr.recv_timeout(left(deadline)));
    let (Ok(stdout), Ok(stderr)) = (stdout, stderr) else {
        let _ = child.kill();
        panic!("`compup2p {}` has not ended within {:?}", args.join(" "), 2 * PATIENCE)
    };
    let status = end_of(&mut child, deadline).unwrap_or_else(|| {
        let _ = child.kill();
        panic!("`compup2p {}` has closed its output, but has not ended", args.join(" "))
    });
    Finished { code: status.code().unwrap_or(-1), stdout, stderr }
}

/// Runs a command with `--json`, which must succeed, and reads what it says.
pub(crate) fn json(args: &[&str], home: &Path) -> Value {
    let finished = run(&[args, &["--json"]].concat(), home);
    assert_eq!(finished.code, 0, "`compup2p {}`: {finished:?}", args.join(" "));
    finished.json()
}

/// Looks until `condition` has a value; what it waits for is named by `what`.
pub(crate) fn wait_until<T>(what: &str, within: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "after {within:?} still waiting until {what}");
        thread::sleep(LOOK_AGAIN);
    }
}

/// A policy for tests: always for sale, `max_cores` cores at `cost` credits per Gc, on a free port.
pub(crate) fn policy(cost: &str, max_cores: u32) -> String {
    format!(
        "version = 1\n[market]\nmarginal_cost = {cost}\n[cpu]\nassume_idle = true\nmax_cores = {max_cores}\n\
         [network]\nlisten = \"127.0.0.1:0\"\n"
    )
}

/// A bank and bootstrap server.
#[derive(Debug)]
pub(crate) struct Bank {
    /// Its files are in `bank` below it.
    pub home: PathBuf,
    /// Where it listens, also after a restart: `127.0.0.1:PORT`.
    pub address: String,
    /// Its public key.
    pub key: String,
    /// More arguments of `bank serve`.
    more: Vec<String>,
    within: Within,
    process: Option<Process>,
}

impl Bank {
    /// Starts a bank with its files below `directory`, and waits until it serves.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_within(Within::new(), directory, "127.0.0.1:0")
    }

    /// The same somewhere else, at this address.
    pub(crate) fn start_within(within: Within, directory: &Path, address: &str) -> Self {
        let home = directory.join("bank-home");
        make_directory(&home);
        let (address, key, more) = (address.into(), String::new(), Vec::new());
        let mut bank = Self { home, address, key, more, within, process: None };
        bank.restart();
        bank
    }

    /// Starts a bank with its files below `home`, and with more arguments.
    pub(crate) fn start_with(within: Within, home: &Path, more: &[&str]) -> Self {
        make_directory(home);
        let (address, key) = ("127.0.0.1:0".into(), String::new());
        let more = more.iter().map(ToString::to_string).collect();
        let mut bank = Self { home: home.into(), address, key, more, within, process: None };
        bank.restart();
        bank
    }

    /// A standby of this bank with its files below `home`, which is to serve at `address`, with more arguments.
    pub(crate) fn standby(&self, home: &Path, address: &str, more: &[&str]) -> Self {
        make_directory(&home.join("bank"));
        let copied = std::fs::copy(self.home.join("bank/node.key"), home.join("bank/node.key"));
        copied.unwrap_or_else(|error| panic!("cannot copy the key: {error}"));
        let (key, leader) = (String::new(), self.bootstrap());
        let more = ["--follow", &leader].iter().chain(more).map(ToString::to_string).collect();
        let (home, within) = (home.to_owned(), Within::new());
        let mut standby = Self { home, address: address.into(), key, more, within, process: None };
        standby.restart();
        // It has said where its bank is.
        standby.address = address.into();
        standby
    }

    /// Starts it again as a bank of its own, without the other arguments.
    pub(crate) fn restart_alone(&mut self) {
        self.more.clear();
        self.restart();
    }

    /// Starts it again, at the same address with the same files.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "the bank is still running");
        let mut args = vec!["bank", "serve", "--local-rules", "--tied", "--listen", &self.address];
        args.extend(self.more.iter().map(String::as_str));
        let (process, ready) = Process::start_within(&self.within, "bank", &args, &self.home);
        self.process = Some(process);
        (self.address, self.key) = (ready.address, ready.key);
    }

    /// `KEY@HOST:PORT`, for `join --bootstrap`.
    pub(crate) fn bootstrap(&self) -> String {
        format!("{}@{}", self.key, self.address)
    }

    /// Waits until it has ended by itself: the exit code.
    pub(crate) fn wait_for_end(&mut self) -> i32 {
        let Some(mut process) = self.process.take() else { panic!("the bank is not running") };
        process.wait_for_end()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        pid(self.process.as_ref())
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill9(&mut self) {
        kill9(&mut self.process);
    }
}

/// A node.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    pub name: String,
    /// Its home, for commands that ask it.
    pub home: PathBuf,
    /// Its public key.
    pub account: String,
    /// Where it listens: `IP:PORT`.
    pub address: String,
    bootstrap: String,
    within: Within,
    process: Option<Process>,
}

impl NodeProcess {
    /// A node `name` below `directory` that enters at `bootstrap`.
    pub(crate) fn start_at(directory: &Path, bootstrap: &str, name: &str, policy: &str) -> Self {
        Self::start_with(Within::new(), directory, bootstrap, name, policy, &[])
    }

    /// Starts the node `name` below `directory` with the text of a policy, and waits until it runs.
    pub(crate) fn start(directory: &Path, bank: &Bank, name: &str, policy: &str) -> Self {
        Self::start_within(Within::new(), directory, bank, name, policy)
    }

    /// The same somewhere else.
    pub(crate) fn start_within(
        within: Within,
        directory: &Path,
        bank: &Bank,
        name: &str,
        policy: &str,
    ) -> Self {
        Self::start_with(within, directory, &bank.bootstrap(), name, policy, &[])
    }

    /// The same at a bank of which this is known, with more arguments.
    pub(crate) fn start_with(
        within: Within,
        directory: &Path,
        bootstrap: &str,
        name: &str,
        policy: &str,
        more: &[&str],
    ) -> Self {
        let home = directory.join(name);
        make_directory(&home);
        let written = std::fs::write(home.join("policy.toml"), policy);
        written.unwrap_or_else(|error| panic!("cannot write the policy of {name}: {error}"));
        let (account, address, bootstrap) = (String::new(), String::new(), bootstrap.to_owned());
        let mut node = Self { name: name.into(), home, account, address, bootstrap, within, process: None };
        node.restart_with(more);
        node
    }

    /// Starts it again with the same files; it may get another port.
    pub(crate) fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with more arguments.
    pub(crate) fn restart_with(&mut self, more: &[&str]) {
        assert!(self.process.is_none(), "the node {} is still running", self.name);
        let policy = self.home.join("policy.toml");
        let args = [&["join", text(&policy), "--tied", "--bootstrap", &self.bootstrap], more].concat();
        let (process, ready) = Process::start_within(&self.within, &self.name, &args, &self.home);
        self.process = Some(process);
        (self.address, self.account) = (ready.address, ready.key);
    }

    /// Runs a command that asks this node.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        run(args, &self.home)
    }

    /// Runs a command with `--json` that asks this node and must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        json(args, &self.home)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        pid(self.process.as_ref())
    }

    /// Whether it has neither been killed nor ended.
    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill9(&mut self) {
        kill9(&mut self.process);
    }

    /// Waits until it has ended by itself: the exit code.
    pub(crate) fn wait_for_end(&mut self) -> i32 {
        let Some(mut process) = self.process.take() else { panic!("{} is not running", self.name) };
        process.wait_for_end()
    }
}

/// A process that ends with its standard input, and is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    _stdin: Option<ChildStdin>,
}

/// What a process says when it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Where it listens: `IP:PORT`.
    pub address: String,
    /// Its public key.
    pub key: String,
}

impl Process {
    /// Starts it and waits until it says that it serves. What it says to people is in `log` in its home.
    fn start_within(within: &Within, name: &str, args: &[&str], home: &Path) -> (Self, Ready) {
        let log = home.join("log");
        let log_file = File::options().create(true).append(true).open(&log);
        let log_file = log_file.unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        let mut command = command_within(within, args, home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log_file);
        command.env("COMPUP2P_LOG", "compup2p=info");
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let process = Self { name: name.into(), child, _stdin: stdin };
        let (sender, line) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line));
            let _ = sender.send(line);
            drop(read);
        });
        let line = line.recv_timeout(PATIENCE).unwrap_or_default();
        let ready = serde_json::from_str::<Value>(&line).ok().and_then(|line| {
            let member = |name: &str| line["ready"][name].as_str().map(str::to_owned);
            Some(Ready { address: member("address")?, key: member("key")? })
        });
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        let ready =
            ready.unwrap_or_else(|| panic!("{name} is not ready; it said {line:?}, its log: {}", log()));
        (process, ready)
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself: the exit code, or -1 after a signal.
    pub(crate) fn wait_for_end(&mut self) -> i32 {
        let status = end_of(&mut self.child, Instant::now() + PATIENCE);
        let status = status.unwrap_or_else(|| panic!("{} has not ended within {PATIENCE:?}", self.name));
        status.code().unwrap_or(-1)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// `path` as text: the directories of tests have names in ASCII.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_else(|| panic!("{} is no text", path.display()))
}

fn pid(process: Option<&Process>) -> u32 {
    let Some(process) = process else { panic!("it is not running") };
    process.child.id()
}

fn kill9(process: &mut Option<Process>) {
    let Some(mut process) = process.take() else { panic!("it is not running") };
    process.kill9();
}

fn make_directory(path: &Path) {
    let made = std::fs::create_dir_all(path);
    made.unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
}

/// Reads `source` to its end on a thread of its own.
fn read_all(source: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, all) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            let _ = source.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    all
}

/// The status of `child` when it has ended by `deadline`.
fn end_of(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(status) => return status,
            Err(error) => panic!("cannot wait for a process: {error}"),
        }
    }
}

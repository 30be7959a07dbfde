//! What the ring costs on real nodes: all of them in one process, each with its own key, port and directory, and
//! some as processes of their own. The nodes are the program's, over real connections on the loopback.

use crate::cli::{BankOptions, Bootstrap, Founding, JoinOptions, Limit, ask};
use crate::control::{Failure, Reply, Request};
use crate::exec::Engine;
use crate::node::{Mode, ORDERS_PER_KEY, run_bank, run_join};
use crate::sensor::calibration;
use proto::RingId;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::time::sleep;

/// Nodes in one process, and nodes that are processes.
const TOGETHER: usize = 100;
const APART: usize = 20;
const LOOKUPS: u32 = 1_000;
/// Between the last question and the measurement of rest, and how long that is.
const CALM: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_secs(20);
/// How long the ring may take to form.
const FORMS_WITHIN: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const ANSWER: Limit = Limit::Usual(Duration::from_secs(60));
/// Ticks of the kernel's processor times in a second.
const TICKS: f64 = 100.0;

/// Messages that nodes of this process have sent, as the network tells them, and their bytes.
static MESSAGES: AtomicU64 = AtomicU64::new(0);

/// A bank and nodes. Processes end when it is dropped.
struct Ring {
    directory: TempDir,
    homes: Vec<PathBuf>,
    /// The processes of the nodes; this one if they are together.
    pids: Vec<u32>,
    children: Vec<Child>,
    began: Instant,
}

/// What has been used up to a moment.
struct Used {
    at: Instant,
    ticks: u64,
    bytes: u64,
    packets: u64,
    messages: u64,
}

/// Measures everything and prints it.
pub(crate) fn run() -> ExitCode {
    let measured = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from_display("runtime"))
        .and_then(|runtime| {
            let measured = runtime.block_on(measure_all());
            runtime.shutdown_background();
            measured
        });
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("{}; is the limit of open files (`ulimit -n`) at least 16384?", failure.message));
            ExitCode::FAILURE
        }
    }
}

async fn measure_all() -> Result<(), Failure> {
    let counts = tracing::subscriber::set_global_default(Meter);
    counts.map_err(Failure::from_display("meter"))?;
    measure("processes", Ring::apart(APART).await?).await?;
    measure("nodes in one process", Ring::together(TOGETHER).await?).await
}

async fn measure(what: &str, ring: Ring) -> Result<(), Failure> {
    let count = ring.homes.len();
    ring.await_one().await?;
    say(&format!("{count} {what}: one ring after {:.2} s", ring.began.elapsed().as_secs_f64()));
    let (mut times, mut hops) = (Vec::new(), 0);
    for number in 0..LOOKUPS {
        let (time, steps) = ring.look_up(number).await?;
        times.push(time);
        hops += steps;
    }
    times.sort_by(f64::total_cmp);
    let at =
        |share: usize| times.get((times.len() * share / 100).min(times.len() - 1)).copied().unwrap_or(0.0);
    let mean = per(u64::try_from(hops).unwrap_or(0), f64::from(LOOKUPS));
    say(&format!("  {LOOKUPS} lookups: median {:.2} ms, 99 % {:.2} ms, {mean:.2} hops", at(50), at(99)));
    sleep(CALM).await;
    let before = ring.used()?;
    sleep(REST).await;
    let after = ring.used()?;
    let seconds = (after.at - before.at).as_secs_f64();
    let nodes = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) * seconds;
    let rate = |of: fn(&Used) -> u64| per(of(&after) - of(&before), nodes);
    let cores = rate(|used| used.ticks) / TICKS * 100.0;
    say(&format!(
        "  at rest, a node: {:.0} bytes/s and {:.1} packets/s with all headers, {:.2} % of a core",
        rate(|used| used.bytes),
        rate(|used| used.packets),
        cores
    ));
    let messages = rate(|used| used.messages);
    if messages > 0.0 {
        say(&format!("  {messages:.1} messages/s sent by a node"));
    }
    Ok(())
}

impl Ring {
    /// Directories for a bank and `count` nodes. The speed of a core is measured once for all.
    fn new(count: usize) -> Result<Self, Failure> {
        let disk = Failure::from_display::<std::io::Error>;
        let directory = tempfile::tempdir().map_err(disk("disk"))?;
        let engine = Engine::new(None).map_err(Failure::from_display("executor"))?;
        let known = directory.path().join("calibration");
        let _ = calibration::load_or_measure(&known, &engine);
        let mut homes = Vec::new();
        for number in 0..count {
            let home = directory.path().join(format!("n{number}"));
            fs::create_dir(&home).map_err(disk("disk"))?;
            fs::copy(&known, home.join("calibration")).map_err(disk("disk"))?;
            fs::write(home.join("policy.toml"), POLICY).map_err(disk("disk"))?;
            homes.push(home);
        }
        Ok(Self { directory, homes, pids: Vec::new(), children: Vec::new(), began: Instant::now() })
    }

    /// All nodes as tasks of this process.
    async fn together(count: usize) -> Result<Self, Failure> {
        let mut ring = Self::new(count)?;
        let (listen, home) = (free_address()?, ring.directory.path().join("bank"));
        drop(tokio::spawn(run_bank(BankOptions {
            store: None,
            home,
            listen,
            local_rules: true,
            founding: Founding::default(),
            follow: None,
            standby: Mode::Async,
            orders_per_second: ORDERS_PER_KEY,
            is_json: false,
            tied: false,
        })));
        ring.await_bank(listen).await?;
        for home in &ring.homes {
            let bootstrap = Bootstrap { key: None, addrs: vec![listen.to_string()] };
            let (home, policy_path) = (home.clone(), home.join("policy.toml"));
            let options = JoinOptions {
                home,
                policy_path,
                bootstrap,
                slot: None,
                paused: false,
                max_tasks: None,
                exit_when_idle: None,
                invitation: None,
                tied: false,
            };
            drop(tokio::spawn(run_join(options)));
        }
        ring.pids = vec![std::process::id()];
        Ok(ring)
    }

    /// Every node a process.
    async fn apart(count: usize) -> Result<Self, Failure> {
        let mut ring = Self::new(count)?;
        let (listen, home) = (free_address()?, ring.directory.path().join("bank"));
        let bank = listen.to_string();
        ring.spawn(&home, &["bank", "serve", "--tied", "--local-rules", "--listen", &bank])?;
        ring.await_bank(listen).await?;
        for home in ring.homes.clone() {
            let policy = home.join("policy.toml");
            let policy = policy.display().to_string();
            let pid = ring.spawn(&home, &["join", &policy, "--tied", "--bootstrap", &bank])?;
            ring.pids.push(pid);
        }
        Ok(ring)
    }

    /// Starts this program, which ends with its standard input.
    fn spawn(&mut self, home: &Path, args: &[&str]) -> Result<u32, Failure> {
        let program = std::env::current_exe().map_err(Failure::from_display("program"))?;
        let mut command = Command::new(program);
        command.args(args).arg("--home").arg(home);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(Failure::from_display("program"))?;
        let pid = child.id();
        self.children.push(child);
        Ok(pid)
    }

    /// Waits until the bank listens. The time of the ring counts from here.
    async fn await_bank(&mut self, listen: SocketAddr) -> Result<(), Failure> {
        while let Err(error) = tokio::net::TcpStream::connect(listen).await {
            if self.began.elapsed() >= FORMS_WITHIN {
                return Err(Failure::new("bank", format!("the bank does not listen: {error}"), 1));
            }
            sleep(LOOK_AGAIN).await;
        }
        self.began = Instant::now();
        Ok(())
    }

    /// Waits until a walk around the ring meets every node and no defect.
    async fn await_one(&self) -> Result<(), Failure> {
        let mut last = String::from("no node answers");
        while self.began.elapsed() < FORMS_WITHIN {
            match ask(self.home(0)?, &Request::RingCheck, ANSWER).await {
                Ok(Reply::RingCheck(walk)) if walk.nodes == self.homes.len() && walk.defects.is_empty() => {
                    return Ok(());
                }
                Ok(reply) => last = format!("{reply:?}"),
                Err(failure) => last = failure.message,
            }
            sleep(LOOK_AGAIN).await;
        }
        Err(Failure::new("ring", format!("no ring within {FORMS_WITHIN:?}: {last:.400}"), 1))
    }

    /// Lookup `number`, by one node after the other: how long it took in ms, and how many nodes were asked.
    async fn look_up(&self, number: u32) -> Result<(f64, usize), Failure> {
        let home = self.home(usize::try_from(number).unwrap_or(0) % self.homes.len())?;
        let key = proto::id::hex(&RingId::hash(&number.to_be_bytes()).0);
        match ask(home, &Request::Lookup { key }, ANSWER).await? {
            Reply::Lookup(found) => Ok((found.ms, found.path.len())),
            _ => Err(crate::cli::unexpected(home)),
        }
    }

    fn home(&self, index: usize) -> Result<&Path, Failure> {
        let home = self.homes.get(index).map(PathBuf::as_path);
        home.ok_or_else(|| Failure::new("ring", "there is no such node", 1))
    }

    fn used(&self) -> Result<Used, Failure> {
        let ticks = self.pids.iter().map(|pid| ticks(*pid)).sum::<Option<u64>>();
        let (bytes, packets) = loopback().ok_or_else(|| Failure::new("kernel", "no loopback", 1))?;
        let ticks = ticks.ok_or_else(|| Failure::new("kernel", "a node has ended", 1))?;
        let messages = MESSAGES.load(Ordering::Relaxed);
        Ok(Used { at: Instant::now(), ticks, bytes, packets, messages })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.stdin.take());
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

const POLICY: &str = "version = 1\n[market]\nmarginal_cost = 0.1\n[cpu]\nassume_idle = true\nmax_cores = 1\n\
    [network]\nlisten = \"127.0.0.1:0\"\n";

/// An address of the loopback that nobody uses.
fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map_err(Failure::from_display("listen"))
}

/// Processor time of a process, in ticks: fields 14 and 15 of its line, the second of which may hold spaces.
fn ticks(pid: u32) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Bytes and packets that the loopback has carried.
fn loopback() -> Option<(u64, u64)> {
    let table = fs::read_to_string("/proc/net/dev").ok()?;
    let line = table.lines().find_map(|line| line.trim().strip_prefix("lo:"))?;
    let mut fields = line.split_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn per(count: u64, of: f64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from) / of
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Counts what `src/net/link.rs` tells of messages that are sent, and hears nothing else.
struct Meter;

impl tracing::Subscriber for Meter {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::TRACE && metadata.target().ends_with("net::link")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        MESSAGES.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

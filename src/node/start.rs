//! `compup2p join`: enters the network and runs the node.

use super::absence::{self, Absence};
use super::clock::Clock;
use super::control::{self, Call};
use super::driver::{Driver, Ended, Parts};
use super::executions::Executions;
use super::files::Files;
use super::governance::{self, Governance, Order};
use super::journal::Journal;
use super::record::SellersBook;
use super::supply::Supplier;
use super::tasks::{Former, Tasks};
use super::told::Outside;
use super::{opening, policy_file, random};
use crate::cli::{Bootstrap, JoinOptions, exit};
use crate::control::{Failure, SOCKET};
use crate::emulated;
use crate::exec::{COST_MODEL, Container, Emulated, Engine, Executor, Executors, Native, Scratch};
use crate::net::store::Store;
use crate::net::{Event, Net, identity};
use crate::output;
use crate::sensor::calibration::Calibration;
use crate::sensor::{Places, Roots, Sensors, Traffic};
use jiff::Timestamp;
use proto::message::Message;
use proto::message::bank::{BankMessage, Enter, Entered, Invitation, OpenAccount};
use proto::{KeyPair, Peer, RefusalCode, RequestId, Signed};
use service::policy::Policy;
use service::{Kept, Node};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that wait for the node; senders feel the back-pressure beyond it.
const INBOX: usize = 4_096;
/// How long the bootstrap server may take to answer; one that has just started asks for some patience.
const ENTER_WITHIN: Duration = Duration::from_secs(20);
/// How long the last messages of a leaving node may take.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);
/// The pause before a node whose return has failed tries again.
const COME_BACK_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// How long a node waits before it asks the bootstrap server once more.
const ENTER_AGAIN: Duration = Duration::from_secs(1);

/// Runs a node until it leaves for good.
pub(crate) async fn run_join(options: JoinOptions) -> Result<(), Failure> {
    let home = &options.home;
    let mut policy = policy_file::read(&options.policy_path)?;
    make_home(home).map_err(|e| Failure::disk("create the directory", home, &e))?;
    let invitation = opening::invitation(options.invitation.as_deref())?;
    let mut calls = control::serve(&home.join(SOCKET)).map_err(|e| Failure::no_socket(home, &e))?;
    let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
    let directory = policy_file::directory(&policy, home);
    make_home(&directory).map_err(|e| Failure::disk("create the directory", &directory, &e))?;
    let store = Store::open(&directory.join("store"), policy.disk_max_size);
    let store = store.map_err(Failure::from_display("store"))?;
    let modules = directory.join("modules");
    make_home(&modules).map_err(|e| Failure::disk("create the directory", &modules, &e))?;
    let engine = Engine::new(Some(&modules)).map_err(Failure::from_display("executor"))?;
    let host = Host { options: &options, invitation, directory, keys, store: Arc::new(store), engine };
    let mut outside = Outside::new(options.tied);
    let announced = absence::announced(home, Timestamp::now());
    let mut away = announced.map_err(|e| Failure::disk("read the announced absence in", home, &e))?;
    if let Some(until) = away {
        tracing::warn!("away until {}; `compup2p resume` brings it back now", governance::local(until));
    }
    let mut is_first = true;
    loop {
        if let Some(until) = away {
            let ended = absence::wait(until, &mut calls.receiver, &mut outside).await;
            // A process that was told to end from outside stays away when it is started again.
            if ended != Absence::Stopped {
                absence::end(home);
            }
            if ended != Absence::Over {
                break;
            }
            match policy_file::read(&options.policy_path) {
                Ok(read) => policy = read,
                Err(failure) => tracing::warn!("the old policy stays in force: {}", failure.message),
            }
        }
        let ended = host.run(policy.clone(), is_first, &mut calls.receiver, &mut outside).await;
        away = match ended {
            Ok(Ended::Left) => break,
            Ok(Ended::Away { until }) => {
                is_first = false;
                Some(until)
            }
            // Nobody is there to start a node again that has announced its return.
            Err(failure) if failure.retryable && (away.is_some() || !is_first) => {
                tracing::warn!("cannot come back yet: {}", failure.message);
                Some(Timestamp::now().saturating_add(COME_BACK_AGAIN).unwrap_or(Timestamp::MAX))
            }
            // Whoever starts it again may have an invitation then, or the bootstrap server be there.
            Ok(Ended::NotOpened(failure)) | Err(failure) => {
                let _is_removed = std::fs::remove_file(home.join(SOCKET)).is_ok();
                return Err(failure);
            }
        };
    }
    // Whoever told the node to leave is to hear that it has.
    let _ = tokio::time::timeout(FLUSH_WITHIN, calls.end()).await;
    // The socket of a node that has ended would only mislead; a next start replaces it in any case.
    let _ = std::fs::remove_file(home.join(SOCKET));
    Ok(())
}

/// What this machine runs programs with.
fn executors(engine: &Engine) -> Executors {
    let engine: Arc<dyn Executor> = Arc::new(engine.clone());
    let mut executors = Executors::default().with(match emulated::per_core() {
        Some(per_core) => Arc::new(Emulated::new(engine, per_core)),
        None => engine,
    });
    let own = std::env::current_exe();
    match own.and_then(Native::of_node) {
        Ok(native) => {
            let native = Arc::new(native);
            executors = executors.with(Arc::new(Container(Arc::clone(&native)))).with(native);
        }
        Err(error) => tracing::warn!(%error, "no native programs can be run"),
    }
    executors.announce();
    executors
}

/// What of a node outlives its absences.
struct Host<'a> {
    options: &'a JoinOptions,
    invitation: Option<Signed<Invitation>>,
    /// Of contents and scratch files.
    directory: PathBuf,
    keys: KeyPair,
    store: Arc<Store>,
    engine: Engine,
}

impl Host<'_> {
    /// Enters the network and runs until the node leaves. `is_first` is whether it has not been away.
    async fn run(
        &self,
        policy: Policy,
        is_first: bool,
        calls: &mut mpsc::Receiver<Call>,
        outside: &mut Outside,
    ) -> Result<Ended, Failure> {
        let Self { options, invitation, directory, keys, store, engine } = self;
        let home = &options.home;
        let (clock, roots) = (Clock::start(), Roots::of_machine());
        let calibration = Calibration::load(home.join("calibration"), engine, roots.clone(), clock.now());
        let (inbox, mut events) = mpsc::channel(INBOX);
        let net = Net::start(policy.listen, keys.clone(), Arc::clone(store), inbox).await;
        let net = net.map_err(Failure::from_display("listen"))?;
        let (bank, entered) = enter(&net, &mut events, &options.bootstrap, options.slot).await?;
        if entered.rules.cost_model != COST_MODEL {
            return Err(Failure::other_cost_model(entered.rules.cost_model));
        }
        net.set_slot_limit(entered.rules.slot_limit);
        net.set_me(entered.you);
        let admission = entered.rules.admission;
        let opening = opening::prepare(admission, invitation.clone(), bank.key, keys.public()).await?;
        let node = new_node(keys, &policy, bank, &entered, opening, clock)?;
        let scratch = directory.join("scratch");
        std::fs::create_dir_all(&scratch).map_err(|e| Failure::disk("create the directory", &scratch, &e))?;
        // What a crash left of executions is of no use to anybody.
        Scratch::sweep(&scratch).map_err(|e| Failure::disk("clean", &scratch, &e))?;
        let mut tasks =
            Tasks::open(home.join("tasks")).map_err(|e| Failure::disk("read the tasks in", home, &e))?;
        let (told, written) = mpsc::unbounded_channel();
        let (journal, notes) = Journal::open(home, told)?;
        let Former { submissions, writes } = tasks.take_up(&entered.rules, store);
        let places = Places { home: directory.clone(), scratch: scratch.clone(), roots };
        let traffic = Traffic::default();
        let sense = Box::new(Sensors::new(&places, traffic.clone()));
        let rules = entered.rules;
        let (inputs, own) = mpsc::unbounded_channel();
        let parts = Parts {
            node,
            net: net.clone(),
            store: Arc::clone(store),
            clock,
            executions: Executions::new(executors(engine), scratch),
            supplier: Supplier::new(policy.clone(), rules, clock, calibration, sense, traffic),
            tasks,
            files: Files::open(home, keys.clone(), Arc::clone(store), net.clone()),
            book: SellersBook::open(home.join("earnings.json")),
            bank,
            bank_addresses: options.bootstrap.addrs.clone(),
            inputs,
            governance: self.governance(policy, clock, is_first)?,
            home: home.clone(),
            policy_path: options.policy_path.clone(),
            exit_when_idle: options.exit_when_idle,
            journal,
            written,
        };
        let mut driver = Driver::new(parts);
        driver.restore(Kept { submissions, notes }, writes);
        driver.start(entered.peers.clone(), options.max_tasks.filter(|_| is_first));
        if is_first {
            output::ready(net.address(), keys.public(), home, options.tied);
        }
        let ended = driver.run(events, own, calls, outside).await;
        // What is still queued for a peer that is gone as well is not worth waiting for.
        let _ = tokio::time::timeout(FLUSH_WITHIN, net.shutdown()).await;
        Ok(ended)
    }

    /// The owner's word: what was ordered by hand in a former run counts on.
    fn governance(&self, policy: Policy, clock: Clock, is_first: bool) -> Result<Governance, Failure> {
        let home = &self.options.home;
        let opened = Governance::open(home, policy, governance::moment(clock.now()));
        let mut governance = opened.map_err(|e| Failure::disk("read the owner's orders in", home, &e))?;
        if self.options.paused && is_first {
            let paused = governance.order(Order::Pause { until: None }, clock.now());
            paused.map_err(|e| Failure::disk("write the pause down in", home, &e))?;
        }
        Ok(governance)
    }
}

/// Makes the node's directory, for its owner's eyes only; one that is there stays as it is.
pub(super) fn make_home(home: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home)
}

fn new_node(
    keys: &KeyPair,
    policy: &Policy,
    bank: Peer,
    entered: &Entered,
    opening: OpenAccount,
    clock: Clock,
) -> Result<Node, Failure> {
    let rules = entered.rules;
    // A founder may price and place as they like; how short the periods are tells where a network is.
    let is_local = rules.renewal <= proto::Rules::LOCAL.renewal;
    let mut chord = if is_local { chord::Config::LOCAL } else { chord::Config::PUBLIC };
    chord.successors = usize::from(rules.successors);
    let terms = policy_file::terms(policy, None);
    let seed = random::bytes()?;
    let config = service::Config { rules, bank, chord, terms, opening };
    Ok(Node::new(config, entered.you, keys.clone(), seed, clock.now()))
}

/// Asks the bootstrap server for a place in the ring, for its rules and for live nodes, at the first of its addresses
/// where it answers.
async fn enter(
    net: &Net,
    events: &mut mpsc::Receiver<Event>,
    bootstrap: &Bootstrap,
    slot: Option<u16>,
) -> Result<(Peer, Entered), Failure> {
    let mut answer = Err(Failure::no_bank(&bootstrap.place()));
    for addr in &bootstrap.addrs {
        answer = enter_at(net, events, bootstrap, addr, slot).await;
        match &answer {
            Err(failure) if failure.exit == exit::UNREACHABLE => {}
            _ => return answer,
        }
    }
    answer.map_err(|_| Failure::no_bank(&bootstrap.place()))
}

async fn enter_at(
    net: &Net,
    events: &mut mpsc::Receiver<Event>,
    bootstrap: &Bootstrap,
    addr: &str,
    slot: Option<u16>,
) -> Result<(Peer, Entered), Failure> {
    let unreachable = || Failure::no_bank(addr);
    let mut addresses = tokio::net::lookup_host(addr).await.map_err(|_| unreachable())?;
    let addr: SocketAddr = addresses.next().ok_or_else(unreachable)?;
    let key = match bootstrap.key {
        Some(key) => key,
        None => net.identify(addr).await.map_err(|_| unreachable())?,
    };
    let bank = Peer::new(addr, 0, key);
    let asking = async {
        loop {
            let enter = Enter { request: RequestId(1), listen: net.address(), slot, is_member: false };
            net.send(bank, Message::Bank(BankMessage::Enter(enter)));
            match tokio::time::timeout(ENTER_AGAIN, answer_of(events, bank)).await {
                Ok(answer) => return answer,
                Err(_) => continue,
            }
        }
    };
    let answer = tokio::time::timeout(ENTER_WITHIN, asking).await.map_err(|_| unreachable())?;
    answer.map(|entered| (bank, entered))
}

async fn answer_of(events: &mut mpsc::Receiver<Event>, bank: Peer) -> Result<Entered, Failure> {
    loop {
        match events.recv().await {
            Some(Event::Received { from, message: Message::Bank(message) }) if from.key == bank.key => {
                match message {
                    BankMessage::Entered(entered) => return Ok(*entered),
                    BankMessage::Refused(refused) if refused.refusal.code == RefusalCode::Busy => {}
                    BankMessage::Refused(refused) => return Err(Failure::refused(&refused.refusal)),
                    _ => {}
                }
            }
            Some(Event::Unreachable { .. }) | None => return Err(Failure::no_bank(&bank.addr.to_string())),
            Some(_) => {}
        }
    }
}

//! `compup2p join`: enters the network and runs the node.

use super::clock::Clock;
use super::control;
use super::driver::{Driver, Parts};
use super::executions::Executions;
use super::random;
use super::supply::Supplier;
use super::tasks::Tasks;
use crate::cli::{Bootstrap, JoinOptions};
use crate::control::{Failure, SOCKET};
use crate::exec::{COST_MODEL, Engine, Scratch};
use crate::net::store::Store;
use crate::net::{Event, Net, identity};
use crate::output;
use crate::sensor::calibration;
use crate::sensor::load::Load;
use proto::message::Message;
use proto::message::bank::{BankMessage, Enter, Entered};
use proto::{KeyPair, Peer, RefusalCode, RequestId};
use service::policy::{MAX_POLICY_SIZE, Policy};
use service::{Node, Terms};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that wait for the node; senders feel the back-pressure beyond it.
const INBOX: usize = 4_096;
/// How long the bootstrap server may take to answer; one that has just started asks for some patience.
const ENTER_WITHIN: Duration = Duration::from_secs(20);
/// How long the last messages of a leaving node may take.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);
/// How long a node waits before it asks the bootstrap server once more.
const ENTER_AGAIN: Duration = Duration::from_secs(1);

/// Runs a node until it leaves.
pub(crate) async fn run_join(options: JoinOptions) -> Result<(), Failure> {
    let home = &options.home;
    let policy = read_policy(&options.policy_path)?;
    make_home(home).map_err(|e| Failure::disk("create the directory", home, &e))?;
    let calls =
        control::serve(&home.join(SOCKET)).map_err(|e| Failure::disk("open the socket in", home, &e))?;
    let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
    let store =
        Store::open(&home.join("store"), policy.disk_max_size).map_err(Failure::from_display("store"))?;
    let store = Arc::new(store);
    let engine = Engine::new().map_err(Failure::from_display("executor"))?;
    let per_core = calibration::load_or_measure(&home.join("calibration"), &engine);
    let (inbox, mut events) = mpsc::channel(INBOX);
    let net = Net::start(policy.listen, keys.clone(), Arc::clone(&store), inbox).await;
    let net = net.map_err(Failure::from_display("listen"))?;
    let (bank, entered) = enter(&net, &mut events, &options.bootstrap, options.slot).await?;
    if entered.rules.cost_model != COST_MODEL {
        return Err(Failure::other_cost_model(entered.rules.cost_model));
    }
    let me = entered.you;
    net.set_slot_limit(entered.rules.slot_limit);
    net.set_me(me);
    let clock = Clock::start();
    let node = new_node(&keys, &policy, bank, &entered, clock)?;
    let scratch = home.join("scratch");
    std::fs::create_dir_all(&scratch).map_err(|e| Failure::disk("create the directory", &scratch, &e))?;
    // What a crash left of executions is of no use to anybody.
    Scratch::sweep(&scratch).map_err(|e| Failure::disk("clean", &scratch, &e))?;
    let tasks = Tasks::open(home.join("tasks")).map_err(|e| Failure::disk("read the tasks in", home, &e))?;
    let load = Load::new(home).map_err(Failure::from_display("sensors"))?;
    let supplier = Supplier::new(policy, entered.rules, per_core, load);
    let (inputs, own) = mpsc::unbounded_channel();
    let executions = Executions::new(engine, scratch);
    let parts = Parts { node, net: net.clone(), store, clock, executions, supplier, tasks, bank, inputs };
    let mut driver = Driver::new(parts);
    driver.take(service::Input::Start { via: entered.peers.clone() });
    output::ready(net.address(), keys.public(), home, options.tied);
    driver.run(events, own, calls, told_to_end(options.tied)).await;
    // What is still queued for a peer that is gone as well is not worth waiting for.
    let _ = tokio::time::timeout(FLUSH_WITHIN, net.shutdown()).await;
    // The socket of a node that has ended would only mislead; a next start replaces it in any case.
    let _ = std::fs::remove_file(home.join(SOCKET));
    Ok(())
}

/// Waits for Ctrl-C, a termination signal, or, for a process tied to its parent, the end of standard input.
pub(crate) async fn told_to_end(tied: bool) {
    use tokio::io::AsyncReadExt as _;
    use tokio::signal::unix::{SignalKind, signal};
    let stdin_ends = async {
        if !tied {
            std::future::pending::<()>().await;
        }
        let mut stdin = tokio::io::stdin();
        let mut buffer = [0; 64];
        while stdin.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    };
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stdin_ends => {}
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Makes the node's directory, for its owner's eyes only; one that is there stays as it is.
pub(super) fn make_home(home: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home)
}

fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let size = std::fs::metadata(path).map_err(|e| Failure::no_file(path, &e))?.len();
    if usize::try_from(size).is_ok_and(|size| size > MAX_POLICY_SIZE) {
        return Err(Failure::new("too_large", format!("{} is too large for a policy", path.display()), 2));
    }
    let text = std::fs::read_to_string(path).map_err(|e| Failure::no_file(path, &e))?;
    let name = path.display().to_string();
    service::policy::parse(&text, &name).map_err(|faults| Failure::lines("policy_invalid", &faults))
}

fn new_node(
    keys: &KeyPair,
    policy: &Policy,
    bank: Peer,
    entered: &Entered,
    clock: Clock,
) -> Result<Node, Failure> {
    let rules = entered.rules;
    // How matches are priced and where markets live does not change the periods.
    let proto::Rules { rule, pricing, placement, .. } = rules;
    let is_local = rules == proto::Rules { rule, pricing, placement, ..proto::Rules::LOCAL };
    let mut chord = if is_local { chord::Config::LOCAL } else { chord::Config::PUBLIC };
    chord.successors = usize::from(rules.successors);
    let terms = Terms {
        wall: policy.max_run_time,
        memory: policy.max_memory,
        disk: policy.disk_max_size,
        output: policy.max_output,
        deny: policy.deny_nodes.clone(),
        allow: policy.allow_nodes.clone(),
        deny_ips: policy.deny_ips.clone(),
    };
    let seed = random::bytes()?;
    let config = service::Config { rules, bank, chord, terms };
    Ok(Node::new(config, entered.you, keys.clone(), seed, clock.now()))
}

/// Asks the bootstrap server for a place in the ring, for its rules and for live nodes.
async fn enter(
    net: &Net,
    events: &mut mpsc::Receiver<Event>,
    bootstrap: &Bootstrap,
    slot: Option<u16>,
) -> Result<(Peer, Entered), Failure> {
    let unreachable = || Failure::no_bank(&bootstrap.addr);
    let mut addresses = tokio::net::lookup_host(&bootstrap.addr).await.map_err(|_| unreachable())?;
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

//! The loop around a pure node: one input at a time, then everything it wants done.

mod barrier;
mod contents;
mod counter;
mod files;
mod finished;
mod owner;
mod printed;
mod surveys;
mod trust;

pub(crate) use owner::Ended;

use super::awake::Awake;
use super::clock::Clock;
use super::control::{Call, Question};
use super::executions::Executions;
use super::explorer::{Explorer, Home, Quest};
use super::files::Files;
use super::finder::Finder;
use super::governance::{Governance, Order};
use super::journal::{self, Journal};
use super::market::listing_view;
use super::record::SellersBook;
use super::sellers::SellersFile;
use super::supply::Supplier;
use super::tasks::{Tasks, Write, prepare};
use super::told::{Outside, Told};
use crate::control::{Failure, ListingView, NodeView, Reply, Request, RulesView, Submit};
use crate::net::store::{Pins, Store};
use crate::net::{Event, Net};
use barrier::Barrier;
use counter::Counter;
use finished::Finished;
use jiff::Timestamp;
use printed::Printed;
use proto::message::service::Product;
use proto::{ContractId, Peer, RingId};
use service::{EventKind, Input, Node, Output};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use surveys::Surveys;
use tokio::sync::mpsc;

/// How often the load is measured and running executions are asked how far they are.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many of these looks lie between two measurements of the load.
const LOOKS_PER_SAMPLE: u32 = 4;
/// How long an orderly leave may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

pub(crate) struct Driver {
    pub(crate) node: Node,
    pub(crate) net: Net,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) executions: Executions,
    pub(crate) supplier: Supplier,
    pub(crate) tasks: Tasks,
    pub(crate) bank: Peer,
    /// Where the bank may be, and which of them is tried.
    bank_addresses: Vec<String>,
    bank_address: usize,
    /// Why the bank opens no account for this node.
    not_opened: Option<Failure>,
    pub(crate) started: Instant,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
    counter: Counter,
    leavers: Vec<Question>,
    /// What open contracts need of the store.
    pins: BTreeMap<ContractId, Pins>,
    explorer: Explorer,
    files: Files,
    finder: Finder,
    surveys: Surveys,
    book: SellersBook,
    sellers: SellersFile,
    finished: mpsc::UnboundedSender<Finished>,
    finishing: mpsc::UnboundedReceiver<Finished>,
    leave_by: Option<Instant>,
    has_left: bool,
    governance: Governance,
    home: PathBuf,
    policy_path: PathBuf,
    /// When the node comes back by itself, if it leaves for a while.
    away_until: Option<Timestamp>,
    /// How long without work it stays.
    exit_when_idle: Option<Duration>,
    idle_since: Option<Instant>,
    awake: Awake,
    barrier: Barrier,
    printed: Printed,
    written: mpsc::UnboundedReceiver<journal::Told>,
}

/// What the driver is made of.
pub(crate) struct Parts {
    pub(crate) node: Node,
    pub(crate) net: Net,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) executions: Executions,
    pub(crate) supplier: Supplier,
    pub(crate) tasks: Tasks,
    pub(crate) files: Files,
    pub(crate) book: SellersBook,
    pub(crate) bank: Peer,
    pub(crate) bank_addresses: Vec<String>,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
    pub(crate) governance: Governance,
    pub(crate) home: PathBuf,
    pub(crate) policy_path: PathBuf,
    pub(crate) exit_when_idle: Option<Duration>,
    pub(crate) journal: Journal,
    pub(crate) written: mpsc::UnboundedReceiver<journal::Told>,
}

impl Driver {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { node, net, store, clock, executions, supplier, tasks, files, book, bank, inputs, .. } =
            parts;
        let Parts { governance, home, policy_path, exit_when_idle, bank_addresses, journal, written, .. } =
            parts;
        let (finished, finishing) = mpsc::unbounded_channel();
        let explorer = Explorer::new(net.clone());
        let finder = Finder::new(net.clone(), Arc::clone(&store), node.me().key, inputs.clone());
        Self {
            node,
            net,
            store,
            clock,
            executions,
            supplier,
            tasks,
            bank,
            bank_addresses,
            bank_address: 0,
            not_opened: None,
            inputs,
            started: Instant::now(),
            counter: Counter::default(),
            leavers: Vec::new(),
            pins: BTreeMap::new(),
            explorer,
            files,
            finder,
            surveys: Surveys::default(),
            book,
            sellers: SellersFile::new(home.join("sellers.json")),
            finished,
            finishing,
            leave_by: None,
            has_left: false,
            governance,
            home,
            policy_path,
            away_until: None,
            exit_when_idle,
            idle_since: None,
            awake: Awake::new(),
            barrier: Barrier::new(journal),
            printed: Printed::default(),
            written,
        }
    }

    /// Runs until the node has left, by itself or because its process is told to end.
    pub(crate) async fn run(
        &mut self,
        mut events: mpsc::Receiver<Event>,
        mut own: mpsc::UnboundedReceiver<Input>,
        calls: &mut mpsc::Receiver<Call>,
        outside: &mut Outside,
    ) -> Ended {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.recall_sellers();
        let mut looks = 0_u32;
        let mut is_ending = false;
        while !self.is_done() {
            let deadline = self.node.poll_timeout().map(|time| self.clock.instant(time));
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(event) = events.recv() => self.take_event(event),
                Some(input) = own.recv() => self.take(input),
                Some(call) = calls.recv() => self.answer(call),
                Some(told) = self.written.recv() => self.hear_journal(told),
                Some(finished) = self.finishing.recv() => self.take_finished(finished),
                () = sleep => self.take(Input::Timeout),
                told = outside.next(), if !is_ending => match told {
                    Told::End => {
                        is_ending = true;
                        self.leave();
                    }
                    Told::Reload => self.reload(None),
                },
                _ = look.tick() => {
                    if looks.is_multiple_of(LOOKS_PER_SAMPLE) {
                        self.sample();
                    }
                    looks = looks.wrapping_add(1);
                    self.look();
                }
            }
        }
        self.executions.stop_all();
        self.keep_sellers();
        self.book.save(self.node.record());
        self.note_absence();
        for leaver in self.leavers.drain(..) {
            leaver.answer(Reply::Left);
        }
        self.ended()
    }

    fn is_done(&self) -> bool {
        self.has_left || self.not_opened.is_some() || self.leave_by.is_some_and(|by| by <= Instant::now())
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Received { from, message } => {
                let message = self.explorer.take(from, message);
                let message = message.and_then(|message| self.hear_printed(from, message));
                if let Some(message) = message.and_then(|message| self.hear_bank(from, message)) {
                    self.take(Input::Receive { from, message });
                }
            }
            Event::Unreachable { peer } => {
                if peer.key == self.bank.key && peer.addr == self.bank.addr {
                    self.try_next_address();
                }
                self.take(Input::Unreachable { peer });
            }
        }
    }

    /// One input, and everything that follows from it.
    pub(crate) fn take(&mut self, input: Input) {
        if let Input::Executed { contract, execution } = &input {
            self.executions.forget(*contract);
            let outputs = execution.outputs.iter().map(|output| output.blob);
            let more = execution.more.iter().flat_map(Product::blobs);
            let blobs = outputs.chain(execution.stdout).chain(execution.stderr).chain(more);
            self.pin(*contract, blobs.collect());
        }
        if let Input::Bank { peer } = &input {
            self.bank = *peer;
        }
        self.node.handle(input, self.clock.now());
        self.drain();
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            // It is written down where outputs are put in line.
            Output::Append { .. } | Output::Replace { .. } => {}
            Output::Send { to, message } => self.net.send(to, message),
            Output::Fetch { contract, from, blobs } => self.fetch(contract, from, blobs),
            Output::Execute { contract, job } => {
                self.executions.start(contract, *job, Arc::clone(&self.store), self.inputs.clone());
            }
            Output::Open { contract, job } => self.open(contract, *job),
            Output::Stop { contract } => self.executions.stop(contract),
            Output::Recall { contract } => self.executions.recall(contract),
            Output::Migrate { contract } => self.executions.hand_over(contract),
            Output::Save { contract } => self.executions.save(contract),
            Output::Drop { contract, blobs } => {
                if let Some(pins) = self.pins.get_mut(&contract) {
                    blobs.iter().for_each(|blob| pins.remove(&blob.hash));
                }
            }
            Output::Give { to, blobs } => blobs.iter().for_each(|blob| self.store.show(&blob.hash, to)),
            Output::Keep { contract, blobs } => self.pin(contract, blobs),
            Output::Warn { message } => tracing::warn!("{message}"),
            Output::Pause { contract } => self.executions.pause(contract),
            Output::Pace { contract, throttle_pct } => self.executions.pace(contract, throttle_pct),
            Output::Compare { token, comparing } => self.compare(token, *comparing),
            Output::Test { contract, testing } => self.test(contract, *testing),
            Output::Examine { token, examining } => self.examine(token, *examining),
            Output::Tell(event) => {
                self.note_spending(&event);
                if let Some(write) = self.tasks.tell(&event, &self.node, &self.store) {
                    self.write(write, None);
                }
                if event.kind == EventKind::TaskEnded {
                    // From here on its last state and its results are what is kept.
                    self.node.handle(Input::Forget { task: event.task }, self.clock.now());
                }
            }
            Output::Balance { available, held } => {
                self.told_balance(available);
                self.answer_balance(available, held);
            }
            Output::NotOpened { refusal } => self.not_opened = Some(Failure::refused(&refusal)),
            Output::Paid { id, outcome } => self.paid(id, *outcome),
            Output::Found { .. } => {}
            Output::FoundContent { token, findings } => self.finder.found(token, *findings),
            Output::Surveyed { token, overview } => self.surveyed(token, *overview),
            Output::Joined => tracing::info!("in the ring"),
            Output::NotJoined { why } => tracing::warn!(why, "not in the ring; trying again"),
            Output::Left => self.has_left = true,
        }
    }

    /// Writes results beside the node, and tells whoever asked for them.
    fn write(&self, write: Write, question: Option<Question>) {
        let finished = self.finished.clone();
        tokio::task::spawn_blocking(move || {
            let written = write.run();
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = finished.send(Finished::Written(written, question));
        });
    }

    /// Looks around the ring beside the node.
    fn explore(&self, quest: Quest, question: Question) {
        let (explorer, home) = (self.explorer.clone(), Home::of(self.node.chord()));
        tokio::spawn(async move { question.answer(explorer.answer(quest, home).await) });
    }

    /// Prepares a submission beside the node.
    fn submit(&self, submit: Submit, question: Question) {
        let (finished, rules, store) = (self.finished.clone(), self.supplier.rules, Arc::clone(&self.store));
        let finder = self.finder.clone();
        tokio::spawn(async move {
            let prepared = prepare(submit, rules, store, finder).await.map(Box::new);
            let _ = finished.send(Finished::Prepared(prepared, question));
        });
    }

    fn look(&mut self) {
        for (contract, cycles) in self.executions.progress() {
            self.take(Input::Progressed { contract, cycles });
        }
        for (contract, done) in self.executions.done() {
            self.take(Input::Done { contract, done });
        }
        self.look_at_printed();
        self.tasks.report_progress(&self.node);
        self.leave_if_idle();
        self.tell_ring();
        self.look_at_surveys();
        self.look_at_counter();
        self.keep_sellers();
        self.book.save(self.node.record());
        self.net.suspend(self.node.decision() == service::policy::Work::Suspend);
        let (node, executions) = (&self.node, &self.executions);
        self.pins.retain(|contract, _| node.has_contract(*contract) || executions.is_running(*contract));
    }

    fn answer(&mut self, call: Call) {
        let Call { request, question } = call;
        match request {
            Request::Status => self.ask_status(question),
            Request::Submit(submit) => self.submit(submit, question),
            Request::Task { task } => self.with_task(&task, question),
            Request::Tasks => question.answer(Reply::Tasks(self.tasks.all(&self.node))),
            Request::Watch { task } => match self.tasks.find(&task) {
                Ok(id) => {
                    let status = self.tasks.contract(id).and_then(|contract| self.node.task(contract));
                    self.tasks.watch(id, status, question);
                }
                Err(failure) => question.answer(Reply::Error(failure)),
            },
            Request::Cancel { task } => self.cancel(task, question),
            Request::Logs(logs) => self.show_printed(&logs, question),
            Request::Forget { task } => question.answer(match self.tasks.forget(&task) {
                Ok(view) => Reply::Task(Box::new(view)),
                Err(failure) => Reply::Error(failure),
            }),
            Request::Results { task, to } => match self.tasks.results(&task, to, &self.store) {
                Ok(write) => self.write(write, Some(question)),
                Err(failure) => question.answer(Reply::Error(failure)),
            },
            Request::Files(filing) => self.file(filing, question),
            Request::Balance => self.query_balance(question),
            Request::Statement(request) => self.ask_statement(request, question),
            Request::Receipt { contract } => self.ask_receipt(&contract, question),
            Request::Pay(payment) => self.pay(payment, question),
            Request::Markets => self.ask_markets(question),
            Request::Market { market } => self.ask_market(&market, question),
            Request::Quote(quote) => self.quote(quote, question),
            Request::Why { task } => self.ask_why(&task, question),
            Request::Price => self.ask_price(question),
            Request::Sellers => self.show_sellers(question),
            Request::Ring => self.explore(Quest::Show, question),
            Request::Lookup { key } => match proto::id::unhex(&key) {
                Some(key) => self.explore(Quest::Lookup { key: RingId(key) }, question),
                None => {
                    let message = format!("`{key}` is not a key of 40 hexadecimal digits");
                    question.answer(Reply::Error(Failure::new("malformed", message, 2)));
                }
            },
            Request::RingCheck => self.explore(Quest::Check, question),
            Request::Pause { seconds } => match Order::pause(seconds) {
                Ok(order) => self.order(order, &question),
                Err(failure) => question.answer(Reply::Error(failure)),
            },
            Request::Resume => self.order(Order::Share, &question),
            Request::Drain => self.order(Order::Drain, &question),
            Request::Leave(departure) => self.depart(departure, question),
            Request::Explain { at } => self.explain(at, &question),
            Request::Reload => self.reload(Some(question)),
            Request::Operator(_) => {
                let failure = Failure::new("not_a_bank", "a node runs here, and no bank", 2);
                question.answer(Reply::Error(failure));
            }
        }
    }

    fn with_task(&mut self, task: &str, question: Question) {
        let id = match self.tasks.find(task) {
            Ok(id) => id,
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        let status = self.tasks.contract(id).and_then(|contract| self.node.task(contract));
        let view = self.tasks.view(id, status.as_ref());
        question.answer(
            view.map_or_else(|| Reply::Error(Failure::no_task(task)), |view| Reply::Task(Box::new(view))),
        );
    }

    fn listings(&self) -> Vec<ListingView> {
        let now = self.clock.now();
        self.node.market().listings().map(|listing| listing_view(&listing, now)).collect()
    }

    fn view(&self) -> NodeView {
        let (me, chord, market) = (self.node.me(), self.node.chord(), self.node.market());
        let offered = self.supplier.offered();
        NodeView {
            version: env!("CARGO_PKG_VERSION").into(),
            account: me.key.to_hex(),
            node_id: format!("{:#}", me.id()),
            address: me.addr.to_string(),
            slot: me.slot,
            bank: format!("{:#}@{}", self.bank.key, self.bank.addr),
            rules: RulesView::of(&self.supplier.rules),
            predecessor: chord.predecessor().map(|peer| peer.to_string()),
            successors: chord.successors().iter().map(ToString::to_string).collect(),
            fingers: chord.fingers().count(),
            known: chord.known(),
            is_member: chord.is_member(),
            per_core: self.supplier.per_core().0,
            cores: offered.map_or(0, |supply| supply.cores),
            free_cores: market.free_part().cores,
            ask: self.supplier.ask().to_string(),
            listed: market
                .listed()
                .map(|(market, _)| market.to_string())
                .reduce(|all, market| all + ", " + &market),
            sharing: self.sharing(),
            not_selling: self.supplier.why_not().map(Into::into),
            working: self.node.working(),
            listings: market.listings().count(),
            bytes_sent: self.net.volume().0,
            bytes_fetched: self.net.volume().1,
            bytes_kept: self.store.used().0,
            bytes_quota: self.store.quota().0,
            contents: self.store.count(),
            unanswered_orders: self.node.unanswered_orders(),
            bank_silent_for: self.node.bank_silence(self.clock.now()).map(proto::Span::as_secs_f64),
            uptime: self.started.elapsed().as_secs_f64(),
            standing: self.standing(),
            record: self.book.view(&self.node.record()),
            layers: self.executions.layers(),
        }
    }
}

//! The loop around a pure node: one input at a time, then everything it wants done.

use super::clock::Clock;
use super::control::{Call, Question};
use super::executions::Executions;
use super::supply::Supplier;
use super::tasks::Tasks;
use crate::control::{BalanceView, Failure, ListingView, NodeView, Reply, Request};
use crate::net::store::Store;
use crate::net::{Event, Net};
use proto::message::service::Blob;
use proto::{Hash, Peer};
use service::{EventKind, Input, Node, Output};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often the load is measured and running executions are asked how far they are.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many of these looks lie between two measurements of the load.
const LOOKS_PER_SAMPLE: u32 = 4;
/// How long an orderly leave may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// How long the bank may take to tell a balance.
const BALANCE_WITHIN: Duration = Duration::from_secs(5);

pub(crate) struct Driver {
    pub(crate) node: Node,
    pub(crate) net: Net,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) executions: Executions,
    pub(crate) supplier: Supplier,
    pub(crate) tasks: Tasks,
    pub(crate) bank: Peer,
    pub(crate) started: Instant,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
    balance_askers: Vec<(Instant, Question)>,
    leavers: Vec<Question>,
    pins: BTreeMap<proto::ContractId, Vec<Hash>>,
    leave_by: Option<Instant>,
    has_left: bool,
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
    pub(crate) bank: Peer,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
}

impl Driver {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { node, net, store, clock, executions, supplier, tasks, bank, inputs } = parts;
        Self {
            node,
            net,
            store,
            clock,
            executions,
            supplier,
            tasks,
            bank,
            inputs,
            started: Instant::now(),
            balance_askers: Vec::new(),
            leavers: Vec::new(),
            pins: BTreeMap::new(),
            leave_by: None,
            has_left: false,
        }
    }

    /// Runs until the node has left, or `end` comes.
    pub(crate) async fn run(
        &mut self,
        mut events: mpsc::Receiver<Event>,
        mut own: mpsc::UnboundedReceiver<Input>,
        mut calls: mpsc::Receiver<Call>,
        end: impl Future<Output = ()>,
    ) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        tokio::pin!(end);
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
                Some(call) = calls.recv() => self.answer(call).await,
                () = sleep => self.take(Input::Timeout),
                () = &mut end, if !is_ending => {
                    is_ending = true;
                    self.leave();
                }
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
        for leaver in self.leavers.drain(..) {
            leaver.answer(Reply::Left);
        }
    }

    fn is_done(&self) -> bool {
        self.has_left || self.leave_by.is_some_and(|by| by <= Instant::now())
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Received { from, message } => self.take(Input::Receive { from, message }),
            Event::Unreachable { peer } => self.take(Input::Unreachable { peer }),
        }
    }

    /// One input, and everything that follows from it.
    pub(crate) fn take(&mut self, input: Input) {
        let ready = match &input {
            Input::Executed { contract, .. } => {
                self.executions.forget(*contract);
                Some(*contract)
            }
            Input::Fetched { contract, .. } => Some(*contract),
            _ => None,
        };
        self.node.handle(input, self.clock.now());
        while let Some(output) = self.node.poll_output() {
            self.carry_out(output);
        }
        if let Some(contract) = ready.filter(|contract| !self.executions.is_running(*contract)) {
            self.unpin(contract);
        }
    }

    /// What was fetched for a contract may be evicted again.
    fn unpin(&mut self, contract: proto::ContractId) {
        for hash in self.pins.remove(&contract).into_iter().flatten() {
            self.store.unpin(&hash);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { to, message } => self.net.send(to, message),
            Output::Fetch { contract, from, blobs } => self.fetch(contract, from, blobs),
            Output::Execute { contract, job } => {
                self.executions.start(contract, *job, Arc::clone(&self.store), self.inputs.clone());
            }
            Output::Stop { contract } => self.executions.stop(contract),
            Output::Tell(event) => {
                let (task, has_ended) = (event.task, event.kind == EventKind::TaskEnded);
                self.tasks.tell(event, &self.node, &self.store);
                if has_ended {
                    // From here on its last state and its results are what is kept.
                    self.node.handle(Input::Forget { task }, self.clock.now());
                }
            }
            Output::Balance { available, held } => {
                let account = self.node.me().key.to_hex();
                let (available, held) = (available.to_string(), held.to_string());
                for (_, asker) in self.balance_askers.drain(..) {
                    let (account, available, held) = (account.clone(), available.clone(), held.clone());
                    asker.answer(Reply::Balance(BalanceView { account, available, held }));
                }
            }
            Output::Found { .. } => {}
            Output::Joined => tracing::info!("in the ring"),
            Output::NotJoined { why } => tracing::warn!(why, "not in the ring; trying again"),
            Output::Left => self.has_left = true,
        }
    }

    fn fetch(&mut self, contract: proto::ContractId, from: Peer, blobs: Vec<Blob>) {
        for blob in &blobs {
            self.store.pin(blob.hash);
        }
        self.pins.entry(contract).or_default().extend(blobs.iter().map(|blob| blob.hash));
        let (net, store, inputs) = (self.net.clone(), Arc::clone(&self.store), self.inputs.clone());
        tokio::spawn(async move {
            let mut result = Ok(());
            for blob in blobs {
                if store.has(&blob.hash) {
                    continue;
                }
                if let Err(error) = net.fetch(from, blob).await {
                    result = Err(error.to_string());
                    break;
                }
            }
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = inputs.send(Input::Fetched { contract, result });
        });
    }

    fn sample(&mut self) {
        let supply = self.supplier.supply();
        self.take(Input::Supply { supply });
    }

    fn look(&mut self) {
        for (contract, cycles) in self.executions.progress() {
            self.take(Input::Progressed { contract, cycles });
        }
        self.tasks.report_progress(&self.node);
        let late = Failure::no_bank(&self.bank.addr.to_string());
        self.balance_askers.retain(|(asked, asker)| {
            let is_waiting = asked.elapsed() < BALANCE_WITHIN;
            if !is_waiting {
                asker.answer(Reply::Error(late.clone()));
            }
            is_waiting
        });
    }

    fn leave(&mut self) {
        self.leave_by = Some(Instant::now() + LEAVE_WITHIN);
        self.take(Input::Leave);
    }

    async fn answer(&mut self, call: Call) {
        let Call { request, question } = call;
        match request {
            Request::Status => question.answer(Reply::Status(Box::new(self.view()))),
            Request::Submit(submit) => {
                let rules = self.supplier.rules;
                match self.tasks.prepare(submit, &rules, &self.store).await {
                    Ok((submission, view)) => {
                        self.take(Input::Submit { submission });
                        question.answer(Reply::Task(Box::new(view)));
                    }
                    Err(failure) => question.answer(Reply::Error(failure)),
                }
            }
            Request::Task { task } => self.with_task(&task, question, |_, _| {}),
            Request::Tasks => question.answer(Reply::Tasks(self.tasks.all(|task| self.node.task(task)))),
            Request::Watch { task } => match self.tasks.find(&task) {
                Ok(id) => {
                    let status = self.tasks.contract(id).and_then(|contract| self.node.task(contract));
                    self.tasks.watch(id, status, question);
                }
                Err(failure) => question.answer(Reply::Error(failure)),
            },
            Request::Cancel { task } => self.with_task(&task, question, |driver, contract| {
                driver.take(Input::Cancel { task: contract });
            }),
            Request::Results { task, to } => {
                let reply = self.tasks.write_results(&task, to.as_deref(), &self.store);
                question.answer(reply.map_or_else(Reply::Error, |view| Reply::Task(Box::new(view))));
            }
            Request::Balance => {
                self.balance_askers.push((Instant::now(), question));
                self.take(Input::AskBalance);
            }
            Request::Listings => question.answer(Reply::Listings(self.listings())),
            Request::Leave => {
                self.leavers.push(question);
                self.leave();
            }
        }
    }

    fn with_task(&mut self, task: &str, question: Question, act: impl FnOnce(&mut Self, proto::ContractId)) {
        let id = match self.tasks.find(task) {
            Ok(id) => id,
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        if let Some(contract) = self.tasks.contract(id) {
            act(self, contract);
        }
        let status = self.tasks.contract(id).and_then(|contract| self.node.task(contract));
        let view = self.tasks.view(id, status.as_ref());
        question.answer(
            view.map_or_else(|| Reply::Error(Failure::no_task(task)), |view| Reply::Task(Box::new(view))),
        );
    }

    fn listings(&self) -> Vec<ListingView> {
        let now = self.clock.now();
        let show = |listing: &proto::message::market::Listing| ListingView {
            market: listing.market.to_string(),
            seller: listing.seller.key.to_hex(),
            address: listing.seller.addr.to_string(),
            cores: listing.cores,
            per_core: listing.per_core.0,
            ask: listing.ask.to_string(),
            expires_in: listing.expires.since(now).as_secs_f64(),
        };
        self.node.market().listings().map(show).collect()
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
            predecessor: chord.predecessor().map(|peer| peer.to_string()),
            successors: chord.successors().iter().map(ToString::to_string).collect(),
            fingers: chord.fingers().count(),
            is_member: chord.is_member(),
            per_core: self.supplier.per_core.0,
            cores: offered.map_or(0, |supply| supply.cores),
            free_cores: market.free_cores(),
            ask: self.supplier.ask().to_string(),
            listed: market.is_listed().map(|(market, _)| market.to_string()),
            not_selling: self.supplier.why_not().map(Into::into),
            working: self.node.working(),
            listings: market.listings().count(),
            unanswered_orders: self.node.unanswered_orders(),
            uptime: self.started.elapsed().as_secs_f64(),
        }
    }
}

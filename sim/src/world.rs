//! The driver of the virtual world: takes the next event, carries out what follows, checks what has to hold.

mod checks;
mod event;
mod faults;
mod flood;
mod nodes;
mod payments;
mod post;
mod settled;

use crate::fault::Act;
use crate::host::{Host, Phase};
use crate::invariant::{
    Breach, Checked, Watch, books, contract, durable, ended, flow, kept, listed, overlay, policy, probes,
    progress, ring, saved, served, sub_task,
};
use crate::machine::States;
use crate::mutant::Mutant;
use crate::net::Net;
use crate::oracle;
use crate::place::Place;
use crate::queue::Queue;
use crate::report::{Report, Tally};
use crate::scenario::{Scenario, submission};
use crate::sight::Sight;
use crate::teller::Teller;
use crate::trace::Trace;
use crate::violation::Violation;
use event::Event;
use proto::{Hash, Market, PublicKey, Span, Time};
use service::{End, Input, Submission};
use std::collections::{BTreeMap, BTreeSet};

/// How long the nodes take to start, one after the other.
pub(crate) const STAGGER: Span = Span::millis(100);
/// How often the world is looked at, to see whether all is done.
const GLANCE: Span = Span::millis(100);

/// A world.
pub(crate) struct World<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) seed: u64,
    /// When it began.
    pub(crate) begins: Time,
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) teller: Teller,
    pub(crate) watch: Watch,
    pub(crate) net: Net,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    /// What the buyers submit, by their numbers.
    pub(crate) submissions: BTreeMap<usize, Submission>,
    /// How sub-tasks ended, by buyer and index.
    pub(crate) ends: BTreeMap<(usize, u32), End>,
    /// The states of programs.
    pub(crate) states: States,
    queue: Queue<Event>,
    mutant: &'a mut dyn Mutant,
    by_key: BTreeMap<PublicKey, Place>,
    /// Broken connections that somebody will hear of.
    bounces: BTreeSet<(usize, Place)>,
    faults_ahead: usize,
    /// Crashes that wait for somebody to do something, and whether they are silent.
    armed: Vec<(Act, bool)>,
    /// Nodes that have done it, and end with this event.
    struck: Vec<(usize, bool)>,
    open_tasks: usize,
    /// Buyers whose tasks have ended.
    ended_tasks: BTreeSet<usize>,
    ended_at: Option<Time>,
    next_glance: Time,
    next_sweep: Time,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario, seed: u64, mutant: &'a mut dyn Mutant) -> Self {
        let hosts: Vec<Host> = (0..scenario.nodes).map(|number| Host::new(number, scenario, seed)).collect();
        let begins = scenario.clocks.begin();
        let teller = Teller::new(scenario.rules, seed, begins);
        let places = hosts.iter().map(|host| (host.peer.key, Place::Host(host.number)));
        let by_key = places.chain([(teller.peer.key, Place::Bank)]).collect();
        let submissions: BTreeMap<usize, Submission> =
            (0..scenario.nodes).filter_map(|host| Some((host, submission(scenario, host, seed)?))).collect();
        let watch = Watch {
            ring: ring::RingWatch::new(&scenario.chord, scenario.rules.successors.into(), scenario.nodes),
            books: books::Books::default(),
            durable: durable::Durable::default(),
            contracts: contract::Contracts::default(),
            progress: progress::Progress::default(),
            listed: listed::Listed::new(scenario),
            sub_tasks: sub_task::SubTasks::new(
                scenario.work.votes.map_or(1, |votes| votes.replicas as usize),
                &submissions,
            ),
            probes: probes::Probes::default(),
            flows: flow::Flows::default(),
            policies: policy::Policies::default(),
            kept: kept::Kept::default(),
            ended: ended::Ended::default(),
            overlay: overlay::Overlay::default(),
            saved: saved::Saved::default(),
        };
        let mut world = Self {
            scenario,
            seed,
            begins,
            now: begins,
            hosts,
            teller,
            watch,
            net: Net::new(scenario.net.clone(), seed),
            trace: Trace::default(),
            tally: Tally::default(),
            open_tasks: submissions.len(),
            ended_tasks: BTreeSet::new(),
            submissions,
            ends: BTreeMap::new(),
            states: States::default(),
            queue: Queue::default(),
            mutant,
            by_key,
            bounces: BTreeSet::new(),
            faults_ahead: scenario.faults.len(),
            armed: Vec::new(),
            struck: Vec::new(),
            ended_at: None,
            next_glance: begins,
            next_sweep: begins.after(scenario.submit_at),
        };
        world.fill_queue();
        world
    }

    /// Runs until all is done, or something does not hold.
    pub(crate) fn run(self) -> Result<Report, Violation> {
        self.run_with(&mut |_, _| {})
    }

    /// The same, and the hash over all events, whatever came of it.
    pub(crate) fn run_traced(mut self) -> (Result<Report, Violation>, Hash) {
        let outcome = self.end(&mut |_, _| {});
        (outcome, self.trace.hash())
    }

    /// The same; `progress` hears how many sub-tasks of how many have ended.
    pub(crate) fn run_with(mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Violation> {
        self.end(progress)
    }

    fn end(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Violation> {
        match self.proceed(progress) {
            Ok(()) => Ok(Report::of(self)),
            Err(breach) => {
                let time = Time(0).after(self.now.since(self.begins));
                Err(Violation::new(self.seed, time, breach, &self.trace))
            }
        }
    }

    /// When the last sub-task ended.
    pub(crate) const fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }

    /// Whose key it is.
    pub(crate) fn place_of(&self, key: PublicKey) -> Option<Place> {
        self.by_key.get(&key).copied()
    }

    /// Nodes that run, or are about to.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| !host.is_down())
    }

    fn fill_queue(&mut self) {
        if !self.scenario.is_settled {
            self.queue.push(self.begins, Event::Boot { host: 0, life: 0 });
        }
        let mut at = self.begins.after(self.scenario.submit_at);
        for host in self.submissions.keys() {
            self.queue.push(at, Event::Submit { host: *host });
            at = at.after(self.scenario.submit_every);
        }
        for (index, scheduled) in self.scenario.faults.iter().enumerate() {
            self.queue.push(self.begins.after(scheduled.at), Event::Fault { index });
        }
    }

    /// The founder has made the ring: the others follow one after the other.
    fn start_others(&mut self, founder: usize) {
        let mut at = self.now;
        let is_first = |host: &usize| *host != founder && !self.scenario.joins_late(*host);
        for host in (0..self.hosts.len()).filter(is_first) {
            at = at.after(STAGGER);
            self.queue.push(at, Event::Boot { host, life: 0 });
        }
    }

    fn proceed(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Checked {
        if self.scenario.is_settled {
            self.settle()?;
        }
        while let Some((time, event)) = self.queue.pop() {
            self.now = time;
            if self.is_current(&event) {
                let (label, message) = event.label();
                self.trace.note(time, label, message);
                self.watch.ring.pass(&self.hosts, time);
                self.carry_out(event)?;
                self.sweep()?;
            }
            if self.now >= self.next_glance {
                self.next_glance = self.now.after(GLANCE);
                let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
                progress(wide(self.ends.len()), wide(self.scenario.sub_tasks));
                self.glance()?;
                if self.is_over()? {
                    return oracle::check(self);
                }
            }
        }
        Err(Breach::new("progress", "nothing happens any more"))
    }

    /// What is looked at from time to time only.
    fn glance(&mut self) -> Checked {
        if self.teller.bank.is_some() {
            self.watch.ended.check(&self.watch.books, &self.hosts, self.now)?;
        }
        if self.scenario.sights.contains(&Sight::TwoOwners) && self.has_two_owners() {
            self.saw(Sight::TwoOwners);
        }
        let since = self.begins.after(self.scenario.submit_at);
        let (ends, now) = (self.ends.values(), self.now);
        let check = |served| served::check(served, ends, self.scenario.sub_tasks, (since, now));
        self.scenario.served.as_ref().map_or(Ok(()), check)
    }

    /// Whether two nodes answer for the market in which something is listed.
    fn has_two_owners(&self) -> bool {
        let markets = || self.live().filter_map(Host::node).map(service::Node::market);
        let listed: BTreeSet<Market> = markets().flat_map(|market| market.listed()).map(|(m, _)| m).collect();
        listed.iter().any(|listed| markets().filter(|market| market.answers_for(*listed)).count() > 1)
    }

    /// Something is seen.
    pub(crate) fn saw(&mut self, sight: Sight) {
        self.tally.saw(sight);
    }

    /// Whether `event` is meant for the present life of its process.
    fn is_current(&self, event: &Event) -> bool {
        let lives = |place: Place, life: u32| match place {
            Place::Bank => self.teller.life == life,
            Place::Host(host) => self.hosts.get(host).is_some_and(|host| host.life == life),
        };
        match event {
            Event::Wake { place, life, at } => {
                let wake = match place {
                    Place::Bank => self.teller.wake,
                    Place::Host(host) => self.hosts.get(*host).and_then(|host| host.wake),
                };
                lives(*place, *life) && wake == Some(*at)
            }
            Event::Boot { host, life } => lives(Place::Host(*host), *life) && !self.is_up(*host),
            Event::Unreachable { host, life, .. }
            | Event::Look { host, life }
            | Event::Fetched { host, life, .. }
            | Event::Opened { host, life, .. }
            | Event::Saved { host, life, .. }
            | Event::Executed { host, life, .. } => lives(Place::Host(*host), *life),
            Event::Synced { life } => lives(Place::Bank, *life),
            Event::Deliver { .. }
            | Event::Fault { .. }
            | Event::Pour { .. }
            | Event::Submit { .. }
            | Event::BankStarts => true,
        }
    }

    fn carry_out(&mut self, event: Event) -> Checked {
        match event {
            Event::Deliver { source, from, to, message } => self.deliver(source, from, to, *message),
            Event::Unreachable { host, peer, .. } => self.tell_unreachable(host, peer),
            Event::Wake { place: Place::Bank, .. } => self.wake_bank(),
            Event::Wake { place: Place::Host(host), .. } => self.wake(host),
            Event::Boot { host, .. } => self.boot(host),
            Event::Look { host, .. } => self.look(host),
            Event::Fetched { host, contract, from, blobs, .. } => self.fetched(host, contract, from, &blobs),
            Event::Opened { host, contract, result, .. } => {
                self.feed(host, Input::Opened { contract, result })
            }
            Event::Saved { host, contract, .. } => self.saved(host, contract),
            Event::Executed { host, contract, execution, .. } => self.executed(host, contract, execution),
            Event::Synced { .. } => self.synced(),
            Event::BankStarts => self.bank_starts(),
            Event::Fault { index } => self.fault(index),
            Event::Pour { index, number } => self.pour(index, number),
            Event::Submit { host } => self.submit(host),
        }
    }

    fn is_up(&self, host: usize) -> bool {
        self.hosts.get(host).is_some_and(|host| matches!(host.phase, Phase::Up(_)))
    }

    /// Whether all has been done that was to be done.
    fn is_over(&mut self) -> Result<bool, Breach> {
        if self.open_tasks > 0 {
            let limit = self.begins.after(self.scenario.limit);
            return Breach::unless(self.now <= limit, "ends", || self.open_sub_tasks()).map(|()| false);
        }
        let ended = *self.ended_at.get_or_insert(self.now);
        let Some(unrest) = self.unrest() else { return Ok(true) };
        let rest_by = ended.after(self.scenario.rest_within);
        Breach::unless(self.now <= rest_by, "rest", || unrest).map(|()| false)
    }

    fn open_sub_tasks(&self) -> String {
        let mut open = Vec::new();
        for (host, submission) in &self.submissions {
            let status = self.hosts.get(*host).and_then(|host| host.node()?.task(submission.task));
            for sub_task in status.into_iter().flat_map(|status| status.sub_tasks) {
                if !sub_task.state.is_final() {
                    open.push(format!("{} {} ({})", sub_task.name, sub_task.state.name(), sub_task.why));
                }
            }
        }
        format!("{} sub-tasks have not ended: {}", open.len(), open.join(", "))
    }

    /// Why the world is not at rest, if it is not.
    fn unrest(&self) -> Option<String> {
        if self.faults_ahead > 0 || self.teller.bank.is_none() {
            return Some(format!("{} faults could not be carried out", self.faults_ahead));
        }
        for host in self.live() {
            let Some(node) = host.node() else {
                return Some(format!("node {} has not entered", host.number));
            };
            let (working, waiting) = (node.working(), node.unanswered_orders());
            if working > 0 || waiting > 0 {
                return Some(format!(
                    "node {} works on {working} sub-tasks and waits for {waiting} answers of the bank",
                    host.number
                ));
            }
        }
        if self.scenario.sights.contains(&Sight::TwoOwners) && self.has_two_owners() {
            return Some("two nodes answer for one market".into());
        }
        let open = self.watch.books.holds.len();
        if self.scenario.releases_all && open > 0 {
            return Some(format!("{open} holds are open"));
        }
        let rules = self.scenario.rules;
        if let Some(why) = overlay::unrest(&self.hosts, rules.placement, rules.successors.into()) {
            return Some(why);
        }
        let live = self.live().count();
        let is_ideal = self.watch.ring.is_ideal(live);
        (!is_ideal).then(|| format!("the ring of {live} nodes is not ideal: {:?}", self.watch.ring.report))
    }
}

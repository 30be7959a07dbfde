//! The nodes and their drivers: what each wants done is done, as `src/node/driver.rs` does it on a real machine.

use super::World;
use super::event::Event;
use crate::dice::derive;
use crate::host::{Host, Phase};
use crate::invariant::bounded;
use crate::invariant::saved::Saved;
use crate::invariant::{Breach, Checked, Watch, contract, cores};
use crate::machine::{Begin, Machine};
use crate::mutant::Site;
use crate::place::Place;
use crate::sight::Sight;
use proto::message::bank::{BankMessage, Enter, Entered, OpenAccount};
use proto::message::service::{Blob, Job, Outcome};
use proto::{ContractId, Message, Peer, RequestId, Rules, Span, Time};
use service::event::Verdict;
use service::{Config, EventKind, Execution, Input, Kept, Node, Output, Snapshot};

/// How often a driver measures.
pub(super) const LOOK_EVERY: Span = Span::secs(1);
/// How long a node waits before it asks the bootstrap server once more.
const ENTER_AGAIN: Span = Span::secs(1);
/// How long an execution takes to stop.
const STOP: Span = Span::millis(1);
/// How long it takes to save a program.
const SAVE: Span = Span::millis(20);
/// How long it takes to open what was saved.
const OPEN: Span = Span::millis(20);
/// How long it takes to see that contents are in the store already.
const AT_ONCE: Span = Span::micros(100);
/// How long a transfer waits for somebody who does not answer.
const FETCH_TIMEOUT: Span = Span::secs(2);
/// What a connection carries, in bytes a microsecond: 1 Gbit/s.
const BANDWIDTH: u64 = 125;

/// The seed of the present life of a node.
pub(super) fn seed_of(host: &Host, seed: u64) -> [u8; 32] {
    derive(seed, &format!("node {}", host.number), host.life.into())
}

impl World<'_> {
    /// A node starts: it asks for its place until it has one.
    pub(super) fn boot(&mut self, number: usize) -> Checked {
        let bank = self.teller.peer;
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        host.phase = Phase::Entering;
        let enter = Enter {
            request: RequestId(u64::from(host.life)),
            listen: host.peer.addr,
            slot: Some(host.peer.slot),
            is_member: false,
        };
        self.queue.push(self.now.after(ENTER_AGAIN), Event::Boot { host: number, life: host.life });
        self.send(number, bank, Message::Bank(BankMessage::Enter(enter)))
    }

    /// A node has its place: it runs.
    pub(super) fn enter(&mut self, number: usize, entered: Entered) -> Checked {
        let Some(config) = self.hosts.get(number).map(|host| self.config(host, entered.rules)) else {
            return Ok(());
        };
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        let seed = seed_of(host, self.seed);
        host.peer = entered.you;
        host.phase = Phase::Up(Box::new(Node::new(
            config,
            entered.you,
            host.keys.clone(),
            seed,
            host.clock.at(self.now),
        )));
        self.watch.contracts.starts(number);
        self.watch.probes.forgets(host.peer.key);
        let is_founder = self.tally.starts == 0;
        self.tally.starts += 1;
        self.queue.push(self.now, Event::Look { host: number, life: host.life });
        if is_founder {
            self.start_others(number);
        }
        // The owner's decision outlives the process, as the policy and what was paused by hand do.
        let work = self.hosts.get(number).map(|host| host.decision);
        work.map_or(Ok(()), |work| self.feed(number, Input::Decide { work }))?;
        self.restore(number)?;
        self.feed(number, Input::Start { via: entered.peers })
    }

    /// What a node is made of.
    pub(super) fn config(&self, host: &Host, rules: Rules) -> Config {
        let mut chord = self.scenario.chord.clone();
        chord.successors = usize::from(rules.successors);
        Config { rules, bank: self.teller.peer, chord, terms: host.terms(), opening: OpenAccount::default() }
    }

    /// A node that has run before gets back what it has written down.
    fn restore(&mut self, number: usize) -> Checked {
        let Some(host) = self.hosts.get(number).filter(|host| host.life > 0) else { return Ok(()) };
        let submitted = self.submissions.get(&number).cloned().zip(host.submitted);
        let kept = Kept { submissions: submitted.into_iter().collect(), notes: host.journal.clone() };
        self.feed(number, Input::Restore { kept: Box::new(kept) })
    }

    /// A buyer submits its task; program and inputs are in its store from now on.
    pub(super) fn submit(&mut self, number: usize) -> Checked {
        let Some(submission) = self.submissions.get(&number).cloned() else { return Ok(()) };
        if !self.is_up(number) {
            self.queue.push(self.now.after(ENTER_AGAIN), Event::Submit { host: number });
            return Ok(());
        }
        if let Some(host) = self.hosts.get_mut(number) {
            host.submitted = Some(host.clock.at(self.now));
            self.watch.flows.submitted(host.peer.key, &submission);
            for plan in &submission.plans {
                host.store.insert(plan.job.program.hash);
                host.store.extend(plan.job.inputs.iter().map(|input| input.blob.hash));
                let known = plan.probes.iter().flat_map(|probe| probe.inputs.iter().chain(&probe.expected));
                host.store.extend(known.map(|file| file.blob.hash));
            }
        }
        self.feed(number, Input::Submit { submission })
    }

    /// One input, and everything that follows from it.
    pub(super) fn feed(&mut self, number: usize, input: Input) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        let (peer, keys, told) = (host.peer, host.keys.clone(), host.clock.at(self.now));
        let Some(node) = host.node_mut() else { return Ok(()) };
        node.handle(input, told);
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        let mut sent = 0;
        'outputs: for output in outputs {
            let site = Site { host: number, peer, keys: &keys, now: self.now };
            for output in self.mutant.node(&site, output) {
                sent += usize::from(matches!(output, Output::Send { .. }));
                if !self.write(number, &output) {
                    self.crash_writing(number)?;
                    break 'outputs;
                }
                self.do_output(number, output)?;
            }
        }
        bounded::sent(number, sent)?;
        self.end_struck()?;
        self.set_wake(number);
        self.check_host(number)
    }

    /// Writes down what is to be written; whether the process goes on.
    fn write(&mut self, number: usize, output: &Output) -> bool {
        let Some(host) = self.hosts.get_mut(number) else { return true };
        match output {
            Output::Append { note } => host.write(|journal| journal.push((**note).clone())),
            Output::Replace { notes } => {
                let notes = self.mutant.tidied(number, notes.clone());
                host.write(|journal| *journal = notes)
            }
            _ => true,
        }
    }

    pub(super) fn wake(&mut self, number: usize) -> Checked {
        self.watch.progress.woken(Place::Host(number), self.now)?;
        if let Some(host) = self.hosts.get_mut(number) {
            host.wake = None;
        }
        self.feed(number, Input::Timeout)
    }

    /// A driver measures what there is to sell, and asks its executions how far they are.
    pub(super) fn look(&mut self, number: usize) -> Checked {
        let Some(host) = self.hosts.get(number) else { return Ok(()) };
        self.queue.push(self.now.after(LOOK_EVERY), Event::Look { host: number, life: host.life });
        let progress: Vec<_> = host.machine.progress(self.now).collect();
        let is_tidied = (self.now.0 / LOOK_EVERY.0).is_multiple_of(2);
        let supply = host.supply().map(|supply| self.mutant.supply(number, supply));
        self.feed(number, Input::Supply { supply })?;
        for (contract, cycles) in progress {
            self.feed(number, Input::Progressed { contract, cycles })?;
        }
        if let Some(host) = self.hosts.get_mut(number).filter(|_| is_tidied) {
            host.tidy(|notes| self.mutant.tidied(number, notes));
        }
        Ok(())
    }

    /// A transfer ends: well, if its source still has everything and can be reached.
    pub(super) fn fetched(
        &mut self,
        number: usize,
        contract: ContractId,
        from: Option<usize>,
        blobs: &[Blob],
    ) -> Checked {
        let source = from.filter(|from| self.serves(*from, number, blobs));
        let source = source.and_then(|source| Some(self.hosts.get(source)?.peer.key));
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        let is_hired = host.node().is_some_and(|node| node.is_hired(contract));
        let is_others = self.mutant.is_others(number, is_hired);
        let has_all = blobs.iter().all(|blob| host.store.contains(&blob.hash));
        let result = if source.is_some() || has_all {
            blobs.iter().for_each(|blob| host.keep(blob.hash, is_others, source));
            Ok(())
        } else {
            Err("the contents are not to be had".to_string())
        };
        self.feed(number, Input::Fetched { contract, result })
    }

    /// An execution ends.
    pub(super) fn executed(
        &mut self,
        number: usize,
        contract: ContractId,
        execution: Box<Execution>,
    ) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        let is_stopped =
            !host.machine.executes(contract) && (execution.is_cut || execution.outcome == Outcome::Cancelled);
        if !is_stopped && !host.machine.end(contract, self.now) {
            // It was stopped before it came to its end, or stood still, or has another pace.
            return Ok(());
        }
        if execution.is_cut {
            self.saw(Sight::HandedBack);
        }
        self.feed(number, Input::Executed { contract, execution })
    }

    fn do_output(&mut self, number: usize, output: Output) -> Checked {
        match output {
            Output::Send { to, message } => self.send(number, to, message),
            Output::Fetch { contract, from, blobs } => {
                self.pin(number, contract, &blobs);
                self.start_fetch(number, contract, from, blobs);
                Ok(())
            }
            Output::Execute { contract, job } => self.execute(number, contract, &job),
            Output::Open { contract, job } => self.open(number, contract, &job),
            Output::Give { to, blobs } => {
                if let Some(host) = self.hosts.get_mut(number) {
                    host.given.extend(blobs.iter().map(|blob| (blob.hash, to)));
                }
                Ok(())
            }
            Output::Keep { contract, blobs } => {
                self.pin(number, contract, &blobs);
                Ok(())
            }
            Output::Drop { contract, blobs } => {
                self.forget(number, contract, &blobs);
                Ok(())
            }
            // Notes are written where outputs are carried out.
            Output::Append { .. } | Output::Replace { .. } | Output::Warn { .. } => Ok(()),
            Output::Save { contract } => {
                let life = self.hosts.get(number).map_or(0, |host| host.life);
                self.queue.push(self.now.after(SAVE), Event::Saved { host: number, life, contract });
                Ok(())
            }
            Output::Stop { contract } | Output::Migrate { contract } => {
                self.stop(number, contract);
                Ok(())
            }
            Output::Recall { contract } => {
                self.change(number, contract, |machine, now| machine.recall(contract, now));
                Ok(())
            }
            Output::Pause { contract } => {
                if let Some(host) = self.hosts.get_mut(number) {
                    host.machine.pause(contract, self.now);
                }
                Ok(())
            }
            Output::Pace { contract, throttle_pct } => {
                self.change(number, contract, |machine, now| machine.pace(contract, throttle_pct, now));
                Ok(())
            }
            // What is the same has the same hash; a machine here looks no closer.
            Output::Compare { token, comparing } => {
                let differs = comparing.pairs.iter().find(|(_, one, other)| one != other);
                let difference = differs.map(|(output, ..)| service::Difference {
                    output: output.clone(),
                    ..service::Difference::default()
                });
                self.feed(number, Input::Compared { token, difference })
            }
            Output::Examine { token, .. } => self.feed(number, Input::Examined { token, found: None }),
            Output::Test { contract, .. } => self.feed(number, Input::Tested { contract, result: Ok(()) }),
            Output::Tell(event) => self.tell(number, &event),
            Output::Left | Output::NotOpened { .. } => {
                self.end_process(number, false);
                Ok(())
            }
            Output::Balance { .. }
            | Output::Found { .. }
            | Output::Paid { .. }
            | Output::Surveyed { .. }
            | Output::FoundContent { .. }
            | Output::Joined
            | Output::NotJoined { .. } => Ok(()),
        }
    }

    fn start_fetch(&mut self, number: usize, contract: ContractId, from: Peer, blobs: Vec<Blob>) {
        let Some(host) = self.hosts.get(number) else { return };
        let life = host.life;
        let missing: Vec<&Blob> = blobs.iter().filter(|blob| !host.store.contains(&blob.hash)).collect();
        let source = match self.by_key.get(&from.key) {
            Some(Place::Host(source)) => Some(*source),
            _ => None,
        };
        let is_reached = source.is_some_and(|source| self.reaches(source, number));
        let is_refused =
            source.and_then(|source| self.hosts.get(source)).is_some_and(|source| !source.is_silent());
        let (me, there) = (Place::Host(number), source.map_or(Place::Bank, Place::Host));
        let bytes: u64 = missing.iter().map(|blob| blob.size.0).sum();
        let span = if missing.is_empty() {
            AT_ONCE
        } else if is_reached {
            // There and back for the connection, there and back for the contents.
            self.net.latency(me, there).times(4).plus(Span(bytes / BANDWIDTH))
        } else if is_refused {
            self.net.latency(me, there).times(2)
        } else {
            FETCH_TIMEOUT
        };
        let from = source.filter(|_| is_reached);
        self.queue.push(self.now.after(span), Event::Fetched { host: number, life, contract, from, blobs });
    }

    fn pin(&mut self, number: usize, contract: ContractId, blobs: &[Blob]) {
        if let Some(host) = self.hosts.get_mut(number) {
            host.pins.extend(blobs.iter().map(|blob| (blob.hash, contract)));
        }
    }

    /// A state that no contract needs any more makes room at once; anything else stays.
    fn forget(&mut self, number: usize, contract: ContractId, blobs: &[Blob]) {
        let Some(host) = self.hosts.get_mut(number) else { return };
        for blob in blobs {
            host.pins.remove(&(blob.hash, contract));
            let is_pinned = host.pins.iter().any(|(hash, _)| *hash == blob.hash);
            if !is_pinned && self.states.knows(&blob.hash) {
                host.store.remove(&blob.hash);
            }
        }
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        self.is_up(from) && self.net.connects(Place::Host(from), Place::Host(to))
    }

    fn serves(&self, from: usize, to: usize, blobs: &[Blob]) -> bool {
        let Some(asker) = self.hosts.get(to).map(|host| host.peer.key) else { return false };
        let serves = |host: &crate::host::Host| blobs.iter().all(|blob| host.shows(&blob.hash, asker));
        self.reaches(from, to) && self.hosts.get(from).is_some_and(serves)
    }

    fn execute(&mut self, number: usize, contract: ContractId, job: &Job) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        contract::executes(&self.watch.books, number, host.peer.key, contract)?;
        if !self.watch.books.arbiters.contains(&(contract, host.peer.key)) {
            self.watch.policies.executes(host, contract)?;
        }
        let part = host.offers.get(&contract).copied().unwrap_or_default();
        let life = host.life;
        let mut left = std::collections::BTreeSet::new();
        let begin = self.states.begin(job);
        Saved::goes_on(host, &self.states, job, begin)?;
        self.watch.saved.executes(contract, begin)?;
        if matches!(begin, Begin::At(_)) && job.resume.is_some_and(|state| state.base.is_some()) {
            self.tally.saw(Sight::Difference);
        }
        let started = host.machine.start(contract, part, job, begin, &mut left, self.now);
        // What was not here before is shown to nobody until the node says so.
        host.withheld.extend(left.into_iter().filter(|hash| host.store.insert(*hash)));
        if let Some((span, execution)) = started {
            let execution = Box::new(execution);
            self.queue
                .push(self.now.after(span), Event::Executed { host: number, life, contract, execution });
        }
        cores::check(host)
    }

    /// What a job is to go on from is opened: a machine here knows a state when it sees one.
    fn open(&mut self, number: usize, contract: ContractId, job: &Job) -> Checked {
        let Some(host) = self.hosts.get(number) else { return Ok(()) };
        let begin = self.states.begin(job);
        Saved::goes_on(host, &self.states, job, begin)?;
        let is_state = begin != Begin::Nowhere;
        let result = is_state.then_some(()).ok_or_else(|| "it is no state of this program".to_owned());
        let life = host.life;
        self.queue.push(self.now.after(OPEN), Event::Opened { host: number, life, contract, result });
        Ok(())
    }

    /// A state has been saved, if the program still runs.
    pub(super) fn saved(&mut self, number: usize, contract: ContractId) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        let saved = host.machine.save(contract, &mut self.states, &mut host.store, self.now);
        let Some((checkpoint, cycles)) = saved else { return Ok(()) };
        let result = Ok(Snapshot { checkpoint, cycles, cost: SAVE });
        self.feed(number, Input::Saved { contract, result })
    }

    fn stop(&mut self, number: usize, contract: ContractId) {
        let Some(host) = self.hosts.get_mut(number) else { return };
        let life = host.life;
        if let Some(execution) = host.machine.stop(contract, self.now).map(Box::new) {
            self.queue
                .push(self.now.after(STOP), Event::Executed { host: number, life, contract, execution });
        }
    }

    /// Something happens to an execution by which it ends at another time, or otherwise.
    fn change(
        &mut self,
        number: usize,
        contract: ContractId,
        act: impl FnOnce(&mut Machine, Time) -> Option<(Span, Execution)>,
    ) {
        let Some(host) = self.hosts.get_mut(number) else { return };
        let life = host.life;
        if let Some((span, execution)) = act(&mut host.machine, self.now) {
            let execution = Box::new(execution);
            self.queue
                .push(self.now.after(span), Event::Executed { host: number, life, contract, execution });
        }
    }

    /// The user of a node is told something.
    fn tell(&mut self, number: usize, event: &service::Event) -> Checked {
        let Some(buyer) = self.hosts.get(number).map(|host| host.peer.key) else { return Ok(()) };
        let Watch { contracts, books, sub_tasks, .. } = &mut self.watch;
        contracts.told((books, sub_tasks), number, buyer, event)?;
        match &event.kind {
            EventKind::NoSeller { .. } => {
                self.tally.no_seller += 1;
                Ok(())
            }
            EventKind::Suspended { .. } => {
                self.tally.suspended += 1;
                Ok(())
            }
            EventKind::Saved { .. } => {
                self.tally.states += 1;
                Ok(())
            }
            EventKind::Distrusted { seller, .. } => {
                self.tally.distrusted += 1;
                self.watch.probes.told(buyer, event.task, *seller);
                Ok(())
            }
            EventKind::Resumed { .. } => {
                self.tally.resumed += 1;
                Ok(())
            }
            EventKind::Retrying { why, .. } => {
                self.saw(Sight::WentElsewhere);
                *self.tally.retries.entry(why.clone()).or_default() += 1;
                Ok(())
            }
            EventKind::Ended { sub_task, end } => {
                self.watch.sub_tasks.told(buyer, event.task, *sub_task, end)?;
                self.watch.flows.told(buyer, event.task, *sub_task, end);
                let is_success = end.verdict == Verdict::Succeeded;
                self.ends.insert((number, *sub_task), (**end).clone());
                Breach::unless(!is_success || end.sale.is_some(), "paid_as_told", || {
                    "a success without a sale".into()
                })
            }
            EventKind::TaskEnded => {
                // Who has started again may be told once more.
                self.open_tasks -= usize::from(self.ended_tasks.insert(number)).min(self.open_tasks);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn set_wake(&mut self, number: usize) {
        let Some(host) = self.hosts.get_mut(number) else { return };
        let Some(due) = host.node().and_then(Node::poll_timeout) else { return };
        let at = self.mutant.wake(number, host.clock.when(due)).max(self.now);
        if host.wake.is_none_or(|wake| at < wake) {
            host.wake = Some(at);
            self.queue.push(at, Event::Wake { place: Place::Host(number), life: host.life, at });
        }
    }
}

//! `ring`: the members form one ordered ring, as Zave's invariant has it (IEEE TSE 2017).
//!
//! Her proof supposes that nobody alive is taken for dead, and that failures leave every member a live successor.
//! Lost messages and crashes break that at times. This watches whether they did: a question that stayed
//! without an answer although the node asked lives, a connection to a live node that broke, a failure that
//! [`chord::check::breaks_assumptions`] names, a node that comes back while others remember its former life. From
//! then on a broken property is the fault's and is only counted, until the ring is ideal again.

use super::{Breach, Checked};
use crate::clock::Clock;
use crate::host::Host;
use chord::check::{Assumptions, Blame, RingReport, RingViolation, View, breaks_assumptions, check_ring};
use proto::message::chord::ChordMessage;
use proto::{RequestId, Span, Time};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the ring.
#[derive(Debug)]
pub(crate) struct RingWatch {
    assumptions: Assumptions,
    patience: Span,
    views: Vec<Option<View>>,
    asked: BTreeMap<(usize, RequestId), (usize, Time)>,
    due: BTreeSet<(Time, usize, RequestId)>,
    /// Events after which a property did not hold, while the assumptions did not hold either.
    pub(crate) strained: u64,
    /// How often the assumptions were broken.
    pub(crate) broken: u64,
    /// The last look at the whole ring, unless a property did not hold.
    pub(crate) report: Option<RingReport>,
}

/// The request that a message puts, or answers.
enum Talk {
    Question(RequestId),
    Answer(RequestId),
    Other,
}

fn talk(message: &ChordMessage) -> Talk {
    match message {
        ChordMessage::FindNext(question) => Talk::Question(question.request),
        ChordMessage::StateQuery(question) => Talk::Question(question.request),
        ChordMessage::Ping(question) => Talk::Question(question.request),
        ChordMessage::ArcQuery(question) => Talk::Question(question.request),
        ChordMessage::Route(question) => Talk::Question(question.request),
        ChordMessage::Compare(question) => Talk::Question(question.request),
        ChordMessage::ArcReply(answer) => Talk::Answer(answer.request),
        ChordMessage::Compared(answer) => Talk::Answer(answer.request),
        ChordMessage::FoundNode(answer) => Talk::Answer(answer.request),
        ChordMessage::CloserNodes(answer) => Talk::Answer(answer.request),
        ChordMessage::StateReply(answer) => Talk::Answer(answer.request),
        ChordMessage::Busy(answer) => Talk::Answer(answer.request),
        ChordMessage::Pong(answer) => Talk::Answer(answer.request),
        ChordMessage::Notify(_)
        | ChordMessage::Nearer(_)
        | ChordMessage::Leaving(_)
        | ChordMessage::Routed(_)
        | ChordMessage::Announce(_) => Talk::Other,
    }
}

impl RingWatch {
    pub(crate) fn new(config: &chord::Config, successors: usize, nodes: usize) -> Self {
        let tries = u64::from(config.request_tries.max(1));
        Self {
            assumptions: Assumptions { successors: successors.max(1), is_formed: false, hold: true },
            // The core divides its patience by the tries and rounds down.
            patience: Span((config.request_timeout.0 / tries).saturating_mul(tries)),
            views: vec![None; nodes],
            asked: BTreeMap::new(),
            due: BTreeSet::new(),
            strained: 0,
            broken: 0,
            report: None,
        }
    }

    /// A node sends `message` to another.
    pub(crate) fn sent(
        &mut self,
        (from, clock): (usize, Clock),
        to: usize,
        message: &ChordMessage,
        now: Time,
    ) {
        let Talk::Question(request) = talk(message) else { return };
        let due = clock.after(now, self.patience);
        // A question that is put again keeps its first deadline.
        if let Entry::Vacant(entry) = self.asked.entry((from, request)) {
            entry.insert((to, due));
            self.due.insert((due, from, request));
        }
    }

    /// `message` has reached a node.
    pub(crate) fn received(&mut self, by: usize, message: &ChordMessage) {
        let Talk::Answer(request) = talk(message) else { return };
        if let Some((_, due)) = self.asked.remove(&(by, request)) {
            self.due.remove(&(due, by, request));
        }
    }

    /// A node is told that another cannot be reached.
    pub(crate) fn broke(&mut self, to_is_up: bool) {
        if to_is_up {
            self.give_up_assumptions();
        }
    }

    /// Time goes on to `now`: whoever has not been answered takes the other for dead.
    pub(crate) fn pass(&mut self, hosts: &[Host], now: Time) {
        while let Some((due, from, request)) = self.due.first().copied().filter(|(due, ..)| *due <= now) {
            self.due.remove(&(due, from, request));
            let Some((to, _)) = self.asked.remove(&(from, request)) else { continue };
            let is_up = |host: usize| hosts.get(host).is_some_and(|host| host.node().is_some());
            if is_up(from) && is_up(to) {
                self.give_up_assumptions();
            }
        }
    }

    /// A node is about to fail.
    pub(crate) fn fails(&mut self, host: &Host) {
        let views = self.members();
        if breaks_assumptions(&views, self.assumptions, host.peer.id()) {
            self.give_up_assumptions();
        }
    }

    /// A node comes back that others may remember.
    pub(crate) fn returns(&mut self) {
        self.give_up_assumptions();
    }

    /// A node is no more.
    pub(crate) fn forget(&mut self, host: usize) {
        // Who has left in order before its end is not missed any more.
        if self.views.get_mut(host).is_some_and(|view| view.take().is_some()) {
            self.report = None;
        }
    }

    /// Looks at the ring if the state of `host` has changed.
    pub(crate) fn check(&mut self, host: &Host) -> Checked {
        let view = host.node().and_then(|node| node.chord().view());
        let Some(known) = self.views.get(host.number) else { return Ok(()) };
        if *known == view {
            return Ok(());
        }
        if view.is_none() {
            self.fails(host);
        }
        if let Some(known) = self.views.get_mut(host.number) {
            *known = view;
        }
        self.judge()
    }

    /// Looks at all nodes at once.
    pub(crate) fn check_all(&mut self, hosts: &[Host]) -> Checked {
        for (known, host) in self.views.iter_mut().zip(hosts) {
            *known = host.node().and_then(|node| node.chord().view());
        }
        self.judge()
    }

    fn judge(&mut self) -> Checked {
        let members = self.members();
        match check_ring(&members, self.assumptions) {
            Ok(report) => {
                self.assumptions.is_formed |= report.is_formed;
                self.assumptions.hold |= report.is_ideal;
                self.report = Some(report);
                Ok(())
            }
            Err(RingViolation { blame: Blame::AssumptionViolated, .. }) => {
                self.report = None;
                self.strained += 1;
                Ok(())
            }
            Err(violation) => Err(Breach::new("ring", violation.to_string())),
        }
    }

    /// Whether every one of `nodes` nodes is a member and every pointer is the right one.
    pub(crate) fn is_ideal(&self, nodes: usize) -> bool {
        self.report.is_some_and(|report| report.is_ideal && report.members == nodes)
    }

    fn members(&self) -> Vec<View> {
        self.views.iter().flatten().cloned().collect()
    }

    const fn give_up_assumptions(&mut self) {
        self.broken += 1;
        self.assumptions.hold = false;
    }
}

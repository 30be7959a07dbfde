//! Stabilize: the node keeps its successor list right, in two steps (Zave 2017, "stabilize from successor" and
//! "stabilize from predecessor").

use crate::face::Output;
use crate::handle::Handle;
use crate::interval::{between, distance};
use crate::maintain::MAX_VIA;
use crate::node::{Chord, Member};
use crate::requests::Purpose;
use crate::successors::Successors;
use crate::timers::jittered;
use proto::message::chord::{Busy, ChordMessage, Notify, StateReply};
use proto::{RequestId, Span, Time};

/// How many state queries are kept while the node is busy. Whoever asks beyond that is told "busy" and has to ask
/// again.
pub const MAX_DELAYED: usize = 32;

/// To how many hints ([`proto::message::chord::Nearer`]) a node listens between two stabilize operations of its own
/// accord. Each costs a question, and makes the node busy until it is answered.
pub const MAX_HINTS: u8 = 64;

/// Who waits for this node's state.
pub(crate) type Delayed<P> = Vec<(P, RequestId)>;

/// Where the node stands in its stabilize operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nowhere.
    Idle,
    /// It waits for the successor's state (step A).
    AskingSuccessor,
    /// It waits for the state of the successor's predecessor, which lies between (step B).
    AskingBetween,
}

impl<P: Handle> Member<P> {
    /// Whether the successor list is undefined for others to see.
    pub(crate) fn is_busy(&self) -> bool {
        self.step != Step::Idle
    }
}

impl<P: Handle> Chord<P> {
    /// Starts a stabilize operation, unless one is under way.
    pub(crate) fn stabilize(&mut self, now: Time) {
        if let Some(member) = self.member.as_mut().filter(|member| member.step == Step::Idle) {
            member.hints_left = MAX_HINTS;
            self.ask_successor(now);
        }
    }

    /// Step A. A ring of one is its own successor and has the answer at once.
    fn ask_successor(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        let head = member.successors.head();
        if head.id() == self.me.id() {
            let predecessor = member.arc.predecessor();
            return self.look_between(head, predecessor, now);
        }
        member.step = Step::AskingSuccessor;
        self.ask(head, Purpose::AskSuccessor, now);
    }

    /// The end of step A: goes on to step B if the successor knows a node between.
    pub(crate) fn look_between(&mut self, head: P, candidate: Option<P>, now: Time) {
        let Some(member) = &mut self.member else { return };
        let is_nearer = |peer: &P| between(self.me.id(), peer.id(), head.id()) && peer.id() != self.me.id();
        let Some(nearer) = candidate.filter(is_nearer) else { return self.finish_step() };
        member.step = Step::AskingBetween;
        self.ask(nearer, Purpose::AskBetween, now);
    }

    /// `from` knows of a node between. It is heard if it is the successor, or lies before it. Step B follows, which
    /// takes nobody who has not answered.
    pub(crate) fn on_nearer(&mut self, from: P, nearer: P, now: Time) {
        let me = self.me.id();
        let Some(member) = self.member.as_mut().filter(|member| member.step == Step::Idle) else { return };
        let head = member.successors.head();
        let is_before = |peer: P| between(me, peer.id(), head.id());
        let is_heard = from == head || is_before(from);
        if is_heard && is_before(nearer) && member.hints_left > 0 {
            member.hints_left -= 1;
            self.look_between(head, Some(nearer), now);
        }
    }

    /// The node between does not answer. Until the next operation no hint is listened to: whoever named it does not know
    /// yet that it is dead, or lies.
    pub(crate) fn nobody_between(&mut self) {
        if let Some(member) = &mut self.member {
            member.hints_left = 0;
        }
        self.finish_step();
    }

    pub(crate) fn on_state_reply(&mut self, from: P, answer: &StateReply<P>, now: Time) {
        let fits = |purpose| {
            !matches!(
                purpose,
                Purpose::ProbePredecessor
                    | Purpose::Confirm(_)
                    | Purpose::Hop(..)
                    | Purpose::Relay(_)
                    | Purpose::Gauge
                    | Purpose::Compare
            )
        };
        match self.requests.answered(answer.request, from, fits) {
            Some(Purpose::AskSuccessor) => {
                self.adopt(from, &answer.successors);
                self.look_between(from, answer.predecessor, now);
            }
            Some(Purpose::AskBetween) => {
                self.adopt(from, &answer.successors);
                self.finish_step();
            }
            Some(Purpose::JoinBehind) => self.join_behind(from, &answer.successors, now),
            Some(Purpose::Heirs(number)) => self.on_heirs(number, &answer.successors, now),
            Some(Purpose::Alternates) => self.on_alternates(&answer.successors, now),
            Some(
                Purpose::ProbePredecessor
                | Purpose::Confirm(_)
                | Purpose::Hop(..)
                | Purpose::Relay(_)
                | Purpose::Gauge
                | Purpose::Compare,
            )
            | None => {}
        }
    }

    /// Takes a node that has just answered as successor, with its list but for the last.
    fn adopt(&mut self, head: P, tail: &[P]) {
        let Some(member) = &mut self.member else { return };
        member.take_rare(|rare| &mut rare.silent);
        member.successors = Successors::behind(self.me, self.config.list_length(), head, tail);
    }

    /// The successor is dead: drops it and asks the next. When none is left, Zave's assumption is broken; then
    /// whoever else is known has to do, `spare` first. From a node too far ahead stabilize leads back, from
    /// predecessor to predecessor.
    pub(crate) fn head_is_dead(&mut self, spare: &[P], now: Time) {
        let Some(member) = &mut self.member else { return };
        let dead = member.successors.head();
        let wraps = member.successors.wraps();
        member.fingers.remove(dead.id());
        let silent = &mut member.rare().silent;
        if silent.len() < MAX_VIA {
            silent.push(dead);
        }
        if member.arc.follows(dead.id()) {
            member.arc.lose();
        }
        if member.successors.drop_head() {
            return self.ask_successor(now);
        }
        let is_other = |peer: &P| peer.id() != dead.id() && peer.id() != self.me.id();
        let known = member.fingers.iter().chain(member.arc.predecessor());
        let mut known: Vec<P> = spare.iter().copied().chain(known).filter(is_other).collect();
        known.sort_by_key(|peer| distance(self.me.id(), peer.id()));
        known.dedup_by_key(|peer| peer.id());
        member.successors = Successors::guessed(self.me, self.config.list_length(), &known, wraps);
        if member.successors.is_alone() { self.isolate(wraps, now) } else { self.ask_successor(now) }
    }

    /// Nobody is left. A node that knew the whole ring is the whole ring now; any other is not a member any more.
    fn isolate(&mut self, knew_all: bool, now: Time) {
        let Some(member) = &mut self.member else { return };
        let known = member.take_rare(|rare| &mut rare.silent);
        self.emit(Output::Isolated { known });
        if knew_all {
            self.follow(self.me, now);
            self.finish_step();
        } else {
            self.forget_membership();
        }
    }

    /// The end of the operation: the successor hears of this node, and whoever waited is answered.
    pub(crate) fn finish_step(&mut self) {
        let Some(member) = &mut self.member else { return };
        member.step = Step::Idle;
        let head = member.successors.head();
        let waiting = member.take_rare(|rare| &mut rare.delayed);
        for (asker, request) in waiting {
            self.show_state(asker, request);
        }
        if head.id() != self.me.id() {
            self.send(head, ChordMessage::Notify(Notify {}));
        }
    }

    pub(crate) fn on_state_query(&mut self, from: P, request: RequestId, now: Time) {
        let Some(member) = &mut self.member else { return };
        if !member.is_busy() {
            return self.show_state(from, request);
        }
        let delayed = &mut member.rare().delayed;
        delayed.retain(|(asker, _)| *asker != from);
        if delayed.len() < MAX_DELAYED {
            delayed.push((from, request));
        }
        self.send(from, ChordMessage::Busy(Busy { request }));
        self.break_circle(now);
    }

    pub(crate) fn on_busy(&mut self, from: P, request: RequestId, now: Time) {
        if self.requests.delayed(&self.config, request, from, now).is_some() {
            self.break_circle(now);
        }
    }

    /// Nodes that wait for each other all around the ring would wait for ever. Every such circle has a node that
    /// waits for one with a smaller id; that one gives its step up and answers (and tries again soon).
    fn break_circle(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        let me = self.me.id();
        let is_last = |to: P| to.id() < me;
        if member.delayed().is_empty() || !self.requests.has_busy(is_last) {
            return;
        }
        self.requests.cancel(|purpose| matches!(purpose, Purpose::AskSuccessor | Purpose::AskBetween));
        let soon = jittered(Span(self.config.stabilize_every.0 / 4), &mut self.dice);
        member.timers.stabilize = member.timers.stabilize.min(now.after(soon));
        self.finish_step();
    }

    fn show_state(&mut self, to: P, request: RequestId) {
        let Some(member) = &self.member else { return };
        let successors = member.successors.shown();
        let predecessor = member.arc.predecessor();
        self.send(to, ChordMessage::StateReply(StateReply { request, predecessor, successors }));
    }
}

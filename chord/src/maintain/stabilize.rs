//! Stabilize: the node keeps its successor list right, in two steps (Zave 2017, "stabilize from successor" and
//! "stabilize from predecessor").

use crate::face::Output;
use crate::interval::between;
use crate::node::{Chord, Member};
use crate::requests::Purpose;
use crate::successors::Successors;
use crate::timers::jittered;
use proto::message::chord::{Busy, ChordMessage, Notify, StateReply};
use proto::{Peer, RequestId, Span, Time};

/// How many state queries are kept while the node is busy. Whoever asks beyond that is told "busy" and has to ask
/// again.
pub const MAX_DELAYED: usize = 32;

/// How many nodes are named when a node finds itself isolated.
const MAX_KNOWN: usize = 16;

/// Who waits for this node's state.
pub(crate) type Delayed = Vec<(Peer, RequestId)>;

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

impl Member {
    /// Whether the successor list is undefined for others to see.
    pub(crate) fn is_busy(&self) -> bool {
        self.step != Step::Idle || self.successors.is_padded()
    }
}

impl Chord {
    /// Starts a stabilize operation, unless one is under way.
    pub(crate) fn stabilize(&mut self, now: Time) {
        if self.member.as_ref().is_some_and(|member| member.step == Step::Idle) {
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
    fn look_between(&mut self, head: Peer, candidate: Option<Peer>, now: Time) {
        let Some(member) = &mut self.member else { return };
        let is_nearer =
            |peer: &Peer| between(self.me.id(), peer.id(), head.id()) && peer.id() != self.me.id();
        let Some(nearer) = candidate.filter(is_nearer) else { return self.finish_step(now) };
        member.step = Step::AskingBetween;
        self.ask(nearer, Purpose::AskBetween, now);
    }

    pub(crate) fn on_state_reply(&mut self, from: Peer, answer: &StateReply, now: Time) {
        let fits =
            |purpose| matches!(purpose, Purpose::AskSuccessor | Purpose::AskBetween | Purpose::JoinBehind);
        match self.requests.answered(answer.request, from, fits) {
            Some(Purpose::AskSuccessor) => {
                self.adopt(from, &answer.successors);
                self.look_between(from, answer.predecessor, now);
            }
            Some(Purpose::AskBetween) => {
                self.adopt(from, &answer.successors);
                self.finish_step(now);
            }
            Some(_) => self.join_behind(from, &answer.successors, now),
            None => {}
        }
    }

    /// Takes a node that has just answered as successor, with its list but for the last.
    fn adopt(&mut self, head: Peer, tail: &[Peer]) {
        let Some(member) = &mut self.member else { return };
        let entries = std::iter::once(head).chain(tail.iter().copied());
        member.successors = Successors::of(self.me, self.config.list_length(), entries);
    }

    /// The successor is dead: drops it and asks the next. `spare` is a last resort.
    pub(crate) fn head_is_dead(&mut self, spare: &[Peer], now: Time) {
        let Some(member) = &mut self.member else { return };
        let dead = member.successors.head();
        let knew_all = member.successors.wraps();
        if member.successors.drop_head() {
            return self.ask_successor(now);
        }
        let spare = spare.iter().copied().filter(|peer| peer.id() != dead.id());
        member.successors = Successors::of(self.me, self.config.list_length(), spare);
        if !member.successors.is_alone() {
            return self.ask_successor(now);
        }
        if member.arc.follows(dead.id()) {
            member.arc.lose();
        }
        self.isolate(knew_all, dead, now);
    }

    fn isolate(&mut self, knew_all: bool, dead: Peer, now: Time) {
        let Some(member) = &mut self.member else { return };
        let others = member.arc.predecessor().into_iter().chain(member.fingers.iter());
        let is_known = |peer: &Peer| peer.id() != dead.id() && peer.id() != self.me.id();
        let known: Vec<Peer> = others.filter(is_known).take(MAX_KNOWN).collect();
        if !knew_all {
            self.forget_membership();
            return self.emit(Output::Isolated { known });
        }
        if member.arc.predecessor().is_none() {
            self.follow(self.me, now);
            self.emit(Output::Isolated { known });
        }
        self.ask_successor(now);
    }

    /// The end of the operation: the successor hears of this node, and whoever waited is answered.
    pub(crate) fn finish_step(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        member.step = Step::Idle;
        let head = member.successors.head();
        if member.is_busy() {
            let soon = jittered(Span(self.config.stabilize_every.0 / 4), &mut self.rng);
            member.timers.stabilize = member.timers.stabilize.min(now.after(soon));
        } else {
            let waiting = std::mem::take(&mut member.delayed);
            for (asker, request) in waiting {
                self.show_state(asker, request);
            }
        }
        if head.id() != self.me.id() {
            self.send(head, ChordMessage::Notify(Notify {}));
        }
    }

    pub(crate) fn on_state_query(&mut self, from: Peer, request: RequestId, now: Time) {
        let Some(member) = &mut self.member else { return };
        if !member.is_busy() {
            return self.show_state(from, request);
        }
        member.delayed.retain(|(asker, _)| *asker != from);
        if member.delayed.len() < MAX_DELAYED {
            member.delayed.push((from, request));
        }
        self.send(from, ChordMessage::Busy(Busy { request }));
        self.break_circle(now);
    }

    pub(crate) fn on_busy(&mut self, from: Peer, request: RequestId, now: Time) {
        if self.requests.delayed(&self.config, request, from, now).is_some() {
            self.break_circle(now);
        }
    }

    /// Nodes that wait for each other all around the ring would wait for ever. Every such circle has a node that
    /// waits for one with a smaller id; that one gives its step up and answers (and tries again soon).
    fn break_circle(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        let me = self.me.id();
        let is_last = |to: Peer| to.id() < me;
        if member.delayed.is_empty() || member.successors.is_padded() || !self.requests.has_busy(is_last) {
            return;
        }
        self.requests.cancel(|purpose| matches!(purpose, Purpose::AskSuccessor | Purpose::AskBetween));
        let soon = jittered(Span(self.config.stabilize_every.0 / 4), &mut self.rng);
        member.timers.stabilize = member.timers.stabilize.min(now.after(soon));
        self.finish_step(now);
    }

    fn show_state(&mut self, to: Peer, request: RequestId) {
        let Some(member) = &self.member else { return };
        let successors = member.successors.peers().to_vec();
        let predecessor = member.arc.predecessor();
        self.send(to, ChordMessage::StateReply(StateReply { request, predecessor, successors }));
    }
}

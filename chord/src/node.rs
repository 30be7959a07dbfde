//! The face of a node: inputs in, outputs out.

use crate::check::{self, View, Violation};
use crate::config::Config;
use crate::face::{Input, LookupFailure, Output};
use crate::fingers::Fingers;
use crate::lookup::Lookups;
use crate::maintain::{Delayed, Join, Probe, Step};
use crate::range::Responsibility;
use crate::requests::{Due, Pending, Purpose, Requests, Silence};
use crate::successors::Successors;
use crate::timers::Timers;
use proto::message::chord::{ChordMessage, Pong};
use proto::{Peer, Range, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;

/// One node's part of the ring.
#[derive(Clone, Debug)]
pub struct Chord {
    pub(crate) config: Config,
    pub(crate) me: Peer,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) requests: Requests,
    pub(crate) lookups: Lookups,
    pub(crate) join: Option<Join>,
    pub(crate) member: Option<Member>,
    outputs: VecDeque<Output>,
}

/// What a node has only while it is a member.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) successors: Successors,
    pub(crate) fingers: Fingers,
    pub(crate) arc: Responsibility,
    pub(crate) step: Step,
    pub(crate) delayed: Delayed,
    pub(crate) probe: Option<Probe>,
    /// Successors found dead since one last answered; at most [`crate::MAX_VIA`].
    pub(crate) silent: Vec<Peer>,
    /// When the predecessor was last heard.
    pub(crate) heard: Time,
    pub(crate) timers: Timers,
}

impl Chord {
    /// A node that is no member of a ring yet. `seed` decides all its random choices.
    #[must_use]
    pub fn new(config: Config, me: Peer, seed: [u8; 32], now: Time) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let first = rng.next_u64() ^ now.0;
        Self {
            config,
            me,
            rng,
            requests: Requests::new(first),
            lookups: Lookups::default(),
            join: None,
            member: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input. Never fails; what makes no sense is ignored.
    pub fn handle(&mut self, input: Input, now: Time) {
        match input {
            Input::Create => self.create(now),
            Input::Join { via } => self.start_join(via, now),
            Input::Receive { from, message } => self.receive(from, message, now),
            Input::Unreachable { peer } => self.unreachable(peer, now),
            Input::Lookup { token, key } => self.look_up(token, key, now),
            Input::Leave => self.leave(),
            Input::Timeout => self.timeout(now),
        }
    }

    /// The next thing to do or to know, in order. Drain after every [`Chord::handle`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to give [`Input::Timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let timers = self.member.as_ref().map(|member| member.timers.next());
        let join = self.join.as_ref().and_then(Join::next_due);
        [self.requests.next_due(), self.lookups.next_due(), join, timers].into_iter().flatten().min()
    }

    /// The invariants of this node's own state.
    ///
    /// # Errors
    /// The first one that does not hold.
    pub fn check(&self) -> Result<(), Violation> {
        check::check_node(self)
    }

    /// This node.
    #[must_use]
    pub fn me(&self) -> Peer {
        self.me
    }

    /// The predecessor; the node itself in a ring of one; none when it died and no other is known yet.
    #[must_use]
    pub fn predecessor(&self) -> Option<Peer> {
        self.member.as_ref().and_then(|member| member.arc.predecessor())
    }

    /// The successor list, nearest first; the node itself in a ring of one; empty for a node that is no member.
    #[must_use]
    pub fn successors(&self) -> &[Peer] {
        self.member.as_ref().map_or(&[], |member| member.successors.peers())
    }

    /// The distinct fingers beyond the successor list, nearest first.
    pub fn fingers(&self) -> impl Iterator<Item = Peer> {
        self.member.iter().flat_map(|member| member.fingers.iter())
    }

    /// Whether the node is a member of a ring.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// Whether the node knows fewer than `r` others, so that Zave's guarantee does not hold yet. A node that is
    /// no member is forming.
    #[must_use]
    pub fn is_forming(&self) -> bool {
        self.member.as_ref().is_none_or(|member| member.successors.wraps())
    }

    /// The arc that the node answers for; none for a node that is no member.
    ///
    /// While the predecessor is unknown, the arc is the last one known: a part of the true one.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        self.member.as_ref().map(|member| member.arc.range())
    }

    /// What the checker of the whole ring has to know of this node; none for a node that is no member.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let member = self.member.as_ref()?;
        Some(View {
            id: self.me.id(),
            successors: member.successors.ids().collect(),
            predecessor: member.arc.predecessor().map(|peer| peer.id()),
            is_live: true,
        })
    }

    pub(crate) fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn send(&mut self, to: Peer, message: ChordMessage) {
        self.emit(Output::Send { to, message });
    }

    pub(crate) fn ask(&mut self, to: Peer, purpose: Purpose, now: Time) {
        let message = self.requests.ask(&self.config, to, purpose, now);
        self.send(to, message);
    }

    fn receive(&mut self, from: Peer, message: ChordMessage, now: Time) {
        if from.id() == self.me.id() {
            return;
        }
        if let Some(member) = self.member.as_mut().filter(|member| member.arc.follows(from.id())) {
            member.heard = now;
        }
        match message {
            ChordMessage::FindNext(question) => self.answer_find(from, question),
            ChordMessage::FoundNode(answer) => self.on_found(from, answer, now),
            ChordMessage::CloserNodes(answer) => self.on_closer(from, &answer, now),
            ChordMessage::StateQuery(question) => self.on_state_query(from, question.request, now),
            ChordMessage::StateReply(answer) => self.on_state_reply(from, &answer, now),
            ChordMessage::Busy(answer) => self.on_busy(from, answer.request, now),
            ChordMessage::Notify(_) => self.on_notify(from, now),
            ChordMessage::Ping(question) if self.is_member() => {
                self.send(from, ChordMessage::Pong(Pong { request: question.request }));
            }
            ChordMessage::Ping(_) => {}
            ChordMessage::Pong(answer) => self.on_pong(from, answer.request),
            ChordMessage::Leaving(message) => self.on_leaving(from, &message, now),
        }
    }

    fn unreachable(&mut self, peer: Peer, now: Time) {
        self.fail_requests(peer, now);
        let Some(member) = &self.member else { return };
        let (is_successor, is_predecessor) =
            (member.successors.head().id() == peer.id(), member.arc.follows(peer.id()));
        if is_successor {
            self.stabilize(now);
        }
        if is_predecessor {
            self.probe_predecessor(None, now);
        }
    }

    /// All that was asked of `peer` stays without an answer.
    pub(crate) fn fail_requests(&mut self, peer: Peer, now: Time) {
        for asked in self.requests.lost(peer) {
            self.on_silence(asked, Silence::Dead, now);
        }
    }

    fn on_silence(&mut self, asked: Pending, silence: Silence, now: Time) {
        if let Some(member) = self.member.as_mut().filter(|_| silence == Silence::Dead) {
            member.fingers.remove(asked.to.id());
        }
        match (asked.purpose, silence) {
            (Purpose::AskSuccessor, Silence::Dead) => self.head_is_dead(&[], now),
            (Purpose::AskSuccessor | Purpose::AskBetween, _) => self.finish_step(),
            (Purpose::ProbePredecessor, _) => self.predecessor_is_dead(asked.to, now),
            (Purpose::JoinBehind, _) => self.contact_failed(now),
            (Purpose::Hop(number, _), _) => self.advance(number, now),
        }
    }

    fn timeout(&mut self, now: Time) {
        let Due { again, silent } = self.requests.due(&self.config, now);
        for (to, message) in again {
            self.send(to, message);
        }
        for (asked, silence) in silent {
            self.on_silence(asked, silence, now);
        }
        self.lookups_due(now);
        self.join_due(now);
        self.maintenance_due(now);
    }

    /// Ends the membership, and with it all that depends on it.
    pub(crate) fn forget_membership(&mut self) {
        self.member = None;
        self.requests.cancel(|purpose| {
            matches!(purpose, Purpose::AskSuccessor | Purpose::AskBetween | Purpose::ProbePredecessor)
        });
        self.fail_member_lookups(LookupFailure::NotMember);
    }
}

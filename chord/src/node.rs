//! The face of a node: inputs in, outputs out.

use crate::check::{self, View, Violation};
use crate::config::Config;
use crate::dice::Dice;
use crate::face::{Input, LookupFailure, Output};
use crate::fingers::Fingers;
use crate::handle::Handle;
use crate::lookup::Lookups;
use crate::maintain::{Delayed, Join, Probe, Step};
use crate::range::Responsibility;
use crate::requests::{Due, Pending, Purpose, Requests, Silence};
use crate::successors::Successors;
use crate::timers::Timers;
use proto::message::chord::{ChordMessage, Pong};
use proto::{Peer, Range, RequestId, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// One node's part of the ring.
#[derive(Clone, Debug)]
pub struct Chord<P = Peer> {
    pub(crate) config: Arc<Config>,
    pub(crate) me: P,
    pub(crate) dice: Dice,
    pub(crate) requests: Requests<P>,
    pub(crate) lookups: Lookups<P>,
    pub(crate) join: Option<Box<Join<P>>>,
    pub(crate) member: Option<Member<P>>,
    outputs: VecDeque<Output<P>>,
}

/// What a node has only while it is a member.
#[derive(Clone, Debug)]
pub(crate) struct Member<P> {
    pub(crate) successors: Successors<P>,
    pub(crate) fingers: Fingers<P>,
    pub(crate) arc: Responsibility<P>,
    pub(crate) step: Step,
    pub(crate) delayed: Delayed<P>,
    pub(crate) probe: Option<Probe<P>>,
    /// Successors found dead since one last answered; at most [`crate::MAX_VIA`].
    pub(crate) silent: Vec<P>,
    /// When the predecessor was last heard.
    pub(crate) heard: Time,
    pub(crate) timers: Timers,
}

/// Whom a node of a repaired ring knows.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a, P = Peer> {
    /// The predecessor.
    pub predecessor: P,
    /// The successor list, nearest first.
    pub successors: &'a [P],
    /// Fingers beyond it, each with the exponent `e` of the point `me + 2^e` that it is the first node after;
    /// ascending, and no node twice.
    pub fingers: &'a [(u32, P)],
}

impl<P: Handle> Chord<P> {
    /// A node that is no member of a ring yet. `seed` decides all its random choices.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, me: P, seed: [u8; 32], now: Time) -> Self {
        let mut dice = Dice::new(seed);
        let first = dice.roll() ^ now.0;
        Self {
            config: config.into(),
            me,
            dice,
            requests: Requests::new(first),
            lookups: Lookups::new(),
            join: None,
            member: None,
            outputs: VecDeque::new(),
        }
    }

    /// A member of a ring that has been repaired long ago, for simulations that start in equilibrium. Who makes it
    /// knows that it has joined, and where: it does not say so.
    #[must_use]
    pub fn settled(
        config: impl Into<Arc<Config>>,
        me: P,
        seed: [u8; 32],
        neighbours: Neighbours<'_, P>,
        now: Time,
    ) -> Self {
        let mut node = Self::new(config, me, seed, now);
        node.settle(neighbours, now);
        node.outputs = VecDeque::new();
        node
    }

    /// Takes one input. Never fails; what makes no sense is ignored.
    pub fn handle(&mut self, input: Input<P>, now: Time) {
        match input {
            Input::Create => self.create(now),
            Input::Join { via } => self.start_join(via, now),
            Input::Receive { from, message } => self.receive(from, message, now),
            Input::Unreachable { peer } => self.unreachable(peer, now),
            Input::Lookup { token, key } => self.look_up(token, key, now),
            Input::Meet { peers } => self.meet(&peers, now),
            Input::Leave => self.leave(),
            Input::Timeout => self.timeout(now),
        }
    }

    /// Takes one input, and appends to `outputs` what is to be done or to be known. For drivers of very many
    /// nodes: a node used in this way keeps no memory for outputs.
    pub fn handle_into(&mut self, input: Input<P>, now: Time, outputs: &mut VecDeque<Output<P>>) {
        std::mem::swap(&mut self.outputs, outputs);
        self.handle(input, now);
        std::mem::swap(&mut self.outputs, outputs);
    }

    /// The next thing to do or to know, in order. Drain after every [`Chord::handle`].
    pub fn poll_output(&mut self) -> Option<Output<P>> {
        self.outputs.pop_front()
    }

    /// When to give [`Input::Timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let timers = self.member.as_ref().map(|member| member.timers.next());
        let join = self.join.as_ref().and_then(|join| join.next_due());
        [self.requests.next_due(), self.lookups.next_due(), join, timers].into_iter().flatten().min()
    }

    /// The invariants of this node's own state.
    ///
    /// # Errors
    /// The first one that does not hold.
    pub fn check(&self) -> Result<(), Violation> {
        check::check_node(self)
    }

    /// The memory that this node takes, in bytes: all of its own, without the allocator's overhead and without the
    /// configuration, which is shared.
    #[must_use]
    pub fn footprint(&self) -> usize {
        let handles = |count: usize| count * size_of::<P>();
        let member = self.member.as_ref().map_or(0, |member| {
            member.successors.footprint()
                + member.fingers.footprint()
                + member.delayed.capacity() * size_of::<(P, RequestId)>()
                + handles(member.silent.capacity())
        });
        let outputs = self.outputs.capacity() * size_of::<Output<P>>();
        let join = self.join.as_ref().map_or(0, |_| size_of::<Join<P>>());
        size_of::<Self>() + member + outputs + join + self.requests.footprint() + self.lookups.footprint()
    }

    /// This node.
    #[must_use]
    pub fn me(&self) -> P {
        self.me
    }

    /// The predecessor; the node itself in a ring of one; none when it died and no other is known yet.
    #[must_use]
    pub fn predecessor(&self) -> Option<P> {
        self.member.as_ref().and_then(|member| member.arc.predecessor())
    }

    /// The successor list, nearest first; the node itself in a ring of one; empty for a node that is no member.
    #[must_use]
    pub fn successors(&self) -> &[P] {
        self.member.as_ref().map_or(&[], |member| member.successors.peers())
    }

    /// The distinct fingers beyond the successor list, nearest first.
    pub fn fingers(&self) -> impl Iterator<Item = P> {
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

    pub(crate) fn emit(&mut self, output: Output<P>) {
        self.outputs.push_back(output);
    }

    pub(crate) fn send(&mut self, to: P, message: ChordMessage<P>) {
        self.emit(Output::Send { to, message });
    }

    pub(crate) fn ask(&mut self, to: P, purpose: Purpose, now: Time) {
        let message = self.requests.ask(&self.config, to, purpose, now);
        self.send(to, message);
    }

    fn receive(&mut self, from: P, message: ChordMessage<P>, now: Time) {
        if from.id() == self.me.id() {
            return;
        }
        if let Some(member) = self.member.as_mut().filter(|member| member.arc.predecessor() == Some(from)) {
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

    fn unreachable(&mut self, peer: P, now: Time) {
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
    pub(crate) fn fail_requests(&mut self, peer: P, now: Time) {
        for asked in self.requests.lost(peer) {
            self.on_silence(asked, Silence::Dead, now);
        }
    }

    fn on_silence(&mut self, asked: Pending<P>, silence: Silence, now: Time) {
        if let Some(member) = self.member.as_mut().filter(|_| silence == Silence::Dead) {
            member.fingers.remove(asked.to.id());
        }
        match (asked.purpose, silence) {
            (Purpose::AskSuccessor, Silence::Dead) => self.head_is_dead(&[], now),
            (Purpose::AskSuccessor | Purpose::AskBetween, _) => self.finish_step(),
            (Purpose::ProbePredecessor, _) => self.predecessor_is_dead(asked.to, now),
            (Purpose::JoinBehind, _) => self.contact_failed(now),
            (Purpose::Hop(number, _), _) => self.hop_is_dead(number, now),
            (Purpose::Confirm(number), _) => self.on_unconfirmed(number, asked.to, now),
            (Purpose::Heirs(number), _) => self.start_again(number, now),
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

//! The face of a node: inputs in, outputs out.

use crate::check::{self, View, Violation};
use crate::config::Config;
use crate::dice::Dice;
use crate::face::{Input, LookupFailure, Output};
use crate::fingers::Fingers;
use crate::handle::Handle;
use crate::learned::Learned;
use crate::lookup::Lookups;
use crate::maintain::{Delayed, Join, Probe, Step};
use crate::range::Responsibility;
use crate::requests::{Due, Pending, Purpose, Requests, Silence};
use crate::successors::Successors;
use crate::timers::Timers;
use proto::message::chord::{ChordMessage, Place, Pong};
use proto::{Peer, Range, RequestId, Span, Time};
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
    pub(crate) learned: Option<Box<Learned<P>>>,
    outputs: VecDeque<Output<P>>,
}

/// What a node has only while it is a member.
#[derive(Clone, Debug)]
pub(crate) struct Member<P> {
    pub(crate) successors: Successors<P>,
    pub(crate) fingers: Fingers<P>,
    pub(crate) arc: Responsibility<P>,
    pub(crate) step: Step,
    pub(crate) rare: Option<Box<Rare<P>>>,
    pub(crate) probe: Option<Probe<P>>,
    /// When the predecessor was last heard.
    pub(crate) heard: Time,
    pub(crate) timers: Timers,
    /// To how many hints it listens before its next stabilize operation.
    pub(crate) hints_left: u8,
}

/// What a member has only at times.
#[derive(Clone, Debug)]
pub(crate) struct Rare<P> {
    /// Who waits for this node's state.
    pub(crate) delayed: Delayed<P>,
    /// Successors found dead since one last answered; at most [`crate::MAX_VIA`].
    pub(crate) silent: Vec<P>,
}

impl<P> Member<P> {
    /// What there is only at times, to be added to.
    pub(crate) fn rare(&mut self) -> &mut Rare<P> {
        self.rare.get_or_insert_with(|| Box::new(Rare { delayed: Vec::new(), silent: Vec::new() }))
    }

    /// Who waits for this node's state.
    pub(crate) fn delayed(&self) -> &[(P, RequestId)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.delayed)
    }

    /// Takes what `part` picks out of what there is only at times, and the room for it if nothing is left.
    pub(crate) fn take_rare<T>(&mut self, part: impl Fn(&mut Rare<P>) -> &mut Vec<T>) -> Vec<T> {
        let taken = self.rare.as_mut().map(|rare| std::mem::take(part(rare))).unwrap_or_default();
        self.rare.take_if(|rare| rare.delayed.is_empty() && rare.silent.is_empty());
        taken
    }
}

impl<P> Rare<P> {
    fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.delayed.capacity() * size_of::<(P, RequestId)>()
            + self.silent.capacity() * size_of::<P>()
    }
}

/// Whom a node of a repaired ring knows.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a, P = Peer> {
    /// The predecessor.
    pub predecessor: P,
    /// The successor list, nearest first.
    pub successors: &'a [P],
    /// Fingers beyond it, nearest first, and no node twice.
    pub fingers: &'a [P],
    /// Members and the arcs that they answer for, as far as the node has heard of them.
    pub places: &'a [Place<P>],
    /// For each finger itself and those that follow it, with their round-trip times; for nodes that choose by
    /// proximity.
    pub alternates: &'a [Vec<(P, Span)>],
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
            learned: None,
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
        let view = self.learned.as_ref().map(|learned| learned.sight.next);
        [self.requests.next_due(), self.lookups.next_due(), join, timers, view].into_iter().flatten().min()
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
        let member = self.member.as_ref().map_or(0, |member| {
            member.successors.footprint()
                + member.fingers.footprint()
                + member.rare.as_ref().map_or(0, |rare| rare.footprint())
        });
        let outputs = self.outputs.capacity() * size_of::<Output<P>>();
        let join = self.join.as_ref().map_or(0, |join| join.footprint());
        let learned = self.learned.as_ref().map_or(0, |learned| learned.footprint());
        size_of::<Self>()
            + member
            + outputs
            + join
            + learned
            + self.requests.footprint()
            + self.lookups.footprint()
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

    /// The `count` nearest nodes that follow, this one not among them: after it they answer for its arc, one after
    /// the other. Who wants a record to outlive this node keeps copies there.
    #[must_use]
    pub fn heirs(&self, count: usize) -> &[P] {
        let others = self.successors();
        let others = if others.first().is_some_and(|head| head.id() == self.me.id()) { &[] } else { others };
        others.get(..count).unwrap_or(others)
    }

    /// The distinct fingers beyond the successor list, nearest first.
    pub fn fingers(&self) -> impl Iterator<Item = P> {
        self.member.iter().flat_map(|member| member.fingers.iter())
    }

    /// How many members the node has heard of with their arcs, itself among them; 0 if it is not to remember any.
    #[must_use]
    pub fn known(&self) -> usize {
        self.learned.as_ref().map_or(0, |learned| learned.atlas.len())
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
        let patience = if purpose.is_way() { self.patience(to) } else { None };
        let message = self.requests.ask(&self.config, to, purpose, patience, now);
        self.send(to, message);
    }

    fn receive(&mut self, from: P, message: ChordMessage<P>, now: Time) {
        if from.id() == self.me.id() {
            return;
        }
        if let Some(member) = self.member.as_mut().filter(|member| member.arc.predecessor() == Some(from)) {
            member.heard = now;
        }
        self.learn(from, &message, now);
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
            ChordMessage::Pong(answer) => {
                self.on_pong(from, answer.request);
                self.relayed(answer.request, from, now);
                self.on_gauged(answer.request, from);
            }
            ChordMessage::Nearer(hint) => self.on_nearer(from, hint.node, now),
            ChordMessage::Leaving(message) => self.on_leaving(from, &message, now),
            ChordMessage::Route(route) => self.on_route(from, route, now),
            ChordMessage::Routed(answer) => self.on_routed(from, answer, now),
            ChordMessage::Announce(message) => self.on_announce(message),
            ChordMessage::Compare(question) => self.on_compare(from, &question),
            ChordMessage::ArcQuery(question) => self.answer_arc(from, question.request),
            ChordMessage::ArcReply(answer) => self.on_arc(from, answer, now),
            ChordMessage::Compared(answer) => self.on_compared(from, &answer, now),
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
        if silence == Silence::Dead {
            self.unlearn(asked.to.id());
            if let Some(member) = &mut self.member {
                member.fingers.remove(asked.to.id());
            }
        }
        match (asked.purpose, silence) {
            (Purpose::AskSuccessor, Silence::Dead) => self.head_is_dead(&[], now),
            (Purpose::AskSuccessor, Silence::StillBusy) => self.finish_step(),
            (Purpose::AskBetween, _) => self.nobody_between(),
            (Purpose::ProbePredecessor, _) => self.predecessor_is_dead(asked.to, now),
            (Purpose::JoinBehind, _) => self.contact_failed(now),
            (Purpose::Hop(number, _) | Purpose::Relay(number), _) => self.hop_is_dead(number, now),
            (Purpose::Confirm(number), _) => self.on_unconfirmed(number, asked.to, now),
            (Purpose::Heirs(number), _) => self.start_again(number, now),
            (Purpose::Alternates | Purpose::Gauge, _) => self.gauged(),
            (Purpose::Compare, _) => {}
        }
    }

    fn timeout(&mut self, now: Time) {
        let Due { again, silent, slow } = self.requests.due(&self.config, now);
        for (to, message) in again {
            self.send(to, message);
        }
        for (asked, silence) in silent {
            self.on_silence(asked, silence, now);
        }
        for number in slow {
            self.advance(number, now);
        }
        self.lookups_due(now);
        self.join_due(now);
        self.view_due(now);
        self.maintenance_due(now);
    }

    /// Ends the membership, and with it all that depends on it.
    pub(crate) fn forget_membership(&mut self) {
        (self.member, self.learned) = (None, None);
        self.requests.cancel(Purpose::is_members);
        self.fail_member_lookups(LookupFailure::NotMember);
    }
}

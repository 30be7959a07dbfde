//! Join: a node finds its place and becomes a member in one step (Zave 2017).
//!
//! The place is behind the predecessor, found by a lookup of the own id. The newcomer takes the predecessor's
//! successor list, not the successor's: so it skips nobody whom the predecessor does not skip.

use crate::face::{JoinFailure, Output};
use crate::fingers::{Fingers, reach};
use crate::handle::Handle;
use crate::interval::between;
use crate::learned::Learned;
use crate::lookup::Goal;
use crate::node::{Chord, Member, Neighbours, Rare};
use crate::range::Responsibility;
use crate::requests::Purpose;
use crate::successors::Successors;
use crate::timers::Timers;
use proto::{Span, Time};

use super::Step;

/// How many contacts a join keeps.
pub const MAX_VIA: usize = 16;

/// How often one contact may lead to a node that turns out not to be the predecessor.
const MAX_DETOURS: u32 = 8;

/// A join under way.
#[derive(Clone, Debug)]
pub(crate) struct Join<P> {
    via: Vec<P>,
    next: usize,
    detours: u32,
    rounds_left: u32,
    pause: Span,
    resume: Option<Time>,
    failure: JoinFailure,
}

impl<P: Handle> Join<P> {
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.resume
    }

    /// Bytes, all included.
    pub(crate) fn footprint(&self) -> usize {
        size_of::<Self>() + self.via.capacity() * size_of::<P>()
    }
}

impl<P: Handle> Chord<P> {
    pub(crate) fn create(&mut self, now: Time) {
        if self.is_member() {
            return;
        }
        self.abandon_join();
        let alone = Successors::alone(self.me, self.config.list_length());
        self.become_member(alone, self.me, now);
    }

    pub(crate) fn start_join(&mut self, via: Vec<P>, now: Time) {
        self.abandon_join();
        let mut contacts: Vec<P> = Vec::new();
        for peer in via {
            if peer.id() != self.me.id() && contacts.len() < MAX_VIA && !contacts.contains(&peer) {
                contacts.push(peer);
            }
        }
        if contacts.is_empty() {
            return self.emit(Output::JoinFailed { reason: JoinFailure::NoContact });
        }
        self.join = Some(Box::new(Join {
            via: contacts,
            next: 0,
            detours: 0,
            rounds_left: self.config.join_rounds,
            pause: Span(self.config.join_backoff.0.max(1)),
            resume: None,
            failure: JoinFailure::NoAnswer,
        }));
        self.try_contact(now);
    }

    /// Goes on after a pause between two rounds.
    pub(crate) fn join_due(&mut self, now: Time) {
        let Some(join) = &mut self.join else { return };
        if join.resume.is_some_and(|resume| resume <= now) {
            join.resume = None;
            self.try_contact(now);
        }
    }

    /// Ends a join and leaves nothing of it.
    pub(crate) fn abandon_join(&mut self) {
        self.join = None;
        self.drop_join_lookup();
        self.requests.cancel(|purpose| purpose == Purpose::JoinBehind);
    }

    /// The present contact did not lead to the place: the next one, the next round, or the end.
    pub(crate) fn contact_failed(&mut self, now: Time) {
        let Some(join) = &mut self.join else { return };
        join.next += 1;
        join.detours = 0;
        if join.next < join.via.len() {
            return self.try_contact(now);
        }
        join.next = 0;
        join.rounds_left = join.rounds_left.saturating_sub(1);
        if join.rounds_left == 0 {
            let reason = join.failure;
            self.abandon_join();
            return self.emit(Output::JoinFailed { reason });
        }
        join.resume = Some(now.after(join.pause));
        join.pause = join.pause.times(2);
    }

    fn try_contact(&mut self, now: Time) {
        let contact = self.join.as_ref().and_then(|join| join.via.get(join.next)).copied();
        if let Some(contact) = contact {
            self.find_from(Goal::Join, self.me.id(), vec![contact], now);
        }
    }

    /// The lookup has found the node behind which this one's place is.
    pub(crate) fn join_found(&mut self, predecessor: P, now: Time) {
        if self.join.is_some() {
            self.ask(predecessor, Purpose::JoinBehind, now);
        }
    }

    /// The predecessor-to-be has shown its list.
    pub(crate) fn join_behind(&mut self, predecessor: P, list: &[P], now: Time) {
        let Some(join) = &mut self.join else { return };
        let (me, limit) = (self.me, self.config.list_length());
        let Some((head, tail)) = list.split_first() else { return self.contact_failed(now) };
        if head.id() == me.id() {
            // A pointer from a former life. Without it the list is what the predecessor would have on its death.
            if *head != me {
                join.failure = JoinFailure::PlaceTaken;
                return self.contact_failed(now);
            }
            let mut successors = Successors::after(me, limit, predecessor, tail);
            if successors.is_alone() {
                successors = Successors::after(me, limit, predecessor, &[predecessor]);
            }
            return self.become_member(successors, predecessor, now);
        }
        if between(predecessor.id(), me.id(), head.id()) {
            let successors = Successors::after(me, limit, predecessor, list);
            return self.become_member(successors, predecessor, now);
        }
        join.detours += 1;
        if join.detours > MAX_DETOURS {
            return self.contact_failed(now);
        }
        self.find_from(Goal::Join, me.id(), vec![predecessor, *head], now);
    }

    /// Makes a node that is none yet a member with these neighbours, as if the ring had been repaired long ago:
    /// every timer starts somewhere within its period.
    pub(crate) fn settle(&mut self, neighbours: Neighbours<'_, P>, now: Time) {
        let Neighbours { predecessor, successors, fingers, places, alternates } = neighbours;
        let list = Successors::guessed(self.me, self.config.list_length(), successors, true);
        self.become_member(list, predecessor, now);
        if let Some(learned) = &mut self.learned {
            for place in places {
                learned.atlas.learn(place.node, place.after, &mut self.dice);
            }
            for nodes in alternates {
                for (node, round_trip) in nodes {
                    learned.distances.note(node.id(), *round_trip, &mut self.dice);
                }
                if let Some(reach) = nodes.first().and_then(|(finger, _)| reach(self.me.id(), *finger)) {
                    learned.alternates.insert(reach, nodes.iter().map(|(node, _)| *node).collect());
                }
            }
        }
        let Some(member) = &mut self.member else { return };
        member.fingers = Fingers::from_peers(fingers);
        member.timers = Timers::anywhere(&self.config, &mut self.dice, now);
    }

    fn become_member(&mut self, successors: Successors<P>, predecessor: P, now: Time) {
        self.abandon_join();
        self.requests.cancel(Purpose::is_members);
        let arc = Responsibility::new(self.me.id(), predecessor);
        let former = self.member.take();
        let heir = former.as_ref().map(|_| predecessor);
        let donor = Some(successors.head()).filter(|head| head.id() != self.me.id());
        let delayed = former.and_then(|mut former| former.rare.take()).map(|rare| rare.delayed);
        let rare = delayed.map(|delayed| Box::new(Rare { delayed, silent: Vec::new() }));
        let range = arc.range();
        self.member = Some(Member {
            successors,
            fingers: Fingers::new(),
            arc,
            step: Step::Idle,
            rare,
            probe: None,
            heard: now,
            timers: Timers::start(&self.config, &mut self.dice, now),
            hints_left: 0,
        });
        self.learned = Learned::wanted(&self.config, &mut self.dice, now);
        self.emit(Output::Joined);
        self.emit(Output::RangeChanged { range, heir, donor });
        self.announce(range);
    }
}

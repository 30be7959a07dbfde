//! A ring that was repaired long ago, whose messages arrive at once.

use chord::interval::{distance, is_within};
use chord::{Chord, Config, Handle, Input, Neighbours, Output};
use proto::message::chord::ChordMessage;
use proto::{RingId, Span, Time};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Bits of an id.
const BITS: u32 = 160;

/// A node, named by its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point(pub(super) RingId);

/// How a look-up went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) owner: RingId,
    pub(super) wraps: bool,
    pub(super) hops: u32,
    pub(super) messages: u64,
}

/// The nodes in the order of the circle.
pub(super) struct Still {
    points: Vec<Point>,
    nodes: Vec<Chord<Point>>,
    now: Time,
    mail: VecDeque<(Point, Point, ChordMessage<Point>)>,
}

impl Still {
    pub(super) fn new(points: impl Iterator<Item = Point>, config: &Config) -> Self {
        let points: Vec<Point> = points.collect::<BTreeSet<Point>>().into_iter().collect();
        let (config, now) = (Arc::new(config.clone()), Time(1));
        let mut ring = Self { points, nodes: Vec::new(), now, mail: VecDeque::new() };
        ring.nodes = (0..ring.points.len()).filter_map(|place| ring.node(place, &config)).collect();
        ring
    }

    /// Who answers for `key`.
    pub(super) fn owner(&self, key: RingId) -> RingId {
        let place = self.points.partition_point(|point| point.0 < key);
        self.points.get(place).or(self.points.first()).map_or(key, |point| point.0)
    }

    /// Looks `key` up from the node with this number, counted around the circle.
    pub(super) fn look_up(&mut self, from: u64, key: RingId) -> Way {
        let place = usize::try_from(from).unwrap_or(0);
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(place) {
            node.handle(Input::Lookup { token: 1, key }, now);
        }
        let mut way = Way::default();
        self.carry_out(place, &mut way);
        while let Some((from, to, message)) = self.mail.pop_front() {
            let Ok(place) = self.points.binary_search(&to) else { continue };
            if let Some(node) = self.nodes.get_mut(place) {
                node.handle(Input::Receive { from, message }, now);
            }
            self.carry_out(place, &mut way);
        }
        way
    }

    /// Messages a minute and node for the upkeep, counted over `span`.
    pub(super) fn upkeep(&mut self, span: Span) -> f64 {
        let end = self.now.after(span);
        let mut way = Way::default();
        let mut due: BTreeSet<(Time, usize)> =
            (0..).zip(&self.nodes).filter_map(|(place, node)| Some((node.poll_timeout()?, place))).collect();
        while let Some((at, place)) = due.pop_first().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            let Some(node) = self.nodes.get_mut(place) else { continue };
            match node.poll_timeout() {
                Some(next) if next > self.now => {
                    due.insert((next, place));
                    continue;
                }
                None => continue,
                Some(_) => node.handle(Input::Timeout, self.now),
            }
            self.carry_out(place, &mut way);
            while let Some((from, to, message)) = self.mail.pop_front() {
                let Ok(place) = self.points.binary_search(&to) else { continue };
                if let Some(node) = self.nodes.get_mut(place) {
                    node.handle(Input::Receive { from, message }, self.now);
                }
                self.carry_out(place, &mut way);
            }
            if let Some(next) = self.nodes.get(place).and_then(Chord::poll_timeout) {
                due.insert((next, place));
            }
        }
        let count = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX).max(1);
        super::float(way.messages) / f64::from(count) * 60.0 / span.as_secs_f64()
    }

    fn carry_out(&mut self, place: usize, way: &mut Way) {
        let Some(node) = self.nodes.get_mut(place) else { return };
        let me = node.me();
        while let Some(output) = node.poll_output() {
            match output {
                Output::Send { to, message } => {
                    way.messages += 1;
                    self.mail.push_back((me, to, message));
                }
                Output::Found { owner, wraps, hops, .. } => {
                    (way.owner, way.wraps, way.hops) = (owner.id(), wraps, hops);
                }
                _ => {}
            }
        }
    }

    /// The node at `place`, with all that it would know.
    fn node(&self, place: usize, config: &Arc<Config>) -> Option<Chord<Point>> {
        let count = self.points.len();
        let at = |place: usize| self.points.get(place.checked_rem(count)?).copied();
        let me = at(place)?;
        let near = config.successors.min(count.saturating_sub(1)).max(1);
        let successors: Vec<Point> = (1..=near).filter_map(|step| at(place + step)).collect();
        let last = successors.last().copied()?;
        let mut fingers: Vec<Point> = Vec::new();
        for key in (0..BITS).map(|exponent| me.0.plus_power(exponent)) {
            let finger = Point(self.owner(key));
            let is_near = near + 1 >= count || is_within(me.0, finger.0, last.0);
            if !is_near && finger != me && !fingers.contains(&finger) {
                fingers.push(finger);
            }
        }
        fingers.sort_by_key(|finger| distance(me.0, finger.0));
        let predecessor = at(place + count - 1)?;
        let mut seed = [0; 32];
        seed.iter_mut().zip(me.0.0).for_each(|(to, from)| *to = from);
        let neighbours = Neighbours {
            predecessor,
            successors: &successors,
            fingers: &fingers,
            places: &[],
            alternates: &[],
        };
        Some(Chord::settled(Arc::clone(config), me, seed, neighbours, self.now))
    }
}

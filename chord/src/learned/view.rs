//! The full view: a node of a ring that is not too large knows every member, so that a lookup is one round trip.
//!
//! A node whose arc is new or has grown announces it; each node that hears of it passes it on to eight others, each
//! of which takes over an equal share of the members up to the next, so that everybody is told once (OneHop, Gupta,
//! Liskov and Rodrigues 2004, has fixed leaders for this; here the tree follows from the view). What is lost on the
//! way is found later: two nodes compare digests of what they know, from all members down to a few, and the one that
//! asks takes over what it lacks and looks whether those are alive whom the other does not know.

use super::{Atlas, Learned};
use crate::config::Config;
use crate::dice::Dice;
use crate::handle::Handle;
use crate::node::Chord;
use crate::requests::Purpose;
use crate::timers::jittered;
use proto::message::chord::{Announce, ChordMessage, Compare, Compared, Place};
use proto::{Range, RingId, Span, Time};
use std::collections::BTreeSet;

/// To how many others an announcement is passed on.
const MAX_CHILDREN: usize = 8;
/// Parts of a comparison: one for each hexadecimal digit.
const PARTS: u32 = 16;
/// How many members one answer names.
pub const MAX_PLACES: usize = 64;
/// How many digits two nodes go down before they name the members.
const MAX_DIGITS: u32 = 12;
/// How many questions follow each other without a pause.
const MAX_ROUNDS: u32 = 64;
/// How many members, known to only one of two nodes, are asked after one answer whether they are alive.
const MAX_DOUBTS: usize = 4;
/// How many answers without news end a series of questions.
const MAX_FRUITLESS: u32 = 3;
/// How many announcements and comparisons of others a node deals with in one stabilize period.
const MAX_HEARD: u32 = 512;
/// How many stabilize periods lie between two comparisons.
const COMPARE_EVERY: u64 = 8;

/// How far a node has come in comparing.
#[derive(Clone, Debug)]
pub(crate) struct Sight<P> {
    /// When the next comparison begins; never for a node without a view.
    pub(crate) next: Time,
    rounds_left: u32,
    fruitless_left: u32,
    /// What has been heard in this stabilize period.
    heard: u32,
    /// Members that another knows and that have no place in what this node has heard: they are asked themselves.
    doubted: Vec<Place<P>>,
    /// What is being compared.
    start: RingId,
    digits: u32,
}

impl<P> Sight<P> {
    /// Another stabilize period begins.
    pub(crate) const fn begin_period(&mut self) {
        self.heard = 0;
    }

    /// Whether there is room for one more word of others in this period.
    const fn hears(&mut self) -> bool {
        self.heard = self.heard.saturating_add(1);
        self.heard <= MAX_HEARD
    }

    /// Bytes on the heap.
    pub(super) const fn footprint(&self) -> usize {
        self.doubted.capacity() * size_of::<Place<P>>()
    }

    pub(super) fn new(config: &Config, dice: &mut Dice, now: Time) -> Self {
        // Before the second step of stabilize, so that a newcomer knows its neighbours and they know it.
        let soon = now.after(jittered(config.stabilize_every, dice));
        let next = if config.routing.view > 0 { soon } else { Time(u64::MAX) };
        let start = RingId::default();
        Self { next, rounds_left: 0, fruitless_left: 0, heard: 0, doubted: Vec::new(), start, digits: 0 }
    }
}

impl<P: Handle> Learned<P> {
    /// Whether the ring is small enough for a view.
    fn sees(&self, config: &Config) -> bool {
        config.routing.view > 0 && !self.atlas.is_full()
    }
}

impl<P: Handle> Chord<P> {
    /// The own arc is new or has grown: everybody is to know.
    pub(crate) fn announce(&mut self, range: Range) {
        let place = Place { node: self.me, after: range.after };
        let Some(learned) = self.learned.as_mut().filter(|learned| learned.sees(&self.config)) else {
            return;
        };
        if learned.atlas.learn(place.node, place.after, &mut self.dice) {
            learned.atlas.sweep(range);
            self.spread(place, self.me.id());
        }
    }

    /// Somebody has a new arc.
    pub(crate) fn on_announce(&mut self, message: Announce<P>) {
        let Announce { place, until } = message;
        let id = place.node.id();
        if id == self.me.id() || !self.is_member() {
            return;
        }
        let Some(learned) = self.learned.as_mut().filter(|learned| learned.sees(&self.config)) else {
            return;
        };
        if learned.sight.hears() && learned.atlas.learn(place.node, place.after, &mut self.dice) {
            let is_inside = Range { after: place.after, until: id }.contains(self.me.id());
            if !is_inside {
                learned.atlas.sweep(Range { after: place.after, until: id });
            }
            self.spread(place, until);
        }
    }

    /// Tells everybody from here up to `until`, that node not included.
    fn spread(&mut self, place: Place<P>, until: RingId) {
        let me = self.me.id();
        let Some(learned) = &self.learned else { return };
        let arc = Range { after: me, until };
        let known = learned.atlas.inside(arc);
        let near =
            self.successors().iter().copied().chain(self.fingers()).filter(|peer| arc.contains(peer.id()));
        let is_told = |peer: &P| peer.id() != until && peer.id() != me && peer.id() != place.node.id();
        let mut told: Vec<P> = known.chain(near).filter(is_told).collect();
        told.sort_unstable_by_key(|peer| crate::interval::distance(me, peer.id()));
        told.dedup_by_key(|peer| peer.id());
        let share = told.len().div_ceil(MAX_CHILDREN).max(1);
        let heads: Vec<P> = told.chunks(share).filter_map(|part| part.first().copied()).collect();
        let ends = heads.iter().skip(1).map(|head| head.id()).chain([until]);
        for (head, until) in heads.iter().zip(ends) {
            self.send(*head, ChordMessage::Announce(Announce { place, until }));
        }
    }

    /// Begins a comparison with somebody.
    pub(crate) fn view_due(&mut self, now: Time) {
        let Some(learned) = self.learned.as_mut().filter(|learned| learned.sight.next <= now) else { return };
        let every = Span(self.config.stabilize_every.0.saturating_mul(COMPARE_EVERY));
        learned.sight.next = now.after(jittered(every, &mut self.dice));
        (learned.sight.rounds_left, learned.sight.fruitless_left) = (MAX_ROUNDS, MAX_FRUITLESS);
        self.compare_from_top(now);
    }

    fn compare_from_top(&mut self, now: Time) {
        let me = self.me.id();
        let Some(learned) = self.learned.as_mut().filter(|learned| learned.sees(&self.config)) else {
            return;
        };
        let anybody = learned.atlas.any(&mut self.dice);
        let partner = anybody.filter(|peer| peer.id() != me).or_else(|| self.successors().first().copied());
        if let Some(partner) = partner.filter(|peer| peer.id() != me && self.is_member()) {
            self.compare(partner, RingId::default(), 0, now);
        }
    }

    fn compare(&mut self, partner: P, start: RingId, digits: u32, now: Time) {
        let Some(learned) = &mut self.learned else { return };
        if learned.sight.rounds_left == 0 || self.requests.has(|purpose| purpose == Purpose::Compare) {
            return;
        }
        learned.sight.rounds_left -= 1;
        (learned.sight.start, learned.sight.digits) = (start, digits);
        let digests = digests(&learned.atlas, start, digits);
        let request = self.requests.ask_once(&self.config, partner, Purpose::Compare, None, now);
        self.send(partner, ChordMessage::Compare(Compare { request, start, digits, digests }));
    }

    pub(crate) fn on_compare(&mut self, from: P, question: &Compare) {
        let is_member = self.is_member();
        let Some(learned) = self.learned.as_mut().filter(|learned| learned.sees(&self.config)) else {
            return;
        };
        let is_sound = question.digests.len() == PARTS as usize && question.digits <= MAX_DIGITS;
        if !is_sound || !is_member || !learned.sight.hears() {
            return;
        }
        let (start, digits) = (question.start, question.digits);
        let own = digests(&learned.atlas, start, digits);
        let bits = own.iter().zip(&question.digests).zip(0..).filter(|((own, other), _)| own != other);
        let differing = bits.fold(0, |bits, (_, digit)| bits | 1_u32 << digit);
        let mut places: Vec<Place<P>> = if differing == 0 {
            Vec::new()
        } else {
            learned.atlas.between(start, last_of(start, digits)).take(MAX_PLACES + 1).collect()
        };
        if places.len() > MAX_PLACES && digits < MAX_DIGITS {
            places.clear();
        }
        places.truncate(MAX_PLACES);
        let request = question.request;
        self.send(from, ChordMessage::Compared(Compared { request, differing, places }));
    }

    pub(crate) fn on_compared(&mut self, from: P, answer: &Compared<P>, now: Time) {
        let fits = |purpose| purpose == Purpose::Compare;
        if self.requests.answered(answer.request, from, fits).is_none() || answer.differing == 0 {
            return;
        }
        let Some(sight) = self.learned.as_ref().map(|learned| &learned.sight) else { return };
        let (start, digits) = (sight.start, sight.digits);
        if !answer.places.is_empty() {
            let has_news = self.take_over(&answer.places, start, last_of(start, digits), now);
            let Some(sight) = self.learned.as_mut().map(|learned| &mut learned.sight) else { return };
            sight.fruitless_left = sight.fruitless_left.saturating_sub(u32::from(!has_news));
            if sight.fruitless_left > 0 {
                self.compare_from_top(now);
            }
            return;
        }
        let bits: Vec<u32> = (0..PARTS).filter(|digit| answer.differing & (1 << digit) != 0).collect();
        let count = u64::try_from(bits.len()).unwrap_or(1).max(1);
        let pick = usize::try_from(self.dice.roll() % count).unwrap_or(0);
        if let Some(digit) = bits.get(pick).filter(|_| digits < MAX_DIGITS) {
            self.compare(from, with_digit(start, digits, *digit), digits + 1, now);
        }
    }

    /// Takes over what another knows of the ids from `first` to `last`. Whoever has no place in what this node has
    /// heard is asked itself, and so is whoever the other does not know. Whether there was news.
    fn take_over(&mut self, places: &[Place<P>], first: RingId, last: RingId, now: Time) -> bool {
        let me = self.me.id();
        let Some(learned) = &mut self.learned else { return false };
        let named: BTreeSet<RingId> = places.iter().map(|place| place.node.id()).collect();
        let own = learned.atlas.between(first, last).map(|place| place.node);
        let unnamed = own.filter(|node| !named.contains(&node.id()) && node.id() != me);
        let mut asked: Vec<P> = unnamed.take(MAX_DOUBTS).collect();
        let is_news = |place: &&Place<P>| {
            let id = place.node.id();
            id != me && (first..=last).contains(&id) && !learned.atlas.knows(id)
        };
        let news: Vec<Place<P>> = places.iter().take(MAX_PLACES).filter(is_news).copied().collect();
        let (doubted, believed): (Vec<_>, Vec<_>) =
            news.into_iter().partition(|place| learned.atlas.owner(place.node.id()).is_some());
        for place in &believed {
            learned.atlas.learn(place.node, place.after, &mut self.dice);
        }
        if self.requests.has(|purpose| purpose == Purpose::Gauge) {
            return !believed.is_empty();
        }
        learned.sight.doubted = doubted.into_iter().take(MAX_DOUBTS).collect();
        asked.extend(learned.sight.doubted.iter().map(|place| place.node));
        for node in asked {
            self.ask(node, Purpose::Gauge, now);
        }
        !believed.is_empty()
    }

    /// A node lives. If that was doubted, it has its place now.
    pub(super) fn believe(&mut self, node: P) {
        let Some(learned) = &mut self.learned else { return };
        let doubted = &mut learned.sight.doubted;
        if let Some(at) = doubted.iter().position(|place| place.node == node) {
            let place = doubted.swap_remove(at);
            learned.atlas.learn(place.node, place.after, &mut self.dice);
        }
    }
}

/// A digest of the members below each next digit: the sum of the first eight bytes of their ids, which are
/// as random as SHA-1.
fn digests<P: Handle>(atlas: &Atlas<P>, start: RingId, digits: u32) -> Vec<u64> {
    let parts = (0..PARTS).map(|digit| with_digit(start, digits, digit));
    let word = |id: RingId| id.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let digest = |first: RingId| {
        let members = atlas.between(first, last_of(first, digits + 1));
        members.fold(0_u64, |sum, place| sum.wrapping_add(word(place.node.id()).rotate_left(7) ^ 1))
    };
    parts.map(digest).collect()
}

/// The last id that shares its first `digits` digits with `start`.
fn last_of(start: RingId, digits: u32) -> RingId {
    let RingId(mut bytes) = start;
    for (place, byte) in (0..).zip(&mut bytes) {
        let shared = digits.saturating_sub(2 * place).min(2);
        *byte |= [0xFF, 0x0F, 0x00].get(shared as usize).copied().unwrap_or(0);
    }
    RingId(bytes)
}

/// The first id that shares its first `digits` digits with `start` and has `digit` next.
fn with_digit(start: RingId, digits: u32, digit: u32) -> RingId {
    let RingId(mut bytes) = start;
    for (place, byte) in (0..).zip(&mut bytes) {
        let shared = digits.saturating_sub(2 * place).min(2);
        *byte &= [0x00, 0xF0, 0xFF].get(shared as usize).copied().unwrap_or(0);
        if digits / 2 == place {
            let digit = u8::try_from(digit & 0xF).unwrap_or(0);
            *byte |= if digits.is_multiple_of(2) { digit << 4 } else { digit };
        }
    }
    RingId(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(digits: u32, digit: u32, first: &str, last: &str) {
        let hex = |id: RingId| id.0.iter().take(3).map(|byte| format!("{byte:02x}")).collect::<String>();
        let part = with_digit(RingId([0xAB; 20]), digits, digit);
        assert_eq!((hex(part), hex(last_of(part, digits + 1))), (first.to_owned(), last.to_owned()));
    }

    #[test]
    fn the_parts_of_a_comparison_go_digit_by_digit() {
        check(0, 0, "000000", "0fffff");
        check(0, 15, "f00000", "ffffff");
        check(1, 3, "a30000", "a3ffff");
        check(2, 0, "ab0000", "ab0fff");
        check(3, 9, "aba900", "aba9ff");
    }
}

//! The virtual nodes that a node runs: one for each market of its own in which somebody is listed.
//!
//! While a market goes from one owner to another both run it, each at a point of its own within the market's part of the
//! circle. The former one leaves when it has seen the other beside it for a moment, so that the market is never missing; who has
//! left the base ring waits for that too, as long as a departure may take.

use super::Overlay;
use chord::{Chord, Input};
use market::placement;
use proto::message::overlay::Stand;
use proto::{Commodity, Market, Placement, Span, Time};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;

/// How a virtual node stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    step: Step,
    /// Since when nobody is listed there, or the market is another node's.
    unwanted: Option<Time>,
    /// Since when another owner runs the market too.
    replaced: Option<Time>,
    /// Whether others can find it.
    is_open: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    /// It waits until the meeting point has named somebody.
    #[default]
    Waiting,
    Joining,
    Member {
        since: Time,
    },
    /// It has said that it leaves.
    Left,
}

impl Life {
    /// When it is open, if it is not yet.
    fn opens(&self, after: Span) -> Option<Time> {
        match self.step {
            Step::Member { since } if !self.is_open => Some(since.after(after)),
            _ => None,
        }
    }
}

impl Overlay {
    /// These are the markets of this node in which somebody is listed.
    pub(in crate::node) fn want(&mut self, markets: &BTreeSet<Market>, now: Time) {
        if self.placement == Placement::Single {
            return;
        }
        for (market, life) in &mut self.stands {
            life.unwanted = if markets.contains(market) { None } else { Some(life.unwanted.unwrap_or(now)) };
        }
        for market in markets {
            if !self.stands.contains_key(market) {
                self.add(*market, now);
            }
        }
        self.settle(now);
    }

    /// The node has left the base ring, and leaves the overlay: in `until` at the latest.
    pub(in crate::node) fn depart(&mut self, until: Time, now: Time) {
        self.departing = Some(until);
        self.settle(now);
    }

    /// Whether no virtual node is left.
    pub(in crate::node) fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }

    /// The markets that others can find: their nodes have been members for long enough to be known to their successors.
    pub(in crate::node) fn open_markets(&self) -> impl Iterator<Item = Market> {
        self.stands.iter().filter(|(_, life)| life.is_open).map(|(market, _)| *market)
    }

    fn add(&mut self, market: Market, now: Time) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let stand = Stand { market, owner: self.me };
        let node = Chord::new(std::sync::Arc::clone(&self.chord), stand, seed, now);
        if self.host.add(market.commodity, node).is_ok() {
            self.stands.insert(market, Life::default());
            self.connect(market, now);
        }
    }

    /// Joins through whoever is known: own virtual nodes first, then guides. If nobody is, the meeting point is asked.
    pub(super) fn connect(&mut self, market: Market, now: Time) {
        let guides = self.calls.get(&market.commodity).map(|call| call.guides.clone()).unwrap_or_default();
        let via: Vec<Stand> = self.own_members(market.commodity).into_iter().chain(guides).collect();
        if via.is_empty() {
            return self.call(market.commodity, now);
        }
        self.set(market, Step::Joining);
        self.host.handle(self.at(market), Input::Join { via }, now);
    }

    /// The meeting point knows nobody: the first own node makes a ring, and the others follow when it has. If others do
    /// the same at the same time, the rings meet.
    pub(super) fn found_ring(&mut self, commodity: Commodity, now: Time) {
        if let Some(market) = self.waiting(commodity).first() {
            self.set(*market, Step::Joining);
            self.host.handle(self.at(*market), Input::Create, now);
        }
    }

    pub(super) fn joined(&mut self, market: Market, now: Time) {
        if !matches!(self.stands.get(&market).map(|life| life.step), Some(Step::Member { .. })) {
            self.set(market, Step::Member { since: now });
        }
        for waiting in self.waiting(market.commodity) {
            self.connect(waiting, now);
        }
        self.enrol_soon(market.commodity, now);
    }

    pub(super) fn join_failed(&mut self, market: Market, now: Time) {
        let at = self.at(market);
        if self.host.node(at).is_some_and(Chord::is_member) {
            return;
        }
        self.set(market, Step::Waiting);
        if let Some(call) = self.calls.get_mut(&market.commodity) {
            call.guides.clear();
        }
        self.call_later(market.commodity, now);
    }

    /// All that the node knew are dead.
    pub(super) fn isolated(&mut self, market: Market, known: Vec<Stand>, now: Time) {
        let at = self.at(market);
        if self.host.node(at).is_some_and(Chord::is_member) {
            return self.call(market.commodity, now);
        }
        if known.is_empty() {
            self.set(market, Step::Waiting);
            return self.call(market.commodity, now);
        }
        self.set(market, Step::Joining);
        self.host.handle(at, Input::Join { via: known }, now);
    }

    /// Ends what is to end; whether something did.
    pub(super) fn tidy(&mut self, now: Time) -> bool {
        let replaced: Vec<Market> =
            self.stands.keys().copied().filter(|market| self.is_replaced(*market)).collect();
        for (market, life) in &mut self.stands {
            life.replaced = life.replaced.or(Some(now)).filter(|_| replaced.contains(market));
            let opens = life.opens(self.periods.open);
            life.is_open = matches!(life.step, Step::Member { .. }) && opens.is_none_or(|at| at <= now);
        }
        let left: Vec<Market> = self
            .stands
            .iter()
            .filter(|(_, life)| life.step == Step::Left)
            .map(|(market, _)| *market)
            .collect();
        for market in left {
            self.host.remove(self.at(market));
            self.stands.remove(&market);
        }
        let ending: Vec<Market> = self
            .stands
            .iter()
            .filter(|(market, life)| self.is_over(**market, **life, now))
            .map(|(market, _)| *market)
            .collect();
        for market in &ending {
            self.set(*market, Step::Left);
            self.host.handle(self.at(*market), Input::Leave, now);
        }
        !ending.is_empty()
    }

    fn is_over(&self, market: Market, life: Life, now: Time) -> bool {
        let is_replaced = life.replaced.is_some_and(|since| since.after(self.periods.open) <= now);
        let is_quiet = |since: Time| since.after(self.patience(market)) <= now;
        let is_departing = self.departing.is_some_and(|until| until <= now || self.is_alone(market));
        let is_ending = self.departing.is_some() || life.unwanted.is_some();
        is_departing || (is_ending && is_replaced) || life.unwanted.is_some_and(is_quiet)
    }

    /// How long a market without listings stays: it may have some again. What has gone to another owner does not, since
    /// soon nobody hears this node there any more.
    fn patience(&self, market: Market) -> Span {
        let key = placement::key(Placement::Processor, market);
        let is_ours = self.range.is_none_or(|range| range.contains(key));
        if is_ours { self.periods.quiet } else { self.periods.answer }
    }

    /// Whether another node runs the market too: it is a neighbour then.
    fn is_replaced(&self, market: Market) -> bool {
        let Some(node) = self.host.node(self.at(market)) else { return false };
        let is_other = |stand: &Stand| stand.market == market && stand.owner != self.me;
        node.successors().iter().chain(node.predecessor().iter()).any(is_other)
    }

    /// Whether nobody outside would miss the node: it is no member.
    fn is_alone(&self, market: Market) -> bool {
        self.host.node(self.at(market)).is_none_or(|node| !node.is_member())
    }

    pub(super) fn stands_due(&self) -> Option<Time> {
        let quiet = |(market, life): (&Market, &Life)| Some(life.unwanted?.after(self.patience(*market)));
        let quiet = self.stands.iter().filter_map(quiet);
        let opens = self.stands.values().filter_map(|life| life.opens(self.periods.open));
        let is_ending = |life: &&Life| self.departing.is_some() || life.unwanted.is_some();
        let replaced = self.stands.values().filter(is_ending).filter_map(|life| life.replaced);
        let replaced = replaced.map(|since| since.after(self.periods.open));
        quiet.chain(opens).chain(replaced).chain(self.departing.filter(|_| !self.stands.is_empty())).min()
    }

    pub(super) fn has_stand(&self, commodity: Commodity) -> bool {
        self.stands.keys().any(|market| market.commodity == commodity)
    }

    /// The own virtual nodes of a commodity that are members.
    pub(super) fn own_members(&self, commodity: Commodity) -> Vec<Stand> {
        self.host.places(commodity).filter(|(_, node)| node.is_member()).map(|(_, node)| node.me()).collect()
    }

    /// Own virtual nodes that wait until somebody is known.
    pub(super) fn waiting(&self, commodity: Commodity) -> Vec<Market> {
        let is_waiting =
            |(market, life): &(&Market, &Life)| market.commodity == commodity && life.step == Step::Waiting;
        self.stands.iter().filter(is_waiting).map(|(market, _)| *market).collect()
    }

    /// Whether one of the own virtual nodes has been a member for so long that it knows what there is.
    pub(super) fn is_settled(&self, commodity: Commodity, now: Time) -> bool {
        self.stands.iter().filter(|(market, _)| market.commodity == commodity).any(|(_, life)| {
            matches!(life.step, Step::Member { since } if since.after(self.periods.settle) <= now)
        })
    }

    fn set(&mut self, market: Market, step: Step) {
        if let Some(life) = self.stands.get_mut(&market) {
            life.step = step;
        }
    }
}

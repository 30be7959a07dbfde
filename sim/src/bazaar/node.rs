//! A node of the bazaar: ring and market, wired as [`service::Node`] wires them.

use chord::Chord;
use market::Marketplace;
use market::owner::MAX_SUCCESSORS;
use proto::message::chord::ChordMessage;
use proto::message::market::{MarketMessage, Ticket};
use proto::{Peer, Signed, Time};

/// What a node wants done.
pub(super) enum Act {
    /// Send a message of the ring.
    Ring(Peer, ChordMessage),
    /// Send a message of the market.
    Market(Peer, MarketMessage),
    /// A request has its ticket.
    Bought(u64, Box<Signed<Ticket>>),
    /// A request has found nobody.
    NotBought(u64),
    /// The market looks a key up.
    LookedUp,
    /// It was found, over so many nodes, of which so many did not answer.
    Found(u32, u32),
    /// It is a member now.
    Joined,
    /// It is no member, and to be introduced once more.
    FellOut,
    /// It has left in order.
    Left,
}

/// Ring and market.
pub(super) struct Node {
    pub(super) chord: Chord,
    pub(super) market: Marketplace,
    successors: Vec<Peer>,
}

impl Node {
    pub(super) const fn new(chord: Chord, market: Marketplace) -> Self {
        Self { chord, market, successors: Vec::new() }
    }

    /// Tells the market what a settled node answers for.
    pub(super) fn settle(&mut self, now: Time) {
        if let Some(range) = self.chord.range() {
            let input = market::Input::RangeChanged { range, heir: None, donor: None };
            self.market.handle(input, now);
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        [self.chord.poll_timeout(), self.market.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn time_out(&mut self, now: Time) {
        self.chord.handle(chord::Input::Timeout, now);
        self.market.handle(market::Input::Timeout, now);
    }

    pub(super) fn unreachable(&mut self, peer: Peer, now: Time) {
        self.chord.handle(chord::Input::Unreachable { peer }, now);
        self.market.handle(market::Input::Unreachable { peer }, now);
    }

    pub(super) fn leave(&mut self, now: Time) {
        self.market.handle(market::Input::Supply { supply: None }, now);
        self.market.handle(market::Input::Leave, now);
    }

    /// Carries outputs of one to the other until both are quiet; what is left goes to `acts`.
    pub(super) fn route(&mut self, acts: &mut Vec<Act>, now: Time) {
        loop {
            if let Some(output) = self.chord.poll_output() {
                self.route_ring(output, acts, now);
            } else if let Some(output) = self.market.poll_output() {
                self.route_market(output, acts, now);
            } else if self.chord.heirs(MAX_SUCCESSORS) != self.successors {
                self.successors = self.chord.heirs(MAX_SUCCESSORS).to_vec();
                let peers = self.successors.clone();
                self.market.handle(market::Input::Successors { peers }, now);
            } else {
                return;
            }
        }
    }

    fn route_ring(&mut self, output: chord::Output, acts: &mut Vec<Act>, now: Time) {
        match output {
            chord::Output::Send { to, message } => acts.push(Act::Ring(to, message)),
            chord::Output::RangeChanged { range, heir, donor } => {
                self.market.handle(market::Input::RangeChanged { range, heir, donor }, now);
            }
            chord::Output::Found { token, owner, hops, timeouts, .. } => {
                acts.push(Act::Found(hops, timeouts));
                self.market.handle(market::Input::Found { token, owner }, now);
            }
            chord::Output::NotFound { token, .. } => {
                self.market.handle(market::Input::NotFound { token }, now);
            }
            chord::Output::Joined => acts.push(Act::Joined),
            chord::Output::JoinFailed { .. } | chord::Output::Isolated { .. } => acts.push(Act::FellOut),
            chord::Output::Left => acts.push(Act::Left),
        }
    }

    fn route_market(&mut self, output: market::Output, acts: &mut Vec<Act>, now: Time) {
        match output {
            market::Output::Send { to, message } => acts.push(Act::Market(to, message)),
            market::Output::Lookup { token, key } => {
                acts.push(Act::LookedUp);
                self.chord.handle(chord::Input::Lookup { token, key }, now);
            }
            // This world has no second ring: its rules place markets in the single overlay.
            market::Output::LookupMarket { token, .. } => {
                self.market.handle(market::Input::NotFound { token }, now);
            }
            market::Output::HandedOver => self.chord.handle(chord::Input::Leave, now),
            market::Output::Bought { token, ticket } => acts.push(Act::Bought(token, ticket)),
            market::Output::NotBought { token, .. } => acts.push(Act::NotBought(token)),
            // Nobody asks for surveys here.
            market::Output::Surveyed { .. } => {}
        }
    }
}

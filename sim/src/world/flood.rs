//! A flood: one node sends what no honest one would, as fast as it can.

use super::World;
use super::event::Event;
use crate::fault::Flood;
use crate::invariant::Checked;
use market::placement;
use market::requirement;
use proto::message::market::{FindSeller, List, Listing, MarketMessage, Platform, Requirement};
use proto::{Bytes, Capacity, CommandId, Message, Peer, Rate, RequestId, Signed, Span};

/// How often the flood pours.
const POUR_EVERY: Span = Span::millis(10);
/// A rate above every ask.
const ANY_PRICE: Rate = Rate(1_000_000_000);
/// Memory and disk that are spoken of.
const ROOM: Bytes = Bytes::mib(64);

impl World<'_> {
    /// Pours once, and again while the flood lasts.
    pub(super) fn pour(&mut self, index: usize, number: u64) -> Checked {
        let Some(flood) = self.scenario.flood(index) else { return Ok(()) };
        let pours = flood.lasting.0 / POUR_EVERY.0;
        if number >= pours {
            self.faults_ahead = self.faults_ahead.saturating_sub(1);
            return Ok(());
        }
        let count = flood.per_second.saturating_mul(POUR_EVERY.0) / 1_000_000;
        if self.is_up(flood.host) {
            for part in 0..count {
                self.spray(&flood, number * count + part)?;
            }
        }
        self.queue.push(self.now.after(POUR_EVERY), Event::Pour { index, number: number + 1 });
        Ok(())
    }

    fn spray(&mut self, flood: &Flood, number: u64) -> Checked {
        let Some(host) = self.hosts.get(flood.host) else { return Ok(()) };
        let (me, keys) = (host.peer, host.keys.clone());
        let request = RequestId(u64::MAX - number);
        let per_core = self.scenario.machines.per_core.0;
        let (market, message) = if flood.is_listings {
            let listing = self.false_listing(me, per_core, number);
            let market = listing.market;
            let listing = Signed::new(listing, &keys);
            (market, MarketMessage::List(Box::new(List { request, listing })))
        } else {
            let Some(market) = self.listed_market(number) else { return Ok(()) };
            let find = wish(request, per_core, number);
            (market, MarketMessage::FindSeller(Box::new(FindSeller { from: market, ..find })))
        };
        let key = placement::key(self.scenario.rules.placement, market);
        let members = || self.hosts.iter().filter(|host| host.node().is_some_and(|n| n.chord().is_member()));
        let above = members().filter(|host| host.peer.id() >= key).min_by_key(|host| host.peer.id());
        let owner = above.or_else(|| members().min_by_key(|host| host.peer.id())).map(|host| host.peer);
        match owner.filter(|owner| *owner != me) {
            Some(owner) => self.send(flood.host, owner, Message::Market(message)),
            None => Ok(()),
        }
    }

    /// One of the markets in which something is listed, all in turn.
    fn listed_market(&self, number: u64) -> Option<proto::Market> {
        let nodes = || self.hosts.iter().filter_map(|host| host.node());
        let listed = || nodes().flat_map(|node| node.market().listed()).map(|(market, _)| market);
        let count = u64::try_from(listed().count()).ok()?;
        listed().nth(usize::try_from(number.checked_rem(count)?).ok()?)
    }

    /// The cheapest offer of all, of a machine that sells nothing.
    fn false_listing(&self, me: Peer, per_core: Capacity, number: u64) -> Listing {
        let (os, arch) = ("linux".into(), "x86_64".into());
        let mut listing = Listing {
            seller: me,
            version: self.now.0.saturating_add(number),
            market: proto::Market::of_capacity(per_core),
            cores: 4,
            per_core,
            ask: Rate(1),
            memory: Bytes::gib(8),
            disk: Bytes::gib(8),
            whole: proto::Bundle { cores: 4, memory: Bytes::gib(8), disk: Bytes::gib(8) },
            platform: Platform { os, arch, ..Platform::default() },
            longest: Span::secs(3_600),
            standing: None,
            expires: self.now.after(self.scenario.rules.renewal.times(2)),
        };
        listing.market = requirement::market_of(&listing);
        listing
    }
}

/// A request that anybody fits, at any price, and whose ticket nobody will use.
fn wish(request: RequestId, power: Capacity, number: u64) -> FindSeller {
    let mut id = [0xf1; 16];
    for (place, byte) in id.iter_mut().zip(number.to_le_bytes()) {
        *place = byte;
    }
    let requirement = Requirement { power, cores: 1, memory: ROOM, disk: ROOM, ..Requirement::default() };
    FindSeller {
        request,
        tickets: vec![CommandId(id)],
        from: requirement::market(&requirement),
        requirement,
        bid: ANY_PRICE,
        avoid: Vec::new(),
    }
}

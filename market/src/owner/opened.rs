//! When a listing is confirmed in the processor overlay scheme: as soon as its market can be found.
//!
//! A seller that moves from one market to another leaves the old one when the new one has confirmed. A market in which
//! nobody was listed until now has yet to join the second ring; were its first listing confirmed before, nobody would
//! find the seller for a moment.

use super::Owner;
use crate::matching::{MAX_LISTINGS, Spot};
use crate::post::Post;
use proto::message::market::{Listed, MarketMessage};
use proto::{Market, Peer, Placement, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// Which markets can be found, and who waits for that.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    markets: BTreeSet<Market>,
    /// Sellers whose listings stand and are not confirmed yet; at most [`MAX_LISTINGS`].
    waiting: BTreeMap<Spot, Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    seller: Peer,
    market: Market,
    listed: Listed,
}

impl Owner {
    /// Tells `seller` that its listing stands, now or when its market can be found.
    pub(super) fn confirm(
        &mut self,
        post: &mut Post,
        seller: Peer,
        market: Market,
        (request, version): (RequestId, u64),
    ) {
        let listed = Listed { request, version };
        let spot = Spot { seller: seller.key, commodity: market.commodity };
        if self.placement == Placement::Single || self.opened.markets.contains(&market) {
            self.opened.waiting.remove(&spot);
            return post.send(seller, MarketMessage::Listed(listed));
        }
        if self.opened.waiting.len() < MAX_LISTINGS || self.opened.waiting.contains_key(&spot) {
            self.opened.waiting.insert(spot, Waiting { seller, market, listed });
        }
    }

    /// These markets of this node can be found.
    pub(crate) fn opened(&mut self, post: &mut Post, markets: BTreeSet<Market>) {
        self.opened.markets = markets;
        let books = &self.books;
        let Opened { markets, waiting } = &mut self.opened;
        waiting.retain(|spot, waits| {
            let version = books.listing(*spot).map(|listing| listing.body.version);
            let is_current = version == Some(waits.listed.version);
            if is_current && markets.contains(&waits.market) {
                post.send(waits.seller, MarketMessage::Listed(waits.listed));
                return false;
            }
            is_current
        });
    }
}

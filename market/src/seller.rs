//! The seller: keeps what is idle listed, in the market of its class of each commodity that is sold, and keeps slices
//! for those who were matched.

pub mod slices;
mod stall;
mod trust;

pub use stall::{
    FIRST_PAUSE, LIST_TIMEOUT, LIST_TRIES, LOOKUP_TIMEOUT, MAX_STRANGERS, MAX_VENUES, RESERVATION_TTL,
    STRANGER_TIMEOUT,
};

use crate::Supply;
use crate::post::Post;
use proto::message::market::{Listed, RefusedRequest, Reserve, Standing};
use proto::{Bundle, CommandId, Commodity, Peer, PublicKey, Range, Signed, Time};
use slices::Slices;
use stall::Stall;
use trust::Trust;

/// The seller's state.
#[derive(Debug)]
pub(crate) struct Seller {
    pub(crate) goods: Goods,
    /// One for each commodity.
    pub(crate) stalls: [Stall; 3],
}

/// What the stalls share.
#[derive(Debug)]
pub(crate) struct Goods {
    pub(crate) slices: Slices,
    /// The newest version of a listing, of whatever commodity.
    version: u64,
    /// What the bank says of this seller.
    standing: Option<Signed<Standing>>,
    /// Which buyers come for what is reserved for them.
    trust: Trust,
}

impl Seller {
    pub(crate) fn new(now: Time) -> Self {
        // Later lives of a node start above the versions of earlier ones.
        let goods =
            Goods { slices: Slices::default(), version: now.0, standing: None, trust: Trust::default() };
        Self { goods, stalls: Commodity::ALL.map(|commodity| Stall::new(commodity, now)) }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.stalls.iter().filter_map(Stall::next_due).chain(self.goods.slices.next_due()).min()
    }

    pub(crate) fn supply(&mut self, supply: Option<Supply>) {
        let slices = &mut self.goods.slices;
        if slices.supply() == supply.as_ref() {
            return;
        }
        for stall in &mut self.stalls {
            stall.supply_changed(slices.supply(), supply.as_ref());
        }
        slices.set_supply(supply);
    }

    /// Takes in what the bank says of this seller: its newest word, which is the one that holds longest.
    pub(crate) fn learn_standing(&mut self, post: &Post, standing: Signed<Standing>) {
        let is_ours = standing.body.account == post.me.key;
        let is_news = self.goods.standing.as_ref().is_none_or(|old| old.body.expires < standing.body.expires);
        if is_ours && is_news && post.bank.is_some_and(|bank| standing.is_genuine_by(bank)) {
            self.goods.standing = Some(standing);
            self.relist();
        }
    }

    pub(crate) fn take(&mut self, ticket: CommandId) {
        if let Some(slice) = self.goods.slices.kept.get(&ticket) {
            self.goods.trust.came(slice.buyer);
        }
        self.goods.slices.take(ticket);
    }

    pub(crate) fn retake(&mut self, ticket: CommandId, buyer: PublicKey, part: Bundle) {
        self.goods.slices.retake(ticket, buyer, part);
        self.relist();
    }

    pub(crate) fn free(&mut self, ticket: CommandId) {
        if self.goods.slices.free(ticket) {
            self.relist();
        }
    }

    /// The arc of this node has changed: it may own the markets it lists in, or have stopped to own them.
    pub(crate) fn range_changed(&mut self, post: &Post, range: Range) {
        for stall in &mut self.stalls {
            stall.range_changed(post, range);
        }
    }

    /// An owner asks for a slice.
    pub(crate) fn reserve(&mut self, post: &mut Post, from: Peer, reserve: Reserve, now: Time) {
        let stall = self.stalls.iter_mut().find(|stall| stall.commodity == reserve.commodity);
        if stall.is_some_and(|stall| stall.reserve(post, &mut self.goods, from, reserve, now)) {
            self.relist();
        }
    }

    pub(crate) fn listed(&mut self, post: &mut Post, from: Peer, listed: Listed, now: Time) {
        for stall in &mut self.stalls {
            stall.listed(post, from, listed, now);
        }
    }

    /// Whether the refusal was the answer to a listing of ours.
    pub(crate) fn refused(
        &mut self,
        post: &mut Post,
        from: Peer,
        refused: &RefusedRequest,
        now: Time,
    ) -> bool {
        self.stalls.iter_mut().any(|stall| stall.refused(post, &mut self.goods, from, refused, now))
    }

    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        for stall in &mut self.stalls {
            stall.unreachable(post, peer, now);
        }
    }

    /// Whether the lookup was ours.
    pub(crate) fn found(&mut self, post: &mut Post, token: u64, owner: Option<Peer>, now: Time) -> bool {
        for stall in &mut self.stalls {
            if let Some(is_sold) = stall.found(post, &mut self.goods, token, owner, now) {
                if is_sold {
                    self.relist();
                }
                return true;
            }
        }
        false
    }

    pub(crate) fn tick(&mut self, post: &mut Post, now: Time) {
        for buyer in self.goods.slices.lapsed(now) {
            self.goods.trust.lapsed(buyer, now);
        }
        if self.goods.slices.purge(now) {
            self.relist();
        }
        for stall in &mut self.stalls {
            stall.tick(post, &mut self.goods, now);
        }
    }

    /// Lists what is free now, where something has changed or is due.
    pub(crate) fn flush(&mut self, post: &mut Post, now: Time) {
        for stall in &mut self.stalls {
            stall.flush(post, &mut self.goods, now);
        }
    }

    /// What is free has changed: every market is to hear of it.
    fn relist(&mut self) {
        for stall in &mut self.stalls {
            stall.set_outdated();
        }
    }
}

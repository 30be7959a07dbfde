//! From slices that are kept to signed tickets: the prices of the batch, and the papers that show them.

use super::Owner;
use super::matches::Wish;
use crate::matching::{Asks, Fit, MAX_COUNTED, Spot, Wanted};
use crate::post::Post;
use crate::pricing::{self, Ask, batch};
use crate::ticket::TICKET_TTL;
use proto::message::market::{Listing, Ticket};
use proto::rules::PricingRule;
use proto::{CommandId, Market, PublicKey, Signed, Time};
use std::collections::{BTreeMap, BTreeSet};

impl Owner {
    /// Prices what is kept for `wish`, market by market, and signs it.
    pub(super) fn tickets_of(&self, post: &Post, wish: &Wish, now: Time) -> Vec<Signed<Ticket>> {
        let mut by_market: BTreeMap<Market, Vec<(CommandId, &Signed<Listing>)>> = BTreeMap::new();
        for (id, listing) in &wish.kept {
            by_market.entry(listing.body.market).or_default().push((*id, listing));
        }
        by_market.into_iter().flat_map(|(market, kept)| self.priced(post, wish, market, kept, now)).collect()
    }

    fn priced(
        &self,
        post: &Post,
        wish: &Wish,
        market: Market,
        mut kept: Vec<(CommandId, &Signed<Listing>)>,
        now: Time,
    ) -> Vec<Signed<Ticket>> {
        let (rules, draw) = (&post.rules, wish.find.draw());
        let ask = |listing: &Listing| Ask {
            rate: listing.ask,
            lot: pricing::lot(draw, listing.seller.key),
            who: listing.seller.key,
        };
        let is_by_lot = rules.rule == PricingRule::Posted;
        kept.sort_by_key(|(id, listing)| {
            let ask = ask(&listing.body);
            ((!is_by_lot).then_some(ask.rate), ask.lot, *id)
        });
        let sold: Vec<Ask<PublicKey>> = kept.iter().map(|(_, listing)| ask(&listing.body)).collect();
        let left = self.books.asks(market, &wish.order(), wanted(rules.rule, kept.len()));
        let awards = batch::award(rules.rule, &rules.pricing, &sold, &offers(&left), wish.find.bid);
        let awards = awards.unwrap_or_default();
        let mut tickets = Vec::new();
        for (at, (award, (id, winner))) in awards.iter().zip(&kept).enumerate() {
            let ticket = Ticket {
                id: *id,
                buyer: wish.buyer.key,
                owner: post.me,
                requirement: wish.find.requirement.clone(),
                rule: rules.rule,
                bid: wish.find.bid,
                clearing: award.price.clearing,
                fee: rules.owner_fee,
                owner_rate: award.price.owner_rate,
                asks_seen: match award.setter {
                    None if is_set_by_next(rules.rule) => 1,
                    _ => asks_seen(&left, sold.iter().skip(at)),
                },
                winner: (*winner).clone(),
                runner_up: award.setter.and_then(|setter| self.paper(market, setter, &kept)),
                draw,
                expires: now.after(TICKET_TTL),
            };
            tickets.push(Signed::new(ticket, &post.keys));
        }
        tickets
    }

    /// The listing in `market` that says what `ask` says: of a seller that has kept slices, or from the books.
    fn paper(
        &self,
        market: Market,
        ask: Ask<PublicKey>,
        kept: &[(CommandId, &Signed<Listing>)],
    ) -> Option<Signed<Listing>> {
        let is_meant = |listing: &&Signed<Listing>| {
            let Listing { seller, market: listed_in, ask: rate, .. } = &listing.body;
            (seller.key, *listed_in, *rate) == (ask.who, market, ask.rate)
        };
        let kept = kept.iter().map(|(_, listing)| *listing).find(is_meant).cloned();
        let spot = Spot { seller: ask.who, commodity: market.commodity };
        kept.or_else(|| self.books.listing(spot).filter(|listing| is_meant(&listing)))
    }
}

/// How many sellers a batch of `count` slices can concern: those that sell, and one that sets the price; under the VCG
/// rule as many that lose. Under a posted price the lot decides among all that are counted.
pub(super) fn wanted(rule: PricingRule, count: usize) -> Wanted {
    let count = if rule == PricingRule::Posted { MAX_COUNTED as usize } else { count.saturating_add(1) };
    Wanted { count, dearest: rule == PricingRule::MaxMin }
}

/// What fits, in the order of rate and lot; the dearest, if it is wanted, is the last.
pub(super) fn offers(asks: &Asks) -> Vec<batch::Offer<PublicKey>> {
    let dearest = asks.dearest.iter().filter(|dearest| !asks.lowest.contains(dearest));
    let offer = |fit: &Fit| {
        let Fit { rate, lot, seller, slices } = *fit;
        batch::Offer { ask: Ask { rate, lot, who: seller }, slices }
    };
    asks.lowest.iter().chain(dearest).map(offer).collect()
}

/// Whether a slice without a price-setter says that its seller was alone.
const fn is_set_by_next(rule: PricingRule) -> bool {
    matches!(rule, PricingRule::Vickrey | PricingRule::FirstPrice | PricingRule::MaxMin)
}

/// How many sellers fitted when the first of the slices `sold` was priced: those that sell it and the later ones, and
/// those that are left.
fn asks_seen<'a>(left: &Asks, sold: impl Iterator<Item = &'a Ask<PublicKey>>) -> u32 {
    let sold: BTreeSet<PublicKey> = sold.map(|ask| ask.who).collect();
    let is_gone = |seller: &&PublicKey| left.lowest.iter().all(|fit| fit.seller != **seller);
    let gone = u32::try_from(sold.iter().filter(is_gone).count()).unwrap_or(u32::MAX);
    left.seen.saturating_add(gone).min(MAX_COUNTED)
}

//! The market owner's answers to surveys: how its markets stand, who could run what, and the statistics of its matches.
//!
//! What an owner says here is not proved: whoever buys computes the price again from the ticket's papers. Figures of
//! matches are those that this owner has made since it answers for the market; they do not move with the listings.

pub(crate) mod lacks;

use crate::matching::Row;
use crate::owner::Owner;
use crate::post::Post;
use crate::{placement, requirement};
use proto::message::market::{Listing, MarketMessage};
use proto::message::survey::{
    Asks, Fit, Inquiry, LastMatch, MarketState, Nearest, Offered, Survey, Surveyed,
};
use proto::{Bundle, Market, Peer, PublicKey, Rate, Refusal, RefusalCode, Signed, Span, Time};
use std::collections::BTreeMap;

/// What one survey may ask about.
pub const MAX_INQUIRIES: usize = 8;
/// Listings of one market that are shown.
pub const MAX_SHOWN: u32 = 64;
/// Offers that are named for an inquiry in one market; who wants more slices than these have learns of the cheapest.
pub const MAX_OFFERS: usize = 64;
/// Listings that one survey has compared with its inquiries, besides what the index finds; beyond it the answer is of
/// a part ([`Fit::compared`] says so).
pub const MAX_COMPARED: u32 = 4_096;
/// Surveys of one identity that are answered within a [`WINDOW`]. One that walks over all commodities asks an owner
/// that answers for everything at most [`crate::surveyor::WALKERS`] times for each.
pub const SURVEYS_OF_ONE: u32 = 32;
/// Surveys of all identities together that are answered within a [`WINDOW`], so that matching comes first.
pub const SURVEYS_OF_ALL: u32 = 128;
/// For how long surveys are counted.
pub const WINDOW: Span = Span::secs(1);

/// The matches that an owner has made, by market: at most one entry for each market there is.
#[derive(Debug, Default)]
pub(crate) struct Sales {
    markets: BTreeMap<Market, (u64, LastMatch)>,
}

/// Who has asked how often in the present window: no more names than [`SURVEYS_OF_ALL`].
#[derive(Debug, Default)]
pub(crate) struct Askers {
    since: Time,
    all: u32,
    each: BTreeMap<PublicKey, u32>,
}

impl Sales {
    /// A match was made in `market`.
    pub(crate) fn note(&mut self, market: Market, clearing: Rate, at: Time) {
        let last = LastMatch { clearing, at };
        let sale = self.markets.entry(market).or_insert((0, last));
        *sale = (sale.0.saturating_add(1), last);
    }
}

impl Askers {
    /// Whether one more survey of `asker` is answered.
    fn admit(&mut self, asker: PublicKey, now: Time) -> bool {
        if now.since(self.since) >= WINDOW {
            *self = Self { since: now, ..Self::default() };
        }
        let of_asker = self.each.get(&asker).copied().unwrap_or(0);
        let is_admitted = of_asker < SURVEYS_OF_ONE && self.all < SURVEYS_OF_ALL;
        if is_admitted {
            self.each.insert(asker, of_asker + 1);
            self.all += 1;
        }
        is_admitted
    }
}

impl Owner {
    /// Answers a survey, or refuses it.
    pub(crate) fn survey(&mut self, post: &mut Post, from: Peer, survey: &Survey, now: Time) {
        match self.admit_survey(post.me, from, survey, now) {
            Ok(()) => {
                let surveyed = self.answer_survey(from.key, survey, now);
                post.send(from, MarketMessage::Surveyed(Box::new(surveyed)));
            }
            Err(refusal) => post.refuse(from, survey.request, refusal),
        }
    }

    fn admit_survey(&mut self, me: Peer, from: Peer, survey: &Survey, now: Time) -> Result<(), Refusal> {
        let is_well_formed = placement::is_market(survey.from)
            && placement::is_market(survey.to)
            && survey.from.commodity == survey.to.commodity
            && survey.from.class <= survey.to.class
            && survey.inquiries.len() <= MAX_INQUIRIES
            && survey.inquiries.iter().all(|inquiry| requirement::is_well_formed(&inquiry.requirement));
        if !is_well_formed {
            let message = "no such markets, too many inquiries, or a long name";
            return Err(Refusal::new(RefusalCode::Malformed, message, ""));
        }
        if !self.answers(survey.from) {
            let message = "this node does not own the market";
            return Err(Refusal::new(RefusalCode::NotResponsible, message, ""));
        }
        if self.estate.is_expecting() {
            let message = "listings are being handed over to this node";
            return Err(Refusal::new(RefusalCode::Busy, message, "ask again in a second"));
        }
        if from != me && !self.askers.admit(from.key, now) {
            let message = "too many surveys at once";
            return Err(Refusal::new(RefusalCode::Busy, message, "ask again in a second"));
        }
        Ok(())
    }

    fn answer_survey(&self, asker: PublicKey, survey: &Survey, now: Time) -> Surveyed {
        let Survey { request, from, to, .. } = *survey;
        let mut work = MAX_COMPARED;
        let is_asked = |market: &Market| market.class <= to.class;
        let all = std::iter::successors(Some(from), |market| market.next()).take_while(is_asked);
        let markets: Vec<MarketState> = all
            .filter(|market| self.answers(*market))
            .map(|market| self.state(market, asker, survey, &mut work))
            .collect();
        let shown = usize::try_from(survey.show.min(MAX_SHOWN)).unwrap_or(0);
        let shown_of = |state: &MarketState| {
            let book = self.books.index.get(&state.market);
            let rows = book.into_iter().flat_map(|book| book.rows().take(shown));
            rows.filter_map(|row| self.listing_of(row)).collect::<Vec<_>>()
        };
        let listings = markets.iter().flat_map(shown_of).collect();
        Surveyed { request, markets, is_settling: now < self.settles, listings }
    }

    fn listing_of(&self, row: &Row) -> Option<Signed<Listing>> {
        self.books.entry(row.number).map(|entry| entry.listing)
    }

    fn is_of(&self, row: &Row, seller: PublicKey) -> bool {
        self.books.shelf.spot(row.number).is_some_and(|spot| spot.seller == seller)
    }

    fn state(&self, market: Market, asker: PublicKey, survey: &Survey, work: &mut u32) -> MarketState {
        let sold = self.sales.markets.get(&market);
        let mut state = MarketState {
            market,
            sellers: 0,
            amount: 0,
            asks: None,
            cheaper: 0,
            matches: sold.map_or(0, |(count, _)| *count),
            last: sold.map(|(_, last)| *last),
            fits: Vec::new(),
        };
        let Some(book) = self.books.index.get(&market) else { return state };
        let count = book.count_until(Rate(u64::MAX));
        for (place, row) in book.rows().enumerate() {
            let amount = row.free.amount_of(market.commodity, row.per_core);
            state.amount = state.amount.saturating_add(amount);
            let asks =
                state.asks.get_or_insert(Asks { lowest: row.rate, median: row.rate, highest: row.rate });
            asks.highest = row.rate;
            if place <= count.saturating_sub(1) / 2 {
                asks.median = row.rate;
            }
        }
        state.sellers = u32::try_from(count).unwrap_or(u32::MAX);
        let below = survey.ask.0.checked_sub(1).map_or(0, |below| book.count_until(Rate(below)));
        state.cheaper = u32::try_from(below).unwrap_or(u32::MAX);
        state.fits = survey.inquiries.iter().map(|inquiry| self.fit(market, asker, inquiry, work)).collect();
        state
    }

    /// What the listings of `market` mean for `inquiry` of `asker`, who cannot buy from itself.
    fn fit(&self, market: Market, asker: PublicKey, inquiry: &Inquiry, work: &mut u32) -> Fit {
        let Inquiry { requirement, bid, slices } = inquiry;
        let mut fit = Fit::default();
        if market.commodity != requirement.commodity {
            return fit;
        }
        let enough = u64::from(*slices).saturating_mul(2);
        self.books.look(market, requirement, |row| {
            if self.is_of(row, asker) {
                return;
            }
            if row.rate > *bid {
                if fit.too_dear == 0 {
                    fit.lowest_ask = row.rate;
                }
                fit.too_dear = fit.too_dear.saturating_add(1);
                return;
            }
            let has = requirement::slices(row.free, requirement::slice(requirement)).max(1);
            // Twice as many as asked for, so that also a rule which asks what would replace a seller has its price.
            if fit.slices <= enough && fit.offers.len() < MAX_OFFERS {
                fit.offers.push(Offered { ask: row.rate, slices: has });
            }
            fit.sellers = fit.sellers.saturating_add(1);
            fit.slices = fit.slices.saturating_add(u64::from(has));
            fit.highest = row.rate;
        });
        self.compare(market, asker, inquiry, work, &mut fit);
        fit
    }

    /// Compares listings one by one: who could run it if nothing were sold, and who lacks least.
    fn compare(&self, market: Market, asker: PublicKey, inquiry: &Inquiry, work: &mut u32, fit: &mut Fit) {
        let Some(book) = self.books.index.get(&market) else { return };
        for row in book.rows().filter(|row| !self.is_of(row, asker)) {
            let Some(listing) = self.listing_of(row).map(|listing| listing.body) else { continue };
            let Some(left) = work.checked_sub(1) else { return };
            *work = left;
            fit.compared = fit.compared.saturating_add(1);
            let nearest = |has: Bundle, bid: Option<Rate>| Nearest {
                seller: listing.seller,
                lacks: lacks::lacks(&inquiry.requirement, &listing, has, row.reputation, bid),
            };
            let ever = nearest(listing.whole, None);
            if ever.lacks.is_empty() {
                fit.could = fit.could.saturating_add(1);
            } else {
                lacks::keep_nearer(&mut fit.closest_ever, ever, inquiry);
            }
            if fit.sellers == 0 {
                lacks::keep_nearer(&mut fit.closest, nearest(row.free, Some(inquiry.bid)), inquiry);
            }
        }
        if fit.could > 0 {
            fit.closest_ever = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Commodity, KeyPair};

    #[test]
    fn a_flood_of_one_leaves_room_for_others_and_ends_with_its_window() {
        let asker = |n: u8| KeyPair::from_secret([n; 32]).public();
        let mut askers = Askers::default();
        let mut admitted = |n: u8, count: u32, now: Time| {
            u32::try_from((0..count).filter(|_| askers.admit(asker(n), now)).count()).unwrap()
        };
        let now = Time(0).after(WINDOW);
        assert_eq!((admitted(1, 100, now), admitted(2, 3, now)), (SURVEYS_OF_ONE, 3));
        let sum: u32 = (3..20).map(|n| admitted(n, 100, now)).sum();
        assert_eq!(sum, SURVEYS_OF_ALL - SURVEYS_OF_ONE - 3);
        assert_eq!((admitted(1, 1, now), admitted(1, 1, now.after(WINDOW))), (0, 1));
    }

    #[test]
    fn the_last_match_of_a_market_is_remembered_and_all_are_counted() {
        let market = |class| Market { commodity: Commodity::Compute, class };
        let mut sales = Sales::default();
        for (class, rate, at) in [(3, 7, 1), (4, 8, 2), (3, 9, 3)] {
            sales.note(market(class), Rate(rate), Time(at));
        }
        let last = |clearing, at| LastMatch { clearing: Rate(clearing), at: Time(at) };
        let expected = BTreeMap::from([(market(3), (2, last(9, 3))), (market(4), (1, last(8, 2)))]);
        assert_eq!(sales.markets, expected);
    }
}

//! What a survey has learnt.

use crate::survey::lacks::keep_nearer;
use crate::survey::{MAX_OFFERS, MAX_SHOWN};
use proto::message::market::Listing;
use proto::message::survey::{Fit, Inquiry, MarketState, Nearest, Survey, Surveyed};
use proto::{Market, Peer, Rate, Signed};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// How markets stand, as far as they could be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The markets whose owners answered, empty ones too.
    pub markets: BTreeMap<Market, Known>,
    /// The markets whose owner could not be found or did not answer.
    pub unreached: BTreeSet<Market>,
    /// Whether sellers may not have listed yet with one of the owners, which answers for a market for a short time only.
    pub is_settling: bool,
    /// The listings that were to be shown and are signed by their sellers, by market and ask.
    pub listings: Vec<Signed<Listing>>,
}

/// What is known of a market, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who answers for it.
    pub owner: Peer,
    /// How it stands.
    pub state: MarketState,
}

impl Overview {
    /// Whether all owners were reached.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreached.is_empty()
    }

    /// What all markets together mean for the inquiry number `index`, that is `inquiry`.
    ///
    /// Counts are added up; the closest listing is the closest of all, `None` if one fits; offers stay with
    /// their markets, since a purchase is made in one of them.
    #[must_use]
    pub fn fit(&self, index: usize, inquiry: &Inquiry) -> Fit {
        let mut all = Fit::default();
        for fit in self.markets.values().filter_map(|known| known.state.fits.get(index)) {
            all.sellers = all.sellers.saturating_add(fit.sellers);
            all.slices = all.slices.saturating_add(fit.slices);
            all.highest = all.highest.max(fit.highest);
            if fit.too_dear > 0 && (all.too_dear == 0 || fit.lowest_ask < all.lowest_ask) {
                all.lowest_ask = fit.lowest_ask;
            }
            all.too_dear = all.too_dear.saturating_add(fit.too_dear);
            all.could = all.could.saturating_add(fit.could);
            all.compared = all.compared.saturating_add(fit.compared);
            for (kept, other) in
                [(&mut all.closest, &fit.closest), (&mut all.closest_ever, &fit.closest_ever)]
            {
                if let Some(other) = other.clone().filter(is_true) {
                    keep_nearer(kept, other, inquiry);
                }
            }
        }
        if all.sellers > 0 {
            all.closest = None;
        }
        if all.could > 0 {
            all.closest_ever = None;
        }
        all
    }

    /// Listings that were met, the asker's own included.
    #[must_use]
    pub fn sellers(&self) -> u64 {
        self.markets.values().map(|known| u64::from(known.state.sellers)).sum()
    }

    /// Whether nobody who is listed could ever run what inquiry number `index` asks for: every owner was reached, has had
    /// time to hear of its sellers and has compared every listing, there are some besides the asker's own, and none would
    /// do if nothing were sold. Says which one is closest.
    #[must_use]
    pub fn hopeless(&self, index: usize, inquiry: &Inquiry) -> Option<Nearest> {
        let fit = self.fit(index, inquiry);
        // The asker's own listing, one at most of each commodity, is not compared.
        let is_whole = u64::from(fit.compared).saturating_add(1) >= self.sellers();
        let is_known = self.is_complete() && !self.is_settling;
        let is_hopeless = is_known && is_whole && fit.sellers == 0 && fit.could == 0;
        fit.closest_ever.filter(|_| is_hopeless)
    }

    /// Where an ask of `rate` would stand in `market`: its place and how many sellers there are. Equal asks share a place.
    #[must_use]
    pub fn rank(&self, market: Market) -> Option<(u32, u32)> {
        let state = &self.markets.get(&market)?.state;
        Some((state.cheaper.saturating_add(1).min(state.sellers), state.sellers))
            .filter(|(place, _)| *place > 0)
    }

    /// The last price in `market`.
    #[must_use]
    pub fn last_price(&self, market: Market) -> Option<Rate> {
        self.markets.get(&market)?.state.last.map(|last| last.clearing)
    }

    /// Takes in what `owner` says of the markets in `asked`. What is there stays, what was not asked for is left out.
    pub(crate) fn take(
        &mut self,
        owner: Peer,
        surveyed: Surveyed,
        survey: &Survey,
        asked: RangeInclusive<Market>,
    ) {
        self.is_settling |= surveyed.is_settling;
        let mut told = BTreeSet::new();
        for mut state in surveyed.markets {
            if asked.contains(&state.market) && !self.markets.contains_key(&state.market) {
                state.fits.truncate(survey.inquiries.len());
                state.fits.iter_mut().for_each(|fit| fit.offers.truncate(MAX_OFFERS));
                told.insert(state.market);
                self.markets.insert(state.market, Known { owner, state });
            }
        }
        let shown = told.len().saturating_mul(usize::try_from(survey.show.min(MAX_SHOWN)).unwrap_or(0));
        let is_true = |listing: &Signed<Listing>| {
            told.contains(&listing.body.market) && listing.is_genuine_by(listing.body.seller.key)
        };
        self.listings.extend(surveyed.listings.into_iter().take(shown).filter(is_true));
    }

    /// The first market from `from` to `to` that is neither known nor given up.
    pub(crate) fn first_unknown(&self, from: Market, to: Market) -> Option<Market> {
        let is_open =
            |market: &Market| !self.markets.contains_key(market) && !self.unreached.contains(market);
        let all = std::iter::successors(Some(from), |market| market.next());
        all.take_while(|market| market.class <= to.class).find(is_open)
    }

    pub(crate) fn give_up(&mut self, market: Market) {
        self.unreached.insert(market);
    }
}

/// Whether what is said to be lacking is something.
fn is_true(nearest: &Nearest) -> bool {
    !nearest.lacks.is_empty()
}

//! The search in the books: the lowest asks that fit, and what was seen where there are none.

use super::book::Row;
use super::mark::Sought;
use super::{Book, Books, MAX_COUNTED};
use crate::pricing::lot::{head, start, word};
use crate::{pricing, requirement};
use proto::message::market::Requirement;
use proto::{CommandId, Hash, Market, PublicKey, Rate};
use std::ops::Range;

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) buyer: PublicKey,
    /// The draw that decides between equal asks.
    pub(crate) draw: CommandId,
    /// What one slice has to be.
    pub(crate) requirement: &'a Requirement,
    pub(crate) bid: Rate,
    /// Sellers that the buyer does not want.
    pub(crate) avoid: &'a [PublicKey],
    /// Sellers that have failed it.
    pub(crate) tried: &'a [PublicKey],
}

/// How much a rule has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How many of the lowest asks.
    pub(crate) count: usize,
    /// Whether the dearest is needed too.
    pub(crate) dearest: bool,
}

/// An ask that fits and does not exceed the bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) rate: Rate,
    pub(crate) lot: Hash,
    pub(crate) seller: PublicKey,
    /// How many slices that meet the requirement it still has; at least one.
    pub(crate) slices: u32,
}

/// The asks that fit and do not exceed the bid, as far as they were wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    /// The lowest, in the order of rate and lot.
    pub(crate) lowest: Vec<Fit>,
    /// The highest, where it is wanted.
    pub(crate) dearest: Option<Fit>,
    /// How many there are; [`MAX_COUNTED`] stands for that many and more.
    pub(crate) seen: u32,
}

/// What a search that found nobody saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) listings: u32,
    pub(crate) too_dear: u32,
    pub(crate) too_small: u32,
    pub(crate) lowest_ask: Option<Rate>,
}

impl Books {
    /// The lowest asks in `market` that fit `order`, as many as are wanted. The buyer itself and the sellers that it
    /// avoids or has tried are passed over.
    ///
    /// At most [`MAX_COUNTED`] fitting asks are looked at, or as many as are wanted if that is more: the lowest. Where not all that
    /// ask the same are among them, those are whose keys follow on the draw's place among keys, on and around.
    pub(crate) fn asks(&self, market: Market, order: &Order<'_>, wanted: Wanted) -> Asks {
        let (Some(book), Some(sought)) = (self.index.get(&market), self.sought(market, order)) else {
            return Asks::default();
        };
        let search =
            Search { books: self, book, sought, order, passed: Passed::over(order), count: wanted.count };
        let (lowest, seen) = search.lowest();
        let dearest = if wanted.dearest && seen > 0 { search.dearest() } else { None };
        Asks { lowest, dearest, seen }
    }

    /// Adds to `seen` what is in `market`, where nobody fits `order`.
    pub(crate) fn add_missed(&self, market: Market, order: &Order<'_>, seen: &mut Seen) {
        let Some(book) = self.index.get(&market) else { return };
        let until = book.count_until(order.bid);
        let end = book.len().min(until + MAX_COUNTED as usize);
        let mut too_dear = 0;
        if let Some(sought) = self.sought(market, order) {
            let passed = Passed::over(order);
            book.visit(&sought, until..end, |row| {
                if !passed.contains(self, row) {
                    too_dear += 1;
                    seen.lowest_ask = Some(seen.lowest_ask.map_or(row.rate, |lowest| lowest.min(row.rate)));
                }
                true
            });
        }
        let listings = u32::try_from(end).unwrap_or(u32::MAX);
        seen.listings = seen.listings.saturating_add(listings);
        seen.too_dear = seen.too_dear.saturating_add(too_dear);
        seen.too_small = seen.too_small.saturating_add(listings.saturating_sub(too_dear));
    }

    /// What a row in `market` has to reach for `order`; `None` if no listing can.
    fn sought(&self, market: Market, order: &Order<'_>) -> Option<Sought> {
        let requirement = order.requirement;
        if market.commodity != requirement.commodity {
            return None;
        }
        let platform = self.shelf.names().wanted(&requirement.os, &requirement.arch, requirement.native)?;
        Some(Sought::of(requirement, platform))
    }
}

struct Search<'a> {
    books: &'a Books,
    book: &'a Book,
    sought: Sought,
    order: &'a Order<'a>,
    passed: Passed<'a>,
    count: usize,
}

impl<'a> Search<'a> {
    /// The lowest asks, and how many were seen.
    fn lowest(&self) -> (Vec<Fit>, u32) {
        let limit = self.count.max(MAX_COUNTED as usize);
        let mut rows = Vec::new();
        let last = self.walk(0..self.book.count_until(self.order.bid), limit, &mut rows);
        let seen = u32::try_from(rows.len()).unwrap_or(MAX_COUNTED).min(MAX_COUNTED);
        let decisive = rows.get(self.count.saturating_sub(1)).map(|row| row.rate);
        if let Some(rate) = last.filter(|rate| decisive.is_none_or(|decisive| decisive == *rate)) {
            // There may be more that ask the same as the last, and are as good.
            rows.retain(|row| row.rate < rate);
            let all = self.book.count_below(rate, 0)..self.book.count_until(rate);
            let middle = self.book.count_below(rate, start(self.order.draw)).clamp(all.start, all.end);
            if self.walk(middle..all.end, limit, &mut rows).is_none() {
                self.walk(all.start..middle, limit, &mut rows);
            }
        }
        if let Some(decisive) = decisive {
            // What is dearer needs no lot.
            rows.retain(|row| row.rate <= decisive);
        }
        (self.drawn(rows), seen)
    }

    /// Adds what fits among the rows of `range` to `rows`, until these are `limit`; then the rate of the last.
    fn walk(&self, range: Range<usize>, limit: usize, rows: &mut Vec<&'a Row>) -> Option<Rate> {
        let mut last = None;
        self.book.visit(&self.sought, range, |row| {
            if !self.passed.contains(self.books, row) {
                rows.push(row);
                last = (rows.len() >= limit).then_some(row.rate);
            }
            last.is_none()
        });
        last
    }

    /// The lowest of `rows`, by rate and lot.
    fn drawn(&self, rows: Vec<&'a Row>) -> Vec<Fit> {
        let drawn = |row: &'a Row| (row.rate, word(self.order.draw, row.head), row);
        let mut drawn: Vec<(Rate, u64, &Row)> = rows.into_iter().map(drawn).collect();
        let order = |one: &(Rate, u64, &Row), other: &(Rate, u64, &Row)| {
            let key = |row: &Row| self.books.shelf.spot(row.number).map(|spot| spot.seller);
            (one.0, one.1).cmp(&(other.0, other.1)).then_with(|| key(one.2).cmp(&key(other.2)))
        };
        if self.count < drawn.len() {
            drawn.select_nth_unstable_by(self.count, order);
            drawn.truncate(self.count);
        }
        drawn.sort_unstable_by(order);
        drawn.into_iter().filter_map(|(.., row)| self.fit(row)).collect()
    }

    fn dearest(&self) -> Option<Fit> {
        let mut dearest = None;
        self.book.visit_down(&self.sought, self.book.count_until(self.order.bid), |row| {
            if !self.passed.contains(self.books, row) {
                dearest = self.fit(row);
            }
            dearest.is_none()
        });
        dearest
    }

    fn fit(&self, row: &Row) -> Option<Fit> {
        let seller = self.books.shelf.spot(row.number)?.seller;
        let lot = pricing::lot(self.order.draw, seller);
        Some(Fit { rate: row.rate, lot, seller, slices: requirement::slices(row.free, self.sought.slice) })
    }
}

/// Who is not to sell: the buyer, the sellers that failed it and those that it avoids.
struct Passed<'a> {
    order: &'a Order<'a>,
    /// The beginnings of their keys, sorted: most sellers are told apart by them.
    heads: Vec<u32>,
}

impl<'a> Passed<'a> {
    fn over(order: &'a Order<'a>) -> Self {
        let who = std::iter::once(&order.buyer).chain(order.tried).chain(order.avoid);
        let mut heads: Vec<u32> = who.map(|who| head(*who)).collect();
        heads.sort_unstable();
        Self { order, heads }
    }

    fn contains(&self, books: &Books, row: &Row) -> bool {
        let Order { buyer, avoid, tried, .. } = self.order;
        let is_named = |seller| seller == *buyer || tried.contains(&seller) || avoid.contains(&seller);
        self.heads.binary_search(&row.head).is_ok()
            && books.shelf.spot(row.number).is_some_and(|spot| is_named(spot.seller))
    }
}

//! Who trades, and at what price, if these are the reports: one mechanism a file below `mechanism/`, and one line in
//! [`Mechanisms::standard`].
//!
//! The network's own rules and the double auctions that ship are called in [`market::pricing`]; the others are there to
//! compare with (reference §5.5).

mod by_chance;
mod in_turn;
mod nearest;
mod proportional;
mod sbba;
mod shipping;
mod vcg_double;

use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use crate::model::key;
use market::pricing::double::{Bid, Exchange};
use market::pricing::{Ask, lot};
use proto::{CommandId, Hash, Rate};

/// What a mechanism has before it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What each buyer bids, one after the other, until it has bought; a mechanism that asks only once takes the last.
    pub bids: &'a [Vec<Rate>],
    /// What each seller asks for its unit.
    pub asks: &'a [Rate],
    /// In which order the buyers come.
    pub order: &'a [usize],
    /// What lots are drawn from: nobody chooses it.
    pub id: CommandId,
}

/// A unit that is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traded {
    /// Who buys, by number.
    pub buyer: usize,
    /// Who sells, by number.
    pub seller: usize,
    /// What the buyer pays.
    pub pays: Rate,
    /// What the seller gets.
    pub gets: Rate,
}

/// A mechanism.
pub trait Mechanism {
    /// Who trades.
    fn trade(&self, case: &Case<'_>) -> Vec<Traded>;
}

/// A mechanism that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `rule.mechanism = "mcafee"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other mechanism has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The mechanism of a setting.
    pub mechanism: fn(&Setting) -> Box<dyn Mechanism>,
}

/// The mechanisms that an experiment can name.
pub type Mechanisms = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "rule.mechanism";
    const ABOUT: &'static str = "who trades, and at what price";
    const USUAL: Self = shipping::MCAFEE;
}

impl Mechanisms {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        let mut all = in_turn::ALL.to_vec();
        all.extend([
            shipping::MCAFEE,
            shipping::TRADE_REDUCTION,
            shipping::K_DOUBLE,
            sbba::KIND,
            vcg_double::KIND,
            proportional::KIND,
            nearest::KIND,
            by_chance::KIND,
        ]);
        Self::new(all)
    }

    /// The mechanism of a setting.
    pub(crate) fn mechanism(&self, setting: &Setting) -> Box<dyn Mechanism> {
        (self.chosen(setting).mechanism)(setting)
    }
}

impl Case<'_> {
    /// What a buyer bids that is asked only once.
    #[must_use]
    pub fn bid(&self, buyer: usize) -> Rate {
        self.bids.get(buyer).and_then(|bids| bids.last()).copied().unwrap_or_default()
    }

    /// All bids, with a lot for equal ones.
    pub fn lots_of_buyers(&self) -> impl Iterator<Item = Bid<usize>> {
        (0..self.bids.len()).map(|who| Bid { rate: self.bid(who), lot: lot(self.id, key(who)), who })
    }

    /// All asks, with a lot for equal ones.
    pub fn lots_of_sellers(&self) -> impl Iterator<Item = Ask<usize>> {
        self.asks.iter().enumerate().map(|(who, rate)| Ask { rate: *rate, lot: lot(self.id, key(who)), who })
    }

    /// The highest bids and the lowest asks, and how many trades gain.
    fn ranked(&self) -> (Vec<Bid<usize>>, Vec<Ask<usize>>, usize) {
        let mut bids: Vec<Bid<usize>> = self.lots_of_buyers().collect();
        let mut asks: Vec<Ask<usize>> = self.lots_of_sellers().collect();
        bids.sort_by_key(|bid| (std::cmp::Reverse(bid.rate), bid.lot));
        asks.sort_by_key(|ask| (ask.rate, ask.lot));
        let gaining = bids.iter().zip(&asks).take_while(|(bid, ask)| bid.rate >= ask.rate).count();
        (bids, asks, gaining)
    }
}

/// A number that is drawn for whoever has this number, other than the lots.
fn chance(id: CommandId, who: usize) -> u64 {
    const LAST: usize = u32::MAX as usize;
    first_word(lot(id, key(LAST.saturating_sub(who))))
}

/// What is drawn in a lot: its first eight bytes.
const fn first_word(lot: Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = lot.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A trade for each pair of an exchange.
fn pairs(exchange: Option<Exchange<usize, usize>>) -> Vec<Traded> {
    exchange.map_or_else(Vec::new, |exchange| {
        let (pays, gets) = (exchange.pays, exchange.gets);
        let pairs = exchange.buyers.iter().zip(&exchange.sellers);
        pairs.map(|(buyer, seller)| Traded { buyer: *buyer, seller: *seller, pays, gets }).collect()
    })
}

#[cfg(test)]
mod tests;

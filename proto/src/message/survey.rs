//! What anybody may ask a market owner without buying: how its markets stand, and who could run what.

use crate::commodity::Market;
use crate::id::{Peer, RequestId};
use crate::message::market::{Listing, Requirement};
use crate::money::Rate;
use crate::platform::{Layers, Release};
use crate::quantity::{Bytes, Capacity, Reputation};
use crate::signed::Signed;
use crate::time::{Span, Time};

/// Asks an owner how those of its markets stand that lie between two, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The asker's number for it.
    pub request: RequestId,
    /// The first market.
    pub from: Market,
    /// The last market, of the same commodity.
    pub to: Market,
    /// An ask to be ranked: [`MarketState::cheaper`] counts the listings below it. Zero if there is none.
    pub ask: Rate,
    /// What might be bought.
    pub inquiries: Vec<Inquiry>,
    /// How many listings of each market are to be shown, the cheapest first.
    pub show: u32,
}

/// Something that might be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What is needed.
    pub requirement: Requirement,
    /// The most that would be paid.
    pub bid: Rate,
    /// How many slices of it.
    pub slices: u32,
}

/// An owner's answer: its markets, in order. A market that is not among them is not the owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// The asker's number.
    pub request: RequestId,
    /// How they stand, empty ones too.
    pub markets: Vec<MarketState>,
    /// Whether it answers for a part of them for less than a renewal, and nobody has handed it over: sellers may not have
    /// listed here yet.
    pub is_settling: bool,
    /// The listings that were to be shown, by market and ask.
    pub listings: Vec<Signed<Listing>>,
}

/// How a market stands. What its owner says of it is not proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketState {
    /// Which one.
    pub market: Market,
    /// Listings.
    pub sellers: u32,
    /// What they offer together, in Mc/s or in bytes.
    pub amount: u64,
    /// What they ask; `None` without listings.
    pub asks: Option<Asks>,
    /// Listings that ask for less than [`Survey::ask`].
    pub cheaper: u32,
    /// Matches that the owner has made here since it answers for the market.
    pub matches: u64,
    /// The last of them.
    pub last: Option<LastMatch>,
    /// What the listings mean for each inquiry, in the order of the inquiries; empty without listings.
    pub fits: Vec<Fit>,
}

/// Asks of a market, in micro-credits per Gc, or per GiB and hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// The lowest.
    pub lowest: Rate,
    /// The median; of an even number the lower one of the two in the middle.
    pub median: Rate,
    /// The highest.
    pub highest: Rate,
}

/// A match that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMatch {
    /// Its price.
    pub clearing: Rate,
    /// When, by the owner's clock.
    pub at: Time,
}

/// What the listings of a market mean for an inquiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Listings that fit now and do not exceed the bid.
    pub sellers: u32,
    /// Slices that these could sell now.
    pub slices: u64,
    /// The cheapest of them, with as many as the slices asked for need and one more that sets a price.
    pub offers: Vec<Offered>,
    /// The highest ask among those that fit; zero without any.
    pub highest: Rate,
    /// Listings that fit but for the price.
    pub too_dear: u32,
    /// The lowest ask among these; zero without any.
    pub lowest_ask: Rate,
    /// Listings whose machine could run it if nothing of it were sold, whatever they ask.
    pub could: u32,
    /// Listings that were compared for `could` and for the closest ones.
    pub compared: u32,
    /// The listing that lacks least of what is asked for now; `None` if one fits.
    pub closest: Option<Nearest>,
    /// The listing that would lack least if nothing were sold, the price aside; `None` if one could run it.
    pub closest_ever: Option<Nearest>,
}

/// A listing that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its ask.
    pub ask: Rate,
    /// Slices that it could sell now.
    pub slices: u32,
}

/// A listing that does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Whose.
    pub seller: Peer,
    /// What it lacks; never empty when an honest owner says so.
    pub lacks: Vec<Lack>,
}

/// What a listing lacks: each with what it has instead of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It asks for more than the bid.
    Price(Rate),
    /// It has fewer cores.
    Cores(u32),
    /// The cores asked for have less power together.
    Power(Capacity),
    /// It has less memory.
    Memory(Bytes),
    /// It has less disk.
    Disk(Bytes),
    /// It has another operating system.
    Os(String),
    /// It has another architecture.
    Arch(String),
    /// It runs no native programs.
    Native,
    /// It runs nothing for so long.
    RunTime(Span),
    /// Its reputation is lower.
    Reputation(Reputation),
    /// Its operating system is older.
    Release(Release),
    /// These layers of the sandbox, which are asked for, do not stand there.
    Layers(Layers),
}

//! Messages and papers of the market.

use crate::commodity::{Bundle, Commodity, Market};
use crate::id::{CommandId, Peer, RequestId};
use crate::key::PublicKey;
use crate::message::survey::{Survey, Surveyed};
use crate::money::{Money, Rate};
use crate::platform::{Layers, Release};
use crate::quantity::{Bytes, Capacity, Reputation};
use crate::refusal::Refusal;
use crate::rules::PricingRule;
use crate::signed::{Paper, Signed};
use crate::time::{Span, Time};

/// What a machine is, as far as programs care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Operating system, such as `linux`.
    pub os: String,
    /// Processor architecture, such as `x86_64`.
    pub arch: String,
    /// Whether native programs are run, and not only WebAssembly.
    pub native: bool,
    /// The version of the operating system; zero if it is not told.
    pub release: Release,
    /// The layers of the sandbox that stand around native programs; none where these are not run.
    pub layers: Layers,
}

/// What the bank says of an account as a seller; signed by the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub account: PublicKey,
    /// Contracts that it was paid for.
    pub kept: u64,
    /// Contracts that money was set aside for, and that it was not paid for.
    pub broken: u64,
    /// When the bank stops to stand by this.
    pub expires: Time,
}

impl Standing {
    /// The reputation that follows from it.
    #[must_use]
    pub fn reputation(&self) -> Reputation {
        Reputation::of(self.kept, self.broken)
    }
}

/// What a seller offers in one market; signed by the seller, and gone when it is not renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Who sells.
    pub seller: Peer,
    /// Grows with every listing of this seller, of whatever commodity: of each commodity the newest counts.
    pub version: u64,
    /// The market it is listed in: the class of what is free of its commodity. Of compute power that is `per_core` ×
    /// `cores`, of memory and disk the bytes.
    pub market: Market,
    /// Idle cores.
    pub cores: u32,
    /// What one of them executes.
    pub per_core: Capacity,
    /// The reported marginal cost: of compute power in micro-credits per Gc, of memory and disk in micro-credits per
    /// GiB and hour.
    pub ask: Rate,
    /// Free memory.
    pub memory: Bytes,
    /// Free disk.
    pub disk: Bytes,
    /// What the machine is.
    pub platform: Platform,
    /// The longest that it runs a sub-task or keeps data.
    pub longest: Span,
    /// What the bank says of the seller; without it the seller is unknown.
    pub standing: Option<Signed<Standing>>,
    /// What would be listed here if nothing of the machine were sold: what this seller could ever take on, in difference
    /// to what is free now.
    pub whole: Bundle,
    /// When the listing ends.
    pub expires: Time,
}

impl Listing {
    /// What it offers.
    #[must_use]
    pub const fn offered(&self) -> Bundle {
        Bundle { cores: self.cores, memory: self.memory, disk: self.disk }
    }
}

/// What a buyer needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// What is bought: this decides in which markets is looked.
    pub commodity: Commodity,
    /// Compute power over all cores asked for.
    pub power: Capacity,
    /// Cores; of compute power at least one.
    pub cores: u32,
    /// Memory.
    pub memory: Bytes,
    /// Disk.
    pub disk: Bytes,
    /// Operating system; empty for any.
    pub os: String,
    /// Architecture; empty for any.
    pub arch: String,
    /// Whether the program is native.
    pub native: bool,
    /// The least version of the operating system; zero for any.
    pub release: Release,
    /// The layers of the sandbox that have to stand.
    pub layers: Layers,
    /// How long it may take; zero if that does not matter.
    pub run_time: Span,
    /// The least reputation of the seller.
    pub reputation: Reputation,
}

/// The result of a match; signed by the market owner. It carries the listings it rests on, so that anybody
/// can compute the clearing price again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Chosen by the buyer.
    pub id: CommandId,
    /// Who asked.
    pub buyer: PublicKey,
    /// The market owner.
    pub owner: Peer,
    /// What was asked for.
    pub requirement: Requirement,
    /// The rule in force.
    pub rule: PricingRule,
    /// The buyer's limit.
    pub bid: Rate,
    /// The price to pay.
    pub clearing: Rate,
    /// What the owner gets when the contract is settled.
    pub fee: Money,
    /// What the owner gets for the work besides, in micro-credits per Gc; nothing but under the max-min rule.
    pub owner_rate: Rate,
    /// How many listings fitted, the bid included.
    pub asks_seen: u32,
    /// The seller's listing.
    pub winner: Signed<Listing>,
    /// The listing that sets the price, where the rule has one: by the Vickrey rule the next after the winner's.
    /// `None` when there was no other.
    pub runner_up: Option<Signed<Listing>>,
    /// What the lots of equal asks come from: the first id of the batch that this ticket was bought in.
    pub draw: CommandId,
    /// When the reservation ends.
    pub expires: Time,
}

impl Paper for Standing {
    const DOMAIN: &'static str = "standing";
}
impl Paper for Listing {
    const DOMAIN: &'static str = "listing";
}
impl Paper for Ticket {
    const DOMAIN: &'static str = "ticket";
}

/// Puts a listing into the market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The seller's number for it.
    pub request: RequestId,
    /// The listing.
    pub listing: Signed<Listing>,
}

/// The listing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The seller's number.
    pub request: RequestId,
    /// Which one.
    pub version: u64,
}

/// Takes the sender's listings of a commodity up to this version out of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delist {
    /// What was listed.
    pub commodity: Commodity,
    /// The newest version to remove.
    pub version: u64,
}

/// The most equal slices that are asked for at once: a ticket takes about a kilobyte, so the answer stays far below
/// the largest message.
pub const MAX_BATCH: usize = 256;

/// A buyer looks for sellers of equal slices in the markets from `from` upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindSeller {
    /// The buyer's number for it.
    pub request: RequestId,
    /// The ids for the tickets, one for each slice: 1 to [`MAX_BATCH`], all different.
    pub tickets: Vec<CommandId>,
    /// The smallest market that may fit.
    pub from: Market,
    /// What each slice has to have.
    pub requirement: Requirement,
    /// The most the buyer pays.
    pub bid: Rate,
    /// Sellers the buyer does not want.
    pub avoid: Vec<PublicKey>,
}

impl FindSeller {
    /// What the lots of equal asks come from: the first of the ids.
    #[must_use]
    pub fn draw(&self) -> CommandId {
        self.tickets.first().copied().unwrap_or_default()
    }
}

/// Matches: for as many of the slices asked for as there are sellers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The buyer's number.
    pub request: RequestId,
    /// The tickets; at least one.
    pub tickets: Vec<Signed<Ticket>>,
    /// What stands in the way of the others, and where to go on for them; `None` when none is missing.
    pub missing: Option<NoSeller>,
}

/// Nobody fits in the markets that this owner answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSeller {
    /// The buyer's number.
    pub request: RequestId,
    /// The market to ask for next; `None` above the largest.
    pub next: Option<Market>,
    /// Listings looked at.
    pub listings: u32,
    /// Of these, fitting but dearer than the bid.
    pub too_dear: u32,
    /// Of these, not fitting the requirement.
    pub too_small: u32,
    /// The lowest ask that fits but for the price; zero when there is none. Where a seller's ask is not all that has to
    /// be paid, what the cheapest would cost: the posted price, or ask, bonus and owner's part.
    pub lowest_ask: Rate,
}

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRequest {
    /// The asker's number.
    pub request: RequestId,
    /// Why.
    pub refusal: Refusal,
}

/// The owner asks the seller it is about to name: alive, and are the slices still free?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The owner's number for it.
    pub request: RequestId,
    /// The tickets that a slice each is kept for: 1 to [`MAX_BATCH`].
    pub tickets: Vec<CommandId>,
    /// Of which commodity the listing is.
    pub commodity: Commodity,
    /// The listing.
    pub version: u64,
    /// How much each of them is.
    pub slice: Bundle,
    /// For whom.
    pub buyer: PublicKey,
}

/// Slices are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The owner's number.
    pub request: RequestId,
    /// The tickets that have theirs; at least one.
    pub kept: Vec<CommandId>,
}

/// None of the slices is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The owner's number.
    pub request: RequestId,
}

/// A listing as its market owner knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The listing.
    pub listing: Signed<Listing>,
    /// What of this version the sender has sold or is selling.
    pub sold: Bundle,
}

/// Listings for whoever answers for their markets now, or may have to one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The sender's number for it.
    pub request: RequestId,
    /// The listings.
    pub listings: Vec<Handed>,
    /// With these the sender has handed over all that it had for the receiver.
    pub is_last: bool,
}

/// The listings that are worth it are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// The sender's number.
    pub request: RequestId,
}

/// A message of the market.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum MarketMessage {
    List(Box<List>),
    Listed(Listed),
    Delist(Delist),
    FindSeller(Box<FindSeller>),
    Matched(Box<Matched>),
    NoSeller(NoSeller),
    Refused(RefusedRequest),
    Reserve(Reserve),
    Reserved(Reserved),
    Unavailable(Unavailable),
    HandOver(Box<HandOver>),
    HandedOver(HandedOver),
    Survey(Box<Survey>),
    Surveyed(Box<Surveyed>),
}

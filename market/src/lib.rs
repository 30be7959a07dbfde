//! Who sells what, who gets it, and at what price: the pure core of the market.
//!
//! One [`Marketplace`] a node, in three roles. As a **seller** it keeps what is idle listed in the market of
//! its class (CompuP2P paper, IV-A), once for each commodity that it sells. As a **market owner** it keeps the listings of the markets whose keys
//! fall to it, as soft state (the paper's "Handling Failures of MOs and Listed Sellers"), and matches buyers
//! with sellers by the reverse Vickrey rule (IV-B1). As a **buyer** it asks the owner of the class it needs
//! and follows upwards until somebody fits.
//!
//! The market does not know the ring: it emits [`Output::Lookup`] and receives [`Input::Found`]. It reads no
//! clock and draws no randomness of its own; the same inputs at the same times give the same outputs.

pub mod buyer;
mod check;
mod matching;
pub mod owner;
pub mod placement;
mod post;
pub mod pricing;
pub mod quote;
pub mod requirement;
pub mod seller;
mod supply;
pub mod survey;
pub mod surveyor;
pub mod ticket;

pub use buyer::shortage::Shortage;
pub use check::Violation;
pub use matching::{MAX_COUNTED, MAX_LISTINGS};
pub use seller::slices::Slice;
pub use supply::{Supply, Tariff};
pub use survey::lacks::{describe, unit};
pub use surveyor::overview::{Known, Overview};
pub use ticket::{Ordered, TicketFault, verify_answer, verify_batch, verify_papers, verify_ticket};

use buyer::{Buyer, Order, Search, Venue};
use matching::Spot;
use owner::{Owner, estate::Change};
use post::Post;
use proto::message::market::{Listing, MarketMessage, Requirement, Standing, Ticket};
use proto::message::survey::Survey;
use proto::{
    Bundle, CommandId, Commodity, KeyPair, Market, Peer, PublicKey, Range, Rate, RingId, Rules, Signed, Time,
};
use seller::Seller;
use std::collections::BTreeSet;
use surveyor::Surveyor;

/// What a marketplace has to know from outside.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The network's rules.
    pub rules: Rules,
    /// Whose word on the standing of sellers counts; without one all of them are unknown.
    pub bank: Option<PublicKey>,
}

/// What happens to a marketplace.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message arrived over the channel of `from`.
    Receive {
        /// Who sent it.
        from: Peer,
        /// What was sent.
        message: MarketMessage,
    },
    /// A message to `peer` could not be delivered.
    Unreachable {
        /// Who.
        peer: Peer,
    },
    /// A lookup has ended.
    Found {
        /// The number in [`Output::Lookup`].
        token: u64,
        /// The responsible node.
        owner: Peer,
    },
    /// A lookup has failed.
    NotFound {
        /// The number in [`Output::Lookup`].
        token: u64,
    },
    /// A search in the second ring has ended (processor overlay).
    FoundMarket {
        /// The number in [`Output::LookupMarket`].
        token: u64,
        /// The asked or the nearest larger market in which somebody is listed.
        market: Market,
        /// The node that answers for it.
        owner: Peer,
    },
    /// A search in the second ring has ended: nobody is listed at or above the asked market.
    NoMarket {
        /// The number in [`Output::LookupMarket`].
        token: u64,
    },
    /// These markets of this node can be found in the second ring, and no others (processor overlay).
    Opened {
        /// Which.
        markets: BTreeSet<Market>,
    },
    /// The arc that this node answers for.
    RangeChanged {
        /// The new arc.
        range: Range,
        /// Who answers now for the part that was lost, if one was, and for what lies before: it is handed what is
        /// listed there.
        heir: Option<Peer>,
        /// Who answered until now for the part that was gained, if that is to hand over what is listed there.
        donor: Option<Peer>,
    },
    /// The nodes that would answer for this one's arc, one after the other; [`owner::MAX_SUCCESSORS`] count.
    Successors {
        /// Who, the nearest first.
        peers: Vec<Peer>,
    },
    /// The node is about to leave: what it holds goes to its successor. [`Output::HandedOver`] follows.
    Leave,
    /// What the owner's policy and the sensors leave to sell.
    Supply {
        /// `None`: nothing.
        supply: Option<Supply>,
    },
    /// What the bank says of this node as a seller; the newest counts.
    Standing {
        /// Signed by the bank.
        standing: Signed<Standing>,
    },
    /// A contract uses the slice that was reserved for this ticket.
    Take {
        /// Which ticket.
        ticket: CommandId,
    },
    /// A contract of a former run of this node uses a slice, which this run has not reserved.
    Retake {
        /// Its ticket.
        ticket: CommandId,
        /// Whose contract it is.
        buyer: PublicKey,
        /// What it uses.
        part: Bundle,
    },
    /// The contract has ended, or the reservation will not be used: the slice is idle again.
    Free {
        /// Which ticket.
        ticket: CommandId,
    },
    /// Sellers are needed for a batch of equal slices.
    Buy {
        /// The caller's number for the answers.
        token: u64,
        /// The ids for the tickets, one for each slice; new ones for every purchase. The first
        /// [`proto::message::market::MAX_BATCH`] count.
        tickets: Vec<CommandId>,
        /// What each slice has to have.
        requirement: Requirement,
        /// The most that is paid.
        bid: Rate,
        /// Sellers that are not wanted; the first [`owner::MAX_AVOID`] count.
        avoid: Vec<PublicKey>,
    },
    /// Somebody wants to know how markets stand, without buying. [`Output::Surveyed`] follows within
    /// [`surveyor::SURVEY_DEADLINE`] of its start, at once if too many wait.
    Survey {
        /// The caller's number for the answer.
        token: u64,
        /// What is asked; its request number is chosen here.
        survey: Box<Survey>,
    },
    /// The moment of [`Marketplace::poll_timeout`] has come.
    Timeout,
}

/// What a marketplace wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message. Never to this node itself.
    Send {
        /// To whom.
        to: Peer,
        /// What.
        message: MarketMessage,
    },
    /// Look up the node responsible for a key.
    Lookup {
        /// The number for the answer.
        token: u64,
        /// The key.
        key: RingId,
    },
    /// Find the smallest market at or above `at_least` in which somebody is listed (processor overlay). One of
    /// [`Input::FoundMarket`], [`Input::NoMarket`] and [`Input::NotFound`] is to follow.
    LookupMarket {
        /// The number for the answer.
        token: u64,
        /// The least market that will do.
        at_least: Market,
    },
    /// After [`Input::Leave`]: all is handed over, or the time for it has passed. Until then this node answers.
    HandedOver,
    /// A slice is bought: here is its ticket, which is true.
    Bought {
        /// The caller's number.
        token: u64,
        /// The ticket; its id says for which slice.
        ticket: Box<Signed<Ticket>>,
    },
    /// A purchase has ended, and there was no seller for some of its slices.
    NotBought {
        /// The caller's number.
        token: u64,
        /// The ids of those slices; at least one.
        tickets: Vec<CommandId>,
        /// What was come across.
        shortage: Shortage,
    },
    /// A survey has ended.
    Surveyed {
        /// The caller's number.
        token: u64,
        /// What was learnt.
        overview: Box<Overview>,
    },
}

/// The market's part of a node.
#[derive(Debug)]
pub struct Marketplace {
    post: Post,
    owner: Owner,
    seller: Seller,
    buyer: Buyer,
    surveyor: Surveyor,
    now: Time,
}

impl Marketplace {
    /// A marketplace that sells nothing and owns no market yet. `keys` belong to `me.key`.
    #[must_use]
    pub fn new(config: Config, me: Peer, keys: KeyPair, seed: [u8; 32], now: Time) -> Self {
        let owner = Owner::new(config.rules.placement, config.bank);
        let post = Post::new(config, me, keys, seed);
        let (seller, buyer) = (Seller::new(now), Buyer::default());
        Self { post, owner, seller, buyer, surveyor: Surveyor::default(), now }
    }

    /// Takes `input` in at `now`; a `now` before the last one counts as the last one.
    pub fn handle(&mut self, input: Input, now: Time) {
        self.now = self.now.max(now);
        let now = self.now;
        self.owner.tick(&mut self.post, now);
        self.seller.tick(&mut self.post, now);
        self.buyer.tick(&mut self.post, now);
        self.surveyor.tick(&mut self.post, now);
        self.accept(input, now);
        self.settle(now);
    }

    /// The next thing to do; to be drained after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.post.output()
    }

    /// The earliest deadline: [`Input::Timeout`] is due then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let dues =
            [self.owner.next_due(), self.seller.next_due(), self.buyer.next_due(), self.surveyor.next_due()];
        dues.into_iter().flatten().min()
    }

    /// The listings in the markets that this node owns.
    pub fn listings(&self) -> impl Iterator<Item = Listing> {
        self.owner.books.listings()
    }

    /// Whether `seller` is listed with `commodity` in a market that this node owns.
    #[must_use]
    pub fn lists(&self, seller: PublicKey, commodity: Commodity) -> bool {
        self.owner.books.has(Spot { seller, commodity })
    }

    /// Whether a listing of `seller` with `commodity` is kept for a market of others.
    #[must_use]
    pub fn keeps(&self, seller: PublicKey, commodity: Commodity) -> bool {
        self.owner.kept.has(Spot { seller, commodity })
    }

    /// The markets of this node in which somebody is listed.
    pub fn markets(&self) -> impl Iterator<Item = Market> {
        self.owner.books.index.keys().copied()
    }

    /// Whether this node would tell a buyer that asks for `market` what is listed there. One that expects listings
    /// from the former owner lets the buyer wait.
    #[must_use]
    pub fn answers_for(&self, market: Market) -> bool {
        self.owner.answers(market) && !self.owner.estate.is_expecting()
    }

    /// The listings that are kept for markets of others.
    pub fn kept(&self) -> impl Iterator<Item = Listing> {
        self.owner.kept.listings()
    }

    /// What of the supply is neither reserved nor in use.
    #[must_use]
    pub fn free_part(&self) -> Bundle {
        self.seller.goods.slices.free_part()
    }

    /// Where and at what asks this node is listed, as far as market owners have confirmed it; at most once for each
    /// commodity.
    pub fn listed(&self) -> impl Iterator<Item = (Market, Rate)> {
        let standing = self.seller.stalls.iter().filter(|stall| stall.is_standing());
        let listings = standing.filter_map(|stall| stall.listing.as_ref());
        listings.map(|listing| (listing.body.market, listing.body.ask))
    }

    /// The slice that is kept for `ticket` or used by its contract.
    #[must_use]
    pub fn slice(&self, ticket: &CommandId) -> Option<&Slice> {
        self.seller.goods.slices.kept.get(ticket)
    }

    /// Matches that are under way here, and buyers that wait for a hand-over.
    #[must_use]
    pub fn matches(&self) -> usize {
        self.owner.matches.len().saturating_add(self.owner.parked.len())
    }

    /// Purchases that are under way, and those that wait for room.
    #[must_use]
    pub fn purchases(&self) -> (usize, usize) {
        (self.buyer.purchases.len(), self.buyer.queue.len())
    }

    /// Whether `ticket` is true, names this node as the seller, and has its slice kept: what a seller has to
    /// know before it accepts an offer.
    ///
    /// # Errors
    /// The first fault that was found.
    pub fn verify_offer(&self, ticket: &Signed<Ticket>, now: Time) -> Result<(), TicketFault> {
        let body = &ticket.body;
        if body.winner.body.seller != self.post.me {
            return Err(TicketFault::NotMine);
        }
        if !self.seller.goods.slices.is_kept_for(body.id, body.buyer, requirement::slice(&body.requirement)) {
            return Err(TicketFault::NotReserved);
        }
        verify_ticket(ticket, &self.post.rules, self.post.bank, now)
    }

    fn accept(&mut self, input: Input, now: Time) {
        match input {
            Input::Receive { from, message } => self.receive(from, message, now),
            Input::Unreachable { peer } => {
                self.owner.unreachable(&mut self.post, peer, now);
                self.seller.unreachable(&mut self.post, peer, now);
                self.buyer.unreachable(&mut self.post, peer, now);
                self.surveyor.unreachable(&mut self.post, peer, now);
            }
            Input::Found { token, owner } => self.found(token, Some(owner), now),
            Input::NotFound { token } => self.found(token, None, now),
            Input::FoundMarket { token, market, owner } => {
                let search = Search::Found(Venue { market, owner });
                self.buyer.searched(&mut self.post, token, search, now);
            }
            Input::NoMarket { token } => {
                self.buyer.searched(&mut self.post, token, Search::Nobody, now);
            }
            Input::Opened { markets } => self.owner.opened(&mut self.post, markets),
            Input::RangeChanged { range, heir, donor } => {
                self.owner.range_changed(
                    self.post.me,
                    self.post.rules.renewal,
                    Change { range, heir, donor },
                    now,
                );
                self.seller.range_changed(&self.post, range);
            }
            Input::Successors { peers } => self.owner.succeeded_by(self.post.me, peers),
            Input::Leave => self.owner.leave(now),
            Input::Supply { supply } => self.seller.supply(supply),
            Input::Standing { standing } => self.seller.learn_standing(&self.post, standing),
            Input::Take { ticket } => self.seller.take(ticket),
            Input::Retake { ticket, buyer, part } => self.seller.retake(ticket, buyer, part),
            Input::Free { ticket } => self.seller.free(ticket),
            Input::Buy { token, tickets, requirement, bid, avoid } => {
                let order = Order { token, tickets, requirement, bid, avoid };
                self.buyer.buy(&mut self.post, order, now);
            }
            Input::Survey { token, survey } => self.surveyor.start(&mut self.post, token, *survey, now),
            Input::Timeout => {}
        }
    }

    fn found(&mut self, token: u64, owner: Option<Peer>, now: Time) {
        let Self { post, seller, buyer, surveyor, .. } = self;
        if !seller.found(post, token, owner, now) && !buyer.found(post, token, owner, now) {
            surveyor.found(post, token, owner, now);
        }
    }

    fn receive(&mut self, from: Peer, message: MarketMessage, now: Time) {
        let Self { post, owner, seller, buyer, surveyor, .. } = self;
        match message {
            MarketMessage::List(list) => owner.list(post, from, *list, now),
            MarketMessage::Delist(delist) => owner.delist(from, delist),
            MarketMessage::FindSeller(find) => owner.find(post, from, *find, now),
            MarketMessage::Reserved(reserved) => owner.reserved(post, from, &reserved, now),
            MarketMessage::Unavailable(gone) => owner.unavailable(post, from, gone.request, now),
            MarketMessage::HandOver(handed) => owner.hand_over(post, from, *handed, now),
            MarketMessage::HandedOver(handed) => owner.handed_over(from, handed.request),
            MarketMessage::Listed(listed) => seller.listed(post, from, listed, now),
            MarketMessage::Reserve(reserve) => seller.reserve(post, from, reserve, now),
            MarketMessage::Matched(matched) => buyer.matched(post, from, *matched, now),
            MarketMessage::NoSeller(answer) => buyer.no_seller(post, from, answer, now),
            MarketMessage::Refused(refused) => {
                let is_answer = owner.refused(post, from, &refused, now);
                if !is_answer && !seller.refused(post, from, &refused, now) {
                    buyer.refused(post, from, &refused, now);
                    surveyor.refused(post, from, &refused, now);
                }
            }
            MarketMessage::Survey(survey) => owner.survey(post, from, &survey, now),
            MarketMessage::Surveyed(surveyed) => surveyor.surveyed(post, from, *surveyed, now),
        }
    }

    /// Lists what has changed and delivers what this node says to itself, until nothing is left. It ends: an
    /// answer to oneself leads to a new question only after a pause, or in a higher market.
    fn settle(&mut self, now: Time) {
        loop {
            self.seller.flush(&mut self.post, now);
            self.owner.proceed(&mut self.post, now);
            let Some(message) = self.post.own() else { return };
            self.receive(self.post.me, message, now);
        }
    }
}

//! Messages of the processor overlay: the ring that the markets with listings form (CompuP2P paper, IV-A2).

use super::chord::ChordMessage;
use crate::commodity::{Commodity, Market};
use crate::id::{Peer, RequestId, RingId};

/// A node of the overlay: a market in which somebody is listed, and the node of the base ring that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stand {
    /// The market.
    pub market: Market,
    /// Who runs it: the owner of the market.
    pub owner: Peer,
}

impl Stand {
    /// The node's point in the overlay: the beginning of the market's part, and the first 128 bits of the owner's id. So
    /// while a market goes from one owner to another, both can run it, each at its point.
    #[must_use]
    pub fn point(&self) -> RingId {
        let RingId(mut point) = self.market.cmid();
        for (to, from) in point.iter_mut().skip(4).zip(self.owner.id().0) {
            *to = from;
        }
        RingId(point)
    }
}

/// A message between two nodes of the overlay, that is, a message of the ring. Who runs the sending node is who sent
/// it; the market says which of its nodes that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// The sending node's market.
    pub from: Market,
    /// The receiving node's market.
    pub to: Market,
    /// What is said.
    pub message: ChordMessage<Stand>,
}

/// "I run no node at this market."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub market: Market,
}

/// Asks a member of the overlay for the smallest market at or above a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seek {
    /// The asker's number.
    pub request: RequestId,
    /// The least market that will do.
    pub at_least: Market,
}

/// The answer to [`Seek`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The asker's number.
    pub request: RequestId,
    /// The market; none if there is none at or above the asked one.
    pub market: Option<Market>,
}

/// The answer to [`Seek`] of a node that cannot say: it is no member, or has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsure {
    /// The asker's number.
    pub request: RequestId,
}

/// Tells the meeting point of a commodity that the sender runs a node at a market of it, and asks for other members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrol {
    /// The asker's number.
    pub request: RequestId,
    /// The market.
    pub market: Market,
}

/// Asks the meeting point of a commodity for members of its overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskMembers {
    /// The asker's number.
    pub request: RequestId,
    /// Which commodity.
    pub commodity: Commodity,
}

/// The answer of a meeting point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The asker's number.
    pub request: RequestId,
    /// Some members, at random.
    pub members: Vec<Stand>,
    /// Whether all members have had the time to enrol: then no member means that there is none.
    pub is_sure: bool,
}

/// A message of the processor overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum OverlayMessage {
    Talk(Box<Talk>),
    Gone(Gone),
    Seek(Seek),
    Sought(Sought),
    Unsure(Unsure),
    Enrol(Enrol),
    AskMembers(AskMembers),
    Members(Members),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PublicKey;

    #[test]
    fn all_nodes_that_run_a_market_lie_between_its_beginning_and_the_next_markets() {
        let owner = |n: u8| Peer::new(format!("10.0.0.{n}:7740").parse().unwrap(), 0, PublicKey([n; 32]));
        for class in 0..95 {
            let market = Market { commodity: Commodity::Compute, class };
            let points: Vec<RingId> = (0..20).map(|n| Stand { market, owner: owner(n) }.point()).collect();
            let next = Market { class: class + 1, ..market }.cmid();
            assert!(points.iter().all(|point| *point >= market.cmid() && *point < next));
            assert!(points.iter().enumerate().all(|(n, point)| !points[..n].contains(point)));
        }
    }
}

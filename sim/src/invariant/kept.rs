//! `kept`: a slice is sold once. A ticket that a market owner signs names a seller that keeps the slice for it, so
//! that two owners of one market cannot sell the same cores.

use super::{Breach, Checked};
use crate::host::Host;
use proto::message::market::{MarketMessage, Ticket};
use proto::{CommandId, Peer, PublicKey};
use std::collections::BTreeSet;

/// What sellers have promised, and tickets.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    signed: BTreeSet<CommandId>,
    /// Tickets whose slice was reserved, with the owner who was told so. A buyer that gets no answer takes its ticket
    /// to another owner, and the seller keeps one slice for both.
    told: BTreeSet<(CommandId, PublicKey)>,
}

impl Kept {
    /// A market owner signs `ticket`, which names the seller on `host`.
    pub(crate) fn signed(&mut self, host: &Host, ticket: &Ticket) -> Checked {
        if !self.signed.insert(ticket.id) {
            // The buyer has asked again.
            return Ok(());
        }
        let number = host.number;
        // What an owner asks itself is not seen from here.
        let has_said_so = self.told.contains(&(ticket.id, ticket.owner.key)) || host.peer == ticket.owner;
        Breach::unless(has_said_so, "kept", || {
            format!("ticket {} names node {number}, which has not said that it keeps a slice", ticket.id)
        })?;
        // A seller that has crashed since, or whose owner does not share it any more, keeps nothing.
        let is_free = host.life > 0 || !host.shares || host.has_closed;
        let is_kept = is_free || host.node().is_none_or(|node| node.market().slice(&ticket.id).is_some());
        Breach::unless(is_kept, "kept", || {
            format!("ticket {} names node {number}, which keeps no slice for it", ticket.id)
        })
    }

    /// A seller answers the owner `to`.
    pub(crate) fn sent(&mut self, to: Peer, message: &MarketMessage) {
        if let MarketMessage::Reserved(reserved) = message {
            self.told.extend(reserved.kept.iter().map(|ticket| (*ticket, to.key)));
        }
    }

    /// Whether `seller`, which says no to the owner `to`, keeps a slice that was reserved through another one.
    pub(crate) fn is_kept_for_another(&self, seller: &Host, to: Peer) -> bool {
        let Some(market) = seller.node().map(service::Node::market) else { return false };
        let is_others =
            |(ticket, owner): &(CommandId, PublicKey)| *owner != to.key && market.slice(ticket).is_some();
        self.told.iter().any(is_others)
    }
}

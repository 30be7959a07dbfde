//! What the bank tells nodes that did not ask: a claim to its buyer, an appointment to its arbiter, an end to both
//! parties of a claimed contract.
//!
//! It is told when it happens, to who is live; and what waits for a node again each time the node enters. So nobody has
//! to ask, and nothing else is needed against lost messages.

use crate::bootstrap::Registry;
use crate::deal::{Deal, Stage};
use crate::ledger::Ledger;
use crate::record::Event;
use proto::message::bank::{Appointed, Appointment, BankMessage, Ended, How, Order};
use proto::{KeyPair, Peer, PublicKey, Signed};

/// How many notices a node gets when it enters: those whose time is over first.
pub const MAX_NOTICES: usize = 16;

/// What has to be told when `event` happens to the ledger as it is before.
pub(crate) fn before(ledger: &Ledger, event: &Event) -> Vec<(PublicKey, BankMessage)> {
    let Event::HoldClosed { ending, .. } = event else { return Vec::new() };
    let is_claimed = ledger.holds.find(ending.hold).is_some_and(|deal| deal.claim().is_some());
    if !is_claimed && ending.how != How::NoShow {
        return Vec::new();
    }
    let told = || BankMessage::Ended(Box::new(Ended { ending: **ending }));
    vec![(ending.buyer, told()), (ending.seller, told())]
}

/// What has to be told when `event` has happened.
pub(crate) fn after(ledger: &Ledger, keys: &KeyPair, event: &Event) -> Option<(PublicKey, BankMessage)> {
    let hold = match event {
        Event::HoldClaimed { command, .. } => match &command.body.order {
            Order::Claim(order) => order.hold,
            _ => return None,
        },
        Event::ArbiterNamed { hold, .. } => *hold,
        _ => return None,
    };
    let deal = ledger.holds.find(hold)?;
    deal.awaited().zip(of(deal, keys))
}

/// What `node` is told when it enters.
pub(crate) fn on_entering(ledger: &Ledger, keys: &KeyPair, node: PublicKey) -> Vec<BankMessage> {
    ledger.holds.awaiting(node).take(MAX_NOTICES).filter_map(|deal| of(deal, keys)).collect()
}

/// Where a node is that is live.
pub(crate) fn addressed(
    registry: &Registry,
    notices: impl IntoIterator<Item = (PublicKey, BankMessage)>,
) -> impl Iterator<Item = (Peer, BankMessage)> {
    notices.into_iter().filter_map(|(key, message)| Some((registry.find(key)?, message)))
}

/// What is told about a deal to the one that is to move.
fn of(deal: &Deal, keys: &KeyPair) -> Option<BankMessage> {
    match &deal.stage {
        Stage::Held | Stage::Accepted => None,
        Stage::Claimed(claim) => Some(BankMessage::Claimed(claim.receipt(&deal.hold))),
        Stage::Disputed(dispute) => {
            let appointment = Appointment {
                bank: keys.public(),
                contract: deal.hold.id,
                offer: dispute.claim.offer,
                report: dispute.claim.report,
                arbiter: deal.arbiter()?,
                fee: dispute.deposit,
                until: dispute.until,
            };
            let appointment = Signed::new(appointment, keys);
            let appointed = Appointed { appointment, offer: dispute.offer.clone() };
            Some(BankMessage::Appointed(Box::new(appointed)))
        }
    }
}

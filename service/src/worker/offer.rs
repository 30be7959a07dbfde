//! Whether an offer is taken: papers in order, money there, within the owner's terms.

use super::{MAX_CONTRACTS, Worker};
use proto::message::service::{Limits, Offer};
use proto::{Bytes, Money, Peer, PublicKey, Refusal, RefusalCode, Signed, Span, Time};

/// What the owner of the machine allows, from the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest execution.
    pub wall: Span,
    /// The most memory for one sub-task.
    pub memory: Bytes,
    /// The most disk for one sub-task.
    pub disk: Bytes,
    /// The most standard output, and the same for standard error.
    pub output: Bytes,
    /// Buyers whose work is not done here.
    pub deny: Vec<PublicKey>,
    /// If not empty, the only buyers whose work is done here.
    pub allow: Vec<PublicKey>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            wall: Span::secs(24 * 3_600),
            memory: Bytes::gib(4),
            disk: Bytes::gib(10),
            output: Bytes::gib(1),
            deny: Vec::new(),
            allow: Vec::new(),
        }
    }
}

impl Terms {
    fn allow(&self, buyer: PublicKey, limits: &Limits) -> Result<(), Refusal> {
        let refuse = |message: String| Err(Refusal::new(RefusalCode::Policy, message, "another seller may take it"));
        if self.deny.contains(&buyer) {
            return refuse("this seller's owner denies this buyer".into());
        }
        if !self.allow.is_empty() && !self.allow.contains(&buyer) {
            return refuse("this seller's owner allows only certain buyers".into());
        }
        if limits.wall > self.wall {
            return refuse(format!("this seller runs nothing longer than {}, {} is asked for", self.wall, limits.wall));
        }
        for (what, most, asked) in [
            ("memory", self.memory, limits.memory),
            ("disk", self.disk, limits.disk),
            ("output", self.output, limits.output),
        ] {
            if asked > most {
                return refuse(format!("this seller gives at most {most} of {what}, {asked} are asked for"));
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Whether the papers of an offer are in order, and the policy allows it.
    pub(super) fn judge_offer(
        &self,
        from: Peer,
        offer: &Signed<Offer>,
        is_reserved: bool,
        now: Time,
    ) -> Result<(), Refusal> {
        let body = &offer.body;
        let mismatch = |what: &str| Err(Refusal::new(RefusalCode::Mismatch, what, ""));
        if body.buyer.key != from.key || !offer.is_genuine_by(from.key) {
            return Err(Refusal::new(RefusalCode::NotYours, "the offer is not signed by the buyer it names", ""));
        }
        if body.seller != self.me.key {
            return mismatch("the offer is for another seller");
        }
        if self.works.len() >= MAX_CONTRACTS {
            return Err(Refusal::new(RefusalCode::Busy, "this seller has too many contracts", "try another one"));
        }
        self.judge_papers(offer, now)?;
        if !is_reserved {
            let hint = "ask the market again";
            return Err(Refusal::new(RefusalCode::SoldOut, "the reservation of this ticket has run out", hint));
        }
        self.terms.allow(from.key, &body.job.limits)
    }

    fn judge_papers(&self, offer: &Signed<Offer>, now: Time) -> Result<(), Refusal> {
        let Offer { contract, seller, buyer, job, hold, ticket, .. } = &offer.body;
        let mismatch = |what: &str| Err(Refusal::new(RefusalCode::Mismatch, what, ""));
        let receipt = &hold.body;
        if !hold.is_genuine_by(self.bank) || receipt.bank != self.bank {
            return Err(Refusal::new(RefusalCode::NotYours, "the hold is not signed by this network's bank", ""));
        }
        if receipt.hold != *contract || receipt.seller != *seller || receipt.buyer != buyer.key {
            return mismatch("the hold is for another contract");
        }
        if receipt.ticket != ticket.hash() || ticket.body.id != *contract {
            return mismatch("the hold is for another ticket");
        }
        if receipt.expires <= now.after(job.limits.wall) {
            return Err(Refusal::new(RefusalCode::Expired, "the hold ends before the work may end", ""));
        }
        if ticket.body.buyer != buyer.key || ticket.body.winner.body.seller.key != *seller {
            return mismatch("the ticket is for somebody else");
        }
        if !ticket.is_genuine_by(ticket.body.owner.key) || !ticket.body.winner.is_genuine_by(self.me.key) {
            return Err(Refusal::new(RefusalCode::NotYours, "the ticket or its listing is forged", ""));
        }
        if ticket.body.clearing < ticket.body.winner.body.ask {
            return mismatch("the ticket's price is below the seller's ask");
        }
        let for_seller = receipt.amount.checked_sub(self.rules.owner_fee).unwrap_or(Money::ZERO);
        if job.limits.cycles > ticket.body.clearing.cycles_for(for_seller) {
            return mismatch("the hold does not pay for as many cycles as the offer allows");
        }
        Ok(())
    }
}

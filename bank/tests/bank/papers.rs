//! The papers of a deal, right by default, and wrong in one place where a test wants it.

use crate::world::{RULES, id, key, keys, peer};
use proto::message::bank::{Order, ReleaseHold, Settle};
use proto::message::market::{Listing, Platform, Requirement, Ticket};
use proto::message::service::{Declined, Outcome, Report, Verdict};
use proto::rules::PricingRule;
use proto::{
    Bytes, Capacity, Commodity, Cycles, Hash, Market, Money, Rate, Refusal, RefusalCode, Signed, Time,
};

/// A buyer (1), a seller (2), an owner (3), the runner-up (4), and what they agreed on.
#[derive(Clone, Debug)]
pub(crate) struct Deal {
    pub(crate) buyer: u8,
    pub(crate) seller: u8,
    pub(crate) owner: u8,
    pub(crate) ask: u64,
    pub(crate) rule: PricingRule,
    pub(crate) bid: u64,
    pub(crate) clearing: u64,
    pub(crate) runner_up: Option<u64>,
    pub(crate) fee: Money,
    pub(crate) owner_rate: u64,
    pub(crate) cycles: Cycles,
    pub(crate) outcome: Outcome,
    pub(crate) is_accepted: bool,
}

impl Default for Deal {
    fn default() -> Self {
        Self {
            buyer: 1,
            seller: 2,
            owner: 3,
            ask: 1_000_000,
            rule: PricingRule::Vickrey,
            bid: 3_000_000,
            clearing: 2_000_000,
            runner_up: Some(2_000_000),
            fee: RULES.owner_fee,
            owner_rate: 0,
            cycles: Cycles::giga(2),
            outcome: Outcome::Succeeded,
            is_accepted: true,
        }
    }
}

/// A listing of `seller`.
pub(crate) fn listing(seller: u8, ask: u64) -> Listing {
    Listing {
        seller: peer(seller),
        version: 1,
        market: Market { commodity: Commodity::Compute, class: 40 },
        cores: 1,
        per_core: Capacity(1_024),
        ask: Rate(ask),
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        platform: Platform::default(),
        longest: proto::Span::secs(60),
        standing: None,
        whole: proto::Bundle { cores: 1, memory: Bytes::gib(1), disk: Bytes::gib(1) },
        expires: Time(0),
    }
}

impl Deal {
    pub(crate) fn ticket(&self) -> Signed<Ticket> {
        Signed::new(self.ticket_body(), &keys(self.owner))
    }

    pub(crate) fn ticket_body(&self) -> Ticket {
        Ticket {
            id: id(77),
            buyer: key(self.buyer),
            owner: peer(self.owner),
            requirement: Requirement::default(),
            rule: self.rule,
            bid: Rate(self.bid),
            clearing: Rate(self.clearing),
            fee: self.fee,
            owner_rate: Rate(self.owner_rate),
            asks_seen: 2,
            winner: Signed::new(listing(self.seller, self.ask), &keys(self.seller)),
            runner_up: self.runner_up.map(|ask| Signed::new(listing(4, ask), &keys(4))),
            draw: id(77),
            expires: Time(0),
        }
    }

    pub(crate) fn report(&self, hold: u32) -> Signed<Report> {
        let body = Report {
            contract: id(hold),
            offer: Hash::of(b"offer"),
            outcome: self.outcome.clone(),
            cycles: self.cycles,
            outputs: Vec::new(),
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        Signed::new(body, &keys(self.seller))
    }

    pub(crate) fn verdict(&self, hold: u32) -> Signed<Verdict> {
        let report = self.report(hold).hash();
        let body =
            Verdict { contract: id(hold), report, is_accepted: self.is_accepted, reason: String::new() };
        Signed::new(body, &keys(self.buyer))
    }

    pub(crate) fn papers(&self, hold: u32) -> Settle {
        Settle {
            hold: id(hold),
            ticket: self.ticket(),
            report: self.report(hold),
            verdict: self.verdict(hold),
        }
    }

    pub(crate) fn settle(&self, hold: u32) -> Order {
        Order::Settle(Box::new(self.papers(hold)))
    }
}

/// The word of `seller` that it does not take the contract.
pub(crate) fn declined(seller: u8, contract: u32) -> Signed<Declined> {
    let refusal = Refusal::new(RefusalCode::Policy, "not at night", "");
    Signed::new(Declined { contract: id(contract), refusal }, &keys(seller))
}

pub(crate) fn release(
    hold: u32,
    declined: Option<Signed<Declined>>,
    report: Option<Signed<Report>>,
) -> Order {
    Order::ReleaseHold(Box::new(ReleaseHold { hold: id(hold), declined, report }))
}

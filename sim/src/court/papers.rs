//! The papers of a contract, and what its work comes to.

use super::case::{Buyer, Owner, Seller};
use super::deal::Facts;
use proto::message::bank::{Finding, Settle};
use proto::message::market::{Listing, Platform, Requirement, Ticket};
use proto::message::service::{
    Blob, Checkpoint, Job, Limits, NamedBlob, Offer, Outcome, Report, Runtime, Taken, Verdict,
};
use proto::{
    Bundle, Bytes, Capacity, CommandId, Commodity, Cycles, Hash, KeyPair, Market, Money, Peer, Rate, Rules,
    Signed, Span, Time,
};

/// The winner's ask, in micro-credits per Gc.
const ASK: Rate = Rate(1_000_000);
/// The ask that makes the price.
const SECOND: Rate = Rate(2_000_000);
/// The ask of the listing that a lying owner invents.
const INVENTED: Rate = Rate(3_000_000);
/// The buyer's limit.
const BID: Rate = Rate(3_000_000);
/// The most cycles that a contract allows.
pub(super) const LIMIT: Cycles = Cycles::giga(4);
/// The argument with which the program fails by itself.
const FAILING: &str = "fail";

/// What an execution comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) outcome: Outcome,
    pub(super) cycles: Cycles,
    pub(super) outputs: Vec<NamedBlob>,
}

/// An id that follows from words and a number.
pub(super) fn id(words: &str, of: &[u8]) -> CommandId {
    let mut text = Vec::from(words.as_bytes());
    text.push(0);
    text.extend(of);
    let Hash([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..]) = Hash::of(&text);
    CommandId([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

fn content(words: &str, of: Hash) -> Blob {
    let mut text = Vec::from(words.as_bytes());
    text.extend(of.0);
    Blob { hash: Hash::of(&text), size: Bytes::kib(1) }
}

/// The program of a contract; each is another one.
pub(super) fn job(contract: CommandId, seller: Seller) -> Job {
    let program = content("program", Hash::of(&contract.0));
    let fails = seller == Seller::Failing;
    Job {
        program,
        arguments: fails.then(|| FAILING.to_owned()).into_iter().collect(),
        environment: Vec::new(),
        inputs: Vec::new(),
        outputs: vec!["out".into()],
        stdin: None,
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: None,
        repeats: Vec::new(),
        limits: Limits {
            wall: Span::secs(60),
            memory: Bytes::mib(64),
            disk: Bytes::mib(64),
            output: Bytes::mib(1),
            cycles: LIMIT,
            processes: 1,
            cores: 1,
        },
    }
}

/// What the program of `offer` comes to, wherever it is executed: 1 to 3 Gc.
pub(super) fn truth(offer: &Offer) -> Work {
    let program = offer.job.program.hash;
    let [low, high, ..] = program.0;
    let cycles = Cycles(1_000_000_000 + u64::from(u16::from_le_bytes([low, high])) * 30_517);
    if offer.job.arguments.iter().any(|argument| argument == FAILING) {
        return Work { outcome: Outcome::Exited(3), cycles, outputs: Vec::new() };
    }
    let outputs = vec![NamedBlob { name: "out".into(), blob: content("output", program) }];
    Work { outcome: Outcome::Succeeded, cycles, outputs }
}

/// The checkpoint that belongs to `offer`.
fn checkpoint(offer: &Offer) -> Checkpoint {
    content("checkpoint", offer.job.program.hash).into()
}

/// What `seller` says that the program of `offer` came to.
pub(super) fn told(seller: Seller, offer: &Offer) -> Work {
    let truth = truth(offer);
    match seller {
        Seller::Lazy | Seller::LazyBroke | Seller::Yielding | Seller::Hasty | Seller::Replaying => {
            invented(offer)
        }
        Seller::Inflating => Work { cycles: Cycles(truth.cycles.0.saturating_mul(3)), ..truth },
        Seller::Migrating => Work {
            outcome: Outcome::Migrated(checkpoint(offer)),
            cycles: Cycles(truth.cycles.0 / 2),
            outputs: Vec::new(),
        },
        _ => truth,
    }
}

/// Something that the program of `offer` does not come to.
fn invented(offer: &Offer) -> Work {
    let outputs = vec![NamedBlob { name: "out".into(), blob: content("invented", offer.job.program.hash) }];
    Work { outputs, ..truth(offer) }
}

/// Whether a buyer that knows what is right finds `report` right. Of a hand-over it sees the checkpoint only.
pub(super) fn is_right(offer: &Offer, report: &Report) -> bool {
    match report.outcome {
        Outcome::Migrated(handed_over) => {
            handed_over == checkpoint(offer) && report.cycles.0.saturating_mul(2) <= truth(offer).cycles.0
        }
        _ => work_of(report) == truth(offer),
    }
}

fn work_of(report: &Report) -> Work {
    Work { outcome: report.outcome.clone(), cycles: report.cycles, outputs: report.outputs.clone() }
}

pub(super) fn report(contract: CommandId, offer: Hash, work: Work, keys: &KeyPair) -> Signed<Report> {
    let Work { outcome, cycles, outputs } = work;
    let body =
        Report { contract, offer, outcome, cycles, outputs, stdout: None, stderr: None, more: Vec::new() };
    Signed::new(body, keys)
}

pub(super) fn finding(contract: CommandId, report: Hash, work: Work, keys: &KeyPair) -> Signed<Finding> {
    let Work { outcome, cycles, outputs } = work;
    let body =
        Finding { contract, report, outcome, cycles, outputs, stdout: None, stderr: None, more: Vec::new() };
    Signed::new(body, keys)
}

pub(super) fn taken(contract: CommandId, report: &Signed<Report>, keys: &KeyPair) -> Signed<Taken> {
    Signed::new(Taken { contract, report: report.hash() }, keys)
}

pub(super) fn accepted(contract: CommandId, report: &Signed<Report>, keys: &KeyPair) -> Signed<Verdict> {
    let body = Verdict { contract, report: report.hash(), is_accepted: true, reason: String::new() };
    Signed::new(body, keys)
}

pub(super) fn settle(facts: &Facts, report: &Signed<Report>, verdict: &Signed<Verdict>) -> Settle {
    let (ticket, report, verdict) = (facts.ticket.clone(), report.clone(), verdict.clone());
    Settle { hold: facts.id, ticket, report, verdict }
}

fn listing(seller: Peer, ask: Rate, keys: &KeyPair) -> Signed<Listing> {
    let body = Listing {
        seller,
        version: 1,
        market: Market { commodity: Commodity::Compute, class: 40 },
        cores: 1,
        per_core: Capacity(1_024),
        ask,
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        platform: Platform::default(),
        longest: Span::secs(3_600),
        standing: None,
        whole: Bundle { cores: 1, memory: Bytes::gib(1), disk: Bytes::gib(1) },
        expires: Time(u64::MAX),
    };
    Signed::new(body, keys)
}

/// A node with its keys.
pub(super) type Signer<'a> = (Peer, &'a KeyPair);

/// The ticket of a match: the winner, and another seller whose ask makes the price.
pub(super) fn ticket(
    owner_is: Owner,
    rules: &Rules,
    buyer: Peer,
    [owner, seller, other]: [Signer<'_>; 3],
) -> Signed<Ticket> {
    let contract = id("ticket", &buyer.key.0);
    let (second, signer) = match owner_is {
        Owner::Inventive => (INVENTED, owner.1),
        Owner::Honest | Owner::Greedy => (SECOND, other.1),
    };
    let fee = match owner_is {
        Owner::Greedy => Money(rules.owner_fee.0.saturating_mul(10)),
        Owner::Honest | Owner::Inventive => rules.owner_fee,
    };
    let body = Ticket {
        id: contract,
        buyer: buyer.key,
        owner: owner.0,
        requirement: Requirement::default(),
        rule: rules.rule,
        bid: BID,
        clearing: second,
        fee,
        owner_rate: Rate(0),
        asks_seen: 2,
        winner: listing(seller.0, ASK, seller.1),
        runner_up: Some(listing(other.0, second, signer)),
        draw: contract,
        expires: Time(u64::MAX),
    };
    Signed::new(body, owner.1)
}

/// What a buyer sets aside: the fee and all cycles at the price, or all that it has.
pub(super) fn amount(buyer: Buyer, rules: &Rules, ticket: &Ticket) -> Money {
    if buyer == Buyer::Broke {
        return rules.initial_grant;
    }
    Money(rules.owner_fee.0.saturating_add(ticket.clearing.cost(LIMIT).0))
}

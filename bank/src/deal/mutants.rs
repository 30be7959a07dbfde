//! Known bugs in what bonds, claims, disputes and their ends change; the invariants have to see each of them.

use super::{Claimed, Deal, Disputed, Price, Stage, in_silence};
use crate::account::{Posting, Side};
use crate::check::{Violation, check_all, check_touched};
use crate::hold::Hold;
use crate::ledger::{Ledger, Step};
use crate::record::Network;
use crate::settlement::{overturned, upheld};
use crate::standing::Conduct;
use proto::message::bank::{Ending, HoldReceipt};
use proto::message::market::{Listing, Platform, Requirement, Ticket};
use proto::message::service::{Blob, Job, Limits, Offer};
use proto::rules::PricingRule;
use proto::{
    Bundle, Bytes, Capacity, CommandId, Commodity, Cycles, Hash, KeyPair, Market, Money, Peer, PublicKey,
    Rate, Signed, Span, Time,
};

const BUYER: PublicKey = PublicKey([1; 32]);
const SELLER: PublicKey = PublicKey([2; 32]);
const ARBITER: PublicKey = PublicKey([5; 32]);
const BANK: PublicKey = PublicKey([9; 32]);
const ID: CommandId = CommandId([4; 16]);
const HOLD: Hold = Hold {
    id: ID,
    buyer: BUYER,
    seller: SELLER,
    ticket: Hash([0; 32]),
    amount: Money(100),
    expires: Time(9_000),
};
/// 40 for the seller, 10 for the owner.
const CLAIM: Claimed = Claimed {
    price: Price { clearing: Rate(40), owner: BANK, fee: Money(10), owner_rate: Rate(0) },
    cycles: Cycles(1_000_000_000),
    report: Hash([1; 32]),
    offer: Hash([2; 32]),
    finding: Hash([3; 32]),
    is_taken: true,
    until: Time(9_000),
};

fn moved(from: Side, to: Side, amount: u64) -> Vec<Posting> {
    vec![Posting::debit(from, Money(amount)), Posting::credit(to, Money(amount))]
}

fn opening(account: PublicKey) -> Step {
    let postings = moved(Side::Issuer, Side::Available(account), 500);
    Step { postings, granted: Some((account, Network::default())), ..Step::default() }
}

fn placing() -> Step {
    let postings = moved(Side::Available(BUYER), Side::Held(BUYER), 100);
    Step { postings, placed: Some(HOLD), ..Step::default() }
}

fn accepted() -> Deal {
    Deal { bond: Money(20), stage: Stage::Accepted, ..Deal::placed(HOLD) }
}

fn claimed() -> Deal {
    Deal { stage: Stage::Claimed(Box::new(CLAIM)), ..accepted() }
}

fn disputed() -> Deal {
    let dispute = Disputed {
        claim: CLAIM,
        offer: offer(),
        deposit: Money(40),
        stake: Money(20),
        seed: Hash::default(),
        named: vec![ARBITER],
        until: Time(9_000),
    };
    Deal { stage: Stage::Disputed(Box::new(dispute)), ..accepted() }
}

fn changing(postings: Vec<Posting>, deal: Deal) -> Step {
    Step { postings, changed: Some(deal), ..Step::default() }
}

fn accepting() -> Step {
    changing(moved(Side::Available(SELLER), Side::Held(SELLER), 20), accepted())
}

fn disputing() -> Step {
    let deposit = moved(Side::Available(BUYER), Side::Held(BUYER), 40);
    let stake = moved(Side::Available(SELLER), Side::Held(SELLER), 20);
    changing([deposit, stake].concat(), disputed())
}

/// The end of a deal, with what it moves worked out here once more.
fn closing(ending: Ending) -> Step {
    let shares = ending.shares;
    let mut postings = vec![
        Posting::debit(Side::Held(BUYER), shares.buyer_held),
        Posting::debit(Side::Held(SELLER), shares.seller_held),
    ];
    for (account, share) in [
        (BUYER, shares.buyer),
        (SELLER, shares.seller),
        (ARBITER, shares.arbiter),
        (BANK, Money(shares.owner.0 + shares.pool.0)),
    ] {
        postings.push(Posting::credit(Side::Available(account), share));
    }
    Step { postings, closed: Some((ending, Conduct::Broken)), ..Step::default() }
}

/// Executes steps one after the other, and checks after each.
fn run(steps: &[Step]) -> Result<Ledger, Violation> {
    let mut ledger = Ledger::new(BANK);
    for (time, step) in (1..).zip([&[opening(BUYER), opening(SELLER)], steps].concat()) {
        ledger.execute(step, Time(time))?;
        let cheap = check_touched(&ledger);
        assert_eq!(cheap, check_all(&ledger), "both checks see the same");
        cheap?;
    }
    Ok(ledger)
}

/// Executes the right steps and then a wrong one, and expects this violation.
fn check(name: &str, right: &[Step], wrong: Step, violation: &Violation) {
    assert!(run(right).is_ok(), "{name}");
    assert_eq!(run(&[right, &[wrong]].concat()).map(|_| ()), Err(violation.clone()), "{name}");
}

#[test]
fn the_right_steps_break_nothing() {
    let way = [placing(), accepting(), changing(Vec::new(), claimed()), disputing()];
    for (ending, expected) in [
        (upheld(&disputed(), &CLAIM), [410, 540, 40, 10]),
        (overturned(&disputed()), [500, 460, 40, 0]),
        (in_silence(&disputed()).0, [450, 540, 0, 10]),
    ] {
        let ledger = run(&[way.as_slice(), &[closing(ending)]].concat()).unwrap();
        let has = [BUYER, SELLER, ARBITER, BANK]
            .map(|account| ledger.accounts.find(account).map_or(0, |found| found.available));
        assert_eq!(has, expected, "{ending:?}");
    }
}

#[test]
fn a_bond_that_is_not_what_the_deal_says_is_seen() {
    let placed = [placing()];
    let mut unpaid = accepting();
    unpaid.postings.remove(0);
    let more = Violation::NotConserved { issued: 1_000, available: 900, held: 120 };
    check("it is not taken from the seller", &placed, unpaid, &more);
    let unknown = changing(accepting().postings, Deal::placed(HOLD));
    let lost = Violation::HoldsMismatch { held: 120, holds: 100 };
    check("the deal does not know it", &placed, unknown, &lost);
    let of_buyer = changing(moved(Side::Available(SELLER), Side::Held(BUYER), 20), accepted());
    let wrong = Violation::HeldMismatch { account: BUYER, held: 120, holds: 100 };
    check("it is held of the buyer", &placed, of_buyer, &wrong);
    let forgetful = changing(Vec::new(), Deal { bond: Money(0), ..claimed() });
    check("a claim forgets it", &[placing(), accepting()], forgetful, &lost);
    let elsewhere = Hold { id: CommandId([5; 16]), ..HOLD };
    let other = changing(Vec::new(), Deal { hold: elsewhere, ..accepted() });
    let none = Violation::NoOpenHold { hold: CommandId([5; 16]) };
    check("it is of a hold that is not there", &placed, other, &none);
    let sold =
        changing(Vec::new(), Deal { hold: Hold { buyer: SELLER, seller: BUYER, ..HOLD }, ..claimed() });
    let swapped = Violation::HeldMismatch { account: BUYER, held: 100, holds: 20 };
    check("a claim swaps the parties", &[placing(), accepting()], sold, &swapped);
}

#[test]
fn a_deposit_that_is_not_what_the_dispute_says_is_seen() {
    let way = [placing(), accepting(), changing(Vec::new(), claimed())];
    let unposted = changing(Vec::new(), disputed());
    let missing = Violation::HoldsMismatch { held: 120, holds: 180 };
    check("nobody put anything up", &way, unposted, &missing);
    let crossed = changing(
        [
            moved(Side::Available(BUYER), Side::Held(BUYER), 20),
            moved(Side::Available(SELLER), Side::Held(SELLER), 40),
        ]
        .concat(),
        disputed(),
    );
    let wrong = Violation::HeldMismatch { account: BUYER, held: 120, holds: 140 };
    check("the seller pays the deposit", &way, crossed, &wrong);
}

#[test]
fn an_end_that_pays_too_much_or_too_little_is_seen() {
    let way = [placing(), accepting(), changing(Vec::new(), claimed()), disputing()];
    let not_conserved = |available| Violation::NotConserved { issued: 1_000, available, held: 0 };
    let mut twice = closing(overturned(&disputed()));
    twice.postings.push(Posting::credit(Side::Available(BUYER), Money(40)));
    check("the buyer has its deposit and the arbiter too", &way, twice, &not_conserved(1_040));
    let mut unpaid = closing(upheld(&disputed(), &CLAIM));
    unpaid.postings.retain(|posting| posting.side != Side::Available(ARBITER));
    check("the arbiter is not paid", &way, unpaid, &not_conserved(960));
    let mut kept = closing(upheld(&disputed(), &CLAIM));
    kept.postings.retain(|posting| posting.side != Side::Held(SELLER));
    kept.postings.retain(|posting| posting.side != Side::Available(SELLER));
    kept.postings.push(Posting::credit(Side::Available(SELLER), Money(40)));
    check("the bond stays held", &way, kept, &Violation::HoldsMismatch { held: 40, holds: 0 });
    let mut burnt = closing(in_silence(&accepted()).0);
    burnt.postings.retain(|posting| posting.side != Side::Available(BANK));
    check("a penalty vanishes", &way[..2], burnt, &not_conserved(990));
    let mut open = closing(overturned(&disputed()));
    open.closed = None;
    check("it is paid and left open", &way, open, &Violation::HoldsMismatch { held: 0, holds: 180 });
}

/// Some work.
fn offer() -> Signed<Offer> {
    let keys = KeyPair::from_secret([1; 32]);
    let peer = Peer::new(([10, 0, 0, 1], 7_000).into(), 0, BUYER);
    let nothing = Bytes(0);
    let listing = Listing {
        seller: peer,
        version: 1,
        market: Market { commodity: Commodity::Compute, class: 1 },
        cores: 1,
        per_core: Capacity(1),
        ask: Rate(1),
        memory: nothing,
        disk: nothing,
        platform: Platform::default(),
        longest: Span(1),
        standing: None,
        whole: Bundle { cores: 1, memory: nothing, disk: nothing },
        expires: Time(0),
    };
    let ticket = Ticket {
        id: ID,
        buyer: BUYER,
        owner: peer,
        requirement: Requirement::default(),
        rule: PricingRule::Vickrey,
        bid: Rate(40),
        clearing: Rate(40),
        fee: Money(10),
        owner_rate: Rate(0),
        asks_seen: 1,
        winner: Signed::new(listing, &keys),
        runner_up: None,
        draw: ID,
        expires: Time(0),
    };
    let hold = HoldReceipt {
        hold: ID,
        bank: BANK,
        buyer: BUYER,
        seller: SELLER,
        ticket: Hash::default(),
        amount: Money(100),
        expires: Time(0),
    };
    let limits = Limits {
        wall: Span(1),
        memory: nothing,
        disk: nothing,
        output: nothing,
        cycles: Cycles(1),
        processes: 1,
        cores: 1,
    };
    let job = Job::new(Blob { hash: Hash::default(), size: nothing }, limits);
    let offer = Offer {
        contract: ID,
        task: ID,
        sub_task: 0,
        attempt: 1,
        buyer: peer,
        seller: SELLER,
        job,
        hold: Signed::new(hold, &keys),
        ticket: Signed::new(ticket, &keys),
    };
    Signed::new(offer, &keys)
}

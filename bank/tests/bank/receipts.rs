//! Receipts: who gets one, what it proves, and what is found when somebody changes it.

use crate::papers::{Deal, declined, release};
use crate::shelf::Shelf;
use crate::world::{BANK, World, hold, id, key, keys, peer, signed};
use bank::receipt::{Verified, verify};
use bank::{Event, Query, Record, Search, answer};
use proto::message::bank::{
    BankCommand, BankMessage, Claim, DealReceipt, Ending, Finding, How, Judge, Order, ReceiptQuery, Shares,
};
use proto::message::service::{Outcome, Taken};
use proto::{Cycles, Hash, Money, RequestId, Signed, Span, Time};

fn ask(shelf: &mut Shelf, who: u8, contract: u32) -> Result<Signed<DealReceipt>, (&'static str, String)> {
    let query = ReceiptQuery { request: RequestId(9), contract: id(contract) };
    let search = Search { from: peer(who), query: Query::Receipt(query) };
    match answer(&search, shelf, &keys(BANK)) {
        BankMessage::Receipt(reply) => {
            assert_eq!(reply.request, RequestId(9));
            Ok(reply.receipt)
        }
        BankMessage::Refused(refused) => {
            assert_eq!(refused.request, RequestId(9));
            Err((refused.refusal.code.name(), refused.refusal.message))
        }
        other => panic!("{other:?}"),
    }
}

/// Contract 1 is settled, 2 given back by its seller, 3 declined, 4 expired; 5 is open.
fn world() -> World {
    let mut world = World::with_accounts(&[1, 2, 3, 4]);
    let ticket = Deal::default().ticket().hash();
    for (number, secs) in [(1, 60), (2, 60), (3, 60), (4, 20), (5, 60)] {
        world.held(1, number, hold(2, ticket, 5_000_000, secs));
    }
    world.order(1, 11, Deal::default().settle(1));
    world.order(2, 12, release(2, None, None));
    world.order(1, 13, release(3, Some(declined(2, 3)), None));
    world.wait(Span::secs(30));
    world
}

#[test]
fn the_parties_of_a_contract_have_its_receipt_and_nobody_else() {
    let mut shelf = Shelf::of(&world());
    for who in 1..=3 {
        let receipt = ask(&mut shelf, who, 1).unwrap();
        assert!(receipt.is_genuine_by(key(BANK)));
        assert_eq!(receipt.body.ending.how, How::Settled);
    }
    let stranger = ask(&mut shelf, 4, 1).unwrap_err();
    assert_eq!(stranger, ("not_yours", format!("contract {} is none of {}", id(1), key(4))));
    let unpaid = ask(&mut shelf, 3, 2).unwrap_err();
    assert_eq!(unpaid.0, "not_yours", "an owner that is not paid is no party");
    let unknown = ask(&mut shelf, 1, 77).unwrap_err();
    assert_eq!(unknown, ("no_hold", format!("there is no contract {}", id(77))));
    let open = ask(&mut shelf, 1, 5).unwrap_err();
    let state = "the money is set aside, and nothing was claimed";
    assert_eq!(open, ("wrong_state", format!("contract {} has not ended: {state}", id(5))));
}

#[test]
fn every_end_has_a_receipt_that_holds_and_says_what_it_does_not_show() {
    let mut shelf = Shelf::of(&world());
    let mut told = |contract| verify(&ask(&mut shelf, 1, contract).unwrap(), Some(key(BANK))).unwrap();
    let amounts = |seller: &str, owner: &str, buyer: &str| {
        format!(
            "the amounts follow from this: {seller} to the seller, {owner} to the market owner, {buyer} back to the buyer"
        )
    };
    let has = |told: &Verified, sentence: &str| {
        assert!(told.proven.iter().any(|proven| proven == sentence), "{sentence}: {told:#?}");
    };
    let settled = told(1);
    has(&settled, &amounts("4", "0.01", "0.99"));
    has(&settled, "the buyer accepted this report");
    has(&settled, "the seller reported 2 Gc, and that the work succeeded");
    has(&settled, "its price follows from its listings, which their sellers signed");
    let doubts = [
        "that the market owner left no cheaper listing out: this it says",
        "that cycles and outputs are right: an execution of the same tells",
        "that this record stands in the journal that others see: compare its chain with an export of it",
    ];
    assert_eq!(settled.unproven, doubts);
    let (released, declined, expired) = (told(2), told(3), told(4));
    for end in [&released, &declined, &expired] {
        has(end, &amounts("0", "0", "5"));
    }
    has(&released, "the seller itself gave the money back");
    has(&declined, "the seller declined the offer");
    assert_eq!(expired.unproven[0], "that its time was over without a valid claim: this the bank says");
}

#[test]
fn a_bank_that_nobody_named_is_not_taken_for_granted() {
    let receipt = ask(&mut Shelf::of(&world()), 1, 1).unwrap();
    let unnamed = verify(&receipt, None).unwrap();
    assert!(unnamed.unproven[0].contains("is your network's bank: name its key with --bank"), "{unnamed:?}");
    let refused = verify(&receipt, Some(key(9))).unwrap_err();
    assert_eq!(refused.message, format!("it is of the bank {}, not of {}", key(BANK), key(9)));
}

/// A receipt whose bank signs what `change` has made of it is found to be wrong.
#[track_caller]
fn check(receipt: &Signed<DealReceipt>, change: impl FnOnce(&mut DealReceipt), expected: &str) {
    let mut body = receipt.body.clone();
    change(&mut body);
    let refusal = verify(&Signed::new(body, &keys(BANK)), Some(key(BANK))).unwrap_err();
    assert_eq!(refusal.message, expected);
}

fn settle(command: &mut Option<Signed<BankCommand>>) -> &mut proto::message::bank::Settle {
    match command.as_mut().map(|command| &mut command.body.order) {
        Some(Order::Settle(settle)) => settle,
        other => panic!("{other:?}"),
    }
}

/// Signs the order again after a change, as whoever gave it.
fn sign_again(command: &mut Option<Signed<BankCommand>>, who: u8) {
    *command = command.take().map(|command| Signed::new(command.body, &keys(who)));
}

#[test]
fn a_receipt_that_was_changed_says_what_is_wrong_first() {
    let receipt = ask(&mut Shelf::of(&world()), 1, 1).unwrap();
    let forged = Signed { signature: keys(9).sign(b"x"), ..receipt.clone() };
    let refusal = verify(&forged, None).unwrap_err();
    assert_eq!(refusal.message, format!("it is not signed by the bank {}", key(BANK)));
    let other = Signed::new(receipt.body.clone(), &keys(9));
    assert_eq!(verify(&other, None).unwrap_err().message, refusal.message);

    check(&receipt, |body| body.ending.shares.seller.0 += 1, "what was given out is not what was held");
    let moved = |body: &mut DealReceipt| {
        body.ending.shares.seller.0 += 1;
        body.ending.shares.buyer.0 -= 1;
    };
    let says = "it says 4.000001 to the seller, 0.01 to the market owner, 0.989999 back to the buyer; \
        by its papers it has to be 4 to the seller, 0.01 to the market owner, 0.99 back to the buyer";
    check(&receipt, moved, says);
    let more_held = |body: &mut DealReceipt| {
        body.ending.shares.buyer_held.0 -= 1;
        body.ending.shares.buyer.0 -= 1;
    };
    check(&receipt, more_held, "more was held or given back than the papers allow");
    check(
        &receipt,
        |body| body.ending.hold = id(2),
        "the order that set the money aside is of another contract",
    );
    check(&receipt, |body| body.ending.seller = key(4), "the money was set aside for another seller");
    check(
        &receipt,
        |body| body.ending.buyer = key(4),
        "the order that set the money aside is not the buyer's",
    );
    check(&receipt, |body| body.ending.owner = Some(key(4)), "the market owner is not the one of the ticket");
    let how = "its papers are not those of a contract that was expired";
    check(&receipt, |body| body.ending.how = How::Expired, how);
    check(&receipt, |body| body.papers = None, "its papers are not those of a contract that was settled");
}

#[test]
fn papers_that_were_changed_are_no_papers() {
    let receipt = ask(&mut Shelf::of(&world()), 1, 1).unwrap();
    let unsigned = format!("the order that ended it is not signed by {}", key(1));
    check(&receipt, |body| settle(&mut body.papers).report.body.cycles.0 += 1, &unsigned);
    let more_cycles = |body: &mut DealReceipt| {
        settle(&mut body.papers).report.body.cycles.0 += 1;
        sign_again(&mut body.papers, 1);
    };
    check(&receipt, more_cycles, &format!("the report is not signed by the seller {}", key(2)));
    let other_price = |body: &mut DealReceipt| {
        settle(&mut body.papers).ticket.body.clearing.0 -= 1;
        sign_again(&mut body.papers, 1);
    };
    check(&receipt, other_price, &format!("the ticket is not the one that hold {} was placed for", id(1)));
    let unsigned = format!("the order that set the money aside is not signed by {}", key(1));
    check(&receipt, |body| body.placed.body.id = id(2), &unsigned);
    let by_another = |body: &mut DealReceipt| sign_again(&mut body.papers, 4);
    let not_party = format!("{} ended it, who is neither its buyer nor its seller", key(4));
    check(&receipt, by_another, &not_party);
    let elsewhere = |body: &mut DealReceipt| {
        let mut command = body.placed.body.clone();
        command.bank = key(9);
        body.placed = Signed::new(command, &keys(1));
    };
    let meant = format!("the order that set the money aside is meant for the bank {}", key(9));
    check(&receipt, elsewhere, &meant);
}

/// The records of contract 1 when it was claimed and came to this end, and its receipt.
fn ended(how: How, taken: bool, arbiter: Option<u8>, shares: Shares) -> Signed<DealReceipt> {
    let deal = Deal::default();
    let (report, ticket) = (deal.report(1), deal.ticket());
    let taken = taken.then(|| Signed::new(Taken { contract: id(1), report: report.hash() }, &keys(1)));
    let finding = |cycles| Finding {
        contract: id(1),
        report: report.hash(),
        outcome: Outcome::Succeeded,
        cycles,
        outputs: Vec::new(),
        stdout: None,
        stderr: None,
        more: Vec::new(),
    };
    let judged = |cycles| {
        let finding = Signed::new(finding(cycles), &keys(5));
        Some(Box::new(signed(5, 50, Order::Judge(Box::new(Judge { hold: id(1), finding })))))
    };
    let command = match how {
        How::Upheld => judged(deal.cycles),
        How::Overturned => judged(Cycles(1)),
        How::Settled => Some(Box::new(signed(1, 50, deal.settle(1)))),
        How::Released => Some(Box::new(signed(2, 50, release(1, None, None)))),
        _ => None,
    };
    let is_paid = how.is_paid();
    let claim = Claim { hold: id(1), ticket: ticket.clone(), report, taken };
    let claim = Box::new(signed(2, 41, Order::Claim(Box::new(claim))));
    let ending = Ending {
        hold: id(1),
        how,
        buyer: key(1),
        seller: key(2),
        owner: is_paid.then(|| key(3)),
        arbiter: arbiter.map(key),
        shares,
    };
    let placed = Box::new(signed(1, 1, hold(2, ticket.hash(), 5_000_000, 60)));
    let events = [
        Event::HoldPlaced { command: placed, expires: Time(90) },
        Event::HoldClaimed { command: claim, until: Time(90) },
        Event::HoldClosed { command, ending: Box::new(ending) },
    ];
    let seal = |(number, event)| Record::seal(number, Time(number + 1), event, Hash::default());
    let mut shelf = Shelf { records: (0..).zip(events).map(seal).collect(), is_broken: false };
    for who in [Some(1), Some(2), arbiter].into_iter().flatten() {
        assert_eq!(ask(&mut shelf, who, 1), ask(&mut shelf, 1, 1), "person {who}");
    }
    ask(&mut shelf, 1, 1).unwrap()
}

fn shares(held: [u64; 2], given: [u64; 5]) -> Shares {
    let [buyer_held, seller_held] = held.map(Money);
    let [buyer, seller, owner, arbiter, pool] = given.map(Money);
    Shares { buyer_held, seller_held, buyer, seller, owner, arbiter, pool }
}

/// A claimed contract with the right amounts holds, and with one of them moved it does not.
#[track_caller]
fn check_claimed(how: How, taken: bool, arbiter: Option<u8>, right: Shares) {
    let told = verify(&ended(how, taken, arbiter, right), Some(key(BANK)));
    assert!(told.is_ok(), "{told:?}");
    let stolen = Shares { buyer: Money(right.buyer.0 - 1), pool: Money(right.pool.0 + 1), ..right };
    let refusal = verify(&ended(how, taken, arbiter, stolen), Some(key(BANK))).unwrap_err();
    assert!(refusal.message.starts_with("it says "), "{refusal:?}");
}

#[test]
fn ends_by_claim_and_by_judgement_follow_from_claim_and_finding() {
    let bond = 500_000;
    let paid = shares([5_000_000, bond], [990_000, 4_000_000 + bond, 10_000, 0, 0]);
    check_claimed(How::Lapsed, true, None, paid);
    let deposit = 4_000_000;
    let undecided =
        Shares { buyer_held: Money(5_000_000 + deposit), buyer: Money(990_000 + deposit), ..paid };
    check_claimed(How::Undecided, false, None, undecided);
    let upheld = Shares { buyer: Money(990_000), arbiter: Money(deposit), ..undecided };
    check_claimed(How::Upheld, false, Some(5), upheld);
    // Bond and stake are 4.2 credits: 4 for the arbiter, 0.2 for the buyer.
    let overturned = shares([9_000_000, 4_200_000], [9_200_000, 0, 0, 4_000_000, 0]);
    check_claimed(How::Overturned, false, Some(5), overturned);
    // They are 6 credits: 4 for the arbiter, a tenth of the hold for the buyer, and the rest for nobody.
    let dear = shares([9_000_000, 6_000_000], [9_500_000, 0, 0, 4_000_000, 1_500_000]);
    check_claimed(How::Overturned, false, Some(5), dear);
    // They are 1 credit: the buyer pays the rest of the arbiter.
    let poor = shares([9_000_000, 1_000_000], [6_000_000, 0, 0, 4_000_000, 0]);
    check_claimed(How::Overturned, false, Some(5), poor);
    // Who gives in while an arbiter works pays it: the buyer that settles, the seller that releases.
    check_claimed(How::Settled, false, Some(5), upheld);
    let conceded = shares([9_000_000, 4_200_000], [9_000_000, 200_000, 0, 4_000_000, 0]);
    check_claimed(How::Released, false, Some(5), conceded);
    check_claimed(How::Released, false, Some(5), poor);
    let no_show = shares([5_000_000, bond], [5_250_000, 0, 0, 0, 250_000]);
    check_claimed(How::NoShow, false, None, no_show);

    let refused = |how, taken, right| verify(&ended(how, taken, Some(5), right), None).unwrap_err().message;
    assert_eq!(refused(How::Lapsed, false, paid), "the buyer's word that it took the outputs is missing");
    let finding = |how: How| {
        let mut receipt = ended(how, false, Some(5), if how == How::Upheld { upheld } else { dear });
        receipt.body.ending.how = if how == How::Upheld { How::Overturned } else { How::Upheld };
        verify(&Signed::new(receipt.body, &keys(BANK)), None).unwrap_err().message
    };
    assert_eq!(finding(How::Upheld), "by the arbiter's finding it cannot have been overturned");
    assert_eq!(finding(How::Overturned), "by the arbiter's finding it cannot have been upheld");
}

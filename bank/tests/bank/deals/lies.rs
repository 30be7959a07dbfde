//! Lies about a contract: each is refused with its reason, moves nothing and leaves no record.

use super::{
    Act, Court, GRANT, HOLD, claim, claim_papers, dispute, judge, offer, other, report, same, settle, taken,
};
use crate::papers::Deal;
use crate::world::{id, key, keys, refused};
use proto::message::bank::{Claim, Dispute, Finding, How, Judge, MAX_MEMO, Order, Settle};
use proto::message::service::{Blob, Job, NamedBlob, Offer, Outcome, Product, Report};
use proto::{Bytes, Cycles, Hash, RefusalCode, Signed, Span};

/// Goes this way, and then expects that `order` of `who` is refused with these words.
fn check(acts: &[Act], who: u8, order: Order, code: RefusalCode, message: &str) {
    let mut court = Court::new(40);
    court.acts(acts);
    let (head, money) = (court.world.bank.head(), court.money());
    let said = refused(court.order(who, order));
    assert_eq!(said, (code, message.to_owned()), "{acts:?}");
    assert_eq!((court.world.bank.head(), court.money()), (head, money), "{acts:?}: something moved");
}

const MISMATCH: RefusalCode = RefusalCode::Mismatch;
const NOT_YOURS: RefusalCode = RefusalCode::NotYours;
const WRONG_STATE: RefusalCode = RefusalCode::WrongState;

fn claiming(edit: impl FnOnce(&mut Claim)) -> Order {
    let mut claim = claim_papers(&Deal::default(), true);
    edit(&mut claim);
    Order::Claim(Box::new(claim))
}

#[test]
fn a_claim_has_to_be_of_the_seller_by_papers_that_fit() {
    let deal = Deal::default();
    let dearer = Deal { bid: 4_000_000, ..Deal::default() };
    let idle = Deal { cycles: Cycles(7), ..Deal::default() };
    let failed = Deal { outcome: Outcome::Exited(1), ..Deal::default() };
    let seller_only = format!("only the seller may do that, and {} is the buyer", key(1));
    let stranger = format!("hold 00000004 is neither bought nor sold by {}", key(8));
    check(&[], 1, claim(&deal, true), NOT_YOURS, &seller_only);
    check(&[], 8, claim(&deal, true), NOT_YOURS, &stranger);
    let ticket = "the ticket is not the one that hold 00000004 was placed for";
    check(&[], 2, claiming(|claim| claim.ticket = dearer.ticket()), MISMATCH, ticket);
    let forged = Signed::new(report(&deal).body, &keys(8));
    let message = format!("the report is not signed by the seller {}", key(2));
    check(&[], 2, claiming(|claim| claim.report = forged), NOT_YOURS, &message);
    let elsewhere = deal.report(5);
    let message = "the report is about contract 00000005, not about hold 00000004";
    check(&[], 2, claiming(|claim| claim.report = elsewhere), MISMATCH, message);
    let message = "the report says that the work exited with status 1; only success is paid";
    check(&[], 2, claiming(|claim| claim.report = report(&failed)), MISMATCH, message);
    let message = "the outputs were taken of another report";
    check(&[], 2, claiming(|claim| claim.taken = Some(taken(&deal, &report(&idle)))), MISMATCH, message);
    let own = Signed::new(taken(&deal, &report(&deal)).body, &keys(2));
    let message = format!("the word that the outputs were taken is not signed by the buyer {}", key(1));
    check(&[], 2, claiming(|claim| claim.taken = Some(own)), NOT_YOURS, &message);
    let mut body = taken(&deal, &report(&deal)).body;
    body.contract = id(5);
    let replayed = Signed::new(body, &keys(1));
    let message = "the word that the outputs were taken is about contract 00000005, not about hold 00000004";
    check(&[], 2, claiming(|claim| claim.taken = Some(replayed)), MISMATCH, message);
    let cheaper = Deal { fee: proto::Money(1), ..Deal::default() };
    let mut court = Court::over(0, cheaper.clone());
    let message = "the ticket's owner fee is 0.000001, the network's is 0.01".to_owned();
    assert_eq!(refused(court.order(2, claim(&cheaper, true))), (MISMATCH, message));
}

#[test]
fn a_claim_is_made_once_and_only_upgraded_by_the_buyers_word() {
    let again = |is_taken| claim(&Deal::default(), is_taken);
    let claimed = "contract 00000004 is claimed";
    check(&[Act::Deliver], 2, again(false), WRONG_STATE, "contract 00000004 is delivered");
    check(&[Act::Claim], 2, again(true), WRONG_STATE, claimed);
    check(&[Act::Claim], 2, again(false), WRONG_STATE, claimed);
    check(&[Act::Claim, Act::Dispute], 2, again(true), WRONG_STATE, "contract 00000004 is disputed");
    let paid = "hold 00000004 was settled: 4 to the seller, 0.01 to the market owner, 0.99 back";
    check(&[Act::Settle(1)], 2, again(true), RefusalCode::HoldClosed, paid);
    let over = "hold 00000004 was expired: 5 back to the buyer";
    check(&[Act::Wait(61)], 2, again(true), RefusalCode::HoldReturned, over);
}

#[test]
fn a_bond_is_put_up_once_by_the_seller_that_has_the_money() {
    let accept = || Order::AcceptHold(proto::message::bank::AcceptHold { hold: id(HOLD) });
    let message = format!("only the seller may do that, and {} is the buyer", key(1));
    check(&[], 1, accept(), NOT_YOURS, &message);
    check(&[Act::Accept], 2, accept(), WRONG_STATE, "contract 00000004 is accepted");
    check(&[Act::Deliver], 2, accept(), WRONG_STATE, "contract 00000004 is delivered");
    let mut court = Court::new(0);
    let message = "the network's rules ask for no bond".to_owned();
    assert_eq!(refused(court.order(2, accept())), (WRONG_STATE, message));
    let mut court = Court::new(40);
    court.world.held(2, 60, crate::world::hold(6, Hash([9; 32]), GRANT - 1_999_999, 9_000));
    let message =
        "the account has 1.999999 credits available, the bond takes 2; 41.500001 are held".to_owned();
    assert_eq!(refused(court.order(2, accept())), (RefusalCode::NotEnoughMoney, message));
    let mut court = Court::new(u16::MAX);
    assert_eq!(refused(court.order(2, accept())).0, RefusalCode::NotEnoughMoney);
}

#[test]
fn a_buyer_settles_what_is_claimed_or_objects_to_it() {
    let cheap = Deal { cycles: Cycles(1_000), ..Deal::default() };
    let message = "the report is not the one that the seller claims by";
    for acts in [vec![Act::Deliver], vec![Act::Claim], vec![Act::Claim, Act::Dispute]] {
        check(&acts, 1, settle(&cheap), MISMATCH, message);
    }
    // Before a claim, any report of the seller that the buyer accepts will do; after it, the seller may take less.
    for (acts, who) in [(vec![], 1), (vec![Act::Claim], 2)] {
        let mut court = Court::new(0);
        court.acts(&acts);
        assert!(matches!(court.order(who, settle(&cheap)), proto::message::bank::BankOutcome::Settled(_)));
    }
    let twice = "hold 00000004 was lapsed: 4 to the seller, 0.01 to the market owner, 0.99 back";
    check(&[Act::Claim, Act::Wait(601)], 1, settle(&Deal::default()), RefusalCode::HoldClosed, twice);
}

fn disputing(edit: impl FnOnce(&mut Dispute)) -> Order {
    let reason = "it is wrong".to_owned();
    let mut order = Dispute { hold: id(HOLD), offer: offer(&Deal::default()), reason };
    edit(&mut order);
    Order::Dispute(Box::new(order))
}

#[test]
fn a_dispute_is_the_buyers_in_time_once_and_about_the_offered_work() {
    let claimed = [Act::Claim];
    let right = || dispute(&Deal::default());
    let seller = format!("only the buyer may object, and {} is the seller", key(2));
    check(&claimed, 2, right(), NOT_YOURS, &seller);
    let stranger = format!("hold 00000004 is neither bought nor sold by {}", key(8));
    check(&claimed, 8, right(), NOT_YOURS, &stranger);
    check(&[], 1, right(), WRONG_STATE, "contract 00000004 is held");
    check(&[Act::Accept], 1, right(), WRONG_STATE, "contract 00000004 is accepted");
    check(&[Act::Deliver], 1, right(), WRONG_STATE, "contract 00000004 is delivered");
    check(&[Act::Claim, Act::Dispute], 1, right(), WRONG_STATE, "contract 00000004 is disputed");
    let appointed = [Act::Enter(5), Act::Claim, Act::Dispute];
    check(&appointed, 1, right(), WRONG_STATE, "contract 00000004 is before an arbiter");
    let late = "hold 00000004 was lapsed: 4 to the seller, 0.01 to the market owner, 0.99 back";
    check(&[Act::Claim, Act::Wait(601)], 1, right(), RefusalCode::HoldClosed, late);
    let easier = Offer { attempt: 2, ..offer(&Deal::default()).body };
    let easier = Signed::new(easier, &keys(1));
    let message = "the offer is not the one that the claimed report is about";
    check(&claimed, 1, disputing(|order| order.offer = easier), MISMATCH, message);
    let long = disputing(|order| order.reason = "x".repeat(MAX_MEMO + 1));
    check(&claimed, 1, long, RefusalCode::Malformed, "the reason has 141 bytes, 140 are kept");
}

/// Expects that a dispute over an offer that the report names is refused with these words.
fn check_offer(offer: Signed<Offer>, code: RefusalCode, message: &str) {
    let deal = Deal::default();
    let mut court = Court::new(0);
    let body = Report { offer: offer.hash(), ..report(&deal).body };
    let named = Signed::new(body, &keys(2));
    let taken = Some(taken(&deal, &named));
    let papers = Claim { hold: id(HOLD), ticket: deal.ticket(), report: named, taken };
    court.order(2, Order::Claim(Box::new(papers)));
    let said = refused(court.order(1, disputing(|order| order.offer = offer)));
    assert_eq!(said, (code, message.to_owned()));
}

#[test]
fn an_offer_that_the_buyer_did_not_make_for_this_contract_is_no_work_to_repeat() {
    let body = offer(&Deal::default()).body;
    let forged = Signed::new(body.clone(), &keys(2));
    check_offer(forged, NOT_YOURS, &format!("the offer is not signed by the buyer {}", key(1)));
    let elsewhere = Signed::new(Offer { contract: id(5), ..body.clone() }, &keys(1));
    check_offer(elsewhere, MISMATCH, "the offer is about contract 00000005, not about hold 00000004");
    let input = |n: u32| {
        let blob = Blob { hash: Hash::of(&n.to_le_bytes()), size: Bytes(1) };
        NamedBlob { name: format!("{n:0>100}"), blob }
    };
    let job = Job { inputs: (0..1_900).map(input).collect(), ..body.job.clone() };
    let huge = Signed::new(Offer { job, ..body }, &keys(1));
    let size = proto::wire::Wire::encode(&huge).len();
    let message = format!("the offer has {size} bytes, the bank keeps 262144 for an arbiter");
    check_offer(huge, RefusalCode::Malformed, &message);
}

#[test]
fn a_dispute_that_the_buyer_cannot_pay_is_none() {
    let mut court = Court::new(0);
    court.acts(&[Act::Claim]);
    court.world.held(1, 60, crate::world::hold(6, Hash([9; 32]), GRANT - 5_000_000 - 3_999_999, 9_000));
    let message =
        "the account has 3.999999 credits available, the second execution takes 4; 39.500001 are held";
    let said = refused(court.order(1, dispute(&Deal::default())));
    assert_eq!(said, (RefusalCode::NotEnoughMoney, message.to_owned()));
}

fn judging(who: u8, edit: impl FnOnce(&mut Finding)) -> Order {
    let mut finding = same(&Deal::default());
    edit(&mut finding);
    judge(who, finding)
}

#[test]
fn only_the_named_arbiter_decides_by_its_own_finding_of_this_report() {
    let acts = [Act::Enter(5), Act::Claim, Act::Dispute];
    let not_arbiter = |who| format!("{} is not the arbiter of contract 00000004", key(who));
    for who in [1, 2, 6] {
        check(&acts, who, judging(who, |_| {}), NOT_YOURS, &not_arbiter(who));
    }
    check(&[Act::Claim], 5, judging(5, |_| {}), WRONG_STATE, "nothing is disputed that could be decided");
    check(&[Act::Claim, Act::Dispute], 5, judging(5, |_| {}), NOT_YOURS, &not_arbiter(5));
    let forged = Signed::new(other(&Deal::default()), &keys(1));
    let forged = Order::Judge(Box::new(Judge { hold: id(HOLD), finding: forged }));
    let message = format!("the finding is not signed by the arbiter {}", key(5));
    check(&acts, 5, forged, NOT_YOURS, &message);
    let elsewhere = judging(5, |finding| finding.contract = id(5));
    let message = "the finding is about contract 00000005, not about hold 00000004";
    check(&acts, 5, elsewhere, MISMATCH, message);
    let older = judging(5, |finding| finding.report = Hash([1; 32]));
    check(&acts, 5, older, MISMATCH, "the finding is about another report");
    for (outcome, words) in [
        (Outcome::WallLimit(Span::secs(9)), "ran longer than its limit of 9.00 s"),
        (Outcome::Cancelled, "was cancelled"),
        (Outcome::Abandoned("busy".into()), "was given up by the seller: busy"),
    ] {
        let message = format!("that the work {words} decides nothing");
        check(&acts, 5, judging(5, |finding| finding.outcome = outcome), MISMATCH, &message);
    }
    let twice = "hold 00000004 was upheld: 8 to the seller, 0.01 to the market owner, 0.99 back";
    let acts = [acts.to_vec(), vec![Act::Confirm(5)]].concat();
    check(&acts, 5, judging(5, |finding| finding.cycles.0 += 1), RefusalCode::HoldClosed, twice);
}

#[test]
fn an_arbiter_that_was_silent_decides_nothing_any_more() {
    let mut court = Court::new(0);
    court.acts(&[Act::Enter(5), Act::Claim, Act::Dispute, Act::Wait(560), Act::Enter(6), Act::Wait(41)]);
    let said = refused(court.order(5, judging(5, |_| {})));
    assert_eq!(said, (NOT_YOURS, format!("{} is not the arbiter of contract 00000004", key(5))));
    court.acts(&[Act::Refute(6)]);
    assert_eq!(court.ending().and_then(|ending| ending.arbiter), Some(key(6)));
}

/// The name of what differs, and a finding that differs in it only.
fn differences() -> Vec<(&'static str, Finding)> {
    let blob = Blob { hash: Hash([1; 32]), size: Bytes(1) };
    let of = |edit: fn(&mut Finding, Blob)| {
        let mut finding = same(&Deal::default());
        edit(&mut finding, blob);
        finding
    };
    vec![
        ("cycles", of(|finding, _| finding.cycles.0 -= 1)),
        ("outputs", of(|finding, blob| finding.outputs = vec![NamedBlob { name: "a".into(), blob }])),
        ("stdout", of(|finding, blob| finding.stdout = Some(blob))),
        ("stderr", of(|finding, blob| finding.stderr = Some(blob))),
        ("exit", of(|finding, _| finding.outcome = Outcome::Exited(1))),
        ("trap", of(|finding, _| finding.outcome = Outcome::Trapped("unreachable".into()))),
        ("cycle limit", of(|finding, _| finding.outcome = Outcome::CycleLimit(Cycles(1)))),
        ("memory limit", of(|finding, _| finding.outcome = Outcome::MemoryLimit(Bytes(1)))),
        ("not a program", of(|finding, _| finding.outcome = Outcome::NotRunnable("text".into()))),
        ("an output is missing", of(|finding, _| finding.outcome = Outcome::OutputMissing("a".into()))),
    ]
}

#[test]
fn whatever_differs_in_a_finding_overturns_the_claim() {
    for (name, finding) in differences() {
        let mut court = Court::new(0);
        court.acts(&[Act::Enter(5), Act::Claim, Act::Dispute]);
        court.order(5, judge(5, finding));
        let how = court.ending().map(|ending| ending.how);
        assert_eq!(how, Some(How::Overturned), "{name}");
    }
}

#[test]
fn who_claims_the_first_runs_of_a_job_is_right_where_more_of_them_were_found() {
    let more = |cycles: u64| {
        let stdout = Some(Blob { hash: Hash([7; 32]), size: Bytes(cycles) });
        Product { cycles: Cycles(cycles), outputs: Vec::new(), stdout, stderr: None }
    };
    for (own, how) in [(0, How::Upheld), (1, How::Overturned)] {
        let mut finding = same(&Deal::default());
        finding.more = vec![more(5), more(6)];
        finding.cycles.0 += 11 + own;
        let mut court = Court::new(0);
        court.acts(&[Act::Enter(5), Act::Claim, Act::Dispute]);
        court.order(5, judge(5, finding));
        assert_eq!(court.ending().map(|ending| ending.how), Some(how), "{own}");
    }
}

#[test]
fn a_verdict_on_one_contract_settles_no_other() {
    let Order::Settle(papers) = settle(&Deal::default()) else { panic!("not a settlement") };
    let elsewhere = Order::Settle(Box::new(Settle { hold: id(60), ..*papers }));
    let mut court = Court::new(0);
    let ticket = court.deal.ticket().hash();
    court.world.held(1, 60, crate::world::hold(2, ticket, 5_000_000, 60));
    let message = "the report is about contract 00000004, not about hold 0000003c".to_owned();
    assert_eq!(refused(court.order(2, elsewhere)), (MISMATCH, message));
}

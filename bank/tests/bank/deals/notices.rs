//! What the bank says to nodes that did not ask, and how arbiters are found.

use super::{Act, Court, DISPUTE, HOLD, offer, report, same};
use crate::papers::Deal;
use crate::world::{BANK, hold, id, key, keys, open, peer};
use bank::{Event, MAX_NOTICES};
use proto::message::bank::{Appointed, Appointment, BankMessage, ClaimReceipt, Ended, How, Order};
use proto::{Money, Peer, PublicKey, Signed, Span, Time};

/// The notices that were sent with the last input, with whom they went to.
fn notices(court: &Court) -> Vec<(PublicKey, BankMessage)> {
    let is_notice = |message: &BankMessage| {
        matches!(message, BankMessage::Claimed(_) | BankMessage::Appointed(_) | BankMessage::Ended(_))
    };
    let sent = court.world.sent.iter().filter(|(_, message)| is_notice(message));
    sent.map(|(to, message)| (to.key, message.clone())).collect()
}

/// What the notice of a claim says that was made at `time`.
fn claimed(is_taken: bool, until: Time) -> BankMessage {
    let report = report(&Deal::default()).hash();
    BankMessage::Claimed(ClaimReceipt { hold: id(HOLD), report, is_taken, until })
}

#[test]
fn a_buyer_is_told_of_a_claim_when_it_is_made_and_each_time_it_enters() {
    let mut court = Court::new(0);
    court.acts(&[Act::Enter(1), Act::Enter(2), Act::Enter(8), Act::Deliver]);
    let expires = Time(1_000_000_000 + 60_000_000 + 6);
    assert_eq!(notices(&court), [(key(1), claimed(false, expires))]);
    court.acts(&[Act::Claim]);
    let until = court.world.journal.last().unwrap().time.after(Span::secs(DISPUTE));
    let told = [(key(1), claimed(true, until))];
    assert_eq!(notices(&court), told);
    court.acts(&[Act::Enter(1)]);
    assert_eq!(notices(&court), told);
    court.acts(&[Act::Enter(2)]);
    assert_eq!(notices(&court), []);
    court.acts(&[Act::Settle(1)]);
    let ending = court.ending().unwrap();
    let ended = || BankMessage::Ended(Box::new(Ended { ending }));
    assert_eq!(notices(&court), [(key(1), ended()), (key(2), ended())]);
    court.acts(&[Act::Enter(1)]);
    assert_eq!(notices(&court), [], "it is over");
}

#[test]
fn an_arbiter_is_sent_the_work_and_both_parties_the_end() {
    let mut court = Court::new(0);
    court.acts(&[Act::Enter(1), Act::Enter(2), Act::Claim]);
    court.acts(&[Act::Dispute]);
    assert_eq!(notices(&court), [], "nobody is there");
    court.acts(&[Act::Enter(5)]);
    let record = court.world.journal.last().unwrap();
    let Event::ArbiterNamed { arbiter, until, .. } = record.event else { panic!("{record:?}") };
    assert_eq!((arbiter, until), (key(5), record.time.after(Span::secs(DISPUTE))));
    let deal = Deal::default();
    let appointment = Appointment {
        bank: key(BANK),
        contract: id(HOLD),
        offer: offer(&deal).hash(),
        report: report(&deal).hash(),
        arbiter: key(5),
        fee: Money(4_000_000),
        until,
    };
    let appointment = Signed::new(appointment, &keys(BANK));
    let told = BankMessage::Appointed(Box::new(Appointed { appointment, offer: offer(&deal) }));
    assert_eq!(notices(&court), [(key(5), told.clone())]);
    court.acts(&[Act::Enter(5)]);
    assert_eq!(notices(&court), [(key(5), told)], "again, as long as it is awaited");
    court.acts(&[Act::Confirm(5)]);
    let ending = court.ending().unwrap();
    assert_eq!(ending.how, How::Upheld);
    let ended = || BankMessage::Ended(Box::new(Ended { ending }));
    assert_eq!(notices(&court), [(key(1), ended()), (key(2), ended())]);
    court.acts(&[Act::Enter(5)]);
    assert_eq!(notices(&court), []);
}

#[test]
fn nobody_is_told_of_a_contract_that_was_not_claimed() {
    let mut court = Court::new(0);
    court.acts(&[Act::Enter(1), Act::Enter(2), Act::Settle(2)]);
    assert_eq!(notices(&court), []);
    let mut court = Court::new(40);
    court.acts(&[Act::Accept, Act::Enter(1), Act::Enter(2), Act::Wait(61)]);
    let told: Vec<PublicKey> = notices(&court).into_iter().map(|(to, _)| to).collect();
    assert_eq!(told, [key(1), key(2)], "a bond is lost");
}

#[test]
fn a_node_that_enters_gets_a_bounded_number_of_notices_the_most_urgent_first() {
    let mut court = Court::new(0);
    let ticket = court.deal.ticket().hash();
    for number in 0..20 {
        court.world.held(1, 200 + number, hold(2, ticket, 1_000_000, 100 - u64::from(number)));
        let report = court.deal.report(200 + number);
        let order = proto::message::bank::Claim {
            hold: id(200 + number),
            ticket: court.deal.ticket(),
            report,
            taken: None,
        };
        court.order(2, Order::Claim(Box::new(order)));
    }
    court.acts(&[Act::Enter(1)]);
    let told = notices(&court).into_iter().map(|(_, message)| match message {
        BankMessage::Claimed(receipt) => receipt.hold,
        other => panic!("{other:?}"),
    });
    let urgent = (0..20).rev().take(MAX_NOTICES).map(|number| id(200 + number));
    assert_eq!(told.collect::<Vec<_>>(), urgent.collect::<Vec<_>>());
}

/// Lets these nodes enter at these addresses, and gives who is named in a dispute. Those of `paid` have been paid before.
fn named(nodes: &[(u8, [u8; 4])], paid: &[u8]) -> Option<PublicKey> {
    let mut court = Court::new(0);
    for (number, seller) in (300..).zip(paid) {
        let deal = Deal { seller: *seller, ..Deal::default() };
        court.world.held(1, number, hold(*seller, deal.ticket().hash(), 20_000, 60));
        court.order(*seller, deal.settle(number));
    }
    for (who, ip) in nodes {
        court.enter(*who, Peer::new((*ip, 7_000 + u16::from(*who)).into(), 0, key(*who)));
    }
    court.acts(&[Act::Claim, Act::Dispute]);
    court.world.journal.iter().find_map(|record| match record.event {
        Event::ArbiterNamed { arbiter, .. } => Some(arbiter),
        _ => None,
    })
}

#[test]
fn an_arbiter_is_somebody_else_elsewhere_that_was_paid_before_if_there_is_one() {
    let (here, there) = ([10, 0, 0, 1], [10, 0, 0, 9]);
    assert_eq!(named(&[], &[]), None);
    assert_eq!(named(&[(1, here), (2, there)], &[]), None, "a party");
    assert_eq!(named(&[(3, there)], &[]), None, "the market owner");
    assert_eq!(named(&[(4, there)], &[]), None, "no account");
    assert_eq!(named(&[(1, here), (5, here)], &[]), None, "at the buyer's address");
    assert_eq!(named(&[(2, here), (5, here)], &[5]), None, "at the seller's address");
    assert_eq!(named(&[(1, here), (5, there)], &[]), Some(key(5)));
    let all = [(5, [10, 0, 0, 5]), (6, [10, 0, 0, 6]), (7, [10, 0, 0, 7])];
    for paid in [5, 6, 7] {
        assert_eq!(named(&all, &[paid]), Some(key(paid)), "the one that was paid");
    }
    assert!(named(&all, &[]).is_some());
}

#[test]
fn the_draw_gives_everybody_a_turn() {
    let mut court = Court::new(0);
    for who in 20..28 {
        court.world.order(who, 9_100 + u32::from(who), open());
    }
    let ticket = court.deal.ticket().hash();
    for who in 20..28 {
        court.enter(who, peer(who));
    }
    let mut turns = std::collections::BTreeMap::new();
    for number in 0..64 {
        court.world.held(1, 400 + number, hold(2, ticket, 20_000, 60));
        let body = proto::message::service::Offer { contract: id(400 + number), ..offer(&court.deal).body };
        let work = Signed::new(body, &keys(1));
        let body = proto::message::service::Report {
            contract: id(400 + number),
            offer: work.hash(),
            ..report(&court.deal).body
        };
        let report = Signed::new(body, &keys(2));
        let taken = proto::message::service::Taken { contract: id(400 + number), report: report.hash() };
        let taken = Some(Signed::new(taken, &keys(1)));
        let claim = proto::message::bank::Claim {
            hold: id(400 + number),
            ticket: court.deal.ticket(),
            report,
            taken,
        };
        let report = claim.report.hash();
        court.order(2, Order::Claim(Box::new(claim)));
        let reason = String::new();
        let dispute = proto::message::bank::Dispute { hold: id(400 + number), offer: work, reason };
        court.order(1, Order::Dispute(Box::new(dispute)));
        let Event::ArbiterNamed { arbiter, .. } = court.world.journal.last().unwrap().event else {
            panic!("nobody was named");
        };
        *turns.entry(arbiter).or_insert(0_u32) += 1;
        let who = (20..28).find(|who| key(*who) == arbiter).unwrap();
        let finding =
            proto::message::bank::Finding { contract: id(400 + number), report, ..same(&court.deal) };
        let finding = proto::message::bank::Finding { cycles: proto::Cycles(0), ..finding };
        let finding = Signed::new(finding, &keys(who));
        let judge = proto::message::bank::Judge { hold: id(400 + number), finding };
        court.order(who, Order::Judge(Box::new(judge)));
        // The seller loses each of them: its stakes end with its money.
        court.world.now = court.world.now.after(Span::millis(1));
    }
    assert_eq!(turns.len(), 8, "{turns:?}");
    assert_eq!(turns.values().sum::<u32>(), 64);
}

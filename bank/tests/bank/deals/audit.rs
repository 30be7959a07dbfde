//! What an auditor sees in the journal of a bank that lies about a contract, and what a replay refuses.

use super::{Act, Court, other};
use crate::papers::Deal;
use crate::replay::{impossible, rewritten};
use crate::world::{BANK, key, keys, peer};
use bank::{Event, Record, ReplayError, audit};
use proto::message::bank::{BalanceQuery, BankCommand, BankMessage, Claim, Dispute, Ending, Judge, Order};
use proto::{Money, PublicKey, RequestId, Signed};

/// The journal of a bonded contract that was overturned: 6 accounts, the hold, and from 7 on bond, claim, dispute, arbiter and
/// end.
fn overturned() -> Vec<Record> {
    let mut court = Court::new(40);
    court.acts(&[Act::Enter(5), Act::Accept, Act::Claim, Act::Dispute, Act::Refute(5)]);
    assert_eq!(court.world.journal.len(), 12);
    court.world.journal
}

/// Signs a command again after a change, as its signer or a colluder could.
fn resign(command: &mut Signed<BankCommand>, who: u8, edit: impl FnOnce(&mut Order)) {
    let mut body = command.body.clone();
    edit(&mut body.order);
    *command = Signed::new(body, &keys(who));
}

fn command(event: &mut Event) -> &mut Signed<BankCommand> {
    match event {
        Event::HoldAccepted { command, .. }
        | Event::HoldClaimed { command, .. }
        | Event::HoldDisputed { command, .. } => command,
        Event::HoldClosed { command: Some(command), .. } => command,
        other => panic!("{other:?}"),
    }
}

fn claim(order: &mut Order) -> &mut Claim {
    match order {
        Order::Claim(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn dispute(order: &mut Order) -> &mut Dispute {
    match order {
        Order::Dispute(dispute) => dispute,
        other => panic!("{other:?}"),
    }
}

fn judge(order: &mut Order) -> &mut Judge {
    match order {
        Order::Judge(judge) => judge,
        other => panic!("{other:?}"),
    }
}

/// What an auditor says of the journal with this record changed.
fn seen(at: usize, edit: impl Fn(&mut Event)) -> String {
    match audit(key(BANK), rewritten(&overturned(), at, edit)) {
        Err(ReplayError::NotAuthorised { sequence, refusal }) => format!("{sequence}: {}", refusal.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_auditor_checks_the_papers_of_every_step_again() {
    let by_buyer = seen(7, |event| resign(command(event), 1, |_| {}));
    assert_eq!(by_buyer, format!("7: only the seller may do that, and {} is the buyer", key(1)));
    let untaken = |order: &mut Order| {
        let taken = claim(order).taken.as_mut().unwrap();
        *taken = Signed::new(taken.body, &keys(2));
    };
    let untaken = seen(8, |event| resign(command(event), 2, untaken));
    let message = format!("8: the word that the outputs were taken is not signed by the buyer {}", key(1));
    assert_eq!(untaken, message);
    let other_offer = |order: &mut Order| dispute(order).offer.body.attempt = 9;
    let other_offer = seen(9, |event| resign(command(event), 1, other_offer));
    assert_eq!(other_offer, "9: the offer is not the one that the claimed report is about");
    let forged = |order: &mut Order| judge(order).finding = Signed::new(other(&Deal::default()), &keys(2));
    let forged = seen(11, |event| resign(command(event), 5, forged));
    assert_eq!(forged, format!("11: the finding is not signed by the arbiter {}", key(5)));
    let stranger = seen(11, |event| resign(command(event), 8, |_| {}));
    assert_eq!(stranger, format!("11: {} is not the arbiter of contract 00000004", key(8)));
}

/// What a replay says of the journal with this record changed.
fn broken(at: usize, edit: impl Fn(&mut Event)) -> ReplayError {
    let config = crate::world::config();
    let records = rewritten(&overturned(), at, edit);
    bank::Bank::replay(config, [1; 32], proto::Time(0), records).map(|bank| bank.head()).unwrap_err()
}

fn ending(event: &mut Event) -> &mut Ending {
    match event {
        Event::HoldClosed { ending, .. } => ending,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replay_refuses_what_does_not_follow() {
    let nothing = broken(7, |event| {
        let Event::HoldAccepted { bond, .. } = event else { panic!("{event:?}") };
        *bond = Money(0);
    });
    assert_eq!(nothing, impossible(7, "a bond was put up that no bank takes"));
    let endless = broken(8, |event| {
        let Event::HoldClaimed { until, .. } = event else { panic!("{event:?}") };
        *until = proto::Time(0);
    });
    assert_eq!(endless, impossible(8, "a claim was made that no bank takes"));
    for deposit in [3_999_999, 4_000_001] {
        let other_price = broken(9, |event| {
            let Event::HoldDisputed { deposit: price, .. } = event else { panic!("{event:?}") };
            *price = Money(deposit);
        });
        assert_eq!(other_price, impossible(9, "a dispute cost something else than the second execution"));
    }
    let unstaked = broken(9, |event| {
        let Event::HoldDisputed { stake, .. } = event else { panic!("{event:?}") };
        *stake = Money(0);
    });
    assert_eq!(unstaked, impossible(9, "a dispute cost something else than the second execution"));
    for who in [key(1), key(2), key(super::OWNER), PublicKey([3; 32])] {
        let partial = broken(10, |event| {
            let Event::ArbiterNamed { arbiter, .. } = event else { panic!("{event:?}") };
            *arbiter = who;
        });
        assert_eq!(partial, impossible(10, "an arbiter was named that is none"));
    }
    let other_end = "a hold ended otherwise than its papers say";
    let skimmed = broken(11, |event| {
        let shares = &mut ending(event).shares;
        (shares.buyer.0, shares.pool.0) = (shares.buyer.0 - 1, shares.pool.0 + 1);
    });
    assert_eq!(skimmed, impossible(11, other_end));
    let other_arbiter = broken(11, |event| ending(event).arbiter = Some(key(8)));
    assert_eq!(other_arbiter, impossible(11, other_end));
    let in_silence = broken(11, |event| {
        let Event::HoldClosed { command, .. } = event else { panic!("{event:?}") };
        *command = None;
    });
    assert_eq!(in_silence, impossible(11, "a hold expired too early"));
    let quiet = broken(10, |event| *event = Event::Resumed { quiet_until: proto::Time(u64::MAX) });
    assert_eq!(quiet, impossible(10, "the quiet time after an outage is not what it has to be"));
}

#[test]
fn a_step_that_is_done_twice_is_refused_by_a_replay() {
    let journal = overturned();
    for (at, what) in [
        (8, "a bond was put up that no bank takes"),
        (9, "a claim was made that no bank takes"),
        (10, "a claim was disputed that nobody may dispute"),
        (11, "an arbiter was named that no bank names"),
    ] {
        let twice = broken(at, |event| *event = journal[at - 1].event.clone());
        assert_eq!(twice, impossible(at as u64, what));
    }
}

/// What the bank says of the seller after this way: how many contracts were kept, and how many broken.
fn told(acts: &[Act]) -> (u64, u64) {
    let mut court = Court::new(40);
    court.acts(acts);
    let query = BankMessage::BalanceQuery(BalanceQuery { request: RequestId(1) });
    let BankMessage::BalanceReply(reply) = court.world.ask(peer(2), query) else { panic!("no balance") };
    (reply.standing.body.kept, reply.standing.body.broken)
}

#[test]
fn what_is_said_of_a_seller_follows_from_the_ends_of_its_contracts() {
    use Act::{Accept, Claim, Confirm, Deliver, Dispute, Enter, Refute, Release, Settle, Unfetched, Wait};
    assert_eq!(told(&[Accept, Settle(1)]), (1, 0));
    assert_eq!(told(&[Claim, Wait(601)]), (1, 0), "lapsed");
    assert_eq!(told(&[Enter(5), Claim, Dispute, Confirm(5)]), (1, 0));
    assert_eq!(told(&[Enter(5), Claim, Dispute, Unfetched(5)]), (1, 0));
    assert_eq!(told(&[Enter(5), Claim, Dispute, Refute(5)]), (0, 1));
    assert_eq!(told(&[Accept, Wait(61)]), (0, 1), "no-show");
    assert_eq!(told(&[Wait(61)]), (0, 1), "expired");
    assert_eq!(told(&[Accept, Deliver, Wait(61)]), (0, 0), "delivered and not taken");
    assert_eq!(told(&[Claim, Dispute, Wait(31)]), (0, 0), "undecided");
    assert_eq!(told(&[Accept, Release(2)]), (0, 0));
    assert_eq!(told(&[Claim, Release(2)]), (0, 0));
    assert_eq!(told(&[Claim, Dispute, Release(2)]), (0, 1), "taken back when it was objected to");
}

//! A flooder and many others; the bounds of the queues.

use super::*;
use proto::message::bank::{BalanceQuery, BankCommand, BankRequest, Departed, PlaceHold};
use proto::{CommandId, Hash, KeyPair, Money, RequestId, Signed, Span};
use std::time::Duration;

fn keys(number: u8) -> KeyPair {
    KeyPair::from_secret([number; 32])
}

fn peer(number: u16) -> Peer {
    let [high, low] = number.to_be_bytes();
    let mut key = [0; 32];
    key[..2].copy_from_slice(&[high, low]);
    Peer::new(format!("10.{high}.{low}.1:7000").parse().unwrap(), 0, PublicKey(key))
}

fn order(id: u8) -> BankMessage {
    let order = PlaceHold {
        seller: PublicKey([9; 32]),
        ticket: Hash::default(),
        amount: Money(1),
        expires_in: Span::secs(60),
    };
    let body =
        BankCommand { id: CommandId([id; 16]), bank: PublicKey([8; 32]), order: Order::PlaceHold(order) };
    BankMessage::Request(Box::new(BankRequest { command: Signed::new(body, &keys(1)) }))
}

fn code(answers: &[(Peer, BankMessage)]) -> Option<(Peer, RefusalCode)> {
    match answers {
        [] => None,
        [(to, BankMessage::Reply(reply))] => match &reply.outcome {
            BankOutcome::Refused(refusal) => Some((*to, refusal.code)),
            other => panic!("{other:?}"),
        },
        [(to, BankMessage::Refused(refused))] => Some((*to, refused.refusal.code)),
        other => panic!("{other:?}"),
    }
}

/// An intake whose quotas bound nothing but questions.
fn open() -> Intake {
    Intake::new(Quotas::new(0))
}

#[test]
fn everybody_has_a_turn_however_much_one_key_sends() {
    let (mut intake, now, message) = (open(), Instant::now(), order(1));
    for _ in 0..PER_KEY {
        assert_eq!(code(&intake.offer(peer(0), message.clone(), now)), None);
    }
    for other in 1..=100 {
        assert_eq!(code(&intake.offer(peer(other), message.clone(), now)), None);
    }
    let served: Vec<Peer> = (0..101).filter_map(|_| intake.next()).map(|waiting| waiting.from).collect();
    assert_eq!(
        served,
        (0..=100).map(peer).collect::<Vec<_>>(),
        "one message of each, in the order of coming"
    );
    assert_eq!(intake.count(), PER_KEY - 1);
}

#[test]
fn a_key_that_has_its_share_waiting_is_told_so_and_others_are_not() {
    let (mut intake, now, message) = (open(), Instant::now(), order(1));
    for _ in 0..PER_KEY {
        intake.offer(peer(0), message.clone(), now);
    }
    let refused = intake.offer(peer(0), message.clone(), now);
    assert_eq!(code(&refused), Some((peer(0), RefusalCode::Quota)));
    assert_eq!(code(&intake.offer(peer(1), message.clone(), now)), None);
    assert_eq!(intake.next().map(|waiting| waiting.from), Some(peer(0)));
    assert_eq!(code(&intake.offer(peer(0), message, now)), None, "one of it was served");
}

#[test]
fn when_all_is_full_the_longest_queue_gives_way() {
    let (mut intake, now, message) = (open(), Instant::now(), order(1));
    let flooders = u16::try_from(IN_ALL / PER_KEY).unwrap();
    for flooder in 0..flooders {
        for _ in 0..PER_KEY {
            assert_eq!(code(&intake.offer(peer(flooder), message.clone(), now)), None);
        }
    }
    for other in 1_000..1_100 {
        let sent_away = code(&intake.offer(peer(other), message.clone(), now)).unwrap();
        assert!(sent_away.0.key < peer(flooders).key, "a flooder gives way, not {}", sent_away.0);
        assert_eq!(sent_away.1, RefusalCode::Busy);
    }
    assert_eq!(intake.count(), IN_ALL);
}

#[test]
fn nobody_is_met_with_silence() {
    let (mut intake, now) = (Intake::new(Quotas::new(1)), Instant::now());
    let question = BankMessage::BalanceQuery(BalanceQuery { request: RequestId(7) });
    let mut last = None;
    for _ in 0..1_000 {
        last = code(&intake.offer(peer(1), question.clone(), now)).or(last);
    }
    assert_eq!(last, Some((peer(1), RefusalCode::Quota)));
    assert_eq!(intake.count(), 201, "a hundred in a second, for two seconds");
    let refused: Vec<_> = (0..4).map(|id| code(&intake.offer(peer(2), order(id), now))).collect();
    let no = Some((peer(2), RefusalCode::Quota));
    assert_eq!(refused, [None, None, None, no]);
    let later = now + Duration::from_secs(1);
    assert_eq!(code(&intake.offer(peer(2), order(4), later)), None);
    assert_eq!(intake.offer(peer(3), BankMessage::Departed(Departed {}), now), []);
}

#[test]
fn large_messages_fill_the_share_of_their_key_sooner() {
    let (mut intake, now) = (open(), Instant::now());
    let payment = proto::message::bank::Payment { to: PublicKey([2; 32]), amount: Money(1) };
    let transfer = proto::message::bank::Transfer { payments: vec![payment; 4_096], memo: String::new() };
    let body =
        BankCommand { id: CommandId([1; 16]), bank: PublicKey([8; 32]), order: Order::Transfer(transfer) };
    let message = BankMessage::Request(Box::new(BankRequest { command: Signed::new(body, &keys(1)) }));
    let taken = (0..100).filter(|_| code(&intake.offer(peer(1), message.clone(), now)).is_none()).count();
    assert_eq!(taken, BYTES_PER_KEY / (4_096 * PAYMENT + SMALL));
    while intake.next().is_some() {}
    assert_eq!((intake.count(), intake.bytes, intake.by_length.len()), (0, 0, 0));
}

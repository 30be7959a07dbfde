//! What the bank says of a seller after each way a contract can end.

use crate::papers::{Deal, declined, release};
use crate::world::{World, hold, peer};
use bank::Bank;
use proto::message::bank::{BalanceQuery, BankMessage, Order};
use proto::message::service::Outcome;
use proto::{RequestId, Span, Time};

/// Lets one contract of buyer 1 and seller 2 end by `end`, and checks how many of the seller's were kept and broken,
/// also by a bank that replays the journal.
fn check(end: impl FnOnce(&mut World, &Deal), expected: (u64, u64)) {
    let mut world = World::with_accounts(&[1, 2]);
    let deal = Deal::default();
    world.held(1, 4, hold(2, deal.ticket().hash(), 5_000_000, 60));
    end(&mut world, &deal);
    assert_eq!(told(&mut world), expected);
    let journal = world.journal.clone();
    let replayed = Bank::replay(crate::world::config(), [7; 32], world.now, journal).unwrap();
    let mut again = World { bank: replayed, ..World::new() };
    again.now = world.now;
    assert_eq!(told(&mut again), expected);
}

fn told(world: &mut World) -> (u64, u64) {
    let query = BankMessage::BalanceQuery(BalanceQuery { request: RequestId(1) });
    let BankMessage::BalanceReply(reply) = world.ask(peer(2), query) else { panic!("no balance") };
    assert!(reply.standing.is_genuine_by(crate::world::key(crate::world::BANK)));
    (reply.standing.body.kept, reply.standing.body.broken)
}

fn failed(outcome: Outcome) -> impl FnOnce(&mut World, &Deal) {
    move |world, deal| {
        let report = Deal { outcome, ..deal.clone() }.report(4);
        world.order(1, 10, release(4, None, Some(report)));
    }
}

#[test]
fn only_what_a_seller_is_to_blame_for_counts_against_it() {
    check(|_, _| {}, (0, 0));
    check(|world, deal| drop(world.order(2, 10, deal.settle(4))), (1, 0));
    check(|world, _| world.wait(Span::secs(61)), (0, 1));
    check(|world, _| drop(world.order(1, 10, release(4, Some(declined(2, 4)), None))), (0, 0));
    check(failed(Outcome::Exited(3)), (0, 0));
    check(failed(Outcome::Cancelled), (0, 0));
    check(failed(Outcome::Abandoned("its owner needs the machine".into())), (0, 1));
    // The seller's own release says nothing: it gives the money back.
    check(
        |world, _| {
            let order: Order = release(4, None, None);
            world.order(2, 10, order);
        },
        (0, 0),
    );
}

#[test]
fn the_word_of_the_bank_ends() {
    let mut world = World::with_accounts(&[2]);
    let query = BankMessage::BalanceQuery(BalanceQuery { request: RequestId(1) });
    world.now = Time(3_000_000_000);
    let BankMessage::BalanceReply(reply) = world.ask(peer(2), query) else { panic!("no balance") };
    assert_eq!(reply.standing.body.expires, Time(3_000_000_000).after(bank::STANDING_TTL));
}

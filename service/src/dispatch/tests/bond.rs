//! A buyer demands the bond that the network's rules ask for.

use super::*;
use proto::message::bank::BondReceipt;

/// What becomes of an acceptance with this bond, where a tenth of a hold of 1 credit is asked for.
fn check(change: fn(&mut BondReceipt), signer: u8, expected: State) {
    let mut buyer = Buyer::new(Rules { bond_percent: 10, ..Rules::LOCAL });
    buyer.buy(PRICE);
    let mut acceptance = buyer.acceptance().body;
    let hold = acceptance.contract;
    let mut bond = BondReceipt { hold, bank: peer(9).key, seller: peer(1).key, bond: Money(100_000) };
    change(&mut bond);
    acceptance.bond = Some(Signed::new(bond, &keys(signer)));
    buyer.hear(ServiceMessage::Accept(Box::new(Signed::new(acceptance, &keys(1)))));
    buyer.did();
    assert_eq!(buyer.state(), expected, "{bond:?}");
}

#[test]
fn only_the_banks_word_for_enough_of_this_contracts_bond_counts() {
    check(|_| {}, 9, State::Staging);
    check(|bond| bond.bond = Money(100_001), 9, State::Staging);
    check(|bond| bond.bond = Money(99_999), 9, State::Matching);
    check(|bond| bond.hold = id(5), 9, State::Matching);
    check(|bond| bond.seller = peer(5).key, 9, State::Matching);
    check(|bond| bond.bank = peer(5).key, 9, State::Matching);
    check(|_| {}, 1, State::Matching);
}

#[test]
fn a_seller_without_a_bond_is_left_and_the_user_reads_why() {
    let mut buyer = Buyer::new(Rules { bond_percent: 10, ..Rules::LOCAL });
    buyer.buy(PRICE);
    let acceptance = ServiceMessage::Accept(Box::new(buyer.acceptance()));
    buyer.hear(acceptance);
    let why = "again: declined: the seller has not put up its bond of 10 % of what is set aside for it";
    assert_eq!(buyer.did(), [Did::Cancels, Did::Tells(why.into()), Did::Buys]);
}

#[test]
fn a_bond_is_rounded_up() {
    for (amount, percent, expected) in
        [(100, 10, 10), (101, 10, 11), (1, 1, 1), (0, 10, 0), (7, 100, 7), (7, 0, 0)]
    {
        assert_eq!(::bank::bond(Money(amount), percent), Money(expected));
    }
    assert_eq!(::bank::bond(Money(u64::MAX), u16::MAX), Money(u64::MAX));
}

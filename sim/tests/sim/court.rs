//! Contracts before the bank, with liars on every side: each case comes out as it says, whatever the seed.

use proto::message::bank::How;
use sim::court::{Case, Expected, Gains, Outcome, run};

/// What one contract has set aside: the fee, and 4 Gc at 2 credits.
const HOLD: i128 = 8_010_000;
/// What a market owner gets for one contract.
const FEE: i128 = 10_000;
/// What a seller puts up where a bond is asked for: a fifth.
const BOND: i128 = 1_602_000;
/// What a no-show or wrong work gives its buyer at most: a tenth of the hold.
const TENTH: i128 = 801_000;
/// Contracts of a case.
const DEALS: i128 = 4;

fn tried(case: &Case, seed: u64) -> Outcome {
    run(case, seed).unwrap_or_else(|violation| panic!("{}: {violation}", case.name))
}

/// Tries a case with three seeds: all contracts end in this way, and buyers, sellers, owners, arbiters and the pool gain
/// what `gains` says for one contract whose work costs `work` in the mean.
fn check(name: &str, how: How, gains: impl Fn(i128) -> [i128; 5]) {
    let case = Case::named(name).unwrap_or_else(|| panic!("there is no case {name}"));
    assert_eq!(case.expected, Expected::All(how), "{name}");
    for seed in 1..=3 {
        let outcome = tried(&case, seed);
        assert_eq!(outcome.ends.get(&how), Some(&4), "{outcome}");
        let [buyer, seller, owner, arbiter, pool] = gains(outcome.work);
        assert_eq!(outcome.gains, Gains { buyer, seller, owner, arbiter, pool }, "{outcome}");
    }
}

const ALL_FEES: i128 = DEALS * FEE;

#[test]
fn who_follows_the_protocol_is_paid_by_the_ticket() {
    let paid = |work: i128| [-work - ALL_FEES, work, ALL_FEES, 0, 0];
    for name in ["fair", "bond", "handed_over", "forgers", "second_key"] {
        check(name, How::Settled, paid);
    }
    check("silence", How::Lapsed, paid);
}

#[test]
fn what_is_not_done_or_not_taken_costs_nobody_anything() {
    for name in ["declined", "failed"] {
        check(name, How::Released, |_| [0; 5]);
    }
    for name in ["absence", "idle", "hasty", "former_word", "vanished", "late", "kept_bond"] {
        check(name, How::Expired, |_| [0; 5]);
    }
    for name in ["greedy_owner", "invented_listing"] {
        check(name, How::Expired, |_| [0; 5]);
    }
}

#[test]
fn the_loser_of_a_dispute_pays_for_the_second_execution() {
    for name in ["quarrel", "secrecy", "withholding"] {
        check(name, How::Upheld, |work| [-2 * work - ALL_FEES, work, ALL_FEES, work, 0]);
    }
    for name in ["lazy", "inflation"] {
        check(name, How::Overturned, |work| [0, -work, 0, work, 0]);
    }
    check("yielding_buyer", How::Settled, |work| [-2 * work - ALL_FEES, work, ALL_FEES, work, 0]);
    check("yielding_seller", How::Released, |work| [0, -work, 0, work, 0]);
    // Who has hidden all its money may have earned some as an arbiter meanwhile; the buyers pay the rest.
    let broke = tried(&Case::named("lazy_broke").unwrap(), 1);
    let Gains { buyer, seller, owner, arbiter, pool } = broke.gains;
    assert_eq!((buyer + seller, owner, arbiter, pool), (-broke.work, 0, broke.work, 0), "{broke}");
    assert!(buyer < 0 && broke.ends.get(&How::Overturned) == Some(&4), "{broke}");
}

#[test]
fn a_bond_compensates_the_buyer_by_a_tenth_of_the_hold_at_most() {
    assert_eq!((HOLD / 5, HOLD / 10), (BOND, TENTH));
    for name in ["no_show", "late_bond"] {
        check(name, How::NoShow, |_| [TENTH, -BOND, 0, 0, BOND - TENTH].map(|gain| DEALS * gain));
    }
    // The work of each costs more than its bond, so the seller pays the difference from what it has.
    check("forfeit", How::Overturned, |work| [0, -work, 0, work, 0]);
}

#[test]
fn what_the_protocol_cannot_prevent_costs_this() {
    let paid = |work: i128| [-work - ALL_FEES, work, ALL_FEES, 0, 0];
    check("penniless", How::Lapsed, paid);
    check("silent_arbiters", How::Undecided, paid);
    check("lying_arbiters", How::Overturned, |work| [0, -work, 0, work, 0]);
    check("collusion", How::Upheld, |work| [-2 * work - ALL_FEES, work, ALL_FEES, work, 0]);
}

#[test]
fn in_storm_crash_outage_and_leap_every_contract_ends_within_its_bounds() {
    let mut drawn = 0;
    for case in Case::all().iter().filter(|case| !matches!(case.expected, Expected::All(_))) {
        for seed in 1..=3 {
            let outcome = tried(case, seed);
            let count: u32 = outcome.ends.values().sum();
            assert_eq!(usize::try_from(count).unwrap(), case.deals.len(), "{outcome}");
            assert_eq!(
                outcome.bank_starts > 0,
                case.name.contains("outage") || case.name.contains("crash"),
                "{outcome}"
            );
            assert_eq!(outcome.forged > 100, case.forgers > 0, "{outcome}");
            drawn += outcome.drawn;
        }
    }
    assert!(drawn > 50, "{drawn}");
}

#[test]
fn one_seed_gives_one_journal() {
    let case = Case::named("court_crashes").unwrap();
    assert_eq!(tried(&case, 1), tried(&case, 1));
    assert_ne!(tried(&case, 1).head, tried(&case, 2).head);
}

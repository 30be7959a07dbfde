//! The invariants of the ledger, and what is said when one is broken.

use crate::account::Side;
use crate::ledger::{Ledger, Step};
use proto::{CommandId, PublicKey};
use std::collections::BTreeMap;

/// An invariant that does not hold. The bank stops at the first one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Money appeared or vanished.
    #[error("{issued} micro-credits were issued, but {available} are available and {held} are held")]
    NotConserved {
        /// What was issued.
        issued: i128,
        /// Sum of what is available.
        available: i128,
        /// Sum of what is held.
        held: i128,
    },
    /// An account's held side is not the sum of its open holds, deposits, bonds and stakes.
    #[error("account {account} has {held} micro-credits held, its open holds are {holds}")]
    HeldMismatch {
        /// Which account.
        account: PublicKey,
        /// Its held side.
        held: i128,
        /// The sum of its holds.
        holds: i128,
    },
    /// All held sides together are not the sum of all open holds.
    #[error("{held} micro-credits are held, the open holds are {holds}")]
    HoldsMismatch {
        /// Sum of the held sides.
        held: i128,
        /// Sum of the holds.
        holds: i128,
    },
    /// A side would be below zero or above what can be counted.
    #[error("a side of account {account} would be {value} micro-credits")]
    OutOfRange {
        /// Which account.
        account: PublicKey,
        /// What it would be.
        value: i128,
    },
    /// More was taken out of circulation than was in it.
    #[error("the issuer is above zero")]
    IssuerPositive,
    /// A running sum differs from the sum of its parts.
    #[error("the running sum of what is {side} is {running}, its parts are {parts}")]
    RunningSum {
        /// Which sum.
        side: &'static str,
        /// The running sum.
        running: i128,
        /// The sum of the parts.
        parts: i128,
    },
    /// A hold was placed that was open already.
    #[error("hold {hold} was placed twice")]
    HoldTwice {
        /// Which hold.
        hold: CommandId,
    },
    /// A hold was closed that is not open.
    #[error("hold {hold} was closed, but is not open")]
    NoOpenHold {
        /// Which hold.
        hold: CommandId,
    },
    /// An event that cannot follow from the ledger as it was.
    #[error("{what}")]
    Impossible {
        /// Why it cannot.
        what: &'static str,
    },
}

/// The invariants that are cheap to check after every record: the running sums, and the accounts whose held side or
/// holds the last record changed. That no side is below zero or above what can be counted is checked while it is posted.
pub(crate) fn check_touched(ledger: &Ledger) -> Result<(), Violation> {
    let (available, held) = ledger.accounts.sums();
    check_sums(ledger.accounts.issued(), available, held, ledger.holds.sum())?;
    ledger.touched.iter().try_for_each(|account| {
        let held = ledger.accounts.find(*account).map_or(0, |found| i128::from(found.held));
        check_account(*account, held, ledger.holds.tally(*account).sum)
    })
}

/// All invariants, counted again from the accounts and the holds.
pub(crate) fn check_all(ledger: &Ledger) -> Result<(), Violation> {
    let (mut available, mut held) = (0_i128, 0_i128);
    for (_, account) in ledger.accounts.iter() {
        available += i128::from(account.available);
        held += i128::from(account.held);
    }
    let mut holds = 0_i128;
    let mut by_account: BTreeMap<PublicKey, i128> = BTreeMap::new();
    for deal in ledger.holds.iter() {
        for (account, amount) in
            [(deal.hold.buyer, deal.held_of_buyer()), (deal.hold.seller, deal.held_of_seller())]
        {
            holds += amount;
            *by_account.entry(account).or_default() += amount;
        }
    }
    check_sums(ledger.accounts.issued(), available, held, holds)?;
    for (key, account) in ledger.accounts.iter() {
        check_account(key, i128::from(account.held), by_account.remove(&key).unwrap_or(0))?;
    }
    by_account.retain(|_, holds| *holds != 0);
    if let Some((account, holds)) = by_account.pop_first() {
        return Err(Violation::HeldMismatch { account, held: 0, holds });
    }
    let (running_available, running_held) = ledger.accounts.sums();
    for (side, running, parts) in [
        ("available", running_available, available),
        ("held", running_held, held),
        ("in holds", ledger.holds.sum(), holds),
    ] {
        if running != parts {
            return Err(Violation::RunningSum { side, running, parts });
        }
    }
    Ok(())
}

/// The accounts whose held side or whose open holds a step changes, for [`check_touched`]: for all others both are what
/// they were.
pub(crate) fn touched(step: &Step) -> Vec<PublicKey> {
    let held = |side: Side| if let Side::Held(key) = side { Some(key) } else { None };
    let mut keys: Vec<PublicKey> = step.postings.iter().filter_map(|posting| held(posting.side)).collect();
    keys.extend(step.placed.map(|hold| hold.buyer));
    keys.extend(step.changed.iter().flat_map(|deal| [deal.hold.buyer, deal.hold.seller]));
    keys.extend(step.closed.iter().flat_map(|(ending, _)| [ending.buyer, ending.seller]));
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn check_sums(issued: i128, available: i128, held: i128, holds: i128) -> Result<(), Violation> {
    if issued != available + held {
        return Err(Violation::NotConserved { issued, available, held });
    }
    if held != holds {
        return Err(Violation::HoldsMismatch { held, holds });
    }
    Ok(())
}

fn check_account(account: PublicKey, held: i128, holds: i128) -> Result<(), Violation> {
    if held == holds { Ok(()) } else { Err(Violation::HeldMismatch { account, held, holds }) }
}

//! What is set aside, counted from the contracts and not from the accounts.

use crate::Bank;
use crate::deal::Deal;
use proto::{Money, Time};

/// The open contracts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Escrow {
    /// What was set aside for them: holds, bonds, and what both sides have put up in disputes.
    pub amount: Money,
    /// When the first of them ends if nobody moves.
    pub first_end: Option<Time>,
    /// How many of them are disputed.
    pub disputes: usize,
}

impl Bank {
    /// What is set aside for open contracts. It comes to the same as [`crate::Totals::held`], and that it does can be
    /// seen from outside (`reference/ledger.md` §2: escrow against the sum of open deals). It looks at every contract.
    #[must_use]
    pub fn escrow(&self) -> Escrow {
        let holds = &self.ledger.holds;
        let amount: u128 = holds.iter().map(set_aside).sum();
        Escrow {
            amount: Money(u64::try_from(amount).unwrap_or(u64::MAX)),
            first_end: holds.first_deadline().map(|(time, _)| time),
            disputes: holds.iter().filter(|deal| deal.dispute().is_some()).count(),
        }
    }
}

fn set_aside(deal: &Deal) -> u128 {
    let (deposit, stake) = deal.dispute().map_or_else(Default::default, |found| (found.deposit, found.stake));
    [deal.hold.amount, deal.bond, deposit, stake].iter().map(|part| u128::from(part.0)).sum()
}

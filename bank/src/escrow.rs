//! What is set aside, counted from the contracts and not from the accounts.

use crate::Bank;
use proto::{Money, Time};

/// The open contracts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Escrow {
    /// What they come to.
    pub amount: Money,
    /// When the first of them ends by its time.
    pub first_end: Option<Time>,
}

impl Bank {
    /// What is set aside for open contracts. It comes to the same as [`crate::Totals::held`].
    #[must_use]
    pub fn escrow(&self) -> Escrow {
        let amount = self.ledger.holds.iter().map(|hold| u128::from(hold.amount.0)).sum::<u128>();
        Escrow {
            amount: Money(u64::try_from(amount).unwrap_or(u64::MAX)),
            first_end: self.ledger.holds.first_expiry().map(|(time, _)| time),
        }
    }
}

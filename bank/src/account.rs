//! Accounts, and the postings that move money between their two sides.
//!
//! Double entry: money is on the available or the held side of an account, or it has not been issued yet. The
//! issuer is the only account below zero, by exactly what is in circulation, so that all sides together
//! are zero at any time.

use crate::check::Violation;
use proto::message::bank::Balance;
use proto::{Money, PublicKey};
use std::collections::BTreeMap;

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What can be spent, in micro-credits.
    pub(crate) available: u64,
    /// What is set aside in open holds, in micro-credits.
    pub(crate) held: u64,
    /// Whether it had its initial grant. An account that was made by a fee has not.
    pub(crate) is_granted: bool,
}

/// Where money can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Not in circulation.
    Issuer,
    /// To be spent by this account.
    Available(PublicKey),
    /// Set aside in this account's open holds.
    Held(PublicKey),
}

/// One line of a transfer: a side, and how many micro-credits it gains (or loses, below zero).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Which side.
    pub(crate) side: Side,
    /// The change.
    pub(crate) change: i128,
}

/// All accounts with their running sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    by_key: BTreeMap<PublicKey, Account>,
    issuer: i128,
    available: i128,
    held: i128,
}

impl Posting {
    /// `amount` is taken from `side`.
    pub(crate) fn debit(side: Side, amount: Money) -> Self {
        Self { side, change: -i128::from(amount.0) }
    }

    /// `amount` is added to `side`.
    pub(crate) fn credit(side: Side, amount: Money) -> Self {
        Self { side, change: i128::from(amount.0) }
    }
}

impl Side {
    /// Whose side it is; nobody's for the issuer.
    pub(crate) const fn account(self) -> Option<PublicKey> {
        match self {
            Self::Issuer => None,
            Self::Available(key) | Self::Held(key) => Some(key),
        }
    }
}

impl Account {
    /// The account as it is shown to its owner.
    pub(crate) const fn balance(&self, account: PublicKey) -> Balance {
        Balance { account, available: Money(self.available), held: Money(self.held) }
    }
}

impl Accounts {
    /// The account of `key`.
    pub(crate) fn find(&self, key: PublicKey) -> Option<&Account> {
        self.by_key.get(&key)
    }

    /// All accounts by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PublicKey, &Account)> {
        self.by_key.iter().map(|(key, account)| (*key, account))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// What is in circulation, in micro-credits.
    pub(crate) const fn issued(&self) -> i128 {
        -self.issuer
    }

    /// The running sums of the available and of the held sides.
    pub(crate) const fn sums(&self) -> (i128, i128) {
        (self.available, self.held)
    }

    /// Notes that `key` had its grant, and makes the account if there is none.
    pub(crate) fn grant(&mut self, key: PublicKey) {
        self.by_key.entry(key).or_default().is_granted = true;
    }

    /// Executes the lines of a transfer in their order. An account that gains money and does not exist is made.
    pub(crate) fn post(&mut self, postings: &[Posting]) -> Result<(), Violation> {
        postings.iter().try_for_each(|posting| self.post_line(*posting))
    }

    fn post_line(&mut self, Posting { side, change }: Posting) -> Result<(), Violation> {
        let (key, is_held) = match side {
            Side::Issuer => {
                self.issuer += change;
                return if self.issuer > 0 { Err(Violation::IssuerPositive) } else { Ok(()) };
            }
            Side::Available(key) => (key, false),
            Side::Held(key) => (key, true),
        };
        let account = self.by_key.entry(key).or_default();
        let (amount, sum) = if is_held {
            (&mut account.held, &mut self.held)
        } else {
            (&mut account.available, &mut self.available)
        };
        let value = i128::from(*amount) + change;
        *amount = u64::try_from(value).map_err(|_| Violation::OutOfRange { account: key, value })?;
        *sum += change;
        Ok(())
    }
}

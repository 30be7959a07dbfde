//! Accounts, and the postings that move money between their two sides.
//!
//! Double entry: money is on the available or the held side of an account, or it has not been issued yet. The
//! issuer is the only account below zero, by exactly what is in circulation, so that all sides together
//! are zero at any time.
//!
//! An account is a row of 56 bytes with a number, found by its key through an [`Index`].

use crate::check::Violation;
use crate::index::Index;
use crate::slab::Slab;
use proto::message::bank::Balance;
use proto::{Money, PublicKey};

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What can be spent, in micro-credits.
    pub(crate) available: u64,
    /// What is set aside in open holds, in micro-credits.
    pub(crate) held: u64,
    /// Whether it had its initial grant. An account that was made by a fee has not.
    pub(crate) is_granted: bool,
    /// Whether the operator has frozen it: it is paid, and does not spend.
    pub(crate) is_frozen: bool,
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

/// An account with its key.
#[derive(Clone, Copy, Debug)]
struct Row {
    key: PublicKey,
    account: Account,
}

const FULL: Violation = Violation::Impossible { what: "there are more accounts than can be numbered" };

/// All accounts with their running sums.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    rows: Slab<Row>,
    by_key: Index<PublicKey>,
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

impl Account {
    /// The account as it is shown to its owner.
    pub(crate) const fn balance(&self, account: PublicKey) -> Balance {
        Balance { account, available: Money(self.available), held: Money(self.held) }
    }
}

impl Accounts {
    /// The account of `key`.
    pub(crate) fn find(&self, key: PublicKey) -> Option<&Account> {
        self.rows.at(self.number(key)?).map(|row| &row.account)
    }

    /// The account of this number.
    pub(crate) fn at(&self, number: u32) -> Option<&Account> {
        self.rows.at(number).map(|row| &row.account)
    }

    /// The number of the account of `key`: accounts are counted from 0 in the order in which they were made.
    pub(crate) fn number(&self, key: PublicKey) -> Option<u32> {
        self.by_key.find(key, |row| self.rows.at(row).is_some_and(|row| row.key == key))
    }

    /// All accounts in the order in which they were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PublicKey, &Account)> {
        self.rows.iter().map(|(_, row)| (row.key, &row.account))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.rows.count()
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
    pub(crate) fn grant(&mut self, key: PublicKey) -> Result<(), Violation> {
        self.entry(key)?.is_granted = true;
        Ok(())
    }

    /// Freezes an account or frees it.
    pub(crate) fn freeze(&mut self, key: PublicKey, is_frozen: bool) -> Result<(), Violation> {
        self.entry(key)?.is_frozen = is_frozen;
        Ok(())
    }

    /// Takes over an account as it was written down; its sides are issued with it.
    pub(crate) fn restore(&mut self, key: PublicKey, account: Account) -> Result<(), Violation> {
        let (available, held) = (i128::from(account.available), i128::from(account.held));
        self.issuer -= available + held;
        self.available += available;
        self.held += held;
        *self.entry(key)? = account;
        Ok(())
    }

    /// Executes the lines of a transfer in their order. An account that gains money and does not exist is made.
    pub(crate) fn post(&mut self, postings: &[Posting]) -> Result<(), Violation> {
        postings.iter().try_for_each(|posting| self.post_line(*posting))
    }

    /// Adds to the available side of the account of this number, or takes from it.
    pub(crate) fn change_available(&mut self, number: u32, change: i128) -> Result<(), Violation> {
        let Row { key, account } = self.rows.at_mut(number).ok_or(FULL)?;
        account.available = changed(*key, account.available, change)?;
        self.available += change;
        Ok(())
    }

    fn post_line(&mut self, Posting { side, change }: Posting) -> Result<(), Violation> {
        match side {
            Side::Issuer => {
                self.issuer += change;
                if self.issuer > 0 { Err(Violation::IssuerPositive) } else { Ok(()) }
            }
            Side::Available(key) => {
                let number = self.number_or_new(key)?;
                self.change_available(number, change)
            }
            Side::Held(key) => {
                let account = self.entry(key)?;
                account.held = changed(key, account.held, change)?;
                self.held += change;
                Ok(())
            }
        }
    }

    /// The account of `key`, made if there is none.
    fn entry(&mut self, key: PublicKey) -> Result<&mut Account, Violation> {
        let number = self.number_or_new(key)?;
        self.rows.at_mut(number).map(|row| &mut row.account).ok_or(FULL)
    }

    fn number_or_new(&mut self, key: PublicKey) -> Result<u32, Violation> {
        if let Some(number) = self.number(key) {
            return Ok(number);
        }
        let number = self.rows.add(Row { key, account: Account::default() }).ok_or(FULL)?;
        let rows = &self.rows;
        self.by_key.add(key, number, |row| rows.at(row).map(|row| row.key));
        Ok(number)
    }
}

/// A side after a change: never below zero, nor above what can be counted.
fn changed(account: PublicKey, amount: u64, change: i128) -> Result<u64, Violation> {
    let value = i128::from(amount) + change;
    u64::try_from(value).map_err(|_| Violation::OutOfRange { account, value })
}

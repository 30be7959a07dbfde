//! `books`: the money is conserved, what is held is the sum of the open holds, and no contract is paid twice.
//!
//! Accounts are kept here a second time, from the bank's records alone, and compared with the bank's own.

use super::{Breach, Checked};
use bank::{Bank, Event, Record};
use proto::message::bank::{Ending, Order, Shares};
use proto::{ContractId, Money, PublicKey};
use std::collections::BTreeMap;

/// What was paid for a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deal {
    pub(crate) buyer: PublicKey,
    pub(crate) seller: PublicKey,
    pub(crate) owner: PublicKey,
    pub(crate) paid: Money,
    pub(crate) fee: Money,
}

/// An open hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) buyer: PublicKey,
    pub(crate) seller: PublicKey,
    pub(crate) amount: Money,
}

/// The books kept a second time.
#[derive(Debug, Default)]
pub(crate) struct Books {
    available: BTreeMap<PublicKey, i128>,
    issued: i128,
    /// The holds that are open.
    pub(crate) holds: BTreeMap<ContractId, Held>,
    /// The contracts that are paid.
    pub(crate) paid: BTreeMap<ContractId, Deal>,
}

fn money(amount: Money) -> i128 {
    i128::from(amount.0)
}

fn unknown(hold: ContractId) -> Breach {
    Breach::new("books", format!("hold {hold} was closed, and is not open"))
}

impl Books {
    /// Books of these records.
    pub(crate) fn of(records: &[Record]) -> Result<Self, Breach> {
        let mut books = Self::default();
        records.iter().try_for_each(|record| books.enter(record))?;
        Ok(books)
    }

    /// Enters a record.
    pub(crate) fn enter(&mut self, record: &Record) -> Checked {
        match &record.event {
            Event::AccountOpened { command, granted, .. } => {
                self.issued += money(*granted);
                self.give(command.signer, *granted);
                Ok(())
            }
            Event::HoldPlaced { command, .. } => {
                let Order::PlaceHold(order) = &command.body.order else {
                    return Err(Breach::new("books", "a hold was placed by another order"));
                };
                let (buyer, seller, amount) = (command.signer, order.seller, order.amount);
                *self.available.entry(buyer).or_default() -= money(amount);
                let former = self.holds.insert(command.body.id, Held { buyer, seller, amount });
                Breach::unless(former.is_none(), "books", || {
                    format!("hold {} was placed twice", command.body.id)
                })
            }
            Event::HoldClosed { ending, .. } => self.close(ending),
            _ => Err(Breach::new("books", "a record that these books do not know")),
        }
    }

    /// Compares with the bank.
    pub(crate) fn compare(&self, bank: &Bank) -> Checked {
        let (mut available, mut held) = (0, 0);
        for balance in bank.accounts() {
            available += money(balance.available);
            held += money(balance.held);
            let expected = self.available.get(&balance.account).copied().unwrap_or(0);
            Breach::unless(expected == money(balance.available), "books", || {
                let (account, has) = (balance.account, balance.available);
                format!(
                    "account {account} has {has} credits available, by the records {expected} micro-credits"
                )
            })?;
        }
        let holds: i128 = self.holds.values().map(|hold| money(hold.amount)).sum();
        Breach::unless(held == holds, "books", || {
            format!("{held} micro-credits are held, the open holds come to {holds}")
        })?;
        Breach::unless(available + held == self.issued, "books", || {
            format!("{} micro-credits were issued, and {available} + {held} are there", self.issued)
        })
    }

    fn close(&mut self, ending: &Ending) -> Checked {
        let Ending { hold, how, shares, .. } = *ending;
        if self.paid.contains_key(&hold) {
            return Err(Breach::new("paid_once", format!("contract {hold} is paid a second time")));
        }
        let Held { buyer, seller, amount } = self.holds.remove(&hold).ok_or_else(|| unknown(hold))?;
        let Shares { seller: paid, owner: fee, buyer: returned, .. } = shares;
        Breach::unless(money(paid) + money(fee) + money(returned) == money(amount), "books", || {
            let how = how.name();
            format!(
                "hold {hold} of {amount} credits was {how}, and shared out as {paid} + {fee} + {returned}"
            )
        })?;
        self.give(seller, paid);
        self.give(buyer, returned);
        if let Some(owner) = ending.owner {
            self.give(owner, fee);
            self.paid.insert(hold, Deal { buyer, seller, owner, paid, fee });
        }
        Ok(())
    }

    fn give(&mut self, account: PublicKey, amount: Money) {
        *self.available.entry(account).or_default() += money(amount);
    }
}

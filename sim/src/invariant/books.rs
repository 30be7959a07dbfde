//! `books`: the money is conserved, what is held is the sum of the open holds with their bonds, deposits and stakes, and
//! no contract is paid twice.
//!
//! Accounts are kept here a second time, from the bank's records alone, and compared with the bank's own.

use super::{Breach, Checked};
use bank::{Bank, Event, Record};
use proto::message::bank::{BankCommand, Ending, How, Order, Shares};
use proto::message::service::Outcome;
use proto::{Commodity, ContractId, Money, PublicKey, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Bond, deposit and stake, in micro-credits.
    beside: i128,
    /// When it ends, or its next arbiter is asked, if nobody moves.
    due: Time,
    /// Whether the seller has claimed it.
    pub(crate) is_claimed: bool,
}

/// How long the bank looks for a first arbiter.
const FIRST_WITHIN: Span = Span::secs(30);

/// The books kept a second time.
#[derive(Debug, Default)]
pub(crate) struct Books {
    available: BTreeMap<PublicKey, i128>,
    issued: i128,
    /// What the bank itself has got of penalties.
    pub(crate) pool: i128,
    /// What ends have brought or cost each account beside the price of a result that its buyer is told of: bonds,
    /// deposits, penalties, room for states, parts of the work that were handed over, and the price of what a buyer had
    /// rejected.
    pub(crate) besides: BTreeMap<PublicKey, i128>,
    /// Nothing ends by its time before this.
    quiet_until: Time,
    /// The holds that are open.
    pub(crate) holds: BTreeMap<ContractId, Held>,
    /// Who was drawn to decide which contract.
    pub(crate) arbiters: BTreeSet<(ContractId, PublicKey)>,
    /// What was paid for each contract.
    paid: BTreeMap<ContractId, Deal>,
    /// How often the same was paid.
    deals: BTreeMap<Deal, usize>,
}

fn money(amount: Money) -> i128 {
    i128::from(amount.0)
}

/// Whether something was paid that is not the price of a result: room for states, or a part of the work.
fn is_beside(record: &Record) -> bool {
    let Some(Order::Settle(settle)) = record.command().map(|command| &command.body.order) else {
        return false;
    };
    settle.ticket.body.requirement.commodity == Commodity::Disk
        || matches!(settle.report.body.outcome, Outcome::Migrated(_))
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
            Event::HoldPlaced { command, expires } => {
                let Order::PlaceHold(order) = &command.body.order else {
                    return Err(Breach::new("books", "a hold was placed by another order"));
                };
                let (buyer, seller, amount) = (command.signer, order.seller, order.amount);
                *self.available.entry(buyer).or_default() -= money(amount);
                let held = Held { buyer, seller, amount, beside: 0, due: *expires, is_claimed: false };
                let former = self.holds.insert(command.body.id, held);
                Breach::unless(former.is_none(), "books", || {
                    format!("hold {} was placed twice", command.body.id)
                })
            }
            Event::HoldClosed { ending, .. } => self.close(ending, is_beside(record)),
            Event::Resumed { quiet_until } => {
                self.quiet_until = *quiet_until;
                Ok(())
            }
            Event::Frozen { .. } => Ok(()),
            Event::Transferred { command } | Event::Granted { command } => self.paid(command),
            Event::HoldAccepted { .. }
            | Event::HoldClaimed { .. }
            | Event::HoldDisputed { .. }
            | Event::ArbiterNamed { .. } => self.goes_on(&record.event, record.time),
        }
    }

    /// When an open hold ends if nobody moves.
    pub(crate) fn due(&self, contract: ContractId) -> Option<Time> {
        self.holds.get(&contract).map(|held| held.due.max(self.quiet_until))
    }

    /// What was paid for a contract.
    pub(crate) fn paid_for(&self, contract: ContractId) -> Option<&Deal> {
        self.paid.get(&contract)
    }

    /// How many contracts were paid with these figures.
    pub(crate) fn times_paid(&self, deal: &Deal) -> usize {
        self.deals.get(deal).copied().unwrap_or_default()
    }

    /// A contract is accepted, claimed, disputed, or gets an arbiter.
    fn goes_on(&mut self, event: &Event, time: Time) -> Checked {
        let order = event.command().map(|command| &command.body.order);
        let hold = match (event, order) {
            (_, Some(Order::AcceptHold(order))) => order.hold,
            (_, Some(Order::Claim(order))) => order.hold,
            (_, Some(Order::Dispute(order))) => order.hold,
            (Event::ArbiterNamed { hold, .. }, _) => *hold,
            _ => return Err(Breach::new("books", "a contract went on by another order")),
        };
        let held = self.holds.get_mut(&hold).ok_or_else(|| unknown(hold))?;
        let (of_buyer, of_seller) = match event {
            Event::HoldAccepted { bond, .. } => (0, money(*bond)),
            Event::HoldDisputed { deposit, stake, .. } => {
                held.due = time.after(FIRST_WITHIN);
                (money(*deposit), money(*stake))
            }
            Event::HoldClaimed { until, .. } => {
                (held.due, held.is_claimed) = (*until, true);
                (0, 0)
            }
            Event::ArbiterNamed { until, arbiter, .. } => {
                held.due = *until;
                self.arbiters.insert((hold, *arbiter));
                (0, 0)
            }
            _ => (0, 0),
        };
        held.beside += of_buyer + of_seller;
        let (buyer, seller) = (held.buyer, held.seller);
        *self.available.entry(buyer).or_default() -= of_buyer;
        *self.available.entry(seller).or_default() -= of_seller;
        Ok(())
    }

    /// Money moves outside of contracts.
    fn paid(&mut self, command: &Signed<BankCommand>) -> Checked {
        match &command.body.order {
            Order::Grant(grant) => {
                self.issued += money(grant.amount);
                self.give(grant.to, grant.amount);
            }
            Order::Transfer(transfer) => {
                for payment in &transfer.payments {
                    *self.available.entry(command.signer).or_default() -= money(payment.amount);
                    self.give(payment.to, payment.amount);
                }
            }
            _ => return Err(Breach::new("books", "money moved by another order")),
        }
        Ok(())
    }

    /// Compares with the bank.
    pub(crate) fn compare(&self, bank: &Bank) -> Checked {
        let (mut available, mut held) = (0, 0);
        for balance in bank.accounts() {
            available += money(balance.available);
            held += money(balance.held);
            let account = balance.account;
            let Some(expected) = self.available.get(&account).copied() else {
                Breach::unless(self.pool == money(balance.available), "books", || {
                    format!("the bank has {} credits, by the records {}", balance.available, self.pool)
                })?;
                continue;
            };
            Breach::unless(expected == money(balance.available), "books", || {
                let has = balance.available;
                format!(
                    "account {account} has {has} credits available, by the records {expected} micro-credits"
                )
            })?;
        }
        let holds: i128 = self.holds.values().map(|hold| money(hold.amount) + hold.beside).sum();
        Breach::unless(held == holds, "books", || {
            format!("{held} micro-credits are held, the open holds come to {holds}")
        })?;
        Breach::unless(available + held == self.issued, "books", || {
            format!("{} micro-credits were issued, and {available} + {held} are there", self.issued)
        })
    }

    fn close(&mut self, ending: &Ending, is_beside: bool) -> Checked {
        let Ending { hold, how, shares, .. } = *ending;
        if self.paid.contains_key(&hold) {
            return Err(Breach::new("paid_once", format!("contract {hold} is paid a second time")));
        }
        let Held { buyer, seller, amount, beside, .. } =
            self.holds.remove(&hold).ok_or_else(|| unknown(hold))?;
        let Shares { seller: to_seller, seller_held, owner: fee, buyer: returned, arbiter, pool, .. } =
            shares;
        let shared = [to_seller, fee, returned, arbiter, pool].map(money).into_iter().sum::<i128>();
        Breach::unless(shared == money(amount) + beside, "books", || {
            let how = how.name();
            format!(
                "hold {hold} of {amount} credits was {how}, and shared out as {to_seller} + {fee} + {returned} + \
                 {arbiter} + {pool}"
            )
        })?;
        self.note_besides(ending, is_beside);
        self.give(seller, to_seller);
        self.give(buyer, returned);
        self.pool += money(pool);
        if let Some(arbiter_key) = ending.arbiter {
            self.give(arbiter_key, arbiter);
        }
        if let Some(owner) = ending.owner {
            self.give(owner, fee);
            let paid = Money(to_seller.0.saturating_sub(seller_held.0));
            let deal = Deal { buyer, seller, owner, paid, fee };
            self.paid.insert(hold, deal);
            *self.deals.entry(deal).or_default() += 1;
        }
        Ok(())
    }

    fn note_besides(&mut self, ending: &Ending, is_beside: bool) {
        let shares = &ending.shares;
        let of_seller = money(shares.seller) - money(shares.seller_held);
        let of_buyer = money(shares.buyer) - money(shares.buyer_held);
        let is_told = matches!(ending.how, How::Settled | How::Lapsed) && !is_beside;
        let (pay, fee) = if is_told { (of_seller, money(shares.owner)) } else { (0, 0) };
        let mut note = |account, gain| *self.besides.entry(account).or_default() += gain;
        note(ending.seller, of_seller - pay);
        note(ending.buyer, of_buyer + pay + fee);
        if let Some(arbiter) = ending.arbiter {
            note(arbiter, money(shares.arbiter));
        }
        if let Some(owner) = ending.owner {
            note(owner, money(shares.owner) - fee);
        }
    }

    fn give(&mut self, account: PublicKey, amount: Money) {
        *self.available.entry(account).or_default() += money(amount);
    }
}

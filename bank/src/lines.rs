//! What a record says on the statements of those whose money it moves.
//!
//! The lines follow from the record alone, not from the ledger, so that a store can tell whom a record concerns and an
//! account can be added up from its own lines. Of each record an account has one line at most: a statement can be cut
//! between any two lines and goes on with the record's number.

use crate::record::{Event, Record};
use proto::message::bank::{BankCommand, Ending, Entry, Order, Reason};
use proto::{CommandId, Money, PublicKey, Signed};
use std::collections::BTreeMap;

/// What one record moves of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Whose account.
    pub account: PublicKey,
    /// What is added to its available side, in micro-credits; negative if taken.
    pub available: i128,
    /// What is added to its held side, in micro-credits; negative if taken.
    pub held: i128,
    /// The line of its statement. More than 9.2 million million credits are shown there as that.
    pub entry: Entry,
}

/// The movements of every account that `record` touches, in a journal of `bank`; one an account at most. An account
/// whose money stays as it is has none, unless it was opened, frozen or freed.
#[must_use]
pub fn movements(record: &Record, bank: PublicKey) -> Vec<Movement> {
    let mut page = Page { record, movements: Vec::new(), places: BTreeMap::new() };
    match &record.event {
        Event::AccountOpened { command, granted, .. } => {
            page.add(command.signer, Line::of(Reason::Opened).available(gain(*granted)));
        }
        Event::HoldPlaced { command, .. } => page.placed(command),
        Event::HoldAccepted { command, bond } => {
            if let Order::AcceptHold(order) = &command.body.order {
                let line = Line::of(Reason::BondPlaced).about(order.hold);
                page.add(command.signer, line.set_aside(*bond));
            }
        }
        Event::HoldDisputed { command, deposit, stake } => {
            if let Order::Dispute(order) = &command.body.order {
                let (buyer, seller) = (command.signer, order.offer.body.seller);
                let line = Line::of(Reason::Disputed).about(order.hold).saying(&order.reason);
                page.add(buyer, line.with(seller).set_aside(*deposit));
                page.add(seller, line.with(buyer).set_aside(*stake));
            }
        }
        Event::HoldClosed { ending, .. } => page.closed(ending, bank),
        Event::Transferred { command } => page.transferred(command),
        Event::Granted { command } => {
            if let Order::Grant(order) = &command.body.order {
                let line = Line::of(Reason::Granted).saying(&order.reason);
                page.add(order.to, line.available(gain(order.amount)));
            }
        }
        Event::Frozen { command } => {
            if let Order::Freeze(order) = &command.body.order {
                let reason = if order.is_frozen { Reason::Frozen } else { Reason::Freed };
                page.add(order.account, Line::of(reason).saying(&order.reason));
            }
        }
        Event::HoldClaimed { .. } | Event::ArbiterNamed { .. } | Event::Resumed { .. } => {}
    }
    page.movements.retain(says_something);
    page.movements
}

/// What is said of one account, before it is an entry.
#[derive(Clone, Copy)]
struct Line<'a> {
    reason: Reason,
    contract: Option<CommandId>,
    other: Option<PublicKey>,
    available: i128,
    held: i128,
    memo: &'a str,
    fee: Money,
}

/// The movements of one record.
struct Page<'a> {
    record: &'a Record,
    movements: Vec<Movement>,
    /// Where an account's line is: a transfer may have thousands.
    places: BTreeMap<PublicKey, usize>,
}

impl<'a> Line<'a> {
    const fn of(reason: Reason) -> Self {
        Self { reason, contract: None, other: None, available: 0, held: 0, memo: "", fee: Money::ZERO }
    }

    const fn about(self, contract: CommandId) -> Self {
        Self { contract: Some(contract), ..self }
    }

    const fn with(self, other: PublicKey) -> Self {
        Self { other: Some(other), ..self }
    }

    const fn saying(self, memo: &'a str) -> Self {
        Self { memo, ..self }
    }

    const fn available(self, available: i128) -> Self {
        Self { available, ..self }
    }

    const fn held(self, held: i128) -> Self {
        Self { held, ..self }
    }

    fn set_aside(self, amount: Money) -> Self {
        self.available(-gain(amount)).held(gain(amount))
    }
}

impl Page<'_> {
    fn placed(&mut self, command: &Signed<BankCommand>) {
        let Order::PlaceHold(order) = &command.body.order else { return };
        let line = Line::of(Reason::HoldPlaced).about(command.body.id).with(order.seller);
        self.add(command.signer, line.set_aside(order.amount));
    }

    fn transferred(&mut self, command: &Signed<BankCommand>) {
        let Order::Transfer(order) = &command.body.order else { return };
        let line = Line::of(Reason::Transferred).saying(&order.memo);
        for payment in &order.payments {
            let amount = gain(payment.amount);
            self.add(command.signer, line.with(payment.to).available(-amount));
            self.add(payment.to, line.with(command.signer).available(amount));
        }
    }

    fn closed(&mut self, ending: &Ending, bank: PublicKey) {
        let Ending { hold, how, buyer, seller, owner, arbiter, shares } = *ending;
        let line = Line::of(Reason::Ended(how)).about(hold);
        let fee = shares.owner;
        let of_buyer = Line { fee, ..line.with(seller) };
        self.add(buyer, of_buyer.held(-gain(shares.buyer_held)).available(gain(shares.buyer)));
        let of_seller = line.with(buyer);
        self.add(seller, of_seller.held(-gain(shares.seller_held)).available(gain(shares.seller)));
        let third = |key: Option<PublicKey>, amount| Some((key?, line.with(buyer).available(gain(amount))));
        let thirds =
            [third(owner, shares.owner), third(arbiter, shares.arbiter), third(Some(bank), shares.pool)];
        for (account, line) in thirds.into_iter().flatten() {
            self.add(account, line);
        }
    }

    /// Adds a line, to the one that the account has already if it has one. Several other sides are none.
    fn add(&mut self, account: PublicKey, line: Line<'_>) {
        let known = self.places.get(&account).and_then(|place| self.movements.get_mut(*place));
        let Some(known) = known else {
            self.places.insert(account, self.movements.len());
            let (sequence, time) = (self.record.sequence, self.record.time);
            let Line { reason, contract, other, available, held, memo, fee } = line;
            let (to_available, to_held) = (narrow(available), narrow(held));
            let entry = Entry {
                sequence,
                time,
                reason,
                contract,
                other,
                available: to_available,
                held: to_held,
                memo: memo.to_owned(),
                fee,
            };
            return self.movements.push(Movement { account, available, held, entry });
        };
        known.available += line.available;
        known.held += line.held;
        let entry = &mut known.entry;
        (entry.available, entry.held) = (narrow(known.available), narrow(known.held));
        let is_other = line.other.is_some_and(|other| other != account) && entry.other != line.other;
        let is_part = line.available != 0 || line.held != 0;
        if entry.other == Some(account) {
            entry.other = line.other;
        } else if is_other && is_part && matches!(entry.reason, Reason::Transferred) {
            entry.other = None;
        }
    }
}

fn gain(amount: Money) -> i128 {
    i128::from(amount.0)
}

/// As a statement has it.
fn narrow(micro: i128) -> i64 {
    i64::try_from(micro).unwrap_or(if micro < 0 { i64::MIN } else { i64::MAX })
}

const fn says_something(movement: &Movement) -> bool {
    let Movement { available, held, .. } = *movement;
    matches!(movement.entry.reason, Reason::Opened | Reason::Frozen | Reason::Freed)
        || available != 0
        || held != 0
}

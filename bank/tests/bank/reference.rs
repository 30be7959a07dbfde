//! A small ledger that is written from the rules alone, for `model`: balances as plain numbers.

use crate::model::{Flaw, Paper};
use crate::world::{BANK, RULES};
use proto::{RefusalCode, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Answer = Result<Moved, RefusalCode>;

/// What an answer says that was no refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moved {
    Opened { available: u64, held: u64 },
    Recorded(Time),
    Held { amount: u64, expires: Time },
    Released(u64),
    Settled(u64, u64, u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Deposit {
    pub(crate) buyer: u8,
    pub(crate) seller: u8,
    amount: u64,
    expires: Time,
    /// With which code later orders are refused; none while it is open.
    pub(crate) closed: Option<RefusalCode>,
}

/// The reference: balances as plain numbers, and every hold that ever was.
#[derive(Default)]
pub(crate) struct Model {
    time: Time,
    pub(crate) available: BTreeMap<u8, u64>,
    pub(crate) granted: Vec<u8>,
    /// What the operator issued.
    pub(crate) issued: u64,
    frozen: BTreeSet<u8>,
    pub(crate) holds: BTreeMap<u32, Deposit>,
    pub(crate) executed: BTreeMap<u32, (u8, Moved)>,
}

impl Model {
    /// The time of the record that is written now.
    fn tick(&mut self, now: Time) -> Time {
        self.time = Time(self.time.0 + 1).max(now);
        self.time
    }

    pub(crate) fn expire(&mut self, now: Time) {
        loop {
            let time = Time(self.time.0 + 1).max(now);
            let first = self.holds.iter().filter(|(_, hold)| hold.closed.is_none());
            let first = first.map(|(id, hold)| (hold.expires, *id)).min();
            let Some((_, id)) = first.filter(|(expires, _)| *expires <= time) else { return };
            self.time = time;
            let hold = self.close(id, RefusalCode::HoldReturned);
            *self.available.get_mut(&hold.buyer).unwrap() += hold.amount;
        }
    }

    /// Expires each hold at its moment.
    pub(crate) fn wait(&mut self, mut now: Time, end: Time) {
        let open = |hold: &&Deposit| hold.closed.is_none();
        while let Some(first) = self.holds.values().filter(open).map(|hold| hold.expires).min() {
            if first > end {
                break;
            }
            now = now.max(first);
            self.expire(now);
        }
        self.expire(end);
    }

    fn close(&mut self, id: u32, code: RefusalCode) -> Deposit {
        let hold = self.holds.get_mut(&id).unwrap();
        hold.closed = Some(code);
        *hold
    }

    pub(crate) fn held(&self, who: u8) -> u64 {
        self.holds
            .values()
            .filter(|hold| hold.closed.is_none() && hold.buyer == who)
            .map(|hold| hold.amount)
            .sum()
    }

    fn open_hold(&self, id: u32) -> Result<Deposit, RefusalCode> {
        let hold = self.holds.get(&id).ok_or(RefusalCode::NoHold)?;
        hold.closed.map_or(Ok(*hold), Err)
    }

    fn party(hold: Deposit, who: u8) -> Result<(), RefusalCode> {
        if who == hold.buyer || who == hold.seller { Ok(()) } else { Err(RefusalCode::NotYours) }
    }

    pub(crate) fn open(&mut self, who: u8, number: u32, now: Time) -> Answer {
        if !self.granted.contains(&who) {
            self.tick(now);
            self.granted.push(who);
            *self.available.entry(who).or_default() += RULES.initial_grant.0;
            let moved = self.opened(who);
            self.executed.insert(number, (who, moved));
        }
        Ok(self.opened(who))
    }

    fn opened(&self, who: u8) -> Moved {
        Moved::Opened { available: self.available[&who], held: self.held(who) }
    }

    /// Moves available money of `payer`: all payments or none.
    pub(crate) fn pay(&mut self, payer: u8, payments: &[(u8, u64)], number: u32, now: Time) -> Answer {
        if payments.is_empty() || payments.iter().any(|(to, _)| *to == payer) {
            return Err(RefusalCode::Malformed);
        }
        if payments.iter().any(|(_, amount)| *amount == 0) {
            return Err(RefusalCode::BadAmount);
        }
        let sum = payments.iter().map(|(_, amount)| u128::from(*amount)).sum::<u128>();
        let sum = u64::try_from(sum).map_err(|_| RefusalCode::BadAmount)?;
        let mut people = payments.iter().map(|(to, _)| to);
        if !self.available.contains_key(&payer) || people.any(|to| !self.available.contains_key(to)) {
            return Err(RefusalCode::NoAccount);
        }
        self.may_spend(payer)?;
        let available = self.available.get_mut(&payer).unwrap();
        *available = available.checked_sub(sum).ok_or(RefusalCode::NotEnoughMoney)?;
        for (to, amount) in payments {
            *self.available.get_mut(to).unwrap() += amount;
        }
        Ok(self.record(payer, number, now))
    }

    pub(crate) fn grant(&mut self, who: u8, to: u8, amount: u64, number: u32, now: Time) -> Answer {
        if who != BANK {
            return Err(RefusalCode::NotYours);
        }
        if amount == 0 {
            return Err(RefusalCode::BadAmount);
        }
        let grants = RULES.initial_grant.0 * u64::try_from(self.granted.len()).unwrap();
        (grants + self.issued).checked_add(amount).ok_or(RefusalCode::Overflow)?;
        self.issued += amount;
        *self.available.entry(to).or_default() += amount;
        Ok(self.record(who, number, now))
    }

    pub(crate) fn freeze(&mut self, who: u8, account: u8, is_frozen: bool, number: u32, now: Time) -> Answer {
        if who != BANK {
            return Err(RefusalCode::NotYours);
        }
        if !self.available.contains_key(&account) {
            return Err(RefusalCode::NoAccount);
        }
        if is_frozen {
            self.frozen.insert(account);
        } else {
            self.frozen.remove(&account);
        }
        Ok(self.record(who, number, now))
    }

    fn record(&mut self, who: u8, number: u32, now: Time) -> Moved {
        let moved = Moved::Recorded(self.tick(now));
        self.executed.insert(number, (who, moved));
        moved
    }

    fn may_spend(&self, who: u8) -> Result<(), RefusalCode> {
        if self.frozen.contains(&who) { Err(RefusalCode::Frozen) } else { Ok(()) }
    }

    pub(crate) fn place(
        &mut self,
        (buyer, seller): (u8, u8),
        amount: u64,
        secs: u64,
        number: u32,
        now: Time,
    ) -> Answer {
        if amount == 0 {
            return Err(RefusalCode::BadAmount);
        }
        if seller == buyer || secs == 0 {
            return Err(RefusalCode::Malformed);
        }
        if !self.available.contains_key(&seller) {
            return Err(RefusalCode::NoAccount);
        }
        if !self.available.contains_key(&buyer) {
            return Err(RefusalCode::NoAccount);
        }
        self.may_spend(buyer)?;
        let available = self.available.get_mut(&buyer).unwrap();
        *available = available.checked_sub(amount).ok_or(RefusalCode::NotEnoughMoney)?;
        let expires = self.tick(now).after(Span::secs(secs));
        self.holds.insert(number, Deposit { buyer, seller, amount, expires, closed: None });
        let moved = Moved::Held { amount, expires };
        self.executed.insert(number, (buyer, moved));
        Ok(moved)
    }

    pub(crate) fn release(&mut self, who: u8, hold: u32, paper: Paper, number: u32, now: Time) -> Answer {
        let found = self.open_hold(hold)?;
        Self::party(found, who)?;
        if who == found.buyer {
            match paper {
                Paper::None => return Err(RefusalCode::Malformed),
                Paper::Succeeded => return Err(RefusalCode::Mismatch),
                Paper::ByAnother => return Err(RefusalCode::NotYours),
                Paper::Declined | Paper::Failed => {}
            }
        }
        self.tick(now);
        self.close(hold, RefusalCode::HoldReturned);
        *self.available.get_mut(&found.buyer).unwrap() += found.amount;
        let moved = Moved::Released(found.amount);
        self.executed.insert(number, (who, moved));
        Ok(moved)
    }

    pub(crate) fn settle(
        &mut self,
        who: u8,
        hold: u32,
        cycles: u64,
        flaw: Flaw,
        number: u32,
        now: Time,
    ) -> Answer {
        let found = self.open_hold(hold)?;
        Self::party(found, who)?;
        match flaw {
            Flaw::None => {}
            Flaw::Report => return Err(RefusalCode::NotYours),
            Flaw::Ticket | Flaw::Verdict | Flaw::Rejected => return Err(RefusalCode::Mismatch),
        }
        self.tick(now);
        self.close(hold, RefusalCode::HoldClosed);
        let fee = found.amount.min(RULES.owner_fee.0);
        let pay = (cycles / 500).min(found.amount - fee);
        let rest = found.amount - fee - pay;
        for (who, part) in [(found.seller, pay), (3, fee), (found.buyer, rest)] {
            if part > 0 {
                *self.available.entry(who).or_default() += part;
            }
        }
        let moved = Moved::Settled(pay, fee, rest);
        self.executed.insert(number, (who, moved));
        Ok(moved)
    }
}

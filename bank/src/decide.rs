//! From an order to the event that it causes, or to the reason why it causes none. Nothing changes here.
//!
//! An order that is wrong in several ways is refused for the first reason of this table, whatever else is wrong with it:
//!
//! | | what is looked at | code |
//! |---|---|---|
//! | 1 | the bank runs and its books are right | `busy` |
//! | 2 | the command is signed by the key of its channel | `not_yours` |
//! | 3 | it is for this bank | `mismatch` |
//! | 4 | it is no larger than the bank keeps | `malformed` |
//! | 5 | its signature is genuine | `not_yours` |
//! | 6 | its id: the same command has its first answer, another one is refused | `id_reused` |
//! | 7 | there is room for a record, and the ledger's time goes on | `disk_full`, `overflow` |
//! | 8 | grant, freeze: the signer is the bank | `not_yours` |
//! | 9 | the form: numbers of things, texts, different parties, amounts | `malformed`, `bad_amount` |
//! | 10 | the accounts: first the signer's, then the others in their order | `no_account` |
//! | 11 | the hold: it is open, the signer is its party, the papers fit | `no_hold`, `hold_closed`, `hold_returned`, `not_yours`, … |
//! | 12 | the signer may spend | `frozen` |
//! | 13 | who opens an account: room, proof of work, invitation, number of the day | `busy`, `not_admitted`, `quota` |
//! | 14 | bounds of the account | `busy` |
//! | 15 | the money | `not_enough_money`, `overflow` |
//!
//! Within 9: a hold's amount, its parties, its time; a transfer's number of payments, memo, parties, amounts, sum; an
//! operator's reason, then the amount, then the key. 2 to 5 are in `entrance`, 6 in [`crate::Bank`]; the test `precedence` puts every
//! two faults together.

mod deal;

pub(crate) use deal::{disputable, is_claimed_work, is_party, is_seller};

use crate::account::Account;
use crate::admission::may_enter;
use crate::hold::{MAX_HOLD, MAX_OPEN_HOLDS, MIN_HOLD};
use crate::ledger::Ledger;
use crate::record::{Event, Network};
use crate::transfer::{may_freeze, may_grant, may_transfer};
use proto::message::bank::{BankCommand, OpenAccount, Order, PlaceHold};
use proto::{Money, PublicKey, Refusal, RefusalCode, Rules, Signed, Time};

/// How many accounts there may be. Those that fees make are not counted against it: they are paid for.
pub const MAX_ACCOUNTS: usize = 1 << 22;

/// What an order comes to.
pub(crate) enum Decision {
    /// This has to happen.
    Happens(Event),
    /// The account is there already; its balance is the answer.
    IsOpen,
}

/// What a decision looks at.
pub(crate) struct Counter<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) rules: &'a Rules,
    /// The bank's own key, whose orders are the operator's.
    pub(crate) bank: PublicKey,
    /// From where the command came.
    pub(crate) network: Network,
    /// The ledger's time.
    pub(crate) time: Time,
}

/// Decides about a genuine command that was not executed before.
pub(crate) fn decide(at: &Counter<'_>, command: &Signed<BankCommand>) -> Result<Decision, Refusal> {
    let Counter { ledger, rules, time, .. } = *at;
    let (signer, kept) = (command.signer, || Box::new(command.clone()));
    let closed = |ending| Event::HoldClosed { command: Some(kept()), ending: Box::new(ending) };
    Ok(Decision::Happens(match &command.body.order {
        Order::OpenAccount(order) => {
            if ledger.accounts.find(signer).is_some_and(|account| account.is_granted) {
                return Ok(Decision::IsOpen);
            }
            let granted = may_open(at, signer, order)?;
            Event::AccountOpened { command: kept(), granted, network: at.network }
        }
        Order::PlaceHold(order) => {
            may_hold(ledger, signer, order)?;
            Event::HoldPlaced { command: kept(), expires: time.after(order.expires_in) }
        }
        Order::ReleaseHold(order) => closed(deal::release(ledger, signer, order)?),
        Order::Settle(order) => closed(deal::settle(ledger, signer, order, rules)?),
        Order::AcceptHold(order) => deal::accept(at, command, order)?,
        Order::Claim(order) => deal::claim(at, command, order)?,
        Order::Dispute(order) => deal::dispute(at, command, order)?,
        Order::Judge(order) => closed(deal::judge(ledger, signer, order)?),
        Order::Transfer(order) => {
            may_transfer(at, signer, order)?;
            Event::Transferred { command: kept() }
        }
        Order::Grant(order) => {
            may_grant(at, signer, order)?;
            Event::Granted { command: kept() }
        }
        Order::Freeze(order) => {
            may_freeze(at, signer, order)?;
            Event::Frozen { command: kept() }
        }
    }))
}

fn may_open(at: &Counter<'_>, signer: PublicKey, order: &OpenAccount) -> Result<Money, Refusal> {
    let Counter { ledger, rules, bank, network, time } = *at;
    if ledger.accounts.find(signer).is_none() && ledger.accounts.count() >= MAX_ACCOUNTS {
        return Err(no_more_accounts(ledger));
    }
    may_enter(rules, bank, signer, order, (&ledger.openings, network), time)?;
    check_issue(ledger, rules.initial_grant)?;
    Ok(rules.initial_grant)
}

/// There are as many accounts as there may be.
pub(crate) fn no_more_accounts(ledger: &Ledger) -> Refusal {
    let message = format!("the bank has {} accounts and opens no more", ledger.accounts.count());
    Refusal::new(RefusalCode::Busy, message, "")
}

/// Whether `amount` may be issued: all that is in circulation has to be countable.
pub(crate) fn check_issue(ledger: &Ledger, amount: Money) -> Result<(), Refusal> {
    let issued = ledger.accounts.issued();
    if issued + i128::from(amount.0) <= i128::from(u64::MAX) {
        return Ok(());
    }
    let issued = Money(u64::try_from(issued).unwrap_or(u64::MAX));
    let message = format!("{issued} credits are issued, and {amount} more cannot be counted");
    Err(Refusal::new(RefusalCode::Overflow, message, ""))
}

/// The account of `key`, if there is one and it may spend.
pub(crate) fn may_spend(ledger: &Ledger, key: PublicKey) -> Result<&Account, Refusal> {
    let account = ledger.accounts.find(key).ok_or_else(|| no_account(key))?;
    if !account.is_frozen {
        return Ok(account);
    }
    let message = format!("the account {key} is frozen: it is paid, and cannot spend");
    Err(Refusal::new(RefusalCode::Frozen, message, "ask the bank's operator why"))
}

/// Whether `account` has `amount` available.
pub(crate) fn enough_money(account: &Account, amount: Money) -> Result<(), Refusal> {
    let (available, held) = (Money(account.available), Money(account.held));
    if available >= amount {
        return Ok(());
    }
    let message =
        format!("the account has {available} credits available, {amount} are needed; {held} are held");
    let hint = "what is held comes back when its sub-tasks end; lower the price limit or wait";
    Err(Refusal::new(RefusalCode::NotEnoughMoney, message, hint))
}

fn may_hold(ledger: &Ledger, buyer: PublicKey, order: &PlaceHold) -> Result<(), Refusal> {
    let PlaceHold { seller, amount, expires_in, .. } = *order;
    if amount == Money::ZERO {
        return Err(Refusal::new(RefusalCode::BadAmount, "a hold has to be of more than nothing", ""));
    }
    if seller == buyer {
        return Err(Refusal::new(RefusalCode::Malformed, "buyer and seller are the same account", ""));
    }
    if !(MIN_HOLD..=MAX_HOLD).contains(&expires_in) {
        let message = format!("a hold lasts from {MIN_HOLD} to {MAX_HOLD}, not {expires_in}");
        return Err(Refusal::new(RefusalCode::Malformed, message, ""));
    }
    if let Some(stranger) = [buyer, seller].into_iter().find(|key| ledger.accounts.find(*key).is_none()) {
        return Err(no_account(stranger));
    }
    let account = may_spend(ledger, buyer)?;
    let open = ledger.holds.tally(buyer).count;
    if open >= MAX_OPEN_HOLDS {
        let message = format!("the account has {open} open holds, and may have {MAX_OPEN_HOLDS}");
        return Err(Refusal::new(RefusalCode::Busy, message, "settle or release some first"));
    }
    enough_money(account, amount)
}

/// There is no account of `key`.
pub(crate) fn no_account(key: PublicKey) -> Refusal {
    let hint = "its node opens one when it joins";
    Refusal::new(RefusalCode::NoAccount, format!("there is no account of {key}"), hint)
}

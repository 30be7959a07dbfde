//! From an order to the event that it causes, or to the reason why it causes none. Nothing changes here.

mod deal;

pub(crate) use deal::{disputable, is_claimed_work, is_party, is_seller};

use crate::hold::{MAX_HOLD, MAX_OPEN_HOLDS, MIN_HOLD};
use crate::ledger::Ledger;
use crate::record::{Event, Network};
use proto::message::bank::{BankCommand, Order, PlaceHold};
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
        Order::OpenAccount(_) => {
            if ledger.accounts.find(signer).is_some_and(|account| account.is_granted) {
                return Ok(Decision::IsOpen);
            }
            let granted = may_open(ledger, signer, rules.initial_grant)?;
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
        Order::Transfer(_) | Order::Grant(_) | Order::Freeze(_) => {
            let message = format!("the bank {} does not do that", at.bank);
            return Err(Refusal::new(RefusalCode::WrongState, message, ""));
        }
    }))
}

fn may_open(ledger: &Ledger, signer: PublicKey, grant: Money) -> Result<Money, Refusal> {
    let is_new = ledger.accounts.find(signer).is_none();
    if is_new && ledger.accounts.count() >= MAX_ACCOUNTS {
        let message = format!("the bank has {} accounts and opens no more", ledger.accounts.count());
        return Err(Refusal::new(RefusalCode::Busy, message, ""));
    }
    let issued = ledger.accounts.issued();
    if issued + i128::from(grant.0) > i128::from(u64::MAX) {
        let issued = Money(u64::try_from(issued).unwrap_or(u64::MAX));
        let message = format!("{issued} credits are issued, and {grant} more cannot be counted");
        return Err(Refusal::new(RefusalCode::Overflow, message, ""));
    }
    Ok(grant)
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
    let account = ledger.accounts.find(buyer).ok_or_else(|| no_account(buyer))?;
    if ledger.accounts.find(seller).is_none() {
        return Err(no_account(seller));
    }
    let open = ledger.holds.tally(buyer).count;
    if open >= MAX_OPEN_HOLDS {
        let message = format!("the account has {open} open holds, and may have {MAX_OPEN_HOLDS}");
        return Err(Refusal::new(RefusalCode::Busy, message, "settle or release some first"));
    }
    let (available, held) = (Money(account.available), Money(account.held));
    if available < amount {
        let message =
            format!("the account has {available} credits available, {amount} are needed; {held} are held");
        let hint = "what is held comes back when its sub-tasks end; lower the price limit or wait";
        return Err(Refusal::new(RefusalCode::NotEnoughMoney, message, hint));
    }
    Ok(())
}

/// There is no account of `key`.
pub(crate) fn no_account(key: PublicKey) -> Refusal {
    let hint = "its node opens one when it joins";
    Refusal::new(RefusalCode::NoAccount, format!("there is no account of {key}"), hint)
}

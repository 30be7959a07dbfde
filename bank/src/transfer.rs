//! Money that moves outside of contracts: transfers of an owner, and what the bank's operator orders.

use crate::account::{Posting, Side};
use crate::check::Violation;
use crate::decide::{Counter, MAX_ACCOUNTS, check_issue, enough_money, may_spend, no_account};
use crate::fingerprint::{Fingerprint, Gist};
use crate::ledger::{Ledger, Step, TWICE, executed, impossible};
use crate::memory::{Answer, Executed};
use crate::record::Plain;
use proto::message::bank::{BankCommand, Freeze, Grant, MAX_MEMO, MAX_PAYMENTS, Order, Payment, Transfer};
use proto::{Money, PublicKey, Refusal, RefusalCode, Signed};

/// What all payments come to; `None` if that cannot be counted.
pub(crate) fn total(payments: &[Payment]) -> Option<Money> {
    payments.iter().try_fold(Money::ZERO, |sum, payment| sum.checked_add(payment.amount))
}

/// Whether `payer` may give this order.
pub(crate) fn may_transfer(at: &Counter<'_>, payer: PublicKey, order: &Transfer) -> Result<(), Refusal> {
    let ledger = at.ledger;
    let sum = check_form(payer, &order.payments, &order.memo)?;
    let mut people = std::iter::once(payer).chain(order.payments.iter().map(|payment| payment.to));
    if let Some(stranger) = people.find(|key| ledger.accounts.find(*key).is_none()) {
        return Err(no_account(stranger));
    }
    enough_money(may_spend(ledger, payer)?, sum)
}

/// Whether the bank's own order to issue money may be carried out.
pub(crate) fn may_grant(at: &Counter<'_>, signer: PublicKey, order: &Grant) -> Result<(), Refusal> {
    is_operator(at, signer)?;
    check_memo("reason", &order.reason)?;
    if order.amount == Money::ZERO {
        return Err(Refusal::new(RefusalCode::BadAmount, "a grant has to be of more than nothing", ""));
    }
    if !order.to.is_usable() {
        let message = format!("{} is no key that anybody can have", order.to);
        return Err(Refusal::new(RefusalCode::Malformed, message, "copy the account's key whole"));
    }
    let is_new = at.ledger.accounts.find(order.to).is_none();
    if is_new && at.ledger.accounts.count() >= MAX_ACCOUNTS {
        return Err(crate::decide::no_more_accounts(at.ledger));
    }
    check_issue(at.ledger, order.amount)
}

/// Whether the bank's own order to freeze or free an account may be carried out.
pub(crate) fn may_freeze(at: &Counter<'_>, signer: PublicKey, order: &Freeze) -> Result<(), Refusal> {
    is_operator(at, signer)?;
    check_memo("reason", &order.reason)?;
    if at.ledger.accounts.find(order.account).is_none() {
        return Err(no_account(order.account));
    }
    Ok(())
}

/// What a transfer changes.
pub(crate) fn step_transferred(ledger: &Ledger, command: &Signed<BankCommand>) -> Result<Step, Violation> {
    let Order::Transfer(order) = &command.body.order else {
        return Err(impossible("money was transferred by another order"));
    };
    let postings = paid(ledger, command.signer, &order.payments, &order.memo)?;
    Ok(Step { postings, ..recorded(ledger, command) })
}

/// Carries a transfer out whose record was not taken apart: what [`step_transferred`] and `execute` come to, with every key
/// looked up once.
pub(crate) fn apply_plain(ledger: &mut Ledger, record: &Plain<'_>) -> Result<(), Violation> {
    let Plain { payer, payments, memo, time, .. } = record;
    let Ok(sum) = check_form(*payer, payments, memo) else { return Err(OTHER_FORM) };
    let number = ledger.accounts.number(*payer).ok_or(NO_PAYER)?;
    if ledger.accounts.at(number).is_none_or(|account| account.is_frozen) {
        return Err(NO_PAYER);
    }
    if ledger.memory.find(record.id).is_some() {
        return Err(TWICE);
    }
    ledger.memory.forget_aged(*time);
    ledger.touched.clear();
    ledger.accounts.change_available(number, -i128::from(sum.0))?;
    for Payment { to, amount } in payments {
        let payee = ledger.accounts.number(*to).ok_or(NO_PAYEE)?;
        ledger.accounts.change_available(payee, i128::from(amount.0))?;
    }
    let fingerprint = Fingerprint { digest: record.digest, gist: Gist::of_payments(payments) };
    let executed = Executed { fingerprint, answer: Answer::Recorded(ledger.sequence) };
    ledger.memory.remember_over(record.id, executed, number.saturating_add(1), *time);
    Ok(())
}

/// The postings of payments that can have happened.
fn paid(
    ledger: &Ledger,
    payer: PublicKey,
    payments: &[Payment],
    memo: &str,
) -> Result<Vec<Posting>, Violation> {
    let Ok(sum) = check_form(payer, payments, memo) else { return Err(OTHER_FORM) };
    if ledger.accounts.find(payer).is_none_or(|payer| payer.is_frozen) {
        return Err(NO_PAYER);
    }
    if payments.iter().any(|payment| ledger.accounts.find(payment.to).is_none()) {
        return Err(NO_PAYEE);
    }
    let mut postings = Vec::with_capacity(payments.len() + 1);
    postings.push(Posting::debit(Side::Available(payer), sum));
    let credit = |payment: &Payment| Posting::credit(Side::Available(payment.to), payment.amount);
    postings.extend(payments.iter().map(credit));
    Ok(postings)
}

const OTHER_FORM: Violation = impossible("money was transferred in a form that no bank takes");
const NO_PAYER: Violation = impossible("money was transferred by an account that is frozen or not there");
const NO_PAYEE: Violation = impossible("money was transferred to an account that is not there");

/// What a grant of the operator changes.
pub(crate) fn step_granted(ledger: &Ledger, command: &Signed<BankCommand>) -> Result<Step, Violation> {
    let Order::Grant(order) = &command.body.order else {
        return Err(impossible("money was issued by another order"));
    };
    if command.signer != ledger.bank || order.amount == Money::ZERO {
        return Err(impossible("money was issued in a form that no bank takes"));
    }
    let mut step = recorded(ledger, command);
    step.postings = vec![
        Posting::debit(Side::Issuer, order.amount),
        Posting::credit(Side::Available(order.to), order.amount),
    ];
    Ok(step)
}

/// What a freezing changes.
pub(crate) fn step_frozen(ledger: &Ledger, command: &Signed<BankCommand>) -> Result<Step, Violation> {
    let Order::Freeze(order) = &command.body.order else {
        return Err(impossible("an account was frozen by another order"));
    };
    if command.signer != ledger.bank || ledger.accounts.find(order.account).is_none() {
        return Err(impossible("an account was frozen that is not there, or not by the bank"));
    }
    let mut step = recorded(ledger, command);
    step.frozen = Some((order.account, order.is_frozen));
    Ok(step)
}

fn recorded(ledger: &Ledger, command: &Signed<BankCommand>) -> Step {
    Step { executed: Some(executed(command, Answer::Recorded(ledger.sequence))), ..Step::default() }
}

/// The sum of a transfer that has the right form.
fn check_form(payer: PublicKey, payments: &[Payment], memo: &str) -> Result<Money, Refusal> {
    let malformed = |message: String| Err(Refusal::new(RefusalCode::Malformed, message, ""));
    if payments.is_empty() || payments.len() > MAX_PAYMENTS {
        let count = payments.len();
        return malformed(format!("a transfer has 1 to {MAX_PAYMENTS} payments, not {count}"));
    }
    check_memo("memo", memo)?;
    if payments.iter().any(|payment| payment.to == payer) {
        return malformed("payer and payee are the same account".into());
    }
    if payments.iter().any(|payment| payment.amount == Money::ZERO) {
        return Err(Refusal::new(RefusalCode::BadAmount, "a payment has to be of more than nothing", ""));
    }
    total(payments).ok_or_else(|| {
        Refusal::new(RefusalCode::BadAmount, "the payments come to more than can be counted", "")
    })
}

fn check_memo(name: &str, text: &str) -> Result<(), Refusal> {
    if text.len() <= MAX_MEMO {
        return Ok(());
    }
    let message = format!("the {name} has {} bytes, {MAX_MEMO} are kept at most", text.len());
    Err(Refusal::new(RefusalCode::Malformed, message, "say it in fewer words"))
}

fn is_operator(at: &Counter<'_>, signer: PublicKey) -> Result<(), Refusal> {
    if signer == at.bank {
        return Ok(());
    }
    let message = format!("only the bank's own key orders that, and {signer} is another");
    Err(Refusal::new(RefusalCode::NotYours, message, "the operator gives it on the bank's machine"))
}

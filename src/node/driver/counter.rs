//! What commands ask of the bank: the balance, statements, receipts and payments.
//!
//! Statements and receipts go to the bank beside the node's core, because nothing in it depends on them. Payments go
//! through the core, which sends an order until it is answered.

use super::Driver;
use crate::control::{
    BalanceView, CommittedView, EntriesView, EntryView, Failure, PaidView, PaperView, Payment, Reply,
    StatementRequest,
};
use crate::node::control::Question;
use crate::node::random;
use crate::node::record::rfc3339;
use crate::node::spending::Spending;
use proto::id::{hex, unhex};
use proto::message::Message;
use proto::message::bank::{
    BankMessage, BankOutcome, Entry, MAX_ENTRIES, MAX_MEMO, Payment as Line, Reason, ReceiptQuery,
    StatementQuery, Transfer,
};
use proto::wire::Wire as _;
use proto::{CommandId, Money, Peer, PublicKey, Refusal, RefusalCode, RequestId};
use service::{Event, EventKind, Input};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the bank may take to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// After how long a question is sent again that has no answer, or came to a bank with too much to do.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Who waits for the bank.
#[derive(Default)]
pub(super) struct Counter {
    balances: Vec<(Instant, Question)>,
    asked: BTreeMap<u64, Asked>,
    /// Payments that the bank has not answered.
    paying: BTreeMap<CommandId, Paying>,
    spending: Spending,
}

/// A question beside the core.
struct Asked {
    message: BankMessage,
    since: Instant,
    sent: Instant,
    question: Question,
}

/// A payment, and who waits for its answer; when nobody does any more, it is still sent until it is answered.
struct Paying {
    transfer: Transfer,
    askers: Vec<(Instant, Question)>,
}

impl Asked {
    /// Whether the bank has only too much to do now, and there is time to ask it again.
    fn may_wait(&self, refusal: &Refusal) -> bool {
        let is_passing = matches!(refusal.code, RefusalCode::Busy | RefusalCode::Quota);
        is_passing && self.since.elapsed() + ASK_AGAIN < ANSWER_WITHIN
    }
}

impl Driver {
    /// Asks for the balance.
    pub(super) fn query_balance(&mut self, question: Question) {
        self.counter.balances.push((Instant::now(), question));
        self.take(Input::AskBalance);
    }

    /// The bank has told the balance.
    pub(super) fn answer_balance(&mut self, available: Money, held: Money) {
        if self.counter.balances.is_empty() {
            return;
        }
        let view = self.balance(available, held);
        for (_, asker) in self.counter.balances.drain(..) {
            asker.answer(Reply::Balance(Box::new(view.clone())));
        }
    }

    fn balance(&self, available: Money, held: Money) -> BalanceView {
        let committed = self.tasks.committed(&self.node);
        let of_tasks = committed.iter().fold(0_u64, |sum, task| sum.saturating_add(task.tally.held.0));
        let posted = Money(available.0.saturating_add(held.0));
        let accrued = committed.iter().fold(0_u64, |sum, task| sum.saturating_add(task.accrued.0));
        let began = committed.iter().map(|task| task.started).min();
        let now = Instant::now();
        let pace = began.and_then(|began| self.counter.spending.pace(now, began, Money(accrued)));
        let line = |task: &crate::node::tasks::Committed| CommittedView {
            task: task.id,
            name: task.name.clone(),
            held: task.tally.held.to_string(),
            spent: task.tally.spent.to_string(),
            budget: task.budget.map(|budget| budget.to_string()),
        };
        BalanceView {
            account: self.node.me().key.to_hex(),
            available: available.to_string(),
            held: held.to_string(),
            posted: posted.to_string(),
            tasks: committed.iter().map(line).collect(),
            other_held: Money(held.0.saturating_sub(of_tasks)).to_string(),
            per_hour: pace.map(|pace| pace.per_hour.to_string()),
            lasts: pace.map(|pace| pace.lasts(posted)),
        }
    }

    /// Notes what a sub-task has cost.
    pub(super) fn note_spending(&mut self, event: &Event) {
        if let EventKind::Ended { end, .. } = &event.kind {
            let cost = Money(end.paid.0.saturating_add(end.fee.0));
            self.counter.spending.note(Instant::now(), cost);
        }
    }

    /// Asks for lines of the statement.
    pub(super) fn ask_statement(&mut self, request: StatementRequest, question: Question) {
        let StatementRequest { before, limit } = request;
        let (before, limit) = (before.unwrap_or(u64::MAX), limit.clamp(1, MAX_ENTRIES));
        self.query(question, |request| {
            BankMessage::StatementQuery(StatementQuery { request, before, limit })
        });
    }

    /// Asks for the receipt of a contract.
    pub(super) fn ask_receipt(&mut self, contract: &str, question: Question) {
        match unhex(contract).map(CommandId) {
            Some(contract) => {
                self.query(question, |request| BankMessage::ReceiptQuery(ReceiptQuery { request, contract }))
            }
            None => question.answer(Reply::Error(malformed("contract", contract, 32))),
        }
    }

    fn query(&mut self, question: Question, message: impl FnOnce(RequestId) -> BankMessage) {
        // An answer to a former run of the node must not be taken for one to this question.
        let number = match random::bytes() {
            Ok(bytes) => u64::from_le_bytes(bytes),
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        let message = message(RequestId(number));
        self.net.send(self.bank, Message::Bank(message.clone()));
        let now = Instant::now();
        self.counter.asked.insert(number, Asked { message, since: now, sent: now, question });
    }

    /// Takes what answers a question that was asked beside the core; anything else is the core's.
    pub(super) fn hear_bank(&mut self, from: Peer, message: Message) -> Option<Message> {
        let Message::Bank(told) = &message else { return Some(message) };
        let request = match told {
            BankMessage::Statement(statement) => statement.request,
            BankMessage::Receipt(reply) => reply.request,
            BankMessage::Refused(refused) => refused.request,
            _ => return Some(message),
        };
        if from.key != self.bank.key {
            return Some(message);
        }
        let Some(mut asked) = self.counter.asked.remove(&request.0) else {
            self.refuse_balances(told);
            return Some(message);
        };
        if matches!(told, BankMessage::Refused(refused) if asked.may_wait(&refused.refusal)) {
            asked.sent = Instant::now();
            self.counter.asked.insert(request.0, asked);
            return None;
        }
        let reply = match told {
            BankMessage::Statement(statement) => Reply::Entries(Box::new(EntriesView {
                account: self.node.me().key.to_hex(),
                entries: statement.entries.iter().map(entry).collect(),
                is_complete: statement.is_complete,
            })),
            BankMessage::Receipt(reply) => Reply::Paper(Box::new(PaperView {
                paper: hex(&reply.receipt.encode()),
                bank: self.bank.key.to_hex(),
            })),
            BankMessage::Refused(refused) => Reply::Error(Failure::refused(&refused.refusal)),
            _ => return Some(message),
        };
        asked.question.answer(reply);
        None
    }

    /// Whoever waits for the balance of an account that is not there is told so.
    fn refuse_balances(&mut self, told: &BankMessage) {
        let BankMessage::Refused(refused) = told else { return };
        if refused.refusal.code == RefusalCode::NoAccount {
            let reply = Reply::Error(Failure::refused(&refused.refusal));
            self.counter.balances.drain(..).for_each(|(_, asker)| asker.answer(reply.clone()));
        }
    }

    /// Orders a payment. The same id again waits for the same answer.
    pub(super) fn pay(&mut self, payment: Payment, question: Question) {
        let (id, transfer) = match read(payment) {
            Ok(read) => read,
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        if let Some(paying) = self.counter.paying.get_mut(&id) {
            if paying.transfer == transfer {
                paying.askers.push((Instant::now(), question));
            } else {
                let message = format!("a payment with the id {id:#} is under way, and it is another one");
                let refusal =
                    Refusal::new(RefusalCode::IdReused, message, "leave --id away for a new payment");
                question.answer(Reply::Error(Failure::refused(&refusal)));
            }
            return;
        }
        let askers = vec![(Instant::now(), question)];
        self.counter.paying.insert(id, Paying { transfer: transfer.clone(), askers });
        self.take(Input::Pay { id, transfer });
    }

    /// The bank has answered a payment.
    pub(super) fn paid(&mut self, id: CommandId, outcome: BankOutcome) {
        let Some(Paying { transfer, askers }) = self.counter.paying.remove(&id) else { return };
        let line = transfer.payments.first();
        let reply = match (outcome, line) {
            (BankOutcome::Recorded(receipt), Some(line)) => Reply::Paid(Box::new(PaidView {
                id: format!("{id:#}"),
                from: self.node.me().key.to_hex(),
                to: line.to.to_hex(),
                amount: line.amount.to_string(),
                memo: transfer.memo,
                record: receipt.sequence,
                time: rfc3339(receipt.time),
            })),
            (BankOutcome::Refused(refusal), _) => Reply::Error(not_paid(&refusal)),
            _ => Reply::Error(Failure::new("bad_reply", "the bank answered something else", 4)),
        };
        if askers.is_empty() {
            tracing::info!(%id, ?reply, "a payment that nobody waits for any more was answered");
        }
        for (_, asker) in askers {
            asker.answer(reply.clone());
        }
    }

    /// Who has waited too long is told so; what was not answered is asked again.
    pub(super) fn look_at_counter(&mut self) {
        let address = self.bank.addr.to_string();
        let late = |since: &Instant| since.elapsed() >= ANSWER_WITHIN;
        let no_bank = Reply::Error(Failure::no_bank(&address));
        self.counter.balances.retain(|(since, asker)| keeps_waiting(!late(since), asker, &no_bank));
        let (net, bank) = (&self.net, self.bank);
        self.counter.asked.retain(|_, asked| {
            if asked.sent.elapsed() >= ASK_AGAIN {
                asked.sent = Instant::now();
                net.send(bank, Message::Bank(asked.message.clone()));
            }
            keeps_waiting(!late(&asked.since), &asked.question, &no_bank)
        });
        let no_word = Reply::Error(Failure::no_word(&address, ANSWER_WITHIN.as_secs()));
        for paying in self.counter.paying.values_mut() {
            paying.askers.retain(|(since, asker)| keeps_waiting(!late(since), asker, &no_word));
        }
    }
}

/// Whether `asker` goes on waiting; if it has waited too long, it is told `otherwise`.
fn keeps_waiting(is_early: bool, asker: &Question, otherwise: &Reply) -> bool {
    if !is_early {
        asker.answer(otherwise.clone());
    }
    is_early && !asker.is_gone()
}

/// A payment as the bank is told it.
fn read(payment: Payment) -> Result<(CommandId, Transfer), Failure> {
    let Payment { to, amount, memo, id } = payment;
    let id = unhex(&id).map(CommandId).ok_or_else(|| malformed("id", &id, 32))?;
    let to = PublicKey::from_hex(&to).ok_or_else(|| malformed("account", &to, 64))?;
    if memo.len() > MAX_MEMO {
        let message = format!("the memo has {} bytes, {MAX_MEMO} are kept", memo.len());
        return Err(Failure::new("malformed", message, 2).hint("say it in fewer words"));
    }
    Ok((id, Transfer { payments: vec![Line { to, amount: Money(amount) }], memo }))
}

fn malformed(what: &str, text: &str, digits: usize) -> Failure {
    let shown: String = text.chars().take(80).collect();
    Failure::new("malformed", format!("`{shown}` is not the {what}: expected {digits} hexadecimal digits"), 2)
}

/// Why the bank does not pay.
fn not_paid(refusal: &Refusal) -> Failure {
    let failure = Failure::refused(refusal);
    if refusal.code != RefusalCode::NotEnoughMoney {
        return failure;
    }
    let message = format!("not enough money: {}", failure.message);
    Failure {
        message,
        hint: "what is held comes back when its contracts end; see `bank balance`".into(),
        ..failure
    }
}

fn entry(entry: &Entry) -> EntryView {
    EntryView {
        record: entry.sequence,
        time: entry.time.0,
        reason: word(entry.reason).into(),
        contract: entry.contract.map(|contract| format!("{contract:#}")),
        other: entry.other.map(|other| other.to_hex()),
        available: entry.available,
        held: entry.held,
        fee: entry.fee.0,
        memo: entry.memo.clone(),
    }
}

/// The word for a reason in JSON.
const fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Opened => "opened",
        Reason::Granted => "granted",
        Reason::Transferred => "transferred",
        Reason::HoldPlaced => "hold_placed",
        Reason::BondPlaced => "bond_placed",
        Reason::Disputed => "disputed",
        Reason::Ended(how) => how.name(),
        Reason::Frozen => "frozen",
        Reason::Freed => "freed",
    }
}

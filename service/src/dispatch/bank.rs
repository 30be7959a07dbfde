//! The buyer's dealings with the bank: holds placed, released and settled.

use super::{Dispatch, State, TaskRun, Timer};
use crate::effect::Effect;
use crate::event::{EventKind, Verdict};
use crate::journal::Note;
use crate::plan::Part;
use proto::message::bank::{BankOutcome, BankReply, HoldReceipt, Order, ReleaseHold, Settle};
use proto::message::market::Ticket;
use proto::message::service::Verdict as SignedVerdict;
use proto::message::service::{Declined, Offer, Outcome, Report, ServiceMessage};
use proto::{CommandId, ContractId, Cycles, Hash, KeyPair, Money, Rate, Refusal, RefusalCode, Signed, Time};

/// The id of a later order about a hold: the same for every copy of it, and nobody else can compute it (the ids
/// of a bank are global, so one that could be guessed could be used up beforehand).
pub(crate) fn follow_up(keys: &KeyPair, hold: ContractId, step: &str) -> CommandId {
    let mut text = Vec::from("compup2p/v1/follow-up\0");
    text.extend(hold.0);
    text.extend(step.as_bytes());
    let secret = keys.sign(&text);
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(Hash::of(&secret.0).0) {
        *to = from;
    }
    CommandId(id)
}

/// What seller and market owner get together for the work, in micro-credits per Gc.
pub(crate) const fn total_rate(ticket: &Ticket) -> Rate {
    Rate(ticket.clearing.0.saturating_add(ticket.owner_rate.0))
}

/// What seller and market owner are paid for `cycles` out of a hold of `amount`: as the bank reckons.
pub(crate) fn shares(ticket: &Ticket, amount: Money, cycles: Cycles) -> (Money, Money) {
    let fee = ticket.fee.min(amount);
    let after_fee = amount.checked_sub(fee).unwrap_or(Money::ZERO);
    let seller = ticket.clearing.cost(cycles).min(after_fee);
    let after_seller = after_fee.checked_sub(seller).unwrap_or(Money::ZERO);
    let share = ticket.owner_rate.cost(cycles).min(after_seller);
    (seller, fee.checked_add(share).unwrap_or(fee))
}

impl Dispatch {
    /// An answer of the bank to one of the buyer's orders.
    pub(crate) fn bank_answered(&mut self, reply: BankReply, now: Time) {
        self.strays.remove(&reply.command);
        self.note_freed(reply.command);
        if let Some(contract) = self.disputes.remove(&reply.command) {
            self.dispute_answered(contract, reply.outcome, now);
            return;
        }
        if let Some(contract) = self.settlements.remove(&reply.command) {
            self.settled(contract, reply.outcome, now);
            return;
        }
        let Some(reply) = self.bank_answered_on_room(reply, now) else { return };
        let bank = self.bank;
        let Some((task, index, run)) = self.attempt(reply.command) else { return };
        if run.state != State::Holding {
            return;
        }
        match reply.outcome {
            BankOutcome::Held(receipt) if receipt.is_genuine_by(bank) => self.held(task, index, receipt, now),
            BankOutcome::Refused(refusal) => self.hold_refused(task, index, refusal, now),
            _ => {}
        }
    }

    fn held(&mut self, task: ContractId, index: u32, receipt: Signed<HoldReceipt>, now: Time) {
        let (me, keys, rules) = (self.me, self.keys.clone(), self.rules);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        run.count_attempt(index);
        let Some(mut job) = run.joint_job(index) else { return };
        let Some(run) = run.run_mut(index) else { return };
        let attempts = run.attempts;
        let sub_task = run.head.unwrap_or(index);
        let amount = receipt.body.amount;
        let Some(attempt) = run.attempt.as_mut() else { return };
        let ticket = attempt.ticket.clone();
        let for_seller = amount.checked_sub(rules.owner_fee).unwrap_or(Money::ZERO);
        let for_each = Money(for_seller.0.checked_div(job.count()).unwrap_or(for_seller.0));
        job.limits.cycles = job.limits.cycles.min(total_rate(&ticket.body).cycles_for(for_each));
        let seller = attempt.seller();
        let contract = attempt.contract;
        let offer = Offer {
            contract,
            task,
            sub_task,
            attempt: attempts,
            buyer: me,
            seller: seller.key,
            job,
            hold: receipt,
            ticket,
        };
        let offer = Signed::new(offer, &keys);
        attempt.offer = Some(offer.clone());
        (attempt.last_heard, attempt.offered_at) = (now, now);
        self.become_state(task, index, State::Offered);
        self.watch(now.after(rules.sign_of_life()), Timer::Lease(contract));
        let offer = Box::new(offer);
        self.note(Note::Offered { offer: offer.clone() });
        self.effects.push_back(Effect::Send { to: seller, message: ServiceMessage::Offer(offer) });
        if let Some(run) = self.tasks.get_mut(&task) {
            run.widen();
        }
        self.place(task, now);
    }

    fn hold_refused(&mut self, task: ContractId, index: u32, refusal: Refusal, now: Time) {
        let ticket = self.run(task, index).and_then(|run| run.attempt.as_ref()).map(|a| a.ticket.clone());
        if let Some(ticket) = ticket {
            self.give_back(&ticket);
        }
        if self.disband(task, index) {
            // What is not there for several may be there for one.
            self.wait_for_money(task, index, refusal.message, now);
            return;
        }
        match refusal.code {
            RefusalCode::Busy | RefusalCode::Quota | RefusalCode::DiskFull => {
                self.wait_for_money(task, index, refusal.message, now)
            }
            RefusalCode::NotEnoughMoney if self.expects_money() => {
                self.wait_for_money(task, index, refusal.message, now);
            }
            // The seller has no account, or has used the id up itself: another one may do.
            RefusalCode::NoAccount | RefusalCode::IdReused => {
                self.try_again_or_end(task, index, Verdict::NotPaid(refusal), now);
            }
            _ => self.end(task, index, Verdict::NotPaid(refusal), now),
        }
    }

    /// The sub-task waits for money that comes back.
    fn wait_for_money(&mut self, task: ContractId, index: u32, why: String, now: Time) {
        if self.put_back(task, index, &why, now) {
            self.tell(task, EventKind::Retrying { sub_task: index, why }, now);
        }
    }

    /// Whether anything of this buyer is set aside that may come back.
    fn expects_money(&self) -> bool {
        !self.abandoned.is_empty() || self.tasks.values().any(TaskRun::has_holds)
    }

    /// Gives the hold of `contract` back on the seller's word.
    pub(super) fn release(
        &mut self,
        contract: ContractId,
        declined: Option<Signed<Declined>>,
        report: Option<Signed<Report>>,
    ) {
        let order = Order::ReleaseHold(Box::new(ReleaseHold { hold: contract, declined, report }));
        self.effects.push_back(Effect::Order { id: follow_up(&self.keys, contract, "release"), order });
    }

    /// Accepts the result and has the bank pay for it.
    pub(super) fn settle(&mut self, contract: ContractId, now: Time) {
        let keys = self.keys.clone();
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let Some(report) = attempt.report.clone() else { return };
        let (ticket, seller) = (attempt.ticket.clone(), attempt.seller());
        let verdict =
            SignedVerdict { contract, report: report.hash(), is_accepted: true, reason: String::new() };
        let verdict = Signed::new(verdict, &keys);
        let ran = self.run(task, index).and_then(|run| run.has_run(now));
        if let Some(run) = self.tasks.get_mut(&task) {
            run.learn_series(index, now);
            if let Some(ran) = ran {
                run.note_ran(index, ran);
            }
        }
        self.become_state(task, index, State::Settling);
        self.watch(now.after(self.rules.lease), Timer::Lease(contract));
        self.note(Note::Accepted { contract });
        let message = ServiceMessage::Verdict(verdict.clone());
        self.effects.push_back(Effect::Send { to: seller, message });
        let id = follow_up(&keys, contract, "settle");
        let order = Order::Settle(Box::new(Settle { hold: contract, ticket, report, verdict }));
        self.settlements.insert(id, contract);
        self.effects.push_back(Effect::Order { id, order });
    }

    fn settled(&mut self, contract: ContractId, outcome: BankOutcome, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let Some(report) = attempt.report.clone() else { return };
        let held = attempt.offer.as_ref().map_or(Money::ZERO, |offer| offer.body.hold.body.amount);
        let amounts = match outcome {
            BankOutcome::Settled(receipt) => Ok((receipt.seller_paid, receipt.owner_paid)),
            // The seller presented the papers first; the bank computed these same amounts from them.
            BankOutcome::Refused(refusal) if refusal.code == RefusalCode::HoldClosed => {
                Ok(shares(&attempt.ticket.body, held, report.body.cycles))
            }
            // The money came back before either side presented the papers; the result is here all the same.
            BankOutcome::Refused(refusal) if refusal.code == RefusalCode::HoldReturned => {
                Ok((Money::ZERO, Money::ZERO))
            }
            BankOutcome::Refused(refusal) => Err(refusal),
            _ => return,
        };
        match amounts {
            Ok((paid, fee)) => {
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.pay(index, paid, fee);
                }
                self.look_at_purse(task, now);
                match report.body.outcome {
                    Outcome::Migrated(checkpoint) => {
                        let part = Part { checkpoint, cycles: report.body.cycles, paid, fee };
                        self.go_on(task, index, part, now);
                    }
                    _ => self.end_series(task, index, &report.body, now),
                }
            }
            Err(refusal) => self.end(task, index, Verdict::NotPaid(refusal), now),
        }
    }

    /// A part of the work is paid: another seller goes on from the checkpoint, with what is left of the price.
    fn go_on(&mut self, task: ContractId, index: u32, part: Part, now: Time) {
        let least = self.rules.owner_fee;
        self.handed_over(task, index, part.checkpoint, part.cycles);
        self.note(Note::Part { task, sub_task: index, part });
        let Some(run) = self.run(task, index) else { return };
        run.parts.push(part);
        if run.plan.go_on_from(part, least) {
            let outcome = Outcome::Migrated(part.checkpoint);
            self.try_again_or_end(task, index, Verdict::Failed(outcome), now);
            return;
        }
        let left = run.plan.price;
        let message = format!(
            "its sellers handed it over with a checkpoint, and the {left} credits that are left of its price do not \
             exceed the market owner's fee"
        );
        let refusal = Refusal::new(RefusalCode::NotEnoughMoney, message, "submit it with a higher price");
        self.end(task, index, Verdict::NotPaid(refusal), now);
    }
}

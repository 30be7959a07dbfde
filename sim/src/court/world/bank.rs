//! The bank in the world of a case: its inputs and outputs, its disk, its clock and its ends.

use super::{Event, Letter, World};
use crate::court::bounds;
use crate::court::case::Upset;
use crate::court::docket::Docket;
use crate::court::draw;
use crate::court::papers;
use crate::court::shares::Bill;
use crate::invariant::{Breach, Checked};
use bank::{Input, Output, Record};
use proto::message::bank::{Balance, BankMessage, BankOutcome};
use proto::{ContractId, Peer, Span, Time};

/// How much later a bank is woken again whose deadline has passed already.
const AGAIN: Span = Span::millis(1);

/// How long a bank may take to notice that its clock has leapt.
const NOTICES: Span = Span::secs(2);

impl World<'_> {
    pub(super) fn deliver_to_bank(&mut self, party: usize, message: BankMessage) -> Checked {
        let Some(from) = self.parties.get(party).map(|party| party.peer) else { return Ok(()) };
        if self.teller.bank.is_none() {
            self.net.traffic.stopped += 1;
            return Ok(());
        }
        if let BankMessage::Request(request) = &message {
            let order = &request.command;
            self.trace.note(self.now, format!("order {} of {party}", order.body.id), Vec::new());
            self.overhear(&order.clone());
        }
        self.feed(Input::Receive { from, message })
    }

    pub(super) fn wake_bank(&mut self, at: Time, life: u32) -> Checked {
        if self.teller.life != life || self.teller.wake != Some(at) {
            return Ok(());
        }
        self.teller.wake = None;
        self.feed(Input::Timeout)
    }

    fn feed(&mut self, input: Input) -> Checked {
        let clock = self.clock();
        let Some(bank) = self.teller.bank.as_mut() else { return Ok(()) };
        bank.handle(input, clock);
        let outputs: Vec<Output> = std::iter::from_fn(|| bank.poll_output()).collect();
        let outputs = self.mutant.bank(outputs);
        let told: Vec<Balance> = outputs.iter().filter_map(told_balance).collect();
        let followed = self.teller.follow(outputs, self.now);
        for record in &followed.decided {
            self.decided(record)?;
        }
        if let Some(violation) = followed.halted {
            return Err(Breach::new("bank", violation.to_string()));
        }
        if let Some(bank) = self.teller.bank.as_ref().filter(|_| !followed.decided.is_empty()) {
            bank.check_all().map_err(|violation| Breach::new("bank", violation.to_string()))?;
            self.docket.compare(bank)?;
        }
        told.iter().try_for_each(|balance| self.docket.agrees_with(balance))?;
        for (to, message) in followed.answers {
            self.answer(to, message)?;
        }
        if let Some(at) = followed.durable_at {
            self.queue.push(at, Event::Synced { life: self.teller.life });
        }
        self.strike();
        self.set_wake();
        Ok(())
    }

    /// The bank has decided something.
    fn decided(&mut self, record: &Record) -> Checked {
        self.trace.note(self.now, format!("record {} {}", record.sequence, record.chain), Vec::new());
        self.drawn += u32::from(matches!(record.event, bank::Event::ArbiterNamed { .. }));
        let closed = self.docket.enter(record)?;
        if let bank::Event::ArbiterNamed { hold, .. } = record.event {
            let members = self.teller.bank.as_ref().map(|bank| bank.live_nodes().collect::<Vec<Peer>>());
            draw::check(&self.docket, hold, &members.unwrap_or_default())?;
        }
        closed.map_or(Ok(()), |contract| self.check_bounds(contract))
    }

    fn check_bounds(&self, contract: ContractId) -> Checked {
        let deal = self.by_contract.get(&contract).and_then(|index| self.deals.get(*index));
        let Some((deal, closed)) = deal.zip(self.docket.closed.get(&contract)) else { return Ok(()) };
        let (offer, report) = (deal.buying.offer.as_ref(), deal.selling.report.as_ref());
        let right = offer.zip(report).filter(|(offer, report)| papers::is_right(&offer.body, &report.body));
        let right = right.map(|(_, report)| Bill::of(&deal.facts.ticket.body, report.body.cycles));
        let judge = closed.ending.arbiter.and_then(|key| self.by_key.get(&key));
        let judge = judge.and_then(|number| self.parties.get(*number));
        let facts = bounds::Facts {
            roles: deal.facts.roles,
            right: right.as_ref(),
            is_judge_honest: judge.is_none_or(|judge| judge.bench.is_honest()),
        };
        bounds::check(&facts, closed)
    }

    fn answer(&mut self, to: Peer, message: BankMessage) -> Checked {
        self.durable.answered(&message)?;
        let Some(party) = self.by_key.get(&to.key).copied() else { return Ok(()) };
        if self.forgers.iter().any(|forger| forger.party == party)
            && let BankMessage::Reply(reply) = &message
        {
            self.forged += u32::from(matches!(reply.outcome, BankOutcome::Refused(_)));
            let is_own = matches!(
                reply.outcome,
                BankOutcome::Refused(_)
                    | BankOutcome::Recorded(_)
                    | BankOutcome::Opened(_)
                    | BankOutcome::Held(_)
            );
            Breach::unless(is_own, "forged", || format!("a forger is answered {:?}", reply.outcome))?;
        }
        self.post(party, Letter::FromBank(message));
        Ok(())
    }

    pub(super) fn synced(&mut self, life: u32) -> Checked {
        if life != self.teller.life {
            return Ok(());
        }
        while let Some(group) = self.teller.synced(self.now) {
            self.durable.synced(&group.records);
            for (to, message) in group.answers {
                self.answer(to, message)?;
            }
        }
        Ok(())
    }

    pub(super) fn upset(&mut self, index: usize) -> Checked {
        self.upsets_ahead = self.upsets_ahead.saturating_sub(1);
        self.looks_from = self.now.after(NOTICES);
        let leap = |span: Span| i64::try_from(span.0).unwrap_or(i64::MAX);
        match self.case.upsets.get(index).map(|(_, upset)| *upset) {
            Some(Upset::Kill { down }) => self.teller.kill = Some(down),
            Some(Upset::Forwards(span)) => self.ahead = self.ahead.saturating_add(leap(span)),
            Some(Upset::Backwards(span)) => self.ahead = self.ahead.saturating_sub(leap(span)),
            None => {}
        }
        self.trace.note(self.now, format!("upset {index}"), Vec::new());
        self.set_wake();
        Ok(())
    }

    /// Kills the bank if that has been ordered and its disk is writing.
    fn strike(&mut self) {
        if !self.teller.is_syncing() {
            return;
        }
        let Some(down) = self.teller.kill.take() else { return };
        self.teller.die();
        self.trace.note(self.now, "the bank is killed".into(), Vec::new());
        self.queue.push(self.now.after(down), Event::BankStarts);
    }

    pub(super) fn start_bank(&mut self) -> Checked {
        let clock = self.clock();
        let fail = |what: String| Breach::new("journal", what);
        let records = self.teller.start_again(clock).map_err(fail)?;
        self.bank_starts += 1;
        self.durable.replayed(&records)?;
        let mut docket = Docket::new(self.case.rules, self.teller.peer.key);
        for record in &records {
            docket.enter(record)?;
        }
        self.docket = docket;
        if let Some(bank) = &self.teller.bank {
            self.docket.compare(bank)?;
        }
        self.feed(Input::Timeout)
    }

    fn set_wake(&mut self) {
        let clock = self.clock();
        let due = self.teller.bank.as_ref().and_then(bank::Bank::poll_timeout);
        let Some(due) = due else { return };
        let at = self.now.after(due.since(clock).max(AGAIN));
        if self.teller.wake != Some(at) {
            self.teller.wake = Some(at);
            self.queue.push(at, Event::BankWakes { at, life: self.teller.life });
        }
    }
}

/// The balance that the bank tells somebody, if it does.
fn told_balance(output: &Output) -> Option<Balance> {
    match output {
        Output::Send { message: BankMessage::BalanceReply(reply), .. } => Some(reply.balance),
        _ => None,
    }
}

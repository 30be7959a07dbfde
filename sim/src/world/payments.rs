//! The bank's process and its journal.

use super::World;
use super::event::Event;
use crate::invariant::books::Books;
use crate::invariant::saved::Saved;
use crate::invariant::{Breach, Checked};
use crate::place::Place;
use crate::sight::Sight;
use bank::{Input, Output};
use proto::message::bank::How;
use proto::{Message, Peer};

impl World<'_> {
    pub(super) fn deliver_to_bank(&mut self, from: Peer, message: Message) -> Checked {
        match message {
            Message::Bank(message) => self.feed_bank(Input::Receive { from, message }),
            _ => Ok(()),
        }
    }

    pub(super) fn wake_bank(&mut self) -> Checked {
        self.watch.progress.woken(Place::Bank, self.now)?;
        self.teller.wake = None;
        self.feed_bank(Input::Timeout)
    }

    /// Records are durable: their answers leave.
    pub(super) fn synced(&mut self) -> Checked {
        while let Some(group) = self.teller.synced(self.now) {
            self.watch.durable.synced(&group.records);
            for (to, message) in group.answers {
                self.answer(to, message)?;
            }
        }
        Ok(())
    }

    /// The bank starts again from its journal.
    pub(super) fn bank_starts(&mut self) -> Checked {
        let records = self.teller.start_again(self.now).map_err(|why| Breach::new("replay", why))?;
        self.tally.bank_starts += 1;
        self.faults_ahead = self.faults_ahead.saturating_sub(1);
        self.watch.durable.replayed(&records)?;
        self.watch.durable.synced(&records);
        self.watch.books = Books::of(&records)?;
        self.watch.sub_tasks.replayed(&records)?;
        self.check_bank()?;
        self.set_bank_wake();
        Ok(())
    }

    fn feed_bank(&mut self, input: Input) -> Checked {
        let Some(bank) = self.teller.bank.as_mut() else { return Ok(()) };
        bank.handle(input, self.now);
        let outputs: Vec<Output> = std::iter::from_fn(|| bank.poll_output()).collect();
        let followed = self.teller.follow(self.mutant.bank(outputs), self.now);
        if let Some(violation) = followed.halted {
            return Err(Breach::new("bank", violation.to_string()));
        }
        for record in &followed.decided {
            self.watch.books.enter(record)?;
            self.watch.sub_tasks.enter(record)?;
            Saved::enter(record, &self.states)?;
            self.watch.ended.enter(record);
            if let bank::Event::HoldClosed { ending, .. } = &record.event
                && !matches!(ending.how, How::Settled | How::Released | How::Expired)
            {
                self.tally.saw(Sight::Contract(ending.how));
            }
        }
        if !followed.decided.is_empty() {
            self.check_bank()?;
        }
        for (to, message) in followed.answers {
            self.answer(to, message)?;
        }
        if let Some(at) = followed.durable_at {
            self.queue.push(at, Event::Synced { life: self.teller.life });
        }
        self.set_bank_wake();
        self.kill_bank_if_ordered();
        Ok(())
    }

    /// Kills the bank if that was ordered and records are on their way to the disk.
    fn kill_bank_if_ordered(&mut self) {
        let ordered = self.teller.kill.filter(|_| self.teller.is_syncing());
        if let Some(down) = ordered {
            self.teller.kill = None;
            self.teller.die();
            self.queue.push(self.now.after(down), Event::BankStarts);
        }
    }

    fn set_bank_wake(&mut self) {
        let Some(due) = self.teller.bank.as_ref().and_then(bank::Bank::poll_timeout) else { return };
        let at = due.max(self.now);
        if self.teller.wake.is_none_or(|wake| at < wake) {
            self.teller.wake = Some(at);
            self.queue.push(at, Event::Wake { place: Place::Bank, life: self.teller.life, at });
        }
    }
}

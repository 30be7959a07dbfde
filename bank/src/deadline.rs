//! What the bank does when a time is over, and after an outage; and how it names arbiters.

use crate::deal::{Deal, MAX_ARBITERS, OUTAGE_AFTER, OUTAGE_GRACE, in_silence};
use crate::record::Event;
use crate::{Bank, arbiter, settlement};
use proto::Time;

/// For how many disputes without an arbiter one is looked for at each input.
const DRAWS_PER_INPUT: usize = 8;

impl Bank {
    /// After an outage the parties first get the time that they had no bank in. A bank that is woken much later than it
    /// wanted was away too: its machine stood still, or its clock has leapt.
    pub(crate) fn resume_quietly(&mut self, now: Time) {
        if !self.has_room {
            return;
        }
        let is_back = std::mem::take(&mut self.is_back);
        let Some(time) = self.ledger.next_time(now) else { return };
        let was_away = time.since(self.ledger.time) > OUTAGE_AFTER || self.ledger.holds.has_disputes();
        let is_late = self.poll_timeout().is_some_and(|due| now.since(due) > OUTAGE_AFTER);
        let is_running = self.halted.is_none() && self.ledger.holds.count() > 0;
        if is_running && (is_back && was_away || is_late) {
            self.commit(Event::Resumed { quiet_until: time.after(OUTAGE_GRACE) }, time);
        }
    }

    /// Ends every deal whose time is over at `now`, the earliest first, or asks its next arbiter. Each takes a moment of
    /// the ledger's time, so the question is asked again after each.
    pub(crate) fn expire(&mut self, now: Time) {
        while self.halted.is_none() && self.has_room {
            let Some(time) = self.ledger.next_time(now) else { return };
            let Some(deal) = self.ledger.first_due(time).and_then(|id| self.ledger.holds.find(id)) else {
                return;
            };
            let event = self.named(deal, time).unwrap_or_else(|| {
                let (ending, _) = in_silence(deal);
                Event::HoldClosed { command: None, ending: Box::new(ending) }
            });
            self.commit(event, time);
        }
    }

    /// Looks for arbiters of the disputes that have none yet.
    pub(crate) fn name_arbiters(&mut self, now: Time) {
        if now < self.ledger.quiet_until || !self.has_room {
            return;
        }
        for id in self.ledger.holds.without_arbiter(DRAWS_PER_INPUT) {
            if self.halted.is_some() {
                return;
            }
            let Some(time) = self.ledger.next_time(now) else { return };
            let event = self.ledger.holds.find(id).and_then(|deal| self.named(deal, time));
            if let Some(event) = event {
                self.commit(event, time);
            }
        }
    }

    /// The next arbiter of a dispute is named, if there may be one more and somebody is fit. A bank that has just started
    /// does not know yet who is there.
    fn named(&self, deal: &Deal, time: Time) -> Option<Event> {
        if !self.registry.knows_its_members(time) {
            return None;
        }
        deal.dispute().filter(|dispute| dispute.named.len() < MAX_ARBITERS)?;
        let arbiter = arbiter::draw(&self.ledger, &self.registry, deal)?;
        let until = time.after(self.config.rules.dispute.max(settlement::MIN_ANSWER));
        Some(Event::ArbiterNamed { hold: deal.hold.id, arbiter, until })
    }
}

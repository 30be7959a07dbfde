//! What leaves the bank, and what waits until a standby has it too.

use super::tail::Standby;
use super::{Mode, SILENCE};
use proto::Peer;
use proto::message::bank::BankMessage;
use std::collections::VecDeque;
use std::time::Instant;

/// Answers that may wait; beyond it nothing new is decided.
const MAX_WAITING: usize = 1 << 16;

/// The way out of a bank.
#[derive(Debug)]
pub(crate) struct Gate {
    mode: Mode,
    waiting: VecDeque<Bound>,
    count: usize,
}

/// What waits.
#[derive(Debug)]
struct Bound {
    /// How many records a standby has to have before it may leave.
    records: u64,
    since: Instant,
    answers: Vec<(Peer, BankMessage)>,
}

impl Gate {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self { mode, waiting: VecDeque::new(), count: 0 }
    }

    /// Takes answers that rest on the first `records` records, which are durable here. Gives what may leave.
    pub(crate) fn pass(
        &mut self,
        records: u64,
        answers: Vec<(Peer, BankMessage)>,
        standby: Standby,
        now: Instant,
    ) -> Vec<(Peer, BankMessage)> {
        if self.mode == Mode::Async {
            return answers;
        }
        // Who is where is not written down anywhere, and does not wait.
        let (mut free, bound): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, message)| matches!(message, BankMessage::Entered(_)));
        if !bound.is_empty() {
            self.count += bound.len();
            self.waiting.push_back(Bound { records, since: now, answers: bound });
        }
        free.extend(self.release(standby));
        free
    }

    /// What may leave now that the standbys have so much.
    pub(crate) fn release(&mut self, standby: Standby) -> Vec<(Peer, BankMessage)> {
        let mut free = Vec::new();
        while self.waiting.front().is_some_and(|bound| bound.records <= standby.durable) {
            let Some(Bound { answers, .. }) = self.waiting.pop_front() else { break };
            self.count = self.count.saturating_sub(answers.len());
            free.extend(answers);
        }
        free
    }

    /// Whether so much waits that nothing more is to be decided.
    pub(crate) const fn is_full(&self) -> bool {
        self.count >= MAX_WAITING
    }

    /// Why no order is taken: there is no standby to wait for.
    pub(crate) fn closed(&self, standby: Standby, now: Instant) -> Option<&'static str> {
        if self.mode == Mode::Async {
            return None;
        }
        if standby.count == 0 {
            return Some("the bank answers for nothing that is not on two disks, and no standby follows it");
        }
        let is_late = |bound: &Bound| now.saturating_duration_since(bound.since) > SILENCE;
        let is_late = self.waiting.front().is_some_and(is_late);
        is_late.then_some("the bank answers for nothing that is not on two disks, and its standby is silent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::bank::Departed;
    use proto::{PublicKey, RequestId, Rules};
    use std::time::Duration;

    fn answer() -> (Peer, BankMessage) {
        let peer = Peer::new("10.0.0.1:1".parse().unwrap(), 0, PublicKey([1; 32]));
        (peer, BankMessage::Departed(Departed {}))
    }

    fn standby(count: usize, durable: u64) -> Standby {
        Standby { count, durable, heard: None }
    }

    #[test]
    fn an_answer_waits_until_a_standby_has_what_it_rests_on() {
        let (mut gate, now) = (Gate::new(Mode::Sync), Instant::now());
        assert_eq!(gate.pass(5, vec![answer()], standby(1, 4), now), []);
        assert_eq!(gate.pass(7, vec![answer(), answer()], standby(1, 4), now), []);
        assert_eq!(gate.release(standby(1, 6)).len(), 1);
        assert_eq!(gate.release(standby(1, 6)).len(), 0);
        assert_eq!(gate.pass(7, vec![answer()], standby(0, 7), now).len(), 3, "in their order, at once");
        assert_eq!(gate.count, 0);
    }

    #[test]
    fn who_is_where_does_not_wait() {
        let (mut gate, now) = (Gate::new(Mode::Sync), Instant::now());
        let (you, _) = answer();
        let (request, peers, rules) = (RequestId(1), Vec::new(), Rules::LOCAL);
        let entered = proto::message::bank::Entered { request, you, peers, rules };
        let entered = (you, BankMessage::Entered(Box::new(entered)));
        assert_eq!(gate.pass(5, vec![answer(), entered.clone()], standby(1, 4), now), [entered]);
    }

    #[test]
    fn a_bank_that_waits_for_nobody_is_never_closed() {
        let (mut gate, now) = (Gate::new(Mode::Async), Instant::now());
        assert_eq!(gate.pass(5, vec![answer()], standby(0, 0), now).len(), 1);
        assert_eq!(gate.closed(standby(0, 0), now), None);
    }

    #[test]
    fn orders_are_refused_without_a_standby_and_when_it_is_silent_for_too_long() {
        let (mut gate, now) = (Gate::new(Mode::Sync), Instant::now());
        assert!(gate.closed(standby(0, 9), now).is_some_and(|why| why.contains("no standby follows")));
        assert_eq!(gate.closed(standby(1, 0), now), None);
        gate.pass(5, vec![answer()], standby(1, 4), now);
        assert_eq!(gate.closed(standby(1, 4), now + SILENCE), None);
        let late = now + SILENCE + Duration::from_millis(1);
        assert!(gate.closed(standby(1, 4), late).is_some_and(|why| why.contains("silent")));
        gate.release(standby(1, 5));
        assert_eq!(gate.closed(standby(1, 5), late), None);
    }
}

//! A seller between a buyer and a bank that say anything at any time: it never signs away what it has claimed, never
//! claims what it has signed away, and every contract ends.

use super::*;
use proptest::prelude::*;
use proto::message::bank::{ClaimReceipt, Ending, How, Shares};
use proto::message::service::Taken;

/// What happens to a seller.
#[derive(Clone, Debug)]
enum Step {
    Offer(u8),
    Cancel(u8),
    Fetched(u8, bool),
    Executed(u8, Outcome),
    Taken(u8),
    Judged(u8, bool),
    Answer(Option<RefusalCode>),
    Ended(u8, How),
    Decide(crate::policy::Work),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 1..4_u8;
    let checkpoint = Outcome::Migrated(Blob { hash: Hash([50; 32]), size: Bytes(9) }.into());
    let outcome = prop_oneof![
        4 => Just(Outcome::Succeeded),
        1 => Just(checkpoint),
        1 => Just(Outcome::Exited(1)),
        1 => Just(Outcome::Cancelled)
    ];
    let code = prop_oneof![
        Just(None),
        Just(Some(RefusalCode::WrongState)),
        Just(Some(RefusalCode::HoldClosed)),
        Just(Some(RefusalCode::HoldReturned))
    ];
    let work =
        prop_oneof![Just(Run { throttle_pct: 100 }), Just(Suspend), Just(Vacate { grace: Span::secs(3) })];
    let step = prop_oneof![
        4 => n().prop_map(Step::Offer),
        1 => n().prop_map(Step::Cancel),
        4 => (n(), proptest::bool::weighted(0.9)).prop_map(|(n, is_here)| Step::Fetched(n, is_here)),
        4 => (n(), outcome).prop_map(|(n, outcome)| Step::Executed(n, outcome)),
        4 => n().prop_map(Step::Taken),
        3 => (n(), any::<bool>()).prop_map(|(n, is_accepted)| Step::Judged(n, is_accepted)),
        3 => code.prop_map(Step::Answer),
        1 => (n(), proptest::sample::select(&How::ALL[..])).prop_map(|(n, how)| Step::Ended(n, how)),
        1 => work.prop_map(Step::Decide),
        3 => (0..100_000_000_u64).prop_map(Step::Pass)
    ];
    // As long as a seller remembers what it has claimed, an hour.
    proptest::collection::vec(step, 1..36)
}

impl Seller {
    /// The hash of the report that `n` waits with, for its buyer's word.
    fn shown(&self, n: u8) -> Option<Hash> {
        match &self.worker.works.get(&id(n))?.stage {
            Stage::Reported(reported) => Some(reported.report.hash()),
            Stage::Claimed(claimed) => Some(claimed.report().hash()),
            _ => None,
        }
    }

    fn step(&mut self, step: Step) -> Vec<Did> {
        match step {
            Step::Offer(n) => self.offer(n),
            Step::Cancel(n) => self.hear(2, ServiceMessage::Cancel(Cancel { contract: id(n) })),
            Step::Fetched(n, is_here) => {
                let result = if is_here { Ok(()) } else { Err("gone".into()) };
                self.worker.fetched(id(n), result, self.now);
            }
            Step::Executed(n, outcome) => self.worker.executed(id(n), Execution::nothing(outcome), self.now),
            Step::Taken(n) => {
                if let Some(report) = self.shown(n) {
                    let paper = Signed::new(Taken { contract: id(n), report }, &keys(2));
                    self.hear(2, ServiceMessage::Taken(paper));
                }
            }
            Step::Judged(n, is_accepted) => {
                if let Some(report) = self.shown(n) {
                    let verdict = Verdict { contract: id(n), report, is_accepted, reason: String::new() };
                    self.hear(2, ServiceMessage::Verdict(Signed::new(verdict, &keys(2))));
                }
            }
            Step::Answer(code) => self.answer_any(code),
            Step::Ended(n, how) => {
                let (buyer, seller) = (peer(2).key, peer(1).key);
                let shares = Shares::default();
                let ending = Ending { hold: id(n), how, buyer, seller, owner: None, arbiter: None, shares };
                self.worker.ended(&ending, self.now);
            }
            Step::Decide(work) => self.worker.decide(work, self.now),
            Step::Pass(span) => return self.pass(Span(span)),
        }
        self.did()
    }

    /// The bank answers the oldest order, if there is one.
    fn answer_any(&mut self, code: Option<RefusalCode>) {
        if self.orders.is_empty() {
            return;
        }
        let command = self.orders.remove(0);
        let claim = ClaimReceipt {
            hold: command,
            report: Hash([0; 32]),
            is_taken: true,
            until: self.now.after(Span::secs(30)),
        };
        let outcome = code
            .map_or(BankOutcome::Claimed(claim), |code| BankOutcome::Refused(Refusal::new(code, "no", "")));
        // Settlements are answered to the other half of the node.
        let _ = self.worker.bank_answered(BankReply { command, outcome }, self.now);
    }
}

proptest! {
    #[test]
    fn what_is_claimed_is_never_signed_away_and_everything_ends(steps in steps()) {
        let mut seller = Seller::new();
        let mut claimed = std::collections::BTreeSet::new();
        let mut away = std::collections::BTreeSet::new();
        for step in steps {
            for did in seller.step(step) {
                match did {
                    Did::Claims { n, has_taken } => {
                        prop_assert!(has_taken, "no bond is asked for");
                        prop_assert!(!away.contains(&n), "{n} was signed away");
                        claimed.insert(n);
                    }
                    Did::Settles(n) => {
                        prop_assert!(!away.contains(&n), "{n} was signed away");
                        claimed.insert(n);
                    }
                    Did::Declined(n, ..) => {
                        prop_assert!(!claimed.contains(&n), "{n} was claimed");
                        away.insert(n);
                    }
                    _ => {}
                }
            }
        }
        // No answer comes any more.
        seller.pass(Span::secs(10_000));
        prop_assert_eq!((seller.worker.works.len(), seller.worker.poll_timeout()), (0, None));
    }
}

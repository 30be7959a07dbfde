//! What a buyer's wish to stop comes to.

use super::{Duty, Execution, Stage, Worker};
use crate::effect::Effect;
use proto::message::service::Outcome;
use proto::{ContractId, Peer, Refusal, RefusalCode, Time};

impl Worker {
    /// A buyer wants to stop. What is not known, and was not delivered, is declined: that frees the hold of
    /// an attempt that this node forgot in a crash.
    pub(super) fn cancelled(&mut self, from: Peer, contract: ContractId, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else {
            if !self.delivered.contains(contract) {
                let refusal = Refusal::new(RefusalCode::SoldOut, "this seller has no such contract", "");
                self.decline(from, contract, refusal, now);
            }
            return;
        };
        if work.buyer.key != from.key || !matches!(work.duty, Duty::Sale) {
            return;
        }
        match work.stage {
            Stage::Bonding | Stage::Staging | Stage::Staged => {
                self.report(contract, Execution::nothing(Outcome::Cancelled), now);
            }
            Stage::Running if !work.is_cancelled => {
                work.is_cancelled = true;
                self.effects.push_back(Effect::Stop { contract });
            }
            Stage::Running | Stage::Stopping(_) => {}
            Stage::Reported(_) | Stage::Accepted(_) | Stage::Claimed(_) => self.repeat_answer(contract),
        }
    }

    /// A buyer wants back what of a shared contract has not begun. Where nothing has begun it may cancel; where all has, the
    /// report is under way.
    pub(super) fn recalled(&mut self, from: Peer, contract: ContractId) {
        let Some(work) = self.works.get(&contract) else { return };
        let is_shared = !work.offer.body.job.repeats.is_empty() && matches!(work.duty, Duty::Sale);
        if is_shared && work.buyer.key == from.key && matches!(work.stage, Stage::Running) {
            self.effects.push_back(Effect::Recall { contract });
        }
    }
}

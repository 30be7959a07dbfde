//! Programs that do not move any more: they hold a core, a slice of the machine and their buyer's money for nothing.
//!
//! A program moves when its cycles grow, or what it says of its progress does. One that runs and has not moved for
//! [`STALLED`] is ended by its seller; the buyer gives a seller up that says for twice as long that it works, and shows no
//! progress (`reference/wishes.md`, BOINC 5: "shown as running but nothing moves").

use super::{Execution, Stage, Worker};
use crate::contract::STALLED;
use crate::effect::Effect;
use proto::message::service::Outcome;
use proto::{ContractId, Cycles, Time};

impl Worker {
    /// The executor is at `cycles`.
    pub(crate) fn progressed(&mut self, contract: ContractId, cycles: Cycles, now: Time) {
        if let Some(work) = self.works.get_mut(&contract).filter(|work| work.cycles < cycles) {
            (work.cycles, work.moved_at) = (cycles, now);
        }
    }

    /// The program of an execution says how far it is, in millionths.
    pub(crate) fn has_done(&mut self, contract: ContractId, done: u32, now: Time) {
        if let Some(work) = self.works.get_mut(&contract).filter(|work| work.done < Some(done)) {
            (work.done, work.moved_at) = (Some(done), now);
        }
    }

    /// Ends what runs and does not move: another seller would see the same.
    pub(super) fn end_if_stalled(&mut self, contract: ContractId, now: Time) {
        let is_still = self.owner.is_suspended();
        let Some(work) = self.works.get_mut(&contract).filter(|work| matches!(work.stage, Stage::Running))
        else {
            return;
        };
        if is_still {
            // The time in which the owner has it stand still does not count.
            work.moved_at = now;
        }
        if now < work.moved_at.after(STALLED) {
            return;
        }
        let cycles = work.cycles;
        let outcome = Outcome::Trapped(format!("stalled: it has done nothing for {STALLED}"));
        self.effects.push_back(Effect::Stop { contract });
        self.report(contract, Execution { cycles, ..Execution::nothing(outcome) }, now);
    }
}

//! What the owner of the machine has a say in while there is work on it: it stands still, goes on, is handed back,
//! and no more of it is taken.
//!
//! The words are those of the policy, [`policy::Work`]; a driver passes every decision on as it is made. Two promises
//! hold whatever the network does: while the owner has said *suspend* no execution is started and none goes on, and
//! after the grace of *vacate* there is none.

use super::{CLAIM_BEFORE_END, Duty, Execution, Stage, Work, Worker};
use crate::effect::Effect;
use crate::policy;
use proto::message::service::{Outcome, Phase};
use proto::{ContractId, Refusal, RefusalCode, Span, Time};

/// What the buyer reads of work that is handed back.
const NEEDED: &str = "its owner needs the machine";
/// What the buyer reads of work that could not go on in time.
const NEEDED_TOO_LONG: &str = "its owner has needed the machine for longer than this contract lasts";

/// How long an execution that was told to stop may take to hand its checkpoint over, before the buyer is told that
/// there is none.
const STOP_WITHIN: Span = Span::secs(2);

/// What new work is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intake {
    /// Whatever the policy allows.
    #[default]
    Open,
    /// None; what is at work here ends as it would.
    Closed,
    /// So many sub-tasks more. When they, and the tasks of this node's user, have ended, the node leaves.
    Last {
        /// How many; 0 for a node that is about to leave.
        left: u32,
    },
}

/// Where the machine stands with its owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// The last decision.
    decision: policy::Work,
    /// When the grace of work that is to be handed back is over.
    vacate_by: Option<Time>,
    intake: Intake,
}

impl Owner {
    pub(super) const fn new() -> Self {
        let decision = policy::Work::Run { throttle_pct: 100 };
        Self { decision, vacate_by: None, intake: Intake::Open }
    }

    /// Why no offer is taken now, if none is.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if !matches!(self.decision, policy::Work::Run { .. }) {
            let message = "the owner of this seller's machine needs it at the moment";
            let refusal = Refusal::new(RefusalCode::Policy, message, "another seller may take it");
            return Some(Refusal { is_retryable: true, ..refusal });
        }
        let message = "this seller takes no new work";
        (!self.intake.takes())
            .then(|| Refusal::new(RefusalCode::Leaving, message, "another seller may take it"))
    }

    /// An offer has been taken.
    pub(super) const fn took_one(&mut self) {
        if let Intake::Last { left } = &mut self.intake {
            *left = left.saturating_sub(1);
        }
    }

    /// An offer that had been taken came to nothing before its work began.
    pub(super) const fn gave_one_back(&mut self) {
        if let Intake::Last { left } = &mut self.intake {
            *left = left.saturating_add(1);
        }
    }

    pub(super) const fn is_suspended(&self) -> bool {
        matches!(self.decision, policy::Work::Suspend)
    }

    /// For how much of the time work runs, in per cent, if it does not run all the time.
    pub(super) fn throttle(&self) -> Option<u32> {
        match self.decision {
            policy::Work::Run { throttle_pct } => Some(throttle_pct).filter(|pct| *pct < 100),
            policy::Work::Suspend | policy::Work::Vacate { .. } => None,
        }
    }
}

impl Intake {
    /// Whether an offer may be taken.
    #[must_use]
    pub const fn takes(self) -> bool {
        match self {
            Self::Open => true,
            Self::Closed => false,
            Self::Last { left } => left > 0,
        }
    }
}

impl Work {
    /// Whether it is active, and has not been told to stop.
    fn goes_on(&self) -> bool {
        self.is_active() && !matches!(self.stage, Stage::Stopping(_))
    }

    /// What the buyer is told that this work is at.
    pub(super) const fn phase(&self, owner: &Owner) -> Phase {
        match self.stage {
            _ if owner.is_suspended() => Phase::Suspended,
            Stage::Bonding | Stage::Staging => Phase::Staging,
            _ => Phase::Running,
        }
    }
}

impl Worker {
    /// The owner's decision on work that is here. The same again changes nothing, but that a shorter grace counts.
    pub(crate) fn decide(&mut self, decision: policy::Work, now: Time) {
        let before = std::mem::replace(&mut self.owner.decision, decision);
        match decision {
            policy::Work::Run { throttle_pct } => {
                self.owner.vacate_by = None;
                if before != decision {
                    self.let_run(throttle_pct, now);
                }
            }
            policy::Work::Suspend => {
                self.owner.vacate_by = None;
                if before != decision {
                    self.suspend(now);
                }
            }
            policy::Work::Vacate { grace } => {
                let by = now.after(grace);
                self.owner.vacate_by = Some(self.owner.vacate_by.map_or(by, |before| before.min(by)));
                // What does not run has no use for a grace: the sooner its buyer knows, the better.
                let is_idle = |stage: &Stage| match stage {
                    Stage::Bonding | Stage::Staging | Stage::Staged => true,
                    Stage::Running => before == policy::Work::Suspend,
                    Stage::Stopping(_) | Stage::Reported(_) | Stage::Accepted(_) | Stage::Claimed(_) => false,
                };
                self.hand_back(is_idle, NEEDED, now);
                self.vacate_if_due(now);
            }
        }
    }

    pub(crate) const fn decision(&self) -> policy::Work {
        self.owner.decision
    }

    pub(crate) const fn set_intake(&mut self, intake: Intake) {
        self.owner.intake = intake;
    }

    pub(crate) const fn intake(&self) -> Intake {
        self.owner.intake
    }

    /// Whether an offer could be taken at the moment.
    pub(crate) fn is_taking(&self) -> bool {
        !self.is_leaving && self.owner.refusal().is_none()
    }

    /// Whether the last sub-task that was to be taken is over, and its buyer has judged it.
    pub(crate) fn is_finished(&self) -> bool {
        let is_open = |work: &Work| !matches!(work.stage, Stage::Accepted(_) | Stage::Claimed(_));
        self.owner.intake == (Intake::Last { left: 0 }) && !self.works.values().any(is_open)
    }

    /// What runs when the grace is over is handed back.
    pub(super) fn vacate_if_due(&mut self, now: Time) {
        if self.owner.vacate_by.is_some_and(|by| by <= now) {
            self.hand_back(|stage| !matches!(stage, Stage::Stopping(_)), NEEDED, now);
        }
    }

    /// When work has to be handed back, if there is any.
    pub(super) fn vacates_at(&self) -> Option<Time> {
        self.owner.vacate_by.filter(|_| self.works.values().any(Work::goes_on))
    }

    /// Work that stands still and could not be delivered in time any more is handed back.
    pub(super) fn give_up_if_late(&mut self, contract: ContractId, now: Time) {
        let is_sale = |work: &Work| matches!(work.duty, Duty::Sale);
        let is_late =
            |work: &Work| work.goes_on() && is_sale(work) && work.closes <= now.after(CLAIM_BEFORE_END);
        if self.owner.is_suspended() && self.works.get(&contract).is_some_and(is_late) {
            self.hand_one_back(contract, NEEDED_TOO_LONG, now);
        }
    }

    fn let_run(&mut self, throttle_pct: u32, now: Time) {
        for contract in self.active_contracts() {
            match self.works.get(&contract).map(|work| &work.stage) {
                Some(Stage::Staged) => self.execute(contract, now),
                Some(Stage::Running) => self.effects.push_back(Effect::Pace { contract, throttle_pct }),
                _ => {}
            }
            self.act(contract, now);
        }
    }

    fn suspend(&mut self, now: Time) {
        for contract in self.active_contracts() {
            if matches!(self.works.get(&contract).map(|work| &work.stage), Some(Stage::Running)) {
                self.effects.push_back(Effect::Pause { contract });
            }
            self.act(contract, now);
        }
    }

    fn active_contracts(&self) -> Vec<ContractId> {
        let active = self.works.iter().filter(|(_, work)| work.is_active());
        active.map(|(contract, _)| *contract).collect()
    }

    fn hand_back(&mut self, is_concerned: impl Fn(&Stage) -> bool, why: &'static str, now: Time) {
        for contract in self.active_contracts() {
            if self.works.get(&contract).is_some_and(|work| is_concerned(&work.stage)) {
                self.hand_one_back(contract, why, now);
            }
        }
    }

    /// Ends one work in favour of the owner. What runs is told to stop, and has a moment to hand a checkpoint over.
    fn hand_one_back(&mut self, contract: ContractId, why: &'static str, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        if matches!(work.duty, Duty::Judgement(_)) {
            self.drop_case(contract);
        } else if matches!(work.stage, Stage::Running) {
            work.stage = Stage::Stopping(why);
            work.next_action = now.after(STOP_WITHIN);
            self.effects.push_back(Effect::Migrate { contract });
        } else {
            self.report(contract, Execution::nothing(Outcome::Abandoned(why.into())), now);
        }
    }

    /// What was told to stop has stopped, or has had its time: it is handed over with its checkpoint, or given up.
    pub(super) fn stopped(&mut self, contract: ContractId, why: &str, execution: Execution, now: Time) {
        let Some(work) = self.works.get(&contract) else { return };
        let execution = match &execution.outcome {
            _ if work.is_cancelled => Execution::nothing(Outcome::Cancelled),
            // It had come to its end before it heard of it, or some of the sub-tasks that share its contract had.
            Outcome::Migrated(_) | Outcome::Succeeded => execution,
            // What was saved last is better than nothing.
            _ => match self.last_state(contract) {
                Some((state, cycles)) => Execution { cycles, ..Execution::nothing(Outcome::Migrated(state)) },
                None => Execution::nothing(Outcome::Abandoned(why.into())),
            },
        };
        self.report(contract, execution, now);
    }
}

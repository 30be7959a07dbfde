//! Whether a sub-task that finds no seller could ever find one: asked once the first purchase has come to nothing, so
//! that a task for which there are sellers costs no message more.
//!
//! The answer ends a sub-task only where it is sure: every owner was reached and has compared every listing, some are
//! there, and none would do if nothing were sold. Sellers that are not listed at this moment, because they are sold
//! out or paused, do not count; who wants to wait for them says so ([`Patience::Endless`]).

use super::{Dispatch, Patience, TaskRun};
use crate::contract::State;
use crate::effect::Effect;
use crate::event::Verdict;
use market::{Overview, describe};
use proto::message::market::Requirement;
use proto::message::survey::{Inquiry, Survey};
use proto::{ContractId, Market, Money, Rate, RequestId, Span, Time};

/// Different requirements of one task that are asked about; the others have their patience.
const MAX_REQUIREMENTS: usize = 64;
/// How often is asked about one whose answer leaves it open, since not every owner was reached or knows its sellers yet;
/// once in a renewal.
const MAX_SURVEYS: u32 = 3;

/// What is known of the requirements of a task.
#[derive(Default)]
pub(super) struct Prospects {
    known: Vec<(Requirement, Prospect)>,
}

enum Prospect {
    /// So many surveys were begun, and the last is under way.
    Asking(u32),
    /// So many surveys left it open; the next may be made at this time.
    Open(u32, Time),
    /// Somebody could run it.
    Possible,
    /// Nobody who is listed could ever run it; why, in words.
    Hopeless(String),
}

/// What a sub-task that has not ended needs, for whoever asks why it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// What it needs.
    pub requirement: Requirement,
    /// The most that is bid for it.
    pub bid: Rate,
    /// The most it may cost.
    pub price: Money,
    /// Attempts made.
    pub attempts: u32,
    /// How long it has found nobody.
    pub fruitless: Option<Span>,
    /// How long that may last; `None` for without end.
    pub patience: Option<Span>,
    /// What came in its way last; empty if nothing did.
    pub why: String,
}

impl Prospects {
    fn of(&mut self, requirement: &Requirement) -> Option<&mut Prospect> {
        self.known.iter_mut().find(|(known, _)| known == requirement).map(|(_, prospect)| prospect)
    }

    /// Notes a survey about `requirement`, if one is due.
    fn begin(&mut self, requirement: &Requirement, now: Time) -> bool {
        let is_full = self.known.len() >= MAX_REQUIREMENTS;
        match self.of(requirement) {
            Some(prospect) => {
                let Prospect::Open(surveys, again) = *prospect else { return false };
                let is_due = surveys < MAX_SURVEYS && again <= now;
                if is_due {
                    *prospect = Prospect::Asking(surveys + 1);
                }
                is_due
            }
            None if is_full => false,
            None => {
                self.known.push((requirement.clone(), Prospect::Asking(1)));
                true
            }
        }
    }
}

impl Dispatch {
    /// A seller was found: whoever needs the same is not hopeless.
    pub(super) fn can_be_placed(&mut self, task: ContractId, index: u32) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let Some(requirement) = run.run_mut(index).map(|run| run.plan.requirement.clone()) else { return };
        if let Some(prospect) = run.prospects.of(&requirement) {
            *prospect = Prospect::Possible;
        } else if run.prospects.known.len() < MAX_REQUIREMENTS {
            run.prospects.known.push((requirement, Prospect::Possible));
        }
    }

    /// Asks the market whether anybody could ever run a sub-task that has found nobody.
    pub(super) fn survey(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        if run.patience == Patience::Endless || run.is_at_work() {
            return;
        }
        let Some(plan) = run.run_mut(index).map(|run| run.plan.clone()) else { return };
        if !run.prospects.begin(&plan.requirement, now) {
            return;
        }
        self.next_token += 1;
        let token = self.next_token;
        let inquiry = Inquiry { requirement: plan.requirement, bid: plan.bid, slices: 1 };
        let survey = Box::new(whole_commodity(vec![inquiry.clone()]));
        self.surveys.insert(token, (task, inquiry));
        self.effects.push_back(Effect::Survey { token, survey });
    }

    /// What the market says: a sub-task that nobody could ever run ends, and so do all that need the same.
    pub(crate) fn surveyed(&mut self, token: u64, overview: &Overview, now: Time) {
        let Some((task, inquiry)) = self.surveys.remove(&token) else { return };
        let again = now.after(self.rules.renewal);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let fit = overview.fit(0, &inquiry);
        let Some(prospect) = run.prospects.of(&inquiry.requirement) else { return };
        let Prospect::Asking(surveys) = *prospect else { return };
        *prospect = match overview.hopeless(0, &inquiry) {
            Some(closest) => Prospect::Hopeless(format!(
                "no seller that is listed could ever run it; closest: {}",
                describe(&closest, &inquiry)
            )),
            None if fit.could > 0 || fit.sellers > 0 => Prospect::Possible,
            None => Prospect::Open(surveys, again),
        };
        if let Prospect::Hopeless(why) = prospect {
            let why = why.clone();
            for index in run.take_waiting_for(&inquiry.requirement) {
                self.end(task, index, Verdict::NotPlaced { why: why.clone() }, now);
            }
        }
    }

    /// Ends a sub-task whose requirement turned out to be hopeless while a purchase for it was under way.
    pub(super) fn is_hopeless(&mut self, task: ContractId, index: u32, now: Time) -> bool {
        let Some(run) = self.tasks.get_mut(&task) else { return false };
        let Some(requirement) = run.run_mut(index).map(|run| run.plan.requirement.clone()) else {
            return false;
        };
        let Some(Prospect::Hopeless(why)) = run.prospects.of(&requirement) else { return false };
        let verdict = Verdict::NotPlaced { why: why.clone() };
        self.end(task, index, verdict, now);
        true
    }

    /// What the sub-tasks of `task` that have not ended need.
    pub(crate) fn wants(&self, task: ContractId, now: Time) -> Vec<Want> {
        let Some(task) = self.tasks.get(&task) else { return Vec::new() };
        let patience = match task.patience {
            Patience::For(span) => Some(span),
            Patience::Endless => None,
        };
        let want = |run: &super::run::SubTaskRun| Want {
            name: run.plan.name.clone(),
            state: run.state,
            requirement: run.plan.requirement.clone(),
            bid: run.plan.bid,
            price: run.plan.price,
            attempts: run.attempts,
            fruitless: run.fruitless_since.map(|since| now.since(since)),
            patience,
            why: run.why.clone(),
        };
        let waits = |(index, run): &(u32, &super::run::SubTaskRun)| {
            !run.state.is_final() && task.ballot(*index).is_none()
        };
        (0..).zip(TaskRun::runs(task)).filter(waits).map(|(_, run)| want(run)).collect()
    }
}

/// A survey of all markets of what the inquiries, which are about one commodity, ask for. Also of the smaller ones: who
/// is listed there for the rest of its machine may be able to do more when that is not sold.
#[must_use]
pub fn whole_commodity(inquiries: Vec<Inquiry>) -> Survey {
    let commodity = inquiries.first().map(|inquiry| inquiry.requirement.commodity).unwrap_or_default();
    let at = |class| Market { commodity, class };
    Survey {
        request: RequestId(0),
        from: at(0),
        to: at(commodity.classes() - 1),
        ask: Rate(0),
        inquiries,
        show: 0,
    }
}

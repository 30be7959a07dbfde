//! The governor: follows the machine and the owner's orders, and says at every moment what may be sold and what
//! happens to the work that runs.

use super::condition::Condition;
use super::latch::Latch;
use super::presence::Watch;
use super::timetable::minutes_until;
use super::view::{View, facts};
use super::{Decision, Kind, Machine, Moment, Policy, Presence, Sale, Weekday, Work};
use proto::{Span, Time};

/// A state machine over what sensors say. It reads no clock: the moment comes in with everything.
///
/// - Selling stops at once when anything speaks against it; work that runs stands still once that has held for
///   `suspend.for`, and goes on once nothing has for `suspend.resume_after`.
/// - Work that has stood still for `suspend.max` is handed back; at once where `suspend.keep_in_memory` is off.
/// - A pause is the owner's word and knows no grace; when it ends, work goes on as soon as the conditions allow.
/// - The clock on the wall may leap; [`Moment::now`] does not go back, and if it does it counts as standing still.
#[derive(Clone, Debug)]
pub struct Governor {
    policy: Policy,
    /// The policy with what the rule sets that counts now, and which rule that is.
    current: (Option<usize>, Option<Box<Policy>>),
    started: Time,
    watch: Watch,
    /// Whether the processor is too hot, or was and is not cool enough yet.
    is_hot: bool,
    latch: Latch,
    pause: Option<Pause>,
    is_draining: bool,
    /// Since when work stands still.
    halted_since: Option<Time>,
    /// Whether the work that stood still has been handed back.
    is_vacated: bool,
    /// Since when the node shares, or does not.
    sharing_since: Time,
    decision: Decision,
    pub(super) seen: Seen,
}

/// How long the owner's pause lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    UntilResumed,
    Until(Time),
}

/// What was seen last.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) machine: Machine,
    pub(super) moment: Moment,
    pub(super) conditions: Vec<Condition>,
}

impl Governor {
    /// A governor that starts at `moment` and has seen nothing of the machine yet.
    #[must_use]
    pub fn new(policy: Policy, moment: Moment) -> Self {
        let why = "the machine has not been looked at yet".to_owned();
        Self {
            started: moment.now,
            current: (None, None),
            watch: Watch::default(),
            is_hot: false,
            latch: Latch::default(),
            pause: None,
            is_draining: false,
            halted_since: None,
            is_vacated: false,
            sharing_since: moment.now,
            decision: Decision {
                sale: Sale::Nothing { why: why.clone() },
                work: Work::Run { throttle_pct: policy.throttle_pct },
                since: moment.now,
                reasons: vec![why],
            },
            seen: Seen { machine: Machine::default(), moment, conditions: Vec::new() },
            policy,
        }
    }

    /// Takes what the sensors say at `moment`, and decides.
    pub fn observe(&mut self, machine: &Machine, moment: Moment) -> Decision {
        let now = moment.now.max(self.seen.moment.now);
        let place = (moment.weekday, moment.minute);
        self.watch.observe(machine.untouched, now, &self.policy.idle);
        self.choose_rule(machine, place);
        self.feel_heat(machine);
        if matches!(self.pause, Some(Pause::Until(end)) if end <= now) {
            self.pause = None;
        }
        let view = self.view(machine, place, now);
        let (throttle_pct, offer, found) = (view.throttle_pct(), view.offer(), view.conditions());
        let suspend = self.current().suspend;
        let is_bad = found.iter().any(Condition::stops_work);
        let flaps = found.iter().any(Condition::flaps);
        self.latch.observe(is_bad, flaps, now, suspend.hold, suspend.resume_after);
        let mut conditions = self.orders(now);
        conditions.extend(found);
        let left = self.latch.calms_in(now, suspend.hold, suspend.resume_after);
        if !is_bad && left > Span(0) {
            conditions.push(Condition::Settling { calm: self.calm(), left });
        }
        let work = self.work(throttle_pct, now);
        let sale = match (conditions.first(), offer) {
            (None, Ok(offer)) => offer,
            (None, Err(condition)) => Sale::Nothing { why: condition.to_string() },
            (Some(first), _) => Sale::Nothing { why: first.to_string() },
        };
        self.decide(work, sale, &conditions, now);
        self.seen = Seen { machine: machine.clone(), moment: Moment { now, ..moment }, conditions };
        self.decision.clone()
    }

    /// Replaces the policy; what has been seen and ordered stays. The next [`Self::observe`] decides by it.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.current = (None, None);
    }

    /// Stops selling and lets work stand still, without grace, until [`Self::resume`] or until `until`.
    pub fn pause(&mut self, until: Option<Time>) {
        self.pause = Some(until.map_or(Pause::UntilResumed, Pause::Until));
    }

    /// Ends a pause and a drain. The conditions of the policy hold as before.
    pub fn resume(&mut self) {
        self.pause = None;
        self.is_draining = false;
    }

    /// Finishes what runs and sells nothing new, until [`Self::resume`].
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    /// The policy as it was given.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy with what the rule sets that counts now.
    #[must_use]
    pub fn current(&self) -> &Policy {
        self.current.1.as_deref().unwrap_or(&self.policy)
    }

    /// The last decision.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Whether somebody is there.
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.watch.presence()
    }

    /// Since when the node shares, or does not.
    #[must_use]
    pub const fn sharing_since(&self) -> Time {
        self.sharing_since
    }

    /// Since when work stands still or has been handed back; none while it runs.
    #[must_use]
    pub const fn halted_since(&self) -> Option<Time> {
        self.halted_since
    }

    /// Whether the network may be used, by schedule, volume and metering.
    #[must_use]
    pub fn is_network_open(&self) -> bool {
        let Moment { now, weekday, minute } = self.seen.moment;
        self.view(&self.seen.machine, (weekday, minute), now).of_network().next().is_none()
    }

    /// How long work may still go on by the schedule, rounded down to whole minutes; none if no end is in sight,
    /// 0 outside of the schedule.
    #[must_use]
    pub fn window_left(&self) -> Option<Span> {
        let Moment { weekday, minute, .. } = self.seen.moment;
        let minutes = minutes_until(&self.policy.schedule, Kind::Compute, false, (weekday, minute))?;
        // A part of this minute has passed already.
        Some(Span::secs(60).times(u64::from(minutes.saturating_sub(1))))
    }

    /// Whether a sub-task that may run for `limit` fits: into `limits.max_run_time`, and before the schedule ends.
    #[must_use]
    pub fn fits(&self, limit: Span) -> bool {
        limit <= self.current().max_run_time && self.window_left().is_none_or(|left| limit <= left)
    }

    fn choose_rule(&mut self, machine: &Machine, place: (Weekday, u16)) {
        let rule = self.policy.rule_for(&facts(machine, place, self.watch.presence()));
        let is_stale = rule != self.current.0 || rule.is_some() && self.current.1.is_none();
        if is_stale {
            let changed = rule.map(|_| Box::new(self.policy.under_rule(rule).into_owned()));
            self.current = (rule, changed);
        }
    }

    /// Too hot above the highest temperature, until it is down at the one at which work goes on.
    fn feel_heat(&mut self, machine: &Machine) {
        self.is_hot = match machine.cpu_temp_c.zip(self.current().heat()) {
            None => false,
            Some((temp, (most, resume))) => temp > most || self.is_hot && temp > resume,
        };
    }

    pub(super) fn view<'a>(&'a self, machine: &'a Machine, place: (Weekday, u16), now: Time) -> View<'a> {
        View {
            policy: self.current(),
            machine,
            weekday: place.0,
            minute_of_day: place.1,
            presence: self.watch.presence(),
            unused_for: self.watch.unused_for(now),
            is_hot: self.is_hot,
        }
    }

    /// What the owner ordered, and the delay after the start.
    fn orders(&self, now: Time) -> Vec<Condition> {
        let pause = self.pause.map(|pause| match pause {
            Pause::UntilResumed => Condition::Paused { left: None },
            Pause::Until(end) => Condition::Paused { left: Some(end.since(now)) },
        });
        let delay = self.current().start_delay;
        let left = self.started.after(delay).since(now);
        let starting = (left > Span(0)).then_some(Condition::Starting { delay, left });
        pause.into_iter().chain(self.is_draining.then_some(Condition::Draining)).chain(starting).collect()
    }

    /// How long it takes after the last condition until sharing goes on.
    pub(super) fn calm(&self) -> Span {
        let suspend = self.current().suspend;
        self.latch.wait(suspend.hold, suspend.resume_after)
    }

    fn work(&mut self, throttle_pct: u32, now: Time) -> Work {
        if !self.latch.is_halted() && self.pause.is_none() {
            (self.halted_since, self.is_vacated) = (None, false);
            return Work::Run { throttle_pct };
        }
        let since = *self.halted_since.get_or_insert(now);
        let suspend = self.current().suspend;
        let is_over = suspend.max.is_some_and(|max| now.since(since) >= max);
        self.is_vacated |= is_over || !suspend.keep_in_memory;
        if self.is_vacated { Work::Vacate { grace: suspend.kill_grace } } else { Work::Suspend }
    }

    fn decide(&mut self, work: Work, sale: Sale, conditions: &[Condition], now: Time) {
        let shared = matches!(self.decision.sale, Sale::Offer { .. });
        if shared != matches!(sale, Sale::Offer { .. }) {
            self.sharing_since = now;
        }
        let since = if work == self.decision.work { self.decision.since } else { now };
        let reasons = conditions.iter().map(ToString::to_string).collect();
        self.decision = Decision { sale, work, since, reasons };
    }
}

//! What the owner says on sharing: by the policy, and by hand. The word by hand outlives the process, in one small file
//! of the node's directory.

mod difference;
mod orders;

pub(super) use difference::{at_next_start, difference};
pub(crate) use orders::Order;

use crate::control::{Sharing, SharingView};
use jiff::Timestamp;
use orders::Orders;
use proto::{Span, Time};
use service::Intake;
use service::policy::{Decision, Machine, Moment, Policy, Sale, Weekday, Work};
use std::io;
use std::path::Path;

/// The owner's word, from the policy and by hand.
pub(crate) struct Governance {
    orders: Orders,
    decision: Decision,
    /// The intake that a drain by hand has closed.
    before_drain: Option<Intake>,
}

impl Governance {
    /// With the order that a former run of the node has left in `home`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open(home: &Path, now: Time) -> io::Result<Self> {
        let sale = Sale::Nothing { why: "the machine has not been looked at yet".into() };
        let work = Work::Run { throttle_pct: 100 };
        let decision = Decision { sale, work, since: now, reasons: Vec::new() };
        Ok(Self { orders: Orders::open(home)?, decision, before_drain: None })
    }

    /// The owner orders something by hand.
    ///
    /// # Errors
    /// If it could not be written down; it counts all the same, until the node ends.
    pub(crate) fn order(&mut self, order: Order) -> io::Result<()> {
        self.orders.set(order)
    }

    /// What new work is taken: what is taken now, but for a drain by hand that begins or ends.
    pub(crate) fn intake(&mut self, now: Intake) -> Intake {
        match (self.orders.current(), self.before_drain) {
            (Order::Drain, None) => {
                self.before_drain = Some(now);
                Intake::Closed
            }
            (Order::Drain, Some(_)) | (_, None) => now,
            (_, Some(before)) => {
                self.before_drain = None;
                before
            }
        }
    }

    /// The owner's word on this moment.
    pub(crate) fn decide(&mut self, policy: &Policy, machine: &Machine, moment: Moment) -> &Decision {
        self.orders.expire(Timestamp::now());
        let mut decision = judge(policy, machine, moment);
        match self.orders.current() {
            Order::Share => {}
            Order::Pause { until } => {
                let until = until.map_or_else(String::new, |until| format!(" until {}", local(until)));
                let why = format!("paused by hand{until}");
                decision = Decision { work: Work::Suspend, ..without_sale(why, decision) };
            }
            Order::Drain => decision = without_sale("drained by hand".into(), decision),
        }
        if decision.work == self.decision.work
            && decision.reasons.is_empty() == self.decision.reasons.is_empty()
        {
            decision.since = self.decision.since;
        }
        self.decision = decision;
        &self.decision
    }

    /// How the node stands now. `age` is how long ago a moment of the node's clock was.
    pub(crate) fn view(&self, intake: Intake, working: usize, age: impl Fn(Time) -> Span) -> SharingView {
        let until = match self.orders.current() {
            Order::Pause { until } => until,
            Order::Share | Order::Drain => None,
        };
        let state = match (self.orders.current(), intake) {
            (Order::Pause { .. }, _) => Sharing::Paused,
            (_, Intake::Last { left: 0 }) => Sharing::Leaving,
            (Order::Drain, _) => Sharing::Draining,
            (Order::Share, _) => state_of(&self.decision),
        };
        let age = age(self.decision.since);
        let since = Timestamp::now() - jiff::SignedDuration::from_micros(i64::try_from(age.0).unwrap_or(0));
        SharingView { since: Some(utc(since)), until: until.map(utc), ..view(state, &self.decision, working) }
    }

    /// How the node would stand at another time, with the machine as it is now.
    pub(crate) fn view_at(
        &self,
        policy: &Policy,
        machine: &Machine,
        at: Timestamp,
        now: Time,
    ) -> SharingView {
        let decision = judge(policy, machine, moment_at(at, now));
        SharingView { at: Some(utc(at)), ..view(state_of(&decision), &decision, 0) }
    }
}

/// What the policy decides. A governor with a memory, for grace and hysteresis, takes the place of this function.
fn judge(policy: &Policy, machine: &Machine, moment: Moment) -> Decision {
    let sale = policy.sale(machine, moment.weekday, moment.minute);
    let reasons = match &sale {
        Sale::Nothing { why } => vec![why.clone()],
        Sale::Offer { .. } => Vec::new(),
    };
    Decision { sale, work: Work::Run { throttle_pct: 100 }, since: moment.now, reasons }
}

fn without_sale(why: String, mut decision: Decision) -> Decision {
    decision.reasons.insert(0, why.clone());
    decision.sale = Sale::Nothing { why };
    decision
}

const fn state_of(decision: &Decision) -> Sharing {
    match (decision.work, &decision.sale) {
        (Work::Suspend, _) => Sharing::Suspended,
        (Work::Vacate { .. }, _) => Sharing::Vacating,
        (Work::Run { .. }, Sale::Offer { .. }) => Sharing::Open,
        (Work::Run { .. }, Sale::Nothing { .. }) => Sharing::Closed,
    }
}

fn view(state: Sharing, decision: &Decision, working: usize) -> SharingView {
    let throttle_pct = match decision.work {
        Work::Run { throttle_pct } => throttle_pct,
        Work::Suspend | Work::Vacate { .. } => 0,
    };
    let reasons = decision.reasons.clone();
    SharingView {
        state,
        since: None,
        until: None,
        reasons,
        notes: Vec::new(),
        throttle_pct,
        working,
        at: None,
    }
}

/// The present moment in local time, at `now` by the node's clock.
pub(crate) fn moment(now: Time) -> Moment {
    moment_at(Timestamp::now(), now)
}

fn moment_at(at: Timestamp, now: Time) -> Moment {
    let local = at.to_zoned(jiff::tz::TimeZone::system());
    let weekday = match local.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Mon,
        jiff::civil::Weekday::Tuesday => Weekday::Tue,
        jiff::civil::Weekday::Wednesday => Weekday::Wed,
        jiff::civil::Weekday::Thursday => Weekday::Thu,
        jiff::civil::Weekday::Friday => Weekday::Fri,
        jiff::civil::Weekday::Saturday => Weekday::Sat,
        jiff::civil::Weekday::Sunday => Weekday::Sun,
    };
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    Moment { now, weekday, minute: u16::try_from(minute).unwrap_or(0) }
}

/// A time for programs.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time for people on this machine.
pub(crate) fn local(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%a %Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests;

//! What the owner says on sharing: by the policy, and by hand. The word by hand outlives the process, in one small file
//! of the node's directory.

mod difference;
mod orders;

pub(super) use difference::at_next_start;
pub(crate) use orders::Order;

use crate::control::{Sharing, SharingView};
use jiff::Timestamp;
use orders::Orders;
use proto::{Span, Time};
use service::Intake;
use service::policy::{Decision, Explanation, Governor, Machine, Moment, Policy, Sale, Weekday, Work};
use std::io;
use std::path::Path;

/// The owner's word, from the policy and by hand.
pub(crate) struct Governance {
    orders: Orders,
    governor: Governor,
    /// The intake that a drain by hand has closed.
    before_drain: Option<Intake>,
}

impl Governance {
    /// By `policy`, with the order that a former run of the node has left in `home`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open(home: &Path, policy: Policy, moment: Moment) -> io::Result<Self> {
        let governor = Governor::new(policy, moment);
        let mut governance = Self { orders: Orders::open(home)?, governor, before_drain: None };
        governance.pass_on(moment.now);
        Ok(governance)
    }

    /// The owner orders something by hand.
    ///
    /// # Errors
    /// If it could not be written down; it counts all the same, until the node ends.
    pub(crate) fn order(&mut self, order: Order, now: Time) -> io::Result<()> {
        let written = self.orders.set(order);
        self.pass_on(now);
        written
    }

    /// Passes the order in force on to the policy's governor.
    fn pass_on(&mut self, now: Time) {
        self.governor.resume();
        match self.orders.current() {
            Order::Share => {}
            Order::Pause { until } => {
                let left = |until: Timestamp| until.duration_since(Timestamp::now()).as_micros();
                let left = until.map(|until| Span(u64::try_from(left(until)).unwrap_or(0)));
                self.governor.pause(left.map(|left| now.after(left)));
            }
            Order::Drain => self.governor.drain(),
        }
    }

    /// Another policy counts from the next decision on.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.governor.set_policy(policy);
    }

    /// The policy as it is at the moment, with what its rules set.
    pub(crate) fn current(&self) -> &Policy {
        self.governor.current()
    }

    /// How long work may still go on by the schedule; none if no end is in sight.
    pub(crate) fn window_left(&self) -> Option<Span> {
        self.governor.window_left()
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
    pub(crate) fn decide(&mut self, machine: &Machine, moment: Moment) -> Decision {
        self.orders.expire(Timestamp::now());
        self.governor.observe(machine, moment)
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
            (Order::Share, _) => state_of(self.governor.decision()),
        };
        let age = age(self.governor.sharing_since());
        let since = Timestamp::now() - jiff::SignedDuration::from_micros(i64::try_from(age.0).unwrap_or(0));
        let work = self.governor.decision().work;
        let view = view(state, work, &self.governor.explain(), working);
        SharingView { since: Some(utc(since)), until: until.map(utc), ..view }
    }

    /// How the node would stand at another time, with the machine as it is now.
    pub(crate) fn view_at(
        &self,
        policy: &Policy,
        machine: &Machine,
        at: Timestamp,
        now: Time,
    ) -> SharingView {
        let moment = moment_at(at, now);
        let explanation = policy.explain_at(machine, moment.weekday, moment.minute);
        let state = if explanation.is_sharing() { Sharing::Open } else { Sharing::Closed };
        let work = Work::Run { throttle_pct: policy.throttle_pct };
        SharingView { at: Some(utc(at)), ..view(state, work, &explanation, 0) }
    }
}

const fn state_of(decision: &Decision) -> Sharing {
    match (decision.work, &decision.sale) {
        (Work::Suspend, _) => Sharing::Suspended,
        (Work::Vacate { .. }, _) => Sharing::Vacating,
        (Work::Run { .. }, Sale::Offer { .. }) => Sharing::Open,
        (Work::Run { .. }, Sale::Nothing { .. }) => Sharing::Closed,
    }
}

fn view(state: Sharing, work: Work, explanation: &Explanation, working: usize) -> SharingView {
    let throttle_pct = match work {
        Work::Run { throttle_pct } => throttle_pct,
        Work::Suspend | Work::Vacate { .. } => 0,
    };
    let reasons = explanation.reasons.clone();
    // The first line says what the state says, and the reasons have a place of their own.
    let lines = explanation.lines().into_iter().skip(1);
    let notes = lines.filter(|line| !line.starts_with("- ")).collect();
    SharingView { state, since: None, until: None, reasons, notes, throttle_pct, working, at: None }
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

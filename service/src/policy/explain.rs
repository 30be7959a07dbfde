//! Does the node share, since when, why not, and when will it next: as far as schedule and timers tell.

use super::condition::Condition;
use super::schedule::time_of_day;
use super::text::duration;
use super::timetable::{later, minutes_until};
use super::{Governor, Kind, Machine, Opening, Policy, Weekday, Work};
use proto::Span;

/// When a node shares next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does now.
    Now,
    /// In so long, if nothing else comes between.
    In(Span),
    /// When something ends of which nobody knows when, and not before so long.
    NotBefore(Span),
    /// When the owner says so.
    WhenResumed,
    /// Never by this policy.
    Never,
}

/// Why a node shares at a moment, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The day and the minute of the day, in local time.
    pub at: (Weekday, u16),
    /// For how long it has been so; none when only one moment was looked at.
    pub since: Option<Span>,
    /// Everything that speaks against sharing; empty when the node shares.
    pub reasons: Vec<String>,
    /// What happens to work that runs, as a sentence.
    pub work: Option<String>,
    /// When it shares next.
    pub next: Next,
    /// How long the schedule allows it from now; none if no end is in sight.
    pub window_left: Option<Span>,
    /// Limits that have no effect on this machine because no sensor tells what they need.
    pub without_sensor: Vec<String>,
}

impl Explanation {
    /// Whether the node shares.
    #[must_use]
    pub const fn is_sharing(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The explanation in words, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let (weekday, minute) = self.at;
        let since = self.since.map_or(String::new(), |since| format!(", for {} now", in_words(since)));
        let shares = if self.is_sharing() { "the node shares" } else { "the node does not share" };
        let mut lines = vec![format!("{shares} on {weekday} at {}{since}", time_of_day(minute))];
        lines.extend(self.reasons.iter().map(|reason| format!("- {reason}")));
        lines.extend(self.work.clone());
        lines.push(self.when());
        lines.extend(self.without_sensor.iter().cloned());
        lines
    }

    /// When it shares next, or how long still.
    fn when(&self) -> String {
        let moment = |span: Span| {
            let minutes = u32::try_from(span.0.div_ceil(60_000_000)).unwrap_or(u32::MAX);
            let (weekday, minute) = later(self.at, minutes);
            format!("{weekday} at {} (in {})", time_of_day(minute), in_words(span))
        };
        match (self.next, self.window_left) {
            (Next::Now, None) => "the schedule sets no end".to_owned(),
            (Next::Now, Some(left)) => format!("the schedule ends it on {}", moment(left)),
            (Next::In(span), _) => {
                format!("it will share on {}, if nothing else comes between", moment(span))
            }
            (Next::NotBefore(Span(0)), _) => "it will share when that ends".to_owned(),
            (Next::NotBefore(span), _) => {
                format!("it will share when that ends, and not before {}", moment(span))
            }
            (Next::WhenResumed, _) => "it will share when the owner resumes it: `compup2p resume`".to_owned(),
            (Next::Never, _) => "it will not share by this policy".to_owned(),
        }
    }
}

impl Policy {
    /// What the policy says about `machine` on `weekday` at `minute_of_day` (0 to 1439), both in local time, by
    /// this moment alone.
    #[must_use]
    pub fn explain_at(&self, machine: &Machine, weekday: Weekday, minute_of_day: u16) -> Explanation {
        let at = (weekday, minute_of_day);
        let policy = self.under_rule(self.rule_at(machine, at));
        let conditions = policy.view_at(machine, at).conditions();
        Explanation {
            at,
            since: None,
            reasons: conditions.iter().map(ToString::to_string).collect(),
            work: None,
            next: next(&conditions, &self.schedule, at, Span(0)),
            window_left: window(&self.schedule, at),
            without_sensor: policy.without_sensor(machine),
        }
    }

    /// The limits that have no effect on `machine` because no sensor tells what they need, as sentences.
    #[must_use]
    pub fn without_sensor(&self, machine: &Machine) -> Vec<String> {
        let (idle, power) = (&self.idle, &self.power);
        let no_battery = machine.battery.is_none();
        let no_input = machine.untouched.is_none();
        let no_temp = machine.battery.is_some_and(|battery| battery.temp_c.is_none());
        let table = [
            (no_input && idle.require_idle, "keyboard and mouse", "idle.require_idle"),
            (no_input && idle.stop_after.is_some(), "keyboard and mouse", "idle.stop_after"),
            (no_input && self.idle_limits != super::Override::default(), "keyboard and mouse", "idle_limits"),
            (no_battery && !power.on_battery, "battery", "power.on_battery"),
            (no_battery && power.min_charge_pct > 0, "battery", "power.min_charge_pct"),
            (
                (no_battery || no_temp) && power.max_battery_temp_c.is_some(),
                "battery temperature",
                "power.max_battery_temp_c",
            ),
            (
                machine.cpu_temp_c.is_none() && power.max_cpu_temp_c.is_some(),
                "processor temperature",
                "power.max_cpu_temp_c",
            ),
            (machine.swap_used_pct.is_none() && self.max_swap_pct < 100, "swap", "memory.max_swap_pct"),
            (machine.disk_total.0 == 0 && self.disk.max_pct < 100, "disk size", "disk.max_pct"),
            (
                machine.is_metered.is_none() && self.traffic.unmetered_only,
                "metering",
                "network.unmetered_only",
            ),
        ];
        let missing = table.into_iter().filter(|(is_missing, ..)| *is_missing);
        missing.map(|(_, sensor, key)| format!("no {sensor} sensor: `{key}` has no effect here")).collect()
    }
}

impl Governor {
    /// Whether the node shares as of the last [`Governor::observe`], and why not.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let seen = &self.seen;
        let at = (seen.moment.weekday, seen.moment.minute);
        let now = seen.moment.now;
        let suspend = self.current().suspend;
        let halted = self.halted_since().map(|since| now.since(since));
        let calm =
            if halted.is_some() { suspend.resume_after } else { suspend.hold.min(suspend.resume_after) };
        let work = match (self.decision().work, halted) {
            (Work::Run { throttle_pct: 100 }, _) => "work that runs here goes on".to_owned(),
            (Work::Run { throttle_pct }, _) => {
                format!("work that runs here goes on, {throttle_pct} % of the time")
            }
            (Work::Suspend, halted) => {
                let halted = halted.unwrap_or_default();
                let left = suspend.max.map(|max| Span(max.0.saturating_sub(halted.0)));
                let then = left.map_or_else(
                    || "until it can go on".to_owned(),
                    |left| format!("and is handed back in {}", in_words(left)),
                );
                format!("work that runs here has stood still for {}, {then}", in_words(halted))
            }
            (Work::Vacate { grace }, _) => {
                format!("work that ran here is handed back, with {} to end in order", duration(grace))
            }
        };
        Explanation {
            at,
            since: Some(now.since(self.sharing_since())),
            reasons: self.decision().reasons.clone(),
            work: Some(work),
            next: next(&seen.conditions, &self.policy().schedule, at, calm),
            window_left: window(&self.policy().schedule, at),
            without_sensor: self.current().without_sensor(&seen.machine),
        }
    }
}

/// A duration to the second.
fn in_words(span: Span) -> String {
    duration(Span(span.0 / 1_000_000 * 1_000_000))
}

fn window(schedule: &[Opening], at: (Weekday, u16)) -> Option<Span> {
    let minutes = minutes_until(schedule, Kind::Compute, false, at)?;
    Some(Span::secs(60).times(u64::from(minutes)))
}

/// When a condition ends.
enum End {
    In(Span),
    Unknown,
    ByOwner,
    Never,
}

/// When a node shares next for which `conditions` hold; work that stood still waits for `calm` after them.
fn next(conditions: &[Condition], schedule: &[Opening], at: (Weekday, u16), calm: Span) -> Next {
    if conditions.is_empty() {
        return Next::Now;
    }
    let (mut wait, mut is_unknown, mut by_owner) = (Span(0), false, false);
    for condition in conditions {
        match end(condition) {
            End::In(span) if condition.flaps() => wait = wait.max(span.plus(calm)),
            End::In(span) => wait = wait.max(span),
            End::Unknown => is_unknown = true,
            End::ByOwner => by_owner = true,
            End::Never => return Next::Never,
        }
    }
    if by_owner {
        return Next::WhenResumed;
    }
    // A timer may end while the schedule is closed.
    for kind in [Kind::Compute, Kind::Network] {
        let minutes = u32::try_from(wait.0.div_ceil(60_000_000)).unwrap_or(u32::MAX);
        match minutes_until(schedule, kind, true, later(at, minutes)) {
            None => return Next::Never,
            Some(0) => {}
            Some(more) => {
                wait = Span::secs(60).times(u64::from(minutes)).plus(Span::secs(60).times(more.into()))
            }
        }
    }
    if is_unknown { Next::NotBefore(wait) } else { Next::In(wait) }
}

fn end(condition: &Condition) -> End {
    match condition {
        Condition::Paused { left: Some(left) }
        | Condition::Starting { left, .. }
        | Condition::InUse { left, .. }
        | Condition::Settling { left, .. } => End::In(*left),
        Condition::Paused { left: None } | Condition::Draining => End::ByOwner,
        Condition::Closed { opens: Some(opens) } | Condition::Offline { opens: Some(opens) } => {
            End::In(Span::secs(60).times(opens.minutes.into()))
        }
        Condition::NotShared | Condition::Closed { opens: None } | Condition::Offline { opens: None } => {
            End::Never
        }
        _ => End::Unknown,
    }
}

//! BOINC's hours of work and of the network as schedules.
//!
//! BOINC has one window for all days and one for each day that has its own, which then **replaces** the general
//! one. Equal times are the whole day, 24 to 0 is never, and a window that ends before it begins goes over
//! midnight. BOINC looks only at the day that it is: on a day of its own, "22 to 7" means before 7 and after 22
//! of that same day, while a schedule of ours goes on into the day after.

use super::super::schedule::{Weekday, time_of_day};
use super::boinc::Wrong;
use super::tags::{UNIT, number};
use roxmltree::Node;
use std::collections::BTreeMap;

/// Minutes in a day.
const DAY: u16 = 24 * 60;
/// The days as BOINC counts them, from Sunday.
const DAYS: [Weekday; 7] =
    [Weekday::Sun, Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat];

/// A beginning and an end, in minutes of the day.
type Window = (Option<u16>, Option<u16>);

/// All hours of a file: of work, and of the network.
#[derive(Default)]
pub(super) struct Times {
    compute: Week,
    network: Week,
}

/// The window of all days, and those of single days.
#[derive(Default)]
struct Week {
    general: Window,
    days: BTreeMap<Weekday, Window>,
}

impl Times {
    /// Takes a tag outside of `day_prefs`; whether it was about hours.
    pub(super) fn general<'a, 'input>(&mut self, node: Node<'a, 'input>) -> Result<bool, Wrong<'a, 'input>> {
        let (compute, network) = (&mut self.compute.general, &mut self.network.general);
        set(node, compute, network)
    }

    /// Takes a `day_prefs`.
    pub(super) fn day<'a, 'input>(&mut self, parent: Node<'a, 'input>) -> Result<(), Wrong<'a, 'input>> {
        let (mut compute, mut network) = ((None, None), (None, None));
        let mut day = None;
        for node in parent.children().filter(Node::is_element) {
            if node.has_tag_name("day_of_week") {
                let place = usize::try_from(number(node)? / UNIT).ok();
                day = place.and_then(|place| DAYS.get(place).copied());
                if day.is_none() {
                    return Err((node, "a day of the week is 0 (Sunday) to 6 (Saturday)".to_owned()));
                }
            } else {
                set(node, &mut compute, &mut network)?;
            }
        }
        let day = day.ok_or_else(|| (parent, "`day_prefs` has no `day_of_week`".to_owned()))?;
        for (week, window) in [(&mut self.compute, compute), (&mut self.network, network)] {
            if window != (None, None) {
                week.days.insert(day, window);
            }
        }
        Ok(())
    }

    /// Appends the schedules to a policy.
    pub(super) fn write(&self, toml: &mut String) {
        self.compute.write("compute", toml);
        self.network.write("network", toml);
    }
}

/// Takes one of the four tags; whether it was one.
fn set<'a, 'input>(
    node: Node<'a, 'input>,
    compute: &mut Window,
    network: &mut Window,
) -> Result<bool, Wrong<'a, 'input>> {
    let place = match node.tag_name().name() {
        "start_hour" => &mut compute.0,
        "end_hour" => &mut compute.1,
        "net_start_hour" => &mut network.0,
        "net_end_hour" => &mut network.1,
        _ => return Ok(false),
    };
    *place = Some(minutes(node)?);
    Ok(true)
}

/// An hour from 0 to 24 with decimals, in minutes, rounded to the nearest.
fn minutes<'a, 'input>(node: Node<'a, 'input>) -> Result<u16, Wrong<'a, 'input>> {
    let minutes = (number(node)?.saturating_mul(60).saturating_add(UNIT / 2)) / UNIT;
    let minutes = u16::try_from(minutes).ok().filter(|minutes| *minutes <= DAY);
    minutes.ok_or_else(|| (node, "an hour is 0 to 24, such as 22.5 for half past ten".to_owned()))
}

impl Week {
    fn write(&self, kind: &str, toml: &mut String) {
        let all = bounds(self.general);
        if self.days.is_empty() {
            // Without days of their own, a window over midnight means the same in both.
            if all.0 != all.1 {
                push(kind, None, &[all], toml);
            }
            return;
        }
        for day in Weekday::ALL {
            let window = self.days.get(&day).map_or(all, |window| bounds(*window));
            push(kind, Some(day), &within_day(window), toml);
        }
    }
}

/// The beginning and the end; what is missing is 0, as in BOINC.
fn bounds(window: Window) -> (u16, u16) {
    (window.0.unwrap_or(0), window.1.unwrap_or(0))
}

/// A window as BOINC reads it on a single day.
fn within_day((start, end): (u16, u16)) -> Vec<(u16, u16)> {
    if start <= end || (start, end) == (DAY, 0) {
        return vec![(start, end)];
    }
    [(0, end), (start, DAY)].into_iter().filter(|(first, last)| first < last).collect()
}

fn push(kind: &str, day: Option<Weekday>, windows: &[(u16, u16)], toml: &mut String) {
    let time = |minute: &u16| time_of_day(*minute);
    let hours: Vec<String> =
        windows.iter().map(|(start, end)| format!("\"{}-{}\"", time(start), time(end))).collect();
    toml.push_str(&format!("\n[[schedule]]\nkind = \"{kind}\"\n"));
    if let Some(day) = day {
        toml.push_str(&format!("days = [\"{day}\"]\n"));
    }
    toml.push_str(&format!("hours = [{}]\n", hours.join(", ")));
}

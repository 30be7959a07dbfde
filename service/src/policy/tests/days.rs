//! Scripted days: what the governor decides from hour to hour.

use super::*;
use Event::{Battery as OnBattery, Drain, Leap, Load, Pause, Resume, Starts, Stops, Temp, Touch, Use};
use proto::Time;
use std::fmt::Write as _;

/// What happens to the machine.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Other programs use so much of the processor.
    Load(u32),
    /// One touch.
    Touch,
    /// Somebody uses the machine for so many seconds.
    Use(u64),
    /// The machine runs on its battery or not, which is so full.
    Battery(bool, u32),
    /// The processor has so many °C.
    Temp(i32),
    /// A program starts.
    Starts(&'static str),
    /// A program ends.
    Stops(&'static str),
    /// The owner pauses the node, for so many seconds.
    Pause(Option<u64>),
    /// The owner resumes it.
    Resume,
    /// The owner drains it.
    Drain,
    /// The clock on the wall leaps by so many minutes.
    Leap(i32),
}

/// How often the sensors are read.
const SAMPLE: Span = Span::secs(5);

/// A machine in a world of its own: seconds since Monday at 00:00.
struct World {
    machine: Machine,
    /// The second of the last touch, which may be before the beginning.
    touched: i64,
    used_until: i64,
    /// How far the clock on the wall is off, in minutes.
    leap: i64,
    governor: Governor,
}

impl World {
    fn new(policy: Policy, start: i64) -> Self {
        let machine = Machine {
            cores: 8,
            per_core: proto::Capacity(1_000),
            idle_cores: 8,
            memory_total: Bytes::gib(16),
            memory: Bytes::gib(8),
            disk_total: Bytes::gib(500),
            disk: Bytes::gib(100),
            swap_used_pct: Some(0),
            ..Machine::default()
        };
        let governor = Governor::new(policy, moment(start, 0));
        Self { machine, touched: start - 86_400, used_until: i64::MIN, leap: 0, governor }
    }

    fn apply(&mut self, event: Event, second: i64) {
        let now = moment(second, self.leap).now;
        match event {
            Load(pct) => {
                self.machine.other_load_pct = pct;
                self.machine.idle_cores = 8 - (8 * pct).div_ceil(100);
            }
            Touch => self.touched = second,
            Use(seconds) => self.used_until = second + i64::try_from(seconds).unwrap(),
            OnBattery(is_discharging, charge_pct) => {
                self.machine.battery = Some(Battery { is_discharging, charge_pct, temp_c: None });
            }
            Temp(celsius) => self.machine.cpu_temp_c = Some(celsius),
            Starts(name) => drop(self.machine.exclusive.insert(name.to_owned())),
            Stops(name) => drop(self.machine.exclusive.remove(name)),
            Pause(seconds) => self.governor.pause(seconds.map(|seconds| now.after(Span::secs(seconds)))),
            Resume => self.governor.resume(),
            Drain => self.governor.drain(),
            Leap(minutes) => self.leap += i64::from(minutes),
        }
    }

    /// What is decided at `second`.
    fn sample(&mut self, second: i64) -> Decision {
        if second <= self.used_until {
            self.touched = second;
        }
        self.machine.untouched = Some(Span::secs(u64::try_from(second - self.touched).unwrap()));
        self.governor.observe(&self.machine, moment(second, self.leap))
    }
}

/// The moment `second` seconds after Monday at 00:00, on a clock on the wall that is `leap` minutes off.
fn moment(second: i64, leap: i64) -> Moment {
    let minute = (second / 60 + leap).rem_euclid(7 * 24 * 60);
    Moment {
        now: Time(1_000_000_000_000_000).after(Span::secs(u64::try_from(second).unwrap())),
        weekday: Weekday::ALL[usize::try_from(minute / 1440).unwrap()],
        minute: u16::try_from(minute % 1440).unwrap(),
    }
}

/// The second of `mon 09:00:30`.
fn second(text: &str) -> i64 {
    let (day, time) = text.split_once(' ').unwrap();
    let day = Weekday::ALL.iter().position(|known| known.to_string() == day).unwrap();
    let parts: Vec<i64> = time.split(':').map(|part| part.parse().unwrap()).collect();
    i64::try_from(day).unwrap() * 86_400 + parts[0] * 3_600 + parts[1] * 60 + parts[2]
}

fn shown(second: i64) -> String {
    let day = Weekday::ALL[usize::try_from(second / 86_400 % 7).unwrap()];
    format!("{day} {:02}:{:02}:{:02}", second / 3_600 % 24, second / 60 % 60, second % 60)
}

/// Runs a script from its first line to its last; what is decided anew, a line each.
fn run(policy: &str, script: &[(&str, &[Event])]) -> String {
    let policy = parse(policy, "p").unwrap();
    let (first, last) = (second(script[0].0), second(script[script.len() - 1].0));
    let mut world = World::new(policy, first);
    let (mut log, mut before) = (String::new(), String::new());
    let mut at = first;
    while at <= last {
        for (_, events) in script.iter().filter(|(time, _)| second(time) == at) {
            events.iter().for_each(|event| world.apply(*event, at));
        }
        let decision = world.sample(at);
        let work = match decision.work {
            Work::Run { throttle_pct: 100 } => "runs".to_owned(),
            Work::Run { throttle_pct } => format!("runs at {throttle_pct} %"),
            Work::Suspend => "stands still".to_owned(),
            Work::Vacate { grace } => format!("goes within {} s", grace.0 / 1_000_000),
        };
        let sale = match decision.sale {
            Sale::Offer { cores, .. } => format!("{cores} cores for sale"),
            Sale::Nothing { why } => why,
        };
        let now = format!("{work}; {sale}");
        if now != before {
            writeln!(log, "{} {now}", shown(at)).unwrap();
            before = now;
        }
        at += i64::try_from(SAMPLE.0 / 1_000_000).unwrap();
    }
    log
}

fn check(policy: &str, script: &[(&str, &[Event])], expected: &[&str]) {
    let log = run(policy, script);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines, expected, "\n{log}");
}

#[test]
fn on_a_work_day_the_machine_is_shared_before_and_after_work() {
    check(
        "idle = { require_idle = true }\n[[schedule]]\ndays = ['mon-fri']\nhours = ['00:00-08:00', '18:00-24:00']",
        &[
            ("mon 07:50:00", &[]),
            ("mon 08:40:00", &[Use(9 * 3600)]),
            ("mon 18:10:00", &[Touch]),
            ("mon 18:20:00", &[Use(60)]),
            ("mon 19:00:00", &[]),
        ],
        &[
            "mon 07:50:00 runs; 8 cores for sale",
            "mon 08:00:00 runs; the schedule shares nothing until mon at 18:00",
            "mon 08:00:30 stands still; the schedule shares nothing until mon at 18:00",
            "mon 08:10:30 goes within 60 s; the schedule shares nothing until mon at 18:00",
            "mon 18:00:00 runs; 8 cores for sale",
            "mon 18:20:10 runs; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 18:20:40 stands still; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 18:30:40 goes within 60 s; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 18:36:00 goes within 60 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "mon 18:41:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn at_the_weekend_the_schedule_is_open_all_day() {
    check(
        "[[schedule]]\ndays = ['sat', 'sun']",
        &[
            ("fri 23:50:00", &[]),
            ("sat 12:00:00", &[Load(60)]),
            ("sat 12:10:00", &[Load(0)]),
            ("sun 23:59:55", &[]),
        ],
        &[
            "fri 23:50:00 runs; the schedule shares nothing until sat at 00:00",
            "fri 23:50:30 stands still; the schedule shares nothing until sat at 00:00",
            "sat 00:00:00 runs; 8 cores for sale",
            "sat 12:00:00 runs; other programs use 60 % of the processor, the policy allows sharing up to 50 %",
            "sat 12:00:30 stands still; other programs use 60 % of the processor, the policy allows sharing up to 50 %",
            "sat 12:10:00 stands still; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "sat 12:10:30 goes within 60 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "sat 12:15:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_laptop_shares_only_on_mains_and_with_a_full_battery() {
    check(
        "[power]\nmin_charge_pct = 90",
        &[
            ("tue 09:00:00", &[OnBattery(false, 100)]),
            ("tue 09:30:00", &[OnBattery(true, 99)]),
            ("tue 10:00:00", &[OnBattery(false, 40)]),
            ("tue 11:00:00", &[OnBattery(false, 90)]),
            ("tue 11:10:00", &[]),
        ],
        &[
            "tue 09:00:00 runs; 8 cores for sale",
            "tue 09:30:00 runs; the machine runs on its battery",
            "tue 09:30:30 stands still; the machine runs on its battery",
            "tue 09:40:30 goes within 60 s; the machine runs on its battery",
            "tue 10:00:00 goes within 60 s; the battery is at 40 %, the policy shares from 90 % on",
            "tue 11:00:00 goes within 60 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "tue 11:05:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_night_goes_on_over_midnight() {
    check(
        "[[schedule]]\ndays = ['fri']\nhours = '22:00-06:00'",
        &[("fri 21:00:00", &[]), ("sat 07:00:00", &[])],
        &[
            "fri 21:00:00 runs; the schedule shares nothing until fri at 22:00",
            "fri 21:00:30 stands still; the schedule shares nothing until fri at 22:00",
            "fri 21:10:30 goes within 60 s; the schedule shares nothing until fri at 22:00",
            "fri 22:00:00 runs; 8 cores for sale",
            "sat 06:00:00 runs; the schedule shares nothing until fri at 22:00",
            "sat 06:00:30 stands still; the schedule shares nothing until fri at 22:00",
            "sat 06:10:30 goes within 60 s; the schedule shares nothing until fri at 22:00",
        ],
    );
}

#[test]
fn a_gamer_has_the_machine_alone_at_once_after_the_grace() {
    check(
        "[exclusive]\nprograms = ['steam']\n[suspend]\nkeep_in_memory = false\nkill_grace = '20s'",
        &[
            ("wed 20:00:00", &[Starts("editor")]),
            ("wed 20:10:00", &[Starts("steam")]),
            ("wed 22:00:00", &[Stops("steam")]),
            ("wed 22:10:00", &[]),
        ],
        &[
            "wed 20:00:00 runs; 8 cores for sale",
            "wed 20:10:00 runs; `steam` runs, which the policy leaves the machine to",
            "wed 20:10:30 goes within 20 s; `steam` runs, which the policy leaves the machine to",
            "wed 22:00:00 goes within 20 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "wed 22:05:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_hot_machine_waits_until_it_is_cool() {
    check(
        "[power]\nmax_cpu_temp_c = 80\nresume_cpu_temp_c = 70\n[suspend]\nfor = '10s'\nresume_after = '1m'",
        &[
            ("thu 10:00:00", &[Temp(80)]),
            ("thu 10:01:00", &[Temp(81)]),
            ("thu 10:02:00", &[Temp(71)]),
            ("thu 10:03:00", &[Temp(70)]),
            ("thu 10:05:00", &[Temp(71)]),
            ("thu 10:06:00", &[]),
        ],
        &[
            "thu 10:00:00 runs; 8 cores for sale",
            "thu 10:01:00 runs; the processor has 81 °C: the policy allows 80 °C, and then waits for 70 °C",
            "thu 10:01:10 stands still; the processor has 81 °C: the policy allows 80 °C, and then waits for 70 °C",
            "thu 10:02:00 stands still; the processor has 71 °C: the policy allows 80 °C, and then waits for 70 °C",
            "thu 10:03:00 stands still; nothing speaks against sharing any more: it goes on once that has held for 1m",
            "thu 10:04:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_load_that_flaps_suspends_nothing() {
    check(
        "",
        &[
            ("mon 10:00:00", &[]),
            ("mon 10:01:00", &[Load(90)]),
            ("mon 10:01:25", &[Load(0)]),
            ("mon 10:01:45", &[Load(90)]),
            ("mon 10:02:10", &[Load(0)]),
            ("mon 10:04:00", &[]),
        ],
        &[
            "mon 10:00:00 runs; 8 cores for sale",
            "mon 10:01:00 runs; other programs use 90 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:01:25 runs; nothing speaks against sharing any more: it goes on once that has held for 30s",
            "mon 10:01:45 runs; other programs use 90 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:02:10 runs; nothing speaks against sharing any more: it goes on once that has held for 30s",
            "mon 10:02:40 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_load_that_stays_suspends_and_then_hands_back() {
    check(
        "",
        &[
            ("mon 10:00:00", &[]),
            ("mon 10:01:00", &[Load(51)]),
            ("mon 10:03:00", &[Load(50)]),
            ("mon 10:04:00", &[Load(51)]),
            ("mon 10:13:00", &[Load(12)]),
            ("mon 10:20:00", &[]),
        ],
        &[
            "mon 10:00:00 runs; 8 cores for sale",
            "mon 10:01:00 runs; other programs use 51 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:01:30 stands still; other programs use 51 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:03:00 stands still; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "mon 10:04:00 stands still; other programs use 51 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:11:30 goes within 60 s; other programs use 51 % of the processor, the policy allows sharing up to 50 %",
            "mon 10:13:00 goes within 60 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "mon 10:18:00 runs; 7 cores for sale",
        ],
    );
}

#[test]
fn a_nudge_does_not_count_but_use_does() {
    check(
        "idle = { require_idle = true, after = '15m', min_use = '10s' }",
        &[
            ("mon 12:00:00", &[]),
            ("mon 12:05:00", &[Touch]),
            ("mon 12:10:00", &[Use(5)]),
            ("mon 12:12:00", &[Touch]),
            ("mon 12:12:40", &[Touch]),
            ("mon 12:40:00", &[]),
        ],
        &[
            "mon 12:00:00 runs; 8 cores for sale",
            "mon 12:12:40 runs; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 12:13:10 stands still; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 12:23:10 goes within 60 s; somebody uses this machine: the policy shares it once nobody has for 15m",
            "mon 12:27:40 goes within 60 s; nothing speaks against sharing any more: it goes on once that has held for 5m",
            "mon 12:32:40 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn an_unused_machine_goes_to_sleep_until_it_is_used() {
    check(
        "idle = { stop_after = '30m' }\nsuspend = { for = '0s', resume_after = '0s' }",
        &[("mon 12:00:00", &[Use(60)]), ("mon 12:40:00", &[Use(60)]), ("mon 12:45:00", &[])],
        &[
            "mon 12:00:00 runs; 8 cores for sale",
            "mon 12:31:00 stands still; nobody has used this machine for 30m: the policy lets it go to sleep",
            "mon 12:40:10 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn limits_change_with_who_is_there() {
    check(
        "[cpu]\nthrottle_pct = 60\nmax_cores_pct = 50\n[in_use]\nmax_cores_pct = 25\n[idle_limits]\nthrottle_pct = 100\n\
         max_cores_pct = 100",
        &[("mon 12:00:00", &[]), ("mon 12:01:00", &[Use(60)]), ("mon 12:20:00", &[])],
        &[
            "mon 12:00:00 runs; 8 cores for sale",
            "mon 12:01:10 runs at 60 %; 2 cores for sale",
            "mon 12:17:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn rules_set_other_limits_and_the_first_one_counts() {
    check(
        "[cpu]\nmax_cores_pct = 50\n[idle_limits]\nmax_cores_pct = 75\n\
         [[rule]]\nwhen = 'hour >= 22 || day in [sat, sun]'\nset = { 'cpu.max_cores_pct' = 100 }\n\
         [[rule]]\nwhen = 'hour == 21 && !idle'\nset = { cpu.max_cores = 1 }\n\
         [[rule]]\nwhen = 'load > 20'\nset = { 'cpu.throttle_pct' = 30 }",
        &[
            ("fri 20:59:00", &[]),
            ("fri 21:10:00", &[Use(60)]),
            ("fri 21:50:00", &[Load(25)]),
            ("fri 22:05:00", &[]),
        ],
        &[
            "fri 20:59:00 runs; 6 cores for sale",
            "fri 21:10:10 runs; 1 cores for sale",
            "fri 21:26:00 runs; 6 cores for sale",
            "fri 21:50:00 runs at 30 %; 6 cores for sale",
            "fri 22:00:00 runs; 6 cores for sale",
        ],
    );
}

#[test]
fn the_owners_word_counts_at_once() {
    check(
        "suspend = { max = '5m' }",
        &[
            ("mon 12:00:00", &[Pause(Some(120))]),
            ("mon 12:03:00", &[Drain]),
            ("mon 12:04:00", &[Resume]),
            ("mon 12:05:00", &[Pause(None)]),
            ("mon 12:11:00", &[Resume]),
            ("mon 12:12:00", &[]),
        ],
        &[
            "mon 12:00:00 stands still; the owner has paused this node for a time",
            "mon 12:02:00 runs; 8 cores for sale",
            "mon 12:03:00 runs; the node drains: it finishes what runs and takes nothing new",
            "mon 12:04:00 runs; 8 cores for sale",
            "mon 12:05:00 stands still; the owner has paused this node until they resume it",
            "mon 12:10:00 goes within 60 s; the owner has paused this node until they resume it",
            "mon 12:11:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn a_clock_that_leaps_is_only_another_hour() {
    check(
        "[[schedule]]\nhours = '09:00-17:00'",
        &[
            ("mon 12:00:00", &[]),
            ("mon 12:10:00", &[Leap(600)]),
            ("mon 12:11:00", &[Leap(-600)]),
            ("mon 12:17:00", &[Leap(-60 * 24 * 3)]),
            ("mon 12:20:00", &[]),
        ],
        &[
            "mon 12:00:00 runs; 8 cores for sale",
            "mon 12:10:00 runs; the schedule shares nothing until tue at 09:00",
            "mon 12:10:30 stands still; the schedule shares nothing until tue at 09:00",
            "mon 12:11:00 runs; 8 cores for sale",
        ],
    );
}

#[test]
fn nothing_is_sold_right_after_the_start_if_the_policy_says_so() {
    check(
        "start_delay = '2m'",
        &[("mon 12:00:00", &[]), ("mon 12:05:00", &[])],
        &[
            "mon 12:00:00 runs; the node has just started: the policy waits 2m before it sells",
            "mon 12:02:00 runs; 8 cores for sale",
        ],
    );
}

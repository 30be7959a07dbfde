//! Whatever happens to the machine, the governor keeps what the policy promises.

use super::*;
use proptest::prelude::*;
use proto::{Capacity, Time};

/// What the owner orders before a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Nothing,
    Pause,
    Drain,
    Resume,
}

/// One look at the machine, and the answer.
#[derive(Clone, Debug)]
struct Sample {
    order: Order,
    machine: Machine,
    moment: Moment,
    decision: Decision,
}

/// What speaks against work, found without the code that is tested; whether only the schedule does.
fn against(policy: &Policy, sample: &Sample) -> (bool, bool) {
    let Sample { machine, moment, .. } = sample;
    let is_open = policy.schedule.is_empty()
        || policy.schedule.iter().any(|opening| opening.is_open(moment.weekday, moment.minute));
    let battery = machine.battery.unwrap_or(Battery { is_discharging: false, charge_pct: 100, temp_c: None });
    let flaps = machine.other_load_pct > policy.max_other_load_pct
        || battery.is_discharging && !policy.power.on_battery
        || battery.charge_pct < policy.power.min_charge_pct
        || machine.cpu_temp_c.zip(policy.power.max_cpu_temp_c).is_some_and(|(temp, most)| temp > most)
        || machine.swap_used_pct.is_some_and(|used| used > policy.max_swap_pct)
        || machine.disk < policy.disk.min_free
        || !machine.exclusive.is_empty();
    (!is_open || flaps, flaps)
}

const fn is_offer(decision: &Decision) -> bool {
    matches!(decision.sale, Sale::Offer { .. })
}

const fn runs(decision: &Decision) -> bool {
    matches!(decision.work, Work::Run { .. })
}

/// What the answers do that the policy forbids.
fn violation(policy: &Policy, log: &[Sample]) -> Option<&'static str> {
    let suspend = &policy.suspend;
    let has_orders = log.iter().any(|sample| sample.order != Order::Nothing);
    let (mut bad_since, mut calm_since, mut stopped, mut ordered) = (None, None, None, false);
    let mut before: Option<&Sample> = None;
    for sample in log {
        let (now, decision) = (sample.moment.now, &sample.decision);
        let (is_bad, flaps) = against(policy, sample);
        bad_since = is_bad.then(|| bad_since.unwrap_or(now));
        calm_since = (!flaps).then(|| calm_since.unwrap_or(now));
        stopped = (!runs(decision)).then(|| stopped.unwrap_or(now));
        ordered = match sample.order {
            Order::Nothing => ordered,
            Order::Pause | Order::Drain => true,
            Order::Resume => false,
        };
        let has_run = before.is_none_or(|before| runs(&before.decision));
        let was_hot = log.iter().any(|sample| sample.machine.cpu_temp_c.is_some());
        let broken = [
            (is_offer(decision) && is_bad, "sold"),
            (is_offer(decision) && ordered, "ordered"),
            (is_offer(decision) && !runs(decision), "halted"),
            (is_offer(decision) != decision.reasons.is_empty(), "reasons"),
            (
                has_run
                    && !runs(decision)
                    && !has_orders
                    && !was_hot
                    && bad_since.is_none_or(|since| now.since(since) < suspend.hold),
                "grace",
            ),
            (
                !has_run
                    && runs(decision)
                    && !has_orders
                    && calm_since.is_none_or(|since| now.since(since) < suspend.resume_after)
                    && log.iter().take_while(|one| one.moment.now < now).any(|one| against(policy, one).1),
                "early",
            ),
            (
                matches!(decision.work, Work::Vacate { .. })
                    && suspend.keep_in_memory
                    && suspend.max.is_none_or(|max| stopped.is_none_or(|since| now.since(since) < max)),
                "vacated",
            ),
            (
                stopped.is_some_and(|since| suspend.max.is_some_and(|max| now.since(since) >= max))
                    && !matches!(decision.work, Work::Vacate { .. }),
                "kept",
            ),
            (decision.since > now, "future"),
        ];
        if let Some((_, name)) = broken.iter().find(|(is_broken, _)| *is_broken) {
            return Some(name);
        }
        before = Some(sample);
    }
    None
}

/// Runs a governor over what happens: seconds since the last sample, the minute on the wall, and the rest.
fn run(policy: &Policy, steps: &[(u64, Order, u16, Machine)]) -> Vec<Sample> {
    let mut now = Time(1_000_000_000);
    let start = Moment { now, weekday: Weekday::Mon, minute: 0 };
    let mut governor = Governor::new(policy.clone(), start);
    let step = |(seconds, order, minute, machine): &(u64, Order, u16, Machine)| {
        now = now.after(Span::secs(*seconds));
        match order {
            Order::Nothing => {}
            Order::Pause => governor.pause(None),
            Order::Drain => governor.drain(),
            Order::Resume => governor.resume(),
        }
        let weekday = Weekday::ALL[usize::from(*minute) % 7];
        let moment = Moment { now, weekday, minute: *minute };
        let decision = governor.observe(machine, moment);
        Sample { order: *order, machine: machine.clone(), moment, decision }
    };
    steps.iter().map(step).collect()
}

/// A machine with nothing to do.
fn idle() -> Machine {
    Machine {
        cores: 4,
        per_core: Capacity(1_000),
        idle_cores: 4,
        memory_total: Bytes::gib(8),
        memory: Bytes::gib(4),
        disk_total: Bytes::gib(100),
        disk: Bytes::gib(50),
        ..Machine::default()
    }
}

fn busy() -> Machine {
    Machine { other_load_pct: 90, ..idle() }
}

/// A log of a load that comes, stays, and goes.
fn log() -> (Policy, Vec<Sample>) {
    let policy = parse("suspend = { for = '20s', resume_after = '1m', max = '2m' }", "p").unwrap();
    let step = |machine: fn() -> Machine, count: usize| vec![(10, Order::Nothing, 0, machine()); count];
    let steps = [step(idle, 2), step(busy, 20), step(idle, 9)].concat();
    let log = run(&policy, &steps);
    (policy, log)
}

#[test]
fn the_log_of_a_load_is_in_order() {
    let (policy, log) = log();
    assert_eq!(violation(&policy, &log), None);
    let works: Vec<char> = log
        .iter()
        .map(|sample| match sample.decision.work {
            Work::Run { .. } if is_offer(&sample.decision) => 'o',
            Work::Run { .. } => 'r',
            Work::Suspend => 's',
            Work::Vacate { .. } => 'v',
        })
        .collect();
    assert_eq!(works.iter().collect::<String>(), "oorrssssssssssssvvvvvvvvvvvvooo");
}

/// A known bug in the answers, and the invariant that has to see it.
fn check_mutant(expected: &str, change: impl Fn(&Policy, &mut Vec<Sample>)) {
    let (policy, mut log) = log();
    change(&policy, &mut log);
    assert_eq!(violation(&policy, &log), Some(expected));
}

/// Cuts a log after the first sample that `is_end`, which it changes.
fn cut(log: &mut Vec<Sample>, is_end: impl Fn(&Sample) -> bool, change: impl Fn(&mut Decision)) {
    let end = log.iter().position(is_end).unwrap();
    log.truncate(end + 1);
    change(&mut log[end].decision);
}

#[test]
fn a_governor_that_breaks_a_promise_is_caught() {
    let suspended = |sample: &Sample| sample.decision.work == Work::Suspend;
    let is_loaded = |sample: &Sample| sample.machine.other_load_pct > 50;
    let vacated = |sample: &Sample| matches!(sample.decision.work, Work::Vacate { .. });
    let offer = Sale::Offer { cores: 1, memory: Bytes(1), disk: Bytes(1), ask: Rate(1) };
    let run = Work::Run { throttle_pct: 100 };
    check_mutant("sold", |_, log| cut(log, is_loaded, |decision| decision.sale = offer.clone()));
    check_mutant("grace", |_, log| cut(log, is_loaded, |decision| decision.work = Work::Suspend));
    check_mutant("reasons", |_, log| cut(log, is_loaded, |decision| decision.reasons.clear()));
    check_mutant("vacated", |_, log| {
        cut(log, suspended, |decision| decision.work = Work::Vacate { grace: Span(1) });
    });
    check_mutant("kept", |_, log| cut(log, vacated, |decision| decision.work = Work::Suspend));
    check_mutant("early", |_, log| {
        let calm = log.iter().position(|sample| vacated(sample) && !is_loaded(sample)).unwrap();
        log.truncate(calm + 2);
        log[calm + 1].decision.work = run;
    });
    check_mutant("halted", |_, log| {
        let calm = log.iter().position(|sample| vacated(sample) && !is_loaded(sample)).unwrap();
        log.truncate(calm + 1);
        log[calm].decision.sale = offer.clone();
    });
    check_mutant("ordered", |_, log| {
        log.truncate(2);
        log[0].order = Order::Drain;
    });
    check_mutant("future", |_, log| cut(log, is_loaded, |decision| decision.since = Time(u64::MAX)));
}

#[test]
fn the_clock_of_the_node_may_stand_still_or_go_back() {
    let mut governor = Governor::new(
        parse("suspend = { for = '10s' }", "p").unwrap(),
        Moment { now: Time(50_000_000), weekday: Weekday::Mon, minute: 0 },
    );
    let mut at = |seconds: u64, machine: &Machine| {
        let moment = Moment { now: Time(seconds * 1_000_000), weekday: Weekday::Mon, minute: 0 };
        governor.observe(machine, moment).work
    };
    assert_eq!(at(60, &busy()), Work::Run { throttle_pct: 100 });
    assert_eq!(at(60, &busy()), Work::Run { throttle_pct: 100 });
    assert_eq!(at(5, &busy()), Work::Run { throttle_pct: 100 });
    assert_eq!(at(70, &busy()), Work::Suspend);
    assert_eq!(at(5, &idle()), Work::Suspend);
}

#[test]
fn a_sub_task_fits_only_before_the_schedule_ends() {
    let policy = parse("limits.max_run_time = '10h'\n[[schedule]]\nhours = '09:00-17:00'", "p").unwrap();
    let mut governor = Governor::new(policy, Moment { now: Time(0), weekday: Weekday::Mon, minute: 9 * 60 });
    let table = [
        (9 * 60, Some(Span::secs(479 * 60))),
        (16 * 60 + 59, Some(Span(0))),
        (17 * 60, Some(Span(0))),
        (8 * 60, Some(Span(0))),
    ];
    for (minute, left) in table {
        governor.observe(&idle(), Moment { now: Time(0), weekday: Weekday::Mon, minute });
        assert_eq!(governor.window_left(), left, "{minute}");
    }
    governor.observe(&idle(), Moment { now: Time(0), weekday: Weekday::Mon, minute: 15 * 60 });
    for (minutes, fits) in [(60, true), (119, true), (120, false), (11 * 60, false)] {
        assert_eq!(governor.fits(Span::secs(minutes * 60)), fits, "{minutes}");
    }
    governor.set_policy(Policy::default());
    assert_eq!(governor.window_left(), None);
    assert!(governor.fits(Span::secs(24 * 3600)) && !governor.fits(Span::secs(24 * 3600 + 1)));
}

#[test]
fn a_closed_network_sells_nothing_and_stops_nothing() {
    let text = "network = { volume = '1GB per 1d', unmetered_only = true }\n\
                [[schedule]]\nkind = 'network'\nhours = '09:00-17:00'";
    let policy = parse(text, "p").unwrap();
    let table = [
        (600, Machine::default(), Vec::new()),
        (
            540,
            Machine { transferred: Bytes(999_999_999), is_metered: Some(false), ..Machine::default() },
            Vec::new(),
        ),
        (
            480,
            Machine { transferred: Bytes(1_000_000_000), is_metered: Some(true), ..Machine::default() },
            vec![
                "the schedule of the network allows no use of it until mon at 09:00",
                "the network is paid for by volume",
                "the network's volume of 1GB per 24h is used up",
            ],
        ),
    ];
    for (minute, machine, expected) in table {
        let moment = Moment { now: Time(0), weekday: Weekday::Mon, minute };
        let mut governor = Governor::new(policy.clone(), moment);
        let machine = Machine { transferred: machine.transferred, is_metered: machine.is_metered, ..idle() };
        let decision = governor.observe(&machine, moment);
        assert_eq!(decision.reasons, expected);
        assert_eq!((governor.is_network_open(), runs(&decision)), (expected.is_empty(), true));
    }
}

#[test]
fn a_new_policy_counts_from_the_next_look() {
    let moment = Moment { now: Time(0), weekday: Weekday::Mon, minute: 0 };
    let mut governor = Governor::new(Policy::default(), moment);
    assert!(is_offer(&governor.observe(&idle(), moment)));
    governor.set_policy(parse("share.compute = false\nsuspend.for = 0", "p").unwrap());
    let decision = governor.observe(&idle(), moment);
    assert_eq!(decision.reasons, ["the policy shares no compute power"]);
    assert_eq!(decision.work, Work::Suspend);
    governor.set_policy(Policy::default());
    assert!(is_offer(&governor.observe(&idle(), moment)));
}

prop_compose! {
    fn policies()(
        (load, swap, least, charge) in (0..=100_u32, 0..=100_u32, 0..60_u64, 0..=100_u32),
        (hold, calm, max) in (0..60_u64, 0..120_u64, prop::option::of(1..300_u64)),
        (keep, on_battery, has_schedule) in (any::<bool>(), any::<bool>(), any::<bool>()),
        temp in prop::option::of(40..90_u32),
        (start, end) in (0..=1440_u16, 0..=1440_u16),
    ) -> Policy {
        let schedule = Opening { hours: vec![Hours { start, end }], ..Opening::default() };
        Policy {
            max_other_load_pct: load,
            max_swap_pct: swap,
            disk: Disk { min_free: Bytes::gib(least), ..Disk::default() },
            exclusive: ["game".to_owned()].into(),
            power: Power {
                on_battery,
                min_charge_pct: charge,
                max_cpu_temp_c: temp.and_then(|temp| i32::try_from(temp).ok()),
                ..Power::default()
            },
            suspend: Suspend {
                hold: Span::secs(hold),
                resume_after: Span::secs(calm),
                keep_in_memory: keep,
                max: max.map(Span::secs),
                kill_grace: Span::secs(5),
            },
            schedule: if has_schedule { vec![schedule] } else { Vec::new() },
            ..Policy::default()
        }
    }
}

prop_compose! {
    fn machines()(
        (load, swap, disk) in (0..=100_u32, prop::option::of(0..=100_u32), 0..100_u64),
        battery in prop::option::of((any::<bool>(), 0..=100_u32)),
        temp in prop::option::of(30..100_i32),
        game in prop::bool::weighted(0.1),
        idle_cores in 0..=4_u32,
    ) -> Machine {
        Machine {
            other_load_pct: load,
            swap_used_pct: swap,
            disk: Bytes::gib(disk),
            battery: battery.map(|(is_discharging, charge_pct)| Battery { is_discharging, charge_pct, temp_c: None }),
            cpu_temp_c: temp,
            exclusive: game.then(|| "game".to_owned()).into_iter().collect(),
            idle_cores,
            ..idle()
        }
    }
}

/// Mostly a machine with nothing to do, so that work goes on now and then.
fn steps(orders: bool) -> impl Strategy<Value = Vec<(u64, Order, u16, Machine)>> {
    let machine = prop_oneof![2 => Just(idle()), 1 => machines()];
    let order = prop_oneof![
        6 => Just(Order::Nothing), 1 => Just(Order::Pause), 1 => Just(Order::Drain), 2 => Just(Order::Resume)
    ];
    let step = (0..40_u64, order, 0..1440_u16, machine);
    let step = step.prop_map(move |(seconds, order, minute, machine)| {
        (seconds, if orders { order } else { Order::Nothing }, minute, machine)
    });
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_policy_is_kept_whatever_happens(policy in policies(), steps in steps(false)) {
        let log = run(&policy, &steps);
        prop_assert_eq!(violation(&policy, &log), None);
    }

    #[test]
    fn the_policy_is_kept_whatever_the_owner_orders(policy in policies(), steps in steps(true)) {
        let log = run(&policy, &steps);
        prop_assert_eq!(violation(&policy, &log), None);
    }

    #[test]
    fn a_load_suspends_at_most_once_in_grace_and_calm_together(
        (hold, calm) in (1..60_u64, 1..120_u64),
        loads in prop::collection::vec((1..20_u64, any::<bool>()), 1..200),
    ) {
        let policy = Policy {
            suspend: Suspend { hold: Span::secs(hold), resume_after: Span::secs(calm), max: None, ..Suspend::default() },
            ..Policy::default()
        };
        let steps: Vec<_> = loads
            .iter()
            .map(|(seconds, is_busy)| (*seconds, Order::Nothing, 0, if *is_busy { busy() } else { idle() }))
            .collect();
        let log = run(&policy, &steps);
        let starts = log.windows(2).filter(|pair| runs(&pair[0].decision) && !runs(&pair[1].decision)).count();
        let lasted = log.last().unwrap().moment.now.since(log[0].moment.now);
        let most = 1 + lasted.0 / Span::secs(hold + calm).0;
        prop_assert!(u64::try_from(starts).unwrap() <= most, "{} {}", starts, most);
    }

    #[test]
    fn any_machine_is_answered(
        numbers in prop::collection::vec(any::<u64>(), 8),
        small in prop::collection::vec(any::<u32>(), 6),
        (temp, time, minute) in (any::<i32>(), any::<u64>(), any::<u16>()),
    ) {
        let machine = Machine {
            cores: small[0],
            per_core: Capacity(numbers[0]),
            idle_cores: small[1],
            other_load_pct: small[2],
            memory_total: Bytes(numbers[1]),
            memory: Bytes(numbers[2]),
            swap_used_pct: Some(small[3]),
            disk_total: Bytes(numbers[3]),
            disk: Bytes(numbers[4]),
            untouched: Some(Span(numbers[5])),
            battery: Some(Battery { is_discharging: true, charge_pct: small[4], temp_c: Some(temp) }),
            cpu_temp_c: Some(temp),
            exclusive: ["game".to_owned()].into(),
            transferred: Bytes(numbers[6]),
            is_metered: Some(true),
        };
        let text = "market.marginal_cost = 'auto'\nexclusive.programs = ['game']\n[power]\nmax_cpu_temp_c = 50\n\
                    [[schedule]]\nhours = '10:00-09:00'\n[[rule]]\nwhen = 'load > 3'\nset = { cpu.max_cores_pct = 7 }";
        let policy = parse(text, "p").unwrap();
        let moment = |now: u64| Moment { now: Time(now), weekday: Weekday::Sun, minute };
        let mut governor = Governor::new(policy.clone(), moment(time));
        governor.pause(Some(Time(numbers[7])));
        for now in [time, 0, u64::MAX] {
            let decision = governor.observe(&machine, moment(now));
            prop_assert!(!decision.reasons.is_empty());
            prop_assert!(governor.explain().lines().len() > 2);
        }
        prop_assert!(policy.explain_at(&machine, Weekday::Sun, minute).lines().len() > 2);
    }
}

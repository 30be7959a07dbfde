//! What is sold when.

use super::*;
use Weekday::{Fri, Mon, Sat, Sun, Thu};
use proptest::prelude::*;
use proto::Capacity;
use std::collections::BTreeSet;

/// Eight cores, six of them idle, a quarter of the processor used by others, 8 GiB and 100 GiB free.
const MACHINE: Machine = Machine {
    cores: 8,
    per_core: Capacity(1000),
    idle_cores: 6,
    other_load_pct: 25,
    memory: Bytes::gib(8),
    disk: Bytes::gib(100),
    memory_total: Bytes::gib(16),
    swap_used_pct: None,
    disk_total: Bytes::gib(500),
    untouched: None,
    battery: None,
    cpu_temp_c: None,
    exclusive: BTreeSet::new(),
    transferred: Bytes(0),
    is_metered: None,
};

fn offer(cores: u32, memory: Bytes, disk: Bytes, ask: u64) -> Sale {
    Sale::Offer { cores, memory, disk, ask: Rate(ask) }
}

fn nothing(why: &str) -> Sale {
    Sale::Nothing { why: why.into() }
}

fn check(cases: &[(&str, Machine, Sale)]) {
    for (text, machine, expected) in cases {
        let policy = parse(text, "p").unwrap();
        assert_eq!(&policy.sale(machine, Mon, 600), expected, "{text} {machine:?}");
    }
}

#[test]
fn the_default_sells_what_is_idle_and_half_of_the_memory() {
    let gib = Bytes::gib;
    check(&[
        ("", MACHINE, offer(6, gib(4), gib(10), 200_000)),
        ("", Machine { idle_cores: 9, ..MACHINE }, offer(8, gib(4), gib(10), 200_000)),
        ("", Machine { disk: Bytes(7), ..MACHINE }, offer(6, gib(4), Bytes(7), 200_000)),
        ("", Machine { memory: Bytes(3), ..MACHINE }, offer(6, Bytes(1), gib(10), 200_000)),
        ("", Machine { memory: Bytes(u64::MAX), ..MACHINE }, offer(6, Bytes(u64::MAX / 2), gib(10), 200_000)),
    ]);
}

#[test]
fn limits_take_the_smaller_of_what_is_allowed_and_what_is_there() {
    let sold = |cores| offer(cores, Bytes::gib(4), Bytes::gib(10), 200_000);
    check(&[
        ("cpu.max_cores = 2", MACHINE, sold(2)),
        ("cpu.max_cores = 99", MACHINE, sold(6)),
        ("cpu.max_cores_pct = 50", MACHINE, sold(4)),
        ("cpu.max_cores_pct = 49", MACHINE, sold(3)),
        ("cpu.max_cores_pct = 1", MACHINE, sold(1)),
        ("cpu = {max_cores = 3, max_cores_pct = 50}", MACHINE, sold(3)),
        ("cpu = {max_cores = 5, max_cores_pct = 50}", MACHINE, sold(4)),
        ("cpu.max_cores_pct = 50", Machine { idle_cores: 2, ..MACHINE }, sold(2)),
        ("memory.max_pct = 100", MACHINE, offer(6, Bytes::gib(8), Bytes::gib(10), 200_000)),
        ("disk.max_size = '1TiB'", MACHINE, offer(6, Bytes::gib(4), Bytes::gib(100), 200_000)),
    ]);
}

#[test]
fn the_ask_is_the_marginal_cost_but_not_less_than_the_least_price() {
    let at = |ask| offer(6, Bytes::gib(4), Bytes::gib(10), ask);
    check(&[
        ("market.marginal_cost = 0.000001", MACHINE, at(1)),
        ("market.min_price = 0.3", MACHINE, at(300_000)),
        ("market = {marginal_cost = 2, min_price = 1}", MACHINE, at(2_000_000)),
    ]);
}

#[test]
fn nothing_is_sold_for_a_reason() {
    let busy = Machine { idle_cores: 0, ..MACHINE };
    check(&[
        ("share.compute = false", MACHINE, nothing("the policy shares no compute power")),
        (
            "",
            Machine { other_load_pct: 63, ..MACHINE },
            nothing("other programs use 63 % of the processor, the policy allows sharing up to 50 %"),
        ),
        ("", Machine { other_load_pct: 50, ..MACHINE }, offer(6, Bytes::gib(4), Bytes::gib(10), 200_000)),
        (
            "cpu.max_other_load_pct = 0",
            Machine { other_load_pct: 1, ..MACHINE },
            nothing("other programs use 1 % of the processor, the policy allows sharing up to 0 %"),
        ),
        ("", busy, nothing("no core of this machine is idle")),
        (
            "cpu.assume_idle = true",
            Machine { cores: 0, ..MACHINE },
            nothing("no core of this machine is idle"),
        ),
        ("", Machine { memory: Bytes(1), ..MACHINE }, nothing("no memory of this machine is free")),
        ("", Machine { disk: Bytes(0), ..MACHINE }, nothing("no disk space of this machine is free")),
        (
            "",
            Machine { per_core: Capacity(0), ..MACHINE },
            nothing("the compute power of this machine's cores is not known"),
        ),
    ]);
}

#[test]
fn cores_that_are_assumed_idle_are_sold_whatever_the_load() {
    let busy = Machine { idle_cores: 0, other_load_pct: 100, ..MACHINE };
    let sold = |cores| offer(cores, Bytes::gib(4), Bytes::gib(10), 200_000);
    check(&[
        ("cpu.assume_idle = true", busy.clone(), sold(8)),
        ("cpu = {assume_idle = true, max_cores = 2}", busy.clone(), sold(2)),
        ("cpu = {assume_idle = true, max_cores_pct = 25, max_other_load_pct = 0}", busy.clone(), sold(2)),
    ]);
}

/// Whether a schedule is open at each moment.
fn check_schedule(text: &str, cases: &[(Weekday, u16, bool)]) {
    let policy = parse(text, "p").unwrap();
    for (day, minute, is_open) in cases {
        let answer = policy.sale(&MACHINE, *day, *minute);
        if *is_open {
            assert_eq!(answer, offer(6, Bytes::gib(4), Bytes::gib(10), 200_000), "{text} {day} {minute}");
        } else {
            let Sale::Nothing { why } = answer else { panic!("{text} {day} {minute} {answer:?}") };
            assert!(why.starts_with("the schedule shares nothing "), "{why}");
        }
    }
}

#[test]
fn a_schedule_opens_when_any_of_its_entries_does() {
    let office =
        "[[schedule]]\ndays=['mon-fri']\nhours=['00:00-07:00','18:00-24:00']\n[[schedule]]\ndays=['sat']";
    check_schedule(
        office,
        &[
            (Mon, 0, true),
            (Mon, 419, true),
            (Mon, 420, false),
            (Fri, 570, false),
            (Fri, 1079, false),
            (Fri, 1080, true),
            (Fri, 1439, true),
            (Sat, 570, true),
            (Sun, 0, false),
        ],
    );
    assert_eq!(
        parse(office, "p").unwrap().sale(&MACHINE, Fri, 570),
        nothing("the schedule shares nothing until fri at 18:00")
    );
}

#[test]
fn a_night_belongs_to_the_day_that_it_begins_on() {
    check_schedule(
        "[[schedule]]\ndays = 'fri'\nhours = '22:00-07:00'",
        &[
            (Thu, 1400, false),
            (Fri, 0, false),
            (Fri, 1319, false),
            (Fri, 1320, true),
            (Sat, 419, true),
            (Sat, 420, false),
            (Sat, 1320, false),
        ],
    );
    let sunday = "[[schedule]]\ndays = ['sun']\nhours = ['23:00-01:00']";
    check_schedule(sunday, &[(Sun, 1380, true), (Mon, 59, true), (Mon, 60, false), (Sun, 0, false)]);
}

#[test]
fn equal_times_are_the_whole_day_and_from_24_to_0_is_never() {
    for hours in ["00:00-00:00", "08:00-08:00", "24:00-24:00", "00:00-24:00"] {
        let text = format!("[[schedule]]\ndays = ['fri']\nhours = ['{hours}']");
        check_schedule(
            &text,
            &[(Thu, 1439, false), (Fri, 0, true), (Fri, 480, true), (Fri, 1439, true), (Sat, 0, false)],
        );
    }
    check_schedule("[[schedule]]\nhours = ['24:00-00:00']", &[(Fri, 0, false), (Fri, 1439, false)]);
    let never = parse("[[schedule]]\nhours = '24:00-00:00'", "p").unwrap();
    assert_eq!(never.sale(&MACHINE, Fri, 570), nothing("the schedule shares nothing at any time"));
    check_schedule("[[schedule]]", &[(Fri, 0, true), (Sun, 1439, true)]);
    check_schedule("schedule = []", &[(Fri, 0, true), (Sun, 1439, true)]);
}

/// What `sale` gives away that the policy does not allow or the machine does not have.
fn violation(policy: &Policy, machine: &Machine, sale: &Sale) -> Option<&'static str> {
    let Sale::Offer { cores, memory, disk, ask } = sale else { return None };
    let share = (u64::from(machine.cores) * u64::from(policy.max_cores_pct) / 100).max(1);
    let broken = [
        (!policy.share_compute, "shared"),
        (*cores == 0 || *memory == Bytes(0) || *disk == Bytes(0), "empty"),
        (*cores > machine.cores || u64::from(*cores) > share, "cores"),
        (policy.max_cores.is_some_and(|most| *cores > most), "max_cores"),
        (!policy.assume_idle && *cores > machine.idle_cores, "idle"),
        (!policy.assume_idle && machine.other_load_pct > policy.max_other_load_pct, "load"),
        (
            u128::from(memory.0) * 100 > u128::from(machine.memory.0) * u128::from(policy.memory_max_pct),
            "memory",
        ),
        (*disk > machine.disk || *disk > policy.disk_max_size, "disk"),
        (policy.fixed_cost.is_some_and(|cost| *ask < cost) || *ask < policy.min_price, "ask"),
    ];
    broken.iter().find(|(is_broken, _)| *is_broken).map(|(_, name)| *name)
}

#[test]
fn the_checker_sees_every_way_to_sell_too_much() {
    let policy = Policy { max_cores: Some(4), max_cores_pct: 75, ..Policy::default() };
    let gib = Bytes::gib;
    let good = offer(4, gib(4), gib(10), 200_000);
    assert_eq!(policy.sale(&MACHINE, Mon, 0), good);
    assert_eq!(violation(&policy, &MACHINE, &good), None);
    let mutants = [
        (offer(0, gib(4), gib(10), 200_000), "empty"),
        (offer(7, gib(4), gib(10), 200_000), "cores"),
        (offer(5, gib(4), gib(10), 200_000), "max_cores"),
        (offer(4, Bytes(gib(4).0 + 1), gib(10), 200_000), "memory"),
        (offer(4, gib(4), gib(11), 200_000), "disk"),
        (offer(4, gib(4), gib(10), 199_999), "ask"),
    ];
    for (sale, expected) in mutants {
        assert_eq!(violation(&policy, &MACHINE, &sale), Some(expected), "{sale:?}");
    }
    let loaded = Machine { other_load_pct: 51, ..MACHINE };
    assert_eq!(violation(&policy, &loaded, &good), Some("load"));
    assert_eq!(violation(&policy, &Machine { idle_cores: 3, ..MACHINE }, &good), Some("idle"));
    assert_eq!(violation(&Policy { share_compute: false, ..policy }, &MACHINE, &good), Some("shared"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sale_gives_away_more_than_the_policy_allows(
        (max_cores, max_cores_pct, max_other_load_pct) in (prop::option::of(1..20_u32), 1..=100_u32, 0..=100_u32),
        (share_compute, assume_idle, memory_max_pct) in (any::<bool>(), any::<bool>(), 1..=100_u32),
        (cost, price, size) in (1..9_u64, 0..9_u64, 1..1_000_u64),
        (cores, idle_cores, other_load_pct) in (0..20_u32, 0..20_u32, 0..=100_u32),
        (memory, disk) in (prop_oneof![0..1_000_u64, any::<u64>()], prop_oneof![0..1_000_u64, any::<u64>()]),
    ) {
        let policy = Policy {
            share_compute,
            fixed_cost: Some(Rate(cost)),
            min_price: Rate(price),
            max_cores,
            max_cores_pct,
            max_other_load_pct,
            assume_idle,
            memory_max_pct,
            disk_max_size: Bytes(size),
            ..Policy::default()
        };
        let machine = Machine {
            cores, per_core: Capacity(1), idle_cores, other_load_pct, memory: Bytes(memory), disk: Bytes(disk),
            ..MACHINE
        };
        let sale = policy.sale(&machine, Mon, 0);
        prop_assert_eq!(violation(&policy, &machine, &sale), None, "{:?}", sale);
    }
}

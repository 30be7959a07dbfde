//! All sensors together, on whole machines.

use crate::sensor::fake::{Script, Tree};
use crate::sensor::{At, Places, Sense, Sensor, Sensors, Traffic, Wanted};
use proto::{Bytes, Span, Time};
use service::policy::{Battery, Machine, Moment, Weekday};
use std::os::unix::fs::PermissionsExt as _;

fn at(secs: u64) -> At {
    let now = Time(secs * 1_000_000);
    At { moment: Moment { now, weekday: Weekday::Mon, minute: 0 }, wall: now }
}

/// Everything that there is.
fn everything() -> Wanted {
    Wanted {
        horizon: Span::secs(20),
        sensors: Sensor::ALL.into(),
        exclusive: ["steam".to_owned()].into(),
        volume_period: Some(Span::secs(3_600)),
    }
}

fn sensors(tree: &Tree) -> Sensors {
    let places = Places { home: tree.path(""), scratch: tree.path("scratch"), roots: tree.roots() };
    Sensors::new(&places, Traffic::default())
}

const BASE: &[(&str, &str)] = &[
    ("proc/stat", "cpu  0 0 0 0 0 0 0 0\ncpu0 0\n"),
    ("proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 4000 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n"),
];
const IDLE: (&str, &str) = ("proc/stat", "cpu  0 0 0 1000 0 0 0 0\ncpu0 0\n");

/// The machine of these files, with what differs from one of which only load and memory are known.
fn check(name: &str, files: &[(&str, &str)], expected: &Machine) {
    let tree = Tree::new();
    for (name, content) in BASE {
        tree.write(name, content);
    }
    let mut sensors = sensors(&tree);
    for (name, content) in files {
        tree.write(name, content);
    }
    let found = sensors.look(&everything(), &at(1_000));
    // The disk is this machine's, whatever the files say.
    let expected = Machine {
        cores: found.cores,
        idle_cores: expected.idle_cores.min(found.cores),
        disk: found.disk,
        disk_total: found.disk_total,
        ..expected.clone()
    };
    assert_eq!(found, expected, "{name}");
    assert!(found.disk_total > Bytes(0) && found.cores > 0, "{name}");
}

fn plain() -> Machine {
    Machine {
        idle_cores: 1,
        memory_total: Bytes(8_000 << 10),
        memory: Bytes(4_000 << 10),
        swap_used_pct: Some(50),
        ..Machine::default()
    }
}

#[test]
fn machines_are_seen_as_they_are() {
    const BATTERY: &str = "sys/class/power_supply/BAT0";
    let battery = [format!("{BATTERY}/type"), format!("{BATTERY}/status"), format!("{BATTERY}/capacity")];
    let laptop = [
        IDLE,
        (&battery[0], "Battery\n"),
        (&battery[1], "Discharging\n"),
        (&battery[2], "42\n"),
        ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
        ("sys/class/thermal/thermal_zone0/temp", "45000\n"),
        ("proc/interrupts", "1: 5 i8042\n"),
    ];
    let on_battery = Battery { is_discharging: true, charge_pct: 42, temp_c: None };
    check(
        "a laptop on its battery",
        &laptop,
        &Machine { battery: Some(on_battery), cpu_temp_c: Some(45), untouched: Some(Span(0)), ..plain() },
    );
    check("a desktop without a battery", &[IDLE], &plain());
    let gaming = [
        ("proc/stat", "cpu  900 0 0 100 0 0 0 0\ncpu0 0\n"),
        ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "97000\n"),
        ("proc/77/comm", "steam\n"),
        ("proc/77/stat", "77 (steam) S 1"),
    ];
    let exclusive = ["steam".to_owned()].into();
    check(
        "a hot machine that plays",
        &gaming,
        &Machine { idle_cores: 0, other_load_pct: 90, cpu_temp_c: Some(97), exclusive, ..plain() },
    );
}

#[test]
fn garbage_and_missing_files_are_nothing_known() {
    let unknown = Machine { idle_cores: 0, other_load_pct: 100, ..Machine::default() };
    let huge = "9".repeat(2 << 20);
    for garbage in ["", "\n", "\0\0\0", "-1", "99999999999999999999999", "cpu  cpu0 : kB ) (", &huge] {
        let files = [
            ("proc/stat", garbage),
            ("proc/meminfo", garbage),
            ("proc/self/stat", garbage),
            ("proc/self/status", garbage),
            ("proc/self/cgroup", garbage),
            ("proc/self/task/1/children", garbage),
            ("proc/interrupts", garbage),
            ("proc/5/comm", garbage),
            ("proc/5/stat", garbage),
            ("sys/class/power_supply/BAT0/type", garbage),
            ("sys/class/power_supply/BAT1/type", "Battery"),
            ("sys/class/power_supply/BAT1/capacity", garbage),
            ("sys/class/thermal/thermal_zone0/type", "cpu"),
            ("sys/class/thermal/thermal_zone0/temp", garbage),
            ("sys/class/hwmon/hwmon0/name", garbage),
            ("sys/bus/usb/devices/1-1:1.0/bInterfaceClass", garbage),
            ("run/dbus/system_bus_socket", garbage),
            ("dev/ttyx", garbage),
            ("habit", garbage),
            ("volume", garbage),
        ];
        // A temperature of -1 thousandth is one.
        let cpu_temp_c = (garbage == "-1").then_some(-1);
        check(&format!("{garbage:.40?}"), &files, &Machine { cpu_temp_c, ..unknown.clone() });
    }
    let nothing = Tree::new();
    let found = sensors(&nothing).look(&everything(), &at(1_000));
    let (cores, disk, disk_total) = (found.cores, found.disk, found.disk_total);
    assert_eq!(found, Machine { cores, disk, disk_total, ..unknown });
}

#[test]
fn files_that_may_not_be_read_are_nothing_known() {
    let tree = Tree::new();
    let files = [
        "proc/stat",
        "proc/meminfo",
        "proc/interrupts",
        "proc/5/comm",
        "sys/class/power_supply/BAT0/type",
        "sys/class/thermal/thermal_zone0/type",
    ];
    for name in files {
        tree.write(name, "steam");
        // Root may read everything: then the file is a directory, which nobody may read as a file.
        let path = tree.path(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).unwrap();
        if std::fs::read(&path).is_ok() {
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir(&path).unwrap();
        }
        assert!(std::fs::read(&path).is_err());
    }
    let found = sensors(&tree).look(&everything(), &at(1_000));
    let (cores, disk, disk_total) = (found.cores, found.disk, found.disk_total);
    let expected = Machine { cores, disk, disk_total, other_load_pct: 100, ..Machine::default() };
    assert_eq!(found, expected);
}

#[test]
fn dear_sensors_are_read_every_five_seconds_and_only_when_they_are_wanted() {
    let tree = Tree::new();
    tree.write("sys/class/thermal/z/type", "cpu").write("sys/class/thermal/z/temp", "1000");
    tree.write("dev/tty1", "");
    let mut sensors = sensors(&tree);
    let none = Wanted::default();
    for (secs, temp, wanted, expected) in [
        (100, "10000", everything(), Some(10)),
        (104, "90000", everything(), Some(10)),
        (105, "90000", everything(), Some(90)),
        (106, "20000", none.clone(), None),
        (107, "30000", everything(), Some(30)),
    ] {
        tree.write("sys/class/thermal/z/temp", temp);
        let found = sensors.look(&wanted, &at(secs));
        assert_eq!(found.cpu_temp_c, expected, "{secs} s");
        assert_eq!(found.untouched.is_some(), wanted != none, "{secs} s");
    }
}

#[test]
fn traffic_is_counted_whoever_counts_it() {
    let tree = Tree::new();
    let places = Places { home: tree.path(""), scratch: tree.path("scratch"), roots: tree.roots() };
    let traffic = Traffic::default();
    let counter = traffic.clone();
    let mut sensors = Sensors::new(&places, traffic);
    for (secs, bytes, expected) in [(0, 0, 0), (1, 100, 100), (1_800, 7, 107), (3_601, 0, 7), (9_000, 0, 0)] {
        counter.add(Bytes(bytes));
        assert_eq!(sensors.look(&everything(), &at(secs)).transferred, Bytes(expected), "{secs} s");
    }
    let unlimited = Wanted { volume_period: None, ..everything() };
    counter.add(Bytes(5));
    assert_eq!(sensors.look(&unlimited, &at(9_001)).transferred, Bytes(0));
    assert_eq!(sensors.look(&everything(), &at(9_002)).transferred, Bytes(5));
}

#[test]
fn this_machine_can_be_observed() {
    let tree = Tree::new();
    let roots = crate::sensor::Roots::of_machine();
    let places = Places { home: tree.path(""), scratch: tree.path(""), roots };
    let mut sensors = Sensors::new(&places, Traffic::default());
    let machine = sensors.look(&everything(), &at(1_000));
    assert!(machine.memory > Bytes::mib(1) && machine.memory <= machine.memory_total, "{machine:?}");
    assert!(machine.disk <= machine.disk_total && machine.disk_total > Bytes(0), "{machine:?}");
    assert!(machine.idle_cores <= machine.cores && machine.other_load_pct <= 100, "{machine:?}");
}

#[test]
fn a_scripted_day_is_played_in_order_and_its_end_stays() {
    let machine = |cores| Machine { cores, ..Machine::default() };
    let mut script = Script::new([(2, machine(1)), (0, machine(2)), (1, machine(3))]);
    let seen: Vec<_> = (0..5).map(|second| script.look(&Wanted::default(), &at(second)).cores).collect();
    assert_eq!(seen, [1, 1, 3, 3, 3]);
}

//! Battery, temperature, exclusive programs and idleness, each on files of its own.

use crate::sensor::bus::Bus;
use crate::sensor::fake::Tree;
use crate::sensor::idleness::Idleness;
use crate::sensor::temperature::Thermometer;
use crate::sensor::{At, Sensor, exclusive, power};
use proto::{Span, Time};
use service::policy::{Battery, Moment, Weekday};
use std::collections::BTreeSet;
use std::fs::{File, FileTimes};
use std::time::{Duration, UNIX_EPOCH};

/// Files as `directory/file=content`, below a root.
fn tree(root: &str, files: &[&str]) -> Tree {
    let tree = Tree::new();
    for file in files {
        let (name, content) = file.split_once('=').unwrap();
        tree.write(&format!("{root}/{name}"), format!("{content}\n"));
    }
    tree
}

#[test]
fn a_battery_is_seen_with_its_mains() {
    fn check(files: &[&str], expected: Option<(bool, u32, Option<i32>)>) {
        let found = power::look(&tree("sys/class/power_supply", files).roots());
        let expected = expected.map(|(is_discharging, charge_pct, temp_c)| Battery {
            is_discharging,
            charge_pct,
            temp_c,
        });
        assert_eq!(found, expected, "{files:?}");
    }
    const CELL: &str = "BAT0/type=Battery";
    for (files, expected) in [
        (&[][..], None),
        // A desktop.
        (&["AC/type=Mains", "AC/online=1"], None),
        // A laptop.
        (&[CELL, "BAT0/status=Discharging", "BAT0/capacity=57", "BAT0/temp=314"], Some((true, 57, Some(31)))),
        (&[CELL, "BAT0/status=Charging", "BAT0/capacity=57"], Some((false, 57, None))),
        (&[CELL, "BAT0/status=Not charging", "BAT0/capacity=100"], Some((false, 100, None))),
        // Its mains are too weak, or one battery feeds the other: still the mains.
        (
            &[CELL, "BAT0/status=Discharging", "BAT0/capacity=9", "AC/type=Mains", "AC/online=1"],
            Some((false, 9, None)),
        ),
        (
            &[CELL, "BAT0/status=Discharging", "BAT0/capacity=9", "C/type=USB", "C/online=0"],
            Some((true, 9, None)),
        ),
        // It does not say what it does: the mains do.
        (
            &[CELL, "BAT0/status=Unknown", "BAT0/capacity=9", "AC/type=Mains", "AC/online=0"],
            Some((true, 9, None)),
        ),
        (&[CELL, "BAT0/capacity=9"], Some((false, 9, None))),
        // No capacity, but amounts.
        (&[CELL, "BAT0/energy_now=30", "BAT0/energy_full=40"], Some((false, 75, None))),
        (&[CELL, "BAT0/charge_now=90", "BAT0/charge_full=40"], Some((false, 100, None))),
        (&[CELL, "BAT0/charge_now=90", "BAT0/charge_full=0"], None),
        // Two of them: one empty, and three times as large a full one.
        (
            &[
                CELL,
                "BAT0/capacity=0",
                "BAT0/energy_full=10",
                "BAT0/status=Discharging",
                "BAT1/type=Battery",
                "BAT1/capacity=100",
                "BAT1/energy_full=30",
                "BAT1/temp=-50",
            ],
            Some((true, 75, Some(-5))),
        ),
        (&[CELL, "BAT0/capacity=0", "BAT1/type=Battery", "BAT1/capacity=100"], Some((false, 50, None))),
        // Not this machine's, not there, and garbage.
        (&["m/type=Battery", "m/scope=Device", "m/capacity=50"], None),
        (&[CELL, "BAT0/present=0", "BAT0/capacity=50"], None),
        (&["U/type=UPS", "U/status=Discharging", "U/capacity=80"], Some((true, 80, None))),
        (&[CELL, "BAT0/capacity=full", "BAT0/status="], None),
        (&[CELL, "BAT0/capacity=300", "BAT0/temp=99999"], Some((false, 100, None))),
        (&[CELL, "BAT0/capacity=-1"], None),
    ] {
        check(files, expected);
    }
}

#[test]
fn the_hottest_sensor_of_the_processor_counts() {
    fn check(files: &[&str], expected: Option<i32>) {
        let tree = tree("sys/class", files);
        assert_eq!(Thermometer::default().look(&tree.roots(), Time(0)), expected, "{files:?}");
    }
    const ZONE: &str = "thermal/thermal_zone0/type=x86_pkg_temp";
    const CHIP: &str = "hwmon/hwmon1/name=k10temp";
    for (files, expected) in [
        (&[][..], None),
        (&[ZONE, "thermal/thermal_zone0/temp=81999"], Some(81)),
        (&[ZONE, "thermal/thermal_zone0/temp=-1"], Some(-1)),
        (&["thermal/thermal_zone0/type=acpitz", "thermal/thermal_zone0/temp=27800"], None),
        (&["thermal/thermal_zone0/type=cpu-thermal", "thermal/thermal_zone0/temp=50000"], Some(50)),
        (&["hwmon/hwmon0/name=nvme", "hwmon/hwmon0/temp1_input=90000"], None),
        (
            &[
                "hwmon/hwmon0/name=coretemp",
                "hwmon/hwmon0/temp1_input=60000",
                "hwmon/hwmon0/temp12_input=62000",
            ],
            Some(62),
        ),
        (&[ZONE, "thermal/thermal_zone0/temp=70000", CHIP, "hwmon/hwmon1/temp1_input=60000"], Some(70)),
        // Tctl is 27 °C too high.
        (
            &[
                CHIP,
                "hwmon/hwmon1/temp1_input=87000",
                "hwmon/hwmon1/temp1_label=Tctl",
                "hwmon/hwmon1/temp2_input=60000",
                "hwmon/hwmon1/temp2_label=Tdie",
            ],
            Some(60),
        ),
        (&[CHIP, "hwmon/hwmon1/temp1_input=87000", "hwmon/hwmon1/temp1_label=Tctl"], Some(87)),
        (&[CHIP, "hwmon/hwmon1/temp1_crit=90000", "hwmon/hwmon1/temp_input=90000"], None),
        (&[ZONE, "thermal/thermal_zone0/temp=hot"], None),
        (&[ZONE, "thermal/thermal_zone0/temp=200000"], None),
        (&[ZONE, "thermal/thermal_zone0/temp=-274000"], None),
    ] {
        check(files, expected);
    }
}

#[test]
fn a_thermometer_that_was_found_is_read_again_and_again() {
    let tree = tree("sys/class/thermal/z", &["type=cpu", "temp=50000"]);
    let mut thermometer = Thermometer::default();
    for (secs, temp, expected) in
        [(0, "50000", Some(50)), (5, "90000", Some(90)), (10, "", None), (15, "1000", Some(1))]
    {
        tree.write("sys/class/thermal/z/temp", temp);
        assert_eq!(thermometer.look(&tree.roots(), Time(secs * 1_000_000)), expected, "{secs} s");
    }
}

#[test]
fn exclusive_programs_are_known_by_name_or_file() {
    fn check(names: &[&str], expected: &[&str]) {
        let tree = Tree::new();
        for (process, comm, program, state) in [
            ("1", "init", "/sbin/init", "S"),
            ("20", "steam", "/usr/bin/steam.sh", "S"),
            ("21", "MainThread", "/usr/bin/blender (deleted)", "R"),
            ("22", "a-very-long-nam", "", "S"),
            ("23", "zoom", "/opt/zoom", "Z"),
            ("24", "odd) R (name", "/x/\u{fc}", "S"),
            ("net", "obs", "/usr/bin/obs", "S"),
        ] {
            tree.write(&format!("proc/{process}/comm"), format!("{comm}\n"));
            tree.write(&format!("proc/{process}/stat"), format!("{process} ({comm}) {state} 1 1"));
            std::os::unix::fs::symlink(program, tree.path(&format!("proc/{process}/exe"))).ok();
        }
        tree.write("proc/99/garbage", "");
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(exclusive::look(&tree.roots(), &set(names)), set(expected), "{names:?}");
    }
    for (names, expected) in [
        (&[][..], &[][..]),
        (&["steam"], &["steam"]),
        (&["steam.sh", "blender", "init"], &["steam.sh", "blender", "init"]),
        (&["a-very-long-name-that-the-kernel-cuts"], &["a-very-long-name-that-the-kernel-cuts"]),
        // The kernel's name is not cut, so it is another program.
        (&["a-very-long"], &[]),
        (&["Steam", "stea", "steam2", ""], &[]),
        // It has ended, and nobody has waited for it.
        (&["zoom"], &[]),
        (&["odd) R (name", "\u{fc}"], &["odd) R (name"]),
        (&["obs"], &[]),
    ] {
        check(names, expected);
    }
}

/// What the idleness sources say at the end of a script: files with their content, and the seconds between looks.
fn check_idleness(wanted: &[Sensor], script: &[(u64, &[&str])], expected: Option<u64>) {
    let tree = Tree::new();
    let (roots, mut idleness) = (tree.roots(), Idleness::default());
    let mut bus = Bus::new(&roots);
    let wanted: BTreeSet<_> = wanted.iter().copied().collect();
    let mut found = None;
    for (secs, files) in script {
        for file in *files {
            let (name, content) = file.split_once('=').unwrap();
            tree.write(name, content);
            if let Some(accessed) = content.strip_prefix("read at ") {
                let when = UNIX_EPOCH + Duration::from_secs(accessed.parse().unwrap());
                File::open(tree.path(name)).unwrap().set_times(FileTimes::new().set_accessed(when)).unwrap();
            }
        }
        let now = Time(secs * 1_000_000);
        let at = At { moment: Moment { now, weekday: Weekday::Mon, minute: 0 }, wall: now };
        found = idleness.look(&roots, &mut bus, &wanted, &at);
    }
    assert_eq!(found, expected.map(Span::secs), "{wanted:?} {script:?}");
}

#[test]
fn the_last_touch_that_any_source_has_seen_counts() {
    use Sensor::{Battery, Input, Logind, Tty};
    const IRQ: &str =
        "proc/interrupts=     CPU0 CPU1\n  1:  9 1  IO-APIC  1-edge  i8042\n  8: 3 3 rtc0\n NMI: 5 5 x\n";
    const MOVED: &str = "proc/interrupts=     CPU0 CPU1\n  1:  9 2  IO-APIC  1-edge  i8042\n  8: 3 3 rtc0\n";
    const OTHER: &str = "proc/interrupts=     CPU0 CPU1\n  1:  9 1  IO-APIC  1-edge  i8042\n  8: 9 3 rtc0\n";
    const USB: &[&str] = &[
        "sys/bus/usb/devices/1-2:1.0/bInterfaceClass=03\n",
        "sys/bus/usb/devices/1-2/urbnum=100",
        "sys/bus/usb/devices/1-3:1.0/bInterfaceClass=08\n",
        "sys/bus/usb/devices/1-3/urbnum=500",
    ];
    for (wanted, script, expected) in [
        // Nobody knows, or nobody is asked.
        (&[Logind, Tty, Input][..], &[(1_000, &[][..])][..], None),
        (&[], &[(1_000, &["dev/tty1=read at 900"])], None),
        (&[Battery], &[(1_000, &["dev/tty1=read at 900"])], None),
        // Terminals: the one that was read last, consoles and remote ones only.
        (
            &[Tty],
            &[(1_000, &["dev/tty1=read at 900", "dev/tty2=read at 400", "dev/tty=read at 999"])],
            Some(100),
        ),
        (
            &[Tty],
            &[(1_000, &["dev/tty1=read at 900", "dev/pts/0=read at 950", "dev/pts/ptmx=read at 999"])],
            Some(50),
        ),
        (&[Tty], &[(1_000, &["dev/ttyS0=read at 990"])], None),
        (&[Tty], &[(1_000, &["dev/tty1=read at 2000"])], Some(0)),
        // Interrupts: since the first look at most, and again from when they move.
        (&[Input], &[(1_000, &[IRQ])], Some(0)),
        (&[Input], &[(1_000, &[IRQ]), (1_500, &[])], Some(500)),
        (&[Input], &[(1_000, &[IRQ]), (1_500, &[MOVED]), (1_600, &[])], Some(100)),
        (&[Input], &[(1_000, &[IRQ]), (1_500, &[OTHER]), (1_600, &[])], Some(600)),
        (&[Input], &[(1_000, &[IRQ]), (1_500, &["proc/interrupts=garbage: i8042"]), (1_600, &[])], Some(100)),
        (&[Input], &[(1_000, &["proc/interrupts= 8: 3 3 rtc0\n"])], None),
        // USB: transfers of keyboards and mice, not of disks.
        (&[Input], &[(1_000, USB), (1_500, &["sys/bus/usb/devices/1-3/urbnum=900"])], Some(500)),
        (&[Input], &[(1_000, USB), (1_500, &["sys/bus/usb/devices/1-2/urbnum=101"])], Some(0)),
        (&[Input], &[(1_000, USB), (1_500, &["sys/bus/usb/devices/1-2/urbnum=many"])], None),
        // The later of two sources.
        (&[Tty, Input], &[(1_000, &[IRQ, "dev/tty1=read at 900"]), (1_500, &[])], Some(500)),
        (&[Tty, Input], &[(1_000, &[IRQ]), (1_500, &["dev/tty1=read at 1400"])], Some(100)),
    ] {
        check_idleness(wanted, script, expected);
    }
}

//! What looking at the machine costs: `cargo bench --bench sensors`.
//!
//! The node looks once a second. Looks in a row, with a clock that moves a second for each, tell what every sensor
//! costs; looks at the real period tell what it comes to on a machine that has other things in its caches.

use crate::sensor::{At, Places, Roots, Sense as _, Sensor, Sensors, Traffic, Wanted};
use proto::{Span, Time};
use rustix::time::{ClockId, clock_gettime};
use service::policy::{Moment, Weekday};
use std::io::Write as _;
use std::time::Duration;

/// Seconds that are played.
const LOOKS: u32 = 3_000;
/// Looks at the real period.
const REAL: u32 = 60;
const PERIOD: Duration = Duration::from_secs(1);
/// What an idle node may use with everything that it does, in per cent of a core.
const LIMIT: f64 = 0.3;

/// Measures everything and prints it.
pub(crate) fn run() -> std::io::Result<()> {
    let nothing = Wanted { horizon: Span::secs(20), ..Wanted::default() };
    let exclusive = ["steam", "blender", "a-program-with-a-long-name"].map(str::to_owned);
    let programs = Wanted { exclusive: exclusive.into(), ..nothing.clone() };
    let volume = Wanted { volume_period: Some(Span::secs(30 * 86_400)), ..nothing.clone() };
    let everything =
        Wanted { sensors: Sensor::ALL.into(), exclusive: programs.exclusive.clone(), ..volume.clone() };
    say(&format!("{} processes; per look, and as a share of one core at one look a second", processes()))?;
    let least = measure("load, memory, disk", &nothing, Pace::InARow, 0.0)?;
    for sensor in Sensor::ALL {
        let wanted = Wanted { sensors: [sensor].into(), ..nothing.clone() };
        measure(&format!("+ {sensor:?}"), &wanted, Pace::InARow, least)?;
    }
    measure("+ exclusive programs", &programs, Pace::InARow, least)?;
    measure("+ volume", &volume, Pace::InARow, least)?;
    measure("everything", &everything, Pace::InARow, 0.0)?;
    measure("load, memory, disk, at the real period", &nothing, Pace::Real, 0.0)?;
    measure("everything, at the real period", &everything, Pace::Real, 0.0)?;
    Ok(())
}

/// How looks follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    InARow,
    Real,
}

/// Looks often, and prints the processor time of a look beyond `less`, in µs; gives all of it.
fn measure(name: &str, wanted: &Wanted, pace: Pace, less: f64) -> std::io::Result<f64> {
    let home = tempfile::tempdir()?;
    let scratch = home.path().join("scratch");
    let places = Places { home: home.path().to_path_buf(), scratch, roots: Roots::of_machine() };
    let mut sensors = Sensors::new(&places, Traffic::default());
    let looks = if pace == Pace::Real { REAL } else { LOOKS };
    let mut took = Duration::ZERO;
    for second in 0..looks {
        if pace == Pace::Real {
            std::thread::sleep(PERIOD);
        }
        let now = Time(0).after(Span::secs(u64::from(second) + 1_000_000));
        let minute = u16::try_from(second / 60 % 1_440).unwrap_or(0);
        let at = At { moment: Moment { now, weekday: Weekday::Mon, minute }, wall: now };
        let before = used();
        let machine = sensors.look(wanted, &at);
        took += used().saturating_sub(before);
        std::hint::black_box(machine);
    }
    let micros = took.as_secs_f64() * 1e6 / f64::from(looks);
    let beyond = (micros - less).max(0.0);
    let percent = beyond / PERIOD.as_secs_f64() / 1e6 * 100.0;
    say(&format!("{name:40} {beyond:8.1} µs {percent:8.4} % {:8.4} of the limit", percent / LIMIT))?;
    Ok(micros)
}

/// The processor time of this thread.
fn used() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

fn processes() -> usize {
    let is_process =
        |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
    std::fs::read_dir("/proc").map_or(0, |entries| entries.flatten().filter(is_process).count())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

//! The speed of a core, measured once and remembered.

use crate::exec::{COST_MODEL, Engine};
use proto::{Capacity, Span};
use std::io::Write;
use std::path::Path;
use sysinfo::{CpuRefreshKind, RefreshKind, System};
use tempfile::NamedTempFile;

/// How long a measurement takes.
const TIME: Span = Span::millis(800);

/// What a core of this machine executes: from the file at `path` if it was measured there by this version on
/// this kind of processor, else measured now (for most of a second) and written there. A file that cannot be
/// written is no error: the next start measures again.
#[must_use]
pub(crate) fn load_or_measure(path: &Path, engine: &Engine) -> Capacity {
    let conditions = conditions(COST_MODEL, env!("CARGO_PKG_VERSION"), &processor());
    let known = std::fs::read_to_string(path).ok().and_then(|text| remembered(&text, &conditions));
    known.unwrap_or_else(|| {
        let measured = engine.calibrate(TIME);
        if measured > Capacity(0) {
            let _ = remember(path, &conditions, measured);
        }
        measured
    })
}

/// Under what a measurement holds.
fn conditions(cost_model: u32, version: &str, processor: &str) -> String {
    format!("cost-model {cost_model}\nversion {version}\nprocessor {processor}\n")
}

/// The capacity that a file holds, if it was measured under these conditions.
fn remembered(text: &str, conditions: &str) -> Option<Capacity> {
    let capacity = text.strip_prefix(conditions)?.strip_prefix("capacity ")?.strip_suffix(" Mc/s\n")?;
    capacity.parse().ok().filter(|capacity| *capacity > 0).map(Capacity)
}

/// Writes it, wholly or not at all.
fn remember(path: &Path, conditions: &str, capacity: Capacity) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    writeln!(file, "{conditions}capacity {capacity}")?;
    file.persist(path)?;
    Ok(())
}

/// The processor's name, as its maker calls it.
fn processor() -> String {
    let what = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(what).ok();
    let brand =
        system.and_then(|system| system.cpus().first().map(|cpu| cpu.brand().trim().replace('\n', " ")));
    format!("{} {}", std::env::consts::ARCH, brand.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_holds_under_its_conditions_only() {
        let now = conditions(1, "0.1.0", "x86_64 Z80");
        for (text, expected) in [
            (
                "cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n",
                Some(Capacity(4_000)),
            ),
            ("cost-model 2\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.2.0\nprocessor x86_64 Z80\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z81\ncapacity 4000 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 0 Mc/s\n", None),
            ("cost-model 1\nversion 0.1.0\nprocessor x86_64 Z80\ncapacity 40", None),
            ("", None),
        ] {
            assert_eq!(remembered(text, &now), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_measured_is_remembered() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("calibration");
        let engine = Engine::new().unwrap();
        let measured = load_or_measure(&path, &engine);
        assert!(measured > Capacity(0));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(&format!("\ncapacity {measured}\n")), "{text}");
        // From here on the file decides, not the machine.
        std::fs::write(&path, text.replace(&measured.to_string(), "7 Mc/s")).unwrap();
        assert_eq!(load_or_measure(&path, &engine), Capacity(7));
        std::fs::write(&path, text.replace("cost-model 1", "cost-model 0")).unwrap();
        assert!(load_or_measure(&path, &engine) > Capacity(7));
    }
}

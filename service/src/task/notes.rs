//! Collects faults and warnings by their offset in the text, and turns offsets into lines and columns at the
//! end.

use super::MAX_FAULTS;
use super::fault::{Fault, FaultKind};
use super::warning::{Warning, WarningKind};

/// Where something is: a byte offset in the text, or `None` for what the caller set.
pub(super) type Place = Option<usize>;

/// What the file names of notes without a place are.
const SET: &str = "--set";

/// The faults and warnings found so far.
#[derive(Default)]
pub(super) struct Notes {
    faults: Vec<(Place, FaultKind)>,
    warnings: Vec<(Place, WarningKind)>,
    found: usize,
}

impl Notes {
    /// Notes a fault.
    pub(super) fn fault(&mut self, place: Place, kind: FaultKind) {
        self.found += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push((place, kind));
        }
    }

    /// Notes a warning, unless one of that kind has been noted at that place; beyond the first [`MAX_FAULTS`]
    /// none.
    pub(super) fn warn(&mut self, place: Place, kind: WarningKind) {
        if self.warnings.len() < MAX_FAULTS
            && !self.warnings.iter().any(|(at, old)| *at == place && *old == kind)
        {
            self.warnings.push((place, kind));
        }
    }

    /// How many faults were noted, the ones that are not kept included.
    pub(super) fn faults_found(&self) -> usize {
        self.found
    }

    /// The warnings where there are no faults, else the faults; both in the order of the text.
    pub(super) fn finish(mut self, text: &str, file: &str) -> Result<Vec<Warning>, Vec<Fault>> {
        if self.found == 0 {
            return Ok(located(self.warnings, text, file, |file, line, column, kind| Warning {
                file,
                line,
                column,
                kind,
            }));
        }
        if self.found > self.faults.len() {
            self.faults.push((Some(text.len()), FaultKind::MoreFaults { shown: MAX_FAULTS }));
        }
        Err(located(self.faults, text, file, |file, line, column, kind| Fault { file, line, column, kind }))
    }
}

/// All notes in order of their places, each made by `make` from file, line, column and kind; one pass over
/// the text.
fn located<K, N>(
    mut notes: Vec<(Place, K)>,
    text: &str,
    file: &str,
    make: impl Fn(String, u32, u32, K) -> N,
) -> Vec<N> {
    notes.sort_by_key(|(place, _)| *place);
    let (mut at, mut line, mut column) = (0, 1_u32, 1_u32);
    let mut all = Vec::with_capacity(notes.len());
    for (place, kind) in notes {
        let Some(offset) = place else {
            all.push(make(SET.to_owned(), 0, 0, kind));
            continue;
        };
        for character in text.get(at..offset).unwrap_or_default().chars() {
            if character == '\n' {
                line = line.saturating_add(1);
                column = 1;
            } else {
                column = column.saturating_add(1);
            }
        }
        at = offset.max(at);
        all.push(make(file.to_owned(), line, column, kind));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "ä<b>\n<c>\r\nzü|";
        let mut notes = Notes::default();
        for place in [Some(text.len() - 1), Some(2), None, Some(6), Some(0), Some(999)] {
            notes.fault(place, FaultKind::PriceZero);
        }
        let faults = notes.finish(text, "t.xml").unwrap_err();
        let places: Vec<_> = faults.iter().map(|f| (f.file.as_str(), f.line, f.column)).collect();
        let t = "t.xml";
        assert_eq!(places, [("--set", 0, 0), (t, 1, 1), (t, 1, 2), (t, 2, 1), (t, 3, 3), (t, 3, 3)]);
        assert_eq!(faults[0].to_string(), "--set: a price must be more than 0 credits");
    }

    #[test]
    fn no_more_than_the_first_thousand_faults_are_kept() {
        let mut notes = Notes::default();
        for offset in 0..5_000 {
            notes.fault(Some(offset), FaultKind::PriceZero);
        }
        let faults = notes.finish(&"x".repeat(5_000), "t.xml").unwrap_err();
        assert_eq!(faults.len(), 1_001);
        assert_eq!(
            faults[1_000].to_string(),
            "t.xml:1:5001: there are more faults; these are the first 1000"
        );
    }
}

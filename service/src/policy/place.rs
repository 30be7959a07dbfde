//! From byte positions to lines and columns.

use super::fault::{Fault, FaultKind};
use super::{MAX_FAULTS, Problem};

/// The problems as faults in the order of the file, with their lines and columns.
pub(super) fn faults(text: &str, file: &str, mut problems: Vec<Problem>) -> Vec<Fault> {
    problems.sort_by_key(|problem| problem.at);
    let is_cut = problems.len() > MAX_FAULTS;
    problems.truncate(MAX_FAULTS);
    let mut place = Place { line: 1, column: 1, at: 0 };
    let mut faults = Vec::with_capacity(problems.len() + 1);
    for Problem { at, kind } in problems {
        let (line, column) = match at {
            None => (0, 0),
            Some(at) => {
                place.advance(text, at);
                (place.line, place.column)
            }
        };
        faults.push(Fault { file: file.to_owned(), line, column, kind });
    }
    if is_cut {
        let kind = FaultKind::MoreFaults { shown: MAX_FAULTS };
        faults.push(Fault { file: file.to_owned(), line: 0, column: 0, kind });
    }
    faults
}

/// A place in the text that only moves forward.
struct Place {
    line: u32,
    column: u32,
    at: usize,
}

impl Place {
    fn advance(&mut self, text: &str, to: usize) {
        let to = text.floor_char_boundary(to);
        for character in text.get(self.at..to).unwrap_or_default().chars() {
            if character == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.at = self.at.max(to);
    }
}

//! Tables that fit a width by wrapping, never by cutting.

use super::human::clean;
use console::measure_text_width;

/// Spaces between columns.
const GAP: usize = 2;
/// A column that is wrapped keeps at least this width.
const NARROWEST: usize = 16;

/// Where a cell's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The colour of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Plain,
    Green,
    Red,
    Yellow,
    Bold,
}

impl Colour {
    /// `text` in this colour, as terminals have it.
    pub(super) fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.into(),
            Self::Green => 32,
            Self::Red => 31,
            Self::Yellow => 33,
            Self::Bold => 1,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A table: the first and the last column are wrapped when it is too wide.
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<(Vec<String>, Colour)>,
}

impl Table {
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; `colour` is that of its last cell.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>, colour: Colour) {
        self.rows.push((cells.into_iter().map(|cell| clean(&cell)).collect(), colour));
    }

    /// The table, each line with its end.
    pub(super) fn render(&self, width: Option<usize>, has_colour: bool) -> String {
        let widths = self.widths(width);
        let titles: Vec<String> = self.columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        let mut text = self.lines(&titles, &widths, Colour::Plain, false);
        for (cells, colour) in &self.rows {
            text.push_str(&self.lines(cells, &widths, *colour, has_colour));
        }
        text
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let widest = |index: usize, title: &str| {
            let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(index));
            cells.map(|cell| measure_text_width(cell)).fold(measure_text_width(title), usize::max)
        };
        let mut widths: Vec<usize> =
            self.columns.iter().enumerate().map(|(index, (title, _))| widest(index, title)).collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        let last = widths.len().saturating_sub(1);
        for index in [last, 0] {
            let all = gaps + widths.iter().sum::<usize>();
            let excess = limit.map_or(0, |limit| all.saturating_sub(limit));
            if let Some(width) = widths.get_mut(index).filter(|width| **width > NARROWEST) {
                *width = width.saturating_sub(excess).max(NARROWEST);
            }
        }
        widths
    }

    fn lines(&self, cells: &[String], widths: &[usize], colour: Colour, has_colour: bool) -> String {
        let wrapped: Vec<Vec<String>> =
            cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let mut text = String::new();
        for number in 0..height {
            let mut line = String::new();
            let columns = wrapped.iter().zip(widths).zip(&self.columns).enumerate();
            for (index, ((parts, width), (_, align))) in columns {
                let part = parts.get(number).map_or("", String::as_str);
                let is_last = index + 1 == wrapped.len();
                let space = " ".repeat(width.saturating_sub(measure_text_width(part)));
                let painted =
                    if is_last && has_colour && !part.is_empty() { colour.paint(part) } else { part.into() };
                let gap = " ".repeat(if is_last { 0 } else { GAP });
                line.push_str(&match align {
                    Align::Left => format!("{painted}{space}{gap}"),
                    Align::Right => format!("{space}{painted}{gap}"),
                });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// `text` in lines of at most `width` columns, broken at spaces; a word that is longer has a line for itself.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if measure_text_width(line) + 1 + measure_text_width(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&[("name", Align::Left), ("n", Align::Right), ("why", Align::Left)]);
        table.row(
            ["a".into(), "1".into(), "not placed: all of the three sellers ask more".into()],
            Colour::Red,
        );
        table.row(["bcdefg".into(), "1234".into(), String::new()], Colour::Plain);
        table
    }

    #[test]
    fn columns_are_as_wide_as_they_need() {
        let expected = "\
name       n  why
a          1  not placed: all of the three sellers ask more
bcdefg  1234
";
        assert_eq!(sample().render(None, false), expected);
    }

    #[test]
    fn a_narrow_table_wraps_and_loses_no_word() {
        let expected = "\
name       n  why
a          1  not placed: all of
              the three sellers
              ask more
bcdefg  1234
";
        assert_eq!(sample().render(Some(32), false), expected);
        assert_eq!(sample().render(Some(1), false).split_whitespace().count(), 3 + 11 + 2);
    }

    #[test]
    fn the_last_cell_has_the_colour_of_its_row() {
        let text = sample().render(Some(32), true);
        assert_eq!(text.lines().nth(2), Some("              \u{1b}[31mthe three sellers\u{1b}[0m"));
    }

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        let mut table = Table::new(&[("why", Align::Left)]);
        table.row(["\u{1b}[2Jgone\r\nx\u{9b}".into()], Colour::Plain);
        assert_eq!(table.render(None, false), "why\n\\u{1b}[2Jgone\\r\\nx\\u{9b}\n");
    }
}

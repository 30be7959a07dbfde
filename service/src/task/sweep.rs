//! Sweeps: one element that stands for many sub-tasks, one for each value, or combination of values, of
//! variables.

use super::decimal::{self, Decimal};
use super::fault::FaultKind;
use super::hint::shortened;
use super::notes::Notes;
use super::reader::Reader;
use super::rule::Rule;
use super::value;
use super::variable::{self, Scope};
use super::warning::WarningKind;
use super::{MAX_SUB_TASKS, MAX_TEXT};
use roxmltree::{Attribute, Node};

/// The variables of a sweep and the number of its points.
pub(super) struct Sweep<'a> {
    axes: Vec<(&'a str, Axis)>,
    is_zip: bool,
    /// How many points there are, at least 1.
    pub(super) count: usize,
}

/// The values of one variable.
#[derive(Debug, PartialEq, Eq)]
enum Axis {
    /// `count` numbers from `from` on, each `step` more; all with `scale` digits after the point.
    Numbers { from: i128, step: i128, scale: u32, count: usize },
    /// As listed.
    Listed(Vec<String>),
    /// Not known because of a fault.
    Unknown,
}

impl Axis {
    fn count(&self) -> usize {
        match self {
            Self::Numbers { count, .. } => *count,
            Self::Listed(values) => values.len(),
            Self::Unknown => 1,
        }
    }

    fn value(&self, index: usize) -> Option<String> {
        match self {
            Self::Numbers { from, step, scale, .. } => {
                let number = step.checked_mul(i128::try_from(index).ok()?)?.checked_add(*from)?;
                Some(decimal::show(number, *scale))
            }
            Self::Listed(values) => values.get(index).cloned(),
            Self::Unknown => None,
        }
    }
}

impl<'a> Sweep<'a> {
    /// The values of all variables at one point. In a product the last variable changes fastest.
    pub(super) fn point(&self, index: usize) -> Vec<(&'a str, Option<String>)> {
        let mut left = index;
        let mut point = Vec::with_capacity(self.axes.len());
        for (name, axis) in self.axes.iter().rev() {
            let at = if self.is_zip { index } else { left % axis.count().max(1) };
            left /= axis.count().max(1);
            point.push((*name, axis.value(at)));
        }
        point
    }
}

/// The sweep of a sub-task, where it has one.
pub(super) fn read<'a>(sub_task: Node<'a, '_>, scope: &Scope<'_>, notes: &mut Notes) -> Option<Sweep<'a>> {
    let node = sub_task.children().find(|inner| inner.has_tag_name("Sweep"))?;
    let mut sweep = Sweep { axes: Vec::new(), is_zip: node.attribute("mode") == Some("zip"), count: 1 };
    let used = variable::mentioned(sub_task);
    for var in node.children().filter(|inner| inner.has_tag_name("Var")) {
        let axis = read_axis(var, &mut Reader { scope, notes: &mut *notes });
        let Some(given) = var.attribute_node("name") else { continue };
        let place = Some(given.range_value().start);
        let name = given.value();
        let text = || shortened(name);
        if !variable::is_name(name) {
            let expected = variable::NAME_EXPECTED;
            notes.fault(place, FaultKind::Value { name: "name", text: text(), expected });
        } else if scope.set.contains_key(name) || sweep.axes.iter().any(|(other, _)| *other == name) {
            let by_caller = scope.set.contains_key(name);
            notes.fault(place, FaultKind::VariableTwice { name: text(), by_caller });
        } else if !used.contains(name) {
            notes.warn(place, WarningKind::UnusedSweepVariable { name: text() });
        }
        sweep.axes.push((name, axis));
    }
    sweep.count = match sweep.is_zip {
        true => zipped(&sweep.axes, node, notes),
        false => sweep.axes.iter().fold(1, |count, (_, axis)| count.saturating_mul(axis.count())),
    };
    Some(sweep)
}

/// The length that all variables of a zip sweep have; 1 where they differ, which is noted.
fn zipped(axes: &[(&str, Axis)], node: Node<'_, '_>, notes: &mut Notes) -> usize {
    let mut known = axes.iter().filter(|(_, axis)| *axis != Axis::Unknown);
    let Some((first, axis)) = known.next() else { return 1 };
    let length = axis.count();
    for (name, axis) in known {
        if axis.count() != length {
            let (first, name) = (shortened(first), shortened(name));
            let kind = FaultKind::SweepLengths { first, length, name, other: axis.count() };
            notes.fault(Some(node.range().start), kind);
            return 1;
        }
    }
    length
}

fn read_axis(var: Node<'_, '_>, reader: &mut Reader<'_>) -> Axis {
    let values: Vec<_> = var.children().filter(|inner| inner.has_tag_name("Value")).collect();
    let has_range = ["from", "to", "step"].iter().any(|name| var.has_attribute(*name));
    let lines = var.attribute_node("each-line");
    let ways =
        [!values.is_empty(), has_range, lines.is_some()].into_iter().filter(|is_there| *is_there).count();
    if ways != 1 {
        let name = shortened(var.attribute("name").unwrap_or("Var"));
        reader.notes.fault(Some(var.range().start), FaultKind::SweepValues { name, both: ways > 1 });
        return Axis::Unknown;
    }
    if let Some(given) = lines {
        return read_lines(given, reader).unwrap_or(Axis::Unknown);
    }
    if has_range {
        return read_range(var, reader).unwrap_or(Axis::Unknown);
    }
    let number = values.len();
    let listed: Vec<_> = values.into_iter().filter_map(|value| reader.exact(value, "Value")).collect();
    if listed.len() == number { Axis::Listed(listed) } else { Axis::Unknown }
}

/// The lines of a file that the caller has read; empty ones are left out.
fn read_lines(given: Attribute<'_, '_>, reader: &mut Reader<'_>) -> Option<Axis> {
    let path = reader.attribute(given, "each-line", value::local)?;
    let place = Some(given.range_value().start);
    let Some(text) = reader.scope.lines.get(&path) else {
        reader.notes.fault(place, Rule::NoLines { path }.into());
        return None;
    };
    let mut values = Vec::new();
    for (line, value) in (1_usize..).zip(text.lines()).filter(|(_, value)| !value.is_empty()) {
        if value.len() > MAX_TEXT {
            let rule = Rule::LongLine { path, line, bytes: value.len(), most: MAX_TEXT };
            reader.notes.fault(place, rule.into());
            return None;
        }
        values.push(value.to_owned());
        if values.len() > MAX_SUB_TASKS {
            break;
        }
    }
    if values.is_empty() {
        reader.notes.fault(place, Rule::EmptyLines { path }.into());
        return None;
    }
    Some(Axis::Listed(values))
}

/// The numbers `from`, `from` + `step`, … up to `to`, written with as many decimals as `from` and `step`
/// have.
fn read_range(var: Node<'_, '_>, reader: &mut Reader<'_>) -> Option<Axis> {
    let place = Some(var.range().start);
    let mut number = |name: &'static str| match var.attribute_node(name) {
        Some(given) => reader.attribute(given, name, value::decimal),
        None if name == "step" => Some(Decimal { digits: 1, scale: 0 }),
        None => {
            reader.notes.fault(place, FaultKind::MissingAttribute { attribute: name, element: "Var" });
            None
        }
    };
    let (from, to, step) = (number("from"), number("to"), number("step"));
    let (from, to, step) = (from?, to?, step?);
    let axis = numbers(from, to, step);
    if axis.is_none() {
        let show = |number: Decimal| decimal::show(number.digits, number.scale);
        let kind = FaultKind::SweepRange { from: show(from), to: show(to), step: show(step) };
        reader.notes.fault(place, kind);
    }
    axis
}

/// The numbers of a range; `None` where steps do not lead from `from` to `to`.
fn numbers(from: Decimal, to: Decimal, step: Decimal) -> Option<Axis> {
    let scale = from.scale.max(step.scale);
    let fine = scale.max(to.scale);
    let (start, stride) = (from.at_scale(fine)?, step.at_scale(fine)?);
    let way = to.at_scale(fine)?.checked_sub(start)?;
    let steps = way.checked_div(stride)?;
    if way != 0 && (way < 0) != (stride < 0) {
        return None;
    }
    let count = usize::try_from(steps).map_or(usize::MAX, |steps| steps.saturating_add(1));
    Some(Axis::Numbers { from: from.at_scale(scale)?, step: step.at_scale(scale)?, scale, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_exact_and_include_their_end() {
        for (from, to, step, expected) in [
            ("0", "3", "1", "0 1 2 3"),
            ("3", "0", "-1", "3 2 1 0"),
            ("0.1", "0.5", "0.2", "0.1 0.3 0.5"),
            ("0", "0.3", "0.1", "0.0 0.1 0.2 0.3"),
            ("-1", "1", "0.5", "-1.0 -0.5 0.0 0.5 1.0"),
            ("0", "10", "4", "0 4 8"),
            ("1", "1.999", "1", "1"),
            ("5", "5", "7", "5"),
            ("1", "2", "0.50", "1.00 1.50 2.00"),
        ] {
            let read = |text| Decimal::parse(text).unwrap();
            let axis = numbers(read(from), read(to), read(step)).unwrap();
            let values: Vec<_> = (0..axis.count()).filter_map(|index| axis.value(index)).collect();
            assert_eq!(values.join(" "), expected);
        }
    }

    #[test]
    fn ranges_that_never_end_are_none() {
        for (from, to, step) in [("0", "1", "0"), ("1", "1", "0"), ("0", "1", "-1"), ("1", "0", "0.1")] {
            let read = |text| Decimal::parse(text).unwrap();
            assert_eq!(numbers(read(from), read(to), read(step)), None);
        }
    }
}

//! `StopWhen`: the result that makes the rest of a task needless.

use super::decimal::Decimal;
use super::link;
use super::reader::{Parts, Reader};
use super::rule::Rule;
use super::value::{self, Wrong};

/// When the task has found what it looks for: the other sub-tasks are then cancelled, and the task has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopWhen {
    /// Which sub-tasks are looked at, as indices of the expanded list, in order; none: all.
    pub sub_tasks: Option<Vec<u32>>,
    /// What the result has to be.
    pub condition: StopCondition,
}

/// What a result has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopCondition {
    /// `exitCode`: the program ends with this status, which need not be the one of success.
    Exit(u8),
    /// `contains`: a text stands in the result.
    Contains {
        /// Where.
        place: StopPlace,
        /// The text, not empty.
        text: String,
    },
    /// `below`: the first number of the result is less than this.
    Below {
        /// Where.
        place: StopPlace,
        /// The bound.
        bound: Decimal,
    },
    /// `above`: the first number of the result is more than this.
    Above {
        /// Where.
        place: StopPlace,
        /// The bound.
        bound: Decimal,
    },
}

/// Which part of a result is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopPlace {
    /// Standard output.
    StdOut,
    /// The output of this name in the scratch directory.
    Output(String),
}

/// A condition as it stands in the file: names that are not looked up yet.
pub(super) struct Unbound {
    /// The condition.
    pub(super) condition: StopCondition,
    /// The names in `of` and their place; none: all.
    pub(super) of: Option<(Vec<String>, usize)>,
    /// Where the output is named.
    pub(super) place: usize,
}

/// Reads `StopWhen`.
pub(super) fn read(head: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Option<Unbound> {
    let node = *head.get("StopWhen")?;
    let start = node.range().start;
    let given = |name| node.attribute_node(name);
    let found =
        ["contains", "below", "above", "exitCode"].iter().filter(|name| node.has_attribute(**name)).count();
    if found != 1 {
        reader.notes.fault(Some(start), Rule::StopConditions { found }.into());
        return None;
    }
    let output = given("output");
    if let (Some(output), Some(_)) = (output, given("exitCode")) {
        reader.notes.fault(Some(output.range().start), Rule::StopExitOutput.into());
        return None;
    }
    let stop_place = match output {
        Some(output) => StopPlace::Output(reader.attribute(output, "output", value::inside)?),
        None => StopPlace::StdOut,
    };
    let mut number = |name| given(name).map(|given| reader.attribute(given, name, value::decimal));
    let (below, above) = (number("below"), number("above"));
    let condition = if let Some(code) = given("exitCode") {
        StopCondition::Exit(reader.attribute(code, "exitCode", value::exit_code)?)
    } else if let Some(text) = given("contains") {
        StopCondition::Contains { place: stop_place, text: reader.attribute(text, "contains", some_text)? }
    } else if let Some(bound) = below {
        StopCondition::Below { place: stop_place, bound: bound? }
    } else {
        StopCondition::Above { place: stop_place, bound: above?? }
    };
    let of = match given("of") {
        Some(of) => Some((reader.attribute(of, "of", link::names)?, of.range_value().start)),
        None => None,
    };
    Some(Unbound { condition, of, place: output.map_or(start, |output| output.range().start) })
}

impl StopCondition {
    /// The output that is looked at, if one is.
    #[must_use]
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Contains { place, .. } | Self::Below { place, .. } | Self::Above { place, .. } => {
                match place {
                    StopPlace::Output(name) => Some(name),
                    StopPlace::StdOut => None,
                }
            }
            Self::Exit(_) => None,
        }
    }
}

fn some_text(text: &str) -> Result<String, Wrong> {
    if text.is_empty() { Err(Wrong::Expected("a text to look for")) } else { Ok(text.to_owned()) }
}

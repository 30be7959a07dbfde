//! The language of `rule.when`: `hour >= 22 || day in [sat, sun] && !(load > 20)`.
//!
//! Variables are `hour` (0 to 23), `minute` (of the hour), `day`, `load` (of other programs, in per cent),
//! `idle` (nobody is there) and `on_battery`. `!` binds tighter than `&&`, and that tighter than `||`.
//! What no sensor can tell is not so: without a battery, `on_battery` does not hold.

mod parser;
mod token;

use super::schedule::Weekday;
use std::collections::BTreeSet;
use std::fmt;

pub(super) use parser::Wrong;

/// The longest condition, in bytes.
pub const MAX_CONDITION: usize = 1000;
/// The deepest nesting of parentheses and negations.
pub const MAX_CONDITION_DEPTH: usize = 32;

/// The condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// As it is written.
    text: String,
    /// What it means.
    root: Node,
}

/// What conditions can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day, in local time.
    pub weekday: Weekday,
    /// The minute of the day, 0 to 1439, in local time.
    pub minute_of_day: u16,
    /// Whether nobody is there.
    pub is_idle: bool,
    /// Whether the machine runs on its battery.
    pub on_battery: bool,
    /// How much of the processor other programs use, in per cent.
    pub load: u32,
}

/// A number that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Hour,
    Minute,
    Load,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Always(bool),
    Idle,
    OnBattery,
    Day(BTreeSet<Weekday>),
    /// The number is in one of the ranges, both ends included.
    Within(Number, Vec<(u32, u32)>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Expression {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// Why not, and at which byte of the text.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let root = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), root })
    }

    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        self.root.holds(facts)
    }
}

impl fmt::Display for Expression {
    /// As it is written.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

impl Number {
    const fn of(self, facts: &Facts) -> u32 {
        match self {
            Self::Hour => facts.minute_of_day as u32 / 60,
            Self::Minute => facts.minute_of_day as u32 % 60,
            Self::Load => facts.load,
        }
    }
}

impl Node {
    fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Always(answer) => *answer,
            Self::Idle => facts.is_idle,
            Self::OnBattery => facts.on_battery,
            Self::Day(days) => days.contains(&facts.weekday),
            Self::Within(number, ranges) => {
                let value = number.of(facts);
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&value))
            }
            Self::Not(inner) => !inner.holds(facts),
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
        }
    }
}

//! What is wrong with a policy, where, and what was expected instead.

use std::fmt;

/// One fault and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1; 0 when the fault is that of the whole file.
    pub line: u32,
    /// The column in characters, from 1; 0 when the fault is that of the whole file.
    pub column: u32,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong. Texts quoted from the file are shortened to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Larger than [`super::MAX_POLICY_SIZE`].
    #[error("the file has {bytes} bytes: a policy has at most {most}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest allowed, in bytes.
        most: usize,
    },
    /// Not TOML.
    #[error("{reason}")]
    Syntax {
        /// Why not, and what was expected, in words.
        reason: String,
    },
    /// A key or section that does not exist here.
    #[error("`{key}` is not a {}{}", part(.section), advice(.hint.as_ref(), .allowed))]
    UnknownKey {
        /// The key.
        key: String,
        /// The section that it stands in; empty for the top of the file.
        section: &'static str,
        /// What was probably meant.
        hint: Option<Hint>,
        /// All keys that may stand there.
        allowed: Vec<&'static str>,
    },
    /// A key, section or value that the format has and that has no effect yet.
    #[error("{what} is known, but not offered by this version")]
    NotOffered {
        /// The thing, quoted.
        what: String,
    },
    /// Not a value of its key: another type, out of range, or written differently.
    #[error("{found} is not a value for `{name}`: expected {expected}")]
    Value {
        /// The key with its section: `cpu.max_cores`.
        name: String,
        /// What was found, in words.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A key that has to be there and is not.
    #[error("{} has no `{key}`", shown(.section))]
    Missing {
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
    },
    /// The condition of a rule cannot be read.
    #[error("this condition cannot be read: {reason}")]
    Condition {
        /// Why not, and what was expected.
        reason: String,
    },
    /// A rule sets something that is no key.
    #[error("a rule cannot set `{key}`: expected a key with its section, such as `cpu.max_cores_pct`")]
    UnknownSetting {
        /// What it sets.
        key: String,
    },
    /// A rule sets a key that rules cannot change.
    #[error("a rule cannot change `{key}`: it holds for the whole time that the node runs")]
    NotInRule {
        /// The key with its section.
        key: String,
    },
    /// Preferences of BOINC that cannot be read.
    #[error("{reason}")]
    Preferences {
        /// Why not, and what was expected.
        reason: String,
    },
    /// More faults than [`super::MAX_FAULTS`].
    #[error("there are more faults; these are the first {shown}")]
    MoreFaults {
        /// How many are reported.
        shown: usize,
    },
}

/// What was probably meant by an unknown key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A similar key that is allowed here.
    DidYouMean(&'static str),
    /// The key exists in this section, empty for the top of the file.
    BelongsIn(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, kind } = self;
        if *line == 0 { write!(out, "{file}: {kind}") } else { write!(out, "{file}:{line}:{column}: {kind}") }
    }
}

impl std::error::Error for Fault {}

/// What may stand in a section, empty for the top of the file.
fn part(section: &str) -> String {
    if section.is_empty() {
        "section or key of a policy".to_owned()
    } else {
        format!("key of {}", shown(section))
    }
}

/// A section as it is written in the file.
pub(super) fn shown(section: &str) -> String {
    match section {
        "schedule" | "rule" => format!("[[{section}]]"),
        _ => format!("[{section}]"),
    }
}

/// The end of a sentence about an unknown key: what was meant, else what is allowed.
fn advice(hint: Option<&Hint>, allowed: &[&str]) -> String {
    match hint {
        Some(Hint::DidYouMean(key)) => format!("; did you mean `{key}`?"),
        Some(Hint::BelongsIn("")) => {
            "; it belongs at the top of the file, before the first section".to_owned()
        }
        Some(Hint::BelongsIn(section)) => format!("; it belongs in {}", shown(section)),
        None => {
            let quoted: Vec<String> = allowed.iter().map(|key| format!("`{key}`")).collect();
            format!("; expected one of {}", quoted.join(", "))
        }
    }
}

//! What is wrong with a task file, where, and what was expected instead.

use super::path::PathProblem;
use super::rule::Rule;
use proto::Money;
use std::fmt;

/// One fault and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller named it; `--set` for a variable that the caller set.
    pub file: String,
    /// The line, from 1; 0 when the place is not in the file.
    pub line: u32,
    /// The column in characters, from 1; 0 when the place is not in the file.
    pub column: u32,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong. Texts quoted from the file are shortened to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Not a document that we read at all.
    #[error(transparent)]
    Parsing(#[from] Parsing),
    /// An element, attribute or value that the format has but this version does not act on.
    #[error("{what} not offered by this version")]
    NotOffered {
        /// The thing with its verb: "`Redundancy` is", "checkpoints are".
        what: String,
    },
    /// An element that does not exist here.
    #[error("`{element}` is not an element of `{parent}`{}", advice(.hint.as_ref(), .allowed))]
    UnknownElement {
        /// The element.
        element: String,
        /// Where it stands.
        parent: &'static str,
        /// What was probably meant.
        hint: Option<Hint>,
        /// All elements that may stand there.
        allowed: Vec<&'static str>,
    },
    /// An attribute that does not exist here.
    #[error("`{attribute}` is not an attribute of `{element}`{}", advice(.hint.as_ref(), .allowed))]
    UnknownAttribute {
        /// The attribute.
        attribute: String,
        /// Where it stands.
        element: &'static str,
        /// What was probably meant.
        hint: Option<Hint>,
        /// All attributes that may stand there.
        allowed: Vec<&'static str>,
    },
    /// An element that may stand once stands again.
    #[error("`{parent}` already has a `{element}`: one is allowed")]
    Repeated {
        /// The element.
        element: &'static str,
        /// Where it stands.
        parent: &'static str,
    },
    /// More entries than a list may have.
    #[error("more than {most} `{element}` in one `{parent}`")]
    TooMany {
        /// The element.
        element: &'static str,
        /// Where it stands.
        parent: &'static str,
        /// The most that are allowed.
        most: usize,
    },
    /// An element that stands too late.
    #[error("`{element}` must stand before the first `SubTask`")]
    Misplaced {
        /// The element.
        element: &'static str,
    },
    /// An element that has to be there is not.
    #[error("`{parent}` has no `{element}`: it needs one")]
    MissingElement {
        /// The element.
        element: &'static str,
        /// Where it belongs.
        parent: &'static str,
    },
    /// An attribute that has to be there is not.
    #[error("`{element}` has no attribute `{attribute}`: it needs one")]
    MissingAttribute {
        /// The attribute.
        attribute: &'static str,
        /// Where it belongs.
        element: &'static str,
    },
    /// Text where only elements may stand.
    #[error("the text `{text}` is not expected in `{element}`{}", advice(None, .allowed))]
    StrayText {
        /// The text.
        text: String,
        /// Where it stands.
        element: &'static str,
        /// All elements that may stand there.
        allowed: Vec<&'static str>,
    },
    /// A text longer than [`super::MAX_TEXT`].
    #[error("the text of `{name}` has {bytes} bytes: at most {most} are allowed")]
    TextTooLong {
        /// The element or attribute.
        name: String,
        /// How long it is, in bytes; with variables replaced, as far as they were.
        bytes: usize,
        /// How long it may be, in bytes.
        most: usize,
    },
    /// A text that is not a value of its element.
    #[error("{} is not a value for `{name}`: expected {expected}", quoted(.text))]
    Value {
        /// The element or attribute.
        name: &'static str,
        /// The text.
        text: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A number that is too large or too long to hold.
    #[error("`{text}` is too large or too exact for `{name}`: expected at most {most}")]
    TooLarge {
        /// The element or attribute.
        name: &'static str,
        /// The text.
        text: String,
        /// The largest that can be held.
        most: &'static str,
    },
    /// A price of nothing.
    #[error("a price must be more than 0 credits")]
    PriceZero,
    /// A path that cannot be used.
    #[error("{} is not a path for `{name}`: it {problem}", quoted(.text))]
    Path {
        /// The element or attribute.
        name: &'static str,
        /// The path.
        text: String,
        /// Why not.
        problem: PathProblem,
    },
    /// A variable that nothing defines.
    #[error(
        "the variable `{name}` is not defined{} Define it in the `Sweep` of this sub-task or by `--set {name}=…`, \
         or write `$${{{name}}}` for the plain text",
        suggestion(.hint.as_deref())
    )]
    UndefinedVariable {
        /// The variable.
        name: String,
        /// A variable that is defined and has a similar name.
        hint: Option<String>,
    },
    /// A `${` that is not followed by a name and `}`.
    #[error("`{text}` is not a variable: expected `${{name}}`, or `$${{` for the plain text")]
    BadReference {
        /// The text from `${` on.
        text: String,
    },
    /// Two variables of one name in one place: a list, or a sweep and the caller's.
    #[error("the variable `{name}` is {}", if *.by_caller { "set by `--set` and by the sweep" } else { "defined twice" })]
    VariableTwice {
        /// The variable.
        name: String,
        /// Whether the other one is the caller's.
        by_caller: bool,
    },
    /// The name of an environment variable that the executor sets itself.
    #[error("`{name}` cannot be set: names that begin with `COMPUP2P_` are set by the seller's node")]
    ReservedVariable {
        /// The variable.
        name: String,
    },
    /// A variable of a sweep with neither values nor a range nor lines, or with several.
    #[error("`{name}` needs either `Value` elements, or the attributes `from` and `to`, or `each-line`{}", which(*.both))]
    SweepValues {
        /// The variable.
        name: String,
        /// Whether several are there, rather than none.
        both: bool,
    },
    /// A range that never ends.
    #[error("from {from} to {to} is not reached in steps of {step}")]
    SweepRange {
        /// The first value.
        from: String,
        /// The bound.
        to: String,
        /// The step.
        step: String,
    },
    /// The variables of a zip sweep have different numbers of values.
    #[error(
        "a sweep of mode `zip` needs variables of one length: `{first}` has {length}, `{name}` has {other}"
    )]
    SweepLengths {
        /// The first variable.
        first: String,
        /// Its number of values.
        length: usize,
        /// The other variable.
        name: String,
        /// Its number of values.
        other: usize,
    },
    /// More sub-tasks than [`super::MAX_SUB_TASKS`].
    #[error("the sweeps make more than {most} sub-tasks")]
    TooManySubTasks {
        /// The most that are allowed.
        most: usize,
    },
    /// More text than [`super::MAX_EXPANDED`].
    #[error("the sub-tasks, sweeps expanded, hold more than {most} bytes of text")]
    ExpandedTooLarge {
        /// The most that is allowed, in bytes.
        most: usize,
    },
    /// Two sub-tasks of one name.
    #[error("the sub-task name `{name}` is already taken by sub-task {first} of the file")]
    SameName {
        /// The name.
        name: String,
        /// Which `SubTask` element has it, from 1.
        first: usize,
    },
    /// Two files of one sub-task in one place of the scratch directory.
    #[error("in the scratch directory of sub-task `{sub_task}`, {}", same_scratch(.path, .other.as_deref()))]
    SameScratch {
        /// The name inside the scratch directory.
        path: String,
        /// The other name, when one would have to be the folder of the other.
        other: Option<String>,
        /// The sub-task.
        sub_task: String,
    },
    /// Two writers of one result.
    #[error("{}", same_destination(.path, .other.as_deref(), .first, .second))]
    SameDestination {
        /// The path relative to the results directory.
        path: String,
        /// The other path, when one would have to be the folder of the other.
        other: Option<String>,
        /// The sub-task that writes there first in the file.
        first: String,
        /// The sub-task that writes there too.
        second: String,
    },
    /// No sub-task at all.
    #[error("there is no `SubTask`: a task file describes at least one")]
    NoSubTask,
    /// Prices that together exceed the budget.
    #[error("the prices of all sub-tasks add up to {prices} credits, more than the budget of {budget}")]
    OverBudget {
        /// The sum of the prices.
        prices: Money,
        /// The budget.
        budget: Money,
    },
    /// Prices that together exceed what an account can hold.
    #[error("the prices of all sub-tasks add up to more than {most} credits")]
    PricesTooLarge {
        /// The most that can be held.
        most: Money,
    },
    /// Something that contradicts itself or the rest of the file.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// More faults than [`super::MAX_FAULTS`].
    #[error("there are more faults; these are the first {shown}")]
    MoreFaults {
        /// How many are reported.
        shown: usize,
    },
}

/// Why a text is not a document that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Parsing {
    /// Larger than [`super::MAX_TASK_FILE`].
    #[error("the file has {bytes} bytes: a task file has at most {most}")]
    FileTooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest allowed, in bytes.
        most: usize,
    },
    /// A document type declaration, which could define entities.
    #[error(
        "a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own"
    )]
    DocumentType,
    /// Elements inside elements without end.
    #[error("elements are nested more than {most} deep")]
    TooDeep {
        /// The deepest allowed.
        most: usize,
    },
    /// An element with too many attributes.
    #[error("an element has more than {most} attributes")]
    TooManyAttributes {
        /// The most allowed.
        most: usize,
    },
    /// Too many elements.
    #[error("the file has more than {most} elements")]
    TooManyElements {
        /// The most allowed.
        most: usize,
    },
    /// Not XML.
    #[error("not well-formed XML: {reason}")]
    Malformed {
        /// Why not, in words.
        reason: String,
    },
    /// Some other kind of document.
    #[error("the file begins with `{found}`: a task file begins with `TaskFile`")]
    NotTaskFile {
        /// The first element.
        found: String,
    },
    /// An element in an XML namespace.
    #[error("`{element}` is in the namespace `{namespace}`: the elements of a task file are in none")]
    Namespace {
        /// The element.
        element: String,
        /// Its namespace.
        namespace: String,
    },
}

/// What was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A similar name that is allowed here.
    DidYouMean(&'static str),
    /// The element exists, inside another one.
    BelongsIn(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(out, &self.file, self.line, self.column, &self.kind)
    }
}

impl std::error::Error for Fault {}

/// Writes `file:line:column: message`, without line and column where there are none.
pub(super) fn show(
    out: &mut fmt::Formatter<'_>,
    file: &str,
    line: u32,
    column: u32,
    message: &dyn fmt::Display,
) -> fmt::Result {
    if line == 0 {
        write!(out, "{file}: {message}")
    } else {
        write!(out, "{file}:{line}:{column}: {message}")
    }
}

/// The end of a sentence: another name, or nothing.
fn suggestion(hint: Option<&str>) -> String {
    hint.map_or_else(|| ".".to_owned(), |name| format!("; did you mean `{name}`?"))
}

/// The end of a sentence about an unknown name: what was meant, and what is allowed.
fn advice(hint: Option<&Hint>, allowed: &[&str]) -> String {
    let quoted: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
    let listed = if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") };
    match hint {
        None => format!("; allowed: {listed}"),
        Some(Hint::DidYouMean(name)) => format!("; did you mean `{name}`? Allowed: {listed}"),
        Some(Hint::BelongsIn(element)) => format!("; it belongs in `{element}`; allowed: {listed}"),
    }
}

/// A text from the file, in quotes.
fn quoted(text: &str) -> String {
    if text.is_empty() { "the empty text".to_owned() } else { format!("`{text}`") }
}

fn which(both: bool) -> &'static str {
    if both { ", and has more than one of them" } else { ", and has none" }
}

fn same_scratch(path: &str, other: Option<&str>) -> String {
    match other {
        None => format!("two files are called `{path}`"),
        Some(other) => format!("`{path}` and `{other}` cannot both be files: one is the folder of the other"),
    }
}

fn same_destination(path: &str, other: Option<&str>, first: &str, second: &str) -> String {
    match other {
        None if first == second => format!("the sub-task `{first}` would write the result `{path}` twice"),
        None => format!("the sub-tasks `{first}` and `{second}` would both write the result `{path}`"),
        Some(other) => format!(
            "the results `{path}` of sub-task `{second}` and `{other}` of `{first}` cannot both be files: \
             one is the folder of the other"
        ),
    }
}

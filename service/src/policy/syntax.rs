//! What is wrong with a text that is not TOML, in plain words.

use super::fault::FaultKind;
use super::hint::shortened;
use super::{MAX_FAULTS, Problem};
use std::collections::BTreeSet;
use toml::de::Error;

/// The parser's errors, the first of each line, and no more than can be reported and one.
pub(super) fn problems(text: &str, errors: &[Error]) -> Vec<Problem> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let mut sorted: Vec<&Error> = errors.iter().collect();
    sorted.sort_by_key(|error| error.span().map(|span| (span.start, span.end)));
    let mut seen = BTreeSet::new();
    sorted
        .into_iter()
        .filter(|error| seen.insert(error.span().map(|span| ends.partition_point(|end| *end < span.start))))
        .take(MAX_FAULTS + 1)
        .map(|error| {
            let span = error.span();
            let found = span.clone().and_then(|span| text.get(span)).unwrap_or_default();
            let reason = plain(error.message(), found);
            Problem { at: span.map(|span| span.start), kind: FaultKind::Syntax { reason } }
        })
        .collect()
}

/// An error of the parser, of which `found` is the culprit, in words that need no knowledge of TOML's grammar.
fn plain(message: &str, found: &str) -> String {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let found = shortened(found.trim());
    match (what, expected) {
        ("string values must be quoted", _) if found.is_empty() => {
            "there is no value: expected a number, `true`, `false`, a text in quotes or a list in brackets"
                .to_owned()
        }
        ("string values must be quoted", _) => {
            format!("`{found}` is not a number, `true` or `false`: expected quotes around it if it is a text")
        }
        ("duplicate key", _) => format!("`{found}` is defined twice: expected it once"),
        ("key with no value", _) => "a key without a value: expected `=`".to_owned(),
        ("unclosed table" | "unclosed array table", _) => {
            format!("the name of a section is not closed: expected {expected}")
        }
        ("unclosed array", _) => "a list is not closed: expected `]`".to_owned(),
        ("unexpected key or value", _) => {
            "there is more on the line than belongs there: expected its end, or a comment after `#`"
                .to_owned()
        }
        ("invalid basic string" | "invalid literal string", "`\"`" | "`'`") => {
            format!("a text is not closed: expected {expected}")
        }
        ("unquoted keys cannot be empty", _) => {
            "there is no key: expected a name of letters, digits, `_` and `-`".to_owned()
        }
        ("invalid unquoted key", _) => {
            format!("`{found}` cannot be part of a key: expected letters, digits, `_` and `-`")
        }
        ("unexpected leading zero", _) => "a number begins with 0: expected it without".to_owned(),
        ("invalid datetime", _) => {
            format!("`{found}` is not a number, a date or a time: expected quotes around it if it is a text")
        }
        ("recursion limit" | "cannot recurse further; max recursion depth met", _) => {
            "keys or lists inside each other are nested too deep: expected at most 80".to_owned()
        }
        ("invalid boolean", _) => format!("`{found}` is not a value: expected {expected}"),
        ("invalid float" | "invalid mantissa" | "invalid fraction" | "invalid exponent", _) => {
            "this is not a number: expected digits, with digits on both sides of a point, such as 0.5"
                .to_owned()
        }
        ("extra `=`", _) => "there is one `=` too many: expected a value".to_owned(),
        ("extra comma in array" | "extra comma in inline table", _) => {
            format!("there is one comma too many: expected a {expected}")
        }
        ("unclosed inline table", _) => "a `{` is not closed: expected `}`".to_owned(),
        ("missing escaped value", _) => {
            "in a text in double quotes, `\\` begins a special character: expected `\\\\`, or \
             single quotes around the text"
                .to_owned()
        }
        ("invalid basic string", _) => {
            "a text has a character that cannot be shown: expected its code, such as `\\n` or `\\u001B`"
                .to_owned()
        }
        (_, "") if what.starts_with("cannot extend value") => {
            format!("`{found}` already has a value: expected it once, as a section or as a value")
        }
        (_, "" | "nothing") => what.to_owned(),
        _ => format!("{what}: expected {}", expected.replace("newline", "the end of the line")),
    }
}

//! From text to a tree of elements: what any XML file has to satisfy before we ask what it says.
//!
//! A first look over the markup bounds depth, attributes and elements and refuses a document type, so that
//! the XML parser only ever sees files that it reads in time and memory linear in their size.

use super::fault::{Fault, FaultKind, Parsing};
use super::notes::Notes;
use super::{MAX_TASK_FILE, hint};
use roxmltree::{Document, Error, TextPos};

/// The deepest nesting; a task file needs five.
const MAX_DEPTH: usize = 16;
/// The most attributes of one element.
const MAX_ATTRIBUTES: usize = 64;
/// The most elements of one file.
const MAX_ELEMENTS: usize = 1_000_000;

/// Why a text is not a document, before the place is turned into line and column.
#[derive(Debug)]
pub(crate) enum NotDocument {
    /// At a byte offset.
    At(usize, Parsing),
    /// At a position that the XML parser gave.
    Near(TextPos, Parsing),
}

impl NotDocument {
    /// The fault in the file that is called `file`.
    pub(crate) fn in_file(self, text: &str, file: &str) -> Fault {
        let (place, reason) = match self {
            Self::Near(TextPos { row, col }, reason) => ((row, col), reason),
            Self::At(offset, reason) => (line_and_column(text, offset), reason),
        };
        Fault { file: file.to_owned(), line: place.0, column: place.1, kind: reason.into() }
    }
}

fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let mut notes = Notes::default();
    notes.fault(Some(offset), FaultKind::NoSubTask);
    let fault = notes.finish(text, "").err().and_then(|faults| faults.into_iter().next());
    fault.map_or((1, 1), |fault| (fault.line, fault.column))
}

/// Reads `text` as a document.
pub(crate) fn open(text: &str) -> Result<Document<'_>, NotDocument> {
    if text.len() > MAX_TASK_FILE {
        return Err(NotDocument::At(0, Parsing::FileTooLarge { bytes: text.len(), most: MAX_TASK_FILE }));
    }
    let open_end = survey(text).map_err(|(offset, reason)| NotDocument::At(offset, reason))?;
    Document::parse(text).map_err(|error| {
        let reason = in_words(&error);
        let is_end = match &error {
            Error::UnclosedRootNode | Error::UnexpectedEndOfStream | Error::NoRootNode => true,
            other => matches!(other, Error::InvalidString("-->" | "]]>" | "?>", _)),
        };
        match open_end {
            Some(offset) if is_end => {
                let reason =
                    "the file ends before what begins here does; is a `>` or a quote missing?".to_owned();
                NotDocument::At(offset, Parsing::Malformed { reason })
            }
            None if is_end => NotDocument::At(text.len(), Parsing::Malformed { reason }),
            _ => NotDocument::Near(error.pos(), Parsing::Malformed { reason }),
        }
    })
}

/// Goes once over the markup of a text, up to the offset of a tag or comment that does not end, if there is
/// one. What else is not well formed is left to the parser, which stops there.
fn survey(text: &str) -> Result<Option<usize>, (usize, Parsing)> {
    let (mut at, mut depth, mut elements) = (0, 0_usize, 0_usize);
    while let Some(markup) =
        text.get(at..).and_then(|rest| rest.find('<').and_then(|found| rest.get(found..)))
    {
        at = text.len() - markup.len();
        if markup.starts_with("<!DOCTYPE") {
            return Err((at, Parsing::DocumentType));
        }
        let Some((length, kind)) = measure(markup) else { return Ok(Some(at)) };
        match kind {
            Markup::Other => {}
            Markup::End => depth = depth.saturating_sub(1),
            Markup::Start { attributes, is_empty } => {
                elements += 1;
                if attributes > MAX_ATTRIBUTES {
                    return Err((at, Parsing::TooManyAttributes { most: MAX_ATTRIBUTES }));
                }
                if elements > MAX_ELEMENTS {
                    return Err((at, Parsing::TooManyElements { most: MAX_ELEMENTS }));
                }
                if depth >= MAX_DEPTH {
                    return Err((at, Parsing::TooDeep { most: MAX_DEPTH }));
                }
                depth += usize::from(!is_empty);
            }
        }
        at += length;
    }
    Ok(None)
}

/// What begins with a `<`.
enum Markup {
    /// A start tag, or an element that is empty.
    Start { attributes: usize, is_empty: bool },
    /// An end tag.
    End,
    /// A comment, a CDATA section or a processing instruction.
    Other,
}

/// Length in bytes and kind of the markup that the text begins with; `None` where it does not end.
fn measure(markup: &str) -> Option<(usize, Markup)> {
    for (open, close) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if let Some(rest) = markup.strip_prefix(open) {
            return Some((open.len() + rest.find(close)? + close.len(), Markup::Other));
        }
    }
    let mut quote = None;
    let mut attributes = 0;
    let mut last = b'<';
    for (offset, byte) in markup.bytes().enumerate() {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => {
                quote = Some(byte);
                attributes += 1;
            }
            None if byte == b'>' => {
                let start = Markup::Start { attributes, is_empty: last == b'/' };
                return Some((offset + 1, if markup.starts_with("</") { Markup::End } else { start }));
            }
            None => {}
        }
        last = byte;
    }
    None
}

/// Why the text is not well formed, without the position, for people who do not know the grammar of XML.
fn in_words(error: &Error) -> String {
    let short = hint::shortened;
    match error {
        Error::UnexpectedCloseTag(expected, actual, _) => {
            format!("`</{}>` does not close `<{}>`, which is still open", short(actual), short(expected))
        }
        Error::UnclosedRootNode => "the file ends before every element is closed".to_owned(),
        Error::UnexpectedEndOfStream => {
            "the file ends inside a tag, a comment or a quoted value that is not closed".to_owned()
        }
        Error::NoRootNode => "there is no element in the file".to_owned(),
        Error::UnknownEntityReference(name, _) => {
            format!("`&{};` is not defined; write `&amp;` for a plain `&`", short(name))
        }
        Error::MalformedEntityReference(_) => {
            "`&` begins a reference such as `&lt;`; write `&amp;` for a plain `&`".to_owned()
        }
        Error::InvalidAttributeValue(_) => "`<` in a quoted value; write `&lt;` for it".to_owned(),
        Error::DuplicatedAttribute(name, _) => format!("the attribute `{}` stands twice", short(name)),
        Error::UnknownNamespace(prefix, _) => format!("the prefix `{}:` is not declared", short(prefix)),
        Error::UnexpectedDeclaration(_) => {
            "`<?xml … ?>` may stand only at the very beginning of the file".to_owned()
        }
        Error::NonXmlChar(character, _) => {
            format!("the character U+{:04X} is not allowed in XML", u32::from(*character))
        }
        Error::InvalidChar(expected, actual, _) => {
            format!("`{}` was expected, not {}", char::from(*expected), byte_in_words(*actual))
        }
        Error::InvalidChar2(expected, actual, _) => {
            format!("{expected} was expected, not {}", byte_in_words(*actual))
        }
        Error::InvalidString(expected, _) => format!("`{expected}` was expected"),
        Error::InvalidName(_) => {
            "a name was expected, beginning with a letter; write `&lt;` for a plain `<`".to_owned()
        }
        Error::InvalidComment(_) => "a comment may not contain `--`".to_owned(),
        Error::InvalidCharacterData(_) => "`]]>` in a text; write `]]&gt;` for it".to_owned(),
        Error::UnknownToken(_) => "something that is neither an element nor a comment".to_owned(),
        _ => "a namespace declaration or a reference that XML does not allow".to_owned(),
    }
}

/// A byte of a text for a message: the character where it is a visible one.
fn byte_in_words(byte: u8) -> String {
    match byte {
        b'\n' | b'\r' => "the end of the line".to_owned(),
        0x21..=0x7e => format!("`{}`", char::from(byte)),
        b' ' | b'\t' => "a space".to_owned(),
        _ => "a special character".to_owned(),
    }
}

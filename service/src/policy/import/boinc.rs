//! `global_prefs_override.xml`, `global_prefs.xml` and `cc_config.xml` of BOINC as a policy.
//!
//! The tags and their meaning are those that BOINC's `lib/prefs.cpp` reads; the table of the project's
//! reference, section 3f, says which key each of them becomes. A tag that is missing in the file leaves our own
//! default, not BOINC's; `niu_…` ("not in use") that is missing is as in use, which is our rule too.

use super::super::fault::{Fault, FaultKind};
use super::super::hint::shortened;
use super::super::{MAX_POLICY_SIZE, text};
use super::tags::{self, Draft};
use crate::task::document;
use roxmltree::{Document, Node};

/// A policy made of preferences of BOINC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The policy as a file.
    pub toml: String,
    /// What was left out or means something else here, as sentences.
    pub notes: Vec<String>,
}

/// Makes a policy of preferences of BOINC. Where the file has a `<venue>` of the name `venue`, that one counts
/// alone, as in BOINC; else the general preferences do. Faults name the file `preferences`.
///
/// # Errors
///
/// The first fault: not XML, not a file of preferences, or a value that is not one of its tag.
pub fn boinc(xml: &str, venue: Option<&str>) -> Result<Imported, Fault> {
    const FILE: &str = "preferences";
    if xml.len() > MAX_POLICY_SIZE {
        let kind = FaultKind::TooLarge { bytes: xml.len(), most: MAX_POLICY_SIZE };
        return Err(Fault { file: FILE.to_owned(), line: 0, column: 0, kind });
    }
    let document = document::open(xml).map_err(|wrong| {
        let fault = wrong.in_file(xml, FILE);
        let kind = FaultKind::Preferences { reason: fault.kind.to_string() };
        Fault { file: fault.file, line: fault.line, column: fault.column, kind }
    })?;
    read(&document, venue).map_err(|(node, reason)| {
        let place = document.text_pos_at(node.range().start);
        let kind = FaultKind::Preferences { reason };
        Fault { file: FILE.to_owned(), line: place.row, column: place.col, kind }
    })
}

/// Where a fault is, and what it is.
pub(super) type Wrong<'a, 'input> = (Node<'a, 'input>, String);

fn read<'a, 'input>(
    document: &'a Document<'input>,
    venue: Option<&str>,
) -> Result<Imported, Wrong<'a, 'input>> {
    let root = document.root_element();
    let mut draft = Draft::default();
    match root.tag_name().name() {
        "global_preferences" => {
            let chosen = of_venue(root, venue, &mut draft);
            tags::preferences(chosen, &mut draft)?;
        }
        "cc_config" => tags::config(root, &mut draft)?,
        other => {
            let found = shortened(other);
            let reason = format!(
                "the file begins with `{found}`: preferences of BOINC begin with `global_preferences` or `cc_config`"
            );
            return Err((root, reason));
        }
    }
    Ok(draft.finish())
}

/// The element whose children count: the venue that is asked for, or the general preferences.
fn of_venue<'a, 'input>(root: Node<'a, 'input>, venue: Option<&str>, draft: &mut Draft) -> Node<'a, 'input> {
    let venues: Vec<Node<'_, '_>> = root.children().filter(|node| node.has_tag_name("venue")).collect();
    let name = |node: &Node<'_, '_>| text::quoted(&shortened(node.attribute("name").unwrap_or_default()));
    let found = venues.iter().find(|node| venue.is_some() && node.attribute("name") == venue);
    match (venue, found) {
        (Some(_), Some(found)) => return *found,
        (Some(asked), None) => {
            let asked = text::quoted(&shortened(asked));
            draft.note(format!("there is no venue {asked} in the file: the general preferences are taken"));
        }
        (None, _) => {}
    }
    if !venues.is_empty() {
        let names: Vec<String> = venues.iter().map(name).collect();
        draft.note(format!("the preferences of the venues {} are left out", names.join(", ")));
    }
    root
}

//! Holds a document against the table of elements: names, numbers, attributes, stray text, lengths. What the
//! texts say is not looked at here.

use super::MAX_TEXT;
use super::fault::{FaultKind, Parsing};
use super::hint::shortened;
use super::notes::Notes;
use super::reader;
use super::schema::{Attribute, Child, Content, Element, TASK_FILE};
use roxmltree::Node;

/// The namespace of the attribute that tells editors where the schema is.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Notes everything in the tree that the table does not allow. Whether this is a task file at all.
pub(super) fn check(root: Node<'_, '_>, notes: &mut Notes) -> bool {
    if !is_plain(root, notes) {
        return false;
    }
    let found = root.tag_name().name();
    if found != TASK_FILE.name {
        notes.fault(Some(root.range().start), Parsing::NotTaskFile { found: shortened(found) }.into());
        return false;
    }
    check_element(root, &TASK_FILE, notes);
    if !root.children().any(|node| node.has_tag_name("SubTask")) {
        notes.fault(Some(root.range().start), FaultKind::NoSubTask);
    }
    true
}

/// Whether the element is in no namespace; notes it where it is.
fn is_plain(node: Node<'_, '_>, notes: &mut Notes) -> bool {
    let Some(namespace) = node.tag_name().namespace() else { return true };
    let element = shortened(node.tag_name().name());
    let kind = Parsing::Namespace { element, namespace: shortened(namespace) };
    notes.fault(Some(node.range().start), kind.into());
    false
}

/// One element and everything in it; the nesting ends with the table's.
fn check_element(node: Node<'_, '_>, element: &'static Element, notes: &mut Notes) {
    check_attributes(node, element, notes);
    if matches!(element.content, Content::Text) {
        check_length(reader::text_of(node).len(), reader::place_of(node), element.name, notes);
    }
    let children = element.children();
    let mut counts = vec![0_usize; children.len()];
    let mut has_followers = false;
    for inner in node.children() {
        if inner.is_text() && matches!(element.content, Content::Elements { .. }) {
            check_stray(inner, element, notes);
        }
        if !inner.is_element() || !is_plain(inner, notes) {
            continue;
        }
        let name = inner.tag_name().name();
        let known = children.iter().zip(&mut counts).find(|(child, _)| child.element.name == name);
        let Some((child, count)) = known else {
            check_unknown(inner, element, notes);
            continue;
        };
        *count += 1;
        check_count(inner, child, *count, element, notes);
        if child.leads && has_followers {
            notes.fault(Some(inner.range().start), FaultKind::Misplaced { element: child.element.name });
        }
        has_followers |= !child.leads;
        check_element(inner, child.element, notes);
    }
    for (child, count) in children.iter().zip(counts) {
        if count < child.least {
            let kind = FaultKind::MissingElement { element: child.element.name, parent: element.name };
            notes.fault(Some(node.range().start), kind);
        }
    }
}

fn check_stray(inner: Node<'_, '_>, element: &'static Element, notes: &mut Notes) {
    let text = inner.text().unwrap_or_default();
    if !reader::trimmed(text).is_empty() {
        let text = shortened(reader::trimmed(text));
        let kind = FaultKind::StrayText { text, element: element.name, allowed: element.child_names() };
        notes.fault(Some(reader::first_letter(inner)), kind);
    }
}

fn check_unknown(inner: Node<'_, '_>, element: &'static Element, notes: &mut Notes) {
    let name = inner.tag_name().name();
    let kind = if element.reserved_children().contains(&name) {
        FaultKind::NotOffered { what: format!("`{name}` is") }
    } else {
        FaultKind::UnknownElement {
            element: shortened(name),
            parent: element.name,
            hint: element.child_hint(name),
            allowed: element.child_names(),
        }
    };
    notes.fault(Some(inner.range().start), kind);
}

fn check_count(inner: Node<'_, '_>, child: &Child, count: usize, parent: &Element, notes: &mut Notes) {
    let (element, parent) = (child.element.name, parent.name);
    let kind = match child.most {
        1 if count > 1 => FaultKind::Repeated { element, parent },
        most if count > most && count - 1 == most => FaultKind::TooMany { element, parent, most },
        _ => return,
    };
    notes.fault(Some(inner.range().start), kind);
}

fn check_length(bytes: usize, place: usize, name: &str, notes: &mut Notes) {
    if bytes > MAX_TEXT {
        let kind = FaultKind::TextTooLong { name: name.to_owned(), bytes, most: MAX_TEXT };
        notes.fault(Some(place), kind);
    }
}

fn check_attributes(node: Node<'_, '_>, element: &'static Element, notes: &mut Notes) {
    for given in node.attributes() {
        let name = given.name();
        let is_schema = given.namespace() == Some(SCHEMA_INSTANCE) && name == "noNamespaceSchemaLocation";
        if is_schema && element.name == TASK_FILE.name {
            continue;
        }
        let known = element.attributes.iter().find(|known| known.name == name && given.namespace().is_none());
        if let Some(known) = known {
            check_length(given.value().len(), given.range_value().start, name, notes);
            check_words(known, &given, notes);
            continue;
        }
        let kind = if element.reserved.contains(&name) && given.namespace().is_none() {
            FaultKind::NotOffered { what: format!("the attribute `{name}` of `{}` is", element.name) }
        } else {
            FaultKind::UnknownAttribute {
                attribute: shortened(name),
                element: element.name,
                hint: element.attribute_hint(name),
                allowed: element.attribute_names(),
            }
        };
        notes.fault(Some(given.range().start), kind);
    }
    for known in element.attributes.iter().filter(|known| known.required) {
        if node.attribute(known.name).is_none() {
            let kind = FaultKind::MissingAttribute { attribute: known.name, element: element.name };
            notes.fault(Some(node.range().start), kind);
        }
    }
}

fn check_words(known: &Attribute, given: &roxmltree::Attribute<'_, '_>, notes: &mut Notes) {
    let Some(values) = &known.values else { return };
    if !values.words.contains(&given.value()) {
        let text = shortened(given.value());
        let kind = FaultKind::Value { name: known.name, text, expected: values.expected };
        notes.fault(Some(given.range_value().start), kind);
    }
}

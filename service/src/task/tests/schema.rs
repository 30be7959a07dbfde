//! The published schema and the table of elements say the same.

use crate::task::schema::{Attribute, Child, Content, Element, TASK_FILE};
use crate::task::{MAX_ENTRIES, SCHEMA};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;

/// The definition that is called `name`.
fn definition_of<'a>(document: &'a Document<'a>, name: &str) -> Option<Node<'a, 'a>> {
    document.root_element().children().find(|node| {
        node.attribute("name") == Some(name) && matches!(node.tag_name().name(), "complexType" | "simpleType")
    })
}

/// Holds one element and all in it against the type that the schema gives it.
fn check(element: &'static Element, type_name: &str, document: &Document<'_>) {
    let name = element.name;
    let definition = definition_of(document, type_name).unwrap_or_else(|| panic!("no type {type_name}"));
    let of_kind = |kind: &'static str| {
        definition
            .descendants()
            .filter(move |node| node.tag_name().name() == kind && node.has_attribute("name"))
    };
    let is_text = matches!(element.content, Content::Text);
    let has_text = definition.tag_name().name() == "simpleType" || of_kind_text(definition);
    assert_eq!(is_text, has_text, "content of {name}");

    let found: BTreeSet<_> = of_kind("element").filter_map(|node| node.attribute("name")).collect();
    assert_eq!(element.child_names().into_iter().collect::<BTreeSet<_>>(), found, "elements of {name}");
    for Child { element: inner, least, most, .. } in element.children() {
        let all: Vec<_> =
            of_kind("element").filter(|node| node.attribute("name") == Some(inner.name)).collect();
        let is_many = all.iter().any(|node| node.attribute("maxOccurs").is_some());
        assert_eq!(*most > 1, is_many, "{} in {name}", inner.name);
        let bound = all[0].attribute("maxOccurs").and_then(|bound| bound.parse().ok());
        assert!(bound.is_none_or(|bound: usize| bound == *most), "{} in {name}", inner.name);
        if name == "SubTask" {
            assert_eq!(*least == 0, all[0].attribute("minOccurs") == Some("0"), "{} in {name}", inner.name);
        }
        check(inner, all[0].attribute("type").unwrap(), document);
    }

    let found: BTreeSet<_> = of_kind("attribute").filter_map(|node| node.attribute("name")).collect();
    assert_eq!(element.attribute_names().into_iter().collect::<BTreeSet<_>>(), found, "attributes of {name}");
    for Attribute { name: inner, required, values } in element.attributes {
        let node = of_kind("attribute").find(|node| node.attribute("name") == Some(inner)).unwrap();
        assert_eq!(*required, node.attribute("use") == Some("required"), "{inner} of {name}");
        let named = node.attribute("type").and_then(|name| definition_of(document, name));
        let words: Vec<_> = named
            .filter(|_| values.is_some())
            .unwrap_or(node)
            .descendants()
            .filter(|node| node.tag_name().name() == "enumeration")
            .filter_map(|node| node.attribute("value"))
            .collect();
        assert_eq!(values.as_ref().map_or(&[][..], |values| values.words), words, "{inner} of {name}");
    }
    for reserved in element.reserved.iter().chain(element.reserved_children()) {
        assert!(SCHEMA.contains(reserved), "{reserved} of {name} is not mentioned");
    }
}

fn of_kind_text(definition: Node<'_, '_>) -> bool {
    definition.children().any(|node| node.tag_name().name() == "simpleContent")
}

#[test]
fn the_schema_and_the_table_have_the_same_elements_and_attributes() {
    let document = Document::parse(SCHEMA).unwrap();
    check(&TASK_FILE, "TaskFile", &document);
    assert_eq!(MAX_ENTRIES, 4_096);
}

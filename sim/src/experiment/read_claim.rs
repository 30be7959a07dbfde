//! `[[claim]]`.

use super::claim::{Claim, Operand, Relation};
use super::parameter::Value;
use super::read::{Reader, leaves};
use super::sweep::Sweep;
use super::tree::{Node, Tree};

const KEYS: &[&str] = &[
    "metric",
    "equals",
    "at_most",
    "at_least",
    "rises_with",
    "falls_with",
    "tolerance",
    "tolerance_pct",
    "where",
    "about",
];
const RELATIONS: &[&str] = &["equals", "at_most", "at_least", "rises_with", "falls_with"];

/// One claim; none if something about it is wrong.
pub(super) fn claim(reader: &mut Reader, node: &Node, sweep: &Sweep) -> Option<Claim> {
    let table = reader.table(node, "claim", KEYS);
    let Some(metric_node) = table.get("metric") else {
        reader.wrong(node.at, "`claim`: expected a `metric`".into());
        return None;
    };
    let metric = reader.text(metric_node, "claim.metric");
    reader.is_metric(metric_node.at, &metric);
    let said: Vec<&str> = RELATIONS.iter().copied().filter(|key| table.contains_key(key)).collect();
    let relation = match (said.as_slice(), said.first().and_then(|key| table.get(key))) {
        ([key], Some(node)) => relation(reader, key, node, sweep),
        _ => {
            reader.wrong(metric_node.at, format!("`claim`: expected one of `{}`", RELATIONS.join("`, `")));
            return None;
        }
    };
    let mut tolerance = |key| {
        let Some(node) = table.get(key) else { return 0.0 };
        let number = reader.real(node, key);
        if number < 0.0 {
            reader.wrong(node.at, format!("`claim.{key}`: expected a number of at least 0"));
        }
        number
    };
    let (tolerance, tolerance_pct) = (tolerance("tolerance"), tolerance("tolerance_pct"));
    let place = table.get("where").map_or_else(Vec::new, |node| place(reader, node, sweep));
    let about = table.get("about").map(|node| reader.text(node, "claim.about"));
    Some(Claim { metric, relation: relation?, tolerance, tolerance_pct, place, about })
}

fn relation(reader: &mut Reader, key: &str, node: &Node, sweep: &Sweep) -> Option<Relation> {
    if let "rises_with" | "falls_with" = key {
        let swept = reader.text(node, key);
        is_swept(reader, node.at, &swept, sweep);
        return Some(if key == "rises_with" {
            Relation::RisesWith(swept)
        } else {
            Relation::FallsWith(swept)
        });
    }
    let operand = match &node.tree {
        Tree::Value(Value::Text(metric)) => {
            reader.is_metric(node.at, metric);
            Operand::Metric(metric.clone())
        }
        _ => Operand::Number(reader.real(node, key)),
    };
    Some(match key {
        "equals" => Relation::Equals(operand),
        "at_most" => Relation::AtMost(operand),
        _ => Relation::AtLeast(operand),
    })
}

fn is_swept(reader: &mut Reader, at: usize, key: &str, sweep: &Sweep) {
    if !sweep.has(key) && reader.parameter(key, at).is_some() {
        reader.wrong(at, format!("`{key}` is not swept: expected a key of `[sweep]`"));
    }
}

/// Where a claim holds.
fn place(reader: &mut Reader, node: &Node, sweep: &Sweep) -> Vec<(String, Vec<Value>)> {
    let mut place = Vec::new();
    for (key, leaf) in leaves("", node) {
        is_swept(reader, leaf.at, &key, sweep);
        let Some(parameter) = reader.parameter(&key, leaf.at) else { continue };
        let values = match &leaf.tree {
            Tree::List(nodes) => nodes.iter().map(Node::value).collect(),
            _ => leaf.value().map(|value| vec![value]),
        };
        let accept = |value| parameter.accept(value);
        let values = values.and_then(|values: Vec<Value>| values.into_iter().map(accept).collect());
        match values {
            Ok(values) => place.push((key, values)),
            Err(why) => reader.wrong(leaf.at, format!("`claim.where.{key}`: {why}")),
        }
    }
    place
}

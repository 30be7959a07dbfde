//! Who waits for whom: as a tree, and in the language of Graphviz.

use super::clean;
use crate::output::graph::{GraphNode, GraphView};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The points of one element of the task file.
struct Group<'a> {
    name: &'a str,
    points: usize,
    /// How many are in which state.
    states: BTreeMap<&'a str, usize>,
    before: BTreeSet<usize>,
    after: BTreeSet<usize>,
}

/// The graph as a tree: the points of a sweep are one line, and what hangs on several is shown below the first of them.
pub(in crate::output) fn graph(graph: &GraphView) -> String {
    let groups = groups(&graph.sub_tasks);
    let mut text = format!("task {} ({})\n", graph.task, clean(&graph.name));
    let mut shown = BTreeSet::new();
    let roots =
        groups.iter().enumerate().filter(|(_, group)| group.before.is_empty()).map(|(index, _)| index);
    // Sweeps whose points wait for each other's points have no root.
    for root in roots.chain(0..groups.len()) {
        if !shown.contains(&root) {
            tree(root, &groups, "", "", &mut shown, &mut text);
        }
    }
    text
}

/// The graph for Graphviz.
pub(in crate::output) fn dot(graph: &GraphView) -> String {
    let mut text = format!("digraph {} {{\n  rankdir=LR;\n  node [style=filled];\n", quoted(&graph.name));
    for node in &graph.sub_tasks {
        let _ = writeln!(text, "  {} [fillcolor={}];", quoted(&node.name), fill(&node.state));
    }
    for node in &graph.sub_tasks {
        for from in before(node, &graph.sub_tasks) {
            let _ = writeln!(text, "  {} -> {};", quoted(&from.name), quoted(&node.name));
        }
    }
    text.push_str("}\n");
    text
}

fn before<'a>(node: &'a GraphNode, all: &'a [GraphNode]) -> impl Iterator<Item = &'a GraphNode> {
    node.after.iter().filter_map(|index| all.get(usize::try_from(*index).ok()?))
}

/// One line and what hangs on it. `first` leads the line, `rest` those below it.
fn tree(
    index: usize,
    groups: &[Group<'_>],
    first: &str,
    rest: &str,
    shown: &mut BTreeSet<usize>,
    text: &mut String,
) {
    let Some(group) = groups.get(index) else { return };
    if !shown.insert(index) {
        let _ = writeln!(text, "{first}{} (see above)", clean(group.name));
        return;
    }
    let _ = writeln!(text, "{first}{}  {}", label(group), states(group));
    let mut left = group.after.len();
    for next in &group.after {
        left -= 1;
        let (corner, line) = if left == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        tree(*next, groups, &format!("{rest}{corner}"), &format!("{rest}{line}"), shown, text);
    }
}

fn label(group: &Group<'_>) -> String {
    let name = clean(group.name);
    if group.points > 1 { format!("{name}[1-{}]", group.points) } else { name }
}

fn states(group: &Group<'_>) -> String {
    let all: Vec<String> = group
        .states
        .iter()
        .map(|(state, count)| if group.points > 1 { format!("{count} {state}") } else { (*state).to_owned() })
        .collect();
    all.join(", ")
}

fn groups(nodes: &[GraphNode]) -> Vec<Group<'_>> {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut of: Vec<usize> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let name = element(&node.name);
        let index = *by_name.entry(name).or_insert(groups.len());
        if index == groups.len() {
            let (states, before, after) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
            groups.push(Group { name, points: 0, states, before, after });
        }
        if let Some(group) = groups.get_mut(index) {
            group.points += 1;
            *group.states.entry(&node.state).or_default() += 1;
        }
        of.push(index);
    }
    for (node, to) in nodes.iter().zip(&of) {
        for from in node.after.iter().filter_map(|index| of.get(usize::try_from(*index).ok()?)) {
            if let Some(group) = groups.get_mut(*to) {
                group.before.insert(*from);
            }
            if let Some(group) = groups.get_mut(*from) {
                group.after.insert(*to);
            }
        }
    }
    groups
}

/// The name of the element: without the point of its sweep.
fn element(name: &str) -> &str {
    name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map_or(name, |(name, _)| name)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", clean(name).replace('\\', "\\\\").replace('"', "\\\""))
}

fn fill(state: &str) -> &'static str {
    match state {
        "succeeded" => "palegreen",
        "failed" => "lightcoral",
        "cancelled" => "lightgrey",
        "waiting" => "white",
        _ => "lightskyblue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(nodes: &[(&str, &str, &[u32])]) -> GraphView {
        let node = |(name, state, after): &(&str, &str, &[u32])| GraphNode {
            name: (*name).into(),
            state: (*state).into(),
            after: after.to_vec(),
        };
        GraphView { task: 3, name: "t\"".into(), sub_tasks: nodes.iter().map(node).collect() }
    }

    #[test]
    fn a_sweep_is_one_line_and_what_hangs_on_two_is_shown_once() {
        let shown = graph(&view(&[
            ("part[1]", "succeeded", &[]),
            ("part[2]", "running", &[]),
            ("log", "waiting", &[0]),
            ("sum", "waiting", &[0, 1, 2]),
            ("alone", "failed", &[]),
        ]));
        let expected = "task 3 (t\")\npart[1-2]  1 running, 1 succeeded\n├─ log  waiting\n│  └─ sum  waiting\n└─ sum (see above)\n\
                        alone  failed\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn sweeps_that_wait_for_each_other_end() {
        let shown = graph(&view(&[("a[1]", "x", &[]), ("b[1]", "x", &[0]), ("a[2]", "x", &[1])]));
        assert_eq!(
            shown,
            "task 3 (t\")\na[1-2]  2 x\n├─ a (see above)\n"
                .replace("├─ a (see above)\n", "└─ b  x\n   └─ a (see above)\n")
        );
    }

    #[test]
    fn graphviz_gets_every_sub_task_and_every_arrow() {
        let shown = dot(&view(&[("a", "succeeded", &[]), ("b\\", "waiting", &[0, 9])]));
        let expected = "digraph \"t\\\"\" {\n  rankdir=LR;\n  node [style=filled];\n  \"a\" [fillcolor=palegreen];\n  \
                        \"b\\\\\" [fillcolor=white];\n  \"a\" -> \"b\\\\\";\n}\n";
        assert_eq!(shown, expected);
    }
}

//! From an experiment file to an [`Experiment`].
//!
//! The tables `[network]`, `[population]`, `[strategies]`, `[rule]` and `[work]` — any that the model's parameters name —
//! are flattened to dotted keys; `[sweep]` and `[quick]` use the same keys.

use super::claim::{Claim, MAX_CLAIMS};
use super::definition::{Experiment, MAX_REPETITIONS, Quick, Stop};
use super::parameter::{Kind, Parameter, Value};
use super::registry::Registry;
use super::setting::unknown;
use super::sweep::{Axis, Combine, Steps, Sweep, range};
use super::tree::{Node, Problem, Tree, faults, parse};
use super::{Fault, Metric, read_claim};
use std::collections::BTreeMap;

/// The keys and tables of an experiment file that are not parameters.
const TOP: &[&str] = &[
    "name",
    "title",
    "model",
    "hypothesis",
    "expected",
    "seed",
    "repetitions",
    "metrics",
    "stop",
    "sweep",
    "claim",
    "quick",
];
const RANGE: &[&str] = &["from", "to", "step", "count", "scale"];
const STOP: &[&str] = &["metric", "relative_half_width", "at_most"];

/// What has been read of a file, and what is wrong with it.
pub(super) struct Reader {
    pub(super) parameters: Vec<Parameter>,
    pub(super) metrics: &'static [Metric],
    pub(super) problems: Vec<Problem>,
}

/// The experiment that `text` describes.
pub(super) fn experiment(text: &str, registry: &Registry) -> Result<Experiment, Vec<Fault>> {
    let root = parse(text).map_err(|problem| faults(text, vec![problem]))?;
    let mut reader = Reader { parameters: Vec::new(), metrics: &[], problems: Vec::new() };
    let experiment = reader.root(&root, registry);
    let mut problems = reader.problems;
    if problems.is_empty() {
        // What only the whole can show: too many points, or one that the model does not take.
        let checked = experiment.model(registry).and_then(|model| experiment.settings(model));
        if let Err(error) = checked {
            let at = root.iter().find_map(|(name, node)| place(&error.key, name, node)).unwrap_or(0);
            problems.push(Problem { at, message: error.to_string() });
        }
    }
    if problems.is_empty() { Ok(experiment) } else { Err(faults(text, problems)) }
}

/// Where `key` is set, in a table or in the sweep.
fn place(key: &str, name: &str, node: &Node) -> Option<usize> {
    if key == name {
        return Some(node.at);
    }
    let Tree::Table(entries) = &node.tree else { return None };
    let rest = if name == "sweep" { key } else { key.strip_prefix(name)?.strip_prefix('.')? };
    entries.iter().find_map(|(name, node)| place(rest, name, node))
}

/// A value as after `--set KEY=`.
pub(crate) fn value(text: &str) -> Result<Value, ()> {
    let root = parse(&format!("value = {text}")).map_err(|_| ())?;
    match root.as_slice() {
        [(_, node)] => node.value().map_err(|_| ()),
        _ => Err(()),
    }
}

/// A list or a range of values as after `--set KEY=`; none if it is neither.
pub(super) fn axis(text: &str, parameter: &Parameter) -> Result<Option<Axis>, String> {
    let Ok(root) = parse(&format!("value = {text}")) else { return Ok(None) };
    match root.as_slice() {
        [(_, node @ Node { tree: Tree::List(_) | Tree::Table(_), .. })] => {
            let mut reader = Reader { parameters: Vec::new(), metrics: &[], problems: Vec::new() };
            let values = reader.values(parameter, node);
            match reader.problems.into_iter().next() {
                Some(problem) => Err(problem.message),
                None => Ok(Some(Axis { key: parameter.key.into(), values })),
            }
        }
        _ => Ok(None),
    }
}

impl Reader {
    fn root(&mut self, root: &[(String, Node)], registry: &Registry) -> Experiment {
        let find = |key: &str| root.iter().find(|(name, _)| name == key).map(|(_, node)| node);
        let model = self.needed(find("model"), "model");
        match registry.model(&model) {
            Some(model) => (self.parameters, self.metrics) = (model.parameters(), model.metrics()),
            None if !model.is_empty() => {
                let known = registry.models().map(super::Model::name);
                let why = unknown(&model, known).replace("key", "model");
                self.wrong(find("model").map_or(0, |node| node.at), format!("`{model}`: {why}"));
            }
            None => {}
        }
        let name = self.needed(find("name"), "name");
        let text = |reader: &mut Self, key| find(key).map_or_else(String::new, |node| reader.text(node, key));
        let title = text(self, "title");
        let experiment = Experiment {
            title: if title.is_empty() { name.clone() } else { title },
            name,
            hypothesis: text(self, "hypothesis"),
            expected: text(self, "expected"),
            seed: find("seed").map_or(1, |node| self.whole(node, "seed", 0, i64::MAX)),
            repetitions: find("repetitions")
                .map_or(1, |node| self.small(node, "repetitions", MAX_REPETITIONS)),
            metrics: find("metrics").map_or_else(Vec::new, |node| self.metrics(node)),
            stop: find("stop").and_then(|node| self.stop(node)),
            sweep: find("sweep").map_or_else(Sweep::default, |node| self.sweep(node)),
            claims: Vec::new(),
            quick: find("quick").map(|node| self.quick(node)),
            given: if self.parameters.is_empty() { BTreeMap::new() } else { self.given(root) },
            model,
        };
        let claims = find("claim").map_or_else(Vec::new, |node| self.claims(node, &experiment));
        Experiment { claims, ..experiment }
    }

    pub(super) fn wrong(&mut self, at: usize, message: String) {
        self.problems.push(Problem { at, message });
    }

    /// A text that has to be there.
    fn needed(&mut self, node: Option<&Node>, key: &str) -> String {
        match node {
            Some(node) => self.text(node, key),
            None => {
                self.wrong(0, format!("`{key}` is missing: expected a text"));
                String::new()
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node, key: &str) -> String {
        match &node.tree {
            Tree::Value(Value::Text(text)) if !text.is_empty() => text.clone(),
            _ => {
                self.wrong(node.at, format!("`{key}`: expected a text, and not {}", node.text()));
                String::new()
            }
        }
    }

    fn whole(&mut self, node: &Node, key: &str, least: i64, most: i64) -> u64 {
        match node.tree {
            Tree::Value(Value::Integer(whole)) if (least..=most).contains(&whole) => {
                u64::try_from(whole).unwrap_or(0)
            }
            _ => {
                let (kind, text) = (Kind::Integer(least, most), node.text());
                self.wrong(node.at, format!("`{key}`: expected {kind}, and not {text}"));
                1
            }
        }
    }

    fn small(&mut self, node: &Node, key: &str, most: u32) -> u32 {
        u32::try_from(self.whole(node, key, 1, most.into())).unwrap_or(1)
    }

    pub(super) fn real(&mut self, node: &Node, key: &str) -> f64 {
        let number = match &node.tree {
            Tree::Value(value) => value.number(),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.wrong(node.at, format!("`{key}`: expected a number, and not {}", node.text()));
            0.0
        })
    }

    /// The entries of a table whose keys are all among `known`.
    pub(super) fn table<'a>(
        &mut self,
        node: &'a Node,
        name: &str,
        known: &[&str],
    ) -> BTreeMap<&'a str, &'a Node> {
        let Tree::Table(entries) = &node.tree else {
            self.wrong(node.at, format!("`{name}`: expected a table, and not {}", node.text()));
            return BTreeMap::new();
        };
        for (key, node) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            self.wrong(node.at, format!("`{name}.{key}`: {}", unknown(key, known.iter().copied())));
        }
        entries.iter().map(|(key, node)| (key.as_str(), node)).collect()
    }

    /// The list of metrics.
    fn metrics(&mut self, node: &Node) -> Vec<String> {
        let Ok(Value::Texts(names)) = node.value() else {
            self.wrong(node.at, "`metrics`: expected a list of names of metrics".into());
            return Vec::new();
        };
        names.iter().for_each(|name| self.is_metric(node.at, name));
        names
    }

    /// Says so if the model does not measure `name`.
    pub(super) fn is_metric(&mut self, at: usize, name: &str) {
        let is_known = self.metrics.iter().any(|metric| metric.name == name);
        if !is_known && !self.metrics.is_empty() {
            let why = unknown(name, self.metrics.iter().map(|metric| metric.name)).replace("key", "metric");
            self.wrong(at, format!("`{name}`: {why}"));
        }
    }

    fn stop(&mut self, node: &Node) -> Option<Stop> {
        let table = self.table(node, "stop", STOP);
        let find = |key| table.get(key).copied();
        let (Some(metric), Some(width), Some(most)) =
            (find("metric"), find("relative_half_width"), find("at_most"))
        else {
            self.wrong(node.at, "`stop`: expected `metric`, `relative_half_width` and `at_most`".into());
            return None;
        };
        let name = self.text(metric, "stop.metric");
        self.is_metric(metric.at, &name);
        let relative_half_width = self.real(width, "stop.relative_half_width");
        if relative_half_width <= 0.0 {
            self.wrong(width.at, "`stop.relative_half_width`: expected a number above 0".into());
        }
        let at_most = self.small(most, "stop.at_most", MAX_REPETITIONS);
        Some(Stop { metric: name, relative_half_width, at_most })
    }

    /// What the tables of parameters say.
    fn given(&mut self, root: &[(String, Node)]) -> BTreeMap<String, Value> {
        let mut given = BTreeMap::new();
        for (name, node) in root.iter().filter(|(name, _)| !TOP.contains(&name.as_str())) {
            if !matches!(node.tree, Tree::Table(_)) {
                self.wrong(node.at, format!("`{name}`: {}", unknown(name, TOP.iter().copied())));
                continue;
            }
            for (key, leaf) in leaves(name, node) {
                let Some(parameter) = self.parameter(&key, leaf.at) else { continue };
                match leaf.value().and_then(|value| parameter.accept(value)) {
                    Ok(value) => {
                        given.insert(key, value);
                    }
                    Err(why) => self.wrong(leaf.at, format!("`{key}`: {why}")),
                }
            }
        }
        given
    }

    pub(super) fn parameter(&mut self, key: &str, at: usize) -> Option<Parameter> {
        let found = self.parameters.iter().find(|parameter| parameter.key == key).cloned();
        if found.is_none() && !self.parameters.is_empty() {
            let why = unknown(key, self.parameters.iter().map(|parameter| parameter.key));
            self.wrong(at, format!("`{key}`: {why}"));
        }
        found
    }

    fn sweep(&mut self, node: &Node) -> Sweep {
        let mut sweep = Sweep::default();
        for (key, leaf) in leaves("", node) {
            if key == "combine" {
                match self.text(leaf, "sweep.combine").as_str() {
                    "product" => sweep.combine = Combine::Product,
                    "zip" => sweep.combine = Combine::Zip,
                    _ => self.wrong(leaf.at, "`sweep.combine`: expected \"product\" or \"zip\"".into()),
                }
            } else if let Some(parameter) = self.parameter(&key, leaf.at) {
                let values = self.values(&parameter, leaf);
                sweep.axes.push(Axis { key, values });
            }
        }
        sweep
    }

    /// The values of an axis.
    fn values(&mut self, parameter: &Parameter, node: &Node) -> Vec<Value> {
        let key = parameter.key;
        let values = match &node.tree {
            Tree::List(nodes) if !nodes.is_empty() => {
                let accept = |node: &Node| node.value().and_then(|value| parameter.accept(value));
                nodes.iter().map(accept).collect()
            }
            Tree::Table(_) => self.range(parameter, node),
            _ => Err(format!("expected a list of values or a range, and not {}", node.text())),
        };
        values.unwrap_or_else(|why| {
            self.wrong(node.at, format!("`{key}`: {why}"));
            Vec::new()
        })
    }

    fn range(&mut self, parameter: &Parameter, node: &Node) -> Result<Vec<Value>, String> {
        let table = self.table(node, parameter.key, RANGE);
        let mut number = |key| table.get(key).map(|node| self.real(node, key));
        let (from, to, step, count) = (number("from"), number("to"), number("step"), number("count"));
        let (Some(from), Some(to)) = (from, to) else {
            return Err("expected `from` and `to`, with `step` or `count`".into());
        };
        let is_log = match table.get("scale").map(|node| self.text(node, "scale")).as_deref() {
            None | Some("linear") => false,
            Some("log") => true,
            Some(_) => return Err("expected \"linear\" or \"log\" as `scale`".into()),
        };
        let steps = match (step, count) {
            (Some(step), None) if !is_log => Steps::Step(step),
            (None, Some(count)) => {
                let Some(count) = whole(count) else {
                    return Err(format!("expected a whole number as `count`, and not {count}"));
                };
                if is_log { Steps::Log(count) } else { Steps::Linear(count) }
            }
            _ => {
                return Err(
                    "expected either `step`, or `count`, of which `scale = \"log\"` goes with `count`".into(),
                );
            }
        };
        range(parameter, from, to, steps)
    }

    fn quick(&mut self, node: &Node) -> Quick {
        let mut quick = Quick::default();
        for (key, leaf) in leaves("", node) {
            if key == "repetitions" {
                quick.repetitions = Some(self.small(leaf, "quick.repetitions", MAX_REPETITIONS));
            } else if let Some(parameter) = self.parameter(&key, leaf.at) {
                let text = leaf.text();
                let is_value = value(&text).is_ok_and(|value| parameter.accept(value).is_ok());
                if !is_value {
                    self.values(&parameter, leaf);
                }
                quick.set.push((key, text));
            }
        }
        quick
    }

    fn claims(&mut self, node: &Node, experiment: &Experiment) -> Vec<Claim> {
        match &node.tree {
            Tree::List(nodes) if nodes.len() <= MAX_CLAIMS => {
                nodes.iter().filter_map(|node| read_claim::claim(self, node, &experiment.sweep)).collect()
            }
            _ => {
                let message =
                    format!("`claim`: expected at most {MAX_CLAIMS} tables in double brackets, `[[claim]]`");
                self.wrong(node.at, message);
                Vec::new()
            }
        }
    }
}

fn whole(number: f64) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number in the range"
    )]
    (number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

/// Everything in a table that is no table itself, with its dotted key, in the order of the file. A range is a value.
pub(super) fn leaves<'a>(prefix: &str, node: &'a Node) -> Vec<(String, &'a Node)> {
    let Tree::Table(entries) = &node.tree else { return vec![(prefix.to_owned(), node)] };
    if entries.iter().any(|(key, _)| key == "from") {
        return vec![(prefix.to_owned(), node)];
    }
    let inner = entries.iter().map(|(key, node)| {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        leaves(&key, node)
    });
    let mut all: Vec<_> = inner.flatten().collect();
    all.sort_by_key(|(_, node)| node.at);
    all
}

//! `Redundancy`: how often a sub-task is executed, and when results count as equal (paper §III-D). The names follow
//! BOINC's: `target_nresults`, `min_quorum`, `max_total_results`.

use super::decimal::Decimal;
use super::reader::{Parts, Reader, parts, place_of, text_of, trimmed};
use super::rule::Rule;
use super::value::{self, Wrong};
use super::{LocalFile, SubTask, Task, file};
use proto::Money;
use roxmltree::Node;
use std::collections::BTreeSet;

/// The most executions of one sub-task.
pub const MAX_REPLICAS: u32 = 32;

/// How often a sub-task is executed, and when a result is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// `Replicas`: how many executions are bought at first, 1 to [`MAX_REPLICAS`].
    pub replicas: u32,
    /// `Quorum`: how many of them have to agree, 1 to `replicas`; a majority of `replicas` unless stated.
    pub quorum: u32,
    /// `MaxReplicas`: the most executions that are bought while too few agree, `replicas` to [`MAX_REPLICAS`]; as many
    /// as `replicas` unless stated.
    pub max_replicas: u32,
    /// Whether a seller with a good record may get fewer.
    pub replication: Replication,
    /// `Compare`: when two results agree.
    pub compare: Comparison,
    /// `Verify`: a program that tells a right result from a wrong one.
    pub verify: Option<Verifier>,
    /// `Probe`: inputs whose results are known.
    pub probes: Vec<Probe>,
}

/// Whether the number of executions depends on who executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replication {
    /// Always as many as stated.
    #[default]
    Fixed,
    /// `adaptive="true"`: fewer where experience with the seller is good.
    Adaptive,
}

/// When two results agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Every byte of every output is the same.
    #[default]
    Exact,
    /// The same lines, whatever the line ends and the spaces at their ends.
    Text,
    /// The same words, and numbers that differ by at most `abs`, or by at most `rel` of the larger one.
    Numeric {
        /// The largest difference, 0 or more.
        abs: Decimal,
        /// The largest difference as a share of the larger number, 0 or more.
        rel: Decimal,
    },
    /// Pictures of one size.
    Image {
        /// By how much a colour of a pixel may differ, of 255.
        channel: u8,
        /// Which share of the pixels may differ by more, 0 to 1.
        pixels: Decimal,
    },
    /// A program that is given both results and ends with status 0 where they agree.
    Command(LocalFile),
}

/// A program that is given the outputs of an execution and ends with status 0 where they are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// The program.
    pub program: LocalFile,
}

/// A question whose answer is known: a seller that answers it wrongly is not believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// The arguments; none: those of the sub-task.
    pub arguments: Option<Vec<String>>,
    /// Input files, in place of those of the sub-task with the same names.
    pub inputs: Vec<LocalFile>,
    /// What the outputs of these names must be; at least one.
    pub expected: Vec<LocalFile>,
}

impl Default for Redundancy {
    fn default() -> Self {
        Self {
            replicas: 1,
            quorum: 1,
            max_replicas: 1,
            replication: Replication::Fixed,
            compare: Comparison::Exact,
            verify: None,
            probes: Vec::new(),
        }
    }
}

impl Redundancy {
    /// What one replica may cost of a sub-task that may cost `price` in all. Only results that agree are paid, and they
    /// are never more than `replicas`.
    #[must_use]
    pub fn share(&self, price: Money) -> Money {
        Money(price.0.checked_div(u64::from(self.replicas)).unwrap_or(price.0))
    }

    /// Every file of the buyer that it needs.
    pub fn files(&self) -> impl Iterator<Item = &LocalFile> {
        let command = match &self.compare {
            Comparison::Command(file) => Some(file),
            _ => None,
        };
        let verifier = self.verify.as_ref().map(|verifier| &verifier.program);
        let probes = self.probes.iter().flat_map(|probe| probe.inputs.iter().chain(&probe.expected));
        command.into_iter().chain(verifier).chain(probes)
    }
}

impl Task {
    /// How many probes are bought beside each sub-task, in the order of the file: sub-tasks of one program that ask the
    /// same questions share them, and the first of them stands for all.
    #[must_use]
    pub fn probes(&self) -> Vec<u32> {
        let mut known = BTreeSet::new();
        let count = |sub_task: &SubTask| {
            let probes = &sub_task.redundancy.probes;
            if probes.is_empty() {
                return 0;
            }
            // A question without arguments of its own has those of its sub-task.
            let has_own = probes.iter().all(|probe| probe.arguments.is_some());
            let arguments = (!has_own).then_some(&sub_task.arguments);
            let is_new = known.insert((sub_task.program.path.clone(), arguments.cloned(), probes.clone()));
            u32::try_from(probes.len()).ok().filter(|_| is_new).unwrap_or(0)
        };
        self.sub_tasks.iter().map(count).collect()
    }

    /// The most that all of it costs: every sub-task its price, and every probe what one execution may cost.
    #[must_use]
    pub fn most(&self) -> Money {
        let costs = self.sub_tasks.iter().zip(self.probes()).map(|(sub_task, probes)| {
            let share = sub_task.redundancy.share(sub_task.price);
            sub_task.price.0.saturating_add(share.0.saturating_mul(probes.into()))
        });
        Money(costs.fold(0, u64::saturating_add))
    }
}

/// The most probes of one sub-task.
pub(super) const MAX_PROBES: usize = 64;

const REPLICAS: &str = "a whole number from 1 to 32";
const TOLERANCE: &str = "a number of 0 or more, such as 0.001 or 1e-6";
const MOST_TOLERANCE: &str = "20 digits before the point and 18 after it";
const CHANNEL: &str = "a whole number from 0 to 255: by how much a colour may differ";
const SHARE: &str = "a share from 0 to 1: how many of the pixels may differ by more";

/// Reads `Redundancy`.
pub(super) fn read(outer: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Redundancy {
    let Some(node) = outer.get("Redundancy") else { return Redundancy::default() };
    let given = parts(*node);
    let mut number = |name| reader.child(&given, name, replicas);
    let (replicas, quorum, most) = (number("Replicas"), number("Quorum"), number("MaxReplicas"));
    // A quorum alone needs so many executions; a majority of them is asked for unless stated.
    let replicas = replicas.or(quorum).unwrap_or(1);
    let quorum = quorum.unwrap_or(replicas / 2 + 1);
    let max_replicas = most.unwrap_or(replicas);
    let place = |name: &str| Some(given.get(name).map_or(node.range().start, |node| place_of(*node)));
    if quorum > replicas {
        reader.notes.fault(place("Quorum"), Rule::QuorumAboveReplicas { quorum, replicas }.into());
    }
    if max_replicas < replicas {
        let rule = Rule::ReplicasAboveMost { replicas, most: max_replicas };
        reader.notes.fault(place("MaxReplicas"), rule.into());
    }
    let replication = match node.attribute("adaptive") {
        Some("true" | "1") => Replication::Adaptive,
        _ => Replication::Fixed,
    };
    let compare = given.get("Compare").and_then(|node| read_compare(*node, reader)).unwrap_or_default();
    let verify = given.get("Verify").and_then(|node| file::read(*node, "Verify", reader));
    let verify = verify.map(|(program, _)| Verifier { program });
    let probes = reader.list(&given, "Probes", "Probe", |reader, node| read_probe(node, reader));
    Redundancy { replicas, quorum, max_replicas, replication, compare, verify, probes }
}

fn read_compare(node: Node<'_, '_>, reader: &mut Reader<'_>) -> Option<Comparison> {
    let method = node.attribute("method")?;
    let place = Some(place_of(node));
    let has_text = !trimmed(&text_of(node)).is_empty();
    if has_text != (method == "command") {
        reader.notes.fault(place, Rule::CompareProgram { has: has_text }.into());
        return None;
    }
    if !matches!(method, "numeric" | "image") {
        for attribute in ["abs", "rel"] {
            if let Some(given) = node.attribute_node(attribute) {
                let rule = Rule::NoTolerance { attribute, method: method.to_owned() };
                reader.notes.fault(Some(given.range().start), rule.into());
            }
        }
    }
    let mut tolerance = |name, read: fn(&str) -> Result<Decimal, Wrong>| match node.attribute_node(name) {
        Some(given) => reader.attribute(given, name, read),
        None => Some(Decimal::default()),
    };
    Some(match method {
        "text" => Comparison::Text,
        "numeric" => {
            let (abs, rel) = (tolerance("abs", self::tolerance), tolerance("rel", self::tolerance));
            Comparison::Numeric { abs: abs?, rel: rel? }
        }
        "image" => {
            let (channel, pixels) = (tolerance("abs", channel), tolerance("rel", share));
            let channel = u8::try_from(channel?.at_scale(0)?).ok()?;
            Comparison::Image { channel, pixels: pixels? }
        }
        "command" => Comparison::Command(file::read(node, "Compare", reader)?.0),
        _ => Comparison::Exact,
    })
}

fn read_probe(node: Node<'_, '_>, reader: &mut Reader<'_>) -> Option<Probe> {
    let given = parts(node);
    let arguments = given.contains_key("InputParameters").then(|| {
        reader.list(&given, "InputParameters", "Param", |reader, param| reader.exact(param, "Param"))
    });
    let inputs = reader.list(&given, "InputFiles", "InputFile", |reader, node| {
        if let Some(from) = node.attribute_node("from") {
            reader.notes.fault(Some(from.range().start), Rule::ProbeFrom.into());
        }
        file::read(node, "InputFile", reader).map(|(file, _)| file)
    });
    let expected = reader.list(&given, "ExpectedFiles", "ExpectedFile", |reader, node| {
        file::read(node, "ExpectedFile", reader).map(|(file, _)| file)
    });
    Some(Probe { arguments, inputs, expected })
}

fn replicas(text: &str) -> Result<u32, Wrong> {
    value::between(text, 1, MAX_REPLICAS, REPLICAS)
}

/// A number of 0 or more, with or without a power of ten.
fn tolerance(text: &str) -> Result<Decimal, Wrong> {
    use super::decimal::NotDecimal;
    let number = Decimal::parse_scientific(text).map_err(|error| match error {
        NotDecimal::Malformed => Wrong::Expected(TOLERANCE),
        NotDecimal::TooLong => Wrong::AtMost(MOST_TOLERANCE),
    })?;
    if number.digits < 0 { Err(Wrong::Expected(TOLERANCE)) } else { Ok(number) }
}

fn channel(text: &str) -> Result<Decimal, Wrong> {
    let number = value::between(text, 0, 255, CHANNEL)?;
    Ok(Decimal { digits: number.into(), scale: 0 })
}

fn share(text: &str) -> Result<Decimal, Wrong> {
    let share = tolerance(text)?;
    let one = 10_i128.checked_pow(share.scale).ok_or(Wrong::Expected(SHARE))?;
    if share.digits > one { Err(Wrong::Expected(SHARE)) } else { Ok(share) }
}

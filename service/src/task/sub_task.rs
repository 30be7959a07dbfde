//! Reads one sub-task at one point of its sweep.

use super::checkpoint::{self, Base};
use super::fault::FaultKind;
use super::hint::shortened;
use super::link::{self, Links, Source};
use super::path::Files;
use super::reader::{Parts, Reader, parts, place_of, text_of, trimmed};
use super::rule::Rule;
use super::value::{self, Wrong};
use super::variable::{self, NAME_EXPECTED};
use super::{Capacity, Cycles, Limits, LocalFile, Money, OutputFile, Requirements, Span, SubTask};
use super::{deadline, file, redundancy, runtime};
use roxmltree::Node;
use std::collections::BTreeMap;

/// What names of environment variables may not begin with.
const RESERVED_PREFIX: &str = "COMPUP2P_";

/// A sub-task as it was read.
pub(super) struct Reading {
    /// The sub-task; `None` where something that it needs could not be read.
    pub(super) sub_task: Option<SubTask>,
    /// All paths in the results directory that it writes, each with its place in the text.
    pub(super) destinations: Vec<(usize, String)>,
    /// What it says of other sub-tasks.
    pub(super) links: Links,
}

/// Reads the sub-task `node`, which is called `name`.
pub(super) fn read(node: Node<'_, '_>, name: &str, reader: &mut Reader<'_>) -> Reading {
    let parts = parts(node);
    let mut scratch = Scratch { sub_task: name, files: Files::default() };
    let mut destinations = Vec::new();
    let amounts = read_amounts(&parts, reader);
    let program = read_program(&parts, reader, &mut scratch);
    let arguments =
        reader.list(&parts, "InputParameters", "Param", |reader, param| reader.exact(param, "Param"));
    let environment = read_environment(&parts, reader);
    let mut links = read_links(node, &parts, reader);
    let inputs = reader.list(&parts, "InputFiles", "InputFile", |reader, file| {
        if file.has_attribute("from") {
            links.sources.push(read_source(file, reader, &mut scratch)?);
            return None;
        }
        read_local(file, "InputFile", reader, &mut scratch)
    });
    let mut left = Scratch { sub_task: name, files: Files::default() };
    let outputs = reader.list(&parts, "OutputFiles", "OutputFile", |reader, file| {
        let (output, place) = read_output(file, reader, &mut left)?;
        destinations.push((place, output.destination.clone()));
        Some(output)
    });
    let stdin = read_stdin(&parts, reader, &mut links);
    let mut stream = |name| {
        let path = reader.child(&parts, name, value::inside)?;
        destinations.push((parts.get(name).map_or(0, |node| place_of(*node)), path.clone()));
        Some(path)
    };
    let (stdout, stderr) = (stream("StdOut"), stream("StdErr"));
    let requirements = read_requirements(&parts, reader);
    let limits = read_limits(&parts, reader);
    let (retries, success, backoff) = read_retry(&parts, reader);
    let runtime = reader.child(&parts, "Runtime", runtime::read);
    let progress = reader.child(&parts, "Progress", value::inside);
    let deadline = reader.child(&parts, "Deadline", deadline::read);
    let base = Base { runtime, success, memory: limits.memory, disk: limits.disk };
    let checkpoint = checkpoint::read(&parts, &base, reader);
    let redundancy = redundancy::read(&parts, reader);
    let sub_task = amounts.zip(program).map(|((power, work, price), program)| SubTask {
        name: name.to_owned(),
        power,
        work,
        price,
        program,
        arguments,
        environment,
        inputs,
        outputs,
        stdin,
        stdout,
        stderr,
        requirements,
        limits,
        retries,
        backoff,
        success,
        runtime,
        progress,
        deadline,
        depends_on: Vec::new(),
        feeds: Vec::new(),
        checkpoint,
        redundancy,
    });
    Reading { sub_task, destinations, links }
}

/// The files of one kind in the scratch directory of a sub-task.
struct Scratch<'a> {
    sub_task: &'a str,
    files: Files<()>,
}

impl Scratch<'_> {
    /// Adds a file; notes where it collides with one that is there.
    fn add(&mut self, name: &str, place: usize, reader: &mut Reader<'_>) {
        if let Err(clash) = self.files.add(name, ()) {
            let (path, other, sub_task) = (name.to_owned(), clash.other, self.sub_task.to_owned());
            reader.notes.fault(Some(place), FaultKind::SameScratch { path, other, sub_task });
        }
    }
}

fn read_amounts(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Option<(Capacity, Option<Cycles>, Money)> {
    let unit = |name| parts.get(name).and_then(|node| node.attribute("unit"));
    let power = reader.child(parts, "CpuCycles", |text| value::power(text, unit("CpuCycles")));
    let work = reader.child(parts, "Work", |text| value::work(text, unit("Work")));
    let price = reader.child(parts, "Price", value::price);
    Some((power?, work, price?))
}

fn read_program(
    parts: &Parts<'_, '_>,
    reader: &mut Reader<'_>,
    scratch: &mut Scratch<'_>,
) -> Option<LocalFile> {
    read_local(*parts.get("File")?, "File", reader, scratch)
}

/// A file of the buyer in the scratch directory.
fn read_local(
    node: Node<'_, '_>,
    element: &'static str,
    reader: &mut Reader<'_>,
    scratch: &mut Scratch<'_>,
) -> Option<LocalFile> {
    let (file, place) = file::read(node, element, reader)?;
    scratch.add(&file.name, place, reader);
    Some(file)
}

/// What the sub-task says of others, but for its files.
fn read_links(node: Node<'_, '_>, parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Links {
    let names = reader.child(parts, "DependsOn", link::names).unwrap_or_default();
    let place = parts.get("DependsOn").map_or(node.range().start, |node| place_of(*node));
    let waits = names.into_iter().map(|name| (name, place)).collect();
    Links { waits, sources: Vec::new(), place }
}

/// A file of another sub-task in the scratch directory.
fn read_source(node: Node<'_, '_>, reader: &mut Reader<'_>, scratch: &mut Scratch<'_>) -> Option<Source> {
    for attribute in ["sha256", "search"] {
        if let Some(given) = node.attribute_node(attribute) {
            reader.notes.fault(Some(given.range().start), Rule::NotForResults { attribute }.into());
        }
    }
    let from = reader.attribute(node.attribute_node("from")?, "from", sub_task_name)?;
    let is_all = trimmed(&text_of(node)) == link::ALL;
    let path = reader.value(node, "InputFile", if is_all { value::any } else { value::inside })?;
    let place = place_of(node);
    if is_all {
        let name = match node.attribute_node("as") {
            Some(given) => Some(reader.attribute(given, "as", value::folder)?),
            None => None,
        };
        return Some(Source { from, path, name, is_stdin: false, place });
    }
    let (name, name_place) = file::named(node, "InputFile", reader);
    let name = name?;
    scratch.add(&name, name_place, reader);
    Some(Source { from, path, name: Some(name), is_stdin: false, place })
}

/// `StdIn`, where it is a file of the buyer.
fn read_stdin(parts: &Parts<'_, '_>, reader: &mut Reader<'_>, links: &mut Links) -> Option<String> {
    let node = *parts.get("StdIn")?;
    let Some(given) = node.attribute_node("from") else { return reader.value(node, "StdIn", value::local) };
    let from = reader.attribute(given, "from", sub_task_name)?;
    let path = reader.value(node, "StdIn", value::inside)?;
    links.sources.push(Source { from, path, name: None, is_stdin: true, place: place_of(node) });
    None
}

fn sub_task_name(text: &str) -> Result<String, Wrong> {
    let mut names = link::names(text)?;
    match (names.pop(), names.pop()) {
        (Some(name), None) => Ok(name),
        _ => Err(Wrong::Expected(link::ONE_NAME)),
    }
}

/// A file that the program leaves, and the place in the text that says where it goes.
fn read_output(
    node: Node<'_, '_>,
    reader: &mut Reader<'_>,
    left: &mut Scratch<'_>,
) -> Option<(OutputFile, usize)> {
    let name = reader.value(node, "OutputFile", value::inside);
    if let Some(name) = &name {
        left.add(name, place_of(node), reader);
    }
    let (place, destination) = match node.attribute_node("as") {
        Some(given) => (given.range_value().start, reader.attribute(given, "as", value::inside)),
        None => (place_of(node), name.clone()),
    };
    Some((OutputFile { name: name?, destination: destination? }, place))
}

fn read_environment(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    reader.list(parts, "Environment", "Var", |reader, node| {
        let value = reader.exact(node, "Var");
        let given = node.attribute_node("name")?;
        let name = given.value();
        let text = shortened(name);
        let kind = if !variable::is_name(name) {
            FaultKind::Value { name: "name", text, expected: NAME_EXPECTED }
        } else if name.starts_with(RESERVED_PREFIX) {
            FaultKind::ReservedVariable { name: text }
        } else if environment.insert(name.to_owned(), value.unwrap_or_default()).is_some() {
            FaultKind::VariableTwice { name: text, by_caller: false }
        } else {
            return Some(());
        };
        reader.notes.fault(Some(given.range_value().start), kind);
        None
    });
    environment
}

fn read_requirements(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Requirements {
    let Some(node) = parts.get("Requirements") else { return Requirements::default() };
    let asked = self::parts(*node);
    Requirements {
        os: reader.child(&asked, "OS", value::small_word),
        arch: reader.child(&asked, "Arch", value::small_word),
        os_version: reader.child(&asked, "OSVersion", value::version).unwrap_or_default(),
        sandbox: reader.child(&asked, "Sandbox", value::layers).unwrap_or_default(),
        min_cores: reader.child(&asked, "MinCores", value::cores),
        min_memory: reader.child(&asked, "MinMemory", value::size),
        min_disk: reader.child(&asked, "MinDisk", value::size),
        min_reputation: reader.child(&asked, "MinReputation", value::reputation),
    }
}

fn read_limits(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> Limits {
    let usual = Limits::default();
    let Some(node) = parts.get("Limits") else { return usual };
    let given = self::parts(*node);
    reader.child(&given, "Network", value::no_network);
    let mut size = |name, usual| reader.child(&given, name, value::size_above_zero).unwrap_or(usual);
    let (memory, disk, output) =
        (size("Memory", usual.memory), size("Disk", usual.disk), size("Output", usual.output));
    let wall_time = reader.child(&given, "WallTime", value::duration).unwrap_or(usual.wall_time);
    let cpu_time = reader.child(&given, "CpuTime", value::duration);
    let processes = reader.child(&given, "Processes", value::processes).unwrap_or(usual.processes);
    Limits { wall_time, memory, disk, output, processes, cpu_time }
}

/// How often to try again, which exit status is success, and how long to wait before.
fn read_retry(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> (u32, u8, Span) {
    let given = |name| parts.get("Retry").and_then(|node| node.attribute_node(name));
    let max = given("max").and_then(|max| reader.attribute(max, "max", value::retries));
    let success = given("successExitCode");
    let success = success.and_then(|code| reader.attribute(code, "successExitCode", value::exit_code));
    let backoff = given("backoff").and_then(|wait| reader.attribute(wait, "backoff", value::duration));
    (max.unwrap_or(super::DEFAULT_RETRIES), success.unwrap_or(0), backoff.unwrap_or_default())
}

//! Reads one sub-task at one point of its sweep.

use super::fault::FaultKind;
use super::hint::shortened;
use super::path::{self, Files};
use super::reader::{Parts, Reader, parts, place_of};
use super::value;
use super::variable::{self, NAME_EXPECTED};
use super::{
    Capacity, Cycles, Limits, LocalFile, Money, OutputFile, Redundancy, Requirements, Search, Span, SubTask,
};
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
    let inputs = reader.list(&parts, "InputFiles", "InputFile", |reader, file| {
        read_local(file, "InputFile", reader, &mut scratch)
    });
    let mut left = Scratch { sub_task: name, files: Files::default() };
    let outputs = reader.list(&parts, "OutputFiles", "OutputFile", |reader, file| {
        let (output, place) = read_output(file, reader, &mut left)?;
        destinations.push((place, output.destination.clone()));
        Some(output)
    });
    let stdin = reader.child(&parts, "StdIn", value::local);
    let mut stream = |name| {
        let path = reader.child(&parts, name, value::inside)?;
        destinations.push((parts.get(name).map_or(0, |node| place_of(*node)), path.clone()));
        Some(path)
    };
    let (stdout, stderr) = (stream("StdOut"), stream("StdErr"));
    let requirements = read_requirements(&parts, reader);
    let limits = read_limits(&parts, reader);
    let retries = read_retries(&parts, reader);
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
        backoff: Span::default(),
        success: 0,
        runtime: None,
        progress: None,
        deadline: None,
        depends_on: Vec::new(),
        feeds: Vec::new(),
        checkpoint: None,
        redundancy: Redundancy::default(),
    });
    Reading { sub_task, destinations }
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
    reader.child(parts, "CheckPointDataSize", value::no_checkpoints);
    Some((power?, work, price?))
}

fn read_program(
    parts: &Parts<'_, '_>,
    reader: &mut Reader<'_>,
    scratch: &mut Scratch<'_>,
) -> Option<LocalFile> {
    read_local(*parts.get("File")?, "File", reader, scratch)
}

/// A file of the buyer, called in the scratch directory as it says or like the last part of its path.
fn read_local(
    node: Node<'_, '_>,
    element: &'static str,
    reader: &mut Reader<'_>,
    scratch: &mut Scratch<'_>,
) -> Option<LocalFile> {
    let given = node.attribute_node("as");
    let file = reader.value(node, element, |text| {
        let path = value::local(text)?;
        let name = match given {
            Some(_) => String::new(),
            None => path::inside(path::last_part(&path))?,
        };
        Ok(LocalFile { path, name, sha256: None, search: Search::Network })
    });
    let (place, name) = match given {
        Some(given) => (given.range_value().start, reader.attribute(given, "as", value::inside)),
        None => (place_of(node), file.as_ref().map(|file| file.name.clone())),
    };
    let name = name?;
    scratch.add(&name, place, reader);
    Some(LocalFile { name, ..file? })
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
    Limits { wall_time, memory, disk, output, processes: super::DEFAULT_PROCESSES }
}

fn read_retries(parts: &Parts<'_, '_>, reader: &mut Reader<'_>) -> u32 {
    let given = parts.get("Retry").and_then(|node| node.attribute_node("max"));
    given.and_then(|max| reader.attribute(max, "max", value::retries)).unwrap_or(super::DEFAULT_RETRIES)
}

//! Reading a task file and checking it, with the files that it names, before anybody is asked for anything.

use crate::cli::arguments::TaskFile;
use crate::cli::file::{Kind, position, read};
use crate::cli::node::absolute;
use crate::cli::{Stop, exit, value};
use crate::control::Failure;
use crate::output::{Place, Validated};
use proto::Hash;
use service::task::{Fault, Given, LocalFile, MAX_TASK_FILE, Search, SubTask, Task, Warning, line_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The word for an invalid task file.
const INVALID: &str = "task_invalid";
/// What is read as a task file.
const KIND: Kind = Kind {
    word: INVALID,
    name: "task file",
    most: MAX_TASK_FILE,
    advice: "describe sub-tasks that differ in a few values only by one `Sweep`",
};

/// What is read as lines for a sweep.
const LINES: Kind = Kind {
    word: INVALID,
    name: "file of lines",
    most: MAX_TASK_FILE,
    advice: "split it, and submit a task for each part",
};

/// A task file's text and what its relative paths and its variables mean.
#[derive(Clone, Debug)]
pub(in crate::cli) struct TaskText {
    pub(in crate::cli) text: String,
    /// The file as the user named it.
    pub(in crate::cli) file: String,
    /// The directory it is in, absolute.
    pub(in crate::cli) base: PathBuf,
    pub(in crate::cli) set: BTreeMap<String, String>,
    /// The files over whose lines its sweeps go, by the paths in it.
    pub(in crate::cli) lines: BTreeMap<String, String>,
    /// What it says.
    pub(in crate::cli) task: Task,
}

impl TaskText {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// A file that cannot be read, and every fault of one that is not valid.
    pub(in crate::cli) fn read(task: &TaskFile) -> Result<(Self, Validated), Stop> {
        let file = task.file.display().to_string();
        let set = value::by_name(&task.set);
        let set = set.map_err(|message| Failure::new("usage", format!("--set: {message}"), exit::USAGE))?;
        let base = absolute(&task.file)?.parent().unwrap_or(Path::new("/")).to_owned();
        let text = read(&task.file, KIND)?;
        let lines = lines(&text, &file, &base, &set)?;
        let given = Given { set: &set, lines: &lines };
        let parsed = service::task::parse_with(&text, &file, &given).map_err(|faults| {
            let place = |f: &Fault| Place::new(&f.file, (f.line, f.column), &f.kind);
            Stop::Faults(INVALID, faults.iter().map(place).collect())
        })?;
        let named = named_files(&parsed.task);
        let elsewhere = named_elsewhere(&parsed.task);
        let here = named.iter().filter(|path| !elsewhere.contains(*path));
        let mut missing: Vec<Place> = here.filter_map(|path| missing(path, &base, &file, &text)).collect();
        missing.sort_by_key(|place| (place.line, place.column));
        if !missing.is_empty() {
            return Err(Stop::Faults(INVALID, missing));
        }
        let place = |w: &Warning| Place::new(&w.file, (w.line, w.column), &w.kind);
        let warnings = parsed.warnings.iter().map(place).collect();
        let validated = summary(&file, &parsed.task, named.len(), warnings);
        Ok((Self { text, file, base, set, lines, task: parsed.task }, validated))
    }
}

/// Reads the files over whose lines sweeps go.
fn lines(
    text: &str,
    file: &str,
    base: &Path,
    set: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Stop> {
    let mut lines = BTreeMap::new();
    let mut faults = Vec::new();
    for (path, at) in line_files(text, set) {
        match missing(&path, base, file, text) {
            Some(fault) => {
                let (line, column) = position(text, at);
                faults.push(Place { line, column, ..fault });
            }
            None => {
                let content = read(&base.join(&path), LINES)?;
                lines.insert(path, content);
            }
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(Stop::Faults(INVALID, faults)) }
}

/// Every file of the buyer that `task` names, once.
pub(super) fn named_files(task: &Task) -> BTreeSet<&str> {
    let mut all = BTreeSet::new();
    for sub_task in &task.sub_tasks {
        all.insert(sub_task.program.path.as_str());
        all.extend(sub_task.inputs.iter().map(|input| input.path.as_str()));
        all.extend(sub_task.stdin.as_deref());
        all.extend(sub_task.redundancy.files().map(|file| file.path.as_str()));
    }
    all
}

/// The files that the node may find in the network: by a code id, by who has published them, or by what they must hash to.
fn named_elsewhere(task: &Task) -> BTreeSet<&str> {
    let is_told = |file: &&LocalFile| {
        file.search == Search::Network
            && (file.sha256.is_some() || file.path.contains('@') || Hash::from_hex(&file.path).is_some())
    };
    let mut all = BTreeSet::new();
    for SubTask { program, inputs, redundancy, .. } in &task.sub_tasks {
        let files = std::iter::once(program).chain(inputs).chain(redundancy.files());
        all.extend(files.filter(is_told).map(|file| file.path.as_str()));
    }
    all
}

/// What is wrong with the file `path` that the task file `file` names, if anything is.
fn missing(path: &str, base: &Path, file: &str, text: &str) -> Option<Place> {
    let beside = if Path::new(path).is_absolute() { "" } else { " beside the task file" };
    let message = match File::open(base.join(path)).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => return None,
        Ok(_) => format!("`{path}` is not a file"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no file `{path}`{beside}")
        }
        Err(error) => format!("the file `{path}`{beside} cannot be read: {error}"),
    };
    let at = place_of(path, text).map_or((0, 0), |at| position(text, at));
    Some(Place::new(file, at, &message))
}

/// Where `text` names the file `path`: as the content of an element that names files of the buyer. Not found if
/// the path is made of variables.
fn place_of(path: &str, text: &str) -> Option<usize> {
    let names_file = |at: usize| {
        let before = text.get(..at)?.trim_end().strip_suffix('>')?;
        let tag = before.get(before.rfind('<')? + 1..)?;
        let tag = tag.split_whitespace().next()?;
        let after = text.get(at + path.len()..)?.trim_start();
        (matches!(tag, "File" | "InputFile" | "StdIn" | "Verify" | "Compare" | "ExpectedFile")
            && after.starts_with('<'))
        .then_some(at)
    };
    text.match_indices(path).find_map(|(at, _)| names_file(at))
}

fn summary(file: &str, task: &Task, files: usize, warnings: Vec<Place>) -> Validated {
    let price = task.sub_tasks.iter().fold(0_u64, |sum, sub_task| sum.saturating_add(sub_task.price.0));
    Validated {
        file: file.into(),
        name: task.name.clone(),
        sub_tasks: task.sub_tasks.len(),
        price: proto::Money(price).to_string(),
        budget: task.budget.map(|budget| budget.to_string()),
        files,
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "<TaskFile>\n<SubTask><CpuCycles>1</CpuCycles><Price>2</Price>\n  <File>a.wasm</File>\n\
        <InputFiles><InputFile as=\"x\"> in.txt </InputFile></InputFiles>\n\
        <OutputFiles><OutputFile>in.txt</OutputFile></OutputFiles></SubTask></TaskFile>";

    fn check(files: &[(&str, &[u8])], set: &[&str], expected: Result<&str, &str>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        let set = set.iter().map(|text| value::assignment(text).unwrap()).collect();
        let read = TaskText::read(&TaskFile { file: directory.path().join("t.xml"), set });
        let shown = match read {
            Ok((text, validated)) => {
                assert_eq!(text.base, directory.path());
                Ok(format!(
                    "{} {} {} {}",
                    validated.name, validated.sub_tasks, validated.price, validated.files
                ))
            }
            Err(Stop::Faults("task_invalid", places)) => {
                Err(places.iter().map(|place| format!("{place}\n")).collect::<String>())
            }
            Err(Stop::Failure(failure)) => {
                assert_eq!(failure.exit, 2);
                Err(format!("{}: {}\n", failure.code, failure.message))
            }
            Err(Stop::Faults(other, _)) => panic!("{other}"),
        };
        let prefix = format!("{}/", directory.path().display());
        let shown = shown.map_err(|text| text.replace(&prefix, ""));
        assert_eq!(shown.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_task_file_with_all_its_files_is_valid() {
        check(&[("t.xml", TASK.as_bytes()), ("a.wasm", b""), ("in.txt", b"")], &[], Ok("t 1 2 2"));
    }

    #[test]
    fn every_missing_file_is_named_where_it_is_named() {
        let expected = "t.xml:3:9: there is no file `a.wasm` beside the task file\n\
             t.xml:4:32: there is no file `in.txt` beside the task file\n";
        check(&[("t.xml", TASK.as_bytes())], &[], Err(expected));
        let absolute = TASK.replace("a.wasm", "/nowhere/a.wasm");
        let files = [("t.xml", absolute.as_bytes()), ("in.txt", b"".as_slice())];
        check(&files, &[], Err("t.xml:3:9: there is no file `/nowhere/a.wasm`\n"));
        let swept = TASK.replace("a.wasm", "${p}.wasm");
        let files = [("t.xml", swept.as_bytes()), ("in.txt", b"".as_slice())];
        check(&files, &["p=b"], Err("t.xml: there is no file `b.wasm` beside the task file\n"));
    }

    #[test]
    fn every_fault_has_its_line() {
        let bad = TASK.replace("CpuCycles", "CpuCycle").replace("<Price>2", "<Price>0");
        let directory = [("t.xml", bad.as_bytes())];
        let faults = service::task::parse(&bad, "t.xml", &BTreeMap::new()).unwrap_err();
        assert_eq!(faults.len(), 3);
        let expected: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
        check(&directory, &[], Err(&expected));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        check(&[], &[], Err("no_file: t.xml cannot be read: No such file or directory (os error 2)\n"));
        let text = "t.xml:1:4: this is not UTF-8 text; save the file in the encoding UTF-8\n";
        check(&[("t.xml", b"<a \xff>")], &[], Err(text));
        check(&[("t.xml", TASK.as_bytes())], &["a=1", "a=2"], Err("usage: --set: `a` is set twice\n"));
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.xml");
        // A sparse file of a terabyte: reading it would take the memory of the machine.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let Err(Stop::Failure(failure)) = TaskText::read(&TaskFile { file: path, set: Vec::new() }) else {
            panic!()
        };
        assert_eq!(failure.exit, 2);
        assert!(failure.message.ends_with("has 1099511627776 bytes: a task file has at most 16777216 bytes"));
        let endless = TaskText::read(&TaskFile { file: "/dev/zero".into(), set: Vec::new() });
        let Err(Stop::Failure(failure)) = endless else { panic!() };
        assert_eq!(failure.message, "/dev/zero: the file goes on: a task file has at most 16777216 bytes");
    }
}

//! Adds up the results of `examples/queens/tasks.xml` and compares the total with the known one.
//!
//! `merge-queens DIRECTORY` reads the files `column-*.txt`. Exit code 0 when every column is there once and
//! the total is the known one, 1 when not or a file cannot be used, 2 for bad usage.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// Solutions for 1, 2, 3, … queens (OEIS A000170).
const KNOWN: [u64; 20] = [
    1,
    0,
    0,
    2,
    10,
    4,
    40,
    92,
    352,
    724,
    2_680,
    14_200,
    73_712,
    365_596,
    2_279_184,
    14_772_512,
    95_815_104,
    666_090_624,
    4_968_057_848,
    39_029_188_884,
];

/// One line "N COLUMN COUNT".
fn parse(text: &str) -> Option<(usize, usize, u64)> {
    let mut words = text.split_whitespace();
    let line = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(line)
}

/// The number of queens, and the count of each column.
fn read(directory: &Path) -> Result<(usize, BTreeMap<usize, u64>), String> {
    let mut size = None;
    let mut counts = BTreeMap::new();
    let entries = directory.read_dir().map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", directory.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !(name.starts_with("column-") && name.ends_with(".txt")) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).map_err(|error| format!("{name}: {error}"))?;
        let (n, column, count) = parse(&text).ok_or_else(|| format!("{name}: not \"N COLUMN COUNT\""))?;
        if *size.get_or_insert(n) != n {
            return Err(format!("{name}: {n} queens, but other files have another number"));
        }
        if column >= n {
            return Err(format!("{name}: {n} queens have no column {column}"));
        }
        if counts.insert(column, count).is_some() {
            return Err(format!("{name}: column {column} is there twice"));
        }
    }
    let n = size.ok_or_else(|| format!("{}: no files column-*.txt", directory.display()))?;
    Ok((n, counts))
}

fn merge(directory: &Path) -> Result<(), String> {
    let (n, counts) = read(directory)?;
    if let Some(missing) = (0..n).find(|column| !counts.contains_key(column)) {
        return Err(format!("column {missing} of {n} is missing"));
    }
    let total = counts
        .values()
        .try_fold(0_u64, |sum, &count| sum.checked_add(count))
        .ok_or("the counts add up to more than 2^64")?;
    let known = *n
        .checked_sub(1)
        .and_then(|index| KNOWN.get(index))
        .ok_or_else(|| format!("{total} solutions, but no known number for {n} queens to compare with"))?;
    println!("{n} queens: {total} solutions (known: {known})");
    if total == known { Ok(()) } else { Err(format!("{total} is not the known number {known}")) }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: merge-queens DIRECTORY");
        return ExitCode::from(2);
    };
    match merge(Path::new(&directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merge-queens: {error}");
            ExitCode::FAILURE
        }
    }
}

//! The picture of the house (`docs/architecture.md`), held against what Cargo knows.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which room may use which.
const PICTURE: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("chord", &["proto"]),
    ("market", &["proto"]),
    ("bank", &["proto"]),
    ("service", &["bank", "chord", "market", "proto"]),
    ("sim", &["bank", "chord", "market", "proto", "service"]),
    ("instrument", &[]),
    ("compup2p", &["bank", "chord", "instrument", "market", "proto", "service", "sim"]),
];

/// The rooms without a door to the world.
const PURE: &[&str] = &["bank", "chord", "instrument", "market", "service"];

/// What a pure room must not mention outside its tests.
const DOORS: &[&str] = &[
    "std::fs",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::env",
    "tokio",
    "HashMap",
    "HashSet",
    "async fn",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The normal dependencies of every member, as Cargo sees them.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_string();
    packages
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().expect("a list of dependencies");
            let normal = all.iter().filter(|dependency| dependency["kind"].is_null());
            (name(package), normal.map(name).collect())
        })
        .collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn rooms_use_only_the_rooms_above_them() {
    let dependencies = dependencies();
    let rooms: BTreeSet<&str> = PICTURE.iter().map(|(room, _)| *room).collect();
    assert_eq!(dependencies.keys().map(String::as_str).collect::<BTreeSet<_>>(), rooms);
    for (room, allowed) in PICTURE {
        let used: BTreeSet<&str> =
            dependencies[*room].iter().map(String::as_str).filter(|name| rooms.contains(name)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(used.is_subset(&allowed), "{room} uses {used:?}, the picture allows {allowed:?}");
    }
}

#[test]
fn pure_rooms_have_no_door_to_the_world() {
    for room in PURE {
        for file in rust_files(&root().join(room).join("src")) {
            let is_test = file.components().any(|part| part.as_os_str() == "tests")
                || file.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("test"));
            if is_test {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a readable file");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for (number, line) in
                code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                for door in DOORS {
                    assert!(!line.contains(door), "{}:{}: {door}", file.display(), number + 1);
                }
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let long: Vec<String> = PICTURE
        .iter()
        .map(|(room, _)| if *room == "compup2p" { root().join("src") } else { root().join(room) })
        .chain([root().join("tests"), root().join("examples")])
        .flat_map(|directory| rust_files(&directory))
        .filter(|file| !file.components().any(|part| part.as_os_str() == "target"))
        .filter_map(|file| {
            let lines = std::fs::read_to_string(&file).expect("a readable file").lines().count();
            (lines > 500).then(|| format!("{} has {lines} lines", file.display()))
        })
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn the_picture_in_the_documentation_names_every_room() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    for (room, _) in PICTURE {
        assert!(text.contains(&format!("`{room}")), "docs/architecture.md does not name {room}");
    }
}

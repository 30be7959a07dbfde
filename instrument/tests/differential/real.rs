//! Programs that somebody wrote: the examples, and an interpreter.

use crate::machine::{End, Program, Run, When, same};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of the examples with its arguments: how it ends, and how often at least it was interrupted on the way.
fn check(name: &str, arguments: &[&str], end: End, interrupted: u64) {
    let path = format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    let program = Program::new(&std::fs::read(path).expect("an example"));
    let (run, times) = interrupt(program, arguments, &[]);
    assert_eq!(run.end, end, "{name}");
    assert!(times >= interrupted, "{name}: {times} interruptions");
}

/// Runs a program, interrupted about a hundred times.
fn interrupt(mut program: Program, arguments: &[&str], input: &[u8]) -> (Run, u64) {
    program.arguments = [&["program"], arguments].concat().into_iter().map(String::from).collect();
    program.input = input.to_vec();
    program.slice = 1 << 40;
    program.slice = program.rewritten(When::Never).0.cycles / 120 + 1;
    same(&program, u64::MAX)
}

#[test]
fn the_examples_do_the_same_when_they_are_interrupted_everywhere() {
    check("noop/noop.wasm", &[], End::Returned(Vec::new()), 0);
    check("queens/queens.wasm", &["8", "3"], End::Returned(Vec::new()), 60);
    check("options/options.wasm", &["7", "500"], End::Returned(Vec::new()), 60);
    check("figure7/job.exe", &["3", "4"], End::Returned(Vec::new()), 60);
    check("faults/exit3.wasm", &[], End::Exit(3), 0);
    check("faults/trap.wasm", &[], End::Trap("wasm trap: wasm `unreachable` instruction executed".into()), 0);
}

/// What Lua is given: closures, strings, tables, floats, and recursion.
const SCRIPT: &str = r#"
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = word end
table.sort(words)
local steps = (function() local k = 0 return function() k = k + 1 return k * k end end)()
local sum = 0.0
for k = 1, 2000 do sum = sum + math.sin(k) / k end
local text = {}
for k = 1, 50 do text[k] = string.format("%x", k * k) end
print(fib(15), table.concat(words, ","), steps(), steps(), steps(), string.format("%.12f", sum), #table.concat(text), 0/0)
"#;

/// What Lua prints.
const PRINTED: &str = "610\tbrown,dog,fox,jumps,lazy,over,quick,the,the\t1\t4\t9\t1.071196741234\t132\tnan\n";

/// The sources of Lua 5.4 in the crate `lua-src`, wherever Cargo keeps it.
fn sources() -> PathBuf {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform]);
    let metadata = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("Cargo");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("Cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "lua-src").expect("lua-src");
    let root = Path::new(package["manifest_path"].as_str().expect("a path")).parent().expect("a directory");
    let found = std::fs::read_dir(root).expect("its files").map(|entry| entry.expect("an entry").path());
    found.filter(|path| path.to_string_lossy().contains("/lua-5.4")).max().expect("Lua 5.4")
}

#[test]
fn lua_does_the_same_when_it_is_interrupted_everywhere() {
    let module = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lua.wasm");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua.sh");
    let built = Command::new("bash").arg(script).arg(sources()).arg(&module).status().expect("bash");
    assert!(built.success(), "clang and wasi-libc are installed: see the README");
    let program = Program::new(&std::fs::read(&module).expect("a module"));
    let (run, times) = interrupt(program, &[], SCRIPT.as_bytes());
    assert_eq!(
        (run.end, String::from_utf8_lossy(&run.output).as_ref()),
        (End::Returned(Vec::new()), PRINTED)
    );
    assert!(times > 60, "{times} interruptions");
}

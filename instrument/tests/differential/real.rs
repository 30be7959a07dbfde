//! Programs that somebody wrote: the examples, and an interpreter.

use crate::machine::{End, Program, When, same};

/// A program of the examples with its arguments: how it ends, and how often at least it was interrupted on the way.
fn check(name: &str, arguments: &[&str], end: End, interrupted: u64) {
    let path = format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    let program = Program::new(&std::fs::read(path).expect("an example"));
    let (run, times) = interrupt(program, arguments, &[]);
    assert_eq!(run, end, "{name}");
    assert!(times >= interrupted, "{name}: {times} interruptions");
}

/// Runs a program, interrupted about a hundred times.
fn interrupt(mut program: Program, arguments: &[&str], input: &[u8]) -> (End, u64) {
    program.arguments = [&["program"], arguments].concat().into_iter().map(String::from).collect();
    program.input = input.to_vec();
    program.slice = 1 << 40;
    program.slice = program.rewritten(When::Never).0.cycles / 120 + 1;
    let (run, times) = same(&program, u64::MAX);
    (run.end, times)
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

/// `tests/lua.sh` makes the module from Lua's sources; `INSTRUMENT_LUA` says where it is.
#[test]
fn lua_does_the_same_when_it_is_interrupted_everywhere() {
    let Ok(path) = std::env::var("INSTRUMENT_LUA") else {
        eprintln!("INSTRUMENT_LUA is not set: no Lua to test with");
        return;
    };
    let program = Program::new(&std::fs::read(path).expect("a module"));
    let (end, times) = interrupt(program, &[], SCRIPT.as_bytes());
    assert_eq!(end, End::Returned(Vec::new()));
    assert!(times > 60, "{times} interruptions");
    eprintln!("Lua: {times} interruptions");
}

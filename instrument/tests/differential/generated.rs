//! Generated C programs: csmith writes them, clang compiles them at each level of optimisation, and they do the same
//! plain, rewritten, and interrupted at hundreds of polls.

use crate::machine::{End, Program, When, same};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many programs, unless `INSTRUMENT_PROGRAMS` says how many.
const PROGRAMS: u64 = 20;

/// About how often each is interrupted.
const INTERRUPTIONS: i64 = 150;

const LEVELS: [&str; 5] = ["-O0", "-O1", "-O2", "-O3", "-Os"];

/// Programs that run longer than this, or forever, are cut off there, in cycles.
const LIMIT: i64 = 20_000_000;

fn done(command: &mut Command) -> bool {
    command.output().expect("csmith and clang are installed: see the README").status.success()
}

fn compile(seed: u64, level: &str, at: &Path) -> Option<Vec<u8>> {
    let (source, object) = (at.join(format!("{seed}.c")), at.join(format!("{seed}.wasm")));
    let csmith = ["--max-funcs", "6", "--max-block-depth", "4", "--float", "--no-packed-struct", "--seed"];
    assert!(
        done(
            Command::new("csmith").current_dir(at).args(csmith).arg(seed.to_string()).arg("-o").arg(&source)
        ),
        "csmith"
    );
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/generated.c");
    let mut clang = Command::new("clang");
    clang.args([
        "--target=wasm32-wasi",
        "-w",
        "-I/usr/include/csmith",
        level,
        "-mbulk-memory",
        "-mmultivalue",
    ]);
    clang.args(["-msign-ext", "-mnontrapping-fptoint", "-fno-builtin"]);
    if seed.is_multiple_of(2) {
        clang.arg("-msimd128");
    }
    done(clang.arg(&source).arg(support).arg("-lm").arg("-o").arg(&object))
        .then(|| std::fs::read(&object).expect("a module"))
}

fn check(seed: u64, level: &str, at: &Path) -> (End, u64) {
    let module = compile(seed, level, at).unwrap_or_else(|| panic!("clang {level}, seed {seed}"));
    let mut program = Program::new(&module);
    (program.slice, program.limit) = (LIMIT, LIMIT);
    let (first, _) = program.rewritten(When::Never);
    program.slice = first.cycles.min(LIMIT) / INTERRUPTIONS + 1;
    if first.end == End::Limit {
        let (run, _) = program.rewritten(When::Never);
        let (again, times) = program.rewritten(When::Always(u64::MAX));
        assert_eq!(
            (&run.end, &run.output, run.cycles),
            (&again.end, &again.output, again.cycles),
            "seed {seed} {level}"
        );
        return (run.end, times);
    }
    let (run, times) = same(&program, u64::MAX);
    assert_eq!(
        (&run.end, &run.output, run.cycles),
        (&first.end, &first.output, first.cycles),
        "seed {seed} {level}"
    );
    (run.end, times)
}

#[test]
fn generated_programs_do_the_same_when_they_are_interrupted_everywhere() {
    let programs =
        std::env::var("INSTRUMENT_PROGRAMS").ok().and_then(|text| text.parse().ok()).unwrap_or(PROGRAMS);
    let at = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    std::fs::create_dir_all(&at).expect("a directory");
    let (mut ended, mut interrupted) = (0, 0);
    for (seed, level) in (1..=programs).zip(LEVELS.iter().cycle()) {
        let (end, times) = check(seed, level, &at);
        ended += u64::from(end == End::Exit(0) || end == End::Returned(Vec::new()));
        interrupted += times;
    }
    eprintln!("{programs} programs, {ended} ended by themselves, {interrupted} interruptions");
    assert!(
        ended > programs / 3 && interrupted > 20 * programs,
        "{ended} ended, {interrupted} interruptions"
    );
}

//! Random modules: `wasm-smith` makes valid ones out of random bytes. The pass keeps them valid, and they do the same
//! plain, rewritten, and interrupted wherever there can be one, to the cycle.

use crate::machine::{End, Program, is_known, same};
use arbitrary::Unstructured;
use instrument::{Options, instrument};
use wasm_smith::{Config, Module};
use wasmtime::{V128, Val, ValType};

/// How many modules, unless `INSTRUMENT_MODULES` says how many.
const MODULES: u64 = 300;

/// Random bytes that a module is made of.
const BYTES: usize = 4_096;

/// Turns of loops and entries of functions after which a module traps, by a counter of its own that `wasm-smith` puts in.
const FUEL: u32 = 300;

/// Interruptions of a call; from then on it runs through.
const INTERRUPTIONS: u64 = 40;

/// Functions of a module that are called.
const CALLS: usize = 3;

/// A stream of random numbers for a seed (Vigna's xorshift64*, arXiv:1402.6246).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn value(&mut self, ty: &ValType) -> Option<Val> {
        // Small numbers, or any bits: of floats those are NaNs often enough.
        let bits = if self.next().is_multiple_of(2) { self.next() % 70_000 } else { self.next() };
        let low = u32::try_from(bits & 0xffff_ffff).expect("32 bits");
        Some(match ty {
            ValType::I32 => Val::I32(low.cast_signed()),
            ValType::I64 => Val::I64(bits.cast_signed()),
            ValType::F32 => Val::F32(low),
            ValType::F64 => Val::F64(bits),
            ValType::V128 => Val::V128(V128::from(u128::from(bits) << 64 | u128::from(self.next()))),
            ValType::Ref(_) => return None,
        })
    }
}

/// Names the module that a test has failed with.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the random module of seed {}", self.0);
        }
    }
}

/// Modules of what the pass supports, small and with one memory, all of it exported. Every second one has segments, which
/// often do not fit; every fourth has references, most of which the pass refuses.
fn config(seed: u64) -> Config {
    let segments = usize::from(seed.is_multiple_of(2));
    Config {
        min_funcs: 1,
        max_funcs: 6,
        max_imports: 0,
        max_data_segments: segments,
        max_element_segments: segments,
        max_globals: 8,
        max_memories: 1,
        max_memory32_bytes: 4 << 16,
        memory_max_size_required: true,
        max_tables: 2,
        max_table_elements: 32,
        export_everything: true,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        reference_types_enabled: seed.is_multiple_of(4),
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// What came of the random modules.
#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    calls: u64,
    returned: u64,
    interruptions: u64,
}

fn check(seed: u64, tally: &mut Tally) {
    let _told = Told(seed);
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let bytes: Vec<u8> = (0..BYTES / 8).flat_map(|_| random.next().to_le_bytes()).collect();
    let mut module = Module::new(config(seed), &mut Unstructured::new(&bytes)).expect("bytes enough");
    module.ensure_termination(FUEL).expect("no invalid function");
    let module = module.to_bytes();
    if !is_known(&module) || instrument(&module, &Options::default()).is_err() {
        tally.refused += 1;
        return;
    }
    let mut program = Program::new(&module);
    if !program.is_instantiable() {
        return;
    }
    for (entry, takes) in program.functions().into_iter().take(CALLS) {
        let Some(values) = takes.iter().map(|ty| random.value(ty)).collect::<Option<Vec<Val>>>() else {
            continue;
        };
        program = program.call(&entry, &values);
        let (run, times) = same(&program, INTERRUPTIONS);
        tally.calls += 1;
        tally.returned += u64::from(matches!(run.end, End::Returned(_)));
        tally.interruptions += times;
    }
}

#[test]
fn random_modules_stay_valid_and_do_the_same_when_they_are_interrupted_everywhere() {
    let number = |name, otherwise| {
        std::env::var(name).ok().and_then(|text: String| text.parse().ok()).unwrap_or(otherwise)
    };
    let (first, modules) = (number("INSTRUMENT_SEED", 1), number("INSTRUMENT_MODULES", MODULES));
    let mut tally = Tally::default();
    for seed in first..first + modules {
        check(seed, &mut tally);
    }
    eprintln!("{modules} random modules: {tally:?}");
    let Tally { refused, calls, returned, interruptions } = tally;
    assert!(refused < modules / 3 && calls > modules / 2, "{refused} refused, {calls} calls");
    assert!(
        returned > calls / 8 && interruptions > calls,
        "{returned} returned, {interruptions} interruptions"
    );
}

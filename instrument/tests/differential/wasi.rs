//! As much of WASI preview 1 as the programs of these tests need: arguments, standard input and output, an exit, a
//! clock that ticks with each look at it, and randomness that is always the same.

use crate::machine::{self, Host, Stop};
use wasmtime::{Caller, Engine, Linker, Memory, Module};

const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;

/// What the program can see of its host. Part of a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wasi {
    arguments: Vec<String>,
    input: Vec<u8>,
    read: usize,
    ticks: u64,
    pub(crate) output: Vec<u8>,
    /// Interruptions that are left.
    pub(crate) interruptions: u64,
}

impl Wasi {
    pub(crate) fn new(arguments: Vec<String>, input: Vec<u8>) -> Self {
        Self { arguments, input, ..Self::default() }
    }
}

/// A linker with all of this; what else the module imports is a trap.
pub(crate) fn linker(engine: &Engine, module: &Module) -> Linker<Host> {
    let mut linker = machine::linker(engine);
    let wasi = "wasi_snapshot_preview1";
    linker.func_wrap(wasi, "fd_write", write).expect("linked");
    linker.func_wrap(wasi, "fd_read", read).expect("linked");
    linker
        .func_wrap(wasi, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(Stop::Exit(code).into()) })
        .expect("linked");
    linker.func_wrap(wasi, "fd_close", |_: i32| SUCCESS).expect("linked");
    linker.func_wrap(wasi, "fd_seek", |_: i32, _: i64, _: i32, _: i32| 70).expect("linked");
    linker.func_wrap(wasi, "fd_fdstat_get", status).expect("linked");
    linker.func_wrap(wasi, "fd_prestat_get", |_: i32, _: i32| BAD_DESCRIPTOR).expect("linked");
    linker
        .func_wrap(wasi, "environ_sizes_get", |caller: Caller<'_, Host>, count, size| {
            sizes(caller, count, size, &[])
        })
        .expect("linked");
    linker.func_wrap(wasi, "environ_get", |_: i32, _: i32| SUCCESS).expect("linked");
    linker
        .func_wrap(wasi, "args_sizes_get", |caller: Caller<'_, Host>, count, size| {
            let arguments = caller.data().wasi.arguments.clone();
            sizes(caller, count, size, &arguments)
        })
        .expect("linked");
    linker.func_wrap(wasi, "args_get", arguments).expect("linked");
    linker.func_wrap(wasi, "clock_time_get", clock).expect("linked");
    linker.func_wrap(wasi, "random_get", random).expect("linked");
    for import in module.imports() {
        if let (wasmtime::ExternType::Func(ty), true) = (import.ty(), import.module() == "host") {
            // A function of a test: it gives back what it gets.
            let made = linker.func_new("host", import.name(), ty, |mut caller, values, results| {
                for (result, value) in results.iter_mut().zip(values) {
                    *result = machine::zero(value);
                }
                if !machine::interrupted(&mut caller) {
                    results.clone_from_slice(values);
                }
                Ok(())
            });
            made.expect("linked");
        }
    }
    linker.allow_shadowing(true);
    linker.define_unknown_imports_as_traps(module).expect("linked");
    linker
}

fn memory(caller: &Caller<'_, Host>) -> Memory {
    caller.data().memory.expect("a memory")
}

fn word(caller: &Caller<'_, Host>, address: i32) -> usize {
    let address = address.cast_unsigned() as usize;
    let bytes = memory(caller).data(caller)[address..address + 4].try_into().expect("four bytes");
    u32::from_le_bytes(bytes) as usize
}

fn put(caller: &mut Caller<'_, Host>, address: i32, bytes: &[u8]) {
    let address = address.cast_unsigned() as usize;
    memory(caller).data_mut(&mut *caller)[address..address + bytes.len()].copy_from_slice(bytes);
}

fn write(mut caller: Caller<'_, Host>, _descriptor: i32, vectors: i32, count: i32, written: i32) -> i32 {
    if machine::interrupted(&mut caller) {
        return BAD_DESCRIPTOR;
    }
    let mut all = Vec::new();
    for k in 0..count {
        let (start, length) = (word(&caller, vectors + 8 * k), word(&caller, vectors + 8 * k + 4));
        all.extend_from_slice(&memory(&caller).data(&caller)[start..start + length]);
    }
    caller.data_mut().wasi.output.extend_from_slice(&all);
    put(&mut caller, written, &(all.len() as u32).to_le_bytes());
    SUCCESS
}

fn read(mut caller: Caller<'_, Host>, _descriptor: i32, vectors: i32, count: i32, done: i32) -> i32 {
    if machine::interrupted(&mut caller) {
        return BAD_DESCRIPTOR;
    }
    let mut all = 0;
    for k in 0..count {
        let (start, length) = (word(&caller, vectors + 8 * k), word(&caller, vectors + 8 * k + 4));
        let wasi = &mut caller.data_mut().wasi;
        let end = wasi.input.len().min(wasi.read + length);
        let bytes = wasi.input[wasi.read..end].to_vec();
        wasi.read = end;
        all += bytes.len();
        put(&mut caller, start as i32, &bytes);
    }
    put(&mut caller, done, &(all as u32).to_le_bytes());
    SUCCESS
}

/// Every descriptor is a terminal that can be read and written.
fn status(mut caller: Caller<'_, Host>, descriptor: i32, to: i32) -> i32 {
    if descriptor > 2 {
        return BAD_DESCRIPTOR;
    }
    let mut status = [0; 24];
    status[0] = 2;
    status[8] = 0x42;
    put(&mut caller, to, &status);
    SUCCESS
}

fn sizes(mut caller: Caller<'_, Host>, count: i32, size: i32, texts: &[String]) -> i32 {
    let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
    put(&mut caller, count, &(texts.len() as u32).to_le_bytes());
    put(&mut caller, size, &(bytes as u32).to_le_bytes());
    SUCCESS
}

fn arguments(mut caller: Caller<'_, Host>, pointers: i32, mut bytes: i32) -> i32 {
    let arguments = caller.data().wasi.arguments.clone();
    for (k, argument) in (0..).zip(arguments) {
        put(&mut caller, pointers + 4 * k, &bytes.to_le_bytes());
        put(&mut caller, bytes, argument.as_bytes());
        put(&mut caller, bytes + argument.len() as i32, &[0]);
        bytes += argument.len() as i32 + 1;
    }
    SUCCESS
}

fn clock(mut caller: Caller<'_, Host>, _clock: i32, _precision: i64, to: i32) -> i32 {
    if machine::interrupted(&mut caller) {
        return BAD_DESCRIPTOR;
    }
    caller.data_mut().wasi.ticks += 1_000;
    let ticks = caller.data().wasi.ticks;
    put(&mut caller, to, &ticks.to_le_bytes());
    SUCCESS
}

fn random(mut caller: Caller<'_, Host>, to: i32, length: i32) -> i32 {
    for k in 0..length {
        put(&mut caller, to + k, &[(k * 37 + 11) as u8]);
    }
    SUCCESS
}

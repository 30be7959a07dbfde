//! Runs modules in wasmtime: plain, rewritten, and rewritten with an interruption wherever there can be one.

use crate::wasi::{self, Wasi};
use instrument::layout::{self, Kind, Layout};
use instrument::{Options, instrument};
use std::sync::OnceLock;
use wasmtime::{
    Caller, Config, Engine, Extern, ExternType, Global, Instance, Linker, Memory, Module, OptLevel, Store,
    Trap, V128, Val, ValType,
};

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its entry returned these values, by their bits.
    Returned(Vec<u128>),
    /// It called `proc_exit`.
    Exit(i32),
    /// It trapped.
    Trap(String),
    /// Its recursion was too deep.
    TooDeep,
    /// It used more than [`Run::limit`].
    Limit,
}

/// A run and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) end: End,
    pub(crate) output: Vec<u8>,
    /// Memory at the end, if it has any.
    pub(crate) memory: Vec<u8>,
    pub(crate) cycles: i64,
}

/// Where a run is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Nowhere.
    Never,
    /// At every poll and in every host call, as often as this; it goes on in a fresh instance.
    Always(u64),
    /// The same, with budgets of so many cycles instead of [`Program::slice`].
    Sliced(i64, u64),
}

/// A module, plain and rewritten.
pub(crate) struct Program {
    plain: Module,
    rewritten: Module,
    layout: Layout,
    /// Cycles of a budget; with 0 every poll is one.
    pub(crate) slice: i64,
    /// Cycles that it may use.
    pub(crate) limit: i64,
    pub(crate) arguments: Vec<String>,
    pub(crate) input: Vec<u8>,
    /// The function to call.
    pub(crate) entry: String,
    /// What it is called with.
    pub(crate) values: Vec<Val>,
}

/// What the host of a running program knows.
pub(crate) struct Host {
    pub(crate) wasi: Wasi,
    pub(crate) memory: Option<Memory>,
    globals: Option<[Global; 3]>,
    /// The present budget.
    budget: i64,
    used: i64,
    slice: i64,
    limit: i64,
    /// How many more interruptions there are to be.
    interruptions: u64,
    /// Whether the program is being interrupted in a host call.
    in_call: bool,
    /// Whether the next host call was made before.
    resumed: bool,
}

/// The reason of a host that ends a program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("exit {0}")]
    Exit(i32),
    #[error("out of cycles")]
    Limit,
}

struct Snapshot {
    globals: Vec<(String, Val)>,
    stack: Vec<u8>,
    memory: Vec<u8>,
    wasi: Wasi,
    slice: i64,
    used: i64,
    budget: i64,
    next: i64,
    in_call: bool,
}

fn engine(canonical: bool) -> &'static Engine {
    static ENGINES: [OnceLock<Engine>; 2] = [OnceLock::new(), OnceLock::new()];
    ENGINES[usize::from(canonical)].get_or_init(|| {
        let mut config = Config::new();
        config.wasm_multi_memory(true).wasm_branch_hinting(true).wasm_relaxed_simd(false);
        config.cranelift_nan_canonicalization(canonical);
        config.cranelift_opt_level(OptLevel::None);
        config.max_wasm_stack(8 << 20).async_stack_size(16 << 20);
        Engine::new(&config).expect("an engine")
    })
}

/// Whether the engine of these tests knows all that a valid module has: it has no references but those to functions.
pub(crate) fn is_known(module: &[u8]) -> bool {
    Module::validate(engine(true), module).is_ok()
}

impl Program {
    /// From the text or the bytes of a module.
    pub(crate) fn new(module: &[u8]) -> Self {
        Self::with(module, &Options::default())
    }

    pub(crate) fn with(module: &[u8], options: &Options) -> Self {
        let module = wat::parse_bytes(module).expect("a module");
        let instrumented = instrument(&module, options).expect("rewritten");
        Self {
            plain: Module::new(engine(true), &module).expect("the module compiles"),
            rewritten: Module::new(engine(false), &instrumented.module)
                .expect("the rewritten module compiles"),
            layout: instrumented.layout,
            slice: 0,
            limit: i64::MAX,
            arguments: vec!["program".into()],
            input: Vec::new(),
            entry: "_start".into(),
            values: Vec::new(),
        }
    }

    pub(crate) fn call(mut self, entry: &str, values: &[Val]) -> Self {
        self.entry = entry.into();
        self.values = values.to_vec();
        self
    }

    /// Whether its segments fit into its memory and tables, plain as well as rewritten.
    pub(crate) fn is_instantiable(&self) -> bool {
        let is = |canonical, module: &Module| {
            let engine = engine(canonical);
            let mut linker = wasi::linker(engine, module);
            linker.func_wrap(layout::HOST, layout::POLL, poll).expect("a poll");
            linker.instantiate(Store::new(engine, self.host()), module).is_ok()
        };
        let (plain, rewritten) = (is(true, &self.plain), is(false, &self.rewritten));
        assert!(rewritten || !plain, "only the plain module can be instantiated");
        plain
    }

    /// The functions it exports, with what they take; without those that give back a reference.
    pub(crate) fn functions(&self) -> Vec<(String, Vec<ValType>)> {
        let functions = self.plain.exports().filter_map(|export| match export.ty() {
            ExternType::Func(ty) if !ty.results().any(|ty| matches!(ty, ValType::Ref(_))) => {
                Some((export.name().to_string(), ty.params().collect()))
            }
            _ => None,
        });
        functions.collect()
    }

    fn host(&self) -> Host {
        Host {
            wasi: Wasi::new(self.arguments.clone(), self.input.clone()),
            memory: None,
            globals: None,
            budget: self.slice,
            used: 0,
            slice: self.slice,
            limit: self.limit,
            interruptions: 0,
            in_call: false,
            resumed: false,
        }
    }

    /// Runs the module as it was. Its cycles are not known.
    pub(crate) fn plain(&self) -> Run {
        let mut store = Store::new(engine(true), self.host());
        let instance = match wasi::linker(engine(true), &self.plain).instantiate(&mut store, &self.plain) {
            Ok(instance) => instance,
            Err(error) => {
                return Run { end: ending(&error), output: Vec::new(), memory: Vec::new(), cycles: 0 };
            }
        };
        let memory = instance.exports(&mut store).find_map(|export| export.into_memory());
        store.data_mut().memory = memory;
        let end = call(&mut store, instance, &self.entry, &self.values);
        let memory = memory.map(|memory| memory.data(&store).to_vec()).unwrap_or_default();
        Run { end, output: store.into_data().wasi.output, memory, cycles: 0 }
    }

    /// Runs the rewritten module. Says also how often it was interrupted.
    pub(crate) fn rewritten(&self, when: When) -> (Run, u64) {
        let mut host = self.host();
        let (slice, most) = match when {
            When::Never => (self.slice, 0),
            When::Always(most) => (self.slice, most),
            When::Sliced(slice, most) => (slice, most),
        };
        (host.slice, host.budget, host.interruptions) = (slice, slice, most);
        let entries: Vec<&str> =
            self.layout.start.then_some(layout::START).into_iter().chain([self.entry.as_str()]).collect();
        let mut machine = Machine::new(self, host);
        set(&mut machine, layout::METER, Val::I64(slice));
        let (mut entry, mut zeros) = (0, false);
        loop {
            let values = if entry + 1 < entries.len() { &[][..] } else { &self.values[..] };
            let values: Vec<Val> = if zeros { values.iter().map(zero).collect() } else { values.to_vec() };
            let end = call(&mut machine.store, machine.instance, entries[entry], &values);
            let state = machine.global(layout::STATE).unwrap_i32();
            if state == layout::UNWINDING {
                let snapshot = machine.snapshot(self);
                machine = Machine::restore(self, snapshot);
                zeros = true;
                continue;
            }
            if matches!(end, End::Returned(_)) && entry + 1 < entries.len() {
                (entry, zeros) = (entry + 1, false);
                continue;
            }
            let meter = machine.global(layout::METER).unwrap_i64();
            let memory =
                machine.memory.map(|memory| memory.data(&machine.store).to_vec()).unwrap_or_default();
            let host = machine.store.into_data();
            let cycles = host.used + host.budget - meter;
            let end = match end {
                End::Trap(_) if state == layout::TOO_DEEP => End::TooDeep,
                End::Returned(_) if cycles > self.limit => End::Limit,
                end => end,
            };
            let run = Run { end, output: host.wasi.output, memory, cycles };
            return (run, most - host.interruptions);
        }
    }
}

struct Machine {
    store: Store<Host>,
    instance: Instance,
    memory: Option<Memory>,
}

impl Machine {
    fn new(program: &Program, host: Host) -> Self {
        let engine = engine(false);
        let mut store = Store::new(engine, host);
        let mut linker = wasi::linker(engine, &program.rewritten);
        linker.func_wrap(layout::HOST, layout::POLL, poll).expect("a poll");
        let instance = linker.instantiate(&mut store, &program.rewritten).expect("an instance");
        let memory = program
            .layout
            .memory
            .then(|| instance.get_memory(&mut store, layout::MEMORY).expect("its memory"));
        let globals = [layout::METER, layout::NEXT, layout::STATE]
            .map(|name| instance.get_global(&mut store, name).expect(name));
        store.data_mut().globals = Some(globals);
        store.data_mut().memory = memory;
        Self { store, instance, memory }
    }

    fn global(&mut self, name: &str) -> Val {
        self.instance.get_global(&mut self.store, name).expect(name).get(&mut self.store)
    }

    fn snapshot(&mut self, program: &Program) -> Snapshot {
        let globals = program.layout.globals.iter().map(|saved| {
            let value = self.global(&saved.name);
            let kind = match value {
                Val::I32(_) => Kind::I32,
                Val::I64(_) => Kind::I64,
                Val::F32(_) => Kind::F32,
                Val::F64(_) => Kind::F64,
                _ => Kind::V128,
            };
            assert_eq!(kind, saved.kind, "{}", saved.name);
            (saved.name.clone(), value)
        });
        let globals = globals.collect();
        let top = self.global(layout::TOP).unwrap_i32().cast_unsigned() as usize;
        let next = self.global(layout::NEXT).unwrap_i64();
        let stack =
            self.instance.get_memory(&mut self.store, layout::STACK).expect("frames").data(&self.store)
                [..top]
                .to_vec();
        let memory = self.memory.map(|memory| memory.data(&self.store).to_vec()).unwrap_or_default();
        let host = self.store.data();
        let (slice, used, budget, in_call) = (host.slice, host.used, host.budget, host.in_call);
        Snapshot { globals, stack, memory, wasi: host.wasi.clone(), slice, used, budget, next, in_call }
    }

    fn restore(program: &Program, snapshot: Snapshot) -> Self {
        let mut host = program.host();
        host.wasi = snapshot.wasi;
        host.interruptions = host.wasi.interruptions;
        (host.slice, host.resumed) = (snapshot.slice, snapshot.in_call);
        (host.used, host.budget) = (snapshot.used, snapshot.budget);
        let mut machine = Self::new(program, host);
        if let Some(memory) = machine.memory {
            let pages = snapshot.memory.len() as u64 / 65_536 - memory.size(&machine.store);
            memory.grow(&mut machine.store, pages).expect("room");
            memory.data_mut(&mut machine.store).copy_from_slice(&snapshot.memory);
        }
        let stack = machine.instance.get_memory(&mut machine.store, layout::STACK).expect("frames");
        stack.data_mut(&mut machine.store)[..snapshot.stack.len()].copy_from_slice(&snapshot.stack);
        for (name, value) in &snapshot.globals {
            set(&mut machine, name, *value);
        }
        set(&mut machine, layout::TOP, Val::I32(wasi::size(snapshot.stack.len())));
        set(&mut machine, layout::NEXT, Val::I64(snapshot.next));
        set(&mut machine, layout::METER, Val::I64(layout::PARKED));
        set(&mut machine, layout::STATE, Val::I32(layout::REWINDING));
        machine
    }
}

fn set(machine: &mut Machine, name: &str, value: Val) {
    machine
        .instance
        .get_global(&mut machine.store, name)
        .expect(name)
        .set(&mut machine.store, value)
        .expect("its type");
}

/// What the host says when a budget is used up.
fn poll(mut caller: Caller<'_, Host>, meter: i64) -> wasmtime::Result<i64> {
    let [_, next, _] = caller.data().globals.expect("globals");
    let host = caller.data_mut();
    host.used += host.budget - meter;
    if host.used > host.limit {
        (host.budget, host.used) = (0, host.used + meter);
        return Err(Stop::Limit.into());
    }
    host.budget = host.slice;
    if host.interruptions == 0 {
        return Ok(host.slice);
    }
    host.interruptions -= 1;
    host.wasi.interruptions = host.interruptions;
    let slice = host.slice;
    next.set(&mut caller, Val::I64(slice))?;
    Ok(-1)
}

/// Whether a host call is to be left undone, since the program is interrupted here.
pub(crate) fn interrupted(caller: &mut Caller<'_, Host>) -> bool {
    let Some([meter, next, state]) = caller.data().globals else { return false };
    let host = caller.data_mut();
    if std::mem::take(&mut host.resumed) || host.interruptions == 0 {
        return false;
    }
    host.interruptions -= 1;
    host.wasi.interruptions = host.interruptions;
    host.in_call = true;
    let left = meter.get(&mut *caller);
    next.set(&mut *caller, left).expect("a budget");
    meter.set(&mut *caller, Val::I64(layout::PARKED)).expect("a meter");
    state.set(&mut *caller, Val::I32(layout::UNWINDING)).expect("a state");
    true
}

fn call(store: &mut Store<Host>, instance: Instance, entry: &str, values: &[Val]) -> End {
    let function = match instance.get_export(&mut *store, entry) {
        Some(Extern::Func(function)) => function,
        _ => panic!("no function {entry}"),
    };
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    match function.call(&mut *store, values, &mut results) {
        Ok(()) => End::Returned(results.iter().map(bits).collect()),
        Err(error) => ending(&error),
    }
}

fn ending(error: &wasmtime::Error) -> End {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Exit(code) => End::Exit(*code),
            Stop::Limit => End::Limit,
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => End::Trap(trap.to_string()),
        None => panic!("{error:?}"),
    }
}

fn bits(value: &Val) -> u128 {
    match value {
        Val::I32(value) => u128::from(value.cast_unsigned()),
        Val::I64(value) => u128::from(value.cast_unsigned()),
        Val::F32(bits) => u128::from(*bits),
        Val::F64(bits) => u128::from(*bits),
        Val::V128(value) => value.as_u128(),
        Val::FuncRef(function) => u128::from(function.is_some()),
        other => panic!("{other:?}"),
    }
}

/// A zero of the type of a value.
pub(crate) fn zero(value: &Val) -> Val {
    match value {
        Val::I32(_) => Val::I32(0),
        Val::I64(_) => Val::I64(0),
        Val::F32(_) => Val::F32(0),
        Val::F64(_) => Val::F64(0),
        _ => Val::V128(V128::from(0)),
    }
}

/// A linker for what the module imports of WASI.
pub(crate) fn linker(engine: &Engine) -> Linker<Host> {
    Linker::new(engine)
}

/// A budget, in cycles, that lasts for some turns of a small loop.
const SLICE: i64 = 97;

/// Of programs that run long it is so much longer that there are only so many.
const POLLS: i64 = 1_000;

/// Runs a program plain, rewritten, and interrupted everywhere, and after so many cycles: all the same. Returns the run and how often it was interrupted.
pub(crate) fn same(program: &Program, most: u64) -> (Run, u64) {
    let plain = program.plain();
    let (run, _) = program.rewritten(When::Never);
    assert_eq!((&plain.end, text(&plain.output)), (&run.end, text(&run.output)));
    // What a program that traps has stored just before, nobody looks at; its NaNs may be any.
    let is_seen = !plain.memory.is_empty() && !matches!(plain.end, End::Trap(_));
    assert!(!is_seen || plain.memory == run.memory, "memory differs");
    let (again, times) = program.rewritten(When::Always(most));
    assert_eq!((&run.end, text(&run.output), run.cycles), (&again.end, text(&again.output), again.cycles));
    assert!(run.memory == again.memory, "memory differs after interruptions");
    // What is charged before a trap depends on the budgets, and on nothing else.
    let slice = SLICE.max(run.cycles / POLLS);
    let (sliced, _) = program.rewritten(When::Sliced(slice, 0));
    assert_eq!((&run.end, text(&run.output)), (&sliced.end, text(&sliced.output)));
    assert!(run.memory == sliced.memory, "memory differs with other budgets");
    assert!(sliced == program.rewritten(When::Sliced(slice, most)).0, "interruptions between turns are seen");
    (run, times)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

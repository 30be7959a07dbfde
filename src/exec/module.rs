//! Rewritten and compiled modules, kept by the hash of their program.

use super::control::Watch;
use super::format::require_module;
use super::state::State;
use super::wasm::{cut, shorten};
use instrument::{Instrumented, Layout, Options, instrument};
use proto::Hash;
use proto::message::service::Outcome;
use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime::{Engine, ExternType, InstancePre, Linker, Module};

/// Most compiled modules kept.
const MAX_MODULES: usize = 16;
/// Largest program, 32 MiB: bounds the time and memory that compiling takes.
const MAX_PROGRAM: u64 = 32 << 20;
/// How often who waits for a compiler looks whether its execution has to end.
const LOOK: Duration = Duration::from_millis(20);

/// A program, ready to be instantiated, or why it never will be.
type Compiled = Result<Arc<Program>, String>;

/// A rewritten and compiled program.
pub(super) struct Program {
    pub(super) module: InstancePre<State>,
    /// What the rewriting left to drive it by.
    pub(super) layout: Layout,
}

/// The shelf of compiled modules.
pub(super) struct Shelf {
    engine: Engine,
    linker: Linker<State>,
    slots: Mutex<Slots>,
    finished: Condvar,
}

#[derive(Default)]
struct Slots {
    by_hash: BTreeMap<Hash, Slot>,
    /// Counts the uses.
    uses: u64,
}

struct Slot {
    last_use: u64,
    /// `None` while it is being compiled.
    compiled: Option<Compiled>,
}

impl Shelf {
    pub(super) fn new(engine: Engine, linker: Linker<State>) -> Self {
        Self { engine, linker, slots: Mutex::default(), finished: Condvar::new() }
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The compiled program of that hash. Compiles it if nobody has, on a thread of its own, so that a stop or
    /// the wall limit need not wait for the compiler; the result is kept all the same.
    pub(super) fn module(
        self: &Arc<Self>,
        hash: Hash,
        program: &Path,
        watch: &Watch,
    ) -> Result<Arc<Program>, Outcome> {
        let mut slots = self.slots();
        if slots.touch(hash).is_none() {
            drop(slots);
            let bytes = read(program, hash)?;
            slots = self.slots();
            if slots.touch(hash).is_none() {
                slots.begin(hash);
                self.spawn(hash, bytes).inspect_err(|_| {
                    slots.by_hash.remove(&hash);
                })?;
            }
        }
        loop {
            match slots.touch(hash) {
                Some(Slot { compiled: Some(compiled), .. }) => {
                    return compiled.clone().map_err(Outcome::NotRunnable);
                }
                Some(_) => {}
                None => return Err(Outcome::Abandoned("its compiled module was dropped".into())),
            }
            watch.check().map_err(|stop| super::wasm::stopped(stop, watch))?;
            slots =
                self.finished.wait_timeout(slots, LOOK).map_or_else(|e| e.into_inner().0, |(slots, _)| slots);
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, hash: Hash, bytes: Vec<u8>) -> Result<(), Outcome> {
        let shelf = Arc::clone(self);
        let compile = move || {
            let compiled = catch_unwind(AssertUnwindSafe(|| shelf.compile(&bytes)));
            let compiled = compiled.unwrap_or_else(|_| Err("the compiler failed on it".into()));
            shelf.slots().finish(hash, compiled);
            shelf.finished.notify_all();
        };
        let thread = std::thread::Builder::new().name("compile".into()).spawn(compile);
        thread.map(drop).map_err(|error| Outcome::Abandoned(format!("no thread to compile on: {error}")))
    }

    fn compile(&self, bytes: &[u8]) -> Compiled {
        require_module(bytes)?;
        let instrumented = instrument(bytes, &Options::default());
        let Instrumented { module, layout } = instrumented.map_err(|refused| shorten(refused.to_string()))?;
        let module = Module::new(&self.engine, &module).map_err(|error| cut(&error))?;
        match module.get_export("_start") {
            Some(ExternType::Func(start)) if start.params().len() == 0 && start.results().len() == 0 => {}
            Some(_) => return Err("its `_start` is not a function without parameters and results".into()),
            None => return Err("it has no `_start` function: not a command module of WASI preview 1".into()),
        }
        let module = self.linker.instantiate_pre(&module).map_err(|error| cut(&error))?;
        Ok(Arc::new(Program { module, layout }))
    }
}

impl Slots {
    /// The slot of that hash, now the one used last.
    fn touch(&mut self, hash: Hash) -> Option<&Slot> {
        self.uses += 1;
        let slot = self.by_hash.get_mut(&hash)?;
        slot.last_use = self.uses;
        Some(slot)
    }

    fn begin(&mut self, hash: Hash) {
        let finished = self.by_hash.iter().filter(|(_, slot)| slot.compiled.is_some());
        let oldest = finished.min_by_key(|(_, slot)| slot.last_use).map(|(hash, _)| *hash);
        if let Some(oldest) = oldest.filter(|_| self.by_hash.len() >= MAX_MODULES) {
            self.by_hash.remove(&oldest);
        }
        self.by_hash.insert(hash, Slot { last_use: self.uses, compiled: None });
    }

    fn finish(&mut self, hash: Hash, compiled: Compiled) {
        if let Some(slot) = self.by_hash.get_mut(&hash) {
            slot.compiled = Some(compiled);
        }
    }
}

/// Reads a program and holds it against its hash.
fn read(program: &Path, hash: Hash) -> Result<Vec<u8>, Outcome> {
    let unreadable = |error| Outcome::Abandoned(format!("its program cannot be read: {error}"));
    let file = std::fs::File::open(program).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_PROGRAM + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_PROGRAM) {
        return Err(Outcome::NotRunnable("the file is larger than 32 MiB".into()));
    }
    if Hash::of(&bytes) != hash {
        return Err(Outcome::NotFetched("the program does not have the hash it was named by".into()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_that_was_not_used_for_longest_makes_room() {
        let mut slots = Slots::default();
        let name = |number: u8| Hash([number; 32]);
        let all = u8::try_from(MAX_MODULES).unwrap();
        for number in 0..all {
            slots.begin(name(number));
            slots.finish(name(number), Err("not a module".into()));
            slots.touch(name(number));
        }
        slots.touch(name(0));
        slots.begin(name(all));
        assert_eq!(slots.by_hash.len(), MAX_MODULES);
        assert!(slots.touch(name(1)).is_none());
        assert!([0, 2, all].into_iter().all(|number| slots.touch(name(number)).is_some()));
    }

    #[test]
    fn modules_that_are_being_compiled_are_not_dropped() {
        let mut slots = Slots::default();
        let more = u8::try_from(MAX_MODULES).unwrap() + 1;
        for number in 0..more {
            slots.begin(Hash([number; 32]));
        }
        assert_eq!(slots.by_hash.len(), usize::from(more));
    }
}

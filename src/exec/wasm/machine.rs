//! A program in its instance: run in slices, saved where it stands, and taken up again.
//!
//! How the rewritten module is driven is told in `instrument::layout`.

use super::super::control::{Look, Wishes};
use super::super::module::Program;
use super::super::saved::Snapshot;
use super::super::span_since;
use super::super::state::{Parts, State};
use super::snapshot::Base;
use instrument::layout;
use proto::{Cycles, Hash};
use std::sync::Arc;
use std::time::Instant;
use wasmtime::{Engine, Instance, Store, Val};

/// How an entry returned.
pub(super) enum End {
    /// The program has ended by returning.
    Returned,
    /// It was saved, and does not go on here.
    Suspended(Snapshot),
    /// Its recursion was too deep.
    TooDeep,
}

/// Which of its entries runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// What the module's start section names.
    Start,
    /// The program itself.
    Main,
}

impl Phase {
    const fn entry(self) -> &'static str {
        match self {
            Self::Start => layout::START,
            Self::Main => "_start",
        }
    }
}

/// A program that runs.
pub(super) struct Machine {
    pub(super) program: Arc<Program>,
    pub(super) hash: Hash,
    pub(super) store: Store<State>,
    pub(super) instance: Instance,
    pub(super) parts: Parts,
    pub(super) phase: Phase,
    /// Its frames are saved and have to be taken up again.
    pub(super) is_saved: bool,
    /// What its next snapshot may be a difference to.
    pub(super) base: Option<Base>,
}

impl Machine {
    /// A program at its start. The error comes with the state, which may know the reason.
    pub(super) fn new(
        engine: &Engine,
        program: Arc<Program>,
        hash: Hash,
        state: State,
    ) -> Result<Self, (wasmtime::Error, Box<State>)> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        let made = program.module.instantiate(&mut store).and_then(|instance| {
            let parts = parts(&mut store, &instance, program.layout.memory)?;
            store.data_mut().parts = Some(parts);
            let budget = store.data().meter.budget();
            parts.meter.set(&mut store, Val::I64(budget))?;
            Ok((instance, parts))
        });
        match made {
            Ok((instance, parts)) => {
                let phase = if program.layout.start { Phase::Start } else { Phase::Main };
                Ok(Self { program, hash, store, instance, parts, phase, is_saved: false, base: None })
            }
            Err(error) => Err((error, Box::new(store.into_data()))),
        }
    }

    /// Runs it until it ends or is suspended.
    pub(super) fn run(&mut self) -> wasmtime::Result<End> {
        self.store.data().watch.check()?;
        loop {
            if self.is_saved {
                self.rewind()?;
            }
            let entry = self.instance.get_typed_func::<(), ()>(&mut self.store, self.phase.entry())?;
            let called = entry.call(&mut self.store, ());
            match self.state_word() {
                layout::UNWINDING => {
                    called?;
                    self.is_saved = true;
                    if let Some(snapshot) = self.stand()? {
                        return Ok(End::Suspended(snapshot));
                    }
                }
                layout::TOO_DEEP => {
                    self.read_meter();
                    return Ok(End::TooDeep);
                }
                _ => {
                    self.read_meter();
                    called?;
                    match self.phase {
                        Phase::Start => self.phase = Phase::Main,
                        Phase::Main => return Ok(End::Returned),
                    }
                }
            }
        }
    }

    /// Fulfils the wishes of the outside while the program stands saved, and waits as long as it is held back; gives the
    /// snapshot with which it has to end.
    fn stand(&mut self) -> wasmtime::Result<Option<Snapshot>> {
        loop {
            let Wishes { is_suspended, asked, whole } = self.store.data().watch.control.take_wishes();
            if is_suspended || !asked.is_empty() {
                let began = Instant::now();
                // What goes on elsewhere is whole, so that it needs nothing else.
                let mut snapshot = self.snapshot(whole.filter(|_| !is_suspended))?;
                snapshot.took = span_since(began);
                for one in asked {
                    // Who asked may have gone.
                    let _ = one.send(snapshot.clone());
                }
                if is_suspended {
                    return Ok(Some(snapshot));
                }
            }
            if self.store.data().watch.look()? == Look::GoOn {
                return Ok(None);
            }
        }
    }

    /// Lets the frames be taken up again with the next call of the entry.
    fn rewind(&mut self) -> wasmtime::Result<()> {
        let budget = self.store.data().meter.budget();
        self.parts.next.set(&mut self.store, Val::I64(budget))?;
        self.parts.meter.set(&mut self.store, Val::I64(layout::PARKED))?;
        self.parts.state.set(&mut self.store, Val::I32(layout::REWINDING))?;
        self.store.data_mut().is_taken_up = true;
        self.is_saved = false;
        Ok(())
    }

    fn state_word(&mut self) -> i32 {
        self.parts.state.get(&mut self.store).i32().unwrap_or(layout::NORMAL)
    }

    /// Reads the meter of a program that is not saved.
    fn read_meter(&mut self) {
        if let Some(left) =
            self.parts.meter.get(&mut self.store).i64().filter(|left| *left > layout::PARKED / 2)
        {
            self.store.data_mut().meter.read(left);
        }
    }

    /// What the program has used here.
    pub(super) fn cycles(&self) -> Cycles {
        self.store.data().meter.cycles()
    }

    pub(super) fn state(&self) -> &State {
        self.store.data()
    }
}

/// The program's budget is used up: gives it the next, or tells it to save itself.
pub(super) fn poll(state: &mut State, left: i64) -> wasmtime::Result<i64> {
    state.meter.read(left);
    state.watch.control.publish(state.meter.cycles());
    if state.meter.is_over() {
        return Err(OverCycles.into());
    }
    let look = state.watch.look()?;
    state.meter.refill();
    let is_taken_up = std::mem::take(&mut state.is_taken_up);
    Ok(if look == Look::Save && !is_taken_up { -1 } else { state.meter.budget() })
}

/// The program has used more cycles than it may; the meter knows how many.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("over its limit of cycles")]
struct OverCycles;

/// Looks, in a call to the host, whether the program is to be saved; if so, it does that when the call returns, and makes
/// the same call again when it goes on. A program that was just taken up does something first, so that who is saved again and
/// again comes to an end all the same.
pub(in super::super) fn look(caller: &mut wasmtime::Caller<'_, State>) -> wasmtime::Result<Look> {
    let look = caller.data().watch.look()?;
    let parts = caller.data().parts;
    let is_taken_up = std::mem::take(&mut caller.data_mut().is_taken_up);
    let Some(parts) = parts.filter(|_| look == Look::Save && !is_taken_up) else { return Ok(Look::GoOn) };
    let left = parts.meter.get(&mut *caller);
    caller.data_mut().meter.read(left.i64().unwrap_or(0));
    parts.next.set(&mut *caller, left)?;
    parts.meter.set(&mut *caller, Val::I64(layout::PARKED))?;
    parts.state.set(&mut *caller, Val::I32(layout::UNWINDING))?;
    Ok(Look::Save)
}

/// Finds what an instance is driven by.
fn parts(store: &mut Store<State>, instance: &Instance, has_memory: bool) -> wasmtime::Result<Parts> {
    let missing = |name: &str| wasmtime::Error::msg(format!("the rewritten module has no {name}"));
    let mut global = |name| instance.get_global(&mut *store, name).ok_or_else(|| missing(name));
    let (meter, next) = (global(layout::METER)?, global(layout::NEXT)?);
    let (state, top) = (global(layout::STATE)?, global(layout::TOP)?);
    let mut memory = |name| instance.get_memory(&mut *store, name).ok_or_else(|| missing(name));
    let stack = memory(layout::STACK)?;
    let memory = if has_memory { Some(memory(layout::MEMORY)?) } else { None };
    Ok(Parts { meter, next, state, top, stack, memory })
}

//! How fast one core executes cycles: a kernel of fixed work, and the time of a core that it takes. Not the time on
//! the wall: a measurement beside sub-tasks, or beside other nodes that start, shares its core with them.

use instrument::{Options, instrument, layout};
use proto::{Capacity, Span};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use wasmtime::{Caller, Engine, Global, Instance, Linker, Module, Store, Val};

/// The kernel, encoded from `kernel.wat`.
const KERNEL: &[u8] = include_bytes!("kernel.wasm");
/// Slices of a measurement; the best counts.
const SLICES: u32 = 8;
/// Turns of the first slice, which only warms up; below a millisecond on any machine.
const FIRST_TURNS: i32 = 10_000;

/// Mc/s of one core; 0 if the kernel does not run.
pub(super) fn measure(engine: &Engine, time: Span) -> Capacity {
    let slice = Duration::from_micros(time.0) / SLICES;
    let mut turns = FIRST_TURNS;
    let mut best = 0;
    let started = Instant::now();
    let Ok(mut kernel) = Kernel::new(engine) else { return Capacity(0) };
    for _ in 0..SLICES * 4 {
        let Some((cycles, elapsed)) = kernel.run(turns) else { break };
        if elapsed * 2 < slice {
            // Too short to be the work of a whole slice: still feeling the way.
            turns = turns.saturating_mul(4);
        } else {
            let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
            best = best.max(cycles / micros);
        }
        if best > 0 && started.elapsed() >= slice * SLICES {
            break;
        }
    }
    Capacity(best)
}

/// The kernel, rewritten as every program is, and looked at as often.
struct Kernel {
    /// Cycles until the present budget began.
    store: Store<u64>,
    instance: Instance,
    meter: Global,
}

impl Kernel {
    fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let rewritten = instrument(KERNEL, &Options::default()).map_err(wasmtime::Error::new)?;
        let module = Module::new(engine, &rewritten.module)?;
        let mut linker = Linker::new(engine);
        linker.func_wrap(layout::HOST, layout::POLL, |mut caller: Caller<'_, u64>, left: i64| {
            let used = caller.data_mut();
            *used = used.saturating_add_signed(layout::SLICE.saturating_sub(left));
            layout::SLICE
        })?;
        let mut store = Store::new(engine, 0);
        let instance = linker.instantiate(&mut store, &module)?;
        let meter = instance.get_global(&mut store, layout::METER);
        let meter = meter.ok_or_else(|| wasmtime::Error::msg("the kernel has no meter"))?;
        Ok(Self { store, instance, meter })
    }

    /// Cycles and time of that many turns.
    fn run(&mut self, turns: i32) -> Option<(u64, Duration)> {
        *self.store.data_mut() = 0;
        self.meter.set(&mut self.store, Val::I64(layout::SLICE)).ok()?;
        let run = self.instance.get_typed_func::<i32, f64>(&mut self.store, "run").ok()?;
        let started = used();
        run.call(&mut self.store, turns).ok()?;
        let elapsed = used().saturating_sub(started);
        let left = self.meter.get(&mut self.store).i64()?;
        Some((self.store.data().saturating_add_signed(layout::SLICE.saturating_sub(left)), elapsed))
    }
}

/// The time that this thread has had a core.
fn used() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{KERNEL, Kernel};

    #[test]
    fn the_encoded_kernel_is_its_text() {
        assert_eq!(wat::parse_str(include_str!("kernel.wat")).unwrap(), KERNEL);
    }

    #[test]
    fn a_turn_of_the_kernel_costs_the_same_everywhere() {
        let mut kernel = Kernel::new(&crate::exec::wasm::engine(None).unwrap()).unwrap();
        let (cycles, _) = kernel.run(1_000).unwrap();
        assert_eq!(cycles, 67_011);
    }
}

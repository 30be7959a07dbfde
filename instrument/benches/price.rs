//! What it costs to be metered, pre-emptible, canonical and suspendable: five kernels, each plain, with wasmtime's fuel,
//! rewritten by the pass, and with Binaryen's asyncify and a poll (if `wasm-opt` is installed), in turns in one process.
//! Prints times and their ratios to the plain one.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends if it cannot run"
)]

use instrument::{Options, instrument, layout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, TypedFunc, Val};

/// The kernels with the size of each, about a third of a second.
const KERNELS: [(&str, i32); 5] =
    [("bodies", 1_000_000), ("hash", 200_000), ("matrix", 60), ("queens", 13), ("sieve", 40)];

/// Each is run this often; the best counts.
const TURNS: usize = 5;

/// One way to run the kernels.
struct Way {
    name: &'static str,
    store: Store<()>,
    instance: Instance,
}

fn main() {
    let at = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let module = compile(&at.join("kernels.wasm"), &[])
        .expect("clang and lld for WebAssembly are installed: see the README");
    let rewritten = instrument(&module, &Options::default()).expect("rewritten");
    println!("{} bytes, rewritten {} bytes", module.len(), rewritten.module.len());
    let mut ways =
        vec![Way::new("plain", &module), Way::new("fuel", &module), Way::new("pass", &rewritten.module)];
    if let Some(module) = asyncified(&at) {
        ways.push(Way::new("asyncify", &module));
    }
    let mut ratios = vec![Vec::new(); ways.len()];
    for (kernel, size) in KERNELS {
        let times = measure(&mut ways, kernel, size);
        for ((way, time), ratios) in ways.iter().zip(&times).zip(&mut ratios) {
            let ratio = time.as_secs_f64() / times.first().map_or(1.0, Duration::as_secs_f64);
            println!("{kernel:8} {:9} {:8.1} ms  {ratio:5.2}", way.name, time.as_secs_f64() * 1e3);
            ratios.push(ratio);
        }
    }
    for (way, mut ratios) in ways.iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("median   {:9}              {:5.2}", way.name, ratios.get(ratios.len() / 2).unwrap_or(&0.0));
    }
}

/// The best time of each way; they take turns.
fn measure(ways: &mut [Way], kernel: &str, size: i32) -> Vec<Duration> {
    let mut best = vec![Duration::MAX; ways.len()];
    let mut results = Vec::new();
    for _ in 0..TURNS {
        for (way, best) in ways.iter_mut().zip(&mut best) {
            let (result, time) = way.run(kernel, size);
            results.push(result.to_bits());
            *best = time.min(*best);
        }
    }
    assert!(results.windows(2).all(|two| two.first() == two.last()), "{kernel}: the ways differ");
    best
}

impl Way {
    fn new(name: &'static str, module: &[u8]) -> Self {
        let mut config = Config::new();
        config
            .wasm_multi_memory(true)
            .wasm_branch_hinting(true)
            .max_wasm_stack(8 << 20)
            .async_stack_size(16 << 20);
        config.consume_fuel(name == "fuel");
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::new(&engine, module).expect("the module compiles");
        let mut linker = Linker::new(&engine);
        linker.func_wrap(layout::HOST, layout::POLL, |_: i64| layout::SLICE).expect("linked");
        linker.func_wrap("host", "poll", || {}).expect("linked");
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).expect("an instance");
        Self { name, store, instance }
    }

    fn run(&mut self, kernel: &str, size: i32) -> (f64, Duration) {
        if self.name == "fuel" {
            self.store.set_fuel(u64::MAX).expect("fuel");
        }
        if let Some(meter) = self.instance.get_global(&mut self.store, layout::METER) {
            meter.set(&mut self.store, Val::I64(layout::SLICE)).expect("a meter");
        }
        let function: TypedFunc<i32, f64> =
            self.instance.get_typed_func(&mut self.store, kernel).expect(kernel);
        let start = processor_time();
        let result = function.call(&mut self.store, size).expect("a result");
        (result, processor_time().saturating_sub(start))
    }
}

/// Time that this thread has had of a processor: other programs on the machine do not count.
fn processor_time() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    Duration::from_nanos(
        text.split_whitespace().next().and_then(|text| text.parse().ok()).expect("nanoseconds"),
    )
}

fn compile(to: &Path, flags: &[&str]) -> Option<Vec<u8>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/kernels.c");
    let mut clang = Command::new("clang");
    clang.args([
        "--target=wasm32",
        "-O2",
        "-nostdlib",
        "-ffp-contract=off",
        "-fno-builtin",
        "-fno-vectorize",
        "-Wl,--no-entry",
    ]);
    let done = clang.args(flags).arg(source).arg("-o").arg(to).status().is_ok_and(|status| status.success());
    done.then(|| std::fs::read(to).ok()).flatten()
}

fn asyncified(at: &Path) -> Option<Vec<u8>> {
    let (plain, to) = (at.join("kernels-poll.wasm"), at.join("kernels-asyncify.wasm"));
    compile(&plain, &["-DPOLL"])?;
    let mut tool = Command::new("wasm-opt");
    tool.args(["-O2", "--asyncify", "--pass-arg=asyncify-imports@host.poll"]).arg(&plain).arg("-o").arg(&to);
    tool.status().is_ok_and(|status| status.success()).then(|| std::fs::read(&to).ok()).flatten()
}

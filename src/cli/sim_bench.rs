//! `compup2p sim bench`: how fast the simulator is, beside what it is compared with.
//!
//! The figures of other tools are those of the reference (`sim-peer.md`), measured with the same workload W2.

use super::sim_ring::resident_bytes;
use super::{Done, exit};
use crate::control::Failure;
use crate::output::{Bar, BenchRow, Benched, Printer};
use ::sim::experiment::{self, Experiment, Options, Registry};
use ::sim::nodes::Nodes;
use ::sim::queue::Queue;
use ::sim::ring::{self, Plan, Yardstick};
use clap::Args;
use proto::{Span, Time};
use rustix::time::{ClockId, clock_gettime};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

/// How the simulator is measured.
#[derive(Args, Clone, Debug)]
pub(super) struct Bench {
    /// The smallest sizes only
    #[arg(long)]
    quick: bool,
}

/// Nodes of W2, its virtual seconds, and million messages a second of PeerSim 1.0.5 and of SimGrid 4.1.
const W2: [(u32, u64, f64, f64); 2] = [(10_000, 1_000, 6.2, 0.17), (100_000, 200, 2.3, 0.12)];
/// Pending events, and how many pass.
const QUEUES: [(u32, u64); 3] = [(10_000, 4_000_000), (100_000, 4_000_000), (1_000_000, 8_000_000)];
/// Nodes of a ring whose memory is measured.
const RING: u32 = 50_000;
/// A sweep of 2 × 50 points, two runs each.
const SWEEP: &str = "name = \"sweep\"\nmodel = \"draws\"\nrepetitions = 2\n[work]\ndraws = 500000\n[sweep]\n\
    \"work.least\" = [0.0, 0.5]\n\"work.most\" = { from = 1, to = 50, step = 1 }\n";
/// The part of the cores that such a sweep is to use, in percent.
const BUSY: f64 = 95.0;
/// Complete nodes, buyers and sub-tasks.
const WHOLE: [(usize, usize, usize); 2] = [(32, 2, 100), (256, 8, 500)];

pub(super) fn run(bench: &Bench, printer: Printer) -> Done {
    let sizes = |all: usize| if bench.quick { 1 } else { all };
    let bar = Bar::new(printer, 0, "measurements");
    let all =
        u64::try_from(2 * sizes(QUEUES.len()) + 2 * sizes(W2.len()) + sizes(WHOLE.len()) + 2).unwrap_or(0);
    let mut rows: Vec<BenchRow> = Vec::new();
    let done = |rows: &mut Vec<BenchRow>, row| {
        rows.push(row);
        bar.set_of(u64::try_from(rows.len()).unwrap_or(0), all);
    };
    let mut bare = 0.0;
    for (pending, events) in QUEUES.into_iter().take(sizes(QUEUES.len())) {
        bare = timed(|| {
            std::hint::black_box(ring::bare_queue(pending, events));
            events
        });
        let name = format!("queue of W2, 16-byte events, {pending} pending");
        done(&mut rows, BenchRow::new(name, bare, "events/s"));
        let rate = timed(|| hold(pending, events / 4));
        let name = format!("queue of all else, {}-byte events, {pending} pending", size_of::<Large>());
        done(&mut rows, BenchRow::new(name, rate, "events/s"));
    }
    for (nodes, seconds, peersim, simgrid) in W2.into_iter().take(sizes(W2.len())) {
        let plan = Yardstick { duration: Span::secs(seconds), ..Yardstick::new(nodes) };
        let mut events = 0;
        let one = timed(|| {
            let counts = plan.run(&mut |_, _| {});
            events = counts.events;
            counts.messages
        });
        let row = BenchRow::new(format!("W2, {nodes} nodes, one thread"), one, "messages/s");
        let row = row.against("PeerSim 1.0.5", peersim * 1e6).against("SimGrid 4.1", simgrid * 1e6);
        done(&mut rows, row.against("the bare queue", bare));
        let two = timed(|| Yardstick { threads: 2, ..plan }.run(&mut |_, _| {}).messages);
        let row = BenchRow::new(format!("W2, {nodes} nodes, two threads"), two, "messages/s");
        done(&mut rows, row.against("one thread", one));
    }
    for (nodes, buyers, sub_tasks) in WHOLE.into_iter().take(sizes(WHOLE.len())) {
        done(&mut rows, whole(nodes, buyers, sub_tasks)?);
    }
    done(&mut rows, sweep()?);
    done(&mut rows, memory());
    bar.end();
    printer.benched(&Benched::new(rows))?;
    Ok(exit::SUCCESS)
}

/// Complete nodes.
fn whole(nodes: usize, buyers: usize, sub_tasks: usize) -> Result<BenchRow, Failure> {
    let began = Instant::now();
    let run = Nodes::new(nodes, buyers, sub_tasks).run(1, &mut |_, _| {});
    let report = run.map_err(|violation| {
        Failure::new("violation", violation.to_string(), exit::FAILED).hint("this is a defect: it is seed 1")
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let name = format!("{nodes} complete nodes, {sub_tasks} sub-tasks");
    let row = BenchRow::new(name, report.lasted.as_secs_f64() / seconds, "virtual s/s");
    Ok(row.beside("events/s", float(report.events) / seconds))
}

/// How much of all cores an experiment uses: processor time over the time that passes and the cores.
fn sweep() -> Result<BenchRow, Failure> {
    let failed = |why: String| Failure::new("sweep", why, exit::FAILED).hint("this is a defect");
    let registry = Registry::standard();
    let experiment = Experiment::parse(SWEEP, &registry).map_err(|faults| failed(format!("{faults:?}")))?;
    let (before, began) = (processor_seconds(), Instant::now());
    let results =
        experiment::run(&experiment, &registry, Options::default(), &mut |_| ControlFlow::Continue(()))
            .map_err(|error| failed(error.to_string()))?;
    let (busy, lasted) = (processor_seconds() - before, began.elapsed().as_secs_f64());
    let cores =
        float(thread::available_parallelism().map_or(1, |cores| u64::try_from(cores.get()).unwrap_or(1)));
    let share = 100.0 * busy / (lasted * cores);
    let row = BenchRow::new("a sweep of 2 × 50 points".into(), share, "% of all cores");
    Ok(row.against("the aim", BUSY).beside("cores", cores).beside("runs/s", float(results.runs()) / lasted))
}

/// The processor time of this process, in seconds.
fn processor_seconds() -> f64 {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default().as_secs_f64()
}

/// What a node of a ring takes.
fn memory() -> BenchRow {
    let before = resident_bytes();
    let mut largest = before;
    let plan = Plan { lookups: 1_000, ..Plan::still(RING, 8) };
    let measured = ring::run(&plan, &mut |_, _| largest = largest.max(resident_bytes()));
    let resident = float(largest.saturating_sub(before)) / f64::from(RING);
    let name = format!("a node of a ring of {RING}, its own state");
    BenchRow::new(name, float(measured.footprint) / float(measured.nodes.max(1)), "bytes")
        .beside("resident", resident)
}

/// An event as large as those of the complete nodes.
type Large = [u64; 11];

/// So many events pass through a queue in which so many wait.
fn hold(pending: u32, events: u64) -> u64 {
    let mut queue: Queue<Large> = Queue::default();
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 40
    };
    for _ in 0..pending {
        queue.push(Time(draw()), [0; 11]);
    }
    for _ in 0..events {
        let Some((Time(now), event)) = queue.pop() else { break };
        queue.push(Time(now + 1 + draw()), std::hint::black_box(event));
    }
    events
}

/// How many a second.
fn timed(work: impl FnOnce() -> u64) -> f64 {
    let began = Instant::now();
    let count = work();
    float(count) / began.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)
}

#[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
const fn float(count: u64) -> f64 {
    count as f64
}

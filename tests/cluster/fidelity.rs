//! The simulator beside processes: the same twenty nodes with the same machines, prices and tasks, once as processes and
//! once in virtual time. Deals and balances are the same, and sub-tasks end at the same time, but for a tenth.
//!
//! What happens may not depend on which message is faster than another, or nothing could be compared: asks differ, one buyer
//! buys after the other, each all of its equal sub-tasks at once, and only when all sellers are listed. Programs are
//! light, and are held back as on slow cores, so that twenty machines fit on one.

use super::harness::{Bank, NodeProcess, Within, policy};
use super::network::{Network, alone, until};
use super::view::SubTask;
use proto::rules::PricingRule;
use proto::{Capacity, Cycles, Money, Rate, Rules, Span};
use service::End;
use sim::{Checks, Expectation, Latency, Machines, Model, Report, Scenario, Work};
use std::thread;
use std::time::{Duration, Instant};

const SEED: u64 = 1;
/// How far away everybody is, in ms.
const WAY: u64 = 10;
/// The program: small, because each seller compiles it, and without an input.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\05\00\00\00done\n")
    (func (export "_start") (local $turn i32)
        (loop $turns
            (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
            (br_if $turns (i32.lt_u (local.get $turn) (i32.const 10000000))))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;
/// What it executes. The meter is exact, so that is the same on every machine.
const CYCLES: Cycles = Cycles(90_000_009);
/// By how much the time of an end may differ, as a part of the simulator's.
const TOLERANCE: f64 = 0.1;
/// Wakes on the way of a deal from the question to the market to the settlement, about.
const STEPS: f64 = 50.0;
/// How long a thread sleeps that tells how late it wakes.
const NAP: Duration = Duration::from_millis(5);
/// Differences that are shown.
const SHOWN: usize = 20;
/// How long everything may take to settle, in seconds.
const SETTLES: u64 = 60;

/// What of a sub-task has to be the same in both worlds, in words.
#[derive(Debug)]
struct Deal {
    exact: Vec<(&'static str, String)>,
    elapsed: f64,
}

fn scenario(rule: PricingRule, way: Latency, later: Span) -> Scenario {
    let calm = Scenario::named("calm").expect("it ships");
    Scenario {
        nodes: 20,
        buyers: 2,
        sellers: 18,
        sub_tasks: 20,
        machines: Machines {
            cores: (1, 1),
            per_core: (Capacity(7), Capacity(9)),
            ask: (Rate(20_000), Rate(80_000)),
        },
        is_one_machine: true,
        work: Work { cycles: (CYCLES, CYCLES), failing: 0, ..calm.work },
        net: Model { latency: way, loss: 0, duplication: 0 },
        rules: Rules { rule, ..Rules::LOCAL },
        submit_at: Span::secs(60).plus(later),
        submit_every: Span::secs(60),
        limit: Span::secs(600),
        expectation: Expectation::AllPlaced,
        // Other tests look after every event.
        checks: Checks::Every(Span::secs(1)),
        ..calm
    }
}

fn simulated(scenario: &Scenario) -> Report {
    sim::run(scenario, SEED).unwrap_or_else(|violation| panic!("{violation}"))
}

/// The processes, in the market.
fn start(scenario: &Scenario) -> Network {
    let alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let with = |variables: &[String]| ["env".into()].iter().chain(variables).cloned().collect::<Within>();
    let latency = format!("COMPUP2P_EMULATED_LATENCY_MS={WAY}");
    let pricing = ["--pricing", scenario.rules.rule.name()];
    let program = wat::parse_str(PROGRAM).expect("a module");
    std::fs::write(directory.path().join("program.wasm"), program).expect("the program can be written");
    let bank =
        Bank::start_with(with(std::slice::from_ref(&latency)), &directory.path().join("bank"), &pricing);
    let start_node = |number: usize| {
        let (cores, per_core, ask) = scenario.machine(number, SEED);
        let core = format!("COMPUP2P_EMULATED_CORE_MCPS={}", per_core.0);
        let slot = number.to_string();
        let paused = if scenario.sells(number) { None } else { Some("--paused") };
        let more: Vec<&str> = ["--slot", &slot].into_iter().chain(paused).collect();
        let (within, name) = (with(&[latency.clone(), core]), format!("n{number}"));
        let policy = policy(&ask.to_string(), cores);
        NodeProcess::start_with(within, directory.path(), &bank.bootstrap(), &name, &policy, &more)
    };
    let nodes: Vec<NodeProcess> = (0..scenario.nodes).map(start_node).collect();
    Network::of(bank, nodes, directory, alone)
}

/// Waits until the ring is in order and everybody who sells is listed, once.
fn settle(network: &Network, sellers: usize) {
    until("all sellers are listed", SETTLES, || {
        let markets = network.markets(0);
        let listed: usize = markets.markets.iter().map(|market| market.sellers).sum();
        let is_settled = listed == sellers && markets.unreached.is_empty();
        if is_settled { Ok(()) } else { Err(format!("{markets:?}")) }
    });
    network.check_ring(SETTLES);
}

fn task_file(scenario: &Scenario, buyer: usize) -> String {
    format!(
        "<TaskFile version=\"1\"><SubTask name=\"part\"><CpuCycles>{}</CpuCycles><Work unit=\"cycles\">{}</Work><Price>{}</Price>\
         <File>program.wasm</File>\
         <Limits><Memory>64MiB</Memory><Disk>64MiB</Disk></Limits>\
         <Sweep><Var name=\"n\" from=\"1\" to=\"{}\" step=\"1\"/></Sweep></SubTask></TaskFile>",
        scenario.machines.per_core.0.0,
        CYCLES.0,
        scenario.work.price,
        scenario.share(buyer),
    )
}

impl Deal {
    fn of_process(network: &Network, sub_task: &SubTask) -> Self {
        let sale = sub_task.sale.as_ref().expect("it was sold");
        Self::new(
            (network.node_of(&sale.seller), sale.market.clone(), sale.clearing.clone()),
            (sub_task.attempts, sub_task.gcycles, sub_task.paid, sub_task.fee),
            sub_task.elapsed.expect("it has ended"),
        )
    }

    fn of_simulator(end: &End) -> Self {
        let sale = end.sale.as_ref().expect("it was sold");
        let gcycles = Span::micros(end.cycles.0 / 1_000).as_secs_f64();
        Self::new(
            (sale.seller.slot.into(), sale.market.to_string(), sale.clearing.to_string()),
            (end.attempts, gcycles, end.paid, end.fee),
            end.elapsed.as_secs_f64(),
        )
    }

    fn new(
        (seller, market, clearing): (usize, String, String),
        (attempts, gcycles, paid, fee): (u32, f64, Money, Money),
        elapsed: f64,
    ) -> Self {
        let exact = vec![
            ("seller", seller.to_string()),
            ("market", market),
            ("credits per Gc", clearing),
            ("attempts", attempts.to_string()),
            ("Gcycles", gcycles.to_string()),
            ("paid", paid.to_string()),
            ("fee", fee.to_string()),
        ];
        Self { exact, elapsed }
    }

    /// What of it is not as in `simulated`, a line each, and by how much the time of its end differs. A machine that
    /// wakes who sleeps `late` seconds too late owes that for every step of a deal.
    fn compare(&self, simulated: &Self, name: &str, late: f64) -> (Vec<String>, f64) {
        let line = |what: &str, one: &dyn std::fmt::Display, other: &dyn std::fmt::Display| {
            format!("{name:<10} {what:<16} {one:>16} {other:>16}")
        };
        let both = self.exact.iter().zip(&simulated.exact);
        let mut lines: Vec<String> = both
            .filter(|(one, other)| one != other)
            .map(|((what, one), (_, other))| line(what, one, other))
            .collect();
        let off = self.elapsed - simulated.elapsed;
        if off.abs() > TOLERANCE * simulated.elapsed + STEPS * late {
            lines.push(line("seconds", &self.elapsed, &simulated.elapsed));
        }
        (lines, off / simulated.elapsed)
    }
}

/// By how many seconds this machine wakes who sleeps too late, on average until `is_over`.
fn lateness(is_over: impl Fn() -> bool) -> f64 {
    let (mut late, mut naps) = (Duration::ZERO, 0);
    while naps == 0 || !is_over() {
        let began = Instant::now();
        thread::sleep(NAP);
        late += began.elapsed().saturating_sub(NAP);
        naps += 1;
    }
    (late / naps).as_secs_f64()
}

fn check(rule: PricingRule) {
    let way = Latency::Constant(Span::millis(WAY));
    let scenario = scenario(rule, way, Span(0));
    let report = simulated(&scenario);
    let network = start(&scenario);
    let (mut lines, mut offs, mut lates) = (Vec::new(), Vec::new(), Vec::new());
    for buyer in 0..scenario.buyers {
        settle(&network, scenario.sellers);
        network.submit_text(buyer, &task_file(&scenario, buyer));
        let waiting = network.start_wait(buyer);
        let late = lateness(|| waiting.is_over());
        let task = waiting.end(0).0;
        lates.push(late);
        assert_eq!(task.sub_tasks.len(), scenario.share(buyer), "{task:?}");
        for (index, sub_task) in (0..).zip(&task.sub_tasks) {
            let (ours, theirs) =
                (Deal::of_process(&network, sub_task), Deal::of_simulator(&report.ends[&(buyer, index)]));
            let (differing, off) = ours.compare(&theirs, &format!("{buyer}/{}", sub_task.name), late);
            lines.extend(differing);
            offs.push(off);
        }
    }
    for (number, simulated) in report.balances.iter().enumerate() {
        let balance = until("nothing is held any more", SETTLES, || {
            let balance = network.balance(number);
            if balance.held == Money::ZERO { Ok(balance) } else { Err(format!("{balance:?}")) }
        });
        if balance.available != simulated.available {
            lines.push(format!(
                "{:<10} {:<16} {:>16} {:>16}",
                format!("node {number}"),
                "balance",
                balance.available,
                simulated.available
            ));
        }
    }
    offs.sort_by(f64::total_cmp);
    let (name, least, most) = (rule.name(), offs[0], offs[offs.len() - 1]);
    println!("{name}: ends are off by {least:+.3} to {most:+.3}, wakes are late by {lates:.4?} s");
    let head = format!("{:<10} {:<16} {:>16} {:>16}", "", "", "processes", "simulator");
    let count = lines.len();
    lines.truncate(SHOWN);
    assert_eq!(count, 0, "differences, of which the first are:\n{head}\n{}", lines.join("\n"));
}

#[test]
fn the_simulator_says_what_processes_do_under_the_vickrey_rule() {
    check(PricingRule::Vickrey);
}

#[test]
fn the_simulator_says_what_processes_do_under_the_max_min_rule() {
    check(PricingRule::MaxMin);
}

#[test]
fn what_is_compared_depends_neither_on_which_message_is_faster_nor_on_the_moment() {
    let _alone = alone();
    for rule in [PricingRule::Vickrey, PricingRule::MaxMin] {
        let deals = |way: Latency, later: Span| {
            let report = simulated(&scenario(rule, way, later));
            let deals = report.ends.values().map(|end| Deal::of_simulator(end).exact);
            (deals.collect::<Vec<_>>(), report.balances)
        };
        let expected = deals(Latency::Constant(Span::millis(WAY)), Span(0));
        for (most, later) in [(5, 500), (50, 1_300), (200, 2_100)] {
            let latency = Latency::Uniform { least: Span(0), most: Span::millis(most) };
            let found = deals(latency, Span::millis(later));
            for (one, other) in found.0.iter().zip(&expected.0) {
                assert_eq!(one, other, "{} {most} ms", rule.name());
            }
            assert_eq!(found.1, expected.1, "{} {most} ms", rule.name());
        }
    }
}

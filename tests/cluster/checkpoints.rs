//! Programs that are saved outlive the machine that runs them, and those that keep their states: real processes, killed
//! for real. The result is that of a run that nothing befalls, and little is executed twice.

use super::harness::{Bank, NodeProcess, policy, text};
use super::network::{alone, until};
use super::view::Task;
use super::work::{SLOW, checksum};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Sellers, of which the cheapest get the work; the buyer sells too, at a price that nobody pays.
const SELLERS: usize = 4;
/// Steps of `saving.wat`, which prints a line in each.
const STEPS: usize = 12;

/// What the program that knows nothing of states counts.
const MILLIONS: u32 = 2_000;

struct Network {
    buyer: NodeProcess,
    sellers: Vec<NodeProcess>,
    _bank: Bank,
    directory: tempfile::TempDir,
}

impl Network {
    /// Sellers of compute power and of disk space, who let programs be saved every half second.
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let bank = Bank::start(directory.path());
        let node = |name: &str, cost: &str| {
            let policy =
                policy(cost, 1) + "[share]\nstorage = true\n[disk]\nmin_write_interval = \"500ms\"\n";
            NodeProcess::start(directory.path(), &bank, name, &policy)
        };
        let buyer = node("buyer", "50");
        let sellers: Vec<NodeProcess> =
            (0..SELLERS).map(|number| node(&format!("n{number}"), &format!("0.{}", number + 1))).collect();
        for node in sellers.iter().chain([&buyer]) {
            until("the node is in the market", 60, || {
                let status = node.json(&["status"]);
                if status["listed"].is_string() { Ok(()) } else { Err(status.to_string()) }
            });
        }
        Self { buyer, sellers, _bank: bank, directory }
    }

    fn program(&self, text: &str) -> PathBuf {
        let program = self.directory.path().join("program.wasm");
        let module = wat::parse_str(text).expect("the program is one");
        std::fs::write(&program, module).expect("the program can be written");
        program
    }

    fn submit(&self, program: &Path, more: &str, results: &str) {
        let file = self.directory.path().join("tasks.xml");
        let task = format!(
            "<TaskFile version=\"1\">\n  <Name>saved</Name>\n  <SubTask name=\"long\">\n    <CpuCycles>10</CpuCycles>\n    \
             <Work>60</Work>\n    <CheckPointDataSize>4MiB</CheckPointDataSize>\n    <Price>100</Price>\n    <File>{}</File>\n{more}  \
             </SubTask>\n</TaskFile>\n",
            program.display()
        );
        std::fs::write(&file, task).expect("the task file can be written");
        let finished = self.buyer.run(&["task", "submit", text(&file), "--to", text(&self.results(results))]);
        assert_eq!(finished.code, 0, "{finished:?}");
    }

    fn results(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn task(&self) -> Task {
        let value = self.buyer.json(&["task", "status", "last"]);
        serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
    }

    /// What the last seller has executed, in Gc.
    fn gcycles(&self) -> f64 {
        self.buyer.json(&["task", "status", "last"])["sub_tasks"][0]["gcycles"].as_f64().unwrap_or(0.0)
    }

    /// What the buyer was told of the task so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.buyer.home.join("log")).expect("the buyer has a log")
    }

    fn wait(&self) -> Task {
        let finished = self.buyer.run(&["task", "wait", "last", "--json", "--timeout", "110"]);
        assert_eq!(finished.code, 0, "{finished:?}\n{}", self.log());
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    }

    /// The result of [`slow`] is that of a run that nothing befalls.
    fn check_sum(&self) {
        let sum =
            std::fs::read_to_string(self.results("results").join("sum.txt")).expect("the result is there");
        assert_eq!(sum, checksum(MILLIONS));
    }

    /// The sub-task did not begin anew.
    fn check_resumed(&self) {
        let log = self.log();
        assert!(log.contains("goes on from its state"), "{log}");
    }

    /// Waits until a state of the sub-task is kept elsewhere.
    fn wait_for_state(&self) {
        until("a state is kept", 60, || {
            let log = self.log();
            if log.contains("a state of sub-task") {
                Ok(())
            } else {
                Err(format!("{:?}: {log}", self.task()))
            }
        });
    }

    /// Kills the buyer and starts it again, and waits until it has taken up what its seller does.
    fn restart_buyer(&mut self) {
        self.buyer.kill9();
        self.buyer.restart();
        until("the seller is found at work", 30, || {
            let task = self.task();
            if task.sub_tasks[0].state == "running" { Ok(()) } else { Err(format!("{task:?}")) }
        });
    }

    /// Kills whoever runs the sub-task once a state of it is kept elsewhere, and waits until it runs again.
    fn kill_seller(&mut self) {
        self.wait_for_state();
        let task = self.task();
        let account = task.sub_tasks[0].seller().to_owned();
        let seller =
            self.sellers.iter_mut().find(|node| node.account == account).expect("one of the sellers");
        seller.kill9();
        let killed = Instant::now();
        until("it runs elsewhere", 30, || {
            let now = self.task();
            let sub_task = &now.sub_tasks[0];
            let is_elsewhere =
                sub_task.state == "running" && sub_task.sale.is_some() && sub_task.seller() != account;
            if is_elsewhere { Ok(()) } else { Err(format!("{now:?}")) }
        });
        eprintln!("from kill -9 to running elsewhere: {:?}", killed.elapsed());
    }
}

#[test]
fn a_program_that_saves_itself_goes_on_when_its_seller_is_killed() {
    let _alone = alone();
    let mut network = Network::start();
    let program = network.program(include_str!("saving.wat"));
    let checkpoint = "    <Checkpoint><Interval>500ms</Interval><Files><CheckPointFile>state</CheckPointFile></Files>\
                      <Copies>2</Copies></Checkpoint>\n    \
                      <OutputFiles><OutputFile>sum.txt</OutputFile></OutputFiles>\n    <StdOut>out.txt</StdOut>\n";
    network.submit(&program, checkpoint, "killed");
    network.kill_seller();
    let task = network.wait();
    assert_eq!(task.sub_tasks[0].attempts, 2, "{task:?}");
    let rest = network.gcycles();
    network.submit(&program, checkpoint, "whole");
    assert_eq!(network.wait().sub_tasks[0].attempts, 1);
    let whole = network.gcycles();
    assert!(rest > 0.0 && rest < whole, "{rest} of {whole} Gc");
    for results in ["killed", "whole"] {
        let read = |name: &str| std::fs::read(network.results(results).join(name)).expect("it is there");
        assert_eq!(read("sum.txt"), expected_sum(), "{results}");
        assert_eq!(read("out.txt"), "a step\n".repeat(STEPS).into_bytes(), "{results}");
    }
    network.check_resumed();
}

#[test]
fn a_program_goes_on_from_its_state_when_its_buyer_starts_again_and_its_seller_is_killed() {
    let _alone = alone();
    let mut network = Network::start();
    let (program, more) = slow("1s");
    network.submit(&program, &more, "results");
    network.wait_for_state();
    network.restart_buyer();
    network.kill_seller();
    let task = network.wait();
    assert_eq!(task.sub_tasks[0].attempts, 2, "{task:?}");
    network.check_resumed();
    network.check_sum();
}

#[test]
fn any_program_goes_on_when_its_seller_is_killed() {
    let _alone = alone();
    let mut network = Network::start();
    let (program, more) = slow("1s");
    network.submit(&program, &more, "results");
    network.kill_seller();
    let task = network.wait();
    assert_eq!(task.sub_tasks[0].attempts, 2, "{task:?}");
    network.check_resumed();
    network.check_sum();
}

#[test]
fn a_program_goes_on_from_what_has_changed_when_its_seller_is_killed() {
    let _alone = alone();
    let mut network = Network::start();
    let program = network.program(include_str!("remembering.wat"));
    let more = "    <Checkpoint><Interval>1s</Interval></Checkpoint>\n    <StdOut>out.txt</StdOut>\n";
    network.submit(&program, more, "results");
    // A whole state is larger than its memory of a MiB.
    until("a difference is kept", 60, || {
        let log = network.log();
        let is_small = |line: &str| line.contains("a state of sub-task") && line.contains("KiB)");
        if log.lines().any(is_small) { Ok(()) } else { Err(log) }
    });
    network.kill_seller();
    let task = network.wait();
    assert_eq!(task.sub_tasks[0].attempts, 2, "{task:?}");
    network.check_resumed();
    let sum = std::fs::read(network.results("results").join("out.txt")).expect("it is there");
    assert_eq!(sum, remembered());
}

/// A program that knows nothing of states, and what its sub-task is to have.
fn slow(interval: &str) -> (PathBuf, String) {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SLOW);
    let more = format!(
        "    <InputParameters><Param>{MILLIONS}</Param></InputParameters>\n    \
         <Checkpoint><Interval>{interval}</Interval></Checkpoint>\n    \
         <OutputFiles><OutputFile>sum.txt</OutputFile></OutputFiles>\n    <Limits><Memory>64MiB</Memory></Limits>\n"
    );
    (program, more)
}

/// What `remembering.wat` prints.
fn remembered() -> Vec<u8> {
    let mut x = 88_172_645_463_325_252_u64;
    let mut memory: Vec<u64> = (0..131_072)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        })
        .collect();
    for turn in 1..=40_u64 {
        let word = &mut memory[usize::try_from(turn).expect("a small number") * 3_072];
        *word = *word >> 32 << 32 | turn;
    }
    let sum = memory.iter().fold(0_u64, |sum, word| sum.wrapping_mul(31).wrapping_add(*word));
    sum.to_le_bytes().to_vec()
}

/// What `saving.wat` leaves: the step, and the sum after all turns.
fn expected_sum() -> Vec<u8> {
    // Twice as many turns are one step of another such sequence.
    let (mut factor, mut more) = (6_364_136_223_846_793_005_u64, 1_442_695_040_888_963_407_u64);
    let (mut turns, mut sum) = (STEPS * 100_000_000, 0_u64);
    while turns > 0 {
        if turns % 2 == 1 {
            sum = sum.wrapping_mul(factor).wrapping_add(more);
        }
        (factor, more) = (factor.wrapping_mul(factor), more.wrapping_mul(factor).wrapping_add(more));
        turns /= 2;
    }
    [STEPS.to_le_bytes(), sum.to_le_bytes()].concat()
}

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

    fn submit(&self, program: &Path, more: &str, results: &str) {
        let file = self.directory.path().join("tasks.xml");
        let task = format!(
            "<TaskFile version=\"1\">\n  <Name>saved</Name>\n  <SubTask name=\"long\">\n    <CpuCycles>10</CpuCycles>\n    \
             <CheckPointDataSize>4MiB</CheckPointDataSize>\n    <Price>100</Price>\n    <File>{}</File>\n{more}  \
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

    /// What the buyer was told of the task so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.buyer.home.join("log")).expect("the buyer has a log")
    }

    fn wait(&self) -> Task {
        let finished = self.buyer.run(&["task", "wait", "last", "--json", "--timeout", "110"]);
        assert_eq!(finished.code, 0, "{finished:?}\n{}", self.log());
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    }

    /// Kills whoever runs the sub-task once a state of it is kept elsewhere, and waits until it runs again.
    fn kill_seller(&mut self) {
        until("a state is kept", 60, || {
            let log = self.log();
            if log.contains("a state of sub-task") {
                Ok(())
            } else {
                Err(format!("{:?}: {log}", self.task()))
            }
        });
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
fn any_program_goes_on_when_its_seller_is_killed() {
    let _alone = alone();
    let mut network = Network::start();
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SLOW);
    let more = "    <InputParameters><Param>200</Param></InputParameters>\n    \
                <Checkpoint><Interval>1s</Interval></Checkpoint>\n    \
                <OutputFiles><OutputFile>sum.txt</OutputFile></OutputFiles>\n    <Limits><Memory>64MiB</Memory></Limits>\n";
    network.submit(&program, more, "results");
    network.kill_seller();
    let task = network.wait();
    assert_eq!(task.sub_tasks[0].attempts, 2, "{task:?}");
    let log = network.log();
    assert!(log.contains("goes on from its state at"), "{log}");
    let sum =
        std::fs::read_to_string(network.results("results").join("sum.txt")).expect("the result is there");
    assert_eq!(sum, checksum(200));
}

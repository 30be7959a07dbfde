//! The socket for other programs.

use super::harness::{Bank, NodeProcess, command, policy, text, wait_until};
use super::known::ALONE;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::PoisonError;
use std::time::Duration;
use tempfile::tempdir;

/// Ends with the test.
struct Remote(Child);

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// What the socket says to this request, line by line.
fn say(address: &str, request: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_program_has_a_task_file_done_and_hears_how_it_ended() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let bank = Bank::start(home.path());
    let buyer = NodeProcess::start(home.path(), &bank, "a", &policy("0.1", 1));
    let seller = NodeProcess::start(home.path(), &bank, "b", &policy("0.2", 1));
    wait_until("the seller is in the market", Duration::from_secs(60), || {
        seller.json(&["status"])["listed"].is_string().then_some(())
    });
    let mut remote = command(&["remote", "--port", "0", "--json"], &buyer.home);
    let mut remote = Remote(remote.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut shown = String::new();
    BufReader::new(remote.0.stdout.take().unwrap()).read_line(&mut shown).unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let address = shown["address"].as_str().unwrap();
    let key = std::fs::read_to_string(shown["key"].as_str().unwrap()).unwrap();
    let key = key.trim();

    let noop = std::fs::canonicalize("examples/noop/tasks.xml").unwrap();
    let done = say(address, &format!("{key} {}\n", noop.display()));
    assert_eq!(done, ["submitted 1", "succeeded"]);
    assert_eq!(buyer.json(&["task", "status", "1"])["state"], "succeeded");

    let file = home.path().join("t.xml");
    let program = std::fs::canonicalize("examples/faults/trap.wasm").unwrap();
    let elements = "<CpuCycles>1</CpuCycles><Price>20</Price>";
    let trap =
        format!("<TaskFile><SubTask>{elements}<File>{}</File></SubTask></TaskFile>", program.display());
    std::fs::write(&file, trap).unwrap();
    let failed = say(address, &format!("{key} {}\n", text(&file)));
    assert_eq!(failed, ["submitted 2", "failed 1: failed: the program trapped: unreachable executed"]);

    std::fs::write(&file, "<TaskFile/>").unwrap();
    let refused = say(address, &format!("{key} {}\n", text(&file)));
    assert!(
        refused.len() == 1 && refused[0].starts_with("refused ") && refused[0].contains("t.xml:1"),
        "{refused:?}"
    );
    let stranger = say(address, &format!("{} {}\n", "0".repeat(64), noop.display()));
    assert_eq!(stranger, ["refused the key is not the one in `remote.key` of the node's directory"]);
    assert_eq!(buyer.json(&["task", "list"])["tasks"].as_array().unwrap().len(), 2);
}

//! A bank and nodes on the loopback, each a process in a directory of its own, that can be killed and started
//! again at the same address.

use super::harness::{Process, run, wait_until};
use super::view::{Balance, Node, Task};
use super::work::{Slow, checksum, task_file};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// One network at a time: each test wants the processors of the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());
/// How long everything may take until all nodes are in the market, in seconds.
const START: u64 = 60;
/// How long a task may take, in seconds.
const TASK: u32 = 90;

pub struct Network {
    bank: Option<Process>,
    bank_key: String,
    bank_address: SocketAddr,
    members: Vec<Member>,
    directory: TempDir,
    _alone: MutexGuard<'static, ()>,
}

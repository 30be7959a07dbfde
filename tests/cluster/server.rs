//! What a running bank or node takes from the machine, as the kernel tells it.

use std::fs;
use std::net::SocketAddr;

/// A process of the network.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub name: String,
    pub address: SocketAddr,
    pub pid: u32,
}

impl Server {
    /// Its sockets, those that listen and those of its command lines included.
    pub(crate) fn sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("the process runs");
        let links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    }

    /// Its resident memory, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Bytes that have come for it and that it has not read, and connections that it has not accepted.
    pub(crate) fn unread(&self) -> u64 {
        let table = fs::read_to_string("/proc/net/tcp").expect("the table of connections");
        let port = format!(":{:04X}", self.address.port());
        let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let own = rows.filter(|row| row.get(1).is_some_and(|local| local.ends_with(&port)));
        own.map(|row| unread(row.get(4).copied().unwrap_or_default())).sum()
    }
}

/// The second half of `tx_queue:rx_queue`.
fn unread(queues: &str) -> u64 {
    let (_, unread) = queues.split_once(':').expect("two queues");
    u64::from_str_radix(unread, 16).expect("a number")
}

//! What the network promises when processes die: a bank and nodes as real processes on the loopback, killed for
//! real. The tests run one at a time: each has the machine's processors to itself.

#![cfg(test)]

#[path = "cluster/bank.rs"]
mod bank;
#[path = "cluster/books.rs"]
mod books;
#[path = "cluster/channel.rs"]
mod channel;
#[path = "cluster/checkpoints.rs"]
mod checkpoints;
#[path = "cluster/fidelity.rs"]
mod fidelity;
#[path = "cluster/flood.rs"]
mod flood;
#[path = "cluster/garbage.rs"]
mod garbage;
#[path = "../proto/tests/common/generate.rs"]
mod generate;
#[path = "common/harness.rs"]
mod harness;
#[path = "cluster/journal.rs"]
mod journal;
#[path = "cluster/killed.rs"]
mod killed;
#[path = "cluster/liars.rs"]
mod liars;
#[path = "cluster/money.rs"]
mod money;
#[path = "cluster/namespace.rs"]
mod namespace;
#[path = "cluster/network.rs"]
mod network;
#[path = "cluster/partition.rs"]
mod partition;
#[path = "cluster/restart.rs"]
mod restart;
#[path = "cluster/ring.rs"]
mod ring;
#[path = "cluster/seller.rs"]
mod seller;
#[path = "cluster/server.rs"]
mod server;
#[path = "cluster/staging.rs"]
mod staging;
#[path = "cluster/standby.rs"]
mod standby;
#[path = "cluster/stranger.rs"]
mod stranger;
#[path = "cluster/view.rs"]
mod view;
#[path = "cluster/watched.rs"]
mod watched;
#[path = "cluster/work.rs"]
mod work;

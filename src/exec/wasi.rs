//! WASI preview 1 as a value: all that a program has of its host is in here, and can be saved.
//!
//! What is given is the same on every host, and what could wait, wander off or fill the host is not given:
//!
//! - arguments and variables, and nothing else that the host could tell;
//! - clocks that move by themselves, and one stream of random numbers ([`super::environment`]);
//! - the scratch directory under two names ([`tree`]): no links lead out of it, names are listed in their order, times
//!   of files are always those of the start;
//! - no waiting: files are always ready and a sleep is over as soon as it begins ([`poll`]).
//!
//! The functions and structures are those of `wasi_snapshot_preview1.witx` of the WebAssembly System Interface.

mod environ;
mod errno;
mod file;
mod guest;
mod link;
mod listing;
mod name;
mod poll;
mod saved;
mod stat;
mod table;
mod tree;

pub(super) use errno::{Fail, HostFailed};
pub(super) use link::{Exit, add_to_linker};
pub(super) use saved::SavedWasi;
pub(super) use tree::Tree;

use super::environment::{self, VirtualClock};
use super::stream::Tap;
use listing::Listing;
use rand_chacha::ChaCha8Rng;
use std::fs::File;
use table::Table;

/// The end of a call: nothing, or why it did not do what it was asked to.
type Call = Result<(), Fail>;

/// What one program has of its host.
#[derive(Debug)]
pub(super) struct Wasi {
    arguments: Vec<String>,
    /// `NAME=value`, by names.
    environment: Vec<String>,
    clock: VirtualClock,
    random: ChaCha8Rng,
    stdin: Option<File>,
    stdout: Tap,
    stderr: Tap,
    tree: Tree,
    table: Table,
    /// The directory that is being read.
    listing: Option<Listing>,
}

/// What a program begins with.
pub(super) struct Beginning {
    /// Arguments, its own name first.
    pub(super) arguments: Vec<String>,
    /// Its own variables.
    pub(super) environment: Vec<(String, String)>,
    /// Its standard input; none: empty.
    pub(super) stdin: Option<File>,
    /// Its standard output.
    pub(super) stdout: Tap,
    /// Its standard error.
    pub(super) stderr: Tap,
    /// Its scratch directory.
    pub(super) tree: Tree,
}

impl Wasi {
    /// The world of a program that has not run yet.
    pub(super) fn new(beginning: Beginning) -> Self {
        let Beginning { arguments, environment, stdin, stdout, stderr, tree } = beginning;
        let variables = environment::variables(&environment);
        let environment = variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (clock, random) = (VirtualClock::default(), environment::randomness());
        Self {
            arguments,
            environment,
            clock,
            random,
            stdin,
            stdout,
            stderr,
            tree,
            table: Table::new(),
            listing: None,
        }
    }
}

//! Machines for tests: a day that is played, and trees of files.

use super::{At, Roots, Sense, Wanted};
use service::policy::Machine;
use std::collections::VecDeque;
use std::path::PathBuf;
use tempfile::TempDir;

/// Plays machines in order; the last one stays.
#[derive(Debug, Default)]
pub(crate) struct Script {
    scenes: VecDeque<(u32, Machine)>,
    now: Machine,
}

impl Script {
    /// Each machine for so many looks.
    pub(crate) fn new(scenes: impl IntoIterator<Item = (u32, Machine)>) -> Self {
        Self { scenes: scenes.into_iter().collect(), now: Machine::default() }
    }
}

impl Sense for Script {
    fn look(&mut self, _: &Wanted, _: &At) -> Machine {
        while let Some((looks, machine)) = self.scenes.front_mut() {
            self.now = machine.clone();
            if let Some(left) = looks.checked_sub(1) {
                *looks = left;
                break;
            }
            self.scenes.pop_front();
        }
        self.now.clone()
    }
}

/// A tree of files in the place of `/proc`, `/sys`, `/dev` and `/run`.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file with its directories.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn roots(&self) -> Roots {
        let [proc, sys, dev, run] = ["proc", "sys", "dev", "run"].map(|name| self.path(name));
        Roots { proc, sys, dev, run }
    }
}

//! The processor time of the threads that execute sub-tasks.

use super::roots::{Roots, VALUE, entries, read};
use proto::Span;
use std::collections::BTreeMap;

/// The threads that `node::executions` starts are named so, and after their contract.
const PREFIX: &str = "exec-";

/// The processor time of every executing thread of this process, by the first eight digits of its contract.
#[must_use]
pub(super) fn by_contract(roots: &Roots) -> BTreeMap<String, Span> {
    let thread = |entry: std::fs::DirEntry| {
        let name = read(&entry.path().join("comm"), VALUE)?;
        let contract = name.trim_end_matches('\n').strip_prefix(PREFIX)?.to_owned();
        // The first of three numbers: nanoseconds on a core.
        let schedule = read(&entry.path().join("schedstat"), VALUE)?;
        let nanos: u64 = schedule.split_whitespace().next()?.parse().ok()?;
        Some((contract, Span(nanos / 1_000)))
    };
    let mut times = BTreeMap::new();
    // What runs the program may be a thread of its own beside the one that waits for it.
    for (contract, time) in entries(&roots.proc.join("self/task")).filter_map(thread) {
        let sum: &mut Span = times.entry(contract).or_default();
        *sum = sum.plus(time);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::fake::Tree;

    #[test]
    fn only_executing_threads_count() {
        let tree = Tree::new();
        for (id, name, times) in [
            ("1", "compup2p\n", "9000000 1 1\n"),
            ("2", "exec-01234567\n", "7000999 5 2\n"),
            ("3", "exec-abcdefab\n", "garbage\n"),
            ("4", "exec-98765432\n", ""),
            ("5", "exec-11111111\n", "1000\n"),
            ("7", "exec-11111111\n", "2000 3 4\n"),
        ] {
            tree.write(&format!("proc/self/task/{id}/comm"), name);
            tree.write(&format!("proc/self/task/{id}/schedstat"), times);
        }
        tree.write("proc/self/task/6/comm", "exec-22222222\n");
        let expected = [("01234567", 7_000), ("11111111", 3)];
        let expected: BTreeMap<_, _> = expected.map(|(name, time)| (name.to_owned(), Span(time))).into();
        assert_eq!(by_contract(&tree.roots()), expected);
        assert_eq!(by_contract(&Tree::new().roots()), BTreeMap::new());
    }
}

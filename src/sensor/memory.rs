//! Memory: what the machine has, what other programs leave, and how full the swap space is.

use super::roots::{Roots, TABLE, VALUE, read, value};
use proto::Bytes;
use std::path::{Path, PathBuf};
use sysinfo::{MemoryRefreshKind, System};

/// The deepest nesting of control groups that is looked at.
const MAX_DEPTH: usize = 16;

/// What one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// All memory.
    pub(super) total: Bytes,
    /// What could be had now without swapping, with what this process holds for its sub-tasks.
    pub(super) free: Bytes,
    /// How much of the swap space is used, in per cent; nothing if there is none.
    pub(super) swap_used_pct: Option<u32>,
}

/// Looks at the memory.
#[derive(Debug)]
pub(super) struct Memory {
    roots: Roots,
    /// What this process held when it began: its own, not its sub-tasks'.
    base: Option<Bytes>,
}

impl Memory {
    pub(super) fn new(roots: Roots) -> Self {
        let base = resident(&roots);
        Self { roots, base }
    }

    /// Looks; 0 where nothing can be read.
    pub(super) fn look(&self) -> Found {
        let found = read(&self.roots.proc.join("meminfo"), TABLE).and_then(|table| of_table(&table));
        let Some(found) = found.or_else(elsewhere) else { return Found::default() };
        let ours = match (resident(&self.roots), self.base) {
            (Some(now), Some(base)) => now.0.saturating_sub(base.0),
            _ => 0,
        };
        let free = group_free(&self.roots).map_or(found.free, |group| group.min(found.free));
        Found { free: Bytes(free.0.saturating_add(ours)).min(found.total), ..found }
    }
}

/// Linux: `/proc/meminfo`.
fn of_table(table: &str) -> Option<Found> {
    let entry = |name: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1_024)
    };
    let (total, free) = (entry("MemTotal")?, entry("MemAvailable").or_else(|| entry("MemFree"))?);
    let swap = entry("SwapTotal").zip(entry("SwapFree"));
    let swap_used_pct = swap.and_then(|(total, free)| percent(total.saturating_sub(free), total));
    Some(Found { total: Bytes(total), free: Bytes(free.min(total)), swap_used_pct })
}

/// Systems without `/proc/meminfo`.
fn elsewhere() -> Option<Found> {
    if cfg!(target_os = "linux") {
        return None;
    }
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::everything());
    let swap_used_pct = percent(system.used_swap(), system.total_swap());
    Some(Found { total: Bytes(system.total_memory()), free: Bytes(system.available_memory()), swap_used_pct })
}

/// The memory that the control groups of this process leave free, if one of them limits it: version 2, or the
/// memory controller of version 1. What is only a cache of files can be had.
fn group_free(roots: &Roots) -> Option<Bytes> {
    let groups = read(&roots.proc.join("self/cgroup"), TABLE)?;
    let root = roots.sys.join("fs/cgroup");
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next()?, fields.next()?) {
            ("", path) => Some(free_below(&root, path, ["memory.max", "memory.current"])),
            (controllers, path) if controllers.split(',').any(|name| name == "memory") => {
                let names = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
                Some(free_below(&root.join("memory"), path, names))
            }
            _ => None,
        }
    };
    groups.lines().filter_map(of_line).flatten().min()
}

/// The least that a group or one of those around it leaves free.
fn free_below(root: &Path, path: &str, [limit, used]: [&str; 2]) -> Option<Bytes> {
    let names = path.split('/').filter(|name| !name.is_empty() && *name != ".." && *name != ".");
    let mut group: PathBuf = root.to_path_buf();
    let mut least = free_in(&group, limit, used);
    for name in names.take(MAX_DEPTH) {
        group.push(name);
        least = [least, free_in(&group, limit, used)].into_iter().flatten().min();
    }
    least
}

fn free_in(group: &Path, limit: &str, used: &str) -> Option<Bytes> {
    let limit: u64 = value(&group.join(limit))?;
    let used: u64 = value(&group.join(used))?;
    let cache = read(&group.join("memory.stat"), VALUE).and_then(|table| {
        let line = table.lines().find_map(|line| {
            line.strip_prefix("total_inactive_file ").or_else(|| line.strip_prefix("inactive_file "))
        })?;
        line.trim().parse::<u64>().ok()
    });
    Some(Bytes(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0)))))
}

/// The memory that this process holds.
fn resident(roots: &Roots) -> Option<Bytes> {
    let status = read(&roots.proc.join("self/status"), VALUE)?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes(kib.saturating_mul(1_024)))
}

/// `part` of `whole` in per cent, rounded up; nothing of nothing.
fn percent(part: u64, whole: u64) -> Option<u32> {
    let hundredths = (u128::from(part) * 100).div_ceil(u128::from(whole.max(1)));
    (whole > 0).then(|| u32::try_from(hundredths).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::fake::Tree;

    const MEMINFO: &str = "MemTotal:  8000 kB\nMemFree: 1000 kB\nMemAvailable:  4000 kB\n\
        SwapTotal: 2000 kB\nSwapFree:  1990 kB\n";

    fn check(files: &[(&str, &str)], expected: (u64, u64, Option<u32>)) {
        let tree = Tree::new();
        for (name, content) in files {
            tree.write(name, content);
        }
        let found = Memory::new(tree.roots()).look();
        let expected = Found {
            total: Bytes(expected.0 * 1_024),
            free: Bytes(expected.1 * 1_024),
            swap_used_pct: expected.2,
        };
        assert_eq!(found, expected, "{files:?}");
    }

    #[test]
    fn memory_is_what_the_kernel_and_the_groups_leave() {
        const GROUP: (&str, &str) = ("proc/self/cgroup", "0::/a/b\n");
        const BASE: &str = "sys/fs/cgroup/a/memory.";
        let [max, current, stat] = ["max", "current", "stat"].map(|name| format!("{BASE}{name}"));
        for (files, expected) in [
            (vec![], (0, 0, None)),
            (vec![("proc/meminfo", MEMINFO)], (8_000, 4_000, Some(1))),
            (
                vec![("proc/meminfo", "MemTotal: 8 kB\nMemFree: 3 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB")],
                (8, 3, None),
            ),
            (vec![("proc/meminfo", "MemTotal: x kB\n")], (0, 0, None)),
            (vec![("proc/meminfo", "MemTotal: 9 kB")], (0, 0, None)),
            (
                vec![("proc/meminfo", MEMINFO), GROUP, (&max, "max\n"), (&current, "7")],
                (8_000, 4_000, Some(1)),
            ),
            (
                vec![("proc/meminfo", MEMINFO), GROUP, (&max, "1024000"), (&current, "512000")],
                (8_000, 500, Some(1)),
            ),
            (
                vec![
                    ("proc/meminfo", MEMINFO),
                    GROUP,
                    (&max, "1024000"),
                    (&current, "1024000"),
                    (&stat, "anon 7\ninactive_file 102400\n"),
                ],
                (8_000, 100, Some(1)),
            ),
            (
                vec![
                    ("proc/meminfo", MEMINFO),
                    ("proc/self/cgroup", "9:cpu:/\n4:memory,x:/c\n0::/\n"),
                    ("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "2048000"),
                    ("sys/fs/cgroup/memory/c/memory.usage_in_bytes", "1024000"),
                ],
                (8_000, 1_000, Some(1)),
            ),
            (
                vec![("proc/meminfo", MEMINFO), ("proc/self/cgroup", "0\n::\n0::/../../x")],
                (8_000, 4_000, Some(1)),
            ),
        ] {
            check(&files, expected);
        }
    }

    #[test]
    fn what_our_own_sub_tasks_hold_counts_as_free() {
        let tree = Tree::new();
        tree.write("proc/meminfo", MEMINFO).write("proc/self/status", "Name: x\nRssAnon:\t  100 kB\n");
        let memory = Memory::new(tree.roots());
        assert_eq!(memory.look().free, Bytes(4_000 * 1_024));
        tree.write("proc/self/status", "Name: x\nRssAnon:\t  350 kB\n");
        assert_eq!(memory.look().free, Bytes(4_250 * 1_024));
        tree.write("proc/self/status", "RssAnon:\t 99999999 kB\n");
        assert_eq!(memory.look().free, Bytes(8_000 * 1_024));
        tree.write("proc/self/status", "RssAnon: many kB\n");
        assert_eq!(memory.look().free, Bytes(4_000 * 1_024));
    }
}

//! How much of the processor other programs use: all of `/proc/stat` that is not this node and its children.
//!
//! Both sides are counted by the kernel in the same ticks, so a share of them needs no length of a tick.

use super::roots::{Roots, TABLE, VALUE, entries, read};
use std::path::Path;

/// Ticks for each core without which a look is too short to say anything: 50 ms at the usual 100 a second.
const LEAST_TICKS: u64 = 5;
/// The most descendants of this process that are counted.
const MAX_FAMILY: usize = 256;

/// What others use of the processor, in thousandths of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millicores(pub u64);

/// What one look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// What programs other than this node and its children used since the look before.
    pub(crate) others: Millicores,
    /// The cores of the machine.
    pub(crate) cores: u64,
}

/// Looks at the processor.
#[derive(Debug)]
pub(crate) struct Processor {
    roots: Roots,
    before: Option<Ticks>,
    last: Option<Use>,
}

/// Counters of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    cores: u64,
    busy: u64,
    total: u64,
    own: u64,
}

impl Processor {
    /// Begins to look: use is what happens from here to the next look.
    pub(crate) fn new(roots: Roots) -> Self {
        let before = Ticks::read(&roots);
        Self { roots, before, last: None }
    }

    /// What others used since the last look that was long enough ago; before there is one, or if the kernel does
    /// not tell, nothing.
    pub(crate) fn look(&mut self) -> Option<Use> {
        let Some(now) = Ticks::read(&self.roots) else {
            (self.before, self.last) = (None, None);
            return None;
        };
        let Some(before) = self.before else {
            self.before = Some(now);
            return None;
        };
        if now.total < before.total {
            // Counters went back: another kernel, or a processor that was taken away.
            self.before = Some(now);
        } else if now.total - before.total >= LEAST_TICKS.saturating_mul(now.cores) {
            self.last = Some(now.since(before));
            self.before = Some(now);
        }
        self.last
    }
}

impl Ticks {
    fn read(roots: &Roots) -> Option<Self> {
        let table = read(&roots.proc.join("stat"), TABLE)?;
        let (busy, total) = processor(&table)?;
        let own_core = |line: &&str| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
        };
        let cores = u64::try_from(table.lines().filter(own_core).count()).ok()?.max(1);
        Some(Self { cores, busy, total, own: own(&roots.proc) })
    }

    fn since(self, before: Self) -> Use {
        let busy = self.busy.saturating_sub(before.busy);
        let others = busy.saturating_sub(self.own.saturating_sub(before.own));
        let whole = u128::from(self.cores) * 1_000;
        let part = (u128::from(others) * whole).checked_div(u128::from(self.total - before.total));
        let part = part.unwrap_or(whole).min(whole);
        Use { others: Millicores(u64::try_from(part).unwrap_or(u64::MAX)), cores: self.cores }
    }
}

/// Busy and all ticks, from the first line: user, nice, system, idle, waiting, interrupts, soft interrupts, stolen.
/// What another machine on the same hardware stole is lost to us like what another program used. The time of
/// guests stands in user as well.
fn processor(table: &str) -> Option<(u64, u64)> {
    let line = table.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
    let &[user, nice, system, idle, ref rest @ ..] = ticks.as_slice() else { return None };
    let (waiting, rest) = rest.split_first().unwrap_or((&0, &[]));
    let busy =
        rest.iter().fold(user.saturating_add(nice).saturating_add(system), |a, b| a.saturating_add(*b));
    Some((busy, busy.saturating_add(idle).saturating_add(*waiting)))
}

/// Ticks of this process and of all that it has started; of children that have ended as far as they were waited
/// for.
fn own(proc: &Path) -> u64 {
    let mut ticks = 0_u64;
    let mut family = vec![proc.join("self")];
    let mut counted = 0;
    while let Some(process) = family.pop() {
        counted += 1;
        ticks = ticks.saturating_add(read(&process.join("stat"), VALUE).and_then(|s| used(&s)).unwrap_or(0));
        for thread in entries(&process.join("task")) {
            let children = read(&thread.path().join("children"), VALUE).unwrap_or_default();
            let children = children.split_whitespace().filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
            let room = MAX_FAMILY.saturating_sub(counted + family.len());
            family.extend(children.take(room).map(|id| proc.join(id)));
        }
    }
    ticks
}

/// The processor time of a process with its children, in ticks: fields 14 to 17 of its line, the second of which
/// is a name that may hold anything.
fn used(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).take(4).map_while(|field| field.parse::<u64>().ok());
    let first = ticks.next()?;
    Some(ticks.fold(first, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::fake::Tree;

    const SELF: &str = "7 (a b) c) S 1 7 7 0 -1 0 0 0 0 0 ";

    fn check(before: (&str, u64), after: (&str, u64), expected: Option<(u64, u64)>) {
        let tree = Tree::new();
        let write = |(table, own): (&str, u64)| {
            tree.write("proc/stat", table);
            tree.write("proc/self/stat", format!("{SELF}{own} 0 0 0 20 0 1"));
        };
        write(before);
        let mut processor = Processor::new(tree.roots());
        write(after);
        let used = processor.look().map(|used| (used.others.0, used.cores));
        assert_eq!(used, expected, "{before:?} {after:?}");
    }

    #[test]
    fn what_others_use_is_the_busy_time_without_our_own() {
        const TWO: &str = "\ncpu0 0 0 0 0\ncpu1 0 0 0 0\nintr 0\n";
        let from = format!("cpu  100 0 0 100 0 0 0 0 0 0{TWO}");
        for (to, own, expected) in [
            ("cpu  100 0 0 300 0 0 0 0 0 0", 0, Some((0, 2))),
            ("cpu  200 0 0 200 0 0 0 0 0 0", 0, Some((1_000, 2))),
            ("cpu  200 0 0 200 0 0 0 0 0 0", 40, Some((600, 2))),
            // All of it ours, and more than all by the rounding of ticks.
            ("cpu  200 0 0 200 0 0 0 0 0 0", 101, Some((0, 2))),
            // Waiting for the disk is idle; nice, system, interrupts and stolen time are not; guests count once.
            ("cpu  120 20 20 100 80 20 20 20 20 0", 0, Some((1_200, 2))),
            ("cpu  300 0 0 100 0 0 0 0 0 0", 0, Some((2_000, 2))),
            // Too short, backwards, and garbage.
            ("cpu  104 0 0 105 0 0 0 0 0 0", 0, None),
            ("cpu  10 0 0 10 0 0 0 0 0 0", 0, None),
            ("cpu  10 0 0", 0, None),
            ("cpu  x", 0, None),
            ("", 0, None),
        ] {
            check((&from, 0), (&format!("{to}{TWO}"), own), expected);
        }
    }

    #[test]
    fn a_kernel_that_tells_nothing_is_no_load_but_nothing() {
        let mut processor = Processor::new(Tree::new().roots());
        assert_eq!(processor.look(), None);
        assert_eq!(processor.look(), None);
    }

    #[test]
    fn children_and_their_children_are_our_own() {
        let tree = Tree::new();
        tree.write("proc/self/stat", format!("{SELF}1 2 4 8 20"));
        tree.write("proc/self/task/7/children", "8 ");
        tree.write("proc/self/task/9/children", "x ../9 10 ");
        tree.write("proc/8/stat", "8 (child) S 1 7 7 0 -1 0 0 0 0 0 16 0 0 0 20");
        tree.write("proc/8/task/8/children", "11");
        tree.write("proc/10/stat", "10 (garbage) S");
        tree.write("proc/11/stat", "11 () R 1 7 7 0 -1 0 0 0 0 0 0 32 0 0 20");
        assert_eq!(own(&tree.roots().proc), 63);
    }

    #[test]
    fn a_family_that_never_ends_is_counted_to_a_limit() {
        let tree = Tree::new();
        tree.write("proc/self/stat", format!("{SELF}1 0 0 0 20"));
        tree.write("proc/self/task/7/children", "8 8 8");
        tree.write("proc/8/stat", "8 (child) S 1 7 7 0 -1 0 0 0 0 0 1 0 0 0 20");
        tree.write("proc/8/task/8/children", "8 8");
        assert_eq!(own(&tree.roots().proc), u64::try_from(MAX_FAMILY).unwrap());
    }
}

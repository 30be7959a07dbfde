//! The processes below one, as `/proc` tells them.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Most looks for processes that are being made while others are stopped or ended. Each look leaves none of those it
/// saw running, so that only who forks faster than it is looked at needs more than a few.
const MAX_LOOKS: u32 = 200;

/// One process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// As `ps` shows it: R, S, T, Z …
    pub(super) state: char,
    /// Who started it, or took it on.
    pub(super) parent: i32,
    /// Its own processor time, in ticks.
    pub(super) own: u64,
    /// That of its children that have ended and that it has waited for.
    pub(super) waited: u64,
    pub(super) threads: u64,
    /// When it began, in ticks since the machine did: with its number it is one process and no later one.
    pub(super) began: u64,
}

impl Process {
    /// The process `pid`, if there is one.
    pub(super) fn of(pid: i32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// From a line of `/proc/PID/stat`. The name of the program may have anything in it, brackets too.
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            own: number(11)?.saturating_add(number(12)?),
            waited: number(13)?.saturating_add(number(14)?),
            threads: number(17)?,
            began: number(19)?,
        })
    }

    /// Whether it will not run again by itself.
    const fn is_still(self) -> bool {
        matches!(self.state, 'T' | 't' | 'Z' | 'X')
    }

    /// Whether it has ended.
    pub(super) const fn is_over(self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// All processes below `root`, parents before their children.
pub(super) fn below(root: i32) -> Vec<i32> {
    let mut found = children(root);
    let mut seen: BTreeSet<i32> = found.iter().copied().collect();
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children(pid).into_iter().filter(|child| seen.insert(*child)));
        next += 1;
    }
    found
}

/// The children of one process. The kernel tells them for each thread where it is built to; else all processes of the
/// machine are asked for their parent.
pub(super) fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(list) => {
                found.extend(list.split_ascii_whitespace().filter_map(|word| word.parse::<i32>().ok()))
            }
            Err(_) if thread.path().exists() => return children_by_parent(pid),
            Err(_) => {}
        }
    }
    found
}

fn children_by_parent(pid: i32) -> Vec<i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter(|number| Process::of(*number).is_some_and(|process| process.parent == pid)).collect()
}

/// What the kernel says of how long each has run so far, to be compared with a later answer: equal ones mean that none has
/// run meanwhile. Nothing where one runs at the moment, has several threads, or the kernel does not tell.
pub(super) fn ran(processes: &[(i32, Process)]) -> Option<Vec<(i32, String)>> {
    let of = |(pid, process): &(i32, Process)| {
        let is_told = process.state != 'R' && process.threads == 1;
        let ran = is_told.then(|| fs::read_to_string(format!("/proc/{pid}/schedstat")).ok());
        ran.flatten().map(|ran| (*pid, ran))
    };
    processes.iter().map(of).collect()
}

/// Sends a signal to a process, if it is there.
pub(super) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Who has ended meanwhile needs no signal.
        let _ = kill_process(pid, signal);
    }
}

/// Sends a signal to everything below `root`.
pub(super) fn send_below(root: i32, signal: Signal) {
    below(root).into_iter().for_each(|pid| send(pid, signal));
}

/// Lets everything below `root` stand still. Looks again until nothing runs: who was not yet stopped may have made
/// another process meanwhile.
pub(super) fn freeze(root: i32) {
    for _ in 0..MAX_LOOKS {
        let all = below(root);
        let running: Vec<i32> = all
            .into_iter()
            .filter(|pid| Process::of(*pid).is_some_and(|process| !process.is_still()))
            .collect();
        if running.is_empty() {
            return;
        }
        running.into_iter().for_each(|pid| send(pid, Signal::STOP));
        // A stop takes effect when the process is next on a processor.
        std::thread::yield_now();
    }
}

/// Lets everything below `root` go on, children before their parents, so that no parent sees a child standing still.
pub(super) fn thaw(root: i32) {
    below(root).into_iter().rev().for_each(|pid| send(pid, Signal::CONT));
}

/// Ends everything below `root`.
pub(super) fn kill(root: i32) {
    for _ in 0..MAX_LOOKS {
        let all = below(root);
        let alive: Vec<i32> = all
            .into_iter()
            .filter(|pid| Process::of(*pid).is_some_and(|process| !process.is_over()))
            .collect();
        if alive.is_empty() {
            return;
        }
        alive.into_iter().for_each(|pid| send(pid, Signal::KILL));
        std::thread::yield_now();
    }
}

/// Processor time of processes that come and go, in ticks.
///
/// Two counts, the larger of which holds: what every process was last seen to have had itself (also of those whose
/// parent does not wait for them), and what those alive have had with those that they waited for (also of those that
/// were too short to be seen).
#[derive(Debug, Default)]
pub(super) struct Ticks {
    seen: BTreeMap<(i32, u64), u64>,
    most: u64,
}

impl Ticks {
    /// Adds a look at all that is alive of a program, whose supervisor has waited for so much of it. What the supervisor takes
    /// itself is the price of the sandbox, which is the seller's.
    pub(super) fn look(&mut self, alive: &[(i32, Process)], waited: u64) {
        let mut with_waited = waited;
        for (pid, process) in alive {
            with_waited = with_waited.saturating_add(process.own).saturating_add(process.waited);
            let own = self.seen.entry((*pid, process.began)).or_default();
            *own = process.own.max(*own);
        }
        let of_each = self.seen.values().fold(0_u64, |sum, own| sum.saturating_add(*own));
        self.most = self.most.max(with_waited).max(of_each);
    }

    /// What was counted; never less than before.
    pub(super) const fn total(&self) -> u64 {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let rest = "S 17 1 1 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 5 0 4242 9 9 9";
        for name in ["sh", "a b", ") R 1 (", "(x))"] {
            let process = Process::read(&format!("9 ({name}) {rest}\n")).unwrap();
            let expected = Process { state: 'S', parent: 17, own: 120, waited: 4, threads: 5, began: 4242 };
            assert_eq!(process, expected, "{name}");
        }
        assert_eq!(Process::read("9 (sh) S 17"), None);
    }

    #[test]
    fn the_time_of_a_process_counts_whether_it_is_waited_for_or_not() {
        let process = |own, waited| Process { own, waited, ..Process::default() };
        for (looks, expected) in [
            (vec![(vec![(1, process(5, 0))], 0), (vec![(1, process(7, 0))], 0)], 7),
            // A child is seen, ends, and its parent has waited for it.
            (vec![(vec![(1, process(5, 0)), (2, process(30, 0))], 0), (vec![(1, process(6, 31))], 0)], 37),
            // A child is seen and nobody waits for it.
            (vec![(vec![(1, process(5, 0)), (2, process(30, 0))], 0), (vec![(1, process(6, 0))], 0)], 36),
            // Children that were never seen.
            (vec![(vec![(1, process(5, 0))], 0), (vec![(1, process(5, 400))], 0)], 405),
            // What was counted stays, though all have ended.
            (vec![(vec![(1, process(5, 400))], 0), (vec![], 0)], 405),
            // What the supervisor has waited for was the program's, whether it was seen or not.
            (vec![(vec![(1, process(5, 0))], 0), (vec![], 9)], 9),
            (vec![(vec![], 0)], 0),
        ] {
            let mut ticks = Ticks::default();
            looks.iter().for_each(|(alive, waited)| ticks.look(alive, *waited));
            assert_eq!(ticks.total(), expected, "{looks:?}");
        }
    }

    #[test]
    fn what_is_below_this_process_is_found_stopped_and_ended() {
        let mut shell = std::process::Command::new("/bin/sh");
        let mut child = shell.args(["-c", "sleep 1000 & sleep 1000 & wait"]).spawn().unwrap();
        let root = i32::try_from(child.id()).unwrap();
        while below(root).len() < 2 {
            std::thread::yield_now();
        }
        let found = below(root);
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(below(me).contains(&root));
        let look = || {
            ran(&below(root).iter().filter_map(|pid| Some((*pid, Process::of(*pid)?))).collect::<Vec<_>>())
        };
        let mut before = look();
        while before.is_none() || before != look() {
            before = look();
        }
        freeze(root);
        thaw(root);
        // To be stopped and to go on takes each of them a moment on a processor.
        while before == look() {
            std::thread::yield_now();
        }
        freeze(root);
        assert!(found.iter().all(|pid| Process::of(*pid).unwrap().state == 'T'));
        thaw(root);
        while found.iter().any(|pid| Process::of(*pid).unwrap().state == 'T') {
            std::thread::yield_now();
        }
        kill(root);
        child.wait().unwrap();
        assert_eq!(children_by_parent(root), Vec::<i32>::new());
    }
}

//! What the node does while a program runs in its sandbox: looks at it, holds it to its limits, and ends it.

use super::group::Group;
use super::print::Print;
use super::space;
use super::started::{Standing, Started};
use super::tree::{self, Process, Ticks};
use crate::exec::control::{Stop, Watch};
use crate::exec::scratch::MAX_ENTRIES;
use proto::message::service::{Limits, Outcome};
use proto::{Capacity, Cycles};
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a program is looked at. What it takes beyond a limit between two looks is what it can take too much.
const LOOK: Duration = Duration::from_millis(10);
/// The least time between two walks through its files, and the part of the time that walks may take.
const WALK: Duration = Duration::from_millis(50);
const WALK_SHARE: u32 = 10;
/// How long the end of what was killed may take to be seen.
pub(super) const DYING: Duration = Duration::from_secs(2);

/// Why a program was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    Cancelled,
    Wall,
    Memory,
    Disk,
    Output,
    Cycles,
    Processes,
}

impl Halt {
    /// What it means.
    pub(super) fn outcome(self, limits: &Limits) -> Outcome {
        match self {
            Self::Cancelled => Outcome::Cancelled,
            Self::Wall => Outcome::WallLimit(limits.wall),
            Self::Memory => Outcome::MemoryLimit(limits.memory),
            Self::Disk => Outcome::DiskLimit(limits.disk),
            Self::Output => Outcome::OutputLimit(limits.output),
            Self::Cycles => Outcome::CycleLimit(limits.cycles),
            Self::Processes => Outcome::Trapped(format!(
                "more than {} processes and threads at the same time, which is its limit",
                limits.processes
            )),
        }
    }
}

/// A program under guard.
pub(super) struct Guard<'a> {
    started: &'a Started,
    pub(super) watch: &'a Watch,
    pub(super) limits: &'a Limits,
    /// Directories that count for its disk.
    pub(super) fills: [&'a Path; 2],
    /// What it prints meanwhile.
    print: &'a mut Print,
    /// What a core of this machine executes.
    pub(super) per_core: Capacity,
    ticks: Ticks,
    /// The most memory seen, in bytes.
    pub(super) peak: u64,
    next_walk: Option<Instant>,
    /// How long each process had run when all was looked at last, if that was at the last look.
    ran: Option<Vec<(i32, String)>>,
    is_told: bool,
}

impl<'a> Guard<'a> {
    pub(super) fn new(
        started: &'a Started,
        watch: &'a Watch,
        limits: &'a Limits,
        fills: [&'a Path; 2],
        print: &'a mut Print,
    ) -> Self {
        let (per_core, next_walk, ran) = (Capacity(0), None, None);
        let (ticks, peak, is_told) = (Ticks::default(), 0, false);
        Self { started, watch, limits, fills, print, per_core, ticks, peak, next_walk, ran, is_told }
    }

    /// Stays until the program has ended, or has to end; then ends what is left of it.
    pub(super) fn stand(&mut self) -> Option<Halt> {
        let halt = loop {
            if self.has_ended(LOOK) {
                break None;
            }
            if let Err(halt) = self.look() {
                break Some(halt);
            }
        };
        if halt.is_some() {
            self.end();
        }
        halt
    }

    /// Cycles by what was seen, or by the kernel's own count where it is of the program alone.
    pub(super) fn cycles(&self) -> Cycles {
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let seen = self.ticks.total().saturating_mul(1_000_000) / per_second;
        let group = self.started.group.as_ref().filter(|_| self.started.standing == Standing::First);
        let counted = group.and_then(Group::time).unwrap_or(0);
        // Mc/s are cycles per µs.
        Cycles(seen.max(counted).saturating_mul(self.per_core.0))
    }

    /// Waits for the end; whether it has come.
    fn has_ended(&mut self, within: Duration) -> bool {
        self.print.until(&self.started.end, within)
    }

    /// The process whose descendants are the program's: the supervisor.
    fn supervisor(&self) -> i32 {
        match self.started.standing {
            Standing::Above => tree::children(self.started.pid).first().copied().unwrap_or(self.started.pid),
            Standing::First | Standing::Beside => self.started.pid,
        }
    }

    fn look(&mut self) -> Result<(), Halt> {
        let supervisor = self.supervisor();
        let mut held =
            |is_held: bool| if is_held { tree::freeze(supervisor) } else { tree::thaw(supervisor) };
        self.watch.check_held(&mut held).map_err(|stop| match stop {
            Stop::Wall => Halt::Wall,
            Stop::Cancelled | Stop::Disk | Stop::Output => Halt::Cancelled,
        })?;
        if self.watch.control.is_wished() && self.watch.control.take_wishes().is_suspended {
            // Nothing saves a native program from outside: who asked for a snapshot hears that there is none, and what has
            // to end ends. It was warned before (see [`crate::exec::Control::warn`]).
            return Err(Halt::Cancelled);
        }
        if self.watch.control.is_warned() && !std::mem::replace(&mut self.is_told, true) {
            tree::send_below(supervisor, Signal::TERM);
        }
        if self.print.is_over() {
            return Err(Halt::Output);
        }
        let pids = tree::below(supervisor);
        let of = |pid: &i32| Process::of(*pid).map(|process| (*pid, process));
        let alive: Vec<(i32, Process)> = pids.iter().filter_map(of).collect();
        self.count(supervisor, &alive)?;
        let ran = tree::ran(&alive);
        // What has not run since all was looked at has filled nothing.
        if ran.is_none() || ran != self.ran {
            self.ran = if self.measure(&pids)? { ran } else { None };
        }
        Ok(())
    }

    /// Processes and their time.
    fn count(&mut self, supervisor: i32, alive: &[(i32, Process)]) -> Result<(), Halt> {
        let threads = alive.iter().fold(0, |sum: u64, (_, process)| sum.saturating_add(process.threads));
        let waited = Process::of(supervisor).map_or(0, |process| process.waited);
        self.ticks.look(alive, waited);
        let cycles = self.cycles();
        self.watch.control.publish(cycles.min(self.limits.cycles));
        if cycles > self.limits.cycles {
            return Err(Halt::Cycles);
        }
        if threads > u64::from(self.limits.processes) { Err(Halt::Processes) } else { Ok(()) }
    }

    /// Memory and files; whether it was the files' turn.
    fn measure(&mut self, pids: &[i32]) -> Result<bool, Halt> {
        let limit = self.limits.memory.0;
        let nameless = space::nameless(pids);
        let memory = space::memory(pids, limit).saturating_add(nameless.memory);
        self.peak = self.peak.max(memory);
        if memory > limit {
            return Err(Halt::Memory);
        }
        let now = Instant::now();
        if self.next_walk.is_some_and(|next| now < next) {
            return Ok(false);
        }
        let is_over = fills_too_much(&self.fills, nameless.disk, self.limits);
        self.next_walk = Some(now + WALK.max(now.elapsed() * WALK_SHARE));
        if is_over { Err(Halt::Disk) } else { Ok(true) }
    }

    /// Ends everything, and waits until it is gone.
    fn end(&mut self) {
        let pid = self.started.pid;
        self.started.group.iter().for_each(Group::kill);
        if self.started.standing == Standing::Beside {
            tree::kill(pid);
        } else {
            // With the first process of a process namespace the kernel ends all others.
            let is_first = self.started.standing == Standing::First;
            let first = if is_first { vec![pid] } else { tree::children(pid) };
            first.iter().for_each(|pid| tree::send(*pid, Signal::KILL));
            let deadline = Instant::now() + DYING;
            let is_there = |pid: &i32| Process::of(*pid).is_some_and(|process| !process.is_over());
            if first.is_empty() {
                tree::send(pid, Signal::KILL);
            }
            while first.iter().any(is_there) && Instant::now() < deadline {
                self.has_ended(Duration::from_millis(1));
            }
        }
        if !self.has_ended(DYING) {
            tree::kill(pid);
            tree::send(pid, Signal::KILL);
            self.has_ended(DYING);
        }
    }
}

/// Whether the files in `roots`, and `nameless` bytes of files without a name, are more than may be. What cannot be
/// looked into is too much: its paths are too long for the host, or it was closed to hide what is in it.
pub(super) fn fills_too_much(roots: &[&Path], nameless: u64, limits: &Limits) -> bool {
    match space::below(roots) {
        Ok(filled) => filled.bytes.saturating_add(nameless) > limits.disk.0 || filled.entries > MAX_ENTRIES,
        Err(_) => true,
    }
}

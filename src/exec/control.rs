//! What the outside may do to a running execution, and see of it.

use super::duty::Duty;
use super::saved::{Snapshot, Whole};
use super::span_since;
use super::stream::Tap;
use proto::{Cycles, Span};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
#[cfg(test)]
use std::time::Duration;
use std::time::Instant;
use tokio::sync::oneshot;

/// The pace of a program that stands still.
const STILL: u32 = 0;
/// The pace of a program that nothing holds back.
const FULL: u32 = 100;

/// The handle on one execution; make one for each, clones are the same handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    is_stopped: AtomicBool,
    /// It will be stopped before long, and may end in order.
    is_warned: AtomicBool,
    cycles: AtomicU64,
    /// For how much of the time the program may run, in per cent; [`STILL`] for none.
    pace: AtomicU32,
    /// How long it has stood still, in µs.
    paused: AtomicU64,
    /// Whether it stands still at the moment.
    is_standing: AtomicBool,
    /// Guards the waits of the program's thread.
    duty: Mutex<Duty>,
    /// Something of the above has changed.
    changed: Condvar,
    /// Whether there is anything in `wishes`.
    is_wished: AtomicBool,
    wishes: Mutex<Wishes>,
    stdout: Tap,
    stderr: Tap,
}

/// What is to be done when the program can be saved.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// It has to end there.
    pub(super) is_suspended: bool,
    /// Who wants a snapshot.
    pub(super) asked: Vec<oneshot::Sender<Snapshot>>,
    /// What all of them have, so that a difference to it is enough.
    pub(super) whole: Option<Whole>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            is_stopped: AtomicBool::new(false),
            is_warned: AtomicBool::new(false),
            cycles: AtomicU64::new(0),
            pace: AtomicU32::new(FULL),
            paused: AtomicU64::new(0),
            is_standing: AtomicBool::new(false),
            duty: Mutex::default(),
            changed: Condvar::new(),
            is_wished: AtomicBool::new(false),
            wishes: Mutex::default(),
            stdout: Tap::default(),
            stderr: Tap::default(),
        }
    }
}

impl Control {
    /// Ends the execution with `Outcome::Cancelled`; one that has not started ends when it does, one that stands still
    /// at once.
    pub(crate) fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// A handle on the next program of the same contract, which is held back as this one is.
    pub(crate) fn heir(&self) -> Self {
        let heir = Self::default();
        heir.shared.pace.store(self.current_pace(), Ordering::Relaxed);
        heir.shared.is_warned.store(self.is_warned(), Ordering::Relaxed);
        heir
    }

    /// Tells the program that it will be stopped before long, so that it may save its work and end (HTCondor's vacating,
    /// conventions.md 3e). A native program gets SIGTERM; WebAssembly has no signals and goes on.
    pub(crate) fn warn(&self) {
        self.shared.is_warned.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether it was told that it will be stopped.
    pub(super) fn is_warned(&self) -> bool {
        self.shared.is_warned.load(Ordering::Relaxed)
    }

    /// Lets the program stand still at its next look at this handle, which comes after ten million cycles: within 50 ms
    /// on a core of 200 Mc/s. Its memory stays, and its wall time does not run.
    pub(crate) fn pause(&self) {
        self.set_pace(STILL);
    }

    /// Lets the program run for `percent` (1 to 100) of the time, one that stands still too.
    pub(crate) fn pace(&self, percent: u32) {
        self.set_pace(percent.clamp(1, FULL));
    }

    /// Saves the program at its next look and lets it go on; one that stands still is saved as it stands. Who drops the
    /// receiver loses nothing but the snapshot. Nothing arrives if the program ends before, or cannot be saved. Who has
    /// the program's last whole snapshot gets a difference to it, if that is no larger than is said.
    pub(crate) fn snapshot(&self, whole: Option<Whole>) -> oneshot::Receiver<Snapshot> {
        let (send, receive) = oneshot::channel();
        self.wish(|wishes| {
            let is_alone = wishes.asked.is_empty();
            wishes.whole = whole.filter(|_| is_alone || wishes.whole == whole);
            wishes.asked.push(send);
        });
        receive
    }

    /// Saves the program at its next look and ends it there: its end then holds the snapshot
    /// ([`super::Saved::Snapshot`]).
    pub(crate) fn suspend(&self) {
        self.wish(|wishes| wishes.is_suspended = true);
    }

    /// What it has printed to its standard output so far; can be looked at while it runs.
    #[must_use]
    pub(crate) fn stdout(&self) -> &Tap {
        &self.shared.stdout
    }

    /// The same for its standard error.
    #[must_use]
    pub(crate) fn stderr(&self) -> &Tap {
        &self.shared.stderr
    }

    fn wish(&self, add: impl FnOnce(&mut Wishes)) {
        add(&mut self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.is_wished.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether the program is to be saved.
    pub(super) fn is_wished(&self) -> bool {
        self.shared.is_wished.load(Ordering::Relaxed)
    }

    /// Takes what was wished so far.
    pub(super) fn take_wishes(&self) -> Wishes {
        self.shared.is_wished.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until `moment`, or until it is stopped.
    pub(super) fn wait_until(&self, moment: Instant) {
        let left = moment.saturating_duration_since(Instant::now());
        let is_running = |_: &mut Duty| !self.is_stopped();
        // Who panicked beside the lock has left nothing that this waits for.
        drop(self.shared.changed.wait_timeout_while(self.duty(), left, is_running));
    }

    /// Whether it was stopped.
    #[must_use]
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::Relaxed)
    }

    /// Whether the program stands still: it has seen that it has to.
    #[cfg(test)]
    pub(super) fn is_standing(&self) -> bool {
        self.shared.is_standing.load(Ordering::Relaxed)
    }

    /// Cycles metered so far, at most about ten million behind.
    #[must_use]
    pub(crate) fn cycles(&self) -> Cycles {
        Cycles(self.shared.cycles.load(Ordering::Relaxed))
    }

    /// The program is started once more, and its cycles are counted from nothing.
    pub(crate) fn begin_again(&self) {
        self.publish(Cycles(0));
    }

    pub(super) fn publish(&self, cycles: Cycles) {
        self.shared.cycles.store(cycles.0, Ordering::Relaxed);
    }

    /// How long the program has stood still.
    fn paused(&self) -> Span {
        Span(self.shared.paused.load(Ordering::Relaxed))
    }

    fn set_pace(&self, pace: u32) {
        self.shared.pace.store(pace, Ordering::Relaxed);
        self.wake();
    }

    /// The lock is taken, so that a thread between its look and its wait is not missed.
    fn wake(&self) {
        drop(self.duty());
        self.shared.changed.notify_all();
    }

    fn duty(&self) -> MutexGuard<'_, Duty> {
        self.shared.duty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current_pace(&self) -> u32 {
        self.shared.pace.load(Ordering::Relaxed)
    }

    /// Holds the thread of the program back as it has to be. `held` is told before (`true`) and after it: what does not
    /// run on this thread has to be held back otherwise.
    fn keep_pace(&self, held: &mut dyn FnMut(bool)) {
        match self.current_pace() {
            FULL => {}
            STILL => self.stand_still(held),
            pace => self.rest(pace, held),
        }
    }

    /// Waits until the program may run, or has to end.
    fn stand_still(&self, held: &mut dyn FnMut(bool)) {
        held(true);
        let since = Instant::now();
        self.shared.is_standing.store(true, Ordering::Relaxed);
        let is_still = |_: &mut Duty| self.current_pace() == STILL && !self.is_stopped() && !self.is_wished();
        let waited = self.shared.changed.wait_while(self.duty(), is_still);
        waited.unwrap_or_else(PoisonError::into_inner).forget();
        self.shared.is_standing.store(false, Ordering::Relaxed);
        self.shared.paused.fetch_add(span_since(since).0, Ordering::Relaxed);
        held(false);
    }

    /// Waits for as long as a program with a share of the time has to rest now, if it has to.
    fn rest(&self, pace: u32, held: &mut dyn FnMut(bool)) {
        let mut duty = self.duty();
        let start = Instant::now();
        let Some(rest) = duty.rest(pace, start) else { return };
        held(true);
        let is_same = |_: &mut Duty| self.current_pace() == pace && !self.is_stopped() && !self.is_wished();
        let waited = self.shared.changed.wait_timeout_while(duty, rest, is_same);
        let (mut duty, _) = waited.unwrap_or_else(PoisonError::into_inner);
        held(false);
        duty.rested(rest, start.elapsed());
    }

    /// How long the program has rested because of its pace.
    #[cfg(test)]
    pub(super) fn rested_so_far(&self) -> Duration {
        self.duty().total()
    }
}

/// Why a program was ended from outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("stopped")]
    Cancelled,
    #[error("over its wall time")]
    Wall,
    #[error("over its disk limit")]
    Disk,
    #[error("over its output limit")]
    Output,
}

/// Looks whether an execution has to end, to stand still or to rest.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) control: Control,
    pub(super) started: Instant,
    pub(super) wall: Span,
}

impl Watch {
    /// Whether the program has to end. Blocks as long as it is held back: the thread is the program's own.
    pub(super) fn check(&self) -> Result<(), Stop> {
        self.look().map(drop)
    }

    /// The same, and whether it is to be saved. Cheap enough for every call from the program to its host (some 30 ns).
    pub(super) fn look(&self) -> Result<Look, Stop> {
        self.look_held(&mut |_| {})
    }

    /// Whether a program has to end that does not run on this thread: `held` is told when it has to stand still (`true`)
    /// and when it may go on.
    pub(super) fn check_held(&self, held: &mut dyn FnMut(bool)) -> Result<(), Stop> {
        self.look_held(held).map(drop)
    }

    fn look_held(&self, held: &mut dyn FnMut(bool)) -> Result<Look, Stop> {
        self.control.keep_pace(held);
        if self.control.is_stopped() {
            Err(Stop::Cancelled)
        } else if span_since(self.started).0.saturating_sub(self.control.paused().0) > self.wall.0 {
            Err(Stop::Wall)
        } else if self.control.is_wished() {
            Ok(Look::Save)
        } else {
            Ok(Look::GoOn)
        }
    }
}

/// What a program does next that need not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It goes on.
    GoOn,
    /// It is saved first.
    Save,
}

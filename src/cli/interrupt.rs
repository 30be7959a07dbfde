//! Ctrl-C and signals that end a process.

use super::exit;
use crate::control::Failure;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// The user pressed Ctrl-C.
    CtrlC,
    /// Somebody else wants this process to end: SIGTERM or SIGHUP, by number.
    End(u8),
}

impl Interrupt {
    /// The exit code of a process that ends by it, as shells have it.
    pub(super) const fn exit(self) -> u8 {
        match self {
            Self::CtrlC => exit::INTERRUPTED,
            Self::End(number) => 128_u8.saturating_add(number),
        }
    }
}

/// Takes the signals over: from now on they only come from [`Interrupts::next`].
pub(super) struct Interrupts {
    ctrl_c: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Interrupts {
    pub(super) fn new() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(Failure::from_display("signals"));
        Ok(Self {
            ctrl_c: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
            hang_up: take(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.ctrl_c.recv() => Interrupt::CtrlC,
            _ = self.terminate.recv() => Interrupt::End(15),
            _ = self.hang_up.recv() => Interrupt::End(1),
        }
    }
}

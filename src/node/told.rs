//! What the process is told from outside: to end, or to read its policy again.

use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

/// What a process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// To end, in order.
    End,
    /// To read its policy again (SIGHUP).
    Reload,
}

/// Listens to signals and, for a process tied to its parent, to the end of standard input.
pub(super) struct Outside {
    stdin: Option<JoinHandle<()>>,
    interrupts: Option<Signal>,
    terminations: Option<Signal>,
    hangups: Option<Signal>,
}

impl Outside {
    /// Listens from now on; what came before had its usual effect.
    pub(super) fn new(is_tied: bool) -> Self {
        let on = |kind| signal(kind).ok();
        Self {
            stdin: is_tied.then(|| tokio::spawn(stdin_ends())),
            interrupts: on(SignalKind::interrupt()),
            terminations: on(SignalKind::terminate()),
            hangups: on(SignalKind::hangup()),
        }
    }

    /// The next word. A call that is dropped loses none.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            () = ended(&mut self.stdin) => Told::End,
            () = comes(&mut self.interrupts) => Told::End,
            () = comes(&mut self.terminations) => Told::End,
            () = comes(&mut self.hangups) => Told::Reload,
        }
    }
}

async fn comes(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

async fn ended(stdin: &mut Option<JoinHandle<()>>) {
    match stdin {
        // A task that failed cannot see the end any more: that is one.
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
    *stdin = None;
}

async fn stdin_ends() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 64];
    while stdin.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}

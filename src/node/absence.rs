//! An announced absence: the node has left the network, its process waits and still hears its owner.

use super::control::Call;
use super::driver::Driver;
use super::governance;
use super::told::{Outside, Told};
use crate::control::{Departure, Reply, Request, Sharing, SharingView};
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the clock on the wall is looked at: it may be set, and machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How an absence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// The node comes back.
    Over,
    /// The process ends.
    Ends,
}

/// Waits until it is `until`, or the owner wants the node back or gone.
pub(super) async fn wait(
    until: Timestamp,
    calls: &mut mpsc::Receiver<Call>,
    outside: &mut Outside,
) -> Absence {
    tracing::info!("away until {}", governance::local(until));
    loop {
        let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO);
        if left.is_zero() {
            return Absence::Over;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
            told = outside.next() => {
                // A policy that was changed is read when the node comes back.
                if told == Told::End {
                    return Absence::Ends;
                }
            }
            Some(Call { request, question }) = calls.recv() => match request {
                Request::Leave(Departure::Now | Departure::Done) => {
                    question.answer(Reply::Left);
                    return Absence::Ends;
                }
                Request::Resume => {
                    question.answer(Reply::Sharing(Box::new(back(until))));
                    return Absence::Over;
                }
                _ => question.answer(Reply::Error(Driver::away(until))),
            },
        }
    }
}

/// What the owner is told that wants the node back.
fn back(until: Timestamp) -> SharingView {
    SharingView {
        state: Sharing::Closed,
        since: Some(governance::utc(Timestamp::now())),
        until: None,
        reasons: vec![format!("enters the network again, before {}", governance::local(until))],
        notes: Vec::new(),
        throttle_pct: 100,
        working: 0,
        at: None,
    }
}

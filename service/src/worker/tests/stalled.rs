//! A seller ends what runs and does not move.

use super::*;
use crate::contract::STALLED;

/// The outcome of what is reported within `span`, while the program comes so much further every second.
fn check(per_second: u64, done: Option<u32>, expected: Option<&str>) {
    let mut seller = Seller::running();
    let mut reported = None;
    for second in 1..=STALLED.0 / 1_000_000 + 1 {
        let did = seller.pass(Span::secs(1));
        seller.worker.progressed(id(1), Cycles(second * per_second), seller.now);
        if let Some(done) = done {
            seller.worker.has_done(id(1), done * u32::try_from(second).unwrap(), seller.now);
        }
        reported = reported.or(did.into_iter().find_map(|did| match did {
            Did::Reports(1, outcome) => Some(outcome.to_string()),
            _ => None,
        }));
    }
    assert_eq!(reported.as_deref(), expected);
}

#[test]
fn what_does_nothing_for_ten_minutes_is_ended_with_a_reason() {
    check(0, None, Some("trapped: stalled: it has done nothing for 10.0 min"));
    check(1, None, None);
    check(0, Some(1), None);
}

#[test]
fn the_time_in_which_the_owner_needs_the_machine_does_not_count() {
    let mut seller = Seller::running();
    seller.decide(Suspend, &[Did::Pause(1), Did::Says(1, Phase::Suspended)]);
    let did = seller.pass(STALLED);
    assert!(!did.iter().any(|did| matches!(did, Did::Reports(..) | Did::Stop(_))), "{did:?}");
}

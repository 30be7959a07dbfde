//! Deadlines, and the rest before another attempt.

use super::*;
use crate::task::Deadline;

#[test]
fn what_has_not_ended_by_its_deadline_ends_then() {
    let mut buyer = Buyer::with(Rules::LOCAL, |plan| plan.deadline = Some(Deadline::In(Span::millis(200))));
    buyer.buy(PRICE);
    assert_eq!(buyer.pass(Span::micros(199_999)), []);
    let ended = Did::Tells("too late: it had not ended by its deadline, 0 and 0 paid".into());
    assert_eq!(buyer.pass(Span(1)), [Did::Cancels, ended]);
    assert_eq!(buyer.state(), State::Failed);
    // One that has passed already ends before anything is bought.
    let mut late = Buyer::with(Rules::LOCAL, |plan| plan.deadline = Some(Deadline::At(0)));
    late.pass(Span(0));
    assert_eq!(late.state(), State::Failed);
}

#[test]
fn after_a_failure_the_next_attempt_waits_as_long_as_the_file_says() {
    let mut buyer = Buyer::with(Rules::LOCAL, |plan| plan.backoff = Span::secs(60));
    buyer.buy(PRICE);
    let did = buyer.pass(Span::secs(5));
    assert!(did.contains(&Did::Tells("again: lost: the seller was not heard of again (1 tried)".into())));
    assert_eq!((did.contains(&Did::Buys), buyer.state()), (false, State::Waiting));
    assert!(buyer.pass(Span::secs(60)).contains(&Did::Buys));
}

//! Saving what runs for others, and keeping the states of what runs elsewhere.

use super::*;
use crate::dispatch::follow_up;
use crate::journal::Note;
use crate::{checkpoint, journal};
use proto::message::service::{
    Blob, Checkpoint, CheckpointKey, CheckpointMethod, Checkpointing, Keep, NotSaved,
};

/// States, words and room of a seller, in short.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    Saves,
    Tells(u32, u64),
    Fails(String),
    Fetches(u8, u8),
    Has(Vec<u8>),
    Drops(Vec<u8>),
    Takes,
    TakesAgain(Bytes),
    Frees,
    Bills(u64),
    Signs,
    Settles,
}

fn state(n: u8) -> Blob {
    Blob { hash: Hash([n; 32]), size: Bytes(400_000) }
}

fn kept(seller: &mut Seller) -> Vec<Kept> {
    let names = |blobs: &[Blob]| blobs.iter().map(|blob| blob.hash.0[0]).collect();
    let short = |effect: Effect| {
        Some(match effect {
            Effect::Save { .. } => Kept::Saves,
            Effect::Fetch { from, blobs, .. } => {
                let who = (0..=u8::MAX).find(|n| keys(*n).public() == from.key)?;
                Kept::Fetches(who, blobs.first()?.hash.0[0])
            }
            Effect::Drop { blobs, .. } => Kept::Drops(names(&blobs)),
            Effect::Take { .. } => Kept::Takes,
            Effect::Retake { part, .. } => Kept::TakesAgain(part.disk),
            Effect::Free { .. } => Kept::Frees,
            Effect::Order { order: Order::Settle(_), .. } => Kept::Settles,
            Effect::Send { message, .. } => match message {
                ServiceMessage::Saved(paper) => Kept::Tells(paper.body.version, paper.body.cycles.0),
                ServiceMessage::NotSaved(NotSaved { why, .. }) => Kept::Fails(why),
                ServiceMessage::Kept(kept) => Kept::Has(kept.hashes.iter().map(|hash| hash.0[0]).collect()),
                ServiceMessage::Report(paper) => Kept::Bills(paper.body.cycles.0),
                ServiceMessage::Decline(_) => Kept::Signs,
                _ => return None,
            },
            _ => return None,
        })
    };
    seller.worker.effects.drain(..).filter_map(short).collect()
}

/// With a program at work that is saved every so often.
fn saving(interval: Option<Span>) -> Seller {
    saving_after(Vec::new(), interval)
}

/// The same, after a former run that has left these notes.
fn saving_after(notes: Vec<Note>, interval: Option<Span>) -> Seller {
    let mut seller = restarted(notes);
    let mut offer = offer(1).body;
    let method = CheckpointMethod::Transparent;
    let key = CheckpointKey([0; 32]);
    let spec = Checkpointing { method, interval, size: Bytes::mib(1), copies: 1, key };
    offer.job.checkpoint = Some(spec);
    let message = ServiceMessage::Offer(Box::new(Signed::new(offer, &keys(2))));
    seller.worker.receive(peer(2), message, &|_| Ok(()), seller.now);
    seller.worker.fetched(id(1), Ok(()), seller.now);
    kept(&mut seller);
    seller
}

fn restarted(notes: Vec<Note>) -> Seller {
    let mut seller = Seller::new();
    seller.worker.restore(&journal::Kept { submissions: Vec::new(), notes }, seller.now);
    seller
}

/// When the next state is asked for, in seconds from now.
fn asked_after(seller: &mut Seller) -> f64 {
    let since = seller.now;
    loop {
        seller.now = seller.worker.poll_timeout().unwrap().max(seller.now);
        seller.worker.handle_timeouts(seller.now);
        if kept(seller).contains(&Kept::Saves) {
            return seller.now.since(since).as_secs_f64();
        }
    }
}

fn snapshot(n: u8, cycles: u64, cost: Span) -> Result<Snapshot, String> {
    Ok(Snapshot { checkpoint: state(n).into(), cycles: Cycles(cycles), cost })
}

/// A difference to the whole state `base`.
fn since(base: u8, n: u8) -> Checkpoint {
    Checkpoint { blob: state(n), base: Some(state(base)) }
}

#[test]
fn states_are_asked_for_as_often_as_is_given_and_the_owner_allows() {
    for (interval, expected) in [(Some(Span::secs(90)), 90.0), (Some(Span::secs(5)), 60.0)] {
        assert_eq!(asked_after(&mut saving(interval)), expected, "{interval:?}");
    }
}

#[test]
fn without_an_interval_the_cost_decides() {
    let mut seller = saving(None);
    // √(2 · 1 s · 4 h), and then √(2 · 2 s · 4 h).
    assert_eq!(asked_after(&mut seller), 169.705_627);
    seller.worker.saved(id(1), snapshot(60, 5, Span::secs(2)), seller.now);
    assert_eq!(kept(&mut seller), [Kept::Tells(1, 5)]);
    assert_eq!(asked_after(&mut seller), 240.0);
}

#[test]
fn a_process_that_has_ended_with_a_program_counts_as_a_failure_in_the_next_runs() {
    let former = saving(None);
    let second = restarted(former.worker.notes());
    let is_of_failures = |note: &Note| matches!(note, Note::Worked { .. });
    let notes: Vec<Note> = second.worker.notes().into_iter().filter(is_of_failures).collect();
    let experience = checkpoint::Experience { worked: Span(0), cut_short: 1 };
    assert_eq!(notes, [Note::Worked { experience }]);
    // √(2 · 1 s · 4 h / 2): one failure was seen beside the one that is assumed.
    assert_eq!(asked_after(&mut saving_after(notes, None)), 120.0);
}

#[test]
fn the_buyer_is_told_of_each_state_and_again_and_the_last_two_are_kept() {
    let mut seller = saving(Some(Span::secs(60)));
    for (version, n) in (1..).zip([60, 61, 62]) {
        seller.worker.saved(id(1), snapshot(n, u64::from(n), Span(1)), seller.now);
        let dropped = (n == 62).then_some(Kept::Drops(vec![60]));
        let expected: Vec<Kept> = dropped.into_iter().chain([Kept::Tells(version, u64::from(n))]).collect();
        assert_eq!(kept(&mut seller), expected);
    }
    seller.now = seller.worker.poll_timeout().unwrap();
    seller.worker.handle_timeouts(seller.now);
    assert_eq!(kept(&mut seller), [Kept::Tells(3, 62)], "with the sign of life");
    let large = Blob { size: Bytes::mib(2), ..state(63) };
    for checkpoint in [large.into(), Checkpoint { base: Some(state(60)), blob: large }] {
        let size = checkpoint.size();
        seller.worker.saved(id(1), Ok(Snapshot { checkpoint, cycles: Cycles(9), cost: Span(1) }), seller.now);
        let why = format!(
            "the saved state of {size} is larger than the 1.0 MiB that are reserved for it; raise CheckPointDataSize"
        );
        assert_eq!(kept(&mut seller), [Kept::Fails(why)]);
    }
}

#[test]
fn what_a_difference_rests_on_is_kept_as_long_as_it_is() {
    let mut seller = saving(Some(Span::secs(60)));
    for (cycles, checkpoint, dropped) in [
        (1, state(60).into(), None),
        (2, since(60, 61), None),
        (3, since(60, 62), None),
        (4, state(63).into(), Some(vec![61])),
        (5, since(63, 64), Some(vec![60, 62])),
    ] {
        let state = Snapshot { checkpoint, cycles: Cycles(cycles), cost: Span(1) };
        seller.worker.saved(id(1), Ok(state), seller.now);
        let told = Kept::Tells(u32::try_from(cycles).unwrap(), cycles);
        let expected: Vec<Kept> = dropped.map(Kept::Drops).into_iter().chain([told]).collect();
        assert_eq!(kept(&mut seller), expected);
    }
}

#[test]
fn what_cannot_be_saved_when_the_owner_needs_the_machine_is_handed_over_as_it_was_saved_last() {
    let mut seller = saving(Some(Span::secs(60)));
    seller.worker.saved(id(1), snapshot(60, 7, Span(1)), seller.now);
    seller.worker.decide(Vacate { grace: Span(0) }, seller.now);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Cancelled), seller.now);
    let report = seller.report(1).body;
    assert_eq!((report.outcome, report.cycles), (Outcome::Migrated(state(60).into()), Cycles(7)));
}

fn keep(n: u8, states: &[u8]) -> ServiceMessage {
    let mut ticket = ticket(id(n)).body;
    ticket.requirement.commodity = proto::Commodity::Disk;
    let ticket = Signed::new(ticket, &keys(3));
    let hold = hold(&ticket, Money::credits(1));
    let blobs = states.iter().map(|n| state(*n)).collect();
    ServiceMessage::Keep(Box::new(Keep {
        contract: id(n),
        ticket,
        hold,
        blobs,
        sources: vec![peer(5), peer(6)],
    }))
}

#[test]
fn a_storage_node_keeps_what_its_buyer_says_and_bills_it() {
    let mut seller = Seller::new();
    seller.hear(2, keep(4, &[60]));
    assert_eq!(kept(&mut seller), [Kept::Takes, Kept::Has(vec![]), Kept::Fetches(5, 60)]);
    // What it fetches is for whoever names it, not for its maker only.
    assert!(seller.worker.owns(id(4)) && !seller.worker.works_for(id(4)));
    seller.worker.fetched(id(4), Err("gone".into()), seller.now);
    seller.hear(2, keep(4, &[60]));
    assert_eq!(kept(&mut seller), [Kept::Has(vec![]), Kept::Fetches(6, 60)], "another source");
    seller.worker.fetched(id(4), Ok(()), seller.now);
    assert_eq!((kept(&mut seller), seller.worker.keeping()), (vec![Kept::Has(vec![60])], 1));
    seller.now = seller.now.after(Span::secs(60));
    seller.hear(2, keep(4, &[60, 61]));
    assert_eq!(kept(&mut seller), [Kept::Has(vec![60]), Kept::Fetches(6, 61)]);
    seller.worker.fetched(id(4), Ok(()), seller.now);
    seller.hear(2, keep(4, &[61]));
    assert_eq!(kept(&mut seller), [Kept::Has(vec![60, 61]), Kept::Drops(vec![60]), Kept::Has(vec![61])]);
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(4) }));
    let bill = checkpoint::kept(Bytes::mib(1), Span::secs(60)).0;
    assert_eq!(kept(&mut seller), [Kept::Frees, Kept::Drops(vec![61]), Kept::Bills(bill)]);
}

#[test]
fn room_is_given_to_who_has_bought_it_and_no_more_than_that() {
    let mut seller = Seller::new();
    seller.hear(5, keep(4, &[60]));
    assert_eq!(kept(&mut seller), [Kept::Signs], "another one's ticket");
    seller.hear(2, keep(7, &[60, 61, 62]));
    // Two states fit, and the third does not.
    assert_eq!(kept(&mut seller), [Kept::Takes, Kept::Has(vec![]), Kept::Fetches(5, 61)]);
    // Where nothing was ever kept nothing is owed.
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(7) }));
    assert_eq!(kept(&mut seller), [Kept::Frees, Kept::Drops(vec![60, 61]), Kept::Signs]);
}

/// Its process ends, and another one takes up what is written down.
fn again(seller: &Seller) -> Seller {
    let mut second = Seller { now: seller.now.after(Span::secs(1)), ..Seller::new() };
    let notes = seller.worker.notes();
    second.worker.restore(&journal::Kept { submissions: Vec::new(), notes }, second.now);
    second.worker.handle_timeouts(second.now);
    second
}

/// With room that keeps one state since the beginning, for a minute.
fn storing() -> Seller {
    let mut seller = Seller::new();
    seller.hear(2, keep(4, &[60]));
    seller.worker.fetched(id(4), Ok(()), seller.now);
    seller.now = seller.now.after(Span::secs(60));
    kept(&mut seller);
    seller
}

/// The bill for that at its present time.
fn bill(seller: &Seller) -> u64 {
    checkpoint::kept(Bytes::mib(1), seller.now.since(Time(0))).0
}

fn word(seller: &Seller, is_accepted: bool) -> ServiceMessage {
    let report = seller.worker.notes().into_iter().find_map(|note| match note {
        Note::Reported { report } => Some(report.hash()),
        _ => None,
    });
    let verdict = Verdict { contract: id(4), report: report.unwrap(), is_accepted, reason: String::new() };
    ServiceMessage::Verdict(Signed::new(verdict, &keys(2)))
}

#[test]
fn a_storage_node_that_is_started_again_keeps_what_it_kept_and_bills_all_of_it() {
    let mut seller = again(&storing());
    let room = ticket(id(4)).body.requirement.disk;
    assert_eq!(kept(&mut seller), [Kept::TakesAgain(room), Kept::Fetches(2, 60)]);
    seller.worker.fetched(id(4), Ok(()), seller.now);
    assert_eq!((kept(&mut seller), seller.worker.keeping()), (vec![Kept::Has(vec![60])], 1));
    seller.hear(2, keep(4, &[60]));
    assert_eq!(kept(&mut seller), [Kept::Has(vec![60])], "the ticket is not looked at again");
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(4) }));
    let owed = bill(&seller);
    assert_eq!(kept(&mut seller), [Kept::Frees, Kept::Drops(vec![60]), Kept::Bills(owed)]);
    let mut seller = again(&seller);
    assert_eq!(kept(&mut seller), [Kept::Bills(owed)], "the same bill, and the room is not taken again");
    seller.hear(2, word(&seller, true));
    let mut seller = again(&seller);
    assert_eq!(kept(&mut seller), [Kept::Settles]);
    let mut seller = again(&seller);
    let command = follow_up(&keys(1), id(4), "claim");
    assert_eq!(kept(&mut seller), [Kept::Settles], "until the bank has answered");
    let refusal = Refusal::new(RefusalCode::HoldClosed, "", "");
    let reply = BankReply { command, outcome: BankOutcome::Refused(refusal) };
    assert_eq!(seller.worker.bank_answered(reply, seller.now), None);
    assert_eq!((seller.worker.notes(), seller.worker.poll_timeout()), (vec![], None));
}

#[test]
fn room_that_is_over_is_forgotten_and_what_is_gone_is_fetched_of_the_buyer() {
    let mut seller = again(&storing());
    kept(&mut seller);
    seller.worker.fetched(id(4), Err("gone".into()), seller.now);
    assert_eq!((kept(&mut seller), seller.worker.keeping()), (vec![], 0));
    seller.hear(2, keep(4, &[60]));
    assert_eq!(kept(&mut seller), [Kept::Has(vec![]), Kept::Fetches(6, 60)]);
    let is_over =
        |seller: &Seller| kept(&mut again(seller)).is_empty() && again(seller).worker.notes().is_empty();
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(4) }));
    assert!(!is_over(&seller));
    seller.hear(2, word(&seller, false));
    assert!(is_over(&seller), "the buyer did not accept the bill");
    let mut late = storing();
    late.now = CLOSES;
    assert!(is_over(&late), "its money has gone back");
}

/// How many notes were written since the last time.
fn written(seller: &mut Seller) -> usize {
    let is_note = |effect: &Effect| matches!(effect, Effect::Append(_));
    seller.worker.effects.drain(..).filter(is_note).count()
}

#[test]
fn what_changes_is_written_down_and_a_lease_that_is_renewed_is_not() {
    let mut seller = Seller::new();
    seller.hear(2, keep(4, &[60]));
    assert_eq!(written(&mut seller), 2, "the room, and what is wanted there");
    seller.worker.fetched(id(4), Ok(()), seller.now);
    assert_eq!(written(&mut seller), 1, "since when something is there");
    for (states, expected) in [(&[60][..], 0), (&[60], 0), (&[60, 61], 1), (&[60, 61], 0), (&[61], 1)] {
        seller.hear(2, keep(4, states));
        seller.worker.fetched(id(4), Ok(()), seller.now);
        assert_eq!(written(&mut seller), expected, "{states:?}");
    }
}

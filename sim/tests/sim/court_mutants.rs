//! For each invariant of the court a known bug in what the bank puts out, and the invariant that notices it.

use bank::{Event, Output, Record};
use proto::message::bank::{BankMessage, BankOutcome, Ending, How, Order, ReleasedReceipt, Shares};
use proto::{Money, PublicKey, RefusalCode, Span};
use sim::Mutant;
use sim::court::{Case, run_with};

/// A bug in what the bank wants done.
struct Bank<F>(F);

impl<F: FnMut(Vec<Output>) -> Vec<Output>> Mutant for Bank<F> {
    fn bank(&mut self, outputs: Vec<Output>) -> Vec<Output> {
        (self.0)(outputs)
    }
}

/// Tries a case with a bug and expects that `invariant` notices it.
fn check(case: &str, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    let case = Case::named(case).unwrap();
    let violation = run_with(&case, 1, mutant).expect_err(invariant);
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

/// A bug in the records.
fn records(mut change: impl FnMut(&mut Record)) -> impl Mutant {
    Bank(move |mut outputs: Vec<Output>| {
        for output in &mut outputs {
            if let Output::Append(record) = output {
                change(record);
            }
        }
        outputs
    })
}

/// A bug in how contracts end.
fn endings(mut change: impl FnMut(&mut Ending)) -> impl Mutant {
    records(move |record| {
        if let Event::HoldClosed { ending, .. } = &mut record.event {
            change(ending);
        }
    })
}

/// A bug in what is done with some outputs: they are put out so many times.
fn times(is_meant: impl Fn(&Output) -> bool, count: usize) -> impl Mutant {
    Bank(move |outputs: Vec<Output>| {
        outputs
            .into_iter()
            .flat_map(|output| {
                let count = if is_meant(&output) { count } else { 1 };
                vec![output; count]
            })
            .collect()
    })
}

fn closes(output: &Output) -> bool {
    matches!(output, Output::Append(record) if matches!(record.event, Event::HoldClosed { .. }))
}

#[test]
fn a_bank_that_pays_twice_is_noticed() {
    check("fair", &mut times(closes, 2), "docket", "a record is not later");
    let mut twice = Bank(|outputs: Vec<Output>| {
        let again = |output: &Output| match output {
            Output::Append(record) if closes(output) => {
                let time = record.time.after(Span(1));
                Some(Output::Append(Record { time, ..record.clone() }))
            }
            _ => None,
        };
        outputs
            .into_iter()
            .flat_map(|output| [again(&output), Some(output)].into_iter().flatten().rev().collect::<Vec<_>>())
            .collect()
    });
    check("fair", &mut twice, "docket", "it ends a second time");
}

#[test]
fn a_bank_that_pays_the_loser_is_noticed() {
    let mut paid = endings(|ending| {
        if ending.how == How::Overturned {
            ending.how = How::Upheld;
        }
    });
    check("lazy", &mut paid, "docket", "upheld where only [Overturned] may be");
    let mut back = endings(|ending| {
        if ending.how == How::Upheld {
            ending.how = How::Overturned;
        }
    });
    check("quarrel", &mut back, "docket", "overturned where only [Upheld] may be");
}

#[test]
fn a_no_show_that_costs_nothing_is_noticed() {
    let mut free = endings(|ending| {
        if ending.how == How::NoShow {
            let Shares { buyer_held, seller_held, .. } = ending.shares;
            ending.how = How::Expired;
            ending.shares = Shares { buyer: buyer_held, seller: seller_held, ..ending.shares };
        }
    });
    check("no_show", &mut free, "docket", "expired where only [NoShow] may be");
    let mut kept = endings(|ending| {
        if ending.how == How::NoShow {
            ending.shares.seller = ending.shares.seller_held;
            (ending.shares.buyer, ending.shares.pool) = (ending.shares.buyer_held, Money(0));
        }
    });
    check("no_show", &mut kept, "shares", "was no-show");
}

#[test]
fn a_bond_that_is_kept_is_noticed() {
    let mut kept = endings(|ending| {
        if ending.how == How::Settled {
            ending.shares.pool = Money(1);
            ending.shares.seller.0 -= 1;
        }
    });
    check("bond", &mut kept, "shares", "was settled");
    let mut lost = records(|record| {
        if let Event::HoldAccepted { bond, .. } = &mut record.event {
            bond.0 += 1;
        }
    });
    check("bond", &mut lost, "docket", "accepted with another bond");
}

#[test]
fn a_dispute_after_the_deadline_is_noticed() {
    let mut late = records(|record| {
        if matches!(record.event, Event::HoldDisputed { .. }) {
            record.time = record.time.after(Span::secs(60));
        }
    });
    check("lazy", &mut late, "docket", "disputed when its time was over");
}

#[test]
fn costs_of_a_dispute_that_are_not_put_up_are_noticed() {
    let mut cheap = records(|record| {
        if let Event::HoldDisputed { deposit, .. } = &mut record.event {
            *deposit = Money(1);
        }
    });
    check("lazy", &mut cheap, "docket", "disputed with another deposit");
    let mut spared = records(|record| {
        if let Event::HoldDisputed { stake, .. } = &mut record.event {
            *stake = Money(0);
        }
    });
    check("lazy", &mut spared, "docket", "disputed with another stake");
}

/// Names `arbiter` instead of who was drawn.
fn names(arbiter: impl Fn(PublicKey) -> PublicKey) -> impl Mutant {
    let mut buyer = PublicKey([0; 32]);
    records(move |record| match &mut record.event {
        Event::HoldDisputed { command, .. } => buyer = command.signer,
        Event::ArbiterNamed { arbiter: named, .. } => *named = arbiter(buyer),
        _ => {}
    })
}

#[test]
fn an_arbiter_that_somebody_chooses_is_noticed() {
    check("lazy", &mut names(|buyer| buyer), "docket", "a party was named as its own arbiter");
    check("lazy", &mut names(|_| PublicKey([7; 32])), "draw", "the draw gives");
}

#[test]
fn a_claim_that_pays_without_the_buyers_word_is_noticed() {
    let mut paid = records(|record| {
        if let Event::HoldClaimed { command, until } = &mut record.event
            && let Order::Claim(claim) = &mut command.body.order
            && claim.taken.is_none()
        {
            *until = record.time.after(Span::secs(30));
        }
    });
    check("kept_bond", &mut paid, "docket", "the claim stands for another time");
    let mut lapsed = endings(|ending| {
        if ending.how == How::Expired {
            ending.how = How::Lapsed;
        }
    });
    check("hasty", &mut lapsed, "docket", "lapsed where only [Expired] may be");
}

#[test]
fn an_end_before_its_time_and_one_that_never_comes_are_noticed() {
    let mut early = records(|record| {
        if let Event::HoldClaimed { until, .. } = &mut record.event {
            *until = until.after(Span::secs(1));
        }
    });
    check("silence", &mut early, "docket", "the claim stands for another time");
    // Nor does it tell balances, in which that would show before.
    let forgets = |output: &Output| match output {
        Output::Append(record) => matches!(&record.event, Event::HoldClosed { command: None, .. }),
        Output::Send { message, .. } => matches!(message, BankMessage::BalanceReply(_)),
        _ => false,
    };
    check("silence", &mut times(forgets, 0), "overdue", "was to end by");
}

#[test]
fn a_buyer_that_is_told_nothing_is_noticed() {
    let is_notice = |output: &Output| matches!(output, Output::Send { message: BankMessage::Claimed(_), .. });
    check("lazy", &mut times(is_notice, 0), "bounds", "costs an honest buyer more than 0");
}

#[test]
fn a_fee_that_is_not_the_tickets_is_noticed() {
    let mut dear = endings(|ending| {
        if ending.how == How::Settled {
            ending.shares.owner.0 += 1;
            ending.shares.buyer.0 -= 1;
        }
    });
    check("fair", &mut dear, "shares", "was settled");
    let mut other = endings(|ending| ending.owner = ending.owner.map(|_| PublicKey([7; 32])));
    check("fair", &mut other, "docket", "another owner is paid");
}

#[test]
fn an_answer_before_its_record_is_noticed() {
    let mut hasty = Bank(|mut outputs: Vec<Output>| {
        outputs.sort_by_key(|output| matches!(output, Output::Append(_)));
        outputs
    });
    check("fair", &mut hasty, "durable", "before its record is durable");
}

#[test]
fn a_forger_that_is_served_is_noticed() {
    let mut served = Bank(|mut outputs: Vec<Output>| {
        for output in &mut outputs {
            if let Output::Send { message: BankMessage::Reply(reply), .. } = output
                && matches!(&reply.outcome, BankOutcome::Refused(refusal) if refusal.code == RefusalCode::NotYours)
            {
                let hold = reply.command;
                reply.outcome = BankOutcome::Released(ReleasedReceipt { hold, returned: Money(1) });
            }
        }
        outputs
    });
    check("forgers", &mut served, "forged", "a forger is answered");
}

#[test]
fn a_balance_with_half_an_end_in_it_is_noticed() {
    let mut half = Bank(|mut outputs: Vec<Output>| {
        for output in &mut outputs {
            if let Output::Send { message: BankMessage::BalanceReply(reply), .. } = output
                && reply.balance.held > Money(0)
            {
                reply.balance.held = Money(0);
            }
        }
        outputs
    });
    check("fair", &mut half, "reads", "by the records it has");
}

//! For each invariant a known bug, and the invariant that notices it.

use bank::{Event, Output as BankOutput};
use market::Supply;
use proto::message::Message;
use proto::message::bank::{BankMessage, How, Order};
use proto::message::market::{HandOver, MarketMessage, Matched, Ticket};
use proto::{CommandId, Money, Peer, PublicKey, Signed, Time};
use service::event::Verdict;
use service::{EventKind, Output};
use sim::{Model, Mutant, Scenario, Site, run_with};

/// Runs `scenario` with a bug and expects that `invariant` notices it.
fn check(scenario: &str, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    let scenario = Scenario::named(scenario).unwrap();
    let violation = run_with(&scenario, 1, mutant).expect_err(invariant);
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
    let shown = usize::try_from(violation.event).unwrap().min(20);
    assert!(shown > 0 && violation.last.len() == shown, "{violation}");
}

/// A bug in what nodes want done.
struct Nodes<F>(F);

impl<F: FnMut(&Site<'_>, Output) -> Vec<Output>> Mutant for Nodes<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        (self.0)(site, output)
    }
}

/// A bug in what the bank wants done.
struct Bank<F>(F);

impl<F: FnMut(Vec<BankOutput>) -> Vec<BankOutput>> Mutant for Bank<F> {
    fn bank(&mut self, outputs: Vec<BankOutput>) -> Vec<BankOutput> {
        (self.0)(outputs)
    }
}

/// A bug in the records of the bank.
fn records(mut change: impl FnMut(&mut Event)) -> impl Mutant {
    Bank(move |mut outputs: Vec<BankOutput>| {
        for output in &mut outputs {
            if let BankOutput::Append(record) = output {
                change(&mut record.event);
            }
        }
        outputs
    })
}

/// A bug in what users are told at the end of a sub-task.
fn ends(mut change: impl FnMut(&mut service::End)) -> impl Mutant {
    Nodes(move |_: &Site<'_>, mut output| {
        if let Output::Tell(service::Event { kind: EventKind::Ended { end, .. }, .. }) = &mut output {
            change(end);
        }
        vec![output]
    })
}

#[test]
fn a_bank_that_pays_twice_is_noticed() {
    let mut mutant = Bank(|outputs: Vec<BankOutput>| {
        let is_paid = |output: &BankOutput| matches!(output, BankOutput::Append(record) if matches!(&record.event, Event::HoldClosed { ending, .. } if ending.how.is_paid()));
        outputs
            .into_iter()
            .flat_map(|output| vec![output.clone(); 1 + usize::from(is_paid(&output))])
            .collect()
    });
    check("calm", &mut mutant, "paid_once", "is paid a second time");
}

#[test]
fn a_bank_that_makes_money_is_noticed() {
    let mut grant = records(|event| {
        if let Event::AccountOpened { granted, .. } = event {
            granted.0 += 1;
        }
    });
    check("calm", &mut grant, "books", "by the records");
    let mut payment = records(|event| {
        if let Event::HoldClosed { ending, .. } = event
            && ending.how == How::Settled
        {
            ending.shares.buyer.0 += 1;
        }
    });
    check("calm", &mut payment, "books", "was settled, and shared out as");
    let mut release = records(|event| {
        if let Event::HoldClosed { ending, .. } = event
            && ending.how == How::Released
        {
            ending.shares.buyer.0 -= 1;
        }
    });
    check("calm", &mut release, "books", "was released, and shared out as");
}

#[test]
fn a_bank_that_forgets_to_write_a_hold_down_is_noticed() {
    let mut mutant = Bank(|mut outputs: Vec<BankOutput>| {
        outputs.retain(|output| {
            !matches!(output, BankOutput::Append(record) if matches!(record.event, Event::HoldPlaced { .. }))
        });
        outputs
    });
    check("calm", &mut mutant, "durable", "before its record is durable");
}

#[test]
fn a_bank_that_answers_before_the_record_is_durable_is_noticed() {
    let mut mutant = Bank(|mut outputs: Vec<BankOutput>| {
        outputs.sort_by_key(|output| matches!(output, BankOutput::Append(_)));
        outputs
    });
    check("calm", &mut mutant, "durable", "before its record is durable");
}

#[test]
fn a_bank_that_stops_is_noticed() {
    let mut mutant = Bank(|mut outputs: Vec<BankOutput>| {
        outputs.push(BankOutput::Halt(bank::Violation::IssuerPositive));
        outputs
    });
    check("poor_buyer", &mut mutant, "bank", "the issuer is above zero");
}

#[test]
fn a_journal_that_is_not_what_happened_is_noticed_by_the_replay_and_by_the_audit() {
    let change = |event: &mut Event| {
        if let Event::HoldPlaced { expires, .. } = event {
            expires.0 += 1;
        }
    };
    check("bank_crash", &mut records(change), "replay", "does not continue the chain");
    check("calm", &mut records(change), "audit", "does not continue the chain");
}

#[test]
fn a_market_owner_that_pays_the_winners_own_ask_is_noticed() {
    let mut mutant = Nodes(|site: &Site<'_>, output| match output {
        Output::Send { to, message: Message::Market(MarketMessage::Matched(matched)) } => {
            let resign = |ticket: &Signed<Ticket>| {
                let clearing = ticket.body.winner.body.ask;
                Signed::new(Ticket { clearing, ..ticket.body.clone() }, site.keys)
            };
            let tickets = matched.tickets.iter().map(resign).collect();
            let matched = Matched { tickets, ..*matched };
            vec![Output::Send { to, message: Message::Market(MarketMessage::Matched(Box::new(matched))) }]
        }
        other => vec![other],
    });
    check("calm", &mut mutant, "price", "by its listings it is");
}

#[test]
fn a_seller_that_sells_a_core_twice_is_noticed() {
    struct Twice;
    impl Mutant for Twice {
        fn supply(&mut self, _: usize, supply: Supply) -> Supply {
            Supply { cores: supply.cores * 2, ..supply }
        }
    }
    check("calm", &mut Twice, "cores", "and believes that");
}

#[test]
fn a_seller_that_sells_memory_or_disk_twice_is_noticed() {
    struct Twice(fn(&mut Supply));
    impl Mutant for Twice {
        fn supply(&mut self, _: usize, mut supply: Supply) -> Supply {
            (self.0)(&mut supply);
            supply
        }
    }
    for change in [|supply: &mut Supply| supply.memory.0 *= 2, |supply: &mut Supply| supply.disk.0 *= 2] {
        check("calm", &mut Twice(change), "cores", "and believes that");
    }
}

#[test]
fn a_message_with_a_forged_sender_is_noticed() {
    struct Forger;
    impl Mutant for Forger {
        fn sender(&mut self, site: &Site<'_>) -> Peer {
            let key = if site.now < Time(3_000_000) { site.peer.key } else { PublicKey([7; 32]) };
            Peer::new(site.peer.addr, site.peer.slot, key)
        }
    }
    check("calm", &mut Forger, "channel", "is said to come from");
}

#[test]
fn a_seller_that_executes_what_nobody_pays_for_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Execute { job, .. } => vec![Output::Execute { contract: CommandId([9; 16]), job }],
        other => vec![other],
    });
    check("calm", &mut mutant, "hold", "executes contract 09090909");
}

#[test]
fn a_sub_task_that_ends_twice_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Tell(_) => vec![output.clone(), output],
        other => vec![other],
    });
    check("calm", &mut mutant, "ends_once", "after its end");
}

#[test]
fn a_success_that_was_paid_otherwise_than_told_is_noticed() {
    let mut more = ends(|end| end.paid = Money(end.paid.0 + 1));
    check("calm", &mut more, "paid_as_told", "the bank knows of 0 such payments, 1 were told");
    let mut unpaid = ends(|end| end.verdict = Verdict::Succeeded);
    check("calm", &mut unpaid, "paid_as_told", "the bank knows of 0 such payments, 1 were told");
}

#[test]
fn a_second_ring_is_noticed() {
    // The bootstrap server tells a newcomer of nobody, and so it makes a ring of its own.
    let mut mutant = Bank(|mut outputs: Vec<BankOutput>| {
        for output in &mut outputs {
            if let BankOutput::Send { message: BankMessage::Entered(entered), .. } = output
                && entered.peers.len() == 5
            {
                entered.peers.clear();
            }
        }
        outputs
    });
    check("calm", &mut mutant, "ring", "there is more than one ring");
}

#[test]
fn a_node_that_finds_a_fault_in_itself_is_heard() {
    struct Complaint;
    impl Mutant for Complaint {
        fn opinion(
            &mut self,
            host: usize,
            opinion: Result<(), service::Violation>,
        ) -> Result<(), service::Violation> {
            if host == 5 { Err(service::Violation::Unwatched { count: 3 }) } else { opinion }
        }
    }
    check("calm", &mut Complaint, "node", "node 5 says: contract: 3 open contracts have no deadline");
}

#[test]
fn a_node_that_wants_to_be_woken_for_ever_is_noticed() {
    struct Restless;
    impl Mutant for Restless {
        fn wake(&mut self, host: usize, due: Time) -> Time {
            if host == 1 { Time(0) } else { due }
        }
    }
    check("calm", &mut Restless, "progress", "node 1 wants to be woken again");
}

#[test]
fn promises_that_are_not_kept_are_noticed_at_the_end() {
    let mut nothing = ends(|end| end.outputs.clear());
    check("calm", &mut nothing, "accepted", "are [], and paid was");
    let mut cancelled = ends(|end| end.verdict = Verdict::Cancelled);
    check("calm", &mut cancelled, "promise", "cancelled (exit status");
    let mut silent = Nodes(|_: &Site<'_>, output| match output {
        Output::Tell(service::Event { kind: EventKind::Ended { sub_task: 4, .. }, .. }) => Vec::new(),
        other => vec![other],
    });
    check("calm", &mut silent, "ends", "19 of 20 sub-tasks have ended");
    let mut unpaid = ends(|end| end.sale = end.sale.take().filter(|_| end.verdict != Verdict::Succeeded));
    check("calm", &mut unpaid, "paid_as_told", "a success without a sale");
}

#[test]
fn money_that_goes_another_way_than_told_is_noticed() {
    // In the poor buyer's world every success is told as refused: the bank's accounts then do not fit.
    let mut mutant = ends(|end| {
        if end.verdict == Verdict::Succeeded {
            let refusal = proto::Refusal::new(proto::RefusalCode::NotEnoughMoney, "", "");
            end.verdict = Verdict::NotPaid(refusal);
        }
    });
    let scenario = Scenario { expectation: sim::Expectation::Named, ..Scenario::named("calm").unwrap() };
    let violation = run_with(&scenario, 1, &mut mutant).unwrap_err();
    assert_eq!(violation.invariant, "income", "{violation}");
}

/// Owners that do something else with what they would hand over.
fn givers(mut change: impl FnMut(&mut HandOver) -> bool) -> impl Mutant {
    Nodes(move |_: &Site<'_>, mut output| {
        let is_sent = match &mut output {
            Output::Send { message: Message::Market(MarketMessage::HandOver(handed)), .. } => change(handed),
            _ => true,
        };
        if is_sent { vec![output] } else { Vec::new() }
    })
}

#[test]
fn owners_that_hand_nothing_over_are_noticed() {
    check("succession", &mut givers(|_| false), "listed", "and nobody sells for it there");
    let mut forgetful = givers(|handed| {
        handed.listings.clear();
        true
    });
    check("succession", &mut forgetful, "listed", "and nobody sells for it there");
}

#[test]
fn buyers_that_find_nobody_because_nothing_is_handed_over_are_noticed() {
    // Where messages are lost a listing may be missing for a moment: then only what the buyers hear counts.
    let calm = Scenario::named("succession").unwrap();
    let scenario = Scenario { net: Model { loss: 1, ..calm.net }, ..calm };
    let violation = run_with(&scenario, 1, &mut givers(|_| false)).unwrap_err();
    assert_eq!(violation.invariant, "placed", "{violation}");
}

#[test]
fn work_that_goes_on_against_the_owners_word_is_noticed() {
    let mut deaf = Nodes(|_: &Site<'_>, output| match output {
        Output::Pause { .. } => Vec::new(),
        other => vec![other],
    });
    check("owners", &mut deaf, "owner", "and its owner has suspended the work of others");
    let mut eager = Nodes(|_: &Site<'_>, output| match output {
        Output::Pause { contract } => {
            vec![Output::Pause { contract }, Output::Pace { contract, throttle_pct: 1 }]
        }
        other => vec![other],
    });
    check("owners", &mut eager, "owner", "and its owner has suspended the work of others");
    let mut slow = Nodes(|_: &Site<'_>, output| match output {
        Output::Stop { .. } | Output::Migrate { .. } => Vec::new(),
        other => vec![other],
    });
    check("owners", &mut slow, "owner", "and its owner has wanted it away by now");
}

#[test]
fn a_world_that_does_not_come_to_rest_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| {
        let is_release = matches!(&output, Output::Send { message: Message::Bank(BankMessage::Request(request)), .. }
            if matches!(request.command.body.order, Order::ReleaseHold(_)));
        if is_release { Vec::new() } else { vec![output] }
    });
    check("calm", &mut mutant, "rest", "waits for");
}

//! For each invariant of the market's faults a known bug, and the invariant that notices it.

use proto::message::Message;
use proto::message::market::{MarketMessage, Matched, Reserved, Ticket};
use proto::message::service::{Acceptance, Offer, ServiceMessage, Verdict};
use proto::{CommandId, ContractId, Hash, Signed, Span, Time};
use service::Output;
use sim::{Load, Mutant, Scenario, Site, run_with};
use std::collections::BTreeMap;

/// Runs `scenario` with a bug and expects that `invariant` notices it.
fn check(scenario: &str, seed: u64, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    check_in(&Scenario::named(scenario).unwrap(), seed, mutant, invariant, words);
}

fn check_in(scenario: &Scenario, seed: u64, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    let violation = run_with(scenario, seed, mutant).expect_err(invariant);
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

/// A bug in what nodes want done.
struct Nodes<F>(F);

impl<F: FnMut(&Site<'_>, Output) -> Vec<Output>> Mutant for Nodes<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        (self.0)(site, output)
    }
}

#[test]
fn a_buyer_that_accepts_the_results_of_attempts_it_gave_up_pays_for_them_too() {
    // It does not stop the sellers that it gave up, and says of what they report that it is good.
    let mut mutant = Nodes(|site: &Site<'_>, output| match output {
        Output::Send { message: Message::Service(ServiceMessage::Cancel(_)), .. } => Vec::new(),
        Output::Send { to, message: Message::Service(ServiceMessage::Verdict(verdict)) } => {
            let verdict = Signed::new(Verdict { is_accepted: true, ..verdict.body }, site.keys);
            vec![Output::Send { to, message: Message::Service(ServiceMessage::Verdict(verdict)) }]
        }
        other => vec![other],
    });
    // Its sellers claim after half a minute: the world goes on until every hold has an end.
    let partition = Scenario::named("partition").unwrap();
    let scenario = Scenario { releases_all: true, rest_within: Span::secs(120), ..partition };
    check_in(&scenario, 1, &mut mutant, "sub_task_paid_once", "is paid for contract");
}

#[test]
fn a_seller_that_accepts_what_its_policy_forbids_is_noticed() {
    // Whoever would decline an offer accepts it.
    let mut offers: BTreeMap<ContractId, Hash> = BTreeMap::new();
    let mut mutant = Nodes(move |site: &Site<'_>, output| match output {
        Output::Send { to, message: Message::Service(ServiceMessage::Offer(offer)) } => {
            let signed: &Signed<Offer> = &offer;
            offers.insert(signed.body.contract, signed.hash());
            vec![Output::Send { to, message: Message::Service(ServiceMessage::Offer(offer)) }]
        }
        Output::Send { to, message: Message::Service(ServiceMessage::Decline(paper)) } => {
            let contract = paper.body.contract;
            let acceptance = Acceptance { contract, offer: offers[&contract], bond: None };
            let accept = ServiceMessage::Accept(Box::new(Signed::new(acceptance, site.keys)));
            vec![Output::Send { to, message: Message::Service(accept) }]
        }
        other => vec![other],
    });
    check("policy", 1, &mut mutant, "policy", "whom its owner denies");
}

#[test]
fn a_seller_that_executes_what_it_did_not_accept_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Send { message: Message::Service(ServiceMessage::Accept(_)), .. } => Vec::new(),
        other => vec![other],
    });
    check("policy", 1, &mut mutant, "policy", "which it has not accepted");
}

#[test]
fn a_seller_that_promises_what_it_does_not_keep_is_noticed() {
    let mut asked = BTreeMap::new();
    let mut mutant = Nodes(|site: &Site<'_>, output| match output {
        Output::Send { to, message: Message::Market(MarketMessage::Unavailable(gone)) } => {
            let (request, kept) = (gone.request, asked.remove(&(to, gone.request)).unwrap_or_default());
            let message = Message::Market(MarketMessage::Reserved(Reserved { request, kept }));
            vec![Output::Send { to, message }]
        }
        other => {
            if let Output::Send { message: Message::Market(MarketMessage::Reserve(reserve)), .. } = &other {
                asked.insert((site.peer, reserve.request), reserve.tickets.clone());
            }
            vec![other]
        }
    });
    check("sold_twice", 1, &mut mutant, "kept", "which keeps no slice for it");
}

#[test]
fn an_owner_that_sells_without_asking_is_noticed() {
    // It signs for another ticket than the one that it has asked its seller about.
    let mut mutant = Nodes(|site: &Site<'_>, output| match output {
        Output::Send { to, message: Message::Market(MarketMessage::Matched(matched)) }
            if matched.tickets.iter().any(|ticket| ticket.body.winner.body.seller != site.peer) =>
        {
            let false_id = |ticket: &Signed<Ticket>| {
                Signed::new(Ticket { id: CommandId([7; 16]), ..ticket.body.clone() }, site.keys)
            };
            let tickets = matched.tickets.iter().map(false_id).collect();
            let matched = Matched { tickets, ..*matched };
            vec![Output::Send { to, message: Message::Market(MarketMessage::Matched(Box::new(matched))) }]
        }
        other => vec![other],
    });
    check("sold_twice", 1, &mut mutant, "kept", "which has not said that it keeps a slice");
}

#[test]
fn a_seller_that_never_lets_go_of_a_contract_is_noticed() {
    // Its deadlines never come, from the moment at which others have been struck.
    struct Sleeper;
    impl Mutant for Sleeper {
        fn wake(&mut self, host: usize, due: Time) -> Time {
            if host == 9 && due > Time(0).after(Span::secs(30)) { due.after(Span::secs(86_400)) } else { due }
        }
    }
    // So much work that the last hold ends long after the first that it sleeps through.
    let vanish = Scenario { sub_tasks: 120, ..Scenario::named("vanish").unwrap() };
    check_in(&vanish, 1, &mut Sleeper, "ended", "has no end at node 9");
}

#[test]
fn a_node_that_keeps_whatever_it_is_sent_is_noticed() {
    struct Hoarder;
    impl Mutant for Hoarder {
        fn load(&mut self, host: usize, load: Load) -> Load {
            Load { matches: load.matches + if host == 5 { 1_025 } else { 0 }, ..load }
        }
    }
    check("calm", 1, &mut Hoarder, "bounded", "node 5 keeps");
    let mut parrot = Nodes(|_: &Site<'_>, output: Output| {
        let is_refusal =
            matches!(output, Output::Send { message: Message::Market(MarketMessage::Refused(_)), .. });
        vec![output; if is_refusal { 4_000 } else { 1 }]
    });
    check("list_flood", 1, &mut parrot, "bounded", "sends 4000 messages after one event");
}

#[test]
fn owners_that_serve_only_the_flood_are_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Send { message: Message::Market(MarketMessage::Matched(_)), .. } => Vec::new(),
        other => vec![other],
    });
    check("list_flood", 1, &mut mutant, "served", "sub-tasks have succeeded within 30.00 s");
}

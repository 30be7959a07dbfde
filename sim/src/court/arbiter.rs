//! What a party does that the bank has drawn as an arbiter.

use super::case::Arbiter;
use super::papers::{self, Work};
use proto::message::bank::{Appointment, Judge, Order};
use proto::message::service::{Offer, Outcome, Report};
use proto::{CommandId, ContractId, Cycles, KeyPair, Signed, Span, Time};
use std::collections::BTreeMap;

/// For how long it asks the buyer for program and inputs.
const FETCHES_FOR: Span = Span::secs(10);

/// The contracts that a party was drawn for.
#[derive(Debug)]
pub(super) struct Bench {
    behaves: Arbiter,
    cases: BTreeMap<ContractId, Drawn>,
}

#[derive(Debug)]
struct Drawn {
    appointment: Appointment,
    offer: Offer,
    since: Time,
    has_contents: bool,
}

/// What an arbiter does next for one contract.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Asks the buyer for program and inputs.
    Fetch,
    /// Tells the bank.
    Judge(CommandId, Box<Order>),
}

impl Bench {
    pub(super) const fn new(behaves: Arbiter) -> Self {
        Self { behaves, cases: BTreeMap::new() }
    }

    /// The bank has drawn this party.
    pub(super) fn appointed(&mut self, appointment: Appointment, offer: Offer, now: Time) {
        let drawn = Drawn { appointment, offer, since: now, has_contents: false };
        self.cases.entry(appointment.contract).or_insert(drawn);
    }

    /// The buyer has sent program and inputs.
    pub(super) fn contents(&mut self, contract: ContractId) {
        if let Some(drawn) = self.cases.get_mut(&contract) {
            drawn.has_contents = true;
        }
    }

    /// Whether it tells what it finds.
    pub(super) fn is_honest(&self) -> bool {
        self.behaves == Arbiter::Honest
    }

    /// The contracts for which it is to do something, and what. `told` is what the sellers have reported: who colludes
    /// knows it.
    pub(super) fn act(
        &self,
        keys: &KeyPair,
        told: impl Fn(ContractId) -> Option<Signed<Report>>,
        now: Time,
    ) -> Vec<(ContractId, Move)> {
        let moves =
            self.cases.iter().map(|(contract, drawn)| (*contract, self.step(keys, drawn, &told, now)));
        moves.filter_map(|(contract, step)| Some((contract, step?))).collect()
    }

    fn step(
        &self,
        keys: &KeyPair,
        drawn: &Drawn,
        told: &impl Fn(ContractId) -> Option<Signed<Report>>,
        now: Time,
    ) -> Option<Move> {
        let Appointment { contract, report, .. } = drawn.appointment;
        let work = match self.behaves {
            Arbiter::Silent => return None,
            Arbiter::Honest if drawn.has_contents => papers::truth(&drawn.offer),
            Arbiter::Honest if now >= drawn.since.after(FETCHES_FOR) => Work {
                outcome: Outcome::NotFetched("the buyer does not answer".into()),
                cycles: Cycles(0),
                outputs: Vec::new(),
            },
            Arbiter::Honest => return Some(Move::Fetch),
            Arbiter::Lying => Work { cycles: Cycles(7), ..papers::truth(&drawn.offer) },
            Arbiter::Colluding => {
                let body = told(contract)?.body;
                Work { outcome: body.outcome, cycles: body.cycles, outputs: body.outputs }
            }
        };
        let finding = papers::finding(contract, report, work, keys);
        let mut name = Vec::from(contract.0);
        name.extend(keys.public().0);
        let judge = Order::Judge(Box::new(Judge { hold: contract, finding }));
        Some(Move::Judge(papers::id("judge", &name), Box::new(judge)))
    }
}

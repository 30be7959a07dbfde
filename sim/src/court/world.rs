//! The world of a case: takes the next event, carries out what follows, checks what has to hold.

mod bank;
mod end;

use super::arbiter::Move;
use super::buyer::Buying;
use super::case::{Buyer, Case, Seller};
use super::deal::{Deal, Facts, Said, Word};
use super::docket::Docket;
use super::forger::{Forger, OVERHEARD};
use super::outcome::Outcome;
use super::papers;
use super::party::{Party, TICK};
use super::seller::Selling;
use crate::dice::derive;
use crate::invariant::Checked;
use crate::invariant::durable::Durable;
use crate::mutant::Mutant;
use crate::net::Net;
use crate::place::Place;
use crate::queue::Queue;
use crate::teller::Teller;
use crate::trace::Trace;
use crate::violation::Violation;
use proto::message::bank::{BankCommand, BankMessage};
use proto::{ContractId, Hash, PublicKey, Signed, Span, Time};
use std::collections::BTreeMap;

/// When the first contract begins: everybody has an account by then.
const BEGINS: Span = Span::secs(15);
/// Market owners.
const OWNERS: usize = 2;

/// A letter on its way.
#[derive(Clone, Debug)]
enum Letter {
    ToBank(BankMessage),
    FromBank(BankMessage),
    /// From one party to another, about a contract.
    Between(usize, ContractId, Word),
}

#[derive(Clone, Debug)]
enum Event {
    Tick { party: usize },
    Deliver { party: usize, letter: Box<Letter> },
    BankWakes { at: Time, life: u32 },
    Synced { life: u32 },
    BankStarts,
    Upset { index: usize },
}

/// A world.
pub(super) struct World<'a> {
    case: &'a Case,
    seed: u64,
    now: Time,
    /// How far the bank's clock is ahead of the time, in microseconds.
    ahead: i64,
    parties: Vec<Party>,
    by_key: BTreeMap<PublicKey, usize>,
    deals: Vec<Deal>,
    by_contract: BTreeMap<ContractId, usize>,
    forgers: Vec<Forger>,
    overheard: Vec<Signed<BankCommand>>,
    teller: Teller,
    net: Net,
    queue: Queue<Event>,
    trace: Trace,
    docket: Docket,
    durable: Durable,
    mutant: &'a mut dyn Mutant,
    upsets_ahead: usize,
    /// From when the bank has had the time to notice a leap of its clock.
    looks_from: Time,
    bank_starts: u32,
    drawn: u32,
    forged: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(case: &'a Case, seed: u64, mutant: &'a mut dyn Mutant) -> Self {
        let teller = Teller::new(case.rules, seed, Time(0));
        let bank = teller.peer.key;
        let first_deal = OWNERS + case.forgers + case.bystanders;
        let count = first_deal + 2 * case.deals.len();
        let behaves = |number: usize| {
            let turn = number.checked_rem(case.arbiters.len()).unwrap_or(0);
            let is_forger = (OWNERS..OWNERS + case.forgers).contains(&number);
            let behaves = case.arbiters.get(turn).filter(|_| !is_forger);
            behaves.copied().unwrap_or(super::case::Arbiter::Silent)
        };
        let secret = |number: usize| derive(seed, "party", u64::try_from(number).unwrap_or(0));
        let parties: Vec<Party> =
            (0..count).map(|number| Party::new(number, secret(number), bank, behaves(number))).collect();
        let deals: Vec<Deal> =
            (0..case.deals.len()).filter_map(|index| deal(case, &parties, index, first_deal)).collect();
        let mut world = Self {
            case,
            seed,
            now: Time(0),
            ahead: 7_200_000_000,
            by_key: parties.iter().map(|party| (party.keys.public(), party.number)).collect(),
            by_contract: deals.iter().enumerate().map(|(index, deal)| (deal.facts.id, index)).collect(),
            forgers: (OWNERS..OWNERS + case.forgers).map(|party| Forger::new(party, seed)).collect(),
            parties,
            deals,
            overheard: Vec::new(),
            docket: Docket::new(case.rules, bank),
            teller,
            net: Net::new(case.net.clone(), seed),
            queue: Queue::default(),
            trace: Trace::default(),
            durable: Durable::default(),
            mutant,
            upsets_ahead: case.upsets.len(),
            looks_from: Time(0),
            bank_starts: 0,
            drawn: 0,
            forged: 0,
        };
        world.fill_queue();
        world
    }

    fn fill_queue(&mut self) {
        let friend = self.parties.first().map(|party| party.keys.public()).unwrap_or(PublicKey([0; 32]));
        let broke = |deal: &&Deal| deal.facts.roles.seller == Seller::LazyBroke;
        let hiders: Vec<usize> = self.deals.iter().filter(broke).map(|deal| deal.facts.seller).collect();
        let grant = self.case.rules.initial_grant;
        for party in &mut self.parties {
            party.open();
            if hiders.contains(&party.number) {
                party.hide(friend, grant);
            }
            let spread = u64::try_from(party.number).unwrap_or(0).saturating_mul(7);
            self.queue.push(Time(0).after(Span::millis(spread)), Event::Tick { party: party.number });
        }
        for (index, (at, _)) in self.case.upsets.iter().enumerate() {
            self.queue.push(Time(0).after(*at), Event::Upset { index });
        }
    }

    /// Runs until all is done, or something does not hold.
    pub(super) fn run(mut self) -> Result<Outcome, Violation> {
        match self.proceed() {
            Ok(outcome) => Ok(outcome),
            Err(breach) => Err(Violation::new(self.seed, self.now, breach, &self.trace)),
        }
    }

    fn proceed(&mut self) -> Result<Outcome, crate::invariant::Breach> {
        while let Some((time, event)) = self.queue.pop() {
            self.now = time;
            self.carry_out(event)?;
            if self.teller.bank.is_some() && time >= self.looks_from {
                self.docket.overdue(self.clock())?;
            }
            if self.is_over()? {
                return self.conclude();
            }
        }
        self.conclude()
    }

    fn carry_out(&mut self, event: Event) -> Checked {
        match event {
            Event::Tick { party } => self.tick(party),
            Event::Deliver { party, letter } => self.deliver(party, *letter),
            Event::BankWakes { at, life } => self.wake_bank(at, life),
            Event::Synced { life } => self.synced(life),
            Event::BankStarts => self.start_bank(),
            Event::Upset { index } => self.upset(index),
        }
    }

    /// A party does what it has to do.
    fn tick(&mut self, number: usize) -> Checked {
        let now = self.now;
        self.queue.push(now.after(TICK), Event::Tick { party: number });
        for index in 0..self.deals.len() {
            self.go_on(index, number);
        }
        self.arbitrate(number);
        let Some(party) = self.parties.get_mut(number) else { return Ok(()) };
        let mut letters = party.letters(now);
        let is_open = self.deals.iter().any(|deal| !self.docket.closed.contains_key(&deal.facts.id));
        if let Some(forger) = self.forgers.iter_mut().find(|forger| forger.party == number && is_open) {
            letters.retain(|letter| !matches!(letter, BankMessage::Enter(_)));
            letters.extend(forger.act(party, self.teller.peer.key, &self.overheard));
        }
        for letter in letters {
            self.post(number, Letter::ToBank(letter));
        }
        Ok(())
    }

    fn go_on(&mut self, index: usize, number: usize) {
        let Some(deal) = self.deals.get_mut(index) else { return };
        let Some(me) = self.parties.get_mut(number) else { return };
        let said = if number == deal.facts.buyer {
            deal.buying.act(&deal.facts, me, self.now)
        } else if number == deal.facts.seller {
            deal.selling.act(&deal.facts, me, self.now)
        } else {
            return;
        };
        let contract = deal.facts.id;
        self.say(number, contract, said);
    }

    fn arbitrate(&mut self, number: usize) {
        let told = |contract: ContractId| {
            let deal = self.by_contract.get(&contract).and_then(|index| self.deals.get(*index))?;
            deal.selling.report.clone()
        };
        let Some(party) = self.parties.get(number) else { return };
        let moves = party.bench.act(&party.keys, told, self.now);
        for (contract, step) in moves {
            match step {
                Move::Judge(id, order) => {
                    if let Some(party) = self.parties.get_mut(number) {
                        party.order(id, *order);
                    }
                }
                Move::Fetch => {
                    let deal = self.by_contract.get(&contract).and_then(|index| self.deals.get(*index));
                    let buyer = deal.map(|deal| deal.facts.buyer);
                    let said = buyer.map(|buyer| (buyer, Word::Fetch));
                    self.say(number, contract, said.into_iter().collect());
                }
            }
        }
    }

    fn say(&mut self, from: usize, contract: ContractId, said: Vec<Said>) {
        for (to, word) in said {
            self.post(to, Letter::Between(from, contract, word));
        }
    }

    /// Puts a letter on its way to, or from, `party`.
    fn post(&mut self, party: usize, letter: Letter) {
        for delay in self.net.send(Place::Bank, Place::Host(party)) {
            let letter = Box::new(letter.clone());
            self.queue.push(self.now.after(delay), Event::Deliver { party, letter });
        }
    }

    fn deliver(&mut self, party: usize, letter: Letter) -> Checked {
        match letter {
            Letter::ToBank(message) => self.deliver_to_bank(party, message),
            Letter::FromBank(message) => {
                let now = self.now;
                if let Some(party) = self.parties.get_mut(party) {
                    party.hear(message, now);
                }
                Ok(())
            }
            Letter::Between(from, contract, word) => {
                self.trace.note(self.now, format!("{} from {from} to {party}", word.name()), Vec::new());
                self.hear(party, from, contract, &word);
                Ok(())
            }
        }
    }

    fn hear(&mut self, number: usize, from: usize, contract: ContractId, word: &Word) {
        let deal = self.by_contract.get(&contract).and_then(|index| self.deals.get_mut(*index));
        let Some(deal) = deal else { return };
        let mut said = Vec::new();
        if matches!(word, Word::Contents) {
            if let Some(party) = self.parties.get_mut(number) {
                party.bench.contents(contract);
            }
        } else if number == deal.facts.seller {
            said = deal.selling.hear(&deal.facts, word, self.now);
        } else if number == deal.facts.buyer {
            if matches!(word, Word::Fetch) && Buying::gives_contents(&deal.facts) {
                said.push((from, Word::Contents));
            }
            deal.buying.hear(&deal.facts, word);
        }
        self.say(number, contract, said);
    }

    /// Somebody overhears an order.
    fn overhear(&mut self, command: &Signed<BankCommand>) {
        if self.overheard.len() < OVERHEARD && !self.forgers.is_empty() {
            self.overheard.push(command.clone());
        }
    }

    /// What the bank's clock shows.
    fn clock(&self) -> Time {
        Time(self.now.0.saturating_add_signed(self.ahead))
    }
}

/// The contract `index` of `case`, with parties from number `first` on.
fn deal(case: &Case, parties: &[Party], index: usize, first: usize) -> Option<Deal> {
    let roles = *case.deals.get(index)?;
    let numbers = [first + 2 * index, first + 2 * index + 1, index.checked_rem(OWNERS)?];
    let [buyer, seller, owner] = numbers.map(|number| parties.get(number));
    let (buyer, seller, owner) = (buyer?, seller?, owner?);
    let other = parties.iter().rev().find(|party| party.number != seller.number)?;
    let signers = [owner, seller, other].map(|party| (party.peer, &party.keys));
    let ticket = papers::ticket(roles.owner, &case.rules, buyer.peer, signers);
    let id = papers::id("contract", &buyer.keys.public().0);
    let work = papers::Work {
        outcome: proto::message::service::Outcome::Succeeded,
        cycles: proto::Cycles::giga(1),
        outputs: Vec::new(),
    };
    let former = papers::id("former", &id.0);
    let former_report = papers::report(former, Hash::of(b"former"), work, &seller.keys);
    let later = case.every.times(u64::try_from(index).ok()?);
    let facts = Facts {
        id,
        roles,
        buyer: buyer.number,
        seller: seller.number,
        buyer_at: buyer.peer,
        seller_key: seller.keys.public(),
        job: papers::job(id, roles.seller),
        amount: papers::amount(roles.buyer, &case.rules, &ticket.body),
        ticket,
        begins: Time(0).after(BEGINS).after(later),
        former: papers::taken(former, &former_report, &buyer.keys),
        asks_bond: case.rules.bond_percent > 0 && roles.buyer != Buyer::Idle,
    };
    Some(Deal { facts, buying: Buying::default(), selling: Selling::default() })
}

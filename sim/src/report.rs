//! What happened in a run, as a table.

use crate::machine::Program;
use crate::net::Traffic;
use crate::place::Place;
use crate::sight::Sight;
use crate::world::World;
use proto::message::bank::Balance;
use proto::{Hash, Money, Span};
use service::End;
use service::event::Verdict;
use std::collections::BTreeMap;
use std::fmt;

/// How many nodes' balances are shown.
const SHOWN: usize = 40;

/// What was counted on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Why attempts came to nothing and were made again, with how often.
    pub retries: BTreeMap<String, u32>,
    /// Nodes that crashed.
    pub crashes: u32,
    /// Times that a node started.
    pub starts: u32,
    /// Times that the bank started again from its journal.
    pub bank_starts: u32,
    /// How often a buyer was told that nobody sells what it needs.
    pub no_seller: u32,
    /// How often a buyer was told that its sub-task stands still because the seller's owner needs the machine.
    pub suspended: u32,
    /// How often a buyer was told of a state that counts.
    pub states: u32,
    /// How often a sub-task went on from one.
    pub resumed: u32,
    /// What was seen, and how often.
    pub sights: BTreeMap<Sight, u32>,
    /// Sub-tasks that ended well with outputs that are not the program's.
    pub wrong_outputs: u32,
    /// How often a buyer has found out that a seller lies, by a question whose answer it knew.
    pub distrusted: u32,
    /// Notes that each node has written down.
    pub notes: Vec<u32>,
}

/// What happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The scenario.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// Nodes.
    pub nodes: usize,
    /// How sub-tasks ended, by the kind of verdict.
    pub verdicts: BTreeMap<&'static str, u32>,
    /// How each sub-task ended, by the number of its buyer and its place in the buyer's task.
    pub ends: BTreeMap<(usize, u32), End>,
    /// One reason in words for each kind but success.
    pub reasons: BTreeMap<&'static str, String>,
    /// Attempts made.
    pub attempts: u32,
    /// Attempts that came to nothing and were made again.
    pub lost_attempts: u32,
    /// What was counted on the way.
    pub tally: Tally,
    /// Messages.
    pub traffic: Traffic,
    /// Events.
    pub events: u64,
    /// From the submission to the end of the last sub-task.
    pub took: Span,
    /// How long the busiest seller executes what it was paid for, on all of its cores.
    pub busiest: Span,
    /// The virtual time of the whole run.
    pub lasted: Span,
    /// How often a fault broke what the proof of the ring supposes.
    pub ring_broken: u64,
    /// Events after which the ring was out of order for that reason.
    pub ring_strained: u64,
    /// What the buyers paid, fees included.
    pub spent: Money,
    /// Of it, what market owners got.
    pub fees: Money,
    /// All money there is.
    pub issued: Money,
    /// What is set aside at the end.
    pub held: Money,
    /// The accounts of the nodes, by their numbers.
    pub balances: Vec<Balance>,
    /// The hash over all events.
    pub trace: Hash,
}

impl Tally {
    /// Something is seen.
    pub(crate) fn saw(&mut self, sight: Sight) {
        *self.sights.entry(sight).or_default() += 1;
    }
}

impl Report {
    pub(crate) fn of(world: &World<'_>) -> Self {
        let ends = || world.ends.values();
        let mut verdicts: BTreeMap<&'static str, u32> = BTreeMap::new();
        let mut reasons = BTreeMap::new();
        for end in ends() {
            let kind = kind(&end.verdict);
            *verdicts.entry(kind).or_default() += 1;
            if end.verdict != Verdict::Succeeded {
                reasons.entry(kind).or_insert_with(|| end.verdict.to_string());
            }
        }
        let fees = ends().fold(0_u64, |sum, end| sum.saturating_add(end.fee.0));
        let paid = ends().fold(0_u64, |sum, end| sum.saturating_add(end.paid.0));
        let bank = world.teller.bank.as_ref();
        let totals = bank.map(bank::Bank::totals).unwrap_or_default();
        let balance = |host: &crate::host::Host| bank?.balance(host.peer.key);
        Self {
            scenario: world.scenario.name,
            seed: world.seed,
            nodes: world.scenario.nodes,
            verdicts,
            ends: world.ends.clone(),
            reasons,
            attempts: ends().fold(0, |sum, end| sum.saturating_add(end.attempts)),
            lost_attempts: world.tally.retries.values().sum(),
            tally: world.tally.clone(),
            traffic: world.net.traffic,
            events: world.trace.count(),
            took: world.ended_at().unwrap_or(world.now).since(world.begins.after(world.scenario.submit_at)),
            busiest: busiest(world),
            lasted: world.now.since(world.begins),
            ring_broken: world.watch.ring.broken,
            ring_strained: world.watch.ring.strained,
            spent: Money(fees.saturating_add(paid)),
            fees: Money(fees),
            issued: totals.issued,
            held: totals.held,
            balances: world.hosts.iter().filter_map(balance).collect(),
            trace: world.trace.hash(),
        }
    }
}

fn busiest(world: &World<'_>) -> Span {
    let mut cycles: BTreeMap<usize, u64> = BTreeMap::new();
    for ((buyer, index), end) in &world.ends {
        let plan = world.submissions.get(buyer).and_then(|own| own.plans.get(usize::try_from(*index).ok()?));
        let seller = end.sale.as_ref().and_then(|sale| world.place_of(sale.seller.key));
        if let (Some(plan), Some(Place::Host(seller))) = (plan, seller) {
            let sum = cycles.entry(seller).or_default();
            *sum = sum.saturating_add(Program::of(&plan.job).work.0);
        }
    }
    let span = |(seller, cycles): (usize, u64)| {
        let machine = &world.hosts.get(seller)?.machine;
        let rate = machine.per_core.0.saturating_mul(machine.cores.into());
        // Mc/s are cycles a microsecond.
        cycles.checked_div(rate).map(Span)
    };
    cycles.into_iter().filter_map(span).max().unwrap_or_default()
}

const fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed(_) => "failed",
        Verdict::NotPlaced { .. } => "not placed",
        Verdict::NotPaid(_) => "not paid",
        Verdict::Lost { .. } => "lost",
        Verdict::Declined(_) => "declined",
        Verdict::Cancelled => "cancelled",
        Verdict::DependencyFailed { .. } => "never began",
        Verdict::TooLate => "too late",
        Verdict::NoQuorum { .. } => "no quorum",
        Verdict::Rejected(_) => "rejected",
        Verdict::NotNeeded(_) => "not needed",
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: String| writeln!(out, "{name:<16} {text}");
        line("scenario", format!("{}, seed {}, {} nodes", self.scenario, self.seed, self.nodes))?;
        for (kind, count) in &self.verdicts {
            let reason = self.reasons.get(kind).map(|reason| format!("  ({reason})")).unwrap_or_default();
            line(kind, format!("{count}{reason}"))?;
        }
        line("attempts", format!("{}, {} of them repeated", self.attempts, self.lost_attempts))?;
        for (why, count) in &self.tally.retries {
            line("", format!("{count} × {why}"))?;
        }
        let Tally { crashes, starts, bank_starts, no_seller, suspended, wrong_outputs, .. } = &self.tally;
        for (sight, count) in &self.tally.sights {
            line("seen", format!("{count} × {sight}"))?;
        }
        line("no seller", format!("told {no_seller} times"))?;
        line("owners", format!("suspended work {suspended} times"))?;
        line("nodes", format!("{starts} starts, {crashes} crashes"))?;
        line("bank", format!("started again {bank_starts} times"))?;
        if *wrong_outputs > 0 {
            line("wrong outputs", format!("{wrong_outputs}, from sellers that lie"))?;
        }
        let Traffic { sent, lost, doubled, stopped } = self.traffic;
        line("messages", format!("{sent} sent, {lost} lost, {doubled} doubled, {stopped} not delivered"))?;
        let (broken, strained) = (self.ring_broken, self.ring_strained);
        line(
            "ring",
            format!(
                "assumptions broken {broken} times, out of order after {strained} events, whole at the end"
            ),
        )?;
        line("virtual time", format!("{} from submission to end, {} in all", self.took, self.lasted))?;
        line(
            "money",
            format!(
                "{} issued, {} spent, of it {} fees, {} held",
                self.issued, self.spent, self.fees, self.held
            ),
        )?;
        for (number, balance) in self.balances.iter().enumerate().take(SHOWN) {
            line(
                &format!("  node {number}"),
                format!("{:>16} available {:>12} held", balance.available, balance.held),
            )?;
        }
        line("events", self.events.to_string())?;
        line("trace", self.trace.to_hex())
    }
}

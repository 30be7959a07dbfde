//! What is measured of a pool (reference §5.6).

use super::day::Day;
use crate::bazaar::{Bought, Churned};
use crate::experiment::{Metric, Outcome, RunError};
use crate::measure::{
    Done, gini, jain, lerner, makespan, max_over_mean, mean_flow, mean_slowdown, ratio, utilisation,
};
use crate::model::{CREDITS, RATIO, SHARE, metric};
use crate::price::credits;

pub(super) const METRICS: &[Metric] = &[
    metric("asked_count", "count", "sub-tasks that are asked for"),
    metric("succeeded_share", SHARE, "of the sub-tasks, done"),
    metric("value_share", SHARE, "of what all sub-tasks are worth, what those are worth that were done"),
    metric("price_credits", CREDITS, "what the seller of a Gc gets, in the mean"),
    metric(
        "buyer_cost_credits",
        CREDITS,
        "what the buyer of a Gc pays, the owner's part by the rule included",
    ),
    metric("profit_credits", CREDITS, "what the seller of a Gc gets above its cost, in the mean"),
    metric("surplus_credits", CREDITS, "what the buyer of a Gc pays below its value, in the mean"),
    metric(
        "owner_pay_credits",
        CREDITS,
        "what the owner of the market gets for a Gc by the rule, in the mean",
    ),
    metric("lerner_ratio", RATIO, "(price - cost)/price over all work"),
    metric("fairness_ratio", RATIO, "Jain's index of the sellers' incomes"),
    metric("inequality_ratio", RATIO, "the Gini coefficient of the sellers' incomes"),
    metric("load_ratio", RATIO, "core-seconds asked for, on the reference core, over those that were there"),
    metric("utilisation_share", SHARE, "core-seconds under contract over those that were there"),
    metric("lost_share", SHARE, "of the contracts, whose machine was gone before the work was done"),
    metric("makespan_s", "s", "from the first sub-task asked for to the last one done"),
    metric("flow_s", "s", "from asked for to done, in the mean"),
    metric("slowdown_ratio", RATIO, "the same over the run on a reference core that is free, in the mean"),
    metric("wait_median_s", "s", "from a search for a seller to its contract, the median: time to match"),
    metric("wait_p99_s", "s", "the same, of 99 in a hundred"),
    metric("stale_share", SHARE, "of the sellers that market owners asked, were gone"),
    metric("dead_ticket_share", SHARE, "of the tickets, named a seller that was gone"),
    metric("owner_fairness_ratio", RATIO, "Jain's index of the questions for sellers over all nodes"),
    metric("owner_inequality_ratio", RATIO, "the Gini coefficient of the same"),
    metric(
        "owner_most_to_mean_ratio",
        RATIO,
        "the questions of the busiest market owner over the mean of all nodes",
    ),
    metric("hops_count", "count", "nodes that a lookup of a market asks"),
    metric("timeouts_count", "count", "of these, that do not answer"),
    metric(
        "messages_count",
        "count",
        "messages of a contract: of the match, of the offer, and those that list",
    ),
    metric("all_messages_count", "count", "the same with the ring's upkeep and its lookups"),
    metric("traffic_bytes", "bytes", "what all of these take on the wire, for each contract"),
];

/// # Errors
/// [`RunError::NoTrade`] where nothing was done.
pub(super) fn outcome(day: &Day, measured: &Churned) -> Result<Outcome, RunError> {
    let pooled = &measured.pooled;
    let sums = Sums::of(day, &pooled.bought);
    if pooled.bought.is_empty() {
        return Err(RunError::NoTrade);
    }
    let contracts = measured.traded() as f64;
    let each = |count: u64| ratio(count as f64, contracts);
    let of = |one: u64, all: u64| one as f64 / all.max(1) as f64;
    let messages = measured.match_messages + measured.listing_messages;
    let (work, there) = (done(day, measured), there(day, measured));
    // Who was never there has no load.
    let is_there = |host: usize| pooled.present.get(host).is_some_and(|time| *time > 0);
    let load = |host: usize| pooled.asked.get(host).copied().unwrap_or(0) as f64;
    let loads: Vec<f64> = (0..pooled.present.len()).filter(|host| is_there(*host)).map(load).collect();
    let asked: f64 = day.alone.iter().sum();
    Ok(Outcome::new(measured.trace.0)
        .with("asked_count", day.values.len() as f64)
        .with("succeeded_share", pooled.bought.len() as f64 / day.values.len() as f64)
        .with_some("value_share", ratio(sums.value, sums.wanted_value))
        .with_some("price_credits", ratio(sums.to_sellers, sums.work))
        .with_some("buyer_cost_credits", ratio(sums.to_sellers + sums.to_owners, sums.work))
        .with_some("profit_credits", ratio(sums.to_sellers - sums.cost, sums.work))
        .with_some("surplus_credits", ratio(sums.value - sums.to_sellers - sums.to_owners, sums.work))
        .with_some("owner_pay_credits", ratio(sums.to_owners, sums.work))
        .with_some("lerner_ratio", lerner(sums.to_sellers, sums.cost))
        .with_some("fairness_ratio", jain(&sums.incomes))
        .with_some("inequality_ratio", gini(&sums.incomes))
        .with_some("load_ratio", ratio(asked, there))
        .with_some("utilisation_share", utilisation(pooled.busy as f64 / 1e6, there))
        .with_some("lost_share", each(pooled.lost))
        .with_some("makespan_s", makespan(&work))
        .with_some("flow_s", mean_flow(&work))
        .with_some("slowdown_ratio", mean_slowdown(&work))
        .with("wait_median_s", measured.wait(500).as_secs_f64())
        .with("wait_p99_s", measured.wait(990).as_secs_f64())
        .with("stale_share", of(measured.dead_questions, measured.questions))
        .with("dead_ticket_share", of(measured.dead_tickets, measured.tickets))
        .with_some("owner_fairness_ratio", jain(&loads))
        .with_some("owner_inequality_ratio", gini(&loads))
        .with_some("owner_most_to_mean_ratio", max_over_mean(&loads))
        .with("hops_count", of(pooled.hops, pooled.found))
        .with("timeouts_count", of(pooled.timeouts, pooled.found))
        .with_some("messages_count", each(messages))
        .with_some("all_messages_count", each(messages + measured.ring_messages))
        .with_some("traffic_bytes", each(pooled.bytes)))
}

/// Core-seconds that were there.
fn there(day: &Day, measured: &Churned) -> f64 {
    let Some(script) = &day.plan.script else { return 0.0 };
    let present = measured.pooled.present.iter().skip(script.buyers);
    script
        .machines
        .iter()
        .zip(present)
        .map(|(machine, time)| f64::from(machine.cores) * *time as f64 / 1e6)
        .sum()
}

/// When each sub-task that was done was asked for and done.
fn done(day: &Day, measured: &Churned) -> Vec<Done> {
    let began = measured.pooled.began;
    let wanted = |number: usize| day.plan.script.as_ref()?.wanted.get(number);
    let piece = |bought: &Bought| {
        let asked = wanted(bought.number)?.at.as_secs_f64();
        let alone = day.alone.get(bought.number).copied()?;
        Some(Done { asked, done: bought.done.since(began).as_secs_f64(), alone })
    };
    measured.pooled.bought.iter().filter_map(piece).collect()
}

/// Sums over all work done, in Gc and credits.
#[derive(Default)]
struct Sums {
    work: f64,
    to_sellers: f64,
    to_owners: f64,
    cost: f64,
    value: f64,
    wanted_value: f64,
    incomes: Vec<f64>,
}

impl Sums {
    fn of(day: &Day, bought: &[Bought]) -> Self {
        let mut sums = Self { incomes: vec![0.0; day.costs.len()], ..Self::default() };
        let work = |number: usize| {
            let wanted = day.plan.script.as_ref().and_then(|script| script.wanted.get(number));
            wanted.map_or(0.0, |wanted| wanted.work.0 as f64 / 1e9)
        };
        let value = |number: usize| day.values.get(number).copied().map_or(0.0, credits);
        sums.wanted_value = (0..day.values.len()).map(|number| work(number) * value(number)).sum();
        for contract in bought {
            let gc = work(contract.number);
            sums.work += gc;
            sums.to_sellers += gc * credits(contract.price);
            sums.to_owners += gc * credits(contract.to_owner);
            sums.value += gc * value(contract.number);
            sums.cost += gc * day.costs.get(contract.machine).copied().map_or(0.0, credits);
            if let Some(income) = sums.incomes.get_mut(contract.machine) {
                *income += gc * credits(contract.price);
            }
        }
        sums
    }
}

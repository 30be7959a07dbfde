//! What a task would cost: its sub-tasks in groups that need the same, asked about and reckoned up.

use super::super::market::{cost, needs};
use crate::control::{Failure, Quote, QuotePartView, QuoteView, RulePriceView, RuleTotalView};
use market::quote::{Price, price};
use market::{Overview, describe};
use proto::message::service::Blob;
use proto::message::survey::{Inquiry, Survey};
use proto::rules::PricingRule;
use proto::{Cycles, Hash, Money, Rules, Span};
use service::task::Given;
use service::{SubTaskPlan, whole_commodity};
use std::collections::BTreeMap;

/// Groups of sub-tasks with different needs that one quote is made for.
const MAX_GROUPS: usize = 64;

/// A task file that is to be quoted.
pub(crate) struct Quoted {
    file: String,
    name: String,
    sub_tasks: usize,
    at_most: Money,
    largest: Money,
    groups: Vec<Group>,
}

struct Group {
    first: String,
    inquiry: Inquiry,
    price: Money,
    work: Cycles,
}

impl Group {
    fn is_like(&self, plan: &SubTaskPlan, work: Cycles) -> bool {
        self.inquiry.requirement == plan.requirement
            && (self.inquiry.bid, self.price, self.work) == (plan.bid, plan.price, work)
    }
}

/// Parses a task file and plans its sub-tasks, without touching the files that it names.
pub(crate) async fn quote(quote: Quote, rules: Rules) -> Result<Quoted, Failure> {
    let Quote { text, file, set, lines } = quote;
    let name = file.clone();
    let parsed = tokio::task::spawn_blocking(move || {
        service::task::parse_with(&text, &name, &Given { set: &set, lines: &lines })
    });
    let parsed = parsed.await.map_err(Failure::from_display("task_invalid"))?;
    let task = parsed.map_err(|faults| Failure::task_file(&faults))?.task;
    let nothing = Blob { hash: Hash([0; 32]), size: proto::Bytes(0) };
    let mut groups: Vec<Group> = Vec::new();
    let mut largest = Money::ZERO;
    for (sub_task, probes) in task.sub_tasks.iter().zip(task.probes()) {
        let plan = SubTaskPlan::new(sub_task, &rules, &|_| Some(nothing));
        let plan = plan.map_err(|error| Failure::plan(&file, &error))?;
        let work = plan.work.unwrap_or_else(|| plan.requirement.power.during(rules.nominal_run));
        largest = largest.max(plan.price);
        // What is executed more than once is bought so often, each time for its share of the price.
        let (slices, price) = (plan.redundancy.replicas.saturating_add(probes), plan.share());
        let plan = SubTaskPlan { price, ..plan };
        if let Some(group) = groups.iter_mut().find(|group| group.is_like(&plan, work)) {
            group.inquiry.slices = group.inquiry.slices.saturating_add(slices);
        } else if groups.len() >= MAX_GROUPS {
            return Err(too_many(&file));
        } else {
            let SubTaskPlan { name: first, requirement, bid, .. } = plan;
            groups.push(Group { first, inquiry: Inquiry { requirement, bid, slices }, price, work });
        }
    }
    let (name, sub_tasks, at_most) = (task.name.clone(), task.sub_tasks.len(), task.most());
    Ok(Quoted { file, name, sub_tasks, at_most, largest, groups })
}

fn too_many(file: &str) -> Failure {
    let message = format!("{file}: the sub-tasks have more than {MAX_GROUPS} different needs or prices");
    Failure::new("too_many", message, 2).hint("quote the task in parts")
}

impl Quoted {
    /// What to ask the market for it.
    pub(crate) fn surveys(&self) -> Vec<Survey> {
        let inquiries: Vec<Inquiry> = self.groups.iter().map(|group| group.inquiry.clone()).collect();
        surveys(&inquiries)
    }

    /// The quote, with the answers to [`Quoted::surveys`] and what is available on the account.
    pub(crate) fn view(&self, overviews: &[Overview], available: Money, rules: &Rules) -> QuoteView {
        let answers = self.groups.iter().zip(answers(overviews));
        let parts: Vec<(QuotePartView, Costs)> =
            answers.map(|(group, (overview, index))| part(group, overview, index, rules)).collect();
        let totals = PricingRule::ALL.map(|rule| {
            let all = parts.iter().filter_map(|(_, costs)| costs.get(&rule));
            all.fold((0_u64, 0_u64), |(placed, cost), (slices, money)| {
                (placed.saturating_add(*slices), cost.saturating_add(money.0))
            })
        });
        let in_force = rules.rule;
        let total = |(rule, (placed, cost)): (PricingRule, (u64, u64))| RuleTotalView {
            rule: rule.name().into(),
            is_in_force: rule == in_force,
            placed,
            cost: Money(cost).to_string(),
        };
        let expected = PricingRule::ALL.iter().zip(&totals).find(|(rule, _)| **rule == in_force);
        let expected = expected.map_or(0, |(_, (_, cost))| *cost);
        let unreached = overviews.iter().map(|overview| overview.unreached.len()).max().unwrap_or(0);
        QuoteView {
            file: self.file.clone(),
            name: self.name.clone(),
            sub_tasks: self.sub_tasks,
            rule: rules.rule.name().into(),
            fee: rules.owner_fee.to_string(),
            available: available.to_string(),
            at_most: self.at_most.to_string(),
            expected: Money(expected).to_string(),
            largest: self.largest.to_string(),
            is_affordable: available.0 >= expected.max(self.largest.0),
            unreached,
            parts: parts.into_iter().map(|(part, _)| part).collect(),
            totals: PricingRule::ALL.into_iter().zip(totals).map(total).collect(),
        }
    }
}

/// Surveys about `inquiries`, as many in each as it takes.
pub(crate) fn surveys(inquiries: &[Inquiry]) -> Vec<Survey> {
    inquiries.chunks(market::survey::MAX_INQUIRIES).map(|some| whole_commodity(some.to_vec())).collect()
}

/// For each inquiry, the overview that answers it and its number there.
pub(crate) fn answers(overviews: &[Overview]) -> impl Iterator<Item = (&Overview, usize)> {
    overviews
        .iter()
        .flat_map(|overview| (0..market::survey::MAX_INQUIRIES).map(move |index| (overview, index)))
}

/// What a group costs by each rule: how many are placed now, and what all of it would cost at that price.
type Costs = BTreeMap<PricingRule, (u64, Money)>;

/// A group as it is shown, and what all of it would cost.
fn part(group: &Group, overview: &Overview, index: usize, rules: &Rules) -> (QuotePartView, Costs) {
    let Group { first, inquiry, price: cap, work } = group;
    let fit = overview.fit(index, inquiry);
    let in_force = rules.rule;
    let mut all = Costs::new();
    let prices = PricingRule::ALL.map(|rule| {
        let Price { slices, rate, .. } = price(overview, index, inquiry, rule, &rules.pricing);
        let each = rate.map(|rate| cost(rate, *work, *cap, rules));
        let of_all = each.unwrap_or_default().0.saturating_mul(u64::from(inquiry.slices));
        all.insert(rule, (slices, Money(of_all)));
        RulePriceView {
            rule: rule.name().into(),
            is_in_force: rule == in_force,
            placed: slices,
            rate: rate.map(|rate| rate.to_string()),
            cost: each.map(|cost| cost.to_string()),
        }
    });
    let closest = fit.closest.as_ref().or(fit.closest_ever.as_ref());
    let view = QuotePartView {
        sub_task: first.clone(),
        count: inquiry.slices,
        needs: needs(inquiry),
        bid: inquiry.bid.to_string(),
        price: cap.to_string(),
        gcycles: Span::micros(work.0 / 1_000).as_secs_f64(),
        sellers: fit.sellers,
        slices: fit.slices,
        could: fit.could,
        too_dear: fit.too_dear,
        lowest_ask: (fit.too_dear > 0).then(|| fit.lowest_ask.to_string()),
        prices: prices.to_vec(),
        closest: closest.map(|closest| describe(closest, inquiry)),
    };
    (view, all)
}

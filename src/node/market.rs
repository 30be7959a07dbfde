//! Surveys in the words of the command line.

use super::record::rfc3339;
use crate::control::{
    CostView, ExplainPartView, ListingView, MarketView, MarketsView, PriceView, ShownMarketView,
    StandingView, TaskView,
};
use market::{Known, Overview, describe, unit};
use proto::message::market::Listing;
use proto::message::survey::{Fit, Inquiry};
use proto::{Cycles, Market, Money, Rate, Rules, Span, Time};
use service::policy::Estimate;
use service::{State, Want};

/// How the sentence about waiting begins.
const FRUITLESS: &str = "has found nobody for";
/// How the sentence about the last attempt begins.
const LAST_TIME: &str = "last time:";

/// A market such as `compute/40`.
pub(super) fn read_market(text: &str) -> Option<Market> {
    let (name, class) = text.split_once('/')?;
    let commodity = proto::Commodity::ALL.into_iter().find(|commodity| commodity.name() == name)?;
    let class = class.parse().ok().filter(|class| *class < commodity.classes())?;
    Some(Market { commodity, class })
}

pub(super) fn listing_view(listing: &Listing, now: Time) -> ListingView {
    ListingView {
        market: listing.market.to_string(),
        seller: listing.seller.key.to_hex(),
        address: listing.seller.addr.to_string(),
        cores: listing.cores,
        per_core: listing.per_core.0,
        ask: listing.ask.to_string(),
        expires_in: listing.expires.since(now).as_secs_f64(),
    }
}

fn market_view(known: &Known) -> MarketView {
    let state = &known.state;
    let ask =
        |of: fn(&proto::message::survey::Asks) -> Rate| state.asks.as_ref().map(|asks| of(asks).to_string());
    MarketView {
        market: state.market.to_string(),
        from: state.market.least(),
        sellers: state.sellers,
        amount: state.amount,
        lowest_ask: ask(|asks| asks.lowest),
        median_ask: ask(|asks| asks.median),
        highest_ask: ask(|asks| asks.highest),
        matches: state.matches,
        last_price: state.last.map(|last| last.clearing.to_string()),
        last_match: state.last.map(|last| rfc3339(last.at)),
        owner: known.owner.addr.to_string(),
    }
}

/// All markets where there is something to see.
pub(super) fn markets(overviews: &[Overview], listings: Vec<ListingView>) -> MarketsView {
    let known = overviews.iter().flat_map(|overview| overview.markets.values());
    let mut owners: Vec<_> = known.clone().map(|known| known.owner.key).collect();
    owners.sort_unstable();
    owners.dedup();
    let is_alive = |known: &&Known| known.state.sellers > 0 || known.state.matches > 0;
    let unreached = overviews.iter().flat_map(|overview| &overview.unreached);
    MarketsView {
        listings,
        markets: known.filter(is_alive).map(market_view).collect(),
        owners: owners.len(),
        unreached: unreached.map(ToString::to_string).collect(),
    }
}

/// One market, if its owner was reached.
pub(super) fn shown(overview: &Overview, market: Market, now: Time) -> Option<ShownMarketView> {
    let market = market_view(overview.markets.get(&market)?);
    let listings = overview.listings.iter().map(|listing| listing_view(&listing.body, now)).collect();
    Some(ShownMarketView { market, listings })
}

/// Where an ask stands in its market.
pub(super) fn standing(overview: &Overview, market: Market, ask: Rate) -> Option<StandingView> {
    let (rank, sellers) = overview.rank(market)?;
    let asks = overview.markets.get(&market)?.state.asks?;
    Some(StandingView {
        market: market.to_string(),
        ask: ask.to_string(),
        rank,
        sellers,
        last_price: overview.last_price(market).map(|price| price.to_string()),
        lowest_ask: asks.lowest.to_string(),
        median_ask: asks.median.to_string(),
        highest_ask: asks.highest.to_string(),
    })
}

/// What cost and standing say about the ask.
pub(super) fn price(
    ask: Option<Rate>,
    standing: Option<StandingView>,
    last: Option<Rate>,
    cost: Option<&Estimate>,
    not_selling: Option<String>,
) -> PriceView {
    let mut advice = Vec::new();
    if let Some(cost) = cost.map(|cost| cost.rate) {
        let is_low = ask.is_some_and(|ask| ask < cost);
        let but = if is_low { "; your ask may lose money at every hire" } else { "" };
        advice.push(format!("ask at least {cost}, what the work costs you by the model{but}"));
    }
    match (ask, last, cost.map(|cost| cost.rate)) {
        (Some(_), Some(last), Some(cost)) if cost > last => {
            advice.push(format!("the last clearing price of {last} would not have paid for that"));
        }
        (Some(ask), Some(last), Some(_)) if ask > last => {
            advice.push(format!("to have been hired at the last clearing price, ask at most {last}"));
        }
        (Some(ask), Some(last), None) if ask > last => advice.push(format!(
            "to have been hired at the last clearing price, ask at most {last}; an ask below what the work costs you \
             loses money at every hire"
        )),
        (Some(_), Some(last), _) => {
            advice.push(format!("the last clearing price of {last} would have paid your ask"));
        }
        (Some(_), None, _) if standing.is_none() => {
            advice.push("where it stands is known once the listing is confirmed".into());
        }
        _ => {}
    }
    let cost = cost.map(|cost| CostView { rate: cost.rate.to_string(), steps: cost.lines() });
    PriceView { ask: ask.map(|ask| ask.to_string()), standing, not_selling, cost, advice }
}

/// What is needed, in words.
pub(super) fn needs(inquiry: &Inquiry) -> String {
    let needed = &inquiry.requirement;
    let cores = market::requirement::cores(needed);
    let mut words = vec![format!("{} on {}", needed.power, plural(u64::from(cores), "core"))];
    words.push(format!("{} of memory", needed.memory));
    words.push(format!("{} of disk", needed.disk));
    words.extend([&needed.os, &needed.arch].into_iter().filter(|name| !name.is_empty()).cloned());
    words.join(", ")
}

/// `1 seller`, `2 sellers`.
pub(super) fn plural(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Why a sub-task that waits for a seller waits.
pub(super) fn reasons(
    want: &Want,
    inquiry: &Inquiry,
    overview: &Overview,
    index: usize,
    rules: &Rules,
) -> Vec<String> {
    let fit = overview.fit(index, inquiry);
    let mut reasons = vec![market_reason(want, inquiry, &fit, overview, rules)];
    if let Some(closest) = fit.closest.as_ref().filter(|_| fit.too_dear == 0) {
        reasons.push(format!("closest now: {}", describe(closest, inquiry)));
    }
    if let Some(closest) = fit.closest_ever.as_ref().filter(|ever| Some(*ever) != fit.closest.as_ref()) {
        reasons.push(format!("closest when nothing is sold: {}", describe(closest, inquiry)));
    }
    if !overview.is_complete() {
        let unreached = u64::try_from(overview.unreached.len()).unwrap_or(u64::MAX);
        reasons.push(format!("{} could not be reached", plural(unreached, "market")));
    }
    reasons.extend(patience(want.fruitless, want.patience));
    if !want.why.is_empty() {
        reasons.push(format!("{LAST_TIME} {}", want.why));
    }
    reasons
}

fn market_reason(want: &Want, inquiry: &Inquiry, fit: &Fit, overview: &Overview, rules: &Rules) -> String {
    let unit = unit(inquiry.requirement.commodity);
    if fit.sellers > 0 {
        let sellers = plural(u64::from(fit.sellers), "seller");
        let slices = plural(fit.slices, "slice");
        // It had one already: money was short, or the attempt came to nothing.
        let is_held_up = want.fruitless.is_none() && !want.why.is_empty();
        let when = if is_held_up { "once what is told below is over" } else { "as soon as it is its turn" };
        return format!("{sellers} with {slices} fit now: it is bought {when}");
    }
    if fit.too_dear > 0 {
        let sellers = plural(u64::from(fit.too_dear), "seller");
        let price = price_for(want, fit.lowest_ask, rules);
        return format!(
            "{sellers} would do but ask for more than the bid of {} credits per {unit}; the lowest asks {}: a price \
             of {price} credits would reach it",
            inquiry.bid, fit.lowest_ask
        );
    }
    if fit.could > 0 {
        let sellers = plural(u64::from(fit.could), "seller");
        return format!("{sellers} could run it when what is sold there is free again");
    }
    match (fit.compared, overview.sellers()) {
        (0, 0) => format!(
            "nobody who sells {} is listed now; who has sold all, or is paused, is not",
            inquiry.requirement.commodity.name()
        ),
        (0, _) => "nobody but this node itself is listed now, and nobody buys from itself; who has sold all is not listed"
            .into(),
        (compared, _) => format!("no listed seller could ever run it ({compared} compared)"),
    }
}

/// The price at which the bid would be `ask`: as much more, after the owner's fee, as the ask is above the bid.
fn price_for(want: &Want, ask: Rate, rules: &Rules) -> Money {
    let after_fee = u128::from(want.price.0.saturating_sub(rules.owner_fee.0));
    let needed = (after_fee * u128::from(ask.0)).div_ceil(u128::from(want.bid.0.max(1)));
    Money(u64::try_from(needed).unwrap_or(u64::MAX).saturating_add(rules.owner_fee.0))
}

fn patience(fruitless: Option<Span>, patience: Option<Span>) -> Option<String> {
    let fruitless = fruitless?;
    Some(match patience {
        Some(patience) => format!("{FRUITLESS} {fruitless}; its patience is {patience}"),
        None => format!("{FRUITLESS} {fruitless}, and waits without end"),
    })
}

/// Why a sub-task that has a seller is where it is.
pub(super) fn progress(want: &Want, seller: Option<&str>, gcycles: f64) -> String {
    let seller = seller.unwrap_or("its seller");
    match want.state {
        State::Holding => format!("waits for the bank to set {} credits aside", want.price),
        State::Offered => format!("is offered to {seller}, which has not answered yet"),
        State::Staging => format!("{seller} fetches its program and inputs"),
        State::Running => format!("runs at {seller}: {gcycles:.3} Gc so far"),
        State::Voting => format!("has ended at {seller}; its result waits for those of the other replicas"),
        State::Fetching => format!("has ended at {seller}; its results are being fetched"),
        State::Settling => "its result is accepted and is being paid".into(),
        other => other.name().into(),
    }
}

/// What is to be said of a sub-task whose next step is the bank's, when the bank is silent: that is another matter than
/// a lack of money.
pub(super) fn silence(want: &Want, silence: Option<Span>) -> Option<String> {
    let waits = matches!(want.state, State::Holding | State::Settling);
    silence.filter(|_| waits).map(|silence| {
        format!(
            "the bank has not answered for {:.0} s; it is asked again until it does, and nothing is lost",
            silence.as_secs_f64()
        )
    })
}

/// Puts those with the same reasons together. How long each has waited, and what came in its way last, is told of the
/// first only.
pub(super) fn gather(parts: impl IntoIterator<Item = ExplainPartView>) -> Vec<ExplainPartView> {
    let mut all: Vec<ExplainPartView> = Vec::new();
    for part in parts {
        match all.iter_mut().find(|known| known.state == part.state && lasting(known).eq(lasting(&part))) {
            Some(known) => known.count = known.count.saturating_add(part.count),
            None => all.push(part),
        }
    }
    all
}

fn lasting(part: &ExplainPartView) -> impl Iterator<Item = &String> {
    let is_passing = |reason: &&String| reason.starts_with(FRUITLESS) || reason.starts_with(LAST_TIME);
    part.reasons.iter().filter(move |reason| !is_passing(reason))
}

/// What is to be said of a task of which nothing waits: how those sub-tasks ended that did not succeed.
pub(super) fn ended(task: &TaskView) -> Vec<ExplainPartView> {
    let failed = task.sub_tasks.iter().filter(|sub_task| sub_task.state != "succeeded");
    gather(failed.map(|sub_task| ExplainPartView {
        sub_task: sub_task.name.clone(),
        count: 1,
        state: sub_task.state.clone(),
        reasons: vec![sub_task.why.clone()].into_iter().filter(|why| !why.is_empty()).collect(),
    }))
}

/// What a sub-task costs at `rate`: its work and the owner's fee, at most its price.
pub(super) fn cost(rate: Rate, work: Cycles, price: Money, rules: &Rules) -> Money {
    Money(rate.cost(work).0.saturating_add(rules.owner_fee.0)).min(price)
}

#[cfg(test)]
mod tests;

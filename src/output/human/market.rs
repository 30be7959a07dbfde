//! Markets, prices and quotes for people.

use super::money::two_decimals;
use super::{Align, Colour, Look, Table, clean, count, listings};
use crate::control::{
    ExplainView, MarketView, MarketsView, PriceView, QuotePartView, QuoteView, ShownMarketView, StandingView,
};
use proto::{Bytes, Capacity};
use std::fmt::Write as _;

/// All markets where there is something to see.
pub(in crate::output) fn markets(all: &MarketsView, look: Look) -> String {
    let owners = count(all.owners, "owner");
    let mut text = if all.markets.is_empty() {
        format!("nothing is for sale in any market ({owners} asked)\n")
    } else {
        table_of(&all.markets).render(look.width, look.has_colour)
    };
    if !all.unreached.is_empty() {
        let _ = writeln!(text, "not reached: {}", clean(&all.unreached.join(", ")));
    }
    text
}

fn table_of(markets: &[MarketView]) -> Table {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("market", left),
        ("from", right),
        ("sellers", right),
        ("for sale", right),
        ("lowest ask", right),
        ("median", right),
        ("highest", right),
        ("matches", right),
        ("last price", right),
        ("last match", left),
    ]);
    for market in markets {
        let cells = [
            market.market.clone(),
            amount(market, market.from),
            market.sellers.to_string(),
            amount(market, market.amount),
            money(market.lowest_ask.as_deref()),
            money(market.median_ask.as_deref()),
            money(market.highest_ask.as_deref()),
            market.matches.to_string(),
            money(market.last_price.as_deref()),
            market.last_match.clone().unwrap_or_else(|| "-".into()),
        ];
        table.row(cells, Colour::Plain);
    }
    table
}

/// One market and its cheapest listings.
pub(in crate::output) fn market(shown: &ShownMarketView, look: Look) -> String {
    let market = &shown.market;
    let unit = unit(market);
    let mut text = format!(
        "{}: from {}; {} with {}; its owner is {}\n",
        clean(&market.market),
        amount(market, market.from),
        count(usize::try_from(market.sellers).unwrap_or(usize::MAX), "seller"),
        amount(market, market.amount),
        clean(&market.owner),
    );
    if market.lowest_ask.is_some() {
        let [lowest, median, highest] =
            [&market.lowest_ask, &market.median_ask, &market.highest_ask].map(|ask| money(ask.as_deref()));
        let _ = writeln!(text, "asks from {lowest} to {highest} credits/{unit}, median {median}");
    }
    let matches = market.matches;
    let _ = match (&market.last_price, &market.last_match) {
        (Some(price), Some(at)) => {
            let price = two_decimals(price);
            writeln!(text, "{matches} matched, the last at {price} credits/{unit}, {}", clean(at))
        }
        _ => writeln!(text, "nothing was matched here yet"),
    };
    if !shown.listings.is_empty() {
        text.push_str(&listings(&shown.listings, look));
    }
    text
}

/// Where an ask stands, in one line.
pub(super) fn standing(standing: &StandingView) -> String {
    let StandingView { rank, sellers, .. } = standing;
    let last = standing.last_price.as_deref().map_or("nothing sold there yet".into(), |price| {
        format!("last clearing price {}", two_decimals(price))
    });
    format!("rank {rank} of {sellers}; {last}")
}

/// What would be a good ask.
pub(in crate::output) fn price(price: &PriceView) -> String {
    let mut text = match (&price.ask, &price.standing) {
        (Some(ask), Some(place)) => {
            let (ask, market) = (two_decimals(ask), clean(&place.market));
            let [lowest, median, highest] =
                [&place.lowest_ask, &place.median_ask, &place.highest_ask].map(|ask| two_decimals(ask));
            format!(
                "you ask {ask} credits/Gc in {market}, {}\nasks there from {lowest} to {highest}, median {median}\n",
                standing(place)
            )
        }
        (Some(ask), None) => format!("you ask {} credits/Gc; not listed yet\n", two_decimals(ask)),
        (None, _) => "nothing is for sale\n".into(),
    };
    if let Some(why) = &price.not_selling {
        let _ = writeln!(text, "not selling: {}", clean(why));
    }
    if let Some(cost) = &price.cost {
        let _ = writeln!(text, "your cost by the model is {} credits/Gc:", clean(&cost.rate));
        for step in &cost.steps {
            let _ = writeln!(text, "  {}", clean(step));
        }
    }
    for sentence in &price.advice {
        let _ = writeln!(text, "{}", clean(sentence));
    }
    text
}

/// What a task would cost.
pub(in crate::output) fn quote(quote: &QuoteView, look: Look) -> String {
    let mut text = format!(
        "{} ({}): {}; this network's rule is {}, {} credits for each go to the market owner\n",
        clean(&quote.file),
        clean(&quote.name),
        count(quote.sub_tasks, "sub-task"),
        clean(&quote.rule),
        two_decimals(&quote.fee),
    );
    text.push_str(&parts(&quote.parts).render(look.width, look.has_colour));
    text.push('\n');
    text.push_str(&rules(quote).render(look.width, look.has_colour));
    for part in &quote.parts {
        if let Some(closest) = &part.closest {
            let _ = writeln!(text, "nobody fits {}; closest: {}", name(part), clean(closest));
        }
    }
    if quote.unreached > 0 {
        let _ = writeln!(text, "{} could not be reached", count(quote.unreached, "market"));
    }
    let suffices = if quote.is_affordable { "suffices" } else { "does not suffice" };
    let _ = writeln!(
        text,
        "total {} credits now, at most {}; {} are available, which {suffices}",
        two_decimals(&quote.expected),
        two_decimals(&quote.at_most),
        two_decimals(&quote.available),
    );
    text
}

fn parts(parts: &[QuotePartView]) -> Table {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("sub-tasks", left),
        ("Gc each", right),
        ("bid/Gc", right),
        ("price/Gc", right),
        ("cost each", right),
        ("fit now", right),
        ("at once", right),
        ("could", right),
        ("too dear", right),
        ("needs", left),
    ]);
    for part in parts {
        let dear = part.lowest_ask.as_deref();
        let price = part.prices.iter().find(|price| price.is_in_force);
        let cells = [
            name(part),
            format!("{:.3}", part.gcycles),
            two_decimals(&part.bid),
            money(price.and_then(|price| price.rate.as_deref())),
            money(price.and_then(|price| price.cost.as_deref())),
            part.sellers.to_string(),
            part.slices.to_string(),
            part.could.to_string(),
            dear.map_or("0".into(), |ask| format!("{} (from {})", part.too_dear, two_decimals(ask))),
            part.needs.clone(),
        ];
        table.row(cells, if part.sellers > 0 { Colour::Plain } else { Colour::Red });
    }
    table
}

/// What the whole task costs by each rule.
fn rules(quote: &QuoteView) -> Table {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[("rule", left), ("placed now", right), ("cost of all", right), ("", left)]);
    for total in &quote.totals {
        let cells = [
            total.rule.clone(),
            total.placed.to_string(),
            if total.placed > 0 { two_decimals(&total.cost) } else { "-".into() },
            if total.is_in_force { "in force".into() } else { String::new() },
        ];
        table.row(cells, Colour::Bold);
    }
    table
}

/// Why a task is where it is.
pub(in crate::output) fn explain(explain: &ExplainView) -> String {
    let mut text = format!("task {} ({}): {}\n", explain.id, clean(&explain.name), clean(&explain.state));
    if explain.parts.is_empty() {
        text.push_str("every sub-task has succeeded\n");
    }
    for part in &explain.parts {
        let _ = writeln!(text, "{}: {}", and_more(&part.sub_task, part.count), clean(&part.state));
        for reason in &part.reasons {
            let _ = writeln!(text, "  {}", clean(reason));
        }
    }
    text
}

fn name(part: &QuotePartView) -> String {
    and_more(&part.sub_task, part.count)
}

fn and_more(first: &str, count: u32) -> String {
    let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    format!("{}{more}", clean(first))
}

fn money(amount: Option<&str>) -> String {
    amount.map_or("-".into(), two_decimals)
}

fn is_power(market: &MarketView) -> bool {
    market.market.starts_with("compute/")
}

fn amount(market: &MarketView, amount: u64) -> String {
    if is_power(market) { Capacity(amount).to_string() } else { Bytes(amount).to_string() }
}

fn unit(market: &MarketView) -> &'static str {
    if is_power(market) { "Gc" } else { "GiB and hour" }
}

//! Markets, quotes and reasons as they are read.

use super::PLAIN;
use crate::control::{
    CostView, ExplainPartView, ExplainView, ListingView, MarketView, MarketsView, PriceView, QuoteView,
    ShownMarketView,
};
use crate::output::{human, json, sample};

fn listing() -> ListingView {
    ListingView {
        market: "compute/45".into(),
        seller: "ab12cd34".repeat(8),
        address: "127.0.0.1:40001".into(),
        cores: 2,
        per_core: 2_500,
        ask: "0.2".into(),
        expires_in: 9.96,
    }
}

fn check_markets(markets: Vec<MarketView>, unreached: &[&str], expected: &str) {
    let unreached = unreached.iter().map(ToString::to_string).collect();
    let all = MarketsView { listings: Vec::new(), markets, owners: 3, unreached };
    assert_eq!(human::markets(&all, PLAIN), expected);
}

#[test]
fn markets_are_a_table_and_what_was_not_reached_is_said() {
    let empty = MarketView {
        market: "memory/30".into(),
        from: 1 << 30,
        sellers: 0,
        amount: 0,
        lowest_ask: None,
        median_ask: None,
        highest_ask: None,
        ..sample::market()
    };
    let table = "\
market           from  sellers   for sale  lowest ask  median  highest  matches  last price  last match
compute/45  2436 Mc/s        2  5000 Mc/s        0.10    0.10     0.40        3        0.18  2026-11-21T00:41:00Z
memory/30     1.0 GiB        0        0 B           -       -        -        3        0.18  2026-11-21T00:41:00Z
not reached: compute/3
";
    check_markets(vec![sample::market(), empty], &["compute/3"], table);
    check_markets(Vec::new(), &[], "nothing is for sale in any market (3 owners asked)\n");
}

#[test]
fn the_list_of_markets_as_json_keeps_the_listings_of_this_node() {
    let all = MarketsView {
        listings: vec![listing()],
        markets: vec![sample::market()],
        owners: 1,
        unreached: Vec::new(),
    };
    let expected = concat!(
        r#"{"schema":"compup2p/market-list/v1","listings":[{"market":"compute/45","#,
        r#""seller":"ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34","#,
        r#""address":"127.0.0.1:40001","cores":2,"per_core":2500,"ask":"0.2","expires_in":9.96}],"#,
        r#""markets":[{"market":"compute/45","from":2436,"sellers":2,"amount":5000,"lowest_ask":"0.1","#,
        r#""median_ask":"0.1","highest_ask":"0.4","matches":3,"last_price":"0.18","#,
        r#""last_match":"2026-11-21T00:41:00Z","owner":"127.0.0.1:40003"}],"owners":1,"unreached":[]}"#,
    );
    assert_eq!(json::document("market-list", &all).trim_end(), expected);
}

#[test]
fn a_market_is_shown_with_its_listings() {
    let expected = "\
compute/45: from 2436 Mc/s; 2 sellers with 5000 Mc/s; its owner is 127.0.0.1:40003
asks from 0.10 to 0.40 credits/Gc, median 0.10
3 matched, the last at 0.18 credits/Gc, 2026-11-21T00:41:00Z
market      seller    address          cores  Mc/s a core  ask/Gc  expires in
compute/45  ab12cd34  127.0.0.1:40001      2         2500    0.20      10.0 s
";
    let shown = ShownMarketView { market: sample::market(), listings: vec![listing()] };
    assert_eq!(human::market(&shown, PLAIN), expected);
    let json = json::document("market-show", &shown);
    assert!(
        json.starts_with(r#"{"schema":"compup2p/market-show/v1","market":{"market":"compute/45","#),
        "{json}"
    );
}

#[test]
fn an_ask_is_held_against_its_market() {
    let view = PriceView {
        ask: Some("0.31".into()),
        standing: Some(sample::standing()),
        not_selling: None,
        cost: Some(CostView { rate: "0.2".into(), steps: vec!["energy: 4.687 J per Gc".into()] }),
        advice: vec!["ask less".into()],
    };
    let expected = "\
you ask 0.31 credits/Gc in compute/45, rank 7 of 12; last clearing price 0.18
asks there from 0.10 to 0.40, median 0.19
your cost by the model is 0.2 credits/Gc:
  energy: 4.687 J per Gc
ask less
";
    assert_eq!(human::price(&view), expected);
    let not_selling = Some("it is noon".into());
    let paused = PriceView { ask: None, standing: None, not_selling, cost: None, advice: Vec::new() };
    assert_eq!(human::price(&paused), "nothing is for sale\nnot selling: it is noon\n");
}

#[test]
fn a_quote_shows_who_fits_what_each_rule_charges_and_the_balance() {
    let expected = "\
tasks.xml (Options): 8 sub-tasks; this network's rule is vickrey, 0.01 credits for each go to the market owner
sub-tasks            Gc each  bid/Gc  price/Gc  cost each  fit now  at once  could       too dear  needs
price[1] and 7 more   10.000   0.999     0.999      10.00        1        2      2  1 (from 1.50)  200 Mc/s on 1 core

rule     placed now  cost of all
vickrey           2        80.00  in force
posted            0            -
total 80.00 credits now, at most 80.00; 1000.00 are available, which suffices
";
    assert_eq!(human::quote(&sample::quote(), PLAIN), expected);
}

#[test]
fn a_quote_names_the_closest_where_nobody_fits() {
    let mut quote = QuoteView { is_affordable: false, unreached: 2, ..sample::quote() };
    quote.parts[0].closest = Some("10.0.0.7:7740 has 4.0 GiB of memory, 8.0 GiB are asked for".into());
    let text = human::quote(&quote, PLAIN);
    let tail: Vec<&str> = text.lines().rev().take(3).collect();
    let expected = [
        "total 80.00 credits now, at most 80.00; 1000.00 are available, which does not suffice",
        "2 markets could not be reached",
        "nobody fits price[1] and 7 more; closest: 10.0.0.7:7740 has 4.0 GiB of memory, 8.0 GiB are asked for",
    ];
    assert_eq!(tail, expected);
}

#[test]
fn reasons_stand_below_what_they_are_about() {
    let part = |sub_task: &str, count, state: &str, reasons: &[&str]| ExplainPartView {
        sub_task: sub_task.into(),
        count,
        state: state.into(),
        reasons: reasons.iter().map(ToString::to_string).collect(),
    };
    let parts = vec![part("a[1]", 3, "waiting", &["nobody fits", "for 3 s"]), part("b", 1, "running", &[])];
    let mut view = ExplainView { id: 4, name: "T".into(), state: "running".into(), parts };
    let expected = "\
task 4 (T): running
a[1] and 2 more: waiting
  nobody fits
  for 3 s
b: running
";
    assert_eq!(human::explain(&view), expected);
    view.parts.clear();
    assert_eq!(human::explain(&view), "task 4 (T): running\nevery sub-task has succeeded\n");
}

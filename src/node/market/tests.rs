use super::*;
use crate::output::sample;
use proto::message::market::Requirement;
use proto::message::survey::{Asks, Lack, LastMatch, MarketState, Nearest};
use proto::{Bytes, Capacity, Commodity, KeyPair, Peer, Span};
use service::policy::{CostModel, Micro, Tariff};

fn peer() -> Peer {
    Peer::new("10.0.0.7:7740".parse().unwrap(), 0, KeyPair::from_secret([1; 32]).public())
}

fn market() -> Market {
    Market { commodity: Commodity::Compute, class: 40 }
}

/// A market with `sellers`, and what it says to one inquiry.
fn overview(sellers: u32, fit: Fit) -> Overview {
    let asks = Asks { lowest: Rate(100_000), median: Rate(200_000), highest: Rate(400_000) };
    let state = MarketState {
        market: market(),
        sellers,
        amount: 5_000,
        asks: (sellers > 0).then_some(asks),
        cheaper: 6,
        matches: 2,
        last: Some(LastMatch { clearing: Rate(180_000), at: Time(1_795_251_660_000_000) }),
        fits: vec![fit],
    };
    let mut overview = Overview::default();
    overview.markets.insert(market(), Known { owner: peer(), state });
    overview
}

fn want() -> Want {
    Want {
        name: "a".into(),
        state: State::Waiting,
        requirement: Requirement { power: Capacity(500), memory: Bytes::gib(8), ..Requirement::default() },
        bid: Rate(100_000),
        price: Money(1_010_000),
        attempts: 0,
        fruitless: Some(Span::secs(12)),
        patience: Some(Span::secs(60)),
        why: "no luck".into(),
    }
}

fn check_reasons(sellers: u32, fit: Fit, unreached: bool, expected: &[&str]) {
    let mut overview = overview(sellers, fit);
    if unreached {
        overview.unreached.insert(Market { class: 3, ..market() });
    }
    let want = want();
    let inquiry = Inquiry { requirement: want.requirement.clone(), bid: want.bid, slices: 1 };
    let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    expected.push("has found nobody for 12.00 s; its patience is 60.00 s".into());
    expected.push("last time: no luck".into());
    assert_eq!(reasons(&want, &inquiry, &overview, 0, &Rules::PUBLIC), expected);
}

#[test]
fn a_sub_task_that_waits_is_told_why_with_numbers() {
    let fits = Fit { sellers: 2, slices: 5, compared: 2, could: 2, ..Fit::default() };
    let now = ["2 sellers with 5 slices fit now: it is bought as soon as it is its turn"];
    check_reasons(2, fits, false, &now);
    let dear = Fit { too_dear: 1, lowest_ask: Rate(150_000), compared: 1, could: 1, ..Fit::default() };
    // The price is 1 credit besides the fee of 0.01: half as much again makes 1.51.
    let said = "1 seller would do but ask for more than the bid of 0.1 credits per Gc; the lowest asks 0.15: a price \
        of 1.51 credits would reach it";
    check_reasons(1, dear, true, &[said, "1 market could not be reached"]);
    let nearest = |memory| Some(Nearest { seller: peer(), lacks: vec![Lack::Memory(Bytes::gib(memory))] });
    let sold = Fit { could: 1, compared: 1, closest: nearest(2), ..Fit::default() };
    let closest = "closest now: 10.0.0.7:7740 has 2.0 GiB of memory, 8.0 GiB are asked for";
    check_reasons(1, sold, false, &["1 seller could run it when what is sold there is free again", closest]);
    let never = Fit { compared: 1, closest: nearest(4), closest_ever: nearest(4), ..Fit::default() };
    let closest = "closest now: 10.0.0.7:7740 has 4.0 GiB of memory, 8.0 GiB are asked for";
    check_reasons(1, never, false, &["no listed seller could ever run it (1 compared)", closest]);
    check_reasons(
        0,
        Fit::default(),
        false,
        &["nobody who sells compute is listed now; who has sold all, or is paused, is not"],
    );
    check_reasons(
        1,
        Fit::default(),
        false,
        &[
            "nobody but this node itself is listed now, and nobody buys from itself; who has sold all is not listed",
        ],
    );
}

#[test]
fn what_waits_for_money_is_not_said_to_wait_for_its_turn() {
    let check = |fruitless, why: &str, expected: &str| {
        let want = Want { fruitless, why: why.into(), ..want() };
        let inquiry = Inquiry { requirement: want.requirement.clone(), bid: want.bid, slices: 1 };
        let fit = Fit { sellers: 1, slices: 2, compared: 1, ..Fit::default() };
        let reasons = reasons(&want, &inquiry, &overview(1, fit), 0, &Rules::PUBLIC);
        assert_eq!(reasons.first().map(String::as_str), Some(expected));
    };
    let turn = "1 seller with 2 slices fit now: it is bought as soon as it is its turn";
    check(Some(Span::secs(12)), "no luck", turn);
    check(None, "", turn);
    let later = "1 seller with 2 slices fit now: it is bought once what is told below is over";
    check(None, "the account has 1 credits available, 2 are needed", later);
}

#[test]
fn a_sub_task_with_a_seller_is_told_what_happens_there() {
    let check = |state, expected: &str| {
        assert_eq!(progress(&Want { state, ..want() }, Some("10.0.0.7:7740"), 1.5), expected);
    };
    check(State::Holding, "waits for the bank to set 1.01 credits aside");
    check(State::Offered, "is offered to 10.0.0.7:7740, which has not answered yet");
    check(State::Running, "runs at 10.0.0.7:7740: 1.500 Gc so far");
}

#[test]
fn what_has_ended_badly_is_gathered_by_its_reason() {
    let mut task = sample::task();
    task.sub_tasks =
        ["succeeded", "lost", "lost", "cancelled"].map(|reason| sample::ended(reason, reason)).to_vec();
    let parts = ended(&task);
    let parts: Vec<(&str, u32, &str)> =
        parts.iter().map(|part| (part.sub_task.as_str(), part.count, part.reasons[0].as_str())).collect();
    assert_eq!(parts, [("lost", 2, "lost"), ("cancelled", 1, "cancelled")]);
}

#[test]
fn an_ask_has_its_place_and_its_advice() {
    let place = standing(&overview(12, Fit::default()), market(), Rate(310_000)).unwrap();
    assert_eq!((place.rank, place.sellers, place.last_price.as_deref()), (7, 12, Some("0.18")));
    assert_eq!(standing(&overview(0, Fit::default()), market(), Rate(1)), None);
    let (dear, cheap, last) = (Rate(310_000), Rate(150_000), Some(Rate(180_000)));
    let unknown = price(Some(dear), Some(place.clone()), last, None, None);
    let expected = "to have been hired at the last clearing price, ask at most 0.18; an ask below what the work costs \
        you loses money at every hire";
    assert_eq!((unknown.advice, unknown.cost), (vec![expected.to_owned()], None));
    check_advice(cheap, last, None, &["the last clearing price of 0.18 would have paid your ask"]);
    check_advice(dear, None, None, &[]);
}

/// What is said of an ask where the work costs so much.
fn check_advice(ask: Rate, last: Option<Rate>, cost: Option<u32>, expected: &[&str]) {
    let place = standing(&overview(12, Fit::default()), market(), ask);
    // A core of 1000 Mc/s that draws so many watts, at 3.60 a kWh and 1000 credits a unit: so many thousandths of a credit.
    let model = |watts| CostModel {
        currency_per_kwh: Tariff::Flat(Micro(3_600_000)),
        idle_watts: 0,
        busy_watts: watts,
        credits_per_currency: 1_000,
        ..CostModel::default()
    };
    let cost = cost.and_then(|watts| model(watts).estimate(Capacity(1_000), 1, 0));
    assert_eq!(price(Some(ask), place, last, cost.as_ref(), None).advice, expected, "{ask} {last:?}");
}

#[test]
fn an_ask_is_held_against_what_the_work_costs() {
    let least = "ask at least 0.2, what the work costs you by the model";
    let low = "ask at least 0.2, what the work costs you by the model; your ask may lose money at every hire";
    let cheap = "the last clearing price of 0.18 would not have paid for that";
    let paid = "the last clearing price of 0.25 would have paid your ask";
    let dear = "to have been hired at the last clearing price, ask at most 0.25";
    let (little, much) = (Some(Rate(180_000)), Some(Rate(250_000)));
    check_advice(Rate(150_000), little, Some(200), &[low, cheap]);
    check_advice(Rate(210_000), little, Some(200), &[least, cheap]);
    check_advice(Rate(210_000), much, Some(200), &[least, paid]);
    check_advice(Rate(310_000), much, Some(200), &[least, dear]);
    check_advice(Rate(310_000), None, Some(200), &[least]);
}

#[test]
fn only_markets_that_exist_are_read() {
    assert_eq!(read_market("compute/40"), Some(market()));
    for wrong in ["compute/96", "compute", "power/3", "disk/-1", "disk/64", "/3"] {
        assert_eq!(read_market(wrong), None, "{wrong}");
    }
}

#[test]
fn a_silent_bank_is_a_reason_of_its_own() {
    let check = |state, silent, expected: Option<&str>| {
        let silence = silence(&Want { state, ..want() }, silent);
        assert_eq!(silence.as_deref(), expected);
    };
    let words = "the bank has not answered for 12 s; it is asked again until it does, and nothing is lost";
    let silent = Some(Span::secs(12));
    check(State::Holding, silent, Some(words));
    check(State::Settling, silent, Some(words));
    check(State::Running, silent, None);
    check(State::Holding, None, None);
}

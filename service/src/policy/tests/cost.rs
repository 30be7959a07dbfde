//! What work costs, to the last digit.

use super::*;
use proptest::prelude::*;
use proto::Capacity;

fn model(tariff: u64, watts: (u32, u32), wear: u64, listing: u64, credits: u32) -> CostModel {
    CostModel {
        currency_per_kwh: Tariff::Flat(Micro(tariff)),
        idle_watts: watts.0,
        busy_watts: watts.1,
        wear_per_core_hour: Micro(wear),
        listing_cost: Rate(listing),
        credits_per_currency: credits,
    }
}

#[test]
fn the_cost_is_energy_wear_and_listing_rounded_up_once() {
    let table = [
        // 100 W on one core of 1000 Mc/s: 100 J per Gc, at 3.6 a kWh 0.0001 of the currency.
        (model(3_600_000, (0, 100), 0, 0, 1), 1_000, 1, 100),
        (model(3_600_000, (50, 150), 0, 0, 1), 1_000, 1, 100),
        (model(3_600_000, (0, 100), 0, 7, 1), 1_000, 1, 107),
        (model(3_600_000, (0, 100), 0, 0, 1_000), 1_000, 4, 25_000),
        (model(3_600_000, (0, 100), 0, 0, 1), 3_000, 1, 34),
        // 3.6 a core-hour and 1 s per Gc: a thousandth.
        (model(0, (0, 0), 3_600_000, 0, 1), 1_000, 1, 1_000),
        (model(0, (0, 0), 3_600_000, 0, 1), 1_000, 64, 1_000),
        (model(0, (0, 0), 3_600_000, 0, 1), 2_000, 64, 500),
        (model(3_600_000, (0, 100), 3_600_000, 0, 1), 3_000, 1, 367),
        // Nothing costs the least that can be asked.
        (model(0, (0, 0), 0, 0, 1), 1_000, 1, 1),
        (model(300_000, (65, 20), 0, 0, 1), 1_000, 1, 1),
        (model(1_000_000_000, (0, 100_000), 1_000_000_000, u64::MAX, 1_000_000_000), 1, 1, u64::MAX),
    ];
    for (model, per_core, cores, expected) in table {
        let estimate = model.estimate(Capacity(per_core), cores, 0).unwrap();
        assert_eq!(estimate.rate, Rate(expected), "{model:?} {per_core} {cores}");
    }
    assert_eq!(CostModel::default().estimate(Capacity(0), 4, 0), None);
    assert_eq!(CostModel::default().estimate(Capacity(1), 0, 0), None);
}

#[test]
fn an_estimate_is_explained_step_by_step() {
    let mut model = model(300_000, (20, 65), 10_000, 1_500, 500_000);
    let estimate = model.estimate(Capacity(2_400), 4, 0).unwrap();
    assert_eq!(
        estimate.lines(),
        [
            "electricity: 0.3 a kWh at this hour",
            "power: 45 W more when all cores work, 11.250 W a core",
            "time: a core works 416.666 ms on one Gc",
            "energy: 4.687 J per Gc",
            "energy costs 0.000000390625 of the currency per Gc",
            "wear costs 0.000001157407 of the currency per Gc",
            "both are 0.774016203 credits per Gc",
            "listing costs 0.0015 credits per Gc",
            "marginal cost: 0.775517 credits per Gc",
        ]
    );
    model.credits_per_currency = 1;
    assert_eq!(model.estimate(Capacity(2_400), 4, 0).unwrap().rate, Rate(1_502));
}

#[test]
fn a_tariff_by_the_hour_has_one_price_for_every_minute() {
    let text = "market.marginal_cost = 'auto'\n\
                market.currency_per_kwh = { '22:00-06:00' = 0.19, '06:00-22:00' = 0.31 }";
    let policy = parse(text, "p").unwrap();
    let MarginalCost::Auto(model) = policy.marginal_cost() else { panic!("{:?}", policy.fixed_cost) };
    for (minute, price) in [(0, 190_000), (359, 190_000), (360, 310_000), (1319, 310_000), (1320, 190_000)] {
        assert_eq!(model.currency_per_kwh.at(minute), Micro(price), "{minute}");
    }
    let expected = "an amount of currency from 0 to 1000, or a table of such amounts for all 24 hours, such as \
                    { \"00:00-06:00\" = 0.2, \"06:00-24:00\" = 0.3 }";
    for table in
        ["{ '22:00-06:00' = 0.19 }", "{ '00:00-12:00' = 1, '11:59-00:00' = 1 }", "{}", "{ night = 1 }"]
    {
        let found = faults(&format!("market.currency_per_kwh = {table}"));
        assert_eq!(
            found,
            [format!("p:1:27: a section is not a value for `market.currency_per_kwh`: expected {expected}")]
        );
    }
    let price = "an amount of currency from 0 to 1000 with at most six decimals, such as 0.3";
    assert_eq!(
        faults("market.currency_per_kwh = { '00:00-24:00' = 1001 }"),
        [format!("p:1:45: `1001` is not a value for `market.currency_per_kwh`: expected {price}")]
    );
}

#[test]
fn the_ask_follows_the_tariff_and_keeps_the_least_price() {
    let text = "[market]\nmarginal_cost = 'auto'\nmin_price = 0.15\nidle_watts = 0\nbusy_watts = 100\n\
                credits_per_currency = 10000\ncurrency_per_kwh = { '22:00-06:00' = 0.18, '06:00-22:00' = 0.36 }";
    let policy = parse(text, "p").unwrap();
    let machine = Machine {
        cores: 1,
        per_core: Capacity(500),
        idle_cores: 1,
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        ..Machine::default()
    };
    for (minute, expected) in [(0, 150_000), (720, 200_000)] {
        let Sale::Offer { ask, .. } = policy.sale(&machine, Weekday::Mon, minute) else { panic!("{minute}") };
        assert_eq!(ask, Rate(expected), "{minute}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_sells_below_cost_and_nobody_asks_a_unit_too_much(
        (tariff, wear) in (0..=MAX_CURRENCY.0, 0..=MAX_CURRENCY.0),
        (idle, busy) in (0..=MAX_WATTS, 0..=MAX_WATTS),
        (listing, credits) in (0..1_000_000_u64, 1..=MAX_CREDITS_PER_CURRENCY),
        (per_core, cores) in (1..100_000_u64, 1..=256_u32),
    ) {
        let model = model(tariff, (idle, busy), wear, listing, credits);
        let estimate = model.estimate(Capacity(per_core), cores, 0).unwrap();
        // The cost in micro-credits times the whole denominator, in another order of operations.
        let [watts, cores, power] = [u128::from(busy.saturating_sub(idle)), u128::from(cores), u128::from(per_core)];
        let energy = watts * u128::from(tariff) * u128::from(credits);
        let worn = u128::from(wear) * u128::from(credits) * 1_000 * cores;
        let whole = cores * power * 3_600;
        let asked = u128::from(estimate.rate.0 - listing);
        prop_assert!(asked * whole >= energy + worn);
        prop_assert!(asked <= 1 || (asked - 1) * whole < energy + worn);
    }
}

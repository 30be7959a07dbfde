use super::*;

fn plan(nodes: u32, markets: u32, window: u32, placement: Placement) -> Trades {
    Trades {
        nodes,
        markets,
        window,
        spread: Spread::Uniform,
        placement,
        trades: 400,
        successors: 1,
        counts_upkeep: true,
        seed: 1,
    }
}

#[test]
fn a_search_in_the_second_ring_takes_half_of_the_logarithm_of_the_markets() {
    for markets in [16_u32, 64, 256] {
        let traded = run(&plan(100, markets, 1_000, Placement::Processor));
        let half = f64::from(markets).log2() / 2.0;
        assert!((traded.overlay_hops - half).abs() < 0.6, "{markets}: {traded:?}");
        assert_eq!(traded.wrong, 0);
    }
}

#[test]
fn a_narrow_distribution_of_capacities_loads_few_owners_in_the_single_overlay_only() {
    let owners = |window, placement| run(&plan(500, 500, window, placement)).owners;
    let (wide, narrow) = (owners(1_000, Placement::Single), owners(10, Placement::Single));
    assert!(wide > 200 && narrow < 15, "{wide} {narrow}");
    let (wide, narrow) = (owners(1_000, Placement::Processor), owners(10, Placement::Processor));
    assert_eq!(wide, narrow);
}

#[test]
fn every_purchase_ends_at_a_market_that_is_large_enough_if_there_is_one() {
    for placement in [Placement::Single, Placement::Processor] {
        for (nodes, markets, window) in [(2, 1, 1_000), (50, 3, 1_000), (20, 200, 100), (300, 10, 10)] {
            let traded = run(&plan(nodes, markets, window, placement));
            assert_eq!(traded.wrong, 0, "{placement:?} {nodes} {markets}: {traded:?}");
        }
    }
}

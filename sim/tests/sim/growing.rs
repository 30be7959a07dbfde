//! A ring that grows by ten nodes a second, while its sellers list.

use proto::{Capacity, Rate, Rules, Span};
use sim::{Checks, Expectation, Latency, Machines, Model, Scenario, run};

#[test]
fn what_is_listed_while_the_ring_grows_fast_is_for_sale_at_every_moment() {
    let calm = Scenario::named("calm").unwrap();
    let scenario = Scenario {
        nodes: 20,
        buyers: 2,
        sellers: 18,
        machines: Machines {
            cores: (1, 1),
            per_core: (Capacity(16), Capacity(22)),
            ask: (Rate(20_000), Rate(80_000)),
        },
        is_one_machine: true,
        net: Model { latency: Latency::Constant(Span::millis(10)), loss: 0, duplication: 0 },
        rules: Rules::LOCAL,
        submit_at: Span::secs(6),
        sub_tasks: 2,
        limit: Span::secs(900),
        expectation: Expectation::Named,
        checks: Checks::Always,
        ..calm
    };
    for seed in 1..=4 {
        run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

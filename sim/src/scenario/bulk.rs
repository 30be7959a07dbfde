//! A task of many equal sub-tasks, which are bought together.

use super::{Machines, Scenario, Work};
use proto::{Capacity, Cycles, Money, Rate, Rules, Span};

/// `calm` with equal sub-tasks and more of them.
pub(super) fn bulk(calm: Scenario) -> Scenario {
    Scenario {
        name: "bulk",
        about: "a thousand equal sub-tasks of one buyer on fifty sellers of one core, bought in batches",
        nodes: 51,
        buyers: 1,
        sellers: 50,
        sub_tasks: 1_000,
        machines: Machines {
            cores: (1, 1),
            per_core: (Capacity(1_000), Capacity(2_000)),
            ask: (Rate(20_000), Rate(80_000)),
        },
        work: Work {
            cycles: (Cycles::giga(4), Cycles::giga(4)),
            price: Money::credits(1),
            failing: 0,
            patience: Span::secs(60),
            ..calm.work
        },
        rules: Rules::LOCAL,
        submit_at: Span::secs(15),
        limit: Span::secs(300),
        ..calm
    }
}

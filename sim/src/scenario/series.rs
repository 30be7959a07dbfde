//! Short equal sub-tasks that share contracts.

use super::named::{SMALL, calm};
use super::{Expectation, Machines, Scenario, Work};
use crate::fault::{Fault, Lie, Who};
use crate::net::Model;
use crate::network::Latency;
use proto::{Bytes, Capacity, Cycles, Money, Span};
use service::policy;

pub(super) fn all() -> Vec<Scenario> {
    vec![series(), series_uneven(), series_storm()]
}

fn series() -> Scenario {
    Scenario {
        name: "series",
        about: "four hundred sub-tasks of ten milliseconds on six sellers of one core, which get them in ever larger contracts",
        nodes: 7,
        buyers: 1,
        sellers: 6,
        sub_tasks: 400,
        machines: Machines { cores: (1, 1), per_core: (Capacity(1_000), Capacity(1_000)), ..calm().machines },
        work: Work {
            cycles: (Cycles::mega(10), Cycles::mega(10)),
            // Twice the owner's fee, so that a contract's whole price is ten times what its work costs.
            price: Money(20_000),
            failing: 40,
            input: Bytes::kib(16),
            patience: Span::secs(60),
            ..calm().work
        },
        rules: SMALL,
        ..calm()
    }
}

fn series_uneven() -> Scenario {
    Scenario {
        name: "series_uneven",
        about: "three hundred sub-tasks on six sellers, some of which are ten times as fast as others: what slow ones have not \
                begun is recalled and bought again",
        sub_tasks: 300,
        machines: Machines { per_core: (Capacity(100), Capacity(1_000)), ..series().machines },
        work: Work { cycles: (Cycles::mega(50), Cycles::mega(50)), failing: 0, ..series().work },
        ..series()
    }
}

fn series_storm() -> Scenario {
    use policy::Work::{Run, Suspend, Vacate};
    let crash = |who, at, is_silent| Fault::Crash { who, is_silent }.at(Span::millis(at));
    let decide = |who, at, work| Fault::Decide { who, work }.at(Span::millis(at));
    let lie = |host, lie| Fault::Lie { host, lie }.at(Span(0));
    // Each owner but that of the machine that leaves needs it now and then, for a moment.
    let owners = (2_u8..12).filter(|host| *host != 7).flat_map(move |host| {
        (0_u64..6).flat_map(move |turn| {
            let at = 6_450 + 1_500 * turn + 91 * u64::from(host);
            let who = Who::Host(usize::from(host));
            [
                decide(who, at, Vacate { grace: Span::millis(at % 30) }),
                decide(who, at + 300, Run { throttle_pct: 100 }),
            ]
        })
    });
    let others = [
        lie(10, Lie::Cycles { times: 1_000 }),
        lie(11, Lie::Wrong),
        crash(Who::Host(3), 6_900, true),
        crash(Who::Host(0), 7_200, false),
        decide(Who::Host(4), 7_500, Suspend),
        crash(Who::Host(5), 7_800, false),
        Fault::RestartAll.at(Span::millis(8_500)),
        Fault::CutOff { hosts: vec![1, 8] }.at(Span::millis(9_500)),
        crash(Who::Host(0), 10_500, true),
        Fault::RestartAll.at(Span::millis(12_000)),
        Fault::Heal.at(Span::millis(13_500)),
        Fault::Leave { who: Who::Host(7) }.at(Span::millis(8_200)),
    ];
    Scenario {
        name: "series_storm",
        about: "two tasks of short sub-tasks that share contracts; messages lost and doubled, sellers and a buyer crash, are cut \
                off, or need their machines, and two sellers lie",
        nodes: 12,
        buyers: 2,
        sellers: 10,
        sub_tasks: 600,
        work: Work { cycles: (Cycles::mega(20), Cycles::mega(20)), ..series().work },
        net: Model {
            latency: Latency::Exponential { least: Span::micros(500), mean: Span::millis(3) },
            loss: 20,
            duplication: 20,
        },
        submit_at: Span::secs(6),
        faults: owners.chain(others).collect(),
        limit: Span::secs(240),
        rest_within: Span::secs(900),
        expectation: Expectation::Named,
        releases_all: false,
        ..series()
    }
}

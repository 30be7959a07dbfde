//! The scenarios that come with the program.

use super::{Checks, Expectation, Machines, Scenario, Work};
use crate::clock::Clocks;
use crate::fault::{Fault, Lie, Who};
use crate::net::Model;
use crate::network::{HeldBack, Latency};
use proto::{Bytes, Capacity, Cycles, Money, Rate, RefusalCode, Rules, Span};
use service::policy;

/// Machines in one building: 0.5 to 2 ms from one to the other.
const BUILDING: Latency = Latency::Uniform { least: Span::micros(500), most: Span::millis(2) };
/// Machines in one country: 5 ms, and 15 ms on top in the mean.
pub(super) const COUNTRY: Latency = Latency::Exponential { least: Span::millis(5), mean: Span::millis(15) };

/// The rules of a ring of few nodes: with lists of eight entries it would never come out of forming.
pub(super) const SMALL: Rules = Rules { successors: 3, ..Rules::LOCAL };

impl Scenario {
    /// All scenarios, the simplest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            calm(),
            first(),
            bank_crash(),
            partition(),
            split(),
            poor_buyer(),
            restart(),
            storm(),
            overtaken(),
            liars(),
            hang(),
            leave(),
            succession(),
            super::bulk::bulk(calm()),
            owners(),
        ];
        all.extend(super::market::all());
        all.extend(super::settle::all());
        all.extend(super::saved::all());
        all.extend(super::trust::all());
        all.extend(super::flow::all());
        all.extend(super::series::all());
        all.extend(super::clocks::all());
        all
    }

    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|scenario| scenario.name == name)
    }
}

pub(super) fn calm() -> Scenario {
    Scenario {
        name: "calm",
        about: "eight nodes, twenty sub-tasks, nothing goes wrong but one program in ten",
        nodes: 8,
        buyers: 1,
        sellers: 8,
        sub_tasks: 20,
        machines: Machines {
            cores: (1, 4),
            per_core: (Capacity(1_000), Capacity(2_000)),
            ask: (Rate(20_000), Rate(80_000)),
        },
        is_one_machine: false,
        work: Work {
            cycles: (Cycles::giga(2), Cycles::giga(8)),
            price: Money::credits(1),
            retries: 3,
            failing: 10,
            wall: Span::secs(60),
            patience: Span::secs(20),
            votes: None,
            probes: 0,
            waits: 0,
            input: Bytes::mib(4),
        },
        net: Model { latency: BUILDING, loss: 0, duplication: 0 },
        clocks: Clocks::RIGHT,
        rules: SMALL,
        chord: chord::Config::LOCAL,
        submit_at: Span::secs(5),
        submit_every: Span(0),
        is_settled: false,
        faults: Vec::new(),
        limit: Span::secs(120),
        rest_within: Span::secs(40),
        expectation: Expectation::AllSucceed,
        sights: Vec::new(),
        served: None,
        releases_all: true,
        saving: None,
        checks: Checks::Always,
    }
}

fn first() -> Scenario {
    let crash = |at, is_silent| Fault::Crash { who: Who::Busy, is_silent }.at(Span::secs(at));
    Scenario {
        name: "first",
        about: "thirty nodes, two hundred sub-tasks, 5 % of the messages lost, three sellers crash at work",
        nodes: 30,
        buyers: 2,
        sellers: 30,
        sub_tasks: 200,
        rules: Rules::LOCAL,
        net: Model { latency: COUNTRY, loss: 50, duplication: 0 },
        submit_at: Span::secs(8),
        faults: vec![crash(11, true), crash(13, false), crash(15, true)],
        expectation: Expectation::Named,
        releases_all: false,
        ..calm()
    }
}

fn bank_crash() -> Scenario {
    let kill = |at, down| Fault::KillBank { down: Span::millis(down) }.at(Span::millis(at));
    Scenario {
        name: "bank_crash",
        about: "the bank is killed six times with records that are not durable yet, and goes on from its journal",
        nodes: 10,
        buyers: 2,
        sellers: 10,
        sub_tasks: 60,
        work: Work { patience: Span::secs(20), ..calm().work },
        net: Model { latency: COUNTRY, loss: 10, duplication: 10 },
        faults: vec![
            kill(1_000, 500),
            kill(16_050, 1_000),
            kill(18_500, 3_000),
            kill(23_000, 200),
            kill(25_000, 200),
            kill(28_000, 5_000),
        ],
        // After the first kill the bank waits for members before it lets anybody in.
        submit_at: Span::secs(16),
        ..calm()
    }
}

fn partition() -> Scenario {
    Scenario {
        name: "partition",
        about: "a buyer with work under way is cut off from everybody for twenty seconds and comes back",
        nodes: 10,
        buyers: 2,
        sellers: 10,
        sub_tasks: 60,
        net: Model { latency: COUNTRY, loss: 0, duplication: 0 },
        faults: vec![Fault::CutOff { hosts: vec![0] }.at(Span::secs(8)), Fault::Heal.at(Span::secs(28))],
        limit: Span::secs(180),
        expectation: Expectation::Named,
        releases_all: false,
        ..calm()
    }
}

fn split() -> Scenario {
    Scenario {
        name: "split",
        about: "half of the nodes are cut off for forty seconds: two rings, which become one when they meet again",
        nodes: 12,
        buyers: 2,
        sellers: 12,
        sub_tasks: 40,
        net: Model { latency: COUNTRY, loss: 0, duplication: 0 },
        faults: vec![
            Fault::CutOff { hosts: vec![0, 2, 4, 6, 8, 10] }.at(Span::secs(7)),
            Fault::Heal.at(Span::secs(47)),
        ],
        limit: Span::secs(300),
        rest_within: Span::secs(120),
        expectation: Expectation::Named,
        releases_all: false,
        ..calm()
    }
}

fn poor_buyer() -> Scenario {
    Scenario {
        name: "poor_buyer",
        about: "the buyer's money suffices for half of its sub-tasks; the bank refuses the others by name",
        nodes: 6,
        buyers: 1,
        // A seller that is alone is paid the bid, so that each sub-task costs its whole price.
        sellers: 1,
        machines: Machines { cores: (4, 4), ..calm().machines },
        work: Work { failing: 0, patience: Span::secs(20), ..calm().work },
        rules: Rules { initial_grant: Money(10_500_000), ..SMALL },
        limit: Span::secs(200),
        expectation: Expectation::Refused { code: RefusalCode::NotEnoughMoney, succeed: 10 },
        ..calm()
    }
}

fn restart() -> Scenario {
    Scenario {
        name: "restart",
        about: "a seller crashes at work and comes back with an empty memory: it signs that it is owed nothing",
        faults: vec![
            Fault::Crash { who: Who::Busy, is_silent: false }.at(Span::secs(7)),
            Fault::Crash { who: Who::Busy, is_silent: true }.at(Span::secs(9)),
            Fault::RestartAll.at(Span::secs(12)),
        ],
        ..calm()
    }
}

fn storm() -> Scenario {
    Scenario {
        name: "storm",
        about: "a tenth of the messages arrive twice, one in fifty never, and most of them out of order",
        nodes: 12,
        buyers: 3,
        sellers: 12,
        sub_tasks: 60,
        net: Model {
            latency: Latency::Exponential { least: Span::millis(1), mean: Span::millis(60) },
            loss: 20,
            duplication: 100,
        },
        ..calm()
    }
}

fn overtaken() -> Scenario {
    Scenario {
        name: "overtaken",
        about: "every message takes 20 ms, but one in ten is held back for up to a second, and later ones overtake it",
        nodes: 12,
        buyers: 3,
        sellers: 12,
        sub_tasks: 60,
        net: Model {
            latency: Latency::HeldBack {
                ways: Box::new(Latency::Constant(Span::millis(20))),
                held: HeldBack { per_mille: 100, most: Span::secs(1) },
            },
            loss: 0,
            duplication: 0,
        },
        ..calm()
    }
}

fn liars() -> Scenario {
    let lie = |host, lie| Fault::Lie { host, lie }.at(Span(0));
    Scenario {
        name: "liars",
        about: "sellers report too many cycles, name outputs that they do not have, or deliver wrong ones",
        nodes: 10,
        sub_tasks: 40,
        sellers: 9,
        faults: vec![lie(5, Lie::Cycles { times: 1_000 }), lie(6, Lie::Absent), lie(7, Lie::Wrong)],
        // Who names outputs that it does not have says that it succeeded: its hold ends by expiry only.
        releases_all: false,
        ..calm()
    }
}

fn hang() -> Scenario {
    let hang = |host| Fault::Lie { host, lie: Lie::Hang }.at(Span(0));
    Scenario {
        name: "hang",
        about: "two sellers never finish: their time ends, the work is done elsewhere, nothing stays set aside",
        work: Work { wall: Span::secs(20), ..calm().work },
        faults: vec![hang(5), hang(6)],
        limit: Span::secs(400),
        rest_within: Span::secs(60),
        ..calm()
    }
}

fn leave() -> Scenario {
    let leave = |at| Fault::Leave { who: Who::Busy }.at(Span::secs(at));
    Scenario {
        name: "leave",
        about: "three sellers leave in order with work under way; it is done elsewhere and nothing stays set aside",
        nodes: 12,
        buyers: 2,
        sub_tasks: 60,
        sellers: 12,
        faults: vec![leave(6), leave(8), leave(10)],
        ..calm()
    }
}

fn succession() -> Scenario {
    let joins =
        (0_u64..).zip(20..32).map(|(at, host)| Fault::Join { host }.at(Span::millis(6_200 + 700 * at)));
    let leaves = (0_u64..6).map(|at| Fault::Leave { who: Who::Owner }.at(Span::millis(6_500 + 900 * at)));
    Scenario {
        name: "succession",
        about: "market owners leave and newcomers take markets over while eight buyers find a seller at any time",
        nodes: 44,
        buyers: 8,
        sellers: 12,
        sub_tasks: 48,
        machines: Machines { cores: (4, 4), ..calm().machines },
        work: Work { failing: 0, ..calm().work },
        net: Model { latency: COUNTRY, loss: 0, duplication: 50 },
        // What is not handed over would be missing for long.
        rules: Rules { renewal: Span::secs(20), ..SMALL },
        submit_at: Span::secs(6),
        submit_every: Span::secs(1),
        faults: joins.chain(leaves).collect(),
        expectation: Expectation::AllPlaced,
        ..calm()
    }
}

fn owners() -> Scenario {
    use policy::Work::{Run, Suspend, Vacate};
    let decide = |host, at, work| Fault::Decide { who: Who::Host(host), work }.at(Span::millis(at));
    let go_on = Run { throttle_pct: 100 };
    // Each owner comes back twice: for a moment or for good, with a grace or none, at another time.
    let days = (0_u64..).zip(2_usize..12).flat_map(|(number, host)| {
        let (first, second) = (6_000 + 500 * number, 15_000 + 700 * number);
        let grace = Span::millis(400 * (number % 4));
        let then = if number % 3 == 0 { go_on } else { Vacate { grace } };
        [
            decide(host, first, Suspend),
            decide(host, first + 3_500, then),
            decide(host, first + 5_000, Run { throttle_pct: 40 }),
            decide(host, first + 7_000, go_on),
            decide(host, second, Vacate { grace: Span::secs(1) }),
            decide(host, second + 4_000, Suspend),
            decide(host, second + 5_000, go_on),
        ]
    });
    let crash = |at, is_silent| Fault::Crash { who: Who::Busy, is_silent }.at(Span::secs(at));
    Scenario {
        name: "owners",
        about: "owners come and go: work stands still, is handed back and goes on, under loss and crashes",
        nodes: 12,
        buyers: 2,
        sellers: 10,
        sub_tasks: 160,
        net: Model { latency: COUNTRY, loss: 20, duplication: 20 },
        faults: days
            .chain([crash(9, false), crash(12, true), Fault::RestartAll.at(Span::secs(18))])
            .collect(),
        limit: Span::secs(240),
        rest_within: Span::secs(120),
        releases_all: false,
        ..calm()
    }
}

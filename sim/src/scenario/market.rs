//! The faults of the market, a scenario for each. In all of them messages are lost, doubled and out of order.

use super::named::{COUNTRY, calm};
use super::{Machines, Scenario, Served, Work};
use crate::fault::{Act, Fault, Flood, Lie, Scheduled, Who};
use crate::net::Model;
use crate::network::Latency;
use crate::sight::Sight;
use proto::{Capacity, Cycles, Span};

/// One message in fifty never arrives, one in twenty twice, and many overtake others.
const ROUGH: Model = Model { latency: COUNTRY, loss: 20, duplication: 50 };

/// All of them.
pub(super) fn all() -> Vec<Scenario> {
    vec![owner_dies(), sold_twice(), stale(), two_owners(), vanish(), list_flood(), ask_flood(), policy()]
}

/// Two buyers, eight sellers, and six nodes that only own markets; no program fails by itself.
fn rough() -> Scenario {
    Scenario {
        nodes: 16,
        buyers: 2,
        sellers: 8,
        sub_tasks: 40,
        work: Work { failing: 0, patience: Span::secs(60), ..calm().work },
        net: ROUGH,
        submit_at: Span::secs(8),
        limit: Span::secs(240),
        ..calm()
    }
}

fn struck(act: Act, at: u64) -> Scheduled {
    Fault::Crash { who: Who::Doing(act), is_silent: true }.at(Span::millis(at))
}

fn owner_dies() -> Scenario {
    Scenario {
        name: "owner_dies",
        about: "market owners die between match and contract: with a slice reserved and no ticket, and with the ticket signed",
        faults: vec![
            struck(Act::Reserves, 8_000),
            struck(Act::Signs, 9_000),
            struck(Act::Reserves, 11_000),
            struck(Act::Signs, 12_000),
            Fault::RestartAll.at(Span::secs(30)),
        ],
        ..rough()
    }
}

/// The nodes of [`sold_twice`] that own its only market one after the other: each lies nearer to the market's key than
/// those before it, and all nearer than the nodes that are there from the start.
const HEIRS: [usize; 22] =
    [29, 43, 44, 21, 33, 15, 11, 16, 28, 12, 41, 14, 23, 19, 25, 20, 5, 9, 7, 36, 42, 45];

fn sold_twice() -> Scenario {
    let joins =
        (0_u64..).zip(HEIRS).map(|(at, host)| Fault::Join { host }.at(Span::millis(8_500 + 350 * at)));
    Scenario {
        name: "sold_twice",
        about: "a market changes hands three times a second, and two owners sell the same core: its seller takes one buyer, the other goes on",
        nodes: 56,
        buyers: 4,
        sellers: 10,
        sub_tasks: 72,
        machines: Machines { cores: (1, 1), per_core: (Capacity(80), Capacity(80)), ..calm().machines },
        work: Work { cycles: (Cycles::mega(8), Cycles::mega(32)), ..rough().work },
        net: Model {
            latency: Latency::Exponential { least: Span::millis(5), mean: Span::millis(60) },
            ..ROUGH
        },
        faults: joins.collect(),
        sights: vec![Sight::AskedByTwo],
        ..rough()
    }
}

fn stale() -> Scenario {
    let vanish = |host: usize| {
        Fault::Crash { who: Who::Host(host), is_silent: host.is_multiple_of(2) }.at(Span::millis(7_800))
    };
    let mut faults: Vec<Scheduled> = [9, 11, 12, 14].map(vanish).into();
    faults.push(Fault::RestartAll.at(Span::secs(12)));
    Scenario {
        name: "stale",
        about: "half of the sellers are gone and their listings stand: none is named in a ticket, and everybody finds another",
        faults,
        sub_tasks: 24,
        machines: Machines { cores: (4, 4), ..calm().machines },
        ..rough()
    }
}

fn two_owners() -> Scenario {
    Scenario {
        name: "two_owners",
        about: "a partition leaves two owners of every market; when it ends there is one of each again, with all listings",
        buyers: 4,
        sub_tasks: 60,
        work: Work { patience: Span::secs(120), ..rough().work },
        faults: vec![
            Fault::CutOff { hosts: vec![1, 3, 5, 7, 9, 11, 13, 15] }.at(Span::secs(7)),
            Fault::Heal.at(Span::secs(37)),
        ],
        limit: Span::secs(400),
        rest_within: Span::secs(120),
        sights: vec![Sight::TwoOwners],
        releases_all: false,
        ..rough()
    }
}

fn vanish() -> Scenario {
    Scenario {
        name: "vanish",
        about: "sellers accept and are not heard of again, or accept and stay silent: their work is done elsewhere, and every hold ends",
        faults: vec![
            Fault::Lie { host: 9, lie: Lie::Silent }.at(Span(0)),
            Fault::Lie { host: 13, lie: Lie::Silent }.at(Span(0)),
            struck(Act::Accepts, 20_000),
            struck(Act::Accepts, 21_500),
        ],
        work: Work { wall: Span::secs(20), ..rough().work },
        limit: Span::secs(400),
        // Ten minutes of a ring that has nothing to do.
        chord: chord::Config {
            stabilize_every: Span::secs(1),
            fix_fingers_every: Span::secs(1),
            check_predecessor_every: Span::secs(3),
            ..chord::Config::LOCAL
        },
        submit_at: Span::secs(20),
        // A hold that nobody gives back ends ten minutes after the longest execution.
        rest_within: Span::secs(700),
        ..rough()
    }
}

/// A second of ten thousand messages, and then four hundred a second for so many seconds.
fn flood(is_listings: bool, lasting: u64) -> Vec<Scheduled> {
    let pour = |per_second, lasting| Flood { host: 4, is_listings, per_second, lasting: Span::secs(lasting) };
    vec![
        Fault::Flood(pour(10_000, 1)).at(Span::millis(7_500)),
        Fault::Flood(pour(400, lasting)).at(Span::millis(8_500)),
    ]
}

fn list_flood() -> Scenario {
    Scenario {
        name: "list_flood",
        about: "one node lists ten thousand times a second, below everybody and selling nothing: the others are served",
        faults: flood(true, 20),
        served: Some(Served { per_mille: 950, within: Span::secs(30) }),
        ..rough()
    }
}

fn ask_flood() -> Scenario {
    Scenario {
        name: "ask_flood",
        about: "one node asks ten thousand times a second for sellers that it does not use: the others are served while it goes on",
        faults: flood(false, 60),
        served: Some(Served { per_mille: 950, within: Span::secs(60) }),
        ..rough()
    }
}

fn policy() -> Scenario {
    let deny = |host| Fault::Deny { host, buyers: vec![0] }.at(Span(0));
    let share = |host, shares, at| Fault::Share { host, shares }.at(Span::millis(at));
    Scenario {
        name: "policy",
        about: "owners deny a buyer, or stop sharing while offers are on their way: nothing is run against a policy",
        // Matches know nothing of whom an owner denies: an attempt each time.
        work: Work { cycles: (Cycles::giga(1), Cycles::giga(3)), retries: 20, ..rough().work },
        sub_tasks: 80,
        faults: vec![
            deny(8),
            deny(10),
            deny(13),
            share(9, false, 8_300),
            share(11, false, 8_600),
            share(12, false, 9_100),
            share(14, false, 9_400),
            share(9, true, 20_000),
            share(12, true, 20_500),
            share(12, false, 20_700),
        ],
        ..rough()
    }
}

//! Scenarios of issue 6, item 6: sub-tasks that are executed more than once, because sellers lie.

use super::named::{COUNTRY, calm};
use super::{Expectation, Scenario, Votes, Work};
use crate::fault::{Fault, Lie, Scheduled, Who};
use crate::net::Model;
use proto::{Money, Rules, Span};

/// Sellers that lie, of [`SELLERS`].
const LIARS: usize = 6;
/// Sellers of each of these worlds.
const SELLERS: usize = 20;

pub(super) fn all() -> Vec<Scenario> {
    vec![believed(), probed(), probed_storm(), voters(), league(), voters_storm(), voters_return()]
}

/// From the start on the last [`LIARS`] sellers lie in this way.
fn liars(lie: Lie) -> Vec<Scheduled> {
    let hosts = SELLERS + 2 - LIARS..SELLERS + 2;
    hosts.map(|host| Fault::Lie { host, lie }.at(Span(0))).collect()
}

fn world(lie: Lie, votes: Option<Votes>) -> Scenario {
    Scenario {
        nodes: SELLERS + 2,
        buyers: 2,
        sellers: SELLERS,
        sub_tasks: 60,
        rules: Rules::LOCAL,
        work: Work { price: Money::credits(3), failing: 10, votes, patience: Span::secs(60), ..calm().work },
        net: Model { latency: COUNTRY, loss: 10, duplication: 10 },
        submit_at: Span::secs(8),
        faults: liars(lie),
        limit: Span::secs(400),
        expectation: Expectation::Named,
        releases_all: false,
        ..calm()
    }
}

const TWO_OF_THREE: Option<Votes> = Some(Votes { replicas: 3, quorum: 2, most: 6 });

fn believed() -> Scenario {
    Scenario {
        name: "believed",
        about: "six of twenty sellers deliver wrong outputs, each its own, and every seller is believed",
        ..world(Lie::Own, None)
    }
}

/// The sellers of `believed`, and buyers that ask so many questions each.
fn asked(probes: u32) -> Scenario {
    let calm = world(Lie::Own, None);
    Scenario { work: Work { probes, ..calm.work }, ..calm }
}

fn probed() -> Scenario {
    Scenario {
        name: "probed",
        about: "the same sellers, and among thirty sub-tasks each buyer asks twenty questions whose answers it knows",
        ..asked(20)
    }
}

fn voters() -> Scenario {
    Scenario {
        name: "voters",
        about: "the same sellers, and two of three have to agree: no wrong output is delivered",
        ..world(Lie::Own, TWO_OF_THREE)
    }
}

fn league() -> Scenario {
    Scenario {
        name: "league",
        about: "six of twenty sellers are in league and deliver the same wrong outputs: two of them outvote a third",
        ..world(Lie::Wrong, TWO_OF_THREE)
    }
}

fn probed_storm() -> Scenario {
    Scenario {
        name: "probed_storm",
        about: "the same with crashes, a partition, lost messages, sellers that hang or have nothing to deliver",
        net: Model { latency: COUNTRY, loss: 30, duplication: 30 },
        faults: storm(),
        limit: Span::secs(1_500),
        rest_within: Span::secs(120),
        ..asked(20)
    }
}

/// Liars, and all that can go wrong beside.
fn storm() -> Vec<Scheduled> {
    let crash = |at, is_silent| Fault::Crash { who: Who::Busy, is_silent }.at(Span::secs(at));
    let mut faults = liars(Lie::Own);
    faults.extend([
        crash(10, true),
        crash(12, false),
        Fault::CutOff { hosts: vec![0, 2, 3, 4, 5] }.at(Span::secs(14)),
        Fault::Heal.at(Span::secs(30)),
        Fault::Lie { host: 8, lie: Lie::Hang }.at(Span(0)),
        Fault::Lie { host: 9, lie: Lie::Absent }.at(Span(0)),
    ]);
    faults
}

fn voters_storm() -> Scenario {
    Scenario {
        name: "voters_storm",
        about: "liars, sellers that hang, crash and have nothing to deliver, a partition, and lost messages, under a vote",
        net: Model { latency: COUNTRY, loss: 30, duplication: 30 },
        faults: storm(),
        limit: Span::secs(900),
        rest_within: Span::secs(120),
        ..world(Lie::Own, TWO_OF_THREE)
    }
}

fn voters_return() -> Scenario {
    let crash = |host, at| Fault::Crash { who: Who::Host(host), is_silent: host == 0 }.at(Span::millis(at));
    let faults = (0..4).flat_map(|turn| {
        let at = 8_700 + 2_500 * turn;
        [crash(0, at), crash(1, at + 300), Fault::RestartAll.at(Span::millis(at + 1_500))]
    });
    Scenario {
        name: "voters_return",
        about: "buyers crash in the middle of votes and start again: replicas go on, and votes that were counted count",
        faults: faults.collect(),
        rest_within: Span::secs(120),
        expectation: Expectation::AllSucceed,
        releases_all: true,
        ..world(Lie::Own, TWO_OF_THREE)
    }
}

//! Programs that are saved, on machines that fail: complete nodes, with the disk market and its storage nodes.

use super::named::{COUNTRY, calm};
use super::{Machines, Saving, Scenario, Work};
use crate::fault::{Fault, Lie, Scheduled, Who};
use crate::net::Model;
use proto::{Capacity, Cycles, Rate, Span};
use service::policy;

/// Often enough that a crash in the middle of a sub-task loses little of it.
const EVERY: Saving = Saving { interval: Some(Span::secs(2)), copies: 2, ask: Some(Rate(10_000)) };

/// All of them.
pub(super) fn all() -> Vec<Scenario> {
    vec![
        checkpoints(),
        bad_states(),
        garbage(),
        no_room(),
        storage_dies(),
        storage_returns(),
        buyer_returns(),
        vacated(),
    ]
}

/// Two buyers, eight sellers, and long sub-tasks: 8 to 16 s each.
fn saved() -> Scenario {
    Scenario {
        nodes: 12,
        buyers: 2,
        sellers: 10,
        sub_tasks: 12,
        machines: Machines { cores: (1, 2), per_core: (Capacity(1_000), Capacity(1_000)), ..calm().machines },
        work: Work { cycles: (Cycles::giga(8), Cycles::giga(16)), failing: 0, ..calm().work },
        net: Model { latency: COUNTRY, loss: 10, duplication: 20 },
        submit_at: Span::secs(6),
        limit: Span::secs(240),
        rest_within: Span::secs(900),
        releases_all: false,
        saving: Some(EVERY),
        ..calm()
    }
}

fn crash(who: Who, at: u64, is_silent: bool) -> Scheduled {
    Fault::Crash { who, is_silent }.at(Span::millis(at))
}

fn checkpoints() -> Scenario {
    Scenario {
        name: "checkpoints",
        about: "sellers, storage nodes and both at once crash, and some are cut off: programs go on from their last states",
        faults: vec![
            crash(Who::Busy, 11_000, false),
            crash(Who::Keeper, 12_500, true),
            Fault::RestartAll.at(Span::millis(15_000)),
            crash(Who::Busy, 17_000, true),
            crash(Who::Keeper, 17_000, false),
            Fault::CutOff { hosts: vec![4, 5] }.at(Span::millis(19_000)),
            Fault::Heal.at(Span::millis(29_000)),
            Fault::RestartAll.at(Span::millis(30_000)),
        ],
        ..saved()
    }
}

fn storage_dies() -> Scenario {
    let faults = (0..4).flat_map(|turn| {
        let at = 10_000 + 2_500 * turn;
        [crash(Who::Keeper, at, turn % 2 == 0), Fault::RestartAll.at(Span::millis(at + 2_000))]
    });
    Scenario {
        name: "storage_dies",
        about: "one storage node after the other crashes: another takes its place, and nothing that runs hears of it",
        faults: faults.chain([crash(Who::Busy, 19_500, false)]).collect(),
        ..saved()
    }
}

/// Within a lease, so that its buyer has not given it up; and what runs dies when it is back.
fn storage_returns() -> Scenario {
    let faults = (0..4).flat_map(|turn| {
        let at = 10_000 + 3_000 * turn;
        [
            crash(Who::Keeper, at, true),
            Fault::RestartAll.at(Span::millis(at + 1_500)),
            crash(Who::Busy, at + 1_800, false),
        ]
    });
    Scenario {
        name: "storage_returns",
        about: "storage nodes crash and start again, and then sellers crash: what was kept is there, and is paid",
        faults: faults.chain([Fault::RestartAll.at(Span::secs(24))]).collect(),
        rest_within: Span::secs(120),
        releases_all: true,
        ..saved()
    }
}

fn buyer_returns() -> Scenario {
    Scenario {
        name: "buyer_returns",
        about: "buyers crash in the middle of checkpoints and start again, then sellers: programs go on from their last states",
        faults: vec![
            crash(Who::Host(0), 10_000, false),
            crash(Who::Host(1), 11_000, true),
            Fault::RestartAll.at(Span::millis(13_000)),
            crash(Who::Busy, 18_000, false),
            crash(Who::Busy, 18_500, true),
            // A seller and its buyer at once.
            crash(Who::Busy, 20_000, false),
            crash(Who::Host(0), 20_000, false),
            crash(Who::Host(1), 20_000, false),
            Fault::RestartAll.at(Span::millis(22_000)),
        ],
        ..saved()
    }
}

fn lie(host: usize, lie: Lie) -> Scheduled {
    Fault::Lie { host, lie }.at(Span(0))
}

fn bad_states() -> Scenario {
    Scenario {
        name: "bad_states",
        about: "sellers save garbage, or name states that they do not have: the next one says so, and the work starts anew",
        work: Work { wall: Span::secs(20), ..saved().work },
        faults: vec![lie(5, Lie::BadStates), lie(8, Lie::BadStates), lie(10, Lie::NoStates)],
        ..saved()
    }
}

/// Beside those of `bad_states` one of ten sellers denies whatever others have saved. The owners of the first three need
/// their machines for good, and those of two honest ones for a while.
fn garbage() -> Scenario {
    let needed = [(5, 11_000, 60), (8, 11_500, 60), (10, 12_000, 60), (6, 12_500, 3), (9, 13_000, 3)];
    let needed = needed.into_iter().flat_map(|(host, at, back)| {
        let (at, vacate) = (Span::millis(at), policy::Work::Vacate { grace: Span(0) });
        let decide = |at, work| Fault::Decide { who: Who::Host(host), work }.at(at);
        [decide(at, vacate), decide(at.plus(Span::secs(back)), policy::Work::Run { throttle_pct: 100 })]
    });
    Scenario {
        name: "garbage",
        about: "sellers hand garbage over and are not paid, others states and are, and one denies that these are any",
        faults: bad_states().faults.into_iter().chain([lie(3, Lie::Denies)]).chain(needed).collect(),
        ..saved()
    }
}

fn no_room() -> Scenario {
    Scenario {
        name: "no_room",
        about: "nobody sells room: the buyers keep the states themselves",
        faults: vec![
            crash(Who::Busy, 11_000, false),
            crash(Who::Busy, 13_000, true),
            crash(Who::Busy, 16_000, false),
        ],
        saving: Some(Saving { ask: None, ..EVERY }),
        ..saved()
    }
}

fn vacated() -> Scenario {
    use policy::Work::{Run, Suspend, Vacate};
    let decide = |host, at, work| Fault::Decide { who: Who::Host(host), work }.at(Span::millis(at));
    let days = (0_u64..).zip(2_usize..10).flat_map(|(number, host)| {
        let at = 9_000 + 900 * number;
        [
            decide(host, at, Suspend),
            decide(host, at + 3_000, Vacate { grace: Span::millis(300 * (number % 3)) }),
            decide(host, at + 6_000, Run { throttle_pct: 100 }),
        ]
    });
    Scenario {
        name: "vacated",
        about: "owners need their machines for longer than they allow: what stands still moves on with its state, and is paid",
        faults: days.collect(),
        ..saved()
    }
}

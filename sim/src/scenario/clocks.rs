//! Worlds whose nodes do not agree on the time.

use super::named::{COUNTRY, calm};
use super::{Expectation, Scenario};
use crate::clock::Clocks;
use crate::net::Model;
use proto::Span;

pub(super) fn all() -> [Scenario; 2] {
    [drift(), wrong_clocks()]
}

fn drift() -> Scenario {
    Scenario {
        name: "drift",
        about: "clocks run up to 300 millionths too fast or too slow, and have done so for nearly two hours: nobody notices",
        nodes: 12,
        buyers: 3,
        sellers: 12,
        sub_tasks: 60,
        net: Model { latency: COUNTRY, loss: 0, duplication: 10 },
        clocks: Clocks { drift_ppm: 300, wrong: 1_000, apart: Span::secs(2) },
        ..calm()
    }
}

fn wrong_clocks() -> Scenario {
    Scenario {
        name: "wrong_clocks",
        about: "one clock in four is wrong by up to five minutes: who has one finds nobody to trade with, is told so, and loses nothing",
        nodes: 16,
        buyers: 4,
        sellers: 14,
        sub_tasks: 80,
        net: Model { latency: COUNTRY, loss: 10, duplication: 10 },
        clocks: Clocks { drift_ppm: 300, wrong: 250, apart: Span::secs(300) },
        expectation: Expectation::Named,
        ..calm()
    }
}

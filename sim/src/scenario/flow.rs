//! Scenarios of issue 6, item 7: sub-tasks that wait for each other.

use super::named::{COUNTRY, calm};
use super::{Expectation, Scenario, Work};
use crate::fault::{Fault, Who};
use crate::net::Model;
use proto::{Rules, Span};

pub(super) fn all() -> Vec<Scenario> {
    vec![chain(), workflow()]
}

fn chain() -> Scenario {
    Scenario {
        name: "chain",
        about: "forty sub-tasks, each of which waits for up to three earlier ones, and nothing goes wrong",
        sub_tasks: 40,
        work: Work { failing: 0, waits: 3, patience: Span::secs(60), ..calm().work },
        limit: Span::secs(400),
        ..calm()
    }
}

fn workflow() -> Scenario {
    let crash = |at, is_silent| Fault::Crash { who: Who::Busy, is_silent }.at(Span::secs(at));
    Scenario {
        name: "workflow",
        about: "two tasks of sixty sub-tasks that wait for each other; 5 % of the messages lost, three sellers crash, \
                a program in ten fails",
        nodes: 20,
        buyers: 2,
        sellers: 20,
        sub_tasks: 120,
        rules: Rules::LOCAL,
        work: Work { failing: 10, waits: 2, patience: Span::secs(60), ..calm().work },
        net: Model { latency: COUNTRY, loss: 50, duplication: 20 },
        submit_at: Span::secs(8),
        faults: vec![crash(11, true), crash(14, false), crash(18, true)],
        limit: Span::secs(600),
        expectation: Expectation::Named,
        releases_all: false,
        ..calm()
    }
}

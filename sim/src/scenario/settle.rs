//! How contracts come to their end when a side does not do its part: complete nodes, with loss and a bank that is killed.
//! (`sim::court` has every such path with scripted parties.)

use super::named::{COUNTRY, SMALL, calm};
use super::{Scenario, Work};
use crate::fault::{Fault, Lie, Scheduled};
use crate::net::Model;
use crate::sight::Sight;
use proto::message::bank::How;
use proto::{Rules, Span};

/// The rules of a network where sellers put up a fifth of each hold.
const BONDED: Rules = Rules { bond_percent: 20, ..SMALL };

/// All of them.
pub(super) fn all() -> Vec<Scenario> {
    vec![silent_buyer(), wrong_result(), no_show()]
}

/// Eight nodes with one message in a hundred lost and as many doubled, a bank that is killed twice, and time for every
/// claim to come to its end.
fn slow() -> Scenario {
    Scenario {
        nodes: 8,
        sub_tasks: 8,
        work: Work { failing: 0, wall: Span::secs(20), ..calm().work },
        net: Model { latency: COUNTRY, loss: 10, duplication: 10 },
        // Ten minutes of a ring that has nothing to do.
        chord: chord::Config {
            stabilize_every: Span::secs(1),
            fix_fingers_every: Span::secs(1),
            check_predecessor_every: Span::secs(3),
            ..chord::Config::LOCAL
        },
        submit_at: Span::secs(20),
        limit: Span::secs(900),
        rest_within: Span::secs(900),
        ..calm()
    }
}

fn kill(at: u64) -> Scheduled {
    Fault::KillBank { down: Span::secs(2) }.at(Span::secs(at))
}

fn silent_buyer() -> Scenario {
    Scenario {
        name: "silent_buyer",
        about: "a buyer takes the outputs and says nothing: its sellers claim, and are paid at the deadline",
        buyers: 2,
        faults: vec![Fault::Lie { host: 0, lie: Lie::Mute }.at(Span(0)), kill(24), kill(150)],
        sights: vec![Sight::Contract(How::Lapsed)],
        ..slow()
    }
}

fn wrong_result() -> Scenario {
    Scenario {
        name: "wrong_result",
        about: "sellers name outputs that they do not have and claim their price: a third node's execution overturns it",
        sellers: 7,
        rules: BONDED,
        faults: vec![
            Fault::Lie { host: 5, lie: Lie::Absent }.at(Span(0)),
            Fault::Lie { host: 6, lie: Lie::Absent }.at(Span(0)),
            kill(30),
        ],
        sub_tasks: 16,
        sights: vec![Sight::Contract(How::Overturned)],
        ..slow()
    }
}

fn no_show() -> Scenario {
    Scenario {
        name: "no_show_seller",
        about: "two sellers put up a bond, accept, and say nothing any more: the work is done elsewhere, the bonds are lost",
        rules: BONDED,
        faults: vec![
            Fault::Lie { host: 5, lie: Lie::Silent }.at(Span(0)),
            Fault::Lie { host: 6, lie: Lie::Silent }.at(Span(0)),
            kill(30),
        ],
        sub_tasks: 16,
        sights: vec![Sight::Contract(How::NoShow)],
        ..slow()
    }
}

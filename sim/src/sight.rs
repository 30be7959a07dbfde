//! What is seen in a run, beside what has to hold: a fault that did not come about proves nothing, so that the tests
//! ask for it.

use proto::message::bank::How;
use std::fmt;

/// Something that is seen to happen in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// A market owner asks a seller that is gone for a slice.
    DeadAsked,
    /// A seller refuses a slice to one market owner while it keeps one for the buyer of another.
    AskedByTwo,
    /// Two nodes answer for one market.
    TwoOwners,
    /// A seller declines an offer because its policy forbids it.
    Forbidden,
    /// A buyer goes on elsewhere after its seller was lost or declined.
    WentElsewhere,
    /// A market owner refuses one of a flood's messages.
    FloodRefused,
    /// A program goes on from a difference to a whole state.
    Difference,
    /// A storage node that was started again has what it kept before.
    KeptOn,
    /// Several sub-tasks are offered under one contract.
    Shared,
    /// A seller stops in the middle of such a contract, and reports those that it had done.
    HandedBack,
    /// The money of a contract ends otherwise than by a settlement, a release or an expiry.
    Contract(How),
}

impl fmt::Display for Sight {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::DeadAsked => "a seller that is gone is asked for a slice",
            Self::AskedByTwo => "two market owners ask for the same cores, and one gets them",
            Self::TwoOwners => "two nodes answer for one market",
            Self::Forbidden => "a seller declines what its policy forbids",
            Self::WentElsewhere => "a buyer goes on elsewhere",
            Self::FloodRefused => "a market owner refuses messages of a flood",
            Self::Difference => "a program goes on from a difference to a whole state",
            Self::KeptOn => "a storage node that was started again has what it kept",
            Self::Shared => "sub-tasks share a contract",
            Self::HandedBack => "a seller hands back what it has not begun",
            Self::Contract(how) => return write!(out, "a contract is {}", how.name()),
        };
        write!(out, "{words}")
    }
}

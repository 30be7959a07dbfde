//! What one node can check of its own state.

use crate::handle::Handle;
use crate::interval::distance;
use crate::learned::MAX_ALTERNATES;
use crate::lookup::{MAX_ASKED, MAX_LOOKUPS, MAX_RELAYS};
use crate::maintain::{MAX_DELAYED, Step};
use crate::node::{Chord, Member};
use crate::requests::Purpose;
use proto::RingId;
use std::collections::BTreeSet;

/// An invariant of a node's own state that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The successor list is empty, longer than `r`, or disordered, or names a node twice (Zave's NoDuplicates
    /// and OrderedSuccessorLists).
    #[error("the successor list is not a list of distinct nodes in the order of the circle")]
    SuccessorList,
    /// The range does not begin at the predecessor.
    #[error("the range does not begin at the predecessor or does not end at the node")]
    Range,
    /// A step, a probe or a lookup that waits for an answer which nobody owes.
    #[error("something waits for an answer that was not asked for")]
    Stuck,
    /// A queue has outgrown its bound.
    #[error("a queue has outgrown its bound")]
    Unbounded,
    /// The node has itself as a finger.
    #[error("a finger points to the node itself")]
    Finger,
}

pub(crate) fn check_node<P: Handle>(node: &Chord<P>) -> Result<(), Violation> {
    // The step, the probe, the join and the comparison; the measurements of one finger and of a few doubted nodes.
    let others = 4 + 2 * MAX_ALTERNATES;
    if node.lookups.len() > MAX_LOOKUPS + MAX_RELAYS + 3
        || node.requests.len() > node.lookups.len() * (MAX_ASKED + 1) + others
    {
        return Err(Violation::Unbounded);
    }
    let asked: BTreeSet<u64> = node.requests.hops().collect();
    if !node.lookups.waiting().all(|number| asked.contains(&number)) {
        return Err(Violation::Stuck);
    }
    node.member.as_ref().map_or(Ok(()), |member| check_member(node, member))
}

fn check_member<P: Handle>(node: &Chord<P>, member: &Member<P>) -> Result<(), Violation> {
    let me = node.me.id();
    let ids: Vec<RingId> = member.successors.ids().collect();
    let ways: Vec<RingId> = ids.iter().map(|id| distance(me, *id)).collect();
    let is_ordered = ways.first().is_some_and(|first| *first > RingId::default())
        && ways.iter().zip(ways.iter().skip(1)).all(|(near, far)| near < far);
    if !(is_ordered || ids == [me]) || ids.len() > node.config.list_length() {
        return Err(Violation::SuccessorList);
    }
    let is_stepping = match member.step {
        Step::Idle => None,
        Step::AskingSuccessor => Some(Purpose::AskSuccessor),
        Step::AskingBetween => Some(Purpose::AskBetween),
    };
    let asks = |wanted: Purpose| node.requests.has(|purpose| purpose == wanted);
    if is_stepping.is_some_and(|purpose| !asks(purpose))
        || member.probe.is_some() != asks(Purpose::ProbePredecessor)
    {
        return Err(Violation::Stuck);
    }
    let range = member.arc.range();
    if range.until != me || member.arc.predecessor().is_some_and(|peer| peer.id() != range.after) {
        return Err(Violation::Range);
    }
    if member.delayed().len() > MAX_DELAYED {
        return Err(Violation::Unbounded);
    }
    if member.fingers.iter().any(|peer| peer.id() == me) {
        return Err(Violation::Finger);
    }
    Ok(())
}

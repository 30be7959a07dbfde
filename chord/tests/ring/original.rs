//! The counterexamples that Zave found against the protocol of 2001 and its later versions (CCR 2012, TSE 2017 Fig. 3):
//! the original operations run into them, the corrected ones do not.

use crate::model::{Model, at};
use chord::check::{Assumptions, Property, RingReport, RingViolation, View, check_ring};
use chord::interval::between;
use proto::RingId;
use std::collections::BTreeMap;

/// Entries of a successor list in all of them.
const R: usize = 2;

/// One step of the original protocol.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A newcomer knows its successor, and nothing else.
    Join(u8, u8),
    /// Takes the successor's predecessor if it lies between, whether it lives or not, and notifies the successor.
    Stabilize(u8),
    /// Takes the successor's list.
    Reconcile(u8),
    /// Dies.
    Fail(u8),
    /// Drops dead heads of the list.
    Update(u8),
}
use Step::{Fail, Join, Reconcile, Stabilize, Update};

struct Node {
    successors: Vec<u8>,
    predecessor: Option<u8>,
}

struct Original {
    nodes: BTreeMap<u8, Node>,
}

impl Original {
    /// A ring that is in order, as the original protocol would leave it.
    fn ring(ids: &[u8]) -> Self {
        let count = ids.len();
        let node = |place: usize| Node {
            successors: (1..=R).map(|step| ids[(place + step) % count]).collect(),
            predecessor: Some(ids[(place + count - 1) % count]),
        };
        Self { nodes: (0..count).map(|place| (ids[place], node(place))).collect() }
    }

    fn step(&mut self, step: Step) {
        match step {
            Join(id, successor) => {
                self.nodes.insert(id, Node { successors: vec![successor], predecessor: None });
            }
            Stabilize(id) => {
                let head = self.nodes[&id].successors[0];
                let known = self.nodes.get(&head).and_then(|node| node.predecessor);
                let nearer = known.filter(|known| between(at(id), at(*known), at(head)));
                let head = nearer.unwrap_or(head);
                self.nodes.get_mut(&id).unwrap().successors[0] = head;
                if let Some(node) = self.nodes.get_mut(&head) {
                    let is_nearer = |known: u8| between(at(known), at(id), at(head));
                    if node.predecessor.is_none_or(is_nearer) {
                        node.predecessor = Some(id);
                    }
                }
            }
            Reconcile(id) => {
                let head = self.nodes[&id].successors[0];
                let tail = self.nodes[&head].successors.clone();
                self.nodes.get_mut(&id).unwrap().successors =
                    std::iter::once(head).chain(tail).take(R).collect();
            }
            Fail(id) => {
                self.nodes.remove(&id);
            }
            Update(id) => {
                let live: Vec<u8> = self.nodes.keys().copied().collect();
                let list = &mut self.nodes.get_mut(&id).unwrap().successors;
                while list.first().is_some_and(|head| !live.contains(head)) {
                    list.remove(0);
                }
            }
        }
    }

    fn check(&self) -> Result<RingReport, RingViolation> {
        let view = |(id, node): (&u8, &Node)| View {
            id: at(*id),
            successors: node.successors.iter().map(|id| at(*id)).collect(),
            predecessor: node.predecessor.map(at),
            is_live: true,
        };
        // Lists that are not full are what the original protocol has: only what is beyond repair is of interest.
        let assumptions = Assumptions { successors: R, is_formed: false, hold: true };
        check_ring(&self.nodes.iter().map(view).collect::<Vec<_>>(), assumptions)
    }
}

/// The original operations break `property`; then the same nodes come and go under the corrected ones, in a ring of at
/// least `R + 1`, and nothing breaks.
fn check(ring: &[u8], steps: &[Step], property: Property) {
    let mut original = Original::ring(ring);
    steps.iter().for_each(|step| original.step(*step));
    let broken = original.check().map_err(|violation| violation.property);
    assert_eq!(broken, Err(property), "{ring:?}");
    assert_eq!(corrected(ring, steps), Ok(()));
}

fn corrected(ring: &[u8], steps: &[Step]) -> Result<(), RingViolation> {
    let mut ids: Vec<u8> = ring.to_vec();
    // A ring of fewer than r + 1 is what the proof does not allow: others make it up.
    ids.extend([70, 80, 90].iter().take((R + 1).saturating_sub(ring.len())));
    ids.sort_unstable();
    let ids: Vec<RingId> = ids.into_iter().map(at).collect();
    let mut model = Model::ring(R, &ids);
    for step in steps {
        match *step {
            Join(id, _) => model.join(at(id)),
            Stabilize(id) | Reconcile(id) | Update(id) if model.has(at(id)) => model.stabilize_whole(at(id)),
            Fail(id) => {
                // The proof supposes that lists are repaired between failures of neighbours.
                model.settle();
                model.fail(at(id));
            }
            Stabilize(_) | Reconcile(_) | Update(_) => {}
        }
        model.check()?;
    }
    model.settle();
    model.check().map(|_| ())
}

#[test]
fn a_newcomer_that_knows_one_node_is_stranded_when_that_fails() {
    // CCR Fig. 5, ConnectedAppendages.
    check(&[5, 9, 22], &[Join(7, 9), Fail(9)], Property::OneLiveSuccessor);
}

#[test]
fn a_dead_node_is_adopted_and_there_is_no_ring() {
    // CCR Fig. 6, AtLeastOneRing; the lists hold nothing that lives.
    let steps = [Join(10, 12), Stabilize(10), Fail(10), Join(8, 12), Stabilize(8)];
    check(&[2, 6, 12], &steps, Property::OneLiveSuccessor);
}

#[test]
fn stale_second_successors_make_a_ring_that_goes_around_twice() {
    // CCR Fig. 7, OrderedRing.
    let joins = [Join(5, 18), Stabilize(5), Stabilize(2), Join(21, 40), Stabilize(21), Stabilize(18)];
    let more = [Join(49, 2), Stabilize(49), Stabilize(40), Fail(5), Fail(21), Fail(49)];
    check(&[2, 18, 40], &[&joins[..], &more].concat(), Property::OrderedRing);
}

#[test]
fn stale_second_successors_make_two_rings() {
    // CCR Fig. 8, AtMostOneRing.
    let joins = [Join(31, 60), Stabilize(31), Stabilize(25), Join(19, 25), Stabilize(19), Stabilize(60)];
    let fails = [Fail(31), Fail(19), Update(25), Update(60)];
    check(&[25, 60], &[&joins[..], &fails].concat(), Property::AtMostOneRing);
}

#[test]
fn newcomers_of_a_ring_of_one_are_lost_when_it_fails() {
    // TSE Fig. 3.
    let joins = [Join(37, 48), Stabilize(37), Join(62, 48), Fail(48)];
    check(&[48], &joins, Property::OneLiveSuccessor);
}

#[test]
fn a_stale_list_leaves_a_node_out() {
    // CCR Fig. 4, ValidSuccessorList: repairable, but 20 is off the ring until then.
    let mut original = Original::ring(&[9, 17, 25]);
    for step in [
        Join(13, 17),
        Stabilize(13),
        Reconcile(13),
        Stabilize(9),
        Reconcile(9),
        Join(20, 25),
        Stabilize(20),
        Stabilize(17),
        Fail(17),
        Update(13),
    ] {
        original.step(step);
    }
    let report = original.check().unwrap();
    assert_eq!((report.members, report.on_ring), (4, 3));
}

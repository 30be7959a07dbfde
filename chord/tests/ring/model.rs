//! The checker against Zave's operations in their plainest form, with known bugs put in.

use chord::check::{
    Assumptions, Blame, Property, RingReport, RingViolation, View, breaks_assumptions, check_ring,
};
use chord::interval::between;
use proto::RingId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Events of each of the eight sizes: ten million together.
const EVENTS: u32 = 1_250_000;

/// A way to get the protocol wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// Takes the successor's predecessor without asking it, and so without its list.
    AdoptsUnanswered,
    /// Takes the successor's list when joining.
    CopiesSuccessor,
    /// Drops a dead head and does not pad.
    Shortens,
}

pub(crate) fn at(place: u8) -> RingId {
    let mut id = [0; 20];
    id[0] = place;
    RingId(id)
}

pub(crate) struct Model {
    mutant: Mutant,
    /// Length of the successor lists.
    r: usize,
    /// Points of the circle that nodes can have.
    places: u8,
    rng: ChaCha8Rng,
    members: BTreeMap<RingId, View>,
    /// Members between the two steps of stabilize, with the node to ask.
    between: BTreeMap<RingId, RingId>,
}

impl Model {
    /// An ideal ring of `r + 1` members.
    fn new(mutant: Mutant, (r, places): (usize, u8), seed: u64) -> Self {
        let count = r + 1;
        let ids: Vec<RingId> =
            (0..count).map(|n| at(u8::try_from(n * usize::from(places) / count).unwrap())).collect();
        Self { mutant, places, rng: ChaCha8Rng::seed_from_u64(seed), ..Self::ring(r, &ids) }
    }

    /// An ideal ring of `ids`, which are sorted; at least `r + 1` of them.
    pub(crate) fn ring(r: usize, ids: &[RingId]) -> Self {
        let count = ids.len();
        let view = |n: usize| View {
            id: ids[n],
            successors: (1..=r).map(|step| ids[(n + step) % count]).collect(),
            predecessor: Some(ids[(n + count - 1) % count]),
            is_live: true,
        };
        let members = (0..count).map(|n| (ids[n], view(n))).collect();
        let rng = ChaCha8Rng::seed_from_u64(0);
        Self { mutant: Mutant::None, r, places: 0, rng, members, between: BTreeMap::new() }
    }

    pub(crate) fn has(&self, id: RingId) -> bool {
        self.members.contains_key(&id)
    }

    pub(crate) fn fail(&mut self, id: RingId) {
        self.members.remove(&id);
        self.between.remove(&id);
    }

    /// Both steps of stabilize, as often as dead heads make it necessary.
    pub(crate) fn stabilize_whole(&mut self, id: RingId) {
        while !self.members.contains_key(&self.members[&id].successors[0]) {
            self.stabilize(id);
        }
        self.stabilize(id);
        if let Some(candidate) = self.between.remove(&id) {
            self.adopt_between(id, candidate);
        }
    }

    /// Everybody stabilizes until all pointers are right.
    pub(crate) fn settle(&mut self) {
        for _ in 0..3 * self.members.len() {
            let ids: Vec<RingId> = self.members.keys().copied().collect();
            ids.into_iter().for_each(|id| self.stabilize_whole(id));
        }
    }

    fn assumed(&self) -> Assumptions {
        Assumptions { successors: self.r, is_formed: true, hold: true }
    }

    fn views(&self) -> Vec<View> {
        self.members.values().cloned().collect()
    }

    pub(crate) fn check(&self) -> Result<RingReport, RingViolation> {
        check_ring(&self.views(), self.assumed())
    }

    fn step(&mut self) {
        let place = at(u8::try_from(self.rng.next_u64() % u64::from(self.places)).unwrap());
        let is_member = self.members.contains_key(&place);
        match self.rng.next_u64() % 8 {
            0 if !is_member => self.join(place),
            1 if is_member && !breaks_assumptions(&self.views(), self.assumed(), place) => {
                self.fail(place);
            }
            2 if is_member => self.look_between(place),
            3.. if is_member => match self.between.remove(&place) {
                Some(candidate) => self.adopt_between(place, candidate),
                None => self.stabilize(place),
            },
            _ => {}
        }
    }

    /// Somebody says that somebody lies before the successor: step B without step A, of a node that may not exist.
    fn look_between(&mut self, id: RingId) {
        let named = at(u8::try_from(self.rng.next_u64() % u64::from(self.places)).unwrap());
        if named != id && between(id, named, self.members[&id].successors[0]) {
            self.between.entry(id).or_insert(named);
        }
    }

    pub(crate) fn join(&mut self, id: RingId) {
        let behind = |view: &&View| between(view.id, id, view.successors[0]);
        let Some(predecessor) = self.members.values().find(behind).cloned() else { return };
        let successors = match (self.mutant, self.members.get(&predecessor.successors[0])) {
            (Mutant::CopiesSuccessor, Some(successor)) => successor.successors.clone(),
            _ => predecessor.successors,
        };
        if successors.contains(&id) {
            return;
        }
        let view = View { id, successors, predecessor: Some(predecessor.id), is_live: true };
        self.members.insert(id, view);
    }

    fn stabilize(&mut self, id: RingId) {
        let (r, head) = (self.r, self.members[&id].successors[0]);
        let Some(answer) = self.members.get(&head).cloned() else {
            let list = &mut self.members.get_mut(&id).unwrap().successors;
            let pad = list[list.len() - 1].plus_power(0);
            list.remove(0);
            if self.mutant != Mutant::Shortens {
                list.push(pad);
            }
            return;
        };
        self.adopt(id, &answer);
        match answer.predecessor.filter(|candidate| between(id, *candidate, head)) {
            Some(candidate) if self.mutant == Mutant::AdoptsUnanswered => {
                let list = &mut self.members.get_mut(&id).unwrap().successors;
                *list = std::iter::successors(Some(candidate), |id| Some(id.plus_power(0))).take(r).collect();
            }
            Some(candidate) => {
                self.between.insert(id, candidate);
            }
            None => self.notify(head, id),
        }
    }

    fn adopt_between(&mut self, id: RingId, candidate: RingId) {
        if let Some(answer) = self.members.get(&candidate).cloned() {
            self.adopt(id, &answer);
        }
        let head = self.members[&id].successors[0];
        self.notify(head, id);
    }

    fn adopt(&mut self, id: RingId, answer: &View) {
        let list = std::iter::once(answer.id).chain(answer.successors.iter().copied()).take(self.r);
        self.members.get_mut(&id).unwrap().successors = list.collect();
    }

    fn notify(&mut self, at: RingId, from: RingId) {
        let known = self.members.get(&at).and_then(|view| view.predecessor);
        let is_right =
            known.is_none_or(|known| between(known, from, at) || !self.members.contains_key(&known));
        if let Some(view) = self.members.get_mut(&at).filter(|_| is_right) {
            view.predecessor = Some(from);
        }
    }
}

/// The first violation within `steps` steps.
fn first_violation(mutant: Mutant, size: (usize, u8), seed: u64, steps: u32) -> Option<RingViolation> {
    let mut model = Model::new(mutant, size, seed);
    (0..steps).find_map(|_| {
        model.step();
        model.check().err()
    })
}

/// Joins, failures and steps at random on a circle so small that places are taken again and again.
fn check_right(r: usize, places: [u8; 2]) {
    for places in places {
        assert_eq!(first_violation(Mutant::None, (r, places), 1, EVENTS), None, "{r} of {places}");
    }
}

#[test]
fn the_right_protocol_violates_nothing_with_lists_of_two() {
    check_right(2, [8, 16]);
}

#[test]
fn the_right_protocol_violates_nothing_with_lists_of_three() {
    check_right(3, [9, 20]);
}

#[test]
fn the_right_protocol_violates_nothing_with_lists_of_four() {
    check_right(4, [10, 20]);
}

#[test]
fn the_right_protocol_violates_nothing_with_lists_of_eight() {
    check_right(8, [14, 24]);
}

#[test]
fn each_known_bug_is_noticed() {
    for mutant in [Mutant::AdoptsUnanswered, Mutant::CopiesSuccessor, Mutant::Shortens] {
        for size in [(2, 12), (3, 16), (4, 20)] {
            let noticed = (0..10).filter_map(|seed| first_violation(mutant, size, seed, 2_000));
            let noticed: Vec<Blame> = noticed.map(|violation| violation.blame).collect();
            assert!(noticed.len() >= 8, "{mutant:?} {size:?}: {noticed:?}");
            assert!(noticed.iter().all(|blame| *blame == Blame::ProtocolBug));
        }
    }
}

/// Ids and their successor lists.
type Lists = &'static [(u8, &'static [u8])];

/// Views with the given ids, lists and predecessors; ids of the list `dead` are not alive.
fn views(lists: Lists, dead: &[u8]) -> Vec<View> {
    let view = |(id, list): &(u8, &'static [u8])| View {
        id: at(*id),
        successors: list.iter().map(|id| at(*id)).collect(),
        predecessor: None,
        is_live: !dead.contains(id),
    };
    lists.iter().map(view).collect()
}

fn check_bad(lists: Lists, dead: &[u8], is_formed: bool, hold: bool, property: Property) {
    let assumptions = Assumptions { successors: 2, is_formed, hold };
    let blame = if hold { Blame::ProtocolBug } else { Blame::AssumptionViolated };
    let violation = check_ring(&views(lists, dead), assumptions).unwrap_err();
    assert_eq!((violation.property, violation.blame), (property, blame), "{lists:?}");
}

#[test]
fn the_checker_names_the_property_that_does_not_hold() {
    use Property::*;
    let cases: [(Lists, &[u8], bool, Property); 9] = [
        (&[(1, &[5, 5]), (5, &[9, 1]), (9, &[1, 5])], &[], true, NoDuplicates),
        (&[(1, &[5, 1]), (5, &[9, 1]), (9, &[1, 5])], &[], true, NoDuplicates),
        (&[(1, &[9, 5]), (5, &[9, 1]), (9, &[1, 5])], &[], true, OrderedSuccessorLists),
        (&[(1, &[5]), (5, &[9, 1]), (9, &[1, 5])], &[], true, FullSuccessorLists),
        (&[(1, &[5, 9]), (5, &[9, 1]), (9, &[1, 5])], &[5, 9], true, OneLiveSuccessor),
        (&[(1, &[5, 9]), (5, &[13, 1]), (9, &[13, 1]), (13, &[1, 9])], &[], true, SufficientPrincipals),
        (&[(1, &[9]), (9, &[1]), (5, &[13]), (13, &[5])], &[], false, AtMostOneRing),
        // ToN/PODC Fig. 7: 0 -> 40 -> 18 -> 0, a ring that goes around twice.
        (&[(1, &[40, 1]), (40, &[18, 40]), (18, &[1, 18])], &[], false, NoDuplicates),
        (&[(1, &[40]), (40, &[18]), (18, &[1])], &[], false, OrderedRing),
    ];
    for (lists, dead, is_formed, property) in cases {
        check_bad(lists, dead, is_formed, true, property);
        check_bad(lists, dead, is_formed, false, property);
    }
}

#[test]
fn an_ideal_ring_is_recognised() {
    let mut ring = views(&[(1, &[5, 9]), (5, &[9, 1]), (9, &[1, 5])], &[]);
    for (place, id) in [(0, 9), (1, 1), (2, 5)] {
        ring[place].predecessor = Some(at(id));
    }
    let assumptions = Assumptions { successors: 2, is_formed: true, hold: true };
    let ideal = RingReport { members: 3, principals: 3, on_ring: 3, is_formed: true, is_ideal: true };
    assert_eq!(check_ring(&ring, assumptions), Ok(ideal));
    ring[0].predecessor = Some(at(5));
    assert_eq!(check_ring(&ring, assumptions), Ok(RingReport { is_ideal: false, ..ideal }));
    assert!(breaks_assumptions(&ring, assumptions, at(5)));
}

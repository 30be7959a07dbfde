//! Zave's checker for the whole ring (IEEE TSE 2017), to be run after every event of a simulation.

use crate::interval::distance;
use proto::RingId;

/// What the checker has to know of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: RingId,
    /// Its successor list, pads included; the node itself in a ring of one.
    pub successors: Vec<RingId>,
    /// Its predecessor.
    pub predecessor: Option<RingId>,
    /// Whether it lives. The dead are no members.
    pub is_live: bool,
}

/// What the caller knows of the conditions of Zave's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumptions {
    /// Length `r` of the full successor lists.
    pub successors: usize,
    /// The ring has met Zave's initial condition: [`RingReport::is_formed`] was true at some time. A ring that
    /// grows from one node has not, however many members it has, until its lists have been filled.
    pub is_formed: bool,
    /// No failure so far left a member without a live successor, or the ring with fewer than `r + 1`
    /// principals, and nobody alive was taken for dead. See [`breaks_assumptions`].
    pub hold: bool,
}

/// A property of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Property {
    /// The entries of an extended successor list are distinct (NoDuplicates).
    #[error("a node stands twice in an extended successor list")]
    NoDuplicates,
    /// They stand in the order of the circle (OrderedSuccessorLists).
    #[error("a successor list is out of order")]
    OrderedSuccessorLists,
    /// No list is longer than `r`, nor, once the ring has formed, shorter.
    #[error("a successor list has not r entries")]
    FullSuccessorLists,
    /// Every member has a live successor (OneLiveSuccessor).
    #[error("a member has no live successor")]
    OneLiveSuccessor,
    /// At least `r + 1` members are skipped by no list (SufficientPrincipals).
    #[error("too few principals")]
    SufficientPrincipals,
    /// There is one ring, not two (AtMostOneRing); so every appendage leads to it (ConnectedAppendages).
    #[error("there is more than one ring")]
    AtMostOneRing,
    /// The ring goes around the circle once (OrderedRing); so it passes every principal.
    #[error("the ring is out of order")]
    OrderedRing,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The assumptions held: the protocol, or its implementation, is wrong.
    ProtocolBug,
    /// A failure broke the assumptions before.
    AssumptionViolated,
}

/// A property that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property} (at {node})")]
pub struct RingViolation {
    /// Which.
    pub property: Property,
    /// A node where it shows.
    pub node: RingId,
    /// Whose fault it is.
    pub blame: Blame,
}

/// A ring without violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingReport {
    /// Live members.
    pub members: usize,
    /// Members that no list skips.
    pub principals: usize,
    /// Members on the ring; the others are appendages, on their way onto it.
    pub on_ring: usize,
    /// There are `r + 1` principals and all lists are full: from here on Zave's proof holds.
    pub is_formed: bool,
    /// Every pointer is the right one.
    pub is_ideal: bool,
}

/// Checks the properties that Zave's invariant implies. While the ring is forming, only those that do not rest on
/// `r + 1` principals.
///
/// # Errors
/// The first property that does not hold, with the question of blame settled by `assumptions`.
pub fn check_ring(nodes: &[View], assumptions: Assumptions) -> Result<RingReport, RingViolation> {
    let ring = Ring::of(nodes, assumptions);
    for member in &ring.members {
        ring.check_list(member)?;
    }
    let best = ring.best_successors()?;
    let principals = ring.principals();
    let (on_ring, start) = ring.check_cycle(&best)?;
    let count = principals.iter().filter(|is_principal| **is_principal).count();
    if !ring.is_forming && count <= assumptions.successors {
        return Err(ring.violation(Property::SufficientPrincipals, start));
    }
    Ok(RingReport {
        members: ring.members.len(),
        principals: count,
        on_ring: on_ring.iter().filter(|is_on| **is_on).count(),
        is_formed: count > assumptions.successors && ring.members.iter().all(|member| ring.is_full(member)),
        is_ideal: ring.is_ideal(),
    })
}

/// Whether the failure of `victim` would break the assumptions of the proof: it would leave a member without a live
/// successor, or too few principals, or the ring is still forming.
#[must_use]
pub fn breaks_assumptions(nodes: &[View], assumptions: Assumptions, victim: RingId) -> bool {
    let ring = Ring::of(nodes, assumptions);
    let Some(place) = ring.place(victim) else { return false };
    let principals = ring.principals();
    let count = principals.iter().filter(|is_principal| **is_principal).count();
    let is_principal = principals.get(place).copied().unwrap_or(false);
    let has_another = |member: &&View| {
        member.id == victim || member.successors.iter().any(|id| *id != victim && ring.place(*id).is_some())
    };
    ring.is_forming
        || (is_principal && count <= assumptions.successors + 1)
        || !ring.members.iter().all(has_another)
}

/// The live members in the order of their ids.
struct Ring<'a> {
    members: Vec<&'a View>,
    assumptions: Assumptions,
    is_forming: bool,
}

impl<'a> Ring<'a> {
    fn of(nodes: &'a [View], assumptions: Assumptions) -> Self {
        let mut members: Vec<&View> = nodes.iter().filter(|node| node.is_live).collect();
        members.sort_by_key(|node| node.id);
        let is_forming = !assumptions.is_formed || members.len() <= assumptions.successors;
        Self { members, assumptions, is_forming }
    }

    fn violation(&self, property: Property, node: RingId) -> RingViolation {
        let blame = if self.assumptions.hold { Blame::ProtocolBug } else { Blame::AssumptionViolated };
        RingViolation { property, node, blame }
    }

    fn is_full(&self, member: &View) -> bool {
        member.successors.len() == self.assumptions.successors
    }

    fn place(&self, id: RingId) -> Option<usize> {
        self.members.binary_search_by_key(&id, |node| node.id).ok()
    }

    fn check_list(&self, member: &View) -> Result<(), RingViolation> {
        let fault = |property| Err(self.violation(property, member.id));
        if member.successors.as_slice() == [member.id] && self.is_forming {
            return Ok(());
        }
        let mut entries = member.successors.clone();
        entries.push(member.id);
        entries.sort_unstable();
        entries.dedup();
        if entries.len() <= member.successors.len() {
            return fault(Property::NoDuplicates);
        }
        let ways = || member.successors.iter().map(|id| distance(member.id, *id));
        if !ways().zip(ways().skip(1)).all(|(near, far)| near < far) {
            return fault(Property::OrderedSuccessorLists);
        }
        let is_short_ok = self.is_forming && member.successors.len() < self.assumptions.successors;
        if !is_short_ok && !self.is_full(member) {
            return fault(Property::FullSuccessorLists);
        }
        Ok(())
    }

    /// For each member the place of the first live entry in its list.
    fn best_successors(&self) -> Result<Vec<usize>, RingViolation> {
        let best = |member: &&View| {
            let live = member.successors.iter().find_map(|id| self.place(*id));
            live.ok_or_else(|| self.violation(Property::OneLiveSuccessor, member.id))
        };
        self.members.iter().map(best).collect()
    }

    /// For each member whether no list skips it.
    fn principals(&self) -> Vec<bool> {
        let count = self.members.len();
        // +1 where a run of skipped members begins, -1 behind its end.
        let mut steps = vec![0_i64; count + 1];
        let mut skip = |from: usize, to: usize| {
            if from < to {
                steps.iter_mut().skip(from).take(1).for_each(|step| *step += 1);
                steps.iter_mut().skip(to).take(1).for_each(|step| *step -= 1);
            }
        };
        for member in &self.members {
            let starts = std::iter::once(member.id).chain(member.successors.iter().copied());
            for (x, y) in starts.zip(member.successors.iter().copied()) {
                let behind_x = self.members.partition_point(|other| other.id <= x);
                let before_y = self.members.partition_point(|other| other.id < y);
                if x < y {
                    skip(behind_x, before_y);
                } else {
                    skip(behind_x, count);
                    skip(0, before_y);
                }
            }
        }
        let mut depth = 0;
        let runs = steps.iter().take(count).map(|step| {
            depth += step;
            depth == 0
        });
        runs.collect()
    }

    /// Which members are on the ring, and the first of them. There must be one ring, once around the circle.
    fn check_cycle(&self, best: &[usize]) -> Result<(Vec<bool>, RingId), RingViolation> {
        let next = |place: usize| best.get(place).copied().unwrap_or(place);
        let id = |place: usize| self.members.get(place).map(|node| node.id).unwrap_or_default();
        // Whoever goes as many steps as there are members has arrived on a ring.
        let mut here = 0;
        for _ in 0..self.members.len() {
            here = next(here);
        }
        let start = here;
        let mut on_ring = vec![false; self.members.len()];
        let mut turns = 0;
        while on_ring.get(here) == Some(&false) {
            on_ring.iter_mut().skip(here).take(1).for_each(|is_on| *is_on = true);
            let there = next(here);
            turns += usize::from(there <= here);
            here = there;
        }
        if turns > 1 {
            return Err(self.violation(Property::OrderedRing, id(start)));
        }
        let mut reaches = on_ring.clone();
        for first in 0..self.members.len() {
            let mut path = Vec::new();
            let mut place = first;
            while reaches.get(place) == Some(&false) && path.len() <= self.members.len() {
                path.push(place);
                place = next(place);
            }
            if path.len() > self.members.len() {
                return Err(self.violation(Property::AtMostOneRing, id(first)));
            }
            for passed in path {
                reaches.iter_mut().skip(passed).take(1).for_each(|reaches| *reaches = true);
            }
        }
        Ok((on_ring, id(start)))
    }

    fn is_ideal(&self) -> bool {
        let ids = || self.members.iter().map(|node| node.id);
        let length = self.assumptions.successors.min(self.members.len().saturating_sub(1)).max(1);
        let last = self.members.last().map(|node| node.id);
        let before = last.into_iter().chain(ids());
        self.members.iter().zip(before).enumerate().all(|(place, (member, predecessor))| {
            let behind = self.members.get(place + 1..).unwrap_or_default();
            let right = behind.iter().chain(&self.members).map(|node| node.id).take(length);
            member.predecessor == Some(predecessor) && member.successors.iter().copied().eq(right)
        })
    }
}

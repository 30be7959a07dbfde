//! The checker of the whole ring, after every event where the ring is small, now and then where it is large.

use super::distance::Distance;
use super::measured::Measured;
use super::number::Number;
use super::plan::Plan;
use super::population::Population;
use super::slab::index;
use chord::Handle as _;
use chord::check::{Assumptions, Blame, breaks_assumptions, check_ring};

/// Up to so many nodes every event is followed by a check.
const SMALL: u32 = 64;
/// In larger rings a check follows this many events for each node.
const EVENTS_A_NODE: u64 = 1_000;
/// Larger rings are not checked: a check copies every list, which takes as much memory again.
const MAX_CHECKED: usize = 4_000_000;

pub(crate) struct Watch {
    assumptions: Assumptions,
    is_small: bool,
    every: u64,
    next: u64,
}

impl Watch {
    pub(crate) fn new(plan: &Plan) -> Self {
        // Who is slower than the patience of the others is taken for dead, and so is who lost all its messages.
        let longest = match &plan.latency {
            Distance::Drawn(latency) => latency.longest(),
            // The diagonal of the cube is 2.62 mean distances.
            Distance::Space { mean, held } => Some(mean.times(3).plus(held.most)),
        };
        let is_patient = longest.is_some_and(|most| most.times(2) < plan.config.request_timeout);
        let hold = plan.loss == 0 && plan.fail == 0 && is_patient;
        let is_formed = index(plan.nodes) > plan.config.successors;
        let assumptions = Assumptions { successors: plan.config.successors, is_formed, hold };
        // A ring that nobody maintains stays as it is.
        let is_small = plan.nodes <= SMALL && plan.churn.is_some();
        let every = if is_small { 1 } else { u64::from(plan.nodes).saturating_mul(EVENTS_A_NODE) };
        Self { assumptions, is_small, every, next: every }
    }

    /// An event has happened.
    pub(crate) fn tick(&mut self, measured: &mut Measured, population: &Population) {
        if measured.events >= self.next {
            self.next = measured.events + self.every;
            self.look(measured, population);
        }
    }

    /// Checks the whole ring, unless it is too large.
    pub(crate) fn look(&mut self, measured: &mut Measured, population: &Population) {
        if population.members() > MAX_CHECKED {
            return;
        }
        measured.invariant_checks += 1;
        match check_ring(&population.views(), self.assumptions) {
            Ok(_) => {}
            Err(violation) if violation.blame == Blame::ProtocolBug => measured.violations += 1,
            Err(_) => measured.strained += 1,
        }
    }

    /// A node is about to go: that may be more than the proof allows.
    pub(crate) fn departs(&mut self, number: Number, population: &Population) {
        if self.is_small && self.assumptions.hold {
            let is_broken = breaks_assumptions(&population.views(), self.assumptions, number.id());
            self.assumptions.hold = !is_broken;
        }
    }
}

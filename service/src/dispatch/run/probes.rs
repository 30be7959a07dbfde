//! Which questions with known answers a task asks, with which of its sub-tasks they are bought, and what they have told.
//!
//! Sub-tasks that ask the same questions of the same program are a *group*: each question is bought once for all of them,
//! beside one of them that is drawn, just before it or just after it. So a probe stands anywhere among the work, asks
//! for the same, costs the same and names the same sub-task: its seller sees other arguments and contents, and nothing
//! else. The probes of a group are bought one after the other, each of a seller that has none yet, as long as there is
//! one: so as many sellers as possible are asked.

use super::{SubTaskRun, TaskRun};
use crate::plan::{ProbePlan, SubTaskPlan};
use proto::{Hash, PublicKey};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// The probes of a task.
#[derive(Debug, Default)]
pub(in crate::dispatch) struct Probing {
    groups: Vec<Group>,
    /// The group that a sub-task belongs to.
    of: BTreeMap<u32, usize>,
    /// Sellers that have answered wrongly, each once.
    distrusted: Vec<PublicKey>,
}

/// Sub-tasks that ask the same questions.
#[derive(Debug, Default)]
struct Group {
    plans: Vec<ProbePlan>,
    members: Vec<u32>,
    /// With which member each of the probes is bought; empty as long as none of them can begin.
    places: Vec<Place>,
    /// Sellers that have answered rightly.
    passed: BTreeSet<PublicKey>,
}

/// Where a probe is bought.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The sub-task that it is bought with.
    head: u32,
    /// Whether it is bought before that.
    is_first: bool,
}

impl Probing {
    /// The groups of these sub-tasks, where those of `ready` can begin at once.
    pub(super) fn new(plans: &[SubTaskPlan], ready: &[u32], rng: &mut ChaCha8Rng) -> Self {
        let mut probing = Self::default();
        let mut known: BTreeMap<(Hash, &[ProbePlan]), usize> = BTreeMap::new();
        for (index, plan) in (0_u32..).zip(plans).filter(|(_, plan)| !plan.probes.is_empty()) {
            let place = *known.entry((plan.job.program.hash, &plan.probes)).or_insert(probing.groups.len());
            if place == probing.groups.len() {
                probing.groups.push(Group { plans: plan.probes.clone(), ..Group::default() });
            }
            if let Some(group) = probing.groups.get_mut(place) {
                group.members.push(index);
                probing.of.insert(index, place);
            }
        }
        let ready: BTreeSet<u32> = ready.iter().copied().collect();
        for group in &mut probing.groups {
            let able: Vec<u32> =
                group.members.iter().copied().filter(|member| ready.contains(member)).collect();
            group.settle_down(&able, rng);
        }
        probing
    }

    /// A sub-task can begin: the probes of its group that are bought with nobody are bought with it.
    fn begin(&mut self, head: u32) {
        if let Some(group) = self.group_mut(head).filter(|group| group.places.is_empty()) {
            group.places = vec![Place { head, is_first: true }; group.plans.len()];
        }
    }

    /// The probes that are bought with a sub-task, with their numbers, before or after it.
    fn with(&self, head: u32, is_first: bool) -> Vec<(u32, ProbePlan)> {
        let Some(group) = self.group(head) else { return Vec::new() };
        let probes = (1..).zip(group.plans.iter().zip(&group.places));
        let is_meant = |place: &Place| place.head == head && place.is_first == is_first;
        probes
            .filter(|(_, (_, place))| is_meant(place))
            .map(|(number, (plan, _))| (number, plan.clone()))
            .collect()
    }

    fn group(&self, head: u32) -> Option<&Group> {
        self.groups.get(*self.of.get(&head)?)
    }

    fn group_mut(&mut self, head: u32) -> Option<&mut Group> {
        self.groups.get_mut(*self.of.get(&head)?)
    }

    /// The sub-tasks that ask what this one asks, itself among them; none if it asks nothing.
    pub(in crate::dispatch) fn group_of(&self, head: u32) -> &[u32] {
        self.group(head).map(|group| group.members.as_slice()).unwrap_or_default()
    }

    /// The number of the group that a sub-task belongs to.
    fn number(&self, head: u32) -> Option<u32> {
        u32::try_from(*self.of.get(&head)?).ok()
    }

    /// A seller has answered rightly.
    pub(in crate::dispatch) fn pass(&mut self, head: u32, seller: PublicKey) {
        if let Some(group) = self.group_mut(head) {
            group.passed.insert(seller);
        }
    }

    /// A seller has answered wrongly.
    pub(in crate::dispatch) fn distrust(&mut self, seller: PublicKey) {
        if !self.is_distrusted(seller) {
            self.distrusted.push(seller);
        }
    }

    /// Whether a seller has answered wrongly.
    pub(in crate::dispatch) fn is_distrusted(&self, seller: PublicKey) -> bool {
        self.distrusted.contains(&seller)
    }

    /// The sellers that have answered wrongly.
    pub(in crate::dispatch) fn distrusted(&self) -> &[PublicKey] {
        &self.distrusted
    }

    /// Nothing more is asked, and nothing waits for an answer.
    pub(in crate::dispatch) fn close(&mut self) {
        self.groups.clear();
        self.of.clear();
    }
}

impl Group {
    /// Draws for each probe the sub-task that it is bought with, among those that can begin.
    fn settle_down(&mut self, able: &[u32], rng: &mut ChaCha8Rng) {
        let count = u64::try_from(able.len()).unwrap_or(u64::MAX);
        let mut draw = || {
            let drawn = rng.next_u64();
            let at = usize::try_from(drawn.checked_rem(count)?).ok()?;
            Some(Place { head: *able.get(at)?, is_first: rng.next_u32().is_multiple_of(2) })
        };
        self.places = self.plans.iter().filter_map(|_| draw()).collect();
    }
}

impl TaskRun {
    /// Buys a sub-task with the probes that stand beside it: `buy` puts it into the queue.
    pub(super) fn with_probes(&mut self, head: u32, buy: impl FnOnce(&mut Self)) {
        self.probing.begin(head);
        self.add_probes(head, true);
        buy(self);
        self.add_probes(head, false);
    }

    fn add_probes(&mut self, head: u32, is_first: bool) {
        for (number, probe) in self.probing.with(head, is_first) {
            let index = self.count();
            let Some(run) = self.run_ref(head) else { return };
            let mut plan = run.plan.clone();
            plan.price = plan.share();
            plan.job = probe.job(&plan.job);
            let mut run = SubTaskRun::new(plan);
            (run.head, run.probe) = (Some(head), Some(number));
            let Some(ballot) = self.ballot_mut(head) else { return };
            ballot.probes.push(index);
            self.runs.push(run);
            self.enqueue(index);
        }
    }

    /// The probes that were bought with a sub-task, with their runs.
    pub(in crate::dispatch) fn probes_of(&self, head: u32) -> impl Iterator<Item = (u32, &SubTaskRun)> {
        let probes = self.ballot(head).map(|ballot| ballot.probes.as_slice()).unwrap_or_default();
        probes.iter().filter_map(|index| Some((*index, self.run_ref(*index)?)))
    }

    /// Whether the result of `seller` for a sub-task has to wait for answers: for those to the probes that were bought
    /// with it, and, where nothing else `proves` the result, until its seller has answered one of its group, or nobody
    /// will any more.
    pub(in crate::dispatch) fn waits_for_answers(&self, head: u32, seller: PublicKey, proves: bool) -> bool {
        let Some(group) = self.probing.group(head) else { return false };
        let is_open = |head: u32| self.probes_of(head).any(|(_, run)| !run.state.is_final());
        if is_open(head) || proves || group.passed.contains(&seller) {
            return is_open(head);
        }
        group.places.iter().any(|place| is_open(place.head))
    }

    /// The probes of the group of `head`, by their indices.
    fn probes_of_group(&self, head: u32) -> Vec<u32> {
        let heads = self.probing.group_of(head);
        heads.iter().flat_map(|head| self.probes_of(*head).map(|(index, _)| index)).collect()
    }

    /// The group of a probe, as a number that no sub-task has; none for what is no probe.
    pub(super) fn probed_group(&self, index: u32) -> Option<u32> {
        let head = self.head_of(index).filter(|_| self.is_probe(index))?;
        Some(u32::MAX.saturating_sub(self.probing.number(head)?))
    }

    /// Whether another probe of the group is being bought.
    pub(super) fn is_asking(&self, index: u32) -> bool {
        let Some(head) = self.head_of(index) else { return false };
        let is_matching = |run: &SubTaskRun| run.state == super::State::Matching;
        self.probes_of_group(head).into_iter().any(|probe| self.run_ref(probe).is_some_and(is_matching))
    }

    /// A probe has this seller: those of its group that wait pass it over, as long as there are others.
    pub(in crate::dispatch) fn spread_probes(&mut self, index: u32, seller: PublicKey) {
        let Some(head) = self.head_of(index).filter(|_| self.is_probe(index)) else { return };
        for probe in self.probes_of_group(head) {
            if let Some(run) = self.run_mut(probe).filter(|run| run.state == super::State::Waiting) {
                run.avoid.push(seller);
            }
        }
    }

    /// What is with a seller and can still be taken back from it.
    pub(in crate::dispatch) fn at_seller(&self, seller: PublicKey) -> Vec<u32> {
        let is_there = |run: &SubTaskRun| {
            let is_seller = run.attempt.as_ref().is_some_and(|attempt| attempt.seller().key == seller);
            is_seller && run.is_revocable()
        };
        (0..).zip(&self.runs).filter(|(_, run)| is_there(run)).map(|(index, _)| index).collect()
    }

    /// How many sub-tasks have ended with a result of `seller` that no other one has confirmed.
    pub(in crate::dispatch) fn taken_from(&self, seller: PublicKey) -> u32 {
        let is_seller =
            |run: &SubTaskRun| run.ending().and_then(|end| end.sale.as_ref()).map(|sale| sale.seller.key);
        let is_alone = |head: u32| self.ballot(head).is_none_or(|ballot| ballot.terms.quorum == 1);
        let heads = (0..self.sub_tasks()).filter(|head| is_alone(*head));
        let taken = heads
            .filter_map(|head| self.run_ref(head))
            .filter(|run| run.state == super::State::Succeeded && is_seller(run) == Some(seller));
        u32::try_from(taken.count()).unwrap_or(u32::MAX)
    }
}

impl SubTaskRun {
    /// Whether it has a seller, and is not being paid.
    const fn is_revocable(&self) -> bool {
        use super::State::{Fetching, Holding, Offered, Running, Staging, Suspended, Voting};
        matches!(self.state, Holding | Offered | Staging | Running | Suspended | Voting | Fetching)
    }
}

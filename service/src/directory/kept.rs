//! What a node keeps for the points that it answers for: bounded, and only for a while.

use super::Findings;
use proto::message::contents::{Holding, MAX_PAPERS, Naming};
use proto::{PublicKey, RingId, Signed, Time};
use std::collections::BTreeMap;

/// Papers that a node keeps in all.
pub(super) const MAX_KEPT: usize = 16_384;
/// Papers of one signer.
pub(super) const MAX_OF_ONE: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Kept {
    points: BTreeMap<RingId, Shelf>,
    by_signer: BTreeMap<PublicKey, usize>,
    count: usize,
    /// When something may end, at the earliest.
    next_end: Option<Time>,
}

#[derive(Debug, Default)]
struct Shelf {
    holdings: Vec<(Signed<Holding>, Time)>,
    naming: Option<(Signed<Naming>, Time)>,
}

impl Shelf {
    const fn is_empty(&self) -> bool {
        self.holdings.is_empty() && self.naming.is_none()
    }
}

impl Kept {
    /// What is kept at a point.
    pub(super) fn at(&self, point: RingId, now: Time) -> Findings {
        let Some(shelf) = self.points.get(&point) else { return Findings::default() };
        let holdings = shelf.holdings.iter().filter(|(_, until)| *until > now);
        Findings {
            holdings: holdings.map(|(paper, _)| paper.clone()).collect(),
            namings: shelf.naming.iter().filter(|(_, until)| *until > now).map(|(p, _)| p.clone()).collect(),
        }
    }

    /// Keeps who has a content. False if there is no room.
    pub(super) fn keep_holding(&mut self, paper: Signed<Holding>, until: Time) -> bool {
        let (point, signer) = (paper.body.point, paper.signer);
        let has_room = self.has_room(signer);
        let of = self.points.get_mut(&point).map(|shelf| &mut shelf.holdings);
        if let Some(of) = of
            && let Some(known) = of.iter_mut().find(|(known, _)| known.signer == signer)
        {
            *known = (paper, until);
            return true;
        }
        if !has_room || self.points.get(&point).is_some_and(|shelf| shelf.holdings.len() >= MAX_PAPERS) {
            return false;
        }
        self.points.entry(point).or_default().holdings.push((paper, until));
        self.count_in(signer, until);
        true
    }

    /// Keeps what a name stands for, unless something newer is known. False if there is no room.
    pub(super) fn keep_naming(&mut self, point: RingId, paper: Signed<Naming>, until: Time) -> bool {
        let signer = paper.signer;
        if let Some((known, end)) = self.points.get_mut(&point).and_then(|shelf| shelf.naming.as_mut()) {
            if known.body.serial <= paper.body.serial {
                (*known, *end) = (paper, until);
                return true;
            }
            return false;
        }
        if !self.has_room(signer) {
            return false;
        }
        self.points.entry(point).or_default().naming = Some((paper, until));
        self.count_in(signer, until);
        true
    }

    pub(super) const fn next_end(&self) -> Option<Time> {
        self.next_end
    }

    /// Forgets what was not renewed.
    pub(super) fn forget_until(&mut self, now: Time) {
        if self.next_end.is_none_or(|end| end > now) {
            return;
        }
        let mut gone: Vec<PublicKey> = Vec::new();
        let mut next: Option<Time> = None;
        for shelf in self.points.values_mut() {
            let ended = shelf.holdings.iter().filter(|(_, until)| *until <= now);
            gone.extend(ended.map(|(paper, _)| paper.signer));
            shelf.holdings.retain(|(_, until)| *until > now);
            if let Some((paper, _)) = shelf.naming.take_if(|(_, until)| *until <= now) {
                gone.push(paper.signer);
            }
            let ends = shelf.holdings.iter().map(|(_, until)| *until);
            let ends = ends.chain(shelf.naming.iter().map(|(_, until)| *until)).min();
            next = next.into_iter().chain(ends).min();
        }
        self.points.retain(|_, shelf| !shelf.is_empty());
        for signer in gone {
            self.count = self.count.saturating_sub(1);
            let left = self.by_signer.get(&signer).copied().unwrap_or(0).saturating_sub(1);
            if left == 0 {
                self.by_signer.remove(&signer);
            } else {
                self.by_signer.insert(signer, left);
            }
        }
        self.next_end = next;
    }

    /// Papers that are kept.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let in_shelves = |shelf: &Shelf| shelf.holdings.len() + usize::from(shelf.naming.is_some());
        let counted: usize = self.points.values().map(in_shelves).sum();
        assert_eq!((counted, self.by_signer.values().sum::<usize>()), (self.count, self.count));
        self.count
    }

    fn has_room(&self, signer: PublicKey) -> bool {
        self.count < MAX_KEPT && self.by_signer.get(&signer).copied().unwrap_or(0) < MAX_OF_ONE
    }

    fn count_in(&mut self, signer: PublicKey, until: Time) {
        self.count += 1;
        *self.by_signer.entry(signer).or_default() += 1;
        self.next_end = self.next_end.into_iter().chain([until]).min();
    }
}

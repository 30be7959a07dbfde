//! Which sub-tasks wait for which: order, circles, and how long the way to the end is.
//!
//! The *upward rank* of a sub-task is the length of the longest way from its start to the end of the task, in whatever
//! unit its own costs are in: list heuristics take the largest first (Topcuoglu, Hariri and Wu, *Performance-effective
//! and low-complexity task scheduling for heterogeneous computing*, IEEE TPDS 13(3), 2002, §4, HEFT).

use std::collections::VecDeque;

/// The edges of an acyclic graph, in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    before: Vec<Vec<u32>>,
    after: Vec<Vec<u32>>,
    order: Vec<u32>,
}

/// A circle: each one waits for the next, and the last one for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle(pub Vec<u32>);

impl Graph {
    /// The graph in which `before[i]` are those that `i` waits for. What is not in the graph is left out.
    ///
    /// # Errors
    /// A circle, a shortest one through its first member.
    pub fn new(mut before: Vec<Vec<u32>>) -> Result<Self, Circle> {
        let count = before.len();
        let mut after = vec![Vec::new(); count];
        let mut open = vec![0_usize; count];
        for (index, needs) in before.iter_mut().enumerate() {
            needs.retain(|need| place(*need) < count);
            if let Some(open) = open.get_mut(index) {
                *open = needs.len();
            }
            let name = u32::try_from(index).unwrap_or(u32::MAX);
            for need in needs.iter() {
                if let Some(followers) = after.get_mut(place(*need)) {
                    followers.push(name);
                }
            }
        }
        let mut order: Vec<u32> =
            (0_u32..).zip(&open).filter(|(_, open)| **open == 0).map(|(i, _)| i).collect();
        let mut done = 0;
        while let Some(index) = order.get(done).copied() {
            done += 1;
            for next in after.get(place(index)).map_or(&[][..], Vec::as_slice) {
                let Some(left) = open.get_mut(place(*next)) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    order.push(*next);
                }
            }
        }
        if order.len() < count {
            return Err(circle(&before, &open));
        }
        Ok(Self { before, after, order })
    }

    /// Those that `index` waits for.
    #[must_use]
    pub fn before(&self, index: u32) -> &[u32] {
        self.before.get(place(index)).map_or(&[], Vec::as_slice)
    }

    /// Those that wait for `index`.
    #[must_use]
    pub fn after(&self, index: u32) -> &[u32] {
        self.after.get(place(index)).map_or(&[], Vec::as_slice)
    }

    /// All of them, each behind those that it waits for.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Whether nobody waits for anybody.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.before.iter().all(Vec::is_empty)
    }

    /// The upward ranks: the cost of each with the longest way behind it. `costs` in any unit, 0 where there are fewer;
    /// saturates.
    #[must_use]
    pub fn ranks(&self, costs: &[u64]) -> Vec<u64> {
        let mut ranks = vec![0_u64; self.before.len()];
        for index in self.order.iter().rev() {
            let behind = self.after(*index).iter().filter_map(|next| ranks.get(place(*next)).copied()).max();
            let own = costs.get(place(*index)).copied().unwrap_or(0);
            if let Some(rank) = ranks.get_mut(place(*index)) {
                *rank = own.saturating_add(behind.unwrap_or(0));
            }
        }
        ranks
    }

    /// The longest way through the graph by `costs`, from its first member to its last.
    #[must_use]
    pub fn longest_way(&self, costs: &[u64]) -> Vec<u32> {
        let ranks = self.ranks(costs);
        let rank = |index: &u32| ranks.get(place(*index)).copied().unwrap_or(0);
        // The first of equals, so that the way is the same in every run.
        let longest = |of: &[u32]| of.iter().copied().rev().max_by_key(rank);
        let mut way: Vec<u32> = longest(&self.order).into_iter().collect();
        while let Some(next) = way.last().and_then(|last| longest(self.after(*last))) {
            way.push(next);
        }
        way
    }

    /// All that wait for `index`, directly or through others, nearest first.
    #[must_use]
    pub fn downstream(&self, index: u32) -> Vec<u32> {
        let mut is_seen = vec![false; self.before.len()];
        let mut queue = VecDeque::from([index]);
        let mut all = Vec::new();
        while let Some(next) = queue.pop_front() {
            for follower in self.after(next) {
                match is_seen.get_mut(place(*follower)) {
                    Some(is_seen) if !*is_seen => *is_seen = true,
                    _ => continue,
                }
                all.push(*follower);
                queue.push_back(*follower);
            }
        }
        all
    }
}

/// A circle among those that still have something `open`: walks from one to one that it waits for until it comes round.
fn circle(before: &[Vec<u32>], open: &[usize]) -> Circle {
    let is_open = |index: &u32| open.get(place(*index)).is_some_and(|open| *open > 0);
    let mut way: Vec<u32> = (0_u32..).take(before.len()).find(|index| is_open(index)).into_iter().collect();
    let mut at = vec![None; before.len()];
    while let Some(last) = way.last().copied() {
        if let Some(at) = at.get_mut(place(last)) {
            *at = Some(way.len() - 1);
        }
        // Whoever is still open waits for one that is.
        let Some(next) = before.get(place(last)).and_then(|needs| needs.iter().find(|need| is_open(need)))
        else {
            return Circle(way);
        };
        if let Some(start) = at.get(place(*next)).copied().flatten() {
            return Circle(way.split_off(start));
        }
        way.push(*next);
    }
    Circle(way)
}

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A diamond with a tail: 0 → 1, 2 → 3 → 4, and 5 alone.
    fn diamond() -> Graph {
        Graph::new(vec![vec![], vec![0], vec![0], vec![1, 2], vec![3], vec![]]).unwrap()
    }

    #[test]
    fn ranks_are_the_longest_ways_to_the_end() {
        let graph = diamond();
        assert_eq!(graph.ranks(&[1, 10, 2, 3, 4, 100]), [18, 17, 9, 7, 4, 100]);
        assert_eq!(graph.longest_way(&[1, 10, 2, 3, 4, 5]), [0, 1, 3, 4]);
        assert_eq!(graph.longest_way(&[1, 1, 1, 1, 1, 100]), [5]);
        assert_eq!(graph.ranks(&[u64::MAX, 1]), [u64::MAX, 1, 0, 0, 0, 0]);
        assert_eq!(Graph::new(vec![]).unwrap().longest_way(&[]), Vec::<u32>::new());
    }

    #[test]
    fn who_waits_for_whom_is_known_both_ways() {
        let graph = diamond();
        assert_eq!((graph.before(3), graph.after(0)), (&[1, 2][..], &[1, 2][..]));
        assert_eq!(graph.downstream(1), [3, 4]);
        assert_eq!(graph.downstream(0), [1, 2, 3, 4]);
        assert_eq!((graph.downstream(5), graph.downstream(9)), (vec![], vec![]));
        assert!(!graph.is_flat() && Graph::new(vec![vec![], vec![7]]).unwrap().is_flat());
    }

    #[test]
    fn a_circle_is_named_without_the_way_that_leads_to_it() {
        let found = |before: &[&[u32]]| Graph::new(before.iter().map(|needs| needs.to_vec()).collect());
        assert_eq!(found(&[&[0]]), Err(Circle(vec![0])));
        assert_eq!(found(&[&[1], &[2], &[3], &[1]]), Err(Circle(vec![1, 2, 3])));
        assert_eq!(found(&[&[], &[0, 2], &[1]]), Err(Circle(vec![1, 2])));
    }

    proptest! {
        /// Whatever the edges: either an order that keeps them all, or a circle that is one.
        #[test]
        fn an_order_or_a_circle(edges in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)) {
            let mut before = vec![Vec::new(); 12];
            for (from, to) in edges {
                before[to as usize].push(from);
            }
            match Graph::new(before.clone()) {
                Ok(graph) => {
                    prop_assert_eq!(graph.order().len(), 12);
                    let at = |index: u32| graph.order().iter().position(|other| *other == index).unwrap();
                    for (index, needs) in (0_u32..).zip(&before) {
                        prop_assert!(needs.iter().all(|need| at(*need) < at(index)));
                    }
                }
                Err(Circle(way)) => {
                    prop_assert!(!way.is_empty());
                    for (index, next) in way.iter().zip(way.iter().cycle().skip(1)) {
                        prop_assert!(before[*index as usize].contains(next));
                    }
                }
            }
        }
    }
}

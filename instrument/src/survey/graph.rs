//! Who calls whom: which functions can be suspended, and which recur.
//!
//! The nodes are the functions and the classes of equal types; a call through a table leads to the class and from it
//! to every function of that type of which a reference exists. Components that are strongly connected are found by
//! Tarjan's algorithm (SIAM J. Comput. 1(2), 1972), which yields them with the callees first; it is written without
//! recursion, since the depth is the module's choice.

use super::body::Body;

/// Functions that run longer than this between two polls become suspendable themselves, in cycles.
const LONGEST_RUN: u64 = 1_000;

/// Frames of functions that do not recur are left uncounted up to this many bytes on the stack together.
pub(crate) const UNCOUNTED: u64 = 1 << 20;

/// The graph of calls.
pub(super) struct Graph<'s> {
    /// Functions of the host; they come first.
    pub(super) imports: u32,
    /// The others.
    pub(super) bodies: &'s [Body],
    /// The class of each type.
    pub(super) class_of: &'s [u32],
    /// What each class may lead to.
    pub(super) classes: &'s [Vec<u32>],
}

/// What the graph tells.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// For each function whether it can be suspended.
    pub(super) suspendable: Vec<bool>,
    /// For each function whether its frames are counted.
    pub(super) counted: Vec<bool>,
    /// For each class whether a call by it can be suspended.
    pub(super) classes: Vec<bool>,
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    suspendable: bool,
    recursive: bool,
    /// Cycles between its entry and its end, if it is not suspendable.
    cycles: u64,
    /// Bytes of the deepest stack of frames from here on, each function once.
    frames: u64,
}

impl Graph<'_> {
    pub(super) fn find(&self) -> Findings {
        let mut known = vec![Known::default(); self.nodes()];
        let mut deepest = 0;
        for component in Search::over(self) {
            self.judge(&component, &mut known);
            deepest = component
                .iter()
                .filter_map(|node| known.get(*node))
                .map(|node| node.frames)
                .fold(deepest, u64::max);
        }
        let functions = self.imports as usize + self.bodies.len();
        let (functions, classes) = known.split_at(functions.min(known.len()));
        Findings {
            suspendable: functions.iter().map(|node| node.suspendable).collect(),
            counted: functions
                .iter()
                .map(|node| node.recursive || (node.suspendable && deepest > UNCOUNTED))
                .collect(),
            classes: classes.iter().map(|node| node.suspendable).collect(),
        }
    }

    fn nodes(&self) -> usize {
        self.imports as usize + self.bodies.len() + self.classes.len()
    }

    fn body(&self, node: usize) -> Option<&Body> {
        self.bodies.get(node.checked_sub(self.imports as usize)?)
    }

    fn is_host(&self, node: usize) -> bool {
        node < self.imports as usize
    }

    /// The `k`-th node that a node leads to.
    fn next(&self, node: usize, k: usize) -> Option<usize> {
        let functions = self.imports as usize + self.bodies.len();
        if let Some(body) = self.body(node) {
            let class = |ty: &u32| self.class_of.get(*ty as usize).map(|class| functions + *class as usize);
            let calls = body.calls.len();
            return body
                .calls
                .get(k)
                .map(|f| *f as usize)
                .or_else(|| class(body.indirect.get(k.checked_sub(calls)?)?));
        }
        self.classes.get(node.checked_sub(functions)?)?.get(k).map(|function| *function as usize)
    }

    /// Judges the nodes of a component, all that it leads to being known.
    fn judge(&self, component: &[usize], known: &mut [Known]) {
        let mut sum = Known { recursive: component.len() > 1, ..Known::default() };
        for node in component {
            let mut k = 0;
            while let Some(next) = self.next(*node, k) {
                k += 1;
                sum.recursive |= next == *node;
                sum.suspendable |= self.is_host(next);
                if let Some(next) = known.get(next) {
                    sum.suspendable |= next.suspendable;
                    sum.cycles = if self.body(*node).is_some() {
                        sum.cycles.saturating_add(next.cycles)
                    } else {
                        sum.cycles.max(next.cycles)
                    };
                    sum.frames = sum.frames.max(next.frames);
                }
            }
        }
        for body in component.iter().filter_map(|node| self.body(*node)) {
            sum.suspendable |= body.loops;
            sum.cycles = sum.cycles.saturating_add(body.cost);
            sum.frames = sum.frames.saturating_add(body.frame);
        }
        sum.suspendable |= sum.recursive || sum.cycles > LONGEST_RUN;
        for node in component {
            if let Some(known) = known.get_mut(*node) {
                *known = sum;
            }
        }
    }
}

/// A walk through the graph in depth.
struct Search<'g, 's> {
    graph: &'g Graph<'s>,
    /// Order of discovery of each node, 0 if not yet.
    found: Vec<u32>,
    /// The earliest node that each can get back to.
    low: Vec<u32>,
    /// Nodes without a component yet.
    open: Vec<usize>,
    is_open: Vec<bool>,
    components: Vec<Vec<usize>>,
}

impl<'g, 's> Search<'g, 's> {
    /// The components, callees first.
    fn over(graph: &'g Graph<'s>) -> Vec<Vec<usize>> {
        let nodes = graph.nodes();
        let mut search = Self {
            graph,
            found: vec![0; nodes],
            low: vec![0; nodes],
            open: Vec::new(),
            is_open: vec![false; nodes],
            components: Vec::new(),
        };
        let mut count = 0;
        for root in 0..nodes {
            search.from(root, &mut count);
        }
        search.components
    }

    fn from(&mut self, root: usize, count: &mut u32) {
        if self.found_at(root) != 0 {
            return;
        }
        let mut path = vec![(root, 0usize)];
        self.enter(root, count);
        while let Some((node, k)) = path.last_mut() {
            let node = *node;
            let next = self.graph.next(node, *k);
            *k += 1;
            match next {
                Some(next) if self.found_at(next) == 0 => {
                    self.enter(next, count);
                    path.push((next, 0));
                }
                Some(next) if self.is_open.get(next) == Some(&true) => self.lower(node, self.found_at(next)),
                Some(_) => {}
                None => {
                    path.pop();
                    let low = self.low.get(node).copied().unwrap_or(0);
                    if let Some((parent, _)) = path.last() {
                        self.lower(*parent, low);
                    }
                    if low == self.found_at(node) {
                        self.close(node);
                    }
                }
            }
        }
    }

    fn found_at(&self, node: usize) -> u32 {
        self.found.get(node).copied().unwrap_or(0)
    }

    fn enter(&mut self, node: usize, count: &mut u32) {
        *count += 1;
        let (found, low, is_open) =
            (self.found.get_mut(node), self.low.get_mut(node), self.is_open.get_mut(node));
        if let (Some(found), Some(low), Some(is_open)) = (found, low, is_open) {
            (*found, *low, *is_open) = (*count, *count, true);
            self.open.push(node);
        }
    }

    fn lower(&mut self, node: usize, to: u32) {
        if let Some(low) = self.low.get_mut(node) {
            *low = (*low).min(to);
        }
    }

    fn close(&mut self, node: usize) {
        let start = self.open.iter().rposition(|open| *open == node).unwrap_or(0);
        let component = self.open.split_off(start);
        for member in &component {
            if let Some(is_open) = self.is_open.get_mut(*member) {
                *is_open = false;
            }
        }
        self.components.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, Graph};

    /// Functions by whom they call and whether they loop: which can be suspended, and which are counted.
    fn check(bodies: &[(&[u32], bool)], suspendable: &[bool], counted: &[bool]) {
        let bodies: Vec<Body> = bodies
            .iter()
            .map(|(calls, loops)| Body {
                calls: calls.to_vec(),
                loops: *loops,
                cost: 100,
                frame: 100,
                ..Body::default()
            })
            .collect();
        let findings = Graph { imports: 1, bodies: &bodies, class_of: &[], classes: &[] }.find();
        assert_eq!((&findings.suspendable[1..], &findings.counted[1..]), (suspendable, counted));
    }

    #[test]
    fn who_loops_recurs_calls_the_host_or_runs_long_can_be_suspended_and_so_can_its_callers() {
        check(&[(&[2], false), (&[], false)], &[false, false], &[false, false]);
        check(&[(&[2], false), (&[], true)], &[true, true], &[false, false]);
        check(&[(&[2], false), (&[1], false)], &[true, true], &[true, true]);
        check(&[(&[1, 2], false), (&[], false)], &[true, false], &[true, false]);
        check(&[(&[0], false), (&[], false)], &[true, false], &[false, false]);
        check(&[(&[2; 10], false), (&[], false)], &[true, false], &[false, false]);
    }
}

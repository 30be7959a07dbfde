//! Figs. 8 and 9: how evenly keys are spread. No messages are needed for that, only places on the circle.

use super::super::circle::Circle;
use super::super::measured::Histogram;
use super::super::number::Number;
use super::{Comparison, Effort, Within, compare, float, seeds};
use crate::dice::Dice;
use proto::RingId;

/// Real nodes in both figures.
const NODES: u32 = 10_000;
/// Fig. 8, digitised: the 99th percentile of keys on a node, for 10^5, 2·10^5, … keys.
const FIGURE_8: [f64; 10] = [48.0, 91.0, 138.0, 181.0, 228.0, 273.0, 320.0, 364.0, 411.0, 463.0];
/// Virtual nodes a real one, with the 1st and the 99th percentile of Gamma(v, 1/v): what falls to a real node, as a
/// multiple of the mean.
pub(super) const GAMMA: [(u32, f64, f64); 5] = [
    (1, 0.010_05, 4.605),
    (2, 0.074_28, 3.319),
    (5, 0.255_8, 2.321),
    (10, 0.413_0, 1.878),
    (20, 0.554_1, 1.592),
];

/// Once around the circle, in units of a node's first 64 bits.
const TURN: f64 = 18_446_744_073_709_551_616.0;

/// Keys on a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Real nodes.
    pub nodes: u32,
    /// Places on the circle for each of them.
    pub virtual_nodes: u32,
    /// Random keys.
    pub keys: u64,
    /// The same seed gives the same places and keys.
    pub seed: u64,
}

impl Load {
    /// How many keys fall to each real node.
    #[must_use]
    pub fn run(&self) -> Vec<u32> {
        let places = self.nodes.saturating_mul(self.virtual_nodes);
        let mut dice = Dice::new(self.seed, "load", 0);
        let first = u32::try_from(dice.below(1 << 32)).unwrap_or(0);
        let circle = Circle::new((0..places).map(|place| Number(first.wrapping_add(place))));
        let mut loads = vec![0; self.nodes as usize];
        for _ in 0..self.keys {
            let owner = circle.owner(key(&mut dice)).0.wrapping_sub(first) / self.virtual_nodes.max(1);
            if let Some(load) = loads.get_mut(owner as usize) {
                *load += 1;
            }
        }
        loads
    }

    /// The part of the circle that falls to each real node, as a multiple of the mean, ascending: what the numbers of
    /// keys become with very many keys.
    #[must_use]
    pub fn arcs(&self) -> Vec<f64> {
        let places = self.nodes.saturating_mul(self.virtual_nodes);
        let mut dice = Dice::new(self.seed, "load", 0);
        let first = u32::try_from(dice.below(1 << 32)).unwrap_or(0);
        let circle = Circle::new((0..places).map(|place| Number(first.wrapping_add(place))));
        let mut arcs = vec![0.0; self.nodes as usize];
        for (node, length) in circle.arcs() {
            let owner = node.0.wrapping_sub(first) / self.virtual_nodes.max(1);
            if let Some(arc) = arcs.get_mut(owner as usize) {
                *arc += float(length) / TURN * f64::from(self.nodes);
            }
        }
        arcs.sort_unstable_by(f64::total_cmp);
        arcs
    }
}

/// A random point.
pub(super) fn key(dice: &mut Dice) -> RingId {
    let word = dice.below(u64::MAX).to_be_bytes();
    let mut key = [0; 20];
    for (place, byte) in key.iter_mut().zip(word) {
        *place = byte;
    }
    RingId(key)
}

fn spread(load: Load, effort: Effort) -> Histogram {
    let mut all = Histogram::default();
    for seed in seeds(effort) {
        Load { seed, ..load }.run().into_iter().for_each(|load| all.add(load));
    }
    all
}

pub(super) fn by_keys(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let mut rows = Vec::new();
    for (done, p99) in (1_u64..).zip(FIGURE_8) {
        let keys = done * 100_000;
        let all = spread(Load { nodes: NODES, virtual_nodes: 1, keys, seed: 0 }, effort);
        let case = format!("{keys} keys");
        rows.push(compare(
            &case,
            "mean keys",
            all.mean(),
            float(keys) / f64::from(NODES),
            Within::Share(0.001),
        ));
        rows.push(compare(
            &case,
            "1 % keys",
            float(all.quantile(1)),
            if done == 10 { 1.0 } else { 0.0 },
            Within::Absolute(1.0),
        ));
        rows.push(compare(&case, "99 % keys", float(all.quantile(99)), p99, Within::Share(0.06)));
        progress(done, 10);
    }
    rows
}

pub(super) fn by_virtual_nodes(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let keys = 1_000_000;
    let mean = float(keys) / f64::from(NODES);
    let mut rows = Vec::new();
    for (done, (virtual_nodes, p1, p99)) in (1..).zip(GAMMA) {
        let all = spread(Load { nodes: NODES, virtual_nodes, keys, seed: 0 }, effort);
        let case = format!("{virtual_nodes} virtual");
        let (least, most) = arcs(virtual_nodes, effort);
        rows.push(compare(&case, "1 % arc", least, p1, Within::Share(0.06)));
        rows.push(compare(&case, "99 % arc", most, p99, Within::Share(0.06)));
        rows.push(compare(&case, "1 % keys / mean", float(all.quantile(1)) / mean, p1, Within::Share(0.06)));
        rows.push(compare(
            &case,
            "99 % keys / mean",
            float(all.quantile(99)) / mean,
            p99,
            Within::Share(0.06),
        ));
        progress(done, 5);
    }
    rows
}

/// The 1st and the 99th percentile of the arcs, over all seeds.
fn arcs(virtual_nodes: u32, effort: Effort) -> (f64, f64) {
    let load = |seed| Load { nodes: NODES, virtual_nodes, keys: 0, seed };
    let mut all: Vec<f64> = seeds(effort).flat_map(|seed| load(seed).arcs()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let at = |percent: usize| all.get((all.len() * percent / 100).saturating_sub(1)).copied().unwrap_or(0.0);
    (at(1), at(99))
}

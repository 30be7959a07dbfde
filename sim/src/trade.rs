//! What a trade costs in messages, and how the markets spread over their owners, under both placement schemes
//! (CompuP2P paper, IV-A and V; experiments E8 and E9 of the project's list).
//!
//! The nodes are those of [`chord`] in rings that were repaired long ago, keys are those of [`market::placement`], and a
//! buyer climbs as [`market::placement::climb`] has it. Messages arrive at once, since only their number counts. The
//! classes may be finer than those of a network, so that there can be more than 96 markets.

mod spread;
mod still;

use crate::dice::Dice;
use crate::ring::mix;
use chord::{Config, Handle, Routing};
use market::placement;
use market::placement::climb::{Climb, Word};
use proto::{Placement, RingId, Span, cmid};
use std::collections::{BTreeMap, BTreeSet};
use still::{Point, Still};

/// Classes within the window for each market in which somebody is listed: the mean gap between them.
const CLASSES_A_MARKET: u32 = 4;
/// For how long the rings' upkeep is counted.
const UPKEEP: Span = Span::secs(60);
/// Messages from the question to an owner that has a seller, to its answer: find, reserve, reserved, matched.
const MATCH: u64 = 4;
/// An owner that has none: find, no seller.
const REFUSAL: u64 = 2;
/// A buyer's question to a member of the second ring, and the answer.
const SEEK: u64 = 2;

/// How the markets in which somebody is listed lie within their window (E8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// Anywhere with the same chance.
    #[default]
    Uniform,
    /// Next to each other: in half of the window.
    Narrow,
    /// Around the middle, with a long tail upwards: a log-normal number, σ = 1/2.
    LogNormal,
    /// As many below a hundredth of the window as in the upper nine tenths.
    LogUniform,
    /// In clusters of clusters: at each halving of the window three quarters fall into the lower half.
    Fractal,
}

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trades {
    /// Nodes of the base ring.
    pub nodes: u32,
    /// Markets in which somebody is listed.
    pub markets: u32,
    /// The share of the scale of capacities in which all of them lie, in thousandths (φ of E9).
    pub window: u32,
    /// How they lie there.
    pub spread: Spread,
    /// By which scheme.
    pub placement: Placement,
    /// How many purchases are counted.
    pub trades: u32,
    /// Length of the successor lists.
    pub successors: usize,
    /// Whether the upkeep of the rings is counted, which takes longer than all else.
    pub counts_upkeep: bool,
    /// The same seed gives the same figures.
    pub seed: u64,
}

/// What was counted in a case; figures a trade are means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traded {
    /// Nodes that own a market with listings.
    pub owners: u32,
    /// Markets of the one that owns most.
    pub most: u32,
    /// `most` against the mean over all owners.
    pub most_to_mean: f64,
    /// Jain's index of the markets over all nodes: (Σx)² / (N·Σx²) (reference §5.6).
    pub fairness: f64,
    /// Market owners asked in a trade.
    pub asked: f64,
    /// Messages of look-ups in the base ring.
    pub base: f64,
    /// Messages of searches in the second ring.
    pub overlay: f64,
    /// Messages between buyer, owners and seller.
    pub market: f64,
    /// Nodes asked on the way of one look-up in the base ring, to the key's predecessor.
    pub base_hops: f64,
    /// The same in the second ring.
    pub overlay_hops: f64,
    /// Messages a minute that a node sends to keep the base ring, with the periods of the internet.
    pub base_upkeep: f64,
    /// The same of one virtual node in the second ring.
    pub overlay_upkeep: f64,
    /// Purchases that did not end at a market although there was one at or above the asked class, or at one below it.
    pub wrong: u32,
}

impl Traded {
    /// All messages of a trade.
    #[must_use]
    pub const fn messages(&self) -> f64 {
        self.base + self.overlay + self.market
    }
}

/// Sums on the way.
#[derive(Default)]
struct Sums {
    asked: u64,
    base: u64,
    overlay: u64,
    market: u64,
    base_lookups: u64,
    base_hops: u64,
    overlay_hops: u64,
    wrong: u32,
}

struct World {
    plan: Trades,
    classes: u32,
    window: u32,
    listed: BTreeSet<u32>,
    base: Still,
    markets: Still,
    dice: Dice,
}

/// Runs one case.
#[must_use]
pub fn run(plan: &Trades) -> Traded {
    let mut world = World::new(*plan);
    let mut sums = Sums::default();
    for _ in 0..plan.trades {
        let wanted = u32::try_from(world.dice.between(0, u64::from(world.window.max(1) - 1))).unwrap_or(0);
        let found = match plan.placement {
            Placement::Single => world.climb(wanted, &mut sums),
            Placement::Processor => world.search(wanted, &mut sums),
        };
        let exists = world.listed.range(wanted..).next().is_some();
        let is_right = found.map_or(!exists, |class| class >= wanted && world.listed.contains(&class));
        sums.wrong += u32::from(!is_right);
    }
    world.traded(&sums)
}

impl World {
    fn new(plan: Trades) -> Self {
        let window = plan.markets.saturating_mul(CLASSES_A_MARKET).max(1);
        let share = plan.window.clamp(1, 1_000);
        let classes = window.saturating_mul(1_000).div_euclid(share).max(window);
        let mut dice = Dice::new(plan.seed, "trades", plan.nodes.into());
        let mut listed = BTreeSet::new();
        let count = usize::try_from(plan.markets).unwrap_or(usize::MAX);
        while listed.len() < count {
            listed.insert(plan.spread.draw(window, &mut dice));
        }
        let routing = Routing::PLAIN;
        let config = Config { routing, successors: plan.successors, ..Config::PUBLIC };
        let salt = mix(plan.seed) << 32;
        let place = |node: u32| Point(RingId::hash(&(salt ^ u64::from(node)).to_be_bytes()));
        let base = Still::new((0..plan.nodes).map(place), &config);
        let markets = Still::new(listed.iter().map(|class| Point(cmid(*class, classes))), &config);
        Self { plan, classes, window, listed, base, markets, dice }
    }

    /// Single overlay: look a market up, ask its owner, and so on upwards. An owner answers for all its markets from the asked
    /// one upwards, as in a real network.
    fn climb(&mut self, wanted: u32, sums: &mut Sums) -> Option<u32> {
        let mut way = Some(Climb::from(wanted, self.classes));
        while let Some(at) = way {
            let owner =
                self.look_up_base(placement::key_among(Placement::Single, at.class(), self.classes), sums);
            let next = self.run_end(at.class(), owner);
            sums.asked += 1;
            if let Some(found) = self.listed.range(at.class()..next).next() {
                sums.market += MATCH;
                return Some(*found);
            }
            sums.market += REFUSAL;
            way = at.go_on(next, Word::Empty);
        }
        None
    }

    /// Processor overlay: a member of the second ring names the market, the base ring its owner.
    fn search(&mut self, wanted: u32, sums: &mut Sums) -> Option<u32> {
        let from = self.dice.between(0, u64::from(self.plan.markets.max(1) - 1));
        let way = self.markets.look_up(from, cmid(wanted, self.classes));
        sums.overlay += way.messages + SEEK;
        sums.overlay_hops += u64::from(way.hops);
        if way.wraps {
            return None;
        }
        let class = self.listed.iter().copied().find(|class| cmid(*class, self.classes) == way.owner)?;
        self.look_up_base(placement::key_among(Placement::Processor, class, self.classes), sums);
        sums.asked += 1;
        sums.market += MATCH;
        Some(class)
    }

    fn look_up_base(&mut self, key: RingId, sums: &mut Sums) -> RingId {
        let from = self.dice.between(0, u64::from(self.plan.nodes.max(1) - 1));
        let way = self.base.look_up(from, key);
        sums.base += way.messages;
        sums.base_hops += u64::from(way.hops);
        sums.base_lookups += 1;
        way.owner
    }

    /// The first class above `class` that is another node's.
    fn run_end(&self, class: u32, owner: RingId) -> u32 {
        let is_its = |class: &u32| {
            self.base.owner(placement::key_among(Placement::Single, *class, self.classes)) == owner
        };
        // Classes are in the order of the circle, so that those of one owner follow each other.
        let (mut low, mut high) = (class, class + 1);
        let mut step = 1;
        while high < self.classes && is_its(&high) {
            (low, high) = (high, high.saturating_add(step).min(self.classes));
            step *= 2;
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if is_its(&middle) { low = middle } else { high = middle }
        }
        high
    }

    fn traded(mut self, sums: &Sums) -> Traded {
        let mut load: BTreeMap<RingId, u32> = BTreeMap::new();
        for class in &self.listed {
            let key = placement::key_among(self.plan.placement, *class, self.classes);
            *load.entry(self.base.owner(key)).or_default() += 1;
        }
        let owners = u32::try_from(load.len()).unwrap_or(u32::MAX);
        let most = load.values().copied().max().unwrap_or(0);
        let mean = f64::from(self.plan.markets) / f64::from(owners.max(1));
        let squares: u64 = load.values().map(|markets| u64::from(*markets).pow(2)).sum();
        let markets = f64::from(self.plan.markets);
        let fairness = markets * markets / (f64::from(self.plan.nodes.max(1)) * float(squares.max(1)));
        let (trades, lookups) = (float(self.plan.trades.max(1).into()), float(sums.base_lookups.max(1)));
        let is_overlaid = self.plan.placement == Placement::Processor;
        let counts = self.plan.counts_upkeep;
        let overlay_upkeep = if is_overlaid && counts { self.markets.upkeep(UPKEEP) } else { 0.0 };
        Traded {
            owners,
            most,
            most_to_mean: f64::from(most) / mean,
            fairness,
            asked: float(sums.asked) / trades,
            base: float(sums.base) / trades,
            overlay: float(sums.overlay) / trades,
            market: float(sums.market) / trades,
            base_hops: float(sums.base_hops) / lookups,
            overlay_hops: float(sums.overlay_hops) / trades,
            base_upkeep: if counts { self.base.upkeep(UPKEEP) } else { 0.0 },
            overlay_upkeep,
            wrong: sums.wrong,
        }
    }
}

impl Handle for Point {
    fn id(&self) -> RingId {
        self.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;

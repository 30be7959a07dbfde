//! A seller that learns what prices earn, knowing nothing of the market (Q-learning; Calvano et al. 2020, who show that such
//! sellers come to prices above competition).
//!
//! What it remembers of the last round is its own price and the lowest one of its rivals. It tries a random price with a
//! probability that falls by the same factor each round.

use super::{Kind, Pricer, Seen};
use crate::dice::Dice;
use crate::experiment::Parameter;
use crate::population::draw;

const RATE: Parameter = Parameter::real(
    "strategies.learning_rate",
    0.15,
    0.0,
    1.0,
    "how fast a Q-learner forgets what it thought before",
);
const DISCOUNT: Parameter = Parameter::real(
    "strategies.discount",
    0.95,
    0.0,
    0.999_9,
    "what a Q-learner's next round is worth to it",
);
const FADE: Parameter = Parameter::real(
    "strategies.exploration_fade",
    0.000_05,
    0.0,
    1.0,
    "the part of its readiness to try random prices that a Q-learner loses each round",
);

/// Who learns.
pub(super) const KIND: Kind = Kind {
    name: "q-learning",
    about: "learns what prices earn, from its own and the lowest other price of the last round",
    parameters: || vec![RATE, DISCOUNT, FADE],
    is_simultaneous: true,
    pricer: |setting, prices| {
        Box::new(Learner {
            rate: setting.real(&RATE),
            discount: setting.real(&DISCOUNT),
            keep: 1.0 - setting.real(&FADE),
            trying: 1.0,
            prices,
            worth: vec![0.0; prices.saturating_mul(prices).saturating_mul(prices)],
            at: 0,
        })
    },
};

struct Learner {
    rate: f64,
    discount: f64,
    /// What is left of the readiness to try, after a round.
    keep: f64,
    trying: f64,
    prices: usize,
    /// The worth of each price in each state, in steps of the ladder.
    worth: Vec<f64>,
    /// Where the worth of what was done last is.
    at: usize,
}

impl Learner {
    /// Where the prices of a state begin.
    fn state(&self, seen: &Seen<'_>) -> usize {
        let others = seen.asked.iter().enumerate().filter(|(who, _)| *who != seen.me).map(|(_, ask)| *ask);
        let own = seen.asked.get(seen.me).copied().unwrap_or(0);
        let lowest = others.min().unwrap_or(own);
        let last = self.prices.saturating_sub(1);
        (own.min(last) * self.prices + lowest.min(last)) * self.prices
    }

    /// The best price of a state, the lowest of equal ones, and its worth.
    fn best(&self, state: usize) -> (usize, f64) {
        let worths = self.worth.iter().skip(state).take(self.prices).copied().enumerate();
        worths.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or((0, 0.0))
    }
}

impl Pricer for Learner {
    fn ask(&mut self, seen: &Seen<'_>, dice: &mut Dice) -> usize {
        let state = self.state(seen);
        let is_trying = draw::happens(dice, self.trying);
        self.trying *= self.keep;
        let count = u64::try_from(self.prices).unwrap_or(u64::MAX);
        let price =
            if is_trying { usize::try_from(dice.below(count)).unwrap_or(0) } else { self.best(state).0 };
        self.at = state + price;
        price
    }

    fn earned(&mut self, earned: f64, seen: &Seen<'_>) {
        let next = self.best(self.state(seen)).1;
        let target = earned + self.discount * next;
        if let Some(worth) = self.worth.get_mut(self.at) {
            *worth += self.rate * (target - *worth);
        }
    }
}

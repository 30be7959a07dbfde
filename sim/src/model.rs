//! The models that experiments can name: one file each, and one line in
//! [`Registry::standard`](crate::experiment::Registry::standard).

mod auction;
mod capture;
mod churned;
mod draws;
mod honesty;
mod nodes;
mod placement;
mod pool;
mod pricing_game;
mod routing;
mod rule;
mod sequence;
mod tournament;
mod voting;

pub use auction::Auction;
pub use capture::Capture;
pub use churned::Churned;
pub use draws::Draws;
pub use honesty::Honesty;
pub use nodes::WholeNodes;
pub use placement::Placements;
pub use pool::Pool;
pub use pricing_game::PricingGame;
pub use routing::Routing;
pub use sequence::Sequence;
pub use tournament::{Tournament, mechanism};
pub use voting::Voting;

use crate::dice::Dice;
use crate::experiment::{Metric, Setting, SettingError};
use crate::population::uniform::{HIGH, LOW};
use proto::{CommandId, PublicKey};

/// Credits for a Gc of work, wherever a price or a cost is meant.
const CREDITS: &str = "credits";
/// Of one.
const SHARE: &str = "share";
const RATIO: &str = "ratio";

const fn metric(name: &'static str, unit: &'static str, about: &'static str) -> Metric {
    Metric { name, unit, about }
}

/// An even spread has its least cost below its greatest.
fn check_spread(setting: &Setting) -> Result<(), SettingError> {
    if setting.real(&LOW) <= setting.real(&HIGH) {
        return Ok(());
    }
    Err(SettingError::new(LOW.key, "expected at most `population.high_credits`"))
}

/// A number of things as one that counts things here; never beyond the greatest.
fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A buyer's id for a purchase, from which the lots follow.
fn draw_id(dice: &mut Dice) -> CommandId {
    let (high, low) = (dice.below(u64::MAX), dice.below(u64::MAX));
    CommandId(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
}

/// The key of participant number `who`.
fn key(who: usize) -> PublicKey {
    let mut key = [0; 32];
    let number = u32::try_from(who).unwrap_or(u32::MAX);
    for (to, from) in key.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    PublicKey(key)
}

/// The binomial coefficient, as a figure.
fn choose(all: u64, some: u64) -> f64 {
    (0..some).map(|number| (all - number) as f64 / (number + 1) as f64).product()
}

/// The probability of `some` of `all` independent events of this probability each.
fn binomial(all: u64, some: u64, probability: f64) -> f64 {
    let power = |base: f64, count: u64| libm::pow(base, count as f64);
    choose(all, some) * power(probability, some) * power(1.0 - probability, all.saturating_sub(some))
}

#[cfg(test)]
mod tests;

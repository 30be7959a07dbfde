//! Sellers of equal cost that all ask for the reserve, and ask for one unit above their cost for ever once somebody undercut
//! (reference §5.4): what does the first one gain by breaking away in the first round?
//!
//! Both games, kept and broken, are played with the same draws by the market's first-price rule. Sellers leave after some
//! rounds; a stranger takes the place, unless whoever comes back is known. What the first seller earns after it has left is
//! not counted.
//!
//! **By summation.** With M the margin at the reserve, u the unit, d the probability of another round, s that of staying,
//! and t that all rivals stay, if strangers compete (else 1): punishment is worth `P = (u/n)/(1 − d·s)`, breaking away
//! `(M − u) + d·s·P`, and keeping `V = (M/n + d·s·(1 − t)·P)/(1 − d·s·t)`. Without churn and for u = 0 breaking pays below
//! d = 1 − 1/n.

use super::{Figures, GAMES, Game, KEEPS, NEWCOMERS, stays};
use crate::dice::Dice;
use crate::experiment::Setting;
use crate::measure::ratio;
use crate::model::{draw_id, key};
use crate::population::{Costs, draw};
use crate::price::{credits, difference, rate};
use market::pricing::{Ask, first_price, lot};
use proto::Rate;

/// The most rounds of one cartel: with d of at most 0.999, one in e¹⁰⁰ is cut off.
const LONGEST: u32 = 100_000;

/// A cartel.
struct Cartel<'a> {
    game: &'a Game,
    cost: Rate,
    /// The probability of another round.
    keeps: f64,
    /// The probability that a seller stays, in each round.
    stays: f64,
    do_strangers_compete: bool,
}

/// Plays `work.games` cartels, each kept and broken.
pub(super) fn play(game: &Game, costs: &dyn Costs, setting: &Setting, dice: &mut Dice) -> Figures {
    let cartel = Cartel {
        game,
        cost: rate(costs.cost(0, dice)).min(game.reserve),
        keeps: setting.real(&KEEPS),
        stays: stays(game, setting),
        do_strangers_compete: setting.text(&NEWCOMERS) == "competing",
    };
    let mut trace = blake3::Hasher::new();
    let mut gains = 0.0;
    let games = setting.count(&GAMES);
    for _ in 0..games {
        let mut same = dice.clone();
        let kept = cartel.earned(false, dice);
        let broken = cartel.earned(true, &mut same);
        gains += broken - kept;
        trace.update(&kept.to_le_bytes()).update(&broken.to_le_bytes());
    }
    Figures {
        trace,
        gain: ratio(gains, games as f64),
        closed_gain: Some(cartel.closed_gain()),
        threshold: cartel.threshold(),
        ..Figures::default()
    }
}

impl Cartel<'_> {
    /// What the first seller earns until it leaves or nothing more is bought.
    fn earned(&self, breaks: bool, dice: &mut Dice) -> f64 {
        let Rate(reserve) = self.game.reserve;
        let low = Rate(self.cost.0.saturating_add(self.game.unit.0).min(reserve));
        let undercut = Rate(reserve.saturating_sub(self.game.unit.0));
        let (mut earned, mut is_over) = (0.0, false);
        for round in 0..LONGEST {
            let id = draw_id(dice);
            let ask = |who: usize| {
                let rate = match (is_over, breaks && round == 0 && who == 0) {
                    (true, _) => low,
                    (false, true) => undercut,
                    (false, false) => self.game.reserve,
                };
                Ask { rate, lot: lot(id, key(who)), who }
            };
            if let Some(sale) = first_price::clear((0..self.game.sellers).map(ask), self.game.reserve)
                && sale.winner == 0
            {
                earned += difference(sale.price, self.cost);
            }
            is_over |= breaks;
            if !draw::happens(dice, self.keeps) {
                break;
            }
            let has_left = !draw::happens(dice, self.stays);
            let strangers = (1..self.game.sellers).filter(|_| !draw::happens(dice, self.stays)).count();
            if has_left {
                break;
            }
            is_over |= self.do_strangers_compete && strangers > 0;
        }
        earned
    }

    fn closed_gain(&self) -> f64 {
        let margin = difference(self.game.reserve, self.cost);
        let unit = credits(self.game.unit);
        let count = self.game.sellers as f64;
        let goes_on = self.keeps * self.stays;
        let rivals_stay = if self.do_strangers_compete { libm::pow(self.stays, count - 1.0) } else { 1.0 };
        let punished = unit / count / (1.0 - goes_on);
        let kept =
            (margin / count + goes_on * (1.0 - rivals_stay) * punished) / (1.0 - goes_on * rivals_stay);
        margin - unit + goes_on * punished - kept
    }

    /// The least d at which breaking away does not pay, without churn: `(M − u − M/n)/(M − u − u/n)`.
    fn threshold(&self) -> Option<f64> {
        let margin = difference(self.game.reserve, self.cost);
        let (unit, count) = (credits(self.game.unit), self.game.sellers as f64);
        ratio(margin - unit - margin / count, margin - unit - unit / count)
    }
}

//! Rivals that are hidden: each seller knows its own cost, and asks for a part of the way from it to the highest cost. The
//! best part, given the others', is found by trying all of a grid on many auctions; then the others take it too, and so on.

use super::{Figures, GAMES, Game};
use crate::dice::Dice;
use crate::experiment::Setting;
use crate::measure::mean;
use crate::model::{draw_id, key};
use crate::population::Costs;
use crate::population::uniform::Uniform;
use crate::price::{credits, difference, rate};
use market::pricing::{Ask, first_price, lot};
use proto::Rate;

/// Parts that are tried.
const STEPS: u32 = 100;
/// How often everybody changes.
const TURNS: usize = 3;
/// What everybody adds at first: all tell the truth.
const START: f64 = 0.0;

/// An auction: all costs, and everybody's lot.
type Drawn = Vec<(Rate, proto::Hash)>;

/// Plays `work.games` auctions for each turn.
pub(super) fn play(
    game: &Game,
    costs: &dyn Costs,
    is_even: bool,
    setting: &Setting,
    dice: &mut Dice,
) -> Figures {
    let Uniform { high, .. } = Uniform::of(setting);
    let mut trace = blake3::Hasher::new();
    let mut part = START;
    let mut prices = Vec::new();
    for _ in 0..TURNS {
        let auctions: Vec<Drawn> = (0..setting.count(&GAMES)).map(|_| drawn(game, costs, dice)).collect();
        let best = |best: (f64, f64), tried: f64| {
            let earned: f64 = auctions.iter().map(|auction| earned(auction, tried, part, high, game)).sum();
            if earned > best.1 { (tried, earned) } else { best }
        };
        part = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS)).fold((0.0, f64::MIN), best).0;
        let price = |auction: &Drawn| sale(auction, part, part, high, game).map(|(_, price)| credits(price));
        prices = auctions.iter().filter_map(price).collect();
        trace.update(&part.to_le_bytes());
    }
    let closed = is_even.then_some(1.0 / game.sellers as f64);
    // By revenue equivalence the price is the second lowest cost in the mean, where all tell a part of 1/n.
    let Uniform { low, .. } = Uniform::of(setting);
    let closed_price = is_even.then(|| low + (high - low) * 2.0 / (game.sellers as f64 + 1.0));
    Figures {
        trace,
        price: mean(&prices),
        closed_price: closed_price.filter(|_| credits(game.reserve) >= high),
        markup: Some(part),
        closed_markup: closed.filter(|_| credits(game.reserve) >= high),
        ..Figures::default()
    }
}

fn drawn(game: &Game, costs: &dyn Costs, dice: &mut Dice) -> Drawn {
    let id = draw_id(dice);
    (0..game.sellers).map(|who| (rate(costs.cost(who, dice)), lot(id, key(who)))).collect()
}

/// Who sells at which price, where the first seller adds `mine` and the others `theirs`.
fn sale(auction: &Drawn, mine: f64, theirs: f64, high: f64, game: &Game) -> Option<(usize, Rate)> {
    let ask = |(who, (cost, lot)): (usize, &(Rate, proto::Hash))| {
        let part = if who == 0 { mine } else { theirs };
        let cost = credits(*cost);
        Ask { rate: rate(cost + part * (high - cost).max(0.0)), lot: *lot, who }
    };
    let sold = first_price::clear(auction.iter().enumerate().map(ask), game.reserve)?;
    Some((sold.winner, sold.price))
}

fn earned(auction: &Drawn, mine: f64, theirs: f64, high: f64, game: &Game) -> f64 {
    match (sale(auction, mine, theirs, high, game), auction.first()) {
        (Some((0, price)), Some((cost, _))) => difference(price, *cost),
        _ => 0.0,
    }
}

//! Prices that everybody sees and answers: Bertrand's argument, with and without limits on what a seller has.

use super::{Figures, Game, ROUNDS, stays};
use crate::dice::Dice;
use crate::experiment::{RunError, Setting};
use crate::measure::{collusion_index, jain, lerner, ratio, regret};
use crate::model::{draw_id, key};
use crate::population::{Costs, draw};
use crate::price::{credits, rate};
use crate::strategy::repeated::{Kind, Pricer, Seen};
use market::pricing::batch::{Offer, choose};
use market::pricing::{Ask, lot};
use proto::rules::{PricingRule, PricingTerms};
use proto::{CommandId, Rate};

/// The part of the rounds, at the end, that is measured: one in so many.
const LAST: u64 = 5;

/// Plays `work.rounds` rounds.
///
/// # Errors
/// [`RunError::NoTrade`] where nothing is sold in the last fifth of them.
pub(super) fn play(
    game: &Game,
    costs: &dyn Costs,
    kind: Kind,
    setting: &Setting,
    dice: &mut Dice,
) -> Result<Figures, RunError> {
    let mut market = Market::new(game, costs, kind, setting, dice);
    let rounds = setting.count(&ROUNDS);
    let leaves = 1.0 - stays(game, setting);
    let mut sums = Sums::new(&market);
    for round in 0..rounds {
        let is_measured = round >= rounds - rounds.div_ceil(LAST);
        let turn = (!kind.is_simultaneous).then_some(round);
        let sold = market.round(turn, dice);
        if is_measured {
            sums.note(&market, &sold);
        }
        if leaves > 0.0 {
            market.replace(kind, setting, leaves, dice);
        }
    }
    sums.figures(&market)
}

/// Sellers, and what they ask.
struct Market<'a> {
    game: &'a Game,
    pricers: Vec<Box<dyn Pricer>>,
    /// Costs as steps of the ladder.
    costs: Vec<usize>,
    asked: Vec<usize>,
    highest: usize,
    id: CommandId,
}

impl<'a> Market<'a> {
    fn new(game: &'a Game, costs: &dyn Costs, kind: Kind, setting: &Setting, dice: &mut Dice) -> Self {
        let steps = |rate: Rate| crate::model::size(rate.0 / game.unit.0.max(1));
        let highest = steps(game.reserve);
        let cost = |who| steps(rate(costs.cost(who, dice))).min(highest);
        Self {
            game,
            pricers: (0..game.sellers).map(|_| (kind.pricer)(setting, highest + 1)).collect(),
            costs: (0..game.sellers).map(cost).collect(),
            asked: vec![highest; game.sellers],
            highest,
            id: CommandId([0; 16]),
        }
    }

    /// Strangers take the places of those that leave: of the same cost, and without what these have learned.
    fn replace(&mut self, kind: Kind, setting: &Setting, leaves: f64, dice: &mut Dice) {
        for pricer in &mut self.pricers {
            if draw::happens(dice, leaves) {
                *pricer = (kind.pricer)(setting, self.highest + 1);
            }
        }
    }

    fn seen(&self, me: usize) -> Seen<'_> {
        Seen {
            me,
            asked: &self.asked,
            cost: self.costs.get(me).copied().unwrap_or(0),
            highest: self.highest,
            demand: self.game.demand,
            capacity: self.game.capacity,
        }
    }

    /// One round; in turns, where it has a number, else all at once. Who sold how many units.
    fn round(&mut self, turn: Option<u64>, dice: &mut Dice) -> Vec<usize> {
        self.id = draw_id(dice);
        let mut pricers = std::mem::take(&mut self.pricers);
        let mut next = self.asked.clone();
        let count = self.game.sellers as u64;
        for (me, pricer) in pricers.iter_mut().enumerate() {
            if turn.is_some_and(|turn| turn % count != me as u64) {
                continue;
            }
            let ask = pricer.ask(&self.seen(me), dice);
            if let Some(place) = next.get_mut(me) {
                *place = ask;
            }
        }
        self.asked = next;
        let sold = self.sold(&self.asked);
        for (me, pricer) in pricers.iter_mut().enumerate() {
            pricer.earned(self.earned(me, &self.asked, &sold), &self.seen(me));
        }
        self.pricers = pricers;
        sold
    }

    /// Who sells how many units if this is what they ask: the market's own first-price choice.
    fn sold(&self, asked: &[usize]) -> Vec<usize> {
        let slices = self.game.capacity.map_or(u32::MAX, |units| u32::try_from(units).unwrap_or(u32::MAX));
        let offer = |(who, step): (usize, &usize)| {
            let rate = Rate(self.game.unit.0.saturating_mul(*step as u64));
            Offer { ask: Ask { rate, lot: lot(self.id, key(who)), who }, slices }
        };
        let mut offers: Vec<Offer<usize>> = asked.iter().enumerate().map(offer).collect();
        offers.sort_by_key(|offer| (offer.ask.rate, offer.ask.lot));
        let terms = PricingTerms::PUBLIC;
        let chosen = choose(PricingRule::FirstPrice, &terms, &offers, self.game.demand, self.game.reserve);
        let mut sold = vec![0; self.game.sellers];
        for ask in chosen {
            if let Some(units) = sold.get_mut(ask.who) {
                *units += 1;
            }
        }
        sold
    }

    /// What a seller earns, in steps of the ladder.
    fn earned(&self, who: usize, asked: &[usize], sold: &[usize]) -> f64 {
        let of = |steps: &[usize]| steps.get(who).copied().unwrap_or(0) as f64;
        (of(asked) - of(&self.costs)) * of(sold)
    }
}

struct Sums {
    trace: blake3::Hasher,
    rounds: f64,
    units: f64,
    paid: f64,
    incomes: Vec<f64>,
    /// What the first seller earned, and would have earned with each fixed price.
    earned: f64,
    hindsight: Vec<f64>,
}

impl Sums {
    fn new(market: &Market<'_>) -> Self {
        Self {
            trace: blake3::Hasher::new(),
            rounds: 0.0,
            units: 0.0,
            paid: 0.0,
            incomes: vec![0.0; market.game.sellers],
            earned: 0.0,
            hindsight: vec![0.0; market.highest + 1],
        }
    }

    fn note(&mut self, market: &Market<'_>, sold: &[usize]) {
        self.rounds += 1.0;
        for ((income, step), units) in self.incomes.iter_mut().zip(&market.asked).zip(sold) {
            let paid = *step as f64 * *units as f64;
            *income += paid;
            self.paid += paid;
            self.units += *units as f64;
            self.trace.update(&(*step as u64).to_le_bytes()).update(&(*units as u64).to_le_bytes());
        }
        self.earned += market.earned(0, &market.asked, sold);
        let mut asked = market.asked.clone();
        for (price, sum) in self.hindsight.iter_mut().enumerate() {
            if let Some(first) = asked.first_mut() {
                *first = price;
            }
            *sum += market.earned(0, &asked, &market.sold(&asked));
        }
    }

    fn figures(self, market: &Market<'_>) -> Result<Figures, RunError> {
        let unit = credits(market.game.unit);
        let price = ratio(self.paid * unit, self.units).ok_or(RunError::NoTrade)?;
        let mut costs = market.costs.clone();
        costs.sort_unstable();
        let cost = |place: usize| costs.get(place).map(|steps| *steps as f64 * unit);
        let lowest = cost(0).unwrap_or(0.0);
        let reserve = market.highest as f64 * unit;
        let closed = closed_price(market, &costs);
        let demand = market.game.demand;
        let is_scarce = market.game.capacity == Some(1);
        Ok(Figures {
            trace: self.trace,
            price: Some(price),
            closed_price: Some(closed * unit),
            lowest: if is_scarce { cost(demand - 1) } else { None },
            highest: if is_scarce { cost(demand).map(|cost| cost + unit) } else { None },
            lerner: lerner(price, lowest),
            collusion: collusion_index(price, closed * unit, reserve),
            fairness: jain(&self.incomes),
            regret: regret(self.earned, &self.hindsight, self.rounds).map(|steps| steps * unit),
            ..Figures::default()
        })
    }
}

/// Where undercutting ends, in steps of the ladder: one above the cost where two have the least cost and enough of it, else the
/// cost of the cheapest one that sells nothing; the reserve where all are needed (reference §5.4).
fn closed_price(market: &Market<'_>, costs: &[usize]) -> f64 {
    let (demand, highest) = (market.game.demand, market.highest);
    let needed = market.game.capacity.map_or(1, |capacity| demand.div_ceil(capacity));
    let Some(loser) = costs.get(needed) else { return highest as f64 };
    let winner = costs.get(needed - 1).copied().unwrap_or(0);
    let price = if *loser == winner { loser + 1 } else { *loser };
    price.min(highest) as f64
}

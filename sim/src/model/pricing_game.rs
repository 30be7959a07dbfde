//! Sellers that set prices round after round (experiments E3 and E7 of reference §5.7): is competition as sharp as Bertrand's
//! argument says, and is collusion as unlikely (paper, IV-B)?
//!
//! Three games. **Posted**: prices are seen and answered, by best replies or by learning (`pricing_game/posted.rs`).
//! **Sealed**: rivals and their costs are hidden, as in the network; each seller looks for its best mark-up
//! (`pricing_game/sealed.rs`). **Cartel**: all ask for the reserve, and whoever breaks away is punished for ever; does it
//! pay (`pricing_game/cartel.rs`)? All of them are priced first-price: a seller is paid what it asks.

mod cartel;
mod posted;
mod sealed;
#[cfg(test)]
mod tests;

use super::{CREDITS, RATIO, SHARE, metric, size};
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::population::Populations;
use crate::population::ladder;
use crate::price::rate;
use crate::strategy::repeated::{Kind as PricerKind, Pricers};
use proto::Rate;

/// Sellers that set prices round after round.
#[derive(Clone)]
pub struct PricingGame {
    populations: Populations,
    pricers: Pricers,
}

const SELLERS: Parameter = Parameter::integer("population.sellers", 2, 2, 1_000, "how many sell");
const BUYERS: Parameter = Parameter::integer(
    "population.buyers",
    1,
    1,
    100_000,
    "units that are bought in a round, by a buyer each",
);
const CAPACITY: Parameter = Parameter::integer(
    "work.capacity",
    0,
    0,
    100_000,
    "units that a seller has in a round; as many as are asked for: 0",
);
const ROUNDS: Parameter = Parameter::integer("work.rounds", 2_000, 1, 100_000_000, "rounds of a posted game");
const GAMES: Parameter = Parameter::integer(
    "work.games",
    1_000,
    1,
    100_000_000,
    "auctions of a sealed game, or cartels that are played",
);
const RESERVE: Parameter =
    Parameter::real("rule.reserve_credits", 1.0, 0.0, 1e6, "the most that a buyer pays, in credits per Gc");
const UNIT: Parameter = Parameter::real(
    "rule.unit_credits",
    0.1,
    0.000_001,
    1e3,
    "the smallest difference between two prices, in credits per Gc; at most 200 of them in the reserve of a posted game",
);
const KEEPS: Parameter = Parameter::real(
    "work.continuation_share",
    0.9,
    0.0,
    0.999,
    "the probability that there is another round, of a cartel (d of reference §5.4)",
);
const SESSION: Parameter = Parameter::real(
    "churn.session_trades",
    0.0,
    0.0,
    1e6,
    "how long sellers stay, in a cartel or a posted game, in trades of each in the mean; for ever: 0",
);
const IS_KNOWN: Parameter = Parameter::flag(
    "churn.is_reidentified",
    false,
    "whether who comes back is known for who it was, so that leaving changes nothing",
);
const NEWCOMERS: Parameter = Parameter::choice(
    "churn.newcomers",
    "competing",
    &["competing", "colluding"],
    "whether strangers in a cartel compete, which ends it, or ask for what the others ask",
);
const KEY: &str = "strategies.sellers";
const SEALED: &str = "sealed";
const CARTEL: &str = "grim-trigger";
/// The most prices that a posted game has besides zero.
const PRICES: u64 = 200;

const METRICS: &[Metric] = &[
    metric(
        "price_credits",
        CREDITS,
        "what a unit costs, in the mean over the last fifth of a posted game, or over a sealed one",
    ),
    metric("closed_price_credits", CREDITS, "the same by reference §5.4, at most a unit away"),
    metric(
        "lowest_price_credits",
        CREDITS,
        "the k-th lowest cost: where competition for k buyers begins (reference §5.4)",
    ),
    metric("highest_price_credits", CREDITS, "the (k + 1)-th lowest cost and a unit: where it ends"),
    metric("band_share", SHARE, "1 where the price is between the two"),
    metric("lerner_ratio", RATIO, "(price - lowest cost)/price"),
    metric("collusion_ratio", RATIO, "(p - p_N)/(p_M - p_N): 0 for competition, 1 for a monopoly"),
    metric("fairness_ratio", RATIO, "Jain's index of the sellers' incomes"),
    metric(
        "regret_credits",
        CREDITS,
        "what the best fixed price in hindsight would have earned the first seller more, for each round",
    ),
    metric(
        "markup_share",
        SHARE,
        "the part of the way from its cost to the highest cost that a seller adds, in the sealed game",
    ),
    metric("closed_markup_share", SHARE, "the same by reference §5.3: 1/n"),
    metric(
        "deviation_gain_credits",
        CREDITS,
        "what breaking a cartel earns more than keeping it, in the mean",
    ),
    metric(
        "closed_deviation_gain_credits",
        CREDITS,
        "the same by summation (reference §5.4, with the unit and with churn)",
    ),
    metric("holds_share", SHARE, "1 where breaking the cartel does not pay"),
    metric("closed_holds_share", SHARE, "the same by summation"),
    metric(
        "threshold_share",
        SHARE,
        "the least probability of another round with which a cartel without churn holds: about 1 - 1/n",
    ),
];

impl PricingGame {
    /// With the populations and strategies that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self { populations: Populations::standard(), pricers: Pricers::standard() }
    }

    /// The same with one more strategy of sellers that see each other's prices.
    #[must_use]
    pub fn with_pricer(self, kind: PricerKind) -> Self {
        Self { pricers: self.pricers.with(kind), ..self }
    }

    /// The choice of a strategy: those of posted games, and the two other games.
    fn strategies(&self) -> Parameter {
        let names = self.pricers.iter().map(|kind| kind.name).chain([SEALED, CARTEL]).collect();
        Parameter::named(
            KEY,
            "best-reply",
            names,
            "how sellers set prices; `sealed` and `grim-trigger` are games of their own",
        )
    }
}

impl Model for PricingGame {
    fn name(&self) -> &'static str {
        "pricing-game"
    }

    fn about(&self) -> &'static str {
        "Sellers that set prices round after round: by best replies, by learning, behind sealed bids, or as a cartel."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own =
            [SELLERS, BUYERS, CAPACITY, ROUNDS, GAMES, RESERVE, UNIT, KEEPS, SESSION, IS_KNOWN, NEWCOMERS];
        let all = self.populations.parameters().into_iter();
        let more = self.pricers.iter().flat_map(|kind| (kind.parameters)());
        own.into_iter().chain([self.strategies()]).chain(all).chain(more).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        let game = Game::of(setting);
        if game.unit > game.reserve {
            return Err(SettingError::new(UNIT.key, "expected at most `rule.reserve_credits`"));
        }
        let is_posted = self.pricers.find(setting.text(&self.strategies())).is_some();
        if is_posted && game.reserve.0 / game.unit.0.max(1) > PRICES {
            let why = format!("expected at least 1/{PRICES} of `rule.reserve_credits` in a posted game");
            return Err(SettingError::new(UNIT.key, why));
        }
        let session = setting.real(&SESSION);
        if session > 0.0 && session * (game.sellers as f64) < 1.0 {
            return Err(SettingError::new(
                SESSION.key,
                "expected 0, or a round at least: 1/`population.sellers`",
            ));
        }
        if Populations::name(setting) == ladder::KIND.name
            && ladder::Ladder::of(setting).lowest > setting.real(&RESERVE)
        {
            return Err(SettingError::new(ladder::LOWEST.key, "expected at most `rule.reserve_credits`"));
        }
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let game = Game::of(setting);
        let costs = self.populations.costs(setting);
        let mut dice = Dice::new(seed, "pricing-game", 0);
        let figures = match setting.text(&self.strategies()) {
            SEALED => {
                sealed::play(&game, &*costs, Populations::name(setting) == "uniform", setting, &mut dice)
            }
            CARTEL => cartel::play(&game, &*costs, setting, &mut dice),
            name => {
                let kind = self.pricers.find(name).ok_or(RunError::NoTrade)?;
                posted::play(&game, &*costs, kind, setting, &mut dice)?
            }
        };
        Ok(figures.outcome())
    }
}

/// The probability that a seller stays, in each round: of n sellers each trades every n-th round. Who comes back and is known
/// has never left.
fn stays(game: &Game, setting: &Setting) -> f64 {
    let session = setting.real(&SESSION);
    let leaves = session > 0.0 && !setting.flag(&IS_KNOWN);
    if leaves { 1.0 - 1.0 / (session * game.sellers as f64) } else { 1.0 }
}

/// What all three games have in common.
struct Game {
    sellers: usize,
    demand: usize,
    /// Units that a seller has; `None` for as many as are asked for.
    capacity: Option<usize>,
    reserve: Rate,
    unit: Rate,
}

impl Game {
    fn of(setting: &Setting) -> Self {
        let capacity = size(setting.count(&CAPACITY));
        Self {
            sellers: size(setting.count(&SELLERS)),
            demand: size(setting.count(&BUYERS)),
            capacity: (capacity > 0).then_some(capacity),
            reserve: rate(setting.real(&RESERVE)),
            unit: rate(setting.real(&UNIT)),
        }
    }
}

/// What a game comes to: those figures that it has.
#[derive(Default)]
struct Figures {
    trace: blake3::Hasher,
    price: Option<f64>,
    closed_price: Option<f64>,
    lowest: Option<f64>,
    highest: Option<f64>,
    lerner: Option<f64>,
    collusion: Option<f64>,
    fairness: Option<f64>,
    regret: Option<f64>,
    markup: Option<f64>,
    closed_markup: Option<f64>,
    gain: Option<f64>,
    closed_gain: Option<f64>,
    threshold: Option<f64>,
}

impl Figures {
    fn outcome(self) -> Outcome {
        let band = self.lowest.zip(self.highest).zip(self.price);
        let holds = |gain: f64| if gain <= 0.0 { 1.0 } else { 0.0 };
        Outcome::new(*self.trace.finalize().as_bytes())
            .with_some("price_credits", self.price)
            .with_some("closed_price_credits", self.closed_price)
            .with_some("lowest_price_credits", self.lowest)
            .with_some("highest_price_credits", self.highest)
            .with_some("band_share", band.map(|((low, high), price)| within(low, price, high)))
            .with_some("lerner_ratio", self.lerner)
            .with_some("collusion_ratio", self.collusion)
            .with_some("fairness_ratio", self.fairness)
            .with_some("regret_credits", self.regret)
            .with_some("markup_share", self.markup)
            .with_some("closed_markup_share", self.closed_markup)
            .with_some("deviation_gain_credits", self.gain)
            .with_some("closed_deviation_gain_credits", self.closed_gain)
            .with_some("holds_share", self.gain.map(holds))
            .with_some("closed_holds_share", self.closed_gain.map(holds))
            .with_some("threshold_share", self.threshold)
    }
}

/// 1 where `price` is between the two, give or take what adding figures up may lose.
fn within(low: f64, price: f64, high: f64) -> f64 {
    const SLACK: f64 = 1e-9;
    if (low - SLACK..=high + SLACK).contains(&price) { 1.0 } else { 0.0 }
}

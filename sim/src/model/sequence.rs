//! Buyers who come one after the other, each to a reverse Vickrey auction of what is left (experiment E2 of reference §5.7).
//!
//! One auction makes the truth best, a sequence does not: a seller that loses now may sell later, when cheaper ones are gone.
//! One seller tries two families of lies. It asks for the same all the time, or it asks for that until the last buyer and then
//! tells the truth; to ask for the reserve until then is *waiting*. The cure is to buy what was asked for together, at the ask
//! of the first loser.

use super::{CREDITS, SHARE, binomial, metric, size};
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::measure::{Gap, ratio};
use crate::population::uniform::Uniform;
use crate::population::{Costs, Populations, draw};
use crate::price::{credits, difference, rate};
use market::pricing::{Ask, lot, uniform, vickrey};
use proto::{CommandId, Rate};

/// Buyers who come one after the other.
#[derive(Clone)]
pub struct Sequence {
    populations: Populations,
}

const SELLERS: Parameter =
    Parameter::integer("population.sellers", 10, 2, 10_000, "how many sell one unit each");
const BUYERS: Parameter =
    Parameter::integer("population.buyers", 2, 1, 10_000, "how many buyers there can be; fewer than sellers");
const NEXT: Parameter =
    Parameter::real("work.next_share", 1.0, 0.0, 1.0, "the probability that one more buyer comes after each");
const RUNS: Parameter = Parameter::integer("work.sequences", 300, 1, 100_000_000, "sequences in a run");
const BUYING: Parameter = Parameter::choice(
    "rule.buying",
    "sequence",
    &["sequence", "batch"],
    "one auction for each buyer, or one for all of them at the ask of the first loser",
);
const RESERVE: Parameter =
    Parameter::real("rule.reserve_credits", 1.0, 0.0, 1e9, "the most that a buyer pays, in credits per Gc");
const STRATEGY: Parameter = Parameter::choice(
    "strategies.sellers",
    "truthful",
    &["truthful", "equilibrium"],
    "the cost, or c + (k - l)/(n - l) (1 - c) in round l of k among n sellers with costs spread over 0 to 1",
);
const STEPS: Parameter = Parameter::integer(
    "strategies.deviations",
    20,
    1,
    10_000,
    "asks that the first seller tries in each family",
);
const IS_FIXED: Parameter =
    Parameter::flag("strategies.is_cost_fixed", true, "whether the first seller always has the same cost");
const COST: Parameter = Parameter::real(
    "strategies.cost_credits",
    0.2,
    0.0,
    1e6,
    "that cost, in credits per Gc (reference §5.1: 0.2)",
);

const METRICS: &[Metric] = &[
    metric("total_credits", CREDITS, "what all buyers of a sequence pay together, in the mean"),
    metric(
        "closed_total_credits",
        CREDITS,
        "the same by reference §5.1, where all costs are spread over 0 to 1",
    ),
    metric("price_credits", CREDITS, "what a unit costs, in the mean"),
    metric(
        "truth_profit_credits",
        CREDITS,
        "what the first seller earns in a sequence by its strategy, in the mean",
    ),
    metric(
        "closed_truth_profit_credits",
        CREDITS,
        "the same by summation, for true asks and costs spread over 0 to 1",
    ),
    metric(
        "waiting_profit_credits",
        CREDITS,
        "what it earns by asking for the reserve until the last buyer comes",
    ),
    metric("closed_waiting_profit_credits", CREDITS, "the same by summation"),
    metric("gap_credits", CREDITS, "what the best of its lies earns more than its strategy, in the mean"),
    metric("gaining_share", SHARE, "sequences in which some lie earns more"),
    metric("sold_count", "units", "units that are sold in a sequence, in the mean"),
];

impl Sequence {
    /// With the populations that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self { populations: Populations::standard() }
    }
}

impl Model for Sequence {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn about(&self) -> &'static str {
        "Buyers one after the other, where who has sold leaves, and one seller that tries to sell later."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [SELLERS, BUYERS, NEXT, RUNS, BUYING, RESERVE, STRATEGY, STEPS, IS_FIXED, COST];
        own.into_iter().chain(self.populations.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        if setting.integer(&BUYERS) >= setting.integer(&SELLERS) {
            return Err(SettingError::new(BUYERS.key, "expected fewer buyers than `population.sellers`"));
        }
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let mut market = Market {
            sellers: size(setting.count(&SELLERS)),
            buyers: size(setting.count(&BUYERS)),
            is_batch: setting.text(&BUYING) == "batch",
            is_equilibrium: setting.text(&STRATEGY) == "equilibrium" && setting.text(&BUYING) != "batch",
            reserve: rate(setting.real(&RESERVE)),
            costs: Vec::new(),
            lots: Vec::new(),
            came: 1,
        };
        let costs = self.populations.costs(setting);
        let mut dice = Dice::new(seed, "sequence", 0);
        let steps = setting.count(&STEPS);
        let lies: Vec<Rate> =
            (1..=steps).map(|step| rate(credits(market.reserve) * step as f64 / steps as f64)).collect();
        let mut sums = Sums::new(lies.len() * 2);
        for _ in 0..setting.count(&RUNS) {
            let fixed = setting.flag(&IS_FIXED).then(|| rate(setting.real(&COST)));
            market.draw(&*costs, fixed, setting.real(&NEXT), &mut dice);
            sums.note(&market, &lies);
        }
        sums.outcome(closed(setting))
    }
}

/// What one sequence comes to.
struct Played {
    profit: f64,
    total: f64,
    sold: usize,
}

/// One sequence.
struct Market {
    sellers: usize,
    buyers: usize,
    is_batch: bool,
    is_equilibrium: bool,
    reserve: Rate,
    costs: Vec<Rate>,
    lots: Vec<CommandId>,
    /// How many buyers come.
    came: usize,
}

/// A lie of the first seller: what it asks for, and whether it tells the truth to the last buyer.
#[derive(Clone, Copy)]
struct Lie {
    ask: Rate,
    is_true_at_last: bool,
}

impl Market {
    fn draw(&mut self, costs: &dyn Costs, fixed: Option<Rate>, next: f64, dice: &mut Dice) {
        self.costs = (0..self.sellers).map(|who| rate(costs.cost(who, dice))).collect();
        if let (Some(first), Some(fixed)) = (self.costs.first_mut(), fixed) {
            *first = fixed;
        }
        self.lots = (0..self.buyers).map(|_| super::draw_id(dice)).collect();
        let more = (1..self.buyers).take_while(|_| draw::happens(dice, next)).count();
        self.came = more.saturating_add(1);
    }

    /// What a seller asks for in a round, counted from zero.
    fn ask(&self, who: usize, round: usize, lie: Option<Lie>) -> Rate {
        let cost = self.costs.get(who).copied().unwrap_or_default();
        let is_last = round.saturating_add(1) == self.buyers;
        match lie.filter(|_| who == 0) {
            Some(lie) if !(lie.is_true_at_last && is_last) => return lie.ask,
            Some(_) => return cost,
            None => {}
        }
        if !self.is_equilibrium {
            return cost;
        }
        let round = round.saturating_add(1);
        let (left, others) = (self.buyers.saturating_sub(round), self.sellers.saturating_sub(round));
        let cost = credits(cost);
        rate(cost + left as f64 / others as f64 * (1.0 - cost))
    }

    fn play(&self, lie: Option<Lie>) -> Played {
        let asks = |round: usize, id: CommandId| {
            move |who: usize| Ask { rate: self.ask(who, round, lie), lot: lot(id, super::key(who)), who }
        };
        let first = self.lots.first().copied().unwrap_or(CommandId([0; 16]));
        let profit = |price: Rate| difference(price, self.costs.first().copied().unwrap_or_default());
        if self.is_batch {
            let batch = uniform::clear((0..self.sellers).map(asks(0, first)), self.came, self.reserve);
            let has_sold = batch.winners.contains(&0);
            return Played {
                profit: if has_sold { profit(batch.price) } else { 0.0 },
                total: credits(batch.price) * batch.winners.len() as f64,
                sold: batch.winners.len(),
            };
        }
        let mut left: Vec<usize> = (0..self.sellers).collect();
        let mut played = Played { profit: 0.0, total: 0.0, sold: 0 };
        for (round, id) in self.lots.iter().take(self.came).enumerate() {
            let Some(sale) = vickrey::clear(left.iter().copied().map(asks(round, *id)), self.reserve) else {
                break;
            };
            left.retain(|who| *who != sale.winner);
            played.total += credits(sale.price);
            played.sold += 1;
            if sale.winner == 0 {
                played.profit = profit(sale.price);
            }
        }
        played
    }
}

struct Sums {
    sequences: f64,
    sold: f64,
    total: f64,
    profit: f64,
    waiting: f64,
    gap: Gap,
    trace: blake3::Hasher,
}

impl Sums {
    fn new(lies: usize) -> Self {
        let trace = blake3::Hasher::new();
        Self { sequences: 0.0, sold: 0.0, total: 0.0, profit: 0.0, waiting: 0.0, gap: Gap::new(lies), trace }
    }

    fn note(&mut self, market: &Market, lies: &[Rate]) {
        let truth = market.play(None);
        self.sequences += 1.0;
        self.sold += truth.sold as f64;
        self.total += truth.total;
        self.profit += truth.profit;
        let waiting = market.play(Some(Lie { ask: market.reserve, is_true_at_last: true }));
        self.waiting += waiting.profit;
        let families = [false, true].into_iter();
        let all = families
            .flat_map(|is_true_at_last| lies.iter().map(move |ask| Lie { ask: *ask, is_true_at_last }));
        self.gap.note(all.map(|lie| market.play(Some(lie)).profit - truth.profit));
        for figure in [truth.profit, truth.total, waiting.profit] {
            self.trace.update(&figure.to_le_bytes());
        }
    }

    fn outcome(self, closed: Closed) -> Result<Outcome, RunError> {
        let each = |sum: f64| ratio(sum, self.sequences).ok_or(RunError::NoTrade);
        let price = ratio(self.total, self.sold).ok_or(RunError::NoTrade)?;
        Ok(Outcome::new(*self.trace.finalize().as_bytes())
            .with("total_credits", each(self.total)?)
            .with_some("closed_total_credits", closed.total)
            .with("price_credits", price)
            .with("truth_profit_credits", each(self.profit)?)
            .with_some("closed_truth_profit_credits", closed.truth)
            .with("waiting_profit_credits", each(self.waiting)?)
            .with_some("closed_waiting_profit_credits", closed.waiting)
            .with_some("gap_credits", self.gap.before())
            .with_some("gaining_share", self.gap.gaining())
            .with("sold_count", each(self.sold)?))
    }
}

/// The closed forms, for costs spread over 0 to 1 and a reserve of 1.
#[derive(Default)]
struct Closed {
    total: Option<f64>,
    truth: Option<f64>,
    waiting: Option<f64>,
}

fn closed(setting: &Setting) -> Closed {
    let is_unit = Populations::name(setting) == "uniform"
        && Uniform::of(setting) == Uniform { low: 0.0, high: 1.0 }
        && setting.real(&RESERVE) == 1.0;
    if !is_unit {
        return Closed::default();
    }
    let (sellers, buyers) = (setting.count(&SELLERS), setting.count(&BUYERS));
    let (next, cost) = (setting.real(&NEXT), setting.real(&COST));
    let is_batch = setting.text(&BUYING) == "batch";
    let is_equilibrium = setting.text(&STRATEGY) == "equilibrium" && !is_batch;
    let comes = |round: u64| libm::pow(next, round as f64);
    let each = sellers as f64 + 1.0;
    // Round l, from zero: true asks have the (l + 2)-th lowest cost as the price, asks in equilibrium the (k + 1)-th.
    let round_price = |round: u64| if is_equilibrium { buyers + 1 } else { round + 2 } as f64 / each;
    let total = if is_batch {
        let stops =
            |came: u64| if came < buyers { comes(came - 1) * (1.0 - next) } else { comes(buyers - 1) };
        (1..=buyers).map(|came| stops(came) * (came * (came + 1)) as f64 / each).sum()
    } else {
        (0..buyers).map(|round| comes(round) * round_price(round)).sum::<f64>()
    };
    let is_drawn = !setting.flag(&IS_FIXED);
    let is_plain = !is_batch && !is_equilibrium && !is_drawn && cost <= 1.0;
    // With j others below its cost it sells in round j, at the least of those above.
    let truth = |j: u64| comes(j) * binomial(sellers - 1, j, cost) * (1.0 - cost) / (sellers - j) as f64;
    // The k-th lowest of the others, less the cost where that is positive: the integral of a binomial tail.
    let tail = |j: u64| (0..=j).map(|i| binomial(sellers, i, cost)).sum::<f64>() / sellers as f64;
    Closed {
        total: is_drawn.then_some(total),
        truth: is_plain.then(|| (0..buyers).map(truth).sum()),
        waiting: is_plain.then(|| comes(buyers - 1) * (0..buyers).map(tail).sum::<f64>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Value;
    use crate::model::tests::{closed_near, run, value};

    const MANY: (&str, &str) = ("work.sequences", "3000");

    #[test]
    fn waiting_earns_what_the_reference_has_measured() {
        // Reference §5.1, its own runs with a cost of 0.2. Its lie is one of the first round only, which is waiting where two
        // buyers come; where five come, to wait for the last of them earns far more than its 0.109.
        for (sellers, buyers, truth, waiting) in [
            ("5", "2", 0.150, 0.215),
            ("10", "2", 0.037, 0.047),
            ("10", "5", 0.098, 0.301),
            ("20", "10", 0.049_7, 0.290),
        ] {
            let given = [
                ("population.sellers", sellers),
                ("population.buyers", buyers),
                ("strategies.deviations", "1"),
                MANY,
            ];
            let outcome = run(&Sequence::standard(), &given, 1);
            closed_near(&outcome, "truth_profit_credits", 0.012);
            closed_near(&outcome, "waiting_profit_credits", 0.015);
            assert!((value(&outcome, "closed_truth_profit_credits") - truth).abs() < 0.004, "{outcome:?}");
            assert!(
                (value(&outcome, "closed_waiting_profit_credits") - waiting).abs() < 0.004,
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn all_buyers_together_pay_what_the_closed_forms_say() {
        for (strategy, buying) in
            [("truthful", "sequence"), ("equilibrium", "sequence"), ("truthful", "batch")]
        {
            for next in ["1.0", "0.5"] {
                if (strategy, next) == ("equilibrium", "0.5") {
                    continue; // The formula's sellers count on all buyers.
                }
                let given = [
                    ("strategies.sellers", strategy),
                    ("rule.buying", buying),
                    ("work.next_share", next),
                    ("population.buyers", "5"),
                    ("strategies.is_cost_fixed", "false"),
                    ("strategies.deviations", "1"),
                    MANY,
                ];
                closed_near(&run(&Sequence::standard(), &given, 1), "total_credits", 0.06);
            }
        }
        // Reference §5.1: n = 10, k = 5: 2.727 in equilibrium, 1.818 with true asks.
        let total = |strategy| {
            let given = [
                ("population.buyers", "5"),
                ("strategies.is_cost_fixed", "false"),
                ("strategies.sellers", strategy),
            ];
            value(&run(&Sequence::standard(), &given, 1), "closed_total_credits")
        };
        assert!((total("equilibrium") - 2.727).abs() < 0.001 && (total("truthful") - 1.818).abs() < 0.001);
    }

    #[test]
    fn costs_of_1_5_and_9_make_waiting_pay_when_the_next_buyer_is_likely() {
        for (next, gap) in [("0.0", 0.0), ("1.0", 4.0)] {
            let given = [
                ("population.costs", "ladder"),
                ("population.lowest_credits", "1.0"),
                ("population.step_credits", "4.0"),
                ("population.sellers", "3"),
                ("rule.reserve_credits", "10.0"),
                ("strategies.is_cost_fixed", "false"),
                ("work.next_share", next),
            ];
            assert_eq!(value(&run(&Sequence::standard(), &given, 1), "gap_credits"), gap);
        }
    }

    #[test]
    fn bought_together_no_lie_earns_more() {
        for next in ["0.5", "1.0"] {
            let given = [("rule.buying", "batch"), ("population.buyers", "5"), ("work.next_share", next)];
            let outcome = run(&Sequence::standard(), &given, 1);
            assert_eq!((value(&outcome, "gap_credits"), value(&outcome, "gaining_share")), (0.0, 0.0));
        }
    }

    #[test]
    fn in_equilibrium_no_lie_earns_noticeably_more() {
        let given = [("strategies.sellers", "equilibrium"), ("population.buyers", "5"), MANY];
        let gap = value(&run(&Sequence::standard(), &given, 1), "gap_credits");
        assert!(gap < 0.008, "{gap}");
    }

    #[test]
    fn more_buyers_than_sellers_are_refused() {
        let given = [("population.buyers", Value::Integer(10))];
        assert_eq!(Setting::new(&Sequence::standard(), given).expect_err("refused").key, "population.buyers");
    }
}

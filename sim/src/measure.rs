//! What is measured of a market: pure functions over figures (reference §5.6).
//!
//! Each says what it is `None` for, so that no experiment divides by nothing. The measures of networks (hops, time-outs,
//! staleness, time to match) are with the worlds that have networks: [`crate::ring`] and [`crate::bazaar`].

mod gap;

pub use gap::Gap;

/// `one / other`; none where that is no finite number.
#[must_use]
pub fn ratio(one: f64, other: f64) -> Option<f64> {
    let ratio = one / other;
    ratio.is_finite().then_some(ratio)
}

/// The mean; none of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), values.len() as f64)
}

/// Jain's index of fairness, `(Σx)² / (n·Σx²)`: 1 where all have the same, 1/n where one has everything; for seller's incomes
/// and the load of market owners. None where nobody has anything.
#[must_use]
pub fn jain(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|value| value * value).sum();
    ratio(sum * sum, values.len() as f64 * squares)
}

/// The Gini coefficient: 0 where all have the same, `1 − 1/n` where one has everything. None where nobody has anything.
#[must_use]
pub fn gini(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let weighted: f64 = sorted.iter().zip(1_u32..).map(|(value, rank)| f64::from(rank) * value).sum();
    let sum: f64 = sorted.iter().sum();
    ratio(2.0 * weighted, count * sum).map(|part| part - (count + 1.0) / count)
}

/// The greatest over the mean: how much more the most loaded one has than an even share. None where nobody has anything.
#[must_use]
pub fn max_over_mean(values: &[f64]) -> Option<f64> {
    let most = values.iter().copied().fold(0.0, f64::max);
    ratio(most, mean(values)?)
}

/// Lerner's index of market power, `(p − c)/p`: 0 for a price at cost. None for a price of zero.
#[must_use]
pub fn lerner(price: f64, cost: f64) -> Option<f64> {
    ratio(price - cost, price)
}

/// How much of the greatest welfare is realised, `W/W*`; none where none was to be had.
#[must_use]
pub fn efficiency(welfare: f64, greatest: f64) -> Option<f64> {
    ratio(welfare, greatest)
}

/// What strategic behaviour costs, `W*/W`: 1 where nothing is lost. None where nothing is realised.
#[must_use]
pub fn price_of_anarchy(greatest: f64, equilibrium: f64) -> Option<f64> {
    ratio(greatest, equilibrium)
}

/// How far prices are from competition (0) towards a monopoly (1): `(p − p_N)/(p_M − p_N)` (Calvano et al. 2020). None
/// where both are the same.
#[must_use]
pub fn collusion_index(price: f64, competitive: f64, monopoly: f64) -> Option<f64> {
    ratio(price - competitive, monopoly - competitive)
}

/// The regret of a learner for each round: what the best single action in hindsight would have earned, less what was earned.
/// `earned` and each of `actions` are sums over `rounds`. None without rounds or actions.
#[must_use]
pub fn regret(earned: f64, actions: &[f64], rounds: f64) -> Option<f64> {
    let best = actions.iter().copied().reduce(f64::max)?;
    ratio(best - earned, rounds)
}

/// What is left over: paid in, less paid out. Negative where the mechanism has to be paid for.
#[must_use]
pub fn budget(paid: f64, received: f64) -> f64 {
    paid - received
}

/// Busy core-seconds over those that there were; none without cores.
#[must_use]
pub fn utilisation(busy: f64, available: f64) -> Option<f64> {
    ratio(busy, available)
}

/// One piece of work: when it was asked for, when it was done, and how long it runs on its own, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// When it was asked for.
    pub asked: f64,
    /// When it was done.
    pub done: f64,
    /// How long it would have run had nobody else been there.
    pub alone: f64,
}

/// From the first piece asked for to the last one done, in seconds; none without work.
#[must_use]
pub fn makespan(work: &[Done]) -> Option<f64> {
    let first = work.iter().map(|piece| piece.asked).reduce(f64::min)?;
    let last = work.iter().map(|piece| piece.done).reduce(f64::max)?;
    Some(last - first)
}

/// The mean time from asked for to done, in seconds; none without work.
#[must_use]
pub fn mean_flow(work: &[Done]) -> Option<f64> {
    mean(&work.iter().map(|piece| piece.done - piece.asked).collect::<Vec<_>>())
}

/// The mean of flow time over running time alone: 1 where nobody waits. None without work, or with work of no length.
#[must_use]
pub fn mean_slowdown(work: &[Done]) -> Option<f64> {
    let each: Option<Vec<f64>> =
        work.iter().map(|piece| ratio(piece.done - piece.asked, piece.alone)).collect();
    mean(&each?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(name: &str, found: Option<f64>, expected: Option<f64>) {
        match (found, expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12, "{name}: {found}"),
            (found, expected) => assert_eq!(found, expected, "{name}"),
        }
    }

    #[test]
    fn measures_have_the_values_worked_by_hand() {
        check("jain of equals", jain(&[2.0, 2.0, 2.0]), Some(1.0));
        check("jain of one", jain(&[6.0, 0.0, 0.0]), Some(1.0 / 3.0));
        check("jain of 1, 2, 3", jain(&[1.0, 2.0, 3.0]), Some(36.0 / 42.0));
        check("jain of none", jain(&[0.0, 0.0]), None);
        check("gini of equals", gini(&[2.0, 2.0, 2.0]), Some(0.0));
        check("gini of one", gini(&[0.0, 6.0, 0.0]), Some(2.0 / 3.0));
        check("gini of 3, 1, 2", gini(&[3.0, 1.0, 2.0]), Some(2.0 / 9.0));
        check("gini of none", gini(&[]), None);
        check("most over mean", max_over_mean(&[1.0, 2.0, 6.0]), Some(2.0));
        check("lerner", lerner(200.0, 100.0), Some(0.5));
        check("lerner at nothing", lerner(0.0, 0.0), None);
        check("efficiency", efficiency(9.0, 10.0), Some(0.9));
        check("price of anarchy", price_of_anarchy(10.0, 8.0), Some(1.25));
        check("price of anarchy of nothing", price_of_anarchy(10.0, 0.0), None);
        check("collusion", collusion_index(0.6, 0.2, 1.0), Some(0.5));
        check("no room for collusion", collusion_index(1.0, 1.0, 1.0), None);
        check("regret", regret(30.0, &[10.0, 50.0, 40.0], 10.0), Some(2.0));
        check("regret of a good learner", regret(60.0, &[10.0, 50.0], 10.0), Some(-1.0));
        check("regret without actions", regret(1.0, &[], 10.0), None);
        check("budget", Some(budget(7.0, 9.0)), Some(-2.0));
        check("utilisation", utilisation(3.0, 4.0), Some(0.75));
    }

    #[test]
    fn times_of_three_pieces_on_one_core_are_those_worked_by_hand() {
        // Asked for together at 10, run one after the other for 2, 3 and 5 seconds.
        let piece = |done, alone| Done { asked: 10.0, done, alone };
        let work = [piece(12.0, 2.0), piece(15.0, 3.0), piece(20.0, 5.0)];
        check("makespan", makespan(&work), Some(10.0));
        check("flow", mean_flow(&work), Some(17.0 / 3.0));
        check("slowdown", mean_slowdown(&work), Some((1.0 + 5.0 / 3.0 + 2.0) / 3.0));
        check("slowdown of nothing", mean_slowdown(&[piece(12.0, 0.0)]), None);
        check("makespan of no work", makespan(&[]), None);
    }

    proptest! {
        #[test]
        fn fairness_is_between_one_share_and_equal_shares(values in prop::collection::vec(0.01..100.0_f64, 1..30)) {
            let count = values.len() as f64;
            let (jain, gini) = (jain(&values).unwrap(), gini(&values).unwrap());
            prop_assert!(jain >= 1.0 / count - 1e-9 && jain <= 1.0 + 1e-9);
            prop_assert!(gini >= -1e-9 && gini <= 1.0 - 1.0 / count + 1e-9);
        }

        #[test]
        fn fairness_does_not_know_the_currency(values in prop::collection::vec(0.01..100.0_f64, 2..30), times in 0.1..10.0_f64) {
            let scaled: Vec<f64> = values.iter().map(|value| value * times).collect();
            prop_assert!((jain(&values).unwrap() - jain(&scaled).unwrap()).abs() < 1e-9);
            prop_assert!((gini(&values).unwrap() - gini(&scaled).unwrap()).abs() < 1e-9);
        }
    }
}

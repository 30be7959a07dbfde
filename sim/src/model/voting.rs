//! Work that is done several times, by sellers of whom some lie (experiment E13 of reference §5.7).
//!
//! What the votes come to is decided by [`service::ballot`], the very function of a buyer's node. Liars in league all give the
//! same wrong result; others each give their own. With all r replicas bought at once, the greater half q of them wins; bought
//! as needed, first q and then one for each that is missing, the first to have q wins, which is the same result for less money.

use super::{SHARE, binomial, metric};
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting};
use crate::measure::ratio;
use crate::population::draw;
use crate::strategy::liar::{Kind as LiarKind, Liar, Liars};
use service::Difference;
use service::ballot::{Decision, Pair, Pairs, Terms, Voice, decide};

/// Votes on results of sellers of whom some lie.
#[derive(Clone)]
pub struct Voting {
    liars: Liars,
}

impl Voting {
    /// With the liars that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self { liars: Liars::standard() }
    }

    /// The same with one more sort of liars.
    #[must_use]
    pub fn with_liar(self, kind: LiarKind) -> Self {
        Self { liars: self.liars.with(kind) }
    }
}

const REPLICAS: Parameter = Parameter::integer(
    "rule.replicas_count",
    3,
    1,
    99,
    "executions of a sub-task (r); the greater half has to agree",
);
const BUYING: Parameter = Parameter::choice(
    "rule.buying",
    "at-once",
    &["at-once", "as-needed"],
    "all replicas at once, or first as many as have to agree and then one for each that is missing",
);
const LIARS: Parameter =
    Parameter::real("strategies.liar_share", 0.1, 0.0, 1.0, "the share of sellers that lie (f)");
const TASKS: Parameter = Parameter::integer("work.sub_tasks", 2_000, 1, 100_000_000, "sub-tasks in a run");

const METRICS: &[Metric] = &[
    metric("wrong_share", SHARE, "sub-tasks whose result is wrong"),
    metric(
        "closed_wrong_share",
        SHARE,
        "the same: the sum of C(r,j) f^j (1-f)^(r-j) over j of the greater half, for liars in league",
    ),
    metric("undecided_share", SHARE, "sub-tasks without a quorum"),
    metric("closed_undecided_share", SHARE, "the same by summation"),
    metric("replicas_count", "count", "executions that are bought for a sub-task, in the mean: its cost"),
    metric("closed_replicas_count", "count", "the same by summation"),
    metric("right_share", SHARE, "sub-tasks whose result is right"),
];

impl Model for Voting {
    fn name(&self) -> &'static str {
        "voting"
    }

    fn about(&self) -> &'static str {
        "Sub-tasks that are executed several times by sellers of whom some lie, decided by the buyer's own count of votes."
    }

    fn parameters(&self) -> Vec<Parameter> {
        [REPLICAS, BUYING, LIARS, TASKS].into_iter().chain(self.liars.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let poll = Poll::of(setting, self.liars.liar(setting));
        let mut dice = Dice::new(seed, "voting", 0);
        let mut trace = blake3::Hasher::new();
        let (mut wrong, mut undecided, mut replicas) = (0.0, 0.0, 0.0);
        let tasks = setting.count(&TASKS);
        for _ in 0..tasks {
            let (end, bought) = poll.hold(&mut dice)?;
            replicas += f64::from(bought);
            match end {
                Some(true) => {}
                Some(false) => wrong += 1.0,
                None => undecided += 1.0,
            }
            trace
                .update(&[u8::from(end == Some(true)), u8::from(end == Some(false))])
                .update(&bought.to_le_bytes());
        }
        let share = |count: f64| ratio(count, tasks as f64).ok_or(RunError::NoTrade);
        let closed = poll.closed();
        Ok(Outcome::new(*trace.finalize().as_bytes())
            .with("wrong_share", share(wrong)?)
            .with_some("closed_wrong_share", closed.wrong)
            .with("undecided_share", share(undecided)?)
            .with_some("closed_undecided_share", closed.undecided)
            .with("replicas_count", share(replicas)?)
            .with_some("closed_replicas_count", closed.replicas)
            .with("right_share", 1.0 - share(wrong)? - share(undecided)?))
    }
}

/// The right result.
const RIGHT: u32 = 0;

/// How votes are held.
struct Poll {
    terms: Terms,
    is_at_once: bool,
    liars: f64,
    liar: Box<dyn Liar>,
    /// Which of them, where the closed forms know it.
    sort: Sort,
}

/// The liars that there are closed forms for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    League,
    Alone,
    Other,
}

/// The closed forms.
#[derive(Default)]
struct Closed {
    wrong: Option<f64>,
    undecided: Option<f64>,
    replicas: Option<f64>,
}

impl Poll {
    fn of(setting: &Setting, liar: Box<dyn Liar>) -> Self {
        let most = u32::try_from(setting.count(&REPLICAS)).unwrap_or(1);
        Self {
            terms: Terms { quorum: most / 2 + 1, most },
            is_at_once: setting.text(&BUYING) == "at-once",
            liars: setting.real(&LIARS),
            liar,
            sort: match Liars::name(setting) {
                "league" => Sort::League,
                "alone" => Sort::Alone,
                _ => Sort::Other,
            },
        }
    }

    /// Whether the result is right, or none without a quorum; and how many replicas were bought.
    ///
    /// # Errors
    /// A decision that cannot follow where every replica has a result: a defect of the ballot.
    fn hold(&self, dice: &mut Dice) -> Result<(Option<bool>, u32), RunError> {
        let mut results: Vec<u32> = Vec::new();
        let mut voices = Vec::new();
        let mut pairs = Pairs::default();
        let mut more = if self.is_at_once { self.terms.most } else { self.terms.quorum };
        loop {
            for _ in 0..more {
                let index = u32::try_from(results.len()).unwrap_or(u32::MAX);
                let result = if draw::happens(dice, self.liars) { self.liar.result(index) } else { RIGHT };
                for (other, known) in (0..).zip(&results) {
                    let pair =
                        if *known == result { Pair::Same } else { Pair::Different(Difference::default()) };
                    pairs.note(other, index, pair);
                }
                results.push(result);
                voices.push((index, Voice::Result));
            }
            let bought = u32::try_from(results.len()).unwrap_or(u32::MAX);
            match decide(&voices, &pairs, self.terms) {
                Decision::Elect(index) => {
                    let at = super::size(index.into());
                    return Ok((Some(results.get(at) == Some(&RIGHT)), bought));
                }
                Decision::NoQuorum => return Ok((None, bought)),
                Decision::More(missing) if missing > 0 => more = missing,
                other => return Err(RunError::Failed(format!("the ballot says {other:?} of results alone"))),
            }
        }
    }

    fn closed(&self) -> Closed {
        let (most, quorum) = (u64::from(self.terms.most), u64::from(self.terms.quorum));
        let at_least =
            |probability: f64| (quorum..=most).map(|count| binomial(most, count, probability)).sum::<f64>();
        let (liars, honest) = (self.liars, 1.0 - self.liars);
        let wrong = match (self.sort, most) {
            (Sort::Other, _) => return Closed::default(),
            (Sort::League, _) | (Sort::Alone, 1) => at_least(liars),
            (Sort::Alone, _) => 0.0,
        };
        // Bought as needed, it ends with the replica that gives one side its q-th vote. Liars without a league have no side;
        // that more are then bought at a time than one makes the sum another, which is not given here.
        let ends = |count: u64, side: f64| side * binomial(count - 1, quorum - 1, side);
        let race = || {
            (quorum..=most)
                .map(|count| count as f64 * (ends(count, liars) + ends(count, honest)))
                .sum::<f64>()
        };
        let is_odd = most % 2 == 1;
        let replicas = match (self.is_at_once, self.sort == Sort::League && is_odd) {
            (true, _) => Some(most as f64),
            (false, true) => Some(race()),
            (false, false) => None,
        };
        Closed { wrong: Some(wrong), undecided: Some((1.0 - wrong - at_least(honest)).max(0.0)), replicas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{closed_near, run, value};

    #[test]
    fn wrong_results_are_as_many_as_the_binomial_sum_says() {
        for replicas in ["1", "3", "5", "4"] {
            for liars in ["0.0", "0.1", "0.5", "1.0"] {
                for league in ["league", "alone"] {
                    for buying in ["at-once", "as-needed"] {
                        let given = [
                            ("rule.replicas_count", replicas),
                            ("strategies.liar_share", liars),
                            ("strategies.liars", league),
                            ("rule.buying", buying),
                            ("work.sub_tasks", "4000"),
                        ];
                        let outcome = run(&Voting::standard(), &given, 1);
                        // Four standard deviations of a share of 4,000, at most 0.032.
                        closed_near(&outcome, "wrong_share", 0.032);
                        closed_near(&outcome, "undecided_share", 0.032);
                        if outcome.value("closed_replicas_count").is_some() {
                            closed_near(&outcome, "replicas_count", 0.05);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn three_replicas_with_a_tenth_of_liars_fail_once_in_thirty_six() {
        let outcome = run(&Voting::standard(), &[], 1);
        assert!((value(&outcome, "closed_wrong_share") - 0.028).abs() < 1e-12);
        let needed = run(&Voting::standard(), &[("rule.buying", "as-needed")], 1);
        // Two, and a third where they differ: 2 + 2·0.1·0.9.
        assert!((value(&needed, "closed_replicas_count") - 2.18).abs() < 1e-12);
    }
}

//! Buyers and sellers that lie about a result before the bank: does it pay?
//!
//! Bank, contracts, disputes and arbiters are those of [`crate::court`], the shipping bank among scripted parties. Money is
//! counted there; what work costs a seller, and what a result is worth to a buyer, are assumptions of this model.

use super::{CREDITS, SHARE, metric, size};
use crate::court::{self, Arbiter, Buyer, Case, Expected, Outcome as Judged, Owner, Roles, Seller};
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting};
use crate::kinds::{Chosen, Kinds, Named};
use crate::net::Model as Net;
use crate::network::Latency;
use proto::message::bank::How;
use proto::{Rules, Span};

/// Lies about results, and what they earn.
#[derive(Clone)]
pub struct Honesty {
    buyers: Kinds<Buyer>,
    sellers: Kinds<Seller>,
}

const BOND: Parameter = Parameter::integer(
    "rule.bond_pct",
    0,
    0,
    100,
    "what a seller puts up when it takes a contract, in percent of the hold",
);
const COST: Parameter = Parameter::real(
    "population.cost_share",
    0.8,
    0.0,
    1.0,
    "what work costs a seller that does it, of its price",
);
const VALUE: Parameter = Parameter::real(
    "population.value_ratio",
    1.5,
    0.0,
    100.0,
    "what a right result is worth to its buyer, over its price",
);
const CONTRACTS: Parameter =
    Parameter::integer("work.contracts", 4, 1, 200, "contracts in a run, of buyers and sellers of their own");
/// Two seconds between contracts.
const EVERY: Span = Span::secs(2);
/// Nodes that may be drawn as arbiters.
const BYSTANDERS: usize = 4;

const METRICS: &[Metric] = &[
    metric(
        "lie_gain_credits",
        CREDITS,
        "what a contract earns who lies more than an honest one in its place; 0 if nobody lies",
    ),
    metric("victim_gain_credits", CREDITS, "the same for the other side"),
    metric(
        "buyer_credits",
        CREDITS,
        "what a contract earns its buyer: the worth of the result, less all it pays",
    ),
    metric("honest_buyer_credits", CREDITS, "the same where nobody lies"),
    metric(
        "seller_credits",
        CREDITS,
        "what a contract earns its seller: all it gets, less the cost of the work that it does",
    ),
    metric("honest_seller_credits", CREDITS, "the same where nobody lies"),
    metric("arbiter_credits", CREDITS, "what arbiters get for a contract"),
    metric("arbiters_count", "count", "arbiters that are drawn for a contract"),
    metric("paid_share", SHARE, "contracts that end with the seller paid"),
];

impl Honesty {
    /// With the parties that ship.
    #[must_use]
    pub fn standard() -> Self {
        use Buyer::{Absent, Idle, Quarrelsome, Secretive, Silent};
        use Seller::{Declining, Hasty, Inflating, Late, Lazy, Replaying, Vanishing, Withholding};
        Self {
            buyers: Kinds::new(vec![
                Buyer::Honest,
                Silent,
                Absent,
                Quarrelsome,
                Secretive,
                Buyer::Yielding,
                Idle,
            ]),
            sellers: Kinds::new(vec![
                Seller::Honest,
                Lazy,
                Seller::Yielding,
                Inflating,
                Withholding,
                Hasty,
                Replaying,
                Vanishing,
                Late,
                Declining,
            ]),
        }
    }
}

impl Named for Buyer {
    fn name(&self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Silent => "silent",
            Self::Absent => "absent",
            Self::Quarrelsome => "quarrelsome",
            Self::Secretive => "secretive",
            Self::Yielding => "yielding",
            Self::Broke => "broke",
            Self::OwnSeller => "own-seller",
            Self::Idle => "idle",
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }
}

impl Chosen for Buyer {
    const KEY: &'static str = "strategies.buyers";
    const ABOUT: &'static str = "how buyers treat contracts and results";
    const USUAL: Self = Self::Honest;
}

impl Named for Seller {
    fn name(&self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Lazy => "lazy",
            Self::LazyBroke => "lazy-broke",
            Self::Yielding => "yielding",
            Self::Inflating => "inflating",
            Self::Withholding => "withholding",
            Self::Hasty => "hasty",
            Self::Replaying => "replaying",
            Self::Vanishing => "vanishing",
            Self::Late => "late",
            Self::Declining => "declining",
            Self::Failing => "failing",
            Self::Migrating => "migrating",
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }
}

impl Chosen for Seller {
    const KEY: &'static str = "strategies.sellers";
    const ABOUT: &'static str = "how sellers treat contracts and results";
    const USUAL: Self = Self::Honest;
}

impl Model for Honesty {
    fn name(&self) -> &'static str {
        "honesty"
    }

    fn about(&self) -> &'static str {
        "Buyers and sellers that lie about results, before the shipping bank and its arbiters: what a lie earns."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [BOND, COST, VALUE, CONTRACTS];
        own.into_iter().chain(self.buyers.parameters()).chain(self.sellers.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let roles = Roles {
            buyer: self.buyers.chosen(setting),
            seller: self.sellers.chosen(setting),
            owner: Owner::Honest,
        };
        let run = |roles| court::run(&case(setting, roles), seed).map_err(RunError::Violation);
        let (judged, fair) = (run(roles)?, run(Roles::HONEST)?);
        // What the work costs by its ticket, in the world without lies.
        let price = fair.work;
        let count = setting.count(&CONTRACTS) as f64;
        let earned = |roles, judged: &Judged| {
            let worth = if gets_result(roles) { float(price) * setting.real(&VALUE) } else { 0.0 };
            let effort = if works(roles.seller) { float(price) * setting.real(&COST) } else { 0.0 };
            ((float(judged.gains.buyer) + worth) / count, (float(judged.gains.seller) - effort) / count)
        };
        let (lying, honest) = (earned(roles, &judged), earned(Roles::HONEST, &fair));
        let (buyer, seller) = (lying.0 - honest.0, lying.1 - honest.1);
        let (liar, victim) = if roles.seller == Seller::Honest { (buyer, seller) } else { (seller, buyer) };
        let is_paid = |how: &How| matches!(how, How::Settled | How::Lapsed | How::Upheld | How::Undecided);
        let paid: u32 = judged.ends.iter().filter(|(how, _)| is_paid(how)).map(|(_, count)| *count).sum();
        Ok(Outcome::new(judged.head.0)
            .with("lie_gain_credits", liar)
            .with("victim_gain_credits", victim)
            .with("buyer_credits", lying.0)
            .with("honest_buyer_credits", honest.0)
            .with("seller_credits", lying.1)
            .with("honest_seller_credits", honest.1)
            .with("arbiter_credits", float(judged.gains.arbiter) / count)
            .with("arbiters_count", f64::from(judged.drawn) / count)
            .with("paid_share", f64::from(paid) / count))
    }
}

fn case(setting: &Setting, roles: Roles) -> Case {
    let bond_percent = u16::try_from(setting.count(&BOND)).unwrap_or(100);
    Case {
        name: "honesty",
        about: "does a lie about a result pay",
        rules: Rules { bond_percent, ..Rules::LOCAL },
        net: Net {
            latency: Latency::Exponential { least: Span::millis(5), mean: Span::millis(15) },
            loss: 20,
            duplication: 20,
        },
        deals: vec![roles; size(setting.count(&CONTRACTS))],
        every: EVERY,
        arbiters: vec![Arbiter::Honest],
        bystanders: BYSTANDERS,
        upsets: Vec::new(),
        forgers: 0,
        expected: Expected::AsRolesHaveIt,
    }
}

/// Whether a seller does the work, whatever it says of it.
const fn works(seller: Seller) -> bool {
    matches!(
        seller,
        Seller::Honest | Seller::Inflating | Seller::Withholding | Seller::Late | Seller::Migrating
    )
}

/// Whether the buyer ends up with the right outputs in its hands.
const fn gets_result(roles: Roles) -> bool {
    matches!(roles.seller, Seller::Honest | Seller::Inflating)
        && !matches!(roles.buyer, Buyer::Absent | Buyer::Idle)
}

/// Micro-credits as credits.
#[expect(clippy::cast_precision_loss, reason = "sums of a few contracts")]
fn float(micro: i128) -> f64 {
    micro as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{run, value};

    /// What a lie earns, and how many contracts are paid.
    fn check(buyer: &str, seller: &str, earns: std::ops::RangeInclusive<f64>, paid: f64) {
        let given = [("strategies.buyers", buyer), ("strategies.sellers", seller)];
        let outcome = run(&Honesty::standard(), &given, 1);
        let gain = value(&outcome, "lie_gain_credits");
        assert!(earns.contains(&gain), "{buyer} {seller}: {outcome:?}");
        assert_eq!(value(&outcome, "paid_share"), paid, "{buyer} {seller}: {outcome:?}");
    }

    #[test]
    fn lies_about_results_earn_nothing() {
        const LOSS: std::ops::RangeInclusive<f64> = -1e6..=-1e-9;
        check("honest", "honest", 0.0..=0.0, 1.0);
        check("silent", "honest", -1e-9..=1e-9, 1.0);
        check("absent", "honest", LOSS, 0.0);
        check("quarrelsome", "honest", LOSS, 1.0);
        check("secretive", "honest", LOSS, 1.0);
        check("honest", "lazy", LOSS, 0.0);
        check("honest", "inflating", LOSS, 0.0);
        check("honest", "vanishing", LOSS, 0.0);
    }
}

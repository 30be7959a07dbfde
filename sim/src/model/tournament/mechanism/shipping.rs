//! The double auctions of [`market::pricing`].

use super::{Case, Kind, Mechanism, Traded, pairs};
use crate::experiment::Parameter;
use market::pricing::k_double::{self, Share};
use market::pricing::mcafee;

/// McAfee's (1992): all k trades at one price, or k − 1 of them.
pub(super) const MCAFEE: Kind = Kind {
    name: "mcafee",
    about: "McAfee's double auction: all trades that gain at one price between, or all but the last",
    parameters: Vec::new,
    mechanism: |_| Box::new(McAfee),
};

/// Always k − 1 trades.
pub(super) const TRADE_REDUCTION: Kind = Kind {
    name: "trade-reduction",
    about: "all trades that gain but the last, at the prices of the last",
    parameters: Vec::new,
    mechanism: |_| Box::new(Reduced),
};

/// One price between the limits.
pub(super) const K_DOUBLE: Kind = Kind {
    name: "k-double",
    about: "all trades that gain, at one price between the last bid and the last ask",
    parameters: || vec![KAPPA],
    mechanism: |setting| {
        let kappa = u32::try_from(setting.count(&KAPPA)).unwrap_or(100);
        Box::new(KDouble(Share::new(kappa, 100)))
    },
};

const KAPPA: Parameter = Parameter::integer(
    "rule.kappa_pct",
    50,
    0,
    100,
    "where the k-double auction puts its price between the limits, in percent",
);

struct McAfee;
struct Reduced;
struct KDouble(Option<Share>);

impl Mechanism for McAfee {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        pairs(mcafee::clear(case.lots_of_buyers(), case.lots_of_sellers()))
    }
}

impl Mechanism for Reduced {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        pairs(mcafee::reduced(case.lots_of_buyers(), case.lots_of_sellers()))
    }
}

impl Mechanism for KDouble {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        pairs(self.0.and_then(|share| k_double::clear(case.lots_of_buyers(), case.lots_of_sellers(), share)))
    }
}

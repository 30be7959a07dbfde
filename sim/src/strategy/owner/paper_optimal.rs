//! The owner of Lemma 1: it names the lowest cost truly and twice that as the highest, whatever the highest is, for
//! `K·(x − a)/x²` is largest at x = 2a (paper, IV-B2; reference §5.3). Under other rules it is honest.

use super::{Deal, Kind, Owner, Stall, by_report, by_the_rule, sorted, twice};
use proto::rules::PricingRule;

/// Who names x = 2a.
pub(super) const KIND: Kind = Kind {
    name: "paper-optimal",
    about: "names the lowest cost truly and twice that as the highest (Lemma 1)",
    parameters: Vec::new,
    owner: |_| Box::new(PaperOptimal),
};

struct PaperOptimal;

impl Owner for PaperOptimal {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        if stall.rule != PricingRule::MaxMin {
            return by_the_rule(stall);
        }
        let lowest = sorted(stall).first().copied()?;
        // What the rule reckons with as the lowest cost is never below its floor.
        let least = lowest.rate.max(stall.terms.floor).max(proto::Rate(1));
        by_report(stall, lowest, twice(least))
    }
}

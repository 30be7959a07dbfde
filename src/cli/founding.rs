//! What the founder of a network can decide on the command line.

use clap::Args;
use proto::rules::{Placement, PricingRule, Rules};
use proto::{Money, Rate};
use std::ffi::OsString;

/// What is wrong with a rule that is no rule.
const RULES: &str =
    "expected vickrey, first-price, max-min, posted, posted:CREDITS, uniform or vcg, such as posted:0.2";

/// The founder's decisions; what is left away is as the network's kind has it.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Rules of the new network")]
pub(crate) struct Founding {
    /// How matches are priced: vickrey, first-price, max-min, posted[:CREDITS per Gc], uniform or vcg
    /// [default: vickrey]
    #[arg(long, value_name = "RULE", value_parser = pricing)]
    pub(crate) pricing: Option<Pricing>,
    /// What a market owner gets for a settled contract, in credits [default: 0.01]
    #[arg(long, value_name = "CREDITS", value_parser = fee)]
    pub(crate) owner_fee: Option<Money>,
    /// Which node owns a market: single (by capacity, over one ring) or processor (by hash, with a second ring)
    /// [default: single]
    #[arg(long, value_name = "SCHEME", value_parser = placement)]
    pub(crate) placement: Option<Placement>,
}

/// A pricing rule, with the price that is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pricing {
    rule: PricingRule,
    posted: Option<Rate>,
}

impl Founding {
    /// Whether anything was decided.
    pub(crate) fn is_some(&self) -> bool {
        *self != Self::default()
    }

    /// `rules` with the founder's decisions.
    pub(crate) fn applied_to(&self, rules: Rules) -> Rules {
        let mut rules = rules;
        if let Some(Pricing { rule, posted }) = self.pricing {
            rules.rule = rule;
            rules.pricing.posted = posted.unwrap_or(rules.pricing.posted);
        }
        rules.owner_fee = self.owner_fee.unwrap_or(rules.owner_fee);
        rules.placement = self.placement.unwrap_or(rules.placement);
        rules
    }

    /// The same decisions as arguments of `bank serve`.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let pricing = self.pricing.map(|Pricing { rule, posted }| match posted {
            Some(price) => format!("{}:{price}", rule.name()),
            None => rule.name().to_owned(),
        });
        let decided = [
            ("--pricing", pricing),
            ("--owner-fee", self.owner_fee.map(|fee| fee.to_string())),
            ("--placement", self.placement.map(|scheme| scheme.name().to_owned())),
        ];
        let given = decided.into_iter().filter_map(|(flag, value)| Some([flag.into(), value?.into()]));
        given.flatten().collect()
    }
}

fn pricing(text: &str) -> Result<Pricing, String> {
    let (name, price) = text.split_once(':').map_or((text, None), |(name, price)| (name, Some(price)));
    let rule = PricingRule::ALL.into_iter().find(|rule| rule.name() == name).ok_or(RULES)?;
    let posted = match price {
        None => None,
        Some(price) if rule == PricingRule::Posted => Some(price.parse().map_err(|_| RULES)?),
        Some(_) => return Err(format!("only posted has a price of its own, as in posted:0.2; {RULES}")),
    };
    Ok(Pricing { rule, posted })
}

fn fee(text: &str) -> Result<Money, String> {
    text.parse().map_err(|_| "expected credits with at most six decimals, such as 0.01".to_owned())
}

fn placement(text: &str) -> Result<Placement, String> {
    let scheme = Placement::ALL.into_iter().find(|scheme| scheme.name() == text);
    scheme.ok_or_else(|| "expected single or processor".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(PricingRule, Option<Rate>), &str>) {
        let read = pricing(text).map(|pricing| (pricing.rule, pricing.posted));
        assert_eq!(read, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn every_rule_is_read_by_its_name() {
        for rule in PricingRule::ALL {
            check(rule.name(), Ok((rule, None)));
        }
        check("posted:0.25", Ok((PricingRule::Posted, Some(Rate(250_000)))));
        check("posted:", Err(RULES));
        check("posted:-1", Err(RULES));
        check("Vickrey", Err(RULES));
        let only = format!("only posted has a price of its own, as in posted:0.2; {RULES}");
        check("uniform:1", Err(&only));
    }

    #[test]
    fn what_was_decided_changes_the_rules_and_is_passed_on() {
        let nothing = Founding::default();
        assert!(!nothing.is_some() && nothing.arguments().is_empty());
        assert_eq!(nothing.applied_to(Rules::LOCAL), Rules::LOCAL);
        let founding = Founding {
            pricing: Some(pricing("posted:0.3").unwrap()),
            owner_fee: Some(Money(5)),
            placement: Some(Placement::Processor),
        };
        let rules = founding.applied_to(Rules::LOCAL);
        let decided = (rules.rule, rules.pricing.posted, rules.owner_fee, rules.placement);
        assert_eq!(decided, (PricingRule::Posted, Rate(300_000), Money(5), Placement::Processor));
        let line = ["--pricing", "posted:0.3", "--owner-fee", "0.000005", "--placement", "processor"];
        assert_eq!(founding.arguments(), line.map(OsString::from));
    }
}

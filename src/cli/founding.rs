//! What the founder of a network can decide on the command line.

use super::value;
use clap::Args;
use proto::rules::{Placement, PricingRule, Rules};
use proto::{Money, Rate, Span};
use std::ffi::OsString;

/// The most work that a network may ask for: at 2^40 hashes a newcomer would give up.
pub(crate) const MAX_WORK_BITS: i64 = 40;
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
    /// What a new account starts with, in credits [default: 1000]
    #[arg(long, value_name = "CREDITS", value_parser = fee)]
    pub(crate) grant: Option<Money>,
    /// How many accounts one address may open in a day; 0 for any number [default: 16, with --local-rules any number]
    #[arg(long, value_name = "N")]
    pub(crate) accounts_per_address: Option<u32>,
    /// How many zero bits the proof of work for a new account has; each doubles it [default: 18, with --local-rules 0]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(0..=MAX_WORK_BITS))]
    pub(crate) proof_of_work: Option<u32>,
    /// New accounts need an invitation of the operator (`bank invite`)
    #[arg(long)]
    pub(crate) invite_only: bool,
    /// What a seller puts up as a bond for each contract, in percent of its price [default: 0]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub(crate) bond: Option<u16>,
    /// How long a buyer may object to a claim, and an arbiter has [default: 10m, with --local-rules 30s]
    #[arg(long, value_name = "TIME", value_parser = window)]
    pub(crate) dispute: Option<Span>,
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
        rules.initial_grant = self.grant.unwrap_or(rules.initial_grant);
        let admission = &mut rules.admission;
        admission.per_address = self.accounts_per_address.unwrap_or(admission.per_address);
        admission.work_bits = self.proof_of_work.unwrap_or(admission.work_bits);
        admission.is_by_invitation |= self.invite_only;
        rules.bond_percent = self.bond.unwrap_or(rules.bond_percent);
        rules.dispute = self.dispute.unwrap_or(rules.dispute);
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
            ("--grant", self.grant.map(|grant| grant.to_string())),
            ("--accounts-per-address", self.accounts_per_address.map(|count| count.to_string())),
            ("--proof-of-work", self.proof_of_work.map(|bits| bits.to_string())),
            ("--bond", self.bond.map(|percent| percent.to_string())),
            ("--dispute", self.dispute.map(|span| format!("{}ms", span.0.div_ceil(1_000)))),
        ];
        let given = decided.into_iter().filter_map(|(flag, value)| Some([flag.into(), value?.into()]));
        let flags = self.invite_only.then(|| OsString::from("--invite-only"));
        given.flatten().chain(flags).collect()
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

/// How long buyers may object: no shorter than messages take, no longer than a hold may be.
fn window(text: &str) -> Result<Span, String> {
    let wrong = || "expected a time from 1s to 24h, such as 10m".to_owned();
    let span = value::duration(text)?.as_micros();
    let span = u64::try_from(span).map(Span).map_err(|_| wrong())?;
    if (Span::secs(1)..=Span::secs(86_400)).contains(&span) { Ok(span) } else { Err(wrong()) }
}

fn placement(text: &str) -> Result<Placement, String> {
    let scheme = Placement::ALL.into_iter().find(|scheme| scheme.name() == text);
    scheme.ok_or_else(|| "expected single or processor".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::admission::Admission;

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
            grant: Some(Money::credits(5)),
            accounts_per_address: Some(3),
            proof_of_work: Some(20),
            invite_only: true,
            bond: Some(25),
            dispute: Some(window("90s").unwrap()),
        };
        let rules = founding.applied_to(Rules::LOCAL);
        let decided = (rules.rule, rules.pricing.posted, rules.owner_fee, rules.placement);
        assert_eq!(decided, (PricingRule::Posted, Rate(300_000), Money(5), Placement::Processor));
        let admission = Admission { per_address: 3, work_bits: 20, is_by_invitation: true };
        assert_eq!((rules.initial_grant, rules.admission), (Money::credits(5), admission));
        assert_eq!((rules.bond_percent, rules.dispute), (25, Span::secs(90)));
        let line = "--pricing posted:0.3 --owner-fee 0.000005 --placement processor --grant 5 \
                    --accounts-per-address 3 --proof-of-work 20 --bond 25 --dispute 90000ms --invite-only";
        assert_eq!(founding.arguments(), line.split(' ').map(OsString::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_time_to_object_is_neither_too_short_nor_too_long() {
        assert_eq!(window("1s"), Ok(Span::secs(1)));
        assert_eq!(window("24h"), Ok(Span::secs(86_400)));
        assert!(window("999ms").is_err() && window("25h").is_err() && window("soon").is_err());
    }
}

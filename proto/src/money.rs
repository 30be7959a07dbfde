//! Money: integer micro-credits, and prices per work. No floating point anywhere.

use crate::quantity::Cycles;
use std::fmt;
use std::str::FromStr;

/// Micro-credits in one credit.
pub const MICRO_PER_CREDIT: u64 = 1_000_000;
/// Cycles in one Gc, the unit that rates refer to.
const CYCLES_PER_GC: u128 = 1_000_000_000;

/// An amount of money in micro-credits (1 credit = 10⁶ micro-credits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub u64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `n` whole credits; saturates.
    #[must_use]
    pub const fn credits(n: u64) -> Self {
        Self(n.saturating_mul(MICRO_PER_CREDIT))
    }

    /// The sum, or `None` where it cannot be represented.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` where it would be negative.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
}

/// A price of work in micro-credits per Gc (10⁹ cycles): asks, bids and clearing prices are rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u64);

impl Rate {
    /// What `cycles` cost at this rate, rounded down in favour of the payer; saturates at the largest amount.
    #[must_use]
    pub fn cost(self, cycles: Cycles) -> Money {
        let micro = u128::from(self.0) * u128::from(cycles.0) / CYCLES_PER_GC;
        Money(u64::try_from(micro).unwrap_or(u64::MAX))
    }

    /// The most cycles whose cost does not exceed `money`; all that can be counted where the rate is zero.
    #[must_use]
    pub fn cycles_for(self, money: Money) -> Cycles {
        let Some(cycles) = (u128::from(money.0) * CYCLES_PER_GC).checked_div(u128::from(self.0)) else {
            return Cycles(u64::MAX);
        };
        Cycles(u64::try_from(cycles).unwrap_or(u64::MAX))
    }

    /// The highest rate at which `cycles` cost no more than `money`, rounded down; `None` for no cycles.
    #[must_use]
    pub fn highest(money: Money, cycles: Cycles) -> Option<Self> {
        let rate = (u128::from(money.0) * CYCLES_PER_GC).checked_div(u128::from(cycles.0))?;
        Some(Self(u64::try_from(rate).unwrap_or(u64::MAX)))
    }
}

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount: expected credits with at most six decimals, such as 12 or 0.25")]
pub struct NotMoney {
    /// What was given.
    pub text: String,
}

fn parse_micro(text: &str) -> Result<u64, NotMoney> {
    let wrong = || NotMoney { text: text.chars().take(40).collect() };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return Err(wrong());
    }
    let micro: u64 = format!("{fraction:0<6}").parse().map_err(|_| wrong())?;
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    whole.checked_mul(MICRO_PER_CREDIT).and_then(|m| m.checked_add(micro)).ok_or_else(wrong)
}

fn show_micro(micro: u64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = format!("{}.{:06}", micro / MICRO_PER_CREDIT, micro % MICRO_PER_CREDIT);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    out.pad(short)
}

impl FromStr for Money {
    type Err = NotMoney;
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        parse_micro(text).map(Self)
    }
}

impl FromStr for Rate {
    type Err = NotMoney;
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        parse_micro(text).map(Self)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_micro(self.0, out)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_micro(self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_print_the_same() {
        for text in ["0", "1", "0.25", "0.000001", "234", "18446744073709.551615"] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_no_amounts_are_refused() {
        for text in ["", "-1", "1.", ".5", "1e3", "0.0000001", "18446744073709.551616", "ten", "1,5"] {
            assert_eq!(text.parse::<Money>(), Err(NotMoney { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn costs_round_down_for_the_payer() {
        assert_eq!(Rate(3).cost(Cycles(999_999_999)), Money(2));
        assert_eq!(Rate(u64::MAX).cost(Cycles(u64::MAX)), Money(u64::MAX));
        assert_eq!(Rate(3).cycles_for(Money(2)), Cycles(666_666_666));
        assert_eq!(Rate(0).cycles_for(Money(2)), Cycles(u64::MAX));
        assert_eq!(Rate::highest(Money(10), Cycles(0)), None);
        assert_eq!(Rate::highest(Money(10), Cycles(3_000_000_000)), Some(Rate(3)));
    }
}

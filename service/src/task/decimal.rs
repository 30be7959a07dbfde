//! Exact decimal numbers, for values with a fraction and for sweeps. No floating point.

/// The most digits before the decimal point; the largest 64-bit number has twenty.
const WHOLE_DIGITS: usize = 20;
/// The most digits after the decimal point.
const FRACTION_DIGITS: usize = 18;

/// A number: `digits` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    /// The number without its decimal point; below 10³⁸ in size.
    pub(super) digits: i128,
    /// How many of the digits stand after the point, at most 18.
    pub(super) scale: u32,
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&show(self.digits, self.scale))
    }
}

impl Decimal {
    /// The number as floating point, as near as that comes.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// Why a text is not a number that we can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotDecimal {
    /// It is not written as one.
    Malformed,
    /// It has more digits than we keep.
    TooLong,
}

impl Decimal {
    /// Reads `12`, `-12` or `-12.50`.
    pub(super) fn parse(text: &str) -> Result<Self, NotDecimal> {
        let (minus, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let pointless = unsigned.ends_with('.') || whole.is_empty();
        if pointless || !all_digits(whole) || !all_digits(fraction) {
            return Err(NotDecimal::Malformed);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > WHOLE_DIGITS || fraction.len() > FRACTION_DIGITS {
            return Err(NotDecimal::TooLong);
        }
        let digits: i128 = format!("0{whole}{fraction}").parse().map_err(|_| NotDecimal::TooLong)?;
        let scale = u32::try_from(fraction.len()).map_err(|_| NotDecimal::TooLong)?;
        Ok(Self { digits: if minus { -digits } else { digits }, scale })
    }

    /// Reads what [`Decimal::parse`] reads, and that with a power of ten: `1e-6`.
    pub(super) fn parse_scientific(text: &str) -> Result<Self, NotDecimal> {
        let Some((mantissa, power)) = text.split_once(['e', 'E']) else { return Self::parse(text) };
        let mantissa = Self::parse(mantissa)?;
        let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
        if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotDecimal::Malformed);
        }
        let size: u32 = digits.parse().map_err(|_| NotDecimal::TooLong)?;
        let scale = if power.starts_with('-') {
            mantissa.scale.saturating_add(size)
        } else if let Some(scale) = mantissa.scale.checked_sub(size) {
            scale
        } else {
            let more = 10_i128.checked_pow(size - mantissa.scale).ok_or(NotDecimal::TooLong)?;
            let digits = mantissa.digits.checked_mul(more).ok_or(NotDecimal::TooLong)?;
            return Self::parse(&show(digits, 0));
        };
        Self::parse(&show(mantissa.digits, scale))
    }

    /// The digits when `scale` of them stand after the point; `None` where that loses some or is too large.
    pub(super) fn at_scale(self, scale: u32) -> Option<i128> {
        match scale.checked_sub(self.scale) {
            Some(more) => self.digits.checked_mul(10_i128.checked_pow(more)?),
            None => {
                let unit = 10_i128.checked_pow(self.scale - scale)?;
                (self.digits % unit == 0).then_some(self.digits / unit)
            }
        }
    }

    /// The number times `factor`, rounded up to a whole; `None` where that is negative or beyond 64 bits.
    pub(super) fn times_rounded_up(self, factor: u64) -> Option<u64> {
        let unit = 10_u128.checked_pow(self.scale)?;
        let product = u128::try_from(self.digits).ok()?.checked_mul(u128::from(factor))?;
        u64::try_from(product.div_ceil(unit)).ok()
    }
}

/// `digits` with `scale` of them after the point: `(-5, 1)` is `-0.5`.
pub(super) fn show(digits: i128, scale: u32) -> String {
    let width = usize::try_from(scale).unwrap_or(0) + 1;
    let text = format!("{:0width$}", digits.unsigned_abs());
    let sign = if digits < 0 { "-" } else { "" };
    match text.split_at_checked(text.len().saturating_sub(width - 1)) {
        Some((whole, fraction)) if scale > 0 => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_exactly_and_print_the_same() {
        let table = [
            ("0", 0, 0),
            ("12", 12, 0),
            ("-0.5", -5, 1),
            ("0.0413", 413, 4),
            ("007.10", 710, 2),
            ("99999999999999999999.999999999999999999", 10_i128.pow(38) - 1, 18),
        ];
        for (text, digits, scale) in table {
            assert_eq!(Decimal::parse(text), Ok(Decimal { digits, scale }), "{text}");
            assert_eq!(show(digits, scale), text.trim_start_matches("00"), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_numbers_are_refused() {
        for text in ["", "-", ".", ".5", "5.", "1e3", "+1", "1,5", "0x10", "--1", "1.2.3", "١"] {
            assert_eq!(Decimal::parse(text), Err(NotDecimal::Malformed), "{text}");
        }
        for text in ["123456789012345678901", "0.0000000000000000001"] {
            assert_eq!(Decimal::parse(text), Err(NotDecimal::TooLong), "{text}");
        }
    }

    #[test]
    fn powers_of_ten_move_the_point() {
        let table = [
            ("1e-6", Ok((1, 6))),
            ("2.5E-3", Ok((25, 4))),
            ("1.25e1", Ok((125, 1))),
            ("1.5e+3", Ok((1_500, 0))),
            ("-3e0", Ok((-3, 0))),
            ("7", Ok((7, 0))),
            ("1e-19", Err(NotDecimal::TooLong)),
            ("1e99", Err(NotDecimal::TooLong)),
            ("1e", Err(NotDecimal::Malformed)),
            ("e5", Err(NotDecimal::Malformed)),
            ("1e1e1", Err(NotDecimal::Malformed)),
            ("1e+-1", Err(NotDecimal::Malformed)),
            ("1e1000", Err(NotDecimal::Malformed)),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(digits, scale)| Decimal { digits, scale });
            assert_eq!(Decimal::parse_scientific(text), expected, "{text}");
        }
    }

    #[test]
    fn products_round_up_and_overflow_is_seen() {
        let times = |text, factor| Decimal::parse(text).unwrap().times_rounded_up(factor);
        assert_eq!(times("1.5", 1_000), Some(1_500));
        assert_eq!(times("0.0001", 1_000), Some(1));
        assert_eq!(times("18446744073709551615", 1), Some(u64::MAX));
        assert_eq!(times("18446744073709551615.1", 1), None);
        assert_eq!(times("-1", 1), None);
        assert_eq!(times("99999999999999999999.999999999999999999", u64::MAX), None);
    }
}

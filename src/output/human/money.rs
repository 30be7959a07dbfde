//! Amounts of money.

/// `amount` with at least two decimals, so that a column of them lines up.
pub(super) fn two_decimals(amount: &str) -> String {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let is_number = !whole.is_empty()
        && amount.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-' || b == b'+');
    if is_number { format!("{whole}.{fraction:0<2}") } else { amount.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals_or_all_they_need() {
        let cases =
            [("0.2", "0.20"), ("3", "3.00"), ("0.123456", "0.123456"), ("-1.5", "-1.50"), ("n/a", "n/a")];
        for (amount, expected) in cases {
            assert_eq!(two_decimals(amount), expected);
        }
    }
}

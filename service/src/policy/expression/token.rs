//! The words and signs of a condition.

use super::parser::Wrong;

/// A word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, digits and `_`, beginning with a letter.
    Word(&'a str),
    /// Digits.
    Number(u32),
    /// Anything else that means something.
    Sign(&'static str),
}

/// The signs, those first that begin as another one does.
const SIGNS: [&str; 15] = ["&&", "||", "==", "!=", ">=", "<=", ">", "<", "!", "(", ")", "[", "]", ",", "-"];

/// The tokens of a text, each with the byte that it begins at.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, Wrong> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (token, length) = if first.is_ascii_digit() {
            let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest.get(..end).and_then(|digits| digits.parse().ok());
            (Token::Number(number.ok_or_else(|| Wrong::new(at, "a number is too large"))?), end)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
            let end = end.unwrap_or(rest.len());
            (Token::Word(rest.get(..end).unwrap_or_default()), end)
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(Wrong::new(at, &unknown(first)));
        };
        found.push((at, token));
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(found)
}

/// What to say about a character that means nothing.
fn unknown(character: char) -> String {
    match character {
        '&' => "`&` stands alone: expected `&&`".to_owned(),
        '|' => "`|` stands alone: expected `||`".to_owned(),
        '=' => "`=` stands alone: expected `==`".to_owned(),
        visible if !visible.is_control() => format!("`{visible}` means nothing in a condition"),
        _ => "a character that cannot be shown".to_owned(),
    }
}

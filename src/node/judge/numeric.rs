//! `numeric`: the same words in the same order, where numbers may differ by at most `abs`, or by at most `rel` of the
//! larger one. Words end at white space and at `,` `;` `(` `)` `[` `]` `{` `}` `:` `=`; what stands between them does not
//! count. A NaN is a NaN, and an infinity only itself.

use super::{Found, shown};

/// The first word that differs.
pub(super) fn compare(one: &[u8], other: &[u8], abs: f64, rel: f64) -> Found {
    let (mut one, mut other) = (words(one), words(other));
    loop {
        let (a, b) = (one.next(), other.next());
        let (line, value) = match (a, b) {
            (None, None) => return None,
            (Some((_, a)), Some((_, b))) if agree(a, b, abs, rel) => continue,
            (Some(((line, value), _)), _) | (None, Some(((line, value), _))) => (line, value),
        };
        let said =
            |word: Option<(Place, &[u8])>| word.map_or_else(|| "the end".into(), |(_, word)| shown(word));
        return Some((format!("line {line}, value {value}"), said(a), said(b)));
    }
}

/// The numbers in a content, in order.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = f64> {
    words(bytes).filter_map(|(_, word)| number(word))
}

/// Line and number of a word in it, from 1.
type Place = (usize, usize);

fn words(bytes: &[u8]) -> impl Iterator<Item = (Place, &[u8])> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines.flat_map(|(line, text)| {
        let words = text.split(|byte| is_between(*byte)).filter(|word| !word.is_empty());
        (1..).zip(words).map(move |(value, word)| ((line, value), word))
    })
}

const fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b':' | b'=')
}

fn agree(one: &[u8], other: &[u8], abs: f64, rel: f64) -> bool {
    if one == other {
        return true;
    }
    let (Some(a), Some(b)) = (number(one), number(other)) else { return false };
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    if a.is_infinite() || b.is_infinite() {
        return a.total_cmp(&b).is_eq();
    }
    let gap = (a - b).abs();
    gap <= abs || gap <= rel * a.abs().max(b.abs())
}

fn number(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

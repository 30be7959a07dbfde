//! `text`: the same lines, whatever the ends of the lines and the spaces before them; empty lines at the end do not count.

use super::{Found, shown};

/// The first line that differs.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Found {
    let (mut one, mut other) = (lines(one), lines(other));
    let mut number = 1_usize;
    loop {
        match (one.next(), other.next()) {
            (None, None) => return None,
            (a, b) if a == b => number += 1,
            (a, b) => return Some((format!("line {number}"), said(a), said(b))),
        }
    }
}

fn said(line: Option<&[u8]>) -> String {
    line.map_or_else(|| "the end".into(), shown)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

//! What the supervisor in the sandbox tells its node at the very end: the last line of standard error.
//!
//! When it is written nothing else of the sandbox is alive, so that what comes last is the supervisor's. A program that
//! writes such a line itself has only printed something.

use std::fmt;

/// The longest record, in bytes.
pub(super) const MAX_RECORD: usize = 512;
/// Begins the line; no program prints it by chance.
const MARK: &str = "\0compup2p-sandbox ";

/// How it ended in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The program ended.
    Ended {
        /// By itself, or by which signal.
        end: End,
        /// Processor time of it and of all that it started and waited for, in µs.
        cpu: u64,
        /// The most memory that one process had, in KiB.
        most: u64,
    },
    /// It could not be started, and that is its own fault.
    NotRunnable(String),
    /// The sandbox could not be entered.
    Failed(String),
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It exited.
    Exited(i32),
    /// It was ended by a signal.
    Signalled(i32),
}

impl fmt::Display for Record {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No line ends within, and cut so that the line stays within its bound.
        let cut =
            |why: &str| why.chars().map(|c| if c == '\n' { ' ' } else { c }).take(100).collect::<String>();
        match self {
            Self::Ended { end: End::Exited(status), cpu, most } => {
                writeln!(out, "{MARK}exited {status} {cpu} {most}")
            }
            Self::Ended { end: End::Signalled(signal), cpu, most } => {
                writeln!(out, "{MARK}signalled {signal} {cpu} {most}")
            }
            Self::NotRunnable(why) => writeln!(out, "{MARK}not-runnable {}", cut(why)),
            Self::Failed(why) => writeln!(out, "{MARK}failed {}", cut(why)),
        }
    }
}

impl Record {
    /// What of a piece of standard error is not a record.
    pub(super) fn before(text: &[u8]) -> &[u8] {
        let mark = MARK.as_bytes();
        let at = text.windows(mark.len()).position(|window| window == mark);
        at.and_then(|at| text.get(..at)).unwrap_or(text)
    }

    /// The record at the end of `text`, and where it begins.
    pub(super) fn last(text: &[u8]) -> Option<(Self, usize)> {
        let mark = MARK.as_bytes();
        let at = text.windows(mark.len()).rposition(|window| window == mark)?;
        let line = text.get(at + mark.len()..)?.strip_suffix(b"\n")?;
        let line = std::str::from_utf8(line).ok().filter(|line| !line.contains('\n'))?;
        let (word, rest) = line.split_once(' ')?;
        let ended = |end: fn(i32) -> End| {
            let mut numbers = rest.split(' ');
            let end = end(numbers.next()?.parse().ok()?);
            let (cpu, most) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
            numbers.next().is_none().then_some(Self::Ended { end, cpu, most })
        };
        let record = match word {
            "exited" => ended(End::Exited)?,
            "signalled" => ended(End::Signalled)?,
            "not-runnable" => Self::NotRunnable(rest.into()),
            "failed" => Self::Failed(rest.into()),
            _ => return None,
        };
        Some((record, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_behind_whatever_the_program_printed() {
        let ended = |end| Record::Ended { end, cpu: 12_345, most: 67 };
        for record in [
            ended(End::Exited(0)),
            ended(End::Exited(255)),
            ended(End::Signalled(9)),
            Record::NotRunnable("there is no interpreter".into()),
            Record::Failed("no".into()),
        ] {
            for before in ["", "error: x", "line\n", "\0compup2p-sandbox exited 0 1 1\n"] {
                let text = format!("{before}{record}");
                assert_eq!(Record::last(text.as_bytes()), Some((record.clone(), before.len())), "{text:?}");
                assert!(record.to_string().len() <= MAX_RECORD);
            }
        }
    }

    #[test]
    fn what_is_not_a_whole_last_line_is_no_record() {
        for text in [
            "",
            "exited 0 1 2\n",
            "\0compup2p-sandbox exited 0 1 2",
            "\0compup2p-sandbox exited 0 1 2\nmore",
            "\0compup2p-sandbox exited 0 1\n",
            "\0compup2p-sandbox exited 0 1 2 3\n",
            "\0compup2p-sandbox exited x 1 2\n",
            "\0compup2p-sandbox flew 0 1 2\n",
        ] {
            assert_eq!(Record::last(text.as_bytes()), None, "{text:?}");
        }
        let long = Record::Failed("ß\n".repeat(10_000)).to_string();
        assert!(long.len() <= MAX_RECORD && long.matches('\n').count() == 1, "{}", long.len());
    }
}

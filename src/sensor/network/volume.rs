//! The volume of the last days, over restarts of the node.
//!
//! Every byte is counted once. They are kept in pieces of time; a piece leaves the period when its last byte
//! does, so that at no moment less is counted than was sent, and at most one piece more.

use crate::sensor::roots::read;
use proto::{Bytes, Span, Time};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What is counted within this time is one piece.
const PIECE: Span = Span::secs(60);
/// The most pieces; beyond it the older half is put together by pairs.
const MAX_PIECES: usize = 2_048;
/// The longest period that is kept: a leap year.
const LONGEST: Span = Span::secs(366 * 86_400);
/// How long something may wait until it is written. A crash loses at most what was counted since.
const SAVE_EVERY: Span = Span::secs(60);
/// So much is written at once.
const SAVE_AT: Bytes = Bytes::mib(16);
/// What the file begins with.
const TITLE: &str = "bytes sent and received, from and to in seconds since 1970, version 1";
/// The largest file that is read, in bytes; a full one has some 80 KiB.
const MAX_FILE: u64 = 256 << 10;

/// What was sent and received.
#[derive(Debug)]
pub(in crate::sensor) struct Volume {
    path: PathBuf,
    pieces: VecDeque<Piece>,
    unsaved: Bytes,
    saved: Time,
}

/// So many bytes, the first at `from`, the last at `to`, by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    from: Time,
    to: Time,
    bytes: Bytes,
}

impl Volume {
    /// Goes on with what the file holds, which is nothing if it cannot be read.
    pub(in crate::sensor) fn open(path: PathBuf) -> Self {
        let pieces = read(&path, MAX_FILE).and_then(|text| parse(&text)).unwrap_or_default();
        Self { path, pieces, unsaved: Bytes(0), saved: Time(0) }
    }

    /// So many bytes were sent or received until `wall`.
    pub(in crate::sensor) fn add(&mut self, bytes: Bytes, wall: Time) {
        self.settle(wall);
        if bytes > Bytes(0) {
            match self.pieces.back_mut().filter(|piece| wall.since(piece.from) < PIECE) {
                Some(piece) => (piece.to, piece.bytes) = (wall, Bytes(piece.bytes.0.saturating_add(bytes.0))),
                None => self.pieces.push_back(Piece { from: wall, to: wall, bytes }),
            }
            self.unsaved = Bytes(self.unsaved.0.saturating_add(bytes.0));
        }
        if self.pieces.len() > MAX_PIECES {
            self.put_together();
        }
        let is_due = self.unsaved >= SAVE_AT || wall.since(self.saved) >= SAVE_EVERY || wall < self.saved;
        if self.unsaved > Bytes(0) && is_due {
            self.save(wall);
        }
    }

    /// What was sent and received within the last `period`.
    pub(in crate::sensor) fn within(&self, period: Span, wall: Time) -> Bytes {
        let pieces = self.pieces.iter().filter(|piece| wall.since(piece.to) < period);
        Bytes(pieces.fold(0, |sum, piece| sum.saturating_add(piece.bytes.0)))
    }

    /// Forgets what no period reaches, and dates what a clock that was set back left in the future to now.
    fn settle(&mut self, wall: Time) {
        self.pieces.retain(|piece| wall.since(piece.to) < LONGEST);
        for piece in self.pieces.iter_mut().rev().take_while(|piece| piece.to > wall) {
            (piece.from, piece.to) = (piece.from.min(wall), wall);
        }
    }

    /// Halves the older half.
    fn put_together(&mut self) {
        let newer = self.pieces.split_off(self.pieces.len() / 2);
        let older = std::mem::replace(&mut self.pieces, VecDeque::with_capacity(MAX_PIECES));
        let mut older = older.into_iter();
        while let Some(first) = older.next() {
            self.pieces.push_back(older.next().map_or(first, |second| Piece {
                from: first.from,
                to: second.to,
                bytes: Bytes(first.bytes.0.saturating_add(second.bytes.0)),
            }));
        }
        self.pieces.extend(newer);
    }

    /// Writes the file, wholly or not at all. One that cannot be written is tried again a minute later.
    fn save(&mut self, wall: Time) {
        self.saved = wall;
        match write(&self.path, &text(&self.pieces)) {
            Ok(()) => self.unsaved = Bytes(0),
            Err(error) => tracing::warn!(%error, "the volume counter cannot be written"),
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.unsaved > Bytes(0) {
            self.save(self.saved);
        }
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn text(pieces: &VecDeque<Piece>) -> String {
    let line = |piece: &Piece| {
        // Rounded towards a longer stay.
        let (from, to) = (piece.from.0 / 1_000_000, piece.to.0.div_ceil(1_000_000));
        format!("{from} {to} {}\n", piece.bytes.0)
    };
    format!("{TITLE}\n{}", pieces.iter().map(line).collect::<String>())
}

fn parse(text: &str) -> Option<VecDeque<Piece>> {
    let lines = text.strip_prefix(TITLE)?.strip_prefix('\n')?.lines();
    let piece = |line: &str| {
        let mut words = line.split(' ').map(str::parse::<u64>);
        let mut next = || words.next()?.ok();
        let (from, to, bytes) = (next()?.checked_mul(1_000_000)?, next()?.checked_mul(1_000_000)?, next()?);
        (from <= to && words.next().is_none()).then_some(Piece {
            from: Time(from),
            to: Time(to),
            bytes: Bytes(bytes),
        })
    };
    let pieces: VecDeque<_> = lines.take(MAX_PIECES + 1).map(piece).collect::<Option<_>>()?;
    let is_ordered = pieces.iter().zip(pieces.iter().skip(1)).all(|(a, b)| a.to <= b.to);
    (is_ordered && pieces.len() <= MAX_PIECES).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tempfile::TempDir;

    const DAY: u64 = 86_400;

    fn at(secs: u64) -> Time {
        Time(secs * 1_000_000)
    }

    #[test]
    fn a_byte_counts_for_the_period_and_over_restarts() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("volume");
        let mut volume = Volume::open(path.clone());
        for (secs, bytes, period, expected) in [
            (0, 100, 30 * DAY, 100),
            (59, 10, 30 * DAY, 110),
            (60, 1, 30 * DAY, 111),
            (60, 0, 60, 111),
            (118, 0, 60, 111),
            // The first piece goes when its last byte does.
            (119, 0, 60, 1),
            (120, 0, 60, 0),
            (29 * DAY, 5, 30 * DAY, 116),
            (30 * DAY + 59, 0, 30 * DAY, 6),
            (59 * DAY, 0, 30 * DAY, 0),
            // The clock is set back: what was counted counts on, from now.
            (10 * DAY, 0, DAY, 5),
            (11 * DAY, 0, DAY, 0),
        ] {
            drop(std::mem::replace(&mut volume, Volume::open(dir.path().join("none"))));
            volume = Volume::open(path.clone());
            volume.add(Bytes(bytes), at(secs));
            assert_eq!(volume.within(Span::secs(period), at(secs)), Bytes(expected), "{secs} s");
            // Not the file's matter: it is written when something was added.
            volume.unsaved = Bytes(1);
        }
    }

    #[test]
    fn much_is_written_at_once_and_little_after_a_minute() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("volume");
        let mut volume = Volume::open(path.clone());
        let kept = || Volume::open(path.clone()).within(LONGEST, at(10_000));
        for (secs, bytes, expected) in [
            (1_000, 5, 5),
            (1_001, 7, 5),
            (1_059, 0, 5),
            (1_060, 0, 12),
            (1_061, SAVE_AT.0, 12 + SAVE_AT.0),
            (1_062, 1, 12 + SAVE_AT.0),
        ] {
            volume.add(Bytes(bytes), at(secs));
            assert_eq!(kept(), Bytes(expected), "{secs} s");
        }
        drop(volume);
        assert_eq!(kept(), Bytes(13 + SAVE_AT.0), "an orderly end");
    }

    #[test]
    fn garbage_in_the_file_is_forgotten() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("volume");
        let whole = format!("{TITLE}\n1 2 3\n2 2 4\n");
        let long = format!("{TITLE}\n{}", "1 2 3\n".repeat(MAX_PIECES + 1));
        for (text, expected) in [
            (whole.clone(), 7),
            (whole.replace("version 1", "version 2"), 0),
            (whole.replace("1 2 3", "2 1 3"), 0),
            (whole.replace("1 2 3", "1 3 3"), 0),
            (whole.replace("1 2 3", "1 2"), 0),
            (whole.replace("1 2 3", "1 2 3 4"), 0),
            (whole.replace("1 2 3", "1 2 -3"), 0),
            (whole.replace('2', "99999999999999999"), 0),
            (long, 0),
            (format!("{TITLE}\n"), 0),
            (String::new(), 0),
        ] {
            std::fs::write(&path, &text).unwrap();
            let volume = Volume::open(path.clone());
            assert_eq!(volume.within(LONGEST, at(3)), Bytes(expected), "{text:.200}");
        }
    }

    #[test]
    fn a_directory_that_is_gone_does_no_harm() {
        let mut volume = Volume::open("/nonexistent/volume".into());
        volume.add(Bytes(7), at(1_000));
        assert_eq!(volume.within(LONGEST, at(1_000)), Bytes(7));
    }

    proptest! {
        #[test]
        fn never_less_is_counted_than_was_sent(
            sent in prop::collection::vec((0_u64..5_000, 0_u64..1_000), 0..3_000),
            period in 1_u64..1_000_000,
        ) {
            let dir = TempDir::new().unwrap();
            let mut volume = Volume::open(dir.path().join("volume"));
            volume.saved = Time(u64::MAX / 2);
            let (mut now, mut all) = (0, Vec::new());
            for (pause, bytes) in sent {
                now += pause;
                all.push((now, bytes));
                volume.pieces.push_back(Piece { from: at(now), to: at(now), bytes: Bytes(bytes) });
                if volume.pieces.len() > MAX_PIECES {
                    volume.put_together();
                }
            }
            let true_sum: u64 = all.iter().filter(|(when, _)| now - when < period).map(|(_, bytes)| bytes).sum();
            prop_assert!(volume.within(Span::secs(period), at(now)) >= Bytes(true_sum));
            let whole: u64 = all.iter().map(|(_, bytes)| bytes).sum();
            prop_assert_eq!(volume.pieces.iter().map(|piece| piece.bytes.0).sum::<u64>(), whole);
            prop_assert!(volume.pieces.len() <= MAX_PIECES);
        }
    }
}

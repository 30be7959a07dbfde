//! What a program prints: kept up to its limit, and where the supervisor's record comes behind it, with that.

use super::record::{MAX_RECORD, Record};
use crate::exec::Control;
use crate::exec::stream::Tap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use std::io::{PipeReader, Read as _};
use std::time::{Duration, Instant};

/// Most bytes moved at a time.
const CHUNK: usize = 64 * 1024;
/// How long the end of a stream may take to be seen when the program has ended. Longer only if somebody outside the
/// sandbox holds it open.
const END: Duration = Duration::from_secs(1);

/// Both streams of a program, being read.
pub(super) struct Print {
    streams: [Stream; 2],
    chunk: Vec<u8>,
}

struct Stream {
    /// Until it has ended.
    source: Option<PipeReader>,
    kept: Vec<u8>,
    most: usize,
    tap: Tap,
    /// More was printed than may be.
    is_over: bool,
}

impl Print {
    /// Reads standard output and error, and keeps at most `limit` bytes of each and a record.
    /// Who watches `control` sees them meanwhile.
    pub(super) fn of(sources: [PipeReader; 2], limit: u64, control: &Control) -> Self {
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(MAX_RECORD);
        let [stdout, stderr] = sources;
        let streams = [(stdout, control.stdout()), (stderr, control.stderr())].map(|(source, tap)| {
            tap.begin(Vec::new(), limit);
            Stream { source: Some(source), kept: Vec::new(), most, tap: tap.clone(), is_over: false }
        });
        Self { streams, chunk: vec![0; CHUNK] }
    }

    /// Keeps what is printed until `end` can be read, at most for as long as `within`. Whether it can.
    pub(super) fn until(&mut self, end: &OwnedFd, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.wait(Some(end), left) {
                return true;
            }
            if left.is_zero() {
                return false;
            }
        }
    }

    /// Whether more was printed than may be.
    pub(super) fn is_over(&self) -> bool {
        self.streams.iter().any(|stream| stream.is_over)
    }

    /// Standard output and standard error, when the program has ended.
    pub(super) fn end(mut self) -> [Vec<u8>; 2] {
        let deadline = Instant::now() + END;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.streams.iter().all(|stream| stream.source.is_none()) {
                return self.streams.map(|stream| stream.kept);
            }
            self.wait(None, left);
        }
    }

    /// Waits until there is something to be read, and reads that; whether `end` can be.
    fn wait(&mut self, end: Option<&OwnedFd>, within: Duration) -> bool {
        let sources = self.streams.iter().filter_map(|stream| stream.source.as_ref());
        let mut wanted: Vec<PollFd<'_>> = sources.map(|source| PollFd::new(source, PollFlags::IN)).collect();
        wanted.extend(end.map(|end| PollFd::new(end, PollFlags::IN)));
        if !matches!(poll(&mut wanted, Timespec::try_from(within).ok().as_ref()), Ok(1..)) {
            return false;
        }
        let mut ready: Vec<bool> = wanted.iter().map(|polled| !polled.revents().is_empty()).collect();
        let has_ended = end.is_some() && ready.pop() == Some(true);
        let open = self.streams.iter_mut().filter(|stream| stream.source.is_some());
        for (stream, _) in open.zip(ready).filter(|(_, is_ready)| *is_ready) {
            stream.read(&mut self.chunk);
        }
        has_ended
    }
}

impl Stream {
    /// Reads what is there.
    fn read(&mut self, chunk: &mut [u8]) {
        let Some(source) = &mut self.source else { return };
        let count = source.read(chunk).unwrap_or(0);
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            self.source = None;
            return;
        };
        // What is beyond the limit is told by `is_over`.
        let _ = self.tap.print(Record::before(bytes));
        let room = self.most.saturating_sub(self.kept.len());
        self.kept.extend(bytes.iter().take(room));
        self.is_over |= bytes.len() > room;
    }
}

//! What a program prints: kept up to its limit, with the supervisor's record behind it.

use super::enter::NOT_TAKEN;
use super::record::{End, MAX_RECORD, Record};
use crate::exec::Control;
use crate::exec::stream::Tap;
use std::io::Read;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most bytes moved at a time.
const CHUNK: usize = 64 * 1024;
/// How long the end of a stream may take to be seen when the program has ended. Longer only if somebody outside the
/// sandbox holds it open.
const END: Duration = Duration::from_secs(1);

/// Both streams of a program, being read.
pub(super) struct Print {
    streams: [Stream; 2],
    /// More was printed than may be.
    pub(super) is_over: Arc<AtomicBool>,
}

struct Stream {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Closed when the stream has ended.
    end: Option<Receiver<()>>,
}

impl Print {
    /// Reads both streams of `child`, and keeps at most `limit` bytes of each and a record.
    /// Who watches `control` sees them meanwhile.
    pub(super) fn of(child: &mut Child, limit: u64, control: &Control) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(MAX_RECORD);
        let [stdout, stderr] = [control.stdout(), control.stderr()].map(|tap| {
            tap.begin(Vec::new(), limit);
            tap.clone()
        });
        let stdout = Stream::of(child.stdout.take(), most, &is_over, stdout);
        let stderr = Stream::of(child.stderr.take(), most, &is_over, stderr);
        Self { streams: [stdout, stderr], is_over }
    }

    /// Standard output, standard error and the record behind it, when the program has ended.
    pub(super) fn end(self) -> (Vec<u8>, Vec<u8>, Option<Record>) {
        let [stdout, mut stderr] = self.streams.map(Stream::end);
        let record = Record::last(&stderr).map(|(record, at)| {
            stderr.truncate(at);
            record
        });
        // Where the supervisor stands beside the program, the step into the sandbox may have failed before it.
        let not_taken = End::Exited(i32::from(NOT_TAKEN));
        let is_of_step = |record: &Record| matches!(record, Record::Ended { end, .. } if *end == not_taken);
        let earlier = Record::last(&stderr).filter(|(record, _)| !matches!(record, Record::Ended { .. }));
        let record = match (record, earlier) {
            (Some(record), Some((earlier, at))) if is_of_step(&record) => {
                stderr.truncate(at);
                Some(earlier)
            }
            (record, _) => record,
        };
        (stdout, stderr, record)
    }
}

impl Stream {
    fn of(
        source: Option<impl Read + Send + 'static>,
        most: usize,
        is_over: &Arc<AtomicBool>,
        tap: Tap,
    ) -> Self {
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        let Some(mut source) = source else { return Self { kept, end: None } };
        let (ended, end) = sync_channel::<()>(0);
        let (shared, is_over) = (Arc::clone(&kept), Arc::clone(is_over));
        let read = move || {
            let mut chunk = vec![0; CHUNK];
            while let Ok(count) = source.read(&mut chunk) {
                let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
                // What is beyond the limit is told by `is_over`.
                let _ = tap.print(Record::before(bytes));
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = most.saturating_sub(kept.len());
                kept.extend(bytes.iter().take(room));
                if bytes.len() > room {
                    is_over.store(true, Ordering::Relaxed);
                }
            }
            drop(ended);
        };
        // Without a thread nothing is read, and the program's end says that its sandbox has failed.
        let _ = std::thread::Builder::new().name("print".into()).spawn(read);
        Self { kept, end: Some(end) }
    }

    fn end(self) -> Vec<u8> {
        if let Some(end) = self.end {
            // Nothing is ever sent: the channel closes, or the time is over.
            let _ = end.recv_timeout(END);
        }
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

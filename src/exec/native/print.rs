//! What a program prints: kept up to its limit, and where the supervisor's record comes behind it, with that.

use super::record::{MAX_RECORD, Record};
use crate::exec::Control;
use crate::exec::stream::Tap;
use std::io::{PipeReader, Read as _};
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
    end: Receiver<()>,
}

impl Print {
    /// Reads standard output and error, and keeps at most `limit` bytes of each and a record.
    /// Who watches `control` sees them meanwhile.
    pub(super) fn of(sources: [PipeReader; 2], limit: u64, control: &Control) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(MAX_RECORD);
        let [stdout, stderr] = sources;
        let streams = [(stdout, control.stdout()), (stderr, control.stderr())].map(|(source, tap)| {
            tap.begin(Vec::new(), limit);
            Stream::of(source, most, &is_over, tap.clone())
        });
        Self { streams, is_over }
    }

    /// Standard output and standard error, when the program has ended.
    pub(super) fn end(self) -> [Vec<u8>; 2] {
        self.streams.map(Stream::end)
    }
}

impl Stream {
    fn of(mut source: PipeReader, most: usize, is_over: &Arc<AtomicBool>, tap: Tap) -> Self {
        let kept = Arc::<Mutex<Vec<u8>>>::default();
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
        Self { kept, end }
    }

    fn end(self) -> Vec<u8> {
        // Nothing is ever sent: the channel closes, or the time is over.
        let _ = self.end.recv_timeout(END);
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
